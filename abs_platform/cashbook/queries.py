# SPDX-License-Identifier: EUPL-1.2
"""The movements of the public books, page by page and all of them, and what a reader sees of each.

A movement is one transaction of the ledger (lines.py). The balance is what all initiatives together hold, or the one
whose book it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from abs_platform.cashbook.lines import ORDER, conditions, ordered, source
from abs_platform.cashbook.schemas import Cursor, Filters
from abs_platform.cashbook.states import STATES, sentence
from abs_platform.clock import end_of_day, local_date, start_of_day
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.queries import MAX_SLUG
from abs_platform.ledger.states import TransactionKind
from abs_platform.slugs import slugify

PAGE_SIZE = 50
DAYS_AT_ONCE = 7


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of a book. Cents; what comes in is positive.

    ``effect_cents`` is what it does to the balance, ``amount_cents`` what moved, also where the balance stays the same.
    ``balance_cents`` is what there was after it; none where a choice leaves movements out.
    """

    day: dt.date
    kind: TransactionKind
    is_organisation: bool
    initiative_id: int | None
    title: str | None
    giver_name: str | None
    round_name: str | None
    effect_cents: int
    amount_cents: int
    balance_cents: int | None

    @property
    def sentence(self) -> str:
        """What happened."""
        return sentence(self.kind, of_organisation=self.is_organisation)

    @property
    def is_gift(self) -> bool:
        """Whether it has a giver, named or not."""
        return self.kind in (TransactionKind.VOUCHER_GIVEN, TransactionKind.PAYMENT_RECEIVED)

    @property
    def slug(self) -> str:
        """The end of the initiative's address."""
        return slugify(self.title or "", MAX_SLUG) or "initiatief"


@dataclass(frozen=True, slots=True)
class MovementPage:
    """Some movements, newest first, and where the next page begins."""

    items: list[Movement]
    next: Cursor | None


def movements(
    session: Session, filters: Filters, after: Cursor | None = None, *, size: int = PAGE_SIZE
) -> MovementPage:
    """A page of the movements that were chosen, newest first, beginning after the last one that was shown.

    Whole days are put in order, so only the days that the page can reach into are read.
    """
    where, values = conditions(filters)
    if after is not None:
        where.append("t.booked_at < :day_end")
        values["day_end"] = end_of_day(after.day)
    edge = _edge(session, where, values, after, size)
    if edge is not None:
        where.append("t.booked_at >= :edge")
        values["edge"] = edge
    query = ordered(where, filters, edge, is_descending=True, is_continued=after is not None)
    if after is not None:
        values |= dict(zip(ORDER, (after.day, int(after.is_out), after.word, after.initiative_id), strict=False))
        values |= {"round_key": after.round_id, "amount_cents": after.amount_cents, "mark": after.mark}
        values["place"] = after.place
    rows = session.execute(text(f"{query} LIMIT :size"), values | {"size": size + 1}).all()
    last = rows[size - 1] if len(rows) > size else None
    return MovementPage([_movement(row, filters) for row in rows[:size]], None if last is None else _cursor(last))


def all_movements(bind: Engine, filters: Filters, now: dt.datetime) -> Iterator[Movement]:
    """Every movement that was chosen, oldest first, some days at a time: no long transaction, whatever the number.

    Days that are over do not change any more, so the balance can be carried from one piece to the next.
    """
    where, values = conditions(filters)
    with Session(bind) as session:
        first = session.scalar(text(f"SELECT MIN(t.booked_at) {source(where)}"), values)
    if first is None:
        return
    opening = 0 if filters.since is None else None
    for start, end in _pieces(local_date(first), local_date(now), whole=filters.initiative_id is not None):
        query = ordered(
            [*where, "t.booked_at >= :edge", "t.booked_at < :end"],
            filters,
            start,
            is_descending=False,
            opening=None if opening is None else "SELECT :opening",
        )
        with Session(bind) as session:
            rows = session.execute(text(query), values | {"edge": start, "end": end, "opening": opening}).all()
        for row in rows:
            yield _movement(row, filters)
        opening = rows[-1].balance_cents if rows else opening


def with_phase(session: Session, filters: Filters) -> Filters:
    """The choices with the initiatives that are in the chosen phase now."""
    if filters.phase is None:
        return filters
    states = [state.value for state in STATES[filters.phase]]
    found = session.scalars(
        select(Initiative.id).where(Initiative.state.in_(states), Initiative.published_at.is_not(None))
    )
    return replace(filters, in_phase=tuple(found))


def _edge(
    session: Session, where: list[str], values: dict[str, Any], after: Cursor | None, size: int
) -> dt.datetime | None:
    """The beginning of the oldest day that a page can reach into; none: it reaches to the very first."""
    before = list(where)
    if after is not None:
        # Of the day in which it begins all may have been shown already.
        before.append("t.booked_at < :day_start")
        values = values | {"day_start": start_of_day(after.day)}
    query = f"SELECT t.booked_at {source(before)} ORDER BY t.booked_at DESC OFFSET :size LIMIT 1"
    moment = session.scalar(text(query), values | {"size": size})
    return None if moment is None else start_of_day(local_date(moment))


def _pieces(first: dt.date, last: dt.date, *, whole: bool) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """The days between two, in pieces of a week or all at once, each with its beginning and its end."""
    days = (last - first).days + 1 if whole else DAYS_AT_ONCE
    while first <= last:
        following = first + dt.timedelta(days=days)
        yield start_of_day(first), start_of_day(following)
        first = following


def _movement(row: Any, filters: Filters) -> Movement:
    return Movement(
        day=row.day,
        kind=TransactionKind(row.kind),
        is_organisation=row.is_organisation,
        initiative_id=row.initiative_id,
        title=row.title,
        giver_name=row.giver_name,
        round_name=row.round_name,
        effect_cents=row.effect_cents,
        amount_cents=row.amount_cents,
        balance_cents=row.balance_cents if filters.has_balance else None,
    )


def _cursor(row: Any) -> Cursor:
    numbers = (row.initiative_key, row.round_key, row.amount_cents)
    return Cursor(row.day, bool(row.is_out), row.word, *numbers, row.mark, row.place)
