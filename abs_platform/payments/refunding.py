# SPDX-License-Identifier: EUPL-1.2
"""Asking the provider to give money back, so that a crash between any two steps loses nothing and doubles nothing.

1. Due is a paid payment with a reason to go back (late), and one of an initiative that failed; not once a payout of
   that initiative is at the bank, and not while a bank disputes it.
2. First it is written that we ask (mark_asked, committed), then we ask the provider with the key
   ``refund-<reference>-<attempt>``, then its answer is booked (book_refund). Whoever dies in between asks again with
   the same key and gets the same refund. The attempt goes up once the provider said no, or the amount is another.
3. No answer: later again, with growing pauses (postpone). No: finance gives it back by hand (give_up), as when the
   provider takes no refunds of so old a payment any more (rules.refund_window_days). The money is owed from then on.
4. Finance tries once more (try_again), or paid by hand (pay_by_hand).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import Conflict
from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind
from abs_platform.ledger.service import Leg, move
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.money import format_euros
from abs_platform.municipality import Rules
from abs_platform.payments.queries import refunds_due as due
from abs_platform.payments.refund_booking import book_refund
from abs_platform.payments.standing import Standing, lock_standing, step, take
from abs_platform.payments.states import PaymentState, RefundReason
from abs_platform.payments.telling import tell_stuck

__all__ = ["Asked", "book_refund", "due", "give_up", "mark_asked", "pay_by_hand", "postpone", "try_again"]

SHORTEST_PAUSE, LONGEST_PAUSE = dt.timedelta(minutes=1), dt.timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to ask the provider for."""

    payment_id: int
    intent_id: str
    amount_cents: int
    reference: str
    idempotency_key: str
    paid_at: dt.datetime


def mark_asked(session: Session, payment_id: int, *, rules: Rules, actor: Actor, now: dt.datetime) -> Asked | None:
    """Write that the provider is asked now; None when it need not be (any more), or can't (rule 3).

    Locks: the payment, then its initiative (shared).
    """
    standing = lock_standing(session, payment_id)
    payment = standing.payment
    if payment.state == PaymentState.PAID and standing.must_go_back:
        if payment.paid_at is None or payment.paid_at < now - dt.timedelta(days=rules.refund_window_days):
            _give_up(session, standing, TaskKind.REFUND_TOO_LATE, actor=actor, now=now)
            return None
        if payment.refund_asked_at is not None:
            payment.refund_attempt += 1
        payment.refund_reason = payment.refund_reason or RefundReason(standing.initiative_state.value).value
        payment.refund_asked_at, payment.refund_retry_at, payment.refund_id = now, None, None
        step(payment, PaymentState.REFUND_PENDING, now)
        session.flush()
        events.record(session, "payment.refund_asked", payment.id, actor=actor, now=now, reason=payment.refund_reason)
    if not standing.is_asked:
        return None
    if payment.intent_id is None or payment.paid_at is None:
        _give_up(session, standing, TaskKind.REFUND_FAILED, error="no_intent", actor=actor, now=now)
        return None
    key = f"refund-{standing.reference}-{payment.refund_attempt}"
    return Asked(payment.id, payment.intent_id, standing.rest_cents, standing.reference, key, payment.paid_at)


def postpone(session: Session, payment_id: int, *, error: str, now: dt.datetime) -> None:
    """The provider did not answer: it is asked again after a pause as long as it has lasted. Locks: the payment."""
    standing = lock_standing(session, payment_id)
    payment = standing.payment
    if standing.is_asked:
        waited = now - (payment.refund_asked_at or now)
        payment.refund_retry_at = now + min(max(waited, SHORTEST_PAUSE), LONGEST_PAUSE)
        payment.refund_error = error
        session.flush()


def give_up(session: Session, asked: Asked, *, error: str, actor: Actor, now: dt.datetime) -> bool:
    """The provider said no to this: finance gives it back by hand. False when it is not asked (in this way) any more.

    Locks: the payment, then its initiative (shared).
    """
    standing = lock_standing(session, asked.payment_id)
    key = f"refund-{standing.reference}-{standing.payment.refund_attempt}"
    if not standing.is_asked or key != asked.idempotency_key:
        return False
    _give_up(session, standing, TaskKind.REFUND_FAILED, error=error, actor=actor, now=now)
    return True


def try_again(session: Session, payment_id: int, *, rules: Rules, actor: Actor, now: dt.datetime) -> None:
    """Ask the provider once more, with a new key. Raises: Conflict when nothing is owed, or it is too long ago."""
    payment = _owed(session, payment_id).payment
    if payment.paid_at is None or payment.paid_at < now - dt.timedelta(days=rules.refund_window_days):
        raise Conflict(_("Deze betaling is te oud. De betaaldienst geeft haar niet meer terug. Betaal met de hand."))
    step(payment, PaymentState.REFUND_PENDING, now)
    payment.refund_attempt += 1
    payment.refund_id, payment.refund_retry_at, payment.refund_error, payment.refund_asked_at = None, None, "", now
    session.flush()
    events.record(session, "payment.refund_tried_again", payment.id, actor=actor, now=now)


def pay_by_hand(session: Session, payment_id: int, *, name: str, actor: Actor, now: dt.datetime) -> int:
    """Book that finance paid the giver from the bank; returns the cents. ``name`` is what it is booked under.

    Raises: Conflict when nothing is owed.
    """
    standing = _owed(session, payment_id)
    payment, cents = standing.payment, standing.rest_cents
    move(
        session,
        TransactionKind.REFUND_BY_HAND,
        cents,
        Leg(Account.OWED),
        Leg(Account.BANK),
        now=now,
        donation_id=payment.donation_id,
        external_id=name,
    )
    step(payment, PaymentState.REFUNDED, now)
    payment.returned_cents, payment.refunded_at = payment.amount_cents, now
    session.flush()
    events.record(session, "payment.refunded_by_hand", payment.id, actor=actor, now=now)
    return cents


def _owed(session: Session, payment_id: int) -> Standing:
    standing = lock_standing(session, payment_id)
    if standing.payment.state != PaymentState.REFUND_FAILED:
        raise Conflict(_("Deze betaling wacht niet meer op een teruggave. Bekijk de taak opnieuw."))
    return standing


def _give_up(
    session: Session, standing: Standing, task: TaskKind, *, error: str = "", actor: Actor, now: dt.datetime
) -> None:
    payment, cents = standing.payment, standing.rest_cents
    if standing.holder.account != Account.OWED:
        take(session, standing, TransactionKind.REFUND_OWED, Account.OWED, cents, now=now, external_id=None)
    payment.refund_reason = payment.refund_reason or RefundReason(standing.initiative_state.value).value
    payment.refund_error, payment.refund_retry_at = error, None
    step(payment, PaymentState.REFUND_FAILED, now)
    session.flush()
    events.record(session, "payment.refund_failed", payment.id, actor=actor, now=now, failure=error or task.value)
    is_old = task == TaskKind.REFUND_TOO_LATE
    open_task(
        session,
        task,
        f"refund-failed:{payment.id}:{payment.refund_attempt}",
        now=now,
        payment_id=payment.id,
        initiative_id=standing.initiative_id,
        amount_cents=cents,
        ours=_("Gift %(reference)s: %(amount)s moet terug.", reference=standing.reference, amount=format_euros(cents)),
        theirs=_("De betaling is te oud om terug te geven.") if is_old else _("Geweigerd: %(why)s", why=error),
    )
    tell_stuck(session, payment.id, now)
