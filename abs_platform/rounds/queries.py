# SPDX-License-Identifier: EUPL-1.2
"""Reads of rounds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import BindParameter, DateTime, bindparam, func, select, text
from sqlalchemy.orm import Session, aliased

from abs_platform.areas.models import Area
from abs_platform.clock import last_day, local_date, start_of_day
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
    released_at: dt.datetime | None = None

    @property
    def last_day(self) -> dt.date:
        """The last day on which a voucher can be given."""
        return last_day(self.closes_at)


# Made once, because almost every page asks it.
_NOW: BindParameter[dt.datetime] = bindparam("now", type_=DateTime(timezone=True))
_OPEN_ROUND = (
    select(Round.id, Round.name, Round.amount_cents, Round.opens_at, Round.closes_at)
    .where(Round.state == RoundState.ISSUED.value, Round.opens_at <= _NOW, Round.closes_at > _NOW)
    .order_by(Round.closes_at.desc())
    .limit(1)
)


def open_round(session: Session, now: dt.datetime) -> OpenRound | None:
    """The open round that closes last, or None."""
    row = session.execute(_OPEN_ROUND, {"now": now}).first()
    if row is None:
        return None
    return OpenRound(*row, days_left=(last_day(row.closes_at) - local_date(now)).days)


def coming_round(session: Session, now: dt.datetime) -> OpenRound | None:
    """The released or issued round that opens next, or None. ``days_left`` counts the days until then."""
    released = (Round.state == RoundState.PLANNED.value) & Round.released_at.is_not(None)
    row = session.execute(
        select(Round.id, Round.name, Round.amount_cents, Round.opens_at, Round.closes_at)
        .where(released | (Round.state == RoundState.ISSUED.value), Round.opens_at > now)
        .order_by(Round.opens_at)
        .limit(1)
    ).first()
    return OpenRound(*row, days_left=(local_date(row.opens_at) - local_date(now)).days) if row else None


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
            released_at=round_.released_at,
        )
        for round_, count in rows
    ]


def find_round(session: Session, name_or_id: str) -> int | None:
    """The id of a round by its name (any case; not cancelled, and the same case, first) or number."""
    name = name_or_id.strip()
    query = select(Round.id).where(func.lower(Round.name) == func.lower(name))
    query = query.order_by(Round.state == RoundState.CANCELLED.value, (Round.name == name).desc(), Round.id.desc())
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPage:
    """A round with what happened to it. ``letters_made_at`` and ``handed_over_at`` only when all its batches are so."""

    id: int
    name: str
    state: RoundState
    issue_on: dt.date
    opens_at: dt.datetime
    closes_at: dt.datetime
    amount_cents: int
    released_at: dt.datetime | None
    closed_at: dt.datetime | None
    planned_at: dt.datetime | None
    issued_at: dt.datetime | None
    letters_made_at: dt.datetime | None
    handed_over_at: dt.datetime | None
    settled_at: dt.datetime | None
    issued_count: int
    districts: tuple[str, ...]

    @property
    def can_change(self) -> bool:
        """Whether its plan may still be changed, and it may be released."""
        return self.state is RoundState.PLANNED and self.released_at is None

    @property
    def last_day(self) -> dt.date:
        """The last day on which a voucher can be given."""
        return last_day(self.closes_at)

    def can_issue(self, now: dt.datetime) -> bool:
        """Whether its vouchers may go out now, or those of addresses that came later."""
        is_due = self.issue_on <= local_date(now) and now < self.closes_at
        return self.state in {RoundState.PLANNED, RoundState.ISSUED} and self.released_at is not None and is_due

    def is_open(self, now: dt.datetime) -> bool:
        """Whether vouchers can be given."""
        return self.state is RoundState.ISSUED and self.opens_at <= now < self.closes_at

    def can_extend(self, now: dt.datetime) -> bool:
        """Whether it may close later."""
        return self.state is RoundState.ISSUED and now < self.closes_at


_ROUND_PAGE = text("""
    WITH batches AS (
        SELECT b.issued_at, b.voucher_count, run.made_at, run.handed_over_at
        FROM voucher_batches b
        LEFT JOIN letter_runs run ON run.batch_id = b.id AND run.state <> 'withdrawn'
        WHERE b.round_id = :id
    )
    SELECT r.id, r.name, r.state, r.issue_on, r.opens_at, r.closes_at, r.amount_cents, r.released_at, r.closed_at,
        (SELECT min(happened_at) FROM events
         WHERE subject = 'round' AND subject_id = r.id AND kind = 'round.planned') AS planned_at,
        (SELECT min(issued_at) FROM batches) AS issued_at,
        (SELECT max(made_at) FROM batches HAVING count(*) = count(made_at)) AS letters_made_at,
        (SELECT max(handed_over_at) FROM batches HAVING count(*) = count(handed_over_at)) AS handed_over_at,
        (SELECT max(happened_at) FROM events
         WHERE subject = 'round' AND subject_id = r.id AND kind = 'round.households_forgotten') AS settled_at,
        (SELECT COALESCE(sum(voucher_count), 0)::bigint FROM batches) AS issued_count,
        ARRAY(SELECT a.name FROM round_districts d JOIN areas a ON a.id = d.district_id
              WHERE d.round_id = r.id ORDER BY lower(a.name)) AS districts
    FROM rounds r WHERE r.id = :id
""")


def round_page(session: Session, round_id: int) -> RoundPage | None:
    """A round with what happened to it, or None."""
    row = session.execute(_ROUND_PAGE, {"id": round_id}).mappings().first()
    if row is None:
        return None
    state, districts = RoundState(row["state"]), tuple(row["districts"])
    return RoundPage(**{**row, "state": state, "districts": districts})


@dataclass(frozen=True, slots=True)
class DistrictCount:
    """A current district with the addresses that would get a voucher, were a round issued there now."""

    id: int
    code: str
    name: str
    addresses: int


def count_by_district(session: Session) -> list[DistrictCount]:
    """The current districts by name, with how many addresses are in use and had no post returned."""
    rows = session.execute(
        text("""
            SELECT d.id, d.code, d.name, COALESCE(c.addresses, 0)
            FROM areas d
            LEFT JOIN (SELECT n.parent_id, count(*) AS addresses
                       FROM households h JOIN areas n ON n.id = h.neighbourhood_id
                       WHERE h.ended_on IS NULL AND h.mail_returned_at IS NULL
                       GROUP BY n.parent_id) c ON c.parent_id = d.id
            WHERE d.level = 'district' AND d.is_current
            ORDER BY lower(d.name)
        """)
    )
    return [DistrictCount(*row) for row in rows]


def district_codes(session: Session, round_id: int) -> list[str]:
    """The codes of the districts that take part in a round."""
    query = select(Area.code).join(RoundDistrict, RoundDistrict.district_id == Area.id)
    return list(session.scalars(query.where(RoundDistrict.round_id == round_id).order_by(Area.code)))


def rounds_of_year(session: Session, year: int) -> list[RoundRow]:
    """Rounds that are issued or open in a year, the first opening first; cancelled ones last."""
    first, following = start_of_day(dt.date(year, 1, 1)), start_of_day(dt.date(year + 1, 1, 1))
    found = [
        row
        for row in list_rounds(session)
        if row.issue_on.year == year or (row.opens_at < following and row.closes_at > first)
    ]
    return sorted(found, key=lambda row: (row.state is RoundState.CANCELLED, row.opens_at, row.id))
