# SPDX-License-Identifier: EUPL-1.2
"""What goes along when an initiative is shared: its picture, its QR code, and what machines read of its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, current_app, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.agenda.queries import AgendaCard
from abs_platform.areas.states import AreaLevel
from abs_platform.config import Settings
from abs_platform.database import db
from abs_platform.errors import NotFound
from abs_platform.flyers.service import Colours, qr_svg
from abs_platform.initiatives.illustrations import draw as draw_illustration
from abs_platform.initiatives.illustrations import seed_of, version
from abs_platform.initiatives.queries import InitiativeCard, card
from abs_platform.initiatives.sharing import HEIGHT, WIDTH, SharePicture, draw, photo_as_svg, share_picture_of
from abs_platform.initiatives.showing import InitiativeDetail
from abs_platform.initiatives.structured_data import structured_data
from abs_platform.languages import current_language
from abs_platform.media.keeping import read_public
from abs_platform.media.queries import PictureView
from abs_platform.security import public

bp = Blueprint("sharing", __name__, url_prefix="/initiatieven")

ID = "int(max=9223372036854775807)"
A_DAY, FIVE_MINUTES = 86_400, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Social:
    """What a page says for who shares it and for search engines. Addresses are full ones; texts are plain."""

    image: str
    image_alt: str
    width: int
    height: int
    data: dict[str, Any]
    address: str
    text: str


@bp.get(f"/<{ID}:initiative_id>/deelplaatje.png")
@public
def picture(initiative_id: int) -> Response:
    """The picture beside a shared link. Who has it already is told so before it is drawn."""
    found = _found(initiative_id)
    content = _picture_of(found)
    response = Response(content_type="image/png")
    kept = A_DAY if request.args.get("v") == content.mark else FIVE_MINUTES
    response.headers["Cache-Control"] = f"public, max-age={kept}"
    response.set_etag(content.mark)
    if content.mark not in request.if_none_match:
        logo = _read(_theme() / "logo.svg")
        response.data = draw(content, _picture_svg(found), logo)
    return response.make_conditional(request)


@bp.get(f"/<{ID}:initiative_id>/qr.svg")
@public
def qr(initiative_id: int) -> Response:
    """A QR code that leads to the page."""
    _found(initiative_id)
    response = Response(qr_svg(_address(initiative_id)), content_type="image/svg+xml")
    response.headers["Cache-Control"] = f"public, max-age={A_DAY}"
    response.add_etag()
    return response.make_conditional(request)


def social_of(found: InitiativeDetail, activities: Sequence[AgendaCard]) -> Social:
    """What the head of the page of an initiative says."""
    settings, content = _settings(), _picture_of(found)
    image = settings.base_url + url_for("sharing.picture", initiative_id=found.id, v=content.mark)
    data = structured_data(
        found,
        activities,
        base_url=settings.base_url,
        image=image,
        town=settings.municipality.name,
        way=[(_("Home"), url_for("pages.home")), (_("Initiatieven"), url_for("initiatives.index"))],
        address=url_for("initiatives.show", initiative_id=found.id, slug=found.slug),
    )
    said = (content.title, content.place, f"{content.amount} {content.of}", content.tag)
    return Social(
        image=image,
        image_alt=" · ".join(part for part in said if part),
        width=WIDTH,
        height=HEIGHT,
        data=data,
        address=_address(found.id),
        text=_("Kijk eens naar '%(title)s' op %(site)s:", title=found.title, site=settings.municipality.site_name),
    )


def _found(initiative_id: int) -> InitiativeCard:
    found = card(db.session(), initiative_id, today=clock.today())
    if found is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer)."))
    return found


def _picture_of(found: InitiativeCard) -> SharePicture:
    town = _settings().municipality
    is_for_all = found.scope == AreaLevel.MUNICIPALITY
    return share_picture_of(
        found,
        place=_("heel %(name)s", name=town.name) if is_for_all else found.area_name,
        site_name=town.site_name,
        language=current_language(),
        colours=_colours(_theme()),
        drawings=version(),
    )


def _picture_svg(found: InitiativeCard) -> str:
    """The photo of an initiative, else the drawing that stands on its page."""
    if found.photo is None:
        return draw_illustration(found.theme, seed_of(found.title))
    width = _middle(found.photo)
    data, _kind = read_public(current_app.extensions["file_store"], found.photo.key, width, "jpg")
    return photo_as_svg(data, width, max(1, round(found.photo.height * width / max(1, found.photo.width))))


def _middle(view: PictureView) -> int:
    """The smallest width that fills the picture."""
    return next((width for width in view.widths if width >= 900), view.widths[-1])


def _address(initiative_id: int) -> str:
    return _settings().base_url + url_for("initiatives.show", initiative_id=initiative_id)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _theme() -> Path:
    """The folder of the municipality's theme."""
    return Path(current_app.static_folder or "") / "themes" / _settings().municipality.theme


@lru_cache(maxsize=8)
def _colours(theme: Path) -> Colours:
    return Colours.from_css(_read(theme / "theme.css"))


@lru_cache(maxsize=32)
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
