# SPDX-License-Identifier: EUPL-1.2
"""Reads of areas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from abs_platform.areas.models import Area, HelpPoint
from abs_platform.areas.states import AreaLevel
from abs_platform.events import Event


@dataclass(frozen=True, slots=True)
class AreaRow:
    """An area by its code and name."""

    id: int
    code: str
    name: str
    slug: str
    level: AreaLevel
    kind: str | None
    parent_id: int | None = None
    is_current: bool = True


def list_areas(session: Session, *levels: AreaLevel, with_ended: bool = False) -> list[AreaRow]:
    """The current areas in order of their code; of some levels, or of all. Ended ones too, if asked for."""
    query = _AREAS
    if not with_ended:
        query = query.where(Area.is_current)
    if levels:
        query = query.where(Area.level.in_([level.value for level in levels]))
    return [
        AreaRow(id_, code, name, slug, _LEVELS[level], kind, parent_id, is_current)
        for id_, code, name, slug, level, kind, parent_id, is_current in session.execute(query)
    ]


_LEVELS = {level.value: level for level in AreaLevel}
_AREAS = select(
    *(Area.id, Area.code, Area.name, Area.slug, Area.level, Area.kind, Area.parent_id, Area.is_current)
).order_by(Area.code)


def list_districts(session: Session) -> list[AreaRow]:
    """The current districts and villages, by name."""
    return sorted(list_areas(session, AreaLevel.DISTRICT), key=lambda row: row.name.casefold())


def ids_around(areas: Iterable[AreaRow], district_id: int) -> set[int]:
    """What is of interest in a district: the district, its neighbourhoods and the whole municipality."""
    return {
        area.id for area in areas if district_id in {area.id, area.parent_id} or area.level == AreaLevel.MUNICIPALITY
    }


def district_of_slug(areas: Iterable[AreaRow], slug: str) -> AreaRow | None:
    """The district or village that an address names, or None: an old address then still shows something."""
    return next((area for area in areas if area.level == AreaLevel.DISTRICT and area.slug == slug), None)


def district_options(areas: Iterable[AreaRow]) -> list[tuple[str, str]]:
    """All districts and villages by name, as a form offers them."""
    districts = (area for area in areas if area.level == AreaLevel.DISTRICT)
    return [(area.slug, area.name) for area in sorted(districts, key=lambda area: area.name.casefold())]


def id_of_code(session: Session, code: str) -> int | None:
    """The id of an area by its CBS code."""
    return session.scalar(select(Area.id).where(Area.code == code))


def name_of(session: Session, area_id: int | None) -> str | None:
    """The name of an area, current or not."""
    return session.scalar(select(Area.name).where(Area.id == area_id))


@dataclass(frozen=True, slots=True)
class DistrictHelp:
    """A district with its help point, if it has one."""

    district: AreaRow
    point: HelpPoint | None


def help_by_district(session: Session) -> list[DistrictHelp]:
    """The current districts by name, each with its help point or None."""
    points = {point.district_id: point for point in session.scalars(select(HelpPoint))}
    return [DistrictHelp(district, points.get(district.id)) for district in list_districts(session)]


def help_of_district(session: Session, district_id: int) -> DistrictHelp | None:
    """One current district with its help point, or None when there is no such district."""
    district = next((row for row in list_districts(session) if row.id == district_id), None)
    return None if district is None else DistrictHelp(district, session.get(HelpPoint, district_id))


def changes_of_help(session: Session, district_id: int) -> list[Event]:
    """What was said before about the help point of a district, newest first; the last hundred times."""
    of_it = select(Event).where(Event.subject == "help_point", Event.subject_id == district_id)
    return list(session.scalars(of_it.order_by(Event.id.desc()).limit(100)))


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom something is: an area, and the district it is or lies in (none for the whole municipality)."""

    name: str
    level: AreaLevel
    district_name: str | None


def scope_of(session: Session, area_id: int | None) -> Scope | None:
    """An area with its district, or None."""
    parent = aliased(Area)
    row = session.execute(
        select(Area.name, Area.level, parent.name)
        .outerjoin(parent, parent.id == Area.parent_id)
        .where(Area.id == area_id)
    ).first()
    if row is None:
        return None
    name, level, parent_name = row
    district = {AreaLevel.NEIGHBOURHOOD: parent_name, AreaLevel.DISTRICT: name}.get(AreaLevel(level))
    return Scope(name, AreaLevel(level), district)


def is_current(session: Session, area_id: int) -> bool:
    """Whether the newest edition has this area."""
    return session.scalar(select(Area.id).where(Area.id == area_id, Area.is_current)) is not None


def desk_area_of(session: Session, area_id: int) -> int | None:
    """Whose desk decides about an area: its district's, or the municipality's for the whole city (rule 5)."""
    area = session.get(Area, area_id)
    if area is None:
        return None
    return area.parent_id if area.level == AreaLevel.NEIGHBOURHOOD else area.id
