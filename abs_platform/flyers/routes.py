# SPDX-License-Identifier: EUPL-1.2
"""The poster and the flyer of an initiative that collects, for its organisers."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, Response, current_app, url_for
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.areas.states import AreaLevel
from abs_platform.config import ROOT_DIR, Settings
from abs_platform.database import db
from abs_platform.errors import Conflict, NotFound
from abs_platform.flyers import service
from abs_platform.flyers.queries import public_names
from abs_platform.initiatives.illustrations import draw, seed_of
from abs_platform.initiatives.permissions import is_organiser
from abs_platform.initiatives.queries import InitiativeCard, card
from abs_platform.initiatives.subjects import subject_of
from abs_platform.security import resident_required, signed_in_user

bp = Blueprint("flyers", __name__, url_prefix="/initiatieven")

_STATIC = ROOT_DIR / "static"


@bp.get("/<int:initiative_id>/poster.pdf")
@resident_required
def poster(initiative_id: int) -> Response:
    """One A4 page for a window."""
    return _pdf(initiative_id, "poster", service.poster)


@bp.get("/<int:initiative_id>/flyer.pdf")
@resident_required
def flyer(initiative_id: int) -> Response:
    """Two A5 flyers on one A4 page."""
    return _pdf(initiative_id, "flyer", service.flyer)


def _pdf(initiative_id: int, name: str, make: Callable[[service.FlyerContent], bytes]) -> Response:
    """Raises: NotFound for who does not organise it, Conflict when it does not collect."""
    session = db.session()
    subject = subject_of(session, initiative_id)
    if not is_organiser(signed_in_user(), subject):
        raise NotFound(_("Dit initiatief bestaat niet (meer), of het is niet van jou."))
    found = card(session, initiative_id, today=clock.today())
    if found is None or not found.is_collecting:
        raise Conflict(_("Posters en flyers zijn er zolang je initiatief geld ophaalt. Nu kan dat niet."))
    made = make(_content(found, public_names(session, initiative_id)))
    response = Response(made, HTTPStatus.OK, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}-{found.slug}.pdf"'
    return response


def _content(found: InitiativeCard, names: list[str]) -> service.FlyerContent:
    settings: Settings = current_app.extensions["settings"]
    town = settings.municipality
    is_for_all = found.scope == AreaLevel.MUNICIPALITY
    return service.FlyerContent(
        title=found.title,
        summary=found.summary,
        place=_("heel %(name)s", name=town.name) if is_for_all else found.area_name,
        theme_label=found.theme.label,
        target_cents=found.target_cents,
        deadline_on=found.deadline_on,
        organisers=names,
        voucher_url=settings.base_url + url_for("vouchers.choose", initiatief=found.id),
        short_url=settings.base_url.partition("://")[2] + url_for("initiatives.show", initiative_id=found.id),
        site_name=town.site_name,
        picture_svg=draw(found.theme, seed_of(found.title)),
        colours=service.Colours.from_css(_read(_STATIC / "themes" / town.theme / "theme.css")),
    )


@lru_cache(maxsize=32)
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
