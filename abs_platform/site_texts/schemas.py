# SPDX-License-Identifier: EUPL-1.2
"""What the coordinator's form of a text must look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import fields

from abs_platform.form_input import Form, Text, load
from abs_platform.site_texts.content import MAX_LENGTH, check_text

MAX_NOTE = 200


class TextForm(Form):
    """A text, what was changed in it, and the newest version when the form was opened."""

    body = Text(most=MAX_LENGTH)
    note = Text(least=0, most=MAX_NOTE)
    seen_version = fields.Integer(load_default=0, strict=False)


@dataclass(frozen=True, slots=True)
class SentText:
    """What was sent, in order."""

    body: str
    note: str
    seen_version: int


def load_text(data: Mapping[str, Any]) -> SentText:
    """Read the form. Raises: InvalidInput."""
    sent = SentText(**load(TextForm(), data))
    check_text(sent.body)
    return sent
