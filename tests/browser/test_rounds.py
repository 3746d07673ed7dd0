# SPDX-License-Identifier: EUPL-1.2
"""A round in a real browser, from the plan to its early end: the check list, the release, the issue and the close."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import Literal

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete, func, select, update

from abs_platform import clock
from abs_platform.households.models import Household
from abs_platform.rounds.models import Round, RoundDistrict, YearBudget
from abs_platform.users import Role
from jobs import do_work
from tests.browser.conftest import Town
from tests.browser.test_after_publishing import sign_in
from tests.browser.visitor import Visitor
from tests.rounds.ready import make_ready

pytestmark = pytest.mark.browser

VILLAGE, CODE, INSIDE = "Bornerbroek", "WK014121", "BU01412100"
_serials = count(1)


@pytest.fixture
def free_village(town: Town) -> Iterator[int]:
    """A village where no round is open, and how many addresses it has.

    Afterwards they have ended, because they had a voucher of today, and the town's own round is back there.
    """
    session, factory = town.session, town.factory
    district_id = factory.area_id(CODE)
    factory.households(2, area=INSIDE)
    there = list(session.scalars(select(RoundDistrict).where(RoundDistrict.district_id == district_id)))
    kept = [(one.round_id, one.opens_at, one.closes_at) for one in there]
    session.execute(delete(RoundDistrict).where(RoundDistrict.district_id == district_id))
    session.execute(delete(YearBudget))
    session.commit()
    inside = Household.neighbourhood_id == factory.area_id(INSIDE)
    yield session.scalar(select(func.count()).where(inside, Household.ended_on.is_(None))) or 0
    session.rollback()
    now = clock.now()
    session.execute(delete(RoundDistrict).where(RoundDistrict.district_id == district_id))
    session.execute(update(Round).where(Round.name.startswith("Browser"), Round.closes_at > now).values(closes_at=now))
    session.execute(update(Household).where(inside).values(ended_on=clock.today()))
    session.add_all(
        RoundDistrict(round_id=round_id, district_id=district_id, opens_at=opens_at, closes_at=closes_at)
        for round_id, opens_at, closes_at in kept
    )
    session.commit()


def goes(visitor: Visitor, role: Literal["link", "button"], name: str | re.Pattern[str]) -> None:
    """Follow a link or send a form, and wait for the page that comes."""
    with visitor.page.expect_navigation():
        visitor.press(visitor.page.get_by_role(role, name=name, exact=True).first)


def types_name(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_label("Typ de naam van de ronde").fill(name)


def test_a_round_from_plan_to_early_end(town: Town, visit: Callable[..., Visitor], free_village: int) -> None:
    town.session.commit()
    carla = sign_in(town, visit(), town.factory.account(name="Carla", roles=(Role.COORDINATOR,)))
    name = f"Browser {next(_serials)}"

    plan(carla, name, free_village)
    set_budget(carla)
    release_and_issue(carla, town, name, free_village)
    close(carla, name, free_village)


def plan(carla: Visitor, name: str, addresses: int) -> None:
    today = clock.today()
    carla.goto("/beheer")
    carla.check()
    goes(carla, "link", "Rondes")
    carla.check()
    goes(carla, "link", "Plan een ronde")
    page = carla.page
    for box in page.get_by_role("checkbox").all():
        box.set_checked(VILLAGE in (box.locator("xpath=..").inner_text()))
    page.get_by_role("textbox", name="Naam").fill(name)
    for label, day in (
        ("Dag van uitgifte", today),
        ("Open vanaf", today),
        ("Open tot en met", today + dt.timedelta(30)),
    ):
        page.get_by_label(label).fill(day.isoformat())
    euros = f"{addresses * 7.5:.2f}".replace(".", ",")
    expect(page.locator("[data-round-total]")).to_contain_text(f"{addresses} adressen krijgen een voucher")
    expect(page.locator("[data-round-total]")).to_contain_text(euros)
    carla.check(magnified=True)
    goes(carla, "button", "Plan de ronde")
    expect(page.get_by_role("status").first).to_contain_text("De ronde is gepland.")
    expect(page.get_by_text("Breng eerst in orde wat op rood staat.")).to_be_visible()
    carla.check(in_the_dark=True)


def set_budget(carla: Visitor) -> None:
    goes(carla, "link", re.compile("Breng dit in orde.*Budget"))
    carla.page.get_by_label("Bedrag in euro").fill("100.000")
    carla.page.get_by_label("Waarom?").fill("Besluit van de raad.")
    goes(carla, "button", "Ga verder")
    expect(carla.page.get_by_role("heading", name="Klopt dit?")).to_be_visible()
    carla.check()
    goes(carla, "button", "Sla het budget op")
    expect(carla.page.get_by_role("status").first).to_contain_text("is opgeslagen")


def release_and_issue(carla: Visitor, town: Town, name: str, addresses: int) -> None:
    town.session.rollback()
    round_ = town.session.scalars(select(Round).where(Round.name == name)).one()
    make_ready(town.factory, round_)
    town.session.commit()
    goes(carla, "link", name)
    goes(carla, "link", "Geef de ronde vrij")
    carla.check(magnified=True)
    types_name(carla, name)
    goes(carla, "button", "Geef de ronde vrij")
    goes(carla, "link", "Geef nu uit")
    types_name(carla, name)
    goes(carla, "button", "Geef nu uit")
    expect(carla.page.get_by_role("status").first).to_contain_text("De uitgifte is gestart.")
    carla.check()
    with town.app.app_context():
        assert do_work.run(clock.now()).errors == []
    carla.goto(f"/beheer/rondes/{round_.id}")
    expect(carla.page.get_by_text(f"{addresses} vouchers uitgegeven")).to_be_visible()
    carla.check()


def close(carla: Visitor, name: str, addresses: int) -> None:
    goes(carla, "link", "Sluit de ronde nu")
    carla.page.get_by_label("Waarom?").fill("Het geld is op.")
    types_name(carla, name)
    carla.check()
    goes(carla, "button", "Sluit de ronde nu")
    expect(carla.page.get_by_role("status").first).to_contain_text(f"{addresses} vouchers zijn verlopen")
    expect(carla.page.get_by_text("Deze ronde is voorbij.")).to_be_visible()
