# SPDX-License-Identifier: EUPL-1.2
"""Codes of large batches: given when their time is over, or when a release was stopped half-way; never twice."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform.database import db
from abs_platform.ledger.queries import check
from abs_platform.paper import queries
from abs_platform.paper.giving import give_released
from abs_platform.paper.service import refuse, release
from jobs import book_entries
from jobs.runner import JobReport
from tests.factories import TEST_ACTOR, Factory
from tests.paper.organisers import Paper, paper_of

HOURS_48 = dt.timedelta(hours=48)


@pytest.fixture
def paper(factory: Factory) -> Paper:
    """Three codes were given, and three wait."""
    made = paper_of(factory)
    made.enter(factory.fresh_codes(6))
    factory.session.commit()
    return made


def run(now: dt.datetime) -> JobReport:
    """Run the job; its session lets go, as after a run of the scheduler."""
    report = book_entries.run(now)
    db.session.rollback()
    return report


def test_codes_are_given_after_two_days_and_not_before(paper: Paper, session: Session) -> None:
    now = paper.factory.now

    early = run(now + HOURS_48 - dt.timedelta(seconds=1))
    first, second = run(now + HOURS_48), run(now + HOURS_48)

    assert [report.changed for report in (early, first, second)] == [0, 3, 0]
    assert early.errors + first.errors + second.errors == []
    batch = paper.batch()
    assert (batch.state, batch.decided_by_id) == ("released", None)
    assert queries.batches_of(session, paper.initiative.id)[0].given == 6
    assert check(session) == []


def test_a_release_that_was_stopped_half_way_is_finished(paper: Paper, session: Session) -> None:
    batch, by, now = paper.batch(), paper.factory.account(), paper.factory.now
    release(session, batch.id, actor=TEST_ACTOR, by_id=by.id, now=now)
    session.commit()
    half = give_released(batch.id, actor=TEST_ACTOR, now=now, most=1)
    db.session.rollback()

    report = run(now)

    assert (half.given, half.remaining, report.changed) == (1, 2, 2)
    assert queries.waiting_vouchers(session, batch.id) == []


def test_what_was_refused_is_never_given(paper: Paper, session: Session) -> None:
    by = paper.factory.account()
    refuse(session, paper.batch().id, "Nee.", actor=TEST_ACTOR, by_id=by.id, now=paper.factory.now)
    session.commit()

    assert run(paper.factory.now + HOURS_48).changed == 0


def test_once_the_initiative_is_there_the_rest_is_left_alone(factory: Factory, app: Flask) -> None:
    assert app
    paper = paper_of(factory, target_cents=5_000)
    codes = factory.fresh_codes(9)
    paper.enter(codes)
    factory.session.commit()

    report = run(factory.now + HOURS_48)

    assert report.changed == 4  # with the three that were given at once that is 7 times € 7.50
    assert factory.voucher(codes[8]).state == "issued"
    assert queries.waiting_vouchers(factory.session, paper.batch().id) == []
