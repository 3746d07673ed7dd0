# SPDX-License-Identifier: EUPL-1.2
"""The page of a district: who helps, what happens, each neighbourhood; and helpful answers to old addresses."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import Connection, update
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accounts.models import StaffRole
from abs_platform.areas.models import Area, HelpPoint
from abs_platform.districts import service
from abs_platform.districts.queries import COLLECTING_CARDS, LINES_A_NEIGHBOURHOOD, overview
from abs_platform.districts.service import ProfileInput
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.users import Role
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser, Page
from tests.test_page_cost import counting

WINDMOLENBROEK = "WK014119"
GROENEVELD, KANAALZIJDE = "BU01411900", "BU01411901"
MANAGER = (Role.DISTRICT_MANAGER,)


def profile(factory: Factory, *, name: str = "Sanne de Boer", is_public: bool = True, desks: tuple[str, ...]) -> int:
    account = factory.account(name=name, roles=MANAGER, desks=desks)
    told = ProfileInput(name, "sanne@gemeente.example", "0546 12 34 56", "Ik fiets door de wijk.", is_public)
    service.save_profile(factory.session, account.id, told, actor=TEST_ACTOR, now=factory.now)
    factory.session.commit()
    return account.id


def section(page: Page, area_id: int, session: Session) -> str:
    """What the section of a neighbourhood says."""
    slug = session.get_one(Area, area_id).slug
    return " ".join(page.one(f"#{slug}").to_text().split())


def test_every_district_and_neighbourhood_has_its_place_in_the_list(browser_client: Browser, session: Session) -> None:
    page = browser_client.get("/wijken")

    addresses = {link.attrs["href"] for link in page.all(".dis-tile a")}
    assert len(addresses) == 12
    assert "/wijken/windmolenbroek" in addresses
    anchors = [link.attrs["href"] for link in page.all(".dis-all a")]
    assert len(anchors) == 71
    assert page.all("main h1")[0].to_text() == "Wijken en dorpen"
    for one in sorted(addresses):
        browser_client.get(one)


def test_who_helps_is_told_with_how_to_reach_her(factory: Factory, browser_client: Browser) -> None:
    profile(factory, desks=(WINDMOLENBROEK,))
    factory.session.add(
        HelpPoint(
            district_id=factory.area_id(WINDMOLENBROEK),
            name="Wijkcentrum De Wieken",
            address="Molenplein 1",
            opening_hours="maandag van 9 tot 12 uur",
            phone="0546 65 43 21",
        )
    )
    factory.session.commit()

    page = browser_client.get("/wijken/windmolenbroek")

    assert page.one("h1").to_text() == "Windmolenbroek"
    assert "Sanne de Boer" in page.text
    assert page.all('a[href="tel:0546123456"]')
    assert page.all('a[href="mailto:sanne@gemeente.example"]')
    assert "Wijkcentrum De Wieken" in page.text
    assert "maandag van 9 tot 12 uur" in page.text
    assert "Sanne de Boer" not in browser_client.get("/wijken/schelfhorst").text


def test_who_does_not_want_to_be_seen_or_stopped_is_not_shown(factory: Factory, browser_client: Browser) -> None:
    profile(factory, name="Hidde Stil", is_public=False, desks=(WINDMOLENBROEK,))
    gone = profile(factory, name="Vera Weg", desks=(WINDMOLENBROEK,))
    factory.session.execute(update(StaffRole).where(StaffRole.account_id == gone).values(ended_at=factory.now))
    factory.session.commit()

    text = browser_client.get("/wijken/windmolenbroek").text

    assert "Hidde Stil" not in text
    assert "Vera Weg" not in text
    assert "We helpen je graag" in text


def test_a_neighbourhood_is_a_section_with_its_own_initiatives(
    factory: Factory, session: Session, browser_client: Browser
) -> None:
    own = factory.initiative(title="Bankje bij de vijver", area=GROENEVELD)
    factory.initiative(title="Feest voor de hele wijk", area=WINDMOLENBROEK)
    factory.initiative(title="Elders gebeurt ook wat", area="BU01411300")
    factory.initiative(State.REJECTED, title="Nooit op de site", area=GROENEVELD)
    factory.initiative(State.STOPPED, title="Al gestopt", area=GROENEVELD)
    session.commit()

    page = browser_client.get("/wijken/windmolenbroek")

    assert "Bankje bij de vijver" in section(page, factory.area_id(GROENEVELD), session)
    assert "Feest voor de hele wijk" in page.text
    assert "Elders gebeurt ook wat" not in page.text
    assert "Nooit op de site" not in page.text
    assert "Al gestopt" not in page.text
    assert page.all(f'.dis-lines a[href^="/initiatieven/{own.id}-"]')


def test_what_collects_and_what_was_realised_is_counted_and_shown(factory: Factory, session: Session) -> None:
    collecting = [factory.initiative(days_left=90 - number) for number in range(COLLECTING_CARDS + 2)]
    realised = factory.initiative(State.REALISED, target_cents=5_000)
    session.commit()

    found = overview(session, factory.area_id(WINDMOLENBROEK), today=clock.today())

    assert found.collecting == len(collecting)
    # What ends soonest comes first.
    assert found.collecting_ids == [one.id for one in reversed(collecting)][:COLLECTING_CARDS]
    assert (found.realised, found.realised_ids) == (1, [realised.id])
    assert found.total == len(collecting) + 1
    (groeneveld,) = (one for one in found.neighbourhoods if one.total)
    assert len(groeneveld.lines) == LINES_A_NEIGHBOURHOOD
    assert groeneveld.total == found.total


def test_cards_come_from_all_of_the_district_and_what_collects_stands_first(factory: Factory, session: Session) -> None:
    soon = factory.initiative(area=KANAALZIJDE, days_left=3)
    first, second = (factory.initiative(area=GROENEVELD, days_left=days) for days in (9, 20))
    late = factory.initiative(area=GROENEVELD, days_left=40)
    whole = factory.initiative(area=WINDMOLENBROEK, days_left=5)
    funded = factory.initiative(State.FUNDED, area=GROENEVELD, target_cents=5_000)
    realised = [factory.initiative(State.REALISED, area=area, target_cents=5_000) for area in (GROENEVELD, KANAALZIJDE)]
    today = clock.today()
    late.deadline_on = today - dt.timedelta(days=1)  # what nobody closed yet
    second.published_at, funded.published_at, late.published_at = (
        factory.now - dt.timedelta(days=days) for days in (1, 2, 3)
    )
    realised[0].ended_at, realised[1].ended_at = factory.now, factory.now - dt.timedelta(days=1)
    session.flush()

    found = overview(session, factory.area_id(WINDMOLENBROEK), today=today)

    assert found.collecting_ids == [one.id for one in (soon, whole, first, second)]
    assert found.realised_ids == [one.id for one in realised]
    assert (found.collecting, found.realised, found.total) == (4, 2, 8)
    told = {one.slug: [line.id for line in one.lines] for one in found.neighbourhoods if one.total}
    assert told == {
        "groeneveld": [second.id, first.id, funded.id, late.id],
        "kanaalzijde": [soon.id, realised[1].id],
    }
    assert sum(one.total for one in found.neighbourhoods) == found.total - 1


def test_a_neighbourhoods_own_address_leads_to_its_section(app: Flask, connection: Connection) -> None:
    assert connection
    client = app.test_client()

    answer = client.get("/wijken/groeneveld")

    assert (answer.status_code, answer.location) == (301, "/wijken/windmolenbroek#groeneveld")
    assert client.get("/wijken/Windmolenbroek").location == "/wijken/windmolenbroek"
    assert client.get("/en/wijken/groeneveld").location == "/en/wijken/windmolenbroek#groeneveld"


@pytest.mark.parametrize("slug", ["bestaat-niet", "a" * 300, "..%2f"])
def test_an_address_that_never_was_is_not_found(browser_client: Browser, slug: str) -> None:
    browser_client.get(f"/wijken/{slug}", status=404)


def test_an_old_neighbourhood_says_where_it_went_and_its_initiatives_stay(
    factory: Factory, session: Session, browser_client: Browser
) -> None:
    factory.initiative(title="Bankje bij de vijver", area=GROENEVELD)
    session.execute(update(Area).where(Area.code == GROENEVELD).values(is_current=False))
    session.commit()

    page = browser_client.get("/wijken/groeneveld", status=410)

    assert "Groeneveld bestaat niet meer" in page.text
    assert page.all('a[href="/wijken/windmolenbroek"]')
    district = browser_client.get("/wijken/windmolenbroek")
    assert "Bankje bij de vijver" in section(district, factory.area_id(GROENEVELD), session)
    assert "Deze buurt bestaat niet meer" in district.text


def test_an_old_district_leads_to_all_there_are(session: Session, browser_client: Browser) -> None:
    session.execute(update(Area).where(Area.code == WINDMOLENBROEK).values(is_current=False))
    session.commit()

    page = browser_client.get("/wijken/windmolenbroek", status=410)

    assert page.all('a[href="/wijken/schelfhorst"]')
    browser_client.get("/wijken/windmolenbroek/poster.pdf", status=404)


def test_the_page_asks_as_many_queries_with_much_as_with_little(
    factory: Factory, browser_client: Browser, connection: Connection
) -> None:
    counts = []
    for number in (1, 12):
        for _ in range(number):
            factory.initiative()
            factory.initiative(State.REALISED, target_cents=5_000)
        profile(factory, desks=(WINDMOLENBROEK,))
        with counting(connection) as statements:
            browser_client.get("/wijken/windmolenbroek")
        counts.append(len(statements))

    # The area, its initiatives, their cards, welcome, who helps, news, agenda, figures.
    assert counts[0] == counts[1] <= 8


def test_the_poster_is_a_page_with_the_name_and_its_address(app: Flask, connection: Connection) -> None:
    assert connection
    answer = app.test_client().get("/wijken/windmolenbroek/poster.pdf")

    assert answer.status_code == 200
    assert answer.content_type == "application/pdf"
    assert answer.get_data().startswith(b"%PDF")
    assert app.test_client().get("/wijken/windmolenbroek/poster.pdf").get_data() == answer.get_data()
    assert app.test_client().get("/wijken/groeneveld/poster.pdf").status_code == 404
