# SPDX-License-Identifier: EUPL-1.2
"""The books over a month or a year: what each account began with, what moved it, what it ended with; and every line."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.clock import AMSTERDAM, end_of_day, start_of_day
from abs_platform.ledger.states import Account, TransactionKind

FIRST_YEAR = 2000
_PERIOD = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2}))?", re.ASCII)
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Period:
    """A whole month or a whole year, in Amsterdam."""

    first_day: dt.date
    last_day: dt.date

    @classmethod
    def read(cls, text_: str) -> Self | None:
        """Read "2026-11" or "2026"; None for anything else."""
        found = _PERIOD.fullmatch(text_)
        if found is None or int(found["year"]) < FIRST_YEAR:
            return None
        if found["month"] is None:
            return cls(dt.date(int(found["year"]), 1, 1), dt.date(int(found["year"]), 12, 31))
        return cls.of_month(int(found["year"]), int(found["month"])) if 1 <= int(found["month"]) <= 12 else None

    @classmethod
    def of_month(cls, year: int, month: int) -> Self:
        """One month."""
        next_month = dt.date(year + month // 12, month % 12 + 1, 1) if year < dt.MAXYEAR else dt.date.max
        return cls(dt.date(year, month, 1), next_month - dt.timedelta(days=1))

    @property
    def is_year(self) -> bool:
        """Whether it is a year."""
        return self.first_day.month != self.last_day.month

    @property
    def slug(self) -> str:
        """As it stands in an address: "2026-11" or "2026"."""
        return f"{self.first_day:%Y}" if self.is_year else f"{self.first_day:%Y-%m}"

    @property
    def begins_at(self) -> dt.datetime:
        """The first moment, aware UTC."""
        return start_of_day(self.first_day)

    @property
    def ends_at(self) -> dt.datetime:
        """The first moment after it, aware UTC."""
        return end_of_day(self.last_day)

    def is_past(self, today: dt.date) -> bool:
        """Whether nothing can be booked in it any more: only then it is closed."""
        return self.last_day < today


class Movement(NamedTuple):
    """What one kind of booking did to an account, in cents."""

    kind: TransactionKind
    number: int
    amount_cents: int


@dataclass(slots=True)
class AccountReport:
    """One account over a period, in cents."""

    account: Account
    opening_cents: int
    movements: list[Movement] = field(default_factory=list)

    @property
    def moved_cents(self) -> int:
        """All movements together."""
        return sum(movement.amount_cents for movement in self.movements)

    @property
    def closing_cents(self) -> int:
        """What it ends with."""
        return self.opening_cents + self.moved_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The books over a period. ``fingerprint`` is the SHA-256 of all its lines in their order.

    Accounts hold each other in balance: openings, movements and closings each sum to zero.
    """

    period: Period
    accounts: list[AccountReport]
    kinds: list[Movement]
    fingerprint: str

    @property
    def transaction_count(self) -> int:
        """How many transactions were booked."""
        return sum(kind.number for kind in self.kinds)

    @property
    def adds_up(self) -> bool:
        """Whether openings, movements and closings each sum to zero."""
        sums = (
            sum(account.opening_cents for account in self.accounts),
            sum(account.moved_cents for account in self.accounts),
        )
        return sums == (0, 0)


class Line(NamedTuple):
    """One posting, as an export shows it: nothing of a giver, nothing of a bank account. Amount in cents."""

    transaction_id: int
    booked_at: dt.datetime
    kind: TransactionKind
    account: Account
    round: str
    initiative_id: int | None
    initiative: str
    payout_id: int | None
    external_id: str
    amount_cents: int

    @property
    def booked_local(self) -> dt.datetime:
        """When it was booked, in Amsterdam."""
        return self.booked_at.astimezone(AMSTERDAM)


def balances_before(session: Session, moment: dt.datetime) -> dict[Account, int]:
    """What each account held just before a moment, in cents; an account that nothing was ever booked on holds 0."""
    rows = session.execute(
        text("""
            SELECT p.account, SUM(p.amount_cents)::bigint
            FROM ledger_postings p JOIN ledger_transactions t ON t.id = p.transaction_id
            WHERE t.booked_at < :moment GROUP BY p.account
        """),
        {"moment": moment},
    )
    found = {Account(account): int(cents) for account, cents in rows}
    return {account: found.get(account, 0) for account in Account}


