# SPDX-License-Identifier: EUPL-1.2
"""Version 1 of the public API, by the Dutch API Design Rules: no session, problem+json, camelCase."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, Response, current_app, request
from flask_babel import gettext as _
from flask_smorest import Api, Blueprint

from abs_platform import clock
from abs_platform.actors import GIVER
from abs_platform.api.schemas import (
    InitiativesQuery,
    InitiativesSchema,
    ProblemSchema,
    VoucherDonationRequest,
    VoucherDonationSchema,
)
from abs_platform.areas.queries import list_districts
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.donations.service import Gift, GiftDetails
from abs_platform.errors import AbsError, InvalidInput
from abs_platform.extensions import csrf
from abs_platform.initiatives.queries import InitiativeCard, card, is_collecting, list_initiatives
from abs_platform.initiatives.service import close_if_funded
from abs_platform.initiatives.states import PUBLIC_STATES, InitiativeState
from abs_platform.paging import Page
from abs_platform.security import public, request_client
from abs_platform.vouchers.redeeming import Client, Refused, parse_code, redeem

API_VERSION = "1.0.0"
PREFIX = "/api/v1"

bp = Blueprint("api", __name__, url_prefix=PREFIX, description="Initiatieven en voucherdonaties")


class ProblemApi(Api):  # type: ignore[misc]
    """The API leaves its errors to abs_platform.errors, which answers with problem+json."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """None of its own."""


@bp.route("/initiatives", methods=["GET"])
@bp.arguments(InitiativesQuery, location="query")
@bp.response(200, InitiativesSchema)
@public
def initiatives(query: dict[str, Any]) -> Page[InitiativeCard]:
    """Initiatieven die iedereen mag zien, met hun stand."""
    session = db.session()
    states = [InitiativeState(query["status"])] if query["status"] else list(PUBLIC_STATES)
    district = None
    if query["district"] is not None:
        known = {area.code: area for area in list_districts(session)}
        if query["district"] not in known:
            message = _("Geen wijk met deze code. Gebruik een CBS-code zoals WK014110.")
            raise InvalidInput(message, fields={"district": message})
        district = known[query["district"]]
    return list_initiatives(
        session,
        today=clock.today(),
        states=states,
        district=district,
        page=query["page"],
        page_size=query["page_size"],
    )


@bp.route("/voucher-donations", methods=["POST"])
@bp.arguments(VoucherDonationRequest)
@bp.response(201, VoucherDonationSchema)
@bp.alt_response(409, schema=ProblemSchema, content_type="application/problem+json")
@bp.alt_response(429, schema=ProblemSchema, content_type="application/problem+json")
@public
def voucher_donations(body: dict[str, Any]) -> dict[str, Any]:
    """Geef een voucher aan een initiatief. De code alleen is genoeg."""
    details = GiftDetails(
        giver_name=body["giver_name"],
        message=body["message"],
        giver_email=body["giver_email"],
        plan_b_initiative_id=body["plan_b_initiative_id"],
        idempotency_key=body["idempotency_key"],
    )
    settings, now = current_app.extensions["settings"], clock.now()
    payload = parse_code(body["code"])
    _check_plan_b(details, body["initiative_id"])
    with transaction() as session:
        gift = redeem(
            session,
            payload,
            body["initiative_id"],
            Client(*request_client()),
            details,
            keys=current_app.extensions["code_keys"],
            rules=settings.rules,
            now=now,
        )
    if isinstance(gift, Refused):
        raise gift.error
    with transaction() as session:
        close_if_funded(session, gift.initiative_id, actor=GIVER, now=now)
    return _donation(gift)


def _check_plan_b(details: GiftDetails, initiative_id: int) -> None:
    plan_b = details.plan_b_initiative_id
    if plan_b is None:
        return
    if plan_b == initiative_id or not is_collecting(db.session(), plan_b, now=clock.now()):
        message = _("Kies een andere tweede keus: een initiatief dat nu geld ophaalt.")
        raise InvalidInput(message, fields={"planBInitiativeId": message})


def _donation(gift: Gift) -> dict[str, Any]:
    found = card(db.session(), gift.initiative_id, today=clock.today())
    if found is None:
        raise AbsError("the initiative of a gift is gone")
    return {"donation_id": gift.reference, "amount_cents": gift.amount_cents, "initiative": found}


@bp.route("/openapi.json", methods=["GET"])
@bp.doc(hidden=True)
@public
def openapi() -> Response:
    """The description of this API, for everyone and every site."""
    text = json.dumps(current_app.extensions["api"].spec.to_dict(), ensure_ascii=False)
    return Response(text, mimetype="application/json", headers={"Access-Control-Allow-Origin": "*"})


def _add_headers(response: Response) -> Response:
    if not request.path.startswith("/api/"):
        return response
    response.headers["API-Version"] = API_VERSION
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return response


def init_app(app: Flask) -> None:
    """Register the API and the headers of all its answers, errors too."""
    settings: Settings = app.extensions["settings"]
    town = settings.municipality
    app.config.update(
        API_TITLE=f"{town.site_name} API",
        API_VERSION=API_VERSION,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {
                "description": f"Initiatieven van bewoners van {town.name}, en het geven van vouchers.",
                "contact": {"name": town.site_name, "url": settings.base_url, "email": town.contact_email},
                "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
            },
            "servers": [{"url": settings.base_url}],
        },
    )
    app.extensions["api"] = api = ProblemApi(app)
    csrf.exempt(bp)
    api.register_blueprint(bp)
    app.after_request(_add_headers)
