# SPDX-License-Identifier: EUPL-1.2
"""Every address of the desk, tried by everybody: who may not is told so and changes nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from abs_platform.accounts.models import Account
from abs_platform.events import Event
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from tests.moderation.people import CITY, Desk, Kind

OK, MOVED, FOUND, NOT_ALLOWED, NOT_THERE = 200, 303, 302, 403, 404
PEOPLE = ("nobody", "stranger", "organiser", "els", "city", "sanne", "stand_in", "carla", "frits")
AT_DESK, COLLEAGUES = ("sanne", "stand_in"), ("els", "city")
STAFF = (*AT_DESK, *COLLEAGUES, "carla")
# Method, path behind /regie, form -> who may. Everybody else gets 403, and who is not signed in is sent to do that.
ROUTES: list[tuple[str, str, dict[str, str], tuple[str, ...]]] = [
    ("GET", "", {}, STAFF),
    ("GET", "/initiatieven", {}, STAFF),
    ("GET", "/initiatieven/{id}", {}, STAFF),
    ("GET", "/initiatieven/{id}/besluit", {}, STAFF),
    ("GET", "/initiatieven/{id}/besluiten/{decision}", {}, STAFF),
    ("POST", "/initiatieven/{id}/oppakken", {"handler": "0"}, AT_DESK),
    ("POST", "/initiatieven/{id}/terugleggen", {}, AT_DESK),
    ("POST", "/initiatieven/{id}/checklist", {"shown": "fixed.clear", "ticked": "fixed.clear"}, AT_DESK),
    ("POST", "/initiatieven/{id}/notities", {"note": "Let op."}, STAFF),
    ("POST", "/initiatieven/{id}/berichten", {"message": "Dag."}, AT_DESK),
    ("POST", "/initiatieven/{id}/berichten/afgehandeld", {}, AT_DESK),
    ("POST", "/initiatieven/{id}/besluit", {"kind": "reject", "reason": "Nee.", "step": "keep"}, AT_DESK),
    ("POST", "/initiatieven/{id}/besluit/weggooien", {}, STAFF),
    ("GET", "/uitzonderingen", {}, ("carla",)),
    ("GET", "/initiatieven/{id}/uitzondering", {}, ("carla",)),
    ("POST", "/initiatieven/{id}/uitzondering", {"rule": "maximum", "reason": "Groot plan."}, ("carla",)),
]


def person(desk: Desk, name: str, initiative: Initiative) -> Account:
    if name == "organiser":
        return desk.initiator(initiative)
    if name == "city":
        return desk.manager("stad@gemeente.example", "Stef Stad", CITY)
    if name == "stand_in":
        stand_in = desk.manager("mo@gemeente.example", "Mo Idrissi")
        desk.away(desk.tom, stand_in)
        return stand_in
    found: Account = getattr(desk, name)
    return found


def csrf(desk: Desk, account: Account) -> str:
    """A token as any page of one's own account has it."""
    return desk.as_(account).get("/account").field("csrf_token")


def lines_written(desk: Desk) -> int:
    return desk.factory.session.scalar(select(func.count()).select_from(Event)) or 0


@pytest.mark.parametrize("route", ROUTES, ids=[f"{one[0]} {one[1]}" for one in ROUTES])
def test_a_route_lets_in_who_may_and_nobody_else(
    desk: Desk, route: tuple[str, str, dict[str, str], tuple[str, ...]]
) -> None:
    method, path, form, allowed = route
    initiative = desk.submitted()
    decision = desk.decide(initiative, Kind.REQUEST_CHANGES)
    initiative.state, initiative.handler_id = State.SUBMITTED.value, None
    address = f"/regie{path}".format(id=initiative.id, decision=decision.id)

    for name in PEOPLE:
        token = csrf(desk, person(desk, name, initiative)) if name != "nobody" else ""
        written = lines_written(desk)
        data = form | {"csrf_token": token} if method == "POST" else None

        response = desk.ask(method, address, data=data)

        desk.factory.session.expire_all()
        initiative.handler_id = None
        if name in allowed:
            assert response.status_code in {OK, MOVED, FOUND}, name
            assert "/inloggen" not in (response.location or ""), name
        else:
            is_sent_to_sign_in = name == "nobody" and method == "GET"
            assert response.status_code == (FOUND if is_sent_to_sign_in else NOT_ALLOWED), name
            assert not is_sent_to_sign_in or "/inloggen" in response.location
            assert lines_written(desk) == written, name


def test_who_may_not_decide_reads_who_may(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.user(desk.sanne)
    token = csrf(desk, desk.els)

    response = desk.ask(
        "POST", f"/regie/initiatieven/{initiative.id}/besluit", data={"kind": "publish", "csrf_token": token}
    )

    assert response.status_code == NOT_ALLOWED
    assert "wijkregisseur van Windmolenbroek: Sanne de Boer" in response.text


def test_without_a_second_factor_the_desk_stays_closed(desk: Desk) -> None:
    session, account = desk.factory.session, desk.sanne
    token = desk.factory.session_of(account, has_second_factor=False)
    session.commit()
    desk.browser.sign_in(token)

    response = desk.ask("GET", "/regie")

    assert response.status_code == FOUND


@pytest.mark.parametrize("who", ["sanne", "els", "carla"])
def test_a_draft_of_organisers_is_not_there_for_staff(desk: Desk, who: str) -> None:
    initiative = desk.factory.initiative(State.DRAFT)

    desk.as_(getattr(desk, who)).get(f"/regie/initiatieven/{initiative.id}", status=NOT_THERE)


def test_a_number_that_does_not_exist_is_not_found(desk: Desk) -> None:
    browser = desk.as_(desk.sanne)

    for number in (0, 999_999_999, 2**63 - 1, 2**63):
        browser.get(f"/regie/initiatieven/{number}", status=NOT_THERE)


@pytest.mark.parametrize("name", ["stranger", "sanne", "els", "carla", "frits", "another"])
def test_the_conversation_is_of_its_organisers_alone(desk: Desk, name: str) -> None:
    initiative, other = desk.submitted(), desk.submitted()
    account = desk.initiator(other) if name == "another" else getattr(desk, name)
    token = csrf(desk, account)
    address = f"/account/initiatieven/{initiative.id}/gesprek"

    seen = desk.ask("GET", address)
    said = desk.ask("POST", address, data={"message": "Mag ik meedoen?", "csrf_token": token})

    assert (seen.status_code, said.status_code) == (NOT_THERE, NOT_THERE)
    assert desk.mails("desk-message:") == []
