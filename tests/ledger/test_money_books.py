# SPDX-License-Identifier: EUPL-1.2
"""The books with money in them: right as the verbs leave them, and each way to break them is found."""

from __future__ import annotations

import pytest

from abs_platform.ledger.invariants import OF_MONEY, SETTLES_WITH_JOBS
from abs_platform.ledger.queries import balances, check
from tests.factories import Factory
from tests.ledger.money import MoneyBooks, money_books
from tests.ledger.test_books import by_hand


@pytest.fixture
def books(factory: Factory) -> MoneyBooks:
    """Each way that money takes, once."""
    return money_books(factory)


def payment(name: str) -> str:
    return f"(SELECT id FROM payments WHERE checkout_id = 'cs_{name}')"


def gift(name: str) -> str:
    return f"(SELECT id FROM donations WHERE reference = 'GELD-{name.upper()}')"


def without(kind: str, name: str) -> str:
    """A booking of a gift that is gone."""
    return f"DELETE FROM ledger_transactions WHERE kind = '{kind}' AND donation_id = {gift(name)}"


SHAPES = "every kind of booking moves money between its own accounts only"
SAME = "a gift of money and its payment tell the same"
ONCE = "every payment that came in is booked once, and no other"
STATES = "what was booked of a payment is what it says"
WAITING = "owed and disputes = the payments that wait for it"
BORNE = "what the municipality bears of a payment is booked on fees"
FEES = "every fee of the provider is booked once"
SUSPENSE = "suspense = what is not explained, and each has an open task"
PAYOUTS = "every payout is booked once when paid and once when it came back"
FILES = "every file for the bank holds the payouts it says, and each stands in one that lives"
SURPLUS = "surplus(initiative) = what it paid back, and never more than was paid out"
PROVIDER = "what the provider holds by our books = the sum of its own"
BREAKS = [
    (SHAPES, "UPDATE ledger_postings SET account = 'fees' WHERE account = 'owed'"),
    (SHAPES, "UPDATE ledger_transactions SET kind = 'unspent_returned' WHERE kind = 'payment_late'"),
    (SAME, f"UPDATE donations SET amount_cents = amount_cents + 1 WHERE id = {gift('paid')}"),
    (SAME, f"UPDATE donations SET state = 'confirmed' WHERE id = {gift('failed')}"),
    (SAME, f"UPDATE donations SET state = 'failed' WHERE id = {gift('begun')}"),
    (SAME, f"UPDATE donations SET state = 'confirmed', returned_at = NULL WHERE id = {gift('refunded')}"),
    (SAME, f"UPDATE payments SET is_borne = false WHERE id = {payment('borne')}"),
    (SAME, f"DELETE FROM payments WHERE id = {payment('paid')}"),
    (SAME, f"UPDATE payments SET state = 'created' WHERE id = {payment('paid')}"),
    (ONCE, without("payment_received", "paid")),
    (ONCE, without("payment_late", "late")),
    (ONCE, f"UPDATE payments SET state = 'paid', paid_at = now() WHERE id = {payment('failed')}"),
    (ONCE, f"UPDATE ledger_transactions SET donation_id = {gift('failed')} WHERE donation_id = {gift('paid')}"),
    (STATES, f"UPDATE payments SET returned_cents = 1200 WHERE id = {payment('late')}"),
    (STATES, without("refund_made", "refunded")),
    (STATES, without("refund_by_hand", "by_hand")),
    (STATES, without("dispute_opened", "disputed")),
    (STATES, f"UPDATE payments SET state = 'paid', disputed_cents = 0 WHERE id = {payment('disputed')}"),
    (WAITING, f"UPDATE payments SET state = 'refunded', returned_cents = 1400 WHERE id = {payment('owed')}"),
    (WAITING, f"UPDATE payments SET disputed_cents = 1499 WHERE id = {payment('disputed')}"),
    (BORNE, f"UPDATE payments SET is_borne = true WHERE id = {payment('refunded')}"),
    (BORNE, without("dispute_lost", "borne")),
    (FEES, "DELETE FROM ledger_transactions WHERE kind = 'provider_fee' AND external_id = 'txn_paid'"),
    (FEES, "UPDATE provider_entries SET fee_cents = 30, net_cents = amount_cents - 30 WHERE id = 'txn_paid'"),
    (FEES, "DELETE FROM provider_entries WHERE id = 'txn_paid'"),
    (SUSPENSE, "DELETE FROM finance_tasks WHERE kind = 'difference'"),
    (SUSPENSE, "UPDATE ledger_transactions SET kind = 'explained' WHERE kind = 'unexplained'"),
    (PAYOUTS, "DELETE FROM ledger_transactions WHERE kind = 'payout_paid'"),
    (PAYOUTS, "UPDATE payouts SET state = 'paid' WHERE state = 'bounced'"),
    (PAYOUTS, "UPDATE payouts SET state = 'paid', paid_on = now() WHERE state = 'exported'"),
    (PAYOUTS, "UPDATE payouts SET amount_cents = amount_cents - 1 WHERE state = 'paid'"),
    (PAYOUTS, "UPDATE payouts SET initiative_id = (SELECT min(id) FROM initiatives) WHERE state = 'paid'"),
    (FILES, "UPDATE payout_batches SET payout_count = 2"),
    (FILES, "UPDATE payout_batches SET sum_cents = sum_cents + 1"),
    (FILES, "UPDATE payouts SET batch_id = NULL WHERE state = 'bounced'"),
    (FILES, "UPDATE payout_batches SET state = 'cancelled'"),
    (SURPLUS, "UPDATE unspent_returns SET amount_cents = 300"),
    (SURPLUS, "UPDATE payouts SET state = 'refused', remark = 'Nee.' WHERE state = 'paid'"),
    (PROVIDER, "UPDATE provider_entries SET amount_cents = 1101, net_cents = 1101 - 29 WHERE id = 'txn_paid'"),
    (PROVIDER, "DELETE FROM ledger_postings WHERE account = 'provider' AND amount_cents = 900"),
]  # fmt: skip


