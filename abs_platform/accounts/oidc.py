# SPDX-License-Identifier: EUPL-1.2
"""Staff sign in at their municipality (OpenID Connect): only who works here already, and by a token that is checked."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from dataclasses import dataclass
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from flask_babel import gettext as _
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from requests import RequestException
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.accounts.models import Account, OidcIdentity, StaffRole
from abs_platform.accounts.service import start_session
from abs_platform.actors import Actor
from abs_platform.errors import NotAllowed, ProviderUnavailable
from abs_platform.openid import OpenId

TIMEOUT_SECONDS = 5
CACHED_SECONDS = 3600
LEEWAY_SECONDS = 60
RECENT = dt.timedelta(hours=1)  # as long as staff may be idle before the second step is asked again
# A key that only the provider has; never "none", and never a key that we hold too.
_ALGORITHMS = [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)]
_SECOND_FACTORS = {"mfa", "otp", "hwk", "sc", "pop", "fido"}  # RFC 8176
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Start:
    """A sign-in that began: where to go, and what must come back."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says that this is."""

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    has_second_factor: bool


class Provider:
    """The provider; what it publishes about itself is asked once an hour."""

    def __init__(self, settings: OpenId, redirect_uri: str) -> None:
        self.settings, self.redirect_uri = settings, redirect_uri
        self._metadata: dict[str, Any] = {}
        self._keys: dict[str, Any] = {}
        self._asked_at = 0.0

    def start(self) -> Start:
        """Begin a sign-in, with PKCE, a state and a nonce. Raises: ProviderUnavailable."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _number in range(3))
        url, _state = self._client().create_authorization_url(
            self._about()["authorization_endpoint"],
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            max_age=int(RECENT.total_seconds()),
        )
        return Start(url, state, nonce, verifier)

    def finish(self, code: str, nonce: str, verifier: str, *, now: dt.datetime) -> Identity:
        """Exchange a code for who it is. Raises: NotAllowed when anything is not right, ProviderUnavailable."""
        about, client = self._about(), self._client()
        try:
            token = client.fetch_token(
                about["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=verifier
            )
            claims = self._claims(token, nonce, now)
            if "email" not in claims and "userinfo_endpoint" in about:
                told = _json_of(client.get(about["userinfo_endpoint"]))
                claims |= told if told.get("sub") == claims["sub"] else {}
        except (OAuthError, JoseError) as error:
            message = _("Het inloggen bij de gemeente is niet gelukt. Begin opnieuw, of log in met een mail.")
            raise NotAllowed(message, staff_reason=f"{type(error).__name__}: {error}") from error
        except (RequestException, ValueError) as error:
            raise _unavailable(error) from error
        return Identity(
            self.settings.issuer,
            str(claims["sub"]),
            str(claims.get("email", "")).lower(),
            claims.get("email_verified") is True,
            self._has_second_factor(claims, now),
        )

    def _client(self) -> Any:
        methods = self._about().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return OAuth2Session(
            self.settings.client_id,
            self.settings.client_secret,
            scope="openid email",
            redirect_uri=self.redirect_uri,
            token_endpoint_auth_method=(
                "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
            ),
            default_timeout=TIMEOUT_SECONDS,
        )

    def _about(self) -> dict[str, Any]:
        """What the provider publishes. Raises: ProviderUnavailable."""
        if time.monotonic() - self._asked_at > CACHED_SECONDS or not self._metadata:
            about = self._fetch(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            scheme = self.settings.issuer.partition(":")[0]
            if about.get("issuer") != self.settings.issuer:
                raise _unavailable(ValueError("the provider calls itself otherwise than ABS_OIDC_ISSUER"))
            if not all(str(about.get(name, "")).startswith(f"{scheme}://") for name in _NEEDED):
                raise _unavailable(ValueError("an address of the provider is missing, or not as safe as the issuer"))
            self._keys = self._fetch(about["jwks_uri"])
            self._metadata, self._asked_at = about, time.monotonic()
        return self._metadata

    def _fetch(self, url: str) -> dict[str, Any]:
        try:
            with OAuth2Session(default_timeout=TIMEOUT_SECONDS) as client:
                return _json_of(client.get(url, withhold_token=True))
        except (RequestException, ValueError) as error:
            raise _unavailable(error) from error

    def _claims(self, token: dict[str, Any], nonce: str, now: dt.datetime) -> dict[str, Any]:
        """The id_token, if its signature, issuer, audience, nonce and times are right. Raises: JoseError."""
        try:
            decoded = self._decode(token)
        except InvalidKeyIdError:  # the provider has new keys
            self._keys = self._fetch(self._about()["jwks_uri"])
            decoded = self._decode(token)
        options = {
            "iss": {"essential": True, "value": self.settings.issuer},
            "aud": {"essential": True, "value": self.settings.client_id},
            "nonce": {"essential": True, "value": nonce},
        }
        params = {"nonce": nonce, "client_id": self.settings.client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
        return dict(claims)

    def _decode(self, token: dict[str, Any]) -> Any:
        id_token = str(token.get("id_token", ""))
        registry = JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
        return jwt.decode(id_token, KeySet.import_key_set(self._keys), registry=registry)  # type: ignore[arg-type]

    def _has_second_factor(self, claims: dict[str, Any], now: dt.datetime) -> bool:
        """Whether the provider says that it asked more than a password, and not too long ago."""
        methods = claims.get("amr")
        is_strong = isinstance(methods, list) and not _SECOND_FACTORS.isdisjoint(map(str, methods))
        if self.settings.acr:
            is_strong = is_strong or claims.get("acr") == self.settings.acr
        asked_at = claims.get("auth_time")
        is_old = isinstance(asked_at, int | float) and now.timestamp() - asked_at > RECENT.total_seconds()
        return is_strong and not is_old


def sign_in(session: Session, identity: Identity, *, user_agent: str, secret_key: str, now: dt.datetime) -> str:
    """A new session of the member of staff that this identity belongs to; the first time by a verified address.

    It makes no accounts and gives no roles. Locks: the account. Raises: NotAllowed.
    """
    known = select(OidcIdentity.account_id).where(
        OidcIdentity.issuer == identity.issuer, OidcIdentity.subject == identity.subject
    )
    account_id = session.scalar(known)
    is_new = account_id is None
    if account_id is None and identity.email and identity.is_email_verified:
        account_id = session.scalar(select(Account.id).where(Account.email == identity.email))
    account = session.get(Account, account_id or 0, with_for_update=True, populate_existing=True)
    if account is None or account.deleted_at is not None or not _is_staff(session, account.id):
        raise NotAllowed(
            _(
                "Je bent hier nog geen medewerker. Vraag een beheerder om je toe te voegen, met het e-mailadres van je "
                "werk."
            ),
            staff_reason="the identity belongs to no member of staff",
        )
    if is_new:
        _tie(session, account.id, identity, now)
    return start_session(
        session,
        account,
        method="oidc",
        user_agent=user_agent,
        secret_key=secret_key,
        has_second_factor=identity.has_second_factor,
        now=now,
    )


def _json_of(answer: Any) -> dict[str, Any]:
    """What a provider answered. Raises: RequestException, ValueError."""
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - it is the provider that is wrong
    return found


def _tie(session: Session, account_id: int, identity: Identity, now: dt.datetime) -> None:
    """From now on this identity is this account. An address may pass to a colleague: it ties one identity only."""
    other = select(OidcIdentity.id).where(
        OidcIdentity.account_id == account_id,
        OidcIdentity.issuer == identity.issuer,
        OidcIdentity.subject != identity.subject,
    )
    if session.scalar(other) is not None:
        raise NotAllowed(
            _("Bij je e-mailadres hoort al een ander account van de gemeente. Vraag een beheerder om hulp."),
            staff_reason="another identity is tied to this account; resetting the second step unties it",
        )
    session.execute(
        insert(OidcIdentity)
        .values(account_id=account_id, issuer=identity.issuer, subject=identity.subject)
        .on_conflict_do_nothing(index_elements=["issuer", "subject"])
    )
    actor = Actor("staff", str(account_id))
    events.record(session, "account.identity_tied", account_id, actor=actor, now=now)


def _is_staff(session: Session, account_id: int) -> bool:
    living = select(StaffRole.id).where(StaffRole.account_id == account_id, StaffRole.ended_at.is_(None)).limit(1)
    return session.scalar(living) is not None


def _unavailable(error: Exception) -> ProviderUnavailable:
    return ProviderUnavailable(
        _("Inloggen via de gemeente lukt nu niet. Log in met een mail, of probeer het later nog een keer."),
        staff_reason=f"{type(error).__name__}: {error}",
    )
