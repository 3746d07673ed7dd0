# SPDX-License-Identifier: EUPL-1.2
"""What is new for a follower: asked of the pages' own rules at the moment of writing, so nothing hidden is told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from abs_platform.agenda.queries import AgendaCard, upcoming
from abs_platform.areas.models import Area
from abs_platform.areas.states import AreaLevel
from abs_platform.clock import local_date
from abs_platform.donations.models import Donation
from abs_platform.donations.queries import confirmed_total
from abs_platform.donations.states import DonationState
from abs_platform.events import Event
from abs_platform.following.queries import Reach
from abs_platform.following.states import ALMOST_PERCENT, ItemKind
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.news.queries import latest
from abs_platform.slugs import slugify
from abs_platform.updates.models import Update
from abs_platform.updates.states import THANKING_STATES, UpdateState

MAX_SLUG = 60
# More than anybody reads; a mail shows fewer of each area still.
MOST_OF_A_KIND = 200
# An initiative that was stopped or withdrawn is not told of, whatever there is about it.
_TOLD_STATES = [state.value for state in (InitiativeState.PUBLISHED, *THANKING_STATES, InitiativeState.EXPIRED)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to tell. ``id`` is that of its page: of the initiative, the post or the agenda item.

    ``about`` is the title of the initiative of an update or activity; amounts in cents for what collects.
    """

    kind: ItemKind
    moment: dt.datetime
    id: int
    slug: str
    title: str
    area_id: int
    about: str = ""
    text: str = ""
    raised_cents: int = 0
    target_cents: int = 0
    starts_at: dt.datetime | None = None
    place: str = ""

    @property
    def percent(self) -> int:
        """How much of the target is there, in whole percents."""
        return self.raised_cents * 100 // max(1, self.target_cents)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something belongs, as a mail heads it."""

    id: int
    name: str
    slug: str
    level: AreaLevel
    district_slug: str


def new_items(
    session: Session, reach: Reach, since: dt.datetime, until: dt.datetime, *, now: dt.datetime
) -> list[Item]:
    """What came after the one moment, up to the other, and can be read now; newest first, each thing once."""
    found = _initiatives(session, reach, since, until, now)
    found += _ended(session, reach, since, until) + _updates(session, reach, since, until)
    found += _posts(session, reach, since, until) + _agenda(session, reach, since, until, now)
    return sorted(found, key=lambda item: (item.moment, item.id), reverse=True)


def places(session: Session, area_ids: set[int]) -> list[Place]:
    """These areas in the order of a mail: neighbourhoods and districts by name, and what is for everybody last."""
    parent = aliased(Area)
    rows = session.execute(
        select(Area.id, Area.name, Area.slug, Area.level, parent.slug)
        .outerjoin(parent, parent.id == Area.parent_id)
        .where(Area.id.in_(area_ids))
    )
    found = [
        Place(number, name, slug, AreaLevel(level), above if level == AreaLevel.NEIGHBOURHOOD else slug)
        for number, name, slug, level, above in rows
    ]
    order = [AreaLevel.NEIGHBOURHOOD, AreaLevel.DISTRICT, AreaLevel.MUNICIPALITY]
    return sorted(found, key=lambda place: (order.index(place.level), place.name.casefold()))


def _matches(reach: Reach) -> ColumnElement[bool]:
    return or_(
        false(),
        Initiative.area_id.in_(reach.area_ids),
        Initiative.theme.in_(reach.themes),
        Initiative.id.in_(reach.initiative_ids),
    )


def _item(kind: ItemKind, moment: dt.datetime, initiative: Initiative, **more: Any) -> Item:
    about = {"title": initiative.title, "text": initiative.summary} | more
    slug = slugify(initiative.title, MAX_SLUG) or "initiatief"
    return Item(kind=kind, moment=moment, id=initiative.id, slug=slug, area_id=initiative.area_id, **about)


def _initiatives(
    session: Session, reach: Reach, since: dt.datetime, until: dt.datetime, now: dt.datetime
) -> list[Item]:
    """What began to collect, and what came to be almost there meanwhile. What is both is new."""
    total, before = confirmed_total(Initiative.id), _given_before(since)
    is_new = (Initiative.published_at > since) & (Initiative.published_at <= until)
    is_almost = total.c.cents * 100 >= Initiative.target_cents * ALMOST_PERCENT
    was_almost = before * 100 >= Initiative.target_cents * ALMOST_PERCENT
    query: Select[Any] = (
        select(Initiative, is_new.label("is_new"), total.c.cents)
        .join(total, true())
        .where(
            Initiative.state == InitiativeState.PUBLISHED.value,
            Initiative.deadline_on >= local_date(now),
            Initiative.published_at <= until,
            _matches(reach),
            is_new | (is_almost & ~was_almost),
        )
        .order_by(Initiative.published_at.desc())
    )
    return [
        _item(
            ItemKind.NEW if is_new else ItemKind.ALMOST,
            initiative.published_at if is_new else until,  # what is almost there asks for help now: it comes first
            initiative,
            raised_cents=int(cents),
            target_cents=initiative.target_cents,
        )
        for initiative, is_new, cents in session.execute(query.limit(MOST_OF_A_KIND))
    ]


