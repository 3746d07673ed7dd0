# SPDX-License-Identifier: EUPL-1.2
"""The activities of an initiative, for its organisers: add, change and cancel; each goes on the agenda at once."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.agenda import service
from abs_platform.agenda.desk_queries import DeskItem, desk_item, items_of_initiative
from abs_platform.agenda.permissions import can_plan
from abs_platform.agenda.schemas import ReasonForm, on_the_form, read_item, values_of
from abs_platform.agenda.states import MAX_DESCRIPTION, MAX_PLACE, MAX_REASON, MAX_TITLE, PUBLIC_STATES, ItemState
from abs_platform.database import db, transaction
from abs_platform.errors import InvalidInput, NotFound
from abs_platform.form_input import load
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.subjects import subject_for
from abs_platform.organisers.permissions import can_see_income
from abs_platform.security import current_actor, resident_required, signed_in_user

ID = "int(max=9223372036854775807)"
bp = Blueprint("activities", __name__, url_prefix=f"/account/initiatieven/<{ID}:initiative_id>/activiteiten")

LIMITS = {"title": MAX_TITLE, "place": MAX_PLACE, "description": MAX_DESCRIPTION, "reason": MAX_REASON}


@bp.get("")
@resident_required
def index(initiative_id: int) -> str:
    """What was planned: what comes, and what is over or off."""
    session, now = db.session(), clock.now()
    subject = subject_for(session, initiative_id, signed_in_user(), can_see_income)
    items = items_of_initiative(session, initiative_id)
    coming = [item for item in items if item.state in PUBLIC_STATES and not item.is_over(now)]
    return render_template(
        "organisers/activities.html",
        subject=subject,
        may_plan=can_plan(signed_in_user(), subject),
        coming=[(item, item.as_public(now)) for item in reversed(coming)],
        others=[(item, item.as_public(now)) for item in items if item not in coming],
    )


@bp.get("/nieuw")
@resident_required
def ask_add(initiative_id: int) -> str:
    """The empty form."""
    return _form(_to_plan(initiative_id))


@bp.post("/nieuw")
@resident_required
def add(initiative_id: int) -> Response | tuple[str, int]:
    """An activity more, for all to see."""
    subject, user, now = _to_plan(initiative_id), signed_in_user(), clock.now()
    try:
        what = read_item(request.form)
        with transaction() as session:
            author_id, actor = user.account_id, current_actor()
            item_id = service.add(session, what, initiative_id=initiative_id, author_id=author_id, actor=actor, now=now)
            service.publish(session, item_id, actor=actor, now=now)
    except InvalidInput as error:
        return _form(subject, values=request.form, errors=on_the_form(error)), error.status
    flash(_("Je activiteit staat op de agenda."))
    return _to_list(initiative_id)


@bp.get(f"/<{ID}:item_id>")
@resident_required
def ask_change(initiative_id: int, item_id: int) -> str:
    """The form as it stands."""
    subject, item = _own_item(initiative_id, item_id)
    return _form(subject, item=item, values=values_of(item), seen=item.seal)


@bp.post(f"/<{ID}:item_id>")
@resident_required
def change(initiative_id: int, item_id: int) -> Response | tuple[str, int]:
    """Another time or place. Whoever has it in a calendar gets the change."""
    subject, item = _own_item(initiative_id, item_id)
    seen = request.form.get("seen", "")
    try:
        what = read_item(request.form)
        with transaction() as session:
            service.change(session, item_id, what, seen=seen, actor=current_actor(), now=clock.now())
    except InvalidInput as error:
        return _form(subject, item=item, values=request.form, errors=on_the_form(error), seen=seen), error.status
    flash(_("De activiteit is aangepast."))
    return _to_list(initiative_id)


@bp.get(f"/<{ID}:item_id>/afzeggen")
@resident_required
def ask_cancel(initiative_id: int, item_id: int) -> str:
    """What cancelling means, and why it is cancelled."""
    subject, item = _own_item(initiative_id, item_id)
    return _cancel_form(subject, item)


@bp.post(f"/<{ID}:item_id>/afzeggen")
@resident_required
def cancel(initiative_id: int, item_id: int) -> Response | tuple[str, int]:
    """It does not go on: it stays on the agenda and says so."""
    subject, item = _own_item(initiative_id, item_id)
    try:
        reason = load(ReasonForm(), request.form)["reason"]
        with transaction() as session:
            service.cancel(session, item_id, reason=reason, actor=current_actor(), now=clock.now())
    except InvalidInput as error:
        return _cancel_form(subject, item, values=request.form, errors=on_the_form(error)), error.status
    flash(_("De activiteit gaat niet door. Dat staat nu op de agenda."))
    return _to_list(initiative_id)


def _to_plan(initiative_id: int) -> Subject:
    return subject_for(db.session(), initiative_id, signed_in_user(), can_plan)


def _own_item(initiative_id: int, item_id: int) -> tuple[Subject, DeskItem]:
    """An activity of this initiative. Raises: NotFound for one of another, and for one that was withdrawn."""
    subject = _to_plan(initiative_id)
    item = desk_item(db.session(), item_id)
    if item is None or item.initiative_id != initiative_id or item.state == ItemState.WITHDRAWN:
        raise NotFound(_("Deze activiteit is er niet (meer)."))
    return subject, item


def _to_list(initiative_id: int) -> Response:
    return redirect(url_for(".index", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


def _form(
    subject: Subject, *, item: DeskItem | None = None, values: Any = None, errors: Any = None, seen: str = ""
) -> str:
    given = {"item": item, "values": values or {}, "errors": errors or {}, "seen": seen, "limits": LIMITS}
    return render_template("organisers/activity.html", subject=subject, today=clock.today(), **given)


def _cancel_form(subject: Subject, item: DeskItem, *, values: Any = None, errors: Any = None) -> str:
    given = {"item": item, "values": values or {}, "errors": errors or {}, "limits": LIMITS}
    return render_template(
        "organisers/activity_cancel.html", subject=subject, view=item.as_public(clock.now()), **given
    )
