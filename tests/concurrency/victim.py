# SPDX-License-Identifier: EUPL-1.2
"""A process for crash tests: it forks a child for each piece of work, and kills that with SIGKILL when it is told to.

Reads an order a line from stdin and answers with a line: whether the child was killed, how long it lived, how it ended.
All is imported before the fork, so that a child begins its work at once.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from flask import Flask

from abs_platform import create_app
from abs_platform.config import Settings
from abs_platform.database import transaction
from jobs.runner import run_job
from jobs.schedule import TIMETABLE
from tests.concurrency.editions import apply_edition


def _work(app: Flask, order: dict[str, Any]) -> None:
    now = dt.datetime.fromisoformat(order["now"])
    with app.app_context():
        if order["work"] == "import":
            with transaction() as session:
                apply_edition(
                    session, Path(order["bag"]), Path(order["key"]), app.extensions["settings"].municipality, now
                )
        else:
            run_job(order["work"], TIMETABLE[order["work"]].job, now)


def _child(app: Flask, order: dict[str, Any]) -> int:
    try:
        _work(app, order)
    except Exception:  # noqa: BLE001 - whatever it was, the test must see it
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    """Carry out orders until there are no more."""
    app = create_app(Settings.from_env())
    for line in sys.stdin:
        order = json.loads(line)
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            os._exit(_child(app, order))
        if order["kill_after"] is not None:
            time.sleep(order["kill_after"])
            os.kill(child, signal.SIGKILL)
        _pid, status = os.waitpid(child, 0)
        answer = {
            "killed": os.WIFSIGNALED(status),
            "seconds": time.monotonic() - started,
            "status": os.waitstatus_to_exitcode(status),
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
