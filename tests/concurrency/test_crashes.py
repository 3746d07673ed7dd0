# SPDX-License-Identifier: EUPL-1.2
"""``kill -9`` at any moment of issuing, importing, closing and expiring: the next run ends as if that had not been."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform import create_app
from abs_platform.config import ROOT_DIR
from abs_platform.database import db, one_snapshot, transaction
from abs_platform.donations.service import GiftDetails
from abs_platform.initiatives.models import Initiative
from abs_platform.job_runs import JobRun
from abs_platform.ledger.queries import check
from jobs import close_initiatives
from jobs.runner import JobReport, run_job
from jobs.schedule import TIMETABLE
from tests.concurrency.editions import Editions
from tests.concurrency.processes import environment
from tests.concurrency.racing import PATIENCE, assert_books_are_right
from tests.conftest import SERVER_URL, make_app, make_settings
from tests.factories import Factory

KILLS = 20
HOUSEHOLDS = 3_000
ONE_TRANSACTION = {"issue_vouchers", "import", "expire_vouchers"}
DAYS = dt.timedelta(days=1)

KILLED = "stopped half-way: the process was killed"

# All that matters of the outcome, without numbers that a sequence gave out.
OUTCOME = {
    "households": """
        SELECT count(*), md5(string_agg(concat_ws(';', bag_object_id, street, house_number, ended_on), E'\\n'
                                        ORDER BY bag_object_id)) FROM households""",
    "imports": "SELECT bag_file, new_count, changed_count, gone_count FROM address_imports ORDER BY id",
    "rounds": "SELECT name, state FROM rounds ORDER BY name",
    "batches": "SELECT round_id, voucher_count FROM voucher_batches ORDER BY 1, 2",
    "vouchers": "SELECT round_id, state, usable_until, count(*) FROM vouchers GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    "whose": """
        SELECT md5(string_agg(concat_ws(';', round_id, household_id, state, usable_until), E'\n'
                              ORDER BY round_id, household_id)) FROM vouchers""",
    "initiatives": "SELECT id, state FROM initiatives ORDER BY id",
    "donations": "SELECT initiative_id, state, count(*) FROM donations GROUP BY 1, 2 ORDER BY 1, 2",
    "gifts": """
        SELECT md5(string_agg(concat_ws(';', voucher_id, initiative_id, state), E'\n'
                              ORDER BY voucher_id, initiative_id, state)) FROM donations""",
    "ledger": """
        SELECT account, round_id, initiative_id, sum(amount_cents), count(*) FROM ledger_postings
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
    "events": "SELECT kind, count(*) FROM events GROUP BY 1 ORDER BY 1",
}
WITHOUT_A_VOUCHER_OR_WITH_TWO = """
    SELECT h.id, count(v.id) FROM households h
    CROSS JOIN (SELECT id FROM rounds WHERE state = 'issued') r
    LEFT JOIN vouchers v ON v.household_id = h.id AND v.round_id = r.id AND v.revoked_at IS NULL
    WHERE h.ended_on IS NULL GROUP BY h.id HAVING count(v.id) <> 1
"""
Outcome = dict[str, list[Any]]
T = TypeVar("T")


