# SPDX-License-Identifier: EUPL-1.2
"""The forms of lost letters: an address as people type it, and why a letter came back."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from abs_platform.errors import InvalidInput
from abs_platform.form_input import Form, Text, load
from abs_platform.households.address_fields import FieldRefused, checked_number, checked_postcode
from abs_platform.replacements.queries import Address
from abs_platform.replacements.states import ReturnReason

MAX_FIELD = 20
MAX_REASON = 300


class AddressForm(Form):
    """Postcode and house number, the letter and the addition in one field as they stand beside the door."""

    postcode = Text(most=MAX_FIELD, sentence=_l("Vul je postcode in, zoals 7607 AB."))
    house_number = Text(most=MAX_FIELD, sentence=_l("Vul je huisnummer in, met de letter of toevoeging."))


class ClearForm(Form):
    """Why the post arrives again."""

    reason = Text(most=MAX_REASON, sentence=_l("Schrijf op waarom de post weer aankomt."))


def read_address(form: Mapping[str, str]) -> Address:
    """The address that was typed. Raises: InvalidInput beside its field."""
    typed = load(AddressForm(), form)
    try:
        postcode = checked_postcode(typed["postcode"])
    except FieldRefused as refused:
        message = _("Dit is geen postcode. Vul hem in zoals 7607 AB.")
        raise InvalidInput(message, fields={"postcode": message}) from refused
    try:
        number, letter, addition = checked_number(typed["house_number"], "", "")
    except FieldRefused as refused:
        message = _("Dit is geen huisnummer. Vul het in zoals 12, 12A of 12-2.")
        raise InvalidInput(message, fields={"house_number": message}) from refused
    return Address(postcode, number, letter, addition)


def read_why(form: Mapping[str, str]) -> ReturnReason:
    """Why a letter came back. Raises: InvalidInput."""
    try:
        return ReturnReason(form.get("why", ""))
    except ValueError as error:
        message = _("Kies een reden.")
        raise InvalidInput(message, fields={"why": message}) from error


def read_reason(form: Mapping[str, str]) -> str:
    """The reason of a clearing. Raises: InvalidInput."""
    reason: str = load(ClearForm(), form)["reason"]
    return reason
