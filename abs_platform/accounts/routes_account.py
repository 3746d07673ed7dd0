# SPDX-License-Identifier: EUPL-1.2
"""The pages of who is signed in: the own initiatives, devices, data and address, and the way out."""

from __future__ import annotations

import json
from http import HTTPStatus

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import clock
from abs_platform.accounts import own_data, queries, service
from abs_platform.accounts.leaving import delete_account
from abs_platform.accounts.own_data import Fate, Person
from abs_platform.accounts.routes import Answered, bp, go_on, leave_browser
from abs_platform.accounts.schemas import NameForm, load, tidy
from abs_platform.accounts.verifying import remove_verified_address, verify_by_code
from abs_platform.areas.queries import name_of
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput
from abs_platform.rule_settings.service import current_rules
from abs_platform.security import (
    current_actor,
    local_path,
    public,
    request_client,
    resident_required,
    signed_in_user,
    user_or_none,
)
from abs_platform.vouchers.giving import code_keys
from abs_platform.vouchers.redeeming import Client, parse_code
from abs_platform.working_days import answer_by

__all__ = ["bp"]

_ID = "int(max=9223372036854775807)"


@bp.get("/account")
@resident_required
def home() -> str:
    """Who you are, and what you organise, with what there is to do."""
    user, session = signed_in_user(), db.session()
    days = current_rules().answer_working_days
    initiatives = queries.own_initiatives(session, user.account_id, user.email)
    return render_template(
        "accounts/home.html",
        user=user,
        initiatives=initiatives,
        answer_by={one.id: answer_by(one.submitted_at, days) for one in initiatives if one.submitted_at},
        today=clock.today(),
        address=queries.verified_address(session, user.account_id),
    )


@bp.get("/account/welkom")
@resident_required
def welcome() -> str:
    """The first time: how others see you. It may be skipped."""
    next_path = local_path(request.args.get("volgende", ""))
    return render_template("accounts/welcome.html", name=signed_in_user().name, next_path=next_path, errors={})


@bp.post("/account/welkom")
@resident_required
def tell_name() -> Answered:
    """Keep the name, and go on to where one was going."""
    next_path, typed = local_path(request.form.get("volgende", "")), tidy(request.form.get("name", ""))
    try:
        _save_name()
    except InvalidInput as error:
        page = render_template("accounts/welcome.html", name=typed, next_path=next_path, errors=error.fields)
        return make_response(page, error.status)
    return go_on(next_path)


@bp.get("/account/apparaten")
@resident_required
def devices() -> str:
    """Where one is signed in."""
    user = signed_in_user()
    sessions = queries.sessions_of(db.session(), user.account_id, now=clock.now())
    return render_template("accounts/devices.html", user=user, sessions=sessions)


@bp.post(f"/account/apparaten/<{_ID}:session_id>/uitloggen")
@resident_required
def end_device(session_id: int) -> WerkzeugResponse:
    """Sign one browser out; this one, too."""
    user = signed_in_user()
    with transaction() as session:
        service.end_session(session, user.account_id, session_id, now=clock.now())
    if session_id == user.session_id:
        leave_browser()
        return redirect(url_for("accounts.sign_in", uitgelogd="ja"), HTTPStatus.SEE_OTHER)
    flash(_("Dat apparaat is uitgelogd."))
    return _back_to("accounts.devices")


@bp.post("/account/apparaten/andere/uitloggen")
@resident_required
def end_other_devices() -> WerkzeugResponse:
    """Sign all other browsers out."""
    user = signed_in_user()
    with transaction() as session:
        number = service.end_sessions(session, user.account_id, now=clock.now(), but=user.session_id)
    flash(ngettext("%(num)s ander apparaat is uitgelogd.", "%(num)s andere apparaten zijn uitgelogd.", number))
    return _back_to("accounts.devices")


@bp.get("/account/gegevens")
@resident_required
def data() -> str:
    """Everything that we keep of this person, and the name to change."""
    return _data_page(signed_in_user().name, {})


