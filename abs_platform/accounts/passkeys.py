# SPDX-License-Identifier: EUPL-1.2
"""Passkeys (WebAuthn) of staff: made for this site only, with a finger or PIN, each challenge answered once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from abs_platform import attempts
from abs_platform.accounts.models import Passkey
from abs_platform.accounts.second_factor import ensure_fresh, ensure_not_last, lock_account, record_change
from abs_platform.accounts.service import digest
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput, NotFound, TooManyAttempts
from abs_platform.users import User

CHALLENGE_VALID = dt.timedelta(minutes=5)
MOST_PASSKEYS = 10
MAX_CREDENTIAL = 20_000
MAX_NAME = 40
# What the library raises for an answer that is no answer, tried out with sixty thousand spoiled ones.
_UNREADABLE = (WebAuthnException, ValueError, LookupError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Site:
    """Whom passkeys are made for: the name of our host, and the address a browser must be at."""

    name: str
    origin: str

    @property
    def host(self) -> str:
        """The rpId: passkeys of this host work nowhere else."""
        return urlsplit(self.origin).hostname or ""


def registration_options(session: Session, site: Site, user: User, challenge: bytes, *, secret_key: str) -> str:
    """What a browser needs to make a new passkey, as JSON."""
    known = session.scalars(select(Passkey.credential_id).where(Passkey.account_id == user.account_id))
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=site.name,
        user_id=digest(secret_key, "passkey user", str(user.account_id)),
        user_name=user.email,
        user_display_name=user.short_name,
        challenge=challenge,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=key) for key in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return options_to_json(options)


def authentication_options(session: Session, site: Site, account_id: int, challenge: bytes) -> str:
    """What a browser needs to use a passkey of this account, as JSON."""
    known = session.scalars(select(Passkey.credential_id).where(Passkey.account_id == account_id))
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        allow_credentials=[PublicKeyCredentialDescriptor(id=key) for key in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def add_passkey(
    session: Session,
    user: User,
    site: Site,
    credential: str,
    challenge: bytes,
    *,
    name: str,
    secret_key: str,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Keep the passkey that a browser made for this challenge.

    Locks: the account. Raises: InvalidInput, Conflict when there are enough, SignInNotFresh.
    """
    lock_account(session, user.account_id)
    ensure_fresh(session, user, now=now)
    _use_challenge(session, challenge, secret_key, now)
    count = session.scalar(select(func.count()).where(Passkey.account_id == user.account_id)) or 0
    if count >= MOST_PASSKEYS:
        raise Conflict(_("Je hebt al %(number)s passkeys. Haal er eerst een weg.", number=MOST_PASSKEYS))
    try:
        made = verify_registration_response(
            credential=credential[:MAX_CREDENTIAL],
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _UNREADABLE as error:
        raise InvalidInput(_("Deze passkey kunnen we niet gebruiken. Probeer het nog een keer.")) from error
    added = session.scalar(
        insert(Passkey)
        .values(
            account_id=user.account_id,
            credential_id=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            name=name.strip()[:MAX_NAME] or _("Passkey"),
            added_at=now,
        )
        .on_conflict_do_nothing(index_elements=["credential_id"])
        .returning(Passkey.id)
    )
    if added is None:
        raise Conflict(_("Deze passkey is al in gebruik. Kies een andere."))
    what = _("Er is een passkey toegevoegd.")
    record_change(session, user.account_id, "passkey_added", what, actor=actor, now=now)


def give_passkey(
    session: Session,
    account_id: int,
    site: Site,
    credential: str,
    challenge: bytes,
    *,
    secret_key: str,
    now: dt.datetime,
) -> str:
    """Check an answer to this challenge; returns why it was refused, for the log, or "" when it is right.

    A refusal is returned and not raised, so that the challenge is used up.
    Locks: the passkey, so that its count of signatures goes up one by one.
    Raises: Conflict when the challenge was used.
    """
    _use_challenge(session, challenge, secret_key, now)
    try:
        answer = parse_authentication_credential_json(credential[:MAX_CREDENTIAL])
    except _UNREADABLE:
        return "not readable"
    key = session.scalar(
        select(Passkey)
        .where(Passkey.credential_id == answer.raw_id, Passkey.account_id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if key is None:
        return "not a passkey of this account"
    try:
        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except _UNREADABLE as error:
        return str(error)
    key.sign_count, key.used_at = verified.new_sign_count, now
    return ""


def remove_passkey(session: Session, user: User, passkey_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Forget a passkey. Locks: the account. Raises: NotFound, Conflict when it is the last step, SignInNotFresh."""
    lock_account(session, user.account_id)
    ensure_fresh(session, user, now=now)
    key = session.get(Passkey, passkey_id, with_for_update=True, populate_existing=True)
    if key is None or key.account_id != user.account_id:
        raise NotFound(_("Deze passkey staat niet (meer) in je lijst."))
    ensure_not_last(session, user.account_id)
    session.delete(key)
    what = _("Er is een passkey weggehaald.")
    record_change(session, user.account_id, "passkey_removed", what, actor=actor, now=now)


def _use_challenge(session: Session, challenge: bytes, secret_key: str, now: dt.datetime) -> None:
    """Each challenge once, also when an old cookie comes back with it. Raises: Conflict."""
    key = attempts.digest(secret_key, challenge.hex())
    try:
        attempts.claim(session, "passkey_challenge", key, most=1, window=2 * CHALLENGE_VALID, now=now)
    except TooManyAttempts as error:
        raise Conflict(_("Deze stap is al gedaan. Begin opnieuw.")) from error
