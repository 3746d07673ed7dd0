# SPDX-License-Identifier: EUPL-1.2
"""An activity from plan to visitor, in a real browser: on the agenda, in a calendar, passed on, and called off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from abs_platform import clock
from tests.browser.conftest import Town
from tests.browser.test_after_publishing import sign_in
from tests.browser.visitor import Visitor
from tests.people import People

pytestmark = pytest.mark.browser


def test_an_activity_is_planned_found_passed_on_and_called_off(
    town: Town, visitor: Visitor, visit: Callable[..., Visitor]
) -> None:
    initiative = town.factory.initiative(title="Bomen voor het activiteitenplein")
    with town.app.app_context():
        anna = sign_in(town, visit(), People(town.app, town.factory).organiser_account(initiative))

    plan(anna, initiative.id)

    visitor.goto(f"/initiatieven/{initiative.id}")
    expect(visitor.page.locator(".agenda-list")).to_contain_text("Plantdag")
    with visitor.page.expect_download() as calendar:
        visitor.page.get_by_role("link", name="Zet in je agenda").click()
    assert "SUMMARY:Plantdag" in calendar.value.path().read_text("utf-8")
    visitor.check(in_the_dark=True, magnified=True)
    pass_it_on(visitor, f"/initiatieven/{initiative.id}")
    give_from_below(visitor)

    call_off(anna, initiative.id)
    visitor.page.reload()
    expect(visitor.page.locator(".agenda-list")).to_contain_text("Gaat niet door")
    visitor.check()


def plan(anna: Visitor, initiative_id: int) -> None:
    anna.goto(f"/account/initiatieven/{initiative_id}")
    anna.press(anna.page.get_by_role("link", name="Activiteiten"))
    anna.press(anna.page.get_by_role("link", name="Zet een activiteit op de agenda"))
    anna.reads("Nieuwe activiteit")
    anna.check(in_the_dark=True, magnified=True)
    anna.page.get_by_label("Wat gaan jullie doen?").fill("Plantdag")
    anna.page.get_by_label("Datum").fill((clock.today() + dt.timedelta(days=12)).isoformat())
    anna.page.get_by_label("Begint om").fill("14:00")
    anna.page.get_by_label("Eindigt om").fill("16:00")
    anna.page.get_by_label("Waar?").fill("Noorderplein")
    anna.press(anna.button("Zet op de agenda"))
    expect(anna.page.get_by_role("status")).to_contain_text("Je activiteit staat op de agenda.")
    anna.check(in_the_dark=True, magnified=True)


def call_off(anna: Visitor, initiative_id: int) -> None:
    anna.goto(f"/account/initiatieven/{initiative_id}/activiteiten")
    anna.press(anna.page.get_by_role("link", name="Zeg af"))
    anna.reads("Gaat het niet door?")
    anna.check()
    anna.page.get_by_label("Waarom gaat het niet door?").fill("Het regent te hard.")
    anna.press(anna.button("Zeg de activiteit af"))
    expect(anna.page.locator(".agenda-list")).to_contain_text("Het regent te hard.")


def pass_it_on(visitor: Visitor, path: str) -> None:
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=visitor.url)
    visitor.page.get_by_role("button", name="Kopieer de link").click()
    expect(visitor.page.get_by_text("De link is gekopieerd.")).to_be_visible()
    assert visitor.page.evaluate("navigator.clipboard.readText()").endswith(path)


def give_from_below(visitor: Visitor) -> None:
    """On a phone the way to the box comes along; on a desk the box itself does."""
    visitor.page.locator("#share-title").scroll_into_view_if_needed()
    come_along = visitor.page.locator(".ini-bar a")
    if visitor.has_touch:
        expect(come_along).to_be_in_viewport()
        come_along.click()
    else:
        expect(come_along).to_be_hidden()
    expect(visitor.page.get_by_label("Je vouchercode")).to_be_in_viewport()
