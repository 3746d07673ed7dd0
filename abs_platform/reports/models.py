# SPDX-License-Identifier: EUPL-1.2
"""Figures that were counted and kept: of rounds by neighbourhood, of years by district, and the proofs of rounds."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.reports.states import Figure


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


class AreaFigure(Base):
    """One figure of a year (0: of all years) and of a district, or of the whole municipality. Not masked: pages mask.

    The job count_figures counts them all anew, so that a page sums no gifts.
    """

    __tablename__ = "area_figures"
    __table_args__ = (
        CheckConstraint(f"name IN {in_list(Figure)}", name="name_known"),
        CheckConstraint("year = 0 OR year BETWEEN 2000 AND 2999", name="year_or_all"),
    )

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]
    counted_at: Mapped[dt.datetime]


class DistrictVouchers(Base):
    """What the page of a district tells of the vouchers of its newest round: masked already (rule 11).

    ``given_count`` is None where it is hidden, and in whole tens unless it is exact.
    """

    __tablename__ = "district_vouchers"
    __table_args__ = (
        CheckConstraint("letter_count >= 0 AND given_count BETWEEN 0 AND letter_count", name="given_of_letters"),
    )

    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), primary_key=True, autoincrement=False)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    letter_count: Mapped[int]
    given_count: Mapped[int | None]
    is_exact: Mapped[bool]
    counted_at: Mapped[dt.datetime]
