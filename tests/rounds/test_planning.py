# SPDX-License-Identifier: EUPL-1.2
"""Planning rounds: dates that make sense, and never two rounds open at once in one district."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from abs_platform.areas.models import Area
from abs_platform.clock import local_date
from abs_platform.database import transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, InvalidTransition, RoundOverlaps
from abs_platform.events import Event
from abs_platform.rounds.models import Round, RoundDistrict
from abs_platform.rounds.queries import due_for_issue, find_round, list_rounds, open_round
from abs_platform.rounds.service import close, lock_round, mark_issued, plan_round
from abs_platform.rounds.states import RoundState
from tests.factories import TEST_ACTOR, Factory

DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)


def plan(factory: Factory, **changes: object) -> Round:
    """Plan a round that is in order, but for what is changed."""
    now = factory.now
    wanted = {
        "name": "Najaar",
        "issue_on": local_date(now + 5 * DAY),
        "opens_at": now + 10 * DAY,
        "closes_at": now + 40 * DAY,
        "amount_cents": 750,
        "districts": (),
        "rules": factory.rules,
        "actor": TEST_ACTOR,
        "now": now,
    }
    return plan_round(factory.session, **(wanted | changes))  # type: ignore[arg-type]


def plan_at_the_edge(factory: Factory, **changes: object) -> None:
    """Plan as the command does: in a transaction that turns broken constraints into sentences."""
    factory.session.commit()
    with transaction() as factory.session:
        plan(factory, **changes)


def districts_of(session: Session, round_: Round) -> set[str]:
    query = select(Area.code).join(RoundDistrict, RoundDistrict.district_id == Area.id)
    return set(session.scalars(query.where(RoundDistrict.round_id == round_.id)))


def test_a_round_is_planned_with_the_rules_of_that_day(session: Session, factory: Factory) -> None:
    round_ = plan(factory, name="  Najaar 2026 ", amount_cents=1_000)

    assert (round_.name, round_.state, round_.amount_cents) == ("Najaar 2026", "planned", 1_000)
    assert (round_.kept_valid_days, round_.returned_valid_days) == (365, 60)
    assert len(districts_of(session, round_)) == 12
    event = session.scalars(select(Event).where(Event.kind == "round.planned")).one()
    assert (event.subject_id, event.actor) == (round_.id, str(TEST_ACTOR))


@pytest.mark.parametrize(
    ("named", "codes"),
    [
        (("WK014119",), {"WK014119"}),
        (("Windmolenbroek", "sluitersveld"), {"WK014119", "WK014113"}),
        (("wk014120", "Aadorp"), {"WK014120"}),
    ],
)
def test_districts_are_named_by_code_or_name(
    session: Session, factory: Factory, named: tuple[str, ...], codes: set[str]
) -> None:
    assert districts_of(session, plan(factory, districts=named)) == codes


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"name": " "}, "name", id="no name"),
        pytest.param({"name": "x" * 61}, "name", id="name too long"),
        pytest.param({"amount_cents": 0}, "amount", id="nothing"),
        pytest.param({"amount_cents": -750}, "amount", id="less than nothing"),
        pytest.param({"amount_cents": 75_000}, "amount", id="cents taken for euros"),
        pytest.param({"closes_at": 10 * DAY}, "closes_at", id="closes when it opens"),
        pytest.param({"closes_at": 9 * DAY}, "closes_at", id="closes before it opens"),
        pytest.param({"issue_on": 11 * DAY}, "issue_on", id="issued after it opens"),
        pytest.param(
            {"issue_on": -30 * DAY, "opens_at": -20 * DAY, "closes_at": -DAY}, "closes_at", id="over before it begins"
        ),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    session: Session, factory: Factory, changes: dict[str, object], field: str
) -> None:
    for name, value in changes.items():
        if isinstance(value, dt.timedelta):
            moment = factory.now + value
            changes = changes | {name: local_date(moment) if name == "issue_on" else moment}

    with pytest.raises(InvalidInput) as refused:
        plan(factory, **changes)

    assert list(refused.value.fields) == [field]
    assert refused.value.message == refused.value.fields[field]
    assert session.scalar(select(func.count()).select_from(Round)) == 0


def test_all_that_is_wrong_is_told_at_once(factory: Factory) -> None:
    with pytest.raises(InvalidInput) as refused:
        plan(factory, name="", amount_cents=0, closes_at=factory.now, issue_on=local_date(factory.now + 20 * DAY))

    assert set(refused.value.fields) == {"name", "amount", "closes_at", "issue_on"}


def test_issuing_on_the_day_of_the_opening_is_allowed(factory: Factory) -> None:
    opens_at = factory.now + 10 * DAY

    assert plan(factory, issue_on=local_date(opens_at)).state == "planned"


def test_an_unknown_district_is_named(factory: Factory) -> None:
    with pytest.raises(InvalidInput, match="'Enschede'"):
        plan(factory, districts=("Aadorp", "Enschede"))


def test_without_areas_the_command_that_loads_them_is_named(session: Session, factory: Factory) -> None:
    session.execute(text("UPDATE areas SET is_current = false"))

    with pytest.raises(InvalidInput, match="abs areas load"):
        plan(factory)


def test_the_same_name_twice_is_told(session: Session, factory: Factory) -> None:
    plan(factory, districts=("Aadorp",))

    with pytest.raises(Conflict, match="al een ronde met deze naam"):
        plan_at_the_edge(factory, districts=("Bornerbroek",))


OVERLAPS = [
    pytest.param(10 * DAY, 40 * DAY, True, id="the same days"),
    pytest.param(20 * DAY, 30 * DAY, True, id="within"),
    pytest.param(5 * DAY, 60 * DAY, True, id="around"),
    pytest.param(40 * DAY - MINUTE, 60 * DAY, True, id="one minute"),
    pytest.param(40 * DAY, 60 * DAY, False, id="right after"),
    pytest.param(5 * DAY, 10 * DAY, False, id="right before"),
]


@pytest.mark.parametrize(("opens", "closes", "overlaps"), OVERLAPS)
def test_one_district_never_has_two_rounds_open(
    session: Session, factory: Factory, opens: dt.timedelta, closes: dt.timedelta, overlaps: bool
) -> None:
    plan(factory, districts=("Aadorp", "Hofkamp"))
    changes = {"name": "Tweede", "opens_at": factory.now + opens, "closes_at": factory.now + closes}
    refusal: AbsError | None = None

    try:
        plan_at_the_edge(factory, districts=("Hofkamp", "Schelfhorst"), **changes)
    except RoundOverlaps as error:
        refusal = error

    assert (refusal is not None) is overlaps
    assert session.scalar(select(func.count()).select_from(Round)) == (1 if overlaps else 2)
    if refusal is not None:
        assert refusal.message.startswith("In een van deze wijken is in die tijd al een ronde open: ")


def test_different_districts_may_have_rounds_at_the_same_time(session: Session, factory: Factory) -> None:
    plan(factory, districts=("Aadorp",))

    plan(factory, name="Tweede", districts=("Bornerbroek",))

    assert len(list_rounds(session)) == 2


def test_the_database_itself_refuses_an_overlap(session: Session, factory: Factory) -> None:
    plan(factory, districts=("Aadorp",))
    later = plan(factory, name="Later", districts=("Aadorp",), opens_at=factory.now + 50 * DAY,
                 closes_at=factory.now + 80 * DAY)  # fmt: skip
    session.flush()

    with pytest.raises(IntegrityError, match="ex_round_districts_one_open_round"), session.begin_nested():
        session.execute(
            text("UPDATE rounds SET opens_at = :opens WHERE id = :id"),
            {"opens": factory.now + 30 * DAY, "id": later.id},
        )


def test_rounds_are_listed_newest_first(session: Session, factory: Factory) -> None:
    plan(factory, name="Najaar", districts=("Aadorp", "Hofkamp"))
    plan(factory, name="Voorjaar", opens_at=factory.now + 100 * DAY, closes_at=factory.now + 130 * DAY)

    rows = list_rounds(session)

    assert [(row.name, row.state, row.district_count) for row in rows] == [
        ("Voorjaar", RoundState.PLANNED, 12),
        ("Najaar", RoundState.PLANNED, 2),
    ]


def test_a_round_is_found_by_its_name_in_any_case_or_by_its_number(session: Session, factory: Factory) -> None:
    round_ = plan(factory, name="Najaar 2026")

    assert find_round(session, "Najaar 2026") == find_round(session, " najaar 2026 ") == round_.id
    assert find_round(session, str(round_.id)) == round_.id
    for nothing in ("Voorjaar", "", "0", "-1", "9" * 30, "²", "Najaar%"):
        assert find_round(session, nothing) is None


def test_of_names_that_differ_in_case_only_the_one_as_written_is_found(session: Session, factory: Factory) -> None:
    lower = plan(factory, name="najaar", districts=("Aadorp",))
    upper = plan(factory, name="NAJAAR", districts=("Hofkamp",))

    assert find_round(session, "NAJAAR") == upper.id
    assert find_round(session, "najaar") == lower.id


@pytest.mark.parametrize(
    ("after", "is_open"), [(-MINUTE, False), (0 * DAY, True), (30 * DAY - MINUTE, True), (30 * DAY, False)]
)
def test_a_round_is_open_from_its_opening_until_its_closing(
    session: Session, factory: Factory, after: dt.timedelta, is_open: bool
) -> None:
    round_ = factory.round(opens=0 * DAY, closes=30 * DAY)
    factory.issue(round_)

    found = open_round(session, factory.now + after)

    assert (found is not None) is is_open


def test_a_planned_round_is_not_open_before_its_vouchers_are_out(session: Session, factory: Factory) -> None:
    factory.round()

    assert open_round(session, factory.now) is None


@pytest.mark.parametrize(
    ("after", "is_due"), [(-6 * DAY, False), (-5 * DAY, True), (10 * DAY, True), (30 * DAY, False)]
)
def test_a_round_is_due_for_issue_from_its_day_until_its_closing(
    session: Session, factory: Factory, after: dt.timedelta, is_due: bool
) -> None:
    factory.now = dt.datetime(2026, 9, 15, 10, tzinfo=dt.UTC)
    round_ = factory.round(opens=0 * DAY, closes=30 * DAY)

    assert (round_.id in due_for_issue(session, factory.now + after)) is is_due


def test_a_round_takes_no_step_twice(session: Session, factory: Factory) -> None:
    round_ = lock_round(session, factory.round().id)
    mark = partial(mark_issued, session, round_, actor=TEST_ACTOR, now=factory.now)
    end = partial(close, session, round_, actor=TEST_ACTOR, now=factory.now)

    with pytest.raises(InvalidTransition):
        end()
    mark(key_fingerprint=b"x" * 16)
    with pytest.raises(InvalidTransition):
        mark(key_fingerprint=b"y" * 16)
    end()
    with pytest.raises(InvalidTransition):
        end()

    assert (round_.state, round_.closed_at, round_.key_fingerprint) == ("closed", factory.now, b"x" * 16)
