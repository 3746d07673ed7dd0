# SPDX-License-Identifier: EUPL-1.2
"""Moving the end of a round that is open: closing it early, or giving residents more time (rule 3).

What was kept or came back to life has an end of its own. That end never comes sooner: closing early leaves it, and more
time for the round is more time for a voucher that came back to life too.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.paper.service import let_waiting_last
from abs_platform.rounds.models import Round, RoundDistrict
from abs_platform.rounds.service import lock_planning, lock_round, refuse_overlap
from abs_platform.rounds.states import RoundState
from abs_platform.vouchers.service import end_round_now, lengthen

_EXPIRING = text("""
    SELECT count(*) FROM vouchers
    WHERE round_id = :round_id AND state IN ('issued', 'kept') AND COALESCE(usable_until, :now) <= :now
      AND NOT EXISTS (SELECT FROM waiting_entries w JOIN entry_batches b ON b.id = w.batch_id
                      WHERE w.voucher_id = vouchers.id AND b.state = 'waiting')
""")


@dataclass(frozen=True, slots=True)
class Expiring:
    """How many vouchers end with their round, and what goes back to its budget."""

    vouchers: int
    amount_cents: int


def would_expire(session: Session, round_: Round, now: dt.datetime) -> Expiring:
    """What closing this round now would end. Raises: Conflict when it is not open."""
    _check_open(round_, now)
    count = session.scalar(_EXPIRING, {"round_id": round_.id, "now": now}) or 0
    return Expiring(count, count * round_.amount_cents)


def close_early(session: Session, round_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> Expiring:
    """Close an open round now: its vouchers expire, and their money goes back to its budget.

    Locks: planning, the round, then the vouchers in order of their id. Raises: NotFound; InvalidInput without a reason;
    Conflict when it is not open.
    """
    _require(reason)
    lock_planning(session)
    round_ = lock_round(session, round_id)
    _check_open(round_, now)
    old = round_.closes_at
    let_waiting_last(session, round_id)
    count = end_round_now(session, round_, actor=actor, now=now)
    expiring = Expiring(count, count * round_.amount_cents)
    events.record(
        session,
        "round.closed_early",
        round_id,
        actor=actor,
        now=now,
        reason=reason.strip(),
        changes={"closes_at": [old.isoformat(), now.isoformat()]},
        vouchers=count,
    )
    return expiring


def check_extension(session: Session, round_: Round, closes_at: dt.datetime, now: dt.datetime) -> None:
    """Raises: Conflict when it is over; InvalidInput for an end that is not later; RoundOverlaps with other rounds."""
    if round_.state != RoundState.ISSUED or round_.closes_at <= now:
        raise Conflict(_("Ronde '%(name)s' is niet (meer) uitgegeven. Je kunt haar niet verlengen.", name=round_.name))
    if closes_at <= round_.closes_at:
        message = _("Kies een dag na de sluitdag van nu.")
        raise InvalidInput(message, fields={"closes_on": message})
    districts = session.scalars(select(RoundDistrict.district_id).where(RoundDistrict.round_id == round_.id)).all()
    refuse_overlap(session, districts, round_.opens_at, closes_at, except_id=round_.id)


def extend_round(
    session: Session, round_id: int, closes_at: dt.datetime, *, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """Let a round that is issued close later. Locks: planning, the round, its vouchers with an end of their own.

    Raises: as check_extension; NotFound; InvalidInput without a reason.
    """
    _require(reason)
    lock_planning(session)
    round_ = lock_round(session, round_id)
    check_extension(session, round_, closes_at, now)
    lengthen(session, round_id, until=closes_at)
    old, round_.closes_at = round_.closes_at, closes_at
    session.flush()
    events.record(
        session,
        "round.extended",
        round_id,
        actor=actor,
        now=now,
        reason=reason.strip(),
        changes={"closes_at": [old.isoformat(), closes_at.isoformat()]},
    )


def _check_open(round_: Round, now: dt.datetime) -> None:
    if round_.state != RoundState.ISSUED or not round_.opens_at < now < round_.closes_at:
        raise Conflict(_("Ronde '%(name)s' is nu niet open. Je kunt haar niet sluiten.", name=round_.name))


def _require(reason: str) -> None:
    if not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
