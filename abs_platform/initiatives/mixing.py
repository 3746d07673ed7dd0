# SPDX-License-Identifier: EUPL-1.2
"""The fair mix: in which order a list shows what collects, so that small and new initiatives get their place too."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What the mix looks at of an initiative that collects."""

    id: int
    cents: int
    givers: int
    target_cents: int
    published_at: dt.datetime
    deadline_on: dt.date

    @property
    def share(self) -> float:
        """How much of its target is there."""
        return self.cents / max(1, self.target_cents)


def fair_mix(candidates: Sequence[Candidate], day: dt.date) -> list[int]:
    """The numbers of all candidates in the order of the fair mix of a day.

    1. There are four rows: what is almost there, what is new, what has the fewest gifts, and what ends soon.
    2. Each row gives one in turn: the first that was not shown yet. So every fourth place belongs to each of them.
    3. Where two are alike a lot of that day decides, so that tomorrow another one comes first.
    4. The order is made once a day: who turns the page sees nothing twice and misses nothing.
    5. What is published during the day comes before all of them until the next mix (see listing).
    """
    drawn = {one.id: _lot(day, one.id) for one in candidates}
    rows: list[Callable[[Candidate], Any]] = [
        lambda one: (-one.share, drawn[one.id]),
        lambda one: (-one.published_at.timestamp(), drawn[one.id]),
        lambda one: (one.givers, drawn[one.id]),
        lambda one: (one.deadline_on, drawn[one.id]),
    ]
    queues = [iter(sorted(candidates, key=row)) for row in rows]
    mixed: dict[int, None] = {}
    while len(mixed) < len(candidates):
        for queue in queues:
            following = next((one.id for one in queue if one.id not in mixed), None)
            if following is not None:
                mixed[following] = None
    return list(mixed)


def _lot(day: dt.date, number: int) -> bytes:
    return hashlib.sha256(f"{day.isoformat()}:{number}".encode()).digest()[:8]
