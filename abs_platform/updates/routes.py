# SPDX-License-Identifier: EUPL-1.2
"""The organisers' pages for updates: written, given pictures, posted, taken away."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from abs_platform import attempts, clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound, TooManyAttempts
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.subjects import subject_for
from abs_platform.media.queries import pictures_of
from abs_platform.media.states import Purpose
from abs_platform.rich_text import contacts_in
from abs_platform.security import current_actor, resident_required, signed_in_user
from abs_platform.updates import queries, service
from abs_platform.updates.models import Update
from abs_platform.updates.permissions import can_tell
from abs_platform.updates.schemas import ReasonForm, UpdateForm
from abs_platform.updates.states import (
    DAY,
    DRAFTS_PER_DAY,
    EDITABLE_FOR,
    MAX_PICTURES,
    POSTS_PER_DAY,
    TELLING_STATES,
    UpdateState,
)

ID = "int(max=9223372036854775807)"
bp = Blueprint("updates", __name__)

Answer = str | Response | tuple[str, int]
_HOME = f"/account/initiatieven/<{ID}:initiative_id>"
ONE = f"{_HOME}/berichten/<{ID}:update_id>"


@bp.get(f"{_HOME}/berichten")
@resident_required
def index(initiative_id: int) -> str:
    """What the organisers wrote, and what they are writing."""
    session = db.session()
    subject = subject_for(session, initiative_id, signed_in_user(), can_tell)
    updates = queries.of_initiative(session, initiative_id)
    return render_template(
        "updates/index.html",
        subject=subject,
        updates=updates,
        can_tell_now=subject.state in TELLING_STATES,
    )


@bp.get(f"{_HOME}/berichten/nieuw")
@resident_required
def create(initiative_id: int) -> str:
    """An empty update."""
    subject = subject_for(db.session(), initiative_id, signed_in_user(), can_tell)
    return render_template("updates/new.html", subject=subject, values={}, errors={})


@bp.post(f"{_HOME}/berichten/nieuw")
@resident_required
def begin(initiative_id: int) -> Answer:
    """Keep it as a draft, and go on to pictures and posting."""
    user = signed_in_user()
    subject = subject_for(db.session(), initiative_id, user, can_tell)
    try:
        typed = load(UpdateForm(), request.form)
        with transaction() as session:
            _count(session, "update.draft", initiative_id, DRAFTS_PER_DAY)
            made = service.start_update(
                session,
                initiative_id,
                typed["title"],
                typed["body"],
                author_id=user.account_id,
                actor=current_actor(),
                now=clock.now(),
            )
            update_id = made.id
    except (InvalidInput, Conflict, TooManyAttempts) as error:
        page = render_template("updates/new.html", subject=subject, values=request.form, errors=errors_of(error))
        return page, int(error.status)
    return redirect(url_for(".edit", initiative_id=initiative_id, update_id=update_id), HTTPStatus.SEE_OTHER)


@bp.get(ONE)
@resident_required
def edit(initiative_id: int, update_id: int) -> str:
    """Write, add pictures, see how it will look and who gets a mail."""
    subject, update = own_update(db.session(), initiative_id, update_id)
    return edit_page(subject, update, {"title": update.title, "body": update.body}, {})


@bp.post(ONE)
@resident_required
def save(initiative_id: int, update_id: int) -> Answer:
    """Keep what was written."""
    subject, _update = own_update(db.session(), initiative_id, update_id)
    try:
        typed = load(UpdateForm(), request.form)
        with transaction() as session:
            service.change_update(
                session, update_id, typed["title"], typed["body"], actor=current_actor(), now=clock.now()
            )
    except (InvalidInput, Conflict) as error:
        return edit_page(subject, find_update(update_id), request.form, errors_of(error)), int(error.status)
    flash(_("Het bericht is bewaard."))
    return back(initiative_id, update_id)


@bp.post(f"{ONE}/plaatsen")
@resident_required
def post(initiative_id: int, update_id: int) -> Answer:
    """Put it on the page and mail it."""
    subject, update = own_update(db.session(), initiative_id, update_id)
    try:
        _refuse_without_alt(initiative_id, update_id)
        with transaction() as session:
            _count(session, "update.post", initiative_id, POSTS_PER_DAY)
            number = service.post_update(
                session, update_id, secret_key=_secretkey_of(), actor=current_actor(), now=clock.now()
            )
    except (InvalidInput, Conflict, TooManyAttempts) as error:
        update = find_update(update_id)
        return edit_page(subject, update, {"title": update.title, "body": update.body}, errors_of(error)), int(
            error.status
        )
    flash(mailed(number, _("Je bericht staat op de pagina.")))
    return redirect(url_for(".index", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


@bp.get(f"{ONE}/verwijderen")
@resident_required
def ask_remove(initiative_id: int, update_id: int) -> str:
    """Ask why."""
    subject, update = own_update(db.session(), initiative_id, update_id)
    return render_template("updates/remove.html", subject=subject, update=update, values={}, errors={})


@bp.post(f"{ONE}/verwijderen")
@resident_required
def remove(initiative_id: int, update_id: int) -> Answer:
    """Take it off the page, or throw a draft away."""
    subject, update = own_update(db.session(), initiative_id, update_id)
    try:
        reason = "" if update.posted_at is None else load(ReasonForm(), request.form)["reason"]
        with transaction() as session:
            service.remove_update(session, update_id, reason=reason, actor=current_actor(), now=clock.now())
    except InvalidInput as error:
        page = render_template(
            "updates/remove.html",
            subject=subject,
            update=find_update(update_id),
            values=request.form,
            errors=errors_of(error),
        )
        return page, int(error.status)
    flash(_("Het bericht is weg."))
    return redirect(url_for(".index", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)


def mailed(number: int, sentence: str) -> str:
    """What was done, and how many mails that meant."""
    if not number:
        return sentence
    told: str = ngettext("%(num)s gever krijgt een mail.", "%(num)s gevers krijgen een mail.", number)
    return f"{sentence} {told}"


def own_update(session: Session, initiative_id: int, update_id: int) -> tuple[Subject, Update]:
    """One update of who asks. Raises: NotFound, NotAllowed."""
    subject = subject_for(session, initiative_id, signed_in_user(), can_tell)
    update = queries.find(session, update_id)
    if update is None or update.initiative_id != initiative_id or _is_thrown_away(update):
        raise NotFound(_("Dit bericht bestaat niet (meer)."))
    return subject, update


def _is_thrown_away(update: Update) -> bool:
    return update.state == UpdateState.REMOVED and update.posted_at is None


def find_update(update_id: int) -> Update:
    """An update as it is now. Raises: NotFound."""
    update = queries.find(db.session(), update_id)
    if update is None:
        raise NotFound(_("Dit bericht bestaat niet (meer)."))
    return update


def _refuse_without_alt(initiative_id: int, update_id: int) -> None:
    pictures = pictures_of(db.session(), initiative_id, purpose=Purpose.UPDATE, update_id=update_id)
    missing = {f"alt-{one.id}": _("Beschrijf wat er op de foto te zien is.") for one in pictures if one.needs_alt}
    if missing:
        raise InvalidInput(_("Beschrijf eerst wat er op de foto's te zien is."), fields=missing)


def edit_page(subject: Subject, update: Update, values: object, errors: dict[str, str]) -> str:
    """The page on which an update is written."""
    session = db.session()
    return render_template(
        "updates/edit.html",
        subject=subject,
        update=update,
        values=values,
        errors=errors,
        pictures=pictures_of(session, subject.id, purpose=Purpose.UPDATE, update_id=update.id),
        most_pictures=MAX_PICTURES,
        is_editable=service.is_editable(update, clock.now()),
        editable_until=update.posted_at + EDITABLE_FOR if update.posted_at else None,
        contacts=contacts_in(f"{update.title}\n{update.body}"),
        recipients=len(queries.news_recipients(session, subject.id)),
    )


def _count(session: Session, bucket: str, initiative_id: int, most: int) -> None:
    key = key_of(f"initiative:{initiative_id}")
    attempts.claim(session, bucket, key, most=most, window=DAY, now=clock.now())


def key_of(counted: str) -> bytes:
    """What a limit counts by."""
    return attempts.digest(_secretkey_of(), counted)


def back(initiative_id: int, update_id: int, anchor: str | None = None) -> Response:
    """To that page."""
    place = url_for(".edit", initiative_id=initiative_id, update_id=update_id, _anchor=anchor)
    return redirect(place, HTTPStatus.SEE_OTHER)


def _secretkey_of() -> str:
    secret_key: str = current_app.extensions["settings"].secret_key
    return secret_key
