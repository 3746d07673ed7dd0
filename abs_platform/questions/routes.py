# SPDX-License-Identifier: EUPL-1.2
"""Questions under an initiative: read, asked, answered and reported; and the organisers' own list of them."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import attempts, clock
from abs_platform.accounts.service import change_name
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound, TooManyAttempts
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.queries import card
from abs_platform.initiatives.subjects import subject_for, subject_of
from abs_platform.questions import queries, service
from abs_platform.questions.models import Post
from abs_platform.questions.permissions import can_answer, can_ask, can_look_after
from abs_platform.questions.schemas import AnswerForm, NamedQuestionForm, QuestionForm, ReasonForm
from abs_platform.questions.states import ASKING_STATES, Voice
from abs_platform.security import current_actor, public, resident_required, signed_in_user, user_or_none

ID = "int(max=9223372036854775807)"
bp = Blueprint("questions", __name__)

Answer = str | Response | tuple[str, int]


@bp.get(f"/initiatieven/<{ID}:initiative_id>/vragen")
@public
def index(initiative_id: int) -> str:
    """All questions of an initiative with their answers, the newest first."""
    session = db.session()
    found = card(session, initiative_id, today=clock.today())
    if found is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer). Zoek verder bij de initiatieven."))
    number = request.args.get("pagina", "")
    page = queries.page(session, initiative_id, int(number) if number.isdecimal() and len(number) < 7 else 1)
    user = user_or_none()
    subject = subject_of(session, initiative_id) if user else None
    return render_template(
        "questions/index.html",
        initiative=found,
        page=page,
        about=queries.asked(session, initiative_id),
        can_be_asked=found.state in ASKING_STATES,
        can_answer=bool(user and subject and can_answer(user, subject)),
        can_look_after=bool(user and subject and can_look_after(user, subject)),
    )


@bp.get(f"/initiatieven/<{ID}:initiative_id>/vragen/stellen")
@resident_required
def ask(initiative_id: int) -> str:
    """An empty question."""
    return _ask_page(_asked(initiative_id), {}, {})


@bp.post(f"/initiatieven/<{ID}:initiative_id>/vragen/stellen")
@resident_required
def send(initiative_id: int) -> Answer:
    """Ask it."""
    user, about = signed_in_user(), _asked(initiative_id)
    if not can_ask(user, subject_of(db.session(), initiative_id)):
        refusal = Conflict(_("Je organiseert dit zelf, of er kunnen geen vragen meer bij."))
        return _ask_page(about, request.form, errors_of(refusal)), int(refusal.status)
    try:
        typed = load(QuestionForm() if user.name else NamedQuestionForm(), request.form)
        name = user.name or typed["name"]
        with transaction() as session:
            if not user.name:
                change_name(session, user.account_id, name)
            post = service.ask(
                session,
                initiative_id,
                typed["body"],
                author_id=user.account_id,
                name=name,
                key=_key(),
                actor=current_actor(),
                now=clock.now(),
            )
            post_id = post.id
    except (InvalidInput, Conflict, TooManyAttempts) as error:
        return _ask_page(about, request.form, errors_of(error)), int(error.status)
    flash(_("Je vraag staat op de pagina. De organisatoren hebben een mail gekregen."))
    return _to_question(initiative_id, post_id)


@bp.get(f"/vragen/<{ID}:post_id>/antwoord")
@resident_required
def answer(post_id: int) -> str:
    """A question, and an empty answer."""
    question, _subject = _to_answer(post_id)
    return _answer_page(question, {}, {})


@bp.post(f"/vragen/<{ID}:post_id>/antwoord")
@resident_required
def reply(post_id: int) -> Answer:
    """Answer it, as organiser."""
    user = signed_in_user()
    question, subject = _to_answer(post_id)
    try:
        body = load(AnswerForm(), request.form)["body"]
        with transaction() as session:
            service.answer(
                session,
                post_id,
                body,
                voice=Voice.ORGANISER,
                author_id=user.account_id,
                key=_key(),
                actor=current_actor(),
                now=clock.now(),
            )
    except (InvalidInput, Conflict, TooManyAttempts) as error:
        return _answer_page(question, request.form, errors_of(error)), int(error.status)
    flash(_("Je antwoord staat op de pagina. Wie het vroeg, krijgt een mail."))
    return _to_question(subject.id, post_id)


@bp.get(f"/vragen/<{ID}:post_id>/melden")
@resident_required
def report(post_id: int) -> str:
    """Ask what is wrong with it."""
    return _report_page(_visible(post_id), {}, {})


@bp.post(f"/vragen/<{ID}:post_id>/melden")
@resident_required
def send_report(post_id: int) -> Answer:
    """Tell the desk."""
    post = _visible(post_id)
    try:
        reason = load(ReasonForm(), request.form)["reason"]
        with transaction() as session:
            is_new = service.report(
                session,
                post_id,
                reason,
                reporter_id=signed_in_user().account_id,
                key=_key(),
                actor=current_actor(),
                now=clock.now(),
            )
    except (InvalidInput, Conflict, TooManyAttempts) as error:
        return _report_page(post, request.form, errors_of(error)), int(error.status)
    thanks = _("Dank je. De wijkregisseur kijkt ernaar.")
    flash(thanks if is_new else _("Je had dit al gemeld. De wijkregisseur kijkt ernaar."))
    return redirect(url_for(".index", initiative_id=post.initiative_id), HTTPStatus.SEE_OTHER)


@bp.get(f"/account/initiatieven/<{ID}:initiative_id>/vragen")
@resident_required
def manage(initiative_id: int) -> str:
    """The organisers' list: what waits for an answer first, and the switch."""
    session = db.session()
    subject = subject_for(session, initiative_id, signed_in_user(), can_answer)
    return render_template(
        "questions/manage.html",
        subject=subject,
        questions=queries.unanswered_first(session, initiative_id),
        about=queries.asked(session, initiative_id),
    )


