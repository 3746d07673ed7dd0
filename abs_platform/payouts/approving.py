# SPDX-License-Identifier: EUPL-1.2
"""The verbs of who checks a payout: confirmed by the wijkregisseur, approved by finance, paid or bounced by the bank.

Each looks again at who does it and at what was looked at (``version``) under the locks of service.py. While the last
proof of the books found a breach nothing is approved.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.errors import AbsError, Conflict, InvalidInput, NotAllowed
from abs_platform.finance.queries import books_are_broken
from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind
from abs_platform.initiatives.permissions import Subject
from abs_platform.ledger.service import Leg, move
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.payouts import permissions, queries
from abs_platform.payouts.batches import settle_if_done
from abs_platform.payouts.models import Payout, PayoutBatch
from abs_platform.payouts.permissions import Hands
from abs_platform.payouts.service import (
    check_version,
    hands_of,
    iban_of,
    locked,
    note,
    refuse_if_changed_initiative,
    step,
)
from abs_platform.payouts.states import BatchState, PayoutState
from abs_platform.payouts.telling import tell
from abs_platform.users import User


class Turn(NamedTuple):
    """Whose turn a step is: who may take it, and who may at least look (and so hears why not)."""

    may: Callable[[User, Subject, Hands], bool]
    may_look: Callable[[User, Subject], bool]


def _may_return(user: User, subject: Subject, hands: Hands) -> bool:
    """Whose turn it is returns or refuses it; also when the initiative ended meanwhile."""
    is_at_desk = permissions.can_see_at_desk(user, subject) and user.account_id != hands.requested_by_id
    return permissions.can_handle(user, subject, hands) or (is_at_desk and hands.state == PayoutState.REQUESTED)


def _may_look(user: User, subject: Subject) -> bool:
    return permissions.can_see_as_finance(user, subject) or permissions.can_see_at_desk(user, subject)


_CONFIRMING = Turn(permissions.can_confirm, permissions.can_see_at_desk)
_APPROVING = Turn(permissions.can_approve, permissions.can_see_as_finance)
_RETURNING = Turn(_may_return, _may_look)
_BY_HAND = Turn(permissions.can_settle_by_hand, permissions.can_see_as_finance)


def confirm(session: Session, payout_id: int, *, version: int, user: User, now: dt.datetime) -> None:
    """The wijkregisseur knows these people and this account number: it goes on to finance.

    Raises: NotAllowed, Conflict when it changed meanwhile or the initiative ended.
    """
    payout, subject = locked(session, payout_id)
    _check_turn(payout, subject, user, _CONFIRMING, version)
    refuse_if_changed_initiative(subject)
    step(payout, PayoutState.CONFIRMED, now)
    payout.confirmed_at, payout.confirmed_by_id = now, user.account_id
    note(session, payout, "confirmed", actor=user.actor(), now=now)


def approve(session: Session, payout_id: int, *, version: int, user: User, now: dt.datetime) -> None:
    """Finance agrees: it may go into a file for the bank.

    Raises: NotAllowed, Conflict when it changed meanwhile, the initiative ended or the books are broken.
    """
    payout, subject = locked(session, payout_id)
    _check_turn(payout, subject, user, _APPROVING, version)
    refuse_if_changed_initiative(subject)
    if books_are_broken(session):
        raise Conflict(
            _("De boeken kloppen niet: de laatste controle vond een fout. Tot dat is opgelost kan dit niet.")
        )
    _check_balance(session, payout)
    step(payout, PayoutState.APPROVED, now)
    payout.approved_at, payout.approved_by_id = now, user.account_id
    note(session, payout, "approved", actor=user.actor(), now=now)


def send_back(session: Session, payout_id: int, remark: str, *, version: int, user: User, now: dt.datetime) -> None:
    """Something is missing: the initiator reads what, and corrects it. Raises: NotAllowed, Conflict, InvalidInput."""
    payout, subject = locked(session, payout_id)
    _check_turn(payout, subject, user, _RETURNING, version)
    payout.remark = _said(remark, "remark", _("Schrijf op wat er mist."))
    step(payout, PayoutState.INCOMPLETE, now)
    note(session, payout, "incomplete", actor=user.actor(), now=now, reason=payout.remark)
    tell(session, "payout_incomplete", payout, now=now, remark=payout.remark)


def refuse(session: Session, payout_id: int, reason: str, *, version: int, user: User, now: dt.datetime) -> None:
    """It is not paid, and why. Raises: NotAllowed, Conflict, InvalidInput."""
    payout, subject = locked(session, payout_id)
    _check_turn(payout, subject, user, _RETURNING, version)
    payout.remark = _said(reason, "reason", _("Geef een reden."))
    step(payout, PayoutState.REFUSED, now)
    note(session, payout, "refused", actor=user.actor(), now=now, reason=payout.remark)
    tell(session, "payout_refused", payout, now=now, reason=payout.remark)


def show_iban(session: Session, payout_id: int, *, at_desk: bool, user: User, secret_key: str, now: dt.datetime) -> str:
    """The whole account number, for who is about to confirm or approve it; that it was looked at is written down.

    Raises: NotAllowed, Conflict when it is not the turn of this desk.
    """
    payout, subject = locked(session, payout_id)
    _check_turn(payout, subject, user, _CONFIRMING if at_desk else _APPROVING, payout.version)
    note(session, payout, "iban_shown", actor=user.actor(), now=now)
    return iban_of(payout, secret_key)


# -- what the bank did ----------------------------------------------------------------------------------------------


def mark_paid(
    session: Session,
    payout_id: int,
    *,
    paid_on: dt.date,
    actor: Actor,
    now: dt.datetime,
    paid_note: str = "",
    statement_line_id: int | None = None,
) -> None:
    """The bank paid it: by a line of its statement, or by hand with a note. Books it; the initiator hears it.

    Raises: InvalidTransition, Conflict.
    """
    payout, _subject = locked(session, payout_id)
    step(payout, PayoutState.PAID, now)
    payout.paid_on, payout.paid_note, payout.statement_line_id = paid_on, paid_note, statement_line_id
    _check_balance(session, payout)
    move(
        session,
        TransactionKind.PAYOUT_PAID,
        payout.amount_cents,
        Leg(Account.INITIATIVE, initiative_id=payout.initiative_id),
        Leg(Account.BANK),
        now=now,
        payout_id=payout.id,
    )
    note(session, payout, "paid", actor=actor, now=now, reason=paid_note or None, amount_cents=payout.amount_cents)
    tell(session, "payout_paid", payout, now=now, paid_on=paid_on)
    settle_if_done(session, payout.batch_id, actor=actor, now=now)


def mark_bounced(session: Session, payout_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """The bank could not pay it, or it came back: booked back when it was booked, with a task and a mail.

    Raises: InvalidTransition.
    """
    payout, _subject = locked(session, payout_id)
    was_booked = payout.state == PayoutState.PAID
    step(payout, PayoutState.BOUNCED, now)
    payout.remark = reason
    if was_booked:
        move(
            session,
            TransactionKind.PAYOUT_BOUNCED,
            payout.amount_cents,
            Leg(Account.BANK),
            Leg(Account.INITIATIVE, initiative_id=payout.initiative_id),
            now=now,
            payout_id=payout.id,
        )
    note(session, payout, "bounced", actor=actor, now=now, reason=reason, amount_cents=payout.amount_cents)
    open_task(
        session,
        TaskKind.PAYOUT_BOUNCED,
        f"payout-bounced:{payout.id}",
        now=now,
        payout_id=payout.id,
        initiative_id=payout.initiative_id,
        amount_cents=payout.amount_cents,
        ours=_("Uitbetaling %(number)s was onderweg of betaald.", number=payout.end_to_end_id),
        theirs=reason,
    )
    tell(session, "payout_bounced", payout, now=now)
    settle_if_done(session, payout.batch_id, actor=actor, now=now)


def pay_by_hand(
    session: Session, payout_id: int, *, paid_on: dt.date, reason: str, user: User, now: dt.datetime
) -> None:
    """Finance saw at the bank that it was paid. Raises: NotAllowed, Conflict, InvalidInput."""
    payout, subject = locked(session, payout_id)
    _check_turn(payout, subject, user, _BY_HAND, payout.version)
    said = _said(reason, "paid_note", _("Schrijf op waarom je dit met de hand doet."))
    _refuse_unreleased(session, payout)
    if not payout.approved_at or not local_date(payout.approved_at) <= paid_on <= local_date(now):
        message = _("Kies een dag na de goedkeuring, en niet later dan vandaag.")
        raise InvalidInput(message, fields={"paid_on": message})
    mark_paid(session, payout_id, paid_on=paid_on, paid_note=said, actor=user.actor(), now=now)


def bounce_by_hand(session: Session, payout_id: int, *, reason: str, user: User, now: dt.datetime) -> None:
    """Finance saw at the bank that it came back.

    Until a statement or a colleague says so too its money goes nowhere else: one person alone cannot have it paid or
    given back twice. Raises: NotAllowed, Conflict, InvalidInput.
    """
    payout, subject = locked(session, payout_id)
    _check_turn(payout, subject, user, _BY_HAND, payout.version)
    said = _said(reason, "bounce_reason", _("Schrijf op wat de bank meldt."))
    _refuse_unreleased(session, payout)
    if queries.is_more_returned(session, payout):
        raise Conflict(_("Het initiatief stortte hier al van terug. Zoek eerst uit welk geld dit is."))
    mark_bounced(session, payout_id, reason=said, actor=user.actor(), now=now)
    payout.is_doubtful = True
    session.flush()


# -- who, and what was looked at ------------------------------------------------------------------------------------


def _check_turn(payout: Payout, subject: Subject, user: User, turn: Turn, version: int) -> None:
    """Raises: NotAllowed for who may not see it or had a hand in it, Conflict for who comes too late."""
    if not turn.may_look(user, subject):
        raise NotAllowed(_("Deze uitbetaling is niet van jouw balie, of je organiseert het initiatief zelf."))
    check_version(payout, version)
    if not turn.may(user, subject, hands_of(payout)):
        raise _not_now(payout, user)


def _not_now(payout: Payout, user: User) -> AbsError:
    if user.account_id in {payout.requested_by_id, payout.confirmed_by_id}:
        return NotAllowed(_("Je had deze uitbetaling al in handen. Een ander moet hem bekijken."))
    state = PayoutState(payout.state).label
    return Conflict(
        _("Een ander was je voor, of het is niet jouw beurt. De uitbetaling is nu: %(state)s.", state=state)
    )


def _refuse_unreleased(session: Session, payout: Payout) -> None:
    """Raises: Conflict while its file lies here: the bank cannot have done anything with it."""
    batch = session.get(PayoutBatch, payout.batch_id) if payout.batch_id else None
    if batch is not None and batch.state == BatchState.MADE:
        raise Conflict(_("De betaalopdracht is nog niet vrijgegeven. De bank kan hem nog niet hebben verwerkt."))


def _check_balance(session: Session, payout: Payout) -> None:
    """The account of an initiative never goes below zero, and what somebody objected to is held."""
    if payout.amount_cents > queries.balance_of(session, payout.initiative_id):
        raise Conflict(_("In de boeken staat minder voor dit initiatief dan dit bedrag. Zoek dat eerst uit."))
    if payout.amount_cents > queries.available_of(session, payout.initiative_id):
        raise Conflict(_("Iemand maakte bezwaar tegen een gift aan dit initiatief. Wacht tot daarover is beslist."))


def _said(text: str, field: str, sentence: str) -> str:
    if not text.strip():
        raise InvalidInput(sentence, fields={field: sentence})
    return text.strip()
