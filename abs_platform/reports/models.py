# SPDX-License-Identifier: EUPL-1.2
"""Figures of a round by neighbourhood, kept before its vouchers forget their households, and its last proof."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base


class RoundFigure(Base):
    """What became of the vouchers of one neighbourhood in one round, so that later rounds can be compared with it.

    Counts only. Of a closed round they are counted again every night, so that its pages cost nothing; for the last time
    (``is_final``) just before the link to the households is cut (rule 11).
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
    counted_at: Mapped[dt.datetime]
    is_final: Mapped[bool]


class RoundProof(Base):
    """When a round was last proven against its seals and the books, and how much was wrong."""

    __tablename__ = "round_proofs"
    __table_args__ = (CheckConstraint("fault_count >= 0", name="fault_count_not_negative"),)

    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), primary_key=True, autoincrement=False)
    proven_at: Mapped[dt.datetime]
    fault_count: Mapped[int]
