# SPDX-License-Identifier: EUPL-1.2
"""What the forms about organisers may send: names, addresses, who is asked, and reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from marshmallow import fields

from abs_platform.errors import InvalidInput
from abs_platform.form_input import Form, Line, Text, load
from abs_platform.initiatives.inviting import Address
from abs_platform.initiatives.schemas import collect, refusal
from abs_platform.mail_server import read_address
from abs_platform.rich_text import without_unseen

_POSTCODE = re.compile(r"[1-9][0-9]{3} ?[A-Z]{2}")
_HOUSE_NUMBER = re.compile(r"[0-9]{1,5}(?: ?[-/]? ?[0-9A-Za-z]{1,6}){0,2}")
MAX_NAME = 80
MAX_REASON = 1_000
MAX_AUDIENCE = 500


class PeopleForm(Form):
    """For whom it is."""

    audience = Text(most=MAX_AUDIENCE, least=0)


class PersonForm(Form):
    """A name. Where this is asked it has to be there."""

    name = Line(most=MAX_NAME, sentence="Vul een naam in.")


class AddressForm(PersonForm):
    """Where somebody lives."""

    postcode = Line(most=10, sentence="Vul je postcode in, zoals 1234 AB.")
    house_number = Line(most=20, sentence="Vul je huisnummer in, zoals 12 of 12a.")
    is_name_public = fields.Boolean(load_default=False)


class ReasonForm(Form):
    """A reason."""

    reason = Text(most=MAX_REASON, sentence="Schrijf in een paar woorden waarom.")


class AnswerForm(Form):
    """A reason that may be left out."""

    reason = Text(most=MAX_REASON, least=0)


def load_invited(form: Mapping[str, str]) -> tuple[str, str]:
    """Name and e-mail address of who is asked to carry it too. Raises: InvalidInput."""

    def name() -> dict[str, Any]:
        try:
            return load(PersonForm(), {"name": form.get("invited_name", "")})
        except InvalidInput as error:
            raise refusal("invited_name", error.fields["name"]) from error

    def email() -> dict[str, Any]:
        try:
            return {"email": read_address(without_unseen(form.get("invited_email", "")))}
        except ValueError as error:
            raise refusal("invited_email", _("Vul een e-mailadres in zoals naam@voorbeeld.nl.")) from error

    typed = collect(name, email)
    return typed["name"], typed["email"]


def load_people(form: Mapping[str, str], *, with_address: bool) -> tuple[dict[str, Any], Address | None]:
    """For whom it is, and the initiator's own address unless both its fields are still empty. Raises: InvalidInput."""
    is_empty = not (form.get("postcode", "").strip() or form.get("house_number", "").strip())
    readers = [lambda: load(PeopleForm(), form)]
    if with_address and not is_empty:
        readers.append(lambda: {"address": load_address(form)})
    found = collect(*readers)
    return {"audience": found["audience"]}, found.get("address")


def load_address(form: Mapping[str, str]) -> Address:
    """Who somebody is and where she lives. Raises: InvalidInput."""

    def checked() -> dict[str, Any]:
        typed = load(AddressForm(), form)
        postcode = typed["postcode"].upper().replace("\u00a0", " ")
        house_number = " ".join(typed["house_number"].split())
        wrong = {}
        if not _POSTCODE.fullmatch(postcode):
            wrong["postcode"] = _("Vul een postcode in zoals 1234 AB.")
        if not _HOUSE_NUMBER.fullmatch(house_number):
            wrong["house_number"] = _("Vul een huisnummer in zoals 12 of 12a.")
        if wrong:
            raise InvalidInput(" ".join(wrong.values()), fields=wrong)
        return typed | {"postcode": postcode.replace(" ", ""), "house_number": house_number}

    return Address(**checked())


def load_reason(form: Mapping[str, str], *, required: bool) -> str:
    """Why. Raises: InvalidInput."""
    reason: str = load(ReasonForm() if required else AnswerForm(), form)["reason"]
    return reason
