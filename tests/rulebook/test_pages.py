# SPDX-License-Identifier: EUPL-1.2
"""The coordinator's pages: nobody else enters, forms come back as they were typed, and the second of two is told."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.events import Event
from abs_platform.rulebook.queries import Rulebook, load_rulebook
from abs_platform.users import Role
from tests.factories import Factory
from tests.page import Browser, Page

HOME = "/beheer/regels"
NEW_ADVICE = {
    "answer": "yes", "kind": "permit", "title": "Vraag het", "explanation": "Bel ons.", "contact": "De gemeente",
    "legal_basis": "APV", "lead_days": "14", "cost_hint": "Gratis", "checklist_text": "Gevraagd",
}  # fmt: skip
ATTACK = """"><script>alert(1)</script>{{7*7}}'--"""


def token(page: Page) -> str:
    return page.field("csrf_token")


def errors(page: Page) -> set[str]:
    """The fields that the error summary links to; each is there, with its sentence."""
    links = [link.attrs["href"][1:] for link in page.all(".abs-error-summary__link")]
    for link in links:
        assert page.all(f'[id="{link}"]')
        assert page.all(f'[id="{link}-error"]')
    assert page.one("title").to_text().strip().startswith("Fout:")
    return set(links)


def test_the_list_shows_every_question_in_order(coordinator: Browser, rulebook: Rulebook) -> None:
    page = coordinator.get(HOME)

    titles = [title.to_text().strip() for title in page.all(".abs-rule-row__title")]
    assert titles == [question.text for question in rulebook.questions]


def test_without_questions_the_list_says_so(coordinator: Browser) -> None:
    assert "Er zijn nog geen vragen" in coordinator.get(HOME).text
    assert "Zo ziet een bewoner het" in coordinator.get(f"{HOME}/voorbeeld").text


def test_a_question_is_changed_and_the_change_is_in_the_log_with_who_did_it(
    session: Session, coordinator: Browser, rulebook: Rulebook
) -> None:
    path = f"{HOME}/vraag/{rulebook.questions[0].id}"
    page = coordinator.get(path)

    after = coordinator.submit(page, path, text="Is het voor iedereen?")

    assert "De vraag is opgeslagen" in after.text
    assert after.field("text") == "Is het voor iedereen?"
    event = session.scalars(select(Event).where(Event.kind == "rule_question.changed")).one()
    assert event.actor.startswith("staff:")
    assert event.details == {
        "before": {"text": rulebook.questions[0].text}, "after": {"text": "Is het voor iedereen?"},
    }  # fmt: skip


def test_a_question_and_its_advice_are_added_and_asked(session: Session, coordinator: Browser) -> None:
    page = coordinator.get(f"{HOME}/vraag/nieuw")
    page = coordinator.submit(page, f"{HOME}/vraag/nieuw", text="Komt er vuurwerk?", help="Ook sterretjes.")
    question = load_rulebook(session).questions[-1]

    path = f"{HOME}/vraag/{question.id}/advies"
    page = coordinator.get(f"{path}?antwoord=no")
    assert page.one("#answer option[selected]").attrs["value"] == "no"
    page = coordinator.post(path, NEW_ADVICE | {"csrf_token": token(page)})

    assert "Het advies staat erbij" in page.text
    session.expire_all()
    advice = load_rulebook(session).questions[-1].advices[0]
    assert {name: str(getattr(advice, name)) for name in NEW_ADVICE} == NEW_ADVICE


