# SPDX-License-Identifier: EUPL-1.2
"""The text of the letter: versions that never change, nobody's words lost, and only an approved one goes out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.events import Event
from abs_platform.letters import desk_queries, writing
from abs_platform.letters.content import LetterContent, default_content
from abs_platform.letters.models import LetterText
from abs_platform.letters.queries import approved_text_id
from abs_platform.letters.schemas import load_text
from abs_platform.municipality import Municipality
from tests.factories import TEST_ACTOR, Factory
from tests.people import People

WRITE = "/beheer/brief/schrijven"


@pytest.fixture
def content(session: Session) -> LetterContent:
    return default_content(Municipality.load("almelo"))


def save(factory: Factory, content: LetterContent, seen: int, note: str = "") -> LetterText:
    return writing.save_text(
        factory.session, content, seen_version=seen, note=note, account_id=None, actor=TEST_ACTOR, now=factory.now
    )


def approve(factory: Factory, text: LetterText) -> None:
    account = factory.account(name="Coen")
    writing.approve(factory.session, text.id, account_id=account.id, actor=TEST_ACTOR, now=factory.now)


def test_every_save_is_a_version_and_what_was_stays(factory: Factory, content: LetterContent) -> None:
    first = save(factory, content, 0)
    second = save(factory, replace(content, title="Een andere kop"), 1, "kop")
    again = save(factory, replace(content, title="Een andere kop"), 2)

    assert (first.version, second.version, again.id) == (1, 2, second.id)
    assert first.content == content.dump()
    assert [row.note for row in desk_queries.versions(factory.session)] == ["kop", ""]
    kinds = factory.session.scalars(select(Event.kind).where(Event.subject == "letter_text")).all()
    assert kinds == ["letter_text.saved", "letter_text.saved"]


def test_who_saves_on_top_of_a_newer_version_is_told(factory: Factory, content: LetterContent) -> None:
    save(factory, content, 0)

    with pytest.raises(writing.NewerVersion):
        save(factory, replace(content, title="Mijn kop"), 0)

    assert len(desk_queries.versions(factory.session)) == 1


def test_an_approved_version_is_the_one_for_new_rounds(factory: Factory, content: LetterContent) -> None:
    first = save(factory, content, 0)
    second = save(factory, replace(content, title="Nieuwe kop"), 1)
    assert approved_text_id(factory.session) is None

    approve(factory, first)
    assert approved_text_id(factory.session) == first.id
    approve(factory, second)

    assert approved_text_id(factory.session) == second.id
    with pytest.raises(Conflict):
        approve(factory, second)


def test_an_old_version_cannot_be_approved_behind_a_newer_one(factory: Factory, content: LetterContent) -> None:
    first = save(factory, content, 0)
    approve(factory, save(factory, replace(content, title="Nieuwe kop"), 1))

    with pytest.raises(Conflict):
        approve(factory, first)
    with pytest.raises(NotFound):
        writing.approve(factory.session, 999_999, account_id=1, actor=TEST_ACTOR, now=factory.now)


def test_a_wrong_placeholder_an_empty_field_and_a_long_note_are_all_told(content: LetterContent) -> None:
    typed = content.dump() | {"title": "", "body": "Je krijgt {bedragje}.", "note": "x" * 500}

    with pytest.raises(InvalidInput) as refused:
        load_text(typed)

    assert {"title", "note"} <= set(refused.value.fields)
    with pytest.raises(InvalidInput) as unknown:
        load_text(content.dump() | {"body": "Je krijgt {bedragje}."})
    assert "bedragje" in unknown.value.fields["body"]


def test_changes_are_shown_by_part_of_the_letter(content: LetterContent) -> None:
    changed = desk_queries.changes_between(content, replace(content, title="Een heel andere kop", closing="Groeten,"))

    assert [change.label for change in changed] == ["Kop", "Afsluiting"]
    assert any(piece.op == "in" and "Groeten," in piece.text for piece in changed[1].pieces)


def test_the_coordinator_writes_two_versions_and_sees_what_differs(app: Flask, factory: Factory) -> None:
    browser = People(app, factory).coordinator()

    begin = browser.get(WRITE)
    first = browser.submit(begin, WRITE, doe="opslaan", note="Eerste")
    browser.submit(browser.get(WRITE), WRITE, doe="opslaan", title="Kies een plan voor {bedrag}")
    page = browser.get("/beheer/brief")
    newest = desk_queries.versions(factory.session)[0]
    shown = browser.get(f"/beheer/brief/{newest.id}")

    assert "Dit is een voorstel" in begin.text
    assert "Versie 1 is opgeslagen" in first.text
    assert "Er is nog geen goedgekeurde brief" in page.text
    assert "Wat er anders is dan in versie 1" in shown.text
    assert "Kies een plan" in " ".join(element.to_text() for element in shown.all("ins"))
    arabic = begin.one('[name="language_ar"]').attrs
    assert (arabic["lang"], arabic["dir"]) == ("ar", "rtl")


def test_two_who_write_at_once_lose_nothing(app: Flask, session: Session, factory: Factory) -> None:
    browser = People(app, factory).coordinator()
    browser.submit(browser.get(WRITE), WRITE, doe="opslaan")
    opened = browser.get(WRITE)
    browser.submit(opened, WRITE, doe="opslaan", title="Kop van mijn collega")

    late = browser.submit(opened, WRITE, status=409, doe="opslaan", title="Kop van mij")
    browser.submit(late, WRITE, doe="opslaan")

    assert "Een collega bewaarde intussen versie 2" in late.text
    assert "mijn collega" in " ".join(element.to_text() for element in late.all("del"))
    assert late.field("title") == "Kop van mij"
    titles = [row.content.title for row in desk_queries.versions(session)]
    assert titles[:2] == ["Kop van mij", "Kop van mijn collega"]
