# SPDX-License-Identifier: EUPL-1.2
"""A process that sends the outbox once, for whoever kills it meanwhile."""

from __future__ import annotations

import datetime as dt
import sys

from abs_platform import create_app
from abs_platform.config import Settings
from jobs import send_outbox
from jobs.runner import run_job


def main() -> None:
    """Send at the moment that was given, again and again while the database thinks another still does."""
    app = create_app(Settings.from_env())
    with app.app_context():
        while run_job("send_outbox", send_outbox.run, dt.datetime.fromisoformat(sys.argv[1])) is None:
            pass


if __name__ == "__main__":
    main()