def test_an_advice_is_changed(session: Session, coordinator: Browser, rulebook: Rulebook) -> None:
    advice = rulebook.questions[0].advices[0]
    path = f"{HOME}/advies/{advice.id}"

    coordinator.submit(coordinator.get(path), path, answer="yes", lead_days="28", kind="permit")

    session.expire_all()
    changed = load_rulebook(session).questions[0].advices[0]
    assert (changed.lead_days, changed.kind.value, changed.version) == (28, "permit", 2)
    assert changed.explanation == advice.explanation


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"title": ""}, {"title"}),
        ({"title": "x" * 121, "explanation": " "}, {"title", "explanation"}),
        ({"lead_days": "snel"}, {"lead_days"}),
        ({"lead_days": "-1"}, {"lead_days"}),
        ({"lead_days": "731"}, {"lead_days"}),
        ({"lead_days": ""}, {"lead_days"}),
        ({"answer": "maybe", "kind": ""}, {"answer", "kind"}),
        ({"contact": "x" * 301}, {"contact"}),
        ({"explanation": "x" * 2001}, {"explanation"}),
    ],
)
def test_an_advice_that_cannot_be_comes_back_as_it_was_typed(
    session: Session, coordinator: Browser, rulebook: Rulebook, changes: dict[str, str], wrong: set[str]
) -> None:
    path = f"{HOME}/vraag/{rulebook.questions[0].id}/advies"
    sent = NEW_ADVICE | changes | {"csrf_token": token(coordinator.get(path))}

    page = coordinator.post(path, sent, status=422)

    assert errors(page) == wrong
    assert page.field("cost_hint") == "Gratis"
    session.expire_all()
    assert load_rulebook(session) == rulebook


def test_a_question_without_words_comes_back(coordinator: Browser, rulebook: Rulebook) -> None:
    path = f"{HOME}/vraag/{rulebook.questions[0].id}"

    page = coordinator.submit(coordinator.get(path), path, text=" ", status=422)

    assert errors(page) == {"text"}
    new = f"{HOME}/vraag/nieuw"
    assert errors(coordinator.submit(coordinator.get(new), new, text="x" * 201, status=422)) == {"text"}


def test_the_second_of_two_coordinators_is_told_and_keeps_what_she_typed(
    session: Session, coordinator: Browser, rulebook: Rulebook
) -> None:
    path = f"{HOME}/vraag/{rulebook.questions[0].id}"
    seen_by_both = coordinator.get(path)
    coordinator.submit(seen_by_both, path, text="Van de eerste?")

    told = coordinator.submit(seen_by_both, path, text="Van de tweede?", status=409)

    assert "Iemand anders heeft dit net ook veranderd" in told.text
    assert "Van de eerste?" in told.text
    assert told.field("text") == "Van de tweede?"
    session.expire_all()
    assert load_rulebook(session).questions[0].text == "Van de eerste?"

    coordinator.submit(told, path)
    session.expire_all()
    assert load_rulebook(session).questions[0].text == "Van de tweede?"


def test_a_typing_error_does_not_hide_that_somebody_else_was_first(
    session: Session, coordinator: Browser, rulebook: Rulebook
) -> None:
    path = f"{HOME}/advies/{rulebook.questions[0].advices[0].id}"
    seen_by_both = coordinator.get(path)
    chosen = {"answer": "yes", "kind": "tip"}
    coordinator.submit(seen_by_both, path, title="Van de eerste", **chosen)

    mistyped = coordinator.submit(seen_by_both, path, title="Van de tweede", lead_days="x", **chosen, status=422)
    told = coordinator.submit(mistyped, path, lead_days="3", **chosen, status=409)

    assert told.field("title") == "Van de tweede"
    assert "Van de eerste" in told.text
    session.expire_all()
    assert load_rulebook(session).questions[0].advices[0].title == "Van de eerste"


def test_questions_and_advices_are_moved_and_switched(
    session: Session, coordinator: Browser, rulebook: Rulebook
) -> None:
    first, second = rulebook.questions[:2]
    page = coordinator.get(HOME)
    sent = {"csrf_token": token(page), "position": "1", "richting": "omlaag"}

    coordinator.post(f"{HOME}/vraag/{first.id}/plaats", sent)
    page = coordinator.post(f"{HOME}/vraag/{first.id}/plaats", sent, status=409)
    assert "volgorde" in page.text
    switched = {"csrf_token": token(page), "version": "1", "aan": "0"}
    page = coordinator.post(f"{HOME}/vraag/{second.id}/aan-of-uit", switched)
    assert "De vraag staat uit" in page.text
    coordinator.post(f"{HOME}/vraag/{second.id}/aan-of-uit", switched, status=409)

    advice = first.advices[1]
    coordinator.post(
        f"{HOME}/advies/{advice.id}/plaats", sent | {"position": str(advice.position), "richting": "omhoog"}
    )
    page = coordinator.post(f"{HOME}/advies/{advice.id}/aan-of-uit", switched)
    assert "Het advies staat uit" in page.text
    coordinator.post(f"{HOME}/advies/{advice.id}/aan-of-uit", switched, status=409)

    session.expire_all()
    found = load_rulebook(session, with_inactive=True).questions
    assert [question.key for question in found[:2]] == [second.key, first.key]
    assert not found[0].is_active
    assert found[1].advices[0].id == advice.id
    assert not found[1].advices[0].is_active

    page = coordinator.get(HOME)
    coordinator.post(f"{HOME}/vraag/{second.id}/aan-of-uit", {"csrf_token": token(page), "version": "2", "aan": "1"})
    session.expire_all()
    assert load_rulebook(session).questions[0].key == second.key


