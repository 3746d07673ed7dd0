# SPDX-License-Identifier: EUPL-1.2
"""The agenda: public from its moment, with its initiative and not after it ended, on pages and in calendar files."""

from __future__ import annotations

import datetime as dt

import pytest
from icalendar import Calendar
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from abs_platform.agenda import queries, service
from abs_platform.agenda.models import AgendaItem
from abs_platform.agenda.service import ItemInput
from abs_platform.clock import AMSTERDAM, local_date
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.initiatives import service as initiatives
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser
from tests.people import OTHER_DESK, OWN_DESK
from tests.test_page_cost import MAX_QUERIES, counting

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
CITY = "GM0141"


def written(factory: Factory, title: str = "Buurtborrel", *, starts_in: dt.timedelta = 2 * DAY) -> ItemInput:
    starts_at = (factory.now + starts_in).replace(microsecond=0)
    return ItemInput(title=title, place="Het plein, bij de bank", starts_at=starts_at, ends_at=starts_at + 2 * HOUR)


def planned(
    factory: Factory,
    title: str = "Buurtborrel",
    *,
    area: str | None = OWN_DESK,
    initiative: Initiative | None = None,
    at: dt.datetime | None = None,
    starts_in: dt.timedelta = 2 * DAY,
) -> int:
    """Something that is on the agenda, or will be at a moment to come."""
    item_id = service.add(
        factory.session,
        written(factory, title, starts_in=starts_in),
        area_id=None if initiative or area is None else factory.area_id(area),
        initiative_id=initiative.id if initiative else None,
        author_id=None,
        actor=TEST_ACTOR,
        now=factory.now,
    )
    service.publish(factory.session, item_id, at=at, actor=TEST_ACTOR, now=factory.now)
    factory.session.commit()
    return item_id


def calendar_of(browser: Browser, path: str = "/agenda.ics") -> dict[int, dict[str, object]]:
    """A calendar file read back: what stands in it, by number of the item."""
    response = browser._send("GET", path)
    assert response.status_code == 200
    assert response.content_type == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in response.data.split(b"\r\n"))
    calendar = Calendar.from_ical(response.data)
    assert calendar["version"] == "2.0"
    assert calendar["prodid"]
    found = {}
    for event in calendar.walk("VEVENT"):
        assert event["dtstamp"]
        found[int(str(event["uid"]).partition("@")[0].removeprefix("agenda-"))] = {
            "title": str(event["summary"]),
            "starts_at": event["dtstart"].dt,
            "ends_at": event["dtend"].dt,
            "place": str(event["location"]),
            "status": str(event["status"]),
            "sequence": int(event["sequence"]),
            "text": str(event["description"]),
            "url": str(event["url"]),
        }
    return found


def test_an_item_is_on_the_agenda_on_its_page_and_in_calendars(factory: Factory, browser_client: Browser) -> None:
    item_id = planned(factory, "Borrel; met soep, brood\\kaas en een héél lange naam zodat de regel gevouwen wordt")
    what = factory.session.get_one(AgendaItem, item_id)
    month = f"/agenda?maand={what.starts_at.astimezone(AMSTERDAM):%Y-%m}"

    page = browser_client.get(f"/agenda/{item_id}")
    listed = browser_client.get(month)

    assert listed.one(".agenda-list .abs-card__link").attrs["href"] == page.path
    assert "Het plein, bij de bank" in page.text
    for found in (calendar_of(browser_client), calendar_of(browser_client, f"/agenda/{item_id}.ics")):
        assert found[item_id]["title"] == what.title
        assert (found[item_id]["starts_at"], found[item_id]["ends_at"]) == (what.starts_at, what.ends_at)
        assert (found[item_id]["status"], found[item_id]["sequence"]) == ("CONFIRMED", 0)
        assert str(found[item_id]["url"]).endswith(f"/agenda/{item_id}")


def test_what_is_scheduled_is_nowhere_before_its_moment(factory: Factory, browser_client: Browser) -> None:
    moment = factory.now + HOUR
    item_id, session = planned(factory, at=moment), factory.session
    just_before = moment - dt.timedelta(microseconds=1)

    assert queries.upcoming(session, just_before) == []
    assert queries.public_addresses(session, just_before) == []
    assert calendar_of(browser_client) == {}
    for address in (f"/agenda/{item_id}", f"/agenda/{item_id}-buurtborrel", f"/agenda/{item_id}.ics"):
        assert "Buurtborrel" not in browser_client.get(address, status=404).text
    starts_at = session.get_one(AgendaItem, item_id).starts_at
    assert "Buurtborrel" not in browser_client.get(f"/agenda?maand={starts_at.astimezone(AMSTERDAM):%Y-%m}").text
    assert [item.id for item in queries.upcoming(session, moment)] == [item_id]


