# SPDX-License-Identifier: EUPL-1.2
"""Reads behind the pages of districts: a constant number of queries, and no sum over gifts but those of cards."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Row, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased

from abs_platform.accounts.models import Account, DeskAssignment, StaffRole
from abs_platform.areas.models import Area, HelpPoint
from abs_platform.areas.queries import AreaRow
from abs_platform.areas.states import AreaLevel
from abs_platform.districts.models import DistrictIntro, StaffProfile
from abs_platform.initiatives.queries import MAX_SLUG
from abs_platform.initiatives.states import InitiativeState
from abs_platform.media.models import SitePicture
from abs_platform.media.queries import PictureView
from abs_platform.media.site_pictures import view_of
from abs_platform.slugs import slugify
from abs_platform.users import Role

COLLECTING_CARDS = 6
REALISED_CARDS = 3
LINES_A_NEIGHBOURHOOD = 4


@dataclass(frozen=True, slots=True)
class Place:
    """What an address of a district means: the district, and the neighbourhood in it when that was asked for.

    ``asked_name`` is what the address is called; ``is_over``: the newest edition has no such area any more.
    """

    asked_name: str
    is_over: bool
    district: AreaRow | None
    neighbourhood_slug: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A wijkregisseur as she shows herself."""

    account_id: int
    name: str
    email: str
    phone: str
    about: str
    picture: PictureView | None


@dataclass(frozen=True, slots=True)
class Help:
    """The desk of the wijkcentrum."""

    name: str
    address: str
    opening_hours: str
    phone: str


@dataclass(frozen=True, slots=True)
class Line:
    """An initiative in the list of its neighbourhood."""

    id: int
    slug: str
    title: str
    state: InitiativeState
    is_collecting: bool


@dataclass(slots=True)
class Neighbourhood:
    """A neighbourhood with its newest initiatives; one that is over stands here only as long as it has some."""

    name: str
    slug: str
    is_current: bool
    total: int = 0
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Overview:
    """What happens in a district: which cards to show, how many there are, and each neighbourhood."""

    collecting_ids: list[int]
    realised_ids: list[int]
    collecting: int
    realised: int
    total: int
    neighbourhoods: list[Neighbourhood]
    area_ids: list[int]


def place_of(session: Session, slug: str) -> Place | None:
    """What stands at this address; a district goes before a neighbourhood, and what is there before what is over."""
    row = session.execute(_PLACE, {"slug": slug}).first()
    if row is None:
        return None
    area, above = _row(row[:8]), _row(row[8:])
    if area.level == AreaLevel.DISTRICT:
        return Place(area.name, not area.is_current, area if area.is_current else None)
    return Place(area.name, not area.is_current, above if above.is_current else None, area.slug)


def _row(values: Sequence[Any]) -> AreaRow:
    id_, code, name, slug, level, *others = values
    return AreaRow(id_, code, name, slug, AreaLevel(level) if level else AreaLevel.MUNICIPALITY, *others)


_FIELDS = ("id", "code", "name", "slug", "level", "kind", "parent_id", "is_current")  # of an AreaRow
_PARENT = aliased(Area)
_PLACE = (
    select(*(getattr(area, field) for area in (Area, _PARENT) for field in _FIELDS))
    .outerjoin(_PARENT, _PARENT.id == Area.parent_id)
    .where(Area.slug == bindparam("slug"), Area.level != AreaLevel.MUNICIPALITY.value)
    .order_by(Area.is_current.desc(), Area.level == AreaLevel.NEIGHBOURHOOD.value)
    .limit(1)
)


