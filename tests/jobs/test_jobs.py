# SPDX-License-Identifier: EUPL-1.2
"""Each job does what is due and not done, and a second run changes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.database import db
from abs_platform.donations.models import Donation
from abs_platform.donations.service import GiftDetails
from abs_platform.errors import AbsError
from abs_platform.events import Event
from abs_platform.finance import checking
from abs_platform.initiatives import service
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.ledger.queries import check
from abs_platform.outbox import OutgoingMail
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import CodeAttempt, Voucher
from jobs import check_ledger, close_initiatives, expire_vouchers, issue_vouchers, prove_rounds, purge_personal_data
from jobs.runner import Job, JobReport
from jobs.schedule import TIMETABLE
from tests.factories import TEST_ACTOR, Factory

TABLES = ("events", "rounds", "vouchers", "voucher_batches", "initiatives", "donations", "code_attempts")
TABLES += ("ledger_transactions", "ledger_postings")
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _the_transaction_of_the_test_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot is asked before any other query; tests/jobs/test_runner.py lets the job ask it."""
    monkeypatch.setattr(checking, "one_snapshot", lambda _session: None)
    monkeypatch.setattr(prove_rounds, "one_snapshot", lambda _session: None)


def everything(session: Session) -> list[Any]:
    """Every row that a job may touch."""
    rows = [session.execute(text(f"SELECT t::text FROM {table} t ORDER BY id")).all() for table in TABLES]
    session.commit()
    return rows


def run(session: Session, job: Job, now: dt.datetime) -> JobReport:
    """Run a job. It has a session of its own; each of the two is done before the other goes on."""
    session.commit()
    try:
        return job(now)
    finally:
        db.session.rollback()
        session.expire_all()


def run_twice(factory: Factory, job: Job, now: dt.datetime | None = None) -> JobReport:
    """Run a job, see that a second run changes nothing and that the books are right, and tell what the first did."""
    moment = now or factory.now
    report = run(factory.session, job, moment)
    after = everything(factory.session)
    again = run(factory.session, job, moment)
    assert (again.changed, again.errors) == (0, [])
    assert everything(factory.session) == after
    assert check(factory.session, jobs_have_run=True) == []
    return report


def state_of(factory: Factory, initiative: Initiative) -> str:
    factory.session.refresh(initiative)
    return initiative.state


@pytest.mark.parametrize("name", TIMETABLE)
def test_a_job_with_nothing_to_do_does_nothing(session: Session, name: str) -> None:
    before = everything(session)

    report = run(session, TIMETABLE[name].job, clock.now())

    assert (report.changed, report.errors) == (0, [])
    assert everything(session) == before


# -- issue_vouchers ---------------------------------------------------------------------------------------------------


def test_issuing_gives_each_household_of_a_due_round_one_voucher(factory: Factory) -> None:
    factory.households(3)
    round_ = factory.round()

    report = run_twice(factory, issue_vouchers.run)

    assert report.changed == 3
    assert factory.session.get_one(Round, round_.id).state == "issued"


@pytest.mark.parametrize(("days", "issued"), [(-6, 0), (-5, 2), (0, 2), (29, 2), (31, 0)])
def test_a_round_is_issued_from_its_day_until_its_closing_and_not_outside(
    factory: Factory, days: int, issued: int
) -> None:
    factory.households(2)
    round_ = factory.round(opens=dt.timedelta(0), closes=30 * DAY)

    report = run_twice(factory, issue_vouchers.run, round_.opens_at + days * DAY)

    assert report.changed == issued


def test_a_round_that_was_missed_for_a_night_is_issued_the_next_day(factory: Factory) -> None:
    factory.households(2)
    round_ = factory.round()
    missed_at, next_day = round_.opens_at, round_.opens_at + DAY
    assert missed_at < next_day

    assert run_twice(factory, issue_vouchers.run, next_day).changed == 2


