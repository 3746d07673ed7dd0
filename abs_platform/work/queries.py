# SPDX-License-Identifier: EUPL-1.2
"""Orders for long work as pages and the job process see them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from abs_platform.job_runs import JobRun, ScheduledJob
from abs_platform.paging import Page, page_of
from abs_platform.work.models import WorkOrder
from abs_platform.work.states import LIVING, WorkKind, WorkState

LEFT_AFTER = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderView:
    """An order as it stands. ``percent`` is None as long as nobody knows how much there is to do."""

    id: int
    kind: WorkKind
    key: str
    params: dict[str, Any]
    state: WorkState
    account_id: int | None
    asked_at: dt.datetime
    began_at: dt.datetime | None
    ended_at: dt.datetime | None
    attempts: int
    done: int
    total: int
    result: dict[str, Any]
    error: str

    @property
    def is_living(self) -> bool:
        """Whether it waits or runs: its page looks again."""
        return self.state in LIVING

    @property
    def percent(self) -> int | None:
        """How far it is, in whole percents."""
        return min(100, self.done * 100 // self.total) if self.total else None


def view_of(row: WorkOrder) -> WorkOrderView:
    """A row as a view."""
    return WorkOrderView(
        id=row.id,
        kind=WorkKind(row.kind),
        key=row.key,
        params=row.params,
        state=WorkState(row.state),
        account_id=row.account_id,
        asked_at=row.asked_at,
        began_at=row.began_at,
        ended_at=row.ended_at,
        attempts=row.attempts,
        done=row.done_count,
        total=row.total_count,
        result=row.result or {},
        error=row.error or "",
    )


def order_of(session: Session, order_id: int) -> WorkOrderView | None:
    """One order."""
    row = session.get(WorkOrder, order_id)
    return None if row is None else view_of(row)


def latest(session: Session, kind: WorkKind, key_prefix: str = "") -> WorkOrderView | None:
    """The newest order of a kind whose key begins like this."""
    query = select(WorkOrder).where(WorkOrder.kind == kind, WorkOrder.key.startswith(key_prefix, autoescape=True))
    row = session.scalar(query.order_by(WorkOrder.id.desc()).limit(1))
    return None if row is None else view_of(row)


def of_kind_since(session: Session, kind: WorkKind, since: dt.datetime) -> list[WorkOrderView]:
    """The orders of a kind that were asked for since a moment, newest first."""
    query = select(WorkOrder).where(WorkOrder.kind == kind, WorkOrder.asked_at >= since)
    return [view_of(row) for row in session.scalars(query.order_by(WorkOrder.id.desc()))]


def newest(session: Session, limit: int) -> list[WorkOrderView]:
    """The newest orders of all kinds, newest first."""
    return [view_of(row) for row in session.scalars(select(WorkOrder).order_by(WorkOrder.id.desc()).limit(limit))]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job on the timetable with its last run. ``is_running``: a run without an end."""

    job: str
    schedule: str
    next_run_at: dt.datetime | None
    seen_at: dt.datetime | None
    last: JobRun | None

    @property
    def is_running(self) -> bool:
        """Whether it runs now, as far as the log of runs tells."""
        return self.last is not None and self.last.ended_at is None


def jobs(session: Session) -> list[JobRow]:
    """The timetable as the job process wrote it down, with the last run of each job. Two queries.

    A job that left the timetable is not written any more: its row is old beside the others.
    """
    newest_sign = select(func.max(ScheduledJob.seen_at)).scalar_subquery()
    still_there = ScheduledJob.seen_at > newest_sign - LEFT_AFTER
    newest_run = select(JobRun).ext(distinct_on(JobRun.job)).order_by(JobRun.job, JobRun.id.desc())
    last = {run.job: run for run in session.scalars(newest_run)}
    return [
        JobRow(
            job=row.job,
            schedule=row.schedule,
            next_run_at=row.next_run_at,
            seen_at=row.seen_at,
            last=last.get(row.job),
        )
        for row in session.scalars(select(ScheduledJob).where(still_there).order_by(ScheduledJob.job))
    ]


def find_job(session: Session, job: str) -> ScheduledJob | None:
    """A job of the timetable."""
    return session.get(ScheduledJob, job)


def runs_of(session: Session, job: str, number: int, size: int) -> Page[JobRun]:
    """The runs of one job, the newest first. Two queries."""
    total = session.scalar(select(func.count()).select_from(JobRun).where(JobRun.job == job)) or 0
    window = page_of(total, number, size)
    query = select(JobRun).where(JobRun.job == job).order_by(JobRun.id.desc()).offset(window.offset).limit(size)
    return Page(items=list(session.scalars(query)), number=window.number, pages=window.pages, total=total)
