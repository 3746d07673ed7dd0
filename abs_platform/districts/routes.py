# SPDX-License-Identifier: EUPL-1.2
"""The page of each district and village, and the poster whose QR code leads to it."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, current_app, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from abs_platform import clock
from abs_platform.agenda import queries as agenda
from abs_platform.areas.queries import AreaRow, list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.config import Settings
from abs_platform.database import db
from abs_platform.districts import poster as posters
from abs_platform.districts import queries
from abs_platform.districts.queries import Place
from abs_platform.errors import NotFound
from abs_platform.initiatives.queries import cards_of
from abs_platform.news import queries as news
from abs_platform.reports.district_queries import figures_of_district
from abs_platform.security import public

bp = Blueprint("districts", __name__, url_prefix="/wijken")

NEWS, AGENDA = 3, 4
Answer = str | AnyResponse | tuple[str, int]


@bp.get("")
@public
def index() -> str:
    """All districts and villages, with what happens there."""
    session, today = db.session(), clock.today()
    areas = list_areas(session)
    districts = sorted((area for area in areas if area.level == AreaLevel.DISTRICT), key=_by_name)
    below = {one.id: [area for area in areas if area.parent_id == one.id] for one in districts}
    counts = queries.counts(session, today=today)
    return render_template("districts/index.html", districts=districts, below=below, counts=counts)


@bp.get("/<slug>")
@public
def show(slug: str) -> Answer:
    """A district with all that happens there. A neighbourhood has a section on the page of its district."""
    session = db.session()
    place = _place(session, slug)
    if place.is_over:
        return _is_over(session, place)
    if place.district is None:
        raise _unknown()
    if place.neighbourhood_slug:
        return redirect(_address(place.district.slug, place.neighbourhood_slug), HTTPStatus.MOVED_PERMANENTLY)
    if slug != place.district.slug:
        return redirect(url_for(".show", slug=place.district.slug), HTTPStatus.MOVED_PERMANENTLY)
    return _page(session, place.district)


def _place(session: Session, slug: str) -> Place:
    """What stands at an address, however its letters are written. Raises: NotFound."""
    found = queries.place_of(session, slug.lower()) if len(slug) <= 200 and slug.isprintable() else None
    if found is None:
        raise _unknown()
    return found


def _unknown() -> NotFound:
    return NotFound(_("Deze wijk of buurt kennen we niet. Kijk in de lijst met alle wijken en dorpen."))


def _address(slug: str, neighbourhood: str) -> str:
    return url_for(".show", slug=slug, _anchor=neighbourhood)


def _is_over(session: Session, place: Place) -> Answer:
    """The area is not in the newest list any more. What is there instead is told, with all initiatives it had."""
    areas = list_areas(session, AreaLevel.DISTRICT, AreaLevel.NEIGHBOURHOOD)
    districts = sorted((area for area in areas if area.level == AreaLevel.DISTRICT), key=_by_name)
    inside = [area for area in areas if place.district and area.parent_id == place.district.id]
    page = render_template(
        "districts/over.html", place=place, districts=districts, neighbourhoods=sorted(inside, key=_by_name)
    )
    return page, HTTPStatus.GONE


def _by_name(area: AreaRow) -> str:
    return area.name.casefold()


def _page(session: Session, district: AreaRow) -> str:
    now, today = clock.now(), clock.today()
    overview = queries.overview(session, district.id, today=today)
    ids = [*overview.collecting_ids, *overview.realised_ids]
    cards = {card.id: card for card in cards_of(session, ids, today=today)}
    return render_template(
        "districts/show.html",
        district=district,
        overview=overview,
        collecting=[cards[one] for one in overview.collecting_ids if one in cards],
        realised=[cards[one] for one in overview.realised_ids if one in cards],
        welcome=queries.welcome_of(session, district.id),
        managers=queries.profiles_by_area(session, [district.id]).get(district.id, []),
        posts=news.latest(session, now, area_ids=overview.area_ids, limit=NEWS),
        items=agenda.upcoming(session, now, area_ids=overview.area_ids, limit=AGENDA),
        figures=figures_of_district(session, district.id),
    )


@bp.get("/<slug>/poster.pdf")
@public
def poster(slug: str) -> Response:
    """One A4 page with the QR code of a district: for a jacket, a window or a board."""
    place = _place(db.session(), slug)
    district = place.district
    if district is None or place.is_over or place.neighbourhood_slug:
        raise _unknown()
    settings: Settings = current_app.extensions["settings"]
    made = posters.poster(
        posters.content_of(district.name, settings, settings.base_url + url_for(".show", slug=district.slug))
    )
    response = Response(made, HTTPStatus.OK, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="poster-{district.slug}.pdf"'
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
