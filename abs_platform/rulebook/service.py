# SPDX-License-Identifier: EUPL-1.2
"""The verbs with which the coordinator edits the rules check; each writes what was and what is in the event log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.database import on_violation
from abs_platform.errors import Conflict, NotFound
from abs_platform.rulebook.models import RuleAdvice, RuleQuestion
from abs_platform.rulebook.states import AdviceKind, Answer
from abs_platform.slugs import slugify

MAX_TEXT = 200
MAX_HELP = 500
MAX_TITLE = 120
MAX_EXPLANATION = 2_000
MAX_SHORT = 300
MAX_LEAD_DAYS = 730
MAX_KEY = 40

Direction = Literal["up", "down"]
Row = TypeVar("Row", RuleQuestion, RuleAdvice)

on_violation("fk_rule_advices_question_id", lambda: NotFound(_("Deze vraag bestaat niet (meer).")))
on_violation("uq_rule_questions_key", lambda: Conflict(_("Iemand anders voegde net dezelfde vraag toe.")))


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionInput:
    """A question as the coordinator writes it."""

    text: str
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceInput:
    """An advice as the coordinator writes it."""

    answer: Answer
    kind: AdviceKind
    title: str
    explanation: str
    contact: str = ""
    legal_basis: str = ""
    lead_days: int = 0
    cost_hint: str = ""
    checklist_text: str = ""


def add_question(
    session: Session, new: QuestionInput, *, key: str = "", actor: Actor, now: dt.datetime
) -> RuleQuestion:
    """Add a question at the end. Its key stays whatever its words become; if none is given, its first words are it."""
    question = RuleQuestion(
        key=key or _free_key(session, new.text), position=_last_position(session, RuleQuestion) + 1, **asdict(new)
    )
    session.add(question)
    session.flush()
    events.record(
        session, "rule_question.added", question.id, actor=actor, now=now, key=question.key, after=asdict(new)
    )
    return question


def change_question(
    session: Session, question_id: int, new: QuestionInput, *, version: int, actor: Actor, now: dt.datetime
) -> RuleQuestion:
    """Change the words of a question. Raises: NotFound, Conflict when somebody else changed it since ``version``."""
    question = _locked(session, RuleQuestion, question_id, version)
    _change(session, question, asdict(new), "rule_question.changed", actor=actor, now=now)
    return question


def add_advice(session: Session, question_id: int, new: AdviceInput, *, actor: Actor, now: dt.datetime) -> RuleAdvice:
    """Add an advice behind an answer, after those that are there. Raises: NotFound."""
    question = session.get(RuleQuestion, question_id)
    if question is None:
        raise NotFound(_("Deze vraag bestaat niet (meer)."))
    position = _last_position(session, RuleAdvice, question_id) + 1
    advice = RuleAdvice(question_id=question_id, position=position, **_plain(asdict(new)))
    session.add(advice)
    session.flush()
    after = _plain(asdict(new))
    events.record(session, "rule_advice.added", advice.id, actor=actor, now=now, question=question.key, after=after)
    return advice


def change_advice(
    session: Session, advice_id: int, new: AdviceInput, *, version: int, actor: Actor, now: dt.datetime
) -> RuleAdvice:
    """Change an advice. Raises: NotFound, Conflict when somebody else changed it since ``version``."""
    advice = _locked(session, RuleAdvice, advice_id, version)
    _change(session, advice, _plain(asdict(new)), "rule_advice.changed", actor=actor, now=now)
    return advice


def switch_question(
    session: Session, question_id: int, *, is_active: bool, version: int, actor: Actor, now: dt.datetime
) -> RuleQuestion:
    """Ask a question or ask it no longer. What was answered to it is kept. Raises: NotFound, Conflict."""
    question = _locked(session, RuleQuestion, question_id, version)
    _change(session, question, {"is_active": is_active}, "rule_question.switched", actor=actor, now=now)
    return question


def switch_advice(
    session: Session, advice_id: int, *, is_active: bool, version: int, actor: Actor, now: dt.datetime
) -> RuleAdvice:
    """Give an advice or give it no longer. Raises: NotFound, Conflict."""
    advice = _locked(session, RuleAdvice, advice_id, version)
    _change(session, advice, {"is_active": is_active}, "rule_advice.switched", actor=actor, now=now)
    return advice


def move_question(
    session: Session, question_id: int, direction: Direction, *, seen_position: int, actor: Actor, now: dt.datetime
) -> None:
    """Swap a question with the one before or after it. Raises: NotFound, Conflict when the order changed meanwhile."""
    rows = session.scalars(_lockable(RuleQuestion)).all()
    _move(session, rows, question_id, direction, seen_position, kind="rule_question.moved", actor=actor, now=now)


def move_advice(
    session: Session, advice_id: int, direction: Direction, *, seen_position: int, actor: Actor, now: dt.datetime
) -> RuleAdvice:
    """Swap an advice with its neighbour of the same question and answer. Raises: NotFound, Conflict."""
    advice = session.get(RuleAdvice, advice_id)
    if advice is None:
        raise NotFound(_("Dit advies bestaat niet (meer)."))
    siblings = _lockable(RuleAdvice).where(RuleAdvice.question_id == advice.question_id)
    rows = [row for row in session.scalars(siblings) if row.answer == advice.answer]
    _move(session, rows, advice_id, direction, seen_position, kind="rule_advice.moved", actor=actor, now=now)
    return advice


def _lockable(model: type[Row]) -> Any:
    """All rows of a table, locked in the order of their id, with what they hold now."""
    return select(model).order_by(model.id).with_for_update().execution_options(populate_existing=True)


def _locked(session: Session, model: type[Row], row_id: int, version: int) -> Row:
    """One row, locked, if it is still the version that the reader saw."""
    row: Row | None = session.scalar(_lockable(model).where(model.id == row_id))
    if row is None:
        raise NotFound(_("Dit bestaat niet (meer). Ga terug naar het overzicht."))
    if row.version != version:
        raise Conflict(_("Iemand anders heeft dit net ook veranderd. Vergelijk het en sla daarna opnieuw op."))
    return row


def _change(
    session: Session,
    row: RuleQuestion | RuleAdvice,
    values: Mapping[str, Any],
    kind: str,
    *,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Set what differs, count the edit and write both sides down; nothing when nothing differs."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not changed:
        return
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    row.version += 1
    session.flush()
    events.record(session, kind, row.id, actor=actor, now=now, before=before, after=changed)


def _move(
    session: Session,
    rows: Sequence[Row],
    row_id: int,
    direction: Direction,
    seen_position: int,
    *,
    kind: str,
    actor: Actor,
    now: dt.datetime,
) -> None:
    in_order = sorted(rows, key=lambda row: (row.position, row.id))
    index = next((number for number, row in enumerate(in_order) if row.id == row_id), None)
    if index is None:
        raise NotFound(_("Dit bestaat niet (meer). Ga terug naar het overzicht."))
    if in_order[index].position != seen_position:
        raise Conflict(_("Iemand anders heeft de volgorde net veranderd. Kijk hoe hij nu is en probeer het opnieuw."))
    other = index + (1 if direction == "down" else -1)
    if not 0 <= other < len(in_order):
        return
    in_order[index], in_order[other] = in_order[other], in_order[index]
    for position, row in enumerate(in_order, start=1):
        row.position = position
    session.flush()
    before, after = {"position": seen_position}, {"position": other + 1}
    events.record(session, kind, row_id, actor=actor, now=now, before=before, after=after)


def _last_position(session: Session, model: type[RuleQuestion | RuleAdvice], question_id: int | None = None) -> int:
    query = select(func.max(model.position))
    if question_id is not None:
        query = query.where(RuleAdvice.question_id == question_id)
    return session.scalar(query) or 0


def _free_key(session: Session, text: str) -> str:
    """A key from the first words of a question that no question has; forms have no other field of such a name."""
    stem = f"vraag_{slugify(text, MAX_KEY).replace('-', '_')}".rstrip("_")
    taken = set(session.scalars(select(RuleQuestion.key).where(RuleQuestion.key.startswith(stem, autoescape=True))))
    return next(key for key in (stem, *(f"{stem}_{number}" for number in range(2, len(taken) + 3))) if key not in taken)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values for columns and for the log: words instead of enums."""
    return {name: getattr(value, "value", value) for name, value in values.items()}
