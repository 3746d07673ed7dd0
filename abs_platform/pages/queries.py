# SPDX-License-Identifier: EUPL-1.2
"""What the home page tells about the whole platform."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from abs_platform.donations.queries import overall_total
from abs_platform.initiatives.queries import count_by_state
from abs_platform.initiatives.states import InitiativeState

_FUNDED = (InitiativeState.FUNDED, InitiativeState.IN_PROGRESS, InitiativeState.REALISED)


@dataclass(frozen=True, slots=True)
class PlatformTotals:
    """What all residents did together; the amount in cents."""

    raised_cents: int
    gifts: int
    initiatives_collecting: int
    initiatives_funded: int


def platform_totals(session: Session) -> PlatformTotals:
    """The totals in two queries."""
    total, counts = overall_total(session), count_by_state(session)
    return PlatformTotals(
        raised_cents=total.cents,
        gifts=total.givers,
        initiatives_collecting=counts.get(InitiativeState.PUBLISHED, 0),
        initiatives_funded=sum(counts.get(state, 0) for state in _FUNDED),
    )
