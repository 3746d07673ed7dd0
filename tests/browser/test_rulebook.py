# SPDX-License-Identifier: EUPL-1.2
"""The coordinator edits the rules check in a real browser: by keyboard, on a phone, and when a colleague was first."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import expect

from abs_platform import clock
from abs_platform.municipality import Municipality
from abs_platform.rulebook.loading import load_file
from abs_platform.rulebook.queries import Question, load_rulebook
from abs_platform.security import SEEN_AT
from abs_platform.users import Role
from tests.browser.conftest import Town
from tests.browser.visitor import Visitor
from tests.factories import SECRET_KEY, TEST_ACTOR

pytestmark = pytest.mark.browser


@pytest.fixture
def questions(town: Town) -> tuple[Question, ...]:
    """The municipality's own rules, as they are at the beginning of each test."""
    municipality = Municipality.load("almelo")
    load_file(town.session, municipality.rulebook_toml, municipality, replace=True, actor=TEST_ACTOR, now=clock.now())
    town.session.commit()
    return load_rulebook(town.session).questions


@pytest.fixture
def coordinator(town: Town, visitor: Visitor) -> Visitor:
    """A coordinator who has signed in, with her second factor."""
    town.factory.now = clock.now()
    token = town.factory.session_of(town.factory.account(roles=(Role.COORDINATOR,)))
    town.session.commit()
    app = Flask("cookie")
    app.secret_key = SECRET_KEY
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    value = serializer.dumps({"_user_id": token, "_fresh": True, SEEN_AT: int(clock.now().timestamp())})
    visitor.context.add_cookies([{"name": "session", "value": value, "url": town.url}])
    return visitor


def test_every_page_of_the_rules_is_for_everyone(coordinator: Visitor, questions: tuple[Question, ...]) -> None:
    question = questions[6]
    pages = ["", "/voorbeeld", "/vraag/nieuw", f"/vraag/{question.id}", f"/vraag/{question.id}/advies"]
    pages += [f"/advies/{question.advices[0].id}"]
    pages += ["/voorbeeld?" + "&".join(f"{question.key}=yes" for question in questions)]

    for path in pages:
        coordinator.goto(f"/beheer/regels{path}")
        coordinator.check(in_the_dark=True, magnified=True)


def test_a_question_is_changed_moved_and_switched_off(coordinator: Visitor, questions: tuple[Question, ...]) -> None:
    first = questions[0]
    coordinator.goto("/beheer/regels")

    coordinator.press(coordinator.page.get_by_role("button", name=f"Omlaag : {first.text}"))
    coordinator.page.wait_for_url(f"**#vraag-{first.id}")
    expect(coordinator.page.locator(".abs-rule-row__title").nth(1)).to_have_text(first.text)
    coordinator.press(coordinator.page.get_by_role("link", name=first.text, exact=True))
    coordinator.reads("Vraag aanpassen")
    coordinator.page.locator("#text").fill("Is het voor de hele buurt?")
    coordinator.press(coordinator.button("Sla op"))
    expect(coordinator.page.get_by_text("De vraag is opgeslagen.")).to_be_visible()
    coordinator.check()
    coordinator.goto("/beheer/regels")
    coordinator.press(coordinator.page.get_by_role("button", name="Zet uit : Is het voor de hele buurt?"))

    expect(coordinator.page.get_by_text("Staat uit.", exact=True)).to_be_visible()
    coordinator.goto("/beheer/regels/voorbeeld")
    expect(coordinator.page.get_by_text("Is het voor de hele buurt?")).to_have_count(0)


def test_who_is_second_is_told_and_can_still_save(coordinator: Visitor, questions: tuple[Question, ...]) -> None:
    path = f"/beheer/regels/advies/{questions[0].advices[0].id}"
    coordinator.goto(path)
    colleague = coordinator.context.new_page()
    colleague.goto(coordinator.url + path)
    colleague.locator("#title").fill("Van mijn collega")
    colleague.get_by_role("button", name="Sla op").click()
    colleague.wait_for_url("**/beheer/regels/vraag/**")
    colleague.close()

    coordinator.page.locator("#title").fill("Van mij")
    coordinator.press(coordinator.button("Sla op"))

    expect(coordinator.page.get_by_text("Iemand anders heeft dit net ook veranderd")).to_be_visible()
    expect(coordinator.page.get_by_text("Van mijn collega")).to_be_visible()
    expect(coordinator.page.locator("#title")).to_have_value("Van mij")
    coordinator.check(in_the_dark=True, magnified=True)
    coordinator.press(coordinator.button("Sla op"))
    expect(coordinator.page.get_by_role("link", name="Van mij", exact=True)).to_be_visible()


def test_the_preview_is_answered_with_the_keyboard(coordinator: Visitor, questions: tuple[Question, ...]) -> None:
    road = next(question for question in questions if question.key == "road_closed")
    coordinator.goto("/beheer/regels/voorbeeld")
    coordinator.tab_to(f"[name={road.key}]")
    coordinator.page.keyboard.press("Space")
    coordinator.page.keyboard.press("Enter")

    expect(coordinator.page.get_by_text("Reken op 8 weken.")).to_be_visible()
    expect(coordinator.page.locator(f"[name={road.key}][value=yes]")).to_be_checked()
