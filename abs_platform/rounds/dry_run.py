# SPDX-License-Identifier: EUPL-1.2
"""What issuing a round would do now, by district and neighbourhood, without doing it (rule 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.rounds.queries import rounds_at_the_same_time

# The same words as vouchers.issuing.ELIGIBLE, counted instead of chosen; a test holds the two together.
_COUNTS = text("""
    SELECT d.id, d.name, n.id, n.name,
           count(h.id) FILTER (WHERE h.ended_on IS NULL),
           count(h.id) FILTER (WHERE h.ended_on IS NULL AND v.household_id IS NOT NULL),
           count(h.id) FILTER (WHERE h.ended_on IS NULL AND v.household_id IS NULL AND h.mail_returned_at IS NOT NULL),
           count(h.id) FILTER (WHERE h.ended_on IS NOT NULL),
           count(h.id) FILTER (WHERE h.ended_on IS NULL AND v.household_id IS NULL AND h.mail_returned_at IS NULL)
    FROM round_districts r
    JOIN areas d ON d.id = r.district_id
    JOIN areas n ON n.parent_id = d.id
    LEFT JOIN households h ON h.neighbourhood_id = n.id
    LEFT JOIN (SELECT DISTINCT household_id FROM vouchers
               WHERE round_id = ANY(:round_ids) AND revoked_at IS NULL AND household_id IS NOT NULL) v
           ON v.household_id = h.id
    WHERE r.round_id = :round_id
    GROUP BY d.id, n.id
    HAVING count(h.id) > 0 OR bool_or(n.is_current)
    ORDER BY lower(d.name), d.id, lower(n.name), n.id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Addresses in use: some have a voucher, the post of some came back, the rest would get one; and ended ones."""

    addresses: int = 0
    have: int = 0
    returned: int = 0
    ended: int = 0
    would_get: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Two counts together."""
        return Counts(
            addresses=self.addresses + other.addresses,
            have=self.have + other.have,
            returned=self.returned + other.returned,
            ended=self.ended + other.ended,
            would_get=self.would_get + other.would_get,
        )


@dataclass(frozen=True, slots=True)
class Place:
    """A neighbourhood, or a district with its neighbourhoods."""

    id: int
    name: str
    counts: Counts
    neighbourhoods: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would happen, district by district."""

    districts: tuple[Place, ...]
    amount_cents: int

    @property
    def total(self) -> Counts:
        """All districts together."""
        return _sum(self.districts)

    @property
    def would_cost_cents(self) -> int:
        """What the vouchers that would be made are worth."""
        return self.total.would_get * self.amount_cents


def dry_run(session: Session, round_id: int, amount_cents: int) -> DryRun:
    """What issuing this round would do with the addresses as they are now. It writes nothing."""
    rows = session.execute(_COUNTS, {"round_id": round_id, "round_ids": rounds_at_the_same_time(session, round_id)})
    inside: dict[tuple[int, str], list[Place]] = {}
    for district_id, district, area_id, name, addresses, have, returned, ended, would_get in rows:
        counts = Counts(addresses=addresses, have=have, returned=returned, ended=ended, would_get=would_get)
        inside.setdefault((district_id, district), []).append(Place(area_id, name, counts))
    districts = (Place(*key, _sum(places), tuple(places)) for key, places in inside.items())
    return DryRun(tuple(districts), amount_cents)


def _sum(places: Sequence[Place]) -> Counts:
    return sum((place.counts for place in places), Counts())
