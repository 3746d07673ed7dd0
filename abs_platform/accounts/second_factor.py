# SPDX-License-Identifier: EUPL-1.2
"""The second step of staff: a code of an app, used once, or a recovery code; five wrong ones and one must wait."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import attempts, events, outbox
from abs_platform.accounts import app_codes
from abs_platform.accounts.models import Account, AccountSession, OidcIdentity, Passkey, RecoveryCode, TotpDevice
from abs_platform.accounts.service import digest, end_sessions
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from abs_platform.users import User

WRONG_CODES = 5
WINDOW = dt.timedelta(minutes=15)
FRESH = dt.timedelta(minutes=15)
RECOVERY_CODES = 10
_BUCKET = "second_factor"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FORGIVING = str.maketrans({"O": "0", "I": "1", "L": "1", " ": "", "-": ""})
_CODE_LENGTH, _RECOVERY_LENGTH = 6, 16


class SignInNotFresh(NotAllowed):
    """Too long after signing in to add or take away a second step: an open browser alone must not be enough."""


class SecondFactorNotFresh(SignInNotFresh):
    """The same, for who has a second step: giving it again is enough."""


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    """A passkey as its owner sees it."""

    id: int
    name: str
    added_at: dt.datetime
    used_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Factors:
    """What somebody can give as a second step."""

    app_added_at: dt.datetime | None
    passkeys: tuple[PasskeyRow, ...]
    codes_left: int

    @property
    def count(self) -> int:
        """How many steps there are; recovery codes are for when all of them are gone."""
        return len(self.passkeys) + (self.app_added_at is not None)


def factors_of(session: Session, account_id: int) -> Factors:
    """The second steps of an account."""
    keys = session.scalars(select(Passkey).where(Passkey.account_id == account_id).order_by(Passkey.id))
    left = select(func.count()).where(RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
    return Factors(
        session.scalar(select(TotpDevice.added_at).where(TotpDevice.account_id == account_id)),
        tuple(PasskeyRow(key.id, key.name, key.added_at, key.used_at) for key in keys),
        session.scalar(left) or 0,
    )


def give_app_code(session: Session, account_id: int, code: str, *, secret_key: str, now: dt.datetime) -> bool:
    """Try a code of the app; whether it is right. A wrong try is returned and not raised, so that it is committed.

    Locks: the account, then its app: of two tries with one code at one moment the second is refused.
    Raises: InvalidInput, TooManyAttempts, Conflict when the key of the site has changed.
    """
    code = _digits(code)
    key = _claim(session, account_id, secret_key, now)
    device = session.get(TotpDevice, account_id, with_for_update=True, populate_existing=True)
    if device is None:
        return False
    secret = app_codes.unseal(secret_key, account_id, device.secret)
    if secret is None:
        message = _(
            "De sleutel van deze site is veranderd, en daarom werkt je app hier niet meer. Gebruik een passkey of een "
            "herstelcode, en stel je app daarna opnieuw in. Of vraag een beheerder om je tweede stap te wissen."
        )
        raise Conflict(message, staff_reason="the secret of an app was encrypted with another key")
    step = app_codes.step_of(secret, code, now)
    if step is None or step <= device.last_step:
        return False
    device.last_step = step
    attempts.take_back(session, _BUCKET, key)
    return True


def give_recovery_code(
    session: Session, account_id: int, code: str, *, secret_key: str, actor: Actor, now: dt.datetime
) -> bool:
    """Use a recovery code; whether it is one, of which each works once. Its owner is mailed.

    Locks: the account. Raises: InvalidInput, TooManyAttempts.
    """
    code = code.upper().translate(_FORGIVING)
    if len(code) != _RECOVERY_LENGTH or not code.isascii():
        message = _("Een herstelcode heeft 16 tekens, zoals 7KQJ-4MXP-9T2C-VH3B.")
        raise InvalidInput(message, fields={"recovery_code": message})
    key = _claim(session, account_id, secret_key, now)
    row = session.scalar(
        select(RecoveryCode)
        .where(RecoveryCode.account_id == account_id, RecoveryCode.code_digest == _recovery_digest(account_id, code))
        .with_for_update()
    )
    if row is None or row.used_at is not None:
        return False
    row.used_at = now
    attempts.take_back(session, _BUCKET, key)
    record_change(session, account_id, "recovery_code_used", _("Er is een herstelcode gebruikt."), actor=actor, now=now)
    return True


def confirm_session(session: Session, user: User, *, secret_key: str, now: dt.datetime) -> str:
    """The second step was given: the session gets a new token, and the old one is worth nothing.

    Locks: the session. Raises: Conflict when it ended, or got a new token, meanwhile.
    """
    own = session.get(AccountSession, user.session_id, with_for_update=True, populate_existing=True)
    is_same = own is not None and hmac.compare_digest(
        own.token_digest, digest(secret_key, "session", user.session_token)
    )
    if own is None or not is_same or own.ended_at is not None:
        raise Conflict(_("Je bent intussen uitgelogd, of je deed dit al in een ander venster. Log opnieuw in."))
    token = secrets.token_urlsafe(32)
    own.token_digest = digest(secret_key, "session", token)
    own.second_factor_at = now
    session.flush()
    return token


def finish_set_up(
    session: Session, user: User, *, secret_key: str, actor: Actor, now: dt.datetime
) -> tuple[str, list[str]]:
    """Setting up proves the second step too: the new token of the session, and recovery codes when none are left."""
    token = confirm_session(session, user, secret_key=secret_key, now=now)
    has_codes = factors_of(session, user.account_id).codes_left > 0
    return token, [] if has_codes else make_recovery_codes(session, user, actor=actor, now=now)


def ensure_fresh(session: Session, user: User, *, now: dt.datetime) -> None:
    """Changing second steps needs a second step of the last quarter; who has none needs a sign-in as fresh as that.

    Raises: SignInNotFresh, SecondFactorNotFresh.
    """
    own = session.get(AccountSession, user.session_id, populate_existing=True)
    if own is None or own.ended_at is not None:
        raise SignInNotFresh(_("Log opnieuw in. Daarna kun je je tweede stap veranderen."))
    has_factors = factors_of(session, user.account_id).count > 0
    moment = own.second_factor_at if has_factors else own.started_at
    if moment is not None and now - moment < FRESH:
        return
    if has_factors:
        raise SecondFactorNotFresh(_("Bevestig eerst dat jij het bent. Daarna kun je je tweede stap veranderen."))
    raise SignInNotFresh(
        _("Je logde langer dan een kwartier geleden in. Log opnieuw in, dan weten we dat jij het bent.")
    )


def confirm_app(
    session: Session, user: User, sealed: str, code: str, *, secret_key: str, actor: Actor, now: dt.datetime
) -> bool:
    """Keep the app whose sealed secret made this code, in the place of one that was there; whether the code is right.

    Locks: the account. Raises: InvalidInput, TooManyAttempts, Conflict when the seal is too old, SignInNotFresh.
    """
    code = _digits(code)
    key = _claim(session, user.account_id, secret_key, now)
    ensure_fresh(session, user, now=now)
    secret = app_codes.read_offered(secret_key, user.account_id, sealed, now=now)
    if secret is None:
        raise Conflict(_("Deze QR-code is verlopen. Laad de pagina opnieuw en scan de nieuwe."))
    step = app_codes.step_of(secret, code, now)
    if step is None:
        return False
    values = {"secret": app_codes.seal(secret_key, user.account_id, secret), "added_at": now, "last_step": step}
    session.execute(
        insert(TotpDevice)
        .values(account_id=user.account_id, **values)
        .on_conflict_do_update(index_elements=["account_id"], set_=values)
    )
    attempts.take_back(session, _BUCKET, key)
    what = _("Er is een app voor inlogcodes ingesteld.")
    record_change(session, user.account_id, "app_added", what, actor=actor, now=now)
    return True


def remove_app(session: Session, user: User, *, actor: Actor, now: dt.datetime) -> None:
    """Forget the app. Locks: the account. Raises: NotFound, Conflict when it is the last step, SignInNotFresh."""
    lock_account(session, user.account_id)
    ensure_fresh(session, user, now=now)
    device = session.get(TotpDevice, user.account_id, with_for_update=True, populate_existing=True)
    if device is None:
        raise NotFound(_("Je hebt geen app ingesteld."))
    ensure_not_last(session, user.account_id)
    session.delete(device)
    what = _("De app voor inlogcodes is weggehaald.")
    record_change(session, user.account_id, "app_removed", what, actor=actor, now=now)


def ensure_not_last(session: Session, account_id: int) -> None:
    """Staff keep at least one second step. Under the lock of the account. Raises: Conflict."""
    if factors_of(session, account_id).count < 2:
        raise Conflict(_("Dit is je enige tweede stap. Stel eerst een andere in, dan kun je deze weghalen."))


def make_recovery_codes(session: Session, user: User, *, actor: Actor, now: dt.datetime) -> list[str]:
    """Ten new recovery codes, to be shown once; those from before are worth nothing.

    Locks: the account. Raises: Conflict when there is no second step yet, SignInNotFresh.
    """
    lock_account(session, user.account_id)
    ensure_fresh(session, user, now=now)
    if factors_of(session, user.account_id).count == 0:
        raise Conflict(_("Stel eerst een app of een passkey in. Daarna krijg je herstelcodes."))
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == user.account_id))
    codes = ["".join(secrets.choice(_ALPHABET) for _n in range(_RECOVERY_LENGTH)) for _n in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(account_id=user.account_id, code_digest=_recovery_digest(user.account_id, code)) for code in codes
    )
    what = _("Er zijn nieuwe herstelcodes gemaakt. De oude werken niet meer.")
    record_change(session, user.account_id, "recovery_codes_made", what, actor=actor, now=now)
    return ["-".join(code[at : at + 4] for at in range(0, _RECOVERY_LENGTH, 4)) for code in codes]


def reset(session: Session, account_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Forget every second step of somebody, and sign all browsers out: the person begins anew with the mail.

    Locks: the account. Raises: NotFound.
    """
    lock_account(session, account_id)
    forget(session, account_id)
    end_sessions(session, account_id, now=now)
    what = _("Je tweede stap is gewist door een beheerder. Log in en stel een nieuwe in.")
    record_change(session, account_id, "second_factor_reset", what, actor=actor, now=now)


