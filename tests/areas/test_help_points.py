# SPDX-License-Identifier: EUPL-1.2
"""Where residents of a district get help: said by the coordinator, with what was said before."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.areas import helping, queries
from abs_platform.areas.helping import HelpPointInput
from abs_platform.areas.models import HelpPoint
from abs_platform.errors import Conflict, NotFound
from abs_platform.events import Event
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser
from tests.people import People

DISTRICT = "WK014119"
DESK = HelpPointInput(
    "Wijkcentrum De Schelf", "Binnenhof 55", "maandag tot en met vrijdag van 9 tot 12 uur", "0546 123"
)
FORM = {"name": DESK.name, "address": DESK.address, "opening_hours": DESK.opening_hours, "phone": "0546 12 34 56"}


def happened(session: Session) -> list[Event]:
    return list(session.scalars(select(Event).where(Event.subject == "help_point").order_by(Event.id)))


def test_what_was_and_what_is_stand_in_the_event_log(session: Session, factory: Factory) -> None:
    district = factory.area_id(DISTRICT)
    who = {"actor": TEST_ACTOR, "now": factory.now}

    helping.set_help_point(session, district, DESK, seen="", **who)
    seen = helping.seal_of(session.get(HelpPoint, district))
    helping.set_help_point(session, district, DESK, seen=seen, **who)  # nothing differs
    other = HelpPointInput(DESK.name, DESK.address, "elke dag", DESK.phone)
    helping.set_help_point(session, district, other, seen=seen, **who)
    helping.remove_help_point(session, district, seen=helping.seal_of(session.get(HelpPoint, district)), **who)

    first, second, third = happened(session)
    assert first.details is not None
    assert second.details is not None
    assert third.details is not None
    assert (first.details["before"], first.details["after"]["name"]) == (None, DESK.name)
    assert second.details["before"]["opening_hours"] == DESK.opening_hours
    assert second.details["after"]["opening_hours"] == "elke dag"
    assert (third.kind, third.details["before"]["opening_hours"]) == ("help_point.removed", "elke dag")
    assert session.get(HelpPoint, district) is None


@pytest.mark.parametrize("verb", ["set", "remove"])
def test_nobody_overwrites_what_a_colleague_just_said(session: Session, factory: Factory, verb: str) -> None:
    district = factory.area_id(DISTRICT)
    helping.set_help_point(session, district, DESK, seen="", actor=TEST_ACTOR, now=factory.now)

    verbs = {"set": partial(helping.set_help_point, new=DESK), "remove": helping.remove_help_point}
    with pytest.raises(Conflict):
        verbs[verb](session, district, seen="", actor=TEST_ACTOR, now=factory.now)

    assert session.get(HelpPoint, district) is not None


def test_only_a_current_district_has_a_help_point(session: Session, factory: Factory) -> None:
    for code in ("GM0141", "BU01411900"):
        with pytest.raises(NotFound):
            helping.set_help_point(session, factory.area_id(code), DESK, seen="", actor=TEST_ACTOR, now=factory.now)


def test_the_coordinator_fills_in_a_help_point_and_sees_which_districts_lack_one(
    app: Flask, session: Session, factory: Factory
) -> None:
    browser, district = People(app, factory).coordinator(), factory.area_id(DISTRICT)
    count = len(queries.list_districts(session))
    path = f"/beheer/wijkcentra/{district}"

    before = browser.get("/beheer/wijkcentra")
    refused = browser.submit(browser.get(path), path, status=422, **FORM | {"phone": "bel maar", "address": ""})
    after = browser.submit(browser.get(path), path, **FORM)

    assert f"{count} wijken hebben nog geen wijkcentrum" in before.text
    assert "Vul een telefoonnummer in" in refused.text
    assert "Vul het adres in" in refused.text
    assert refused.field("name") == DESK.name
    assert f"{count - 1} wijken hebben nog geen wijkcentrum" in after.text
    assert DESK.name in after.text
    assert "Ingevuld:" in browser.get(path).text
    assert f"{DESK.name} {DESK.address}" in Browser(app).get("/contact").text


def test_two_coordinators_at_once_see_both_texts(app: Flask, session: Session, factory: Factory) -> None:
    browser, district = People(app, factory).coordinator(), factory.area_id(DISTRICT)
    path = f"/beheer/wijkcentra/{district}"
    opened = browser.get(path)
    browser.submit(opened, path, **FORM)

    late = browser.submit(opened, path, status=409, **FORM | {"name": "Mijn Wijkcentrum"})
    browser.submit(late, path)

    assert late.field("name") == "Mijn Wijkcentrum"
    assert DESK.name in late.text
    point = session.get(HelpPoint, district, populate_existing=True)
    assert point is not None
    assert point.name == "Mijn Wijkcentrum"


def test_a_help_point_goes_only_after_a_tick(app: Flask, session: Session, factory: Factory) -> None:
    browser, district = People(app, factory).coordinator(), factory.area_id(DISTRICT)
    path = f"/beheer/wijkcentra/{district}"
    browser.submit(browser.get(path), path, **FORM)

    kept = browser.submit(browser.get(path), f"{path}/weghalen", status=422)
    assert session.get(HelpPoint, district, populate_existing=True) is not None
    browser.submit(kept, f"{path}/weghalen", sure="1")

    assert session.get(HelpPoint, district, populate_existing=True) is None
