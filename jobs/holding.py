# SPDX-License-Identifier: EUPL-1.2
"""Who may run a job: the holder of its lock, as long as it gives signs of life.

The lock is of the session kind: the server lets go of it when the process dies. While a job runs, a thread uses the
session of the lock every few seconds; the server notes when a session was used last. A process that is stopped (or
whose machine sleeps) goes still with all its threads. Who wants the lock and finds its session still for too long ends
that session, and the other sessions of the same process, so that nothing of it can be committed any more; then the
lock is free. When the stopped process wakes, its sessions are gone: what it was doing is rolled back, and it can begin
no other transaction, because each begins with looking whether the lock is still held. (Who is stopped right after
looking has a session already, and that one is ended.)
"""

from __future__ import annotations

import os
import secrets
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

import structlog
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from abs_platform.database import db

SILENT_AFTER_SECONDS = 30.0
SIGNS_WITHIN = 6  # so many signs of life fit in the time after which a process counts as silent
NAME_PREFIX = "abs-jobs-"
_LOCK_CLASS = 7_601
_MILLISECONDS_TO_END = 5_000
log = structlog.get_logger()

_TRY = text("SELECT pg_try_advisory_lock(:class, :key)")
_FREE = text("SELECT pg_advisory_unlock(:class, :key)")
_SIGN = text("UPDATE job_runs SET seen_at = clock_timestamp() WHERE id = :run_id AND ended_at IS NULL")
# The sessions of whoever holds the lock and was still for too long; all moments are the server's own.
_END_SILENT = text("""
    WITH silent AS (
        SELECT a.pid, a.application_name
        FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND l.classid = CAST(:class AS oid) AND l.objid = CAST(:unsigned_key AS oid)
          AND greatest(a.backend_start, a.query_start, a.state_change)
              < clock_timestamp() - make_interval(secs => :silent_after)
    )
    SELECT pg_terminate_backend(a.pid, :patience)
    FROM pg_stat_activity a JOIN silent s
      ON a.pid = s.pid OR (a.application_name = s.application_name AND starts_with(s.application_name, :prefix))
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
""")


class LockLost(Exception):
    """This process was still for too long, and another runs its job now: it must change nothing more."""


class Hold:
    """The lock of one job, held by this process. Its session is used by two threads, never at once."""

    def __init__(self, connection: Connection, silent_after: float, *, was_taken_over: bool) -> None:
        self.was_taken_over = was_taken_over
        self._connection, self._pause = connection, silent_after / SIGNS_WITHIN
        self._guard = threading.Lock()
        self._run_id = 0
        self._last_sign = time.monotonic()
        self._is_lost = False

    @contextmanager
    def signs_of_life(self, run_id: int) -> Iterator[None]:
        """Give signs of life while the block runs."""
        self._run_id = run_id
        self._last_sign = time.monotonic()
        is_over = threading.Event()

        def give_signs() -> None:
            while not is_over.wait(self._pause):
                with suppress(LockLost):
                    self._sign()

        thread = threading.Thread(target=give_signs, name="signs of life", daemon=True)
        thread.start()
        token = _held.set(self)
        try:
            yield
        finally:
            _held.reset(token)
            is_over.set()
            thread.join()

    def check(self, *, at_once: bool = False) -> None:
        """Whether the lock is still ours: the server is asked ``at_once``, or when the last sign is some time ago."""
        if at_once or self._is_lost or time.monotonic() - self._last_sign > self._pause:
            self._sign()

    def _sign(self) -> None:
        with self._guard:
            if self._is_lost:
                raise LockLost
            try:
                self._connection.execute(_SIGN, {"run_id": self._run_id})
            except SQLAlchemyError as error:  # a lost connection has lost its lock too
                self._is_lost = True
                raise LockLost from error
            self._last_sign = time.monotonic()


_held: ContextVar[Hold | None] = ContextVar("held", default=None)


def check_hold(*, at_once: bool = False) -> None:
    """Before changing something in a job: is it still ours? Raises: LockLost when another process took it over."""
    held = _held.get()
    if held is not None:
        held.check(at_once=at_once)


@event.listens_for(Engine, "begin")
def _begin_only_while_held(_connection: Connection) -> None:
    """No transaction of a job begins in a process that lost its lock. Most often this compares two moments only."""
    check_hold()


def name_this_process() -> None:
    """Give all database sessions of this process one name of its own, by which they can be found together."""
    os.environ["PGAPPNAME"] = f"{NAME_PREFIX}{os.getpid()}-{secrets.token_hex(8)}"


@contextmanager
def hold(name: str, silent_after: float) -> Iterator[Hold | None]:
    """Hold the lock of a job during the block; None when another process holds it and gives signs of life."""
    key = zlib.crc32(name.encode()) - 2**31
    lock = {"class": _LOCK_CLASS, "key": key}
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_ours, was_taken_over = connection.scalar(_TRY, lock), False
        if not is_ours and _end_silent(connection, key, silent_after):
            log.warning("job was taken over from a process that did not answer", job=name)
            is_ours = was_taken_over = bool(connection.scalar(_TRY, lock))
        if not is_ours:
            yield None
            return
        try:
            yield Hold(connection, silent_after, was_taken_over=was_taken_over)
        finally:
            with suppress(SQLAlchemyError):  # a lost connection has lost its lock too
                connection.execute(_FREE, lock)


def _end_silent(connection: Connection, key: int, silent_after: float) -> bool:
    """End the sessions of a process that holds this lock and went still; whether there was one."""
    answers = connection.scalars(
        _END_SILENT,
        {
            "class": _LOCK_CLASS,
            "unsigned_key": key % 2**32,
            "silent_after": silent_after,
            "patience": _MILLISECONDS_TO_END,
            "prefix": NAME_PREFIX,
        },
    ).all()
    return bool(answers)
