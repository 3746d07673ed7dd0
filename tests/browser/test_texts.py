# SPDX-License-Identifier: EUPL-1.2
"""The pages of words in a real browser: a question found with the keyboard, and a text written by the coordinator."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete

from abs_platform.site_texts.models import SiteTextVersion
from abs_platform.users import Role
from tests.browser.conftest import Town
from tests.browser.test_after_publishing import sign_in
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_question_is_found_while_typing_and_a_text_is_written_seen_and_put_back(
    town: Town, visit: Callable[..., Visitor]
) -> None:
    try:
        find_a_question(visit())
        write_a_text(sign_in(town, visit(), town.factory.account(name="Carla", roles=(Role.COORDINATOR,))))
    finally:
        town.session.rollback()
        town.session.execute(delete(SiteTextVersion))
        town.session.commit()


def find_a_question(reader: Visitor) -> None:
    page, questions = reader.page, reader.page.locator(".txt-question:visible")
    reader.goto("/veelgestelde-vragen")
    reader.check(in_the_dark=True, magnified=True)
    reader.tab_to("#zoek")
    page.keyboard.type("kwijt")
    expect(questions).to_have_count(1)
    expect(page.locator("[data-questions-count]")).to_have_text("1 vraag gevonden.")
    page.keyboard.type("raket")
    expect(questions).to_have_count(0)
    expect(page.locator("[data-questions-count]")).to_have_text("Geen vraag gevonden.")
    page.keyboard.press("Enter")
    page.wait_for_url("**zoek=kwijtraket")
    reader.check(magnified=True)
    reader.goto("/veelgestelde-vragen#mag-ik-mijn-voucher-verdelen")
    expect(page.get_by_text("Nee, je geeft je hele voucher")).to_be_visible()


def write_a_text(carla: Visitor) -> None:
    page = carla.page
    carla.goto("/beheer/teksten")
    carla.check(in_the_dark=True, magnified=True)
    carla.press(page.get_by_role("link", name="Cookies in het Nederlands", exact=True))
    page.locator("#body").fill("Nooit een cookie.\n\n## Echt niet\n\nEen voucher is {bedrag}.")
    carla.press(carla.button("Bekijk een voorbeeld"))
    expect(page.locator("#voorbeeld")).to_contain_text("Een voucher is €\u00a07,50.")
    carla.check(in_the_dark=True, magnified=True)
    carla.press(carla.button("Zet op de site"))
    expect(page.get_by_role("status").first).to_contain_text("De nieuwe tekst staat op de site.")
    carla.check(magnified=True)
    carla.press(page.get_by_role("link", name="De tekst van het platform", exact=True))
    carla.reads("De tekst van het platform")
    carla.check(in_the_dark=True, magnified=True)
    carla.press(carla.button("Zet deze tekst terug"))
    expect(page.get_by_role("status").first).to_contain_text("Deze tekst staat weer op de site.")
