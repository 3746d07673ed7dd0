# SPDX-License-Identifier: EUPL-1.2
"""Editing the rules: every change is in the event log with what was and what is, and an old version is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.errors import Conflict, NotFound
from abs_platform.events import Event
from abs_platform.rulebook import service
from abs_platform.rulebook.loading import load_file
from abs_platform.rulebook.models import RuleQuestion
from abs_platform.rulebook.queries import Rulebook, load_rulebook
from abs_platform.rulebook.service import AdviceInput, QuestionInput
from abs_platform.rulebook.states import AdviceKind, Answer
from tests.concurrency.racing import at_once, committed, meanwhile, wait_until_blocked
from tests.factories import TEST_ACTOR

ADVICE = AdviceInput(answer=Answer.YES, kind=AdviceKind.TIP, title="Een tip", explanation="Zo doe je dat.", lead_days=7)


def who() -> dict[str, Any]:
    return {"actor": TEST_ACTOR, "now": clock.now()}


def events_of(session: Session, kind: str) -> list[dict[str, Any]]:
    return [
        found.details or {} for found in session.scalars(select(Event).where(Event.kind == kind).order_by(Event.id))
    ]


def texts(session: Session) -> list[str]:
    return [question.text for question in load_rulebook(session, with_inactive=True).questions]


def test_a_new_question_comes_last_and_is_named_after_its_words(session: Session, rulebook: Rulebook) -> None:
    added = service.add_question(session, QuestionInput(text="Komt er vuurwerk?", help="Ook sterretjes."), **who())

    assert added.key == "vraag_komt_er_vuurwerk"
    assert load_rulebook(session).questions[-1].text == "Komt er vuurwerk?"
    assert len(load_rulebook(session).questions) == len(rulebook.questions) + 1
    assert events_of(session, "rule_question.added")[-1] == {
        "key": "vraag_komt_er_vuurwerk",
        "after": {"text": "Komt er vuurwerk?", "help": "Ook sterretjes."},
    }


@pytest.mark.parametrize(
    ("words", "key"), [("12 mensen?", "vraag_12_mensen"), ("???", "vraag"), ("🔥", "vraag"), ("Één!", "vraag_een")]
)
def test_a_question_gets_a_key_whatever_its_words(session: Session, words: str, key: str) -> None:
    first = service.add_question(session, QuestionInput(text=words), **who())
    second = service.add_question(session, QuestionInput(text=words), **who())

    assert (first.key, second.key) == (key, f"{key}_2")


def test_a_changed_question_keeps_its_key_and_its_change_is_in_the_log(session: Session, rulebook: Rulebook) -> None:
    question = rulebook.questions[0]

    new = QuestionInput(text="Is het voor iedereen?", help=question.help)
    changed = service.change_question(session, question.id, new, version=1, **who())

    assert (changed.key, changed.version) == (question.key, 2)
    assert events_of(session, "rule_question.changed") == [
        {"before": {"text": question.text}, "after": {"text": "Is het voor iedereen?"}}
    ]


def test_saving_what_is_there_already_changes_nothing(session: Session, rulebook: Rulebook) -> None:
    question = rulebook.questions[0]

    service.change_question(
        session, question.id, QuestionInput(text=question.text, help=question.help), version=1, **who()
    )

    assert events_of(session, "rule_question.changed") == []
    assert load_rulebook(session) == rulebook


def test_an_advice_is_added_changed_and_switched_off_with_a_trace(session: Session, rulebook: Rulebook) -> None:
    question = rulebook.questions[0]

    added = service.add_advice(session, question.id, ADVICE, **who())
    assert load_rulebook(session).questions[0].advices[-1].title == "Een tip"

    changed = AdviceInput(
        answer=Answer.NO, kind=AdviceKind.PERMIT, title="Een tip", explanation="Zo doe je dat.", lead_days=56
    )
    service.change_advice(session, added.id, changed, version=1, **who())
    service.switch_advice(session, added.id, is_active=False, version=2, **who())

    assert events_of(session, "rule_advice.added")[-1]["after"]["lead_days"] == 7
    assert events_of(session, "rule_advice.changed") == [
        {
            "before": {"answer": "yes", "kind": "tip", "lead_days": 7},
            "after": {"answer": "no", "kind": "permit", "lead_days": 56},
        }
    ]
    assert events_of(session, "rule_advice.switched") == [
        {"before": {"is_active": True}, "after": {"is_active": False}}
    ]
    assert load_rulebook(session).questions[0] == question


def test_a_question_moves_by_one_and_stops_at_the_ends(session: Session, rulebook: Rulebook) -> None:
    first, second, third = (question.text for question in rulebook.questions[:3])
    last = rulebook.questions[-1]

    service.move_question(session, rulebook.questions[0].id, "down", seen_position=1, **who())
    assert texts(session)[:3] == [second, first, third]

    service.move_question(session, rulebook.questions[0].id, "up", seen_position=2, **who())
    service.move_question(session, rulebook.questions[0].id, "up", seen_position=1, **who())
    service.move_question(session, last.id, "down", seen_position=last.position, **who())

    assert texts(session) == [question.text for question in rulebook.questions]
    assert events_of(session, "rule_question.moved") == [
        {"before": {"position": 1}, "after": {"position": 2}},
        {"before": {"position": 2}, "after": {"position": 1}},
    ]


def test_an_advice_moves_among_those_of_its_answer_only(session: Session, rulebook: Rulebook) -> None:
    question = next(question for question in rulebook.questions if len(question.advices_for(Answer.YES)) > 1)
    first, second, *rest = question.advices_for(Answer.YES)

    service.move_advice(session, second.id, "up", seen_position=second.position, **who())

    after = next(found for found in load_rulebook(session).questions if found.key == question.key)
    assert [found.id for found in after.advices_for(Answer.YES)] == [
        second.id,
        first.id,
        *(advice.id for advice in rest),
    ]
    for answer in (Answer.NO, Answer.UNKNOWN):
        assert [found.id for found in after.advices_for(answer)] == [found.id for found in question.advices_for(answer)]


def test_who_saw_another_order_is_told_and_nothing_moves(session: Session, rulebook: Rulebook) -> None:
    with pytest.raises(Conflict):
        service.move_question(session, rulebook.questions[0].id, "down", seen_position=4, **who())

    assert texts(session) == [question.text for question in rulebook.questions]


VERBS: list[Callable[[Session, int, int], object]] = [
    lambda session, id_, version: service.change_question(
        session, id_, QuestionInput(text="Anders?"), version=version, **who()
    ),
    lambda session, id_, version: service.switch_question(session, id_, is_active=False, version=version, **who()),
    lambda session, id_, version: service.change_advice(session, id_, ADVICE, version=version, **who()),
    lambda session, id_, version: service.switch_advice(session, id_, is_active=False, version=version, **who()),
]

VERB_NAMES = ["change question", "switch question", "change advice", "switch advice"]


@pytest.mark.parametrize("verb", VERBS, ids=VERB_NAMES)
def test_an_old_version_is_refused(
    session: Session, rulebook: Rulebook, verb: Callable[[Session, int, int], object]
) -> None:
    is_advice = VERBS.index(verb) > 1
    row_id = rulebook.questions[0].advices[0].id if is_advice else rulebook.questions[0].id

    with pytest.raises(Conflict, match="Iemand anders"):
        verb(session, row_id, 7)

    assert load_rulebook(session) == rulebook


@pytest.mark.parametrize("verb", VERBS, ids=VERB_NAMES)
def test_what_is_not_there_cannot_be_changed(session: Session, verb: Callable[[Session, int, int], object]) -> None:
    with pytest.raises(NotFound):
        verb(session, 999_999_999, 1)


def test_nothing_can_be_added_to_or_moved_in_what_is_not_there(session: Session) -> None:
    with pytest.raises(NotFound):
        service.add_advice(session, 999_999_999, ADVICE, **who())
    with pytest.raises(NotFound):
        service.move_question(session, 999_999_999, "up", seen_position=1, **who())
    with pytest.raises(NotFound):
        service.move_advice(session, 999_999_999, "up", seen_position=1, **who())


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE rule_questions SET key = 'Niet Goed'", "key_form"),
        ("UPDATE rule_questions SET text = ''", "text_length"),
        ("UPDATE rule_advices SET answer = 'maybe'", "answer_known"),
        ("UPDATE rule_advices SET kind = 'verdict'", "kind_known"),
        ("UPDATE rule_advices SET lead_days = -1", "lead_days_range"),
        ("UPDATE rule_advices SET lead_days = 731", "lead_days_range"),
        ("UPDATE rule_advices SET title = repeat('x', 121)", "title_length"),
        ("INSERT INTO rule_questions (key, position, text) SELECT key, 99, 'Dubbel?' FROM rule_questions", "_key"),
        ("DELETE FROM rule_questions", "fk_rule_advices_question_id"),
    ],
)
@pytest.mark.usefixtures("rulebook")
def test_the_database_refuses_rules_that_cannot_be(session: Session, statement: str, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        session.execute(text(statement))


def test_of_two_coordinators_who_save_at_once_the_second_is_told(own_app: Flask, own_session: Session) -> None:
    session = own_session
    question = service.add_question(session, QuestionInput(text="Komt er muziek?"), **who())
    question_id, version = question.id, question.version
    session.commit()

    def change(words: str) -> Callable[[Session], str]:
        def verb(own: Session) -> str:
            return service.change_question(own, question_id, QuestionInput(text=words), version=version, **who()).text

        return verb

    results = at_once(
        [committed(own_app, change("Komt er een dj?")), committed(own_app, change("Komt er een bandje?"))]
    )

    refused = [result for result in results if isinstance(result, Conflict)]
    saved = [result for result in results if isinstance(result, str)]
    assert len(refused) == len(saved) == 1
    session.expire_all()
    found = session.get_one(RuleQuestion, question_id)
    assert (found.text, found.version) == (saved[0], 2)
    assert len(events_of(session, "rule_question.changed")) == 1


def test_two_who_move_one_question_at_once_move_it_once_and_the_second_is_told(
    own_app: Flask, own_session: Session
) -> None:
    for words in ("Een?", "Twee?", "Drie?"):
        service.add_question(own_session, QuestionInput(text=words), **who())
    own_session.commit()
    first = load_rulebook(own_session).questions[0].id

    def move(own: Session) -> None:
        service.move_question(own, first, "down", seen_position=1, **who())

    results = at_once([committed(own_app, move)] * 2)

    own_session.rollback()
    own_session.expire_all()
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert texts(own_session) == ["Twee?", "Een?", "Drie?"]
    assert [question.position for question in load_rulebook(own_session).questions] == [1, 2, 3]


def test_an_advice_for_a_question_that_is_just_being_replaced_is_refused(own_app: Flask, own_session: Session) -> None:
    question_id = service.add_question(own_session, QuestionInput(text="Komt er muziek?"), **who()).id
    own_session.commit()
    town = own_app.extensions["settings"].municipality
    load_file(own_session, town.rulebook_toml, town, replace=True, **who())

    with meanwhile(committed(own_app, lambda own: service.add_advice(own, question_id, ADVICE, **who()))) as added:
        with Session(own_session.get_bind()) as watcher:
            wait_until_blocked(watcher)
        own_session.commit()

    assert isinstance(added.result(), NotFound)
    assert len(load_rulebook(own_session).questions) == 8
