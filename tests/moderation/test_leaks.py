# SPDX-License-Identifier: EUPL-1.2
"""A verdict that is being written is nobody's business, and what staff write for each other stays with staff."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from abs_platform.accounts.own_data import Person, all_data
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.moderation import service
from tests.moderation.people import Desk, Kind

SECRET = "Xylofoonverdict"
NOTE = "Xylofoonnotitie"
# Tables that may hold what is written here; every other one must not.
HOLDERS = {SECRET: {"decision_drafts"}, NOTE: {"desk_notes"}}


def everything_public_of(desk: Desk, number: int) -> list[str]:
    """What anyone, its organisers and other staff can fetch about an initiative."""
    paths = ["/", "/initiatieven", f"/initiatieven/{number}", "/api/v1/initiatieven", f"/api/v1/initiatieven/{number}"]
    paths += ["/account", "/account/gegevens", f"/account/initiatieven/{number}", f"/initiatieven/{number}/bewerken"]
    paths += [
        f"/account/initiatieven/{number}/gesprek",
        f"/regie/initiatieven/{number}",
        "/regie",
        "/regie/initiatieven",
    ]
    return [desk.ask("GET", path, follow_redirects=True).text for path in paths]


@pytest.mark.parametrize("who", ["initiator", "organiser", "stranger", "els", "carla", "frits", "nobody"])
@pytest.mark.parametrize("state", [State.SUBMITTED, State.PUBLISHED])
def test_a_draft_decision_reaches_nobody_but_its_desk(desk: Desk, state: State, who: str) -> None:
    initiative = desk.initiative(state)
    desk.draft(initiative, Kind.REJECT if state == State.SUBMITTED else Kind.STOP, SECRET)
    people = {"initiator": desk.initiator(initiative), "organiser": desk.organiser(initiative)}
    if who != "nobody":
        desk.as_(people.get(who) or getattr(desk, who))

    pages = everything_public_of(desk, initiative.id)

    assert all(SECRET not in page for page in pages)


def test_a_colleague_of_the_desk_sees_the_draft(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.draft(initiative, Kind.REJECT, SECRET)

    page = desk.as_(desk.tom).get(f"/regie/initiatieven/{initiative.id}")

    assert "Sanne de Boer schrijft ook aan een besluit" in page.text
    assert SECRET in page.text


@pytest.mark.parametrize("secret", [SECRET, NOTE])
def test_no_other_table_holds_it_no_event_and_no_mail(desk: Desk, secret: str) -> None:
    initiative = desk.submitted()
    desk.draft(initiative, Kind.REJECT, SECRET)
    service.add_note(desk.factory.session, initiative.id, NOTE, user=desk.user(desk.sanne), now=desk.factory.now)
    session = desk.factory.session

    tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    found = {
        table
        for table in tables
        if session.scalar(text(f'SELECT 1 FROM "{table}" AS t WHERE t::text LIKE :it LIMIT 1'), {"it": f"%{secret}%"})
    }

    assert found == HOLDERS[secret]


@pytest.mark.parametrize("secret", [SECRET, NOTE])
def test_the_own_data_of_its_organisers_has_nothing_of_it(desk: Desk, secret: str) -> None:
    initiative = desk.submitted()
    desk.draft(initiative, Kind.REJECT, SECRET)
    service.add_note(desk.factory.session, initiative.id, NOTE, user=desk.user(desk.sanne), now=desk.factory.now)

    for account in (desk.initiator(initiative), desk.organiser(initiative), desk.els):
        data = all_data(desk.factory.session, Person(account.id, account.email or ""))
        assert secret not in json.dumps([rows for _part, rows in data], default=str)


def test_notes_are_in_the_own_data_of_who_wrote_them(desk: Desk) -> None:
    initiative = desk.submitted()
    service.add_note(desk.factory.session, initiative.id, NOTE, user=desk.user(desk.sanne), now=desk.factory.now)

    data = all_data(desk.factory.session, Person(desk.sanne.id, desk.sanne.email or ""))

    assert NOTE in json.dumps([rows for _part, rows in data], default=str)


@pytest.mark.parametrize("who", ["initiator", "stranger", "nobody"])
def test_a_note_reaches_no_resident(desk: Desk, who: str) -> None:
    initiative = desk.initiative(State.PUBLISHED)
    service.add_note(desk.factory.session, initiative.id, NOTE, user=desk.user(desk.sanne), now=desk.factory.now)
    desk.factory.session.commit()
    if who != "nobody":
        desk.as_(desk.initiator(initiative) if who == "initiator" else desk.stranger)

    assert all(NOTE not in page for page in everything_public_of(desk, initiative.id))


def test_staff_who_organise_it_see_neither_draft_nor_notes(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.draft(initiative, Kind.REJECT, SECRET, by=desk.tom)
    initiator = desk.initiator(initiative)
    desk.sanne.email, initiator.email = initiator.email, "anders@voorbeeld.example"
    desk.factory.session.flush()
    desk.as_(desk.sanne)

    assert all(SECRET not in page for page in everything_public_of(desk, initiative.id))
