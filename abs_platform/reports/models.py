# SPDX-License-Identifier: EUPL-1.2
"""Figures of a round by neighbourhood, kept when its vouchers forget their households."""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base


class RoundFigure(Base):
    """What became of the vouchers of one neighbourhood in one round, so that later rounds can be compared with it.

    Counts only, written just before the link to the households is cut (rule 11).
    """

    __tablename__ = "round_figures"
    __table_args__ = (
        CheckConstraint(
            "issued_count >= 0 AND online_count >= 0 AND organiser_count >= 0 AND desk_count >= 0 AND kept_count >= 0 "
            "AND expired_count >= 0 AND revoked_count >= 0",
            name="counts_not_negative",
        ),
    )

    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), primary_key=True)
    issued_count: Mapped[int]
    online_count: Mapped[int]
    organiser_count: Mapped[int]
    desk_count: Mapped[int]
    kept_count: Mapped[int]
    expired_count: Mapped[int]
    revoked_count: Mapped[int]
