# SPDX-License-Identifier: EUPL-1.2
"""What the steps of the wizard may send: texts in, plain data for a content out. A step may be left unfinished."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _

from abs_platform.errors import InvalidInput
from abs_platform.form_input import Form, Line, Text, load
from abs_platform.initiatives.states import NeedKind, Theme
from abs_platform.initiatives.steps import Step, rows_in
from abs_platform.initiatives.submitting import MAX_STORY, MAX_SUMMARY, MAX_TITLE
from abs_platform.money import format_euros, parse_euros
from abs_platform.municipality import Rules
from abs_platform.rich_text import without_unseen
from abs_platform.rulebook.queries import Rulebook, read_answer

MAX_PLACE = 200
MAX_PLANNING = 5_000
MAX_LINES = 30
MAX_LINE = 120
MAX_NEEDS = 20
MAX_NEED = 200
MAX_AMOUNT_CENTS = 100_000_000
_DUTCH_DATE = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")


class IdeaForm(Form):
    """What it is."""

    title = Line(most=MAX_TITLE, least=0)
    summary = Line(most=MAX_SUMMARY, least=0)


class StoryForm(Form):
    """The story."""

    story = Text(most=MAX_STORY, least=0)


class PlaceForm(Form):
    """Where it is, in words."""

    place_description = Line(most=MAX_PLACE, least=0)


class WhenForm(Form):
    """How it will go."""

    planning = Text(most=MAX_PLANNING, least=0)


def load_step(
    step: Step, form: Mapping[str, str], *, area_ids: set[int], rulebook: Rulebook, rules: Rules, today: dt.date
) -> dict[str, Any]:
    """What a step sends, as parts of a content. Raises: InvalidInput with a sentence for each field."""
    readers: dict[Step, Callable[[], dict[str, Any]]] = {
        Step.IDEA: lambda: load(IdeaForm(), form) | {"theme": _theme(form)},
        Step.STORY: lambda: load(StoryForm(), form),
        Step.PLACE: lambda: collect(
            lambda: load(PlaceForm(), form), lambda: _area(form, area_ids), lambda: _point(form)
        ),
        Step.MONEY: lambda: {"budget": _budget(form)},
        Step.WHEN: lambda: collect(lambda: load(WhenForm(), form), lambda: _deadline(form, rules, today)),
        Step.HELP: lambda: {"needs": _needs(form)},
        Step.RULES: lambda: {"rule_answers": _answers(form, rulebook)},
    }
    reader = readers.get(step)
    return reader() if reader else {}


def collect(*readers: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What several readers find; what is wrong with all of them at once."""
    found: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for read in readers:
        try:
            found |= read()
        except InvalidInput as error:
            wrong |= error.fields
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), fields=wrong)
    return found


def refusal(name: str, sentence: str) -> InvalidInput:
    """A sentence beside one field."""
    return InvalidInput(sentence, fields={name: sentence})


def _theme(form: Mapping[str, str]) -> str:
    sent = form.get("theme", "")
    if sent and sent not in {theme.value for theme in Theme}:
        raise refusal("theme", _("Kies een thema uit de lijst."))
    return sent


def load_start(form: Mapping[str, str]) -> tuple[str, Theme, str]:
    """Title, theme and summary of a new idea. Raises: InvalidInput for each that must be there."""
    typed = load(IdeaForm(), form) | {"theme": _theme(form)}
    wrong = {}
    if not typed["title"]:
        wrong["title"] = _("Geef je idee een titel.")
    if not typed["theme"]:
        wrong["theme"] = _("Kies een thema.")
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), fields=wrong)
    return typed["title"], Theme(typed["theme"]), typed["summary"]


def _area(form: Mapping[str, str], area_ids: set[int]) -> dict[str, Any]:
    sent = form.get("area_id", "").strip()
    if not sent:
        return {"area_id": None}
    if not (sent.isascii() and sent.isdecimal() and len(sent) < 19 and int(sent) in area_ids):
        raise refusal("area_id", _("Kies een buurt, een wijk of de hele gemeente uit de lijst."))
    return {"area_id": int(sent)}


