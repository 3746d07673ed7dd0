# SPDX-License-Identifier: EUPL-1.2
"""What waits at the desks, oldest first: one list of several kinds, its filters and their counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from babel.dates import format_date
from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    SQLColumnExpression,
    Subquery,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from abs_platform.accountability.models import Accountability
from abs_platform.accountability.states import AccountabilityState
from abs_platform.accounts.queries import names_of
from abs_platform.areas.models import Area
from abs_platform.areas.states import AreaLevel
from abs_platform.clock import local_date
from abs_platform.donations.models import Donation
from abs_platform.donations.states import DonationState
from abs_platform.initiatives.models import Initiative, Organiser, Proposal
from abs_platform.initiatives.permissions import CHANGEABLE_STATES, SENT_STATES
from abs_platform.initiatives.states import InitiativeState, OrganiserRole
from abs_platform.moderation.models import Message
from abs_platform.moderation.states import Side, WaitingKind
from abs_platform.objections.models import Objection
from abs_platform.objections.states import ObjectionState
from abs_platform.paging import Page, page_of
from abs_platform.paper.models import EntryBatch
from abs_platform.paper.states import BatchState
from abs_platform.payouts.models import Payout
from abs_platform.payouts.states import PayoutState
from abs_platform.questions.models import Post, Report
from abs_platform.working_days import add_working_days, latest_overdue_moment, working_days_between

PAGE_SIZE = 50
NOBODY = 0


def _source(kind: WaitingKind | None, since: SQLColumnExpression[Any]) -> Select[Any]:
    """One kind of what can wait, in the columns that all kinds share."""
    named: ColumnElement[Any] = literal(kind.value) if kind else null()
    return select(
        named.label("kind"),
        Initiative.id.label("initiative_id"),
        since.label("since"),
        Initiative.desk_area_id,
        func.coalesce(Initiative.handler_id, NOBODY).label("handler_id"),
        Initiative.state,
    )


_UNANSWERED = (
    select(Message.initiative_id, func.min(Message.sent_at).label("since"))
    .where(Message.side == Side.ORGANISER.value, Message.handled_at.is_(None))
    .group_by(Message.initiative_id)
    .subquery("unanswered")
)
_REPORTED = (
    select(Post.initiative_id, func.min(Report.reported_at).label("since"))
    .join(Report, Report.post_id == Post.id)
    .where(Report.settled_at.is_(None), Post.hidden_at.is_(None))
    .group_by(Post.initiative_id)
    .subquery("reported")
)
_ENTERED = (
    select(EntryBatch.initiative_id, func.min(EntryBatch.waiting_since).label("since"))
    .where(EntryBatch.state == BatchState.WAITING.value)
    .group_by(EntryBatch.initiative_id)
    .subquery("entered")
)
_OBJECTED = (
    select(Donation.initiative_id, func.min(Objection.raised_at).label("since"))
    .join(Donation, Donation.id == Objection.donation_id)
    .where(Objection.state == ObjectionState.OPEN.value, Donation.state == DonationState.CONFIRMED.value)
    .group_by(Donation.initiative_id)
    .subquery("objected")
)
# Every kind of what can wait is one select here, with the moment from which its answer-by date is counted. A new kind
# is a member of WaitingKind and a line in this list.
WAITING: list[Select[Any]] = [
    _source(WaitingKind.SUBMITTED, Initiative.submitted_at).where(Initiative.state == InitiativeState.SUBMITTED.value),
    _source(WaitingKind.CHANGE, Proposal.sent_at)
    .join(Proposal, Proposal.initiative_id == Initiative.id)
    .where(Proposal.sent_at.is_not(None), Initiative.state.in_([state.value for state in CHANGEABLE_STATES])),
    _source(WaitingKind.MESSAGE, _UNANSWERED.c.since).join(_UNANSWERED, _UNANSWERED.c.initiative_id == Initiative.id),
    _source(WaitingKind.ACCOUNTABILITY, Accountability.submitted_at)
    .join(Accountability, Accountability.initiative_id == Initiative.id)
    .where(
        Accountability.state == AccountabilityState.SUBMITTED.value,
        Initiative.state == InitiativeState.IN_PROGRESS.value,
    ),
    _source(WaitingKind.PAYOUT, Payout.requested_at)
    .join(Payout, Payout.initiative_id == Initiative.id)
    .where(Payout.state == PayoutState.REQUESTED.value),
    _source(WaitingKind.REPORT, _REPORTED.c.since).join(_REPORTED, _REPORTED.c.initiative_id == Initiative.id),
    _source(WaitingKind.LARGE_BATCH, _ENTERED.c.since).join(_ENTERED, _ENTERED.c.initiative_id == Initiative.id),
    _source(WaitingKind.OBJECTION, _OBJECTED.c.since).join(_OBJECTED, _OBJECTED.c.initiative_id == Initiative.id),
]
_EVERYTHING: list[Select[Any]] = [
    _source(None, func.coalesce(Initiative.submitted_at, Initiative.created_at)).where(
        Initiative.state.in_([state.value for state in SENT_STATES]), Initiative.desk_area_id.is_not(None)
    )
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which part of the list. ``desks`` None is every desk; ``handler_id`` 0 is nobody and None is anybody."""

    desks: frozenset[int] | None = None
    kind: WaitingKind | None = None
    handler_id: int | None = None
    only_late: bool = False
    state: InitiativeState | None = None
    search: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the list. ``days_left`` are working days until ``answer_by``, below zero after it.

    ``due`` is that day in short: "vr 4 dec".
    """

    kind: WaitingKind | None
    initiative_id: int
    title: str
    initiator: str
    state: InitiativeState
    desk_area_id: int
    place: str
    handler_id: int
    handler: str
    since: dt.datetime
    answer_by: dt.date
    due: str
    days_left: int
    is_late: bool
    days_waiting: int


@dataclass(slots=True)
class Counts:
    """How many lines each value of each filter would show, with the other filters as they are."""

    total: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    desks: dict[int, int] = field(default_factory=dict)
    handlers: dict[int, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A page of the list, and the counts beside its filters."""

    page: Page[Item]
    counts: Counts
    handler_names: dict[int, str]


