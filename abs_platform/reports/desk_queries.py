# SPDX-License-Identifier: EUPL-1.2
"""Reads of how a round goes, for staff: day by day, what the post brought back, and where it stays silent.

A neighbourhood is silent when it has fifty letters or more and uses less than half of what one would expect: of what
the city uses, or of its own share in the round before, as far as the city is now. Nothing is said before the city has
given a hundred: until then all of it is chance.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.areas.queries import AreaRow
from abs_platform.areas.states import AreaLevel
from abs_platform.clock import local_date
from abs_platform.reports.masking import LEAST, whole_tens
from abs_platform.reports.publishing import AreaFigures, View, open_areas
from abs_platform.reports.queries import RoundReport, RoundTotals

LEAST_LETTERS = 50
LEAST_GIVEN = 100

_DAYS = """
    SELECT v.round_id, (d.given_at AT TIME ZONE 'Europe/Amsterdam')::date, COUNT(*)
    FROM donations d JOIN vouchers v ON v.id = d.voucher_id {households}
    WHERE d.state = 'confirmed' AND v.round_id = ANY(:round_ids) {where}
    GROUP BY 1, 2 ORDER BY 1, 2
"""
_HOUSEHOLDS = "JOIN households h ON h.id = v.household_id JOIN areas n ON n.id = h.neighbourhood_id"
_POST = text("""
    SELECT neighbourhood_id, COUNT(*) FILTER (WHERE is_return), COUNT(*) FILTER (WHERE NOT is_return)
    FROM (SELECT neighbourhood_id, TRUE AS is_return FROM returned_letters WHERE round_id = :round_id
          UNION ALL
          SELECT neighbourhood_id, FALSE FROM replacement_requests WHERE round_id = :round_id AND state = 'printed') one
    GROUP BY neighbourhood_id
""")
_RETURNED = text("SELECT neighbourhood_id, COUNT(*) FROM returned_letters WHERE round_id = :round_id GROUP BY 1")
_COLLECTING = text("""
    SELECT i.id, i.title, i.area_id FROM initiatives i
    WHERE i.state = 'published' AND i.area_id = ANY(:area_ids) ORDER BY i.deadline_on, i.id
