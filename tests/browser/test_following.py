# SPDX-License-Identifier: EUPL-1.2
"""Following in a real browser, by keyboard: asked, confirmed from the mail, changed, looked at and stopped."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete

from abs_platform.following.models import Follower
from tests.browser.conftest import Town
from tests.browser.visitor import Visitor
from tests.following.readers import link_of, mails

pytestmark = pytest.mark.browser

EMAIL = "toetsenbord@voorbeeld.example"


def test_somebody_follows_a_district_and_stops_again(town: Town, visit: Callable[..., Visitor]) -> None:
    reader = visit()
    page = reader.page
    try:
        reader.goto("/volgen?wat=gebied:windmolenbroek")
        reader.check(in_the_dark=True, magnified=True)
        reader.tab_to("#email")
        page.keyboard.type("nee")
        page.keyboard.press("Enter")
        expect(page.locator(".abs-error-summary")).to_be_visible()
        reader.check(in_the_dark=True, magnified=True)
        page.locator("#email").fill(EMAIL)
        reader.press(reader.button("Volgen"))
        reader.reads("Kijk in je mail")
        reader.check()
        town.session.rollback()
        reader.goto(link_of(mails(town.session, "follow", EMAIL)[-1], "/bevestigen/"))
        reader.check()
        reader.press(reader.button("Ja, dit wil ik volgen"))
        reader.reads("Wat je volgt")
        reader.check(in_the_dark=True, magnified=True)
        page.get_by_label("Groen").check()
        reader.press(reader.button("Bewaar mijn keuzes"))
        expect(page.get_by_role("status")).to_have_text("Je keuzes zijn bewaard.")
        expect(page.get_by_label("Groen")).to_be_checked()
        reader.press(page.get_by_role("link", name="Bekijk hoe de mail er nu uitziet"))
        reader.reads("De weekmail van nu")
        reader.check(in_the_dark=True, magnified=True)
        reader.press(page.get_by_role("link", name="Terug naar wat je volgt"))
        reader.reads("Wat je volgt")
        reader.press(page.get_by_role("link", name="Stop met alle mails", exact=True))
        reader.reads("Stoppen met de weekmail?")
        reader.check()
        reader.press(reader.button("Stop de weekmail"))
        reader.reads("Je krijgt geen mails meer")
        reader.check()
    finally:
        town.session.rollback()
        town.session.execute(delete(Follower).where(Follower.email == EMAIL))
        town.session.commit()
