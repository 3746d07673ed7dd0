# SPDX-License-Identifier: EUPL-1.2
"""The coordinator's forms about addresses: searching one, adding and splitting by hand, and sending files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from abs_platform.errors import InvalidInput
from abs_platform.form_input import Form, Text, load
from abs_platform.households.address_fields import (
    MAX_NAME,
    FieldRefused,
    checked_id,
    checked_name,
    checked_number,
    checked_postcode,
)
from abs_platform.households.queries import NewAddress

MAX_FIELD = 20
MAX_REASON = 300
MAX_NUMBERS = 400
MAX_EDITION = 40
MIN_STREET = 3
OBJECT_TYPES = (("VBO", _l("woning")), ("LIG", _l("ligplaats")), ("STA", _l("standplaats")))
_REASON = _l("Schrijf op waarom. Dit komt in het logboek.")


class SearchForm(Form):
    """A postcode or a street, with or without a number."""

    postcode = Text(least=0, most=MAX_FIELD)
    street = Text(least=0, most=MAX_NAME)
    house_number = Text(least=0, most=MAX_FIELD)


class ReasonForm(Form):
    """Why."""

    reason = Text(most=MAX_REASON, sentence=_REASON)


class AddForm(ReasonForm):
    """A new address."""

    street = Text(most=MAX_NAME, sentence=_l("Vul de straat in."))
    house_number = Text(most=MAX_FIELD, sentence=_l("Vul het huisnummer in, met de letter of toevoeging."))
    postcode = Text(most=MAX_FIELD, sentence=_l("Vul de postcode in, zoals 7607 AB."))
    city = Text(most=MAX_NAME, sentence=_l("Vul de plaats in."))
    neighbourhood = Text(most=MAX_FIELD, sentence=_l("Kies een buurt."))
    object_type = Text(most=MAX_FIELD, sentence=_l("Kies wat het is."))
    bag_object_id = Text(least=0, most=MAX_FIELD)


class SplitForm(ReasonForm):
    """The numbers that one address becomes."""

    numbers = Text(most=MAX_NUMBERS, sentence=_l("Vul de nummers in, met komma's ertussen, zoals 12A, 12B."))


class FilesForm(Form):
    """What stands beside the two files."""

    edition = Text(least=0, most=MAX_EDITION)


class ApplyForm(Form):
    """Why many addresses go; empty when they do not."""

    reason = Text(least=0, most=MAX_REASON)


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for."""

    postcode: str
    street: str
    house_number: int | None


def read_search(form: Mapping[str, str]) -> Search:
    """What to look for. Raises: InvalidInput beside its field."""
    typed = load(SearchForm(), form)
    postcode, number = "", None
    if not typed["postcode"] and len(typed["street"]) < MIN_STREET:
        message = _("Vul een postcode in, of ten minste de eerste drie letters van de straat.")
        raise InvalidInput(message, fields={"postcode": message})
    if typed["postcode"]:
        postcode = _postcode(typed["postcode"])
    if typed["house_number"]:
        number = _number(typed["house_number"])[0]
    return Search(postcode, typed["street"], number)


def read_reason(form: Mapping[str, str]) -> str:
    """The reason of a change. Raises: InvalidInput."""
    reason: str = load(ReasonForm(), form)["reason"]
    return reason


def read_address(form: Mapping[str, str]) -> tuple[NewAddress, str]:
    """A new address and why it is added. Raises: InvalidInput beside its field."""
    typed = load(AddForm(), form)
    number, letter, addition = _number(typed["house_number"])
    if typed["object_type"] not in {name for name, _label in OBJECT_TYPES}:
        raise _refused("object_type", _("Kies wat het is."))
    if not (typed["neighbourhood"].isascii() and typed["neighbourhood"].isdecimal()):
        raise _refused("neighbourhood", _("Kies een buurt."))
    address = NewAddress(
        street=_checked("street", _("Vul de straat in."), checked_name, "openbareruimte", typed["street"]),
        house_number=number,
        house_letter=letter,
        house_addition=addition,
        postcode=_postcode(typed["postcode"]),
        city=_checked("city", _("Vul de plaats in."), checked_name, "woonplaats", typed["city"]),
        neighbourhood_id=int(typed["neighbourhood"][:18]),
        object_type=typed["object_type"],
        bag_object_id=_object_id(typed["bag_object_id"]),
    )
    return address, typed["reason"]


def read_split(form: Mapping[str, str], house_number: int) -> tuple[list[tuple[str, str]], str]:
    """Letter and addition of each number that an address becomes, and why. Raises: InvalidInput beside its field."""
    typed = load(SplitForm(), form)
    parts = []
    for one in typed["numbers"].replace("\n", ",").split(","):
        if not one.strip():
            continue
        try:
            number, letter, addition = checked_number(one, "", "")
        except FieldRefused as refused:
            raise _refused("numbers", _("'%(typed)s' is geen huisnummer.", typed=one.strip()[:MAX_FIELD])) from refused
        if number != house_number:
            raise _refused("numbers", _("Elk nummer begint met %(number)s, zoals %(number)sA.", number=house_number))
        parts.append((letter, addition))
    return parts, typed["reason"]


def read_edition(form: Mapping[str, str]) -> str:
    """What the coordinator calls the files; "" when nothing was said. Raises: InvalidInput."""
    edition: str = load(FilesForm(), form)["edition"]
    return edition


def read_apply_reason(form: Mapping[str, str]) -> str:
    """Why many addresses go, or "". Raises: InvalidInput."""
    reason: str = load(ApplyForm(), form)["reason"]
    return reason


def _postcode(typed: str) -> str:
    return str(_checked("postcode", _("Dit is geen postcode. Vul hem in zoals 7607 AB."), checked_postcode, typed))


def _number(typed: str) -> tuple[int, str, str]:
    try:
        return checked_number(typed, "", "")
    except FieldRefused as refused:
        raise _refused("house_number", _("Dit is geen huisnummer. Vul het in zoals 12, 12A of 12-2.")) from refused


def _object_id(typed: str) -> str:
    if not typed:
        return ""
    sentence = _("Een nummer uit de BAG heeft 16 cijfers. Weet je het niet, laat dit dan leeg.")
    return str(_checked("bag_object_id", sentence, checked_id, "object_id", typed))


def _checked(field: str, sentence: str, check: Any, *arguments: str) -> Any:
    try:
        return check(*arguments)
    except FieldRefused as refused:
        raise _refused(field, sentence) from refused


def _refused(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={field: sentence})
