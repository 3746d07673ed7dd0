# SPDX-License-Identifier: EUPL-1.2
"""The measured shapes of the districts, as GeoJSON: their own, or else those of their neighbourhoods together."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.areas.models import Area
from abs_platform.areas.states import AreaLevel


def district_shapes(session: Session) -> dict[str, Any]:
    """The current districts that have a shape, as a FeatureCollection with their code, name and slug."""
    rows = session.execute(
        select(Area.id, Area.parent_id, Area.level, Area.code, Area.name, Area.slug, Area.shape)
        .where(Area.is_current)
        .order_by(Area.code)
    ).all()
    parts: defaultdict[int | None, list[Any]] = defaultdict(list)
    for row in rows:
        if row.level == AreaLevel.NEIGHBOURHOOD and row.shape:
            parts[row.parent_id].extend(_polygons(row.shape))
    features = []
    for row in rows:
        if row.level != AreaLevel.DISTRICT:
            continue
        polygons = _polygons(row.shape) if row.shape else parts[row.id]
        if polygons:
            properties = {"code": row.code, "name": row.name, "slug": row.slug}
            geometry = {"type": "MultiPolygon", "coordinates": polygons}
            features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}


def centre_of(shape: dict[str, Any] | None) -> tuple[float, float] | None:
    """Latitude and longitude of the middle of a shape's corners, or None without one."""
    corners = [corner for polygon in _polygons(shape or {}) for corner in polygon[0]]
    if not corners:
        return None
    return sum(corner[1] for corner in corners) / len(corners), sum(corner[0] for corner in corners) / len(corners)


def centres(session: Session) -> dict[int, tuple[float, float]]:
    """The middle of each area that has a shape."""
    rows = session.execute(select(Area.id, Area.shape).where(Area.shape.is_not(None)))
    found = ((area_id, centre_of(shape)) for area_id, shape in rows)
    return {area_id: centre for area_id, centre in found if centre}


def _polygons(shape: dict[str, Any]) -> list[Any]:
    if shape.get("type") == "Polygon":
        return [shape["coordinates"]]
    return list(shape["coordinates"]) if shape.get("type") == "MultiPolygon" else []
