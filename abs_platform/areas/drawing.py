# SPDX-License-Identifier: EUPL-1.2
"""The town as a municipality draws it itself: the districts as soft shapes, for where no measured shapes are loaded."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from abs_platform.municipality import ConfigurationError, Municipality
from abs_platform.slugs import slugify

Point = tuple[float, float]
CORNER = 16.0  # how far from a corner its rounding begins, at most
_LINES = {"water", "rail"}


@dataclass(frozen=True, slots=True)
class DrawnDistrict:
    """A district: its shape as an SVG path, and its name in lines around a point."""

    code: str
    name: str
    slug: str
    path: str
    label: tuple[str, ...]
    at: Point
    tone: int


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """Water or a railway, for the eye only."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn town."""

    width: int
    height: int
    districts: tuple[DrawnDistrict, ...]
    lines: tuple[DrawnLine, ...]


def drawing_of(municipality: Municipality) -> Drawing | None:
    """The drawing in the folder of a municipality, or None when it has none. Raises: ConfigurationError."""
    return _read(municipality.folder / "map.toml", municipality.areas_csv)


@lru_cache(maxsize=8)
def _read(path: Path, areas_csv: Path) -> Drawing | None:
    if not path.is_file():
        return None
    names = dict(line.split(",")[:2] for line in areas_csv.read_text(encoding="utf-8-sig").splitlines() if "," in line)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return Drawing(
            width=int(data["width"]),
            height=int(data["height"]),
            districts=tuple(_district(one, names) for one in data["districts"]),
            lines=tuple(_line(one) for one in data.get("lines", [])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error!r}") from error


def _district(given: dict[str, Any], names: dict[str, str]) -> DrawnDistrict:
    name = names[given["code"]]
    x, y = given["at"]
    return DrawnDistrict(
        given["code"],
        name,
        slugify(name),
        closed(_points(given)),
        tuple(given["label"]),
        (float(x), float(y)),
        int(given.get("tone", 1)),
    )


def _line(given: dict[str, Any]) -> DrawnLine:
    if given["kind"] not in _LINES:
        raise ValueError(given["kind"])
    return DrawnLine(given["kind"], flowing(_points(given)))


def _points(given: dict[str, Any]) -> list[Point]:
    points = [(float(x), float(y)) for x, y in given["points"]]
    if len(points) < 3:
        raise ValueError(given["points"])
    return points


def closed(points: list[Point]) -> str:
    """A polygon as a path with rounded corners."""
    parts: list[str] = []
    for place, corner in enumerate(points):
        before, after = points[place - 1], points[(place + 1) % len(points)]
        start, end = _towards(corner, before), _towards(corner, after)
        parts.append(f"{'L' if parts else 'M'}{_at(start)}Q{_at(corner)} {_at(end)}")
    return f"{''.join(parts)}Z"


def flowing(points: list[Point]) -> str:
    """A line as a path that bends softly."""
    parts = [f"M{_at(points[0])}"]
    for place in range(1, len(points) - 1):
        corner = points[place]
        start, end = _towards(corner, points[place - 1]), _towards(corner, points[place + 1])
        parts.append(f"L{_at(start)}Q{_at(corner)} {_at(end)}")
    return f"{''.join(parts)}L{_at(points[-1])}"


def _towards(corner: Point, other: Point) -> Point:
    length = math.dist(corner, other)
    part = min(CORNER, length * 0.4) / length
    return corner[0] + (other[0] - corner[0]) * part, corner[1] + (other[1] - corner[1]) * part


def _at(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}".replace(".0", "")
