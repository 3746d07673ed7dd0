# SPDX-License-Identifier: EUPL-1.2
"""Collection boxes: registered by organisers, with a label to stick on; and the public page behind its QR code."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as WerkzeugResponse

from abs_platform import clock
from abs_platform.config import ROOT_DIR, Settings
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.flyers.service import Colours
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.queries import card
from abs_platform.initiatives.subjects import subject_for, subject_of
from abs_platform.paper import box_queries, service
from abs_platform.paper.box_queries import BoxRow
from abs_platform.paper.labels import Label, label_pdf
from abs_platform.paper.permissions import can_enter
from abs_platform.paper.schemas import BoxForm
from abs_platform.security import current_actor, public, resident_required, signed_in_user, user_or_none

ID = "int(max=9223372036854775807)"
bp = Blueprint("boxes", __name__)

_HOME = f"/account/initiatieven/<{ID}:initiative_id>/bussen"
_ONE = f"{_HOME}/<{ID}:number>"


@bp.get(_HOME)
@resident_required
def index(initiative_id: int) -> str:
    """The boxes of this initiative, and the form for one more."""
    return _page(_own(initiative_id), {}, {})


@bp.post(_HOME)
@resident_required
def register(initiative_id: int) -> str | WerkzeugResponse | tuple[str, int]:
    """Give a box its number."""
    subject = _own(initiative_id)
    try:
        typed = load(BoxForm(), request.form)
        with transaction() as session:
            box = service.register_box(
                session,
                initiative_id,
                typed["place"],
                typed["address"],
                account_id=signed_in_user().account_id,
                actor=current_actor(),
                now=clock.now(),
            )
            number = box.number
    except (InvalidInput, Conflict) as error:
        return _page(subject, request.form, errors_of(error)), int(error.status)
    flash(_("Dit is bus %(number)s. Print het label en plak het op de bus.", number=number))
    return redirect(url_for(".index", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


@bp.get(f"{_ONE}/label.pdf")
@resident_required
def label(initiative_id: int, number: int) -> Response:
    """The label to stick on the box."""
    box = _own_box(initiative_id, number)
    settings: Settings = current_app.extensions["settings"]
    town = settings.municipality
    address = settings.base_url + url_for(".show", number=box.number)
    made = label_pdf(
        Label(
            number=box.number,
            title=box.title,
            place=box.place,
            url=address,
            short_url=address.partition("://")[2],
            site_name=town.site_name,
            colours=_colours(ROOT_DIR / "static" / "themes" / town.theme / "theme.css"),
        )
    )
    response = Response(made, HTTPStatus.OK, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="bus-{box.number}.pdf"'
    return response


@bp.post(f"{_ONE}/weghalen")
@resident_required
def remove(initiative_id: int, number: int) -> WerkzeugResponse:
    """The box is gone from its shop."""
    box = _own_box(initiative_id, number)
    with transaction() as session:
        service.remove_box(session, box.id, actor=current_actor(), now=clock.now())
    flash(_("Bus %(number)s staat er niet meer. Haal ook het label eraf.", number=number))
    return redirect(url_for(".index", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


@bp.get(f"/bus/<{ID}:number>")
@public
def show(number: int) -> str:
    """For which initiative a box stands, and how to give without it; its organisers go on to enter its codes."""
    session, user = db.session(), user_or_none()
    box = box_queries.box_of(session, number)
    if box is None:
        raise NotFound(_("Deze bus bestaat niet. Kijk of het nummer op het label klopt."))
    may_enter = user is not None and box.removed_at is None and can_enter(user, subject_of(session, box.initiative_id))
    initiative = card(session, box.initiative_id, today=clock.today())
    return render_template("paper/box.html", box=box, initiative=initiative, may_enter=may_enter)


def _own(initiative_id: int) -> Subject:
    return subject_for(db.session(), initiative_id, signed_in_user(), can_enter)


def _own_box(initiative_id: int, number: int) -> BoxRow:
    _own(initiative_id)
    box = box_queries.box_of(db.session(), number)
    if box is None or box.initiative_id != initiative_id or box.removed_at is not None:
        raise NotFound(_("Deze bus bestaat niet (meer), of hoort bij een ander initiatief."))
    return box


def _page(subject: Subject, values: object, errors: dict[str, str]) -> str:
    return render_template(
        "paper/boxes.html",
        subject=subject,
        boxes=box_queries.boxes_of(db.session(), subject.id),
        most=service.MOST_BOXES,
        values=values,
        errors=errors,
    )


@lru_cache(maxsize=8)
def _colours(path: Path) -> Colours:
    return Colours.from_css(path.read_text(encoding="utf-8"))
