# SPDX-License-Identifier: EUPL-1.2
"""Where a wijkregisseur says how she is introduced, and what her district says first; the coordinator may too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.areas.queries import AreaRow, list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.database import db, transaction
from abs_platform.districts import queries, service
from abs_platform.districts.permissions import can_introduce, can_welcome
from abs_platform.districts.schemas import load_intro, load_profile
from abs_platform.errors import AbsError, Conflict, InvalidInput, NotAllowed, NotFound
from abs_platform.form_input import errors_of
from abs_platform.media.keeping import kept_picture, read_upload
from abs_platform.security import current_actor, signed_in_user, staff_required
from abs_platform.uploads import accepts_upload
from abs_platform.users import Role

bp = Blueprint("profiles", __name__)

ID = "int(max=9223372036854775807)"
MANAGER, COORDINATOR = Role.DISTRICT_MANAGER, Role.COORDINATOR
Answer = str | Response | tuple[str, int]


@bp.get("/regie/profiel")
@staff_required(MANAGER)
def own() -> Answer:
    """Her own profile."""
    return redirect(url_for(".edit", account_id=signed_in_user().account_id))


@bp.get("/beheer/profielen")
@staff_required(COORDINATOR)
def index() -> str:
    """Every wijkregisseur, the districts, and who stands on which page."""
    session = db.session()
    districts = [area for area in _areas(session) if area.level == AreaLevel.DISTRICT]
    shown = queries.profiles_by_area(session, [one.id for one in districts])
    return render_template(
        "districts/profiles.html", managers=queries.managers(session), districts=districts, shown=shown
    )


@bp.get(f"/regie/profiel/<{ID}:account_id>")
@staff_required(MANAGER, COORDINATOR)
def edit(account_id: int) -> str:
    """How one wijkregisseur is introduced."""
    return _profile_page(_who(account_id), {})


@bp.post(f"/regie/profiel/<{ID}:account_id>")
@staff_required(MANAGER, COORDINATOR)
def save(account_id: int) -> Answer:
    """Say how she is introduced."""
    who = _who(account_id)
    try:
        with transaction() as session:
            service.save_profile(
                session, account_id, load_profile(request.form), actor=current_actor(), now=clock.now()
            )
    except InvalidInput as error:
        return _profile_page(who, errors_of(error), request.form), int(error.status)
    flash(_("Het profiel is opgeslagen."))
    return redirect(url_for(".edit", account_id=account_id), HTTPStatus.SEE_OTHER)


@bp.post(f"/regie/profiel/<{ID}:account_id>/foto")
@accepts_upload
@staff_required(MANAGER, COORDINATOR)
def add_picture(account_id: int) -> Answer:
    """Take in a picture of her."""
    who, user = _who(account_id), signed_in_user()
    store = current_app.extensions["file_store"]
    try:
        alt_text = _alt_text()
        with kept_picture(store, _sent_picture()) as kept, transaction() as session:
            service.set_picture(
                session,
                account_id,
                kept,
                alt_text=alt_text,
                uploaded_by_id=user.account_id,
                actor=user.actor(),
                now=clock.now(),
            )
    except (InvalidInput, Conflict) as error:
        return _profile_page(who, errors_of(error)), int(error.status)
    flash(_("De foto staat erbij."))
    return redirect(url_for(".edit", account_id=account_id), HTTPStatus.SEE_OTHER)


@bp.post(f"/regie/profiel/<{ID}:account_id>/foto/weg")
@staff_required(MANAGER, COORDINATOR)
def remove_picture(account_id: int) -> Answer:
    """Take her picture away."""
    _who(account_id)
    with transaction() as session:
        service.remove_picture(session, account_id, actor=current_actor(), now=clock.now())
    flash(_("De foto is weg."))
    return redirect(url_for(".edit", account_id=account_id), HTTPStatus.SEE_OTHER)


def _alt_text() -> str:
    text = request.form.get("alt_text", "").strip()
    if not text:
        sentence = _("Beschrijf wat er op de foto te zien is.")
        raise InvalidInput(sentence, fields={"alt_text": sentence})
    return text


def _sent_picture() -> bytes:
    file = request.files.get("picture")
    if file is None or not file.filename:
        sentence = _("Kies eerst een foto.")
        raise InvalidInput(sentence, fields={"picture": sentence})
    return read_upload(file.stream)


def _who(account_id: int) -> queries.Manager:
    """Whose profile this is. Raises: NotAllowed, NotFound."""
    if not can_introduce(signed_in_user(), account_id):
        raise NotAllowed(_("Je kunt alleen je eigen profiel aanpassen."))
    found = queries.managers(db.session(), account_id)
    if not found:
        raise NotFound(_("Deze medewerker is geen wijkregisseur (meer)."))
    return found[0]


def _profile_page(who: queries.Manager, errors: dict[str, str], typed: Mapping[str, str] | None = None) -> str:
    session = db.session()
    profile, picture = queries.profile_of(session, who.account_id)
    stored = {} if profile is None else {name: getattr(profile, name) for name in service.FIELDS}
    shown = typed if typed is not None and "shown_name" in typed else stored
    return render_template(
        "districts/profile.html",
        who=who,
        values=shown or {"shown_name": who.name},
        is_public=bool(typed.get("is_public")) if typed is not None and "shown_name" in typed else who.is_public,
        is_saved=profile is not None,
        picture=picture,
        alt_text="" if typed is None else typed.get("alt_text", ""),
        districts=queries.districts_of(session, who.account_id),
        errors=errors,
        most=service,
        user=signed_in_user(),
    )


@bp.get(f"/regie/wijk/<{ID}:district_id>")
@staff_required(MANAGER, COORDINATOR)
def welcome(district_id: int) -> str:
    """The word of welcome of a district."""
    return _welcome_page(_district(district_id), None, {})


@bp.post(f"/regie/wijk/<{ID}:district_id>")
@staff_required(MANAGER, COORDINATOR)
def save_welcome(district_id: int) -> Answer:
    """Say it anew."""
    district = _district(district_id)

    def work(session: Session) -> None:
        user = signed_in_user()
        body = load_intro(request.form)
        service.save_intro(session, district_id, body, account_id=user.account_id, actor=user.actor(), now=clock.now())

    error = _refused(work)
    if error is not None:
        return _welcome_page(district, request.form, errors_of(error)), int(error.status)
    flash(_("De tekst is opgeslagen."))
    return redirect(url_for(".welcome", district_id=district_id), HTTPStatus.SEE_OTHER)


def _refused(work: Callable[[Session], None]) -> AbsError | None:
    try:
        with transaction() as session:
            work(session)
    except InvalidInput as error:
        return error
    return None


def _areas(session: Session) -> list[AreaRow]:
    found = list_areas(session, AreaLevel.MUNICIPALITY, AreaLevel.DISTRICT)
    return sorted(found, key=lambda area: area.name.casefold())


def _district(district_id: int) -> AreaRow:
    """The district whose word of welcome this is. Raises: NotFound, NotAllowed."""
    areas = _areas(db.session())
    found = next((area for area in areas if area.id == district_id and area.level == AreaLevel.DISTRICT), None)
    if found is None:
        raise NotFound(_("Deze wijk bestaat niet (meer). Ga terug naar het overzicht."))
    town = next((area.id for area in areas if area.level == AreaLevel.MUNICIPALITY), None)
    if not can_welcome(signed_in_user(), district_id, town):
        raise NotAllowed(_("Deze wijk is van een andere wijkregisseur."))
    return found


def _welcome_page(district: AreaRow, typed: Mapping[str, str] | None, errors: dict[str, str]) -> str:
    intro = queries.intro_of(db.session(), district.id)
    stored = "" if intro is None else intro.body
    return render_template(
        "districts/welcome.html",
        district=district,
        body=stored if typed is None else typed.get("body", ""),
        errors=errors,
        most=service.MAX_INTRO,
        user=signed_in_user(),
    )
