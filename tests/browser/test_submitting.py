# SPDX-License-Identifier: EUPL-1.2
"""From an idea to an initiative at the desk, in a real browser: two devices, two co-organisers and their mails."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect
from sqlalchemy import select

from abs_platform import clock
from abs_platform.initiatives.content import working_copy
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.proposals import start
from abs_platform.initiatives.states import Theme
from abs_platform.municipality import Municipality
from abs_platform.outbox import OutgoingMail
from abs_platform.rulebook.loading import load_file
from abs_platform.users import User
from tests.accounts.mailbox import newest_mail
from tests.browser.conftest import DESK, Town
from tests.browser.visitor import Visitor
from tests.factories import TEST_ACTOR

pytestmark = pytest.mark.browser

_serials = count(1)
_LINK = re.compile(r"/meedoen/[\w-]+")


@pytest.fixture
def rules(town: Town) -> None:
    """The municipality's own rules check."""
    municipality = Municipality.load("almelo")
    load_file(town.session, municipality.rulebook_toml, municipality, replace=True, actor=TEST_ACTOR, now=clock.now())
    town.session.commit()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small picture."""
    path = tmp_path / "plein.jpg"
    Image.new("RGB", (900, 600), (90, 140, 80)).save(path)
    return path


def sign_in(town: Town, visitor: Visitor, email: str, *, path: str = "/inloggen") -> None:
    visitor.goto(path)
    visitor.page.get_by_label("Je e-mailadres").fill(email)
    visitor.press(visitor.button("Stuur mij een mail"))
    visitor.reads("Kijk in je mail")
    town.session.rollback()
    visitor.page.get_by_label("De code uit de mail").fill(newest_mail(town.session, email).code)
    visitor.press(visitor.button("Inloggen"))


def link_for(town: Town, email: str) -> str:
    town.session.rollback()
    newest = select(OutgoingMail.text_body).where(OutgoingMail.recipient == email).order_by(OutgoingMail.id.desc())
    body = town.session.scalars(newest.limit(1)).one()
    found = _LINK.search(body or "")
    assert found
    return found[0]


def look(visitor: Visitor) -> None:
    """Whether the page is in order: on a phone also magnified, on a desk also in the dark."""
    visitor.check(in_the_dark=not visitor.has_touch, magnified=visitor.has_touch)


def next_step(visitor: Visitor, heading: str) -> None:
    visitor.press(visitor.button("Bewaar en ga verder"))
    visitor.reads(heading)


def say_yes(town: Town, visitor: Visitor, email: str, house_number: str) -> None:
    visitor.goto(link_for(town, email))
    visitor.reads("Doe je mee?")
    look(visitor)
    visitor.page.get_by_label("Postcode").fill("7609 ab")
    visitor.page.get_by_label("Huisnummer").fill(house_number)
    visitor.press(visitor.button("Ja, ik doe mee"))
    visitor.reads("Je doet mee!")
    visitor.check()


def begin(town: Town, phone: Visitor, email: str) -> int:
    """Read what is needed, sign in, and begin; stops half-way the story. Returns the number of the initiative."""
    phone.goto("/initiatieven/nieuw")
    phone.reads("Heb je een idee voor je buurt?")
    look(phone)
    phone.press(phone.page.get_by_role("link", name="Log in en begin"))
    phone.page.get_by_label("Je e-mailadres").fill(email)
    phone.press(phone.button("Stuur mij een mail"))
    phone.reads("Kijk in je mail")
    town.session.rollback()
    phone.page.get_by_label("De code uit de mail").fill(newest_mail(town.session, email).code)
    phone.press(phone.button("Inloggen"))
    phone.reads("Welkom! Hoe heet je?")
    phone.page.get_by_label("Je naam").fill("Riet")
    phone.press(phone.button("Verder"))
    phone.reads("Heb je een idee voor je buurt?")
    look(phone)
    phone.page.get_by_label("Hoe heet je idee?").fill("Een bankje bij de vijver")
    phone.page.get_by_label("Vertel het in één of twee zinnen").fill("Een plek om even te zitten.")
    phone.page.get_by_label("Ontmoeten").check()
    phone.press(phone.button("Begin"))
    phone.reads("Je plan")
    look(phone)
    story = "# Zitten\n\nWe zetten **samen** een bankje neer.\n\n- hout\n- verf\n\nBel Jan: 0546-541111."
    phone.page.get_by_label("Wat ga je doen, en waarom?").fill(story)
    phone.press(phone.button("Bewaar en stop voor nu"))
    phone.reads("Hallo Riet")
    town.session.rollback()
    return town.session.scalars(select(Initiative.id).order_by(Initiative.id.desc()).limit(1)).one()


def write_the_plan(desk: Visitor, people: dict[str, str]) -> None:
    """The story is there; the place, the people and the money."""
    desk.reads("Je plan")
    expect(desk.page.get_by_label("Wat ga je doen, en waarom?")).to_have_value(re.compile("^# Zitten"))
    look(desk)
    next_step(desk, "De plek")
    desk.page.get_by_label("Voor welke buurt is het?").select_option(label="Windmolenbroek")
    desk.page.get_by_label("Waar precies?").fill("Aan de vijver achter de school")
    desk.page.get_by_text("Ik weet het precies").click()
    look(desk)
    next_step(desk, "Wie doen er mee")
    desk.page.get_by_label("Postcode").fill("7609 AB")
    desk.page.get_by_label("Huisnummer").fill("1")
    for name in ("bram", "cem"):
        desk.page.get_by_label("Naam", exact=True).fill(name.capitalize())
        desk.page.get_by_label("E-mailadres").fill(people[name])
        desk.press(desk.button("Stuur de uitnodiging"))
        expect(desk.page.get_by_role("status").first).to_contain_text(f"{name.capitalize()} krijgt een mail")
    expect(desk.page.get_by_label("Huisnummer")).to_have_value("1")
    look(desk)
    desk.page.get_by_label("Voor wie is het?").fill("Iedereen die even wil zitten.")
    next_step(desk, "Het geld")
    for row, (what, amount) in enumerate((("Bankje", "1.234,50"), ("Verf", "65,50")), start=1):
        desk.page.get_by_role("group", name=f"Regel {row}").get_by_label("Wat").fill(what)
        desk.page.get_by_role("group", name=f"Regel {row}").get_by_label("Bedrag in euro").fill(amount)
    expect(desk.page.locator("[data-total]")).to_have_text("€\u00a01.300")
    look(desk)


def write_the_rest(desk: Visitor, photo: Path) -> None:
    """When, what help, the rules and a picture."""
    next_step(desk, "Wanneer")
    deadline = clock.today() + dt.timedelta(days=90)
    desk.page.get_by_label("Tot en met welke dag haal je geld op?").fill(deadline.isoformat())
    desk.page.get_by_label("Wat gebeurt er wanneer?").fill("In mei bestellen, in juni samen schilderen.")
    look(desk)
    next_step(desk, "Hulp die nodig is")
    desk.page.get_by_label("Wat is er nodig?").first.fill("Vier mensen die willen schilderen")
    look(desk)
    next_step(desk, "De regels")
    for question in desk.page.get_by_role("group").all():
        question.get_by_label("Nee").check()
    desk.press(desk.button("Bewaar en bekijk wat je moet regelen"))
    expect(desk.page.get_by_text("Op zijn vroegst op")).to_be_visible()
    look(desk)
    desk.press(desk.page.get_by_role("link", name="Naar de volgende stap"))
    desk.reads("Foto's")
    desk.page.get_by_label("Kies een foto").set_input_files(photo)
    desk.page.get_by_label("Wat is er op de foto te zien?").fill("De vijver, met een leeg grasveld ernaast.")
    desk.press(desk.button("Voeg toe"))
    expect(desk.page.locator(".abs-wizard-picture")).to_have_count(1)
    look(desk)
    desk.press(desk.page.get_by_role("link", name="Ga verder"))
    desk.reads("Controleren en versturen")
    expect(desk.page.get_by_text("Er mist nog 1 ding")).to_be_visible()
    look(desk)


@pytest.mark.usefixtures("rules")
def test_an_idea_is_written_on_two_devices_and_sent_with_two_neighbours(
    town: Town, visit: Callable[..., Visitor], photo: Path
) -> None:
    serial = next(_serials)
    people = {name: f"{name}{serial}@voorbeeld.example" for name in ("riet", "bram", "cem")}
    number = begin(town, visit(), people["riet"])

    desk = visit()
    sign_in(town, desk, people["riet"])
    desk.reads("Hallo Riet")
    desk.goto(f"/initiatieven/{number}/bewerken")
    desk.reads("Een bankje bij de vijver")
    look(desk)
    desk.press(desk.page.get_by_role("link", name="Je plan"))
    write_the_plan(desk, people)
    write_the_rest(desk, photo)
    for name, house_number in (("bram", "2"), ("cem", "3")):
        say_yes(town, visit(), people[name], house_number)
    desk.goto(f"/initiatieven/{number}/voorbeeld")
    desk.reads("Een bankje bij de vijver")
    look(desk)
    desk.goto(f"/initiatieven/{number}/bewerken/controleren")
    desk.press(desk.button("Verstuur naar de wijkregisseur"))
    desk.reads("Controleren en versturen")
    look(desk)
    desk.page.get_by_label("Deze gegevens mogen op de site staan").check()
    desk.page.get_by_label("Wat ik heb ingevuld klopt").check()
    desk.press(desk.button("Verstuur naar de wijkregisseur"))
    expect(desk.page.get_by_text("Je initiatief is verstuurd")).to_be_visible()
    look(desk)

    town.session.rollback()
    assert town.session.get_one(Initiative, number).state == "submitted"
    mails = select(OutgoingMail.recipient).where(OutgoingMail.event == f"initiative.submitted:{number}:1")
    assert sorted(recipient or "" for recipient in town.session.scalars(mails)) == sorted(people.values())


@pytest.mark.usefixtures("rules", "size")
@pytest.mark.parametrize("size", [DESK], ids=["1280"], indirect=True)
def test_by_keyboard_alone(town: Town, visitor: Visitor) -> None:
    sign_in(town, visitor, f"toets{next(_serials)}@voorbeeld.example", path="/inloggen?volgende=/initiatieven/nieuw")
    visitor.reads("Welkom! Hoe heet je?")
    visitor.tab_to("a.abs-text-button")
    visitor.page.keyboard.press("Enter")
    visitor.reads("Heb je een idee voor je buurt?")
    visitor.tab_to("#title")
    visitor.page.keyboard.type("Met de toetsen")
    visitor.tab_to("[name=theme]")
    visitor.page.keyboard.press("Space")
    visitor.page.keyboard.press("Enter")
    visitor.reads("Je plan")
    visitor.tab_to("#story")
    visitor.page.keyboard.type("We doen het.")
    visitor.tab_to("button[value=terug]")
    visitor.page.keyboard.press("Enter")
    visitor.reads("Je idee")
    visitor.tab_to(".abs-wizard-steps__link[href$='/geld']", most=40)
    visitor.page.keyboard.press("Enter")
    visitor.reads("Het geld")
    visitor.tab_to("#budget-1-description")
    visitor.page.keyboard.type("Verf")
    visitor.tab_to("#budget-1-amount")
    visitor.page.keyboard.type("65")
    visitor.page.keyboard.press("Enter")

    visitor.reads("Wanneer")
    town.session.rollback()
    newest = town.session.scalars(select(Initiative).order_by(Initiative.id.desc()).limit(1)).one()
    content = working_copy(town.session, newest.id).content
    assert (content["title"], content["story"], content["target_cents"]) == ("Met de toetsen", "We doen het.", 6_500)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("size", [DESK], ids=["1280"], indirect=True)
def test_what_is_typed_is_saved_by_itself_and_two_tabs_are_told(town: Town, visit: Callable[..., Visitor]) -> None:
    email = f"tab{next(_serials)}@voorbeeld.example"
    account = town.factory.account(email, name="Tab")
    user = User(account_id=account.id, email=email, name="Tab")
    made = start(town.session, user, title="Twee tabbladen", theme=Theme.GREEN, actor=TEST_ACTOR, now=clock.now())
    town.session.commit()
    first, second = visit(), visit()
    path = f"/initiatieven/{made.id}/bewerken/verhaal"
    for visitor in (first, second):
        sign_in(town, visitor, email)
        visitor.reads("Hallo Tab")
        visitor.goto(path)

    first.page.locator("#story").press_sequentially("Vanzelf bewaard")
    expect(first.page.locator("[data-autosave-status]")).to_have_text("Vanzelf bewaard.")
    second.page.locator("#story").fill("Van het tweede tabblad")
    second.press(second.button("Bewaar en ga verder"))

    expect(second.page.get_by_role("heading", name="Dit staat er nu")).to_be_visible()
    expect(second.page.locator(".utrecht-alert--warning")).to_contain_text("Vanzelf bewaard")
    expect(second.page.locator("#story")).to_have_value("Van het tweede tabblad")
    look(second)
    second.press(second.button("Bewaar en ga verder"))
    second.reads("De plek")
    town.session.rollback()
    assert working_copy(town.session, made.id).content["story"] == "Van het tweede tabblad"
