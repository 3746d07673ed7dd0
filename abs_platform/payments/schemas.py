# SPDX-License-Identifier: EUPL-1.2
"""What the form for a gift of money may send: input in, plain data out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, post_load, validates_schema

from abs_platform.form_input import Form, Text, load
from abs_platform.mail_server import MAX_ADDRESS, read_address
from abs_platform.money import format_euros, parse_euros
from abs_platform.payments.service import MoneyGift

MAX_NAME = 80
MAX_MESSAGE = 280
MAX_AMOUNT = 20
OTHER = "other"
_NO_TICK = {"invalid": _l("Laad de pagina opnieuw en probeer het nog een keer.")}


class MoneyForm(Form):
    """The page to give money on.

    ``amount`` is what was chosen, in euros, or "other" for ``own_amount``. A typed amount beside another one that was
    chosen is asked about and never guessed at. Who names an organisation gives for it; the name is shown only if asked.
    """

    amount = Text(most=MAX_AMOUNT, least=0)
    own_amount = Text(most=MAX_AMOUNT, least=0)
    giver_name = Text(most=MAX_NAME, least=0)
    message = Text(most=MAX_MESSAGE, least=0)
    organisation_name = Text(most=MAX_NAME, least=0)
    shows_organisation = fields.Boolean(load_default=False, error_messages=_NO_TICK)
    receipt_email = Text(most=MAX_ADDRESS, least=0)
    wants_news = fields.Boolean(load_default=False, error_messages=_NO_TICK)
    idempotency_key = fields.UUID(
        required=True,
        error_messages={
            "invalid_uuid": _l("Laad de pagina opnieuw en probeer het nog een keer."),
            "required": _l("Laad de pagina opnieuw en probeer het nog een keer."),
        },
    )

    @validates_schema(skip_on_field_errors=False)
    def _fits_together(self, data: dict[str, Any], **_kwargs: Any) -> None:
        wrong: dict[str, str] = {}
        try:
            read_amount(data.get("amount", ""), data.get("own_amount", ""))
        except ValidationError as error:
            wrong[error.field_name] = str(error.messages[0])
        if email := data.get("receipt_email"):
            try:
                read_address(email)
            except ValueError:
                wrong["receipt_email"] = _("Vul een e-mailadres in zoals naam@voorbeeld.nl, of laat het leeg.")
        elif data.get("wants_news"):
            wrong["receipt_email"] = _("Vul je e-mailadres in als je nieuws wilt.")
        if data.get("shows_organisation") and not data.get("organisation_name"):
            wrong["organisation_name"] = _("Vul de naam van je organisatie in, of haal het vinkje weg.")
        if wrong:
            raise ValidationError({name: [sentence] for name, sentence in wrong.items()})

    @post_load
    def _gift(self, data: dict[str, Any], **_kwargs: Any) -> MoneyGift:
        email = read_address(data["receipt_email"]) if data["receipt_email"] else None
        organisation = " ".join(data["organisation_name"].split()) or None
        return MoneyGift(
            amount_cents=read_amount(data["amount"], data["own_amount"]),
            giver_name=(organisation if data["shows_organisation"] else " ".join(data["giver_name"].split())) or None,
            message=data["message"] or None,
            receipt_email=email,
            giver_email=email if data["wants_news"] else None,
            organisation_name=organisation,
            is_organisation=organisation is not None,
            idempotency_key=data["idempotency_key"],
        )


def read_amount(chosen: str, typed: str) -> int:
    """The amount in cents. Raises: ValidationError naming the field."""
    if not typed:
        if chosen in {"", OTHER}:
            field = "own_amount" if chosen else "amount"
            raise ValidationError(_("Kies een bedrag of vul zelf een bedrag in."), field)
        return _cents(chosen, "amount")
    cents = _cents(typed, "own_amount")
    if chosen not in {"", OTHER} and _cents(chosen, "amount") != cents:
        words = {"chosen": format_euros(_cents(chosen, "amount")), "typed": format_euros(cents)}
        sentence = _("Je koos %(chosen)s en vulde ook %(typed)s in. Kies een van de twee.", **words)
        raise ValidationError(sentence, "amount")
    return cents


def _cents(text: str, field: str) -> int:
    try:
        return parse_euros(text)
    except ValueError as error:
        raise ValidationError(_("Vul een bedrag in, zoals 10 of 7,50."), field) from error


def load_gift(data: Mapping[str, Any]) -> MoneyGift:
    """Read the form. Raises: InvalidInput with a sentence for each field."""
    gift: MoneyGift = load(MoneyForm(), data)  # type: ignore[assignment]
    return gift
