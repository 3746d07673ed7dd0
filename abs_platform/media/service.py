# SPDX-License-Identifier: EUPL-1.2
"""The verbs of pictures and receipts whose files are kept: put them in their place, describe, order, remove, forget."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, case, delete, false, func, select, update
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.database import on_violation
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.media.keeping import KeptFile
from abs_platform.media.models import Picture, SitePicture
from abs_platform.media.queries import in_place
from abs_platform.media.states import MAX_ALT_TEXT, MAX_PICTURES, PUBLIC_PURPOSES, Purpose
from abs_platform.rich_text import without_unseen

REMOVED_KEPT_DAYS = 30

on_violation("uq_pictures_same_twice", lambda: _refusal(_("Dit bestand staat er al bij. Kies een ander.")))
on_violation(
    "ex_pictures_one_a_position",
    lambda: Conflict(_("Er kwam net een ander bestand bij. Kies je bestand nog een keer.")),
)


def add_picture(
    session: Session,
    kept: KeptFile,
    *,
    purpose: Purpose,
    initiative_id: int,
    update_id: int | None = None,
    alt_text: str = "",
    is_decorative: bool = False,
    uploaded_by_id: int | None,
    actor: Actor,
    now: dt.datetime,
) -> Picture:
    """Put a kept picture (or receipt) behind the others of its place. Its alt text may come later.

    Raises: InvalidInput when it is there already, or there are as many as there may be; Conflict when another came just
    then: the next position can be taken once.
    """
    if kept.is_private != (purpose not in PUBLIC_PURPOSES):
        raise ValueError(f"a {purpose.value} is kept with the other of kept_picture and kept_receipt")
    text, decorative = _described(alt_text, is_decorative=is_decorative)
    picture = Picture(
        purpose=purpose.value,
        initiative_id=initiative_id,
        update_id=update_id,
        position=_next_position(session, kept, purpose, initiative_id, update_id),
        key=kept.key,
        content_type=kept.content_type,
        width=kept.width,
        height=kept.height,
        widths=kept.widths,
        sha256=kept.sha256,
        alt_text=text,
        is_decorative=decorative,
        uploaded_by_id=uploaded_by_id,
        created_at=now,
    )
    session.add(picture)
    session.flush()
    _record(session, "added", picture, actor=actor, now=now)
    return picture


def _next_position(
    session: Session, kept: KeptFile, purpose: Purpose, initiative_id: int, update_id: int | None
) -> int:
    is_same = func.coalesce(func.bool_or(Picture.sha256 == kept.sha256), false())
    count, last, is_there = session.execute(
        select(func.count(), func.coalesce(func.max(Picture.position), 0), is_same).where(
            *in_place(initiative_id, purpose, update_id)
        )
    ).one()
    if is_there:
        raise _refusal(_("Dit bestand staat er al bij. Kies een ander."))
    if count >= MAX_PICTURES[purpose]:
        raise _refusal(_("Er kunnen hoogstens %(most)s bij. Haal er eerst een weg.", most=MAX_PICTURES[purpose]))
    return int(last) + 1


def set_alt(
    session: Session,
    picture_id: int,
    *,
    initiative_id: int,
    alt_text: str,
    is_decorative: bool,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Say what is to be seen, for who cannot see it, or that it is decoration. Raises: NotFound, InvalidInput."""
    picture = _lock(session, picture_id, initiative_id)
    text, decorative = _described(alt_text, is_decorative=is_decorative)
    if not (text or decorative):
        sentence = _("Beschrijf wat er op de foto te zien is, of kruis aan dat de foto alleen versiering is.")
        raise InvalidInput(sentence, fields={"alt_text": sentence})
    if (picture.alt_text, picture.is_decorative) != (text, decorative):
        picture.alt_text, picture.is_decorative = text, decorative
        _record(session, "described", picture, actor=actor, now=now)


def remove_picture(
    session: Session, picture_id: int, *, initiative_id: int, actor: Actor, now: dt.datetime, reason: str | None = None
) -> None:
    """Take a picture away: from now on nobody can fetch it. Raises: NotFound."""
    picture = _lock(session, picture_id, initiative_id)
    picture.removed_at = now
    _record(session, "removed", picture, actor=actor, now=now, reason=reason)


def reorder(
    session: Session,
    picture_ids: Sequence[int],
    *,
    initiative_id: int,
    purpose: Purpose = Purpose.INITIATIVE,
    update_id: int | None = None,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Put the pictures of a place in this order; the first is the one on the card.

    Locks: the pictures of the place, in the order of their ids. Raises: Conflict when these are not all of them.
    """
    place = in_place(initiative_id, purpose, update_id)
    order = {row.id: row.position for row in session.execute(_positions(place))}
    if sorted(order) != sorted(picture_ids):
        raise Conflict(_("De foto's zijn intussen veranderd. Laad de pagina opnieuw en probeer het nog een keer."))
    if sorted(order, key=lambda picture_id: order[picture_id]) == list(picture_ids):
        return
    places = {picture_id: number for number, picture_id in enumerate(picture_ids, start=1)}
    session.execute(update(Picture).where(Picture.id.in_(places)).values(position=case(places, value=Picture.id)))
    events.record(
        session, "initiative.pictures_reordered", initiative_id, actor=actor, now=now, pictures=list(picture_ids)
    )


def _positions(place: Sequence[ColumnElement[bool]]) -> Select[int, int]:
    return select(Picture.id, Picture.position).where(*place).order_by(Picture.id).with_for_update()


def forget_removed(session: Session, now: dt.datetime) -> int:
    """Forget the pictures that were removed a month ago; says how many. Their files go with ``sweep``."""
    before = now - dt.timedelta(days=REMOVED_KEPT_DAYS)
    forgotten = len(session.scalars(delete(Picture).where(Picture.removed_at < before).returning(Picture.id)).all())
    of_the_site = delete(SitePicture).where(SitePicture.removed_at < before).returning(SitePicture.id)
    return forgotten + len(session.scalars(of_the_site).all())


def _refusal(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={"picture": sentence})


def _described(alt_text: str, *, is_decorative: bool) -> tuple[str, bool]:
    """An alt text on one line; who writes one means that the picture is more than decoration. Raises: InvalidInput."""
    text = " ".join(without_unseen(alt_text).split())
    if len(text) > MAX_ALT_TEXT:
        sentence = _("Schrijf hier hoogstens %(most)s tekens.", most=MAX_ALT_TEXT)
        raise InvalidInput(sentence, fields={"alt_text": sentence})
    return text, is_decorative and not text


def _lock(session: Session, picture_id: int, initiative_id: int) -> Picture:
    """A picture of this initiative that is still there; another's is not found."""
    picture = session.scalar(
        select(Picture)
        .where(Picture.id == picture_id, Picture.initiative_id == initiative_id, Picture.removed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if picture is None:
        raise NotFound(_("Deze foto is er niet (meer)."))
    return picture


def _record(
    session: Session, verb: str, picture: Picture, *, actor: Actor, now: dt.datetime, reason: str | None = None
) -> None:
    events.record(
        session,
        f"initiative.picture_{verb}",
        picture.initiative_id,
        actor=actor,
        now=now,
        reason=reason,
        picture=picture.id,
        purpose=picture.purpose,
    )
