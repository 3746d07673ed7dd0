# SPDX-License-Identifier: EUPL-1.2
"""A process whose children send the outbox once, for whoever kills them meanwhile.

An order a line: the environment and the moment; it answers with the number of the child, and then with how it ended.
All is imported before the fork, so that a child begins its work at once.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import traceback
from typing import Any

from abs_platform import create_app
from abs_platform.config import Settings
from jobs import send_outbox
from jobs.runner import run_job


def _send(order: dict[str, Any]) -> int:
    """Send at the moment that was given, again and again while the database thinks another still does."""
    os.dup2(2, 1)  # the answers alone are read
    try:
        os.environ.update(order["env"])
        app = create_app(Settings.from_env())
        with app.app_context():
            while run_job("send_outbox", send_outbox.run, dt.datetime.fromisoformat(order["now"])) is None:
                pass
    except Exception:  # noqa: BLE001 - whatever it was, the test must see it
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    """Carry out orders until there are no more."""
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_send(order))
        print(child, flush=True)
        _pid, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
