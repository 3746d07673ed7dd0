# SPDX-License-Identifier: EUPL-1.2
"""Deciding at the desk: write it, see the mail and who gets it, send it."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.areas.queries import name_of
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.subjects import subject_of
from abs_platform.moderation import deciding, queries, queue, schemas
from abs_platform.moderation.deciding import DecidedMeanwhile
from abs_platform.moderation.routes import ID, Answered, Forms, rules, show_page, subject_to_open
from abs_platform.security import signed_in_user, staff_required

bp = Blueprint("deciding", __name__, url_prefix="/regie")


@bp.post(f"/initiatieven/<{ID}:initiative_id>/besluit")
@staff_required("district_manager", "coordinator")
def write(initiative_id: int) -> Answered:
    """Keep the draft, and go on to its mail unless it is only to be kept."""
    user, now = signed_in_user(), clock.now()
    subject = subject_to_open(db.session(), initiative_id)
    db.session.rollback()
    try:
        choice = schemas.read_choice(request.form)
        with transaction() as session:
            deciding.keep_draft(session, initiative_id, choice, user=user, now=now)
        if request.form.get("step") != "keep":
            deciding.prepare(db.session(), initiative_id, user=user, rules=rules(), now=now)
    except (InvalidInput, Conflict) as error:
        return show_page(subject, Forms.sent(error)), int(error.status)
    if request.form.get("step") == "keep":
        flash(_("Je concept is bewaard. Alleen jij en collega's van deze balie zien het."))
        return redirect(url_for("desk.show", initiative_id=initiative_id, _anchor="besluit"), HTTPStatus.SEE_OTHER)
    return redirect(url_for(".preview", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


@bp.get(f"/initiatieven/<{ID}:initiative_id>/besluit")
@staff_required("district_manager", "coordinator")
def preview(initiative_id: int) -> Answered:
    """The mail as it goes out, and who gets it. Nothing is sent yet."""
    subject = subject_to_open(db.session(), initiative_id)
    try:
        return _preview_page(subject, {})
    except (InvalidInput, Conflict) as error:
        return show_page(subject, None, errors=errors_of(error)), int(error.status)


def _preview_page(subject: Subject, errors: dict[str, str]) -> Answered:
    user, session = signed_in_user(), db.session()
    prepared = deciding.prepare(session, subject.id, user=user, rules=rules(), now=clock.now())
    if prepared is None:
        return redirect(url_for("desk.show", initiative_id=subject.id, _anchor="besluit"), HTTPStatus.SEE_OTHER)
    to_desk = name_of(session, prepared.choice.to_area_id)
    return render_template(
        "moderation/preview.html", subject=subject, prepared=prepared, to_desk=to_desk, errors=errors
    )


@bp.post(f"/initiatieven/<{ID}:initiative_id>/besluit/versturen")
@staff_required("district_manager", "coordinator")
def give(initiative_id: int) -> Answered:
    """Send the decision as it was shown."""
    user = signed_in_user()
    subject = subject_to_open(db.session(), initiative_id)
    db.session.rollback()
    form = request.form
    try:
        with transaction() as session:
            decision = deciding.give(
                session,
                initiative_id,
                shown=form.get("shown", ""),
                is_sure=form.get("is_sure") == "1",
                user=user,
                rules=rules(),
                now=clock.now(),
            )
            number = decision.id
    except DecidedMeanwhile as error:
        subject = subject_of(db.session(), initiative_id)
        return show_page(subject, None, notice=error.message), int(error.status)
    except (InvalidInput, Conflict) as error:
        return _answer_again(subject, error)
    return redirect(url_for(".decided", initiative_id=initiative_id, decision_id=number), HTTPStatus.SEE_OTHER)


def _answer_again(subject: Subject, error: InvalidInput | Conflict) -> Answered:
    """The mail as it is now, with what was wrong; who sent it already gets to the decision."""
    session, user = db.session(), signed_in_user()
    if not any(draft.author_id == user.account_id for draft in queries.drafts_of(session, subject.id)):
        latest = queries.decisions_of(session, subject.id)
        if latest and latest[0].decided_by_id == user.account_id:
            place = url_for(".decided", initiative_id=subject.id, decision_id=latest[0].id)
            return redirect(place, HTTPStatus.SEE_OTHER)
        return show_page(subject_of(session, subject.id), None, notice=error.message), int(error.status)
    try:
        page = _preview_page(subject, errors_of(error))
    except (InvalidInput, Conflict) as still:
        return show_page(subject, None, notice=still.message), int(still.status)
    return (page, int(error.status)) if isinstance(page, str) else page


@bp.post(f"/initiatieven/<{ID}:initiative_id>/besluit/weggooien")
@staff_required("district_manager", "coordinator")
def discard(initiative_id: int) -> Answered:
    """Throw my draft away."""
    subject_to_open(db.session(), initiative_id)
    db.session.rollback()
    with transaction() as session:
        deciding.discard_draft(session, initiative_id, user=signed_in_user())
    flash(_("Je concept is weg."))
    return redirect(url_for("desk.show", initiative_id=initiative_id, _anchor="besluit"), HTTPStatus.SEE_OTHER)


@bp.get(f"/initiatieven/<{ID}:initiative_id>/besluiten/<{ID}:decision_id>")
@staff_required("district_manager", "coordinator")
def decided(initiative_id: int, decision_id: int) -> str:
    """A decision that was given: its mail, who got it, and where to go on."""
    session, user = db.session(), signed_in_user()
    subject = subject_to_open(session, initiative_id)
    found = next((one for one in queries.decisions_of(session, initiative_id) if one.id == decision_id), None)
    if found is None:
        raise NotFound(_("Dit besluit bestaat niet."))
    filters = queue.Filters(desks=user.desk_area_ids)
    waiting = queue.waiting(session, filters, now=clock.now(), days=rules().answer_working_days).page
    following = next((item for item in waiting.items if item.initiative_id != initiative_id), None)
    return render_template(
        "moderation/decided.html",
        subject=subject,
        decision=found,
        following=following,
        left=waiting.total,
        to_desk=name_of(session, found.to_area_id),
    )
