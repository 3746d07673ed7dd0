# SPDX-License-Identifier: EUPL-1.2
"""Reads for reconciling: what of the provider's list is news here, and what of ours is open and older than the list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from abs_platform.ledger.models import LedgerTransaction
from abs_platform.ledger.states import TransactionKind
from abs_platform.payments.models import Payment
from abs_platform.payments.port import Checkout, CheckoutStatus, Refund, RefundStatus
from abs_platform.payments.standing import UNPAID_STATES
from abs_platform.payments.states import PaymentState


def new_checkouts(session: Session, checkouts: Sequence[Checkout]) -> list[Checkout]:
    """Those that may tell more than we know."""
    ids = [checkout.id for checkout in checkouts]
    rows = session.execute(
        select(Payment.checkout_id, Payment.state, Payment.charge_id).where(Payment.checkout_id.in_(ids))
    )
    # A webhook does not tell the charge, by which the provider's books know a payment.
    states = {
        checkout_id: PaymentState(state)
        for checkout_id, state, charge_id in rows
        if charge_id or state in UNPAID_STATES
    }
    return [checkout for checkout in checkouts if not _is_known(checkout, states.get(checkout.id))]


def without_charge(session: Session, listed: Collection[str]) -> list[str]:
    """Checkouts that are not in the list, of payments that came in and whose charge we do not know yet."""
    query = select(Payment.checkout_id).where(
        Payment.charge_id.is_(None),
        Payment.checkout_id.is_not(None),
        Payment.state.not_in([state.value for state in UNPAID_STATES]),
    )
    return sorted(checkout_id for checkout_id in session.scalars(query) if checkout_id and checkout_id not in listed)


def _is_known(checkout: Checkout, state: PaymentState | None) -> bool:
    if state is None or checkout.reference is None:
        return False
    if checkout.is_paid:
        return state not in UNPAID_STATES
    return state != PaymentState.CREATED or (checkout.status == CheckoutStatus.OPEN and not checkout.has_failed)


def new_refunds(session: Session, refunds: Sequence[Refund]) -> list[Refund]:
    """Those that may tell more than we know."""
    query = select(Payment.refund_id).where(
        Payment.refund_id.in_([refund.id for refund in refunds]), Payment.state == PaymentState.REFUNDED.value
    )
    done = set(session.scalars(query))
    return [refund for refund in refunds if refund.status != RefundStatus.SUCCEEDED or refund.id not in done]


def older_refunds(session: Session, listed: Collection[str], sources: Collection[str]) -> list[str]:
    """Our refunds that are not in the list: still under way, or spoken of by a line of the provider's books."""
    under_way = select(Payment.refund_id).where(
        Payment.state == PaymentState.REFUND_PENDING.value, Payment.refund_id.is_not(None)
    )
    spoken_of = select(LedgerTransaction.external_id).where(
        LedgerTransaction.external_id.in_(sources),
        or_(
            LedgerTransaction.kind.in_((TransactionKind.REFUND_MADE.value, TransactionKind.REFUND_BORNE.value)),
            (LedgerTransaction.kind == TransactionKind.UNEXPLAINED.value) & LedgerTransaction.donation_id.is_not(None),
        ),
    )
    found = {refund_id for query in (under_way, spoken_of) for refund_id in session.scalars(query) if refund_id}
    return sorted(found - set(listed))


def claimed_since(session: Session) -> dt.datetime | None:
    """When the oldest payment that a bank claims was paid: its claim is younger."""
    return session.scalar(select(func.min(Payment.paid_at)).where(Payment.state == PaymentState.DISPUTED.value))


def transferred_since(session: Session, sources: Collection[str]) -> dt.datetime | None:
    """When the oldest of these was booked as a transfer to our bank: one that came back is older than the list."""
    return session.scalar(
        select(func.min(LedgerTransaction.booked_at)).where(
            LedgerTransaction.external_id.in_(sources),
            LedgerTransaction.kind == TransactionKind.PROVIDER_PAYOUT.value,
        )
    )


def first_payment_at(session: Session) -> dt.datetime | None:
    """When the first payment of all was begun: before that the provider can know nothing of ours."""
    return session.scalar(select(func.min(Payment.created_at)))