def _point(form: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, float | None] = {}
    for name, most in (("latitude", 90), ("longitude", 180)):
        sent = without_unseen(form.get(name, "")).strip().replace(",", ".")
        try:
            value = round(float(sent), 5) if sent else None
        except ValueError:
            value = math.nan
        if value is not None and not abs(value) <= most:
            raise refusal(name, _("Vul een getal in zoals 52,35671, of laat dit leeg."))
        found[name] = value
    if (found["latitude"] is None) != (found["longitude"] is None):
        empty = "latitude" if found["latitude"] is None else "longitude"
        raise refusal(empty, _("Vul beide getallen in, of laat ze allebei leeg."))
    return found


def _budget(form: Mapping[str, str]) -> list[dict[str, Any]]:
    lines, wrong = [], {}
    for number, row in rows_in(form, "budget", ("description", "amount")):
        description, name = " ".join(row["description"].split()), f"budget-{number}"
        if not description:
            wrong[f"{name}-description"] = _("Schrijf waar dit bedrag voor is.")
        elif len(description) > MAX_LINE:
            wrong[f"{name}-description"] = _("Maak dit korter: hoogstens %(most)s tekens.", most=MAX_LINE)
        try:
            cents = parse_euros(row["amount"])
        except ValueError:
            cents = 0
        if not row["amount"]:
            wrong[f"{name}-amount"] = _("Vul het bedrag in.")
        elif not 0 < cents <= MAX_AMOUNT_CENTS:
            most = format_euros(MAX_AMOUNT_CENTS)
            wrong[f"{name}-amount"] = _("Vul een bedrag in zoals 12,50. Hoogstens %(most)s.", most=most)
        lines.append({"description": description, "amount_cents": cents})
    if len(lines) > MAX_LINES:
        wrong = {"budget": _("Maak hoogstens %(most)s regels. Voeg er een paar samen.", most=MAX_LINES)}
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), fields=wrong)
    return lines


def _needs(form: Mapping[str, str]) -> list[dict[str, Any]]:
    needs, wrong = [], {}
    kinds = {kind.value for kind in NeedKind}
    for number, row in rows_in(form, "need", ("description",)):
        kind, description = form.get(f"need-{number}-kind", ""), " ".join(row["description"].split())
        if kind not in kinds:
            wrong[f"need-{number}-kind"] = _("Kies wat voor hulp het is.")
        if len(description) > MAX_NEED:
            wrong[f"need-{number}-description"] = _("Maak dit korter: hoogstens %(most)s tekens.", most=MAX_NEED)
        needs.append({"kind": kind, "description": description})
    if len(needs) > MAX_NEEDS:
        wrong = {"needs": _("Vraag hoogstens %(most)s dingen.", most=MAX_NEEDS)}
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), fields=wrong)
    return needs


def _deadline(form: Mapping[str, str], rules: Rules, today: dt.date) -> dict[str, Any]:
    sent = without_unseen(form.get("deadline_on", "")).strip()
    if not sent:
        return {"deadline_on": None}
    dutch = _DUTCH_DATE.fullmatch(sent)
    try:
        day = dt.date(int(dutch[3]), int(dutch[2]), int(dutch[1])) if dutch else dt.date.fromisoformat(sent)
    except ValueError as error:
        raise refusal("deadline_on", _("Deze datum bestaat niet. Vul een datum in zoals 15-06-2027.")) from error
    if day <= today:
        raise refusal("deadline_on", _("Kies een dag na vandaag."))
    if day > today + dt.timedelta(days=rules.max_deadline_days):
        raise refusal("deadline_on", _("Kies een dag binnen een jaar."))
    return {"deadline_on": day.isoformat()}


def _answers(form: Mapping[str, str], rulebook: Rulebook) -> dict[str, str]:
    found = {}
    for question in rulebook.questions:
        answer = read_answer(form.get(f"rule_{question.key}"))
        if answer is not None:
            found[question.key] = answer.value
    return found
