# SPDX-License-Identifier: EUPL-1.2
"""What a large list counted last, remembered for some seconds in each process: no page looks at ten thousand rows.

A small town is counted anew for every page: that costs nothing. What is remembered are numbers and an order; cards and
their bars are read each time. While one visitor counts anew, the others get what was counted last.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass

from sqlalchemy.orm import Session

from abs_platform.initiatives import listing
from abs_platform.initiatives.listing import Counts, Wanted

SECONDS_KEPT = 15.0
FEW = 300
MOST_KEPT = 200
FIRST = 10 * listing.PAGE_SIZE


@dataclass(slots=True)
class _Look:
    """What one list counted last, and the numbers of its first pages; each with its moment (monotonic seconds)."""

    counts: Counts
    counted_at: float
    first: list[int] | None = None
    ordered_at: float = 0.0


_looks: dict[tuple[Wanted, dt.date], _Look] = {}


def counts_of(session: Session, wanted: Wanted, today: dt.date) -> Counts:
    """How many there are of each kind: now, or for a large town some seconds ago."""
    now, look = time.monotonic(), _looks.get((wanted, today))
    if look is not None:
        if now - look.counted_at < SECONDS_KEPT:
            return look.counts
        look.counted_at = now  # so that nobody else counts meanwhile
    counts = listing.count(session, wanted)
    if counts.without_filter <= FEW:
        _looks.pop((wanted, today), None)
    elif look is not None:
        look.counts = counts
    else:
        if len(_looks) >= MOST_KEPT:
            _looks.clear()
        _looks[wanted, today] = _Look(counts, now)
    return counts


def ids_of(session: Session, wanted: Wanted, today: dt.date, *, offset: int, size: int) -> list[int]:
    """The numbers of one page, in their order; of the first pages of a large town from some seconds ago."""
    now, look = time.monotonic(), _looks.get((wanted, today))
    if look is None or offset + size > FIRST:
        return listing.ids(session, wanted, today=today, offset=offset, size=size)
    if look.first is None or now - look.ordered_at >= SECONDS_KEPT:
        look.ordered_at = now
        look.first = listing.ids(session, wanted, today=today, offset=0, size=FIRST)
    return look.first[offset : offset + size]
