# SPDX-License-Identifier: EUPL-1.2
"""Reads of payments: what may still be given, what a giver sees of a payment, and which were begun and never ended."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import case, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from abs_platform.donations.models import Donation
from abs_platform.donations.queries import confirmed_total
from abs_platform.donations.states import DonationState
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import FAILED_STATES
from abs_platform.municipality import Rules
from abs_platform.payments.models import Payment, ProviderEvent
from abs_platform.payments.states import GiftStage, PaymentState, RefundReason
from abs_platform.payouts.models import Payout

UNOPENED = dt.timedelta(minutes=2)
_EURO = 100
_USUAL = (500, 1_000, 2_500)
_LITTLE = 5_000
_LONG = dt.timedelta(minutes=10)
_STAGES = {
    PaymentState.FAILED: GiftStage.NOT_PAID,
    PaymentState.EXPIRED: GiftStage.NOT_PAID,
    PaymentState.REFUND_PENDING: GiftStage.GOING_BACK,
    PaymentState.REFUNDED: GiftStage.BACK,
    PaymentState.REFUND_FAILED: GiftStage.STUCK,
    PaymentState.DISPUTED: GiftStage.DISPUTED,
    PaymentState.CHARGED_BACK: GiftStage.CHARGED_BACK,
}


@dataclass(frozen=True, slots=True)
class Room:
    """What may still be given to an initiative, in cents.

    ``missing_cents`` is the target minus what is confirmed, ``reserved_cents`` what others are paying now, and
    ``highest_cents`` the most that a gift may be (0: none may): what is left of it, rounded up to a whole euro.
    """

    missing_cents: int
    reserved_cents: int
    highest_cents: int

    @property
    def is_rounded(self) -> bool:
        """Whether the highest gift is more than what is left: the giver is told."""
        return self.highest_cents > self.missing_cents - self.reserved_cents

    def after(self, given_cents: int, rules: Rules) -> Room:
        """The same once so much more is given."""
        missing = max(0, self.missing_cents - given_cents)
        return Room(missing, self.reserved_cents, highest_gift(missing - self.reserved_cents, rules))

    def without(self, begun_cents: int, rules: Rules) -> Room:
        """The same for whoever has begun to pay so much of what is reserved."""
        reserved = max(0, self.reserved_cents - begun_cents)
        return Room(self.missing_cents, reserved, highest_gift(self.missing_cents - reserved, rules))


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """A payment as its giver sees it. ``voucher_reference`` is the receipt of the voucher that was given with it."""

    reference: str
    initiative_id: int
    state: PaymentState
    donation_state: DonationState
    amount_cents: int
    created_at: dt.datetime
    reserved_until: dt.datetime
    has_checkout: bool
    paid_at: dt.datetime | None
    method: str
    has_receipt_email: bool
    is_organisation: bool
    organisation_name: str | None
    giver_name: str | None
    message: str | None
    refund_reason: RefundReason | None
    refund_asked_at: dt.datetime | None
    refunded_at: dt.datetime | None
    is_borne: bool
    voucher_reference: str | None
    voucher_cents: int | None

    @property
    def is_waiting(self) -> bool:
        """Whether nobody knows yet if it is paid."""
        return self.state == PaymentState.CREATED

    @property
    def is_late(self) -> bool:
        """Whether the money came after the end, and goes back for that."""
        return self.refund_reason == RefundReason.LATE

    def stage(self, *, goes_back: bool, now: dt.datetime) -> GiftStage:
        """Where it is for who gave it. ``goes_back``: its initiative failed, so what it has goes back."""
        if self.is_waiting:
            return GiftStage.WAITING_LONG if now - self.created_at > _LONG else GiftStage.WAITING
        if self.state == PaymentState.PAID:
            is_due = goes_back or self.refund_reason or self.donation_state == DonationState.FAILED
            return GiftStage.GOING_BACK if is_due else GiftStage.COUNTS
        return _STAGES[self.state]


class LockedGift(NamedTuple):
    """A payment that this transaction holds, and the gift of which it is."""

    payment: Payment
    donation_id: int
    initiative_id: int
    reference: str


class BegunPayment(NamedTuple):
    """A payment that was begun and has not ended."""

    payment_id: int
    checkout_id: str | None


def room(session: Session, initiative_id: int, rules: Rules, now: dt.datetime) -> Room:
    """What may still be given to an initiative (service, rule 2), whether or not it collects; one statement."""
    is_paying = (
        Payment.state == PaymentState.CREATED.value,
        Payment.reserved_until > now,
        Payment.is_reserving,
        or_(Payment.checkout_id.is_not(None), Payment.created_at > now - UNOPENED),
    )
    reserved = (
        select(func.coalesce(func.sum(Payment.amount_cents), 0))
        .join(Donation, Donation.id == Payment.donation_id)
        .where(Donation.initiative_id == Initiative.id, *is_paying)
        .scalar_subquery()
    )
    total = confirmed_total(Initiative.id)
    row = session.execute(
        select((Initiative.target_cents - total.c.cents).label("missing"), reserved.label("reserved"))
        .join(total, true())
        .where(Initiative.id == initiative_id)
    ).first()
    missing, taken = (0, 0) if row is None else (max(0, int(row.missing)), int(row.reserved))
    return Room(missing, taken, highest_gift(missing - taken, rules))


def highest_gift(free_cents: int, rules: Rules) -> int:
    """The most that a gift may be when so much is free: rounded up to a whole euro, and never less than the least."""
    return max(rules.min_gift_cents, -(-free_cents // _EURO) * _EURO) if free_cents > 0 else 0


def amounts_to_choose(highest_cents: int) -> list[int]:
    """The amounts that a giver can pick; what is missing is one of them when that is little."""
    usual = [cents for cents in _USUAL if cents < highest_cents]
    return [*usual, highest_cents] if 0 < highest_cents <= _LITTLE else usual


def has_received_money(session: Session, initiative_id: int) -> bool:
    """Whether anybody's money ever landed for an initiative."""
    landed = select(Payment.id).join(Donation, Donation.id == Payment.donation_id)
    landed = landed.where(Donation.initiative_id == initiative_id, Payment.paid_at.is_not(None))
    return bool(session.scalar(select(landed.exists())))


