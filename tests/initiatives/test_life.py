# SPDX-License-Identifier: EUPL-1.2
"""The life of an initiative by its verbs: each from every state, with the event it writes and the reason it needs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.database import transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, InvalidTransition, NotFound
from abs_platform.events import Event
from abs_platform.initiatives import service, submitting
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import TRANSITIONS, Theme
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.ledger.queries import check
from tests.factories import TEST_ACTOR, Factory

TARGET_CENTS = 6_000  # eight vouchers
VERBS = {
    "submit": State.SUBMITTED,
    "request_changes": State.CHANGES_REQUESTED,
    "publish": State.PUBLISHED,
    "reject": State.REJECTED,
    "stop": State.STOPPED,
    "withdraw": State.WITHDRAWN,
    "start": State.IN_PROGRESS,
    "realise": State.REALISED,
}
NEED_REASON = ("request_changes", "reject", "stop", "withdraw")
BEFORE_PUBLICATION = {State.DRAFT, State.SUBMITTED, State.CHANGES_REQUESTED}
ENDS = {State.REJECTED, State.STOPPED, State.WITHDRAWN, State.FUNDED, State.EXPIRED}


def do(factory: Factory, verb: str, initiative: Initiative, **options: Any) -> None:
    """Do a verb, long enough ago for every deadline."""
    if verb == "submit":
        options["rules"] = factory.rules
    if verb in NEED_REASON:
        options.setdefault("reason", "Omdat het moet.")
    begun = factory.now - dt.timedelta(days=40)
    room = submitting if verb == "submit" else service
    getattr(room, verb)(factory.session, initiative.id, actor=TEST_ACTOR, now=begun, **options)


def state_of(session: Session, initiative: Initiative) -> str:
    """The state as the database has it."""
    found = session.scalar(text("SELECT state FROM initiatives WHERE id = :id"), {"id": initiative.id})
    return str(found)


def events_of(session: Session, initiative: Initiative) -> list[Event]:
    query = select(Event).where(Event.subject == "initiative", Event.subject_id == initiative.id)
    return list(session.scalars(query.order_by(Event.id)))


def reach_target(factory: Factory, initiative: Initiative, *, but: int = 0) -> None:
    """Give as many vouchers as the target needs, or some fewer, without closing."""
    for code in factory.fresh_codes(-(-initiative.target_cents // factory.rules.voucher_amount_cents) - but):
        assert factory.give(code, initiative) is not None


@pytest.mark.parametrize("source", State)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_makes_its_move_from_the_states_of_the_table_and_raises_from_all_others(
    factory: Factory, verb: str, source: State
) -> None:
    session, target = factory.session, VERBS[verb]
    initiative = factory.initiative(source, target_cents=TARGET_CENTS)
    written = len(events_of(session, initiative))

    if target not in TRANSITIONS[source]:
        with pytest.raises(InvalidTransition), session.begin_nested():
            do(factory, verb, initiative)
        assert state_of(session, initiative) == source
        assert len(events_of(session, initiative)) == written
        return
    do(factory, verb, initiative)

    new_events = events_of(session, initiative)[written:]
    session.refresh(initiative)
    reason = "Omdat het moet." if verb in NEED_REASON else None
    assert state_of(session, initiative) == target
    assert [(e.kind, e.actor, e.reason) for e in new_events] == [(f"initiative.{target}", "staff:test", reason)]
    assert (initiative.ended_at is not None) == (target in ENDS or source in {State.FUNDED, State.IN_PROGRESS})
    assert (initiative.published_at is not None) == (target == State.PUBLISHED or source not in BEFORE_PUBLICATION)
    assert check(session) == []


@pytest.mark.parametrize("source", State)
@pytest.mark.parametrize("is_reached", [True, False])
def test_only_a_published_initiative_that_reaches_its_target_is_funded(
    factory: Factory, source: State, *, is_reached: bool
) -> None:
    initiative = factory.initiative(source, target_cents=TARGET_CENTS)
    if source == State.PUBLISHED:
        reach_target(factory, initiative, but=0 if is_reached else 1)
    written = len(events_of(factory.session, initiative))

    closed = service.close_if_funded(factory.session, initiative.id, actor=TEST_ACTOR, now=factory.now)

    new_events = [event.kind for event in events_of(factory.session, initiative)[written:]]
    assert closed == (source == State.PUBLISHED and is_reached)
    assert state_of(factory.session, initiative) == (State.FUNDED if closed else source)
    assert new_events == (["initiative.funded"] if closed else [])
    assert check(factory.session, jobs_have_run=closed) == []


@pytest.mark.parametrize("source", State)
@pytest.mark.parametrize("is_over", [True, False])
@pytest.mark.parametrize("is_reached", [True, False])
def test_only_a_published_initiative_past_its_deadline_without_its_target_expires(
    factory: Factory, source: State, *, is_over: bool, is_reached: bool
) -> None:
    initiative = factory.initiative(source, target_cents=TARGET_CENTS)
    if source == State.PUBLISHED and is_reached:
        reach_target(factory, initiative)
    days = 1 if is_over else 0
    now = clock.start_of_day(initiative.deadline_on + dt.timedelta(days=days)) + dt.timedelta(hours=12)

    expired = service.expire_if_due(factory.session, initiative.id, actor=TEST_ACTOR, now=now)

    assert expired == (source == State.PUBLISHED and is_over and not is_reached)
    assert state_of(factory.session, initiative) == (State.EXPIRED if expired else source)
    if expired:
        assert events_of(factory.session, initiative)[-1].kind == "initiative.expired"


@pytest.mark.parametrize("verb", NEED_REASON)
@pytest.mark.parametrize("reason", ["", "  \n"])
def test_saying_no_needs_a_reason(factory: Factory, verb: str, reason: str) -> None:
    source = next(state for state in TRANSITIONS if VERBS[verb] in TRANSITIONS[state])
    initiative = factory.initiative(source, target_cents=TARGET_CENTS)

    with pytest.raises(InvalidInput, match=r"Geef een reden\."):
        do(factory, verb, initiative, reason=reason)

    assert state_of(factory.session, initiative) == source


@pytest.mark.parametrize("verb", [*VERBS, "close_if_funded", "expire_if_due"])
def test_an_initiative_that_is_not_there_is_not_found(factory: Factory, verb: str) -> None:
    missing = Initiative()
    missing.id = 2**62

    if verb == "close_if_funded":
        assert not service.close_if_funded(factory.session, missing.id, actor=TEST_ACTOR, now=factory.now)
        return
    with pytest.raises(NotFound):
        do(factory, verb, missing)


def test_an_initiative_whose_deadline_passed_meanwhile_is_not_published(factory: Factory) -> None:
    initiative = factory.initiative(State.SUBMITTED, days_left=5)
    later = factory.now + dt.timedelta(days=5)

    with pytest.raises(Conflict, match="streefdatum"):
        service.publish(factory.session, initiative.id, actor=TEST_ACTOR, now=later)

    assert state_of(factory.session, initiative) == State.SUBMITTED


# -- the texts of a draft ---------------------------------------------------------------------------------------------


def draft(factory: Factory, **changes: Any) -> submitting.Draft:
    fields: dict[str, Any] = {
        "title": "Een bankje",
        "summary": "Samen zitten.",
        "story": "Het plein mist een bankje.",
        "theme": Theme.MEETING,
        "area_id": factory.area_id("BU01411900"),
        "place_description": "Op het plein",
        "target_cents": 20_000,
        "deadline_on": clock.local_date(factory.now) + dt.timedelta(days=60),
        "budget": [("Hout", 15_000), ("Verf", 5_000)],
    }
    return submitting.Draft(**fields | changes)


def person(number: int, **changes: str) -> submitting.Person:
    fields = {"name": f"Bewoner {number}", "email": f"b{number}@voorbeeld.example", "postcode": "7609 AB"}
    return submitting.Person(**{**fields, "house_number": str(number), **changes})


def create(factory: Factory, *co_organisers: submitting.Person, confirm: bool = True, **changes: Any) -> Initiative:
    """A draft with its organisers."""
    session, actor, now = factory.session, TEST_ACTOR, factory.now
    made = submitting.create_draft(session, draft(factory, **changes), person(1), actor=actor, now=now)
    for one in co_organisers:
        organiser = submitting.add_co_organiser(session, made.id, one, actor=actor, now=now)
        if confirm:
            submitting.confirm_co_organiser(session, organiser.id, actor=actor, now=now)
    return made


def submit(factory: Factory, initiative: Initiative) -> None:
    submitting.submit(factory.session, initiative.id, rules=factory.rules, actor=TEST_ACTOR, now=factory.now)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": " \n"}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"summary": ""}, "summary"),
        ({"summary": "x" * 301}, "summary"),
        ({"story": " "}, "story"),
        ({"story": "x" * 20_001}, "story"),
        ({"target_cents": 0}, "budget"),
        ({"target_cents": -1}, "budget"),
        ({"budget": [("Hout", 0)]}, "budget"),
        ({"budget": [("Hout", 21_000), ("Korting", -1_000)]}, "budget"),
    ],
)
def test_a_draft_with_a_text_or_amount_that_cannot_be_is_refused_by_field(
    factory: Factory, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        create(factory, **changes)

    assert list(refused.value.fields) == [field]
    assert factory.session.scalar(select(Initiative.id)) is None


def test_a_draft_keeps_its_texts_without_the_spaces_around_them(factory: Factory) -> None:
    made = create(factory, title="  Een bankje ", summary="x" * 300, story=" Twee regels.\n\nJa. ")

    assert (made.title, made.story) == ("Een bankje", "Twee regels.\n\nJa.")
    assert [event.kind for event in events_of(factory.session, made)] == ["initiative.created"]


# -- submitting: rule 4 -----------------------------------------------------------------------------------------------


def refusal(factory: Factory, initiative: Initiative) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        submit(factory, initiative)
    assert state_of(factory.session, initiative) == State.DRAFT
    return refused.value.fields


@pytest.mark.parametrize(("cents", "is_allowed"), [(4_999, False), (5_000, True), (500_000, True), (500_001, False)])
def test_a_target_is_between_the_limits(factory: Factory, cents: int, *, is_allowed: bool) -> None:
    initiative = create(factory, person(2), person(3), target_cents=cents, budget=[("Alles", cents)])

    if is_allowed:
        submit(factory, initiative)
        assert state_of(factory.session, initiative) == State.SUBMITTED
    else:
        assert list(refusal(factory, initiative)) == ["target"]


@pytest.mark.parametrize("budget", [[], [("Hout", 19_999)], [("Hout", 15_000), ("Verf", 5_001)]])
def test_the_lines_of_the_budget_add_up_to_the_target(factory: Factory, budget: list[tuple[str, int]]) -> None:
    initiative = create(factory, person(2), person(3), budget=budget)

    assert list(refusal(factory, initiative)) == ["budget"]


@pytest.mark.parametrize(("days", "is_allowed"), [(-1, False), (0, False), (1, True), (365, True), (366, False)])
def test_a_deadline_is_after_today_and_at_most_a_year_away(factory: Factory, days: int, *, is_allowed: bool) -> None:
    deadline = clock.local_date(factory.now) + dt.timedelta(days=days)
    initiative = create(factory, person(2), person(3), deadline_on=deadline)

    if is_allowed:
        submit(factory, initiative)
        assert state_of(factory.session, initiative) == State.SUBMITTED
    else:
        assert list(refusal(factory, initiative)) == ["deadline"]


def test_the_day_of_the_deadline_is_counted_in_amsterdam(factory: Factory) -> None:
    just_past_midnight = clock.start_of_day(dt.date(2026, 7, 2)) + dt.timedelta(minutes=5)
    factory.now = just_past_midnight
    initiative = create(factory, person(2), person(3), deadline_on=dt.date(2026, 7, 2))

    assert list(refusal(factory, initiative)) == ["deadline"]


@pytest.mark.parametrize(
    ("addresses", "counted"),
    [
        (["7609AB 2", "7609AB 3"], 3),
        (["7609AB 2"], 2),
        ([], 1),
        (["7609AB 1", "7609AB 3"], 2),
        (["7609AB 1a", "7609AB 1b"], 3),
        (["7609AC 1", "7609AD 1"], 3),
        (["7609AB 12a", "7609AB 12 A"], 2),
        (["7609AB 12a", "7609AB 12-a"], 2),
        (["7609AB 12a", "7609ab 12A"], 2),
        (["7609AB 12 a 1", "7609AB 12A-1"], 2),
        (["7609AB 012", "7609AB 12"], 2),
        (["7609AB 12/1", "7609AB 12.1"], 2),
        (["7609AB 12-1", "7609AB 121"], 3),
        (["7609AB 12\u00a0a", "7609AB 12a"], 2),
        (["7609AB 12bis", "7609AB 12 BIS"], 2),
        (["7609AB 1", "7609AB 01"], 1),
    ],
)
def test_three_organisers_live_at_three_addresses_however_these_are_written(
    factory: Factory, addresses: list[str], counted: int
) -> None:
    people = []
    for number, address in enumerate(addresses, start=2):
        postcode, _, house_number = address.partition(" ")
        people.append(person(number, postcode=postcode, house_number=house_number))
    initiative = create(factory, *people)

    if counted == 3:
        submit(factory, initiative)
        assert state_of(factory.session, initiative) == State.SUBMITTED
    else:
        fields = refusal(factory, initiative)
        assert list(fields) == ["organisers"]
        assert (f"Nu is het er {counted}." if counted == 1 else f"Nu zijn het er {counted}.") in fields["organisers"]


def test_an_organiser_counts_once_confirmed(factory: Factory) -> None:
    initiative = create(factory, person(2), person(3), confirm=False)
    session = factory.session
    invited = session.scalars(select(Organiser).where(Organiser.confirmed_at.is_(None))).all()
    assert "Nu is het er 1." in refusal(factory, initiative)["organisers"]

    for organiser in invited:
        submitting.confirm_co_organiser(session, organiser.id, actor=TEST_ACTOR, now=factory.now)
        submitting.confirm_co_organiser(session, organiser.id, actor=TEST_ACTOR, now=factory.now)
    submit(factory, initiative)

    kinds = [event.kind for event in events_of(session, initiative)]
    assert kinds == [
        "initiative.created",
        *["initiative.co_organiser_added"] * 2,
        *["initiative.co_organiser_confirmed"] * 2,
        "initiative.submitted",
    ]


def test_all_that_is_missing_is_named_at_once(factory: Factory) -> None:
    initiative = create(factory, target_cents=1_000, budget=[("Hout", 1)], deadline_on=clock.local_date(factory.now))

    assert list(refusal(factory, initiative)) == ["target", "budget", "deadline", "organisers"]


def test_an_invitation_that_is_not_there_is_not_found(factory: Factory) -> None:
    with pytest.raises(NotFound):
        submitting.confirm_co_organiser(factory.session, 2**62, actor=TEST_ACTOR, now=factory.now)


@pytest.mark.parametrize("state", State)
def test_a_co_organiser_is_added_only_while_the_organisers_have_it_in_hand(factory: Factory, state: State) -> None:
    initiative = factory.initiative(state, target_cents=TARGET_CENTS)

    def add() -> None:
        submitting.add_co_organiser(factory.session, initiative.id, person(9), actor=TEST_ACTOR, now=factory.now)

    if state in {State.DRAFT, State.CHANGES_REQUESTED}:
        add()
        return
    with pytest.raises(Conflict):
        add()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": "  B2@Voorbeeld.example "}, "Dit e-mailadres staat er al bij."),
        ({"postcode": "76 09"}, "Vul een postcode in zoals 1234 AB."),
        ({"postcode": "0609 AB"}, "Vul een postcode in zoals 1234 AB."),
    ],
)
def test_an_organiser_who_cannot_be_added_is_refused_with_a_sentence(
    factory: Factory, changes: dict[str, str], sentence: str
) -> None:
    initiative = create(factory, person(2))
    factory.session.commit()

    with pytest.raises(AbsError) as refused, transaction() as session:
        submitting.add_co_organiser(session, initiative.id, person(4, **changes), actor=TEST_ACTOR, now=factory.now)

    assert refused.value.message == sentence
    assert len(factory.session.scalars(select(Organiser)).all()) == 2
