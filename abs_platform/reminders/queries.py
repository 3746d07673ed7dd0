# SPDX-License-Identifier: EUPL-1.2
"""Who is to be reminded of what today."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from abs_platform.accountability.models import Accountability
from abs_platform.accountability.states import AccountabilityState
from abs_platform.accounts.queries import district_managers
from abs_platform.clock import local_date
from abs_platform.donations.queries import confirmed_total
from abs_platform.events import Event
from abs_platform.initiatives.models import Initiative, Organiser, Proposal
from abs_platform.initiatives.states import InitiativeState, OrganiserRole
from abs_platform.moderation.queue import WAITING, lines_of
from abs_platform.moderation.states import WaitingKind
from abs_platform.working_days import (
    add_working_days,
    answer_by,
    is_working_day,
    latest_overdue_moment,
    working_days_between,
)

DAY = dt.timedelta(days=1)
# What became due longer ago than this is not told any more: after a long silence nobody wants a heap of old mail.
STILL_TOLD = 30 * DAY
CO_ORGANISER_AFTER = (3, 7)
DRAFT_AFTER, CHANGES_AFTER, BEGIN_AFTER, ACCOUNT_AFTER, DEADLINE_BEFORE = 14, 14, 30, 60, 14
MONTH, MOST_MONTHS = 30, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One mail to the organisers of an initiative. ``mark`` makes the event: when it stays the same, it was told."""

    template: str
    initiative_id: int
    mark: str
    context: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.template} {self.initiative_id}"


def due_to_organisers(session: Session, now: dt.datetime) -> list[Reminder]:
    """All that organisers are to be reminded of now."""
    kinds = (_drafts, _changes, _begin, _accounts, _deadlines)
    return [reminder for kind in kinds for reminder in kind(session, now)]


def _became_due(since: dt.datetime, days: int, now: dt.datetime) -> bool:
    """Whether so many days have passed since then, and not a month more."""
    return since + days * DAY <= now < since + days * DAY + STILL_TOLD


def _drafts(session: Session, now: dt.datetime) -> Iterator[Reminder]:
    """Nobody wrote at it for two weeks."""
    touched = func.coalesce(Proposal.saved_at, Initiative.created_at)
    rows = session.execute(
        select(Initiative.id, Initiative.title, touched.label("since"))
        .outerjoin(Proposal, Proposal.initiative_id == Initiative.id)
        .where(Initiative.state == InitiativeState.DRAFT.value)
        .order_by(Initiative.id)
    )
    yield from _since(rows.all(), "reminder_draft", DRAFT_AFTER, now)


def _changes(session: Session, now: dt.datetime) -> Iterator[Reminder]:
    """The desk asked for something, and nothing was done for two weeks."""
    asked = _event("initiative.changes_requested")
    rows = session.execute(
        select(
            Initiative.id,
            Initiative.title,
            asked.label("since"),
            func.greatest(asked, func.coalesce(Proposal.saved_at, asked)).label("touched"),
        )
        .outerjoin(Proposal, Proposal.initiative_id == Initiative.id)
        .where(Initiative.state == InitiativeState.CHANGES_REQUESTED.value)
        .order_by(Initiative.id)
    )
    for row in rows:
        if row.touched is not None and _became_due(row.touched, CHANGES_AFTER, now):
            yield _reminder(row, "reminder_changes", mark=row.touched)


def _begin(session: Session, now: dt.datetime) -> Iterator[Reminder]:
    """The money was there a month ago, and they did not begin."""
    rows = session.execute(
        select(Initiative.id, Initiative.title, Initiative.ended_at.label("since"))
        .where(Initiative.state == InitiativeState.FUNDED.value, Initiative.ended_at.is_not(None))
        .order_by(Initiative.id)
    )
    yield from _since(rows.all(), "reminder_begin", BEGIN_AFTER, now)


def _accounts(session: Session, now: dt.datetime) -> Iterator[Reminder]:
    """They began two months ago and did not tell yet how it went; then once a month."""
    is_told = Accountability.state.in_([AccountabilityState.SUBMITTED.value, AccountabilityState.APPROVED.value])
    rows = session.execute(
        select(Initiative.id, Initiative.title, _event("initiative.in_progress").label("since"))
        .outerjoin(Accountability, Accountability.initiative_id == Initiative.id)
        .where(Initiative.state == InitiativeState.IN_PROGRESS.value, is_told.is_not(true()))
        .order_by(Initiative.id)
    )
    for row in rows:
        months = -1 if row.since is None else ((now - row.since).days - ACCOUNT_AFTER) // MONTH
        if 0 <= months < MOST_MONTHS:
            context = {"title": row.title, "begun_on": local_date(row.since)}
            yield Reminder(template="accountability_due", initiative_id=row.id, mark=f"month-{months}", context=context)


