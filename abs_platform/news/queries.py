# SPDX-License-Identifier: EUPL-1.2
"""Reads of news: what is public at this moment, and nothing that is still to come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, BindParameter, ColumnElement, DateTime, Select, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from abs_platform.areas.models import Area
from abs_platform.areas.states import AreaLevel
from abs_platform.media.models import SitePicture
from abs_platform.media.queries import PictureView
from abs_platform.media.site_pictures import view_of
from abs_platform.news.models import NewsPost
from abs_platform.news.states import PostState
from abs_platform.paging import Page, page_of
from abs_platform.slugs import slugify

PAGE_SIZE = 12
FEED_SIZE = 50
DESK_PAGE_SIZE = 30
MAX_SLUG = 60
_Moment = dt.datetime | BindParameter[dt.datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostCard:
    """A post in a list. ``published_at`` is the moment since which anyone can read it."""

    id: int
    slug: str
    title: str
    summary: str
    area_id: int
    area_name: str
    area_level: AreaLevel
    published_at: dt.datetime
    changed_at: dt.datetime
    picture: PictureView | None = None

    @property
    def is_for_all(self) -> bool:
        """Whether it is for the whole municipality."""
        return self.area_level == AreaLevel.MUNICIPALITY


@dataclass(frozen=True, slots=True, kw_only=True)
class PostView(PostCard):
    """A post with all its words."""

    body: str

    @property
    def was_changed(self) -> bool:
        """Whether its words changed after it became public."""
        return self.changed_at > self.published_at


def latest(
    session: Session,
    now: dt.datetime,
    *,
    area_ids: Collection[int] | None = None,
    since: dt.datetime | None = None,
    limit: int = 3,
) -> list[PostCard]:
    """The newest posts that are public: of exactly these areas, or of all; ``since``: public only after that moment."""
    query = _latest(area_ids is not None, since is not None)
    values = {"now": now, "area_ids": list(area_ids or ()), "since": since, "number": limit}
    return [PostCard(**_fields(row)) for row in session.execute(query, values)]


@cache
def _latest(by_area: bool, is_since: bool) -> Select[Any]:
    """The query for the newest posts: made once, because the page of every district asks it."""
    query = _cards(bindparam("now", type_=DateTime(timezone=True)), None)
    if by_area:
        query = query.where(NewsPost.area_id == any_(bindparam("area_ids", type_=ARRAY(BigInteger))))
    if is_since:
        query = query.where(NewsPost.publish_at > bindparam("since"))
    return _newest_first(query).limit(bindparam("number"))


def page_of_posts(
    session: Session, now: dt.datetime, *, area_ids: Collection[int] | None = None, number: int = 1
) -> Page[PostCard]:
    """A page of the posts that are public, newest first."""
    total = session.scalar(select(func.count()).select_from(NewsPost).where(*_is_public(now, area_ids))) or 0
    window = page_of(total, number, PAGE_SIZE)
    query = _newest_first(_cards(now, area_ids)).limit(PAGE_SIZE).offset(window.offset)
    items = [PostCard(**_fields(row)) for row in session.execute(query)]
    return Page(items=items, number=window.number, pages=window.pages, total=total)


def feed_posts(session: Session, now: dt.datetime, *, area_ids: Collection[int] | None = None) -> list[PostView]:
    """What a feed holds: the newest posts with all their words."""
    query = _newest_first(_cards(now, area_ids)).limit(FEED_SIZE)
    return [_view(row) for row in session.execute(query)]


def public_post(session: Session, post_id: int, now: dt.datetime) -> PostView | None:
    """A post that anyone may read now, or None."""
    if not 0 < post_id < 2**63:
        return None
    row = session.execute(_cards(now, None).where(NewsPost.id == post_id)).first()
    return None if row is None else _view(row)


def public_addresses(session: Session, now: dt.datetime) -> list[tuple[int, str, dt.datetime]]:
    """Number, slug and last change of every post that anyone may read: for a list of all pages."""
    query = select(NewsPost.id, NewsPost.title, func.greatest(NewsPost.changed_at, NewsPost.publish_at))
    rows = session.execute(query.where(*_is_public(now, None)).order_by(NewsPost.id))
    return [(id_, slug_of(title), moment) for id_, title, moment in rows]


def slug_of(title: str) -> str:
    """A title as the end of an address."""
    return slugify(title, MAX_SLUG) or "nieuws"


def _is_public(now: _Moment, area_ids: Collection[int] | None) -> list[ColumnElement[bool]]:
    """What holds for every post that may be read now: it was published, and its moment has come."""
    holds = [NewsPost.state == PostState.PUBLISHED.value, NewsPost.publish_at <= now]
    return holds if area_ids is None else [*holds, NewsPost.area_id.in_(sorted(area_ids))]


def _cards(now: _Moment, area_ids: Collection[int] | None) -> Select[*tuple[Any, ...]]:
    return (
        select(NewsPost, Area.name, Area.level, SitePicture)
        .join(Area, Area.id == NewsPost.area_id)
        .outerjoin(SitePicture, (SitePicture.id == NewsPost.picture_id) & SitePicture.removed_at.is_(None))
        .where(*_is_public(now, area_ids))
    )


def _newest_first(query: Select[*tuple[Any, ...]]) -> Select[Any]:
    return query.order_by(NewsPost.publish_at.desc(), NewsPost.id.desc())


def _fields(row: Any) -> dict[str, Any]:
    post, area_name, level, picture = row
    return {
        "id": post.id,
        "slug": slug_of(post.title),
        "title": post.title,
        "summary": post.summary,
        "area_id": post.area_id,
        "area_name": area_name,
        "area_level": AreaLevel(level),
        "published_at": post.publish_at,
        "changed_at": post.changed_at,
        "picture": None if picture is None else view_of(picture),
    }


def _view(row: Any) -> PostView:
    return PostView(**_fields(row), body=row[0].body)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPost:
    """A post as the desk sees it, in any state."""

    id: int
    area_id: int
    area_name: str
    title: str
    summary: str
    body: str
    state: PostState
    publish_at: dt.datetime | None
    made_at: dt.datetime
    changed_at: dt.datetime
    author_id: int | None
    reason: str
    seal: str
    picture: PictureView | None

    def is_scheduled(self, now: dt.datetime) -> bool:
        """Whether it is public at a moment to come."""
        return self.state == PostState.PUBLISHED and self.publish_at is not None and self.publish_at > now

    def is_public(self, now: dt.datetime) -> bool:
        """Whether anyone can read it."""
        return self.state == PostState.PUBLISHED and self.publish_at is not None and self.publish_at <= now

    def as_public(self, now: dt.datetime) -> PostView:
        """How its page looks, or will look."""
        published_at = self.publish_at or now
        return PostView(
            id=self.id,
            slug=slug_of(self.title),
            title=self.title,
            summary=self.summary,
            body=self.body,
            area_id=self.area_id,
            area_name=self.area_name,
            area_level=AreaLevel.DISTRICT,
            published_at=published_at,
            changed_at=min(self.changed_at, published_at) if self.is_scheduled(now) else self.changed_at,
            picture=self.picture,
        )


def desk_posts(session: Session, *, area_ids: Collection[int], number: int = 1) -> Page[DeskPost]:
    """All posts of these areas: drafts first, then what is to come and the newest."""
    of_them = NewsPost.area_id.in_(sorted(area_ids))
    total = session.scalar(select(func.count()).select_from(NewsPost).where(of_them)) or 0
    window = page_of(total, number, DESK_PAGE_SIZE)
    query = _at_desk().where(of_them)
    order = (
        (NewsPost.state == PostState.DRAFT.value).desc(),
        NewsPost.publish_at.desc().nulls_last(),
        NewsPost.id.desc(),
    )
    rows = session.execute(query.order_by(*order).limit(DESK_PAGE_SIZE).offset(window.offset))
    return Page(items=[_desk_post(row) for row in rows], number=window.number, pages=window.pages, total=total)


def desk_post(session: Session, post_id: int) -> DeskPost | None:
    """One post in any state, or None."""
    row = session.execute(_at_desk().where(NewsPost.id == post_id)).first()
    return None if row is None else _desk_post(row)


def _at_desk() -> Select[*tuple[Any, ...]]:
    return (
        select(NewsPost, Area.name, SitePicture)
        .join(Area, Area.id == NewsPost.area_id)
        .outerjoin(SitePicture, (SitePicture.id == NewsPost.picture_id) & SitePicture.removed_at.is_(None))
        .execution_options(populate_existing=True)
    )


def _desk_post(row: Any) -> DeskPost:
    post, area_name, picture = row
    return DeskPost(
        id=post.id,
        area_id=post.area_id,
        area_name=area_name,
        title=post.title,
        summary=post.summary,
        body=post.body,
        state=PostState(post.state),
        publish_at=post.publish_at,
        made_at=post.made_at,
        changed_at=post.changed_at,
        author_id=post.author_id,
        reason=post.reason,
        seal=post.changed_at.isoformat(),
        picture=None if picture is None else view_of(picture),
    )
