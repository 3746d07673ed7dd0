# SPDX-License-Identifier: EUPL-1.2
"""Two who plan, issue, import, migrate or run the jobs at the same moment: nothing is done twice or by halves."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session

from abs_platform import events, migrating
from abs_platform.clock import local_date
from abs_platform.donations.models import Donation
from abs_platform.donations.service import GiftDetails
from abs_platform.errors import AbsError, RoundOverlaps
from abs_platform.initiatives import service
from abs_platform.initiatives.models import Initiative
from abs_platform.job_runs import JobRun
from abs_platform.rounds.models import Round
from abs_platform.rounds.service import plan_round, release
from abs_platform.vouchers.issuing import IssueReport, issue_vouchers
from abs_platform.vouchers.models import Voucher, VoucherBatch
from abs_platform.vouchers.service import revoke_voucher
from jobs import issue_vouchers as issue_job
from jobs.runner import JobReport, run_job
from jobs.schedule import TIMETABLE
from tests.concurrency.editions import Editions, households_of_batch, living
from tests.concurrency.processes import running
from tests.concurrency.racing import (
    PATIENCE,
    assert_books_are_right,
    at_once,
    committed,
    meanwhile,
    wait_until_blocked,
)
from tests.conftest import make_database
from tests.factories import TEST_ACTOR, Factory

DAY = dt.timedelta(days=1)


def planner(factory: Factory, name: str, opens_at: dt.datetime, districts: tuple[str, ...]) -> Callable[[Session], int]:
    """Plan a round of twenty days."""
    rules, now = factory.rules, factory.now

    def plan(session: Session) -> int:
        round_ = plan_round(
            session,
            name=name,
            issue_on=local_date(opens_at),
            opens_at=opens_at,
            closes_at=opens_at + 20 * DAY,
            amount_cents=rules.voucher_amount_cents,
            districts=districts,
            rules=rules,
            actor=TEST_ACTOR,
            now=now,
        )
        release(session, round_, letter_text_id=None, actor=TEST_ACTOR, now=now)
        return round_.id

    return plan


def issuer(factory: Factory, round_id: int, now: dt.datetime) -> Callable[[Session], IssueReport]:
    """Issue the vouchers of a round."""
    return lambda session: issue_vouchers(session, round_id, keys=factory.keys, actor=TEST_ACTOR, now=now)


# Planning


def test_of_rounds_planned_at_once_in_one_district_one_is_planned(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    opens_at = own_factory.now + DAY
    choices: list[tuple[str, ...]] = [(), ("WK014110",), ("Windmolenbroek", "Binnenstad"), ("WK014110", "WK014121")]

    results = at_once(
        [
            committed(own_app, planner(own_factory, f"Ronde {number}", opens_at + number * DAY, districts))
            for number, districts in enumerate(choices)
        ]
    )

    (planned,) = (result for result in results if isinstance(result, int))
    assert [type(result) for result in results if result != planned] == [RoundOverlaps] * 3
    assert own_session.scalars(select(Round.id)).all() == [planned]


def test_two_who_plan_for_the_same_districts_do_not_wait_for_each_other_for_ever(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    """One takes Aadorp and comes to De Riet later; the other has De Riet and wants Aadorp."""
    opens_at = own_factory.now + DAY
    own_session.execute(text("SELECT FROM areas WHERE name = 'Binnenstad' FOR UPDATE"))

    with (
        Session(own_session.get_bind()) as watch,
        meanwhile(committed(own_app, planner(own_factory, "Alle", opens_at, ()))) as everywhere,
    ):
        wait_until_blocked(watch, 1)
        with meanwhile(committed(own_app, planner(own_factory, "Twee", opens_at, ("De Riet", "Aadorp")))) as two:
            wait_until_blocked(watch, 2)
            own_session.commit()

    assert isinstance(everywhere.result(), int)
    assert isinstance(two.result(), RoundOverlaps)


# Issuing


def test_vouchers_issued_by_four_at_once_are_issued_once(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    own_factory.households(500)
    round_ = own_factory.round()
    round_id, opens_at = round_.id, round_.opens_at
    own_session.commit()

    reports = at_once([committed(own_app, issuer(own_factory, round_id, opens_at))] * 4)

    assert sorted(report.voucher_count for report in reports if isinstance(report, IssueReport)) == [0, 0, 0, 500]
    assert own_session.scalar(select(func.count()).select_from(Voucher)) == 500
    assert own_session.scalar(select(func.count(Voucher.household_id.distinct()))) == 500
    assert own_session.scalar(select(func.count()).select_from(VoucherBatch)) == 1
    assert own_session.scalar(select(func.count()).where(events.Event.kind == "round.issued")) == 1
    assert_books_are_right(own_session)


def test_a_letter_that_is_lost_while_vouchers_are_issued_is_replaced_once(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    codes = own_factory.codes(30)
    vouchers = [own_factory.voucher(code) for code in codes]
    round_id, ids, now = vouchers[0].round_id, [voucher.id for voucher in vouchers], own_factory.now
    own_session.commit()

    def revoke(session: Session, voucher_id: int) -> None:
        revoke_voucher(session, voucher_id, reason="Kwijt.", actor=TEST_ACTOR, now=now)

    def revoke_all() -> None:
        for voucher_id in ids:
            committed(own_app, partial(revoke, voucher_id=voucher_id))()

    def issue_often() -> None:
        for _time in range(10):
            committed(own_app, issuer(own_factory, round_id, now))()

    at_once([revoke_all, issue_often, issue_often])
    committed(own_app, issuer(own_factory, round_id, now))()

    own_session.rollback()
    per_state = own_session.execute(select(Voucher.state, func.count()).group_by(Voucher.state))
    assert dict(per_state.all()) == {"revoked": 30, "issued": 30}
    assert_books_are_right(own_session)


# Importing


@pytest.fixture
def editions(own_app: Flask, own_session: Session, own_factory: Factory, tmp_path: Path) -> Editions:
    """Two editions of the addresses; the first is in the database."""
    editions = Editions.write(tmp_path, own_app.extensions["settings"].municipality, households=400)
    editions.apply(own_session, editions.first, own_factory.now)
    own_session.commit()
    return editions


def test_issuing_waits_for_an_import_and_sees_all_of_it(
    own_app: Flask, own_session: Session, own_factory: Factory, editions: Editions
) -> None:
    round_id, now = own_factory.round().id, own_factory.now
    own_session.commit()
    before = living(own_session)
    report = editions.apply(own_session, editions.second, now)  # not yet committed

    issue = committed(own_app, issuer(own_factory, round_id, now))
    with Session(own_session.get_bind()) as watch, meanwhile(issue) as issued:
        wait_until_blocked(watch)
        own_session.commit()

    result = issued.result()
    assert isinstance(result, IssueReport)
    assert min(report.new, report.gone) > 0
    assert households_of_batch(own_session, result.batch_id) == living(own_session) != before
    assert_books_are_right(own_session)


def test_an_import_waits_for_issuing_and_what_it_adds_gets_a_voucher_with_the_next_run(
    own_app: Flask, own_session: Session, own_factory: Factory, editions: Editions
) -> None:
    round_id, now = own_factory.round().id, own_factory.now
    own_session.commit()
    before = living(own_session)
    first = issuer(own_factory, round_id, now)(own_session)  # not yet committed
    batch_id = first.batch_id

    with (
        Session(own_session.get_bind()) as watch,
        meanwhile(committed(own_app, lambda session: editions.apply(session, editions.second, now))),
    ):
        wait_until_blocked(watch)
        own_session.commit()
    second = issuer(own_factory, round_id, now)(own_session)
    second_batch_id = second.batch_id
    own_session.commit()

    assert households_of_batch(own_session, batch_id) == before
    assert households_of_batch(own_session, second_batch_id) == living(own_session) - before
    assert_books_are_right(own_session)


def test_imports_and_issuing_at_one_moment_come_one_after_another(
    own_app: Flask, own_session: Session, own_factory: Factory, editions: Editions
) -> None:
    now = own_factory.now

    for number, edition in enumerate([editions.second, editions.first, editions.second]):
        before = living(own_session)
        opens_at = now + (number * 30 + 1) * DAY
        round_id = planner(own_factory, f"Ronde {number}", opens_at, ())(own_session)
        own_session.commit()

        import_it = committed(own_app, partial(editions.apply, edition=edition, now=now))
        issue_it = committed(own_app, issuer(own_factory, round_id, opens_at))
        results: list[object] = at_once([import_it, issue_it, import_it, issue_it])

        assert not [result for result in results if isinstance(result, AbsError)]
        after = living(own_session)
        batches = select(VoucherBatch.id).where(VoucherBatch.round_id == round_id).order_by(VoucherBatch.id)
        got = [households_of_batch(own_session, batch_id) for batch_id in own_session.scalars(batches).all()]
        assert got in ([before, after - before], [after], [before])
    assert own_session.scalar(text("SELECT count(*) FROM address_imports")) == 4
    assert_books_are_right(own_session)


# Jobs


def test_a_job_that_is_running_is_not_started_again(own_app: Flask, own_session: Session) -> None:
    running, may_end = threading.Event(), threading.Event()

    def slow(_now: dt.datetime) -> JobReport:
        running.set()
        assert may_end.wait(PATIENCE)
        return JobReport(changed=1)

    def run(job: Callable[[dt.datetime], JobReport]) -> JobReport | None:
        with own_app.app_context():
            return run_job("close_initiatives", job)

    with meanwhile(lambda: run(slow)) as first:
        assert running.wait(PATIENCE)
        second = run(slow)
        may_end.set()
    third = run(lambda _now: JobReport(changed=3))

    assert second is None
    assert first.result() == JobReport(changed=1)
    assert third == JobReport(changed=3)
    runs = own_session.execute(select(JobRun.changed, JobRun.error).order_by(JobRun.id)).all()
    assert [tuple(row) for row in runs] == [(1, None), (3, None)]


def test_a_job_that_two_schedulers_start_at_once_does_its_work_once(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    own_factory.households(300)
    own_factory.round()
    own_session.commit()
    now = own_factory.now

    def run() -> int:
        with own_app.app_context():
            report = run_job("issue_vouchers", issue_job.run, now)
        return 0 if report is None else report.changed

    changed = at_once([run] * 4)

    assert sorted(changed) == [0, 0, 0, 300]
    assert own_session.scalar(select(func.count()).select_from(Voucher)) == 300
    assert not own_session.scalars(select(JobRun.id).where(JobRun.error.is_not(None) | JobRun.ended_at.is_(None))).all()
    assert_books_are_right(own_session)


def test_two_job_processes_on_one_database_do_everything_once(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    codes = own_factory.codes(40)
    failed, plan_b = own_factory.initiative(), own_factory.initiative()
    reached = own_factory.initiative(target_cents=5_000)
    for number, code in enumerate(codes[:20]):
        own_factory.give(code, failed, GiftDetails(plan_b_initiative_id=plan_b.id if number % 2 else None))
    for code in codes[20:27]:
        own_factory.give(code, reached)
    service.stop(own_session, failed.id, reason="Het gaat niet door.", actor=TEST_ACTOR, now=own_factory.now)
    own_factory.households(200)  # they came later: their vouchers are due
    own_session.commit()
    plan_b_id, reached_id = plan_b.id, reached.id
    own_session.execute(text("LOCK TABLE job_runs IN EXCLUSIVE MODE"))

    with running(own_app, 2, "-m", "jobs") as processes, Session(own_session.get_bind()) as watch:
        wait_until_blocked(watch, 6, by=processes)  # one process does five jobs at a time: both have begun
        own_session.commit()
        _wait_until_all_jobs_ran(watch)

    assert [process.returncode for process in processes] == [0, 0]
    living_per_household = select(func.count()).where(Voucher.revoked_at.is_(None)).group_by(Voucher.household_id)
    assert set(own_session.scalars(living_per_household)) == {1}
    assert own_session.scalar(select(func.count()).select_from(Voucher)) == 40 + 7 + 200 - 7
    per_initiative = select(Donation.initiative_id, func.count()).where(Donation.state == "confirmed")
    given = own_session.execute(per_initiative.group_by(Donation.initiative_id))
    assert dict(given.all()) == {plan_b_id: 10, reached_id: 7}
    assert own_session.get_one(Initiative, reached_id, populate_existing=True).state == "funded"
    assert not own_session.scalars(select(JobRun.error).where(JobRun.error.is_not(None))).all()
    assert_books_are_right(own_session, jobs_have_run=True)


def _wait_until_all_jobs_ran(session: Session) -> None:
    deadline = time.monotonic() + PATIENCE
    ended = select(JobRun.job).where(JobRun.ended_at.is_not(None))
    while set(session.scalars(ended)) != set(TIMETABLE):
        assert time.monotonic() < deadline, "not all jobs ran"
        session.rollback()
        time.sleep(0.02)


# Migrating


def test_migrations_started_twice_at_once_are_done_once(own_app: Flask, worker: str) -> None:
    database_url = make_database(f"abs_empty_{worker}")
    command = ("-c", "from abs_platform.cli import main; main()", "db", "upgrade")
    engine = create_engine(database_url)

    with engine.connect() as holder:
        holder.execute(text("SELECT pg_advisory_lock(7601001)"))  # migrations/env.py: both wait here
        with running(own_app, 2, *command, database_url=database_url) as processes:
            with Session(engine) as watch:
                wait_until_blocked(watch, 2, by=processes)
            holder.execute(text("SELECT pg_advisory_unlock(7601001)"))
            statuses = [process.wait(PATIENCE) for process in processes]

    assert statuses == [0, 0]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == migrating.all_revisions()[-1]
    engine.dispose()
