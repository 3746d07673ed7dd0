# SPDX-License-Identifier: EUPL-1.2
"""What the forms of an account may send: an e-mail address, a code of six digits, a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from abs_platform.errors import InvalidInput
from abs_platform.mail_server import read_address

MAX_NAME = 80
MAX_TYPED = 300
CODE_DIGITS = 6
# What people paste along with the digits.
_BETWEEN = str.maketrans("", "", " -.\t\r\n\u00a0\u200b\u202f\u2060\ufeff")


def _n(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated when it is shown."""
    return message


_BAD_EMAIL = _n("Vul je e-mailadres in zoals naam@voorbeeld.nl.")
_BAD_CODE = _n("Typ de 6 cijfers uit de mail over.")
_NO_NAME = _n("Vul je naam in.")
_LONG_NAME = _n("Maak je naam korter: hoogstens 80 tekens.")


class EmailForm(Schema):
    """The page to sign in."""

    class Meta:
        """Browsers send fields of their own."""

        unknown = EXCLUDE

    email = fields.String(required=True, error_messages={"required": _BAD_EMAIL, "invalid": _BAD_EMAIL})

    @post_load
    def _read(self, data: dict[str, Any], **_kwargs: Any) -> str:
        try:
            return read_address(data["email"])
        except ValueError as error:
            raise ValidationError(_BAD_EMAIL, "email") from error


class CodeForm(Schema):
    """The page that asks for the code of the mail."""

    class Meta:
        """Browsers send fields of their own."""

        unknown = EXCLUDE

    code = fields.String(required=True, error_messages={"required": _BAD_CODE, "invalid": _BAD_CODE})

    @post_load
    def _read(self, data: dict[str, Any], **_kwargs: Any) -> str:
        digits = str(data["code"])[:MAX_TYPED].translate(_BETWEEN)
        if len(digits) != CODE_DIGITS or not (digits.isascii() and digits.isdigit()):
            raise ValidationError(_BAD_CODE, "code")
        return digits


class NameForm(Schema):
    """How others see this person."""

    class Meta:
        """Browsers send fields of their own."""

        unknown = EXCLUDE

    name = fields.String(required=True, error_messages={"required": _NO_NAME, "invalid": _NO_NAME})

    @post_load
    def _read(self, data: dict[str, Any], **_kwargs: Any) -> str:
        name = tidy(data["name"])
        validate.Length(min=1, error=_NO_NAME)(name)
        validate.Length(max=MAX_NAME, error=_LONG_NAME)(name)
        return name


def tidy(text: str) -> str:
    """One line without control characters; words stand apart by one space."""
    return " ".join("".join(c if c.isprintable() or c == "\u200d" else " " for c in text).split())


def load(schema: type[Schema], form: Mapping[str, Any]) -> str:
    """Read the one field of a form. Raises: InvalidInput with a sentence for it."""
    try:
        return str(schema().load(dict(form)))
    except ValidationError as error:
        refused: dict[str, list[str]] = error.normalized_messages()  # type: ignore[no-untyped-call]
        (name,) = schema().fields
        sentence = _(next(iter(refused.values()))[0])
        raise InvalidInput(sentence, fields={name: sentence}) from error
