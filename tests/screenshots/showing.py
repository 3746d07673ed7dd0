# SPDX-License-Identifier: EUPL-1.2
"""A demo to look at, with a server and somebody of every kind signed in; it is left as it was."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flask import Flask
from sqlalchemy import delete
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from abs_platform import clock, create_app, migrating
from abs_platform.accounts.models import Account, AccountSession
from abs_platform.accounts.service import digest, start_session
from abs_platform.config import ROOT_DIR, Settings
from abs_platform.database import db, transaction
from abs_platform.demo.cli import money_env
from abs_platform.demo.loading import is_loaded
from abs_platform.security import SEEN_AT
from tests.screenshots.pages import Sight, account_ids, sights

START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """A demo that is being served: its address, its pages, and the cookie of who is signed in."""

    url: str
    sights: list[Sight]
    cookies: dict[str, str]


@contextmanager
def shown_demo(log_folder: Path) -> Iterator[Shown]:
    """The demo of this installation, or one of its own that is thrown away."""
    with _loaded_demo() as app:
        port = _free_port()
        settings: Settings = app.extensions["settings"]
        with app.app_context(), transaction() as session:
            found = sights(session, settings.secret_key, clock.today().year)
            tokens = {who: _token(session, number, settings) for who, number in account_ids(session).items() if number}
        digests = [digest(settings.secret_key, "session", token) for token in tokens.values()]
        with (log_folder / "server.log").open("wb") as log:
            server = _serve(settings, port, log)
        try:
            yield Shown(f"http://127.0.0.1:{port}", found, {who: _cookie(app, token) for who, token in tokens.items()})
        finally:
            server.terminate()
            server.wait()
            with app.app_context(), transaction() as session:
                session.execute(delete(AccountSession).where(AccountSession.token_digest.in_(digests)))


@contextmanager
def _loaded_demo() -> Iterator[Flask]:
    app = create_app(Settings.from_env())
    with app.app_context():
        if _is_ready():
            yield app
            return
        db.engine.dispose()
    print("No demo is loaded here: one is made, which takes some minutes. `bin/demo` keeps one.")
    folder = Path(tempfile.mkdtemp(prefix="abs-screenshots-"))
    folder.chmod(0o711)
    os.environ["ABS_INSTANCE_DIR"] = str(folder)
    os.environ.pop("DATABASE_URL", None)
    try:
        subprocess.run(
            [sys.executable, "-c", "from abs_platform.cli import main; main()", "demo", "load"],
            cwd=ROOT_DIR,
            check=True,
        )
        yield create_app(Settings.from_env())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_ready() -> bool:
    """Whether this database holds the demo, at this version."""
    with suppress(ProgrammingError):
        return not migrating.pending_revisions() and is_loaded(db.session())
    return False


def _token(session: Session, account_id: int, settings: Settings) -> str:
    """A session of this person, with a second step."""
    return start_session(
        session,
        session.get_one(Account, account_id),
        method="email",
        user_agent="",
        secret_key=settings.secret_key,
        has_second_factor=True,
        now=clock.now(),
    )


def _cookie(app: Flask, token: str) -> str:
    """What the browser of somebody keeps who signed in just now."""
    kept = {"_user_id": token, "_fresh": True, SEEN_AT: int(clock.now().timestamp())}
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return str(serializer.dumps(kept))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve(settings: Settings, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """The demo under its real server. Its bank is named, and nobody asks it anything."""
    url = f"http://127.0.0.1:{port}"
    env = os.environ | money_env(settings, os.environ, port) | {"ABS_BASE_URL": url}
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"]
    server = subprocess.Popen(
        [*command, "--no-control-socket", "wsgi:app"], cwd=ROOT_DIR, env=env, stdout=log, stderr=log
    )
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{url}/readyz", timeout=2):  # noqa: S310 - our own http address
            return server
        time.sleep(0.2)
    server.kill()
    raise SystemExit(f"The server of the demo does not start: {log.name} says why.")
