# SPDX-License-Identifier: EUPL-1.2
"""What a checkout brought, booked once: the one verb behind the webhook, the release of checkouts and reconciling.

Most webhooks are spared it: usual_booking.py writes what rule 1 does in one statement, and changes with it.

Facts win over the order in which we hear them: what is paid stays paid, whoever says later that it expired, and money
that arrives after we gave up on it is paid too, and goes back as late.

1. Paid while the initiative collects: the gift counts, and the initiative gains it whole (payment_received).
2. Paid after the end, or after we gave up on it: the gift failed, the money is owed to its giver (payment_late), and
   ``refund_reason`` makes the refund job give it back and tell why.
3. Paid, but not this amount or not in euros: nothing is booked, and finance gets a task with both sides.
4. Not paid, and it will not be: the payment failed or expired, and the gift with it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.donations.money import confirm_money_gift, fail_money_gift
from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind
from abs_platform.ledger.service import Leg, move
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.lives import check_move
from abs_platform.money import format_euros
from abs_platform.payments.models import Payment
from abs_platform.payments.port import Checkout, CheckoutStatus
from abs_platform.payments.queries import LockedGift, lock_gift
from abs_platform.payments.states import TRANSITIONS, EventOutcome, PaymentState, RefundReason
from abs_platform.payments.telling import tell_received

CURRENCY = "eur"
_UNPAID = frozenset({PaymentState.CREATED, PaymentState.FAILED, PaymentState.EXPIRED})
_COLLECTS = text("""
    SELECT state = 'published' AND deadline_on >= :today FROM initiatives WHERE id = :initiative_id FOR SHARE
