# SPDX-License-Identifier: EUPL-1.2
"""Who may do what in which state: the whole table of role x state x action; what is not in it is refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial

import pytest

from abs_platform.initiatives import permissions as of_initiatives
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.moderation import permissions as of_desk
from abs_platform.moderation.states import DecisionKind as Kind
from abs_platform.users import Role, User

HERE, ELSEWHERE, CITY = 19, 18, 1
ORGANISER, INITIATOR = 5, 4

EVERY = set(State)
DRAFT, SUBMITTED, CHANGES, PUBLISHED = State.DRAFT, State.SUBMITTED, State.CHANGES_REQUESTED, State.PUBLISHED
FUNDED, BUSY = State.FUNDED, State.IN_PROGRESS
SENT = EVERY - {DRAFT}
WRITABLE = {DRAFT, CHANGES}
LIVE = {PUBLISHED, FUNDED, BUSY}
LIVING = {SUBMITTED, CHANGES} | LIVE


def person(number: int, *roles: Role, own: set[int] | None = None, borrowed: set[int] | None = None) -> User:
    return User(
        account_id=number,
        email=f"mens{number}@voorbeeld.example",
        name=f"Mens {number}",
        roles=frozenset(roles),
        own_area_ids=frozenset(own or ()),
        desk_area_ids=frozenset((own or set()) | (borrowed or set())),
    )


MANAGER, COORDINATOR, FINANCE = Role.DISTRICT_MANAGER, Role.COORDINATOR, Role.FINANCE
PEOPLE = {
    "stranger": person(1),
    "organiser": person(ORGANISER),
    "initiator": person(INITIATOR),
    "manager here": person(2, MANAGER, own={HERE}),
    "stand-in": person(3, MANAGER, own={ELSEWHERE}, borrowed={HERE}),
    "manager elsewhere": person(6, MANAGER, own={ELSEWHERE}),
    "manager of the city": person(7, MANAGER, own={CITY}),
    "manager of nothing": person(8, MANAGER),
    "coordinator": person(9, COORDINATOR),
    "coordinator with this desk": person(10, COORDINATOR, MANAGER, own={HERE}),
    "coordinator without the role of the desk": person(11, COORDINATOR, own={HERE}),
    "finance": person(12, FINANCE),
    "finance with this desk": person(13, FINANCE, own={HERE}),
    "manager here who organises": person(ORGANISER, MANAGER, own={HERE}),
    "coordinator who organises": person(ORGANISER, COORDINATOR),
}
AT_THE_DESK = ("manager here", "stand-in", "coordinator with this desk")
COLLEAGUES = ("manager elsewhere", "manager of the city", "manager of nothing")
COORDINATORS = ("coordinator", "coordinator without the role of the desk")
LOOKERS = (*AT_THE_DESK, *COLLEAGUES, *COORDINATORS)
CARRIERS = ("organiser", "initiator", "manager here who organises", "coordinator who organises")
OWN_STAFF = ("manager here who organises", "coordinator who organises")


def of(roles: tuple[str, ...], states: set[State]) -> dict[str, set[State]]:
    return dict.fromkeys(roles, states)


Predicate = Callable[[User, Subject], bool]
DECIDE: dict[str, Predicate] = {f"can_decide {kind.value}": partial(of_desk.can_decide, kind=kind) for kind in Kind}
# Action -> role -> the states in which it may. A role that is not named may never.
TABLE: dict[str, dict[str, set[State]]] = {
    "is_organiser": of(CARRIERS, EVERY),
    "is_initiator": of(("initiator",), EVERY),
    "can_edit": of(CARRIERS, WRITABLE | LIVE),
    "can_withdraw": of(("initiator",), {DRAFT, SUBMITTED, CHANGES, PUBLISHED}),
    "can_invite": of(("initiator",), WRITABLE),
    "works_at_desk_of": of((*AT_THE_DESK, "manager here who organises"), EVERY),
    "can_see_desk": of((*LOOKERS, *OWN_STAFF), SENT),
    "can_moderate": of(AT_THE_DESK, SENT),
    "can_override": of((*COORDINATORS, "coordinator with this desk"), EVERY),
    "can_hand_over": of((*AT_THE_DESK, *COORDINATORS), SENT),
    "can_open": of(LOOKERS, SENT),
    "can_take_up": of(AT_THE_DESK, LIVING),
    "can_tick": of(AT_THE_DESK, LIVING),
    "can_write_to_organisers": of(AT_THE_DESK, SENT),
    "can_note": of(LOOKERS, SENT),
    "can_set_rule_aside": of((*COORDINATORS, "coordinator with this desk"), {DRAFT, CHANGES, SUBMITTED}),
    "can_converse": of(CARRIERS, SENT),
    "can_decide publish": of(AT_THE_DESK, {SUBMITTED}),
    "can_decide request_changes": of(AT_THE_DESK, {SUBMITTED}),
    "can_decide reject": of(AT_THE_DESK, {SUBMITTED}),
    "can_decide stop": of(AT_THE_DESK, LIVE),
    "can_decide hand_over": of((*AT_THE_DESK, *COORDINATORS), LIVING),
    "can_decide approve_change": of(AT_THE_DESK, LIVE),
    "can_decide refuse_change": of(AT_THE_DESK, LIVE),
}
WITH_MORE_ARGUMENTS = {"can_decide", "can_see_draft"}


def predicates() -> dict[str, Predicate]:
    """Every predicate over a person and an initiative that these two modules define, by name."""
    found: dict[str, Predicate] = dict(DECIDE)
    for module in (of_initiatives, of_desk):
        found |= {
            name: function
            for name, function in inspect.getmembers(module, inspect.isfunction)
            if function.__module__ == module.__name__ and name not in WITH_MORE_ARGUMENTS
        }
    return found


def subject(state: State, desk_area_id: int | None = HERE) -> Subject:
    return Subject(
        id=1,
        title="Bomen",
        state=state,
        desk_area_id=desk_area_id,
        is_public=state in LIVE,
        initiator_id=INITIATOR,
        organiser_ids=frozenset({INITIATOR}),
        # This organiser is known by e-mail address only.
        organiser_emails=frozenset({f"mens{ORGANISER}@voorbeeld.example", f"mens{INITIATOR}@voorbeeld.example"}),
    )


@pytest.mark.parametrize("role", PEOPLE)
@pytest.mark.parametrize("action", TABLE)
def test_a_person_may_do_it_in_the_states_of_the_table_and_in_no_other(action: str, role: str) -> None:
    may = predicates()[action]

    allowed = {state for state in State if may(PEOPLE[role], subject(state))}

    assert allowed == TABLE[action].get(role, set())


def test_the_table_holds_every_predicate() -> None:
    assert set(TABLE) == set(predicates())


@pytest.mark.parametrize("action", sorted(set(TABLE) - {"is_organiser", "is_initiator", "can_edit"}))
@pytest.mark.parametrize("role", ["manager here", "stand-in", "coordinator with this desk"])
def test_nobody_at_a_desk_may_anything_with_what_lies_at_no_desk_but_look(action: str, role: str) -> None:
    lies_nowhere = subject(State.SUBMITTED, desk_area_id=None)

    may = predicates()[action](PEOPLE[role], lies_nowhere)

    coordinator = role == "coordinator with this desk"
    looks = action in {"can_see_desk", "can_open", "can_note"}
    assert may == (
        looks
        or (coordinator and action in {"can_override", "can_set_rule_aside", "can_hand_over", "can_decide hand_over"})
    )


WRITER = 2
# Role -> may see a draft that another wrote at this desk; its writer, number 2, is "manager here".
SEES_ANOTHERS_DRAFT = {"stand-in", "coordinator with this desk"}


@pytest.mark.parametrize("role", PEOPLE)
def test_a_draft_decision_is_for_its_writer_and_her_desk_alone(role: str) -> None:
    lies_here = subject(State.SUBMITTED)

    sees = of_desk.can_see_draft(PEOPLE[role], lies_here, WRITER, HERE)

    assert sees == (role == "manager here" or role in SEES_ANOTHERS_DRAFT)


@pytest.mark.parametrize("role", PEOPLE)
def test_a_draft_of_another_desk_stays_with_its_writer(role: str) -> None:
    was_handed_over = subject(State.SUBMITTED)

    sees = of_desk.can_see_draft(PEOPLE[role], was_handed_over, WRITER, ELSEWHERE)

    assert sees == (role == "manager here")
