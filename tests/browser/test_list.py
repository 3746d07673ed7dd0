# SPDX-License-Identifier: EUPL-1.2
"""Somebody looks for something near: by words with a typing error, a district on the map, a filter, and Back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Town
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_somebody_finds_something_near_without_a_reload(town: Town, visitor: Visitor) -> None:
    town.initiative("Een picknicktafel aan het water")
    page = visitor.page
    visitor.goto("/initiatieven")
    titles = page.locator("[data-results] .abs-card__link")
    page.evaluate("window.isSamePage = true")
    visitor.check(in_the_dark=True, magnified=True)

    page.locator("#zoek").press_sequentially("pikniktafel")
    expect(titles).to_have_text(["Een picknicktafel aan het water"])
    expect(page.locator("[data-filter-status]")).to_have_text("1 initiatief")
    expect(page.locator(".abs-read-as")).to_contain_text("“picknicktafel”")
    assert page.url.endswith("?zoek=pikniktafel")
    visitor.check()

    visitor.press(page.get_by_role("link", name="Wis filters"))
    expect(titles).to_have_count(12)
    if not page.locator("#thema").is_visible():
        visitor.press(page.locator(".abs-finder__more summary"))
    page.locator("#wijk").select_option("schelfhorst")
    expect(page.locator("#buurt")).to_be_visible()
    expect(page).to_have_url(f"{town.url}/initiatieven?wijk=schelfhorst")
    page.locator("#volgorde").select_option("einde")
    expect(page).to_have_url(f"{town.url}/initiatieven?wijk=schelfhorst&volgorde=einde")
    page.go_back()
    expect(page.locator("#volgorde")).to_have_value("mix")
    expect(page.locator("#wijk")).to_have_value("schelfhorst")
    assert page.evaluate("window.isSamePage")


def test_every_pin_can_be_opened(town: Town, visitor: Visitor) -> None:
    town.initiative("Een picknicktafel aan het water")
    page = visitor.page
    visitor.goto("/initiatieven?zoek=picknicktafel")
    if visitor.has_touch:
        visitor.press(visitor.button("Toon elk initiatief op de kaart"))
    pin = page.get_by_role("button", name="Een picknicktafel aan het water")
    expect(pin).to_be_visible()
    pin.focus()
    pin.press("Enter")
    expect(page.locator(".leaflet-popup .abs-card__link")).to_be_focused()
    visitor.check(in_the_dark=True, magnified=True)


def test_the_list_and_the_map_work_without_scripts(town: Town, visit: Callable[..., Visitor]) -> None:
    town.initiative("Een picknicktafel aan het water")
    visitor = visit(has_scripts=False)
    visitor.goto("/initiatieven?zoek=pikniktafel")
    expect(visitor.page.locator("[data-results] .abs-card__link")).to_have_text(["Een picknicktafel aan het water"])

    visitor.goto("/initiatieven")
    visitor.press(visitor.page.get_by_role("link", name="Aadorp", exact=False).first)
    expect(visitor.page).to_have_url(f"{town.url}/initiatieven?wijk=aadorp#resultaten")
    expect(visitor.page.locator("#wijk")).to_have_value("aadorp")
    visitor.check()
