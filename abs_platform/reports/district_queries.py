# SPDX-License-Identifier: EUPL-1.2
"""The kept figures that the page of a district tells: one query, whatever was given."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from abs_platform.areas.models import Area
from abs_platform.reports.models import AreaFigure, DistrictVouchers
from abs_platform.reports.states import ALL_YEARS, SOURCES
from abs_platform.rounds.models import Round


@dataclass(frozen=True, slots=True)
class DistrictFigures:
    """What the page of a district tells in numbers. ``given`` is None where it is hidden (rule 11)."""

    raised_cents: int | None = None
    round_id: int = 0
    round_name: str = ""
    letters: int = 0
    given: int | None = None
    is_exact: bool = False

    @property
    def used(self) -> float | None:
        """The share of the letters that was given, or None where it is hidden."""
        return None if self.given is None or not self.letters else self.given / self.letters


_OF_DISTRICT = (
    select(
        select(func.sum(AreaFigure.value))
        .where(
            AreaFigure.area_id == bindparam("area_id"),
            AreaFigure.year == ALL_YEARS,
            AreaFigure.name.in_([figure.value for figure in SOURCES]),
        )
        .scalar_subquery()
        .label("raised"),
        DistrictVouchers.round_id,
        Round.name,
        DistrictVouchers.letter_count,
        DistrictVouchers.given_count,
        DistrictVouchers.is_exact,
    )
    .select_from(Area)
    .outerjoin(DistrictVouchers, DistrictVouchers.area_id == Area.id)
    .outerjoin(Round, Round.id == DistrictVouchers.round_id)
    .where(Area.id == bindparam("area_id"))
)


def figures_of_district(session: Session, area_id: int) -> DistrictFigures:
    """The kept figures of a district. One query, whatever was given."""
    row = session.execute(_OF_DISTRICT, {"area_id": area_id}).one()
    raised = None if row.raised is None else int(row.raised)
    if row.round_id is None:
        return DistrictFigures(raised)
    return DistrictFigures(raised, row.round_id, row.name, row.letter_count, row.given_count, row.is_exact)
