# SPDX-License-Identifier: EUPL-1.2
"""Until when an answer was promised for an initiative, as its organisers read it too."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.accounts.queries import names_of
from abs_platform.clock import local_date
from abs_platform.initiatives.models import Initiative
from abs_platform.moderation.queries import first_name
from abs_platform.moderation.queue import WAITING, lines_of
from abs_platform.moderation.states import WaitingKind
from abs_platform.working_days import answer_by, working_days_between


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