@dataclass
class Stage:
    """A town with work to do, its copy in which things go wrong, and the process that is killed."""

    app: Flask
    prepared: str
    copy: str
    now: dt.datetime
    editions: Editions
    process: subprocess.Popen[str]

    def reset(self) -> None:
        """Begin again with a fresh copy."""
        with self.app.app_context():
            db.engine.dispose()
        with psycopg.connect(os.environ[SERVER_URL].replace("+psycopg", ""), autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{self.copy}" WITH (FORCE)')
            server.execute(f'CREATE DATABASE "{self.copy}" TEMPLATE "{self.prepared}"')

    def order(self, work: str, kill_after: float | None) -> dict[str, Any]:
        """Let another process do the work, and be killed after so many seconds."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {
            "work": work,
            "now": self.now.isoformat(),
            "kill_after": kill_after,
            "bag": str(self.editions.second),
            "key": str(self.editions.key),
        }
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert answer["killed"] or answer["status"] == 0
        return answer

    def run(self, work: str) -> None:
        """Do the work as the next normal run does; a job is tried until the database noticed that the other died."""
        with self.app.app_context():
            if work == "import":
                with transaction() as session:
                    self.editions.apply(session, self.editions.second, self.now)
                return
            deadline = time.monotonic() + PATIENCE
            report: JobReport | None = None
            while report is None:
                assert time.monotonic() < deadline, "the killed job still has its lock"
                report = run_job(work, TIMETABLE[work].job, self.now)
            assert report.errors == []

    def look(self, question: Callable[[Session], T]) -> T:
        """Ask the copy something, as it is at one moment."""
        with self.app.app_context(), Session(db.engine) as session:
            one_snapshot(session)
            return question(session)


def outcome(session: Session) -> Outcome:
    """Everything that matters."""
    return {name: [tuple(row) for row in session.execute(text(query))] for name, query in OUTCOME.items()}


def unended(session: Session) -> list[int]:
    """Runs of jobs that have no end."""
    return list(session.scalars(select(JobRun.id).where(JobRun.ended_at.is_(None))))


def errors_of(session: Session, runs: list[int]) -> list[str | None]:
    """What these runs of jobs say went wrong."""
    return list(session.scalars(select(JobRun.error).where(JobRun.id.in_(runs))))


def _prepare(app: Flask, editions: Editions, now: dt.datetime) -> None:
    """A round that is over, one whose vouchers are due, and initiatives that reached their target or failed."""
    settings, keys = app.extensions["settings"], app.extensions["code_keys"]
    with app.app_context(), transaction() as session:
        editions.apply(session, editions.first, now - 60 * DAYS)
        past = Factory(session, settings.rules, keys, now=now - 20 * DAYS)
        over = past.round(opens=-20 * DAYS, closes=19 * DAYS)
        past.issue(over, over.opens_at)
        Factory(session, settings.rules, keys, now=now).round(opens=2 * DAYS, closes=30 * DAYS)
        nonces = session.scalars(text("SELECT nonce FROM vouchers ORDER BY id LIMIT 428")).all()
        codes = [keys.code(nonce) for nonce in nonces]
        plan_b = [past.initiative(target_cents=target, days_left=60).id for target in (5_000, 500_000)]
        for _number in range(4):
            failed = past.initiative(target_cents=500_000, days_left=10)
            for number in range(100):
                choice = plan_b[number % 2] if number % 10 == 0 else None
                past.give(codes.pop(), failed, GiftDetails(plan_b_initiative_id=choice))
        for _number in range(4):
            reached = past.initiative(target_cents=5_000, days_left=10)
            for _gift in range(7):
                past.give(codes.pop(), reached)


@pytest.fixture(scope="module")
def stage(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("crashes")
    now = dt.datetime.now(dt.UTC)
    prepared, copy = f"abs_crashes_{worker}", f"abs_crash_{worker}"
    builder = make_app(prepared, folder)
    editions = Editions.write(folder, builder.extensions["settings"].municipality, HOUSEHOLDS)
    _prepare(builder, editions, now)
    with builder.app_context():
        db.engine.dispose()
    app = create_app(make_settings(os.environ[SERVER_URL].replace("/abs?", f"/{copy}?"), folder))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.concurrency.victim"],
        cwd=ROOT_DIR,
        env=environment(app),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Stage(app, prepared, copy, now, editions, process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("work", ["issue_vouchers", "import", "close_initiatives", "expire_vouchers"])
def test_work_that_was_killed_anywhere_is_completed_by_the_next_run(stage: Stage, work: str) -> None:
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    print(f"seed {seed}")
    stage.reset()
    untouched = stage.look(outcome)
    duration = stage.order(work, None)["seconds"]
    expected = stage.look(outcome)
    assert expected != untouched

    kills, marked = 0, 0
    while kills < KILLS:
        stage.reset()
        moment = chance.uniform(0, duration)
        answer = stage.order(work, moment)
        if not answer["killed"]:  # it was quicker than the run that was measured
            duration = min(duration, answer["seconds"])
            continue
        kills += 1
        print(f"killed after {moment:.3f} s of {duration:.3f} s")
        left = stage.look(unended)
        assert stage.look(check) == []
        if work in ONE_TRANSACTION:
            assert stage.look(outcome) in (untouched, expected)

        stage.run(work)

        assert stage.look(outcome) == expected
        assert stage.look(check) == []
        assert stage.look(unended) == []
        assert stage.look(partial(errors_of, runs=left)) == [KILLED] * len(left)
        marked += len(left)
    assert marked or work == "import"

    for name in TIMETABLE:
        stage.run(name)
    assert stage.look(lambda session: session.execute(text(WITHOUT_A_VOUCHER_OR_WITH_TWO)).all()) == []
    assert stage.look(lambda session: check(session, jobs_have_run=True)) == []


def test_a_crash_between_the_gift_that_reaches_the_target_and_its_closing_is_healed_by_the_job(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    codes = own_factory.codes(8)
    initiative = own_factory.initiative(target_cents=5_000)
    initiative_id, late, now = initiative.id, codes.pop(), own_factory.now
    for code in codes:  # each without the closing that follows a gift
        own_factory.give(code, initiative)
    own_session.commit()
    assert [breach.what for breach in check(own_session, jobs_have_run=True)] == [f"initiative {initiative_id}"]
    assert_books_are_right(own_session)

    report = run_job("close_initiatives", close_initiatives.run, now)
    again = run_job("close_initiatives", close_initiatives.run, now)

    assert (report, again) == (JobReport(changed=1), JobReport())
    assert own_session.get_one(Initiative, initiative_id, populate_existing=True).state == "funded"
    assert own_factory.give(late, initiative) is None
    assert_books_are_right(own_session, jobs_have_run=True)
