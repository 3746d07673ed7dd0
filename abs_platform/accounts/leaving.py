# SPDX-License-Identifier: EUPL-1.2
"""Deleting an account: gifts stay, names go, and what others still rely on must be handed over first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.accounts.models import (
    Absence,
    Account,
    AccountSession,
    DeskAssignment,
    OidcIdentity,
    Passkey,
    RecoveryCode,
    SignInRequest,
    StaffRole,
    TotpDevice,
    VerifiedAddress,
)
from abs_platform.accounts.own_data import Person
from abs_platform.accounts.service import end_sessions
from abs_platform.actors import Actor
from abs_platform.districts.service import forget as forget_profile
from abs_platform.donations.service import forget_giver
from abs_platform.errors import Conflict
from abs_platform.following.service import forget as forget_follower
from abs_platform.help_offers.service import forget as forget_offers
from abs_platform.initiatives import organisers
from abs_platform.paper.service import forget as forget_paper
from abs_platform.payments.service import forget_receipts
from abs_platform.payouts.service import refuse_leaving
from abs_platform.vouchers.keeping import let_go

Eraser = Callable[[Session, Person, Actor, dt.datetime], None]
_OWN_TABLES = (VerifiedAddress, TotpDevice, Passkey, RecoveryCode, OidcIdentity, DeskAssignment, Absence)


def _leave_desk(session: Session, person: Person, _actor: Actor, _now: dt.datetime) -> None:
    """Staff hand their work over first. Raises: Conflict."""
    has_role = exists().where(StaffRole.account_id == person.account_id, StaffRole.ended_at.is_(None))
    if session.scalar(select(has_role)):
        raise Conflict(
            _(
                "Je werkt met dit account voor de gemeente. Vraag de beheerder om je rol te stoppen. Daarna kun je je "
                "account verwijderen."
            )
        )


def _leave_initiatives(session: Session, person: Person, actor: Actor, now: dt.datetime) -> None:
    """Who began what still lives stays. Raises: Conflict."""
    organisers.forget(session, person.account_id, person.email, actor=actor, now=now)


def _leave_payouts(session: Session, person: Person, _actor: Actor, _now: dt.datetime) -> None:
    """Who asked for money that is still on its way stays until it is there. Raises: Conflict."""
    refuse_leaving(session, person.account_id)


def _leave_gifts(session: Session, person: Person, _actor: Actor, _now: dt.datetime) -> None:
    forget_giver(session, person.email)
    forget_receipts(session, person.email)


def _leave_help(session: Session, person: Person, actor: Actor, now: dt.datetime) -> None:
    forget_offers(session, person.account_id, actor=actor, now=now)


def _leave_following(session: Session, person: Person, _actor: Actor, _now: dt.datetime) -> None:
    forget_follower(session, person.email)


def _leave_vouchers(session: Session, person: Person, _actor: Actor, _now: dt.datetime) -> None:
    let_go(session, person.account_id)


def _leave_paper(session: Session, person: Person, _actor: Actor, _now: dt.datetime) -> None:
    forget_paper(session, person.account_id)


def _leave_districts(session: Session, person: Person, actor: Actor, now: dt.datetime) -> None:
    forget_profile(session, person.account_id, actor=actor, now=now)


def _leave_accounts(session: Session, person: Person, _actor: Actor, now: dt.datetime) -> None:
    end_sessions(session, person.account_id, now=now)
    session.execute(update(AccountSession).where(AccountSession.account_id == person.account_id).values(browser=""))
    for model in _OWN_TABLES:
        session.execute(delete(model).where(model.account_id == person.account_id))
    session.execute(delete(SignInRequest).where(SignInRequest.email == person.email))


# In this order; the first ones may refuse.
ERASERS: tuple[Eraser, ...] = (
    _leave_desk,
    _leave_payouts,
    _leave_initiatives,
    _leave_gifts,
    _leave_help,
    _leave_following,
    _leave_paper,
    _leave_vouchers,
    _leave_districts,
    _leave_accounts,
)


def delete_account(session: Session, account_id: int, *, actor: Actor, now: dt.datetime) -> bool:
    """Take a person out of the platform; False when that was done already.

    The row of the account stays, without name and e-mail address: others point at its number. Whoever signs in with the
    same address later is somebody new.

    Locks: the mails to sign in with and then the account, in the order of signing in. Raises: Conflict.
    """
    email = session.scalar(select(Account.email).where(Account.id == account_id))
    session.execute(select(SignInRequest.id).where(SignInRequest.email == email).with_for_update())
    account = session.get(Account, account_id, with_for_update=True, populate_existing=True)
    if account is None or account.email is None:
        return False
    person = Person(account_id, account.email)
    for erase in ERASERS:
        erase(session, person, actor, now)
    account.email, account.name, account.deleted_at = None, "", now
    session.flush()
    events.record(session, "account.deleted", account_id, actor=actor, now=now)
    return True
