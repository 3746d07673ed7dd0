# SPDX-License-Identifier: EUPL-1.2
"""The closing report of a round: where every euro of its vouchers is, from the books.

What was issued is what initiatives hold of it, what went back to the budget and what is still alive. Both sides come
from postings and are compared with the vouchers themselves: it adds up to the cent, or it says that it does not.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.states import TransactionKind as Kind
from abs_platform.reports.queries import RoundReport, RoundTotals

_BOOKED = text("""
    SELECT t.kind, SUM(p.amount_cents)::bigint FROM ledger_postings p
    JOIN ledger_transactions t ON t.id = p.transaction_id
    WHERE p.round_id = :round_id AND p.account = 'vouchers' GROUP BY t.kind
""")
_INITIATIVES = text("""
    SELECT i.id, i.title, i.state, SUM(o.amount_cents)::bigint,
           SUM(o.amount_cents) FILTER (WHERE t.kind = 'voucher_given')::bigint
    FROM ledger_postings p
    JOIN ledger_transactions t ON t.id = p.transaction_id AND t.kind IN ('voucher_given', 'voucher_returned')
    JOIN ledger_postings o ON o.transaction_id = t.id AND o.account = 'initiative'
    JOIN initiatives i ON i.id = o.initiative_id
    WHERE p.round_id = :round_id AND p.account = 'vouchers'
    GROUP BY i.id ORDER BY 4 DESC, i.id
""")


@dataclass(frozen=True, slots=True)
class InitiativeShare:
    """What one initiative was given from this round, what of it went back, and so what it keeps, in cents."""

    id: int
    title: str
    state: InitiativeState
    keeps_cents: int
    given_cents: int

    @property
    def back_cents(self) -> int:
        """What went back to those who gave it."""
        return self.given_cents - self.keeps_cents


@dataclass(slots=True)
class ClosingReport:
    """Where the money of a round is, in cents. ``totals`` are the vouchers themselves, as they are now."""

    report: RoundReport
    totals: RoundTotals
    issued_cents: int
    expired_cents: int
    revoked_cents: int
    living_cents: int
    initiatives: list[InitiativeShare] = field(default_factory=list)

    @property
    def given_cents(self) -> int:
        """What initiatives keep of it."""
        return sum(one.keeps_cents for one in self.initiatives)

    @property
    def sum_cents(self) -> int:
        """All the places where it is."""
        return self.given_cents + self.expired_cents + self.revoked_cents + self.living_cents

    @property
    def difference_cents(self) -> int:
        """What is missing; nought when it adds up."""
        return self.issued_cents - self.sum_cents

    @property
    def kept_cents(self) -> int:
        """What of the living is kept in accounts."""
        return self.totals.kept * self.report.amount_cents

    @property
    def is_as_counted(self) -> bool:
        """Whether the vouchers say of each place the same as the books."""
        one, amount = self.totals, self.report.amount_cents
        counted = [one.issued, one.given, one.expired, one.revoked, one.living + one.kept]
        booked = [self.issued_cents, self.given_cents, self.expired_cents, self.revoked_cents, self.living_cents]
        return [count * amount for count in counted] == booked

    @property
    def adds_up(self) -> bool:
        """Whether every cent is where the books and the vouchers say."""
        return self.difference_cents == 0 and self.is_as_counted

    @property
    def by_state(self) -> list[tuple[InitiativeState, list[InitiativeShare]]]:
        """The initiatives that were given something, by where they are now."""
        found: dict[InitiativeState, list[InitiativeShare]] = defaultdict(list)
        for one in self.initiatives:
            found[one.state].append(one)
        return [(state, found[state]) for state in InitiativeState if state in found]


def closing_report(session: Session, report: RoundReport, totals: RoundTotals) -> ClosingReport:
    """Where the money of a round is. The totals are counted anew: kept figures would prove nothing."""
    cents = {Kind(kind): int(total) for kind, total in session.execute(_BOOKED, {"round_id": report.id})}
    shares = [
        InitiativeShare(row[0], row[1], InitiativeState(row[2]), int(row[3]), int(row[4] or 0))
        for row in session.execute(_INITIATIVES, {"round_id": report.id})
    ]
    return ClosingReport(
        report,
        totals,
        issued_cents=cents.get(Kind.VOUCHERS_ISSUED, 0),
        expired_cents=-cents.get(Kind.VOUCHERS_EXPIRED, 0),
        revoked_cents=-cents.get(Kind.VOUCHERS_REVOKED, 0),
        living_cents=sum(cents.values()),
        initiatives=shares,
    )