def test_an_address_that_came_later_gets_its_voucher_with_the_next_run(factory: Factory) -> None:
    factory.households(2)
    factory.round()
    run_twice(factory, issue_vouchers.run)
    (later,) = factory.households(1)

    report = run_twice(factory, issue_vouchers.run)

    assert report.changed == 1
    assert factory.session.scalars(select(Voucher.household_id).order_by(Voucher.id.desc())).first() == later.id


# -- close_initiatives ------------------------------------------------------------------------------------------------


def test_a_closing_that_a_crash_left_undone_is_done(factory: Factory) -> None:
    initiative = factory.initiative(target_cents=5_000)
    for code in factory.codes(7):
        factory.give(code, initiative)

    report = run_twice(factory, close_initiatives.run)

    assert report.changed == 1
    assert state_of(factory, initiative) == State.FUNDED
    event = factory.session.scalars(select(Event).where(Event.kind == "initiative.funded")).one()
    assert event.actor == "job:close_initiatives"


def test_a_missed_deadline_ends_an_initiative_and_its_vouchers_come_back(factory: Factory) -> None:
    initiative = factory.initiative(days_left=0)
    codes = factory.codes(3)
    for code in codes:
        factory.give(code, initiative)
    long_after = factory.now + 3 * DAY

    report = run_twice(factory, close_initiatives.run, long_after)

    assert report.changed == 1 + 3
    assert state_of(factory, initiative) == State.EXPIRED
    for code in codes:
        voucher = factory.voucher(code)
        assert voucher.state == "issued"
        assert voucher.usable_until is not None
        assert voucher.usable_until >= long_after + 60 * DAY
    reasons = factory.session.scalars(select(Event.reason).where(Event.kind == "voucher.returned")).all()
    assert list(reasons) == ["expired"] * 3
    told = select(OutgoingMail.recipient).where(OutgoingMail.event == f"initiative.expired:{initiative.id}")
    organisers = select(Organiser.email).where(Organiser.initiative_id == initiative.id)
    assert sorted(filter(None, factory.session.scalars(told))) == sorted(factory.session.scalars(organisers))


def test_on_its_last_day_an_initiative_still_collects(factory: Factory) -> None:
    initiative = factory.initiative(days_left=0)

    report = run_twice(
        factory, close_initiatives.run, clock.end_of_day(initiative.deadline_on) - dt.timedelta(seconds=1)
    )

    assert report.changed == 0
    assert state_of(factory, initiative) == State.PUBLISHED


@pytest.mark.parametrize("end", ["stop", "withdraw"])
def test_what_was_given_to_an_initiative_that_is_stopped_or_withdrawn_comes_back(factory: Factory, end: str) -> None:
    initiative = factory.initiative()
    (code,) = factory.codes()
    factory.give(code, initiative)
    getattr(service, end)(factory.session, initiative.id, reason="Gaat niet.", actor=TEST_ACTOR, now=factory.now)

    report = run_twice(factory, close_initiatives.run)

    assert report.changed == 1
    assert factory.voucher(code).state == "issued"


def test_the_money_of_a_stopped_initiative_that_was_funded_comes_back_too(factory: Factory) -> None:
    initiative = factory.initiative(State.FUNDED, target_cents=5_000)
    service.stop(factory.session, initiative.id, reason="Verboden.", actor=TEST_ACTOR, now=factory.now)

    assert run_twice(factory, close_initiatives.run).changed == 7


