# SPDX-License-Identifier: EUPL-1.2
"""Reads behind the pages of districts: a constant number of queries, and no sum over gifts but those of cards."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, any_, bindparam, select, text
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


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A neighbourhood with its newest initiatives; one that is over stands here only as long as it has some."""

    name: str
    slug: str
    is_current: bool
    total: int
    lines: list[Line]


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


# Per area, from one index: how many there are, and of as few as are shown the title.
_OVERVIEW = text("""
    WITH here AS (SELECT * FROM areas WHERE id = :district_id OR parent_id = :district_id)
    SELECT here.id, here.name, here.slug, here.level, here.is_current, n.collecting, n.realised, n.total, l.lines,
           ARRAY(
               SELECT soonest.id
               FROM here CROSS JOIN LATERAL (
                   SELECT id, deadline_on FROM initiatives WHERE area_id = here.id
                   AND state = 'published' AND deadline_on >= :today ORDER BY deadline_on, id DESC LIMIT :cards
               ) soonest ORDER BY soonest.deadline_on, soonest.id DESC LIMIT :cards
           ) AS collecting_ids,
           ARRAY(
               SELECT id FROM initiatives WHERE area_id IN (SELECT id FROM here) AND state = 'realised'
               ORDER BY ended_at DESC NULLS LAST, id DESC LIMIT :realised
           ) AS realised_ids
    FROM here
    CROSS JOIN LATERAL (
        SELECT COUNT(*) FILTER (WHERE state = 'published' AND deadline_on >= :today) AS collecting,
               COUNT(*) FILTER (WHERE state = 'realised') AS realised, COUNT(*) AS total
        FROM initiatives WHERE area_id = here.id AND state IN ('published', 'funded', 'in_progress', 'realised')
    ) n
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_array(i.id, i.title, i.state, one.collects)
                        ORDER BY one.collects DESC, one.published_at DESC, one.id DESC) AS lines
        FROM (
            SELECT id, published_at, state = 'published' AND deadline_on >= :today AS collects FROM initiatives
            WHERE area_id = here.id AND state IN ('published', 'funded', 'in_progress', 'realised')
            ORDER BY collects DESC, published_at DESC, id DESC LIMIT :lines
        ) one JOIN initiatives i ON i.id = one.id
    ) l
    ORDER BY here.name, here.code
""")


def overview(session: Session, district_id: int, *, today: dt.date) -> Overview:
    """The initiatives of a district and of its neighbourhoods. One query."""
    limits = {"lines": LINES_A_NEIGHBOURHOOD, "cards": COLLECTING_CARDS, "realised": REALISED_CARDS}
    rows = session.execute(_OVERVIEW, {"district_id": district_id, "today": today, **limits}).all()
    return Overview(
        rows[0].collecting_ids if rows else [],
        rows[0].realised_ids if rows else [],
        sum(row.collecting for row in rows),
        sum(row.realised for row in rows),
        sum(row.total for row in rows),
        [
            Neighbourhood(row.name, row.slug, row.is_current, row.total, [_line(*line) for line in row.lines or ()])
            for row in rows
            if row.level == AreaLevel.NEIGHBOURHOOD and (row.is_current or row.total)
        ],
        sorted(row.id for row in rows),
    )


def _line(initiative_id: int, title: str, state: str, is_collecting: bool) -> Line:
    slug = slugify(title, MAX_SLUG) or "initiatief"
    return Line(initiative_id, slug, title, InitiativeState(state), is_collecting)


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
