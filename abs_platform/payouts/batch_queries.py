# SPDX-License-Identifier: EUPL-1.2
"""Reads of finance: what can be put into a file for the bank, the files, and the statements with what they did."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from abs_platform.accounts.queries import names_of
from abs_platform.events import Event
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState
from abs_platform.paging import Page, page_of
from abs_platform.payouts.models import BankStatement, Payout, PayoutBatch, StatementLine
from abs_platform.payouts.permissions import PAYABLE_STATES
from abs_platform.payouts.states import BatchState, LineOutcome, PayoutState
from abs_platform.users import User

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRow:
    """A payout as a row of a file; ``is_own``: whoever looks organises that initiative."""

    id: int
    initiative_id: int
    title: str
    initiative_state: InitiativeState
    holder_name: str
    iban_masked: str
    amount_cents: int
    state: PayoutState
    end_to_end_id: str
    paid_on: dt.date | None
    approved_at: dt.datetime | None
    is_own: bool

    @property
    def is_payable(self) -> bool:
        """Whether its initiative goes on, and this person may have a hand in it."""
        return self.initiative_state in PAYABLE_STATES and not self.is_own


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """A file for the bank as pages show it."""

    id: int
    message_id: str
    state: BatchState
    payout_count: int
    sum_cents: int
    execution_on: dt.date
    sha256: str
    made_at: dt.datetime
    made_by_id: int
    made_by: str
    released_at: dt.datetime | None
    released_by: str
    ended_at: dt.datetime | None
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """That somebody took the file."""

    happened_at: dt.datetime
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementView:
    """A statement with its counts; ``others`` are lines that have nothing to do with payouts."""

    id: int
    statement_ids: str
    sha256: str
    line_count: int
    matched_count: int
    differing_count: int
    known_count: int
    uploaded_at: dt.datetime
    uploaded_by: str

    @property
    def others(self) -> int:
        """How many lines are not ours."""
        return self.line_count - self.matched_count - self.differing_count - self.known_count


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A line of a statement beside its payout, if there is one."""

    booked_on: dt.date
    is_credit: bool
    amount_cents: int
    end_to_end_id: str
    outcome: LineOutcome
    payout_id: int | None
    payout_cents: int | None
    title: str | None


def to_pay(session: Session, user: User) -> list[PaymentRow]:
    """All payouts that are approved and in no file, the oldest first."""
    query = _payments().where(Payout.state == PayoutState.APPROVED.value).order_by(Payout.approved_at, Payout.id)
    return _rows(session, query, user)


def payments_of(session: Session, batch: BatchView, user: User) -> list[PaymentRow]:
    """The payouts of a file; those of one that was taken back are told by the event of its making."""
    chosen = Payout.batch_id == batch.id
    if batch.state == BatchState.CANCELLED:
        made = session.scalars(
            select(Event.details).where(Event.kind == "payout_batch.made", Event.subject_id == batch.id)
        ).first()
        chosen = Payout.id.in_((made or {}).get("payout_ids", []))
    return _rows(session, _payments().where(chosen).order_by(Payout.id), user)


def files_of(session: Session, payout_id: int) -> list[str]:
    """The names of all files that a payout was ever in, also of those that were taken back."""
    made = (Event.kind == "payout_batch.made") & (Event.subject_id == PayoutBatch.id)
    query = select(PayoutBatch.message_id).join(Event, made)
    return list(session.scalars(query.where(Event.details["payout_ids"].contains([payout_id]))))


def batches(session: Session, page: int = 1) -> Page[BatchView]:
    """The files, the newest first."""
    total = session.scalar(select(func.count()).select_from(PayoutBatch)) or 0
    window = page_of(total, page, PAGE_SIZE)
    query = select(PayoutBatch).order_by(PayoutBatch.id.desc()).limit(PAGE_SIZE).offset(window.offset)
    found = list(session.scalars(query))
    names = names_of(session, [one for row in found for one in (row.made_by_id, row.released_by_id) if one])
    return Page(items=[_batch(row, names) for row in found], number=window.number, pages=window.pages, total=total)


def find_batch(session: Session, batch_id: int) -> BatchView | None:
    """One file, or None."""
    row = session.get(PayoutBatch, batch_id, populate_existing=True) if batch_id < 2**63 else None
    if row is None:
        return None
    return _batch(row, names_of(session, [one for one in (row.made_by_id, row.released_by_id) if one]))


