# SPDX-License-Identifier: EUPL-1.2
"""Loading the areas of a municipality from a CBS list, with or without their shapes."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.areas.models import Area
from abs_platform.areas.states import AreaLevel, DistrictKind
from abs_platform.errors import InvalidInput
from abs_platform.slugs import slugify

COLUMNS = ("code", "naam", "niveau", "ouder_code")
_LEVELS = {
    "gemeente": (AreaLevel.MUNICIPALITY, re.compile(r"^GM\d{4}$")),
    "wijk": (AreaLevel.DISTRICT, re.compile(r"^WK\d{6}$")),
    "dorp": (AreaLevel.DISTRICT, re.compile(r"^WK\d{6}$")),
    "buurt": (AreaLevel.NEIGHBOURHOOD, re.compile(r"^BU\d{4}[0-9A-Z]{4}$")),
}
_TOP_DOWN = (AreaLevel.MUNICIPALITY, AreaLevel.DISTRICT, AreaLevel.NEIGHBOURHOOD)


@dataclass(frozen=True, slots=True)
class AreasReport:
    """What loading did: areas in the list, areas that the list no longer has, and areas without a shape."""

    loaded: int
    ended: int
    without_shape: int


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    code: str
    name: str
    level: AreaLevel
    kind: DistrictKind | None
    parent_code: str | None


def load_areas(
    session: Session,
    csv_path: Path,
    *,
    edition: int,
    villages: frozenset[str],
    shapes_paths: tuple[Path, ...] = (),
    actor: Actor,
    now: dt.datetime,
) -> AreasReport:
    """Load a list of areas (code,naam,niveau,ouder_code) of one edition (year); what it lacks is ended, never deleted.

    Loading the same list twice changes nothing. A neighbourhood without a shape is normal.
    Raises: InvalidInput with file, line and column.
    """
    rows = _read_rows(csv_path, villages)
    shapes = {code: shape for path in shapes_paths for code, shape in _read_shapes(path).items()}
    ids: dict[str, int] = {}
    slugs = _unique_slugs(rows)
    _make_way(session, rows, slugs)
    for level in _TOP_DOWN:
        for row in (row for row in rows if row.level == level):
            ids[row.code] = _upsert(
                session,
                row,
                slug=slugs[row.code],
                parent_id=ids.get(row.parent_code or ""),
                edition=edition,
                shape=shapes.get(row.code),
            )
    ended = session.execute(
        update(Area).where(Area.code.not_in(ids), Area.is_current).values(is_current=False).returning(Area.id)
    ).all()
    without = session.scalars(
        select(Area.code).where(Area.shape.is_(None), Area.is_current, Area.level == AreaLevel.NEIGHBOURHOOD.value)
    ).all()
    events.record(
        session, "areas.loaded", None, actor=actor, now=now, edition=edition, areas=len(rows), ended=len(ended)
    )
    return AreasReport(len(rows), len(ended), len(without))


def _unique_slugs(rows: list[_Row]) -> dict[str, str]:
    """By code, the part of the address of each area: its name, and its code too where a name comes twice in a level."""
    slugs: dict[str, str] = {}
    taken: set[tuple[AreaLevel, str]] = set()
    for row in rows:
        slug = slugify(row.name) or row.code.lower()
        slugs[row.code] = f"{slug}-{row.code.lower()}" if (row.level, slug) in taken else slug
        taken.add((row.level, slugs[row.code]))
    return slugs


def _make_way(session: Session, rows: list[_Row], slugs: dict[str, str]) -> None:
    """Take a slug from the area that has it when another gets it: in a new edition a name may have another code."""
    wanted_by = {(row.level.value, slugs[row.code]): row.code for row in rows}
    for code, level, slug in session.execute(select(Area.code, Area.level, Area.slug)).all():
        if wanted_by.get((level, slug), code) != code:
            session.execute(update(Area).where(Area.code == code).values(slug=f"{slug}-{code.lower()}"))


def _upsert(
    session: Session, row: _Row, *, slug: str, parent_id: int | None, edition: int, shape: dict[str, Any] | None
) -> int:
    values: dict[str, Any] = {
        "name": row.name,
        "slug": slug,
        "level": row.level.value,
        "kind": row.kind.value if row.kind else None,
        "parent_id": parent_id,
        "edition": edition,
        "is_current": True,
    }
    statement = insert(Area).values(code=row.code, shape=shape, **values)
    if shape is not None:
        values["shape"] = statement.excluded.shape
    upsert = statement.on_conflict_do_update(index_elements=[Area.code], set_=values)
    area_id: int = session.execute(upsert.returning(Area.id)).scalar_one()
    return area_id


def _read_rows(path: Path, villages: frozenset[str]) -> list[_Row]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path}: dit is geen UTF-8 (byte {error.start + 1}). Bewaar het bestand als UTF-8."
        ) from error
    except OSError as error:
        raise InvalidInput(f"{path}: kan niet worden gelezen ({error.strerror}).") from error
    if not text.strip():
        raise InvalidInput(f"{path}: het bestand is leeg.")
    delimiter = ";" if text.split("\n", 1)[0].count(";") else ","
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter)
    if missing := [column for column in COLUMNS if column not in (reader.fieldnames or ())]:
        raise InvalidInput(f"{path}, regel 1: kolom {missing[0]} ontbreekt. Nodig zijn: {', '.join(COLUMNS)}.")
    try:
        rows = [_read_row(path, reader.line_num, record, villages) for record in reader]
    except csv.Error as error:
        where = f"{path}, regel {reader.line_num + 1}"
        raise InvalidInput(f"{where}: deze regel kan niet worden gelezen ({error}).") from error
    _check_tree(path, rows)
    return rows


def _read_row(path: Path, line: int, record: dict[str, str | None], villages: frozenset[str]) -> _Row:
    code, name, level_name, parent = ((record[column] or "").strip() for column in COLUMNS)
    where = f"{path}, regel {line}"
    if level_name not in _LEVELS:
        raise InvalidInput(f"{where}, kolom niveau: '{level_name}' is geen gemeente, wijk, dorp of buurt.")
    level, pattern = _LEVELS[level_name]
    if not pattern.match(code):
        raise InvalidInput(f"{where}, kolom code: '{code}' is geen code van een {level_name}.")
    if not name or not name.isprintable():
        raise InvalidInput(f"{where}, kolom naam: de naam ontbreekt, of er staat een teken in dat niet kan.")
    if (level == AreaLevel.MUNICIPALITY) == bool(parent):
        raise InvalidInput(f"{where}, kolom ouder_code: een gemeente heeft er geen, al het andere wel.")
    kind = None
    if level == AreaLevel.DISTRICT:
        kind = DistrictKind.DORP if level_name == "dorp" or code in villages else DistrictKind.WIJK
    return _Row(line, code, name, level, kind, parent or None)


def _check_tree(path: Path, rows: list[_Row]) -> None:
    by_code: dict[str, _Row] = {}
    for row in rows:
        if row.code in by_code:
            raise InvalidInput(f"{path}, regel {row.line}: {row.code} staat ook op regel {by_code[row.code].line}.")
        by_code[row.code] = row
    for row in rows:
        if row.parent_code is None:
            continue
        parent = by_code.get(row.parent_code)
        if parent is None or _TOP_DOWN.index(parent.level) != _TOP_DOWN.index(row.level) - 1:
            raise InvalidInput(
                f"{path}, regel {row.line}, kolom ouder_code: {row.parent_code} is niet wat boven {row.code} hoort."
            )
    if sum(row.level == AreaLevel.MUNICIPALITY for row in rows) != 1:
        raise InvalidInput(f"{path}: er moet precies een gemeente in staan.")


def _read_shapes(path: Path) -> dict[str, dict[str, Any]]:
    try:
        collection = json.loads(path.read_text(encoding="utf-8-sig"))
        return {feature["properties"]["statcode"]: feature["geometry"] for feature in collection["features"]}
    except OSError as error:
        raise InvalidInput(f"{path}: kan niet worden gelezen ({error.strerror}).") from error
    except ValueError as error:
        raise InvalidInput(f"{path}: dit is geen GeoJSON ({error}).") from error
    except (KeyError, TypeError) as error:
        raise InvalidInput(
            f"{path}: dit is geen GeoJSON van CBS-gebieden (statcode en geometry zijn nodig)."
        ) from error
