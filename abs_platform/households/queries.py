# SPDX-License-Identifier: EUPL-1.2
"""Reads of addresses for the coordinator: numbers by neighbourhood, searching one, and what was done by hand.

Nothing here looks at vouchers: what an address gave is nobody's business (rule 11).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from abs_platform.accounts.queries import names_of
from abs_platform.actors import account_number
from abs_platform.areas.models import Area
from abs_platform.clock import local_date, start_of_day
from abs_platform.events import Event
from abs_platform.households.models import AddressImport, Household
from abs_platform.paging import Page, page_of

ENDED, BROUGHT_BACK = "household.ended", "household.brought_back"
ADDED, SPLIT = "household.added", "household.split"
BY_HAND = (ADDED, BROUGHT_BACK, ENDED, SPLIT)
MOST_FOUND = 100
_SUBJECTS = ("household", "address")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAddress:
    """An address as it was typed, tidied. ``bag_object_id`` is "" when it is not known."""

    street: str
    house_number: int
    house_letter: str
    house_addition: str
    postcode: str
    city: str
    neighbourhood_id: int
    object_type: str
    bag_object_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Addresses of an area: living, of these added by hand and with the mark of returned post; and ended by hand."""

    living: int = 0
    added: int = 0
    returned: int = 0
    ended: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            living=self.living + other.living,
            added=self.added + other.added,
            returned=self.returned + other.returned,
            ended=self.ended + other.ended,
        )


@dataclass(frozen=True, slots=True)
class DistrictCounts:
    """A district with its neighbourhoods."""

    name: str
    counts: Counts
    neighbourhoods: list[tuple[str, Counts]]


def by_district(session: Session) -> list[DistrictCounts]:
    """The addresses of each current district and its neighbourhoods, by name. One query."""
    district = aliased(Area)
    living = Household.ended_on.is_(None)
    rows = session.execute(
        select(
            district.id,
            district.name,
            Area.name.label("neighbourhood"),
            func.count(Household.id).filter(living).label("living"),
            func.count(Household.id).filter(living, Household.added_by_hand_at.is_not(None)).label("added"),
            func.count(Household.id).filter(living, Household.mail_returned_at.is_not(None)).label("returned"),
            func.count(Household.id).filter(Household.ended_by_hand_at.is_not(None)).label("ended"),
        )
        .select_from(Area)
        .join(district, district.id == Area.parent_id)
        .outerjoin(Household, Household.neighbourhood_id == Area.id)
        .where(Area.is_current, Area.level == "neighbourhood")
        .group_by(district.id, district.name, Area.id, Area.name)
        .order_by(district.name, district.id, Area.name)
    )
    found: dict[int, DistrictCounts] = {}
    for row in rows:
        counts = Counts(living=row.living, added=row.added, returned=row.returned, ended=row.ended)
        before = found.get(row.id, DistrictCounts(row.name, Counts(), []))
        inner = [*before.neighbourhoods, (row.neighbourhood, counts)]
        found[row.id] = DistrictCounts(row.name, before.counts + counts, inner)
    return list(found.values())


def imports(session: Session, limit: int) -> list[AddressImport]:
    """The files that were applied, newest first."""
    return list(session.scalars(select(AddressImport).order_by(AddressImport.id.desc()).limit(limit)))


@dataclass(frozen=True, slots=True)
class AddressRow:
    """An address with the name of its neighbourhood."""

    household: Household
    neighbourhood: str
    district: str


def search(session: Session, *, postcode: str, street: str, house_number: int | None) -> list[AddressRow]:
    """The addresses of a postcode or of streets that begin so, ended ones too; at most a hundred, in order."""
    query = _rows()
    if postcode:
        query = query.where(Household.postcode == postcode)
    if street:
        query = query.where(func.lower(Household.street).startswith(street.lower(), autoescape=True))
    if house_number is not None:
        query = query.where(Household.house_number == house_number)
    order = (
        Household.street,
        Household.postcode,
        Household.house_number,
        Household.house_letter,
        Household.house_addition,
        Household.id,
    )
    return [AddressRow(*row) for row in session.execute(query.order_by(*order).limit(MOST_FOUND)).all()]


def find(session: Session, household_id: int) -> AddressRow | None:
    """One address."""
    row = session.execute(_rows().where(Household.id == household_id)).first()
    return None if row is None else AddressRow(*row)


def _rows() -> Select[Household, str, str]:
    district = aliased(Area)
    return (
        select(Household, Area.name, func.coalesce(district.name, ""))
        .join(Area, Area.id == Household.neighbourhood_id)
        .outerjoin(district, district.id == Area.parent_id)
    )