def test_a_voucher_goes_to_its_second_choice_if_that_still_collects(factory: Factory) -> None:
    first, plan_b, over = factory.initiative(), factory.initiative(), factory.initiative(State.STOPPED)
    to_plan_b, to_nobody, without = factory.codes(3)
    factory.give(to_plan_b, first, GiftDetails(plan_b_initiative_id=plan_b.id, giver_name="Anna", message="Succes!"))
    factory.give(to_nobody, first, GiftDetails(plan_b_initiative_id=over.id))
    factory.give(without, first)
    service.stop(factory.session, first.id, reason="Gaat niet.", actor=TEST_ACTOR, now=factory.now)

    report = run_twice(factory, close_initiatives.run)

    assert report.changed == 3
    assert [factory.voucher(code).state for code in (to_plan_b, to_nobody, without)] == ["given", "issued", "issued"]
    moved = factory.session.scalars(select(Donation).where(Donation.state == "confirmed")).one()
    assert (moved.initiative_id, moved.giver_name, moved.message) == (plan_b.id, "Anna", None)
    assert moved.plan_b_initiative_id is None


def test_second_choices_that_reach_a_target_fund_it(factory: Factory) -> None:
    first, plan_b = factory.initiative(), factory.initiative(target_cents=5_000)
    for code in factory.codes(8):
        factory.give(code, first, GiftDetails(plan_b_initiative_id=plan_b.id))
    service.stop(factory.session, first.id, reason="Gaat niet.", actor=TEST_ACTOR, now=factory.now)

    run_twice(factory, close_initiatives.run)

    assert state_of(factory, plan_b) == State.FUNDED
    living = factory.session.scalars(select(Voucher.state).order_by(Voucher.id)).all()
    assert sorted(living) == ["given"] * 7 + ["issued"]


# -- expire_vouchers --------------------------------------------------------------------------------------------------


def test_a_round_that_is_over_is_closed_and_its_vouchers_expire(factory: Factory) -> None:
    given, kept_unused = factory.codes(2)
    factory.give(given, factory.initiative())
    round_ = factory.session.scalars(select(Round)).one()
    long_after = round_.closes_at + 3 * DAY

    report = run_twice(factory, expire_vouchers.run, long_after)

    assert report.changed == 1
    assert factory.session.get_one(Round, round_.id).state == "closed"
    assert [factory.voucher(code).state for code in (given, kept_unused)] == ["given", "expired"]


@pytest.mark.parametrize(("seconds", "state"), [(-1, "issued"), (0, "closed"), (1, "closed")])
def test_a_round_closes_at_its_moment(factory: Factory, seconds: int, state: str) -> None:
    factory.codes()
    round_ = factory.session.scalars(select(Round)).one()

    run_twice(factory, expire_vouchers.run, round_.closes_at + dt.timedelta(seconds=seconds))

    assert factory.session.get_one(Round, round_.id).state == state


def test_a_voucher_that_came_back_expires_at_its_own_end_and_not_with_its_round(factory: Factory) -> None:
    initiative = factory.initiative()
    (code,) = factory.codes()
    factory.give(code, initiative)
    round_ = factory.session.scalars(select(Round)).one()
    service.stop(factory.session, initiative.id, reason="Gaat niet.", actor=TEST_ACTOR, now=factory.now)
    run_twice(factory, close_initiatives.run)
    end = factory.voucher(code).usable_until
    assert end is not None
    assert end > round_.closes_at

    with_the_round = run_twice(factory, expire_vouchers.run, round_.closes_at)
    state_between = factory.voucher(code).state
    at_its_end = run_twice(factory, expire_vouchers.run, end)

    assert (with_the_round.changed, state_between) == (0, "issued")
    assert (at_its_end.changed, factory.voucher(code).state) == (1, "expired")


def test_a_voucher_that_comes_back_after_its_round_closed_lives_on(factory: Factory) -> None:
    initiative = factory.initiative(days_left=60)
    (code,) = factory.codes()
    factory.give(code, initiative)
    closes_at = factory.session.scalars(select(Round.closes_at)).one()
    run_twice(factory, expire_vouchers.run, closes_at)
    later = closes_at + 10 * DAY
    service.stop(factory.session, initiative.id, reason="Gaat niet.", actor=TEST_ACTOR, now=later)

    run_twice(factory, close_initiatives.run, later)
    run_twice(factory, expire_vouchers.run, later + 59 * DAY)

    assert factory.voucher(code).state == "issued"
    assert run_twice(factory, expire_vouchers.run, later + 60 * DAY).changed == 1