""")


@dataclass(frozen=True, slots=True)
class Booked:
    """What a checkout did here. With ``confirmed_initiative_id`` the caller closes that initiative if it is funded."""

    outcome: EventOutcome
    payment_id: int | None = None
    confirmed_initiative_id: int | None = None


def book_checkout(session: Session, checkout: Checkout, *, actor: Actor, now: dt.datetime) -> Booked:
    """Make ours equal to what is true of a checkout; again changes nothing.

    Whether the gift funds the initiative is settled in a transaction of its own (initiatives.service.close_if_funded).
    Locks: the payment, then the initiative (shared, as every gift does).
    """
    gift = None if checkout.reference is None else lock_gift(session, checkout.reference)
    if gift is None:
        return Booked(EventOutcome.NOT_OURS)
    payment = gift.payment
    if payment.checkout_id not in {None, checkout.id}:
        return _book_stranger(session, gift, checkout, now)
    is_first_news = payment.state in _UNPAID
    _fill_in(payment, checkout)
    if not is_first_news:
        outcome = EventOutcome.NOTHING_NEW
    elif checkout.is_paid:
        return _book_paid(session, gift, checkout, actor, now)
    else:
        outcome = _book_unpaid(session, payment, checkout, actor, now)
    session.flush()
    return Booked(outcome, payment.id)


def give_up(session: Session, payment_id: int, *, actor: Actor, now: dt.datetime) -> bool:
    """End a payment of which the provider has no checkout; False when it has one after all. Locks: the payment."""
    payment = session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    if payment.state != PaymentState.CREATED or payment.reserved_until > now:
        return False
    _end(session, payment, PaymentState.EXPIRED, actor, now)
    return True


def wait_longer(session: Session, payment_id: int, *, until: dt.datetime) -> None:
    """The giver is done and the bank has not answered: what it will bring stays reserved. Locks: the payment."""
    payment = session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    if payment.state == PaymentState.CREATED:
        payment.reserved_until = max(payment.reserved_until, until)
        session.flush()


def _book_paid(session: Session, gift: LockedGift, checkout: Checkout, actor: Actor, now: dt.datetime) -> Booked:
    """Rules 1 to 3."""
    payment = gift.payment
    if checkout.amount_cents != payment.amount_cents or checkout.currency.lower() != CURRENCY:
        return _ask_finance(session, gift, checkout, now, key="amount")
    was_pending = payment.state == PaymentState.CREATED
    with session.no_autoflush:  # one UPDATE of the payment is enough
        collects = session.scalar(_COLLECTS, {"initiative_id": gift.initiative_id, "today": local_date(now)})
    _move(payment, PaymentState.PAID, now)
    payment.paid_at = now
    if collects and was_pending:
        confirm_money_gift(session, gift.donation_id, now=now)
        kind, target = TransactionKind.PAYMENT_RECEIVED, Leg(Account.INITIATIVE, initiative_id=gift.initiative_id)
    else:
        if was_pending:
            fail_money_gift(session, gift.donation_id)
        payment.refund_reason = RefundReason.LATE.value
        kind, target = TransactionKind.PAYMENT_LATE, Leg(Account.OWED)
    move(session, kind, payment.amount_cents, Leg(Account.PROVIDER), target, now=now, donation_id=gift.donation_id)
    is_late = payment.refund_reason is not None
    events.record(session, "payment.late" if is_late else "payment.paid", payment.id, actor=actor, now=now)
    session.flush()
    if is_late:
        return Booked(EventOutcome.APPLIED, payment.id)
    if payment.receipt_email is not None:
        tell_received(session, payment.id, now)
    return Booked(EventOutcome.APPLIED, payment.id, gift.initiative_id)


def _book_unpaid(
    session: Session, payment: Payment, checkout: Checkout, actor: Actor, now: dt.datetime
) -> EventOutcome:
    """Rule 4. A failure and an ending may both be told: the first of them stands."""
    if payment.state != PaymentState.CREATED:
        return EventOutcome.NOTHING_NEW
    if checkout.has_failed:
        _end(session, payment, PaymentState.FAILED, actor, now)
    elif checkout.status == CheckoutStatus.EXPIRED:
        _end(session, payment, PaymentState.EXPIRED, actor, now)
    else:
        return EventOutcome.NOTHING_NEW
    return EventOutcome.APPLIED


def _book_stranger(session: Session, gift: LockedGift, checkout: Checkout, now: dt.datetime) -> Booked:
    """A second checkout of one gift, which we never make. Unpaid it is nothing; paid, somebody must look."""
    if not checkout.is_paid:
        return Booked(EventOutcome.NOTHING_NEW, gift.payment.id)
    return _ask_finance(session, gift, checkout, now, key="second")


def _ask_finance(session: Session, gift: LockedGift, checkout: Checkout, now: dt.datetime, *, key: str) -> Booked:
    """Rule 3."""
    payment = gift.payment
    session.flush()
    is_new = open_task(
        session,
        TaskKind.DIFFERENCE,
        f"checkout-{key}-{checkout.id}",
        now=now,
        payment_id=payment.id,
        initiative_id=gift.initiative_id,
        amount_cents=checkout.amount_cents,
        ours=f"Gift {gift.reference}: {format_euros(payment.amount_cents)}, checkout {payment.checkout_id}",
        theirs=f"Betaald: {format_euros(checkout.amount_cents)} ({checkout.currency.upper()}), checkout {checkout.id}",
        external_id=checkout.id,
    )
    return Booked(EventOutcome.TASK if is_new else EventOutcome.NOTHING_NEW, payment.id)


def _end(session: Session, payment: Payment, target: PaymentState, actor: Actor, now: dt.datetime) -> None:
    _move(payment, target, now)
    fail_money_gift(session, payment.donation_id)
    events.record(session, f"payment.{target.value}", payment.id, actor=actor, now=now)
    session.flush()


def _move(payment: Payment, target: PaymentState, now: dt.datetime) -> None:
    check_move(TRANSITIONS, PaymentState(payment.state), target, "betaling")
    payment.state, payment.state_changed_at = target.value, now


def _fill_in(payment: Payment, checkout: Checkout) -> None:
    """Keep what the provider tells of a payment, whichever of its messages does so first."""
    payment.checkout_id = checkout.id
    payment.intent_id = payment.intent_id or checkout.intent_id
    payment.charge_id = payment.charge_id or checkout.charge_id
    payment.method = payment.method or checkout.method
