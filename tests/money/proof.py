# SPDX-License-Identifier: EUPL-1.2
"""What must be true: the sums after each step, the whole proof now and then, and at the end that all sides agree."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.ledger.queries import check
from tests.money.world import World

_SUMS = text("""
    SELECT 'ledger ' || sum(amount_cents) FROM ledger_postings HAVING sum(amount_cents) <> 0
    UNION ALL
    SELECT 'initiative ' || initiative_id || ' below zero: ' || sum(amount_cents) FROM ledger_postings
    WHERE account = 'initiative' GROUP BY initiative_id HAVING sum(amount_cents) < 0
    UNION ALL
    SELECT 'payment ' || id || ' back ' || returned_cents || ' of ' || amount_cents FROM payments
    WHERE returned_cents + disputed_cents > amount_cents
    UNION ALL
    SELECT 'owed below zero: ' || sum(amount_cents) FROM ledger_postings WHERE account = 'owed'
    HAVING sum(amount_cents) < 0
""")


_PAYABLE = text("""
    SELECT id FROM initiatives
    WHERE id = ANY(:ids) AND state IN ('funded', 'in_progress', 'realised', 'stopped') ORDER BY id
""")


def payable(world: World) -> list[int]:
    """The initiatives whose organisers may ask for the money, or could."""
    return list(world.connection.scalars(_PAYABLE, {"ids": world.initiative_ids}))


def sums_are_right(world: World) -> None:
    """Nothing came from nowhere, no initiative is below zero, and no giver has more back than was paid."""
    found = list(world.connection.scalars(_SUMS))
    assert found == [], found


def books_are_right(world: World, *, jobs_have_run: bool = False) -> None:
    """The proof of the books, as finance sees it."""
    with Session(world.connection, join_transaction_mode="create_savepoint") as session:
        found = check(session, jobs_have_run=jobs_have_run)
    assert found == [], found


_SIZES = text("""
    SELECT (SELECT count(*) FROM ledger_transactions), (SELECT count(*) FROM finance_tasks),
           (SELECT count(*) FROM provider_entries), (SELECT count(*) FROM outgoing_mails),
           (SELECT count(*) FROM donations WHERE state = 'pending')
""")


def sizes(world: World) -> tuple[int, ...]:
    """How much there is: jobs that run twice make no more of it, and a gift that ended is not pending."""
    found = world.connection.execute(_SIZES).one()
    assert found[-1] == 0, "a gift is pending for ever"
    return tuple(found)
