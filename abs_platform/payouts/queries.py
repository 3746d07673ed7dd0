# SPDX-License-Identifier: EUPL-1.2
"""Reads of payouts: what an initiative may still get, where a payout is, and what waits at finance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.orm import Session

from abs_platform.accounts.queries import names_of
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.models import LedgerPosting
from abs_platform.ledger.states import Account
from abs_platform.money import euros_in
from abs_platform.objections.queries import held_cents
from abs_platform.paging import Page, page_of
from abs_platform.payouts.models import Payout, UnspentReturn
from abs_platform.payouts.permissions import Hands
from abs_platform.payouts.states import LIVING_STATES, FinanceList, HolderKind, PayoutState

PAGE_SIZE = 50
LIST_STATES: dict[FinanceList, tuple[PayoutState, ...]] = {
    FinanceList.TO_APPROVE: (PayoutState.CONFIRMED,),
    FinanceList.APPROVED: (PayoutState.APPROVED,),
    FinanceList.AT_BANK: (PayoutState.EXPORTED,),
    FinanceList.PAID: (PayoutState.PAID,),
    FinanceList.ELSEWHERE: (PayoutState.REQUESTED, PayoutState.INCOMPLETE),
    FinanceList.BACK: (PayoutState.REFUSED, PayoutState.BOUNCED),
}
# What waits comes oldest first, what is over newest first.
_NEWEST_FIRST = frozenset({FinanceList.PAID, FinanceList.BACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutView:
    """A payout as pages show it; its account number is masked."""

    id: int
    initiative_id: int
    title: str
    initiative_state: InitiativeState
    amount_cents: int
    target_cents: int
    state: PayoutState
    state_changed_at: dt.datetime
    version: int
    iban_masked: str
    holder_name: str
    holder_kind: HolderKind
    requested_at: dt.datetime
    requested_by_id: int
    requested_by: str
    confirmed_at: dt.datetime | None
    confirmed_by_id: int | None
    confirmed_by: str
    approved_at: dt.datetime | None
    approved_by: str
    remark: str
    batch_id: int | None
    end_to_end_id: str
    paid_on: dt.date | None
    paid_note: str

    @property
    def hands(self) -> Hands:
        """What permissions look at."""
        return Hands(self.state, self.requested_by_id, self.confirmed_by_id)

    @property
    def is_living(self) -> bool:
        """Whether it may still become money."""
        return self.state in LIVING_STATES


def balance_of(session: Session, initiative_id: int) -> int:
    """What the books hold for an initiative now, in cents: its confirmed gifts without what was paid out."""
    query = select(func.coalesce(func.sum(LedgerPosting.amount_cents), 0)).where(
        LedgerPosting.account == Account.INITIATIVE.value, LedgerPosting.initiative_id == initiative_id
    )
    return int(session.scalars(query).one())


def available_of(session: Session, initiative_id: int) -> int:
    """What may be paid out now, in cents: what the books hold, without the gifts that somebody objected to."""
    return balance_of(session, initiative_id) - held_cents(session, initiative_id)


def promised_of(session: Session, initiative_id: int) -> int:
    """What is on its way to being paid, in cents."""
    query = select(func.coalesce(func.sum(Payout.amount_cents), 0)).where(
        Payout.initiative_id == initiative_id, Payout.state.in_([state.value for state in LIVING_STATES])
    )
    return int(session.scalars(query).one())


def paid_out_of(session: Session, initiative_id: int) -> int:
    """What an initiative has in its own bank account from us, in cents."""
    query = select(func.coalesce(func.sum(Payout.amount_cents), 0)).where(
        Payout.initiative_id == initiative_id, Payout.state == PayoutState.PAID.value
    )
    return int(session.scalars(query).one())


def is_more_returned(session: Session, payout: Payout) -> bool:
    """Whether an initiative paid back more than it would have had without this payout, which it was paid."""
    if payout.state != PayoutState.PAID:
        return False
    back = select(func.coalesce(func.sum(UnspentReturn.amount_cents), 0)).where(
        UnspentReturn.initiative_id == payout.initiative_id
    )
    return int(session.scalars(back).one()) > paid_out_of(session, payout.initiative_id) - payout.amount_cents


def at_the_bank(session: Session, initiative_id: int) -> bool:
    """Whether the bank has, or may have, a payout of this initiative: then nothing goes back to its givers."""
    query = select(Payout.id).where(Payout.initiative_id == initiative_id, Payout.may_be_gone()).limit(1)
    return session.scalar(query) is not None


def is_in_doubt(session: Session, initiative_id: int) -> bool:
    """Whether only one person says that a payout of this initiative came back."""
    query = select(Payout.id).where(Payout.initiative_id == initiative_id, Payout.is_doubtful).limit(1)
    return session.scalar(query) is not None


def find(session: Session, payout_id: int) -> PayoutView | None:
    """One payout, or None."""
    return next(iter(_views(session, _rows().where(Payout.id == payout_id))), None) if 0 < payout_id < 2**63 else None


def of_initiative(session: Session, initiative_id: int) -> list[PayoutView]:
    """All payouts of an initiative, the newest first; there is at most one that lives."""
    return _views(session, _rows().where(Payout.initiative_id == initiative_id).order_by(Payout.id.desc()))


def latest_state(session: Session, initiative_id: int) -> PayoutState | None:
    """Where the last payout of an initiative is, or None when none was requested."""
    query = select(Payout.state).where(Payout.initiative_id == initiative_id).order_by(Payout.id.desc()).limit(1)
    found = session.scalar(query)
    return PayoutState(found) if found else None


def living_of_account(session: Session, account_id: int) -> list[str]:
    """The initiatives for which this account asked for money that is still on its way: their titles."""
    living = Payout.state.in_([state.value for state in LIVING_STATES])
    query = select(Initiative.title).join(Payout, Payout.initiative_id == Initiative.id)
    return list(session.scalars(query.where(Payout.requested_by_id == account_id, living).order_by(Payout.id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """One list of finance with what it adds up to, and how many stand in each."""

    page: Page[PayoutView]
    sum_cents: int
    counts: dict[FinanceList, int]


def overview(session: Session, which: FinanceList, *, search: str = "", page: int = 1) -> Overview:
    """A page of one of the lists, with what was searched for: a number, a title, an amount or a reference."""
    found = _searched(search)
    counted = select(Payout.state, func.count(), func.sum(Payout.amount_cents))
    counted = counted.join(Initiative, Initiative.id == Payout.initiative_id).where(*found).group_by(Payout.state)
    numbers = {PayoutState(state): (number, int(cents)) for state, number, cents in session.execute(counted)}
    counts = {one: sum(numbers.get(state, (0, 0))[0] for state in states) for one, states in LIST_STATES.items()}
    window = page_of(counts[which], page, PAGE_SIZE)
    is_newest_first = which in _NEWEST_FIRST
    since = Payout.state_changed_at.desc() if is_newest_first else Payout.state_changed_at
    listed = _rows().where(*found, Payout.state.in_([state.value for state in LIST_STATES[which]]))
    rows = listed.order_by(since, Payout.id).limit(PAGE_SIZE).offset(window.offset)
    items = _views(session, rows) if counts[which] else []
    return Overview(
        page=Page(items=items, number=window.number, pages=window.pages, total=counts[which]),
        sum_cents=sum(numbers.get(state, (0, 0))[1] for state in LIST_STATES[which]),
        counts=counts,
    )


def _searched(search: str) -> list[ColumnElement[bool]]:
    if not search:
        return []
    number = search.removeprefix("#")
    is_number = number.isascii() and number.isdecimal() and len(number) < 19
    cents = euros_in(search)
    return [
        or_(
            Initiative.id == (int(number) if is_number else 0),
            Initiative.title.icontains(search, autoescape=True),
            Payout.end_to_end_id == search.upper(),
            Payout.amount_cents == cents if cents is not None else false(),
        )
    ]


def _rows() -> Select[Payout, Initiative]:
    return (
        select(Payout, Initiative)
        .join(Initiative, Initiative.id == Payout.initiative_id)
        .execution_options(populate_existing=True)
    )


def _views(session: Session, query: Select[Payout, Initiative]) -> list[PayoutView]:
    rows = session.execute(query).all()
    hands: Iterable[int | None] = (
        one for row in rows for one in (row[0].requested_by_id, row[0].confirmed_by_id, row[0].approved_by_id)
    )
    names = names_of(session, [one for one in hands if one is not None])
    return [_view(payout, initiative, names) for payout, initiative in rows]


def _view(payout: Payout, initiative: Initiative, names: dict[int, str]) -> PayoutView:
    return PayoutView(
        id=payout.id,
        initiative_id=payout.initiative_id,
        title=initiative.title,
        initiative_state=InitiativeState(initiative.state),
        amount_cents=payout.amount_cents,
        target_cents=initiative.target_cents,
        state=PayoutState(payout.state),
        state_changed_at=payout.state_changed_at,
        version=payout.version,
        iban_masked=payout.iban_masked,
        holder_name=payout.holder_name,
        holder_kind=HolderKind(payout.holder_kind),
        requested_at=payout.requested_at,
        requested_by_id=payout.requested_by_id,
        requested_by=names.get(payout.requested_by_id, ""),
        confirmed_at=payout.confirmed_at,
        confirmed_by_id=payout.confirmed_by_id,
        confirmed_by=names.get(payout.confirmed_by_id or 0, ""),
        approved_at=payout.approved_at,
        approved_by=names.get(payout.approved_by_id or 0, ""),
        remark=payout.remark,
        batch_id=payout.batch_id,
        end_to_end_id=payout.end_to_end_id,
        paid_on=payout.paid_on,
        paid_note=payout.paid_note,
    )
