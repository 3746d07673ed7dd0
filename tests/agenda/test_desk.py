# SPDX-License-Identifier: EUPL-1.2
"""The desk plans for its own districts, and takes activities of initiatives off with one mail to the organisers."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from abs_platform.agenda.models import AgendaItem
from abs_platform.clock import AMSTERDAM
from abs_platform.events import Event
from tests.agenda.test_agenda import CITY, planned
from tests.factories import Factory
from tests.page import Browser
from tests.people import OTHER_DESK, OWN_DESK, People

NEW = "/regie/agenda/nieuw"


@pytest.fixture
def people(app: Flask, factory: Factory, browser_client: Browser) -> People:
    assert browser_client
    return People(app, factory)


def form(people: People, area: str = OWN_DESK) -> dict[str, str]:
    day = (people.factory.now.astimezone(AMSTERDAM) + dt.timedelta(days=5)).date()
    return {
        "area_id": str(people.factory.area_id(area)),
        "title": "Spreekuur",
        "starts_on": day.isoformat(),
        "starts_time": "09:30",
        "ends_time": "11:00",
        "ends_on": "",
        "place": "Wijkcentrum",
        "description": "Loop **binnen**.",
    }


def newest(people: People) -> AgendaItem:
    people.factory.session.expire_all()
    return people.factory.session.scalars(select(AgendaItem).order_by(AgendaItem.id.desc())).first()  # type: ignore[return-value]


def test_an_item_goes_from_draft_to_the_agenda_is_changed_and_cancelled(people: People) -> None:
    sanne, visitor = people.manager(), Browser(people.app)

    sanne.submit(sanne.get(NEW), NEW, **form(people))
    item = newest(people)
    path, public = f"/regie/agenda/{item.id}", f"/agenda/{item.id}"
    assert item.starts_at.astimezone(AMSTERDAM).strftime("%H:%M") == "09:30"
    visitor.get(public, status=404)
    sanne.submit(sanne.get(path), f"{path}/plaatsen", when="now")
    assert "binnen" in visitor.get(public).text
    sanne.submit(sanne.get(path), path, place="De bibliotheek")
    assert "De bibliotheek" in visitor.get(public).text
    sanne.submit(sanne.get(f"{path}/afzeggen"), f"{path}/afzeggen", status=422, reason="")
    sanne.submit(sanne.get(f"{path}/afzeggen"), f"{path}/afzeggen", reason="Ziek.")

    assert "Gaat niet door" in visitor.get(public).text
    sanne.submit(sanne.get(f"{path}/intrekken"), f"{path}/intrekken", reason="Dubbel.")
    visitor.get(public, status=404)
    kinds = people.factory.session.scalars(
        select(Event.kind).where(Event.subject == "agenda", Event.subject_id == item.id).order_by(Event.id)
    ).all()
    verbs = ["begun", "published", "changed", "cancelled", "withdrawn"]
    assert kinds == [f"agenda.{verb}" for verb in verbs]


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("starts_on", "morgen"),
        ("starts_on", "9999-99-99"),
        ("starts_time", "25:00"),
        ("ends_time", "09:30"),
        ("ends_on", "2020-01-01"),
        ("place", ""),
        ("area_id", "1; DROP TABLE"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field_with_the_form_as_it_was(
    people: People, field: str, typed: str
) -> None:
    sanne = people.manager()

    page = sanne.submit(sanne.get(NEW), NEW, status=422, **(form(people) | {field: typed}))

    assert page.field("title") == "Spreekuur"
    assert page.all(".utrecht-form-field-error-message")
    assert newest(people) is None


def test_a_time_typed_as_people_write_it_is_understood(people: People) -> None:
    sanne = people.manager()
    typed = form(people) | {"starts_time": "9.30"}
    typed["starts_on"] = dt.date.fromisoformat(typed["starts_on"]).strftime("%d-%m-%Y")

    sanne.submit(sanne.get(NEW), NEW, **typed)

    assert newest(people).starts_at.astimezone(AMSTERDAM).strftime("%H:%M") == "09:30"


def test_the_desk_takes_an_activity_off_and_each_organiser_gets_one_mail_with_the_reason(people: People) -> None:
    initiative = people.factory.initiative(title="Bomen")
    item_id = planned(people.factory, "Planten", initiative=initiative)
    sanne = people.manager()
    path = f"/regie/agenda/{item_id}"

    assert "van het initiatief Bomen" in sanne.get("/regie/agenda").text
    assert sanne.get(path).all('input[name="title"]') == []
    sanne.submit(sanne.get(f"{path}/intrekken"), f"{path}/intrekken", status=422, reason=" ")
    assert people.mails("activity-withdrawn:") == []
    sanne.submit(sanne.get(f"{path}/intrekken"), f"{path}/intrekken", reason="Het plein is die dag afgezet.")

    mails = people.mails(f"activity-withdrawn:{item_id}")
    assert len(mails) == len({mail.recipient for mail in mails}) == 3
    assert all("Het plein is die dag afgezet." in str(mail.text_body) for mail in mails)
    Browser(people.app).get(f"/agenda/{item_id}", status=404)


def test_only_its_own_desk_and_the_coordinator_take_an_activity_off_and_nobody_writes_it(people: People) -> None:
    initiative = people.factory.initiative()
    item_id = planned(people.factory, initiative=initiative)
    path = f"/regie/agenda/{item_id}"

    people.manager(OTHER_DESK, "Willem").get(path, status=403)
    assert people.coordinator().get(path).one("h1")
    sanne = people.manager()
    token = {"csrf_token": sanne.get(NEW).field("csrf_token")}
    sanne.post(path, token | form(people), status=403)
    sanne.post(f"{path}/afzeggen", token | {"reason": "Zomaar."}, status=403)

    assert newest(people).state == "published"


def test_a_wijkregisseur_plans_for_her_own_districts_only(people: People) -> None:
    sanne = people.manager()
    elsewhere = planned(people.factory, area=OTHER_DESK)

    for area in (OTHER_DESK, CITY):
        assert sanne.submit(sanne.get(NEW), NEW, status=422, **form(people, area)).one("#area_id-error")
    for path in ("", "/afzeggen", "/intrekken"):
        sanne.get(f"/regie/agenda/{elsewhere}{path}", status=403)
    assert sanne.get("/regie/agenda").all(".desk-row") == []