def _given_before(since: dt.datetime) -> Any:
    """What had been given at that moment, later returned or not: so a line that was crossed is crossed once."""
    counted = (DonationState.CONFIRMED.value, DonationState.RETURNED.value)
    return (
        select(func.coalesce(func.sum(Donation.amount_cents), 0))
        .where(Donation.initiative_id == Initiative.id, Donation.given_at <= since, Donation.state.in_(counted))
        .correlate(Initiative)
        .scalar_subquery()
    )


def _ended(session: Session, reach: Reach, since: dt.datetime, until: dt.datetime) -> list[Item]:
    """What got its money, and what was done."""
    kinds = {
        "initiative.funded": (ItemKind.FUNDED, [state.value for state in THANKING_STATES]),
        "initiative.realised": (ItemKind.REALISED, [InitiativeState.REALISED.value]),
    }
    found = []
    for kind, (told, states) in kinds.items():
        query = (
            select(Initiative, func.max(Event.happened_at).label("moment"))
            .join(Event, (Event.subject_id == Initiative.id) & (Event.subject == "initiative") & (Event.kind == kind))
            .where(Event.happened_at > since, Event.happened_at <= until, Initiative.state.in_(states), _matches(reach))
            .group_by(Initiative.id)
            .order_by(func.max(Event.happened_at).desc())
        )
        rows = session.execute(query.limit(MOST_OF_A_KIND))
        found += [_item(told, moment, initiative) for initiative, moment in rows]
    return found


def _updates(session: Session, reach: Reach, since: dt.datetime, until: dt.datetime) -> list[Item]:
    query: Any = (
        select(Initiative, Update.title, Update.posted_at)
        .join(Update, Update.initiative_id == Initiative.id)
        .where(
            Update.state == UpdateState.POSTED.value,
            Update.posted_at > since,
            Update.posted_at <= until,
            Initiative.state.in_(_TOLD_STATES),
            _matches(reach),
        )
        .order_by(Update.posted_at.desc())
    )
    return [
        _item(ItemKind.UPDATE, posted_at, initiative, title=title or initiative.title, text="", about=initiative.title)
        for initiative, title, posted_at in session.execute(query.limit(MOST_OF_A_KIND))
    ]


def _posts(session: Session, reach: Reach, since: dt.datetime, until: dt.datetime) -> list[Item]:
    """News as its own pages show it."""
    if not reach.area_ids:
        return []
    posts = latest(session, until, area_ids=reach.area_ids, since=since, limit=MOST_OF_A_KIND)
    return [
        Item(
            kind=ItemKind.POST,
            moment=post.published_at,
            id=post.id,
            slug=post.slug,
            title=post.title,
            text=post.summary,
            area_id=post.area_id,
        )
        for post in posts
    ]


def _agenda(session: Session, reach: Reach, since: dt.datetime, until: dt.datetime, now: dt.datetime) -> list[Item]:
    """What came on the agenda and is still to come, as its own pages show it; not what does not go on."""
    cards = upcoming(session, until, since=since, limit=MOST_OF_A_KIND)
    cards = [card for card in cards if not card.is_cancelled and card.ends_at > now]
    followed = _followed_of(session, reach, [card.initiative_id for card in cards if card.initiative_id])
    return [
        Item(
            kind=ItemKind.AGENDA,
            moment=card.published_at,
            id=card.id,
            slug=card.slug,
            title=card.title,
            about=card.initiative_title or "",
            area_id=card.area_id,
            starts_at=card.starts_at,
            place=card.place,
        )
        for card in cards
        if _is_reached(card, reach, followed)
    ]


def _is_reached(card: AgendaCard, reach: Reach, followed: set[int]) -> bool:
    return card.area_id in reach.area_ids or card.initiative_id in followed


def _followed_of(session: Session, reach: Reach, initiative_ids: list[int]) -> set[int]:
    """Which of these somebody follows, by number, theme or area."""
    if not initiative_ids:
        return set()
    return set(session.scalars(select(Initiative.id).where(Initiative.id.in_(initiative_ids), _matches(reach))))
