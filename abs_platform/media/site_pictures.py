# SPDX-License-Identifier: EUPL-1.2
"""Pictures of the municipality itself, with its news or of its people: put in their place, shown, taken away."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import InvalidInput, NotFound
from abs_platform.media.keeping import KeptFile
from abs_platform.media.models import SitePicture
from abs_platform.media.queries import PictureView
from abs_platform.media.states import MAX_ALT_TEXT
from abs_platform.rich_text import without_unseen


def add(
    session: Session, kept: KeptFile, *, alt_text: str, uploaded_by_id: int | None, actor: Actor, now: dt.datetime
) -> SitePicture:
    """Make a kept picture one of the municipality. Whoever shows it keeps its number. Raises: InvalidInput."""
    if kept.is_private or kept.width is None or kept.height is None:
        raise ValueError("a picture of the municipality is kept with kept_picture")
    picture = SitePicture(
        key=kept.key,
        width=kept.width,
        height=kept.height,
        widths=kept.widths,
        sha256=kept.sha256,
        alt_text=_checked_alt(alt_text),
        uploaded_by_id=uploaded_by_id,
        created_at=now,
    )
    session.add(picture)
    session.flush()
    events.record(session, "site_picture.added", picture.id, actor=actor, now=now)
    return picture


def describe(session: Session, picture_id: int, alt_text: str, *, actor: Actor, now: dt.datetime) -> None:
    """Say what is to be seen on it. Raises: NotFound, InvalidInput."""
    picture, text = _locked(session, picture_id), _checked_alt(alt_text)
    if picture.alt_text != text:
        picture.alt_text = text
        events.record(session, "site_picture.described", picture_id, actor=actor, now=now)


def remove(session: Session, picture_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Take it away: nobody can fetch it any more. Whoever showed it must no longer point at it. Raises: NotFound."""
    _locked(session, picture_id).removed_at = now
    events.record(session, "site_picture.removed", picture_id, actor=actor, now=now)


def find(session: Session, picture_id: int | None) -> PictureView | None:
    """A picture for a page, or None when there is none (any more)."""
    if picture_id is None:
        return None
    picture = session.scalar(select(SitePicture).where(SitePicture.id == picture_id, SitePicture.removed_at.is_(None)))
    return None if picture is None else view_of(picture)


def view_of(picture: SitePicture) -> PictureView:
    """A picture of the municipality for a page, as the component of pictures takes it."""
    return PictureView(
        id=picture.id,
        key=picture.key,
        alt=picture.alt_text,
        is_decorative=not picture.alt_text,
        width=picture.width,
        height=picture.height,
        widths=tuple(picture.widths),
        update_id=None,
    )


def _checked_alt(alt_text: str) -> str:
    """What is to be seen, on one line. Raises: InvalidInput when nothing is said, or too much."""
    text = " ".join(without_unseen(alt_text).split())
    sentence = ""
    if not text:
        sentence = _("Beschrijf wat er op de foto te zien is.")
    elif len(text) > MAX_ALT_TEXT:
        sentence = _("Schrijf hier hoogstens %(most)s tekens.", most=MAX_ALT_TEXT)
    if sentence:
        raise InvalidInput(sentence, fields={"alt_text": sentence})
    return text


def _locked(session: Session, picture_id: int) -> SitePicture:
    picture = session.scalar(
        select(SitePicture)
        .where(SitePicture.id == picture_id, SitePicture.removed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if picture is None:
        raise NotFound(_("Deze foto is er niet (meer)."))
    return picture
