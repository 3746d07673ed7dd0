# SPDX-License-Identifier: EUPL-1.2
"""The life of an order for long work: asked for once, begun, kept up to date, and brought to an end.

Only one order of a kind and key lives at a time: who asks again gets that one. A process that dies costs its order one
attempt; it waits again, and after ``MOST_ATTEMPTS`` it has failed.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Text, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, NotFound
from abs_platform.lives import check_move
from abs_platform.work.models import WorkOrder
from abs_platform.work.states import LIVING, TRANSITIONS, WorkKind, WorkState

MOST_ATTEMPTS = 3


def order(
    session: Session,
    kind: WorkKind,
    *,
    key: str,
    params: dict[str, Any],
    account_id: int | None,
    now: dt.datetime,
) -> WorkOrder:
    """Ask for long work, or get the order that lives under this key.

    ``params`` is what its handler needs: numbers and choices, never a code or an address.
    """
    while True:
        wanted = {"kind": kind.value, "key": key, "params": params, "account_id": account_id, "asked_at": now}
        make = insert(WorkOrder).values(wanted).on_conflict_do_nothing().returning(WorkOrder)
        made: WorkOrder | None = session.scalar(make)
        if made is not None:
            _note(session, made, "ordered", actor=_orderer(account_id), now=now)
            return made
        there = select(WorkOrder).where(WorkOrder.kind == kind, WorkOrder.key == key, WorkOrder.state.in_(LIVING))
        living = session.scalar(there.execution_options(populate_existing=True))
        if living is not None:
            return living


def begin_next(session: Session, *, now: dt.datetime) -> WorkOrder | None:
    """Take the order that waits longest and begin it; None when nothing waits. Locks: the order (skips locked ones)."""
    query = select(WorkOrder).where(WorkOrder.state == WorkState.WAITING).order_by(WorkOrder.id).limit(1)
    taken = session.scalar(query.with_for_update(skip_locked=True))
    if taken is None:
        return None
    _move(taken, WorkState.RUNNING)
    taken.began_at = now
    taken.attempts += 1
    session.flush()
    return taken


def progress(session: Session, order_id: int, *, attempt: int, done: int, total: int) -> bool:
    """Write down how far it is. False when this attempt is not the one that runs (any more): it must stop."""
    running = (WorkOrder.id == order_id, WorkOrder.state == WorkState.RUNNING, WorkOrder.attempts == attempt)
    counts = {"done_count": max(done, 0), "total_count": max(total, 0)}
    return session.scalar(update(WorkOrder).where(*running).values(counts).returning(WorkOrder.id)) is not None


def finish(
    session: Session, order_id: int, result: dict[str, Any], *, attempt: int, actor: Actor, now: dt.datetime
) -> None:
    """It is done. ``result`` is what it came to; it never holds a code.

    Raises: Conflict when this attempt is not the one that runs (any more).
    """
    found = _lock_attempt(session, order_id, attempt)
    _move(found, WorkState.DONE)
    found.ended_at, found.result = now, result
    _note(session, found, "done", actor=actor, now=now)


def fail(session: Session, order_id: int, sentence: str, *, attempt: int, actor: Actor, now: dt.datetime) -> None:
    """It cannot be done; ``sentence`` tells who asked why, and what to do.

    Raises: Conflict when this attempt is not the one that runs (any more).
    """
    found = _lock_attempt(session, order_id, attempt)
    _move(found, WorkState.FAILED)
    found.ended_at, found.error = now, sentence
    _note(session, found, "failed", actor=actor, now=now, reason=sentence)


def cancel(session: Session, order_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Take it back while it waits. Raises: NotFound; InvalidTransition once it was begun."""
    found = _lock(session, order_id)
    _move(found, WorkState.CANCELLED)
    found.ended_at = now
    _note(session, found, "cancelled", actor=actor, now=now)


def wait_again(session: Session, *, actor: Actor, now: dt.datetime) -> int:
    """Put what was running when its process died back in line; after the last attempt it has failed.

    Only who holds the lock of the job that works orders may call this: then nobody else is at work.
    """
    query = select(WorkOrder).where(WorkOrder.state == WorkState.RUNNING).with_for_update()
    left = session.scalars(query.order_by(WorkOrder.id)).all()
    for found in left:
        if found.attempts >= MOST_ATTEMPTS:
            sentence = _(
                "Dit werk is %(times)s keer begonnen en steeds halverwege gestopt. Er is niets dubbel gedaan. "
                "Vraag de beheerder van het systeem om te kijken, en probeer het daarna nog een keer.",
                times=found.attempts,
            )
            fail(session, found.id, sentence, attempt=found.attempts, actor=actor, now=now)
        else:
            _move(found, WorkState.WAITING)
    session.flush()
    return len(left)


def forget_part(session: Session, kind: WorkKind, part: str, *, before: dt.datetime) -> int:
    """Forget one part of what orders of a kind came to, of those that ended before a moment; returns how many."""
    old = (WorkOrder.kind == kind, WorkOrder.ended_at < before, WorkOrder.result.has_key(part))
    kept = WorkOrder.result.op("-")(literal(part, Text))
    return len(session.scalars(update(WorkOrder).where(*old).values(result=kept).returning(WorkOrder.id)).all())


def _lock(session: Session, order_id: int) -> WorkOrder:
    found = session.get(WorkOrder, order_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("Dit werk bestaat niet (meer)."))
    return found


def _lock_attempt(session: Session, order_id: int, attempt: int) -> WorkOrder:
    found = _lock(session, order_id)
    if found.attempts != attempt:
        raise Conflict(_("Dit werk is intussen opnieuw begonnen."))
    return found


def _move(found: WorkOrder, target: WorkState) -> None:
    check_move(TRANSITIONS, WorkState(found.state), target, _("dit werk"))
    found.state = target.value


def _orderer(account_id: int | None) -> Actor:
    return Actor("command", "work") if account_id is None else Actor("staff", str(account_id))


def _note(
    session: Session, found: WorkOrder, verb: str, *, actor: Actor, now: dt.datetime, reason: str | None = None
) -> None:
    session.flush()
    events.record(session, f"work.{verb}", found.id, actor=actor, now=now, reason=reason, what=found.kind)
