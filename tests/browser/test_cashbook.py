# SPDX-License-Identifier: EUPL-1.2
"""The council and the press open the public books, on a phone and on a desktop, in the light and in the dark."""

from __future__ import annotations

import datetime as dt

from playwright.sync_api import expect

from abs_platform.ledger.queries import check
from tests.browser.conftest import PHONE, Town
from tests.browser.visitor import Visitor
from tests.cashbook.town import Money


def test_the_public_books_can_be_read_by_everyone(town: Town, visitor: Visitor, size: tuple[int, int]) -> None:
    money = Money(town.factory)
    running = town.initiative("Een moestuin met een hele lange naam voor de Ossenkoppelerhoekstraat")
    for number, name in enumerate((None, "Bakkerij Jansen en Zonen aan de Grotestraat", "Anneke")):
        at = town.factory.now - dt.timedelta(days=number * 20)
        money.give(running, 1_250 + number, name=name, is_organisation=number == 1, at=at)
    money.fee(29)
    town.session.commit()
    assert check(town.session) == []

    visitor.goto("/")
    visitor.press(visitor.page.locator(".abs-footer").get_by_role("link", name="Kasboek"))
    visitor.reads("Kasboek")
    visitor.check(in_the_dark=True, magnified=True)
    assert "Bakkerij Jansen" not in visitor.page.locator("tbody").first.inner_text()

    visitor.page.get_by_label("Soort").select_option("Geld van organisaties")
    visitor.press(visitor.button("Toon"))
    expect(visitor.page.get_by_text("Saldo", exact=True)).to_have_count(0)
    expect(visitor.page.get_by_text("Bakkerij Jansen en Zonen aan de Grotestraat").first).to_be_visible()
    visitor.press(visitor.page.locator(".book-table").get_by_role("link", name=running.title).first)

    visitor.reads(running.title)
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.page.get_by_role("link", name="Het hele kasboek"))
    visitor.press(visitor.page.locator("main").get_by_role("link", name="Waar bleef het geld?"))

    visitor.reads("Waar bleef het geld?")
    visitor.check(in_the_dark=True, magnified=True)
    is_wide = visitor.page.locator("svg.flow--wide").is_visible()
    assert is_wide == (size != PHONE)
    assert visitor.page.locator(".flow--narrow").is_visible() != is_wide
    where = ".flow--wide" if is_wide else ".flow-table"
    visitor.press(visitor.page.locator(where).get_by_role("link", name="Geld van bewoners"))
    visitor.reads("Kasboek")
    assert "soort=bewoners" in visitor.page.url

    visitor.press(visitor.page.get_by_role("link", name="Alle rekeningen"))
    visitor.reads("Alle rekeningen")
    visitor.check(in_the_dark=True, magnified=True)
    expect(visitor.page.locator("tfoot td")).to_have_text("€\u00a00,00")
