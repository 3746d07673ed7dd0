# SPDX-License-Identifier: EUPL-1.2
"""The pictures of an initiative: add, describe, order and remove. They are kept at once, without a working copy."""

from __future__ import annotations

from http import HTTPStatus

from flask import current_app, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform import attempts, clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound, TooManyAttempts
from abs_platform.initiatives import proposals
from abs_platform.initiatives.changing import refuse_when_not_theirs
from abs_platform.initiatives.routes_submitting import ID, Answered, bp, own_initiative, settings, step_page, typed
from abs_platform.initiatives.schemas import refusal
from abs_platform.initiatives.steps import Step
from abs_platform.media.keeping import kept_picture, read_upload
from abs_platform.media.queries import pictures_of
from abs_platform.media.service import add_picture, remove_picture, reorder, set_alt
from abs_platform.media.states import Purpose
from abs_platform.security import current_actor, resident_required, signed_in_user
from abs_platform.uploads import accepts_upload

__all__ = ["bp"]

UPLOADS_A_DAY = 60


@bp.post(f"/{ID}/fotos")
@accepts_upload
@resident_required
def add(initiative_id: int) -> Answered:
    """Take a picture in."""
    _subject, initiative = own_initiative(initiative_id)
    now, user = clock.now(), signed_in_user()
    try:
        refuse_when_not_theirs(initiative)
        data = _sent_picture()
        with transaction() as session:  # counted whatever comes of it: making a picture anew is work
            key = attempts.digest(settings().secret_key, str(user.account_id))
            attempts.claim(session, "upload-picture", key, most=UPLOADS_A_DAY, window=attempts.KEPT / 2, now=now)
        store = current_app.extensions["file_store"]
        with kept_picture(store, data) as kept, transaction() as session:
            add_picture(
                session,
                kept,
                purpose=Purpose.INITIATIVE,
                initiative_id=initiative_id,
                alt_text=request.form.get("alt_text", ""),
                is_decorative=bool(request.form.get("is_decorative")),
                uploaded_by_id=user.account_id,
                actor=current_actor(),
                now=now,
            )
            _note(session, initiative_id)
    except (InvalidInput, Conflict, TooManyAttempts) as error:
        db.session.expire_all()
        return step_page(initiative, Step.PICTURES, values=typed(), error=error)
    flash(_("De foto staat erbij."))
    return _back(initiative_id)


def _sent_picture() -> bytes:
    file = request.files.get("picture")
    if file is None or not file.filename:
        raise refusal("picture", _("Kies eerst een foto."))
    return read_upload(file.stream)


@bp.post(f"/{ID}/fotos/<int(max=9223372036854775807):picture_id>")
@resident_required
def change(initiative_id: int, picture_id: int) -> Answered:
    """Describe a picture, move it, or take it away: what the pressed button says."""
    _subject, initiative = own_initiative(initiative_id)
    now, actor, pressed = clock.now(), current_actor(), request.form.get("doe", "")
    if picture_id not in {picture.id for picture in pictures_of(db.session(), initiative_id)}:
        raise NotFound(_("Deze foto is er niet (meer)."))  # receipts and pictures of updates are not changed here
    try:
        with transaction() as session:
            if pressed == "weg":
                remove_picture(session, picture_id, initiative_id=initiative_id, actor=actor, now=now)
            elif pressed in {"omhoog", "omlaag"}:
                _move(session, initiative_id, picture_id, -1 if pressed == "omhoog" else 1)
            else:
                set_alt(
                    session,
                    picture_id,
                    initiative_id=initiative_id,
                    alt_text=request.form.get(f"alt-{picture_id}", ""),
                    is_decorative=bool(request.form.get(f"decorative-{picture_id}")),
                    actor=actor,
                    now=now,
                )
            _note(session, initiative_id)
    except InvalidInput as error:
        db.session.expire_all()
        wrong = refusal(f"alt-{picture_id}", error.message)
        return step_page(initiative, Step.PICTURES, values=typed(), error=wrong)
    done = {"weg": _("De foto is weg."), "omhoog": _("De volgorde is bewaard."), "omlaag": _("De volgorde is bewaard.")}
    flash(done.get(pressed, _("De beschrijving is bewaard.")))
    return _back(initiative_id)


def _move(session: Session, initiative_id: int, picture_id: int, by: int) -> None:
    """Let a picture change places with its neighbour."""
    order = [picture.id for picture in pictures_of(session, initiative_id)]
    if picture_id not in order:
        raise Conflict(_("Deze foto is er niet (meer). Laad de pagina opnieuw."))
    place = order.index(picture_id)
    other = min(max(place + by, 0), len(order) - 1)
    order[place], order[other] = order[other], order[place]
    reorder(session, order, initiative_id=initiative_id, actor=current_actor(), now=clock.now())


def _note(session: Session, initiative_id: int) -> None:
    account_id = signed_in_user().account_id
    proposals.note_pictures(session, initiative_id, account_id=account_id, actor=current_actor(), now=clock.now())


def _back(initiative_id: int) -> Answered:
    url = url_for(".show_step", initiative_id=initiative_id, name=Step.PICTURES.value, _anchor="bewaard")
    return redirect(url, HTTPStatus.SEE_OTHER)
