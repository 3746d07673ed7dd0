# SPDX-License-Identifier: EUPL-1.2
"""Changes of the numbers of the rules of the game."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base


class RuleChange(Base):
    """One number was set, from what to what, and why. Append only: the newest of a name is in force."""

    __tablename__ = "rule_changes"
    __table_args__ = (
        CheckConstraint("value > 0", name="value_positive"),
        CheckConstraint("length(reason) > 0", name="reason_given"),
        Index(None, "name", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str]
    old_value: Mapped[int]
    value: Mapped[int]
    changed_at: Mapped[dt.datetime]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str]
