# SPDX-License-Identifier: EUPL-1.2
"""The verbs of news: written as a draft, published now or at a moment to come, changed, withdrawn with a reason."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.lives import check_move
from abs_platform.media import site_pictures
from abs_platform.media.keeping import KeptFile
from abs_platform.news.models import NewsPost
from abs_platform.news.states import TRANSITIONS, PostState


@dataclass(frozen=True, slots=True, kw_only=True)
class PostInput:
    """What is written of a post, and for which area."""

    area_id: int
    title: str
    summary: str
    body: str


def write(session: Session, what: PostInput, *, author_id: int | None, actor: Actor, now: dt.datetime) -> int:
    """Begin a post, as a draft that only the desk sees; returns its number."""
    post = NewsPost(
        area_id=what.area_id,
        title=what.title,
        summary=what.summary,
        body=what.body,
        state=PostState.DRAFT.value,
        author_id=author_id,
        made_at=now,
        changed_at=now,
    )
    session.add(post)
    session.flush()
    _record(session, "begun", post, actor=actor, now=now)
    return post.id


def change(
    session: Session, post_id: int, what: PostInput, *, seen: str | None = None, actor: Actor, now: dt.datetime
) -> None:
    """Write it again. Saving what is there already changes nothing.

    ``seen``: what ``seal_of`` said when the form was made. Raises: NotFound; Conflict when somebody changed it since
    then, or it was withdrawn.
    """
    post = _open(session, post_id)
    if seen is not None and seen != seal_of(post):
        raise Conflict(_("Iemand anders heeft dit net ook veranderd. Vergelijk het en sla daarna opnieuw op."))
    new = {name: getattr(what, name) for name in ("area_id", "title", "summary", "body")}
    changed = sorted(name for name, value in new.items() if getattr(post, name) != value)
    if not changed:
        return
    for name in changed:
        setattr(post, name, new[name])
    post.changed_at = now
    _record(session, "changed", post, actor=actor, now=now, fields=changed)


def publish(session: Session, post_id: int, *, at: dt.datetime | None = None, actor: Actor, now: dt.datetime) -> None:
    """Make it public, now or at a moment to come. Raises: NotFound, InvalidTransition."""
    post = _locked(session, post_id)
    _step(post, PostState.PUBLISHED)
    post.publish_at = max(at, now) if at is not None else now
    if post.publish_at > now:
        _record(session, "scheduled", post, actor=actor, now=now, publish_at=post.publish_at.isoformat())
    else:
        _record(session, "published", post, actor=actor, now=now)


def take_back(session: Session, post_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Make a draft again of what is still to come. Raises: NotFound, InvalidTransition; Conflict when it is public."""
    post = _locked(session, post_id)
    if post.publish_at is not None and post.publish_at <= now:
        raise Conflict(_("Dit bericht is al openbaar. Je kunt het nog wel aanpassen of intrekken."))
    _step(post, PostState.DRAFT)
    post.publish_at = None
    _record(session, "taken_back", post, actor=actor, now=now)


def withdraw(session: Session, post_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Take it off the site, with a reason; a draft needs none. Its picture goes too.

    Raises: NotFound, InvalidTransition, InvalidInput.
    """
    post = _locked(session, post_id)
    needs_reason = post.state != PostState.DRAFT
    _step(post, PostState.WITHDRAWN)
    post.reason = reason.strip()
    if needs_reason and not post.reason:
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    post.withdrawn_at = now
    _drop_picture(session, post, actor=actor, now=now)
    _record(session, "withdrawn", post, actor=actor, now=now)


def set_picture(
    session: Session,
    post_id: int,
    kept: KeptFile,
    *,
    alt_text: str,
    uploaded_by_id: int | None,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Put a kept picture with it, in the place of the one before. Raises: NotFound, Conflict, InvalidInput."""
    post = _open(session, post_id)
    picture = site_pictures.add(session, kept, alt_text=alt_text, uploaded_by_id=uploaded_by_id, actor=actor, now=now)
    _drop_picture(session, post, actor=actor, now=now)
    post.picture_id = picture.id
    _record(session, "picture_set", post, actor=actor, now=now)


def describe_picture(session: Session, post_id: int, alt_text: str, *, actor: Actor, now: dt.datetime) -> None:
    """Say what is to be seen on its picture. Raises: NotFound, Conflict, InvalidInput."""
    post = _open(session, post_id)
    if post.picture_id is None:
        raise NotFound(_("Deze foto is er niet (meer)."))
    site_pictures.describe(session, post.picture_id, alt_text, actor=actor, now=now)


def remove_picture(session: Session, post_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Take its picture away; one that is gone already is no error. Raises: NotFound, Conflict."""
    post = _open(session, post_id)
    if post.picture_id is not None:
        _drop_picture(session, post, actor=actor, now=now)
        _record(session, "picture_removed", post, actor=actor, now=now)


def seal_of(post: NewsPost) -> str:
    """What a form carries, to tell later whether somebody else changed the post meanwhile."""
    return post.changed_at.isoformat()


def _drop_picture(session: Session, post: NewsPost, *, actor: Actor, now: dt.datetime) -> None:
    """Its picture is nobody's any more, and can be forgotten."""
    if post.picture_id is not None:
        picture_id, post.picture_id = post.picture_id, None
        session.flush()
        site_pictures.remove(session, picture_id, actor=actor, now=now)


def _open(session: Session, post_id: int) -> NewsPost:
    """A post that may still be written, locked."""
    post = _locked(session, post_id)
    if post.state == PostState.WITHDRAWN:
        raise Conflict(_("Dit bericht is ingetrokken. Je kunt het niet meer aanpassen."))
    return post


def _locked(session: Session, post_id: int) -> NewsPost:
    post = session.scalar(
        select(NewsPost).where(NewsPost.id == post_id).with_for_update().execution_options(populate_existing=True)
    )
    if post is None:
        raise NotFound(_("Dit bericht bestaat niet (meer)."))
    return post


def _step(post: NewsPost, target: PostState) -> None:
    check_move(TRANSITIONS, PostState(post.state), target, _("het bericht"))
    post.state = target.value


def _record(session: Session, verb: str, post: NewsPost, *, actor: Actor, now: dt.datetime, **details: object) -> None:
    """Into the log: that it happened and why, never what was written."""
    events.record(
        session, f"news.{verb}", post.id, actor=actor, now=now, reason=post.reason or None, area=post.area_id, **details
    )
