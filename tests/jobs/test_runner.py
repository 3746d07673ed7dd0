# SPDX-License-Identifier: EUPL-1.2
"""The runner leaves a row about every run and lets one process run a job; the timetable makes up for missed runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal

import pytest
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

import jobs.__main__ as scheduling
from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict
from abs_platform.job_runs import JobRun
from jobs import check_ledger
from jobs.runner import JobReport, last_runs, run_job
from jobs.schedule import TIMETABLE, Entry
from tests.factories import Factory

SECONDS = 20


@pytest.fixture(autouse=True)
def _app_context(own_app: Flask) -> Iterator[None]:
    with own_app.app_context():
        yield


def rows(session: Session) -> list[JobRun]:
    session.rollback()
    return list(session.scalars(select(JobRun).order_by(JobRun.id)))


def changes(number: int) -> JobReport:
    return JobReport(changed=number)


# -- rows -------------------------------------------------------------------------------------------------------------


def test_a_run_leaves_a_row_with_its_begin_its_end_and_what_it_changed(own_session: Session) -> None:
    begun = clock.now()

    report = run_job("job", lambda _now: changes(3))

    (row,) = rows(own_session)
    assert report == JobReport(changed=3)
    assert (row.job, row.changed, row.error) == ("job", 3, None)
    assert row.ended_at is not None
    assert begun <= row.started_at <= row.ended_at <= clock.now()


def test_a_run_tells_the_job_what_time_it_is() -> None:
    told: list[dt.datetime] = []
    moment = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)

    def job(now: dt.datetime) -> JobReport:
        told.append(now)
        return JobReport()

    run_job("job", job, moment)
    run_job("job", job)

    assert told[0] == moment
    assert abs(told[1] - clock.now()) < dt.timedelta(seconds=SECONDS)


def test_bad_items_stand_in_the_row_beside_what_went_well(own_session: Session) -> None:
    def job(_now: dt.datetime) -> JobReport:
        report = JobReport()
        report.each([1, 0, 2], lambda item: 6 // item)
        return report

    report = run_job("job", job)

    (row,) = rows(own_session)
    assert report is not None
    assert report.errors == ["0: ZeroDivisionError: integer division or modulo by zero"]
    assert (row.changed, row.error) == (9, report.errors[0])


def test_a_job_that_breaks_leaves_its_error_and_nothing_that_it_did_not_commit(own_session: Session) -> None:
    def job(_now: dt.datetime) -> JobReport:
        db.session.execute(text("UPDATE areas SET name = 'Half werk'"))
        raise Conflict("halverwege")

    report = run_job("job", job)

    (row,) = rows(own_session)
    assert report is not None
    assert report.errors == ["Conflict: halverwege"]
    assert row.error == "Conflict: halverwege"
    assert row.ended_at is not None
    assert own_session.scalar(text("SELECT count(*) FROM areas WHERE name = 'Half werk'")) == 0


def test_the_next_run_says_of_a_killed_one_that_it_stopped_half_way(own_session: Session) -> None:
    killed_at = clock.now() - dt.timedelta(hours=3)
    own_session.add_all([JobRun(job="job", started_at=killed_at), JobRun(job="another", started_at=killed_at)])
    own_session.commit()

    run_job("job", lambda _now: changes(1))

    killed, other, run = rows(own_session)
    assert (killed.error, killed.changed) == ("stopped half-way: the process was killed", 0)
    assert killed.ended_at is not None
    assert (other.ended_at, other.error) == (None, None)
    assert (run.changed, run.error) == (1, None)


def test_the_last_run_of_each_job_is_known(own_session: Session) -> None:
    for number in (1, 2):
        run_job("job", lambda _now, number=number: changes(number))  # type: ignore[misc]
    run_job("another", lambda _now: changes(7))

    assert {name: run.changed for name, run in last_runs().items()} == {"job": 2, "another": 7}
    assert len(rows(own_session)) == 3


# -- one at a time ----------------------------------------------------------------------------------------------------


def test_a_job_that_runs_elsewhere_is_left_alone_and_another_job_is_not(own_app: Flask, own_session: Session) -> None:
    inside, may_end = Signal(), Signal()

    def slow(_now: dt.datetime) -> JobReport:
        inside.set()
        assert may_end.wait(SECONDS)
        return changes(1)

    def elsewhere() -> JobReport | None:
        with own_app.app_context():
            return run_job("job", slow)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(elsewhere)
        assert inside.wait(SECONDS)

        second = run_job("job", lambda _now: changes(99))
        another = run_job("another", lambda _now: changes(5))
        may_end.set()

        assert first.result(SECONDS) == changes(1)
    third = run_job("job", lambda _now: changes(2))

    assert second is None
    assert another == changes(5)
    assert third == changes(2)
    assert sorted(row.changed for row in rows(own_session)) == [1, 2, 5]


def test_a_job_that_broke_can_run_again() -> None:
    def broken(_now: dt.datetime) -> JobReport:
        raise ValueError

    run_job("job", broken)

    assert run_job("job", lambda _now: changes(1)) == changes(1)


def test_the_nightly_check_sees_one_moment_and_makes_an_alarm(own_factory: Factory, own_session: Session) -> None:
    own_factory.codes(1)
    own_session.commit()
    right = run_job("check_ledger", check_ledger.run)
    own_session.execute(text("UPDATE vouchers SET state = 'given'"))
    own_session.commit()

    broken = run_job("check_ledger", check_ledger.run)

    alarms = own_session.scalar(text("SELECT count(*) FROM events WHERE kind = 'alarm.ledger_broken'"))
    assert right is not None
    assert right.errors == []
    assert broken is not None
    assert broken.errors
    assert alarms == 1
    assert rows(own_session)[-1].error == "\n".join(broken.errors)


# -- the scheduler ----------------------------------------------------------------------------------------------------


def test_a_scheduler_that_starts_runs_every_job_at_once_and_makes_up_for_a_missed_run_once(own_app: Flask) -> None:
    scheduler = scheduling.make_scheduler(own_app)

    planned = {job.id: job for job, *_rest in scheduler._pending_jobs}

    assert set(planned) == {*TIMETABLE, scheduling.SIGNS}
    assert all(job.next_run_time <= clock.now() for job in planned.values())
    defaults = scheduler._job_defaults
    assert (defaults["coalesce"], defaults["max_instances"], defaults["misfire_grace_time"]) == (True, 1, None)


def test_a_started_scheduler_does_what_is_due_although_its_hour_has_passed(
    own_app: Flask, own_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = Signal()

    def job(_now: dt.datetime) -> JobReport:
        done.set()
        return changes(1)

    def broken(_now: dt.datetime) -> JobReport:
        raise ValueError("kapot")

    once_a_week = IntervalTrigger(days=7)
    timetable = {"broken": Entry(broken, once_a_week, "x"), "job": Entry(job, once_a_week, "x")}
    monkeypatch.setattr(scheduling, "TIMETABLE", timetable)
    scheduler = scheduling.make_scheduler(own_app)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(scheduler.start)
        ran = done.wait(SECONDS)
        scheduler.shutdown(wait=True)
        running.result(SECONDS)

    assert ran
    assert {(row.job, row.changed, row.error) for row in rows(own_session)} == {
        ("job", 1, None),
        ("broken", 0, "ValueError: kapot"),
    }


def test_a_job_that_cannot_even_start_does_not_stop_the_scheduler(
    own_app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_arguments: object) -> None:
        raise ConnectionError("the database is away")

    monkeypatch.setattr(scheduling, "run_job", refuse)

    scheduling._run(own_app, "job", Entry(lambda _now: changes(1), IntervalTrigger(days=1), "x"))

    assert "job run failed" in caplog.text


def test_a_transaction_of_a_job_is_its_own(own_session: Session) -> None:
    """What a job left open in the session does not leak into the row of its run."""

    def job(_now: dt.datetime) -> JobReport:
        with transaction() as session:
            session.execute(text("UPDATE areas SET name = 'Gedaan' WHERE code = 'GM0141'"))
        db.session.execute(text("UPDATE areas SET name = 'Niet gedaan' WHERE code = 'GM0141'"))
        return changes(1)

    run_job("job", job)

    assert own_session.scalar(text("SELECT name FROM areas WHERE code = 'GM0141'")) == "Gedaan"
