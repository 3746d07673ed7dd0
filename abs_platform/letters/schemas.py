# SPDX-License-Identifier: EUPL-1.2
"""What the coordinator's forms about letters must look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from abs_platform.errors import InvalidInput
from abs_platform.form_input import Form, Text, load
from abs_platform.letters.content import LetterContent
from abs_platform.letters.writing import MAX_NOTE

MAX_REASON = 300


class NoteForm(Form):
    """What stands beside a version."""

    note = Text(least=0, most=MAX_NOTE)


class WithdrawForm(Form):
    """Why a run of letters is taken back."""

    reason = Text(least=5, most=MAX_REASON, sentence=_l("Schrijf in een korte zin waarom."))


def check_sure(data: Mapping[str, Any], sentence: str) -> None:
    """Whether the tick that says so is there. Raises: InvalidInput."""
    if data.get("sure") != "1":
        raise InvalidInput(sentence, fields={"sure": sentence})


def load_text(data: Mapping[str, Any]) -> tuple[LetterContent, str]:
    """Read the form of the letter: the text, and the note beside it. Raises: InvalidInput with a sentence for each."""
    wrong: dict[str, str] = {}
    content, note = None, ""
    try:
        content = LetterContent.load(data)
    except InvalidInput as error:
        wrong |= error.fields
    try:
        note = load(NoteForm(), data)["note"]
    except InvalidInput as error:
        wrong |= error.fields
    if content is None or wrong:
        raise InvalidInput(" ".join(wrong.values()), fields=wrong)
    return content, note
