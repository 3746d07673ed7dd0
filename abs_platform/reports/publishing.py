# SPDX-License-Identifier: EUPL-1.2
"""Figures by district and neighbourhood as they may be shown: masked, and in whole tens until they are final.

For everybody, staff too (rule 11). Letters are exact: how many addresses an area has is in public registers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform.areas.queries import AreaRow, list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.errors import NotFound
from abs_platform.reports.masking import ROOT, Cell, shown, whole_tens
from abs_platform.reports.queries import Counted, RoundReport, RoundTotals, all_counts, rounds


@dataclass(frozen=True, slots=True)
class AreaFigures:
    """One area. ``given`` is None where it is hidden, and so is all that would tell it."""

    area: AreaRow
    letters: int
    given: int | None
    online: int | None = None
    on_paper: int | None = None
    neighbourhoods: list[AreaFigures] = field(default_factory=list)

    @property
    def used(self) -> float | None:
        """The share of the letters that was given, 0 to 1, or None where it is hidden."""
        return None if self.given is None or not self.letters else self.given / self.letters


def by_area(counted: Mapping[int | None, RoundTotals], areas: Sequence[AreaRow]) -> dict[int, RoundTotals]:
    """The totals of each district and neighbourhood that had letters."""
    parents = {area.id: area.parent_id for area in areas if area.level == AreaLevel.NEIGHBOURHOOD}
    totals: dict[int, RoundTotals] = defaultdict(RoundTotals)
    for area_id, one in counted.items():
        parent = parents.get(area_id) if area_id is not None else None
        if area_id is not None and parent is not None:
            totals[area_id] += one
            totals[parent] += one
    return dict(totals)


def open_areas(
    totals: Mapping[int, RoundTotals],
    areas: Sequence[AreaRow],
    counts_of: Callable[[RoundTotals], tuple[int, ...]],
) -> frozenset[int]:
    """The ids of the areas of which these counts may be shown."""
    return shown(
        Cell(area.id, ROOT if area.level == AreaLevel.DISTRICT else area.parent_id or ROOT, counts_of(totals[area.id]))
        for area in areas
        if area.id in totals
    )


def publish(counted: Counted, areas: Sequence[AreaRow], *, is_final: bool) -> list[AreaFigures]:
    """Districts by name, each with its neighbourhoods, as they may be shown."""
    totals = by_area(counted, areas)
    fine = open_areas(totals, areas, lambda one: (one.given, one.not_given))
    # Which paper brought it is told only where the areas that hide it are hidden too.
    split = fine & open_areas(totals, areas, lambda one: (one.online, one.on_paper, one.not_given))

    def figures(area: AreaRow) -> AreaFigures:
        one = totals[area.id]

        def told(count: int, where: frozenset[int]) -> int | None:
            if area.id not in where:
                return None
            return count if is_final else whole_tens(count)

        below = [row for row in areas if row.parent_id == area.id and row.id in totals]
        return AreaFigures(
            area,
            one.letters,
            told(one.given, fine),
            told(one.online, split),
            told(one.on_paper, split),
            [figures(row) for row in _by_name(below)] if area.level == AreaLevel.DISTRICT else [],
        )

    return [figures(row) for row in _by_name(areas) if row.level == AreaLevel.DISTRICT and row.id in totals]


def _by_name(areas: Sequence[AreaRow]) -> list[AreaRow]:
    return sorted(areas, key=lambda row: (row.name.casefold(), row.code))


@dataclass(frozen=True, slots=True)
class View:
    """A round among all others, with its figures as they may be shown. ``chosen`` is None as long as there is no round.

    ``counted`` are the figures of the chosen round and of ``before``, the one that opened before it: not for showing.
    """

    reports: list[RoundReport]
    chosen: RoundReport | None
    before: RoundReport | None
    counted: dict[int, Counted]
    areas: list[AreaRow]

    def published(self, report: RoundReport) -> list[AreaFigures]:
        """The districts of one of the rounds that were counted."""
        return publish(self.counted[report.id], self.areas, is_final=report.is_final)


def look_at(session: Session, round_id: int | None, *, with_before: bool = False) -> View:
    """A round, or the newest that has begun when none is asked for. Raises: NotFound."""
    reports = rounds(session)
    chosen = next((one for one in reports if round_id in {None, one.id}), None)
    if chosen is None and round_id is not None:
        raise NotFound(_("Van deze ronde zijn er geen cijfers. Kies een andere ronde."))
    place = reports.index(chosen) if chosen else 0
    before = next(iter(reports[place + 1 :]), None) if with_before else None
    asked = [one.id for one in (chosen, before) if one is not None]
    counted = all_counts(session, reports, asked)
    areas = list_areas(session)
    return View(reports, chosen, before, counted, areas)
