# SPDX-License-Identifier: EUPL-1.2
"""Where the coordinator says where residents of each district get help: what letters and pages name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.accounts.queries import names_of
from abs_platform.actors import account_number
from abs_platform.areas import helping, queries
from abs_platform.areas.schemas import load_help_point
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of
from abs_platform.security import signed_in_user, staff_required
from abs_platform.users import Role

bp = Blueprint("help_points", __name__, url_prefix="/beheer/wijkcentra")

ID = "int(max=9223372036854775807)"
Answer = str | Response | tuple[str, int]


@bp.get("")
@staff_required(Role.COORDINATOR)
def index() -> str:
    """The help point of every district, and which districts have none."""
    rows = queries.help_by_district(db.session())
    return render_template("help_points/index.html", rows=rows, missing=[row for row in rows if row.point is None])


@bp.get(f"/<{ID}:district_id>")
@staff_required(Role.COORDINATOR)
def edit(district_id: int) -> str:
    """The help point of one district, with what was said before."""
    return _page(district_id, None, {})


@bp.post(f"/<{ID}:district_id>")
@staff_required(Role.COORDINATOR)
def save(district_id: int) -> Answer:
    """Say where help is."""

    def work(session: Session) -> None:
        helping.set_help_point(
            session,
            district_id,
            load_help_point(request.form),
            seen=request.form.get("seen", ""),
            actor=signed_in_user().actor(),
            now=clock.now(),
        )

    return _do(district_id, work, _("Het wijkcentrum is opgeslagen."))


@bp.post(f"/<{ID}:district_id>/weghalen")
@staff_required(Role.COORDINATOR)
def remove(district_id: int) -> Answer:
    """Say that there is none any more; a tick says that this is meant."""

    def work(session: Session) -> None:
        if request.form.get("sure") != "1":
            sentence = _("Zet een vinkje als je zeker weet dat dit wijkcentrum weg moet.")
            raise InvalidInput(sentence, fields={"sure": sentence})
        helping.remove_help_point(
            session,
            district_id,
            seen=request.form.get("seen", ""),
            actor=signed_in_user().actor(),
            now=clock.now(),
        )

    return _do(district_id, work, _("Het wijkcentrum is weggehaald."))


def _do(district_id: int, work: Callable[[Session], None], said: str) -> Answer:
    try:
        with transaction() as session:
            work(session)
    except (InvalidInput, Conflict) as error:
        return _page(district_id, request.form, errors_of(error)), int(error.status)
    flash(said)
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


def _page(district_id: int, typed: Mapping[str, str] | None, errors: dict[str, str]) -> str:
    session = db.session()
    found = queries.help_of_district(session, district_id)
    if found is None:
        raise NotFound(_("Deze wijk bestaat niet (meer). Ga terug naar het overzicht."))
    stored = {} if found.point is None else asdict(helping.input_of(found.point))
    changes = queries.changes_of_help(session, district_id)
    by = {change.actor: account_number(change.actor) for change in changes}
    return render_template(
        "help_points/edit.html",
        district=found.district,
        stored=stored,
        seen=helping.seal_of(found.point),
        typed=stored if typed is None or "name" not in typed else typed,
        errors=errors,
        changes=changes,
        by=by,
        names=names_of(session, (number for number in by.values() if number is not None)),
        most=helping,
    )