def test_what_is_cancelled_stays_and_says_so_with_the_reason(factory: Factory, browser_client: Browser) -> None:
    item_id = planned(factory)

    service.cancel(factory.session, item_id, reason="De soep is op.", actor=TEST_ACTOR, now=factory.now + HOUR)
    factory.session.commit()

    page = browser_client.get(f"/agenda/{item_id}")
    assert "Gaat niet door" in page.text
    assert "De soep is op." in page.text
    found = calendar_of(browser_client)[item_id]
    assert (found["status"], found["sequence"]) == ("CANCELLED", 1)


def test_a_change_of_what_is_public_reaches_calendars(factory: Factory, browser_client: Browser) -> None:
    item_id = planned(factory)
    what = written(factory, starts_in=3 * DAY)

    for _twice in range(2):  # saving the same again is no change
        service.change(factory.session, item_id, what, actor=TEST_ACTOR, now=factory.now + HOUR)
    factory.session.commit()

    found = calendar_of(browser_client)[item_id]
    assert (found["starts_at"], found["sequence"]) == (what.starts_at, 1)


@pytest.mark.parametrize(
    ("state", "is_shown"),
    [
        (State.PUBLISHED, True),
        (State.FUNDED, True),
        (State.IN_PROGRESS, True),
        (State.REALISED, True),
        (State.STOPPED, False),
        (State.WITHDRAWN, False),
        (State.EXPIRED, False),
    ],
)
def test_activities_are_public_with_their_initiative(
    factory: Factory, browser_client: Browser, state: State, *, is_shown: bool
) -> None:
    initiative = factory.initiative()
    item_id = planned(factory, initiative=initiative)
    initiative.state = state.value
    factory.session.commit()

    assert (item_id in calendar_of(browser_client)) is is_shown
    browser_client.get(f"/agenda/{item_id}", status=200 if is_shown else 404)
    assert bool(queries.upcoming(factory.session, factory.now, initiative_id=initiative.id)) is is_shown


def test_no_activity_is_added_to_an_initiative_that_does_not_go_on(factory: Factory, session: Session) -> None:
    initiative = factory.initiative()
    initiatives.stop(session, initiative.id, reason="Klaar.", actor=TEST_ACTOR, now=factory.now)

    with pytest.raises(Conflict):
        planned(factory, initiative=initiative)


def test_a_district_shows_its_own_agenda_and_that_of_the_whole_town(factory: Factory, browser_client: Browser) -> None:
    own, other, city = (planned(factory, area=area) for area in (OWN_DESK, OTHER_DESK, CITY))
    street = planned(factory, initiative=factory.initiative())

    found = calendar_of(browser_client, "/agenda.ics?wijk=windmolenbroek")

    assert set(found) == {own, city, street}
    assert set(calendar_of(browser_client)) == {own, other, city, street}


def test_the_agenda_goes_by_the_month_and_forgets_nothing_that_still_goes_on(
    factory: Factory, browser_client: Browser
) -> None:
    what = ItemInput(title="Expositie", place="Hal", starts_at=factory.now - DAY, ends_at=factory.now + 40 * DAY)
    service_id = service.add(
        factory.session, what, area_id=factory.area_id(CITY), author_id=None, actor=TEST_ACTOR, now=factory.now
    )
    service.publish(factory.session, service_id, actor=TEST_ACTOR, now=factory.now)
    factory.session.commit()
    next_month = (local_date(factory.now).replace(day=1) + 32 * DAY).strftime("%Y-%m")

    for path in ("/agenda", f"/agenda?maand={next_month}"):
        assert "Expositie" in browser_client.get(path).text
    for path in ("/agenda?maand=1900-01", "/agenda?maand=kaas", "/agenda?maand=2026-99&wijk=niets"):
        assert browser_client.get(path).one("h1")


@pytest.mark.parametrize(
    ("starts_in", "ends_in", "field"),
    [
        (2 * DAY, 2 * DAY, "ends_at"),
        (2 * DAY, DAY, "ends_at"),
        (2 * DAY, 200 * DAY, "ends_at"),
        (-2 * DAY, -DAY, "starts_at"),
        (900 * DAY, 901 * DAY, "starts_at"),
    ],
)
def test_moments_that_cannot_be_are_refused(
    factory: Factory, starts_in: dt.timedelta, ends_in: dt.timedelta, field: str
) -> None:
    what = ItemInput(title="X", place="Y", starts_at=factory.now + starts_in, ends_at=factory.now + ends_in)

    with pytest.raises(InvalidInput) as refused:
        service.add(
            factory.session, what, area_id=factory.area_id(CITY), author_id=None, actor=TEST_ACTOR, now=factory.now
        )

    assert field in refused.value.fields


def test_what_the_agenda_asks_does_not_grow_with_it(
    factory: Factory, browser_client: Browser, connection: Connection
) -> None:
    counts: dict[str, list[int]] = {"/agenda": [], "/agenda.ics?wijk=windmolenbroek": []}

    for number in (1, 15):
        for _one in range(number):
            planned(factory, starts_in=HOUR)
        for path, found in counts.items():
            with counting(connection) as statements:
                browser_client._send("GET", path)
            found.append(len(statements))

    assert {path: found for path, found in counts.items() if len(set(found)) > 1 or max(found) > MAX_QUERIES} == {}