_BETWEEN = "t.booked_at >= :begins_at AND t.booked_at < :ends_at"
_MOVEMENTS = text(f"""
    SELECT p.account, t.kind, COUNT(DISTINCT t.id), SUM(p.amount_cents)::bigint
    FROM ledger_postings p JOIN ledger_transactions t ON t.id = p.transaction_id
    WHERE {_BETWEEN} GROUP BY p.account, t.kind
""")  # noqa: S608 - our own words
_KINDS = text(f"""
    SELECT t.kind, COUNT(*), COALESCE(SUM((
        SELECT SUM(p.amount_cents) FROM ledger_postings p WHERE p.transaction_id = t.id AND p.amount_cents > 0
    )), 0)::bigint
    FROM ledger_transactions t WHERE {_BETWEEN} GROUP BY t.kind
""")  # noqa: S608 - our own words
_FINGERPRINT = text(f"""
    SELECT encode(sha256(convert_to(COALESCE(string_agg(concat_ws('|', p.id, t.id, t.kind,
               (EXTRACT(EPOCH FROM t.booked_at) * 1000000)::bigint, p.account, p.round_id, p.initiative_id,
               p.amount_cents), E'\\n' ORDER BY p.id), ''), 'UTF8')), 'hex')
    FROM ledger_postings p JOIN ledger_transactions t ON t.id = p.transaction_id
    WHERE {_BETWEEN}
""")  # noqa: S608 - our own words
_LINES = text(f"""
    SELECT t.id, t.booked_at, t.kind, p.account, COALESCE(r.name, ''), p.initiative_id, COALESCE(i.title, ''),
           t.payout_id, COALESCE(t.external_id, ''), p.amount_cents
    FROM ledger_postings p
    JOIN ledger_transactions t ON t.id = p.transaction_id
    LEFT JOIN rounds r ON r.id = p.round_id
    LEFT JOIN initiatives i ON i.id = p.initiative_id
    WHERE {_BETWEEN}
    ORDER BY t.id, p.id
""")  # noqa: S608 - our own words


def _bounds(period: Period) -> dict[str, dt.datetime]:
    return {"begins_at": period.begins_at, "ends_at": period.ends_at}


def report_of(session: Session, period: Period) -> Report:
    """The report of a period. Of one that still runs all queries must see one moment (database.one_snapshot)."""
    opening = balances_before(session, period.begins_at)
    accounts = {account: AccountReport(account, cents) for account, cents in opening.items()}
    order = {kind: number for number, kind in enumerate(TransactionKind)}
    moved = [
        (Account(row[0]), Movement(TransactionKind(row[1]), row[2], int(row[3])))
        for row in session.execute(_MOVEMENTS, _bounds(period))
    ]
    for account, movement in sorted(moved, key=lambda one: order[one[1].kind]):
        accounts[account].movements.append(movement)
    kinds = [Movement(TransactionKind(row[0]), row[1], int(row[2])) for row in session.execute(_KINDS, _bounds(period))]
    return Report(
        period=period,
        accounts=[one for one in accounts.values() if one.opening_cents or one.movements],
        kinds=sorted(kinds, key=lambda one: order[one.kind]),
        fingerprint=str(session.scalar(_FINGERPRINT, _bounds(period))),
    )


def lines_of(session: Session, period: Period) -> Iterator[Line]:
    """Every posting of a period in its order, as a stream: a year may have millions."""
    rows = session.execute(_LINES, _bounds(period), execution_options={"yield_per": _BATCH})
    for row in rows:
        yield Line(*row)._replace(kind=TransactionKind(row[2]), account=Account(row[3]))


def first_booking(session: Session) -> dt.datetime | None:
    """When the books began."""
    found: dt.datetime | None = session.scalar(text("SELECT MIN(booked_at) FROM ledger_transactions"))
    return found
