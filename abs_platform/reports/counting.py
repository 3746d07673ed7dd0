# SPDX-License-Identifier: EUPL-1.2
"""Counting the figures of years and districts: initiatives, people, money and how long an answer took.

What is for the whole municipality counts for that alone; what is of a district or a neighbourhood counts for its
district and for the whole. Money comes from the books: what was given in a year less what went back in that year, so
that a year that is over never changes. The sum of all years is what initiatives have been given and still count.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from abs_platform.clock import local_date
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.states import TransactionKind as Kind
from abs_platform.reports.states import ALL_YEARS, Figure
from abs_platform.working_days import working_days_between

Key = tuple[int, int, Figure]
Figures = dict[Key, int]
_STATE = InitiativeState
STEPS = {
    f"initiative.{state.value}": figure
    for state, figure in (
        (_STATE.SUBMITTED, Figure.SUBMITTED),
        (_STATE.PUBLISHED, Figure.PUBLISHED),
        (_STATE.FUNDED, Figure.FUNDED),
        (_STATE.EXPIRED, Figure.EXPIRED),
        (_STATE.REJECTED, Figure.REJECTED),
        (_STATE.REALISED, Figure.REALISED),
    )
}
SENT = "initiative.submitted"
ANSWERS = ("initiative.changes_requested", "initiative.published", "initiative.rejected")
# What moves money of an initiative and is no gift: the municipality pays it out, or makes good what was stolen.
NO_GIFT = (Kind.PAYOUT_PAID, Kind.PAYOUT_BOUNCED, Kind.OBJECTION_BORNE)

_PLACES = text("""
    SELECT i.id, CASE a.level WHEN 'neighbourhood' THEN a.parent_id WHEN 'district' THEN a.id END
    FROM initiatives i JOIN areas a ON a.id = i.area_id
""")
_EVENTS = text("""
    SELECT subject_id, kind, happened_at FROM events
    WHERE subject = 'initiative' AND kind = ANY(:kinds) ORDER BY subject_id, id
""")
_MONEY = text("""
    SELECT EXTRACT(YEAR FROM t.booked_at AT TIME ZONE 'Europe/Amsterdam')::int, p.initiative_id,
           CASE WHEN t.kind IN ('voucher_given', 'voucher_returned') THEN 'vouchers_cents'
                WHEN d.is_organisation THEN 'organisations_cents' ELSE 'residents_cents' END,
           SUM(p.amount_cents)::bigint,
           COUNT(*) FILTER (WHERE t.kind IN ('voucher_given', 'payment_received'))
               - COUNT(*) FILTER (WHERE t.kind = 'voucher_returned')
    FROM ledger_postings p
    JOIN ledger_transactions t ON t.id = p.transaction_id
    LEFT JOIN donations d ON d.id = t.donation_id
    WHERE p.account = 'initiative' AND t.kind <> ALL(:no_gift)
    GROUP BY 1, 2, 3
""")
_ORGANISERS = text("""
    SELECT o.initiative_id, i.published_at, o.role = 'initiator', o.account_id, LOWER(o.email)
    FROM organisers o JOIN initiatives i ON i.id = o.initiative_id
    WHERE i.published_at IS NOT NULL AND o.confirmed_at IS NOT NULL
""")
_HELPERS = text("""
    SELECT initiative_id, offered_at, account_id FROM help_offers WHERE state <> 'withdrawn'
""")


def count_all(session: Session, town_id: int) -> Figures:
    """All figures of all years. ``town_id`` is the municipality's own area."""
    places: dict[int, int | None] = {row[0]: row[1] for row in session.execute(_PLACES)}
    found = _Tally(town_id, places)
    events = session.execute(_EVENTS, {"kinds": [*STEPS, *ANSWERS]}).all()
    _count_steps(found, events)
    _count_answers(found, events)
    for year, initiative_id, name, cents, gifts in session.execute(
        _MONEY, {"no_gift": [kind.value for kind in NO_GIFT]}
    ):
        source = Figure(name)
        found.add(source, year, initiative_id, int(cents))
        found.add(
            Figure.VOUCHER_GIFTS if source == Figure.VOUCHERS_CENTS else Figure.MONEY_GIFTS, year, initiative_id, gifts
        )
    _count_people(found, session)
    return found.figures()


