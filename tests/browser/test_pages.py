# SPDX-License-Identifier: EUPL-1.2
"""Every page in every state: for everyone, in light and dark, from a phone to four times magnified."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import PUBLIC_STATES, InitiativeState
from tests.browser.conftest import DESK, Town
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

PAGES = {
    "/": 200,
    "/initiatieven": 200,
    "/initiatieven?pagina=2": 200,
    "/initiatieven?status=published&wijk=schelfhorst&zoek=eten": 200,
    "/initiatieven?zoek=een-woord-dat-nergens-staat": 200,
    "/hoe-werkt-het": 200,
    "/spelregels": 200,
    "/contact": 200,
    "/voucher": 200,
    "/bestaat-niet": 404,
    "/initiatieven/999999": 404,
    "/giften/BESTAATNIET": 404,
    "/voucher/geven": 405,
    "/kapot": 500,
}


@pytest.mark.parametrize(("path", "status"), PAGES.items())
def test_a_page_is_for_everyone(visitor: Visitor, path: str, status: int) -> None:
    visitor.goto(path, status=status)

    visitor.check(in_the_dark=True, magnified=True)


@pytest.mark.parametrize("state", PUBLIC_STATES)
def test_an_initiative_in_each_state_is_for_everyone(town: Town, visitor: Visitor, state: InitiativeState) -> None:
    initiative = town.session.get_one(Initiative, town.in_state[state])

    visitor.goto(f"/initiatieven/{initiative.id}")

    visitor.reads(initiative.title)
    can_give = visitor.page.locator("#code").count() == 1
    assert can_give == (state == InitiativeState.PUBLISHED)
    visitor.check(in_the_dark=True, magnified=True)


BREAK = {
    "image-alt": "document.querySelector('main').append(new Image(9, 9))",
    "label": "document.querySelector('main').append(document.createElement('input'))",
    "empty-heading": "document.querySelector('main').append(document.createElement('h2'))",
    "'tag'": "document.querySelector('h1').style.color = '#ccc'",
    "'rule'": "document.querySelector('h1').style.color = '#000'",
    "scrolls sideways: {'needed': 3": "document.querySelector('main').style.minWidth = '3000px'",
    "scrolls sideways: {'needed': 4": "document.querySelector('main').style.minWidth = '400px'",
}


@pytest.mark.parametrize(("wrong", "break_it"), BREAK.items(), ids=BREAK)
@pytest.mark.parametrize("size", [DESK], indirect=True)
def test_a_page_that_is_broken_is_found(visitor: Visitor, wrong: str, break_it: str) -> None:
    visitor.goto("/hoe-werkt-het")
    visitor.page.evaluate(f"() => {{ {break_it} }}")

    with pytest.raises(AssertionError) as found:
        visitor.check(in_the_dark=True, magnified=True)

    assert wrong in str(found.value)


def test_the_list_is_searched_and_turned_with_the_keyboard(visitor: Visitor) -> None:
    visitor.goto("/initiatieven")
    visitor.tab_to("[rel=next]", most=80)
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url("**/initiatieven?pagina=2")
    visitor.tab_to("#zoek")
    visitor.page.keyboard.type("pluktuin")
    visitor.page.keyboard.press("Enter")

    visitor.page.wait_for_url("**zoek=pluktuin**")
    expect(visitor.page.get_by_role("link", name="Bijna een pluktuin")).to_be_visible()


def test_the_first_tab_stop_skips_to_the_content(visitor: Visitor) -> None:
    visitor.goto("/")
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.get_by_role("link", name="Ga naar de inhoud")).to_be_focused()
    visitor.sees_focus()
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")

    expect(visitor.page.locator("#code")).to_be_focused()
