# SPDX-License-Identifier: EUPL-1.2
"""Where the coordinator writes the texts of the site: preview, what differs, history, and putting back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from babel import Locale
from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of
from abs_platform.languages import DEFAULT, prefix_of
from abs_platform.moderation.diffs import shortened, word_changes
from abs_platform.security import signed_in_user, staff_required
from abs_platform.site_texts import queries, service
from abs_platform.site_texts.content import MAX_LENGTH, Document, default_text
from abs_platform.site_texts.placeholders import CONDITIONS, PLACEHOLDERS
from abs_platform.site_texts.queries import VersionRow
from abs_platform.site_texts.routes import PAGES, shown
from abs_platform.site_texts.schemas import MAX_NOTE, load_text
from abs_platform.site_texts.states import SitePage
from abs_platform.users import Role

bp = Blueprint("site_texts_desk", __name__, url_prefix="/beheer/teksten")

Answer = str | Response | tuple[str, int]
TEXT = f"/<any({PAGES}):page>/<string(length=2):language>"


@dataclass(frozen=True, slots=True)
class Place:
    """A page in a language, and where everybody reads it."""

    page: SitePage
    language: str
    language_name: str
    url: str
    has_default: bool


@bp.get("")
@staff_required(Role.COORDINATOR)
def index() -> str:
    """All texts, and when each was written last."""
    return render_template(
        "site_texts_desk/index.html",
        places=[[_place(page.value, code) for code in _languages()] for page in SitePage],
        newest=queries.newest_versions(db.session()),
    )


@bp.get(TEXT)
@staff_required(Role.COORDINATOR)
def edit(page: str, language: str) -> str:
    """A text as a form: what is shown now, or another version to begin with."""
    place = _place(page, language)
    versions = queries.versions(db.session(), place.page, language)
    wanted = request.args.get("vanaf", "")
    start = next((row for row in versions if str(row.version) == wanted), versions[0] if versions else None)
    return _form_page(place, versions, {"body": start.body if start else ""}, {}, start=start)


@bp.post(TEXT)
@staff_required(Role.COORDINATOR)
def save(page: str, language: str) -> Answer:
    """Keep it as the text that everybody reads, or only show what it would look like."""
    place, user = _place(page, language), signed_in_user()
    try:
        sent = load_text(request.form)
        if request.form.get("doe") == "voorbeeld":
            return _form_page(place, _versions(place), request.form, {}, preview=_preview(sent.body, language))
        with transaction() as session:
            number = service.save_text(
                session,
                place.page,
                language,
                sent.body,
                seen_version=sent.seen_version,
                note=sent.note,
                account_id=user.account_id,
                actor=user.actor(),
                now=clock.now(),
            )
    except (InvalidInput, Conflict) as error:
        versions = _versions(place)
        theirs = versions[0] if isinstance(error, service.NewerVersion) else None
        return _form_page(place, versions, request.form, errors_of(error), theirs=theirs), int(error.status)
    if number == sent.seen_version:
        flash(_("Er is niets veranderd."))
    else:
        flash(_("Opgeslagen. De nieuwe tekst staat op de site."))
    return redirect(url_for(".history", page=page, language=language), HTTPStatus.SEE_OTHER)


@bp.get(f"{TEXT}/geschiedenis")
@staff_required(Role.COORDINATOR)
def history(page: str, language: str) -> str:
    """All versions, and what each changed."""
    place = _place(page, language)
    return render_template("site_texts_desk/history.html", place=place, versions=_versions(place))


@bp.get(f"{TEXT}/geschiedenis/<int(max=999999):version>")
@staff_required(Role.COORDINATOR)
def version(page: str, language: str, version: int) -> str:
    """One version: what differs from another (the one before it), and what it looks like."""
    place = _place(page, language)
    versions = _versions(place)
    row = _find(versions, version)
    others = [one for one in versions if one.version != version]
    wanted = request.args.get("met", "")
    other = next((one for one in others if str(one.version) == wanted), None)
    if other is None:
        other = next((one for one in others if one.version < version), others[0] if others else None)
    return render_template(
        "site_texts_desk/version.html",
        place=place,
        row=row,
        other=other,
        others=others,
        pieces=[] if other is None else shortened(word_changes(other.body, row.body)),
        is_shown=row.body == versions[0].body,
        preview=_preview(row.body, language),
    )


@bp.post(f"{TEXT}/geschiedenis/<int(max=999999):version>/terugzetten")
@staff_required(Role.COORDINATOR)
def put_back(page: str, language: str, version: int) -> Response:
    """Show this version again."""
    place, user = _place(page, language), signed_in_user()
    with transaction() as session:
        service.put_back(
            session,
            place.page,
            language,
            version,
            account_id=user.account_id,
            actor=user.actor(),
            now=clock.now(),
        )
    flash(_("Teruggezet. Deze tekst staat weer op de site."))
    return redirect(url_for(".history", page=page, language=language), HTTPStatus.SEE_OTHER)


def _form_page(
    place: Place,
    versions: list[VersionRow],
    typed: Mapping[str, str],
    errors: dict[str, str],
    *,
    start: VersionRow | None = None,
    theirs: VersionRow | None = None,
    preview: Document | None = None,
) -> str:
    newest = versions[0] if versions else None
    seen = typed.get("seen_version", "0" if newest is None else str(newest.version))
    ours = typed.get("body", "").replace("\r\n", "\n").strip()
    return render_template(
        "site_texts_desk/write.html",
        place=place,
        typed=typed,
        errors=errors,
        newest=newest,
        start=start,
        theirs=theirs,
        pieces=[] if theirs is None else shortened(word_changes(theirs.body, ours)),
        seen_version=seen if theirs is None else theirs.version,
        preview=preview,
        placeholders=PLACEHOLDERS,
        conditions=CONDITIONS,
        most=MAX_LENGTH,
        note_length=MAX_NOTE,
    )


def _preview(body: str, language: str) -> Document:
    with force_locale(language):
        return shown(body, language)


def _versions(place: Place) -> list[VersionRow]:
    return queries.versions(db.session(), place.page, place.language)


def _languages() -> list[str]:
    settings: Settings = current_app.extensions["settings"]
    return [DEFAULT, *settings.municipality.languages]


def _place(page: str, language: str) -> Place:
    """A page in one of the languages of the site. Raises: NotFound."""
    if language not in _languages():
        raise NotFound(_("Deze taal heeft de site niet."))
    which = SitePage(page)
    name = Locale(language).get_language_name(DEFAULT) or language
    url = f"{prefix_of(language)}{url_for('site_texts.show', page=page)}"
    return Place(which, language, name, url, default_text(which, language) is not None)


def _find(versions: list[VersionRow], number: int) -> VersionRow:
    found = next((row for row in versions if row.version == number), None)
    if found is None:
        raise NotFound(_("Deze versie van de tekst bestaat niet."))
    return found
