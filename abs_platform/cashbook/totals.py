# SPDX-License-Identifier: EUPL-1.2
"""What the public books add up to: by account, by who gave, by round and by where an initiative is now.

Every figure is a sum of postings, and every posting is counted in one figure of the picture: so what came in is what
went out and what is there, to the cent, because the ledger itself sums to zero.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.cashbook.lines import conditions
from abs_platform.cashbook.schemas import Filters
from abs_platform.cashbook.states import KINDS, STATES, Phase, Sort
from abs_platform.finance.models import BooksCheck
from abs_platform.ledger.states import Account
from abs_platform.ledger.states import TransactionKind as Kind
from abs_platform.rounds.models import Round

PAYOUT_KINDS = (Kind.PAYOUT_PAID, Kind.PAYOUT_BOUNCED)
_BACK_AT_PROVIDER = (Kind.REFUND_MADE, Kind.REFUND_FAILED, Kind.REFUND_BORNE)
_DISPUTES = KINDS[Sort.DISPUTED]


_SUMS = """
    SELECT p.account, t.kind, COALESCE(d.is_organisation, FALSE), SUM(p.amount_cents)::bigint
    FROM ledger_postings p
    JOIN ledger_transactions t ON t.id = p.transaction_id
    LEFT JOIN donations d ON d.id = t.donation_id AND d.is_organisation
    WHERE {where}
    GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class GivenBy:
    """What one kind of givers gave and got back, in cents."""

    given_cents: int
    back_cents: int


@dataclass(frozen=True, slots=True)
class Sums:
    """The sum of the postings of each account by kind and by whether an organisation gave, in cents."""

    cents: Counter[tuple[Account, Kind, bool]] = field(default_factory=Counter)

    def of(self, account: Account, kinds: Iterable[Kind] | None = None, *, organisation: bool | None = None) -> int:
        """What one account gained by some kinds, or by all."""
        wanted = None if kinds is None else frozenset(kinds)
        return sum(
            cents
            for (one, kind, is_organisation), cents in self.cents.items()
            if one == account
            and (wanted is None or kind in wanted)
            and (organisation is None or is_organisation == organisation)
        )

    @property
    def vouchers(self) -> GivenBy:
        """Vouchers that were given, and that came back."""
        given = self.of(Account.INITIATIVE, [Kind.VOUCHER_GIVEN])
        return GivenBy(given, -self.of(Account.INITIATIVE, [Kind.VOUCHER_RETURNED]))

    def money(self, *, organisation: bool) -> GivenBy:
        """Money that came in of residents or organisations, and that they have back."""
        given = -self.of(Account.PROVIDER, KINDS[Sort.RESIDENTS], organisation=organisation)
        at_provider = self.of(Account.PROVIDER, _BACK_AT_PROVIDER, organisation=organisation)
        return GivenBy(given, at_provider + self.of(Account.BANK, [Kind.REFUND_BY_HAND], organisation=organisation))

    @property
    def paid_out_cents(self) -> int:
        """What went to the bank accounts of initiatives."""
        return self.of(Account.BANK, PAYOUT_KINDS)

    @property
    def effect_cents(self) -> int:
        """What it did to what initiatives hold."""
        return self.of(Account.INITIATIVE)

    @property
    def amount_cents(self) -> int:
        """What the movements moved: as the amounts beside them (queries.Movement) add up."""
        return sum(self._amount(kind) for kind in {kind for _account, kind, _organisation in self.cents})

    def _amount(self, kind: Kind) -> int:
        ours = -self.of(Account.PROVIDER, [kind]) - self.of(Account.BANK, [kind])
        others = (self.of(account, [kind]) for account in (Account.INITIATIVE, Account.VOUCHERS))
        return ours or next(filter(None, others), 0) or -self.of(Account.BANK, [kind])


@dataclass(frozen=True, slots=True)
class RoundSums:
    """What one round put in and what of it nobody used, in cents."""

    id: int
    name: str
    issued_cents: int
    expired_cents: int


@dataclass(frozen=True, slots=True)
class PhaseSums:
    """What the initiatives in one phase hold, and what they were paid and did not give back, in cents."""

    held_cents: int
    spent_cents: int


@dataclass(frozen=True, slots=True)
class LastCheck:
    """When the books were last proven, and whether they were right."""

    checked_at: dt.datetime
    is_right: bool


def sums(session: Session, filters: Filters) -> Sums:
    """What the movements that were chosen add up to."""
    where, values = conditions(filters)
    rows = session.execute(
        text(_SUMS.format(where=" AND ".join(where))),
        values,
    )
    return Sums(Counter({(Account(account), Kind(kind), org): cents for account, kind, org, cents in rows}))


def round_sums(session: Session) -> list[RoundSums]:
    """What each round put in, newest first. A voucher that was revoked counts as never issued: another replaced it."""
    rows = session.execute(
        text("""
            SELECT r.id, r.name,
                   -SUM(p.amount_cents) FILTER (WHERE t.kind <> 'vouchers_expired'),
                   COALESCE(SUM(p.amount_cents) FILTER (WHERE t.kind = 'vouchers_expired'), 0)
            FROM ledger_postings p
            JOIN ledger_transactions t ON t.id = p.transaction_id
            JOIN rounds r ON r.id = p.round_id
            WHERE p.account = 'budget'
            GROUP BY r.id ORDER BY r.opens_at DESC, r.id DESC
        """)
    )
    return [RoundSums(row[0], row[1], int(row[2] or 0), int(row[3])) for row in rows]


def phase_sums(session: Session) -> dict[Phase, PhaseSums]:
    """Where the money of initiatives is, by where they are now."""
    rows = session.execute(
        text("""
            SELECT i.state, p.account = 'initiative', SUM(p.amount_cents)::bigint
            FROM ledger_postings p JOIN initiatives i ON i.id = p.initiative_id
            GROUP BY 1, 2
            UNION ALL
            SELECT i.state, NULL, -SUM(p.amount_cents)::bigint
            FROM ledger_transactions t
            JOIN ledger_postings p ON p.transaction_id = t.id AND p.account = 'initiative'
            JOIN initiatives i ON i.id = p.initiative_id
            WHERE t.kind = ANY(:payouts) GROUP BY 1
        """),
        {"payouts": [kind.value for kind in PAYOUT_KINDS]},
    )
    phases = {state.value: phase for phase, states in STATES.items() for state in states}
    held, spent = Counter[Phase](), Counter[Phase]()
    for state, is_held, cents in rows:
        if is_held:
            held[phases[state]] += cents
        else:
            # What was paid out, without what was not spent: that is on an account of its own (surplus).
            spent[phases[state]] += cents if is_held is None else -cents
    return {phase: PhaseSums(held[phase], spent[phase]) for phase in Phase}


def last_check(session: Session) -> LastCheck | None:
    """The last proof of the books."""
    query = select(BooksCheck.checked_at, BooksCheck.breach_count).order_by(BooksCheck.id.desc()).limit(1)
    row = session.execute(query).first()
    return None if row is None else LastCheck(row.checked_at, row.breach_count == 0)


def first_booked_on(session: Session) -> dt.datetime | None:
    """When the books begin."""
    moment: dt.datetime | None = session.scalar(text("SELECT MIN(booked_at) FROM ledger_transactions"))
    return moment


def round_name(session: Session, round_id: int) -> str | None:
    """What a round is called."""
    return session.scalar(select(Round.name).where(Round.id == round_id))
