# SPDX-License-Identifier: EUPL-1.2
"""The proof of the books: each invariant of design.md section 5 as a query that finds what breaks it."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

# Each query returns one row (what, details) for each breach, and none when all is well.
INVARIANTS: dict[str, str] = {
    "every transaction sums to zero and has postings": """
        SELECT 'transaction ' || t.id, 'sum ' || COALESCE(SUM(p.amount_cents)::text, 'of no postings')
        FROM ledger_transactions t LEFT JOIN ledger_postings p ON p.transaction_id = t.id
        GROUP BY t.id HAVING COALESCE(SUM(p.amount_cents), 1) <> 0""",
    "vouchers(round) = amount x vouchers issued or kept": """
        SELECT 'round ' || r.id,
               'ledger ' || COALESCE(l.cents, 0) || ', vouchers ' || r.amount_cents * COALESCE(v.living, 0)
        FROM rounds r
        LEFT JOIN (SELECT round_id, SUM(amount_cents) AS cents FROM ledger_postings WHERE account = 'vouchers'
                   GROUP BY round_id) l ON l.round_id = r.id
        LEFT JOIN (SELECT round_id, COUNT(*) AS living FROM vouchers WHERE state IN ('issued', 'kept')
                   GROUP BY round_id) v ON v.round_id = r.id
        WHERE COALESCE(l.cents, 0) <> r.amount_cents * COALESCE(v.living, 0)""",
    "budget(round) = - amount x vouchers neither expired nor revoked": """
        SELECT 'round ' || r.id,
               'ledger ' || COALESCE(l.cents, 0) || ', vouchers ' || -r.amount_cents * COALESCE(v.spent, 0)
        FROM rounds r
        LEFT JOIN (SELECT round_id, SUM(amount_cents) AS cents FROM ledger_postings WHERE account = 'budget'
                   GROUP BY round_id) l ON l.round_id = r.id
        LEFT JOIN (SELECT round_id, COUNT(*) AS spent FROM vouchers WHERE state IN ('issued', 'kept', 'given')
                   GROUP BY round_id) v ON v.round_id = r.id
        WHERE COALESCE(l.cents, 0) <> -r.amount_cents * COALESCE(v.spent, 0)""",
    "initiative(id) = its confirmed donations, and never below zero": """
        SELECT 'initiative ' || i.id, 'ledger ' || COALESCE(l.cents, 0) || ', donations ' || COALESCE(d.cents, 0)
        FROM initiatives i
        LEFT JOIN (SELECT initiative_id, SUM(amount_cents) AS cents FROM ledger_postings WHERE account = 'initiative'
                   GROUP BY initiative_id) l ON l.initiative_id = i.id
        LEFT JOIN (SELECT initiative_id, SUM(amount_cents) AS cents FROM donations WHERE state = 'confirmed'
                   GROUP BY initiative_id) d ON d.initiative_id = i.id
        WHERE COALESCE(l.cents, 0) <> COALESCE(d.cents, 0) OR COALESCE(l.cents, 0) < 0""",
    "every given voucher has exactly one confirmed donation, of its round's amount": """
        SELECT 'voucher ' || v.id, v.state || ', confirmed donations ' || COUNT(d.id)
        FROM vouchers v JOIN rounds r ON r.id = v.round_id
        LEFT JOIN donations d ON d.voucher_id = v.id AND d.state = 'confirmed'
        WHERE v.state = 'given' OR d.id IS NOT NULL
        GROUP BY v.id, v.state, r.amount_cents
        HAVING v.state <> 'given' OR COUNT(d.id) <> 1 OR MAX(d.amount_cents) <> r.amount_cents""",
    "every voucher donation is booked once when given and once when returned": """
        SELECT 'donation ' || d.id, d.state || ', booked given ' || COUNT(t.id) FILTER (WHERE t.kind = 'voucher_given')
               || ', returned ' || COUNT(t.id) FILTER (WHERE t.kind = 'voucher_returned')
        FROM donations d LEFT JOIN ledger_transactions t ON t.donation_id = d.id
        WHERE d.kind = 'voucher'
        GROUP BY d.id, d.state
        HAVING COUNT(t.id) FILTER (WHERE t.kind = 'voucher_given') <> 1
            OR COUNT(t.id) FILTER (WHERE t.kind = 'voucher_returned') <> (d.state = 'returned')::int""",
    "every batch holds the vouchers it says": """
        SELECT 'batch ' || b.id, 'says ' || b.voucher_count || ', holds ' || COUNT(v.id)
        FROM voucher_batches b LEFT JOIN vouchers v ON v.batch_id = b.id
        GROUP BY b.id HAVING COUNT(v.id) <> b.voucher_count""",
    "no initiative collects after its target was reached": """
        SELECT 'initiative ' || i.id, 'published, raised ' || SUM(d.amount_cents) || ' of ' || i.target_cents
        FROM initiatives i JOIN donations d ON d.initiative_id = i.id AND d.state = 'confirmed'
        WHERE i.state = 'published'
        GROUP BY i.id HAVING SUM(d.amount_cents) >= i.target_cents""",
}
# True only once close_initiatives has run: a crash right after the gift that reaches the target leaves it to the job.
SETTLES_WITH_JOBS = frozenset({"no initiative collects after its target was reached"})
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
