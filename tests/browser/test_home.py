# SPDX-License-Identifier: EUPL-1.2
"""From the menu to what goes on near home, remembered on the device alone; and the page without a network."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Town
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_neighbour_finds_what_is_near_and_home_remembers_it(
    town: Town, visitor: Visitor, size: tuple[int, int]
) -> None:
    page = visitor.page
    visitor.goto("/")
    if size == PHONE:
        expect(page.get_by_role("navigation", name="Hoofdmenu")).to_be_hidden()
        page.get_by_role("button", name="Menu").press("Enter")
        expect(page.get_by_role("navigation", name="Hoofdmenu")).to_be_visible()
        visitor.check(in_the_dark=True)
        page.keyboard.press("Escape")
        expect(page.get_by_role("navigation", name="Hoofdmenu")).to_be_hidden()
    page.get_by_label("Je postcode").fill("0000")
    page.get_by_role("button", name="Kijk dichtbij").click()
    expect(page.get_by_role("alert")).to_contain_text("Vul vier cijfers en twee letters in")
    visitor.check(in_the_dark=True, magnified=True)
    page.get_by_text("Windmolenbroek", exact=True).click()
    page.locator("main").get_by_role("link", name="Groeneveld", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dichtbij: Groeneveld")
    page.get_by_role("button", name="Onthoud deze buurt op dit apparaat").click()
    expect(page.get_by_role("status")).to_contain_text("Onthouden.")
    visitor.check(in_the_dark=True, magnified=True)

    visitor.goto("/")
    expect(page.get_by_role("heading", name="Dichtbij: Groeneveld")).to_be_visible()
    expect(page.get_by_label("Je postcode")).to_have_count(0)
    visitor.check(in_the_dark=True, magnified=True)

    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.goto(f"{town.url}/initiatieven")
    expect(page.get_by_role("heading", level=1)).to_have_text("Je hebt geen internet")
    page.context.set_offline(False)
    kept = page.evaluate(
        "caches.keys().then((all) => caches.open(all[0])).then((one) => one.keys())"
        ".then((found) => found.map((each) => new URL(each.url).pathname))"
    )
    assert not [path for path in kept if not path.endswith(("/offline", "/stijl.css", ".svg"))]
