# SPDX-License-Identifier: EUPL-1.2
"""Keeping what was counted: of a round by neighbourhood, of years by district, and the outcome of the last proof."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform.areas.queries import list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.reports.counting import count_all
from abs_platform.reports.models import AreaFigure, DistrictVouchers, RoundFigure, RoundProof
from abs_platform.reports.publishing import look_at
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


_ONE_AT_A_TIME = text("LOCK TABLE area_figures, district_vouchers IN SHARE ROW EXCLUSIVE MODE")


def keep_area_figures(session: Session, *, now: dt.datetime) -> int:
    """Count the figures of all years anew; returns how many changed. Locks: the table, so that one counts at a time."""
    town = next((area for area in list_areas(session, AreaLevel.MUNICIPALITY)), None)
    if town is None:
        return 0
    session.execute(_ONE_AT_A_TIME)
    before = {
        (row.year, row.area_id, row.name): row.value
        for row in session.execute(select(AreaFigure.year, AreaFigure.area_id, AreaFigure.name, AreaFigure.value))
    }
    after = {
        (year, area_id, figure.value): value for (year, area_id, figure), value in count_all(session, town.id).items()
    }
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    if changed:
        session.execute(delete(AreaFigure))
        session.execute(
            insert(AreaFigure),
            [
                {"year": year, "area_id": area_id, "name": name, "value": value, "counted_at": now}
                for (year, area_id, name), value in sorted(after.items())
            ],
        )
    return len(changed)


def keep_district_vouchers(session: Session, *, now: dt.datetime) -> int:
    """Keep what the pages of districts may tell of the newest round: masked. Returns how many districts changed."""
    session.execute(_ONE_AT_A_TIME)
    view = look_at(session, None)
    report = view.chosen
    before = {row.area_id: row for row in session.scalars(select(DistrictVouchers))}
    told = {} if report is None else {one.area.id: one for one in view.published(report)}
    changed = 0
    for area_id in before.keys() - told.keys():
        session.delete(before[area_id])
        changed += 1
    for area_id, one in told.items():
        if report is None:
            break
        values = (report.id, one.letters, one.given, report.is_final)
        row = before.get(area_id)
        if row is not None and (row.round_id, row.letter_count, row.given_count, row.is_exact) == values:
            continue
        row = row or DistrictVouchers(area_id=area_id)
        row.round_id, row.letter_count, row.given_count, row.is_exact = values
        row.counted_at = now
        session.add(row)
        changed += 1
    session.flush()
    return changed
