# SPDX-License-Identifier: EUPL-1.2
"""What an initiative did not spend is paid back (rule 9): who must, how much, and what came back.

What is due is what was paid out without what it cost, once the desk agreed with the costs.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session

from abs_platform.accountability.models import Accountability, CostLine
from abs_platform.accountability.states import AccountabilityState
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.payouts.models import Payout, UnspentReturn
from abs_platform.payouts.states import PayoutState

_ENDED = (InitiativeState.IN_PROGRESS.value, InitiativeState.REALISED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """Money that came back. Amount in cents."""

    amount_cents: int
    received_on: dt.date
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payback:
    """What an initiative got, spent and paid back, in cents."""

    initiative_id: int
    title: str
    paid_cents: int
    spent_cents: int
    returned_cents: int
    is_agreed: bool

    @property
    def due_cents(self) -> int:
        """What must still come back, once the desk agreed with the costs."""
        return max(0, self.paid_cents - self.spent_cents - self.returned_cents) if self.is_agreed else 0

    @property
    def most_cents(self) -> int:
        """What may still be booked as come back."""
        return self.paid_cents - self.returned_cents

    @property
    def reference(self) -> str:
        """What to write with the transfer, in signs that every bank takes."""
        return f"NIET BESTEED {self.initiative_id}"


_PAID = (
    select(func.sum(Payout.amount_cents))
    .where(Payout.initiative_id == Initiative.id, Payout.state == PayoutState.PAID.value)
    .correlate(Initiative)
    .scalar_subquery()
)
_SPENT = (
    select(func.sum(CostLine.actual_cents))
    .where(CostLine.initiative_id == Initiative.id)
    .correlate(Initiative)
    .scalar_subquery()
)
_BACK = (
    select(func.sum(UnspentReturn.amount_cents))
    .where(UnspentReturn.initiative_id == Initiative.id)
    .correlate(Initiative)
    .scalar_subquery()
)
_PAID_CENTS, _SPENT_CENTS, _BACK_CENTS = (func.coalesce(one, 0) for one in (_PAID, _SPENT, _BACK))
_IS_AGREED = func.coalesce(Accountability.state == AccountabilityState.APPROVED.value, False)
_PAYBACKS = select(Initiative.id, Initiative.title, _PAID_CENTS, _SPENT_CENTS, _BACK_CENTS, _IS_AGREED).outerjoin(
    Accountability, Accountability.initiative_id == Initiative.id
)


def payback_of(session: Session, initiative_id: int) -> Payback | None:
    """What an initiative got, spent and paid back; None when there is no such initiative."""
    row = session.execute(_PAYBACKS.where(Initiative.id == initiative_id)).first()
    return None if row is None else _payback(row)


def due(session: Session) -> list[Payback]:
    """The initiatives that still have money to pay back, in the order of their number. One query."""
    is_due = case((_IS_AGREED, _PAID_CENTS - _SPENT_CENTS - _BACK_CENTS), else_=0) > 0
    rows = session.execute(_PAYBACKS.where(Initiative.state.in_(_ENDED), is_due).order_by(Initiative.id))
    return [_payback(row) for row in rows]


def returns_of(session: Session, initiative_id: int) -> list[Returned]:
    """What came back from an initiative, the newest first."""
    query = select(UnspentReturn).where(UnspentReturn.initiative_id == initiative_id)
    rows = session.scalars(query.order_by(UnspentReturn.received_on.desc(), UnspentReturn.id.desc()))
    return [Returned(amount_cents=row.amount_cents, received_on=row.received_on, note=row.note) for row in rows]


def _payback(row: Row[int, str, int, int, int, bool]) -> Payback:
    initiative_id, title, paid, spent, back, is_agreed = row
    return Payback(
        initiative_id=initiative_id,
        title=title,
        paid_cents=int(paid),
        spent_cents=int(spent),
        returned_cents=int(back),
        is_agreed=is_agreed,
    )
