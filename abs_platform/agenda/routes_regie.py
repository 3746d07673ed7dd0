# SPDX-License-Identifier: EUPL-1.2
"""The desk's screens of the agenda: for the own districts, and taking activities of initiatives off with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.agenda import desk_queries as queries
from abs_platform.agenda import service
from abs_platform.agenda.desk_queries import DeskItem
from abs_platform.agenda.permissions import can_take_off
from abs_platform.agenda.schemas import ReasonForm, on_the_form, read_item, values_of
from abs_platform.agenda.states import SENTENCES, ItemState
from abs_platform.areas.queries import list_areas
from abs_platform.database import db, transaction
from abs_platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from abs_platform.event_log.queries import happened_to
from abs_platform.form_input import errors_of, load, read_publish_at
from abs_platform.initiatives.subjects import subject_of
from abs_platform.news.permissions import area_chosen, can_post, may_post_in
from abs_platform.paging import page_asked
from abs_platform.security import current_actor, signed_in_user, staff_required

bp = Blueprint("agenda_regie", __name__, url_prefix="/regie/agenda")

ID = "int(max=9223372036854775807)"
Answer = str | Response | tuple[str, int]
_desk = staff_required("district_manager", "coordinator")


@bp.get("")
@_desk
def index() -> str:
    """All that is on the agenda of the areas in which somebody may post, also of initiatives: what comes first."""
    session, user, now = db.session(), signed_in_user(), clock.now()
    area_ids = [area.id for area in list_areas(session, with_ended=True) if can_post(user, area)]
    page = queries.desk_items(session, now, area_ids=area_ids, number=page_asked(request.args.get("pagina", "")))
    return render_template("agenda/desk.html", page=page, now=now, user=user, may_write=bool(area_ids))


@bp.get("/nieuw")
@_desk
def new() -> str:
    """An empty form."""
    return _form(None, {}, {})


@bp.post("/nieuw")
@_desk
def begin() -> Answer:
    """Keep what was written as a draft."""
    try:
        what, area_id = read_item(request.form), _read_area(None)
        with transaction() as session:
            item_id = service.add(
                session,
                what,
                area_id=area_id,
                author_id=signed_in_user().account_id,
                actor=current_actor(),
                now=clock.now(),
            )
    except InvalidInput as error:
        return _form(None, request.form, on_the_form(error)), int(error.status)
    flash(_("Het concept is bewaard. Nog niemand buiten de regie ziet het."))
    return _to(item_id)


@bp.get(f"/<{ID}:item_id>")
@_desk
def edit(item_id: int) -> str:
    """What was written, how it will look, and what can be done with it."""
    return _form(_seen(item_id), {}, {})


@bp.post(f"/<{ID}:item_id>")
@_desk
def save(item_id: int) -> Answer:
    """Keep what was written; calendars follow."""
    item = _mine(item_id)

    def work(session: Session) -> None:
        what, area_id, seen = read_item(request.form), _read_area(item.area_id), request.form.get("seen", "")
        service.change(session, item_id, what, area_id=area_id, seen=seen, actor=current_actor(), now=clock.now())

    return _do(item_id, work, _("De activiteit is bewaard."))


@bp.post(f"/<{ID}:item_id>/plaatsen")
@_desk
def publish(item_id: int) -> Answer:
    """Put it on the agenda: now, or at the moment that was chosen."""
    _mine(item_id)
    later = request.form.get("when") == "later"

    def work(session: Session) -> None:
        now = clock.now()
        at = read_publish_at(request.form.get("publish_at", ""), now) if later else None
        service.publish(session, item_id, at=at, actor=current_actor(), now=now)

    return _do(item_id, work, _("De activiteit is ingepland.") if later else _("De activiteit staat op de agenda."))


@bp.post(f"/<{ID}:item_id>/terug")
@_desk
def take_back(item_id: int) -> Answer:
    """Make a draft again of what is still to come."""
    _mine(item_id)

    def work(session: Session) -> None:
        service.take_back(session, item_id, actor=current_actor(), now=clock.now())

    return _do(item_id, work, _("De activiteit is weer een concept."))


@bp.get(f"/<{ID}:item_id>/afzeggen")
@_desk
def ask_cancel(item_id: int) -> str:
    """Ask why it does not go on."""
    return _ask("agenda/cancel.html", _mine(item_id), {}, {})


@bp.post(f"/<{ID}:item_id>/afzeggen")
@_desk
def cancel(item_id: int) -> Answer:
    """Say that it does not go on; it stays on the agenda."""
    item = _mine(item_id)
    try:
        reason = load(ReasonForm(), request.form)["reason"]
        with transaction() as session:
            service.cancel(session, item_id, reason=reason, actor=current_actor(), now=clock.now())
    except InvalidInput as error:
        return _ask("agenda/cancel.html", item, request.form, errors_of(error)), int(error.status)
    flash(_("De activiteit is afgezegd. Op de agenda staat nu dat het niet doorgaat."))
    return _to(item_id)


@bp.get(f"/<{ID}:item_id>/intrekken")
@_desk
def ask_withdraw(item_id: int) -> str:
    """Ask why it goes."""
    return _ask("agenda/withdraw.html", _seen(item_id), {}, {})


@bp.post(f"/<{ID}:item_id>/intrekken")
@_desk
def withdraw(item_id: int) -> Answer:
    """Take it off the agenda. Organisers whose activity it is get one mail with the reason."""
    item = _seen(item_id)
    try:
        reason = "" if item.state == ItemState.DRAFT else load(ReasonForm(), request.form)["reason"]
        with transaction() as session:
            service.withdraw(session, item_id, reason=reason, actor=current_actor(), now=clock.now())
    except InvalidInput as error:
        return _ask("agenda/withdraw.html", item, request.form, errors_of(error)), int(error.status)
    if item.initiative_id is None:
        flash(_("De activiteit is van de agenda."))
    else:
        flash(_("De activiteit is van de agenda. De organisatoren krijgen een mail met je reden."))
    return redirect(url_for(".index"), HTTPStatus.SEE_OTHER)


def _do(item_id: int, work: Callable[[Session], None], said: str) -> Answer:
    """Do something with an own item; a refusal stands on its page."""
    try:
        with transaction() as session:
            work(session)
    except InvalidInput as error:
        return _form(_seen(item_id), request.form, on_the_form(error)), int(error.status)
    except Conflict as error:
        return _form(_seen(item_id), request.form, errors_of(error)), int(error.status)
    flash(said)
    return _to(item_id)


def _to(item_id: int) -> Response:
    return redirect(url_for(".edit", item_id=item_id), HTTPStatus.SEE_OTHER)


def _seen(item_id: int) -> DeskItem:
    """An item of the own areas, or of an initiative of the own desk. Raises: NotFound, NotAllowed."""
    session, user = db.session(), signed_in_user()
    item = queries.desk_item(session, item_id)
    if item is None:
        raise NotFound(_("Dit staat niet (meer) op de agenda."))
    if item.initiative_id is not None:
        may = can_take_off(user, subject_of(session, item.initiative_id))
    else:
        areas = list_areas(session, with_ended=True)
        may = any(area.id == item.area_id and can_post(user, area) for area in areas)
    if not may:
        raise NotAllowed(_("Deze activiteit is niet van jouw wijk."))
    return item


def _mine(item_id: int) -> DeskItem:
    """An item that the desk itself writes. Raises: NotFound, NotAllowed: organisers write their own."""
    item = _seen(item_id)
    if item.initiative_id is not None:
        raise NotAllowed(_("Deze activiteit is van een initiatief. Alleen de organisatoren passen hem aan."))
    return item


def _read_area(now_of: int | None) -> int:
    """For which area it is. Raises: InvalidInput, also for one in which this person may not post."""
    areas, chosen = list_areas(db.session()), request.form.get("area_id", "")
    found = area_chosen(signed_in_user(), areas, chosen, now_of)
    if found is None:
        sentence = _("Kies voor wie de activiteit is.")
        raise InvalidInput(sentence, fields={"area_id": sentence})
    return found


def _ask(template: str, item: DeskItem, values: Mapping[str, str], errors: dict[str, str]) -> str:
    return render_template(template, item=item, values=values, errors=errors, user=signed_in_user())


def _form(item: DeskItem | None, typed: Mapping[str, str], errors: dict[str, str]) -> str:
    session, user, now = db.session(), signed_in_user(), clock.now()
    offered = may_post_in(user, list_areas(session))
    if not offered:
        raise NotAllowed(_("Je hebt geen wijk om voor te schrijven. Vraag het de beheerder."))
    stored = {} if item is None else values_of(item) | {"area_id": str(item.area_id)}
    return render_template(
        "agenda/edit.html",
        item=item,
        preview=None if item is None else item.as_public(now),
        values=typed if "title" in typed else stored | dict(typed),
        errors=errors,
        offered=[(area.id, area.name) for area in offered],
        is_scheduled=item is not None and item.is_scheduled(now),
        is_over=item is not None and item.is_over(now),
        history=[] if item is None else happened_to(session, "agenda", item.id),
        sentences=SENTENCES,
        user=user,
    )
