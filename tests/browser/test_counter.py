# SPDX-License-Identifier: EUPL-1.2
"""The desk of a wijkcentrum in a real browser: two visitors by keyboard only, and nothing of the first remains."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from abs_platform.users import Role
from tests.browser.conftest import Town
from tests.browser.test_after_publishing import look, manager, sign_in
from tests.browser.visitor import Visitor
from tests.people import People

pytestmark = pytest.mark.browser

STORED = "() => localStorage.length + sessionStorage.length"


@pytest.fixture
def people(town: Town) -> Iterator[People]:
    """The verbs write mails, which know the app."""
    with town.app.app_context():
        yield People(town.app, town.factory)


@pytest.fixture
def bea(town: Town, visit: Callable[..., Visitor]) -> Visitor:
    """Somebody at the desk."""
    visitor = sign_in(town, visit(), town.factory.account(name="Bea", roles=(Role.DESK,)))
    visitor.page.clock.install()
    return visitor


def is_empty(visitor: Visitor) -> None:
    """Nothing that was typed is there, nor what was said."""
    for name in ("code", "number"):
        expect(visitor.page.locator(f"#{name}")).to_have_value("")
    expect(visitor.page.locator("[data-counter-said]")).to_have_text("")
    expect(visitor.page.locator("[data-counter-choice]")).to_have_text("")


@pytest.mark.keeps_pages
def test_two_visitors_by_keyboard_only_and_nothing_of_the_first_remains(town: Town, bea: Visitor) -> None:
    trees, bench = town.initiative("Bomen bij de school"), town.initiative("Een bank aan het water")
    codes = [town.code() for _ in range(2)]
    bea.codes += codes
    keys, page = bea.page.keyboard, bea.page
    bea.goto("/account")
    bea.press(page.get_by_role("main").get_by_role("link", name="Balie"))
    bea.reads("Balie")
    expect(page.locator("#code")).to_be_focused()
    look(bea)

    # A typing error is told before anything is sent, and an unknown number too.
    keys.type(f"{codes[0][:-1]}U")
    keys.press("Enter")
    expect(page.locator("[data-counter-hint]")).to_contain_text("klopt niet")
    page.locator("#code").fill("")
    keys.type(codes[0])
    keys.press("Enter")
    expect(page.locator("#number")).to_be_focused()
    keys.type("9999999")
    keys.press("Enter")
    expect(page.locator("[data-counter-choice]")).to_contain_text("bestaat niet")
    page.locator("#number").fill("")
    keys.type(str(trees.id))
    keys.press("Enter")  # what the number stands for comes first
    expect(page.locator("[data-counter-choice]")).to_contain_text("Bomen bij de school")
    assert town.gifts(codes[0]) == []
    look(bea)
    keys.press("Enter")

    expect(page.locator("[data-counter-said]")).to_contain_text(
        f"Gegeven: € 7,50 aan Bomen bij de school (nummer {trees.id})"
    )
    expect(page.locator("#code")).to_be_focused()
    expect(page.locator("#code")).to_have_value("")
    assert [gift.channel for gift in town.gifts(codes[0])] == ["desk"]
    look(bea)

    keys.type(codes[1])
    keys.press("Enter")
    keys.type(str(bench.id))
    page.clock.run_for(400)
    expect(page.locator("[data-counter-choice]")).to_contain_text("Een bank aan het water")
    keys.press("Enter")
    expect(page.locator("[data-counter-said]")).to_contain_text("Een bank aan het water")
    assert "Bomen bij de school" not in bea.text
    expect(page.locator(".counter-today")).to_contain_text("2 vouchers gegeven")

    page.go_back()
    expect(page.locator("body")).not_to_contain_text("Bomen bij de school")
    assert not any(code.replace("-", "") in page.content().replace("-", "") for code in codes)
    page.go_forward()
    bea.reads("Balie")
    is_empty(bea)
    assert page.evaluate(STORED) == 0


def test_the_screen_forgets_by_itself_and_for_the_next_visitor(town: Town, bea: Visitor) -> None:
    trees = town.initiative("Bomen bij de school")
    codes = [town.code() for _ in range(3)]
    bea.codes += codes
    bea.goto("/balie")
    page = bea.page

    page.locator("#code").fill(codes[0])
    page.locator("#number").fill(str(trees.id))
    page.clock.run_for(400)
    expect(page.locator("[data-counter-choice]")).to_contain_text("Bomen bij de school")
    page.clock.run_for(61_000)
    is_empty(bea)

    # A heap of strips: the choice stays, and Enter after a code sends it.
    page.locator("#stack").check()
    page.locator("#code").fill(codes[0])
    page.locator("#number").fill(str(trees.id))
    page.clock.run_for(400)
    expect(page.locator("[data-counter-choice]")).to_contain_text("Bomen bij de school")
    page.locator("#number").press("Enter")
    expect(page.locator("[data-counter-said]")).to_contain_text("Gegeven")
    expect(page.locator("#number")).to_have_value(str(trees.id))
    page.locator("#code").press_sequentially(codes[1])
    page.locator("#code").press("Enter")
    expect(page.locator(".counter-today")).to_contain_text("2 vouchers gegeven")
    assert len(town.gifts(codes[1])) == 1

    page.locator("#code").fill(codes[2])
    bea.press(page.get_by_role("link", name="Volgende bezoeker"))
    expect(page.locator("#stack")).not_to_be_checked()
    is_empty(bea)
    bea.press(page.get_by_role("main").get_by_role("link", name="Nieuwe brief"))
    bea.reads("Nieuwe brief aan de balie")
    look(bea)


@pytest.mark.keeps_pages
def test_from_where_is_my_voucher_to_a_decision_and_giving_again(
    town: Town, people: People, visit: Callable[..., Visitor]
) -> None:
    assert people
    thief, own = town.initiative("Een plan van een ander"), town.initiative("Een speelplek op de hoek")
    code = town.code()
    assert town.factory.give(code, thief)
    town.session.commit()
    fatima = visit()

    fatima.goto("/voucher")
    fatima.press(fatima.page.get_by_role("link", name="Kijk waar hij is"))
    fatima.reads("Waar bleef mijn voucher?")
    fatima.check()
    fatima.type_code(code)
    fatima.press(fatima.button("Kijk waar mijn voucher is"))
    fatima.reads("Je voucher is gegeven")
    expect(fatima.page.get_by_role("main")).to_contain_text("Een plan van een ander")
    look(fatima)
    fatima.press(fatima.button("Dit was ik niet"))
    fatima.reads("Was jij dit niet?")
    look(fatima)
    fatima.press(fatima.button("Maak bezwaar"))
    fatima.reads("We kijken ernaar")
    fatima.check()
    fatima.page.go_back(wait_until="commit")
    expect(fatima.page.locator("body")).not_to_contain_text(code)

    sanne = sign_in(town, visit(), manager(town))
    sanne.goto("/regie/bezwaren")
    sanne.check()
    sanne.press(sanne.page.get_by_role("link", name="Een plan van een ander").first)
    expect(sanne.page.get_by_role("heading", level=1)).to_contain_text("Bezwaar")
    sanne.press(sanne.button("Geef de voucher terug"))
    expect(sanne.page.get_by_role("alert")).to_contain_text("Schrijf op waarom")
    look(sanne)
    sanne.page.locator("#reason").fill("De bewoner gaf hem niet.")
    sanne.press(sanne.button("Geef de voucher terug"))
    expect(sanne.page.get_by_role("main")).to_contain_text("terug bij de bewoner")
    sanne.check()

    fatima.goto("/voucher/waar")
    fatima.type_code(code)
    fatima.press(fatima.button("Kijk waar mijn voucher is"))
    fatima.reads("Je voucher is nog van jou")
    expect(fatima.page.get_by_role("main")).to_contain_text("De bewoner gaf hem niet.")
    look(fatima)
    fatima.press(fatima.button("Geef je voucher"))
    fatima.reads("Geef je voucher")
    fatima.press(fatima.choice(own.title))
    fatima.press(fatima.button("Verder"))
    fatima.reads("Klopt het?")
    fatima.press(fatima.button("Geef mijn voucher"))
    expect(fatima.page.get_by_role("main")).to_contain_text(own.title)
    assert sorted((gift.state, gift.initiative_id) for gift in town.gifts(code)) == sorted(
        [("returned", thief.id), ("confirmed", own.id)]
    )
