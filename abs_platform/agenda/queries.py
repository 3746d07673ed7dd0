# SPDX-License-Identifier: EUPL-1.2
"""Reads of the agenda: what is public at this moment, and nothing that is still to come or of an ended initiative."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, BindParameter, ColumnElement, DateTime, Select, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from abs_platform.agenda.models import AgendaItem
from abs_platform.agenda.states import PUBLIC_STATES, SHOWN_WITH, ItemState
from abs_platform.areas.models import Area
from abs_platform.areas.states import AreaLevel
from abs_platform.clock import last_day, local_date
from abs_platform.initiatives.models import Initiative
from abs_platform.slugs import slugify

MAX_SLUG = 60
CALENDAR_SIZE = 500
# How long what is over stays in calendars that people follow.
CALENDAR_KEEPS = dt.timedelta(days=92)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaCard:
    """Something on the agenda. ``initiative_id`` and its title only for an activity of an initiative."""

    id: int
    slug: str
    title: str
    place: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    is_cancelled: bool
    area_id: int
    area_name: str
    area_level: AreaLevel
    initiative_id: int | None
    initiative_title: str | None
    published_at: dt.datetime
    changed_at: dt.datetime

    @property
    def is_for_all(self) -> bool:
        """Whether it is for the whole municipality."""
        return self.area_level == AreaLevel.MUNICIPALITY

    @property
    def starts_on(self) -> dt.date:
        """The day on which it begins, in Amsterdam."""
        return local_date(self.starts_at)

    @property
    def ends_on(self) -> dt.date:
        """The last day on which it goes on, in Amsterdam."""
        return last_day(self.ends_at)

    @property
    def is_one_day(self) -> bool:
        """Whether it begins and ends on one day."""
        return self.starts_on == self.ends_on


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaView(AgendaCard):
    """Something on the agenda with all its words. ``reason`` says why it was cancelled."""

    description: str
    sequence: int
    reason: str


def upcoming(
    session: Session,
    now: dt.datetime,
    *,
    area_ids: Collection[int] | None = None,
    initiative_id: int | None = None,
    since: dt.datetime | None = None,
    limit: int = 5,
) -> list[AgendaCard]:
    """What is not over yet, soonest first: of exactly these areas, of one initiative, or of all.

    ``since``: only what became public after that moment.
    """
    query = _upcoming(area_ids is not None, initiative_id is not None, since is not None)
    values = {"now": now, "area_ids": list(area_ids or ()), "initiative_id": initiative_id, "since": since}
    return [AgendaCard(**_fields(row)) for row in session.execute(query, {**values, "number": limit})]


@cache
def _upcoming(by_area: bool, by_initiative: bool, is_since: bool) -> Select[Any]:
    """The query for what comes: made once, because the page of every initiative and district asks it."""
    now: BindParameter[dt.datetime] = bindparam("now", type_=DateTime(timezone=True))
    query = _cards(now).where(AgendaItem.ends_at > now)
    if by_area:
        query = query.where(AgendaItem.area_id == any_(bindparam("area_ids", type_=ARRAY(BigInteger))))
    if by_initiative:
        query = query.where(AgendaItem.initiative_id == bindparam("initiative_id"))
    if is_since:
        query = query.where(AgendaItem.publish_at > bindparam("since"))
    return _soonest_first(query).limit(bindparam("number"))


def between(
    session: Session,
    now: dt.datetime,
    start: dt.datetime,
    end: dt.datetime,
    *,
    area_ids: Collection[int] | None = None,
    limit: int = 300,
) -> list[AgendaCard]:
    """What goes on in a stretch of time, soonest first."""
    query = _cards(now).where(AgendaItem.ends_at > start, AgendaItem.starts_at < end)
    if area_ids is not None:
        query = query.where(AgendaItem.area_id.in_(sorted(area_ids)))
    return [AgendaCard(**_fields(row)) for row in session.execute(_soonest_first(query).limit(limit))]


def calendar_items(session: Session, now: dt.datetime, *, area_ids: Collection[int] | None = None) -> list[AgendaView]:
    """What stands in a calendar that people follow: what comes, and what was until a while ago."""
    query = _cards(now).where(AgendaItem.ends_at > now - CALENDAR_KEEPS)
    if area_ids is not None:
        query = query.where(AgendaItem.area_id.in_(sorted(area_ids)))
    return [_view(row) for row in session.execute(_soonest_first(query).limit(CALENDAR_SIZE))]


def public_item(session: Session, item_id: int, now: dt.datetime) -> AgendaView | None:
    """Something that anyone may see now, or None."""
    if not 0 < item_id < 2**63:
        return None
    row = session.execute(_cards(now).where(AgendaItem.id == item_id)).first()
    return None if row is None else _view(row)


def public_addresses(session: Session, now: dt.datetime) -> list[tuple[int, str, dt.datetime]]:
    """Number, slug and last change of all that is not over yet: for a list of all pages."""
    chosen = (
        _cards(now)
        .where(AgendaItem.ends_at > now)
        .with_only_columns(AgendaItem.id, AgendaItem.title, AgendaItem.changed_at)
    )
    rows = session.execute(chosen.order_by(AgendaItem.id))
    return [(id_, slug_of(title), moment) for id_, title, moment in rows]


def slug_of(title: str) -> str:
    """A title as the end of an address."""
    return slugify(title, MAX_SLUG) or "activiteit"


def is_shown(now: dt.datetime | BindParameter[dt.datetime]) -> list[ColumnElement[bool]]:
    """What holds for all that may be seen now. Its initiative, if it has one, must be joined."""
    return [
        AgendaItem.state.in_([state.value for state in PUBLIC_STATES]),
        AgendaItem.publish_at <= now,
        AgendaItem.initiative_id.is_(None) | Initiative.state.in_([state.value for state in SHOWN_WITH]),
    ]


def _cards(now: dt.datetime | BindParameter[dt.datetime]) -> Select[*tuple[Any, ...]]:
    return (
        select(AgendaItem, Area.name, Area.level, Initiative.title)
        .join(Area, Area.id == AgendaItem.area_id)
        .outerjoin(Initiative, Initiative.id == AgendaItem.initiative_id)
        .where(*is_shown(now))
    )


def _soonest_first(query: Select[*tuple[Any, ...]]) -> Select[Any]:
    return query.order_by(AgendaItem.starts_at, AgendaItem.id)


def _fields(row: Any) -> dict[str, Any]:
    item, area_name, level, initiative_title = row
    return {
        "id": item.id,
        "slug": slug_of(item.title),
        "title": item.title,
        "place": item.place,
        "starts_at": item.starts_at,
        "ends_at": item.ends_at,
        "is_cancelled": item.state == ItemState.CANCELLED,
        "area_id": item.area_id,
        "area_name": area_name,
        "area_level": AreaLevel(level),
        "initiative_id": item.initiative_id,
        "initiative_title": initiative_title,
        "published_at": item.publish_at,
        "changed_at": item.changed_at,
    }


def _view(row: Any) -> AgendaView:
    item = row[0]
    return AgendaView(**_fields(row), description=item.description, sequence=item.sequence, reason=item.reason)
