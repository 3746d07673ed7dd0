# SPDX-License-Identifier: EUPL-1.2
"""Where did my voucher go? A code by POST, never in an address; then the answer, and a way to say "not me"."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, TooManyAttempts, VoucherNotUsable
from abs_platform.form_input import errors_of
from abs_platform.objections.queries import CameBack, Whereabouts, came_back
from abs_platform.objections.service import look_for, object_to
from abs_platform.rich_text import without_unseen
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import public, request_client
from abs_platform.vouchers.giving import code_keys
from abs_platform.vouchers.redeeming import Client, parse_code

bp = Blueprint("objections", __name__, url_prefix="/voucher/waar")

MAX_TYPED = 200
_REFUSALS = (InvalidInput, VoucherNotUsable, TooManyAttempts, Conflict)


@bp.get("")
@public
def form() -> Response:
    """The code box, always empty."""
    return _form_page("", {})


@bp.post("")
@public
def look() -> Response:
    """Where the voucher of this code is."""
    try:
        payload = parse_code(_typed())
        found = _look(payload)
    except _REFUSALS as error:
        return _again(error)
    return _where_page(found)


@bp.post("/niet-ik")
@public
def explain() -> Response:
    """What objecting means, before it is done."""
    try:
        payload = parse_code(_typed())
        found = _look(payload)
    except _REFUSALS as error:
        return _again(error)
    days = current_rules().objection_days
    if not found.may_object(clock.now(), days):
        return _where_page(found)
    page = render_template("objections/explain.html", code=_typed(), found=found, days=days)
    return _unstored(page)


@bp.post("/bezwaar")
@public
def send() -> Response | WerkzeugResponse:
    """Object, and go to what happens next."""
    try:
        payload = parse_code(_typed())
        with transaction() as session:
            answer = object_to(
                session,
                payload,
                Client(*request_client()),
                keys=code_keys(),
                rules=current_rules(),
                now=clock.now(),
            )
        _known(answer.found)
    except _REFUSALS as error:
        return _again(error)
    return redirect(url_for(".sent"), HTTPStatus.SEE_OTHER)


@bp.get("/bezwaar")
@public
def sent() -> str:
    """What happens now; the same for everyone."""
    return render_template("objections/sent.html")


def _typed() -> str:
    return without_unseen(request.form.get("code", "")[:MAX_TYPED]).strip()


def _look(payload: int) -> Whereabouts:
    """Raises: VoucherNotUsable, after the wrong code was counted; TooManyAttempts."""
    with transaction() as session:
        answer = look_for(
            session, payload, Client(*request_client()), keys=code_keys(), rules=current_rules(), now=clock.now()
        )
    return _known(answer.found)


def _known(found: Whereabouts | None) -> Whereabouts:
    """Here a used code is a good one, so that the sentence for strangers is another than at giving."""
    if found is None:
        raise VoucherNotUsable(
            _("Deze code kennen we niet. Kijk of je hem goed hebt overgenomen. Kom je er niet uit? Neem contact op.")
        )
    return found


def _again(error: AbsError) -> Response:
    errors = errors_of(error)
    if isinstance(error, VoucherNotUsable | TooManyAttempts):
        errors = {"code": error.message}
    return _form_page(_typed() if isinstance(error, InvalidInput) else "", errors, int(error.status))


def _form_page(code: str, errors: dict[str, str], status: int = HTTPStatus.OK) -> Response:
    days = current_rules().objection_days
    return _unstored(render_template("objections/form.html", code=code, errors=errors, days=days), status)


def _where_page(found: Whereabouts) -> Response:
    now, days = clock.now(), current_rules().objection_days
    back: CameBack | None = None if found.donation_id else came_back(db.session(), found.voucher_id)
    page = render_template(
        "objections/where.html",
        code=_typed(),
        found=found,
        back=back,
        now=now,
        days=days,
        until=found.objects_until(days),
        may_object=found.may_object(now, days),
    )
    return _unstored(page)


def _unstored(page: str, status: int = HTTPStatus.OK) -> Response:
    """A page that may hold a code: no cache may keep it."""
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    return response
