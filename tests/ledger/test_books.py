# SPDX-License-Identifier: EUPL-1.2
"""The books: what is booked balances, nothing of it can be changed, and the check finds each way they may break."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from abs_platform.donations.models import Donation
from abs_platform.donations.service import return_vouchers
from abs_platform.initiatives import service
from abs_platform.ledger.invariants import OF_VOUCHERS, SETTLES_WITH_JOBS
from abs_platform.ledger.models import LedgerPosting, LedgerTransaction
from abs_platform.ledger.queries import MAX_BREACHES_SHOWN, balances, check
from abs_platform.ledger.service import Leg, book, book_vouchers
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.service import revoke_voucher
from tests.factories import TEST_ACTOR, Factory


@pytest.fixture
def books(factory: Factory) -> Factory:
    """A round with eight vouchers: three given, one given and returned, one revoked, three still to give."""
    codes = factory.codes(8)
    collecting, stopped = factory.initiative(target_cents=5_000), factory.initiative()
    for code in codes[:3]:
        assert factory.give(code, collecting) is not None
    assert factory.give(codes[3], stopped) is not None
    service.stop(factory.session, stopped.id, reason="Gevaarlijk.", actor=TEST_ACTOR, now=factory.now)
    return_vouchers(factory.session, stopped.id, actor=TEST_ACTOR, now=factory.now, reason="stopped")
    lost = factory.voucher(codes[4])
    revoke_voucher(factory.session, lost.id, reason="Brief kwijt.", actor=TEST_ACTOR, now=factory.now)
    factory.session.flush()
    return factory


def by_hand(session: Session, *statements: str) -> None:
    """Do what only the owner of the database could: change rows with every trigger and foreign key switched off."""
    session.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in statements:
        result = session.execute(text(statement))
        assert result.rowcount != 0, f"nothing was broken by: {statement}"  # type: ignore[attr-defined]
    session.execute(text("SET LOCAL session_replication_role = origin"))
    session.expire_all()


def amounts(session: Session) -> dict[str, int]:
    return {balance.account: balance.amount_cents for balance in balances(session)}


def test_the_balances_tell_where_every_cent_is(books: Factory) -> None:
    session = books.session

    # Seven living vouchers of 7.50 were paid by the budget: three are with an initiative, four are still to give.
    assert amounts(session) == {"budget": -5_250, "vouchers": 3_000, "initiative": 2_250}
    assert sum(amounts(session).values()) == 0
    assert [balance.postings for balance in balances(session)] == [2, 5, 7]
    assert check(session, jobs_have_run=True) == []


def test_empty_books_are_right_and_have_no_balances(session: Session) -> None:
    assert check(session, jobs_have_run=True) == []
    assert balances(session) == []


def test_a_booking_is_one_transaction_with_its_legs(factory: Factory) -> None:
    session, round_ = factory.session, factory.round()

    booked = book_vouchers(
        session, TransactionKind.VOUCHERS_ISSUED, round_id=round_.id, gained_cents=750, now=factory.now
    )

    made = session.get_one(LedgerTransaction, booked)
    legs = session.scalars(select(LedgerPosting).order_by(LedgerPosting.id)).all()
    assert (made.kind, made.booked_at, made.donation_id) == ("vouchers_issued", factory.now, None)
    assert [(leg.account, leg.round_id, leg.amount_cents) for leg in legs] == [
        ("budget", round_.id, -750),
        ("vouchers", round_.id, 750),
    ]


@pytest.mark.parametrize(
    ("legs", "constraint"),
    [
        ([(Account.BANK, 100)], "ledger_postings_balanced"),
        ([(Account.BANK, 100), (Account.FEES, -99)], "ledger_postings_balanced"),
        ([(Account.BANK, 0), (Account.FEES, 0)], "ck_ledger_postings_amount_not_zero"),
        ([(Account.BUDGET, 100), (Account.BANK, -100)], "ck_ledger_postings_round_of_round_account"),
        ([(Account.INITIATIVE, 100), (Account.BANK, -100)], "ck_ledger_postings_initiative_of_its_account"),
    ],
)
def test_the_database_refuses_a_booking_that_is_wrong(
    factory: Factory, legs: list[tuple[Account, int]], constraint: str
) -> None:
    with pytest.raises(IntegrityError) as refused:
        book(factory.session, TransactionKind.VOUCHERS_ISSUED, [Leg(*leg) for leg in legs], now=factory.now)

    assert refused.value.orig is not None
    assert refused.value.orig.diag.constraint_name == constraint  # type: ignore[attr-defined]


def test_a_gift_is_booked_once(books: Factory) -> None:
    donation = books.session.scalars(select(Donation).limit(1)).one()
    legs = [Leg(Account.BANK, 1), Leg(Account.FEES, -1)]

    with pytest.raises(IntegrityError, match="uq_ledger_transactions_once_per_donation"):
        book(books.session, TransactionKind.VOUCHER_GIVEN, legs, now=books.now, donation_id=donation.id)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("ledger_postings", "UPDATE ledger_postings SET amount_cents = amount_cents * 2"),
        ("ledger_postings", "UPDATE ledger_postings SET amount_cents = 1 WHERE false"),
        ("ledger_postings", "DELETE FROM ledger_postings"),
        ("ledger_postings", "TRUNCATE ledger_postings"),
        ("ledger_transactions", "UPDATE ledger_transactions SET booked_at = now()"),
        ("ledger_transactions", "DELETE FROM ledger_transactions"),
        ("ledger_transactions", "TRUNCATE ledger_transactions CASCADE"),
        ("events", "UPDATE events SET reason = 'Een andere.'"),
        ("events", "DELETE FROM events"),
        ("events", "TRUNCATE events"),
        ("donations", "DELETE FROM donations"),
        ("donations", "TRUNCATE donations CASCADE"),
        ("vouchers", "DELETE FROM vouchers"),
        ("vouchers", "TRUNCATE vouchers CASCADE"),
        ("households", "DELETE FROM households"),
        ("households", "TRUNCATE households CASCADE"),
    ],
)
def test_nobody_changes_or_deletes_what_happened_not_even_by_hand(books: Factory, table: str, change: str) -> None:
    session = books.session
    before = session.execute(text(f"SELECT t::text FROM {table} t ORDER BY id")).all()

    with pytest.raises(DBAPIError, match=f"table {table} is append only"), session.begin_nested():
        session.execute(text(change))

    assert session.execute(text(f"SELECT t::text FROM {table} t ORDER BY id")).all() == before


def test_a_posting_cannot_be_slipped_into_a_transaction_that_is_there(books: Factory) -> None:
    with pytest.raises(DBAPIError, match="does not sum to zero"):
        books.session.execute(
            text(
                "INSERT INTO ledger_postings (transaction_id, account, amount_cents)"
                " SELECT max(id), 'bank', 100 FROM ledger_transactions"
            )
        )


_MOVE = """
    WITH t AS (INSERT INTO ledger_transactions (kind, booked_at) VALUES ('{kind}', now()) RETURNING id)
    INSERT INTO ledger_postings (transaction_id, account, round_id, initiative_id, amount_cents)
    SELECT t.id, p.* FROM t, ({legs}) p"""
_ONE_GIVEN = "(SELECT min(id) FROM vouchers WHERE state = 'given')"
_ONE_ISSUED = "(SELECT min(id) FROM vouchers WHERE state = 'issued' AND id NOT IN (SELECT voucher_id FROM donations))"
_ONE_GIFT = "(SELECT min(id) FROM donations WHERE state = 'confirmed')"
SUMS = "every transaction sums to zero and has postings"
VOUCHERS = "vouchers(round) = amount x vouchers issued or kept"
BUDGET = "budget(round) = - amount x vouchers neither expired nor revoked"
INITIATIVES = (
    "initiative(id) = its confirmed donations + what the municipality bore - its payouts, and never below zero"
)
GIVEN = "every given voucher has exactly one confirmed donation, of its round's amount"
BOOKED = "every voucher donation is booked once when given and once when returned"
BATCHES = "every batch holds the vouchers it says"
TARGETS = "no initiative collects after its target was reached"
BREAKS = [
    (
        SUMS,
        "UPDATE ledger_postings SET amount_cents = amount_cents + 1 WHERE id = (SELECT max(id) FROM ledger_postings)",
    ),
    (SUMS, "DELETE FROM ledger_postings WHERE id = (SELECT max(id) FROM ledger_postings)"),
    (SUMS, "DELETE FROM ledger_postings WHERE transaction_id = (SELECT max(id) FROM ledger_transactions)"),
    (SUMS, "INSERT INTO ledger_transactions (kind, booked_at) VALUES ('voucher_given', now())"),
    (VOUCHERS, f"UPDATE vouchers SET state = 'expired' WHERE id = {_ONE_ISSUED}"),
    (VOUCHERS, "UPDATE rounds SET amount_cents = amount_cents + 1"),
    (
        VOUCHERS,
        _MOVE.format(
            kind="vouchers_issued",
            legs="SELECT 'budget', id, NULL::bigint, -750 FROM rounds"
            " UNION ALL SELECT 'vouchers', id, NULL, 750 FROM rounds",
        ),
    ),
    (BUDGET, f"UPDATE vouchers SET state = 'expired' WHERE id = {_ONE_GIVEN}"),
    (
        BUDGET,
        _MOVE.format(
            kind="vouchers_expired",
            legs="SELECT 'budget', id, NULL::bigint, 750 FROM rounds UNION ALL SELECT 'bank', NULL, NULL, -750",
        ),
    ),
    (
        INITIATIVES,
        _MOVE.format(
            kind="voucher_given",
            legs="SELECT 'initiative', NULL::bigint, min(id), -750 FROM initiatives"
            " UNION ALL SELECT 'initiative', NULL, max(id), 750 FROM initiatives",
        ),
    ),
    (INITIATIVES, f"UPDATE donations SET state = 'returned', returned_at = now() WHERE id = {_ONE_GIFT}"),
    (INITIATIVES, f"DELETE FROM donations WHERE id = {_ONE_GIFT}"),
    (GIVEN, f"UPDATE vouchers SET state = 'given' WHERE id = {_ONE_ISSUED}"),
    (GIVEN, f"UPDATE vouchers SET state = 'issued' WHERE id = {_ONE_GIVEN}"),
    (GIVEN, f"UPDATE donations SET amount_cents = 749 WHERE id = {_ONE_GIFT}"),
    (GIVEN, f"DELETE FROM donations WHERE id = {_ONE_GIFT}"),
    (BOOKED, f"DELETE FROM ledger_transactions WHERE donation_id = {_ONE_GIFT}"),
    (BOOKED, f"UPDATE ledger_transactions SET kind = 'voucher_returned' WHERE donation_id = {_ONE_GIFT}"),
    (BOOKED, "UPDATE donations SET state = 'confirmed', returned_at = NULL WHERE state = 'returned'"),
    (
        BOOKED,
        (
            "INSERT INTO ledger_transactions (kind, booked_at, donation_id)"
            f" VALUES ('voucher_returned', now(), {_ONE_GIFT})"
        ),
    ),
    (BATCHES, "UPDATE voucher_batches SET voucher_count = voucher_count + 1"),
    (BATCHES, f"DELETE FROM vouchers WHERE id = {_ONE_ISSUED}"),
    (TARGETS, "UPDATE initiatives SET target_cents = 2250 WHERE state = 'published'"),
]


@pytest.mark.parametrize(("invariant", "statement"), BREAKS)
def test_the_check_finds_each_way_in_which_the_books_may_break(books: Factory, invariant: str, statement: str) -> None:
    assert check(books.session, jobs_have_run=True) == []

    by_hand(books.session, statement)

    breaches = check(books.session, jobs_have_run=True)
    found = [breach for breach in breaches if breach.invariant == invariant]
    assert found, f"not found, only: {[breach.invariant for breach in breaches]}"
    assert all(breach.what and breach.details for breach in found)


def test_every_invariant_of_vouchers_is_broken_by_some_test_above() -> None:
    assert {invariant for invariant, _statement in BREAKS} == set(OF_VOUCHERS)


def test_two_confirmed_gifts_of_one_voucher_are_found_even_without_their_index(books: Factory) -> None:
    by_hand(
        books.session,
        "DROP INDEX uq_donations_one_confirmed_per_voucher",
        f"""INSERT INTO donations (reference, initiative_id, kind, amount_cents, state, channel, given_at, voucher_id)
            SELECT 'TWICE', initiative_id, kind, amount_cents, state, channel, given_at, voucher_id
            FROM donations WHERE id = {_ONE_GIFT}""",
    )

    assert GIVEN in {breach.invariant for breach in check(books.session)}


def test_an_initiative_below_zero_is_found(books: Factory) -> None:
    minus = """SELECT 'initiative', NULL::bigint, max(id), -1 FROM initiatives
               UNION ALL SELECT 'bank', NULL, NULL, 1"""
    by_hand(books.session, _MOVE.format(kind="voucher_returned", legs=minus))

    (breach,) = (found for found in check(books.session) if found.invariant == INITIATIVES)

    assert "ledger -1" in breach.details


def test_what_settles_with_the_jobs_is_a_breach_only_after_them(books: Factory) -> None:
    by_hand(books.session, "UPDATE initiatives SET target_cents = 2250 WHERE state = 'published'")

    before_the_jobs, after_them = check(books.session), check(books.session, jobs_have_run=True)

    assert before_the_jobs == []
    assert {breach.invariant for breach in after_them} == {TARGETS} <= SETTLES_WITH_JOBS


def test_a_thousand_breaches_do_not_fill_the_screen(factory: Factory) -> None:
    factory.codes(MAX_BREACHES_SHOWN + 5)

    by_hand(factory.session, "UPDATE vouchers SET state = 'given'")

    found = [breach for breach in check(factory.session) if breach.invariant == GIVEN]
    assert len(found) == MAX_BREACHES_SHOWN
    assert len(factory.session.scalars(select(Voucher.id)).all()) > len(found)
