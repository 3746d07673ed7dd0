# SPDX-License-Identifier: EUPL-1.2
"""Back, reload, a second tab, a double click: one gift, a receipt each time, and no page that frightens."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from abs_platform.initiatives.models import Initiative
from tests.browser.conftest import Town
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.keeps_pages]

THANKS = "Bedankt, je voucher telt mee!"


@pytest.fixture
def initiative(town: Town) -> Initiative:
    """What everyone here gives to."""
    return town.initiative("Een bankje aan het kanaal")


@pytest.fixture
def code(town: Town) -> str:
    """The code of everyone's letter here."""
    return town.code()


@pytest.fixture
def confirming(visitor: Visitor, code: str, initiative: Initiative) -> Visitor:
    """A visitor who is asked whether it is right."""
    visitor.scan(code)
    visitor.press(visitor.choice(initiative.title))
    visitor.press(visitor.button("Verder"))
    visitor.reads("Klopt het?")
    return visitor


def test_back_after_the_receipt_and_giving_again_is_the_same_gift(town: Town, confirming: Visitor, code: str) -> None:
    confirming.press(confirming.button("Geef mijn voucher"))
    confirming.reads(THANKS)
    receipt = confirming.page.url

    confirming.page.evaluate("history.back()")
    # A browser that kept the page shows it again; another shows the first page. Neither asks to send anything again.
    heading = confirming.page.get_by_role("heading", level=1, name=re.compile(r"Klopt het\?|Geef je voucher"))
    expect(heading).to_be_visible()
    if heading.inner_text() == "Klopt het?":
        confirming.press(confirming.button("Geef mijn voucher"))
        confirming.reads(THANKS)
        assert confirming.page.url == receipt

    assert len(town.gifts(code)) == 1


def test_back_in_a_browser_that_kept_nothing_is_a_page_and_not_a_question(
    town: Town, confirming: Visitor, code: str
) -> None:
    confirming.press(confirming.button("Geef mijn voucher"))
    confirming.reads(THANKS)
    # Clearing the cache drops the pages that are kept for Back too.
    confirming.context.new_cdp_session(confirming.page).send("Network.clearBrowserCache")
    confirming.page.goto(f"{town.url}/hoe-werkt-het")

    confirming.page.evaluate("history.go(-2)")
    confirming.page.wait_for_url(f"{town.url}/voucher")

    confirming.reads("Geef je voucher")
    assert not any(code in entry for entry in confirming.history)


def test_the_way_back_to_choose_keeps_the_code_and_the_choice(
    confirming: Visitor, code: str, initiative: Initiative
) -> None:
    confirming.page.evaluate("history.back()")

    confirming.reads("Geef je voucher")
    expect(confirming.page.locator("#code")).to_have_value(code)
    expect(confirming.choice(initiative.title).get_by_role("radio")).to_be_checked()


def test_reloading_the_question_asks_it_again(town: Town, confirming: Visitor, code: str) -> None:
    confirming.page.reload()
    confirming.reads("Klopt het?")
    assert town.gifts(code) == []

    confirming.press(confirming.button("Geef mijn voucher"))
    confirming.reads(THANKS)
    confirming.page.reload()
    confirming.reads(THANKS)

    assert len(town.gifts(code)) == 1


def test_a_double_click_on_give_gives_once(town: Town, confirming: Visitor, code: str) -> None:
    confirming.button("Geef mijn voucher").dblclick()
    confirming.reads(THANKS)

    (gift,) = town.gifts(code)
    assert confirming.page.url == f"{town.url}/giften/{gift.reference}"


def test_the_same_question_in_two_tabs_gives_once_and_both_get_the_receipt(
    town: Town, confirming: Visitor, code: str
) -> None:
    first = confirming.page
    with confirming.context.expect_page() as opened:
        first.evaluate("document.querySelector('[data-give-form]').target = '_blank'")
        first.get_by_role("button", name="Geef mijn voucher").click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text(THANKS)
    first.evaluate("document.querySelector('[data-give-form]').removeAttribute('target')")
    first.get_by_role("button", name="Geef mijn voucher").click()
    confirming.reads(THANKS)

    assert first.url == opened.value.url
    assert len(town.gifts(code)) == 1


def test_a_second_device_with_the_same_letter_hears_calmly_that_it_is_used(
    town: Town, confirming: Visitor, visit: Callable[..., Visitor], code: str, initiative: Initiative
) -> None:
    other = visit()
    other.scan(code)
    other.press(other.choice(initiative.title))
    other.press(other.button("Verder"))
    other.reads("Klopt het?")
    confirming.press(confirming.button("Geef mijn voucher"))
    confirming.reads(THANKS)

    other.press(other.button("Geef mijn voucher"))

    other.reads("Geef je voucher")
    expect(other.page.get_by_role("alert")).to_contain_text("Deze code kun je nu niet gebruiken.")
    expect(other.choice(initiative.title).get_by_role("radio")).to_be_checked()
    other.check()
    assert len(town.gifts(code)) == 1
