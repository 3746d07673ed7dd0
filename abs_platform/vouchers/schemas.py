# SPDX-License-Identifier: EUPL-1.2
"""What the giving forms and the API may send: input in, plain data out."""

from __future__ import annotations

import uuid
from typing import Any

from flask_babel import gettext as _
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load, validate

from abs_platform.donations.service import GiftDetails
from abs_platform.errors import InvalidInput

MAX_NAME = 80
MAX_MESSAGE = 280
MAX_EMAIL = 254
MAX_CODE = 200
MAX_ID = 2**63 - 1
_JOINER = "\u200d"


def _n(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated when it is shown."""
    return message


_LONG_NAME = _n("Maak je naam korter: hoogstens 80 tekens.")
_LONG_MESSAGE = _n("Maak je bericht korter: hoogstens 280 tekens.")
_BAD_EMAIL = _n("Vul een e-mailadres in zoals naam@voorbeeld.nl, of laat het leeg.")
_NO_EMAIL = _n("Vul je e-mailadres in als je nieuws wilt.")
_BAD_PLAN_B = _n("Kies een tweede keus uit de lijst.")
_BAD_KEY = _n("Laad de pagina opnieuw en probeer het nog een keer.")


class GiftForm(Schema):
    """The fields of the confirm page. Empty ones count as not sent."""

    class Meta:
        """Browsers send fields of their own."""

        unknown = EXCLUDE

    giver_name = fields.String(load_default=None, validate=validate.Length(max=MAX_NAME, error=_LONG_NAME))
    message = fields.String(load_default=None, validate=validate.Length(max=MAX_MESSAGE, error=_LONG_MESSAGE))
    giver_email = fields.Email(
        load_default=None,
        validate=validate.Length(max=MAX_EMAIL, error=_BAD_EMAIL),
        error_messages={"invalid": _BAD_EMAIL},
    )
    wants_news = fields.Boolean(load_default=False)
    plan_b_id = fields.Integer(
        load_default=None,
        validate=validate.Range(min=1, max=MAX_ID, error=_BAD_PLAN_B),
        error_messages={"invalid": _BAD_PLAN_B},
    )
    idempotency_key = fields.UUID(load_default=None, error_messages={"invalid_uuid": _BAD_KEY})

    @pre_load
    def _tidy(self, data: Any, **_kwargs: Any) -> dict[str, Any]:
        tidied = {}
        for name, value in dict(data).items():
            text = plain_text(value) if isinstance(value, str) else value
            if text not in {"", None}:
                tidied[name] = text
        return tidied

    @post_load
    def _details(self, data: dict[str, Any], **_kwargs: Any) -> GiftDetails:
        if data["wants_news"] and not data["giver_email"]:
            raise ValidationError(_NO_EMAIL, "giver_email")
        key: uuid.UUID | None = data["idempotency_key"]
        return GiftDetails(
            giver_name=data["giver_name"],
            message=data["message"],
            giver_email=data["giver_email"] if data["wants_news"] else None,
            plan_b_initiative_id=data["plan_b_id"],
            idempotency_key=key,
        )


def plain_text(text: str) -> str:
    """Text without control characters: PostgreSQL refuses NUL, and nobody types the others.

    A pasted space of another kind becomes a space; the joiner that holds one emoji together stays.
    """
    spaced = (" " if character.isspace() and character not in "\n\r\t" else character for character in text)
    return "".join(c for c in spaced if c.isprintable() or c in f"\n\r\t{_JOINER}").strip()


def load_gift(data: Any) -> GiftDetails:
    """Read the confirm page. Raises: InvalidInput with a sentence for each field."""
    try:
        details: GiftDetails = GiftForm().load(data)
    except ValidationError as error:
        refused: dict[str, list[str]] = error.normalized_messages()  # type: ignore[no-untyped-call]
        messages = {"form" if name == "idempotency_key" else name: _(texts[0]) for name, texts in refused.items()}
        raise InvalidInput(" ".join(messages.values()), fields=messages) from error
    return details


def read_id(text: str) -> int | None:
    """A row's number from a form or a query; None when it is not one."""
    text = text.strip()
    return (
        int(text) if text.isascii() and text.isdecimal() and 0 < int(text[:20]) <= MAX_ID and len(text) < 20 else None
    )
