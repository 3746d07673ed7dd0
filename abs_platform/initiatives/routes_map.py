# SPDX-License-Identifier: EUPL-1.2
"""What the map asks for: the districts, a pin for each initiative of the list, and the card behind a pin."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from flask_babel import gettext as _

from abs_platform import clock
from abs_platform.areas.drawing import Drawing, drawing_of
from abs_platform.areas.queries import list_areas
from abs_platform.areas.shapes import district_shapes
from abs_platform.database import db
from abs_platform.errors import NotFound
from abs_platform.initiatives.browsing import found_by, read_filter
from abs_platform.initiatives.mapping import pins
from abs_platform.initiatives.queries import card
from abs_platform.security import public

bp = Blueprint("map", __name__, url_prefix="/kaart")

A_DAY, A_MINUTE = 86_400, 60


@bp.app_template_global()
def drawn_map() -> Drawing | None:
    """The town as its municipality draws it, for components/map.html."""
    return drawing_of(current_app.extensions["settings"].municipality)


@bp.app_template_global()
def map_tiles() -> Any:
    """Where the background of the map comes from, or None."""
    return current_app.extensions["settings"].map_tiles


@bp.get("/gebieden.json")
@public
def shapes() -> Response:
    """The districts with their measured shapes; none where none are loaded."""
    return _kept(district_shapes(db.session()), A_DAY)


@bp.get("/punten.json")
@public
def points() -> Response:
    """A pin for everything on the list: number, title, kind and place; ``?getekend=1`` for the drawing."""
    session = db.session()
    areas = list_areas(session, with_ended=True)
    given = read_filter(request.args, [area for area in areas if area.is_current])
    wanted, counts = found_by(session, given, areas, today=clock.today())
    drawing = drawn_map() if "getekend" in request.args else None
    found = pins(session, wanted, today=clock.today(), areas=areas, drawing=drawing)
    rows = [[one.id, one.title, one.kind, *one.at] for one in found]
    return _kept({"total": counts.total, "pins": rows}, A_MINUTE)


@bp.get("/kaartje/<int:initiative_id>")
@public
def popup(initiative_id: int) -> str:
    """The card of one initiative, for the pin that was opened."""
    found = card(db.session(), initiative_id, today=clock.today()) if initiative_id < 2**63 else None
    if found is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer). Zoek verder bij de initiatieven."))
    return render_template("initiatives/_popup.html", card=found)


def _kept(data: dict[str, Any], seconds: int) -> Response:
    """An answer that caches keep for a while, and then ask whether it changed."""
    response = Response(json.dumps(data, separators=(",", ":"), ensure_ascii=False), mimetype="application/json")
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.add_etag()
    response.make_conditional(request)
    return response
