# SPDX-License-Identifier: EUPL-1.2
"""Counting what was given, to order lists by: set-based, and only rows that changed are written."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, cast, column, exists, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform.clock import local_date, start_of_day
from abs_platform.donations.queries import confirmed_total
from abs_platform.initiatives.mixing import Candidate, fair_mix
from abs_platform.initiatives.models import Initiative, InitiativeProgress
from abs_platform.initiatives.states import InitiativeState

_COLLECTS = Initiative.state == InitiativeState.PUBLISHED.value
_P = InitiativeProgress


def count_progress(session: Session, *, now: dt.datetime) -> int:
    """Count what was given to all that collects; returns how many rows changed.

    What stopped collecting loses its share: the index of what is almost there holds nothing else than what collects.
    Two that run at once write the same: the second waits for the rows of the first, and then finds them right; what
    has ended it leaves to the first.
    """
    total = confirmed_total(Initiative.id)
    share = cast(func.floor(total.c.cents * 1000 / Initiative.target_cents), BigInteger)
    counted = (
        select(Initiative.id, total.c.cents, total.c.givers, share, literal(now))
        .join(total, literal(value=True))
        .where(_COLLECTS)
        .order_by(Initiative.id)
    )
    statement = insert(_P).from_select(["initiative_id", "cents", "givers", "share", "counted_at"], counted)
    fresh = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=[_P.initiative_id],
        set_={name: fresh[name] for name in ("cents", "givers", "share", "counted_at")},
        where=tuple_(_P.cents, _P.givers, func.coalesce(_P.share, -1))
        != tuple_(fresh.cents, fresh.givers, fresh.share),
    )
    changed = session.execute(upsert.returning(_P.initiative_id)).all()
    has_ended = select(_P.initiative_id).join(Initiative, Initiative.id == _P.initiative_id)
    has_ended = has_ended.where(~_COLLECTS, _P.share.is_not(None)).with_for_update(of=_P, skip_locked=True)
    ended = session.execute(
        update(_P)
        .where(_P.initiative_id.in_(has_ended))
        .values(share=None)
        .returning(_P.initiative_id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(changed) + len(ended)


def mix(session: Session, *, now: dt.datetime) -> int:
    """Make the fair mix of today, once what collects has been counted; returns how many have a place now.

    Nothing happens when all that collected at the beginning of the day has its place already.
    """
    today = local_date(now)
    of_today = (_P.initiative_id == Initiative.id) & (_P.mixed_on == today)
    is_waiting = _COLLECTS & (Initiative.published_at < start_of_day(today)) & ~exists().where(of_today)
    if session.scalar(select(Initiative.id).where(is_waiting).limit(1)) is None:
        return 0
    rows = session.execute(
        select(
            Initiative.id,
            _P.cents,
            _P.givers,
            Initiative.target_cents,
            Initiative.published_at,
            Initiative.deadline_on,
        )
        .join(_P, _P.initiative_id == Initiative.id)
        .where(_COLLECTS)
    )
    order = fair_mix([Candidate(**row._asdict()) for row in rows], today)
    mixed = (
        func.unnest(order).table_valued(column("id", BigInteger), with_ordinality="place").render_derived(name="mixed")
    )
    session.execute(
        update(_P)
        .where(_P.initiative_id == mixed.c.id)
        .values(mix_place=mixed.c.place, mixed_on=today)
        .execution_options(synchronize_session=False)
    )
    return len(order)