def downloads_of(session: Session, batch_id: int) -> list[Download]:
    """Who took the file, the first first."""
    query = select(Event.happened_at, Event.actor).where(
        Event.kind == "payout_batch.downloaded", Event.subject_id == batch_id
    )
    rows = session.execute(query.order_by(Event.id)).all()
    by_id = {row.actor: int(row.actor.rpartition(":")[2]) for row in rows if row.actor.rpartition(":")[2].isdecimal()}
    names = names_of(session, by_id.values())
    return [Download(happened_at=row.happened_at, name=names.get(by_id.get(row.actor, 0), "")) for row in rows]


def statements(session: Session, page: int = 1) -> Page[StatementView]:
    """The statements that were taken in, the newest first."""
    total = session.scalar(select(func.count()).select_from(BankStatement)) or 0
    window = page_of(total, page, PAGE_SIZE)
    query = select(BankStatement).order_by(BankStatement.id.desc()).limit(PAGE_SIZE).offset(window.offset)
    found = list(session.scalars(query))
    names = names_of(session, [row.uploaded_by_id for row in found])
    return Page(items=[_statement(row, names) for row in found], number=window.number, pages=window.pages, total=total)


def find_statement(session: Session, statement_id: int) -> StatementView | None:
    """One statement, or None."""
    row = session.get(BankStatement, statement_id, populate_existing=True) if statement_id < 2**63 else None
    return None if row is None else _statement(row, names_of(session, [row.uploaded_by_id]))


def lines_of(session: Session, statement_id: int) -> list[LineView]:
    """The lines of a statement that are ours: what differs first."""
    query = (
        select(StatementLine, Payout.id, Payout.amount_cents, Initiative.title)
        .outerjoin(Payout, Payout.end_to_end_id == StatementLine.end_to_end_id)
        .outerjoin(Initiative, Initiative.id == Payout.initiative_id)
        .where(StatementLine.statement_id == statement_id)
        .order_by(StatementLine.outcome != LineOutcome.DIFFERS.value, StatementLine.id)
    )
    return [
        LineView(
            booked_on=line.booked_on,
            is_credit=line.is_credit,
            amount_cents=line.amount_cents,
            end_to_end_id=line.end_to_end_id,
            outcome=LineOutcome(line.outcome),
            payout_id=payout_id,
            payout_cents=cents,
            title=title,
        )
        for line, payout_id, cents, title in session.execute(query)
    ]


def _payments() -> Select[Payout, Initiative]:
    return select(Payout, Initiative).join(Initiative, Initiative.id == Payout.initiative_id)


def _rows(session: Session, query: Select[Payout, Initiative], user: User) -> list[PaymentRow]:
    found = session.execute(query.execution_options(populate_existing=True)).all()
    own = set(
        session.scalars(
            select(Organiser.initiative_id).where(
                Organiser.confirmed_at.is_not(None),
                (Organiser.account_id == user.account_id) | (Organiser.email == user.email),
                Organiser.initiative_id.in_({payout.initiative_id for payout, _initiative in found}),
            )
        )
    )
    return [
        PaymentRow(
            id=payout.id,
            initiative_id=initiative.id,
            title=initiative.title,
            initiative_state=InitiativeState(initiative.state),
            holder_name=payout.holder_name,
            iban_masked=payout.iban_masked,
            amount_cents=payout.amount_cents,
            state=PayoutState(payout.state),
            end_to_end_id=payout.end_to_end_id,
            paid_on=payout.paid_on,
            approved_at=payout.approved_at,
            is_own=initiative.id in own,
        )
        for payout, initiative in found
    ]


def _batch(row: PayoutBatch, names: dict[int, str]) -> BatchView:
    return BatchView(
        id=row.id,
        message_id=row.message_id,
        state=BatchState(row.state),
        payout_count=row.payout_count,
        sum_cents=row.sum_cents,
        execution_on=row.execution_on,
        sha256=row.sha256,
        made_at=row.made_at,
        made_by_id=row.made_by_id,
        made_by=names.get(row.made_by_id, ""),
        released_at=row.released_at,
        released_by=names.get(row.released_by_id or 0, ""),
        ended_at=row.ended_at,
        remark=row.remark,
    )


def _statement(row: BankStatement, names: dict[int, str]) -> StatementView:
    return StatementView(
        id=row.id,
        statement_ids=row.statement_ids,
        sha256=row.sha256,
        line_count=row.line_count,
        matched_count=row.matched_count,
        differing_count=row.differing_count,
        known_count=row.known_count,
        uploaded_at=row.uploaded_at,
        uploaded_by=names.get(row.uploaded_by_id, ""),
    )
