# SPDX-License-Identifier: EUPL-1.2
"""Codes from paper at the same moment: entered twice, by two, past the count, released, refused and run by the job."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.config import Settings
from abs_platform.donations.models import Donation
from abs_platform.errors import AbsError
from abs_platform.initiatives.models import Initiative
from abs_platform.paper.giving import enter_codes
from abs_platform.paper.models import EntryBatch, WaitingEntry
from abs_platform.paper.service import refuse, register_box, release
from abs_platform.paper.states import EntryOutcome as Outcome
from abs_platform.vouchers.codes import read_code
from jobs import book_entries
from tests.concurrency.racing import assert_books_are_right, at_once, committed
from tests.factories import TEST_ACTOR, Factory

HOURS_48 = dt.timedelta(hours=48)


@pytest.fixture
def small(own_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than three codes an hour wait."""
    settings: Settings = own_app.extensions["settings"]
    town = replace(settings.municipality, rules=replace(settings.rules, large_batch_codes=3))
    monkeypatch.setitem(own_app.extensions, "settings", replace(settings, municipality=town))


def entering(
    app: Flask, codes: Iterable[str], initiative_id: int, account_id: int, now: dt.datetime
) -> Callable[[], list[Outcome]]:
    """Enter codes as the edge does."""
    payloads = [read_code(code) for code in codes]

    def work() -> list[Outcome]:
        with app.app_context():
            answers = enter_codes(payloads, initiative_id, account_id, box_id=None, actor=TEST_ACTOR, now=now)
            return [answer.outcome for answer in answers]

    return work


def count(session: Session, table: type[Donation] | type[WaitingEntry] | type[EntryBatch]) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_the_same_codes_entered_twice_and_by_two_organisers_are_given_once(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    initiative, codes = own_factory.initiative(), own_factory.fresh_codes(6)
    anna, bram = own_factory.account().id, own_factory.account().id
    own_session.commit()

    found = at_once([entering(own_app, codes, initiative.id, who, own_factory.now) for who in (anna, anna, bram)])

    outcomes = [Counter(of[place] for of in found) for place in range(len(codes))]
    assert all(of[Outcome.GIVEN] == 1 for of in outcomes)
    assert all(of[Outcome.NOT_USABLE] in {1, 2} for of in outcomes)
    assert count(own_session, Donation) == len(codes)
    assert count(own_session, EntryBatch) == 2
    assert_books_are_right(own_session)


def test_organisers_at_once_do_not_slip_past_the_count_nor_over_the_target(
    own_app: Flask, own_session: Session, own_factory: Factory, small: None
) -> None:
    initiative, codes = own_factory.initiative(), own_factory.fresh_codes(12)
    who = [own_factory.account().id for _ in range(3)]
    own_session.commit()
    lots = [codes[number::3] for number in range(3)]

    found = at_once(
        [entering(own_app, lot, initiative.id, one, own_factory.now) for lot, one in zip(lots, who, strict=True)]
    )

    outcomes = Counter(outcome for of in found for outcome in of)
    assert outcomes == {Outcome.GIVEN: 3, Outcome.WAITING: 9}
    assert (count(own_session, Donation), count(own_session, WaitingEntry)) == (3, 9)


def test_release_refusal_and_job_at_once_decide_once_and_give_each_code_once(
    own_app: Flask, own_session: Session, own_factory: Factory, small: None
) -> None:
    initiative, codes = own_factory.initiative(), own_factory.fresh_codes(9)
    who, desk, now = own_factory.account().id, own_factory.account().id, own_factory.now
    own_session.commit()
    assert len(entering(own_app, codes, initiative.id, who, now)()) == 9
    own_session.rollback()
    batch = own_session.scalars(select(EntryBatch)).one()
    batch_id, later = batch.id, now + HOURS_48
    own_session.rollback()

    def run_job() -> int:
        with own_app.app_context():
            return book_entries.run(later).changed

    releasing = committed(own_app, lambda s: release(s, batch_id, actor=TEST_ACTOR, by_id=desk, now=later))
    refusing = committed(own_app, lambda s: refuse(s, batch_id, "Nee.", actor=TEST_ACTOR, by_id=desk, now=later))
    results = at_once([releasing, refusing, run_job, run_job])

    assert sum(isinstance(result, AbsError) for result in results[:2]) in {1, 2}
    run_job()
    own_session.rollback()
    state = own_session.get_one(EntryBatch, batch_id, populate_existing=True).state
    was_released = state == "released"
    assert state in {"released", "refused"}
    assert count(own_session, Donation) == (9 if was_released else 3)
    assert count(own_session, WaitingEntry) == (0 if was_released else 6)
    assert_books_are_right(own_session)


def test_entering_that_was_killed_in_the_middle_is_done_again_without_harm(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    initiative: Initiative = own_factory.initiative(target_cents=5_000)
    codes, who, now = own_factory.fresh_codes(8), own_factory.account().id, own_factory.now
    own_session.commit()
    with own_app.app_context():
        payloads = [read_code(code) for code in codes]
        half = enter_codes(payloads, initiative.id, who, box_id=None, actor=TEST_ACTOR, now=now)
        assert [next(half).outcome for _ in range(3)] == [Outcome.GIVEN] * 3
        half.close()

    outcomes = entering(own_app, codes, initiative.id, who, now)()

    assert outcomes == [Outcome.BEFORE] * 3 + [Outcome.GIVEN] * 4 + [Outcome.CLOSED]
    own_session.rollback()
    assert own_session.get_one(Initiative, initiative.id).state == "funded"
    assert count(own_session, Donation) == 7
    assert_books_are_right(own_session)


def test_boxes_registered_at_once_get_a_number_each(own_app: Flask, own_session: Session, own_factory: Factory) -> None:
    initiatives = [own_factory.initiative().id for _ in range(3)]
    account_id, now = own_factory.account().id, own_factory.now
    own_session.commit()

    def registering(initiative_id: int) -> Callable[[Session], int]:
        return lambda session: (
            register_box(
                session, initiative_id, "Bos", "Markt 1", account_id=account_id, actor=TEST_ACTOR, now=now
            ).number
        )

    numbers = at_once([committed(own_app, registering(initiative_id)) for initiative_id in initiatives])

    assert sorted(numbers) == [1, 2, 3]  # type: ignore[type-var]
