# SPDX-License-Identifier: EUPL-1.2
"""What answers lead to: advices, the earliest date, the checklist, and what was kept of them when they were sent."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.rulebook import service
from abs_platform.rulebook.queries import (
    Advice,
    Question,
    Rulebook,
    answers_of,
    assess,
    load_rulebook,
    rulebook_of,
    snapshot,
    snapshot_of,
)
from abs_platform.rulebook.states import AdviceKind, Answer
from tests.factories import TEST_ACTOR

TODAY = dt.date(2026, 11, 22)


def advice(number: int, key: str, answer: Answer, days: int, checklist: str = "") -> Advice:
    return Advice(
        id=number,
        question_key=key,
        answer=answer,
        kind=AdviceKind.PERMIT,
        title=f"Advies {number}",
        explanation="Zo zit het.",
        contact="De gemeente",
        legal_basis="APV",
        lead_days=days,
        cost_hint="",
        checklist_text=checklist,
    )


def question(key: str, *advices: Advice) -> Question:
    return Question(key=key, text=f"{key}?", help="", advices=advices)


BOOK = Rulebook(
    (
        question(
            "road",
            advice(1, "road", Answer.YES, 56, "Straat dicht"),
            advice(2, "road", Answer.YES, 14),
            advice(3, "road", Answer.UNKNOWN, 56, "Vraag het na"),
        ),
        question("music", advice(4, "music", Answer.YES, 21, "Muziek"), advice(5, "music", Answer.NO, 0)),
    )
)


def test_only_the_advices_of_the_answers_that_were_given_count() -> None:
    found = assess(BOOK, {"road": "yes", "music": "no"}, TODAY)

    assert [advice.id for advice in found.advices] == [1, 2, 5]
    assert found.unanswered == []


@pytest.mark.parametrize(
    ("answers", "answer_by", "days"),
    [
        ({}, None, 0),
        ({"road": "no", "music": "no"}, None, 0),
        ({"music": "yes"}, None, 21),
        ({"music": "yes", "road": "yes"}, None, 56),
        ({"road": "unknown"}, None, 56),
        ({"music": "yes"}, TODAY + dt.timedelta(days=14), 35),
        ({"music": "no"}, TODAY + dt.timedelta(days=14), 14),
        ({"music": "yes"}, TODAY - dt.timedelta(days=14), 21),
    ],
)
def test_the_earliest_date_is_the_longest_lead_time_after_the_answer_of_the_desk(
    answers: dict[str, str], answer_by: dt.date | None, days: int
) -> None:
    found = assess(BOOK, answers, TODAY, answer_by)

    assert found.earliest_on == TODAY + dt.timedelta(days=days)


def test_what_takes_longest_is_named() -> None:
    slowest = assess(BOOK, {"road": "yes", "music": "yes"}, TODAY).slowest

    assert slowest is not None
    assert slowest.id == 1
    assert assess(BOOK, {"music": "no"}, TODAY).slowest is None
    assert assess(BOOK, {}, TODAY).slowest is None


def test_the_checklist_holds_what_the_desk_must_look_at_with_where_it_comes_from() -> None:
    found = assess(BOOK, {"road": "yes", "music": "yes"}, TODAY)

    assert [(item.key, item.text, item.from_question, item.lead_days) for item in found.checklist] == [
        ("road.1", "Straat dicht", "road?", 56),
        ("music.4", "Muziek", "music?", 21),
    ]


@pytest.mark.parametrize("value", ["", "misschien", "YES", " yes", "ja"])
def test_an_answer_that_is_none_counts_as_not_given(value: str) -> None:
    found = assess(BOOK, {"road": value, "music": "no"}, TODAY)

    assert found.unanswered == ["road"]
    assert [advice.id for advice in found.advices] == [5]


def test_an_answer_to_a_question_that_is_no_longer_asked_is_passed_over() -> None:
    found = assess(BOOK, {"fireworks": "yes", "road": "no", "music": "no"}, TODAY)

    assert found.unanswered == []
    assert [advice.id for advice in found.advices] == [5]


ANSWERS = st.dictionaries(
    st.sampled_from(["road", "music", "other"]), st.sampled_from(["yes", "no", "unknown", "", "x"])
)


@given(ANSWERS, st.integers(0, 40))
def test_a_snapshot_says_for_ever_what_the_answers_meant(answers: dict[str, str], days: int) -> None:
    answer_by = TODAY + dt.timedelta(days=days)
    then = assess(BOOK, answers, TODAY, answer_by)

    kept = json.loads(json.dumps(snapshot_of(BOOK, answers)))

    assert assess(rulebook_of(kept), answers_of(kept), TODAY, answer_by) == then


def test_a_changed_question_leaves_a_snapshot_as_it_was(session: Session, rulebook: Rulebook) -> None:
    answers = {question.key: "yes" for question in rulebook.questions}
    then = assess(rulebook, answers, TODAY)
    kept = snapshot(session, answers)

    first, second = rulebook.questions[:2]
    who = {"actor": TEST_ACTOR, "now": clock.now()}
    service.change_question(session, first.id, service.QuestionInput(text="Heel anders?"), version=1, **who)
    service.switch_question(session, second.id, is_active=False, version=1, **who)
    now = assess(load_rulebook(session), answers, TODAY)

    assert second.key not in {advice.question_key for advice in now.advices}
    assert {item.from_question for item in now.checklist} != {item.from_question for item in then.checklist}
    again = assess(rulebook_of(kept), answers_of(kept), TODAY)
    assert again.earliest_on == then.earliest_on
    assert again.checklist == then.checklist
    assert [advice.title for advice in again.advices] == [advice.title for advice in then.advices]


def test_the_rulebook_is_read_in_two_queries_however_long_it_is(session: Session, rulebook: Rulebook) -> None:
    session.expire_all()
    statements: list[str] = []
    connection = session.connection()

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(connection, "before_cursor_execute", count)
    found = load_rulebook(session)
    event.remove(connection, "before_cursor_execute", count)

    assert found == rulebook
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 2


def test_what_is_switched_off_is_not_asked_and_not_advised(session: Session, rulebook: Rulebook) -> None:
    question, other = rulebook.questions[0], rulebook.questions[1]
    who = {"actor": TEST_ACTOR, "now": clock.now()}

    service.switch_question(session, question.id, is_active=False, version=1, **who)
    service.switch_advice(session, other.advices[0].id, is_active=False, version=1, **who)

    found = load_rulebook(session)
    assert question.key not in {question.key for question in found.questions}
    assert [advice.id for advice in found.questions[0].advices] == [advice.id for advice in other.advices[1:]]
    everything = load_rulebook(session, with_inactive=True)
    assert len(everything.questions) == len(rulebook.questions)
    assert not everything.questions[0].is_active
    assert not everything.questions[1].advices[0].is_active
