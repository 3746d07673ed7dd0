# SPDX-License-Identifier: EUPL-1.2
"""The pages of words: complete in both languages, true to the rules in force, and found by who looks for an answer."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform.errors import InvalidInput
from abs_platform.rule_settings.in_force import forget_rules
from abs_platform.site_texts.content import check_text, default_text, read_text
from abs_platform.site_texts.placeholders import CONDITIONS, PLACEHOLDERS
from abs_platform.site_texts.queries import text_of
from abs_platform.site_texts.searching import found_in
from abs_platform.site_texts.states import SitePage
from tests.factories import Factory
from tests.page import Browser
from tests.site_texts.writing import set_number, write

VALUES = {name: name.upper() for name in PLACEHOLDERS}
ALL = frozenset(CONDITIONS)
LANGUAGES = {"nl": "", "en": "/en"}


@pytest.mark.parametrize("page", SitePage)
def test_a_page_of_words_is_there_in_each_language_and_all_its_links_lead_somewhere(
    page: SitePage, browser_client: Browser
) -> None:
    for language, prefix in LANGUAGES.items():
        shown = browser_client.get(f"{prefix}/{page.value}")

        assert shown.one("html").attrs["lang"] == language
        assert "{" not in shown.one("main").to_text()
        links = {str(link.attrs["href"]) for link in shown.all("main a") if str(link.attrs["href"]).startswith("/")}
        assert all(link.startswith(f"{prefix}/") for link in links)
        for link in links:
            assert browser_client.client.get(link.partition("#")[0]).status_code in {200, 302}, link


@pytest.mark.parametrize("page", SitePage)
def test_both_languages_tell_the_same(page: SitePage) -> None:
    texts = {language: default_text(page, language) or "" for language in LANGUAGES}

    for text in texts.values():
        check_text(text)
    shapes = {
        language: (
            re.findall(r"^(#+ |\d+\. |- )", text, re.MULTILINE),
            sorted(re.findall(r"\{\w+\}", text)),
            re.findall(r"\]\((/[^)]*)\)", text),
        )
        for language, text in texts.items()
    }
    assert shapes["nl"] == shapes["en"]


def test_a_page_shows_the_numbers_that_are_in_force(factory: Factory, browser_client: Browser, app: Flask) -> None:
    before = browser_client.get("/spelregels").text

    for name, value in (("answer_working_days", 7), ("max_target_cents", 750_000)):
        set_number(factory, name, value)
    with app.app_context():
        forget_rules()
    after = browser_client.get("/spelregels").text

    assert "binnen 10 werkdagen" in before
    assert "€ 5.000" in before
    assert "binnen 7 werkdagen" in after
    assert "€ 7.500" in after


def test_what_holds_only_now_and_then_is_told_only_then(factory: Factory, browser_client: Browser) -> None:
    without = browser_client.get("/veelgestelde-vragen").text
    factory.issue(factory.round())
    factory.session.commit()
    during = browser_client.get("/veelgestelde-vragen").text

    assert "Er loopt nu geen voucherronde." in without
    assert "Er loopt nu geen voucherronde." not in during
    assert "Dat kan van" in during


def test_a_heading_with_a_condition_takes_all_below_it_away() -> None:
    body = "Begin.\n\n## Geld {als_geld}\n\nWeg.\n\n### Vraag\n\nOok weg.\n\n## Daarna\n\nBlijft.\n\n{als_ronde} Nu."

    document = read_text(body, VALUES, frozenset({"als_geen_ronde"}))

    assert [part.title for part in document.parts] == ["Daarna"]
    assert "Nu." not in document.parts[0].body
    assert [part.title for part in read_text(body, VALUES, ALL).parts] == ["Geld", "Daarna"]
    assert "<p>Nu.</p>" in read_text(body, VALUES, ALL).parts[1].body


def test_two_headings_with_one_name_have_their_own_anchors_and_none_of_the_page_around_them() -> None:
    document = read_text("A\n\n## Menu\n\n### Vraag\n\nEen.\n\n### Vraag\n\nTwee.", VALUES, ALL)

    assert [document.parts[0].anchor, *(item.anchor for item in document.items)] == ["menu-2", "vraag", "vraag-2"]


@pytest.mark.parametrize("body", ["Je krijgt {bedraag}.", "Een losse { haak.", "{}"])
def test_a_text_with_a_placeholder_that_nobody_knows_is_refused(body: str) -> None:
    with pytest.raises(InvalidInput):
        check_text(body)


def test_a_question_is_found_by_its_words_without_accents_or_capitals(browser_client: Browser) -> None:
    page = browser_client.get("/veelgestelde-vragen?zoek=BRÍEF kwijt")

    found = [summary.to_text().strip() for summary in page.all("details > summary")]
    assert found[0] == "Ik heb geen brief gekregen. Of ik ben hem kwijt."
    assert len(found) < 10
    assert page.field("zoek") == "BRÍEF kwijt"


def test_a_search_without_answers_leads_on(browser_client: Browser) -> None:
    page = browser_client.get("/veelgestelde-vragen?zoek=zeppelin")

    assert "Geen vraag over “zeppelin”" in page.text
    assert page.all("details") == []
    assert "Bekijk alle vragen" in page.text


def test_a_search_for_small_words_alone_still_finds() -> None:
    document = read_text("A\n\n## B\n\n### Wat is de regel?\n\nDeze.", VALUES, ALL)

    assert [item.title for item in found_in(document, "de")] == ["Wat is de regel?"]
    assert found_in(document, " ?! ") == []


def test_a_language_in_which_nobody_wrote_shows_the_dutch_and_says_so(session: Session) -> None:
    write(session, SitePage.ABOUT, "nl", "Nieuwe tekst.")

    assert (text_of(session, SitePage.ABOUT, "tr").body, text_of(session, SitePage.ABOUT, "tr").language) == (
        "Nieuwe tekst.",
        "nl",
    )
    assert text_of(session, SitePage.ABOUT, "en").version == 0
