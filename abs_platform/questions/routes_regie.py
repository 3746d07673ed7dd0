# SPDX-License-Identifier: EUPL-1.2
"""The desk's one screen for a question or an answer: answer officially, hide it with a reason, or let it stand."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import attempts, clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound, TooManyAttempts
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.subjects import subject_for
from abs_platform.questions import queries, service
from abs_platform.questions.permissions import can_look_after
from abs_platform.questions.queries import ReportedPost
from abs_platform.questions.schemas import AnswerForm, ReasonForm
from abs_platform.questions.states import Voice
from abs_platform.security import current_actor, signed_in_user, staff_required

ID = "int(max=9223372036854775807)"
bp = Blueprint("questions_regie", __name__, url_prefix="/regie/vragen")


@bp.get("")
@staff_required("district_manager", "coordinator")
def index() -> str:
    """What was reported at the desks of this person and not looked at yet, the oldest first."""
    posts = queries.reported(db.session(), signed_in_user().desk_area_ids)
    return render_template("questions/reported.html", posts=posts)


@bp.get(f"/<{ID}:post_id>")
@staff_required("district_manager", "coordinator")
def review(post_id: int) -> str:
    """A post, what was said about it, and what can be done."""
    return _page(_own(post_id), {}, {})


@bp.post(f"/<{ID}:post_id>")
@staff_required("district_manager", "coordinator")
def decide(post_id: int) -> str | Response | tuple[str, int]:
    """Answer it in the name of the municipality, hide it with one mail to who wrote it, or let it stand."""
    post = _own(post_id)
    try:
        flash(_DECISIONS.get(request.form.get("decision", ""), _hide)(post))
    except (InvalidInput, Conflict, TooManyAttempts) as error:
        return _page(_own(post_id), request.form, errors_of(error)), int(error.status)
    return redirect(url_for("questions.index", initiative_id=post.initiative_id), HTTPStatus.SEE_OTHER)


@bp.post(f"/initiatief/<{ID}:initiative_id>")
@staff_required("district_manager", "coordinator")
def switch(initiative_id: int) -> Response:
    """Open or close the questions of an initiative."""
    subject_for(db.session(), initiative_id, signed_in_user(), can_look_after)
    is_on = request.form.get("on") == "1"
    with transaction() as session:
        service.switch(session, initiative_id, is_on=is_on, actor=current_actor(), now=clock.now())
    flash(_("Bewoners kunnen weer vragen stellen.") if is_on else _("Bewoners kunnen geen vragen meer stellen."))
    return redirect(url_for("questions.index", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


def _answer(post: ReportedPost) -> str:
    body, user = load(AnswerForm(), request.form)["body"], signed_in_user()
    key = attempts.digest(current_app.extensions["settings"].secret_key, f"account:{user.account_id}")
    with transaction() as session:
        service.answer(
            session,
            post.id,
            body,
            voice=Voice.OFFICIAL,
            author_id=user.account_id,
            key=key,
            actor=current_actor(),
            now=clock.now(),
        )
    return str(_("Je antwoord staat op de pagina, met 'Wijkregisseur' erbij. Wie het vroeg, krijgt een mail."))


def _keep(post: ReportedPost) -> str:
    with transaction() as session:
        service.keep(session, post.id, by_id=signed_in_user().account_id, actor=current_actor(), now=clock.now())
    return str(_("Het blijft staan. De melding is afgehandeld."))


def _hide(post: ReportedPost) -> str:
    reason = load(ReasonForm(), request.form)["reason"]
    with transaction() as session:
        service.hide(
            session, post.id, reason, by_id=signed_in_user().account_id, actor=current_actor(), now=clock.now()
        )
    return str(_("Het is verborgen. Wie het schreef, krijgt een mail met je reden."))


_DECISIONS = {"answer": _answer, "keep": _keep, "hide": _hide}


def _own(post_id: int) -> ReportedPost:
    session = db.session()
    post = queries.reported_post(session, post_id)
    if post is None:
        raise NotFound(_("Deze vraag bestaat niet (meer)."))
    subject_for(session, post.initiative_id, signed_in_user(), can_look_after)
    return post


def _page(post: ReportedPost, values: object, errors: dict[str, str]) -> str:
    return render_template("questions/review.html", post=post, values=values, errors=errors)
