# SPDX-License-Identifier: EUPL-1.2
"""Orders for long work."""

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.work.states import WorkKind, WorkState


class WorkOrder(Base):
    """Long work that somebody asked for. ``key`` keeps two of the same from waiting or running at once.

    ``done_count`` of ``total_count`` is how far it is (total 0: not known yet). ``result`` is what it came to, for the
    page that asked; it never holds a code. ``attempts`` counts how often it was begun: each death of its process costs
    one.
    """

    __tablename__ = "work_orders"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(WorkState)}", name="state_known"),
        CheckConstraint(f"kind IN {in_list(WorkKind)}", name="kind_known"),
        CheckConstraint(
            "(state IN ('done', 'failed', 'cancelled')) = (ended_at IS NOT NULL)", name="ended_at_when_over"
        ),
        CheckConstraint("(state = 'failed') = (error IS NOT NULL)", name="error_when_failed"),
        CheckConstraint("done_count >= 0 AND total_count >= 0 AND attempts >= 0", name="counts_not_negative"),
        Index(
            "uq_work_orders_one_living",
            "kind",
            "key",
            unique=True,
            postgresql_where="state IN ('waiting', 'running')",
        ),
        Index(None, "kind", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    key: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(server_default=WorkState.WAITING.value)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    asked_at: Mapped[dt.datetime]
    began_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    done_count: Mapped[int] = mapped_column(server_default="0")
    total_count: Mapped[int] = mapped_column(server_default="0")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[str | None]
