# SPDX-License-Identifier: EUPL-1.2
"""What a form may send: texts without invisible characters, and a sentence beside each field that is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from marshmallow import EXCLUDE, Schema, ValidationError, fields

from abs_platform.clock import parse_local
from abs_platform.errors import AbsError, InvalidInput
from abs_platform.rich_text import without_unseen

LATEST_SCHEDULE = dt.timedelta(days=365)


class Form(Schema):
    """A form of a page. Browsers send fields of their own; those are left alone."""

    class Meta:
        """Fields that we do not know are no error."""

        unknown = EXCLUDE


class Text(fields.Field[str]):
    """A text as people type it: trimmed, from so many to so many characters. A line end counts as one."""

    def __init__(self, *, most: int, least: int = 1, sentence: LazyString | str = "", **options: Any) -> None:
        options.setdefault("load_default", "")
        super().__init__(**options)
        self.most, self.least, self.sentence = most, least, sentence

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:  # noqa: ARG002
        text = without_unseen(value if isinstance(value, str) else "").strip()
        if len(text) < self.least:
            raise ValidationError(str(self.sentence) or _("Vul dit in."))
        if len(text) > self.most:
            raise ValidationError(
                _(
                    "Maak dit korter: hoogstens %(most)s tekens. Nu zijn het er %(length)s.",
                    most=self.most,
                    length=len(text),
                )
            )
        return text


class Line(Text):
    """A text on one line. What goes into mails and lists under a name must not be able to look like more lines."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        return super()._deserialize(" ".join(value.split()) if isinstance(value, str) else value, *args, **kwargs)


def load(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    """Read a form. Fields that were not sent are read as empty. Raises: InvalidInput with a sentence for each field."""
    sent = {name: data.get(name, "") for name, field in schema.fields.items() if isinstance(field, Text)}
    try:
        loaded: dict[str, Any] = schema.load(dict(data) | sent)
    except ValidationError as error:
        refused: dict[str, list[str] | LazyString] = error.normalized_messages()  # type: ignore[no-untyped-call]
        # A lazy sentence of a field itself comes alone, and its first item would be its first letter.
        messages = {
            name: str(said[0] if isinstance(said, list) else said)
            for name, said in sorted(refused.items(), key=lambda one: _place_of(one[0], schema))
        }
        raise InvalidInput(" ".join(messages.values()), fields=messages) from error
    return loaded


def _place_of(name: str, schema: Schema) -> int:
    """Where a field stands in its form: that is the order in which its mistakes are told."""
    order = list(schema.fields)
    return order.index(name) if name in schema.fields else len(order)


def errors_of(error: AbsError) -> dict[str, str]:
    """What a form shows of a refusal: a sentence for each field, else one for all of it."""
    return (error.fields if isinstance(error, InvalidInput) else {}) or {"form": error.message}


def read_publish_at(text: str, now: dt.datetime) -> dt.datetime:
    """When something becomes public, as a browser sends it: a moment to come. Raises: InvalidInput."""
    sentence = ""
    try:
        moment = parse_local(text)
    except (ValueError, OverflowError):
        moment, sentence = now, _("Vul een datum en een tijd in.")
    if not sentence and moment <= now:
        sentence = _("Dit moment is al voorbij. Kies een moment dat nog komt, of zet het er nu op.")
    if not sentence and moment > now + LATEST_SCHEDULE:
        sentence = _("Kies een moment binnen een jaar.")
    if sentence:
        raise InvalidInput(sentence, fields={"publish_at": sentence})
    return moment
