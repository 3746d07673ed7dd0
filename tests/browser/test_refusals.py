# SPDX-License-Identifier: EUPL-1.2
"""What a resident reads when it does not work: what is wrong, where, and what to do; and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Town
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

UNKNOWN_CODE = "0000-0000-0000"


def assert_refused(visitor: Visitor, message: str, field: str) -> None:
    """The summary has the focus and its link leads to the field, which says the same."""
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_contain_text(message)
    expect(alert).to_be_focused()
    assert visitor.page.title().startswith("Fout:")
    wrong = visitor.page.locator(f"#{field}")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    described = (wrong.get_attribute("aria-describedby") or "").split()
    assert any(message in visitor.page.locator(f"#{one}").inner_text() for one in described)
    visitor.check(in_the_dark=True, magnified=True)
    visitor.tab_to(f"[href='#{field}']", most=3)
    visitor.page.keyboard.press("Enter")
    expect(wrong).to_be_focused()
    visitor.sees_focus()


def test_a_typing_error_is_told_beside_the_code(town: Town, visitor: Visitor) -> None:
    code, initiative = town.code(), town.initiative("Een bankje aan het kanaal")
    mistyped = code[:-1] + ("2" if code[-1] != "2" else "3")

    visitor.goto("/voucher")
    visitor.type_code(mistyped)
    visitor.press(visitor.choice(initiative.title))
    visitor.press(visitor.button("Verder"))
    assert_refused(visitor, "Deze code klopt niet helemaal.", "code")

    expect(visitor.page.locator("#code")).to_have_value(mistyped)
    expect(visitor.choice(initiative.title).get_by_role("radio")).to_be_checked()
    visitor.page.locator("#code").fill(code)
    visitor.press(visitor.button("Verder"))
    visitor.reads("Klopt het?")


def test_a_used_code_gets_the_one_answer(town: Town, visitor: Visitor) -> None:
    code, initiative = town.code(), town.initiative("Een bankje aan het kanaal")
    assert town.factory.give(code, initiative)
    town.session.commit()

    visitor.scan(code)
    visitor.press(visitor.choice(initiative.title))
    visitor.press(visitor.button("Verder"))

    assert_refused(visitor, "Deze code kun je nu niet gebruiken.", "code")
    expect(visitor.page.locator("#code")).to_have_value(code)


def test_forgetting_to_choose_is_told_beside_the_choices(town: Town, visitor: Visitor) -> None:
    code = town.code()

    visitor.scan(code)
    visitor.press(visitor.button("Verder"))

    assert_refused(visitor, "Kies een initiatief.", "initiative_id")
    expect(visitor.page.locator("#code")).to_have_value(code)


def test_a_wrong_address_is_told_and_the_rest_stays_filled_in(town: Town, visitor: Visitor) -> None:
    code, initiative = town.code(), town.initiative("Een bankje aan het kanaal")

    visitor.goto(f"/initiatieven/{initiative.id}")
    visitor.type_code(code)
    visitor.press(visitor.button("Geef aan dit initiatief"))
    visitor.press(visitor.page.locator("summary"))
    visitor.page.get_by_label("Je naam").fill("Sjaak")
    visitor.page.get_by_label("Mail me nieuws").check()
    visitor.page.get_by_label("Je e-mailadres").fill("sjaak bij voorbeeld")
    visitor.press(visitor.button("Geef mijn voucher"))

    assert_refused(visitor, "Vul een e-mailadres in zoals naam@voorbeeld.nl", "giver_email")
    expect(visitor.page.get_by_label("Je naam")).to_have_value("Sjaak")
    expect(visitor.page.get_by_label("Mail me nieuws")).to_be_checked()
    assert town.gifts(code) == []


def test_the_eleventh_wrong_code_says_when_to_try_again(
    town: Town, visitor: Visitor, visit: Callable[..., Visitor]
) -> None:
    code, initiative = town.code(), town.initiative("Een bankje aan het kanaal")
    wrong: dict[str, str | float | bool] = {"code": UNKNOWN_CODE, "initiative_id": initiative.id}
    for _ in range(10):
        assert visitor.context.request.post(f"{town.url}/voucher", form=wrong).status == 409

    visitor.goto("/voucher")
    visitor.type_code(UNKNOWN_CODE)
    visitor.press(visitor.choice(initiative.title))
    visitor.press(visitor.button("Verder"))
    visitor.reads("Te vaak geprobeerd")

    assert "Probeer het opnieuw na " in visitor.text
    visitor.check(in_the_dark=True, magnified=True)
    neighbour = visit()
    neighbour.scan(code)
    neighbour.press(neighbour.choice(initiative.title))
    neighbour.press(neighbour.button("Verder"))
    neighbour.reads("Klopt het?")


def test_an_initiative_that_was_funded_meanwhile_asks_for_another_choice(town: Town, visitor: Visitor) -> None:
    code, initiative = town.code(), town.almost_funded("Een ladder voor de egel")
    visitor.scan(code)
    visitor.press(visitor.choice(initiative.title))
    visitor.press(visitor.button("Verder"))
    visitor.reads("Klopt het?")
    town.factory.fund(initiative)
    town.session.commit()

    visitor.press(visitor.button("Geef mijn voucher"))

    assert_refused(visitor, "Dit initiatief haalt geen geld meer op.", "initiative_id")
    expect(visitor.page.locator("#code")).to_have_value(code)
    assert town.gifts(code) == []
