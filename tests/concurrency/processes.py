# SPDX-License-Identifier: EUPL-1.2
"""The app in processes of its own, on the database of a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from flask import Flask

from abs_platform.config import ROOT_DIR, Settings


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


def start(app: Flask, log: Path, *arguments: str, database_url: str | None = None) -> subprocess.Popen[bytes]:
    """Start Python with these arguments; what it says goes to the log."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT_DIR,
            env=environment(app, database_url),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
