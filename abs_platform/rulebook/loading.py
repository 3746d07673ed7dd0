# SPDX-License-Identifier: EUPL-1.2
"""Loading a municipality's rules check from its file (TOML) into the tables that the coordinator edits from then on."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.municipality import Municipality
from abs_platform.rulebook.models import RuleAdvice, RuleQuestion
from abs_platform.rulebook.queries import load_rulebook
from abs_platform.rulebook.schemas import load_advice, load_question
from abs_platform.rulebook.service import AdviceInput, QuestionInput, add_advice, add_question

_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
_NAME = re.compile(r"\{([^{}]*)\}")
_QUESTION_FIELDS = {"key", "text", "help", "advices"}
_ADVICE_FIELDS = set(AdviceInput.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """How much was loaded."""

    questions: int
    advices: int


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    question: QuestionInput
    advices: list[AdviceInput]


def load_file(
    session: Session, path: Path, town: Municipality, *, replace: bool = False, actor: Actor, now: dt.datetime
) -> LoadReport:
    """Fill the tables from a file: all of it or nothing. {naam}, {telefoon}, {email} and {website} become the town's.

    With ``replace`` what was there goes; the event keeps it. Answers are kept by question key, so they stay.
    Raises: Conflict when there are rules and they may not be replaced; InvalidInput naming file, question and advice.
    """
    entries = _read(path, town)
    session.execute(text("LOCK TABLE rule_questions, rule_advices IN SHARE ROW EXCLUSIVE MODE"))
    before = load_rulebook(session, with_inactive=True)
    if before.questions and not replace:
        raise Conflict(
            _("Er staan al %(count)s vragen. Wil je ze vervangen? Gebruik --replace.", count=len(before.questions))
        )
    session.execute(delete(RuleAdvice))
    session.execute(delete(RuleQuestion))
    session.expunge_all()
    for entry in entries:
        question = add_question(session, entry.question, key=entry.key, actor=actor, now=now)
        for advice in entry.advices:
            add_advice(session, question.id, advice, actor=actor, now=now)
    report = LoadReport(len(entries), sum(len(entry.advices) for entry in entries))
    events.record(
        session,
        "rulebook.loaded",
        None,
        actor=actor,
        now=now,
        file=path.name,
        before=[asdict(question) for question in before.questions],
        questions=report.questions,
        advices=report.advices,
    )
    return report


def _read(path: Path, town: Municipality) -> list[_Entry]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{path}: kan niet worden gelezen ({error.strerror}).") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise InvalidInput(f"{path}: dit is geen TOML ({error}).") from error
    questions = data.get("questions")
    if set(data) != {"questions"} or not _are_tables(questions) or not questions:
        raise InvalidInput(f"{path}: er moeten vragen in staan ([[questions]]), en niets anders.")
    names = {
        "naam": town.name,
        "telefoon": town.contact_phone.replace(" ", "\u00a0"),
        "email": town.contact_email,
        "website": town.website.partition("://")[2].removeprefix("www."),
    }
    entries: list[_Entry] = []
    for number, table in enumerate(questions, start=1):
        entry = _read_question(f"{path}, vraag {number}", table, names)
        if any(entry.key == earlier.key for earlier in entries):
            raise InvalidInput(f"{path}, vraag {number}: key '{entry.key}' komt twee keer voor.")
        entries.append(entry)
    return entries


def _read_question(where: str, table: dict[str, Any], names: dict[str, str]) -> _Entry:
    key, advices = table.get("key"), table.get("advices", [])
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InvalidInput(f"{where}: key moet een woord zijn van kleine letters, cijfers en _.")
    _refuse_unknown(where, table, _QUESTION_FIELDS)
    if not _are_tables(advices):
        raise InvalidInput(f"{where}: adviezen staan in [[questions.advices]].")
    question = _checked(where, load_question, _filled(where, table, names))
    read = []
    for number, advice in enumerate(advices, start=1):
        place = f"{where} ({key}), advies {number}"
        _refuse_unknown(place, advice, _ADVICE_FIELDS)
        read.append(_checked(place, load_advice, _filled(place, advice, names)))
    return _Entry(key, question, read)


def _checked(where: str, load: Any, table: dict[str, Any]) -> Any:
    try:
        return load(table)
    except InvalidInput as error:
        field, message = next(iter(error.fields.items()))
        raise InvalidInput(f"{where}, {field}: {message}") from error


def _filled(where: str, table: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The texts with the names of the town in their places."""

    def name(found: re.Match[str]) -> str:
        if found[1] not in names:
            raise InvalidInput(f"{where}: {found[0]} kennen we niet. Wel: {{{'}, {'.join(names)}}}.")
        return names[found[1]]

    return {field: _NAME.sub(name, value) if isinstance(value, str) else value for field, value in table.items()}


def _refuse_unknown(where: str, table: dict[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(table) - known):
        raise InvalidInput(f"{where}: onbekend veld {unknown[0]}.")


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)