def forget(session: Session, account_id: int) -> None:
    """Forget all that proves who somebody is besides the e-mail address."""
    for model in (TotpDevice, Passkey, RecoveryCode, OidcIdentity):
        session.execute(delete(model).where(model.account_id == account_id))


def lock_account(session: Session, account_id: int) -> Account:
    """The account, for whoever changes its second steps or roles: one at a time. Raises: NotFound.

    FOR NO KEY UPDATE: whoever came by its e-mail address holds it with a key share already (service.account_of_email),
    and two who both upgrade that would wait for each other for ever.
    """
    account = session.get(Account, account_id, with_for_update={"key_share": True}, populate_existing=True)
    if account is None or account.deleted_at is not None:
        raise NotFound(_("Dit account bestaat niet meer."))
    return account


def record_change(session: Session, account_id: int, verb: str, what: str, *, actor: Actor, now: dt.datetime) -> None:
    """Write a change of second steps in the log, and tell the owner, who may know nothing of it."""
    events.record(session, f"account.{verb}", account_id, actor=actor, now=now)
    email = session.scalar(select(Account.email).where(Account.id == account_id))
    if email:
        event = f"{verb}:{account_id}:{secrets.token_hex(4)}"
        outbox.queue(session, "second_factor_changed", to=email, event=event, now=now, what=what, happened_at=now)


def _claim(session: Session, account_id: int, secret_key: str, now: dt.datetime) -> bytes:
    lock_account(session, account_id)
    key = attempts.digest(secret_key, f"{_BUCKET}:{account_id}")
    attempts.claim(session, _BUCKET, key, most=WRONG_CODES, window=WINDOW, now=now)
    return key


def _digits(code: str) -> str:
    code = code.translate(_FORGIVING)
    if len(code) != _CODE_LENGTH or not (code.isascii() and code.isdecimal()):
        message = _("Vul de 6 cijfers in die je app nu laat zien.")
        raise InvalidInput(message, fields={"code": message})
    return code


def _recovery_digest(account_id: int, code: str) -> bytes:
    return hmac.digest(f"recovery code:{account_id}".encode(), code.encode(), hashlib.sha256)
