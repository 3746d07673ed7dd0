# SPDX-License-Identifier: EUPL-1.2
"""Where mail leaves the house: the address of the mail server, and what an e-mail address may look like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

MAX_ADDRESS = 254
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})")
_ON_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}

Security = Literal["none", "starttls", "tls"]
_PORTS: dict[Security, int] = {"none": 25, "starttls": 587, "tls": 465}


def read_address(text: str) -> str:
    """An e-mail address as we keep it: lower case, a domain with other than ASCII letters in its wire form.

    Raises: ValueError when no mail server would take it.
    """
    local, at, domain = text.strip().lower().rpartition("@")
    try:
        domain = domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError:
        at = ""
    address = f"{local}@{domain}"
    if not at or len(local) > 64 or len(address) > MAX_ADDRESS:
        raise ValueError("not an e-mail address")
    if not (_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise ValueError("not an e-mail address")
    return address


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A mail server, and how we talk with it. A password never leaves without TLS, except on this machine."""

    host: str
    port: int
    security: Security
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read ``smtp://user:password@host:587?starttls`` or ``smtps://...``.

        Raises: ValueError with what is wrong; it never repeats what was given, because a password may be in it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError("it is not an address like smtp://user:password@host:587?starttls") from error
        known = {("smtp", ""): "none", ("smtp", "starttls"): "starttls", ("smtps", ""): "tls"}
        security: Security | None = known.get((parts.scheme, parts.query))  # type: ignore[assignment]
        if security is None or not parts.hostname or parts.path.strip("/") or parts.fragment or port == 0:
            raise ValueError("it is not an address like smtp://user:password@host:587?starttls")
        if (parts.username is None) != (parts.password is None):
            raise ValueError("give both user and password, or neither")
        if parts.username and security == "none" and parts.hostname not in _ON_THIS_MACHINE:
            raise ValueError("it sends a password without TLS: add ?starttls, or use smtps://")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if not (user + password).isascii():
            raise ValueError("user and password may hold ASCII characters only")
        return cls(
            host=parts.hostname,
            port=port or _PORTS[security],
            security=security,
            user=user,
            password=password,
        )
