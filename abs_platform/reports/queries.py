# SPDX-License-Identifier: EUPL-1.2
"""Reads of what became of the vouchers of rounds: in all, by channel, by neighbourhood.

A round that runs is counted when somebody looks. Of a closed one the figures that were kept are read (reports.service),
so that ten old rounds cost no more than one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.clock import last_day
from abs_platform.reports.models import RoundFigure
from abs_platform.rounds.states import RoundState
from abs_platform.vouchers.models import VoucherBatch
from abs_platform.vouchers.states import BatchKind


@dataclass(frozen=True, slots=True)
class RoundTotals:
    """What became of some vouchers. Given are those of the three channels together."""

    issued: int = 0
    online: int = 0
    organiser: int = 0
    desk: int = 0
    kept: int = 0
    expired: int = 0
    revoked: int = 0

    @property
    def given(self) -> int:
        """Given to an initiative, by whatever channel."""
        return self.online + self.organiser + self.desk

    @property
    def on_paper(self) -> int:
        """Given by others for whoever held the paper: organisers and desks."""
        return self.organiser + self.desk

    @property
    def living(self) -> int:
        """Neither given nor kept nor over: still to give."""
        return self.issued - self.given - self.kept - self.expired - self.revoked

    @property
    def letters(self) -> int:
        """The households that have one: a revoked voucher was replaced, or never arrived."""
        return self.issued - self.revoked

    @property
    def not_given(self) -> int:
        """What households have and did not give, for whatever reason."""
        return self.letters - self.given

    @property
    def used(self) -> float:
        """The share of the letters that was given: 0 to 1."""
        return self.given / self.letters if self.letters else 0.0

    def __add__(self, other: RoundTotals) -> RoundTotals:
        return RoundTotals(
            self.issued + other.issued,
            self.online + other.online,
            self.organiser + other.organiser,
            self.desk + other.desk,
            self.kept + other.kept,
            self.expired + other.expired,
            self.revoked + other.revoked,
        )


def together(counts: Iterable[RoundTotals]) -> RoundTotals:
    """The sum of counts."""
    return sum(counts, RoundTotals())


Counted = dict[int | None, RoundTotals]


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it is published: how many vouchers, why, and the seal (None: older than seals)."""

    id: int
    issued_at: dt.datetime
    voucher_count: int
    kind: BatchKind
    seal: str | None


@dataclass(slots=True)
class RoundReport:
    """A round with its totals. ``counted_at``: when its figures were kept; None while it is counted at every look."""

    id: int
    name: str
    state: RoundState
    opens_at: dt.datetime
    closes_at: dt.datetime
    closed_at: dt.datetime | None
    amount_cents: int
    counted_at: dt.datetime | None
    is_final: bool
    proven_at: dt.datetime | None
    fault_count: int | None
    totals: RoundTotals = field(default_factory=RoundTotals)

    @property
    def last_day(self) -> dt.date:
        """The last day on which a voucher can be given."""
        return last_day(self.closes_at)

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be given any more but what is kept or came back."""
        return self.state == RoundState.CLOSED

    @property
    def is_kept(self) -> bool:
        """Whether its figures are read instead of counted. One that was opened again would be counted."""
        return self.is_closed and self.counted_at is not None


_ROUNDS = text("""
    SELECT r.id, r.name, r.state, r.opens_at, r.closes_at, r.closed_at, r.amount_cents,
           f.counted_at, COALESCE(f.is_final, FALSE), p.proven_at, p.fault_count,
           f.issued, f.online, f.organiser, f.desk, f.kept, f.expired, f.revoked
    FROM rounds r
    LEFT JOIN (
        SELECT round_id, MAX(counted_at) AS counted_at, BOOL_AND(is_final) AS is_final,
               SUM(issued_count)::bigint AS issued, SUM(online_count)::bigint AS online,
               SUM(organiser_count)::bigint AS organiser, SUM(desk_count)::bigint AS desk,
               SUM(kept_count)::bigint AS kept, SUM(expired_count)::bigint AS expired,
               SUM(revoked_count)::bigint AS revoked
        FROM round_figures GROUP BY round_id
    ) f ON f.round_id = r.id
    LEFT JOIN round_proofs p ON p.round_id = r.id
    WHERE r.state IN ('issued', 'closed')
    ORDER BY r.opens_at DESC, r.id DESC
