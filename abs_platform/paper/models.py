# SPDX-License-Identifier: EUPL-1.2
"""Batches of codes from paper, codes that wait, and collection boxes."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.paper.states import BatchState


class CollectionBox(Base):
    """A numbered box at a shop, in which residents leave their reply strips for one initiative."""

    __tablename__ = "collection_boxes"
    __table_args__ = (CheckConstraint("number > 0", name="number_positive"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    place: Mapped[str]
    address: Mapped[str]
    registered_at: Mapped[dt.datetime]
    removed_at: Mapped[dt.datetime | None]


class EntryBatch(Base):
    """Codes that one organiser entered in one sitting for one initiative. ``reference`` is how everyone may name it.

    Counts are of codes: entered well (given or waiting) and refused. The codes themselves are nowhere.
    """

    __tablename__ = "entry_batches"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(BatchState)}", name="state_known"),
        CheckConstraint("entered_count >= 0 AND refused_count >= 0", name="counts_not_negative"),
        CheckConstraint("(state = 'booked') = (waits_until IS NULL)", name="waits_until_once_it_waits"),
        CheckConstraint(
            "(state IN ('released', 'refused')) = (decided_at IS NOT NULL)", name="decided_at_when_decided"
        ),
        CheckConstraint("state <> 'refused' OR length(reason) > 0", name="reason_when_refused"),
        Index(None, "initiative_id", "began_at"),
        Index("ix_entry_batches_waiting", "waits_until", postgresql_where="state = 'waiting'"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    box_id: Mapped[int | None] = mapped_column(ForeignKey("collection_boxes.id"), index=True)
    began_at: Mapped[dt.datetime]
    entered_count: Mapped[int] = mapped_column(server_default="0")
    refused_count: Mapped[int] = mapped_column(server_default="0")
    state: Mapped[str] = mapped_column(server_default=BatchState.BOOKED.value)
    waiting_since: Mapped[dt.datetime | None]
    waits_until: Mapped[dt.datetime | None]
    decided_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str] = mapped_column(server_default="")


class WaitingEntry(Base):
    """A voucher whose code was entered in a batch that waits. Its household may still give it: then that counts."""

    __tablename__ = "waiting_entries"

    batch_id: Mapped[int] = mapped_column(ForeignKey("entry_batches.id"), primary_key=True)
    voucher_id: Mapped[int] = mapped_column(ForeignKey("vouchers.id"), primary_key=True, index=True)
    entered_at: Mapped[dt.datetime]