def test_the_preview_shows_what_the_answers_lead_to_and_keeps_nothing(
    session: Session, coordinator: Browser, rulebook: Rulebook
) -> None:
    empty = coordinator.get(f"{HOME}/voorbeeld")
    page = coordinator.get(f"{HOME}/voorbeeld?road_closed=yes&music=unknown&food=onzin")

    assert not empty.all(".abs-rule-advice")
    titles = [title.to_text() for title in page.all(".abs-rule-advice__title")]
    assert "Vraag aan om de straat af te sluiten" in titles
    assert "Muziek hoort bij je melding" in titles
    assert "Reken op 8 weken" in page.text
    assert "Je hebt nog 6 vragen open" in page.text
    checked = [box.attrs["name"] for box in page.all("input[type=radio]") if "checked" in box.attrs]
    assert checked == ["road_closed", "music"]
    assert load_rulebook(session) == rulebook


def test_what_a_coordinator_types_is_shown_as_text(coordinator: Browser, rulebook: Rulebook) -> None:
    path = f"{HOME}/vraag/{rulebook.questions[0].id}"
    coordinator.submit(coordinator.get(path), path, text=ATTACK, help=f"\x00{ATTACK}\x1b")

    for where in (HOME, path, f"{HOME}/voorbeeld"):
        page = coordinator.get(where)
        assert "alert(1)" in page.html
        assert not page.all("script:not([src])")
        assert "{{7*7}}" in page.html


@pytest.mark.parametrize("path", ["vraag/1", "vraag/1/advies", "advies/1", f"vraag/{2**63}", f"advies/{2**63 - 1}"])
def test_what_is_not_there_is_not_found(coordinator: Browser, path: str) -> None:
    coordinator.get(f"{HOME}/{path}", status=404)


@pytest.mark.parametrize("action", ["vraag/{}", "vraag/{}/aan-of-uit", "vraag/{}/plaats", "vraag/{}/advies"])
@pytest.mark.parametrize("number", ["999999", str(2**63 - 1)])
def test_what_is_not_there_cannot_be_changed(coordinator: Browser, action: str, number: str) -> None:
    sent = NEW_ADVICE | {"csrf_token": token(coordinator.get(f"{HOME}/vraag/nieuw")), "text": "Iets?", "version": "1"}

    for path in (action, action.replace("vraag/{}", "advies/{}")):
        if path != "advies/{}/advies":
            coordinator.post(f"{HOME}/{path.format(number)}", sent, status=404)


@pytest.mark.parametrize("roles", [(), (Role.DISTRICT_MANAGER,), (Role.FINANCE,)])
def test_nobody_but_the_coordinator_enters(
    session: Session, factory: Factory, browser_client: Browser, rulebook: Rulebook, roles: tuple[Role, ...]
) -> None:
    browser_client.sign_in(factory.session_of(factory.account(roles=roles)))
    session.commit()
    question = rulebook.questions[0]
    pages = ("", "/voorbeeld", "/vraag/nieuw", f"/vraag/{question.id}", f"/advies/{question.advices[0].id}")

    for path in pages:
        browser_client.get(f"{HOME}{path}", status=403)
    for path in (*pages[2:], f"/vraag/{question.id}/aan-of-uit", f"/vraag/{question.id}/plaats"):
        browser_client.post(f"{HOME}{path}", {"text": "Anders?", "version": "1"}, status=403)
    assert load_rulebook(session) == rulebook
