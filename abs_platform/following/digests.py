# SPDX-License-Identifier: EUPL-1.2
"""The weekly mail of one follower: what is new where, each thing once, and no mail when there is nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import outbox
from abs_platform.areas.states import AreaLevel
from abs_platform.following import links
from abs_platform.following.digest_queries import Item, Place, new_items, places
from abs_platform.following.models import Follower
from abs_platform.following.queries import reach_of
from abs_platform.following.states import WEEK, ItemKind
from abs_platform.outbox import RenderedMail

MOST_OF_A_PLACE = 8
_PAGES = {
    ItemKind.POST: ("news.show", "post_id"),
    ItemKind.AGENDA: ("agenda.show", "item_id"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing in a mail, with the address of its page."""

    item: Item
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """What is new in one area, newest first; ``more`` is how many lines fell out, which stand at ``more_url``."""

    name: str
    is_for_all: bool
    lines: list[Line]
    more: int
    more_url: str


def send(session: Session, follower_id: int, until: dt.datetime, *, secret_key: str, now: dt.datetime) -> int:
    """Queue the mail about what came up to this moment, and note that it was told; returns how many mails that were.

    Both happen in the caller's transaction: who dies half-way has done neither, and the next run does both.
    Locks: the follower, so that the second of two runs finds it done.
    """
    follower = session.get(Follower, follower_id, with_for_update=True, populate_existing=True)
    if follower is None or follower.told_until is None or follower.told_until >= until:
        return 0
    mail = _write(session, follower, follower.told_until, until, secret_key=secret_key, now=now)
    follower.told_until = until
    session.flush()
    if mail is None:
        return 0
    return int(
        outbox.queue_rendered(
            session,
            mail,
            to=follower.email,
            event=f"digest:{follower.id}-{until:%Y%m%d%H%M}",
            now=now,
            unsubscribe_url=_stop_url(follower, secret_key),
        )
    )


def preview(session: Session, follower_id: int, *, secret_key: str, now: dt.datetime) -> RenderedMail | None:
    """The mail as it would be about the last week; None when there is nothing to tell."""
    follower = session.scalar(select(Follower).where(Follower.id == follower_id))
    return None if follower is None else _write(session, follower, now - WEEK, now, secret_key=secret_key, now=now)


def _write(
    session: Session, follower: Follower, since: dt.datetime, until: dt.datetime, *, secret_key: str, now: dt.datetime
) -> RenderedMail | None:
    items = new_items(session, reach_of(session, follower.id), since, until, now=now)
    if not items:
        return None
    groups = _grouped(items, places(session, {item.area_id for item in items}), follower.language)
    return outbox.preview(
        "digest",
        language=follower.language,
        groups=groups,
        first=groups[0].lines[0].item.title,
        count=len(items),
        manage_url=outbox.site_url(
            "following.manage", token=links.manage_token(secret_key, follower.id), _language=follower.language
        ),
        stop_url=_stop_url(follower, secret_key),
    )


def _stop_url(follower: Follower, secret_key: str) -> str:
    token = links.stop_token(secret_key, follower.id)
    return outbox.site_url("following.stop", token=token, _language=follower.language)


def _grouped(items: list[Item], in_order: list[Place], language: str) -> list[Group]:
    groups = []
    for place in in_order:
        here = [item for item in items if item.area_id == place.id]
        is_for_all = place.level == AreaLevel.MUNICIPALITY
        wijk = None if is_for_all else place.district_slug
        more_url = outbox.site_url("initiatives.index", _language=language, wijk=wijk)
        lines = [Line(item, _url(item, language)) for item in here[:MOST_OF_A_PLACE]]
        groups.append(Group(place.name, is_for_all, lines, len(here) - len(lines), more_url))
    return groups


def _url(item: Item, language: str) -> str:
    if item.kind == ItemKind.UPDATE:
        return outbox.site_url("updates.public_index", initiative_id=item.id, _language=language)
    endpoint, argument = _PAGES.get(item.kind, ("initiatives.show", "initiative_id"))
    values: dict[str, Any] = {argument: item.id, "slug": item.slug}
    return outbox.site_url(endpoint, _language=language, **values)
