# SPDX-License-Identifier: EUPL-1.2
"""Reads of the books: their proof, and what each account holds."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.ledger.invariants import INVARIANTS, SETTLES_WITH_JOBS

MAX_BREACHES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that breaks an invariant of the books."""

    invariant: str
    what: str
    details: str


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What an account holds over all rounds and initiatives, in cents."""

    account: str
    amount_cents: int
    postings: int


def check(session: Session, *, jobs_have_run: bool = False) -> list[Breach]:
    """All breaches of the invariants; an empty list proves the books.

    The caller sees to it that all queries see one moment (database.one_snapshot). ``jobs_have_run`` also checks what
    holds only after the jobs have done what was due.
    """
    breaches = []
    for invariant, query in INVARIANTS.items():
        if invariant in SETTLES_WITH_JOBS and not jobs_have_run:
            continue
        rows = session.execute(text(f"{query} LIMIT {MAX_BREACHES_SHOWN}")).all()
        breaches += [Breach(invariant, what, details) for what, details in rows]
    return breaches


def balances(session: Session) -> list[AccountBalance]:
    """The sum of each account."""
    rows = session.execute(
        text(
            "SELECT account, SUM(amount_cents)::bigint, COUNT(*) FROM ledger_postings GROUP BY account ORDER BY account"
        )
    )
    return [AccountBalance(*row) for row in rows]