""")
_HELP_POINTS = text("SELECT district_id, name, address, opening_hours FROM help_points")


@dataclass(frozen=True, slots=True)
class Curve:
    """How a round went: the share of its letters that was given by the end of each day since it opened (0 to 1)."""

    report: RoundReport
    shares: list[float]


@dataclass(frozen=True, slots=True)
class Post:
    """Letters of one area that the post brought back, and that were printed anew. None: too few to tell."""

    returned: int | None
    replaced: int | None


@dataclass(frozen=True, slots=True)
class Collecting:
    """An initiative that collects near a silent neighbourhood."""

    id: int
    title: str


@dataclass(frozen=True, slots=True)
class HelpDesk:
    """The desk of the wijkcentrum near a silent neighbourhood."""

    name: str
    address: str
    opening_hours: str


@dataclass(frozen=True, slots=True)
class Silent:
    """A neighbourhood that uses clearly less than one would expect, and what is true there."""

    area: AreaRow
    district: AreaRow
    letters: int
    against_city: bool
    many_returned: bool
    in_neighbourhood: list[Collecting]
    in_district: list[Collecting]
    help_desk: HelpDesk | None


def curves(
    session: Session,
    reports: Sequence[RoundReport],
    letters: Mapping[int, int],
    districts: Sequence[int] | None,
    now: dt.datetime,
) -> list[Curve]:
    """The curves of rounds, of all or of some districts. Counted in whole tens, so that no single gift shows.

    ``letters`` of each round in those districts. Of a round that forgot its households no district is known any more.
    """
    households, where = (_HOUSEHOLDS, "AND n.parent_id = ANY(:districts)") if districts is not None else ("", "")
    query = text(_DAYS.format(households=households, where=where))
    values = {"round_ids": [one.id for one in reports], "districts": list(districts or ())}
    by_day: dict[int, dict[dt.date, int]] = defaultdict(dict)
    for round_id, day, count in session.execute(query, values):
        by_day[round_id][day] = count
    return [
        Curve(one, _shares(one, by_day[one.id], letters[one.id], now))
        for one in reports
        if letters.get(one.id) and by_day[one.id]
    ]


def _shares(report: RoundReport, by_day: Mapping[dt.date, int], letters: int, now: dt.datetime) -> list[float]:
    first, last = local_date(report.opens_at), min(report.last_day, local_date(now))
    shares, given = [], 0
    for number in range((last - first).days + 1):
        given += by_day.get(first + dt.timedelta(days=number), 0)
        shares.append(whole_tens(given) / letters)
    return shares


def post(session: Session, round_id: int, areas: Sequence[AreaRow]) -> dict[int, Post]:
    """What the post brought back and what was printed anew, by district and neighbourhood, masked and in whole tens."""
    parents = {area.id: area.parent_id for area in areas if area.level == AreaLevel.NEIGHBOURHOOD}
    # The two counts stand in places of totals of their own, so that they go through the same sums.
    returned: dict[int, RoundTotals] = defaultdict(RoundTotals)
    replaced: dict[int, RoundTotals] = defaultdict(RoundTotals)
    for area in areas:
        # None at all is a small number too: who sees where there was none sees where the few were.
        if area.level != AreaLevel.MUNICIPALITY:
            returned[area.id] = replaced[area.id] = RoundTotals()
    for area_id, back, anew in session.execute(_POST, {"round_id": round_id}):
        for key in (area_id, parents.get(area_id)):
            if key is not None:
                returned[key] += RoundTotals(issued=back)
                replaced[key] += RoundTotals(issued=anew)
    told_returned = open_areas(returned, areas, lambda one: (one.issued,))
    told_replaced = open_areas(replaced, areas, lambda one: (one.issued,))
    return {
        area_id: Post(
            whole_tens(returned[area_id].issued) if area_id in told_returned else None,
            whole_tens(replaced[area_id].issued) if area_id in told_replaced else None,
        )
        for area_id in returned
    }


def post_totals(session: Session, round_id: int) -> tuple[int, int]:
    """All letters of a round that the post brought back, and that were printed anew."""
    rows = session.execute(_POST, {"round_id": round_id}).all()
    return sum(row[1] for row in rows), sum(row[2] for row in rows)


def silent(
    session: Session, view: View, published: Sequence[AreaFigures], before: Sequence[AreaFigures]
) -> list[Silent]:
    """The silent neighbourhoods of the round that was chosen, those with most letters first.

    ``before`` is the round before as it may be shown: what is hidden there is compared with nothing.
    """
    if view.chosen is None:
        return []
    counted, city = view.counted[view.chosen.id], view.chosen.totals
    city_before = view.before.totals if view.before else RoundTotals()
    if city.given < LEAST_GIVEN:
        return []
    pace = city.used / city_before.used if city_before.used else 0.0
    own = {one.area.id: one.used for district in before for one in district.neighbourhoods}
    found = []
    for district in published:
        for one in district.neighbourhoods:
            used, expected = counted[one.area.id].used, (own.get(one.area.id) or 0.0) * pace
            against_city = used < city.used / 2
            if one.letters >= LEAST_LETTERS and (against_city or used < expected / 2):
                found.append((district.area, one, against_city))
    return _with_what_is_there(session, view.chosen.id, found)


def _with_what_is_there(
    session: Session, round_id: int, found: Sequence[tuple[AreaRow, AreaFigures, bool]]
) -> list[Silent]:
    if not found:
        return []
    ids = {one.area.id for _district, one, _against in found} | {district.id for district, _one, _against in found}
    near: dict[int, list[Collecting]] = defaultdict(list)
    for number, title, area_id in session.execute(_COLLECTING, {"area_ids": list(ids)}):
        near[area_id].append(Collecting(number, title))
    desks = {row[0]: HelpDesk(*row[1:]) for row in session.execute(_HELP_POINTS)}
    returned = {row[0]: row[1] for row in session.execute(_RETURNED, {"round_id": round_id})}
    return [
        Silent(
            one.area,
            district,
            one.letters,
            against_city,
            returned.get(one.area.id, 0) >= max(LEAST, one.letters // 10),
            near[one.area.id][:2],
            near[district.id][:2],
            desks.get(district.id),
        )
        for district, one, against_city in sorted(found, key=lambda row: (-row[1].letters, row[1].area.code))
    ]
