# SPDX-License-Identifier: EUPL-1.2
"""What the forms of payouts may send: an IBAN that can be paid by SEPA, the exact name of its holder, reasons.

An account number stands in its own field and nowhere else: texts that hold one are refused, because texts go into
mails and into the event log.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, validates
from schwifty import IBAN
from schwifty.exceptions import InvalidChecksumDigits, InvalidLength, SchwiftyException

from abs_platform.form_input import Form, Text, load
from abs_platform.money import parse_euros
from abs_platform.payouts.sepa import LONGEST_NAME, clean
from abs_platform.payouts.service import BankDetails
from abs_platform.payouts.states import HolderKind

MAX_REMARK, MAX_NOTE, MAX_SEARCH = 1_000, 200, 80
LEAST_NAME = 2
_MOST_CENTS = 100_000_000
_NUMBER = re.compile(r"\b[A-Z]{2}\d{2}(?:[\s.-]?[A-Z0-9]){11,30}", re.IGNORECASE)


class Amount(fields.Field[int]):
    """An amount as people type it, in cents."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:  # noqa: ARG002
        try:
            cents = parse_euros(str(value))
        except ValueError as error:
            raise ValidationError(_("Vul een bedrag in zoals 12,50.")) from error
        if not 0 < cents <= _MOST_CENTS:
            raise ValidationError(_("Vul een bedrag in van meer dan nul. Kijk of het klopt."))
        return cents


class Iban(fields.Field[str]):
    """An account number of any country that takes part in SEPA, without spaces. Empty is "" (when correcting)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        return read_iban(str(value))


class ReasonText(Text):
    """A text of staff, without an account number in it."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if holds_iban(text):
            raise ValidationError(_("Noem hier geen rekeningnummer: deze tekst staat ook in mails en in het logboek."))
        return text


class Day(fields.Field[dt.date]):
    """A day as browsers send it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:  # noqa: ARG002
        try:
            return dt.date.fromisoformat(str(value).strip())
        except ValueError as error:
            raise ValidationError(_("Kies een dag.")) from error


class DetailsForm(Form):
    """The bank details of an initiative."""

    iban = Iban(load_default="")
    holder_name = Text(least=LEAST_NAME, most=LONGEST_NAME, sentence=_l("Vul de naam in die bij de rekening hoort."))
    holder_kind = fields.Enum(
        HolderKind,
        by_value=True,
        required=True,
        error_messages={"required": _l("Kies van wie de rekening is."), "unknown": _l("Kies van wie de rekening is.")},
    )
    amount = Amount(load_default=0)

    def __init__(self, *, own_iban: str | None, is_new: bool) -> None:
        super().__init__()
        self.own_iban, self.is_new = own_iban, is_new

    @validates("iban")
    def _iban_is_theirs(self, iban: str, **_more: Any) -> None:
        """A new request needs a number; nothing is paid out to the municipality itself."""
        if self.is_new and not iban:
            raise ValidationError(_("Vul het rekeningnummer in."))
        if self.own_iban is not None and iban == self.own_iban:
            raise ValidationError(_("Dit is de rekening van de gemeente zelf. Vul die van jullie in."))

    @validates("holder_name")
    def _name_is_a_name(self, name: str, **_more: Any) -> None:
        if holds_iban(name):
            raise ValidationError(_("Vul hier de naam in, en niet het rekeningnummer."))
        if sum(sign.isalpha() for sign in clean(name, LONGEST_NAME)) < LEAST_NAME:
            raise ValidationError(_("Banken kennen deze tekens niet. Schrijf de naam in gewone letters."))


class RemarkForm(Form):
    """What is missing."""

    remark = ReasonText(most=MAX_REMARK, sentence=_l("Schrijf op wat er mist."))


class RefusalForm(Form):
    """Why it is not paid."""

    reason = ReasonText(most=MAX_REMARK, sentence=_l("Geef een reden."))


class PaidForm(Form):
    """That the bank paid it, by hand."""

    paid_on = Day(required=True, error_messages={"required": _l("Kies een dag.")})
    paid_note = ReasonText(most=MAX_NOTE, sentence=_l("Schrijf op waarom je dit met de hand doet."))


class BouncedForm(Form):
    """That it came back, by hand."""

    bounce_reason = ReasonText(most=MAX_NOTE, sentence=_l("Schrijf op wat de bank meldt."))


class ReturnForm(Form):
    """What an initiative paid back."""

    amount = Amount(required=True, error_messages={"required": _l("Vul een bedrag in zoals 12,50.")})
    received_on = Day(required=True, error_messages={"required": _l("Kies een dag.")})
    note = ReasonText(most=MAX_NOTE, least=0)
    form_key = fields.UUID(
        required=True,
        error_messages={
            "required": _l("Laad de pagina opnieuw en probeer het nog een keer."),
            "invalid_uuid": _l("Laad de pagina opnieuw en probeer het nog een keer."),
        },
    )


def read_iban(text: str) -> str:
    """An account number without spaces, or "" for nothing. Raises: ValidationError with what to look at."""
    typed = "".join(text.split()).replace("-", "").replace(".", "").upper()
    if not typed:
        return ""
    try:
        iban = IBAN(typed)
    except InvalidChecksumDigits as error:
        raise ValidationError(_("Dit rekeningnummer klopt niet. Er zit een typefout in: kijk het na.")) from error
    except InvalidLength as error:
        raise ValidationError(_("Dit rekeningnummer is te kort of te lang. Kijk het na.")) from error
    except (SchwiftyException, ValueError) as error:
        message = _("Dit is geen rekeningnummer (IBAN). Het begint met twee letters en twee cijfers, zoals NL91.")
        raise ValidationError(message) from error
    if not iban.in_sepa_zone:
        raise ValidationError(_("Naar een bank in dit land kunnen we niet overmaken. Neem een rekening in Europa."))
    return iban.compact


def holds_iban(text: str) -> bool:
    """Whether somebody wrote an account number in a text: a candidate of which some beginning is a real one."""
    for found in _NUMBER.finditer(text):
        candidate = re.sub(r"[\s.-]", "", found[0]).upper()
        if any(_is_iban(candidate[:length]) for length in range(15, len(candidate) + 1)):
            return True
    return False


def _is_iban(text: str) -> bool:
    return IBAN(text, allow_invalid=True).is_valid


def read_details(form: Mapping[str, str], *, own_iban: str | None, is_new: bool) -> BankDetails:
    """What the initiator filled in. ``own_iban`` is the municipality's, to which nothing is paid out.

    Raises: InvalidInput with a sentence for each field.
    """
    typed = load(DetailsForm(own_iban=own_iban, is_new=is_new), form)
    return BankDetails(
        amount_cents=typed["amount"],
        iban=typed["iban"],
        holder_name=" ".join(typed["holder_name"].split()),
        holder_kind=typed["holder_kind"],
    )


def read_version(form: Mapping[str, str]) -> int:
    """Which version somebody looked at; 0, which is none, when it is no number."""
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def new_form_key() -> str:
    """What makes a form that is sent twice one."""
    return str(uuid.uuid4())
