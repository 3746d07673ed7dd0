# SPDX-License-Identifier: EUPL-1.2
"""Reads of the agenda for who makes it, the desk and organisers: in any state, and what happened to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from abs_platform.agenda.models import AgendaItem
from abs_platform.agenda.queries import CALENDAR_SIZE, AgendaView, slug_of
from abs_platform.agenda.states import ItemState
from abs_platform.areas.models import Area
from abs_platform.areas.states import AreaLevel
from abs_platform.initiatives.models import Initiative
from abs_platform.paging import Page, page_of

DESK_PAGE_SIZE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskItem:
    """Something on the agenda as its makers see it, in any state."""

    id: int
    area_id: int
    area_name: str
    initiative_id: int | None
    initiative_title: str | None
    title: str
    description: str
    place: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    state: ItemState
    publish_at: dt.datetime | None
    sequence: int
    changed_at: dt.datetime
    reason: str
    seal: str

    @property
    def is_open(self) -> bool:
        """Whether it may still be written."""
        return self.state in {ItemState.DRAFT, ItemState.PUBLISHED}

    def is_scheduled(self, now: dt.datetime) -> bool:
        """Whether it is public at a moment to come."""
        return self.state == ItemState.PUBLISHED and self.publish_at is not None and self.publish_at > now

    def is_over(self, now: dt.datetime) -> bool:
        """Whether it has been."""
        return self.ends_at <= now

    def as_public(self, now: dt.datetime) -> AgendaView:
        """How its page looks, or will look."""
        return AgendaView(
            id=self.id,
            slug=slug_of(self.title),
            title=self.title,
            place=self.place,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            is_cancelled=self.state == ItemState.CANCELLED,
            area_id=self.area_id,
            area_name=self.area_name,
            area_level=AreaLevel.DISTRICT,
            initiative_id=self.initiative_id,
            initiative_title=self.initiative_title,
            published_at=self.publish_at or now,
            changed_at=self.changed_at,
            description=self.description,
            sequence=self.sequence,
            reason=self.reason,
        )


def desk_items(session: Session, now: dt.datetime, *, area_ids: Collection[int], number: int = 1) -> Page[DeskItem]:
    """All that is of these areas: what is not over first and soonest first, then what was, newest first."""
    of_them = AgendaItem.area_id.in_(sorted(area_ids))
    total = session.scalar(select(func.count()).select_from(AgendaItem).where(of_them)) or 0
    window = page_of(total, number, DESK_PAGE_SIZE)
    is_over = AgendaItem.ends_at <= now
    distance = func.abs(func.extract("epoch", AgendaItem.starts_at - now))
    rows = session.execute(
        _at_desk().where(of_them).order_by(is_over, distance, AgendaItem.id).limit(DESK_PAGE_SIZE).offset(window.offset)
    )
    return Page(items=[_desk_item(row) for row in rows], number=window.number, pages=window.pages, total=total)


def items_of_initiative(session: Session, initiative_id: int) -> list[DeskItem]:
    """All activities of an initiative, in any state: what its organisers see. Newest first."""
    query = _at_desk().where(AgendaItem.initiative_id == initiative_id)
    rows = session.execute(query.order_by(AgendaItem.starts_at.desc(), AgendaItem.id.desc()).limit(CALENDAR_SIZE))
    return [_desk_item(row) for row in rows]


def desk_item(session: Session, item_id: int) -> DeskItem | None:
    """One of them in any state, or None."""
    if not 0 < item_id < 2**63:
        return None
    row = session.execute(_at_desk().where(AgendaItem.id == item_id)).first()
    return None if row is None else _desk_item(row)


def _at_desk() -> Select[*tuple[Any, ...]]:
    return (
        select(AgendaItem, Area.name, Initiative.title)
        .join(Area, Area.id == AgendaItem.area_id)
        .outerjoin(Initiative, Initiative.id == AgendaItem.initiative_id)
        .execution_options(populate_existing=True)
    )


def _desk_item(row: Any) -> DeskItem:
    item, area_name, initiative_title = row
    return DeskItem(
        id=item.id,
        area_id=item.area_id,
        area_name=area_name,
        initiative_id=item.initiative_id,
        initiative_title=initiative_title,
        title=item.title,
        description=item.description,
        place=item.place,
        starts_at=item.starts_at,
        ends_at=item.ends_at,
        state=ItemState(item.state),
        publish_at=item.publish_at,
        sequence=item.sequence,
        changed_at=item.changed_at,
        reason=item.reason,
        seal=item.changed_at.isoformat(),
    )
