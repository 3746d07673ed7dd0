# SPDX-License-Identifier: EUPL-1.2
"""A job process for tests: runs a job for each line "run" and answers in JSON; "pausing" ones stop in the middle.

Arguments: for how many seconds another may be silent, the job (do_work, or items: a job of three items), and "pausing".
A pausing process says "half" in the middle of its first transaction or item, and goes on at the next line.
"""

from __future__ import annotations

import datetime as dt
import json
import sys

from abs_platform import clock, create_app, events
from abs_platform.actors import Actor
from abs_platform.config import Settings
from abs_platform.database import transaction
from abs_platform.work.handling import Progress
from jobs import do_work
from jobs.holding import name_this_process
from jobs.runner import Job, JobReport, run_job

ITEMS = 3
_write_progress = Progress.__call__


def pause() -> None:
    """Say so, and wait to be told to go on."""
    print(json.dumps("half"), flush=True)
    sys.stdin.readline()


def pausing_progress(self: Progress, done: int) -> None:
    """Pause where a handler tells how far it is: in the middle of its transaction."""
    if done:
        pause()
    _write_progress(self, done)


def items_job(*, is_pausing: bool) -> Job:
    """A job that does each item once: an event for each that has none. It pauses before its first write."""

    def run(now: dt.datetime) -> JobReport:
        def work(item: int) -> int:
            with transaction() as session:
                done = events.latest_of(session, "item", item, {"item.done"}) is not None
            if done:
                return 0
            if is_pausing and item == 1:
                pause()
            with transaction() as session:
                events.record(session, "item.done", item, actor=Actor("job", "items"), now=now)
            return 1

        report = JobReport()
        report.each(range(ITEMS), work)
        return report

    return run


def main() -> None:
    """Run the job once for each line."""
    silent_after, name, is_pausing = float(sys.argv[1]), sys.argv[2], sys.argv[3:] == ["pausing"]
    name_this_process()
    app = create_app(Settings.from_env())
    if is_pausing:
        Progress.__call__ = pausing_progress
    job = do_work.run if name == "do_work" else items_job(is_pausing=is_pausing)
    for _line in sys.stdin:
        with app.app_context():
            report = run_job(name, job, clock.now(), silent_after=silent_after)
        answer = None if report is None else {"changed": report.changed, "errors": report.errors}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
