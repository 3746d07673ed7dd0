# SPDX-License-Identifier: EUPL-1.2
"""What finance reads: whether the books are whole, the tasks, and the story of a payment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, false, func, or_, select
from sqlalchemy.orm import Session

from abs_platform.accounts.queries import names_of
from abs_platform.donations.models import Donation
from abs_platform.donations.states import DonationState
from abs_platform.finance.models import BooksCheck, FinanceTask
from abs_platform.finance.states import Settlement, TaskKind
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.job_runs import JobRun
from abs_platform.money import euros_in
from abs_platform.paging import Page, page_of
from abs_platform.payments.models import Payment
from abs_platform.payments.states import PaymentState, RefundReason

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class TaskFilters:
    """Which tasks: open or closed ones, of a kind, and what was searched for."""

    is_closed: bool = False
    kind: TaskKind | None = None
    search: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task as pages show it."""

    id: int
    kind: TaskKind
    opened_at: dt.datetime
    amount_cents: int | None
    ours: str
    theirs: str
    external_id: str
    payment_id: int | None
    payout_id: int | None
    initiative_id: int | None
    title: str | None
    initiative_state: InitiativeState | None
    settled_at: dt.datetime | None
    settlement: Settlement | None
    settled_note: str
    settled_by: str

    @property
    def is_open(self) -> bool:
        """Whether nobody settled it yet."""
        return self.settled_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStory:
    """A payment with its gift, for who has to reach the giver: name and addresses as far as they were left."""

    id: int
    donation_id: int
    reference: str
    state: PaymentState
    donation_state: DonationState
    amount_cents: int
    returned_cents: int
    created_at: dt.datetime
    paid_at: dt.datetime | None
    method: str
    refund_reason: RefundReason | None
    refund_asked_at: dt.datetime | None
    refund_error: str
    refunded_at: dt.datetime | None
    is_borne: bool
    names_at_provider: list[str]
    giver_name: str | None
    organisation_name: str | None
    emails: list[str]
    message: str | None


def books_are_broken(session: Session) -> bool:
    """Whether the last proof of the books found a breach: no payout moves until they are whole again."""
    query = select(BooksCheck.breach_count).order_by(BooksCheck.id.desc()).limit(1)
    return bool(session.scalar(query))


def is_payout_in_question(session: Session, payout_id: int, file_names: Sequence[str]) -> bool:
    """Whether a line of the bank about this payout, or a file it was in, waits for somebody: it may have been paid."""
    query = select(FinanceTask.id).where(
        FinanceTask.kind == TaskKind.STATEMENT.value,
        or_(FinanceTask.payout_id == payout_id, FinanceTask.external_id.in_(file_names)),
        FinanceTask.settled_at.is_(None),
    )
    return session.scalar(query.limit(1)) is not None


def last_check(session: Session) -> BooksCheck | None:
    """The last proof of the books."""
    return session.scalar(select(BooksCheck).order_by(BooksCheck.id.desc()).limit(1))


def last_run(session: Session, job: str) -> JobRun | None:
    """The last run of a job."""
    return session.scalar(select(JobRun).where(JobRun.job == job).order_by(JobRun.id.desc()).limit(1))


def tasks(session: Session, filters: TaskFilters, page: int) -> Page[TaskView]:
    """A page of tasks: open ones the oldest first, closed ones the last settled first."""
    fits = _conditions(filters)
    counted = select(func.count()).select_from(FinanceTask).outerjoin(Payment, Payment.id == FinanceTask.payment_id)
    counted = counted.outerjoin(Donation, _OF_PAYMENT).outerjoin(Initiative, _OF_INITIATIVE)
    total = session.scalars(counted.where(*fits)).one()
    window = page_of(total, page, PAGE_SIZE)
    order = FinanceTask.settled_at.desc() if filters.is_closed else FinanceTask.opened_at
    rows = session.execute(_rows().where(*fits).order_by(order, FinanceTask.id).limit(PAGE_SIZE).offset(window.offset))
    items = _views(session, rows.all())
    return Page(items=items, number=window.number, pages=window.pages, total=total)


