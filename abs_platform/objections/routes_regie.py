# SPDX-License-Identifier: EUPL-1.2
"""Objections at the desk: what waits, how the gift came in, and one decision with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.subjects import subject_for, subject_of
from abs_platform.objections.permissions import can_decide, can_look
from abs_platform.objections.queries import ObjectionView, find_objection, objections_of
from abs_platform.objections.schemas import ReasonForm
from abs_platform.objections.service import reject, uphold
from abs_platform.objections.states import ObjectionState
from abs_platform.security import current_actor, signed_in_user, staff_required

ID = "int(max=9223372036854775807)"
bp = Blueprint("objections_regie", __name__, url_prefix="/regie/bezwaren")

DECIDED_SHOWN = 50
Verb = Callable[..., None]


@bp.get("")
@staff_required("district_manager", "coordinator")
def index() -> str:
    """Those of the own desks, open ones first; the coordinator sees all."""
    user, session = signed_in_user(), db.session()
    desks = None if user.is_coordinator else user.desk_area_ids
    return render_template(
        "objections/desk.html",
        waiting=objections_of(session, desks, is_open=True),
        decided=objections_of(session, desks, is_open=False, limit=DECIDED_SHOWN),
        now=clock.now(),
    )


@bp.get(f"/<{ID}:objection_id>")
@staff_required("district_manager", "coordinator")
def show(objection_id: int) -> str:
    """One objection; for who decides, the choice."""
    return _page(_objection(objection_id), {}, {})


@bp.post(f"/<{ID}:objection_id>")
@staff_required("district_manager", "coordinator")
def decide(objection_id: int) -> str | Response | tuple[str, int]:
    """Give the voucher back, or let the gift stand."""
    view = _objection(objection_id)
    user = signed_in_user()
    subject_for(db.session(), view.initiative_id, user, can_decide)
    try:
        verb, told = _chosen()
        reason = load(ReasonForm(), request.form)["reason"]
        with transaction() as session:
            verb(
                session, objection_id, reason=reason, account_id=user.account_id, actor=current_actor(), now=clock.now()
            )
    except (InvalidInput, Conflict) as error:
        return _page(_objection(objection_id), request.form, errors_of(error)), int(error.status)
    flash(told)
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


def _chosen() -> tuple[Verb, str]:
    """What was decided, and what is said of it. Raises: InvalidInput when no button was used."""
    decision = request.form.get("decision", "")
    if decision == ObjectionState.UPHELD:
        return uphold, _("De voucher is terug bij de bewoner. Wie de code heeft, kan hem opnieuw geven.")
    if decision == ObjectionState.REJECTED:
        return reject, _("De gift blijft staan. Wie de code heeft, leest je reden.")
    sentence = _("Kies wat je beslist.")
    raise InvalidInput(sentence, fields={"form": sentence})


def _objection(objection_id: int) -> ObjectionView:
    """An objection that this person may see. Raises: NotFound, NotAllowed."""
    view = find_objection(db.session(), objection_id)
    if view is None:
        raise NotFound(_("Dit bezwaar bestaat niet."))
    subject_for(db.session(), view.initiative_id, signed_in_user(), can_look)
    return view


def _page(view: ObjectionView, values: Mapping[str, str], errors: dict[str, str]) -> str:
    session = db.session()
    subject = subject_of(session, view.initiative_id)
    return render_template(
        "objections/decide.html",
        objection=view,
        others=[one for one in objections_of(session, initiative_id=view.initiative_id) if one.id != view.id],
        may_decide=view.state == ObjectionState.OPEN and can_decide(signed_in_user(), subject),
        values=values,
        errors=errors,
        now=clock.now(),
    )
