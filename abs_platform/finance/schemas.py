# SPDX-License-Identifier: EUPL-1.2
"""What finance may send: how a task was settled and why, and what to look for in tasks and books."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, validates_schema

from abs_platform.finance.queries import TaskFilters
from abs_platform.finance.settling import MAX_NOTE
from abs_platform.finance.states import Settlement, TaskKind
from abs_platform.form_input import Form, Text
from abs_platform.ledger.browsing import Filters
from abs_platform.ledger.reports import Period
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.money import euros_in, parse_euros
from abs_platform.payouts.schemas import holds_iban
from abs_platform.rich_text import without_unseen

MAX_SEARCH = 80
CLOSED = "gesloten"


class NoteText(Text):
    """What finance writes down, without an account number in it."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if holds_iban(text):
            raise ValidationError(_("Zet hier geen rekeningnummer neer."))
        return text


class Amount(fields.Field[int | None]):
    """What somebody paid by hand, as people type it, in cents; empty is None."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int | None:  # noqa: ARG002
        if not str(value).strip():
            return None
        try:
            return parse_euros(str(value))
        except ValueError as error:
            raise ValidationError(_("Vul een bedrag in zoals 12,50.")) from error


class SettleForm(Form):
    """How a task was settled."""

    settlement = fields.Enum(
        Settlement,
        by_value=True,
        required=True,
        error_messages={"required": _l("Kies wat je hebt gedaan."), "unknown": _l("Kies wat je hebt gedaan.")},
    )
    amount = Amount(load_default=None, allow_none=True)
    note = NoteText(most=MAX_NOTE, sentence=_l("Schrijf op wat je hebt gedaan. Een collega leest het later terug."))

    @validates_schema
    def _amount_by_hand(self, data: dict[str, Any], **_more: Any) -> None:
        """What was paid by hand is typed over, so that it is what the giver must have."""
        if data.get("settlement") == Settlement.PAID_BY_HAND and data.get("amount") is None:
            raise ValidationError(_("Vul in hoeveel je hebt betaald."), field_name="amount")


def read_task_filters(args: Mapping[str, str]) -> tuple[TaskFilters, dict[str, str]]:
    """The filters of the tasks, and what of them stays in the address."""
    kind = next((one for one in TaskKind if one.value == args.get("soort")), None)
    search = " ".join(without_unseen(args.get("zoek", ""))[:MAX_SEARCH].split())
    is_closed = args.get("stand") == CLOSED
    kept = {"stand": CLOSED} if is_closed else {}
    kept |= {"soort": kind.value} if kind else {}
    kept |= {"zoek": search} if search else {}
    return TaskFilters(is_closed, kind, search), kept


def read_filters(args: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """The filters of the transactions, and what of them stays in the address."""
    period = Period.read(args.get("periode", ""))
    account = next((one for one in Account if one.value == args.get("rekening")), None)
    kind = next((one for one in TransactionKind if one.value == args.get("soort")), None)
    number = read_number(args.get("initiatief", ""))
    amount = args.get("bedrag", "").strip()[:MAX_SEARCH]
    cents = euros_in(amount)
    kept = {
        "periode": period.slug if period else "",
        "rekening": account.value if account else "",
        "soort": kind.value if kind else "",
        "initiatief": str(number) if number else "",
        "bedrag": amount if cents is not None else "",
    }
    filters = Filters(period=period, account=account, kind=kind, initiative_id=number, cents=cents)
    return filters, {name: value for name, value in kept.items() if value}


def read_number(text: str) -> int | None:
    """A number as somebody types it, "#12" too; None for anything else."""
    digits = text.strip().removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 19 else None


def read_page(args: Mapping[str, str]) -> int:
    """The page of a list."""
    found = read_number(args.get("pagina", ""))
    return found if found is not None and found < 1_000_000 else 1
