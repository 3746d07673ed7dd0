# SPDX-License-Identifier: EUPL-1.2
"""What a bank's claim did, booked once: from its opening the money is gone, until the claim is won.

1. Opened: disputes lose what the provider no longer holds, the payment is disputed and is not refunded until it is
   decided; finance gets a task, because only people can defend it.
2. Won: the reverse, and the payment goes on where it was: what must go back is asked for again.
3. Lost: it is gone from where it stands (standing): the gift is returned, or the initiative keeps it and the
   municipality bears it.
4. What is claimed beyond what the giver does not have back yet, or of what we gave back already: on suspense with a
   task; won, it is taken back; lost, finance lets the municipality bear it.
5. A claim of a part of it is as a part that went back in the provider's own screen (refund_booking, rule 2).
"""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind
from abs_platform.ledger.service import Leg, is_booked, move
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.money import format_euros
from abs_platform.payments import suspense
from abs_platform.payments.port import Dispute, DisputeStatus
from abs_platform.payments.refund_booking import book_part, fail
from abs_platform.payments.standing import (
    UNPAID_STATES,
    Standing,
    booked_cents,
    find_payment,
    lock_standing,
    step,
    take,
)
from abs_platform.payments.states import EventOutcome, PaymentState, RefundReason


def book_dispute(session: Session, dispute: Dispute, *, actor: Actor, now: dt.datetime) -> EventOutcome:
    """Make ours equal to what is true of a claim; again changes nothing.

    Locks: the payment, then its initiative (shared).
    """
    payment_id = find_payment(session, dispute_id=dispute.id, intent_id=dispute.intent_id, charge_id=dispute.charge_id)
    if payment_id is None:
        return EventOutcome.NOT_OURS
    standing = lock_standing(session, payment_id)
    if standing.payment.state in UNPAID_STATES:
        return EventOutcome.NOTHING_NEW
    is_new = booked_cents(session, dispute.id) is None
    if is_new:
        _open(session, standing, dispute, actor, now)
    if dispute.status == DisputeStatus.WON:
        is_new |= _win(session, standing, dispute, actor, now)
    elif dispute.status == DisputeStatus.LOST:
        is_new |= _lose(session, standing, dispute, actor, now)
    session.flush()
    return EventOutcome.TASK if is_new else EventOutcome.NOTHING_NEW


def _open(session: Session, standing: Standing, dispute: Dispute, actor: Actor, now: dt.datetime) -> None:
    payment = standing.payment
    can_be_claimed = payment.state in {PaymentState.PAID, PaymentState.REFUND_FAILED} or standing.is_asked
    claimed = min(dispute.amount_cents, standing.rest_cents) if can_be_claimed else 0
    beyond, task, theirs = dispute.amount_cents - claimed, TaskKind.DISPUTE_OPENED, _theirs(dispute)
    if beyond:
        ours = _ours(standing)
        suspense.put(session, dispute.id, beyond, task, ours=ours, theirs=theirs, now=now, payment_id=payment.id)
    if not claimed:
        return
    if claimed < standing.rest_cents:
        book_part(session, standing, dispute.id, claimed, task=task, theirs=theirs, now=now)
        return
    move(
        session,
        TransactionKind.DISPUTE_OPENED,
        claimed,
        Leg(Account.DISPUTES),
        Leg(Account.PROVIDER),
        now=now,
        donation_id=payment.donation_id,
        external_id=dispute.id,
    )
    step(payment, PaymentState.DISPUTED, now)
    payment.dispute_id, payment.disputed_cents = dispute.id, claimed
    events.record(session, "payment.disputed", payment.id, actor=actor, now=now)
    _ask_finance(session, standing, dispute, TaskKind.DISPUTE_OPENED, now)
    session.flush()


