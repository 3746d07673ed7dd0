# SPDX-License-Identifier: EUPL-1.2
"""The ``abs`` command as a shell has it: arguments in; exit status, stdout and stderr out."""

from __future__ import annotations

import contextvars
import signal
from typing import NamedTuple

import pytest
from flask import Flask
from sqlalchemy import Connection

from abs_platform import cli
from tests.concurrency.processes import environment


class Outcome(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


class Shell:
    """Runs ``abs`` with arguments, in a context of its own as a process has it."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys
        for name, value in environment(app).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(cli, "create_app", lambda _settings: app)
        monkeypatch.setattr(signal, "signal", lambda *_arguments: None)  # what a command sets is not for these tests

    def __call__(self, *arguments: object) -> Outcome:
        """Run one command."""
        self.monkeypatch.setattr("sys.argv", ["abs", *map(str, arguments)])
        self.capsys.readouterr()
        status = contextvars.Context().run(self._main)
        return Outcome(status, *self.capsys.readouterr())

    @staticmethod
    def _main() -> int:
        try:
            cli.main()
        except SystemExit as stop:
            return stop.code if isinstance(stop.code, int) else 1
        return 0


@pytest.fixture
def run_abs(
    app: Flask, connection: Connection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """Runs commands in the transaction of the test: quick, and gone afterwards."""
    assert connection.in_transaction()
    return Shell(app, monkeypatch, capsys)


@pytest.fixture
def run_own_abs(own_app: Flask, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs commands on a database of their own: for what needs a connection of its own."""
    return Shell(own_app, monkeypatch, capsys)
