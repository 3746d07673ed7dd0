# SPDX-License-Identifier: EUPL-1.2
"""The activities of an initiative: its organisers plan, change and cancel them; visitors see them on its page."""

from __future__ import annotations

import contextvars
import datetime as dt
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, select

from abs_platform.agenda import service
from abs_platform.agenda.models import AgendaItem
from abs_platform.agenda.states import ItemState
from abs_platform.clock import AMSTERDAM
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser, Page
from tests.people import People


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


def typed(factory: Factory, **changes: str) -> dict[str, str]:
    """What an organiser fills in: a Saturday-like afternoon, ten days from now."""
    day = (factory.now.astimezone(AMSTERDAM) + dt.timedelta(days=10)).date().isoformat()
    times = {"starts_on": day, "starts_time": "14:00", "ends_time": "16:30", "ends_on": ""}
    return {"title": "Plantdag", "place": "Noorderplein", "description": "Neem een schep mee."} | times | changes


def way(initiative: Initiative, item: int | str = "", step: str = "") -> str:
    return "/".join(str(part) for part in (f"/account/initiatieven/{initiative.id}/activiteiten", item, step) if part)


def planned(people: People, initiative: Initiative, **changes: str) -> tuple[Browser, AgendaItem]:
    """An organiser who has put something on the agenda."""
    anna = people.organiser(initiative)
    anna.submit(anna.get(way(initiative, "nieuw")), way(initiative, "nieuw"), **typed(people.factory, **changes))
    return anna, the_item(people, initiative)


def the_item(people: People, initiative: Initiative) -> AgendaItem:
    query = select(AgendaItem).where(AgendaItem.initiative_id == initiative.id)
    return people.factory.session.scalars(query.execution_options(populate_existing=True)).one()


def public(browser: Browser, initiative: Initiative) -> Page:
    return browser.get(f"/initiatieven/{initiative.id}")


def test_an_activity_is_on_the_page_at_once_with_a_file_for_a_calendar(
    people: People, factory: Factory, browser_client: Browser
) -> None:
    initiative = factory.initiative(title="Bomen")

    anna, item = planned(people, initiative)

    page = public(browser_client, initiative)
    assert "Plantdag" in page.one(".agenda-list").to_text()
    assert "14.00" in page.text
    calendar = contextvars.Context().run(browser_client.client.get, page.all(".agenda-list a")[-1].attrs["href"])
    assert "SUMMARY:Plantdag" in calendar.text
    assert item.area_id == initiative.area_id
    assert item.starts_at.astimezone(AMSTERDAM).hour == 14
    assert "Plantdag" in anna.get(way(initiative)).text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"starts_on": "31-2-2027"}, "starts_on"),
        ({"starts_time": "laat"}, "starts_time"),
        ({"ends_time": "13:00"}, "ends_time"),
        ({"place": ""}, "place"),
    ],
)
def test_a_mistake_comes_back_with_the_form_as_it_was(
    people: People, factory: Factory, changes: dict[str, str], field: str
) -> None:
    initiative = factory.initiative()
    anna = people.organiser(initiative)
    form, sent = anna.get(way(initiative, "nieuw")), typed(factory, **changes)

    page = anna.submit(form, way(initiative, "nieuw"), status=422, **sent)

    assert [link.attrs["href"] for link in page.all(".abs-error-summary a")] == [f"#{field}"]
    assert page.one("#description").to_text().strip() == "Neem een schep mee."
    assert not factory.session.scalars(select(AgendaItem)).all()


def test_a_change_is_seen_by_visitors_and_by_their_calendars(
    people: People, factory: Factory, browser_client: Browser
) -> None:
    initiative = factory.initiative()
    anna, item = planned(people, initiative)
    form = anna.get(way(initiative, item.id))

    anna.submit(form, way(initiative, item.id), place="Het buurthuis")

    assert "Het buurthuis" in public(browser_client, initiative).text
    changed = the_item(people, initiative)
    assert (changed.place, changed.title, changed.sequence) == ("Het buurthuis", "Plantdag", 1)


def test_who_looks_at_an_older_form_does_not_undo_what_another_organiser_wrote(
    people: People, factory: Factory
) -> None:
    initiative = factory.initiative()
    anna, item = planned(people, initiative)
    old = anna.get(way(initiative, item.id))
    later = factory.now + dt.timedelta(minutes=5)
    what = service.ItemInput(
        title="Plantfeest", place="Noorderplein", starts_at=item.starts_at, ends_at=item.ends_at, description=""
    )
    service.change(factory.session, item.id, what, actor=TEST_ACTOR, now=later)
    factory.session.commit()

    anna.submit(old, way(initiative, item.id), status=409, title="Plantdag 2")

    assert the_item(people, initiative).title == "Plantfeest"


def test_what_is_cancelled_stays_and_says_so(people: People, factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative()
    anna, item = planned(people, initiative)
    form = anna.get(way(initiative, item.id, "afzeggen"))

    without = anna.submit(form, way(initiative, item.id, "afzeggen"), status=422, reason=" ")
    anna.submit(form, way(initiative, item.id, "afzeggen"), reason="Het regent.")

    assert without.all(".abs-error-summary")
    shown = public(browser_client, initiative).one(".agenda-list").to_text()
    assert "Gaat niet door" in shown
    assert "Zet in je agenda" not in shown
    assert the_item(people, initiative).state == ItemState.CANCELLED
    assert "Het regent." in anna.get(way(initiative)).text


def test_what_the_desk_withdraws_is_gone_and_the_organisers_read_why(
    people: People, factory: Factory, browser_client: Browser
) -> None:
    initiative = factory.initiative()
    anna, item = planned(people, initiative)
    with people.app.app_context():
        service.withdraw(factory.session, item.id, reason="Dit is reclame.", actor=TEST_ACTOR, now=factory.now)
        factory.session.commit()

    assert "Plantdag" not in public(browser_client, initiative).text
    assert "Dit is reclame." in anna.get(way(initiative)).text
    anna.get(way(initiative, item.id), status=404)


def test_what_is_over_leaves_the_page(people: People, factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative()
    _anna, item = planned(people, initiative)
    item.starts_at, item.ends_at = factory.now - dt.timedelta(hours=3), factory.now - dt.timedelta(hours=1)
    factory.session.commit()

    assert "Plantdag" not in public(browser_client, initiative).text


@pytest.mark.parametrize("state", [State.DRAFT, State.SUBMITTED, State.EXPIRED, State.STOPPED])
def test_only_what_goes_on_has_activities(people: People, factory: Factory, state: State) -> None:
    initiative = factory.initiative(state)

    people.organiser(initiative).get(way(initiative, "nieuw"), status=404)


def test_an_activity_of_another_initiative_is_not_theirs(people: People, factory: Factory) -> None:
    mine, theirs = factory.initiative(), factory.initiative()
    _other, item = planned(people, theirs)
    anna = people.organiser(mine)
    sent: dict[str, Any] = typed(factory, title="Van mij")

    for path in (way(mine, item.id), way(mine, item.id, "afzeggen"), way(theirs, item.id), way(theirs)):
        anna.get(path, status=404)
    form = anna.get(way(mine, "nieuw"))
    anna.post(way(mine, item.id), anna.fields(form, way(mine, "nieuw")) | sent, status=404)

    assert the_item(people, theirs).title == "Plantdag"