def find_task(session: Session, task_id: int) -> TaskView | None:
    """One task, or None."""
    return next(iter(_views(session, session.execute(_rows().where(FinanceTask.id == task_id)).all())), None)


def payment_story(session: Session, payment_id: int) -> PaymentStory | None:
    """A payment and its gift, or None."""
    row = session.execute(
        select(Payment, Donation).join(Donation, Donation.id == Payment.donation_id).where(Payment.id == payment_id)
    ).first()
    if row is None:
        return None
    payment, gift = row
    names = (payment.checkout_id, payment.intent_id, payment.charge_id, payment.refund_id, payment.dispute_id)
    return PaymentStory(
        id=payment.id,
        donation_id=gift.id,
        reference=gift.reference,
        state=PaymentState(payment.state),
        donation_state=DonationState(gift.state),
        amount_cents=payment.amount_cents,
        returned_cents=payment.returned_cents,
        created_at=payment.created_at,
        paid_at=payment.paid_at,
        method=payment.method,
        refund_reason=RefundReason(payment.refund_reason) if payment.refund_reason else None,
        refund_asked_at=payment.refund_asked_at,
        refund_error=payment.refund_error,
        refunded_at=payment.refunded_at,
        is_borne=payment.is_borne,
        names_at_provider=[name for name in names if name],
        giver_name=gift.giver_name,
        organisation_name=payment.organisation_name,
        emails=list(dict.fromkeys(email for email in (payment.receipt_email, gift.giver_email) if email)),
        message=gift.message,
    )


_OF_PAYMENT = Donation.id == Payment.donation_id
_OF_INITIATIVE = Initiative.id == func.coalesce(FinanceTask.initiative_id, Donation.initiative_id)


def _rows() -> Select[Any, Any, Any, Any]:
    return (
        select(FinanceTask, Initiative.id, Initiative.title, Initiative.state)
        .outerjoin(Payment, Payment.id == FinanceTask.payment_id)
        .outerjoin(Donation, _OF_PAYMENT)
        .outerjoin(Initiative, _OF_INITIATIVE)
    )


def _conditions(filters: TaskFilters) -> list[ColumnElement[bool]]:
    is_closed = FinanceTask.settled_at.is_not(None)
    found: list[ColumnElement[bool]] = [is_closed if filters.is_closed else ~is_closed]
    if filters.kind is not None:
        found.append(FinanceTask.kind == filters.kind.value)
    if filters.search:
        number = filters.search.removeprefix("#")
        is_number = number.isascii() and number.isdecimal() and len(number) < 19
        cents = euros_in(filters.search)
        found.append(
            or_(
                FinanceTask.id == (int(number) if is_number else 0),
                FinanceTask.external_id == filters.search,
                Donation.reference == filters.search.upper(),
                Initiative.title.icontains(filters.search, autoescape=True),
                func.abs(FinanceTask.amount_cents) == cents if cents is not None else false(),
            )
        )
    return found


def _views(session: Session, rows: Sequence[Row[Any, Any, Any, Any]]) -> list[TaskView]:
    names = names_of(session, {row[0].settled_by_id for row in rows if row[0].settled_by_id})
    return [
        TaskView(
            id=task.id,
            kind=TaskKind(task.kind),
            opened_at=task.opened_at,
            amount_cents=task.amount_cents,
            ours=task.ours,
            theirs=task.theirs,
            external_id=task.external_id,
            payment_id=task.payment_id,
            payout_id=task.payout_id,
            initiative_id=initiative_id,
            title=title,
            initiative_state=InitiativeState(state) if state else None,
            settled_at=task.settled_at,
            settlement=Settlement(task.settlement) if task.settlement else None,
            settled_note=task.settled_note,
            settled_by=names.get(task.settled_by_id or 0, ""),
        )
        for task, initiative_id, title, state in rows
    ]
