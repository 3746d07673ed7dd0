# SPDX-License-Identifier: EUPL-1.2
"""Where the coordinator writes the letter: versions, what differs between them, a preview, and approving it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of
from abs_platform.letters import desk_queries, press, writing
from abs_platform.letters.content import (
    LABELS,
    LANGUAGES,
    MAX_LANGUAGE_LINE,
    MAX_LENGTHS,
    PLACEHOLDERS,
    RIGHT_TO_LEFT,
    LetterContent,
    default_content,
)
from abs_platform.letters.desk_queries import VersionRow
from abs_platform.letters.schemas import check_sure, load_text
from abs_platform.security import signed_in_user, staff_required
from abs_platform.users import Role

bp = Blueprint("letter_texts", __name__, url_prefix="/beheer/brief")

ID = "int(max=9223372036854775807)"
Answer = str | Response | tuple[str, int]
TYPES = {"pdf": "application/pdf", "png": "image/png"}


@bp.get("")
@staff_required(Role.COORDINATOR)
def index() -> str:
    """The version that rounds are sent with, and all versions."""
    versions = desk_queries.versions(db.session())
    return render_template(
        "letters_desk/texts.html",
        versions=versions,
        in_force=next((row for row in versions if row.approved_at is not None), None),
    )


@bp.get("/schrijven")
@staff_required(Role.COORDINATOR)
def edit() -> str:
    """The text as a form: the newest version, or another to begin with."""
    versions = desk_queries.versions(db.session())
    wanted = request.args.get("vanaf", "")
    start = next((row for row in versions if str(row.version) == wanted), versions[0] if versions else None)
    content = default_content(current_app.extensions["settings"].municipality) if start is None else start.content
    return _form_page(versions, content.dump(), {}, start=start)


@bp.post("/schrijven")
@staff_required(Role.COORDINATOR)
def save() -> Answer:
    """Keep it as a new version, or only show what it would look like."""
    if request.form.get("doe") == "voorbeeld":
        return _try_out()
    user, now = signed_in_user(), clock.now()
    try:
        content, note = load_text(request.form)
        press.check_fits(content)
        with transaction() as session:
            made = writing.save_text(
                session,
                content,
                seen_version=_number("seen_version"),
                note=note,
                account_id=user.account_id,
                actor=user.actor(),
                now=now,
            )
            text_id, version, is_new = made.id, made.version, made.made_at == now
    except (InvalidInput, Conflict) as error:
        versions = desk_queries.versions(db.session())
        theirs = versions[0] if versions and isinstance(error, writing.NewerVersion) else None
        return _form_page(versions, request.form, errors_of(error), theirs=theirs), int(error.status)
    if is_new:
        flash(_("Versie %(number)s is opgeslagen. Kijk hem na en keur hem goed.", number=version))
    else:
        flash(_("Er is niets veranderd. Dit is versie %(number)s.", number=version))
    return redirect(url_for(".show", text_id=text_id), HTTPStatus.SEE_OTHER)


def _try_out() -> Answer:
    """The form as it was sent, with the letter that it would make."""
    versions = desk_queries.versions(db.session())
    try:
        content, _note = load_text(request.form)
    except InvalidInput as error:
        return _form_page(versions, request.form, errors_of(error)), int(error.status)
    try:
        pictures = [f"data:image/png;base64,{base64.b64encode(page).decode()}" for page in press.preview_pages(content)]
    except AbsError as error:
        return _form_page(versions, request.form, errors_of(error)), int(error.status)
    return _form_page(versions, request.form, {}, pictures=pictures)


@bp.get(f"/<{ID}:text_id>")
@staff_required(Role.COORDINATOR)
def show(text_id: int) -> str:
    """One version: what it looks like, and what differs from another."""
    versions = desk_queries.versions(db.session())
    row = _find(versions, text_id)
    wanted = request.args.get("met", "")
    others = [other for other in versions if other.id != text_id]
    other = next((one for one in others if str(one.version) == wanted), None)
    if other is None:
        other = next((one for one in others if one.version < row.version), None)
    return render_template(
        "letters_desk/text.html",
        text=row,
        others=others,
        other=other,
        changes=[] if other is None else desk_queries.changes_between(other.content, row.content),
        can_approve=_why_not_approved(row, versions) is None,
    )


@bp.get(f"/<{ID}:text_id>/voorbeeld.<any(pdf, png):kind>")
@staff_required(Role.COORDINATOR)
def preview(text_id: int, kind: Literal["pdf", "png"]) -> Response:
    """The letter with a code that is no voucher's: as a picture for the page, or as the test page for the printer."""
    row = _find(desk_queries.versions(db.session()), text_id)
    side = 1 if request.args.get("kant") == "achter" else 0
    made = press.preview(row.content) if kind == "pdf" else press.preview_pages(row.content)[side]
    answer = make_response(made)
    answer.headers["Content-Type"] = TYPES[kind]
    disposition = "attachment" if kind == "pdf" else "inline"
    answer.headers["Content-Disposition"] = f'{disposition}; filename="proefbrief-versie-{row.version}.{kind}"'
    return answer


