# SPDX-License-Identifier: EUPL-1.2
"""The app in processes of its own, on the database of a test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from abs_platform.config import ROOT_DIR, Settings
from tests.concurrency.racing import PATIENCE


def environment(app: Flask, database_url: str | None = None) -> dict[str, str]:
    """What a process needs to be the same app, on the same database or another."""
    settings: Settings = app.extensions["settings"]
    return os.environ | {
        "ABS_ENV": "test",
        "ABS_INSTANCE_DIR": str(settings.instance_dir),
        "ABS_SECRET_KEY": settings.secret_key,
        "ABS_VOUCHER_KEY": settings.voucher_key.decode(),
        "DATABASE_URL": database_url or settings.database_url or "",
    }


@contextmanager
def running(
    app: Flask, number: int, *arguments: str, database_url: str | None = None
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many processes of Python with these arguments; those that still run at the end are told to stop."""
    env = environment(app, database_url)
    processes = [subprocess.Popen([sys.executable, *arguments], cwd=ROOT_DIR, env=env) for _number in range(number)]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(PATIENCE)
