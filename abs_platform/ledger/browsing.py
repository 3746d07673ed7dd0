# SPDX-License-Identifier: EUPL-1.2
"""Looking through the books: the transactions that fit, the newest first, and one of them with its legs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from abs_platform.donations.models import Donation
from abs_platform.initiatives.models import Initiative
from abs_platform.ledger.models import LedgerPosting, LedgerTransaction
from abs_platform.ledger.reports import Period
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.paging import Page, page_of
from abs_platform.rounds.models import Round

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which transactions; None leaves all."""

    period: Period | None = None
    account: Account | None = None
    kind: TransactionKind | None = None
    initiative_id: int | None = None
    cents: int | None = None


@dataclass(frozen=True, slots=True)
class PostingView:
    """One leg, with the name of the round or the initiative whose account it is. Amount in cents."""

    account: Account
    amount_cents: int
    initiative_id: int | None
    title: str | None
    round_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionView:
    """One transaction with its legs. ``is_money_gift``: it is about a gift of money, whose giver is not shown here."""

    id: int
    kind: TransactionKind
    booked_at: dt.datetime
    payout_id: int | None
    external_id: str | None
    is_money_gift: bool
    legs: list[PostingView] = field(default_factory=list)

    @property
    def amount_cents(self) -> int:
        """What moved."""
        return sum(leg.amount_cents for leg in self.legs if leg.amount_cents > 0)


def transactions(session: Session, filters: Filters, page: int) -> Page[TransactionView]:
    """A page of the transactions that fit, the newest first."""
    fits = _conditions(filters)
    total = session.scalars(select(func.count()).select_from(LedgerTransaction).where(*fits)).one()
    window = page_of(total, page, PAGE_SIZE)
    query = select(LedgerTransaction.id).where(*fits).order_by(LedgerTransaction.id.desc())
    ids = session.scalars(query.limit(PAGE_SIZE).offset(window.offset)).all()
    items = _views(session, list(ids))
    return Page(items=items, number=window.number, pages=window.pages, total=total)


def find(session: Session, transaction_id: int) -> TransactionView | None:
    """One transaction, or None."""
    return next(iter(_views(session, [transaction_id])), None)


def of_donation(session: Session, donation_id: int) -> list[TransactionView]:
    """All that was booked of one gift, in its order."""
    query = select(LedgerTransaction.id).where(LedgerTransaction.donation_id == donation_id)
    return sorted(_views(session, list(session.scalars(query))), key=lambda one: one.id)


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.period is not None:
        found.append(LedgerTransaction.booked_at >= filters.period.begins_at)
        found.append(LedgerTransaction.booked_at < filters.period.ends_at)
    if filters.kind is not None:
        found.append(LedgerTransaction.kind == filters.kind.value)
    legs: list[ColumnElement[bool]] = []
    if filters.account is not None:
        legs.append(LedgerPosting.account == filters.account.value)
    if filters.initiative_id is not None:
        legs.append(LedgerPosting.initiative_id == filters.initiative_id)
    if filters.cents is not None:
        legs.append(func.abs(LedgerPosting.amount_cents) == filters.cents)
    if legs:
        found.append(exists().where(LedgerPosting.transaction_id == LedgerTransaction.id, *legs))
    return found


def _views(session: Session, ids: list[int]) -> list[TransactionView]:
    if not ids:
        return []
    rows = session.execute(
        select(LedgerTransaction, Donation.kind)
        .outerjoin(Donation, Donation.id == LedgerTransaction.donation_id)
        .where(LedgerTransaction.id.in_(ids))
        .order_by(LedgerTransaction.id.desc())
    )
    views = [
        TransactionView(
            id=one.id,
            kind=TransactionKind(one.kind),
            booked_at=one.booked_at,
            payout_id=one.payout_id,
            external_id=one.external_id,
            is_money_gift=gift == "money",
        )
        for one, gift in rows
    ]
    legs = session.execute(
        select(LedgerPosting, Initiative.title, Round.name)
        .outerjoin(Initiative, Initiative.id == LedgerPosting.initiative_id)
        .outerjoin(Round, Round.id == LedgerPosting.round_id)
        .where(LedgerPosting.transaction_id.in_(ids))
        .order_by(LedgerPosting.id)
    )
    by_id = {view.id: view for view in views}
    for leg, title, name in legs:
        view = PostingView(Account(leg.account), leg.amount_cents, leg.initiative_id, title, name)
        by_id[leg.transaction_id].legs.append(view)
    return views
