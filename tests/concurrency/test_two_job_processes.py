# SPDX-License-Identifier: EUPL-1.2
"""Two job processes: one is killed or stopped in the middle, the other takes over, nothing happens twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from abs_platform.config import ROOT_DIR
from abs_platform.events import Event
from abs_platform.job_runs import JobRun
from abs_platform.users import Role
from abs_platform.vouchers.models import Voucher
from abs_platform.work.models import WorkOrder
from abs_platform.work.service import order
from abs_platform.work.states import WorkKind, WorkState
from jobs.runner import KILLED, SILENT
from tests.concurrency.processes import environment
from tests.concurrency.racing import PATIENCE, assert_books_are_right
from tests.factories import Factory

SILENT_AFTER = 1.5
HOUSEHOLDS = 40


class JobProcess:
    """A process that runs a job whenever it is told to."""

    def __init__(self, app: Flask, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.concurrency.job_process", str(SILENT_AFTER), *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=ROOT_DIR, env=environment(app), stdin=pipe, stdout=pipe, text=True)

    def tell(self) -> None:
        """Run the job, or go on."""
        assert self.process.stdin is not None
        print("run", file=self.process.stdin, flush=True)

    def answer(self) -> Any:
        """What it says next; lines of its log are passed over."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(("{", "null", '"')) and "event" not in line:
                return json.loads(line)
        raise AssertionError("the process is gone")

    def run(self) -> Any:
        """Run the job; what it changed, or None when another process is at it."""
        self.tell()
        return self.answer()

    def run_until_it_may(self) -> Any:
        """Run again and again until no other process is at it."""
        return until(self.run)

    def signal(self, number: signal.Signals) -> None:
        """Stop, wake or kill it."""
        self.process.send_signal(number)


@contextmanager
def two(app: Flask, job: str) -> Iterator[tuple[JobProcess, JobProcess]]:
    """A process that pauses in the middle, and one that does not."""
    both = JobProcess(app, job, "pausing"), JobProcess(app, job)
    try:
        yield both
    finally:
        for one in both:
            one.process.kill()
            one.process.wait(PATIENCE)
            for pipe in (one.process.stdin, one.process.stdout):
                assert pipe is not None
                pipe.close()


def until(look: Callable[[], Any]) -> Any:
    """Look until there is something."""
    end = time.monotonic() + PATIENCE
    while (found := look()) is None or found is False:
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return found


@pytest.fixture
def order_id(own_factory: Factory, own_session: Session) -> int:
    """Somebody asked for the vouchers of a round."""
    own_factory.households(HOUSEHOLDS)
    asked_by = own_factory.account(roles=(Role.COORDINATOR,)).id
    params = {"round_id": own_factory.round().id}
    kind = WorkKind.ISSUE_ROUND
    made = order(own_session, kind, key="round", params=params, account_id=asked_by, now=own_factory.now)
    own_session.commit()
    return made.id


def assert_issued_once(session: Session, order_id: int) -> None:
    session.rollback()
    done = session.get_one(WorkOrder, order_id)
    assert (done.state, done.attempts, done.error) == (WorkState.DONE, 2, None)
    assert (done.result or {})["vouchers"] == HOUSEHOLDS
    assert session.scalar(select(func.count()).select_from(Voucher)) == HOUSEHOLDS
    kinds = ("round.vouchers_issued", "work.done")
    assert session.scalar(select(func.count()).where(Event.kind.in_(kinds))) == 2
    assert_books_are_right(session)


def ends(session: Session, job: str) -> list[str | None]:
    session.rollback()
    query = select(JobRun.error).where(JobRun.job == job, JobRun.ended_at.is_not(None)).order_by(JobRun.id)
    return list(session.scalars(query))


def test_the_work_of_a_killed_process_is_done_by_the_other(own_app: Flask, own_session: Session, order_id: int) -> None:
    with two(own_app, "do_work") as (leader, other):
        leader.tell()
        assert leader.answer() == "half"
        at_work = other.run()

        leader.signal(signal.SIGKILL)
        taken_over = other.run_until_it_may()

    assert at_work is None
    assert taken_over == {"changed": 1, "errors": []}
    assert_issued_once(own_session, order_id)
    assert ends(own_session, "do_work") == [KILLED, None]


def test_the_work_of_a_stopped_process_is_done_by_the_other_and_it_gives_up_when_it_wakes(
    own_app: Flask, own_session: Session, order_id: int
) -> None:
    with two(own_app, "do_work") as (leader, other):
        leader.tell()
        assert leader.answer() == "half"
        until(lambda: _seconds_seen(own_session) > SILENT_AFTER)
        while_it_lives = other.run()

        leader.signal(signal.SIGSTOP)
        at_once = other.run()
        taken_over = other.run_until_it_may()
        leader.signal(signal.SIGCONT)
        leader.tell()
        awake = leader.answer()
        next_run = leader.run()

    assert while_it_lives is None, "a slow process that gives signs of life is left alone"
    assert at_once is None, "it may be still for a moment"
    assert taken_over == {"changed": 1, "errors": []}
    assert awake == {"changed": 0, "errors": [SILENT]}
    assert next_run == {"changed": 0, "errors": []}, "it goes on with its timetable"
    assert_issued_once(own_session, order_id)
    assert ends(own_session, "do_work")[:2] == [SILENT, None]


def test_a_stopped_process_does_no_further_item_when_it_wakes(own_app: Flask, own_session: Session) -> None:
    with two(own_app, "items") as (leader, other):
        leader.tell()
        assert leader.answer() == "half"
        leader.signal(signal.SIGSTOP)
        taken_over = other.run_until_it_may()
        leader.signal(signal.SIGCONT)
        leader.tell()
        awake = leader.answer()

    assert taken_over == {"changed": 2, "errors": []}
    assert awake == {"changed": 0, "errors": [SILENT]}
    done = select(Event.subject_id).where(Event.kind == "item.done").order_by(Event.id)
    own_session.rollback()
    assert list(own_session.scalars(done)) == [0, 1, 2]


def _seconds_seen(session: Session) -> float:
    """For how long the run that is going on has given signs of life."""
    session.rollback()
    query = text("SELECT extract(epoch FROM seen_at - started_at) FROM job_runs WHERE ended_at IS NULL")
    return float(session.scalar(query) or 0)