def waiting(session: Session, filters: Filters, *, now: dt.datetime, days: int, page: int = 1) -> Queue:
    """What waits, oldest first: so what is late stands on top. ``days`` is the term in working days."""
    return _read(session, WAITING, filters, now=now, days=days, page=page, newest_first=False)


def everything(session: Session, filters: Filters, *, now: dt.datetime, days: int, page: int = 1) -> Queue:
    """All initiatives that were ever sent, newest first."""
    return _read(session, _EVERYTHING, replace(filters, kind=None), now=now, days=days, page=page, newest_first=True)


def _read(
    session: Session,
    sources: Sequence[Select[Any]],
    filters: Filters,
    *,
    now: dt.datetime,
    days: int,
    page: int,
    newest_first: bool,
) -> Queue:
    today = local_date(now)
    lines = lines_of(sources, filters.search)
    is_late: ColumnElement[bool] = lines.c.since < latest_overdue_moment(today, days)
    counts = _count(session, lines, filters, is_late)
    window = page_of(counts.total, page, PAGE_SIZE)
    names = names_of(session, set(counts.handlers) - {NOBODY})
    items = []
    if counts.total:
        # What stands on the page is chosen first, so that only that is joined with the rest.
        page_of_lines = (
            select(lines).where(*_conditions(lines, filters, is_late)).order_by(*_order(lines, newest_first))
        )
        chosen = page_of_lines.limit(PAGE_SIZE).offset(window.offset).subquery("chosen")
        rows = session.execute(_item_rows(chosen, *_order(chosen, newest_first)))
        items = [_item(row, names, today, days) for row in rows]
    shown = Page(items=items, number=window.number, pages=window.pages, total=counts.total)
    return Queue(page=shown, counts=counts, handler_names=names)


def lines_of(sources: Sequence[Select[Any]], search: str = "") -> CTE:
    """All that waits as one list, of the kinds that are given."""
    found = union_all(*sources) if len(sources) > 1 else sources[0]
    if not search:
        return found.cte("lines")
    everything_there = found.cte("everything_there")
    searched = select(Initiative.id).where(_matches(search))
    return select(everything_there).where(everything_there.c.initiative_id.in_(searched)).cte("lines")


