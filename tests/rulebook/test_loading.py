# SPDX-License-Identifier: EUPL-1.2
"""The file of a municipality: all of it or nothing, its errors by question and advice, and no edit lost by accident."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.events import Event
from abs_platform.rulebook import service
from abs_platform.rulebook.loading import LoadReport, load_file
from abs_platform.rulebook.queries import Rulebook, load_rulebook
from abs_platform.rulebook.states import AdviceKind, Answer
from tests.factories import TEST_ACTOR

QUESTION = '[[questions]]\nkey = "fire"\ntext = "Komt er vuur?"\n'
ADVICE = '[[questions.advices]]\nanswer = "yes"\nkind = "permit"\ntitle = "Vraag het"\nexplanation = "Bel {naam}."\n'


def load(app: Flask, session: Session, path: Path, *, replace: bool = False) -> LoadReport:
    town = app.extensions["settings"].municipality
    return load_file(session, path, town, replace=replace, actor=TEST_ACTOR, now=clock.now())


def written(folder: Path, content: str) -> Path:
    path = folder / "regels.toml"
    path.write_text(content, encoding="utf-8")
    return path


Loader = Callable[[str], LoadReport]


@pytest.fixture
def loader(app: Flask, session: Session, tmp_path: Path) -> Loader:
    """Loads a file with this content over what is there."""
    return lambda content: load(app, session, written(tmp_path, content), replace=True)


class TestTheMunicipalitysOwn:
    """What Almelo begins with."""

    def test_it_holds_eight_questions_and_advice_for_each(self, rulebook: Rulebook) -> None:
        assert [question.key for question in rulebook.questions] == [
            "open_to_all", "public_space", "road_closed", "music", "food", "alcohol", "stays", "extra_safety",
        ]  # fmt: skip
        for question in rulebook.questions:
            assert question.help
            assert question.advices_for(Answer.YES), question.key
            assert question.advices_for(Answer.UNKNOWN), question.key

    def test_who_does_not_know_yet_reckons_with_the_longest_wait(self, rulebook: Rulebook) -> None:
        for question in rulebook.questions:
            longest = {
                answer: max((advice.lead_days for advice in question.advices_for(answer)), default=0)
                for answer in Answer
            }
            assert longest[Answer.UNKNOWN] >= max(longest.values()), question.key

    def test_each_advice_that_asks_something_is_on_the_checklist_and_says_whom_to_call(
        self, rulebook: Rulebook
    ) -> None:
        for question in rulebook.questions:
            for advice in question.advices:
                if advice.kind != AdviceKind.TIP:
                    assert advice.checklist_text, advice.title
                    assert advice.contact, advice.title

    def test_it_speaks_plainly(self, rulebook: Rulebook) -> None:
        texts = [question.text for question in rulebook.questions]
        texts += [question.help for question in rulebook.questions]
        texts += [advice.explanation for question in rulebook.questions for advice in question.advices]
        sentences = [sentence for text in texts for sentence in re.split(r"(?<=[.?!])\s+", text) if sentence]
        lengths = [len(sentence.split()) for sentence in sentences]

        assert sum(lengths) / len(lengths) <= 12
        assert max(lengths) <= 20
        assert not [text for text in texts if re.search(r"\b(u|uw|dient|middels|derhalve)\b", text, re.IGNORECASE)]

    def test_no_telephone_number_is_made_up(self, app: Flask, rulebook: Rulebook) -> None:
        phone = app.extensions["settings"].municipality.contact_phone
        contacts = " ".join(advice.contact for question in rulebook.questions for advice in question.advices)
        contacts = contacts.replace("\u00a0", " ")

        assert phone in contacts
        assert not re.search(r"\d{2,}", contacts.replace(phone, ""))


def test_the_names_of_the_town_stand_in_their_places(app: Flask, session: Session, tmp_path: Path) -> None:
    report = load(app, session, written(tmp_path, QUESTION + ADVICE))

    assert report == LoadReport(questions=1, advices=1)
    assert load_rulebook(session).questions[0].advices[0].explanation == "Bel Almelo."


def test_what_is_there_is_not_replaced_by_accident(
    app: Flask, session: Session, rulebook: Rulebook, tmp_path: Path
) -> None:
    with pytest.raises(Conflict, match="--replace"):
        load(app, session, written(tmp_path, QUESTION))

    assert load_rulebook(session) == rulebook


def test_replacing_keeps_what_was_there_in_the_event_log(
    app: Flask, session: Session, rulebook: Rulebook, tmp_path: Path
) -> None:
    first = rulebook.questions[0]
    service.change_question(
        session, first.id, service.QuestionInput(text="Van mij?"), version=1, actor=TEST_ACTOR, now=clock.now()
    )

    load(app, session, written(tmp_path, QUESTION), replace=True)

    assert [question.key for question in load_rulebook(session, with_inactive=True).questions] == ["fire"]
    details = session.scalars(select(Event.details).where(Event.kind == "rulebook.loaded").order_by(Event.id)).all()[-1]
    assert details is not None
    assert details["before"][0]["text"] == "Van mij?"
    assert len(details["before"]) == len(rulebook.questions)
    assert details["before"][0]["advices"][0]["title"] == first.advices[0].title


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", r"\[\[questions\]\]"),
        ("questions = 3", r"\[\[questions\]\]"),
        ("[[questions]", "geen TOML"),
        (QUESTION + "[rules]\nx = 1", r"\[\[questions\]\]"),
        ('[[questions]]\ntext = "Vuur?"', "vraag 1: key"),
        ('[[questions]]\nkey = "Vuur!"\ntext = "Vuur?"', "vraag 1: key"),
        ('[[questions]]\nkey = "fire"', "vraag 1, text: Vul dit in"),
        ('[[questions]]\nkey = "fire"\ntext = 7', "vraag 1, text: Vul dit in"),
        (QUESTION + "colour = 1", "vraag 1: onbekend veld colour"),
        (QUESTION + QUESTION, "vraag 2: key 'fire' komt twee keer voor"),
        (QUESTION + "advices = 3", r"vraag 1: adviezen"),
        (QUESTION + ADVICE.replace("yes", "maybe"), r"vraag 1 \(fire\), advies 1, answer"),
        (QUESTION + ADVICE.replace("permit", "verdict"), r"vraag 1 \(fire\), advies 1, kind"),
        (QUESTION + ADVICE + ADVICE.replace("Vraag het", ""), r"vraag 1 \(fire\), advies 2, title"),
        (QUESTION + ADVICE + "lead_days = 731", r"vraag 1 \(fire\), advies 1, lead_days"),
        (QUESTION + ADVICE + 'lead_days = "snel"', r"vraag 1 \(fire\), advies 1, lead_days"),
        (QUESTION + ADVICE + "leaddays = 1", r"vraag 1 \(fire\), advies 1: onbekend veld leaddays"),
        (QUESTION + ADVICE.replace("{naam}", "{burgemeester}"), r"\{burgemeester\} kennen we niet"),
    ],
)
def test_a_file_with_an_error_is_refused_whole_and_says_where(
    session: Session, loader: Loader, rulebook: Rulebook, content: str, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        loader(content)

    assert load_rulebook(session) == rulebook


def test_a_file_that_cannot_be_read_is_named(app: Flask, session: Session, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"weg\.toml"):
        load(app, session, tmp_path / "weg.toml")
    (tmp_path / "latin.toml").write_bytes("# caf\u00e9".encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"latin\.toml"):
        load(app, session, tmp_path / "latin.toml")