def _deadlines(session: Session, now: dt.datetime) -> Iterator[Reminder]:
    """Two weeks to go and less than half is there."""
    today, total = local_date(now), confirmed_total(Initiative.id)
    rows = session.execute(
        select(Initiative.id, Initiative.title, Initiative.deadline_on, Initiative.target_cents, total.c.cents)
        .join(total, true())
        .where(
            Initiative.state == InitiativeState.PUBLISHED.value,
            Initiative.deadline_on > today,
            Initiative.deadline_on <= today + DEADLINE_BEFORE * DAY,
            total.c.cents * 2 < Initiative.target_cents,
        )
        .order_by(Initiative.id)
    )
    for row in rows:
        context = {
            "title": row.title,
            "days": (row.deadline_on - today).days,
            "deadline_on": row.deadline_on,
            "raised_cents": int(row.cents),
            "target_cents": row.target_cents,
        }
        mark = row.deadline_on.isoformat()
        yield Reminder(template="reminder_deadline", initiative_id=row.id, mark=mark, context=context)


def _since(rows: Iterable[Any], template: str, days: int, now: dt.datetime) -> Iterator[Reminder]:
    return (_reminder(row, template, mark=row.since) for row in rows if _became_due(row.since, days, now))


def _reminder(row: Any, template: str, *, mark: dt.datetime) -> Reminder:
    context = {"title": row.title, "since": local_date(row.since)}
    return Reminder(template=template, initiative_id=row.id, mark=f"{mark:%Y%m%d%H%M%S}", context=context)


def _event(kind: str) -> Any:
    """When this happened last to the initiative of the row."""
    return (
        select(func.max(Event.happened_at))
        .where(Event.subject == "initiative", Event.subject_id == Initiative.id, Event.kind == kind)
        .scalar_subquery()
    )


def due_to_co_organisers(session: Session, now: dt.datetime) -> list[tuple[int, int]]:
    """Who was asked to carry an initiative and said nothing: number of the organiser, and after how many days."""
    rows = session.execute(
        select(Organiser.id, Organiser.invited_at)
        .join(Initiative, Initiative.id == Organiser.initiative_id)
        .where(
            Organiser.role == OrganiserRole.CO_ORGANISER.value,
            Organiser.invited_at.is_not(None),
            Organiser.confirmed_at.is_(None),
            Organiser.declined_at.is_(None),
            Initiative.state.in_([InitiativeState.DRAFT.value, InitiativeState.CHANGES_REQUESTED.value]),
        )
        .order_by(Organiser.id)
    )
    first, second = CO_ORGANISER_AFTER
    found = []
    for organiser_id, invited_at in rows:
        if invited_at is None:
            continue
        if _became_due(invited_at, second, now):
            found.append((organiser_id, second))
        elif _became_due(invited_at, first, now):
            found.append((organiser_id, first))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgentItem:
    """What is late at a desk, or due on the next working day at the latest. Working days; below zero is late."""

    title: str
    kind_label: str
    answer_by: dt.date
    days_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffDigest:
    """What one member of staff must do before the end of the next working day."""

    account_id: int
    email: str
    name: str
    items: list[UrgentItem]

    def __str__(self) -> str:
        return f"staff {self.account_id}"


def due_to_staff(session: Session, now: dt.datetime, *, days: int) -> list[StaffDigest]:
    """On working days: what is late or due tomorrow, for who works at that desk today. ``days`` is the term."""
    today = local_date(now)
    if not is_working_day(today):
        return []
    lines = lines_of(WAITING)
    urgent = latest_overdue_moment(add_working_days(today, 2), days)
    rows = session.execute(
        select(lines.c.desk_area_id, lines.c.kind, lines.c.since, Initiative.title)
        .join(Initiative, Initiative.id == lines.c.initiative_id)
        .where(lines.c.since < urgent, lines.c.desk_area_id.is_not(None))
        .order_by(lines.c.since, lines.c.initiative_id)
    )
    at_desk: dict[int, list[UrgentItem]] = defaultdict(list)
    for desk_area_id, kind, since, title in rows:
        due = answer_by(since, days)
        left, label = working_days_between(today, due), WaitingKind(kind).label
        at_desk[desk_area_id].append(UrgentItem(title=title, kind_label=label, answer_by=due, days_left=left))
    people: dict[int, StaffDigest] = {}
    for desk_area_id, items in at_desk.items():
        for account_id, email, name in district_managers(session, desk_area_id, today):
            person = people.setdefault(account_id, StaffDigest(account_id=account_id, email=email, name=name, items=[]))
            person.items.extend(items)
    return list(people.values())
