# SPDX-License-Identifier: EUPL-1.2
"""Who works here: the coordinator's list of users, and absence with a stand-in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.accounts import absences, staff
from abs_platform.accounts.schemas import MAX_NAME, tidy
from abs_platform.accounts.staff import Work
from abs_platform.clock import local_date
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.mail_server import MAX_ADDRESS, read_address
from abs_platform.security import current_actor, signed_in_user, staff_required
from abs_platform.users import Role

bp = Blueprint("staff", __name__)

_ID = "int(max=9223372036854775807)"

Answered = Response | tuple[str, int] | str
Errors = dict[str, str]


@bp.get("/beheer/gebruikers")
@staff_required("coordinator")
def index() -> str:
    """Everybody who works here."""
    return _index_page()


@bp.get("/beheer/gebruikers/nieuw")
@staff_required("coordinator")
def new() -> str:
    """An empty form."""
    return _new_page({}, Work(), {})


@bp.post("/beheer/gebruikers/nieuw")
@staff_required("coordinator")
def add() -> Answered:
    """Give somebody roles and desks; this person is mailed."""

    def save() -> Response:
        email = _typed_email()
        if not _sent_work().roles:
            message = _("Kies minstens één rol.")
            raise InvalidInput(message, fields={"roles": message})
        name = tidy(request.form.get("name", ""))[:MAX_NAME]
        with transaction() as session:
            is_new = staff.add_staff(
                session, email, name=name, work=_sent_work(), actor=current_actor(), now=clock.now()
            )
        flash(_("We hebben een mail gestuurd naar %(email)s.", email=email) if is_new else _("Dit stond er al zo."))
        return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)

    return _or_again(save, lambda errors: _new_page(request.form, _sent_work(), errors))


@bp.get(f"/beheer/gebruikers/<{_ID}:account_id>")
@staff_required("coordinator")
def edit(account_id: int) -> str:
    """One member of staff."""
    return _edit_page(account_id, None, {})


@bp.post(f"/beheer/gebruikers/<{_ID}:account_id>")
@staff_required("coordinator")
def change(account_id: int) -> Answered:
    """Change roles and desks."""

    def save() -> Response:
        with transaction() as session:
            is_new = staff.change_staff(session, account_id, work=_sent_work(), actor=current_actor(), now=clock.now())
        flash(_("De rollen en wijken zijn opgeslagen.") if is_new else _("Dit stond er al zo."))
        return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)

    return _or_again(save, lambda errors: _edit_page(account_id, _sent_work(), errors))


@bp.post(f"/beheer/gebruikers/<{_ID}:account_id>/beeindigen")
@staff_required("coordinator")
def end(account_id: int) -> Answered:
    """End all roles of somebody."""

    def save() -> Response:
        with transaction() as session:
            staff.end_staff(session, account_id, role=None, actor=current_actor(), now=clock.now())
        flash(_("Deze gebruiker heeft geen toegang meer als medewerker."))
        return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)

    return _or_again(save, lambda errors: _edit_page(account_id, None, errors))


@bp.post(f"/beheer/gebruikers/<{_ID}:account_id>/tweede-stap-wissen")
@staff_required("coordinator")
def reset_second_factor(account_id: int) -> Response:
    """Forget the second step of somebody who lost it."""
    with transaction() as session:
        staff.reset_second_factor(session, account_id, actor=current_actor(), now=clock.now())
    flash(_("De tweede stap is gewist. Deze gebruiker is overal uitgelogd en krijgt een mail."))
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


@bp.get("/regie/afwezigheid")
@staff_required("district_manager")
def absence() -> str:
    """When a wijkregisseur is away, and whom she stands in for."""
    return _absence_page(signed_in_user().account_id, {}, {})


@bp.post("/regie/afwezigheid")
@staff_required("district_manager")
def add_absence() -> Answered:
    """Be away for some days."""
    return _add_absence(signed_in_user().account_id)


@bp.post(f"/regie/afwezigheid/<{_ID}:absence_id>/verwijderen")
@staff_required("district_manager")
def remove_absence(absence_id: int) -> Response:
    """Not be away after all."""
    return _remove_absence(signed_in_user().account_id, absence_id)


@bp.get(f"/beheer/gebruikers/<{_ID}:account_id>/afwezigheid")
@staff_required("coordinator")
def absence_of(account_id: int) -> str:
    """The same, for anybody."""
    return _absence_page(account_id, {}, {})


@bp.post(f"/beheer/gebruikers/<{_ID}:account_id>/afwezigheid")
@staff_required("coordinator")
def add_absence_of(account_id: int) -> Answered:
    """Write down that somebody is away."""
    return _add_absence(account_id)


@bp.post(f"/beheer/gebruikers/<{_ID}:account_id>/afwezigheid/<{_ID}:absence_id>/verwijderen")
@staff_required("coordinator")
def remove_absence_of(account_id: int, absence_id: int) -> Response:
    """Take it away."""
    return _remove_absence(account_id, absence_id)


def _or_again(save: Callable[[], Response], page: Callable[[Errors], str]) -> Answered:
    """Save and go on, or show the page again with what was typed."""
    try:
        return save()
    except InvalidInput as error:
        return page(error.fields or {"form": error.message}), int(error.status)
    except Conflict as error:
        return page({"form": error.message}), int(error.status)


def _add_absence(account_id: int) -> Answered:
    def save() -> Response:
        starts_on, ends_on = _typed_days()
        stand_in = request.form.get("stand_in_id", "")
        stand_in_id = int(stand_in) if stand_in.isascii() and stand_in.isdecimal() and len(stand_in) < 19 else 0
        with transaction() as session:
            absences.add_absence(
                session, account_id, stand_in_id, starts_on, ends_on, actor=current_actor(), now=clock.now()
            )
        flash(_("De afwezigheid is opgeslagen. De vervanger krijgt een mail."))
        return _to_absences(account_id)

    return _or_again(save, lambda errors: _absence_page(account_id, request.form, errors))


def _remove_absence(account_id: int, absence_id: int) -> Response:
    with transaction() as session:
        absences.remove_absence(session, account_id, absence_id, actor=current_actor(), now=clock.now())
    flash(_("De afwezigheid is weggehaald. De vervanger krijgt een mail."))
    return _to_absences(account_id)


def _to_absences(account_id: int) -> Response:
    return redirect(_absence_url(account_id), HTTPStatus.SEE_OTHER)


def _absence_url(account_id: int) -> str:
    if request.endpoint in {"staff.absence", "staff.add_absence", "staff.remove_absence"}:
        return url_for(".absence")
    return url_for(".absence_of", account_id=account_id)


def _typed_email() -> str:
    """Raises: InvalidInput."""
    try:
        return read_address(request.form.get("email", "")[:MAX_ADDRESS])
    except ValueError as error:
        message = _("Vul een e-mailadres in zoals naam@voorbeeld.nl.")
        raise InvalidInput(message, fields={"email": message}) from error


def _typed_days() -> tuple[dt.date, dt.date]:
    """Raises: InvalidInput."""
    days, fields = [], {}
    for name, sentence in (("starts_on", _("Kies de eerste dag.")), ("ends_on", _("Kies de laatste dag."))):
        try:
            days.append(dt.date.fromisoformat(request.form.get(name, "")))
        except ValueError:
            fields[name] = sentence
    if fields:
        raise InvalidInput(" ".join(fields.values()), fields=fields)
    return days[0], days[1]


def _sent_work() -> Work:
    """The roles and desks that were ticked."""
    roles = frozenset(Role(value) for value in request.form.getlist("roles") if value in set(Role))
    areas = (value for value in request.form.getlist("desks") if value.isascii() and value.isdecimal())
    return Work(roles, frozenset(int(value) for value in areas if len(value) < 19))


def _index_page() -> str:
    session, now = db.session(), clock.now()
    return render_template(
        "accounts/staff/users.html", people=staff.list_staff(session, now), desk_names=staff.desk_names(session)
    )


def _new_page(values: Mapping[str, Any], work: Work, errors: Errors) -> str:
    return render_template(
        "accounts/staff/new_user.html",
        values=values,
        work=work,
        errors=errors,
        roles=list(Role),
        desk_names=staff.desk_names(db.session()),
    )


def _edit_page(account_id: int, work: Work | None, errors: Errors) -> str:
    session = db.session()
    person = staff.staff_member(session, account_id, clock.now())
    return render_template(
        "accounts/staff/user.html",
        person=person,
        work=work or person.work,
        errors=errors,
        roles=list(Role),
        desk_names=staff.desk_names(session),
    )


def _absence_page(account_id: int, values: Mapping[str, Any], errors: Errors) -> str:
    session, today = db.session(), local_date(clock.now())
    if not absences.is_district_manager(session, account_id):
        raise NotFound(_("Alleen een wijkregisseur heeft een vervanger. Ga terug naar het overzicht."))
    return render_template(
        "accounts/staff/absence.html",
        person=staff.staff_member(session, account_id, clock.now()),
        is_own=account_id == signed_in_user().account_id,
        rows=absences.absences_of(session, account_id, today),
        stand_ins=absences.possible_stand_ins(session, account_id),
        url=_absence_url(account_id),
        values=values,
        errors=errors,
        today=today,
    )
