# SPDX-License-Identifier: EUPL-1.2
"""Doing things at the same moment, each on a connection of its own, and waiting for what a database waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.database import transaction
from abs_platform.errors import AbsError
from abs_platform.ledger.queries import check

T = TypeVar("T")
PATIENCE = 60.0


class Process(Protocol):
    """A process of which can be asked whether it ended, as a Popen."""

    def poll(self) -> int | None:
        """None while it lives."""


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Start all of this at one moment, each in a thread; returns what each returned, in order, or raises."""
    barrier = threading.Barrier(len(works))

    def start(work: Callable[[], T]) -> T:
        barrier.wait(PATIENCE)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(PATIENCE) for future in [pool.submit(start, work) for work in works]]


def committed(app: Flask, verb: Callable[[Session], T]) -> Callable[[], T | AbsError]:
    """The verb in a transaction of its own, as at an edge of the app; a refusal is returned, another error raised."""

    def work() -> T | AbsError:
        with app.app_context():
            try:
                with transaction() as session:
                    return verb(session)
            except AbsError as refusal:
                return refusal

    return work


@contextmanager
def meanwhile(work: Callable[[], T]) -> Iterator[Future[T]]:
    """Do this in another thread while the block runs; its result is there after the block."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(work)


def wait_until_blocked(session: Session, queries: int = 1, by: Sequence[Process] = ()) -> None:
    """Wait until so many others of this database wait for a lock, while these processes live."""
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + PATIENCE
    while (session.scalar(blocked) or 0) < queries:
        assert time.monotonic() < deadline, f"nobody waits, or fewer than {queries}"
        assert all(process.poll() is None for process in by), "a process ended before it had to wait"
        session.execute(text("SELECT pg_stat_clear_snapshot()"))
        time.sleep(0.002)


def assert_books_are_right(session: Session, *, jobs_have_run: bool = False) -> None:
    """The proof of the books, on what is committed now."""
    session.rollback()
    assert check(session, jobs_have_run=jobs_have_run) == []
