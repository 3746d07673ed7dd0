# SPDX-License-Identifier: EUPL-1.2
"""Runs a job: one process at a time, with a row in the log, and one bad item does not stop the rest.

Who runs a job holds a lock of a database session. The server frees it when that process dies, whatever it dies of. A
process that is only stopped keeps it (jobs/holding.py): when it was still for too long, another ends its sessions and
takes over, and the stopped one finds that out before its next item and gives up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.job_runs import JobRun
from jobs.holding import SILENT_AFTER_SECONDS, Hold, LockLost, check_hold, hold

log = structlog.get_logger()

Item = TypeVar("Item")
KILLED = "stopped half-way: the process was killed"
SILENT = "stopped half-way: the process did not answer, and another took over"
TOLD_TO_STOP = "stopped half-way: the process was told to stop"


@dataclass(slots=True)
class JobReport:
    """What a run changed, and which items failed."""

    changed: int = 0
    errors: list[str] = field(default_factory=list)

    def each(self, items: Iterable[Item], work: Callable[[Item], int]) -> None:
        """Do the work for each item, which opens its own transaction; a failure is logged and the next item is done."""
        for item in items:
            check_hold()
            try:
                self.changed += work(item)
            except LockLost:
                raise
            except Exception as error:
                check_hold(at_once=True)  # sessions that were ended by another process break items too
                log.exception("job item failed", item=str(item))
                self.errors.append(f"{item}: {type(error).__name__}: {error}")


Job = Callable[[dt.datetime], JobReport]


def run_job(
    name: str, job: Job, now: dt.datetime | None = None, *, silent_after: float = SILENT_AFTER_SECONDS
) -> JobReport | None:
    """Run a job and leave a row about it; None when another process is running it.

    ``silent_after``: for how many seconds that other may be still before this one takes over.
    """
    now = now or clock.now()
    with hold(name, silent_after) as held:
        return None if held is None else _run_alone(name, job, now, held)


def _run_alone(name: str, job: Job, now: dt.datetime, held: Hold) -> JobReport:
    run_id = _begin_run(name, now, SILENT if held.was_taken_over else KILLED)
    report = JobReport(errors=[TOLD_TO_STOP])
    try:
        with held.signs_of_life(run_id):
            report = job(now)
    except LockLost:
        log.warning("job was taken over by another process", job=name)
        report.errors = [SILENT]
    except Exception as failure:
        log.exception("job failed", job=name)
        report.errors = [f"{type(failure).__name__}: {failure}"]
    finally:
        db.session.rollback()
        with transaction() as session:
            ended = {"ended_at": clock.now(), "changed": report.changed, "error": "\n".join(report.errors) or None}
            is_ours = (JobRun.id == run_id, JobRun.ended_at.is_(None))  # who took over wrote its end already
            session.execute(update(JobRun).where(*is_ours).values(ended))
    if report.changed or report.errors:
        log.info("job done", job=name, changed=report.changed, errors=len(report.errors))
    return report


def _begin_run(name: str, now: dt.datetime, what_happened: str) -> int:
    """A row for this run; one that never ended gets its end now."""
    with transaction() as session:
        session.execute(
            update(JobRun)
            .where(JobRun.job == name, JobRun.ended_at.is_(None))
            .values(ended_at=now, error=what_happened)
        )
        did_nothing = (JobRun.changed == 0, JobRun.error.is_(None), JobRun.ended_at.is_not(None))
        session.execute(delete(JobRun).where(JobRun.job == name, *did_nothing))  # of those the last one is enough
        started = clock.now()
        run = JobRun(job=name, started_at=started, seen_at=started)
        session.add(run)
        session.flush()
        return run.id


def last_runs() -> dict[str, JobRun]:
    """The last run of each job."""
    newest = select(JobRun).ext(distinct_on(JobRun.job)).order_by(JobRun.job, JobRun.id.desc())
    return {run.job: run for run in db.session.scalars(newest)}
