# SPDX-License-Identifier: EUPL-1.2
"""Whose OpenID Connect staff may sign in with: all of it is set, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

_NAMES = ("ABS_OIDC_ISSUER", "ABS_OIDC_CLIENT_ID", "ABS_OIDC_CLIENT_SECRET")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenId:
    """The municipality's own sign-in. ``acr``: what it says of a sign-in with a second factor, besides the usual."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    acr: str = ""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Self | None:
        """Read ABS_OIDC_*; None when nothing is set. Raises: ValueError with what is wrong."""
        given = {name: env.get(name, "").strip() for name in _NAMES}
        if not any(given.values()):
            if env.get("ABS_OIDC_ACR"):
                raise ValueError("ABS_OIDC_ACR is set, but not ABS_OIDC_ISSUER")
            return None
        if missing := [name for name, value in given.items() if not value]:
            raise ValueError(f"{' and '.join(missing)} is missing: give all of ABS_OIDC_*, or none")
        issuer = given["ABS_OIDC_ISSUER"]
        if not _is_issuer(issuer, is_production=env.get("ABS_ENV") == "production"):
            raise ValueError("ABS_OIDC_ISSUER is not an address like https://inloggen.example.nl")
        return cls(
            issuer=issuer,
            client_id=given["ABS_OIDC_CLIENT_ID"],
            client_secret=given["ABS_OIDC_CLIENT_SECRET"],
            acr=env.get("ABS_OIDC_ACR", "").strip(),
        )


def _is_issuer(url: str, *, is_production: bool) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    schemes = {"https"} if is_production else {"http", "https"}
    return bool(parts.hostname) and parts.scheme in schemes and not (parts.query or parts.fragment or parts.username)
