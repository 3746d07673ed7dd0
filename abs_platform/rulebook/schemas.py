# SPDX-License-Identifier: EUPL-1.2
"""What a question and an advice must look like, from the coordinator's forms as from a municipality's file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate

from abs_platform.form_input import Form, Text, load
from abs_platform.rulebook.service import (
    MAX_EXPLANATION,
    MAX_HELP,
    MAX_LEAD_DAYS,
    MAX_SHORT,
    MAX_TEXT,
    MAX_TITLE,
    AdviceInput,
    QuestionInput,
)
from abs_platform.rulebook.states import AdviceKind, Answer

_BAD_ANSWER = _l("Kies bij welk antwoord dit advies hoort.")
_BAD_KIND = _l("Kies wat voor advies het is.")
_BAD_LEAD_DAYS = _l("Vul een aantal dagen in van 0 tot en met 730.")


def _one_of(known: type[Answer | AdviceKind], sentence: Any) -> fields.Enum[Any]:
    return fields.Enum(known, by_value=True, required=True, error_messages={"required": sentence, "unknown": sentence})


class QuestionForm(Form):
    """A question."""

    text = Text(most=MAX_TEXT)
    help = Text(least=0, most=MAX_HELP)


class AdviceForm(Form):
    """An advice."""

    answer = _one_of(Answer, _BAD_ANSWER)
    kind = _one_of(AdviceKind, _BAD_KIND)
    title = Text(most=MAX_TITLE)
    explanation = Text(most=MAX_EXPLANATION)
    contact = Text(least=0, most=MAX_SHORT)
    legal_basis = Text(least=0, most=MAX_SHORT)
    lead_days = fields.Integer(
        load_default=0,
        validate=validate.Range(0, MAX_LEAD_DAYS, error=_BAD_LEAD_DAYS),
        error_messages={"invalid": _BAD_LEAD_DAYS},
    )
    cost_hint = Text(least=0, most=MAX_SHORT)
    checklist_text = Text(least=0, most=MAX_SHORT)


def load_question(data: Mapping[str, Any]) -> QuestionInput:
    """Read a question. Raises: InvalidInput with a sentence for each field."""
    return QuestionInput(**load(QuestionForm(), data))


def load_advice(data: Mapping[str, Any]) -> AdviceInput:
    """Read an advice. Raises: InvalidInput with a sentence for each field."""
    return AdviceInput(**load(AdviceForm(), data))
