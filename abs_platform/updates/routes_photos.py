# SPDX-License-Identifier: EUPL-1.2
"""The pictures of an update: added, described, taken away, as long as it may be changed."""

from __future__ import annotations

from flask import current_app, flash, request
from flask_babel import gettext as _

from abs_platform import attempts, clock
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound, TooManyAttempts
from abs_platform.form_input import errors_of
from abs_platform.media.keeping import kept_picture, read_upload
from abs_platform.media.queries import pictures_of
from abs_platform.media.service import add_picture, remove_picture, set_alt
from abs_platform.media.states import Purpose
from abs_platform.security import current_actor, resident_required, signed_in_user
from abs_platform.updates import service
from abs_platform.updates.models import Update
from abs_platform.updates.routes import ID, ONE, Answer, back, bp, edit_page, find_update, key_of, own_update
from abs_platform.updates.states import DAY, UPLOADS_PER_DAY
from abs_platform.uploads import accepts_upload

__all__ = ["bp"]


@bp.post(f"{ONE}/fotos")
@resident_required
@accepts_upload
def add_photo(initiative_id: int, update_id: int) -> Answer:
    """Put a picture to it."""
    user = signed_in_user()
    subject, update = own_update(db.session(), initiative_id, update_id)
    sent = request.files.get("picture")
    try:
        _refuse_unless_editable(update)
        with transaction() as session:  # opening a picture is work: it is counted before it is done
            key = key_of(f"account:{user.account_id}")
            attempts.claim(session, "upload", key, most=UPLOADS_PER_DAY, window=DAY, now=clock.now())
        with (
            kept_picture(current_app.extensions["file_store"], read_upload(sent.stream) if sent else b"") as kept,
            transaction() as session,
        ):
            add_picture(
                session,
                kept,
                purpose=Purpose.UPDATE,
                initiative_id=initiative_id,
                update_id=update_id,
                alt_text=request.form.get("alt_text", ""),
                is_decorative="is_decorative" in request.form,
                uploaded_by_id=user.account_id,
                actor=current_actor(),
                now=clock.now(),
            )
    except (InvalidInput, Conflict, TooManyAttempts) as error:
        update = find_update(update_id)
        values = {"title": update.title, "body": update.body, **request.form}
        return edit_page(subject, update, values, errors_of(error)), int(error.status)
    flash(_("De foto staat erbij."))
    return back(initiative_id, update_id, "fotos")


@bp.post(f"{ONE}/fotos/<{ID}:picture_id>")
@resident_required
def change_photo(initiative_id: int, update_id: int, picture_id: int) -> Answer:
    """Describe a picture, or take it away."""
    subject, update = own_update(db.session(), initiative_id, update_id)
    _refuse_unless_editable(update)
    _own_picture(initiative_id, update_id, picture_id)
    try:
        with transaction() as session:
            if "remove" in request.form:
                remove_picture(session, picture_id, initiative_id=initiative_id, actor=current_actor(), now=clock.now())
            else:
                set_alt(
                    session,
                    picture_id,
                    initiative_id=initiative_id,
                    alt_text=request.form.get(f"alt-{picture_id}", ""),
                    is_decorative=f"decorative-{picture_id}" in request.form,
                    actor=current_actor(),
                    now=clock.now(),
                )
    except InvalidInput as error:
        update = find_update(update_id)
        errors = {f"alt-{picture_id}": error.message}
        return edit_page(subject, update, {"title": update.title, "body": update.body}, errors), int(error.status)
    return back(initiative_id, update_id, "fotos")


def _own_picture(initiative_id: int, update_id: int, picture_id: int) -> None:
    pictures = pictures_of(db.session(), initiative_id, purpose=Purpose.UPDATE, update_id=update_id)
    if picture_id not in {picture.id for picture in pictures}:
        raise NotFound(_("Deze foto is er niet (meer)."))


def _refuse_unless_editable(update: Update) -> None:
    if not service.is_editable(update, clock.now()):
        raise Conflict(_("Je kunt dit bericht niet meer aanpassen. Dat kan tot een uur na het plaatsen."))
