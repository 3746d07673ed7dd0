# SPDX-License-Identifier: EUPL-1.2
"""What the planner begins with: a round like the last one half a year on, and where rounds lie in a year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from abs_platform.areas.queries import list_districts
from abs_platform.clock import last_day, local_date
from abs_platform.rounds.queries import RoundRow, district_codes, list_rounds
from abs_platform.rounds.states import RoundState

HALF_A_YEAR = dt.timedelta(weeks=26)
FIRST_LEAD, FIRST_GAP, FIRST_LENGTH = dt.timedelta(weeks=6), dt.timedelta(weeks=3), dt.timedelta(weeks=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A round on the calendar, in days from the first of January. ``issued`` is None when that is in another year."""

    row: RoundRow
    issued: int | None
    begins: int
    length: int


def calendar_of(rows: Sequence[RoundRow], year: int) -> list[Bar]:
    """The rounds of a year as bars; what lies in another year is cut off, and cancelled ones are left out."""
    first, days = dt.date(year, 1, 1), days_in(year)

    def place(day: dt.date) -> int:
        return min(max((day - first).days, 0), days)

    return [
        Bar(
            row=row,
            issued=place(row.issue_on) if row.issue_on.year == year else None,
            begins=place(local_date(row.opens_at)),
            length=place(last_day(row.closes_at) + dt.timedelta(days=1)) - place(local_date(row.opens_at)),
        )
        for row in rows
        if row.state is not RoundState.CANCELLED
    ]


def days_in(year: int) -> int:
    """How many days a year has."""
    return (dt.date(year + 1, 1, 1) - dt.date(year, 1, 1)).days


def next_plan(session: Session, amount_cents: int, today: dt.date) -> dict[str, Any]:
    """The values of an empty form: amount, districts and rhythm of the last round, on days that are still to come."""
    rows = [row for row in list_rounds(session) if row.state is not RoundState.CANCELLED]
    current = {row.code for row in list_districts(session)}
    if rows:
        last = max(rows, key=lambda row: row.opens_at)
        opened, ended = local_date(last.opens_at), last_day(last.closes_at)
        gap, length = opened - last.issue_on, ended - opened
        opens = opened + HALF_A_YEAR
        districts, amount_cents = current & set(district_codes(session, last.id)), last.amount_cents
    else:
        gap, length, opens = FIRST_GAP, FIRST_LENGTH, today + FIRST_LEAD
        ended, districts = today, current
    while opens <= ended or opens - gap <= today:
        opens += dt.timedelta(weeks=1)
    return {
        "name": "",
        "issue_on": (opens - gap).isoformat(),
        "opens_on": opens.isoformat(),
        "closes_on": (opens + length).isoformat(),
        "amount": f"{amount_cents // 100},{amount_cents % 100:02d}",
        "districts": sorted(districts or current),
    }
