# SPDX-License-Identifier: EUPL-1.2
"""What the coordinator may send about a round: days as a browser sends them, amounts as people type them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields

from abs_platform.clock import end_of_day, start_of_day
from abs_platform.errors import InvalidInput
from abs_platform.form_input import Form, Text
from abs_platform.money import parse_euros
from abs_platform.rounds.service import MAX_NAME, Plan
from abs_platform.rounds.states import CheckKind

MAX_REASON = 500
# Where a refusal of the service stands on the form.
FIELD_OF = {"opens_at": "opens_on", "closes_at": "closes_on"}


class Day(fields.Field[dt.date]):
    """A day as a browser sends it."""

    def __init__(self, sentence: LazyString | str, **options: Any) -> None:
        super().__init__(required=True, error_messages={"required": sentence}, **options)
        self.sentence = sentence

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:  # noqa: ARG002
        try:
            day = dt.date.fromisoformat(str(value))
        except ValueError as error:
            raise ValidationError(str(self.sentence)) from error
        if not 2000 <= day.year <= 2100:
            raise ValidationError(str(self.sentence))
        return day


class Amount(fields.Field[int]):
    """An amount as people type it, in cents."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=True, error_messages={"required": _l("Vul een bedrag in zoals 7,50.")}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:  # noqa: ARG002
        try:
            return parse_euros(str(value))
        except ValueError as error:
            raise ValidationError(_("Vul een bedrag in zoals 7,50.")) from error


class PlanForm(Form):
    """A round as it is planned. The last day counts whole."""

    name = Text(most=MAX_NAME, sentence=_l("Geef de ronde een naam, zoals Najaar 2026."))
    issue_on = Day(_l("Kies de dag waarop de vouchers worden gemaakt."))
    opens_on = Day(_l("Kies de eerste dag waarop bewoners kunnen geven."))
    closes_on = Day(_l("Kies de laatste dag waarop bewoners kunnen geven."))
    amount = Amount()


class ReasonForm(Form):
    """Why something is done."""

    reason = Text(most=MAX_REASON, sentence=_l("Geef een reden."))


class ExtendForm(ReasonForm):
    """Until when a round goes on."""

    closes_on = Day(_l("Kies de nieuwe laatste dag."))


class BudgetForm(ReasonForm):
    """What the council set aside."""

    reason = Text(most=MAX_REASON, sentence=_l("Geef een reden, zoals het besluit van de raad."))
    amount = Amount()


def plan_of(form: dict[str, Any], districts: Collection[str]) -> Plan:
    """A form as a plan. Raises: InvalidInput without a district."""
    if not districts:
        message = _("Kies minstens één wijk.")
        raise InvalidInput(message, fields={"districts": message})
    return Plan(
        name=form["name"],
        issue_on=form["issue_on"],
        opens_at=start_of_day(form["opens_on"]),
        closes_at=end_of_day(form["closes_on"]),
        amount_cents=form["amount"],
        districts=tuple(districts),
    )


def check_typed_name(typed: str, name: str) -> None:
    """Nothing that cannot be undone goes by one click: the round's name is typed. Raises: InvalidInput."""
    if " ".join(typed.split()).casefold() != " ".join(name.split()).casefold():
        message = _("Typ de naam van de ronde over: %(name)s.", name=name)
        raise InvalidInput(message, fields={"typed": message})


def read_checks(values: Collection[str]) -> set[CheckKind]:
    """The checks that somebody wants to set aside."""
    return {CheckKind(value) for value in values if value in set(CheckKind)}
