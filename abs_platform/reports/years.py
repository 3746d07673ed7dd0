# SPDX-License-Identifier: EUPL-1.2
"""Reads of the kept figures of years, as they may be shown: people of a district are masked as households are."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.areas.queries import AreaRow
from abs_platform.areas.states import AreaLevel
from abs_platform.reports.masking import ROOT, Cell, shown, whole_tens
from abs_platform.reports.models import AreaFigure
from abs_platform.reports.states import ALL_YEARS, OF_ALL_ONLY, PEOPLE, SOURCES, Figure

# Of people only one figure is told by district: from two, who is in both could be worked out.
TOLD_OF_PEOPLE = Figure.INVOLVED


@dataclass(frozen=True, slots=True)
class DistrictYear:
    """The figures of one district in one year. ``involved`` is in whole tens, and None where it is hidden."""

    area: AreaRow
    values: dict[Figure, int]
    involved: int | None

    def of(self, figure: Figure) -> int:
        """A figure that is told of a district."""
        return self.values.get(figure, 0)

    @property
    def given_cents(self) -> int:
        """What its initiatives were given, from all sources."""
        return sum(self.of(source) for source in SOURCES)


@dataclass(frozen=True, slots=True)
class Year:
    """The figures of the whole municipality in one year (0: all years), and of its districts by name."""

    year: int
    values: dict[Figure, int]
    counted_at: dt.datetime
    districts: list[DistrictYear] = field(default_factory=list)

    def of(self, figure: Figure) -> int:
        """A figure; what was not counted is nought."""
        return self.values.get(figure, 0)

    @property
    def given_cents(self) -> int:
        """What was given, from all sources."""
        return sum(self.of(source) for source in SOURCES)

    @property
    def for_all_cents(self) -> int:
        """What of it went to initiatives for the whole municipality."""
        return self.given_cents - sum(one.given_cents for one in self.districts)

    def for_all(self, figure: Figure) -> int:
        """What of a figure is of no district."""
        return self.of(figure) - sum(one.of(figure) for one in self.districts)

    @property
    def answer_days(self) -> float | None:
        """Half of the answers came within so many working days; None when there was none."""
        return self.of(Figure.ANSWER_TENTHS) / 10 if self.of(Figure.ANSWERS) else None

    @property
    def first_share(self) -> float | None:
        """The share of the initiators who never began anything before, or None when there was nobody."""
        everybody = self.of(Figure.INITIATORS)
        return self.of(Figure.FIRST_TIMERS) / everybody if everybody else None


def years(session: Session, areas: Sequence[AreaRow], *only: int) -> list[Year]:
    """The years of which something was counted, newest first; all years together (0) come last. One query.

    Areas that are over count for the whole municipality only.
    """
    query = select(AreaFigure.year, AreaFigure.area_id, AreaFigure.name, AreaFigure.value, AreaFigure.counted_at)
    if only:
        query = query.where(AreaFigure.year.in_(only))
    values: dict[tuple[int, int], dict[Figure, int]] = defaultdict(dict)
    counted_at: dict[int, dt.datetime] = {}
    for year, area_id, name, value, moment in session.execute(query):
        values[year, area_id][Figure(name)] = value
        counted_at[year] = moment
    town = next((area for area in areas if area.level == AreaLevel.MUNICIPALITY), None)
    districts = sorted(
        (area for area in areas if area.level == AreaLevel.DISTRICT), key=lambda row: row.name.casefold()
    )
    return [
        Year(
            year,
            values[year, town.id] if town else {},
            counted_at[year],
            _masked(districts, {area.id: values[year, area.id] for area in districts if (year, area.id) in values}),
        )
        for year in sorted(counted_at, reverse=True)
    ]


def _masked(districts: Sequence[AreaRow], values: dict[int, dict[Figure, int]]) -> list[DistrictYear]:
    """Districts as they may be shown: one number of people each, or none."""
    cells = [Cell(area.id, ROOT, (values.get(area.id, {}).get(TOLD_OF_PEOPLE, 0),)) for area in districts]
    told = shown(cells)
    hidden = {*PEOPLE, *OF_ALL_ONLY}
    return [
        DistrictYear(
            area,
            {figure: value for figure, value in values.get(area.id, {}).items() if figure not in hidden},
            whole_tens(values[area.id][TOLD_OF_PEOPLE]) if area.id in told and area.id in values else None,
        )
        for area in districts
    ]


def year_numbers(found: Sequence[Year]) -> list[int]:
    """The numbers of the years, newest first, without that of all together."""
    return [one.year for one in found if one.year != ALL_YEARS]
