# SPDX-License-Identifier: EUPL-1.2
"""``python -m jobs``: the scheduler process. Several may run; an advisory lock lets one of them do each job."""

import signal
from types import FrameType

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler
from flask import Flask

from abs_platform import clock, create_app
from abs_platform.clock import AMSTERDAM
from abs_platform.config import Settings
from jobs.runner import run_job
from jobs.schedule import TIMETABLE, Entry

log = structlog.get_logger()


def _run(app: Flask, name: str, entry: Entry) -> None:
    with app.app_context():
        try:
            run_job(name, entry.job)
        except Exception:
            log.exception("job run failed", job=name)


def make_scheduler(app: Flask) -> BlockingScheduler:
    """The timetable as a scheduler. A run that is missed is made up for once, and none overlaps itself."""
    scheduler = BlockingScheduler(
        timezone=AMSTERDAM,
        executors={"default": ThreadPoolExecutor(4)},  # mail goes on while longer jobs run
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for name, entry in TIMETABLE.items():
        scheduler.add_job(
            _run, entry.trigger, args=(app, name, entry), id=name, next_run_time=clock.now().astimezone(AMSTERDAM)
        )
    return scheduler


def main() -> None:
    """Run until told to stop; a job that is going on is finished first."""
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
