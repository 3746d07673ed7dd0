# SPDX-License-Identifier: EUPL-1.2
"""The public list: what somebody asks for, how many there are of each kind, and in which order they come."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, SQLColumnExpression, and_, case, cast, func, select, true, tuple_
from sqlalchemy.orm import Session

from abs_platform.areas.queries import AreaRow, list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.initiatives.models import Initiative, InitiativeNeed, InitiativeProgress
from abs_platform.initiatives.queries import InitiativeCard, cards
from abs_platform.initiatives.searching import Words, condition, rank
from abs_platform.initiatives.states import PUBLIC_STATES, InitiativeState, NeedKind, Theme
from abs_platform.paging import Page, page_of

PAGE_SIZE = 12
_IS_PUBLIC = Initiative.published_at.is_not(None) & Initiative.state.in_([state.value for state in PUBLIC_STATES])


class Order(StrEnum):
    """How a list is ordered. What collects always comes first."""

    MATCH = "treffer"
    MIX = "mix"
    ALMOST = "bijna"
    NEWEST = "nieuw"
    ENDING = "einde"


# What a visitor asks for, in the states of our own; each state of itself can be asked for too.
STATE_GROUPS: dict[str, tuple[InitiativeState, ...]] = {
    "published": (InitiativeState.PUBLISHED,),
    "funded": (InitiativeState.FUNDED, InitiativeState.IN_PROGRESS),
    "realised": (InitiativeState.REALISED,),
    "ended": (InitiativeState.EXPIRED, InitiativeState.STOPPED, InitiativeState.WITHDRAWN),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody looks: the numbers of areas, nearest first. The whole city is always among them."""

    rings: tuple[tuple[int, ...], ...]

    @classmethod
    def around(cls, areas: Sequence[AreaRow], wanted: AreaRow) -> Place:
        """A district with its neighbourhoods, then the city; or a neighbourhood, then its district, then the city."""
        city = tuple(area.id for area in areas if area.level == AreaLevel.MUNICIPALITY)
        if wanted.level == AreaLevel.NEIGHBOURHOOD:
            return cls(((wanted.id,), (wanted.parent_id or 0,), city))
        return cls(((wanted.id, *(area.id for area in areas if area.parent_id == wanted.id)), city))

    @property
    def ids(self) -> list[int]:
        """All of them."""
        return [area_id for ring in self.rings for area_id in ring]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asks for."""

    states: tuple[InitiativeState, ...] = PUBLIC_STATES
    place: Place | None = None
    theme: Theme | None = None
    need: NeedKind | None = None
    words: Words | None = None
    order: Order = Order.MIX


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many there are of each kind, were it chosen instead: by area, theme and state; and how many are found."""

    total: int = 0
    without_filter: int = 0
    by_area: Counter[int] = field(default_factory=Counter)
    by_theme: Counter[str] = field(default_factory=Counter)
    by_state: Counter[str] = field(default_factory=Counter)


def count(session: Session, wanted: Wanted) -> Counts:
    """Count what was asked for, in one query over what the words and the need leave: by kind, and those together."""
    columns = (Initiative.area_id, Initiative.theme, Initiative.state)
    number = cast(func.count(), Integer).label("number")
    kinds = select(*columns, number).where(*_of_words_and_need(wanted)).group_by(*columns).subquery("kinds").c
    place, theme = _place(wanted, kinds.area_id), _theme(wanted, kinds.theme)
    state = kinds.state.in_([one.value for one in wanted.states])
    by_area, by_theme, by_state = (
        func.coalesce(func.sum(kinds.number).filter(and_(*others)), 0)
        for others in ((theme, state), (place, state), (place, theme))
    )
    sets = func.grouping_sets(*(tuple_(column) for column in (kinds.area_id, kinds.theme, kinds.state)))
    counted = select(kinds.area_id, kinds.theme, kinds.state, by_area, by_theme, by_state, func.sum(kinds.number))
    query: Select[*tuple[Any, ...]] = counted.group_by(sets)
    found: dict[str, Counter[Any]] = {name: Counter() for name in ("area", "theme", "state", "every")}
    for area, theme_value, state_value, in_area, in_theme, in_state, every in session.execute(query):
        if area is not None:
            found["area"][area] = in_area
        elif theme_value is not None:
            found["theme"][theme_value] = in_theme
        else:
            found["state"][state_value] = in_state
            found["every"][state_value] = every
    return Counts(
        total=sum(found["state"][one.value] for one in wanted.states),
        without_filter=found["every"].total(),
        by_area=found["area"],
        by_theme=found["theme"],
        by_state=found["state"],
    )