def same_address(session: Session, address: NewAddress, besides: int | None = None) -> Household | None:
    """What has this postcode, number, letter and addition already: the living one first. The street may differ."""
    query = select(Household).where(
        Household.postcode == address.postcode,
        Household.house_number == address.house_number,
        Household.house_letter == address.house_letter,
        func.lower(Household.house_addition) == address.house_addition.lower(),
    )
    if besides is not None:
        query = query.where(Household.id != besides)
    return session.scalar(query.order_by(Household.ended_on.desc().nulls_first(), Household.id).limit(1))


def with_object(session: Session, bag_object_id: str) -> Household | None:
    """The address of an object of the BAG."""
    return session.scalar(select(Household).where(Household.bag_object_id == bag_object_id))


def has_postcode(session: Session, postcode: str) -> bool:
    """Whether any address, living or ended, has this postcode."""
    return session.scalar(select(Household.id).where(Household.postcode == postcode).limit(1)) is not None


def neighbourhood_of_postcode(session: Session, postcode: str) -> int | None:
    """The neighbourhood in which most addresses of a postcode lie: it tells nothing about one of them."""
    living = select(Household.neighbourhood_id).where(Household.postcode == postcode, Household.ended_on.is_(None))
    most = living.group_by(Household.neighbourhood_id).order_by(func.count().desc(), Household.neighbourhood_id)
    return session.scalar(most.limit(1))


def cities(session: Session) -> list[str]:
    """The towns of the living addresses, the largest first."""
    query = select(Household.city).where(Household.ended_on.is_(None)).group_by(Household.city)
    return list(session.scalars(query.order_by(func.count().desc()).limit(20)))


def neighbourhood_code(session: Session, area_id: int) -> str | None:
    """The CBS code of a neighbourhood."""
    return session.scalar(select(Area.code).where(Area.id == area_id))


def neighbourhoods(session: Session) -> list[tuple[int, str]]:
    """The current neighbourhoods as "district: neighbourhood", in that order."""
    district = aliased(Area)
    rows = session.execute(
        select(Area.id, district.name, Area.name)
        .join(district, district.id == Area.parent_id)
        .where(Area.is_current, Area.level == "neighbourhood")
        .order_by(district.name, Area.name)
    )
    return [(area_id, f"{outer}: {inner}") for area_id, outer, inner in rows]


def added_today(session: Session, now: dt.datetime) -> int:
    """How many addresses came alive by hand today: added, split off, or back after an import ended them."""
    since = start_of_day(local_date(now))
    added = select(func.count()).where(Event.kind == ADDED, Event.happened_at >= since)
    back = (
        select(func.count())
        .select_from(Event)
        .join(Household, Household.id == Event.subject_id)
        .where(Event.kind == BROUGHT_BACK, Event.happened_at >= since, Household.added_by_hand_at == Event.happened_at)
    )
    return (session.scalar(added) or 0) + (session.scalar(back) or 0)


@dataclass(frozen=True, slots=True)
class HandChange:
    """Something that was done to an address by hand: who, when, why, and how the address stands now."""

    event: Event
    who: str
    household: Household | None


def by_hand(session: Session, number: int, size: int) -> Page[HandChange]:
    """All that was done by hand, newest first, for who looks a second time. Three queries."""
    total = session.scalar(select(func.count()).where(Event.kind.in_(BY_HAND))) or 0
    window = page_of(total, number, size)
    rows = session.execute(
        select(Event, Household)
        .outerjoin(Household, Household.id == Event.subject_id)
        .where(Event.kind.in_(BY_HAND))
        .order_by(Event.id.desc())
        .offset(window.offset)
        .limit(size)
    ).all()
    names = _names(session, [event for event, _household in rows])
    items = [HandChange(event, _who(event, names), household) for event, household in rows]
    return Page(items=items, number=window.number, pages=window.pages, total=total)


def history(session: Session, household: Household) -> list[HandChange]:
    """What happened to one address, newest first: by hand, and the mark of returned post. Two queries."""
    rows = session.scalars(
        select(Event)
        .where(
            or_(Event.kind.in_(BY_HAND), Event.kind.startswith("address.")),
            Event.subject.in_(_SUBJECTS),
            Event.subject_id == household.id,
        )
        .order_by(Event.id.desc())
        .limit(MOST_FOUND)
    ).all()
    names = _names(session, rows)
    return [HandChange(event, _who(event, names), household) for event in rows]


def _names(session: Session, events: Sequence[Event]) -> dict[int, str]:
    numbers = (account_number(event.actor) for event in events)
    return names_of(session, {number for number in numbers if number is not None})


def _who(event: Event, names: dict[int, str]) -> str:
    return names.get(account_number(event.actor) or 0, "")
