# SPDX-License-Identifier: EUPL-1.2
"""Changing and cancelling a round of which no voucher is out."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import InvalidInput
from abs_platform.lives import check_move
from abs_platform.municipality import Rules
from abs_platform.rounds.models import RoundDistrict
from abs_platform.rounds.service import (
    Plan,
    check_not_released,
    check_plan,
    find_districts,
    lock_planning,
    lock_round,
    refuse_overlap,
    subject,
    take_part,
)
from abs_platform.rounds.states import TRANSITIONS, RoundState


def change_plan(
    session: Session, round_id: int, plan: Plan, *, rules: Rules, actor: Actor, now: dt.datetime
) -> dict[str, list[object]]:
    """Change a round that is planned and not released; returns what changed: field -> [old, new].

    Locks: planning, then the round. Raises: as plan_round; NotFound; Conflict once it was released.
    """
    check_plan(plan, rules, now)
    district_ids = find_districts(session, plan.districts)
    lock_planning(session)
    round_ = lock_round(session, round_id)
    check_not_released(round_)
    refuse_overlap(session, district_ids, plan.opens_at, plan.closes_at, except_id=round_id)
    taking_part = select(RoundDistrict.district_id).where(RoundDistrict.round_id == round_id)
    old_ids = sorted(session.scalars(taking_part).all())
    wanted = {
        "name": plan.name.strip(),
        "issue_on": plan.issue_on,
        "opens_at": plan.opens_at,
        "closes_at": plan.closes_at,
        "amount_cents": plan.amount_cents,
    }
    changes: dict[str, list[object]] = {
        field: [_plain(getattr(round_, field)), _plain(value)]
        for field, value in wanted.items()
        if getattr(round_, field) != value
    }
    if old_ids != district_ids:
        changes["districts"] = [list(old_ids), list(district_ids)]
    if not changes:
        return {}
    session.execute(delete(RoundDistrict).where(RoundDistrict.round_id == round_id))
    for field, value in wanted.items():
        setattr(round_, field, value)
    round_.kept_valid_days, round_.returned_valid_days = rules.kept_valid_days, rules.returned_valid_days
    session.flush()
    take_part(session, round_, district_ids)
    events.record(session, "round.changed", round_id, actor=actor, now=now, changes=changes)
    return changes


def cancel_round(session: Session, round_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Cancel a planned round, released or not. Its districts and dates are free again, and so is its name.

    Locks: the round. Raises: NotFound; InvalidTransition once its vouchers are out; InvalidInput without a reason.
    """
    if not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    round_ = lock_round(session, round_id)
    check_move(TRANSITIONS, RoundState(round_.state), RoundState.CANCELLED, subject(round_))
    session.execute(delete(RoundDistrict).where(RoundDistrict.round_id == round_id))
    round_.state = RoundState.CANCELLED.value
    session.flush()
    events.record(session, "round.cancelled", round_id, actor=actor, now=now, reason=reason.strip())


def _plain(value: object) -> object:
    """A value as the event log keeps it."""
    return value.isoformat() if isinstance(value, dt.date) else value
