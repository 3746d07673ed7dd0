# SPDX-License-Identifier: EUPL-1.2
"""What the forms of following may send: an e-mail address, and what is chosen out of areas and themes."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, validates

from abs_platform.form_input import Form, Text
from abs_platform.households.address_fields import FieldRefused, checked_postcode
from abs_platform.mail_server import read_address

MAX_EMAIL = 254
MAX_POSTCODE = 20


class ChoiceForm(Form):
    """What somebody wants to follow: keys of topics, a postcode for the neighbourhood, an area from the list."""

    postcode = Text(most=MAX_POSTCODE, least=0)
    gebied = Text(most=40, least=0)
    taal = Text(most=2, least=0)
    wat = fields.List(fields.String(), load_default=list)
    thema = fields.List(fields.String(), load_default=list)

    @validates("postcode")
    def _is_postcode(self, value: str, **_kwargs: Any) -> None:
        if value:
            try:
                checked_postcode(value)
            except FieldRefused as refused:
                raise ValidationError(_("Dit is geen postcode. Vul hem in zoals 7607 AB.")) from refused


class EmailForm(Form):
    """An e-mail address to send a link to."""

    email = Text(most=MAX_EMAIL, sentence=_l("Vul je e-mailadres in zoals naam@voorbeeld.nl."))

    @validates("email")
    def _is_address(self, value: str, **_kwargs: Any) -> None:
        try:
            read_address(value)
        except ValueError as error:
            raise ValidationError(_("Vul je e-mailadres in zoals naam@voorbeeld.nl.")) from error


class AskForm(ChoiceForm, EmailForm):
    """Asking to follow without an account."""
