# SPDX-License-Identifier: EUPL-1.2
"""Keeping what was counted of a round: its figures by neighbourhood, and the outcome of its last proof."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform.reports.models import RoundFigure, RoundProof
from abs_platform.reports.queries import count_round
from abs_platform.rounds.service import lock_round
from abs_platform.rounds.states import RoundState


def keep_figures(session: Session, round_id: int, *, is_final: bool, now: dt.datetime) -> int:
    """Count the vouchers of a closed round by neighbourhood and keep that; returns of how many neighbourhoods.

    Counted again it takes the place of what was kept, until it is final: just before the link between vouchers and
    households is cut, in the same transaction. Afterwards nothing can be counted, so final figures stay as they are.
    Of a round that forgot households before its figures were kept there is nothing to keep. Locks: the round.
    """
    round_ = lock_round(session, round_id)
    kept = select(RoundFigure.round_id).where(RoundFigure.round_id == round_id, RoundFigure.is_final)
    if round_.state != RoundState.CLOSED or session.scalar(kept.limit(1)) is not None:
        return 0
    counted = count_round(session, round_id)
    if None in counted:
        return 0
    session.execute(delete(RoundFigure).where(RoundFigure.round_id == round_id))
    session.add_all(
        RoundFigure(
            round_id=round_id,
            neighbourhood_id=area_id,
            issued_count=one.issued,
            online_count=one.online,
            organiser_count=one.organiser,
            desk_count=one.desk,
            kept_count=one.kept,
            expired_count=one.expired,
            revoked_count=one.revoked,
            counted_at=now,
            is_final=is_final,
        )
        for area_id, one in counted.items()
    )
    session.flush()
    return len(counted)


def keep_proof(session: Session, round_id: int, *, fault_count: int, now: dt.datetime) -> None:
    """Keep when a round was proven and how much was wrong; the newest outcome takes the place of the last."""
    values = {"proven_at": now, "fault_count": fault_count}
    added = insert(RoundProof).values(round_id=round_id, **values)
    session.execute(added.on_conflict_do_update(index_elements=[RoundProof.round_id], set_=values))
