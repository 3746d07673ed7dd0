# SPDX-License-Identifier: EUPL-1.2
"""What all residents gave together, remembered for some seconds in each process: no page adds up every gift."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from flask import current_app
from sqlalchemy.orm import Session

from abs_platform.pages.queries import PlatformTotals, platform_totals

SECONDS_KEPT = 15.0
MEMORY = "platform_totals"


@dataclass(slots=True)
class TotalsMemory:
    """The totals as this process counted them last; ``counted_at`` is on the monotonic clock."""

    seconds_kept: float = SECONDS_KEPT
    totals: PlatformTotals | None = None
    counted_at: float = 0.0
    counting: threading.Lock = field(default_factory=threading.Lock)


def platform_totals_of_late(session: Session) -> PlatformTotals:
    """The totals of at most some seconds ago. While one visitor counts them anew, the others get the last ones."""
    memory: TotalsMemory = current_app.extensions.setdefault(MEMORY, TotalsMemory())
    totals = memory.totals
    if totals is not None and time.monotonic() - memory.counted_at < memory.seconds_kept:
        return totals
    if totals is not None and memory.counting.locked():
        return totals
    with memory.counting:
        memory.totals = platform_totals(session)
        memory.counted_at = time.monotonic()
        return memory.totals
