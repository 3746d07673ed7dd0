# SPDX-License-Identifier: EUPL-1.2
"""The organisers' pages for their accountability: story and pictures, each saved by itself, then all of it sent."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import TypedDict

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import attempts, clock
from abs_platform.accountability import queries, service
from abs_platform.accountability.permissions import can_account
from abs_platform.accountability.queries import Account
from abs_platform.accountability.schemas import StoryForm
from abs_platform.accountability.states import DAY, UPLOADS_PER_DAY
from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound, TooManyAttempts
from abs_platform.form_input import errors_of, load
from abs_platform.initiatives.subjects import subject_for
from abs_platform.media.keeping import kept_picture, read_upload
from abs_platform.media.service import set_alt
from abs_platform.payouts.paybacks import payback_of, returns_of
from abs_platform.security import current_actor, resident_required, signed_in_user
from abs_platform.uploads import accepts_upload

ID = "int(max=9223372036854775807)"
bp = Blueprint("accountability", __name__, url_prefix=f"/account/initiatieven/<{ID}:initiative_id>/verantwoording")

Answer = str | Response | tuple[str, int]


class Who(TypedDict):
    """Who does something, and when, for the verbs."""

    by_id: int
    actor: Actor
    now: dt.datetime


Refusals = (InvalidInput, Conflict, TooManyAttempts)


@bp.get("")
@resident_required
def overview(initiative_id: int) -> str:
    """What is done and what is missing, and the button that sends it."""
    return _overview_page(initiative_id, {})


@bp.post("")
@resident_required
def send(initiative_id: int) -> Answer:
    """Send it to the desk."""
    own_account(initiative_id)
    try:
        with transaction() as session:
            is_new = service.submit(session, initiative_id, **who())
    except Refusals as error:
        return _overview_page(initiative_id, errors_of(error)), int(error.status)
    sent = _("De verantwoording is verstuurd. De wijkregisseur kijkt ernaar.")
    flash(sent if is_new else _("De verantwoording was al verstuurd, door jou of een andere organisator."))
    return to("overview", initiative_id)


@bp.get("/verhaal")
@resident_required
def story(initiative_id: int) -> str:
    """How it went."""
    account = own_account(initiative_id)
    return _story_page(account, {"story": account.story, "version": account.story_version}, {})


@bp.post("/verhaal")
@resident_required
def save_story(initiative_id: int) -> Answer:
    """Keep it."""
    account, version = own_account(initiative_id), request.form.get("version", "")
    try:
        typed = load(StoryForm(), request.form)
        with transaction() as session:
            seen = int(version) if version.isdecimal() and len(version) < 9 else -1
            service.save_story(session, initiative_id, typed["story"], version=seen, **who())
    except Refusals as error:
        account = own_account(initiative_id)
        values = {"story": request.form.get("story", ""), "version": account.story_version}
        return _story_page(account, values, errors_of(error)), int(error.status)
    flash(_("Het verhaal is bewaard."))
    return to("overview", initiative_id)


@bp.get("/fotos")
@resident_required
def photos(initiative_id: int) -> str:
    """The pictures of how it went."""
    return _photos_page(initiative_id, {}, {})


@bp.post("/fotos")
@resident_required
@accepts_upload
def add_photo(initiative_id: int) -> Answer:
    """Put a picture to it."""
    account = own_account(initiative_id)
    try:
        refuse_unless_writable(account)
        count_upload()
        with (
            kept_picture(current_app.extensions["file_store"], sent_file("picture")) as kept,
            transaction() as session,
        ):
            service.add_photo(
                session,
                initiative_id,
                kept,
                request.form.get("alt_text", ""),
                is_decorative="is_decorative" in request.form,
                **who(),
            )
    except Refusals as error:
        return _photos_page(initiative_id, request.form, errors_of(error)), int(error.status)
    flash(_("De foto staat erbij."))
    return to("photos", initiative_id)


@bp.post(f"/fotos/<{ID}:picture_id>")
@resident_required
def change_photo(initiative_id: int, picture_id: int) -> Answer:
    """Describe a picture, or take it away."""
    account = own_account(initiative_id)
    if picture_id not in {picture.id for picture in account.pictures}:
        raise NotFound(_("Deze foto is er niet (meer)."))
    try:
        with transaction() as session:
            if "remove" in request.form:
                service.remove_photo(session, initiative_id, picture_id, **who())
            else:
                service.refuse_when_sent(session, initiative_id)
                set_alt(
                    session,
                    picture_id,
                    initiative_id=initiative_id,
                    alt_text=request.form.get(f"alt-{picture_id}", ""),
                    is_decorative=f"decorative-{picture_id}" in request.form,
                    actor=current_actor(),
                    now=clock.now(),
                )
    except Refusals as error:
        return _photos_page(initiative_id, {}, {f"alt-{picture_id}": error.message}), int(error.status)
    return to("photos", initiative_id)


def sent_file(name: str) -> bytes:
    """What was sent as a file, but no more of it than is needed to refuse it for its size."""
    file = request.files.get(name)
    return read_upload(file.stream) if file else b""


def count_upload() -> None:
    """Opening a file is work: it is counted before it is done."""
    key = attempts.digest(current_app.extensions["settings"].secret_key, f"account:{signed_in_user().account_id}")
    with transaction() as session:
        attempts.claim(session, "upload", key, most=UPLOADS_PER_DAY, window=DAY, now=clock.now())


def who() -> Who:
    """Who does this, for the verbs."""
    return {"by_id": signed_in_user().account_id, "actor": current_actor(), "now": clock.now()}


def own_account(initiative_id: int) -> Account:
    """The accountability of who asks. Raises: NotFound, NotAllowed."""
    session = db.session()
    subject_for(session, initiative_id, signed_in_user(), can_account)
    found = queries.find(session, initiative_id)
    if found is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer)."))
    return found


def refuse_unless_writable(account: Account) -> None:
    """Raises: Conflict when it is not with the organisers."""
    if not account.is_writable:
        raise Conflict(_("De verantwoording ligt bij de wijkregisseur. Je kunt er nu niets aan veranderen."))


def _overview_page(initiative_id: int, errors: dict[str, str]) -> str:
    account = own_account(initiative_id)
    return render_template(
        "accountability/overview.html",
        account=account,
        errors=errors,
        problems=service.problems_of(db.session(), initiative_id),
        payback=payback_of(db.session(), initiative_id),
        returns=returns_of(db.session(), initiative_id),
        bank_account=current_app.extensions["settings"].bank_account,
    )


def _story_page(account: Account, values: object, errors: dict[str, str]) -> str:
    return render_template("accountability/story.html", account=account, values=values, errors=errors)


def _photos_page(initiative_id: int, values: object, errors: dict[str, str]) -> str:
    return render_template(
        "accountability/photos.html", account=own_account(initiative_id), values=values, errors=errors
    )


def to(endpoint: str, initiative_id: int) -> Response:
    """To another page of the accountability."""
    return redirect(url_for(f".{endpoint}", initiative_id=initiative_id), HTTPStatus.SEE_OTHER)
