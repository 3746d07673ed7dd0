# SPDX-License-Identifier: EUPL-1.2
"""What a large list counted last, remembered for some seconds in each process: no page looks at ten thousand rows.

A small town is counted anew for every page: that costs nothing. What is remembered are numbers and an order; cards and
their bars are read each time.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from abs_platform.initiatives import listing
from abs_platform.initiatives.listing import Counts, Wanted

SECONDS_KEPT = 15.0
FEW = 300
MOST_KEPT = 200
FIRST = 10 * listing.PAGE_SIZE


@dataclass(slots=True)
class _Look:
    counts: Counts
    first: list[int] | None = None
    looked_at: float = field(default_factory=time.monotonic)


_looks: dict[tuple[Wanted, dt.date], _Look] = {}


def counts_of(session: Session, wanted: Wanted, today: dt.date) -> Counts:
    """How many there are of each kind: now, or for a large town some seconds ago."""
    look = _recent(wanted, today)
    if look is not None:
        return look.counts
    counts = listing.count(session, wanted)
    if counts.without_filter > FEW:
        if len(_looks) >= MOST_KEPT:
            _looks.clear()
        _looks[wanted, today] = _Look(counts)
    return counts


def ids_of(session: Session, wanted: Wanted, today: dt.date, *, offset: int, size: int) -> list[int]:
    """The numbers of one page, in their order; of the first pages of a large town from some seconds ago."""
    look = _recent(wanted, today)
    if look is None or offset + size > FIRST:
        return listing.ids(session, wanted, today=today, offset=offset, size=size)
    if look.first is None:
        look.first = listing.ids(session, wanted, today=today, offset=0, size=FIRST)
    return look.first[offset : offset + size]


def _recent(wanted: Wanted, today: dt.date) -> _Look | None:
    look = _looks.get((wanted, today))
    return look if look is not None and time.monotonic() - look.looked_at < SECONDS_KEPT else None
