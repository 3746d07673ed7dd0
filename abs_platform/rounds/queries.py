# SPDX-License-Identifier: EUPL-1.2
"""Reads of rounds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from abs_platform.areas.models import Area
from abs_platform.clock import last_day, local_date
from abs_platform.rounds.models import Round, RoundDistrict
from abs_platform.rounds.states import RoundState


@dataclass(frozen=True, slots=True)
class OpenRound:
    """The round in which vouchers can be given now. ``days_left`` counts whole days until its last day (0: today)."""

    id: int
    name: str
    amount_cents: int
    opens_at: dt.datetime
    closes_at: dt.datetime
    days_left: int

    @property
    def last_day(self) -> dt.date:
        """The last day on which a voucher can be given."""
        return last_day(self.closes_at)


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A round as ``abs rounds list`` shows it."""

    id: int
    name: str
    state: RoundState
    issue_on: dt.date
    opens_at: dt.datetime
    closes_at: dt.datetime
    amount_cents: int
    district_count: int


def open_round(session: Session, now: dt.datetime) -> OpenRound | None:
    """The open round that closes last, or None."""
    row = session.execute(
        select(Round.id, Round.name, Round.amount_cents, Round.opens_at, Round.closes_at)
        .where(Round.state == RoundState.ISSUED.value, Round.opens_at <= now, Round.closes_at > now)
        .order_by(Round.closes_at.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return OpenRound(*row, days_left=(last_day(row.closes_at) - local_date(now)).days)


def list_rounds(session: Session) -> list[RoundRow]:
    """All rounds, newest opening first."""
    districts = select(func.count()).where(RoundDistrict.round_id == Round.id).scalar_subquery()
    rows = session.execute(select(Round, districts).order_by(Round.opens_at.desc(), Round.id.desc())).all()
    return [
        RoundRow(
            id=round_.id,
            name=round_.name,
            state=RoundState(round_.state),
            issue_on=round_.issue_on,
            opens_at=round_.opens_at,
            closes_at=round_.closes_at,
            amount_cents=round_.amount_cents,
            district_count=count,
        )
        for round_, count in rows
    ]


def find_round(session: Session, name_or_id: str) -> int | None:
    """The id of a round by its name (any case, the same case first) or number."""
    name = name_or_id.strip()
    query = select(Round.id).where(func.lower(Round.name) == func.lower(name)).order_by((Round.name == name).desc())
    found = session.scalar(query)
    if found is None and name_or_id.isdecimal() and len(name_or_id) < 18:
        found = session.scalar(select(Round.id).where(Round.id == int(name_or_id)))
    return found


def due_for_issue(session: Session, now: dt.datetime) -> list[int]:
    """Released rounds that are issued today or were before, and are not over: new addresses get theirs too."""
    states = (RoundState.PLANNED.value, RoundState.ISSUED.value)
    return list(
        session.scalars(
            select(Round.id)
            .where(
                Round.state.in_(states),
                Round.released_at.is_not(None),
                Round.issue_on <= local_date(now),
                Round.closes_at > now,
            )
            .order_by(Round.id)
        )
    )


def rounds_at_the_same_time(session: Session, round_id: int) -> list[int]:
    """This round and every other that is open at some moment with it, in whatever districts."""
    this, other = aliased(Round, name="this_round"), aliased(Round, name="other_round")
    overlaps = (other.opens_at < this.closes_at) & (this.opens_at < other.closes_at)
    return list(session.scalars(select(other.id).join(this, overlaps).where(this.id == round_id).order_by(other.id)))


def running_rounds_of_ended_districts(session: Session) -> list[str]:
    """Names of rounds that are not closed and of which a district is no longer in the list of areas."""
    return list(
        session.scalars(
            select(Round.name)
            .join(RoundDistrict, RoundDistrict.round_id == Round.id)
            .join(Area, Area.id == RoundDistrict.district_id)
            .where(Round.state != RoundState.CLOSED.value, Area.is_current.is_(False))
            .distinct()
        )
    )


def is_under_another_key(session: Session, key_fingerprint: bytes) -> bool:
    """Whether vouchers that are out were made under another key than this one, so that none of their codes works."""
    other = select(Round.id).where(
        Round.state == RoundState.ISSUED.value, Round.key_fingerprint.is_distinct_from(key_fingerprint)
    )
    return session.scalar(other.limit(1)) is not None
