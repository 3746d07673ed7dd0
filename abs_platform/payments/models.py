# SPDX-License-Identifier: EUPL-1.2
"""Payments of gifts, and what the provider told us about them."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.payments.states import EventOutcome, PaymentState, RefundReason


class Payment(Base):
    """The payment of one gift of money, whole. It is named to the provider by its donation's reference.

    Until ``reserved_until`` a payment that was begun keeps others from giving what it will bring, unless its client has
    reserved enough today (``is_reserving``: service, rule 3). ``refund_reason`` says that it must go back and why;
    ``refund_attempt`` is part of the idempotency key of the refund and goes up only once the provider has said no.
    ``is_borne``: the giver has the money back and the initiative keeps the gift, because it had reached its target; the
    municipality bears it. ``returned_cents`` is what the giver has back, through the provider, by hand or through the
    bank: the database lets it never be more than was paid. ``disputed_cents`` is what a bank claims of it now.
    ``voucher_donation_id`` is the voucher that was given with it. ``language`` is that of the page where it was begun.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(PaymentState)}", name="state_known"),
        CheckConstraint(f"refund_reason IN {in_list(RefundReason)}", name="refund_reason_known"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("state IN ('created', 'failed', 'expired') OR paid_at IS NOT NULL", name="paid_at_when_paid"),
        CheckConstraint(
            "state NOT IN ('refund_pending', 'refunded', 'refund_failed') OR refund_reason IS NOT NULL",
            name="reason_when_refunded",
        ),
        CheckConstraint("state NOT IN ('disputed', 'charged_back') OR dispute_id IS NOT NULL", name="dispute_known"),
        CheckConstraint(
            "NOT is_borne OR state IN "
            "('refund_pending', 'refunded', 'refund_failed', 'charged_back', 'disputed', 'paid')",
            name="borne_when_back",
        ),
        CheckConstraint("returned_cents BETWEEN 0 AND amount_cents", name="never_more_back_than_paid"),
        CheckConstraint(
            "state NOT IN ('refunded', 'charged_back') OR returned_cents = amount_cents", name="all_back_when_back"
        ),
        CheckConstraint(
            "disputed_cents >= 0 AND (state = 'disputed') = (disputed_cents > 0)", name="disputed_cents_when_disputed"
        ),
        CheckConstraint("refund_attempt >= 0", name="refund_attempt_not_negative"),
        Index("ix_payments_begun", "reserved_until", postgresql_where="state = 'created'"),
        Index("ix_payments_to_refund", "refund_retry_at", postgresql_where="state IN ('paid', 'refund_pending')"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    donation_id: Mapped[int] = mapped_column(ForeignKey("donations.id"), unique=True)
    voucher_donation_id: Mapped[int | None] = mapped_column(ForeignKey("donations.id"), unique=True)
    state: Mapped[str]
    amount_cents: Mapped[int]
    created_at: Mapped[dt.datetime]
    reserved_until: Mapped[dt.datetime]
    is_reserving: Mapped[bool] = mapped_column(server_default="true")
    state_changed_at: Mapped[dt.datetime]
    checkout_id: Mapped[str | None] = mapped_column(unique=True)
    intent_id: Mapped[str | None] = mapped_column(unique=True)
    charge_id: Mapped[str | None] = mapped_column(unique=True)
    method: Mapped[str] = mapped_column(server_default="")
    paid_at: Mapped[dt.datetime | None]
    receipt_email: Mapped[str | None]
    organisation_name: Mapped[str | None]
    language: Mapped[str] = mapped_column(server_default="nl")
    refund_reason: Mapped[str | None]
    refund_attempt: Mapped[int] = mapped_column(server_default="0")
    refund_asked_at: Mapped[dt.datetime | None]
    refund_retry_at: Mapped[dt.datetime | None]
    refund_id: Mapped[str | None] = mapped_column(unique=True)
    refund_error: Mapped[str] = mapped_column(server_default="")
    refunded_at: Mapped[dt.datetime | None]
    returned_cents: Mapped[int] = mapped_column(server_default="0")
    dispute_id: Mapped[str | None] = mapped_column(unique=True)
    disputed_cents: Mapped[int] = mapped_column(server_default="0")
    is_borne: Mapped[bool] = mapped_column(server_default="false")


class ProviderEvent(Base):
    """One event that the provider sent, stored once; what it was about, and what it did here. No contents are kept."""

    __tablename__ = "provider_events"
    __table_args__ = (
        CheckConstraint(f"outcome IN {in_list(EventOutcome)}", name="outcome_known"),
        Index(None, "received_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    object_id: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime]
    outcome: Mapped[str]


class ProviderEntry(Base):
    """One line of the provider's own books (a balance transaction), as we saw it last. Cents; + is what we gain there.

    ``net_cents`` is the amount without the fee; the sum of all of them is what the provider holds for us.
    """

    __tablename__ = "provider_entries"
    __table_args__ = (
        CheckConstraint("net_cents = amount_cents - fee_cents", name="net_adds_up"),
        Index(None, "created_at"),
        Index(None, "source_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    amount_cents: Mapped[int]
    fee_cents: Mapped[int]
    net_cents: Mapped[int]
    source_id: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