# -- check_ledger and purge_personal_data -----------------------------------------------------------------------------


def test_books_that_are_right_raise_no_alarm(factory: Factory) -> None:
    factory.give(factory.codes()[0], factory.initiative())

    report = run_twice(factory, check_ledger.run)

    assert (report.changed, report.errors) == (0, [])


def test_books_that_are_broken_make_one_alarm_a_run(factory: Factory) -> None:
    factory.codes(2)
    factory.session.execute(text("UPDATE vouchers SET state = 'given'"))

    report = run(factory.session, check_ledger.run, factory.now)

    alarms = factory.session.scalars(select(Event).where(Event.kind.like("alarm.%"))).all()
    assert [(alarm.kind, alarm.actor) for alarm in alarms] == [("alarm.ledger_broken", "job:check_ledger")]
    assert len(report.errors) >= 3
    assert any("every given voucher has exactly one confirmed donation" in error for error in report.errors)


def test_wrong_codes_are_forgotten_after_two_days(factory: Factory) -> None:
    ages = [dt.timedelta(hours=1), 2 * DAY - dt.timedelta(seconds=1), 2 * DAY + dt.timedelta(seconds=1), 9 * DAY]
    factory.session.add_all(
        CodeAttempt(client_digest=b"c" * 16, attempted_at=factory.now - age, reason="unknown") for age in ages
    )

    report = run_twice(factory, purge_personal_data.run)

    assert report.changed == 2
    assert len(factory.session.scalars(select(CodeAttempt)).all()) == 2


# -- one bad item -----------------------------------------------------------------------------------------------------


def failing_for(bad_id: int, verb: Callable[..., Any]) -> Callable[..., Any]:
    """A verb that fails for one item, after it has written something."""

    def fail(session: Session, item_id: int, **options: Any) -> Any:
        result = verb(session, item_id, **options)
        if item_id == bad_id:
            session.flush()
            raise AbsError("dit ging mis")
        return result

    return fail


def test_one_bad_round_does_not_keep_the_others_from_their_vouchers(
    factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory.households(2)
    factory.households(1, "BU01412000")
    bad, good = factory.round(districts=("WK014119",)), factory.round(districts=("WK014120",))
    factory.session.commit()
    monkeypatch.setattr(issue_vouchers, "issue_vouchers", failing_for(bad.id, issue_vouchers.issue_vouchers))

    report = run(factory.session, issue_vouchers.run, factory.now)

    assert report.changed == 1
    assert report.errors == [f"{bad.id}: AbsError: dit ging mis"]
    assert {round_.id: round_.state for round_ in (bad, good)} == {bad.id: "planned", good.id: "issued"}


def test_one_bad_initiative_does_not_keep_the_others_from_closing(
    factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = factory.initiative(days_left=0), factory.initiative(days_left=0)
    factory.session.commit()
    monkeypatch.setattr(close_initiatives, "expire_and_tell", failing_for(bad.id, close_initiatives.expire_and_tell))

    report = run(factory.session, close_initiatives.run, factory.now + 2 * DAY)

    assert report.changed == 1
    assert len(report.errors) == 1
    assert (state_of(factory, bad), state_of(factory, good)) == (State.PUBLISHED, State.EXPIRED)


def test_one_bad_round_does_not_keep_the_others_from_closing(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = factory.round(districts=("WK014119",)), factory.round(districts=("WK014120",))
    for round_ in (bad, good):
        factory.issue(round_, factory.now)
    factory.session.commit()
    monkeypatch.setattr(expire_vouchers, "expire_round", failing_for(bad.id, expire_vouchers.expire_round))

    report = run(factory.session, expire_vouchers.run, bad.closes_at)

    assert len(report.errors) == 1
    assert (bad.state, good.state) == ("issued", "closed")