@bp.post(f"/account/initiatieven/<{ID}:initiative_id>/vragen")
@resident_required
def switch(initiative_id: int) -> Response:
    """Open or close the questions."""
    subject_for(db.session(), initiative_id, signed_in_user(), can_answer)
    is_on = request.form.get("on") == "1"
    with transaction() as session:
        service.switch(session, initiative_id, is_on=is_on, actor=current_actor(), now=clock.now())
    flash(_("Bewoners kunnen weer vragen stellen.") if is_on else _("Bewoners kunnen geen vragen meer stellen."))
    return redirect(url_for(".manage", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


def _asked(initiative_id: int) -> queries.Asked:
    found = queries.asked(db.session(), initiative_id)
    if found is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer). Zoek verder bij de initiatieven."))
    return found


def _visible(post_id: int) -> Post:
    post = queries.find(db.session(), post_id)
    question = queries.find(db.session(), post.question_id) if post and post.question_id else None
    if post is None or post.hidden_at is not None or (question is not None and question.hidden_at is not None):
        raise NotFound(_("Deze vraag bestaat niet (meer)."))
    return post


def _to_answer(post_id: int) -> tuple[queries.Question, Subject]:
    session, user = db.session(), signed_in_user()
    question = queries.one(session, post_id)
    if question is None:
        raise NotFound(_("Deze vraag bestaat niet (meer)."))
    return question, subject_for(session, _visible(post_id).initiative_id, user, can_answer)


def _ask_page(about: queries.Asked, values: object, errors: dict[str, str]) -> str:
    user = signed_in_user()
    return render_template(
        "questions/ask.html",
        about=about,
        values=values,
        errors=errors,
        user=user,
        can_ask=about.has_questions and can_ask(user, subject_of(db.session(), about.id)),
    )


def _answer_page(question: queries.Question, values: object, errors: dict[str, str]) -> str:
    post = _visible(question.id)
    about = _asked(post.initiative_id)
    return render_template("questions/answer.html", question=question, about=about, values=values, errors=errors)


def _report_page(post: Post, values: object, errors: dict[str, str]) -> str:
    return render_template(
        "questions/report.html", post=post, about=_asked(post.initiative_id), values=values, errors=errors
    )


def _to_question(initiative_id: int, post_id: int) -> Response:
    place = url_for(".index", initiative_id=initiative_id, _anchor=f"vraag-{post_id}")
    return redirect(place, HTTPStatus.SEE_OTHER)


def _key() -> bytes:
    """What the limits of a person count by."""
    secret_key: str = current_app.extensions["settings"].secret_key
    return attempts.digest(secret_key, f"account:{signed_in_user().account_id}")
