# SPDX-License-Identifier: EUPL-1.2
"""Runs a job: one process at a time, with a row in the log, and one bad item does not stop the rest."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import DBAPIError

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.job_runs import JobRun

log = structlog.get_logger()

Item = TypeVar("Item")
_LOCK_CLASS = 7_601


@dataclass(slots=True)
class JobReport:
    """What a run changed, and which items failed."""

    changed: int = 0
    errors: list[str] = field(default_factory=list)

    def each(self, items: Iterable[Item], work: Callable[[Item], int]) -> None:
        """Do the work for each item, which opens its own transaction; a failure is logged and the next item is done."""
        for item in items:
            try:
                self.changed += work(item)
            except Exception as error:
                log.exception("job item failed", item=str(item))
                self.errors.append(f"{item}: {type(error).__name__}: {error}")


Job = Callable[[dt.datetime], JobReport]


def run_job(name: str, job: Job, now: dt.datetime | None = None) -> JobReport | None:
    """Run a job and leave a row about it; None when another process is running it.

    The lock is of the session kind: the database lets go of it when the process dies, whatever it dies of.
    """
    now = now or clock.now()
    key = zlib.crc32(name.encode()) - 2**31
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        got = connection.scalar(text("SELECT pg_try_advisory_lock(:c, :k)"), {"c": _LOCK_CLASS, "k": key})
        if not got:
            return None
        try:
            return _run_alone(name, job, now)
        finally:
            with suppress(DBAPIError):  # a lost connection has lost its lock too
                connection.execute(text("SELECT pg_advisory_unlock(:c, :k)"), {"c": _LOCK_CLASS, "k": key})


def _run_alone(name: str, job: Job, now: dt.datetime) -> JobReport:
    with transaction() as session:
        session.execute(
            update(JobRun)
            .where(JobRun.job == name, JobRun.ended_at.is_(None))
            .values(ended_at=now, error="stopped half-way: the process was killed")
        )
        did_nothing = (JobRun.changed == 0, JobRun.error.is_(None), JobRun.ended_at.is_not(None))
        session.execute(delete(JobRun).where(JobRun.job == name, *did_nothing))  # of those the last one is enough
        run = JobRun(job=name, started_at=clock.now())
        session.add(run)
        session.flush()
        run_id = run.id
    report = JobReport(errors=["stopped half-way: the process was told to stop"])
    try:
        report = job(now)
    except Exception as failure:
        log.exception("job failed", job=name)
        report.errors = [f"{type(failure).__name__}: {failure}"]
    finally:
        db.session.rollback()
        with transaction() as session:
            ended = {"ended_at": clock.now(), "changed": report.changed, "error": "\n".join(report.errors) or None}
            session.execute(update(JobRun).where(JobRun.id == run_id).values(ended))
    if report.changed or report.errors:
        log.info("job done", job=name, changed=report.changed, errors=len(report.errors))
    return report


def last_runs() -> dict[str, JobRun]:
    """The last run of each job."""
    newest = select(JobRun).ext(distinct_on(JobRun.job)).order_by(JobRun.job, JobRun.id.desc())
    return {run.job: run for run in db.session.scalars(newest)}