""")
# The channel of each gift is looked up by its voucher, so that the gifts of earlier rounds cost nothing. OFFSET 0: once
# a voucher, not once a count.
_COUNT = text("""
    SELECT v.round_id, h.neighbourhood_id, COUNT(*),
           COUNT(*) FILTER (WHERE v.channel = 'online'), COUNT(*) FILTER (WHERE v.channel = 'organiser'),
           COUNT(*) FILTER (WHERE v.channel = 'desk'), COUNT(*) FILTER (WHERE v.state = 'kept'),
           COUNT(*) FILTER (WHERE v.state = 'expired'), COUNT(*) FILTER (WHERE v.state = 'revoked')
    FROM (
        SELECT round_id, household_id, state, CASE WHEN state = 'given' THEN (
            SELECT d.channel FROM donations d WHERE d.voucher_id = vouchers.id AND d.state = 'confirmed') END AS channel
        FROM vouchers WHERE round_id = ANY(:round_ids) OFFSET 0
    ) v
    LEFT JOIN households h ON h.id = v.household_id
    GROUP BY v.round_id, h.neighbourhood_id
""")
_MONEY = text("""
    SELECT COUNT(*), COALESCE(SUM(amount_cents), 0)::bigint FROM donations
    WHERE kind = 'money' AND state = 'confirmed' AND given_at >= :opens_at AND given_at < :closes_at
""")


def rounds(session: Session) -> list[RoundReport]:
    """All rounds that were issued, newest first. The totals of those that are not kept are for the caller to count."""
    return [
        RoundReport(
            id=row[0],
            name=row[1],
            state=RoundState(row[2]),
            opens_at=row[3],
            closes_at=row[4],
            closed_at=row[5],
            amount_cents=row[6],
            counted_at=row[7],
            is_final=row[8],
            proven_at=row[9],
            fault_count=row[10],
            totals=RoundTotals(*(count or 0 for count in row[11:])),
        )
        for row in session.execute(_ROUNDS)
    ]


def count_rounds(session: Session, round_ids: Sequence[int]) -> dict[int, Counted]:
    """Count the vouchers of rounds by neighbourhood (None: its household is forgotten)."""
    found: dict[int, Counted] = {round_id: {} for round_id in round_ids}
    if round_ids:
        for round_id, area_id, *counts in session.execute(_COUNT, {"round_ids": list(round_ids)}):
            found[round_id][area_id] = RoundTotals(*counts)
    return found


def count_round(session: Session, round_id: int) -> Counted:
    """Count the vouchers of one round by neighbourhood."""
    return count_rounds(session, [round_id])[round_id]


def kept_figures(session: Session, round_ids: Sequence[int]) -> dict[int, Counted]:
    """The figures that were kept of rounds, by neighbourhood."""
    found: dict[int, Counted] = {round_id: {} for round_id in round_ids}
    for figure in session.scalars(select(RoundFigure).where(RoundFigure.round_id.in_(round_ids))) if round_ids else ():
        found[figure.round_id][figure.neighbourhood_id] = RoundTotals(
            figure.issued_count,
            figure.online_count,
            figure.organiser_count,
            figure.desk_count,
            figure.kept_count,
            figure.expired_count,
            figure.revoked_count,
        )
    return found


def all_counts(session: Session, reports: Sequence[RoundReport], of: Sequence[int]) -> dict[int, Counted]:
    """The counts by neighbourhood of some rounds (``of``), and the totals of all reports filled in. Two queries.

    What is kept is read, what is not is counted; a round that nobody asks about is counted only for its totals.
    """
    counted = count_rounds(session, [one.id for one in reports if not one.is_kept])
    for one in reports:
        if not one.is_kept:
            one.totals = together(counted[one.id].values())
    return counted | kept_figures(session, [one.id for one in reports if one.is_kept and one.id in of])


def batches(session: Session, round_ids: Sequence[int]) -> dict[int, list[Batch]]:
    """The batches of rounds, oldest first."""
    found: dict[int, list[Batch]] = {round_id: [] for round_id in round_ids}
    query = select(VoucherBatch).where(VoucherBatch.round_id.in_(round_ids)).order_by(VoucherBatch.id)
    for batch in session.scalars(query):
        seal = batch.merkle_root.hex() if batch.merkle_root else None
        found[batch.round_id].append(Batch(batch.id, batch.issued_at, batch.voucher_count, BatchKind(batch.kind), seal))
    return found


def money_beside(session: Session, report: RoundReport) -> tuple[int, int]:
    """How many gifts of money were made while a round was open, and how many cents."""
    row = session.execute(_MONEY, {"opens_at": report.opens_at, "closes_at": report.closes_at}).one()
    return row[0], row[1]


def round_totals(session: Session, round_id: int) -> RoundTotals:
    """What became of the vouchers of a round; of a closed one as it was last kept."""
    return together(by_neighbourhood(session, round_id).values())


def by_neighbourhood(session: Session, round_id: int) -> Counted:
    """What became of the vouchers of a round by neighbourhood. For staff's eyes only once it went through masking."""
    return kept_figures(session, [round_id])[round_id] or count_round(session, round_id)
