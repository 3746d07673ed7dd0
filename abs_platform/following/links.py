# SPDX-License-Identifier: EUPL-1.2
"""The signed links of a mail: numbers and a signature, nothing of a person; each kind opens its own page only."""

from __future__ import annotations

from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

_CONFIRM, _MANAGE, _STOP = "follow-confirm", "follow-manage", "follow-stop"


def confirm_token(secret_key: str, follower_id: int, follow_ids: list[int]) -> str:
    """What confirms exactly what this mail speaks of."""
    return _sign(secret_key, _CONFIRM, [follower_id, *follow_ids])


def manage_token(secret_key: str, follower_id: int) -> str:
    """What opens the page of choices."""
    return _sign(secret_key, _MANAGE, follower_id)


def stop_token(secret_key: str, follower_id: int) -> str:
    """What stops all mails."""
    return _sign(secret_key, _STOP, follower_id)


def read_confirm(secret_key: str, token: str) -> tuple[int, list[int]] | None:
    """The follower and the follows of such a link, or None when it is not ours."""
    numbers = _read(secret_key, _CONFIRM, token)
    if not isinstance(numbers, list) or not numbers or not all(isinstance(number, int) for number in numbers):
        return None
    return numbers[0], numbers[1:]


def read_manage(secret_key: str, token: str) -> int | None:
    """The follower of such a link, or None when it is not ours."""
    number = _read(secret_key, _MANAGE, token)
    return number if isinstance(number, int) else None


def read_stop(secret_key: str, token: str) -> int | None:
    """The follower of such a link, or None when it is not ours."""
    number = _read(secret_key, _STOP, token)
    return number if isinstance(number, int) else None


def _sign(secret_key: str, salt: str, value: Any) -> str:
    token: str = URLSafeSerializer(secret_key, salt=salt).dumps(value)
    return token


def _read(secret_key: str, salt: str, token: str) -> Any:
    try:
        return URLSafeSerializer(secret_key, salt=salt).loads(token)
    except BadSignature:
        return None