_OVERVIEW = text("""
    SELECT a.id AS area_id, a.name, a.slug, a.level, a.is_current, i.id, i.title, i.state, i.collects, i.place,
           i.in_area, i.card_place, i.collecting, i.realised, i.total
    FROM areas a
    LEFT JOIN (
        SELECT one.*, COUNT(*) OVER (PARTITION BY area_id) AS in_area,
               ROW_NUMBER() OVER (PARTITION BY area_id ORDER BY collects DESC, published_at DESC, id DESC) AS place,
               ROW_NUMBER() OVER (
                   PARTITION BY kind ORDER BY deadline_key, ended_at DESC NULLS LAST, id DESC) AS card_place,
               COUNT(*) FILTER (WHERE kind = 'collecting') OVER () AS collecting,
               COUNT(*) FILTER (WHERE kind = 'realised') OVER () AS realised, COUNT(*) OVER () AS total
        FROM (
            SELECT n.id, n.area_id, n.title, n.state, n.published_at, n.ended_at, d.collects,
                   CASE WHEN d.collects THEN 'collecting' WHEN n.state = 'realised' THEN 'realised' END AS kind,
                   CASE WHEN d.collects THEN n.deadline_on END AS deadline_key
            FROM initiatives n
            CROSS JOIN LATERAL (SELECT n.state = 'published' AND n.deadline_on >= :today AS collects) d
            WHERE n.area_id IN (SELECT id FROM areas WHERE id = :district_id OR parent_id = :district_id)
              AND n.published_at IS NOT NULL AND n.state IN ('published', 'funded', 'in_progress', 'realised')
        ) one
    ) i ON i.area_id = a.id AND (i.place <= :lines OR (i.kind IS NOT NULL AND i.card_place <= :cards))
    WHERE a.id = :district_id OR a.parent_id = :district_id
    ORDER BY a.name, a.code, i.place
""")


def overview(session: Session, district_id: int, *, today: dt.date) -> Overview:
    """The initiatives of a district and of its neighbourhoods. One query."""
    values = {"district_id": district_id, "today": today, "lines": LINES_A_NEIGHBOURHOOD, "cards": COLLECTING_CARDS}
    rows = session.execute(_OVERVIEW, values).all()
    told = [row for row in rows if row.id is not None]
    places: dict[int, Neighbourhood] = {}
    for row in rows:
        if row.level == AreaLevel.NEIGHBOURHOOD and (row.is_current or row.id is not None):
            one = places.setdefault(row.area_id, Neighbourhood(row.name, row.slug, row.is_current, row.in_area or 0))
            if row.id is not None and row.place <= LINES_A_NEIGHBOURHOOD:
                one.lines.append(_line(row))
    first = told[0] if told else None
    collecting = sorted((row for row in told if row.collects), key=lambda row: row.card_place)
    realised = sorted((row for row in told if row.state == "realised"), key=lambda row: row.card_place)
    return Overview(
        [row.id for row in collecting if row.card_place <= COLLECTING_CARDS],
        [row.id for row in realised if row.card_place <= REALISED_CARDS],
        first.collecting if first else 0,
        first.realised if first else 0,
        first.total if first else 0,
        list(places.values()),
        sorted({row.area_id for row in rows}),
    )


def _line(row: Row[*tuple[Any, ...]]) -> Line:
    slug = slugify(row.title, MAX_SLUG) or "initiatief"
    return Line(row.id, slug, row.title, InitiativeState(row.state), row.collects)


def intro_of(session: Session, district_id: int) -> DistrictIntro | None:
    """The word of welcome of a district, or None."""
    return session.get(DistrictIntro, district_id)


@dataclass(frozen=True, slots=True)
class Welcome:
    """The word of welcome and the wijkcentrum of a district."""

    intro: str
    help: Help | None


_WELCOME = (
    select(DistrictIntro.body, HelpPoint.name, HelpPoint.address, HelpPoint.opening_hours, HelpPoint.phone)
    .select_from(Area)
    .outerjoin(DistrictIntro, DistrictIntro.area_id == Area.id)
    .outerjoin(HelpPoint, HelpPoint.district_id == Area.id)
    .where(Area.id == bindparam("district_id"))
)


def welcome_of(session: Session, district_id: int) -> Welcome:
    """What stands first on the page of a district. One query."""
    row = session.execute(_WELCOME, {"district_id": district_id}).one()
    name: str | None = row.name
    help_point = None if name is None else Help(name, row.address, row.opening_hours, row.phone)
    return Welcome(row.body or "", help_point)


