# SPDX-License-Identifier: EUPL-1.2
"""The accountability of an initiative: its story, what it really cost and the receipts of that."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.accountability.states import AccountabilityState
from abs_platform.database import Base, in_list


class Accountability(Base):
    """How it went.

    ``story_version`` goes up when the story changes, so that two organisers cannot overwrite each other unseen;
    ``remark`` is what the desk found missing when it came back.
    """

    __tablename__ = "accountabilities"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(AccountabilityState)}", name="state_known"),
        CheckConstraint("length(story) <= 10000", name="story_length"),
        CheckConstraint("state IN ('draft', 'returned') OR submitted_at IS NOT NULL", name="submitted_at_when_sent"),
        CheckConstraint("(decided_at IS NULL) = (decided_by_id IS NULL)", name="decided_by_somebody"),
        CheckConstraint(
            "state NOT IN ('returned', 'approved') OR decided_at IS NOT NULL", name="decided_at_when_decided"
        ),
        CheckConstraint("state <> 'returned' OR length(remark) > 0", name="remark_when_returned"),
        Index("ix_accountabilities_waiting", "submitted_at", postgresql_where="state = 'submitted'"),
    )

    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), primary_key=True)
    state: Mapped[str] = mapped_column(server_default=AccountabilityState.DRAFT.value)
    story: Mapped[str] = mapped_column(server_default="")
    story_version: Mapped[int] = mapped_column(server_default="0")
    saved_at: Mapped[dt.datetime]
    saved_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    submitted_at: Mapped[dt.datetime | None]
    decided_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    remark: Mapped[str | None]


class CostLine(Base):
    """One line of the budget beside what it really cost. A line without ``planned_cents`` was not in the budget."""

    __tablename__ = "accountability_costs"
    __table_args__ = (
        CheckConstraint("length(description) BETWEEN 1 AND 120", name="description_length"),
        CheckConstraint("planned_cents > 0", name="planned_positive"),
        CheckConstraint("actual_cents >= 0", name="actual_not_negative"),
        CheckConstraint("length(no_receipt_reason) <= 200", name="reason_length"),
        UniqueConstraint("initiative_id", "position"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("accountabilities.initiative_id"))
    position: Mapped[int]
    description: Mapped[str]
    planned_cents: Mapped[int | None]
    actual_cents: Mapped[int | None]
    no_receipt_reason: Mapped[str] = mapped_column(server_default="")


class CostReceipt(Base):
    """Which cost a receipt is of. The receipt itself is a private file (media), for organisers, desk and finance."""

    __tablename__ = "accountability_receipts"
    __table_args__ = (CheckConstraint("length(file_name) BETWEEN 1 AND 120", name="file_name_length"),)

    picture_id: Mapped[int] = mapped_column(ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True)
    cost_id: Mapped[int] = mapped_column(ForeignKey("accountability_costs.id"), index=True)
    file_name: Mapped[str]
