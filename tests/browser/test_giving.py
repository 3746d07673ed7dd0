# SPDX-License-Identifier: EUPL-1.2
"""Giving a voucher as residents do: by QR, by keyboard, without JavaScript, from each box, and to the last euro."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from abs_platform.donations.models import Donation
from abs_platform.initiatives.models import Initiative
from tests.browser.conftest import ALMELO, Town
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

THANKS = "Bedankt, je voucher telt mee!"


def assert_given(town: Town, visitor: Visitor, code: str, initiative: Initiative) -> Donation:
    """The receipt tells what the database holds: one gift, its number, its amount and the new total."""
    (gift,) = town.gifts(code)
    assert gift.initiative_id == initiative.id
    assert visitor.page.url == f"{town.url}/giften/{gift.reference}"
    for line in (gift.reference, "€ 7,50", initiative.title, f"{town.raised(initiative)} van € 500"):
        assert line in visitor.text
    return gift


def test_a_resident_gives_with_the_qr_of_the_letter_in_three_taps(town: Town, visitor: Visitor) -> None:
    code, initiative = town.code(), town.initiative("Een bankje aan het kanaal")

    visitor.scan(code)
    expect(visitor.page.locator("#code")).to_have_value(code)
    expect(visitor.page.get_by_role("status").first).to_have_text("Je code is ingevuld. Kies nu een initiatief.")
    assert visitor.page.url == f"{town.url}/v"
    assert not any(code in entry for entry in visitor.history)
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.choice(initiative.title))
    visitor.check()
    visitor.press(visitor.button("Verder"))
    visitor.reads("Klopt het?")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.button("Geef mijn voucher"))
    visitor.reads(THANKS)

    assert visitor.presses == 3
    assert_given(town, visitor, code, initiative)
    visitor.check(in_the_dark=True, magnified=True)


def test_the_same_with_only_the_keyboard(town: Town, visitor: Visitor) -> None:
    code = town.code()
    first, second = (town.initiative(f"Schaken op het plein {number}") for number in (1, 2))
    keyboard = visitor.page.keyboard

    visitor.scan(code)
    visitor.tab_to("#choose_search")
    keyboard.type("schaken plein")
    expect(visitor.page.locator(".abs-choice:visible")).to_have_count(2)
    visitor.tab_to("[type=radio]")
    keyboard.press("Space")
    expect(visitor.choice(first.title).get_by_role("radio")).to_be_checked()
    visitor.sees_focus()
    keyboard.press("ArrowDown")
    expect(visitor.choice(second.title).get_by_role("radio")).to_be_checked()
    visitor.sees_focus()
    visitor.tab_to("[type=submit]")
    keyboard.press("Enter")
    visitor.reads("Klopt het?")
    visitor.tab_to("summary")
    keyboard.press("Enter")
    visitor.tab_to("#giver_name")
    keyboard.type("Truus")
    visitor.tab_to("[type=submit]")
    keyboard.press("Enter")
    visitor.reads(THANKS)

    gift = assert_given(town, visitor, code, second)
    assert gift.giver_name == "Truus"
    visitor.tab_to("footer [href^=mailto]")


def test_every_choice_can_be_reached_with_the_arrows_and_is_never_under_the_button(
    town: Town, visitor: Visitor
) -> None:
    visitor.scan(town.code())
    visitor.tab_to("[type=radio]")
    visitor.page.keyboard.press("Space")
    choices = visitor.page.get_by_role("radio").count()

    for _ in range(choices - 1):
        visitor.page.keyboard.press("ArrowDown")
        visitor.sees_focus()

    expect(visitor.page.get_by_role("radio").last).to_be_checked()
    visitor.page.keyboard.press("Shift+Tab")
    visitor.sees_focus()


def test_the_same_without_javascript_by_typing_the_code(town: Town, visit: Callable[..., Visitor]) -> None:
    code, initiative = town.code(), town.initiative("Een bankje aan het kanaal")
    visitor = visit(has_scripts=False)

    visitor.goto("/voucher")
    visitor.type_code(code.replace("-", " ").lower())
    assert not visitor.page.locator("#choose_search").is_visible()
    visitor.check()
    visitor.press(visitor.choice(initiative.title))
    visitor.press(visitor.button("Verder"))
    visitor.reads("Klopt het?")
    visitor.check()
    visitor.press(visitor.button("Geef mijn voucher"))
    visitor.reads(THANKS)

    assert_given(town, visitor, code, initiative)
    visitor.check()


def test_the_box_on_the_page_of_an_initiative_leads_straight_to_the_question(town: Town, visitor: Visitor) -> None:
    code, initiative = town.code(), town.initiative("Een bankje aan het kanaal")

    visitor.goto(f"/initiatieven/{initiative.id}")
    visitor.type_code(code.replace("-", ""))
    expect(visitor.page.locator("#code")).to_have_value(code)
    visitor.press(visitor.button("Geef aan dit initiatief"))
    visitor.reads("Klopt het?")
    expect(visitor.page.get_by_role("heading", name=initiative.title)).to_be_visible()
    visitor.press(visitor.button("Geef mijn voucher"))
    visitor.reads(THANKS)

    assert visitor.presses == 2
    assert_given(town, visitor, code, initiative)


def test_the_box_on_the_home_page_keeps_the_code_while_you_choose(town: Town, visitor: Visitor) -> None:
    code, initiative = town.code(), town.initiative("Een bankje aan het kanaal")

    visitor.goto("/")
    visitor.type_code(code)
    visitor.press(visitor.button("Kies een initiatief"))
    visitor.reads("Geef je voucher")
    expect(visitor.page.locator("#code")).to_have_value(code)
    visitor.press(visitor.choice(initiative.title))
    visitor.press(visitor.button("Verder"))
    visitor.press(visitor.button("Terug: kies een ander initiatief"))
    expect(visitor.page.locator("#code")).to_have_value(code)
    expect(visitor.choice(initiative.title).get_by_role("radio")).to_be_checked()
    visitor.check()
    visitor.press(visitor.button("Verder"))
    visitor.press(visitor.button("Geef mijn voucher"))
    visitor.reads(THANKS)

    assert_given(town, visitor, code, initiative)


def test_the_filter_keeps_the_code_and_the_choice(town: Town, visitor: Visitor) -> None:
    code, chosen = town.code(), town.initiative("Een bankje aan het kanaal")
    everywhere = town.initiative("Een vlag voor elke straat", area=ALMELO)
    elsewhere = town.initiative("Een pluktuin in het dorp", area="WK014120")

    visitor.scan(code)
    visitor.press(visitor.choice(chosen.title))
    visitor.page.locator("#choose_district").select_option("Schelfhorst")
    expect(visitor.choice(chosen.title)).to_be_visible()
    expect(visitor.choice(everywhere.title)).to_be_visible()
    expect(visitor.choice(elsewhere.title)).to_be_hidden()
    visitor.page.locator("#choose_search").fill("VLAG")
    expect(visitor.page.locator("[data-choose-count]")).to_have_text("1 initiatief")
    visitor.page.locator("#choose_search").press("Enter")
    visitor.page.locator("#choose_search").fill("zwembad met glijbaan")
    expect(visitor.page.locator("[data-choose-count]")).to_contain_text("Geen initiatief gevonden.")
    visitor.check()
    visitor.press(visitor.button("Verder"))

    visitor.reads("Klopt het?")
    expect(visitor.page.get_by_role("heading", name=chosen.title)).to_be_visible()
    assert code in visitor.text


def test_a_name_a_message_and_a_second_choice_go_along(town: Town, visitor: Visitor) -> None:
    code, initiative = town.code(), town.initiative("Een bankje aan het kanaal")
    plan_b = town.initiative("Schaken op het plein 1")

    visitor.scan(code)
    visitor.press(visitor.choice(initiative.title))
    visitor.press(visitor.button("Verder"))
    visitor.press(visitor.page.locator("summary"))
    visitor.page.get_by_label("Je naam").fill("Fatima de Boer")
    visitor.page.get_by_label("Bericht aan de organisatoren").fill("Wat een mooi plan!\nIk kom <b>luisteren</b>.")
    visitor.page.get_by_label("Je tweede keus").select_option(str(plan_b.id))
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.button("Geef mijn voucher"))
    visitor.reads(THANKS)

    gift = assert_given(town, visitor, code, initiative)
    assert gift.plan_b_initiative_id == plan_b.id
    assert plan_b.title in visitor.text
    visitor.press(visitor.page.get_by_role("link", name=initiative.title, exact=True))
    visitor.reads(initiative.title)
    assert "Fatima de Boer € 7,50 voucher" in visitor.text
    assert "Wat een mooi plan! Ik kom <b>luisteren</b>." in visitor.text
    visitor.check()


def test_the_gift_that_reaches_the_target_is_celebrated(town: Town, visitor: Visitor) -> None:
    code, initiative = town.code(), town.almost_funded("Een regenton per trap")

    visitor.scan(code)
    visitor.press(visitor.choice(initiative.title))
    visitor.press(visitor.button("Verder"))
    visitor.press(visitor.button("Geef mijn voucher"))
    visitor.reads("Gelukt! Het bedrag is rond")

    assert "€ 60 van € 60 100% 8 gevers" in visitor.text
    visitor.check(in_the_dark=True, magnified=True)
    town.session.refresh(initiative)
    assert initiative.state == "funded"