def disputed_cents(session: Session, initiative_id: int) -> int:
    """What banks claim now, or took back, of the gifts of money to an initiative."""
    taken = case((Payment.state == PaymentState.CHARGED_BACK.value, Payment.amount_cents), else_=Payment.disputed_cents)
    query = select(func.coalesce(func.sum(taken), 0)).join(Donation, Donation.id == Payment.donation_id)
    return int(session.scalars(query.where(Donation.initiative_id == initiative_id)).one())


def view(session: Session, reference: str) -> PaymentView | None:
    """The payment with this reference, as its giver sees it."""
    voucher_gift = aliased(Donation)
    row = session.execute(
        select(Payment, Donation, voucher_gift.reference, voucher_gift.amount_cents)
        .join(Donation, Donation.id == Payment.donation_id)
        .outerjoin(voucher_gift, voucher_gift.id == Payment.voucher_donation_id)
        .where(Donation.reference == reference)
    ).first()
    if row is None:
        return None
    payment, donation, voucher_reference, voucher_cents = row
    return PaymentView(
        reference=donation.reference,
        initiative_id=donation.initiative_id,
        state=PaymentState(payment.state),
        donation_state=DonationState(donation.state),
        amount_cents=payment.amount_cents,
        created_at=payment.created_at,
        reserved_until=payment.reserved_until,
        has_checkout=payment.checkout_id is not None,
        paid_at=payment.paid_at,
        method=payment.method,
        has_receipt_email=payment.receipt_email is not None,
        is_organisation=donation.is_organisation,
        organisation_name=payment.organisation_name,
        giver_name=donation.giver_name,
        message=donation.message,
        refund_reason=None if payment.refund_reason is None else RefundReason(payment.refund_reason),
        refund_asked_at=payment.refund_asked_at,
        refunded_at=payment.refunded_at,
        is_borne=payment.is_borne,
        voucher_reference=voucher_reference,
        voucher_cents=voucher_cents,
    )


def lock_gift(session: Session, reference: str) -> LockedGift | None:
    """The payment that the provider knows by this reference, as it is now, for this transaction alone."""
    row = session.execute(
        select(Payment, Donation.id, Donation.initiative_id, Donation.reference)
        .join(Donation, Donation.id == Payment.donation_id)
        .where(Donation.reference == reference)
        .with_for_update(of=Payment)
        .execution_options(populate_existing=True)
    ).first()
    return None if row is None else LockedGift(*row)


def checkout_of(session: Session, reference: str) -> str | None:
    """The checkout of a payment that waits to be paid, or None."""
    query = select(Payment.checkout_id).join(Donation, Donation.id == Payment.donation_id)
    return session.scalar(query.where(Donation.reference == reference, Payment.state == PaymentState.CREATED.value))


def begun_and_over(session: Session, now: dt.datetime, limit: int) -> list[BegunPayment]:
    """Payments whose half hour is over and of which nobody told us the end, the oldest first."""
    rows = session.execute(
        select(Payment.id, Payment.checkout_id)
        .where(Payment.state == PaymentState.CREATED.value, Payment.reserved_until <= now)
        .order_by(Payment.reserved_until, Payment.id)
        .limit(limit)
    )
    return [BegunPayment(*row) for row in rows]


def is_received(session: Session, event_id: str) -> bool:
    """Whether this event of the provider was applied before."""
    return session.scalar(select(ProviderEvent.id).where(ProviderEvent.id == event_id)) is not None


def refunds_due(session: Session, now: dt.datetime, limit: int) -> list[int]:
    """Payments that must go back and whose turn it is (refunding, rule 1), the longest waiting first."""
    at_the_bank = select(Payout.id).where(Payout.initiative_id == Initiative.id, Payout.may_be_gone())
    has_failed = (
        (Donation.state == DonationState.CONFIRMED.value)
        & Initiative.state.in_([state.value for state in FAILED_STATES])
        & ~at_the_bank.exists()
    )
    is_owed = (Payment.refund_reason.is_not(None)) & (
        (Donation.state != DonationState.CONFIRMED.value) | Payment.is_borne
    )
    is_paid = Payment.state == PaymentState.PAID.value
    is_asked = (Payment.state == PaymentState.REFUND_PENDING.value) & Payment.refund_id.is_(None)
    query = (
        select(Payment.id)
        .join(Donation, Donation.id == Payment.donation_id)
        .join(Initiative, Initiative.id == Donation.initiative_id)
        .where(is_asked | is_paid & (is_owed | has_failed))
        .where(Payment.refund_retry_at.is_(None) | (Payment.refund_retry_at <= now))
    )
    return list(session.scalars(query.order_by(Payment.refund_retry_at.nulls_last(), Payment.id).limit(limit)))


def is_owed(session: Session, payment_id: int) -> bool:
    """Whether a payment waits for finance: its money is owed to the giver and the provider does not give it back."""
    query = select(Payment.id).where(Payment.id == payment_id, Payment.state == PaymentState.REFUND_FAILED.value)
    return session.scalar(query) is not None
