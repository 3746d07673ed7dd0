# SPDX-License-Identifier: EUPL-1.2
"""Reads of the rules check, and what its answers mean: which advices, from when it can be, what the desk checks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.rulebook.models import RuleAdvice, RuleQuestion
from abs_platform.rulebook.states import AdviceKind, Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What one answer asks of the organisers. ``lead_days`` are calendar days; 0 is no waiting time."""

    id: int
    question_key: str
    answer: Answer
    kind: AdviceKind
    title: str
    explanation: str
    contact: str
    legal_basis: str
    lead_days: int
    cost_hint: str
    checklist_text: str
    position: int = 0
    is_active: bool = True
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with its advices in their order."""

    key: str
    text: str
    help: str
    advices: tuple[Advice, ...]
    id: int = 0
    position: int = 0
    is_active: bool = True
    version: int = 1

    def advices_for(self, answer: Answer) -> list[Advice]:
        """The advices behind one answer."""
        return [advice for advice in self.advices if advice.answer == answer]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All questions in their order."""

    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One line of the checklist at the desk. The key stays the same while the advice exists."""

    key: str
    text: str
    from_question: str
    contact: str
    lead_days: int


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the answers mean. ``unanswered`` holds the keys of questions without an answer."""

    advices: list[Advice]
    earliest_on: dt.date
    checklist: list[ChecklistItem]
    unanswered: list[str]

    @property
    def slowest(self) -> Advice | None:
        """The advice that takes longest, if anything takes time at all."""
        found = max(self.advices, key=lambda advice: advice.lead_days, default=None)
        return found if found is not None and found.lead_days else None


def load_rulebook(session: Session, *, with_inactive: bool = False) -> Rulebook:
    """All active questions with their active advices, in two queries; for the coordinator also what is switched off."""
    questions, advices = select(RuleQuestion), select(RuleAdvice)
    if not with_inactive:
        questions = questions.where(RuleQuestion.is_active)
        advices = advices.where(RuleAdvice.is_active)
    rows = session.scalars(questions.order_by(RuleQuestion.position, RuleQuestion.id)).all()
    keys = {row.id: row.key for row in rows}
    by_question: dict[int, list[Advice]] = {row.id: [] for row in rows}
    for row in session.scalars(advices.order_by(RuleAdvice.position, RuleAdvice.id)):
        if row.question_id in by_question:
            by_question[row.question_id].append(advice_of(row, keys[row.question_id]))
    return Rulebook(tuple(_question_of(row, by_question[row.id]) for row in rows))


def _question_of(row: RuleQuestion, advices: Iterable[Advice]) -> Question:
    return Question(
        id=row.id,
        key=row.key,
        position=row.position,
        text=row.text,
        help=row.help,
        is_active=row.is_active,
        version=row.version,
        advices=tuple(advices),
    )


def advice_of(row: RuleAdvice, question_key: str) -> Advice:
    """A row as a plain value."""
    return Advice(
        id=row.id,
        question_key=question_key,
        answer=Answer(row.answer),
        kind=AdviceKind(row.kind),
        title=row.title,
        explanation=row.explanation,
        contact=row.contact,
        legal_basis=row.legal_basis,
        lead_days=row.lead_days,
        cost_hint=row.cost_hint,
        checklist_text=row.checklist_text,
        position=row.position,
        is_active=row.is_active,
        version=row.version,
    )


def read_answer(value: str | None) -> Answer | None:
    """An answer as it was sent or stored; None when it is none."""
    return next((answer for answer in Answer if answer.value == value), None)


def assess(
    rulebook: Rulebook, answers: Mapping[str, str], today: dt.date, answer_by: dt.date | None = None
) -> Assessment:
    """What these answers (question key -> yes, no or unknown) ask, and the earliest date on which it can be.

    Organisers arrange permits once they know that their initiative may go on. So the earliest date is the day on which
    the wijkregisseur answers at the latest (``answer_by``, else today) and the longest lead time after it. What the
    rulebook does not ask any more is passed over, and an answer that is none counts as not given.
    """
    advices: list[Advice] = []
    checklist: list[ChecklistItem] = []
    unanswered: list[str] = []
    for question in rulebook.questions:
        answer = read_answer(answers.get(question.key))
        if answer is None:
            unanswered.append(question.key)
            continue
        given = question.advices_for(answer)
        advices += given
        checklist += [_item(question, advice) for advice in given if advice.checklist_text]
    longest = max((advice.lead_days for advice in advices), default=0)
    earliest = max(today, answer_by or today) + dt.timedelta(days=longest)
    return Assessment(advices, earliest, checklist, unanswered)


def _item(question: Question, advice: Advice) -> ChecklistItem:
    key = f"{question.key}.{advice.id}"
    return ChecklistItem(key, advice.checklist_text, question.text, advice.contact, advice.lead_days)


_OF_THE_EDITOR = ("position", "is_active", "version", "question_key")


def snapshot(session: Session, answers: Mapping[str, str]) -> list[dict[str, Any]]:
    """The active questions with the answers given and the advices behind them, to keep with what was sent.

    Plain data for a JSON column. ``rulebook_of`` and ``answers_of`` read it back, whatever the rules are by then.
    """
    return snapshot_of(load_rulebook(session), answers)


def snapshot_of(rulebook: Rulebook, answers: Mapping[str, str]) -> list[dict[str, Any]]:
    """The same of a rulebook that is at hand."""
    kept = []
    for question in rulebook.questions:
        answer = read_answer(answers.get(question.key))
        given = question.advices_for(answer) if answer else []
        kept.append(
            {
                "key": question.key,
                "question": question.text,
                "help": question.help,
                "answer": answer.value if answer else None,
                "advices": [_plain(advice) for advice in given],
            }
        )
    return kept


def _plain(advice: Advice) -> dict[str, Any]:
    fields = {name: value for name, value in asdict(advice).items() if name not in _OF_THE_EDITOR}
    return fields | {"answer": advice.answer.value, "kind": advice.kind.value}


def rulebook_of(kept: Sequence[Mapping[str, Any]]) -> Rulebook:
    """The rules as they were when a snapshot was made: the questions, and the advices behind the answers given."""
    questions = []
    for entry in kept:
        advices = tuple(
            replace(
                Advice(**fields, question_key=entry["key"]),
                answer=Answer(fields["answer"]),
                kind=AdviceKind(fields["kind"]),
            )
            for fields in entry["advices"]
        )
        questions.append(Question(key=entry["key"], text=entry["question"], help=entry["help"], advices=advices))
    return Rulebook(tuple(questions))


def answers_of(kept: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The answers in a snapshot, by question key."""
    return {entry["key"]: entry["answer"] for entry in kept if entry["answer"] is not None}