_IS_MANAGER = StaffRole.ended_at.is_(None) & (StaffRole.role == Role.DISTRICT_MANAGER.value)
_PROFILES = (
    select(DeskAssignment.area_id, StaffProfile, SitePicture)
    .join(StaffProfile, StaffProfile.account_id == DeskAssignment.account_id)
    .join(StaffRole, (StaffRole.account_id == StaffProfile.account_id) & _IS_MANAGER)
    .outerjoin(SitePicture, (SitePicture.id == StaffProfile.picture_id) & SitePicture.removed_at.is_(None))
    .where(DeskAssignment.area_id == any_(bindparam("area_ids", type_=ARRAY(BigInteger))), StaffProfile.is_public)
    .order_by(StaffProfile.shown_name, StaffProfile.account_id)
)


def profiles_by_area(session: Session, area_ids: Collection[int]) -> dict[int, list[Profile]]:
    """Who works at the desks of these areas and wants to be seen there, by area. One query."""
    rows = session.execute(_PROFILES, {"area_ids": list(area_ids)})
    found: dict[int, list[Profile]] = defaultdict(list)
    for area_id, profile, picture in rows:
        found[area_id].append(_shown(profile, picture))
    return dict(found)


def _shown(profile: StaffProfile, picture: SitePicture | None) -> Profile:
    view = None if picture is None else view_of(picture)
    return Profile(profile.account_id, profile.shown_name, profile.email, profile.phone, profile.about, view)


def profile_of(session: Session, account_id: int) -> tuple[StaffProfile | None, PictureView | None]:
    """The profile of a member of staff, shown or not, and its picture."""
    profile = session.get(StaffProfile, account_id)
    picture = None if profile is None or profile.picture_id is None else session.get(SitePicture, profile.picture_id)
    return profile, None if picture is None or picture.removed_at is not None else view_of(picture)


def districts_of(session: Session, account_id: int) -> list[AreaRow]:
    """The districts whose page a wijkregisseur stands on, by name."""
    query = select(*(getattr(Area, field) for field in _FIELDS)).join(DeskAssignment, DeskAssignment.area_id == Area.id)
    is_district = (Area.level == AreaLevel.DISTRICT.value, Area.is_current)
    found = session.execute(query.where(DeskAssignment.account_id == account_id, *is_district).order_by(Area.name))
    return [_row(row) for row in found]


@dataclass(frozen=True, slots=True)
class Manager:
    """A wijkregisseur as the coordinator sees who has a profile."""

    account_id: int
    name: str
    shown_name: str | None
    is_public: bool


def managers(session: Session, account_id: int | None = None) -> list[Manager]:
    """Every wijkregisseur by name, or one of them."""
    query = (
        select(Account.id, Account.name, Account.email, StaffProfile.shown_name, StaffProfile.is_public)
        .join(StaffRole, StaffRole.account_id == Account.id)
        .outerjoin(StaffProfile, StaffProfile.account_id == Account.id)
        .where(_IS_MANAGER, Account.deleted_at.is_(None))
        .order_by(Account.name, Account.id)
    )
    if account_id is not None:
        query = query.where(Account.id == account_id)
    return [
        Manager(row.id, row.name or (row.email or ""), row.shown_name, bool(row.is_public))
        for row in session.execute(query)
    ]


def counts(session: Session, *, today: dt.date) -> dict[int, tuple[int, int]]:
    """How many initiatives collect and how many are realised, by district, its neighbourhoods included. One query."""
    rows = session.execute(
        text("""
            SELECT COALESCE(d.id, a.id),
                   COUNT(*) FILTER (WHERE i.state = 'published' AND i.deadline_on >= :today),
                   COUNT(*) FILTER (WHERE i.state = 'realised')
            FROM initiatives i JOIN areas a ON a.id = i.area_id
            LEFT JOIN areas d ON d.id = a.parent_id AND d.level = 'district'
            WHERE i.published_at IS NOT NULL GROUP BY 1
        """),
        {"today": today},
    )
    return {row[0]: (row[1], row[2]) for row in rows}
