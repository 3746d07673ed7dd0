# SPDX-License-Identifier: EUPL-1.2
"""What the forms of an accountability may send."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields

from abs_platform.accountability.states import MAX_CENTS, MAX_DESCRIPTION, MAX_NO_RECEIPT, MAX_REMARK, MAX_STORY
from abs_platform.form_input import Form, Text
from abs_platform.money import parse_euros


class Euros(fields.Field[int]):
    """An amount as people type it, in cents. Empty is None."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int | None:  # type: ignore[override]  # noqa: ARG002
        text = str(value).strip()
        if not text:
            return None
        try:
            cents = parse_euros(text)
        except ValueError as error:
            raise ValidationError(_("Vul een bedrag in zoals 12,50.")) from error
        if cents > MAX_CENTS:
            raise ValidationError(_("Dit bedrag is te hoog. Kijk of het klopt."))
        return cents


class StoryForm(Form):
    """How it went."""

    story = Text(most=MAX_STORY, least=0)


class CostForm(Form):
    """What a line of the budget really cost."""

    actual = Euros(load_default=None)
    no_receipt_reason = Text(most=MAX_NO_RECEIPT, least=0)


class NewCostForm(CostForm):
    """A cost that was not in the budget."""

    description = Text(most=MAX_DESCRIPTION, sentence=_l("Schrijf op waar het geld aan is besteed."))


class RemarkForm(Form):
    """What the desk found missing."""

    remark = Text(most=MAX_REMARK, sentence=_l("Schrijf op wat er mist."))
