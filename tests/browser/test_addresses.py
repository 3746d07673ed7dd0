# SPDX-License-Identifier: EUPL-1.2
"""The coordinator's addresses in a real browser: files sent, looked at and taken over, and one address by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from abs_platform import clock
from abs_platform.areas.models import Area
from abs_platform.households.models import Household
from abs_platform.users import Role
from jobs import do_work
from tests.browser.conftest import Town
from tests.browser.test_after_publishing import sign_in
from tests.browser.visitor import Visitor
from tests.households.files import home, key_row, write_bag, write_key

pytestmark = pytest.mark.browser
_serials = count(1)


def files(town: Town, folder: Path, number: int) -> tuple[Path, Path]:
    """All that is there already, one new address, and one that cannot be used."""
    town.session.rollback()
    homes, keys = [], []
    there = select(Household, Area.code).join(Area, Area.id == Household.neighbourhood_id)
    of_the_bag = Household.ended_on.is_(None), Household.bag_address_id.is_not(None)
    for one, code in town.session.execute(there.where(*of_the_bag)):
        same = {"huisletter": one.house_letter, "huisnummertoevoeging": one.house_addition, "postcode": one.postcode}
        ids = {"object_id": one.bag_object_id, "nummeraanduiding": one.bag_address_id or ""}
        homes.append(home(one.house_number, openbareruimte=one.street, woonplaats=one.city, **same, **ids))
        keys.append(key_row(one.house_number, PC6=one.postcode, Buurt2025=code.removeprefix("BU")))
    homes += [home(number, postcode="7607ZX"), home(number + 1, postcode="76 oeps")]
    keys.append(key_row(number, PC6="7607ZX"))
    return write_bag(folder, homes), write_key(folder, keys)


def goes(visitor: Visitor, role: str, name: str | re.Pattern[str]) -> None:
    """Follow a link or send a form, and wait for the page that comes."""
    with visitor.page.expect_navigation():
        visitor.press(visitor.page.get_by_role(role, name=name, exact=True).first)  # type: ignore[arg-type]


def test_addresses_from_a_file_and_by_hand(town: Town, visit: Callable[..., Visitor], tmp_path: Path) -> None:
    number = 20_000 + 10 * next(_serials)
    carla = sign_in(town, visit(), town.factory.account(name="Carla", roles=(Role.COORDINATOR,)))
    bag, key = files(town, tmp_path, number)

    take_over(carla, town, bag, key)
    by_hand(carla, number)


def take_over(carla: Visitor, town: Town, bag: Path, key: Path) -> None:
    page = carla.page
    carla.goto("/beheer")
    goes(carla, "link", "Adressen")
    carla.check(magnified=True)
    goes(carla, "link", "Lees nieuwe bestanden in")
    goes(carla, "button", "Verstuur en kijk na")
    expect(page.get_by_role("alert")).to_contain_text("Kies een bestand")
    carla.check()
    page.get_by_label("Adressen uit de BAG").set_input_files(bag)
    page.get_by_label("Sleutel van het CBS").set_input_files(key)
    goes(carla, "button", "Verstuur en kijk na")
    expect(page.get_by_text("Je mag deze pagina sluiten.")).to_be_visible()
    carla.check()
    work(town)
    page.reload()
    expect(page.get_by_text("kolom postcode: '76 oeps' is geen postcode")).to_be_visible()
    carla.check(in_the_dark=True, magnified=True)
    goes(carla, "link", "Ga verder naar overnemen")
    page.get_by_label("De 1 afgekeurde regel doet niet mee").check()
    page.get_by_label("Ik heb deze aantallen bekeken").check()
    carla.check(magnified=True)
    goes(carla, "button", "Neem over")
    expect(page.get_by_role("heading", level=1, name="Adressen overnemen")).to_be_visible()
    work(town)
    page.reload()
    expect(page.get_by_text("De adressen zijn overgenomen. 1 nieuw")).to_be_visible()


def by_hand(carla: Visitor, number: int) -> None:
    page = carla.page
    carla.goto("/beheer/adressen")
    page.get_by_label("Postcode").fill("7607 zx")
    page.get_by_label("Huisnummer").fill(str(number))
    goes(carla, "button", "Zoek")
    carla.check(magnified=True)
    goes(carla, "link", re.compile(f"Grotestraat {number}"))
    carla.check(in_the_dark=True, magnified=True)
    goes(carla, "link", "Splits")
    page.get_by_label("Welke nummers worden het?").fill(f"{number}A, {number}B")
    page.get_by_label("Waarom?").fill("Het huis is verbouwd.")
    carla.check(magnified=True)
    goes(carla, "button", "Splits dit adres")
    expect(page.get_by_role("status").first).to_contain_text("Er is 1 adres bij gekomen.")
    goes(carla, "link", "Beëindig")
    page.get_by_label("Waarom?").fill("Het staat leeg.")
    carla.check()
    goes(carla, "button", "Beëindig dit adres")
    expect(page.get_by_role("status").first).to_contain_text("Het adres is beëindigd.")
    carla.goto("/beheer/adressen/nieuw")
    page.get_by_label("Straat").fill("Grotestraat")
    page.get_by_label("Huisnummer").fill(f"{number}A")
    page.get_by_role("textbox", name="Postcode").fill("7607 ZX")
    page.get_by_label("Buurt").select_option(index=1)
    page.get_by_label("Waarom?").fill("Toch bewoond.")
    carla.check(magnified=True)
    goes(carla, "button", "Voeg dit adres toe")
    expect(page.get_by_role("alert")).to_contain_text("bestaat al, maar is beëindigd")
    carla.check()
    page.get_by_label("Huisnummer").fill(f"{number}C")
    goes(carla, "button", "Voeg dit adres toe")
    expect(page.get_by_role("status").first).to_contain_text("Het adres is toegevoegd.")
    carla.goto("/beheer/adressen?lijst=met-de-hand")
    expect(page.get_by_text("Toch bewoond.").first).to_be_visible()
    carla.check(magnified=True)


def work(town: Town) -> None:
    with town.app.app_context():
        assert do_work.run(clock.now()).errors == []
