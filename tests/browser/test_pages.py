# SPDX-License-Identifier: EUPL-1.2
"""What is wrong with a page is found; and the list and the first Tab stop with the keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

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


LOSE = {
    "no ring: <button": "const one = document.querySelector('main button');"
    "one.addEventListener('focus', () => { for (const name of ['outline', 'box-shadow'])"
    "one.style.setProperty(name, 'none', 'important'); })",
    "out of sight: <a": "const bar = document.createElement('div'); document.body.append(bar);"
    "bar.style.cssText = 'position: fixed; inset: 0; z-index: 99; background: white'",
}


@pytest.mark.parametrize(("wrong", "break_it"), LOSE.items(), ids=LOSE)
@pytest.mark.parametrize("size", [PHONE], indirect=True)
def test_a_focus_that_cannot_be_seen_is_found(visitor: Visitor, wrong: str, break_it: str) -> None:
    visitor.goto("/dichtbij")
    visitor.page.evaluate(f"() => {{ {break_it} }}")

    with pytest.raises(AssertionError) as found:
        visitor.shows_the_focus()

    assert wrong in str(found.value)


@pytest.mark.parametrize("size", [PHONE], indirect=True)
def test_what_is_wrong_in_another_language_or_mirrored_is_found(visitor: Visitor) -> None:
    visitor.goto("/ar/dichtbij")
    visitor.page.evaluate("document.documentElement.lang = ''; document.querySelector('main button').textContent = ''")
    with pytest.raises(AssertionError, match="button-name"):
        visitor.speaks()
    visitor.page.evaluate(
        "() => { for (const at of [0, 9]) { const one = document.createElement('button'); one.textContent = 'x';"
        "one.style.cssText = `position: absolute; inset-inline-start: ${at}px; width: 9px; height: 9px; padding: 0`;"
        "document.querySelector('main').append(one); } }"
    )
    with pytest.raises(AssertionError, match="target-size"):
        visitor.holds_mirrored()


def test_the_list_is_searched_and_turned_with_the_keyboard(visitor: Visitor) -> None:
    visitor.goto("/initiatieven")
    visitor.tab_to("[rel=next]", most=80)
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url("**/initiatieven?pagina=2")
    expect(visitor.page.locator("[data-results]")).to_be_focused()
    visitor.tab_to("#zoek", key="Shift+Tab")
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
