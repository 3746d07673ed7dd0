# SPDX-License-Identifier: EUPL-1.2
"""Which initiatives have a page that anyone may read: for the list of all pages."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.queries import MAX_SLUG
from abs_platform.slugs import slugify
from abs_platform.updates.models import Update
from abs_platform.updates.states import UpdateState

_IS_PUBLIC = Initiative.published_at.is_not(None)


@dataclass(frozen=True, slots=True)
class InitiativePage:
    """The address of an initiative and when it was last news."""

    id: int
    slug: str
    changed_at: dt.datetime


def count_public_initiatives(session: Session) -> int:
    """How many initiatives have a public page."""
    return session.scalar(select(func.count()).select_from(Initiative).where(_IS_PUBLIC)) or 0


def public_initiatives(session: Session, *, offset: int, limit: int) -> list[InitiativePage]:
    """A part of them, in the order of their numbers."""
    posted = (
        select(Update.initiative_id, func.max(Update.posted_at).label("at"))
        .where(Update.state == UpdateState.POSTED.value)
        .group_by(Update.initiative_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Initiative.id,
            Initiative.title,
            func.greatest(Initiative.published_at, Initiative.ended_at, posted.c.at),
        )
        .outerjoin(posted, posted.c.initiative_id == Initiative.id)
        .where(_IS_PUBLIC)
        .order_by(Initiative.id)
        .offset(offset)
        .limit(limit)
    )
    return [
        InitiativePage(id_, slugify(title, MAX_SLUG) or "initiatief", changed_at) for id_, title, changed_at in rows
    ]
