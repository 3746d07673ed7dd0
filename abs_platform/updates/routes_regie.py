# SPDX-License-Identifier: EUPL-1.2
"""The desk's one screen for taking an update off a page, with a reason."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import InvalidInput, NotFound
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.subjects import subject_for
from abs_platform.media.queries import pictures_of
from abs_platform.media.states import Purpose
from abs_platform.security import current_actor, signed_in_user, staff_required
from abs_platform.updates import queries, service
from abs_platform.updates.models import Update
from abs_platform.updates.permissions import can_hide
from abs_platform.updates.schemas import ReasonForm
from abs_platform.updates.states import UpdateState

ID = "int(max=9223372036854775807)"
bp = Blueprint("updates_regie", __name__, url_prefix="/regie/berichten")


@bp.get(f"/<{ID}:update_id>/verbergen")
@staff_required("district_manager", "coordinator")
def ask_hide(update_id: int) -> str:
    """The update, and the question why."""
    subject, update = _visible(update_id)
    return _page(subject, update, {}, {})


@bp.post(f"/<{ID}:update_id>/verbergen")
@staff_required("district_manager", "coordinator")
def hide(update_id: int) -> str | Response | tuple[str, int]:
    """Hide it and mail the organisers, once."""
    subject, update = _visible(update_id)
    try:
        reason = load(ReasonForm(), request.form)["reason"]
        with transaction() as session:
            service.hide_update(session, update_id, reason=reason, actor=current_actor(), now=clock.now())
    except InvalidInput as error:
        return _page(subject, update, request.form, errors_of(error)), int(error.status)
    flash(_("Het bericht is verborgen. De organisatoren krijgen een mail met je reden."))
    return redirect(url_for("initiatives.show", initiative_id=subject.id), HTTPStatus.SEE_OTHER)


def _visible(update_id: int) -> tuple[Subject, Update]:
    session = db.session()
    update = queries.find(session, update_id)
    if update is None or update.state == UpdateState.DRAFT or update.posted_at is None:
        raise NotFound(_("Dit bericht bestaat niet (meer)."))
    return subject_for(session, update.initiative_id, signed_in_user(), can_hide), update


def _page(subject: Subject, update: Update, values: object, errors: dict[str, str]) -> str:
    pictures = pictures_of(db.session(), subject.id, purpose=Purpose.UPDATE, update_id=update.id)
    return render_template(
        "updates/hide.html", subject=subject, update=update, pictures=pictures, values=values, errors=errors
    )
