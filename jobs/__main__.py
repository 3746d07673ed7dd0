# SPDX-License-Identifier: EUPL-1.2
"""``python -m jobs``: the scheduler process. Several may run; an advisory lock lets one of them do each job."""

import datetime as dt
import logging
import signal
from types import FrameType

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask
from sqlalchemy.dialects.postgresql import insert

from abs_platform import clock, create_app
from abs_platform.clock import AMSTERDAM
from abs_platform.config import Settings
from abs_platform.database import transaction
from abs_platform.job_runs import ScheduledJob
from jobs.holding import name_this_process
from jobs.runner import run_job
from jobs.schedule import TIMETABLE, Entry

log = structlog.get_logger()

SECONDS_BETWEEN_SIGNS = 20
# Mail and money go on while longer jobs run; long work and the signs of life each have a thread of their own.
SIGNS = "signs"
EXECUTORS = {"default": 4, "do_work": 1, SIGNS: 1}


def _run(app: Flask, name: str, entry: Entry) -> None:
    with app.app_context():
        try:
            run_job(name, entry.job)
        except Exception:
            log.exception("job run failed", job=name)


def give_sign(app: Flask, scheduler: BlockingScheduler) -> None:
    """Write the timetable down with a sign of life, in one statement: /beheer/taken reads it."""
    next_times = {job.id: job.next_run_time for job in scheduler.get_jobs()}
    with app.app_context():
        try:
            write_timetable(next_times, clock.now())
        except Exception:
            log.exception("no sign of life could be given")


def write_timetable(next_times: dict[str, dt.datetime | None], now: dt.datetime) -> None:
    """The rows of the timetable as they are now."""
    rows = [
        {"job": name, "schedule": entry.when, "next_run_at": next_times.get(name), "seen_at": now}
        for name, entry in sorted(TIMETABLE.items())
    ]
    new = insert(ScheduledJob).values(rows)
    changed = {name: new.excluded[name] for name in ("schedule", "next_run_at", "seen_at")}
    with transaction() as session:
        session.execute(new.on_conflict_do_update(index_elements=[ScheduledJob.job], set_=changed))


def make_scheduler(app: Flask) -> BlockingScheduler:
    """The timetable as a scheduler. A run that is missed is made up for once, and none overlaps itself."""
    scheduler = BlockingScheduler(
        timezone=AMSTERDAM,
        executors={name: ThreadPoolExecutor(threads) for name, threads in EXECUTORS.items()},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    at_once = clock.now().astimezone(AMSTERDAM)
    for name, entry in TIMETABLE.items():
        executor = name if name in EXECUTORS else "default"
        scheduler.add_job(
            _run, entry.trigger, args=(app, name, entry), id=name, next_run_time=at_once, executor=executor
        )
    every = IntervalTrigger(seconds=SECONDS_BETWEEN_SIGNS)
    scheduler.add_job(give_sign, every, args=(app, scheduler), id=SIGNS, next_run_time=at_once, executor=SIGNS)
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)  # a run that lasts beyond its turn is no news
    return scheduler


def main() -> None:
    """Run until told to stop; a job that is going on is finished first."""
    name_this_process()
    app = create_app(Settings.from_env())
    scheduler = make_scheduler(app)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if not scheduler.running:
            raise SystemExit(0)
        scheduler.shutdown(wait=False)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("jobs started", jobs=sorted(TIMETABLE))
    scheduler.start()


if __name__ == "__main__":
    main()