@bp.post("/account/gegevens")
@resident_required
def change_name() -> Answered:
    """Keep another name."""
    try:
        _save_name()
    except InvalidInput as error:
        return make_response(_data_page(tidy(request.form.get("name", "")), error.fields), error.status)
    flash(_("Je naam is bewaard."))
    return _back_to("accounts.data")


@bp.get("/account/gegevens.json")
@resident_required
def download() -> Response:
    """The same as a file."""
    plain = own_data.as_download(own_data.all_data(db.session(), _person()))
    response = Response(json.dumps(plain, ensure_ascii=False, indent=2), content_type="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="mijn-gegevens.json"'
    return response


@bp.get("/account/adres")
@resident_required
def address() -> str:
    """Whether a letter confirmed the own address, and the box for its code."""
    return _address_page("", {})


@bp.post("/account/adres")
@resident_required
def confirm_address() -> Answered:
    """Confirm the own address with the code of a letter; a wrong code counts as it does everywhere."""
    user, typed = signed_in_user(), tidy(request.form.get("code", ""))
    try:
        payload = parse_code(typed)
        with transaction() as session:
            answer = verify_by_code(
                session,
                user.account_id,
                payload,
                Client(*request_client()),
                keys=code_keys(),
                rules=current_rules(),
                actor=current_actor(),
                now=clock.now(),
            )
        answer.or_raise()
    except (InvalidInput, Conflict) as error:
        return make_response(_address_page(typed, {"code": error.message}), error.status)
    flash(_("Je adres is bevestigd. Aan je voucher is niets veranderd."))
    return _back_to("accounts.address")


@bp.post("/account/adres/verwijderen")
@resident_required
def remove_address() -> WerkzeugResponse:
    """Forget the own address."""
    with transaction() as session:
        remove_verified_address(session, signed_in_user().account_id, actor=current_actor(), now=clock.now())
    flash(_("Je adres is verwijderd."))
    return _back_to("accounts.address")


@bp.get("/account/verwijderen")
@resident_required
def leave() -> str:
    """What goes and what stays, and the button."""
    return _leave_page(None)


@bp.post("/account/verwijderen")
@resident_required
def leave_for_good() -> Answered:
    """Delete the account."""
    try:
        with transaction() as session:
            delete_account(session, signed_in_user().account_id, actor=current_actor(), now=clock.now())
    except Conflict as error:
        return make_response(_leave_page(error), error.status)
    leave_browser()
    return redirect(url_for("accounts.has_left"), HTTPStatus.SEE_OTHER)


@bp.get("/account/verwijderd")
@public
def has_left() -> Answered:
    """Goodbye."""
    if user_or_none():
        return _back_to("accounts.home")
    return render_template("accounts/has_left.html")


def _save_name() -> None:
    name = load(NameForm, request.form)
    with transaction() as session:
        service.change_name(session, signed_in_user().account_id, name)


def _person() -> Person:
    user = signed_in_user()
    return Person(user.account_id, user.email)


def _back_to(endpoint: str) -> WerkzeugResponse:
    return redirect(url_for(endpoint), HTTPStatus.SEE_OTHER)


def _data_page(name: str, errors: dict[str, str]) -> str:
    found = own_data.all_data(db.session(), _person())
    return render_template(
        "accounts/data.html", data=found, labels=own_data.LABELS, names=own_data.NAMES, name=name, errors=errors
    )


def _address_page(code: str, errors: dict[str, str]) -> str:
    session = db.session()
    verified = queries.verified_address(session, signed_in_user().account_id)
    neighbourhood = name_of(session, verified.neighbourhood_id) if verified else None
    return render_template(
        "accounts/address.html", verified=verified, neighbourhood=neighbourhood, code=code, errors=errors
    )


def _leave_page(refused: AbsError | None) -> str:
    found = own_data.all_data(db.session(), _person())
    fates = {fate: [part.label for part, _rows in found if part.fate == fate] for fate in Fate}
    return render_template("accounts/leave.html", fates=fates, Fate=Fate, refused=refused)
