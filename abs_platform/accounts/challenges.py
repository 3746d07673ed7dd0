# SPDX-License-Identifier: EUPL-1.2
"""The question that a passkey answers: in the signed cookie of the browser that asked, for five minutes."""

from __future__ import annotations

import datetime as dt
import secrets

from flask import Response, current_app, session
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.accounts.passkeys import CHALLENGE_VALID, Site
from abs_platform.config import Settings
from abs_platform.errors import Conflict
from abs_platform.users import User

_COOKIE = "passkey_challenge"


def site() -> Site:
    """Whom passkeys are made for: this site, at its public address."""
    settings: Settings = current_app.extensions["settings"]
    return Site(settings.municipality.site_name, settings.base_url)


def new(purpose: str, user: User) -> bytes:
    """A new challenge for this purpose and person; one that was open is forgotten."""
    challenge = secrets.token_bytes(32)
    session[_COOKIE] = [purpose, user.account_id, int(clock.now().timestamp()), challenge.hex()]
    return challenge


def take(purpose: str, user: User, now: dt.datetime) -> bytes:
    """The challenge that was asked for this; it leaves the cookie. Raises: Conflict."""
    kind, account_id, asked_at, challenge = session.pop(_COOKIE, None) or ("", 0, 0, "")
    is_recent = now.timestamp() - asked_at < CHALLENGE_VALID.total_seconds()
    if (kind, account_id) != (purpose, user.account_id) or not is_recent:
        raise Conflict(_("Dit duurde te lang, of het is al gedaan. Begin opnieuw."))
    return bytes.fromhex(challenge)


def as_json(body: str) -> Response:
    """A question as JSON, for this browser only."""
    return Response(body, content_type="application/json", headers={"Cache-Control": "no-store"})
