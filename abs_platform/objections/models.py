# SPDX-License-Identifier: EUPL-1.2
"""Objections of who holds the code of a voucher that was given: "that was not me"."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.objections.states import ObjectionState


class Objection(Base):
    """One objection to one gift, raised with the code and without a name."""

    __tablename__ = "objections"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(ObjectionState)}", name="state_known"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided_at_when_decided"),
        CheckConstraint("state = 'open' OR length(reason) > 0", name="reason_when_decided"),
        Index("ix_objections_open", "raised_at", postgresql_where="state = 'open'"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    donation_id: Mapped[int] = mapped_column(ForeignKey("donations.id"), unique=True)
    raised_at: Mapped[dt.datetime]
    state: Mapped[str] = mapped_column(server_default=ObjectionState.OPEN.value)
    decided_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str] = mapped_column(server_default="")
