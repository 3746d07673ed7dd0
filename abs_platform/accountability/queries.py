# SPDX-License-Identifier: EUPL-1.2
"""Reads of accountabilities: what was planned and what it cost, what is still missing, and what waits at a desk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.accountability.models import Accountability, CostLine, CostReceipt
from abs_platform.accountability.states import AccountabilityState
from abs_platform.donations.queries import total_of
from abs_platform.initiatives.models import BudgetLine, Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.media.models import Picture
from abs_platform.media.queries import PictureView, pictures_of
from abs_platform.media.states import PDF, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRow:
    """A receipt in a list."""

    id: int
    file_name: str
    is_pdf: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A line of the budget beside what it cost. ``actual_cents`` is None until it is filled in."""

    position: int
    description: str
    planned_cents: int | None
    actual_cents: int | None
    no_receipt_reason: str
    receipts: list[ReceiptRow] = field(default_factory=list)

    @property
    def actual_input(self) -> str:
        """The amount as somebody would type it."""
        return "" if self.actual_cents is None else f"{self.actual_cents // 100},{self.actual_cents % 100:02d}"

    @property
    def has_proof(self) -> bool:
        """Whether there is a receipt, or nothing to have one of, or a reason why there is none."""
        return bool(self.actual_cents == 0 or self.receipts or self.no_receipt_reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An accountability as its organisers and the desk see it. Amounts in cents."""

    initiative_id: int
    title: str
    initiative_state: InitiativeState
    state: AccountabilityState
    story: str
    story_version: int
    submitted_at: dt.datetime | None
    decided_at: dt.datetime | None
    remark: str
    raised_cents: int
    costs: list[Cost]
    pictures: list[PictureView]

    @property
    def planned_cents(self) -> int:
        """What the plan would cost."""
        return sum(cost.planned_cents or 0 for cost in self.costs)

    @property
    def spent_cents(self) -> int:
        """What it cost, as far as it is filled in."""
        return sum(cost.actual_cents or 0 for cost in self.costs)

    @property
    def unspent_cents(self) -> int:
        """What is left of what was received: it is paid back (rule 9)."""
        return max(0, self.raised_cents - self.spent_cents)

    @property
    def is_writable(self) -> bool:
        """Whether it is with the organisers."""
        return self.state in (AccountabilityState.DRAFT, AccountabilityState.RETURNED)


def find(session: Session, initiative_id: int) -> Account | None:
    """The accountability of a public initiative; where nobody wrote yet an empty draft with the lines of the budget."""
    initiative = session.get(Initiative, initiative_id, populate_existing=True)
    if initiative is None or initiative.published_at is None:
        return None
    row = session.get(Accountability, initiative_id, populate_existing=True)
    return Account(
        initiative_id=initiative_id,
        title=initiative.title,
        initiative_state=InitiativeState(initiative.state),
        state=AccountabilityState(row.state) if row else AccountabilityState.DRAFT,
        story=row.story if row else "",
        story_version=row.story_version if row else 0,
        submitted_at=row.submitted_at if row else None,
        decided_at=row.decided_at if row else None,
        remark=(row.remark or "") if row else "",
        raised_cents=total_of(session, initiative_id).cents,
        costs=_costs(session, initiative_id) if row else _planned(session, initiative_id),
        pictures=pictures_of(session, initiative_id, purpose=Purpose.ACCOUNTABILITY),
    )


def budget_of(session: Session, initiative_id: int) -> list[tuple[str, int]]:
    """What was planned: description and cents."""
    query = select(BudgetLine).where(BudgetLine.initiative_id == initiative_id).order_by(BudgetLine.position)
    return [(line.description, line.amount_cents) for line in session.scalars(query)]


def _planned(session: Session, initiative_id: int) -> list[Cost]:
    return [
        Cost(position=position, description=description, planned_cents=cents, actual_cents=None, no_receipt_reason="")
        for position, (description, cents) in enumerate(budget_of(session, initiative_id), start=1)
    ]


def _costs(session: Session, initiative_id: int) -> list[Cost]:
    lines = session.scalars(
        select(CostLine)
        .where(CostLine.initiative_id == initiative_id)
        .order_by(CostLine.position)
        .execution_options(populate_existing=True)
    )
    costs = {
        line.id: Cost(
            position=line.position,
            description=line.description,
            planned_cents=line.planned_cents,
            actual_cents=line.actual_cents,
            no_receipt_reason=line.no_receipt_reason,
            receipts=[],
        )
        for line in lines
    }
    receipts = (
        select(CostReceipt, Picture.content_type)
        .join(Picture, Picture.id == CostReceipt.picture_id)
        .where(CostReceipt.cost_id.in_(costs), Picture.removed_at.is_(None))
        .order_by(Picture.position, Picture.id)
    )
    for receipt, content_type in session.execute(receipts):
        costs[receipt.cost_id].receipts.append(
            ReceiptRow(id=receipt.picture_id, file_name=receipt.file_name, is_pdf=content_type == PDF)
        )
    return list(costs.values())


def receipt(session: Session, initiative_id: int, picture_id: int) -> tuple[Picture, str] | None:
    """A receipt of an initiative with the name of its file, or None. Who may see it, the route has asked."""
    row = session.execute(
        select(Picture, CostReceipt.file_name)
        .join(CostReceipt, CostReceipt.picture_id == Picture.id)
        .where(Picture.id == picture_id, Picture.initiative_id == initiative_id, Picture.removed_at.is_(None))
    ).first()
    return None if row is None else (row[0], row[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingAccount:
    """An accountability that waits at a desk."""

    initiative_id: int
    title: str
    desk_area_id: int | None
    submitted_at: dt.datetime


def waiting(session: Session, desk_area_ids: Iterable[int]) -> list[WaitingAccount]:
    """The accountabilities that wait at these desks, the oldest first."""
    rows = session.execute(
        select(Initiative.id, Initiative.title, Initiative.desk_area_id, Accountability.submitted_at)
        .join(Accountability, Accountability.initiative_id == Initiative.id)
        .where(
            Accountability.state == AccountabilityState.SUBMITTED.value,
            Initiative.state == InitiativeState.IN_PROGRESS.value,
            Initiative.desk_area_id.in_(list(desk_area_ids)),
        )
        .order_by(Accountability.submitted_at, Initiative.id)
    )
    return [
        WaitingAccount(initiative_id=id_, title=title, desk_area_id=desk, submitted_at=sent)
        for id_, title, desk, sent in rows
        if sent is not None
    ]


def was_sent(session: Session, initiative_id: int) -> bool:
    """Whether the desk has something to look at: a draft is the organisers' own."""
    sent_at = select(Accountability.submitted_at).where(Accountability.initiative_id == initiative_id)
    return session.scalar(sent_at) is not None
