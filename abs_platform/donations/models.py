# SPDX-License-Identifier: EUPL-1.2
"""Donations: gifts of vouchers and of money."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.donations.states import Channel, DonationKind, DonationState


class Donation(Base):
    """One gift to one initiative. A given voucher has exactly one confirmed donation.

    ``reference`` is the random number on the receipt; ``idempotency_key`` makes a form that is sent twice one gift.
    The e-mail address is kept only for who asked for news. ``is_organisation`` tells the money of companies and clubs
    from that of residents, also of who does not want to be named.
    ``entry_batch_id``: the batch of an organiser in which its code was entered from paper.
    """

    __tablename__ = "donations"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(DonationState)}", name="state_known"),
        CheckConstraint(f"kind IN {in_list(DonationKind)}", name="kind_known"),
        CheckConstraint(f"channel IN {in_list(Channel)}", name="channel_known"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("(kind = 'voucher') = (voucher_id IS NOT NULL)", name="voucher_of_voucher_gift"),
        CheckConstraint("kind <> 'voucher' OR state IN ('confirmed', 'returned')", name="voucher_gift_is_confirmed"),
        CheckConstraint("(state = 'returned') = (returned_at IS NOT NULL)", name="returned_at_when_returned"),
        CheckConstraint("plan_b_initiative_id <> initiative_id", name="plan_b_is_another"),
        CheckConstraint("kind = 'money' OR NOT is_organisation", name="organisation_gives_money"),
        Index(
            "uq_donations_one_confirmed_per_voucher",
            "voucher_id",
            unique=True,
            postgresql_where="state = 'confirmed'",
        ),
        Index(
            "ix_donations_confirmed_total",
            "initiative_id",
            postgresql_include=["amount_cents"],
            postgresql_where="state = 'confirmed'",
        ),
        Index(None, "initiative_id", "given_at"),
        Index(None, "entry_batch_id", postgresql_where="entry_batch_id IS NOT NULL"),
        CheckConstraint("entry_batch_id IS NULL OR channel = 'organiser'", name="entry_batch_of_organiser"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    kind: Mapped[str]
    amount_cents: Mapped[int]
    state: Mapped[str]
    channel: Mapped[str]
    given_at: Mapped[dt.datetime]
    returned_at: Mapped[dt.datetime | None]
    voucher_id: Mapped[int | None] = mapped_column(ForeignKey("vouchers.id"))
    plan_b_initiative_id: Mapped[int | None] = mapped_column(ForeignKey("initiatives.id"))
    giver_name: Mapped[str | None]
    message: Mapped[str | None]
    giver_email: Mapped[str | None]
    idempotency_key: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    is_organisation: Mapped[bool] = mapped_column(server_default="false")
    entry_batch_id: Mapped[int | None] = mapped_column(ForeignKey("entry_batches.id"))
