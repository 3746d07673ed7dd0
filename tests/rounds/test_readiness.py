# SPDX-License-Identifier: EUPL-1.2
"""The check list of a round, each line green and not, and what the dry run says: exactly what issuing then does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from abs_platform.areas.models import Area, HelpPoint
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.events import Event
from abs_platform.households.models import AddressImport, Household
from abs_platform.job_runs import ScheduledJob
from abs_platform.letters.models import LetterText
from abs_platform.rounds.budgeting import set_budget, year_view
from abs_platform.rounds.dry_run import dry_run
from abs_platform.rounds.models import Round, RoundDistrict, YearBudget
from abs_platform.rounds.readiness import Check, checks, release_when_ready
from abs_platform.rounds.states import MAY_BE_SET_ASIDE, WARNINGS, CheckKind
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.service import expire_round
from tests.factories import TEST_ACTOR, Factory
from tests.rounds.ready import addresses_read, jobs_seen, make_ready

DAY = dt.timedelta(days=1)


@pytest.fixture
def round_(factory: Factory) -> Round:
    """A planned round of which everything is in order, with three addresses."""
    factory.households(3)
    made = factory.round(name="Najaar", opens=20 * DAY, closes=60 * DAY, is_released=False)
    make_ready(factory, made)
    return made


def look(factory: Factory, round_: Round) -> dict[CheckKind, Check]:
    found = checks(
        factory.session, round_.id, key_fingerprint=factory.keys.fingerprint, rules=factory.rules, now=factory.now
    )
    return {check.kind: check for check in found}


def release(factory: Factory, round_: Round, *despite: CheckKind, reason: str = "") -> None:
    release_when_ready(
        factory.session,
        round_.id,
        key_fingerprint=factory.keys.fingerprint,
        rules=factory.rules,
        despite=despite,
        reason=reason,
        actor=TEST_ACTOR,
        now=factory.now,
    )


def close_too_soon(factory: Factory, round_: Round) -> None:
    factory.session.execute(update(RoundDistrict).values(opens_at=round_.opens_at))
    factory.now = round_.closes_at
    jobs_seen(factory, factory.now)
    addresses_read(factory, 0)


def end_a_district(factory: Factory, round_: Round) -> None:
    assert round_
    factory.session.execute(update(Area).where(Area.code == "WK014118").values(is_current=False))


def end_a_neighbourhood(factory: Factory, round_: Round) -> None:
    assert round_
    factory.session.execute(update(Area).where(Area.code == "BU01411900").values(is_current=False))


def read_addresses_long_ago(factory: Factory, round_: Round) -> None:
    assert round_
    factory.session.execute(delete(AddressImport))
    addresses_read(factory, factory.rules.addresses_fresh_days + 1)


def unapprove(factory: Factory, round_: Round) -> None:
    assert round_
    factory.session.execute(update(LetterText).values(approved_at=None, approved_by_id=None))


def spend_the_budget(factory: Factory, round_: Round) -> None:
    factory.session.execute(update(YearBudget).values(amount_cents=3 * round_.amount_cents - 1))


def change_the_key(factory: Factory, round_: Round) -> None:
    assert round_
    running = factory.round(districts=("WK014120",))
    factory.issue(running)
    running.key_fingerprint = b"another"
    factory.session.flush()


def take_help_away(factory: Factory, round_: Round) -> None:
    assert round_
    factory.session.execute(delete(HelpPoint).where(HelpPoint.district_id == factory.area_id("WK014118")))


def stop_the_jobs(factory: Factory, round_: Round) -> None:
    assert round_
    factory.session.execute(update(ScheduledJob).values(seen_at=factory.now - dt.timedelta(minutes=6)))


BREAKING: dict[CheckKind, Callable[[Factory, Round], None]] = {
    CheckKind.DATES: close_too_soon,
    CheckKind.DISTRICTS: end_a_district,
    CheckKind.NEIGHBOURHOODS: end_a_neighbourhood,
    CheckKind.ADDRESSES: read_addresses_long_ago,
    CheckKind.LETTER_TEXT: unapprove,
    CheckKind.BUDGET: spend_the_budget,
    CheckKind.KEY: change_the_key,
    CheckKind.HELP_POINTS: take_help_away,
    CheckKind.JOB_PROCESS: stop_the_jobs,
}


def test_every_check_is_green_when_all_is_in_order(factory: Factory, round_: Round) -> None:
    found = look(factory, round_)

    assert [kind for kind, check in found.items() if not check.is_green] == []
    assert list(found) == list(CheckKind) == sorted(BREAKING, key=list(CheckKind).index)


@pytest.mark.parametrize("kind", list(CheckKind))
def test_what_is_not_in_order_is_said_and_stops_the_release_unless_it_only_warns(
    factory: Factory, round_: Round, kind: CheckKind
) -> None:
    BREAKING[kind](factory, round_)
    factory.session.flush()

    found = look(factory, round_)
    broken = {kind for kind, check in found.items() if not check.is_green}
    assert broken - ({CheckKind.DISTRICTS} if kind is CheckKind.NEIGHBOURHOODS else set()) == {kind}
    assert found[kind].is_warning == (kind in WARNINGS)
    if kind in WARNINGS:
        release(factory, round_)
        assert round_.released_at == factory.now
        return
    with pytest.raises(Conflict, match=str(kind.label)):
        release(factory, round_)
    assert round_.released_at is None


@pytest.mark.parametrize("kind", sorted(set(CheckKind) - MAY_BE_SET_ASIDE))
def test_nobody_releases_despite_what_must_be_right(factory: Factory, round_: Round, kind: CheckKind) -> None:
    BREAKING[kind](factory, round_)

    with pytest.raises(InvalidInput):
        release(factory, round_, kind, reason="Het moet door.")

    assert round_.released_at is None


def test_old_addresses_are_set_aside_with_a_reason_that_stays(factory: Factory, round_: Round) -> None:
    read_addresses_long_ago(factory, round_)

    with pytest.raises(InvalidInput, match="waarom"):
        release(factory, round_, CheckKind.ADDRESSES, reason="  ")
    release(factory, round_, CheckKind.ADDRESSES, reason="Het bestand komt volgende week.")

    event = factory.session.scalars(select(Event).where(Event.kind == "round.released")).one()
    assert event.reason == "Het bestand komt volgende week."
    assert event.details is not None
    assert event.details["despite"] == ["addresses"]
    with pytest.raises(Conflict, match="al vrijgegeven"):
        release(factory, round_)


def test_the_dry_run_says_what_issuing_then_does(session: Session, factory: Factory) -> None:
    here, there = factory.households(7), factory.households(2, area="BU01411801")
    round_ = factory.round(opens=20 * DAY, closes=60 * DAY, districts=("WK014119", "WK014120"), is_released=False)
    make_ready(factory, round_)
    here[0].ended_on = factory.now.date()
    here[1].mail_returned_at = factory.now
    has_one = factory.households(1, area="BU01411801")[0]
    # An address that moved here from a district whose round is open at the same time has its voucher.
    round_.issue_on = factory.now.date()
    first = factory.round(name="Elders", opens=-5 * DAY, closes=30 * DAY, districts=("WK014118",))
    assert factory.issue(first) == len(there) + 1
    has_one.neighbourhood_id = factory.area_id("BU01411900")
    session.flush()
    release(factory, round_)
    plan = dry_run(session, round_.id, round_.amount_cents)
    before = session.scalar(select(func.count()).select_from(Voucher))

    issued = factory.issue(round_, at=factory.now)

    assert plan.total.would_get == issued == 5
    assert plan.would_cost_cents == issued * 750
    assert session.scalar(select(func.count()).select_from(Voucher)) == (before or 0) + issued
    by_district = session.execute(
        select(Area.parent_id, func.count().label("number"))
        .select_from(Voucher)
        .join(Household, Household.id == Voucher.household_id)
        .join(Area, Area.id == Household.neighbourhood_id)
        .where(Voucher.round_id == round_.id)
        .group_by(Area.parent_id)
    ).all()
    assert {place.id: place.counts.would_get for place in plan.districts if place.counts.would_get} == {
        row.parent_id: row.number for row in by_district
    }
    assert (plan.total.returned, plan.total.ended, plan.total.have) == (1, 1, 1)
    again = dry_run(session, round_.id, round_.amount_cents).total
    assert again == replace(plan.total, have=plan.total.have + issued, would_get=0)


def test_the_budget_of_a_year_knows_what_is_out_what_is_planned_and_what_comes_back(
    session: Session, factory: Factory, round_: Round
) -> None:
    year = round_.issue_on.year
    old = factory.round(name="Vorige", opens=-40 * DAY, closes=-1 * DAY, districts=("WK014119",))
    factory.issue(old)
    codes = factory.keys
    given = session.scalars(select(Voucher).where(Voucher.round_id == old.id)).first()
    assert given is not None
    with_gift = replace(factory, now=old.opens_at + DAY)
    assert with_gift.give(codes.code(given.nonce), with_gift.initiative())
    expire_round(session, old.id, actor=TEST_ACTOR, now=factory.now)
    set_budget(session, year, 10_000, reason="Raad", actor=TEST_ACTOR, now=factory.now)

    view = year_view(session, year)
    spent = 750 if old.issue_on.year == year else 0

    assert (view.issued_cents, view.planned_cents) == (spent, 3 * 750)
    assert view.left_cents == 10_000 - spent - 3 * 750
    assert view.used_percent == 33
    assert view.expected_cents == spent + 3 * 750 * 33 // 100
    assert set_budget(session, year, 10_000, reason="Raad", actor=TEST_ACTOR, now=factory.now) == 10_000
    assert session.scalar(select(func.count()).where(Event.kind == "budget.set")) == 1