class _Tally:
    """Adds up, for the year and all years, for the district and the whole."""

    def __init__(self, town_id: int, places: dict[int, int | None]) -> None:
        self.town_id, self.places = town_id, places
        self.sums: Counter[Key] = Counter()
        self.people: dict[Key, set[str]] = defaultdict(set)
        self.days: dict[Key, list[int]] = defaultdict(list)

    def keys(self, figure: Figure, year: int, initiative_id: int) -> Iterator[Key]:
        """Where something of an initiative counts."""
        areas = {self.town_id, self.places.get(initiative_id) or self.town_id}
        return ((one, area, figure) for one in (year, ALL_YEARS) for area in areas)

    def add(self, figure: Figure, year: int, initiative_id: int, number: int = 1) -> None:
        """Add a number."""
        for key in self.keys(figure, year, initiative_id):
            self.sums[key] += number

    def see(self, figure: Figure, year: int, initiative_id: int, person: str) -> None:
        """Somebody took part: each counts once."""
        for key in self.keys(figure, year, initiative_id):
            self.people[key].add(person)

    def figures(self) -> Figures:
        """All that is not nought."""
        counted: Figures = {key: number for key, number in self.sums.items() if number}
        counted |= {key: len(people) for key, people in self.people.items()}
        for (year, area_id, _figure), days in self.days.items():
            counted[year, area_id, Figure.ANSWERS] = len(days)
            counted[year, area_id, Figure.ANSWER_TENTHS] = round(median(days) * 10)
        return counted


def _year_of(moment: dt.datetime) -> int:
    return local_date(moment).year


def _count_steps(found: _Tally, events: Iterable[Row[*tuple[Any, ...]]]) -> None:
    """Each step of an initiative counts in the year in which it came there first."""
    seen = set()
    for initiative_id, kind, moment in events:
        if kind in STEPS and (initiative_id, kind) not in seen:
            seen.add((initiative_id, kind))
            found.add(STEPS[kind], _year_of(moment), initiative_id)


def _count_answers(found: _Tally, events: Iterable[Row[*tuple[Any, ...]]]) -> None:
    """From each sending to the answer to it, in working days, in the year of the answer."""
    waits: dict[int, dt.datetime] = {}
    for initiative_id, kind, moment in events:
        if kind == SENT:
            waits[initiative_id] = moment
        elif kind in ANSWERS and (sent := waits.pop(initiative_id, None)) is not None:
            days = working_days_between(local_date(sent), local_date(moment))
            for key in found.keys(Figure.ANSWER_TENTHS, _year_of(moment), initiative_id):
                found.days[key].append(days)


def _count_people(found: _Tally, session: Session) -> None:
    """Organisers and helpers, each once; who began something for the first time in that year."""
    rows = session.execute(_ORGANISERS).all()
    accounts = {email: account_id for *_rest, account_id, email in rows if account_id is not None}
    first: dict[str, tuple[dt.datetime, int]] = {}
    for initiative_id, published_at, is_initiator, account_id, email in rows:
        known = account_id or accounts.get(email)
        person, year = str(known) if known else email, _year_of(published_at)
        for figure in (Figure.ORGANISERS, Figure.INVOLVED, *((Figure.INITIATORS,) if is_initiator else ())):
            found.see(figure, year, initiative_id, person)
        if is_initiator:
            first[person] = min((published_at, initiative_id), first.get(person, (published_at, initiative_id)))
    for person, (moment, initiative_id) in first.items():
        found.see(Figure.FIRST_TIMERS, _year_of(moment), initiative_id, person)
    for initiative_id, moment, account_id in session.execute(_HELPERS):
        for figure in (Figure.HELPERS, Figure.INVOLVED):
            found.see(figure, _year_of(moment), initiative_id, str(account_id))
