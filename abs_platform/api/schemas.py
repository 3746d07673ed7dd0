# SPDX-License-Identifier: EUPL-1.2
"""What the API takes and gives, in camelCase."""

from __future__ import annotations

from typing import Any

from flask import url_for
from marshmallow import Schema, fields, validate

from abs_platform.initiatives.queries import InitiativeCard
from abs_platform.initiatives.states import PUBLIC_STATES
from abs_platform.vouchers.schemas import MAX_CODE, MAX_EMAIL, MAX_ID, MAX_MESSAGE, MAX_NAME, plain_text

MAX_PAGE_SIZE = 100
_STATES = [state.value for state in PUBLIC_STATES]


class CamelCaseSchema(Schema):
    """Properties in camelCase, as the API Design Rules ask; names in code stay snake_case."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Name the property after the field."""
        first, *rest = (field_obj.data_key or field_name).split("_")
        field_obj.data_key = first + "".join(word.capitalize() for word in rest)


class PlainText(fields.String):
    """Text without control characters."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return plain_text(str(super()._deserialize(value, attr, data, **kwargs)))


class PlainEmail(PlainText, fields.Email):
    """An e-mail address without control characters."""


class InitiativesQuery(CamelCaseSchema):
    """Filters of the list."""

    status = fields.String(load_default=None, validate=validate.OneOf(_STATES))
    district = fields.String(load_default=None, validate=validate.Length(max=20))
    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=100_000))
    page_size = fields.Integer(load_default=20, validate=validate.Range(min=1, max=MAX_PAGE_SIZE))


class InitiativeSchema(CamelCaseSchema):
    """An initiative with its totals; amounts in euro cents."""

    id = fields.Integer(required=True)
    title = fields.String(required=True)
    summary = fields.String(required=True)
    theme = fields.String(required=True)
    status = fields.String(required=True, attribute="state")
    scope = fields.String(required=True)
    area_name = fields.String(required=True)
    district_name = fields.String(required=True, allow_none=True)
    target_cents = fields.Integer(required=True)
    raised_cents = fields.Integer(required=True)
    givers = fields.Integer(required=True)
    deadline_on = fields.Date(required=True)
    url = fields.Method("_url_of", metadata={"type": "string", "format": "uri"})

    def _url_of(self, card: InitiativeCard) -> str:
        return url_for("initiatives.show", initiative_id=card.id, slug=card.slug, _external=True)


class InitiativesSchema(CamelCaseSchema):
    """A page of initiatives."""

    initiatives = fields.List(fields.Nested(InitiativeSchema), required=True, attribute="items")
    page = fields.Integer(required=True, attribute="number")
    pages = fields.Integer(required=True)
    total = fields.Integer(required=True)


class RoundsQuery(CamelCaseSchema):
    """Which rounds: those that run (issued), those that are closed, or all."""

    status = fields.String(load_default=None, validate=validate.OneOf(["issued", "closed"]))


class BatchSchema(CamelCaseSchema):
    """Vouchers that were issued together. The Merkle root (RFC 6962, SHA-256) seals them; older ones have none."""

    id = fields.Integer(required=True)
    issued_at = fields.AwareDateTime(required=True)
    voucher_count = fields.Integer(required=True)
    kind = fields.String(required=True)
    merkle_root = fields.String(required=True, allow_none=True, attribute="seal")


class RoundSchema(CamelCaseSchema):
    """A round: what became of its vouchers. Issued is all the others together."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    status = fields.String(required=True, attribute="state")
    opens_at = fields.AwareDateTime(required=True)
    closes_at = fields.AwareDateTime(required=True)
    amount_cents = fields.Integer(required=True)
    issued = fields.Integer(required=True, attribute="totals.issued")
    given_online = fields.Integer(required=True, attribute="totals.online")
    given_by_organiser = fields.Integer(required=True, attribute="totals.organiser")
    given_at_desk = fields.Integer(required=True, attribute="totals.desk")
    kept = fields.Integer(required=True, attribute="totals.kept")
    to_give = fields.Integer(required=True, attribute="totals.living")
    expired = fields.Integer(required=True, attribute="totals.expired")
    revoked = fields.Integer(required=True, attribute="totals.revoked")
    batches = fields.List(fields.Nested(BatchSchema), required=True)
    url = fields.Method("_url_of", metadata={"type": "string", "format": "uri"})

    def _url_of(self, row: dict[str, Any]) -> str:
        return url_for("reports.show", round_id=row["id"], _external=True)


class RoundsSchema(CamelCaseSchema):
    """All rounds that were issued, newest first."""

    rounds = fields.List(fields.Nested(RoundSchema), required=True)


class VoucherDonationRequest(CamelCaseSchema):
    """A voucher's code and what to give it to. A code may be written as people write it."""

    code = fields.String(required=True, validate=validate.Length(max=MAX_CODE))
    initiative_id = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=MAX_ID))
    giver_name = PlainText(load_default=None, allow_none=True, validate=validate.Length(max=MAX_NAME))
    message = PlainText(load_default=None, allow_none=True, validate=validate.Length(max=MAX_MESSAGE))
    giver_email = PlainEmail(load_default=None, allow_none=True, validate=validate.Length(max=MAX_EMAIL))
    plan_b_initiative_id = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(min=1, max=MAX_ID)
    )
    idempotency_key = fields.UUID(load_default=None, allow_none=True)


class DonationTotals(CamelCaseSchema):
    """The initiative after the gift."""

    id = fields.Integer(required=True)
    status = fields.String(required=True, attribute="state")
    target_cents = fields.Integer(required=True)
    raised_cents = fields.Integer(required=True)
    givers = fields.Integer(required=True)


class VoucherDonationSchema(CamelCaseSchema):
    """A gift that was made: its number, its amount in euro cents, and the initiative's new totals."""

    donation_id = fields.String(required=True)
    amount_cents = fields.Integer(required=True)
    initiative = fields.Nested(DonationTotals, required=True)


class ProblemSchema(Schema):
    """An RFC 9457 problem."""

    type = fields.String()
    status = fields.Integer(required=True)
    title = fields.String(required=True)
    detail = fields.String(required=True)
    errors = fields.Dict()
    requestId = fields.String()  # noqa: N815 - the name of the property
