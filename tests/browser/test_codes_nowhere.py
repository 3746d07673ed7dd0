# SPDX-License-Identifier: EUPL-1.2
"""What a browser keeps after codes were typed in it: none in its history, its addresses, its stores or its timings."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from abs_platform.users import Role
from tests.browser.conftest import PHONE, Town
from tests.browser.test_after_publishing import sign_in
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

KEPT = """async () => JSON.stringify([
  document.URL, document.referrer, document.title, document.cookie, history.state, window.name,
  performance.getEntries().map((entry) => entry.name), {...sessionStorage}, {...localStorage},
  await caches.keys(),
  (await indexedDB.databases()).map((one) => one.name),
])"""
ON_PAGE = "() => document.documentElement.outerHTML + [...document.querySelectorAll('input')].map((i) => i.value)"


def kept_in(visitor: Visitor) -> str:
    """All that the browser kept."""
    return str(visitor.page.evaluate(KEPT)) + json.dumps(visitor.history)


def in_it(codes: list[str], kept: str) -> list[str]:
    """The codes that stand in it, with or without dashes and spaces."""
    tidy = kept.upper().replace("-", "").replace(" ", "").replace("%20", "")
    return [code for code in codes if code.replace("-", "") in tidy]


@pytest.mark.keeps_pages
@pytest.mark.parametrize("size", [PHONE], ids=["360"])
def test_a_browser_keeps_no_code_of_giving_keeping_looking_and_the_desk(
    town: Town, visit: Callable[..., Visitor]
) -> None:
    given, kept, entered = codes = [town.code() for _number in range(3)]
    initiative = town.initiative("Een bankje aan het kanaal")
    visitor = visit()
    page = visitor.page

    def choose(code: str) -> None:
        visitor.scan(code)
        # The page of the scan itself knows by which address it was opened, as long as it is open; its history does not.
        assert in_it(codes, json.dumps(visitor.history) + str(page.evaluate("document.URL"))) == []
        visitor.press(visitor.choice(initiative.title))
        visitor.press(visitor.button("Verder"))
        visitor.reads("Klopt het?")
        assert in_it(codes, kept_in(visitor)) == []

    choose(given)
    visitor.press(visitor.button("Geef mijn voucher"))
    visitor.reads("Bedankt, je voucher telt mee!")
    assert in_it(codes, kept_in(visitor)) == []

    sign_in(town, visitor, town.factory.account(name="Riet"))
    choose(kept)
    visitor.press(page.get_by_role("link", name="Bewaar je voucher in een account"))
    page.wait_for_url("**/account/vouchers**")
    visitor.press(page.locator("form[data-forget-code] button"))
    page.get_by_text("Je voucher is bewaard").wait_for()
    assert in_it(codes, kept_in(visitor)) == []
    assert town.factory.voucher(kept).state == "kept"
    town.session.commit()

    visitor.goto("/voucher/waar")
    visitor.type_code(given)
    page.keyboard.press("Enter")
    page.get_by_text(initiative.title).first.wait_for()
    assert in_it(codes, kept_in(visitor)) == []

    sign_in(town, visitor, town.factory.account(name="Bram", roles=(Role.DESK,)))
    visitor.goto("/balie")
    visitor.type_code(entered)
    page.locator("#number").press_sequentially(str(initiative.id))
    page.get_by_text(initiative.title).first.wait_for()
    page.locator("#number").press("Enter")
    page.get_by_text("Gegeven:").first.wait_for()
    assert in_it(codes, kept_in(visitor) + str(page.evaluate(ON_PAGE))) == []
    page.go_back()
    page.wait_for_load_state()
    assert in_it([entered], kept_in(visitor) + str(page.evaluate(ON_PAGE))) == []
    assert [len(town.gifts(code)) for code in codes] == [1, 0, 1]

    page.evaluate("(code) => sessionStorage.setItem('x', code.toLowerCase())", given)
    assert in_it(codes, kept_in(visitor)) == [given], "the search finds what is there"