@bp.get(f"/<{ID}:text_id>/goedkeuren")
@staff_required(Role.COORDINATOR)
def ask_approve(text_id: int) -> Answer:
    """The second look before a version may go to every household."""
    return _approve_page(text_id, {})


@bp.post(f"/<{ID}:text_id>/goedkeuren")
@staff_required(Role.COORDINATOR)
def approve(text_id: int) -> Answer:
    """Approve it."""
    user = signed_in_user()
    content = _find(desk_queries.versions(db.session()), text_id).content
    db.session.rollback()
    try:
        check_sure(request.form, _("Zet een vinkje als je de brief hebt nagekeken."))
        press.check_fits(content)
        with transaction() as session:
            made = writing.approve(session, text_id, account_id=user.account_id, actor=user.actor(), now=clock.now())
            version = made.version
    except (InvalidInput, Conflict) as error:
        return _approve_page(text_id, errors_of(error)), int(error.status)
    flash(_("Versie %(number)s is goedgekeurd. Nieuwe rondes gaan met deze tekst de deur uit.", number=version))
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


def _approve_page(text_id: int, errors: dict[str, str]) -> str:
    versions = desk_queries.versions(db.session())
    row = _find(versions, text_id)
    before = next((one for one in versions if one.approved_at is not None and one.id != text_id), None)
    return render_template(
        "letters_desk/approve.html",
        text=row,
        before=before,
        changes=[] if before is None else desk_queries.changes_between(before.content, row.content),
        why_not=_why_not_approved(row, versions),
        errors=errors,
    )


def _why_not_approved(row: VersionRow, versions: list[VersionRow]) -> str | None:
    """Why there is nothing to approve here, or None."""
    if row.approved_at is not None:
        return str(_("Deze versie is al goedgekeurd."))
    if any(other.approved_at is not None and other.version > row.version for other in versions):
        why: str = _("Er is al een nieuwere versie goedgekeurd. Wil je deze tekst toch? Maak er een nieuwe versie van.")
        return why
    return None


def _form_page(
    versions: list[VersionRow],
    typed: Mapping[str, str],
    errors: dict[str, str],
    *,
    start: VersionRow | None = None,
    theirs: VersionRow | None = None,
    pictures: list[str] | None = None,
) -> str:
    newest = versions[0] if versions else None
    ours = LetterContent(**{name: typed.get(name, "").replace("\r\n", "\n") for name in LABELS})
    seen = typed.get("seen_version", "0" if newest is None else str(newest.version))
    return render_template(
        "letters_desk/write.html",
        typed=typed,
        errors=errors,
        newest=newest,
        start=start,
        theirs=theirs,
        changes=[] if theirs is None else desk_queries.changes_between(theirs.content, ours),
        seen_version=seen if theirs is None else theirs.version,
        pictures=pictures or [],
        labels=LABELS,
        languages=LANGUAGES,
        right_to_left=RIGHT_TO_LEFT,
        lengths=MAX_LENGTHS,
        language_length=MAX_LANGUAGE_LINE,
        note_length=writing.MAX_NOTE,
        placeholders=PLACEHOLDERS,
    )


def _find(versions: list[VersionRow], text_id: int) -> VersionRow:
    found = next((row for row in versions if row.id == text_id), None)
    if found is None:
        raise NotFound(_("Deze versie van de brief bestaat niet."))
    return found


def _number(field: str) -> int:
    text = request.form.get(field, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
