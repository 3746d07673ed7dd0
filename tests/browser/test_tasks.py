# SPDX-License-Identifier: EUPL-1.2
"""Five tasks as somebody does them who was never here before: once with taps, which are counted, once with the keys.

docs/tasks.md tells these numbers, and is held to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import delete, select

from abs_platform.following.models import Follow, Follower
from tests.accounts.mailbox import newest_mail
from tests.browser.conftest import PHONE, Town
from tests.browser.visitor import Visitor
from tests.following.readers import link_of, mails

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("size", [PHONE], indirect=True)]

GIVE, NEAR, SUBMIT, FOLLOW, MONEY = 3, 3, 7, 8, 1
FROM_A_JACKET = 5
MOST_STOPS = 150
_serials = count(1)


@dataclass(eq=False)
class Hands:
    """Does what is asked with taps or with keys; only taps are counted. Into a field one taps too."""

    visitor: Visitor
    has_keys: bool

    def press(self, target: Locator) -> None:
        """A link or a button."""
        if not self.has_keys:
            self.visitor.press(target)
            return
        self._tab_to(target)
        self.visitor.page.keyboard.press("Enter")

    def write(self, field: Locator, words: str) -> None:
        """Typing is no tap; going to the field is."""
        if self.has_keys:
            self._tab_to(field)
        else:
            self.visitor.press(field)
        self.visitor.page.keyboard.type(words)

    def open_link(self, path: str) -> None:
        """A link in a mail; what a mail program asks is not ours."""
        self.visitor.presses += 1
        self.visitor.goto(path)

    def _tab_to(self, target: Locator) -> None:
        for _ in range(MOST_STOPS):
            if target.evaluate("(one) => one === document.activeElement"):
                return
            self.visitor.page.keyboard.press("Tab")
            self.visitor.sees_focus()
        raise AssertionError(f"{MOST_STOPS} times Tab did not reach {target}")

    def took(self, taps: int) -> None:
        """Whether it took so many taps, where taps were used."""
        assert self.has_keys or self.visitor.presses == taps, f"{self.visitor.presses} taps, not {taps}"


@pytest.fixture(params=[False, True], ids=["taps", "keys"])
def hands(request: pytest.FixtureRequest, visitor: Visitor) -> Hands:
    """Somebody who was never here."""
    return Hands(visitor, has_keys=request.param)


@pytest.fixture
def email(town: Town) -> Iterator[str]:
    """An address that nobody knows here."""
    email = f"nieuw{next(_serials)}@voorbeeld.example"
    yield email
    town.session.rollback()
    town.session.execute(delete(Follower).where(Follower.email == email))
    town.session.commit()


@pytest.mark.usefixtures("size")
def test_the_document_tells_these_numbers() -> None:
    told = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) [^|]*\| (\d+) \| ([^|]+) \|$", told, flags=re.MULTILINE)

    taps = {"give": GIVE, "find": NEAR, "see": MONEY, "begin": SUBMIT, "follow": FOLLOW}
    assert {task: int(number) for task, number, _steps in rows} == taps
    assert {task: len(steps.split(" · ")) for task, _number, steps in rows} == taps
    assert f"and needs {({5: 'five'})[FROM_A_JACKET]}." in told


def test_giving_the_voucher_of_a_letter(town: Town, visitor: Visitor) -> None:
    """With the keys: test_giving.py."""
    code, initiative = town.code(), town.initiative("Een bankje aan het kanaal")

    visitor.scan(code)
    expect(visitor.page.locator("#code")).to_have_value(code)
    visitor.press(visitor.choice(initiative.title))
    visitor.press(visitor.button("Verder"))
    visitor.reads("Klopt het?")
    visitor.press(visitor.button("Geef mijn voucher"))
    visitor.reads("Bedankt, je voucher telt mee!")

    (gift,) = town.gifts(code)
    assert gift.initiative_id == initiative.id
    assert visitor.presses == GIVE


def test_finding_something_near(town: Town, hands: Hands) -> None:
    visitor, page = hands.visitor, hands.visitor.page
    town.initiative("Een bankje aan het kanaal")
    town.code()  # a household in this postcode

    visitor.goto("/")
    hands.write(page.get_by_label("Je postcode"), "7609 ab")
    hands.press(visitor.button("Kijk dichtbij"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Dichtbij: Groeneveld")
    nearest = page.locator("main .abs-card__link").first
    title = nearest.inner_text()
    hands.press(nearest)
    visitor.reads(title)

    hands.took(NEAR)


def test_beginning_an_initiative(town: Town, hands: Hands, email: str) -> None:
    visitor, page = hands.visitor, hands.visitor.page

    visitor.goto("/")
    hands.press(page.locator("main").get_by_role("link", name="Begin een initiatief"))
    visitor.reads("Heb je een idee voor je buurt?")
    hands.press(page.locator("main").get_by_role("link", name="Log in"))
    hands.write(page.get_by_label("Je e-mailadres"), email)
    hands.press(visitor.button("Stuur mij een mail"))
    visitor.reads("Kijk in je mail")
    town.session.rollback()
    hands.write(page.get_by_label("De code uit de mail"), newest_mail(town.session, email).code)
    hands.press(visitor.button("Inloggen"))
    visitor.reads("Welkom! Hoe heet je?")
    hands.press(page.get_by_role("link", name="Sla dit over"))
    visitor.reads("Heb je een idee voor je buurt?")

    hands.took(SUBMIT)


def test_following_a_district(town: Town, hands: Hands, email: str) -> None:
    visitor, page = hands.visitor, hands.visitor.page

    visitor.goto("/")
    hands.press(visitor.button("Menu"))
    hands.press(page.get_by_role("navigation", name="Hoofdmenu").get_by_role("link", name="Wijken"))
    hands.press(page.get_by_role("link", name="Schelfhorst", exact=True).last)
    visitor.reads("Schelfhorst")
    hands.took(FOLLOW - FROM_A_JACKET)
    hands.press(page.get_by_role("link", name="Volg Schelfhorst"))
    hands.write(page.get_by_label("Je e-mailadres"), email)
    hands.press(visitor.button("Volgen"))
    visitor.reads("Kijk in je mail")
    town.session.rollback()
    hands.open_link(link_of(mails(town.session, "follow", email)[-1], "/bevestigen/"))
    hands.press(visitor.button("Ja, dit wil ik volgen"))
    visitor.reads("Wat je volgt")

    town.session.rollback()
    followed = select(Follow.confirmed_at).join(Follower).where(Follower.email == email)
    assert all(town.session.scalars(followed).all())
    hands.took(FOLLOW)


def test_seeing_where_the_money_went(hands: Hands) -> None:
    visitor = hands.visitor

    visitor.goto("/")
    hands.press(visitor.page.get_by_role("link", name="Bekijk waar het geld bleef"))
    visitor.reads("Waar bleef het geld?")

    hands.took(MONEY)