def fetch_page(
    session: Session, wanted: Wanted, *, total: int, today: dt.date, number: int = 1, size: int = PAGE_SIZE
) -> Page[InitiativeCard]:
    """A page of what was asked for; ``total`` was counted before. Bars are summed for what is shown only."""
    window = page_of(total, number, size)
    chosen = ids(session, wanted, today=today, offset=window.offset, size=size) if total else []
    items = cards(session, chosen, today=today)
    return Page(items=items, number=window.number, pages=window.pages, total=total)


def ids(session: Session, wanted: Wanted, *, today: dt.date, offset: int, size: int) -> list[int]:
    """The numbers of what was asked for, in the order that was asked for, from one place on."""
    chosen = matching(wanted).order_by(*_order(wanted, today)).limit(size).offset(offset)
    return list(session.scalars(chosen))


def matching(wanted: Wanted) -> Select[int]:
    """The numbers of what was asked for, with the progress beside it."""
    return (
        select(Initiative.id)
        .outerjoin(InitiativeProgress, InitiativeProgress.initiative_id == Initiative.id)
        .where(
            *_of_words_and_need(wanted),
            _place(wanted, Initiative.area_id),
            _theme(wanted, Initiative.theme),
            Initiative.state.in_([state.value for state in wanted.states]),
        )
    )


def list_initiatives(
    session: Session,
    *,
    today: dt.date,
    states: Sequence[InitiativeState] = PUBLIC_STATES,
    district: AreaRow | None = None,
    search: str = "",
    order: Order | None = None,
    page_size: int = PAGE_SIZE,
    page: int = 1,
) -> Page[InitiativeCard]:
    """A page of public initiatives. City-wide ones pass every district filter: they are for everyone.

    With words the best match comes first, else the newest; what collects comes before what does not.
    """
    words = Words.typed(search) if search.strip() else None
    wanted = Wanted(
        states=tuple(states),
        place=Place.around(list_areas(session, with_ended=True), district) if district else None,
        words=words,
        order=order or (Order.MATCH if words else Order.NEWEST),
    )
    total = session.scalar(select(func.count()).select_from(matching(wanted).subquery())) or 0
    return fetch_page(session, wanted, total=total, today=today, number=page, size=page_size)


def _of_words_and_need(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_IS_PUBLIC]
    if wanted.words is not None:
        conditions.append(condition(wanted.words))
    if wanted.need is not None:
        needs = select(InitiativeNeed.initiative_id).where(InitiativeNeed.kind == wanted.need.value)
        conditions.append(Initiative.id.in_(needs))
    return conditions


def _place(wanted: Wanted, area_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    return true() if wanted.place is None else area_id.in_(wanted.place.ids)


def _theme(wanted: Wanted, theme: SQLColumnExpression[str]) -> ColumnElement[bool]:
    return true() if wanted.theme is None else theme == wanted.theme.value


def _order(wanted: Wanted, today: dt.date) -> list[Any]:
    """What collects first; then as was asked for; then the newest first.

    In the fair mix what is nearest comes first, and what was published since the mix was made before all of its ring.
    """
    collects = (Initiative.state == InitiativeState.PUBLISHED.value) & (Initiative.deadline_on >= today)
    order: list[Any] = [collects.desc()]
    if wanted.order == Order.MATCH and wanted.words is not None:
        order.append(rank(wanted.words).desc())
    elif wanted.order == Order.MIX:
        if wanted.place is not None:
            rings = [(Initiative.area_id.in_(ring), number) for number, ring in enumerate(wanted.place.rings)]
            order.append(case(*rings, else_=len(rings)))
        order.append(case((collects, InitiativeProgress.mix_place)).asc().nulls_first())
    elif wanted.order == Order.ALMOST:
        order.append(case((collects, InitiativeProgress.share)).desc().nulls_last())
    elif wanted.order == Order.ENDING:
        order.append(case((collects, Initiative.deadline_on)).asc().nulls_last())
    return [*order, Initiative.published_at.desc(), Initiative.id.desc()]
