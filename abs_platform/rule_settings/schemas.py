# SPDX-License-Identifier: EUPL-1.2
"""What the coordinator sends to set a number: its value as people type it, why, and what stood on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from abs_platform.errors import InvalidInput
from abs_platform.form_input import Form, Text, load
from abs_platform.money import format_euros_exact, parse_euros
from abs_platform.rule_settings.states import Number, Unit

MAX_REASON = 500
MAX_DIGITS = 9


class ChangeForm(Form):
    """A new value and why."""

    value = Text(most=20, sentence=_l("Vul de nieuwe waarde in."))
    reason = Text(most=MAX_REASON, least=5, sentence=_l("Schrijf op waarom je dit wijzigt."))


@dataclass(frozen=True, slots=True)
class NewValue:
    """What was sent; ``seen_value`` is -1 when the page did not carry it."""

    value: int
    reason: str
    seen_value: int
    is_confirmed: bool


def read_change(number: Number, form: Mapping[str, str]) -> NewValue:
    """Read the form. Raises: InvalidInput with a sentence for each field."""
    loaded = load(ChangeForm(), form)
    return NewValue(
        value=_value(number, loaded["value"]),
        reason=loaded["reason"],
        seen_value=_digits(form.get("was", "")),
        is_confirmed=form.get("bevestigd") == "1",
    )


def typed(number: Number, value: int) -> str:
    """A value as it stands in the field."""
    return format_euros_exact(value).removeprefix("€\u00a0") if number.unit == Unit.EUROS else str(value)


def _value(number: Number, words: str) -> int:
    if number.unit == Unit.EUROS:
        try:
            return parse_euros(words)
        except ValueError as error:
            sentence = _("Vul een bedrag in zoals 12,50.")
            raise InvalidInput(sentence, fields={"value": sentence}) from error
    value = _digits(words)
    if value < 0:
        sentence = _("Vul een heel getal in, zoals 30.")
        raise InvalidInput(sentence, fields={"value": sentence})
    return value


def _digits(words: str) -> int:
    return int(words) if words.isascii() and words.isdecimal() and len(words) <= MAX_DIGITS else -1
