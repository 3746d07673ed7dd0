# SPDX-License-Identifier: EUPL-1.2
"""The desk's screens of news: write, look, publish now or later, change, withdraw; each for the own districts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TypedDict

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from abs_platform import attempts, clock
from abs_platform.actors import Actor
from abs_platform.areas.queries import AreaRow, list_areas
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooManyAttempts
from abs_platform.event_log.queries import happened_to
from abs_platform.form_input import errors_of, load, read_publish_at
from abs_platform.media.keeping import kept_picture, read_upload
from abs_platform.news import queries, service
from abs_platform.news.permissions import area_chosen, can_post, may_post_in
from abs_platform.news.queries import DeskPost
from abs_platform.news.schemas import PostForm, ReasonForm
from abs_platform.news.service import PostInput
from abs_platform.news.states import DAY, SENTENCES, UPLOADS_PER_DAY
from abs_platform.paging import page_asked
from abs_platform.security import current_actor, signed_in_user, staff_required
from abs_platform.uploads import accepts_upload

bp = Blueprint("news_regie", __name__, url_prefix="/regie/nieuws")

ID = "int(max=9223372036854775807)"
Answer = str | Response | tuple[str, int]
_REFUSALS = (InvalidInput, Conflict, TooManyAttempts)
_desk = staff_required("district_manager", "coordinator")


@bp.get("")
@_desk
def index() -> str:
    """All posts of the areas in which somebody may post: drafts, what is to come, what anyone reads, what was."""
    session, user = db.session(), signed_in_user()
    areas = [area for area in list_areas(session) if can_post(user, area)]
    page = queries.desk_posts(
        session, area_ids=[area.id for area in areas], number=page_asked(request.args.get("pagina", ""))
    )
    return render_template("news/desk.html", page=page, now=clock.now(), user=user, may_write=bool(areas))


@bp.get("/nieuw")
@_desk
def new() -> str:
    """An empty form."""
    return _form(None, {}, {})


@bp.post("/nieuw")
@_desk
def begin() -> Answer:
    """Keep what was written as a draft, and go on to its picture and publishing."""
    try:
        what = _read(None)
        with transaction() as session:
            post_id = service.write(
                session, what, author_id=signed_in_user().account_id, actor=current_actor(), now=clock.now()
            )
    except InvalidInput as error:
        return _form(None, request.form, errors_of(error)), int(error.status)
    flash(_("Het concept is bewaard. Nog niemand buiten de regie ziet het."))
    return _to(post_id)


@bp.get(f"/<{ID}:post_id>")
@_desk
def edit(post_id: int) -> str:
    """What was written, how it will look, and what can be done with it."""
    return _form(_mine(post_id), {}, {})


@bp.post(f"/<{ID}:post_id>")
@_desk
def save(post_id: int) -> Answer:
    """Keep what was written."""

    def work(session: Session) -> None:
        what = _read(_mine(post_id).area_id)
        seen = request.form.get("seen", "")
        service.change(session, post_id, what, seen=seen, actor=current_actor(), now=clock.now())

    return _do(post_id, work, _("Het bericht is bewaard."))


@bp.post(f"/<{ID}:post_id>/plaatsen")
@_desk
def publish(post_id: int) -> Answer:
    """Make it public: now, or at the moment that was chosen."""
    later = request.form.get("when") == "later"

    def work(session: Session) -> None:
        now = clock.now()
        at = read_publish_at(request.form.get("publish_at", ""), now) if later else None
        service.publish(session, post_id, at=at, actor=current_actor(), now=now)

    said = _("Het bericht is ingepland.") if later else _("Het bericht staat op de site.")
    return _do(post_id, work, said)


@bp.post(f"/<{ID}:post_id>/terug")
@_desk
def take_back(post_id: int) -> Answer:
    """Make a draft again of what is still to come."""

    def work(session: Session) -> None:
        service.take_back(session, post_id, actor=current_actor(), now=clock.now())

    return _do(post_id, work, _("Het bericht is weer een concept."))


@bp.post(f"/<{ID}:post_id>/foto")
@_desk
@accepts_upload
def set_picture(post_id: int) -> Answer:
    """Put a picture with it, describe the one that is there, or take it away."""
    post, user = _mine(post_id), signed_in_user()
    text, sent = request.form.get("alt_text", ""), request.files.get("picture")
    if "remove" in request.form:
        return _do(post_id, lambda s: service.remove_picture(s, post_id, **_by()), _("De foto is weg."))
    if post.picture and not (sent and sent.filename):
        return _do(
            post_id, lambda s: service.describe_picture(s, post_id, text, **_by()), _("De beschrijving is bewaard.")
        )
    try:
        with transaction() as session:  # opening a picture is work: it is counted before it is done
            key = attempts.digest(current_app.extensions["settings"].secret_key, f"account:{user.account_id}")
            attempts.claim(session, "upload", key, most=UPLOADS_PER_DAY, window=DAY, now=clock.now())
        with (
            kept_picture(current_app.extensions["file_store"], read_upload(sent.stream) if sent else b"") as kept,
            transaction() as session,
        ):
            service.set_picture(session, post_id, kept, alt_text=text, uploaded_by_id=user.account_id, **_by())
    except _REFUSALS as error:
        return _form(_mine(post_id), request.form, errors_of(error)), int(error.status)
    flash(_("De foto staat bij het bericht."))
    return _to(post_id)


@bp.get(f"/<{ID}:post_id>/intrekken")
@_desk
def ask_withdraw(post_id: int) -> str:
    """Ask why."""
    return render_template("news/withdraw.html", post=_mine(post_id), values={}, errors={}, user=signed_in_user())


@bp.post(f"/<{ID}:post_id>/intrekken")
@_desk
def withdraw(post_id: int) -> Answer:
    """Take it off the site, or throw a draft away."""
    post = _mine(post_id)
    try:
        reason = "" if post.state == "draft" else load(ReasonForm(), request.form)["reason"]
        with transaction() as session:
            service.withdraw(session, post_id, reason=reason, **_by())
    except InvalidInput as error:
        page = render_template(
            "news/withdraw.html", post=post, values=request.form, errors=errors_of(error), user=signed_in_user()
        )
        return page, int(error.status)
    flash(_("Het bericht is ingetrokken."))
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


class _By(TypedDict):
    """Who does something, and when."""

    actor: Actor
    now: dt.datetime


def _by() -> _By:
    return {"actor": current_actor(), "now": clock.now()}


def _do(post_id: int, work: Callable[[Session], None], said: str) -> Answer:
    """Do something with a post of the own areas; a refusal stands on its page."""
    _mine(post_id)
    try:
        with transaction() as session:
            work(session)
    except _REFUSALS as error:
        return _form(_mine(post_id), request.form, errors_of(error)), int(error.status)
    flash(said)
    return _to(post_id)


def _to(post_id: int) -> Response:
    return redirect(url_for(".edit", post_id=post_id), HTTPStatus.SEE_OTHER)


def _mine(post_id: int) -> DeskPost:
    """A post of an area in which this person may post. Raises: NotFound, NotAllowed."""
    session = db.session()
    post = queries.desk_post(session, post_id)
    if post is None:
        raise NotFound(_("Dit bericht bestaat niet (meer)."))
    if all(area.id != post.area_id or not can_post(signed_in_user(), area) for area in _all_areas(session)):
        raise NotAllowed(_("Dit bericht is niet van jouw wijk."))
    return post


def _all_areas(session: Session) -> list[AreaRow]:
    return list_areas(session, with_ended=True)


def _read(area_id_now: int | None) -> PostInput:
    """What the form says. Raises: InvalidInput, also for an area in which this person may not post."""
    typed = load(PostForm(), request.form)
    areas, chosen = list_areas(db.session()), request.form.get("area_id", "")
    area_id = area_chosen(signed_in_user(), areas, chosen, area_id_now)
    if area_id is None:
        sentence = _("Kies voor wie het bericht is.")
        raise InvalidInput(sentence, fields={"area_id": sentence})
    return PostInput(area_id=area_id, **typed)


def _form(post: DeskPost | None, typed: Mapping[str, str], errors: dict[str, str]) -> str:
    session, user, now = db.session(), signed_in_user(), clock.now()
    offered = may_post_in(user, list_areas(session))
    if not offered:
        raise NotAllowed(_("Je hebt geen wijk om voor te schrijven. Vraag het de beheerder."))
    stored = {} if post is None else {name: getattr(post, name) for name in ("title", "summary", "body", "area_id")}
    return render_template(
        "news/edit.html",
        post=post,
        preview=None if post is None else post.as_public(now),
        values=typed if "title" in typed else stored | dict(typed),
        errors=errors,
        offered=[(area.id, area.name) for area in offered],
        is_scheduled=post is not None and post.is_scheduled(now),
        is_public=post is not None and post.is_public(now),
        history=[] if post is None else happened_to(session, "news", post.id),
        sentences=SENTENCES,
        user=user,
    )
