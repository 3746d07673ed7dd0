# SPDX-License-Identifier: EUPL-1.2
"""Reads of followers: what can be followed, by whom it is, and whose weekly mail is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.areas.models import Area
from abs_platform.areas.queries import AreaRow, list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.following.models import Follow, Follower
from abs_platform.following.states import MOST_TOPICS, FollowKind, Topic, split_key
from abs_platform.households.queries import neighbourhood_of_postcode
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import PUBLIC_STATES, Theme

MAX_ID = 2**63


@dataclass(frozen=True, slots=True)
class NamedTopic:
    """Something to follow as people call it. ``theme`` has its name in the language of who reads it."""

    topic: Topic
    own_name: str = ""

    @property
    def name(self) -> str:
        """What it is called."""
        return Theme(self.topic.theme).label if self.topic.theme else self.own_name

    @property
    def is_written_by_people(self) -> bool:
        """Whether the name is not ours: it stays in the language in which it was written."""
        return self.topic.kind != FollowKind.THEME


@dataclass(frozen=True, slots=True)
class FollowerView:
    """Who follows, without the address: a link to this page may have been passed on."""

    id: int
    language: str
    masked_email: str


def find_topics(session: Session, keys: Iterable[str]) -> list[NamedTopic]:
    """What these keys stand for, each once, in their order; those that stand for nothing fall out."""
    found: dict[str, NamedTopic] = {}
    for key in list(dict.fromkeys(keys))[:MOST_TOPICS]:
        parts = split_key(key)
        named = None if parts is None else _FINDERS[parts[0]](session, parts[1])
        if named is not None:
            found.setdefault(named.topic.key, named)
    return list(found.values())


def _area(session: Session, text: str) -> NamedTopic | None:
    """By its number, or by its slug: of a district, else of what else has it."""
    query = select(Area.id, Area.name).where(Area.is_current)
    number = _number(text)
    query = query.where(Area.id == number) if number else query.where(Area.slug == text)
    in_order = func.array_position(
        [level.value for level in (AreaLevel.DISTRICT, AreaLevel.MUNICIPALITY, AreaLevel.NEIGHBOURHOOD)], Area.level
    )
    row = session.execute(query.order_by(in_order).limit(1)).first()
    return None if row is None else NamedTopic(Topic(FollowKind.AREA, area_id=row.id), row.name)


def _theme(_session: Session, text: str) -> NamedTopic | None:
    return NamedTopic(Topic(FollowKind.THEME, theme=text)) if text in set(Theme) else None


def _initiative(session: Session, text: str) -> NamedTopic | None:
    is_public = (Initiative.published_at.is_not(None), Initiative.state.in_([state.value for state in PUBLIC_STATES]))
    number = _number(text)
    row = session.execute(select(Initiative.id, Initiative.title).where(Initiative.id == number, *is_public)).first()
    return None if row is None else NamedTopic(Topic(FollowKind.INITIATIVE, initiative_id=row.id), row.title)


_FINDERS = {FollowKind.AREA: _area, FollowKind.THEME: _theme, FollowKind.INITIATIVE: _initiative}


def _number(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
    return number if 0 < number < MAX_ID else None


def neighbourhood_of(session: Session, postcode: str) -> NamedTopic | None:
    """The neighbourhood in which most addresses of a postcode lie, or None when there is none."""
    area_id = neighbourhood_of_postcode(session, postcode)
    name = session.scalar(select(Area.name).where(Area.id == area_id, Area.is_current))
    return None if name is None else NamedTopic(Topic(FollowKind.AREA, area_id=area_id), name)


def areas_to_choose(session: Session) -> list[AreaRow]:
    """The municipality, and then its districts by name."""
    areas = list_areas(session, AreaLevel.MUNICIPALITY, AreaLevel.DISTRICT)
    return sorted(areas, key=lambda area: (area.level != AreaLevel.MUNICIPALITY, area.name.casefold()))


def topics_of(session: Session, follower_id: int, *, confirmed: bool = True) -> list[NamedTopic]:
    """What somebody follows: areas by name, then themes, then initiatives."""
    query = (
        select(Follow.kind, Follow.area_id, Follow.theme, Follow.initiative_id, Area.name, Initiative.title)
        .outerjoin(Area, Area.id == Follow.area_id)
        .outerjoin(Initiative, Initiative.id == Follow.initiative_id)
        .where(Follow.follower_id == follower_id, Follow.confirmed_at.is_not(None) == confirmed)
    )
    found = [
        NamedTopic(Topic(FollowKind(kind), area_id, theme, initiative_id), name or title or "")
        for kind, area_id, theme, initiative_id, name, title in session.execute(query)
    ]
    kinds = list(FollowKind)
    return sorted(found, key=lambda one: (kinds.index(one.topic.kind), one.name.casefold()))


def asked_topics(session: Session, follower_id: int, follow_ids: list[int], now_after: dt.datetime) -> list[NamedTopic]:
    """What a mail asked to confirm, as far as it is there still and was asked after this moment."""
    asked = select(Follow.area_id, Follow.theme, Follow.initiative_id, Follow.kind).where(
        Follow.follower_id == follower_id,
        Follow.id.in_(follow_ids),
        (Follow.asked_at > now_after) | Follow.confirmed_at.is_not(None),
    )
    keys = [
        Topic(FollowKind(kind), area_id, theme, initiative_id).key
        for area_id, theme, initiative_id, kind in session.execute(asked.order_by(Follow.id))
    ]
    return find_topics(session, keys)


def follower(session: Session, follower_id: int | None) -> FollowerView | None:
    """A follower who confirmed, by number."""
    row = session.execute(
        select(Follower.id, Follower.language, Follower.email).where(
            Follower.id == follower_id, Follower.confirmed_at.is_not(None)
        )
    ).first()
    return None if row is None else FollowerView(row.id, row.language, masked(row.email))


def follower_of(session: Session, email: str) -> FollowerView | None:
    """A follower who confirmed, by e-mail address."""
    return follower(session, session.scalar(select(Follower.id).where(Follower.email == email)))


def masked(email: str) -> str:
    """An e-mail address that its owner knows again, and nobody else learns: "a…@voorbeeld.nl"."""
    local, _at, domain = email.partition("@")
    return f"{local[:1]}…@{domain}"


def due(session: Session, until: dt.datetime) -> list[int]:
    """Whose weekly mail up to this moment was not made yet."""
    is_due = (Follower.confirmed_at.is_not(None), Follower.told_until < until)
    return list(session.scalars(select(Follower.id).where(*is_due).order_by(Follower.id)))


@dataclass(frozen=True, slots=True)
class Reach:
    """What somebody follows, as what a thing may be about: areas with all that lies in them, and around them."""

    area_ids: frozenset[int]
    themes: frozenset[str]
    initiative_ids: frozenset[int]


def reach_of(session: Session, follower_id: int) -> Reach:
    """Who follows a district follows its neighbourhoods. What is for a larger area is for each smaller one in it."""
    follows = session.execute(
        select(Follow.area_id, Follow.theme, Follow.initiative_id).where(
            Follow.follower_id == follower_id, Follow.confirmed_at.is_not(None)
        )
    ).all()
    followed = {row.area_id for row in follows if row.area_id}
    parents = {row.id: row.parent_id for row in session.execute(select(Area.id, Area.parent_id))} if followed else {}
    reached = {area for area in parents if followed & set(_upward(area, parents))}
    for area in followed:
        reached |= set(_upward(area, parents))
    return Reach(
        frozenset(reached),
        frozenset(row.theme for row in follows if row.theme),
        frozenset(row.initiative_id for row in follows if row.initiative_id),
    )


def _upward(area: int, parents: dict[int, int | None]) -> list[int]:
    """An area, the one that it lies in, and so on to the municipality."""
    line: list[int] = []
    step: int | None = area
    while step is not None:
        line.append(step)
        step = parents.get(step)
    return line
