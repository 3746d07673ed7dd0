# SPDX-License-Identifier: EUPL-1.2
"""The event log as the coordinator may read it.

What a giver did with one voucher (given, kept) is not in it: beside other events it would tell who gave to what
(rule 11). Of what staff did with a voucher, what it was given to is left out (``sentences.shown_details``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, literal_column, or_, select
from sqlalchemy.orm import Session

from abs_platform.accounts.queries import names_of
from abs_platform.actors import account_number
from abs_platform.events import Event

STAFF = "staff:"
# Written into the query and not sent beside it: so the planner knows that the partial indexes of events.py fit.
_BY_STAFF = Event.actor.like(literal_column("'staff:%'"))
_NOT_ONE_VOUCHER = Event.subject != literal_column("'voucher'")
_ONE_VOUCHER = Event.subject == literal_column("'voucher'")
ROWS_A_READ = 2_000
# Subjects that stand for one voucher or one gift of it.
OF_ONE_VOUCHER = ("voucher", "donation")


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened, and who did it, where that has a name."""

    kind: str
    happened_at: dt.datetime
    who: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What to look for. ``before``: only what was written before the event with this number."""

    subject: str = ""
    number: int | None = None
    account_id: int | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    words: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the log, the newest first. ``next_before`` leads to what is older; None when there is nothing."""

    events: list[Event]
    names: dict[int, str]
    next_before: int | None


def part(session: Session, filters: Filters, size: int) -> Part:
    """One page of the log. Two queries, however long the log is."""
    rows: list[Event] = list(session.scalars(_query(filters).limit(size + 1)))
    shown = rows[:size]
    return Part(shown, names_of(session, _staff_among(shown)), shown[-1].id if len(rows) > size else None)


def all_of(session: Session, filters: Filters) -> Iterator[Event]:
    """All that is looked for, the newest first, in little memory."""
    yield from session.scalars(_query(filters).execution_options(yield_per=ROWS_A_READ))


def staff_in_log(session: Session) -> dict[int, str]:
    """The names of staff who ever did something."""
    query = select(Event.actor).where(_BY_STAFF).distinct()
    numbers = {number for actor in session.scalars(query) if (number := account_number(actor)) is not None}
    return names_of(session, numbers)


def _query(filters: Filters) -> Select[Event]:
    query = select(Event).where(_may_be_shown()).order_by(Event.id.desc())
    for wanted in _conditions(filters):
        query = query.where(wanted)
    return query


def _may_be_shown() -> ColumnElement[bool]:
    return or_(Event.subject.not_in(OF_ONE_VOUCHER), _BY_STAFF)


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.subject == "voucher":
        yield from (_ONE_VOUCHER, _BY_STAFF)
    elif filters.subject:
        yield from (Event.subject == filters.subject, _NOT_ONE_VOUCHER)
    if filters.number is not None:
        yield Event.subject_id == filters.number
    if filters.account_id is not None:
        yield from (Event.actor == f"{STAFF}{filters.account_id}", _BY_STAFF)
    if filters.since is not None:
        yield Event.happened_at >= filters.since
    if filters.until is not None:
        yield Event.happened_at < filters.until
    if filters.words:
        yield Event.reason.is_not(None)
        yield Event.reason.icontains(filters.words, autoescape=True)
    if filters.before is not None:
        yield Event.id < filters.before


def happened_to(session: Session, subject: str, subject_id: int) -> list[Happening]:
    """What happened to one thing of the desk, newest first; the last hundred times."""
    of_it = select(Event).where(Event.subject == subject, Event.subject_id == subject_id)
    events = session.scalars(of_it.order_by(Event.id.desc()).limit(100)).all()
    numbers = {event.actor: account_number(event.actor) for event in events}
    names = names_of(session, (number for number in numbers.values() if number is not None))
    return [
        Happening(event.kind, event.happened_at, names.get(numbers[event.actor] or 0, ""), event.reason or "")
        for event in events
    ]


def _staff_among(events: list[Event]) -> set[int]:
    numbers = (account_number(event.actor) for event in events if event.actor.startswith(STAFF))
    return {number for number in numbers if number is not None}