def _matches(search: str) -> ColumnElement[bool]:
    """By number, by title, or by the name of an organiser."""
    named = select(Organiser.initiative_id).where(Organiser.name.icontains(search, autoescape=True))
    number = search.removeprefix("#")
    is_number = number.isascii() and number.isdecimal() and len(number) < 19
    by_number = Initiative.id == (int(number) if is_number else NOBODY)
    return or_(by_number, Initiative.title.icontains(search, autoescape=True), Initiative.id.in_(named))


def _conditions(lines: CTE, filters: Filters, is_late: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    """What the filters ask of a line."""
    asked = [is_late] if filters.only_late else []
    if filters.desks is not None:
        asked.append(lines.c.desk_area_id.in_(filters.desks))
    if filters.kind is not None:
        asked.append(lines.c.kind == filters.kind.value)
    if filters.handler_id is not None:
        asked.append(lines.c.handler_id == filters.handler_id)
    if filters.state is not None:
        asked.append(lines.c.state == filters.state.value)
    return asked


def _order(lines: CTE | Subquery, newest_first: bool) -> list[ColumnElement[Any]]:
    return [lines.c.since.desc() if newest_first else lines.c.since, lines.c.initiative_id, lines.c.kind]


def _count(session: Session, lines: CTE, filters: Filters, is_late: ColumnElement[bool]) -> Counts:
    """All counts in one query. Each filter counts what the others leave, so that a choice says what it would show."""
    columns = (lines.c.kind, lines.c.desk_area_id, lines.c.handler_id, lines.c.state, is_late.label("late"))
    counts = Counts()
    for *values, number in session.execute(select(*columns, func.count()).group_by(*columns)):
        kind, desk_area_id, handler_id, state, late = values
        passes = {
            "kind": filters.kind is None or kind == filters.kind,
            "desk": filters.desks is None or desk_area_id in filters.desks,
            "handler": filters.handler_id is None or handler_id == filters.handler_id,
            "state": filters.state is None or state == filters.state,
            "late": late or not filters.only_late,
        }
        refused = {name for name, passed in passes.items() if not passed}
        counts.total += 0 if refused else number
        counts.late += number if late and refused <= {"late"} else 0
        for name, value in (("kind", kind), ("desk", desk_area_id), ("handler", handler_id), ("state", state)):
            if refused <= {name}:
                found: dict[Any, int] = getattr(counts, f"{name}s")
                found[value] = found.get(value, 0) + number
    return counts


def _item_rows(chosen: Subquery, *order: ColumnElement[Any]) -> Select[Any]:
    area, parent = aliased(Area), aliased(Area)
    is_initiator = (Organiser.initiative_id == Initiative.id) & (Organiser.role == OrganiserRole.INITIATOR.value)
    return (
        select(chosen, Initiative.title, Organiser.name.label("initiator"), area.name, area.level, parent.name)
        .join(Initiative, Initiative.id == chosen.c.initiative_id)
        .join(area, area.id == Initiative.area_id)
        .outerjoin(parent, parent.id == area.parent_id)
        .outerjoin(Organiser, is_initiator)
        .order_by(*order)
    )


def _item(row: Any, names: dict[int, str], today: dt.date, days: int) -> Item:
    kind, initiative_id, since, desk_area_id, handler_id, state, title, initiator, *area = row
    area_name, level, parent_name = area
    sent_on = local_date(since)
    due, days_left, days_waiting, words = _term(sent_on, today, days)
    is_neighbourhood = level == AreaLevel.NEIGHBOURHOOD and parent_name != area_name
    return Item(
        kind=WaitingKind(kind) if kind else None,
        initiative_id=initiative_id,
        title=title,
        initiator=initiator or "",
        state=InitiativeState(state),
        desk_area_id=desk_area_id,
        place=f"{area_name}, {parent_name}" if is_neighbourhood else area_name,
        handler_id=handler_id,
        handler=names.get(handler_id, ""),
        since=since,
        answer_by=due,
        due=words,
        days_left=days_left,
        is_late=due < today,
        days_waiting=days_waiting,
    )


@lru_cache(maxsize=1_000)
def _term(sent_on: dt.date, today: dt.date, days: int) -> tuple[dt.date, int, int, str]:
    """The promised day, working days until then and since it was sent, and the day in words; many lines share it."""
    due = add_working_days(sent_on, days)
    words: str = format_date(due, "EEE d MMM", locale="nl")
    return due, working_days_between(today, due), working_days_between(sent_on, today), words