def test_books_with_every_kind_of_money_are_right(books: MoneyBooks) -> None:
    session = books.factory.session

    assert check(session, jobs_have_run=True) == []

    held = {balance.account: balance.amount_cents for balance in balances(session)}
    assert sum(held.values()) == 0
    assert (held["owed"], held["disputes"], held["suspense"], held["surplus"]) == (2_600, -1_500, -55, 400)
    assert held["bank"] == 3_000 + 1_450 - 400 - 900
    assert held["fees"] == -1_700 - 7 * 29


def test_the_check_finds_each_way_in_which_money_may_go_wrong(books: MoneyBooks) -> None:
    session = books.factory.session
    missed = []

    for invariant, statement in BREAKS:  # one world for all of them: each is broken, looked at and made whole
        broken = session.begin_nested()
        by_hand(session, statement)
        found = [breach for breach in check(session, jobs_have_run=True) if breach.invariant == invariant]
        if not found or not all(breach.what and breach.details for breach in found):
            missed.append((invariant, statement))
        broken.rollback()

    assert missed == []
    assert check(session, jobs_have_run=True) == []


def test_every_invariant_of_money_is_broken_by_some_test_above() -> None:
    assert {invariant for invariant, _statement in BREAKS} == set(OF_MONEY)


def test_the_books_of_the_provider_are_compared_only_after_the_jobs(books: MoneyBooks) -> None:
    by_hand(
        books.factory.session, "UPDATE provider_entries SET amount_cents = 1, net_cents = 1 WHERE id = 'txn_strange'"
    )

    before_the_jobs, after_them = (check(books.factory.session, jobs_have_run=done) for done in (False, True))

    assert before_the_jobs == []
    assert {breach.invariant for breach in after_them} == {PROVIDER} <= SETTLES_WITH_JOBS


def test_a_gift_of_a_voucher_has_no_payment(books: MoneyBooks) -> None:
    session = books.factory.session
    by_hand(
        session,
        "UPDATE payments SET donation_id = (SELECT min(id) FROM donations WHERE kind = 'voucher')"
        f" WHERE id = {payment('begun')}",
    )

    assert SAME in {breach.invariant for breach in check(session)}
