# SPDX-License-Identifier: EUPL-1.2
"""Until when an answer was promised: for one initiative, as organisers read it too, and for each desk together."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from abs_platform.accounts.queries import names_of
from abs_platform.areas.models import Area
from abs_platform.clock import local_date
from abs_platform.initiatives.models import Initiative
from abs_platform.moderation.queries import first_name
from abs_platform.moderation.queue import WAITING, lines_of
from abs_platform.moderation.states import WaitingKind
from abs_platform.working_days import answer_by, latest_overdue_moment, working_days_between


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The last day of an answer. ``days_left`` are working days, below zero after it. ``handler`` may be ""."""

    answer_by: dt.date
    days_left: int
    is_late: bool
    handler: str

    @property
    def handler_first_name(self) -> str:
        """How organisers know who deals with it."""
        return first_name(self.handler)


def promise_of(session: Session, initiative_id: int, *, now: dt.datetime, days: int) -> Promise | None:
    """What organisers and desk may count on, from what waits longest; None when nothing waits."""
    lines = lines_of(WAITING)
    row = session.execute(
        select(func.min(lines.c.since), Initiative.handler_id)
        .join(Initiative, Initiative.id == lines.c.initiative_id)
        .where(
            lines.c.initiative_id == initiative_id, lines.c.kind != WaitingKind.REPORT.value
        )  # that is between others
        .group_by(Initiative.id)
    ).first()
    if row is None:
        return None
    since, handler_id = row
    due = answer_by(since, days)
    handler = names_of(session, [handler_id]).get(handler_id, "") if handler_id else ""
    today = local_date(now)
    return Promise(answer_by=due, days_left=working_days_between(today, due), is_late=due < today, handler=handler)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskLoad:
    """What waits at one desk: how much, how much of it too long, and the first day that was promised."""

    desk_area_id: int
    desk: str
    waiting: int
    late: int
    first_answer_by: dt.date


def waiting_by_desk(session: Session, now: dt.datetime, *, days: int) -> list[DeskLoad]:
    """What waits at each desk where anything does, the fullest first: for the daily mail to who works there."""
    lines = lines_of(WAITING)
    is_late: ColumnElement[bool] = lines.c.since < latest_overdue_moment(local_date(now), days)
    late = func.count().filter(is_late)
    rows = session.execute(
        select(lines.c.desk_area_id, Area.name, func.count(), late, func.min(lines.c.since))
        .join(Area, Area.id == lines.c.desk_area_id)
        .group_by(lines.c.desk_area_id, Area.name)
        .order_by(func.count().desc(), lines.c.desk_area_id)
    )
    return [
        DeskLoad(
            desk_area_id=desk_area_id,
            desk=name,
            waiting=number,
            late=overdue,
            first_answer_by=answer_by(oldest, days),
        )
        for desk_area_id, name, number, overdue, oldest in rows
    ]
