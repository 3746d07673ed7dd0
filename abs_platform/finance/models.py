# SPDX-License-Identifier: EUPL-1.2
"""Tasks for finance, and what the nightly check of the books found."""

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.finance.states import Settlement, TaskKind


class FinanceTask(Base):
    """Something that people must look at, with both sides: what our books say and what the other says.

    ``key`` makes it one task, however often the same thing is found. It stays until somebody settles it.
    """

    __tablename__ = "finance_tasks"
    __table_args__ = (
        CheckConstraint(f"kind IN {in_list(TaskKind)}", name="kind_known"),
        CheckConstraint(f"settlement IN {in_list(Settlement)}", name="settlement_known"),
        CheckConstraint("(settled_at IS NULL) = (settlement IS NULL)", name="settled_somehow"),
        CheckConstraint("settled_at IS NULL OR length(settled_note) > 0", name="note_when_settled"),
        Index("ix_finance_tasks_open", "opened_at", postgresql_where="settled_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    opened_at: Mapped[dt.datetime]
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    payout_id: Mapped[int | None] = mapped_column(ForeignKey("payouts.id"))
    initiative_id: Mapped[int | None] = mapped_column(ForeignKey("initiatives.id"))
    amount_cents: Mapped[int | None]
    ours: Mapped[str] = mapped_column(server_default="")
    theirs: Mapped[str] = mapped_column(server_default="")
    external_id: Mapped[str] = mapped_column(server_default="")
    settled_at: Mapped[dt.datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    settlement: Mapped[str | None]
    settled_note: Mapped[str] = mapped_column(server_default="")


class BooksCheck(Base):
    """One proof of the books. Payouts go on only while the last one found no breach."""

    __tablename__ = "books_checks"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    checked_at: Mapped[dt.datetime]
    breach_count: Mapped[int]
    breaches: Mapped[dict[str, Any] | None]