def _win(session: Session, standing: Standing, dispute: Dispute, actor: Actor, now: dt.datetime) -> bool:
    payment = standing.payment
    if not _is_claimed_by(payment.dispute_id, dispute, payment.state):
        part = booked_cents(session, dispute.id) or 0
        if part == 0:  # the provider has it all again by our books: what stands aside now is what finance bore before
            return False
        if suspense.is_part(session, dispute.id) or is_booked(session, TransactionKind.REFUND_MADE, dispute.id):
            fail(session, standing, dispute.id, part, failure="", actor=actor, now=now)
            return True
        return suspense.take_back(session, dispute.id, now=now) != 0
    suspense.take_back(session, dispute.id, now=now)
    move(
        session,
        TransactionKind.DISPUTE_WON,
        payment.disputed_cents,
        Leg(Account.PROVIDER),
        Leg(Account.DISPUTES),
        now=now,
        donation_id=payment.donation_id,
        external_id=dispute.id,
    )
    step(payment, PaymentState.PAID, now)
    payment.disputed_cents = 0
    events.record(session, "payment.dispute_won", payment.id, actor=actor, now=now)
    return True


def _lose(session: Session, standing: Standing, dispute: Dispute, actor: Actor, now: dt.datetime) -> bool:
    payment = standing.payment
    if not _is_claimed_by(payment.dispute_id, dispute, payment.state):
        is_known = is_booked(session, TransactionKind.DISPUTE_LOST, dispute.id)
        return not is_known and _ask_finance(session, standing, dispute, TaskKind.DISPUTE_LOST, now)
    cents, left = payment.disputed_cents, standing.rest_cents - payment.disputed_cents
    holder = standing.holder
    take(session, standing, TransactionKind.DISPUTE_LOST, Account.DISPUTES, cents, now=now, external_id=dispute.id)
    payment.disputed_cents = 0
    payment.returned_cents += cents
    step(payment, PaymentState.CHARGED_BACK, now)
    if left:  # a part that we had given back failed while the bank decided: we owe it
        step(payment, PaymentState.REFUND_FAILED, now)
        payment.refund_reason = payment.refund_reason or RefundReason.AT_PROVIDER.value
        if holder.account != Account.OWED:
            move(
                session,
                TransactionKind.REFUND_OWED,
                left,
                holder,
                Leg(Account.OWED),
                now=now,
                donation_id=payment.donation_id,
            )
        _ask_finance(session, standing, dispute, TaskKind.REFUND_FAILED, now)
    events.record(session, "payment.charged_back", payment.id, actor=actor, now=now, is_borne=payment.is_borne)
    _ask_finance(session, standing, dispute, TaskKind.DISPUTE_LOST, now)
    return True


def _is_claimed_by(dispute_id: str | None, dispute: Dispute, state: str) -> bool:
    return state == PaymentState.DISPUTED and dispute_id == dispute.id


def _ask_finance(session: Session, standing: Standing, dispute: Dispute, kind: TaskKind, now: dt.datetime) -> bool:
    return open_task(
        session,
        kind,
        f"{kind.value}:{dispute.id}",
        now=now,
        payment_id=standing.payment.id,
        initiative_id=standing.initiative_id,
        amount_cents=dispute.amount_cents,
        ours=_ours(standing),
        theirs=_theirs(dispute),
        external_id=dispute.id,
    )


def _ours(standing: Standing) -> str:
    amount, back = standing.payment.amount_cents, standing.payment.returned_cents
    words = {"reference": standing.reference, "amount": format_euros(amount), "back": format_euros(back)}
    if standing.payment.is_borne:
        return str(_("Gift %(reference)s: %(amount)s. Het initiatief houdt de gift, de gemeente betaalt.", **words))
    return str(_("Gift %(reference)s: %(amount)s, waarvan %(back)s terug bij de gever.", **words))


def _theirs(dispute: Dispute) -> str:
    return str(_("De bank van de gever vraagt %(cents)s terug.", cents=format_euros(dispute.amount_cents)))
