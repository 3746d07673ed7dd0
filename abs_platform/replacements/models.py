# SPDX-License-Identifier: EUPL-1.2
"""Requests for a new letter, and letters that came back."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.replacements.states import Channel, RequestState, ReturnReason


class ReplacementRequest(Base):
    """Somebody asked for a new letter to an address: once a round. ``household_id`` goes when the round is settled.

    ``neighbourhood_id`` stays, for the figures. ``batch_id``: the batch whose letter it became.
    """

    __tablename__ = "replacement_requests"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(RequestState)}", name="state_known"),
        CheckConstraint(f"channel IN {in_list(Channel)}", name="channel_known"),
        CheckConstraint("(state = 'printed') = (batch_id IS NOT NULL)", name="batch_when_printed"),
        CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name="settled_at_when_over"),
        UniqueConstraint("round_id", "household_id"),
        Index("ix_replacement_requests_waiting", "round_id", postgresql_where="state = 'waiting'"),
        Index(None, "neighbourhood_id", "asked_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    household_id: Mapped[int | None] = mapped_column(ForeignKey("households.id"))
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("areas.id"))
    channel: Mapped[str]
    asked_at: Mapped[dt.datetime]
    state: Mapped[str] = mapped_column(server_default=RequestState.WAITING.value)
    settled_at: Mapped[dt.datetime | None]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("voucher_batches.id"))


class ReturnedLetter(Base):
    """A letter that the post brought back; its voucher was revoked when it was scanned in."""

    __tablename__ = "returned_letters"
    __table_args__ = (
        CheckConstraint(f"reason IN {in_list(ReturnReason)}", name="reason_known"),
        Index(None, "neighbourhood_id"),
        Index(None, "round_id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    voucher_id: Mapped[int] = mapped_column(ForeignKey("vouchers.id"), unique=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("areas.id"))
    reason: Mapped[str]
    scanned_at: Mapped[dt.datetime]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
