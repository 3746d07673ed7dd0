# SPDX-License-Identifier: EUPL-1.2
"""Version 1 of the public API, by the Dutch API Design Rules: no session, problem+json, camelCase."""

from __future__ import annotations

import json
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, request
from flask_babel import gettext as _
from flask_smorest import Api, Blueprint
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest

from abs_platform import clock
from abs_platform.api.schemas import (
    InitiativesQuery,
    InitiativesSchema,
    ProblemSchema,
    RoundsQuery,
    RoundsSchema,
    VoucherDonationRequest,
    VoucherDonationSchema,
)
from abs_platform.areas.queries import list_districts
from abs_platform.config import Settings
from abs_platform.database import db
from abs_platform.donations.service import Gift, GiftDetails
from abs_platform.errors import InvalidInput
from abs_platform.extensions import csrf
from abs_platform.initiatives.listing import list_initiatives
from abs_platform.initiatives.queries import InitiativeCard, card
from abs_platform.initiatives.states import PUBLIC_STATES, InitiativeState
from abs_platform.paging import Page
from abs_platform.reports import queries as figures
from abs_platform.security import public
from abs_platform.vouchers.giving import give_for_client
from abs_platform.vouchers.redeeming import parse_code

API_VERSION = "1.0.0"
PREFIX = "/api/v1"

PROBLEM = "application/problem+json"


class ApiParser(FlaskParser):
    """Input that its schema refuses is a 400, as the API Design Rules ask."""

    DEFAULT_VALIDATION_STATUS = HTTPStatus.BAD_REQUEST


class ApiBlueprint(Blueprint):  # type: ignore[misc]
    """Reads what is sent with the parser above."""

    ARGUMENTS_PARSER = ApiParser()


bp = ApiBlueprint("api", __name__, url_prefix=PREFIX, description="Initiatieven en voucherdonaties")


class ProblemApi(Api):  # type: ignore[misc]
    """The API leaves its errors to abs_platform.errors, which answers with problem+json."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """None of its own."""

    def _register_responses(self) -> None:
        """Describe every refusal as what it is."""
        refusal = {"content": {PROBLEM: {"schema": ProblemSchema}}}
        for name in (*(status.name for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST), "DEFAULT_ERROR"):
            words = name.replace("_", " ").capitalize()
            self.spec.components.response(name, {"description": words, **refusal}, lazy=True)


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
            example = next(iter(known), "WK012345")
            message = _("Geen wijk met deze code. Gebruik een CBS-code zoals %(code)s.", code=example)
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


@bp.route("/rounds", methods=["GET"])
@bp.arguments(RoundsQuery, location="query")
@bp.response(200, RoundsSchema)
@public
def rounds(query: dict[str, Any]) -> dict[str, Any]:
    """Wat er met de vouchers van elke ronde gebeurde, en de zegels van hun partijen."""
    session = db.session()
    reports = [one for one in figures.rounds(session) if query["status"] in {None, one.state}]
    figures.all_counts(session, reports, [])
    batches = figures.batches(session, [one.id for one in reports])
    return {"rounds": [{**asdict(one), "totals": one.totals, "batches": batches[one.id]} for one in reports]}


@bp.route("/voucher-donations", methods=["POST"])
@bp.arguments(VoucherDonationRequest)
@bp.response(201, VoucherDonationSchema)
@bp.alt_response(409, schema=ProblemSchema, content_type=PROBLEM)
@bp.alt_response(429, schema=ProblemSchema, content_type=PROBLEM)
@public
def voucher_donations(body: dict[str, Any]) -> dict[str, Any]:
    """Geef een voucher aan een initiatief. De code alleen is genoeg."""
    details = GiftDetails(
        giver_name=body["giver_name"] or None,
        message=body["message"] or None,
        giver_email=body["giver_email"],
        plan_b_initiative_id=body["plan_b_initiative_id"],
        idempotency_key=body["idempotency_key"],
    )
    payload = parse_code(body["code"])
    try:
        return _donation(give_for_client(payload, body["initiative_id"], details))
    except InvalidInput as error:
        names = {"plan_b_id": "planBInitiativeId"}
        fields = {names.get(name, name): message for name, message in error.fields.items()}
        raise InvalidInput(error.message, fields=fields) from error


def _donation(gift: Gift) -> dict[str, Any]:
    found = card(db.session(), gift.initiative_id, today=clock.today())
    return {"donation_id": gift.reference, "amount_cents": gift.amount_cents, "initiative": found}


@public
def openapi() -> Response:
    """The description of this API, for everyone and every site."""
    text = json.dumps(current_app.extensions["api"].spec.to_dict(), ensure_ascii=False)
    return Response(text, mimetype="application/json", headers={"Access-Control-Allow-Origin": "*"})


@bp.before_request
def _refuse_what_is_not_json() -> None:
    """A body is JSON that can be read, before its schema looks at it."""
    if request.method != "POST":
        return
    try:
        request.get_json()
    except (BadRequest, RecursionError) as error:
        raise InvalidInput(_("Stuur de gegevens als geldige JSON.")) from error


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
    app.add_url_rule(f"{PREFIX}/openapi.json", "api_description", openapi)
    app.after_request(_add_headers)
