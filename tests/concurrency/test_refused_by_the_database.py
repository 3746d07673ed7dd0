# SPDX-License-Identifier: EUPL-1.2
"""Wrong money written by hand, in SQL: the database refuses it, whoever writes it and whatever the app would say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from abs_platform.database import db
from abs_platform.ledger.queries import check
from tests.concurrency import wrong_money
from tests.factories import Factory

MONEY_TABLES = (
    "rounds", "round_districts", "voucher_batches", "vouchers", "donations", "ledger_transactions", "ledger_postings",
    *wrong_money.PAYMENT_TABLES, *wrong_money.PAYOUT_TABLES,
)  # fmt: skip
APPEND_ONLY = (
    "events", "ledger_transactions", "ledger_postings", "provider_events", "statement_lines", "unspent_returns",
    "books_checks",
)  # fmt: skip
NEVER_DELETED = ("households", "vouchers", "donations", "payments", "payouts", "payout_batches", "finance_tasks")

_VOUCHER = """
    INSERT INTO vouchers (round_id, batch_id, household_id, nonce, code_digest)
    SELECT {round}, {batch}, {household}, {nonce}, {digest} FROM vouchers WHERE id = lowest('vouchers')"""
_FRESH = {
    "round": "round_id",
    "batch": "batch_id",
    "household": "NULL",
    "nonce": "decode(repeat('ab', 16), 'hex')",
    "digest": "decode(repeat('cd', 16), 'hex')",
}


@pytest.fixture(scope="module")
def world(app: Flask) -> Iterator[Connection]:
    """A connection that sees one of each, and takes it away again: the first voucher is given, the second is not.

    ``lowest(table)`` in the SQL below is the lowest id of that table.
    """
    with app.app_context():
        connection = db.engine.connect()
    outer = connection.begin()
    session = Session(connection, join_transaction_mode="create_savepoint")
    factory = Factory(session, app.extensions["settings"].rules, app.extensions["code_keys"])
    first, _second = factory.codes(2)
    factory.give(first, factory.initiative())
    factory.round(
        opens=dt.timedelta(days=60), closes=dt.timedelta(days=80), districts=("WK014110",), name="Een andere ronde"
    )
    with app.app_context():
        wrong_money.give_and_pay(factory)
    session.commit()
    connection.execute(
        text("""
            CREATE FUNCTION lowest(wanted regclass) RETURNS bigint LANGUAGE plpgsql AS $$
            DECLARE found bigint;
            BEGIN EXECUTE format('SELECT min(id) FROM %s', wanted) INTO found; RETURN found; END $$
        """)
    )
    yield connection
    session.close()
    outer.rollback()
    connection.close()


def refusal(connection: Connection, statement: str) -> psycopg.Error:
    """What the database says to a statement that it must refuse; nothing of it stays."""
    before = connection.execute(text("SELECT count(*) FROM ledger_postings")).scalar()
    with pytest.raises(DBAPIError) as caught, connection.begin_nested():
        connection.execute(text(statement))
    assert connection.execute(text("SELECT count(*) FROM ledger_postings")).scalar() == before
    assert isinstance(caught.value.orig, psycopg.Error)
    return caught.value.orig


# Append only


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        *((table, f"UPDATE {table} SET id = DEFAULT") for table in APPEND_ONLY),
        *((table, f"UPDATE {table} SET id = DEFAULT WHERE false") for table in APPEND_ONLY),
        *((table, f"DELETE FROM {table}") for table in APPEND_ONLY + NEVER_DELETED),
        *((table, f"TRUNCATE {table} CASCADE") for table in APPEND_ONLY + NEVER_DELETED),
    ],
)
def test_what_was_written_cannot_be_taken_away(world: Connection, table: str, statement: str) -> None:
    refused = refusal(world, statement)

    assert isinstance(refused, psycopg.errors.RestrictViolation)
    assert f"table {table} is append only" in str(refused)


@pytest.mark.parametrize("statement", ["DELETE FROM rounds", "DELETE FROM initiatives", "DELETE FROM voucher_batches"])
def test_what_money_hangs_on_cannot_be_taken_away(world: Connection, statement: str) -> None:
    assert isinstance(refusal(world, statement), psycopg.IntegrityError)


@pytest.mark.parametrize(
    "statement",
    [
        _VOUCHER.format(**_FRESH | {"household": "-1"}),
        _VOUCHER.format(**_FRESH | {"batch": "-1"}),
        _VOUCHER.format(**_FRESH | {"round": "(SELECT max(id) FROM rounds)"}),
        "UPDATE vouchers SET household_id = -1 WHERE id = lowest('vouchers')",
        "UPDATE vouchers SET batch_id = -1 WHERE id = lowest('vouchers')",
        "UPDATE vouchers SET round_id = (SELECT max(id) FROM rounds) WHERE id = lowest('vouchers')",
        "UPDATE voucher_batches SET round_id = (SELECT max(id) FROM rounds)",
        "UPDATE voucher_batches SET id = DEFAULT",
        "UPDATE households SET id = DEFAULT",
    ],
)
def test_a_voucher_hangs_on_the_household_and_the_batch_it_was_made_for(world: Connection, statement: str) -> None:
    assert isinstance(refusal(world, statement), psycopg.IntegrityError)


def test_every_table_that_may_not_shrink_has_its_guard(world: Connection) -> None:
    guards = world.execute(
        text("""
            SELECT c.relname, bool_or(t.tgtype & 8 <> 0), bool_or(t.tgtype & 16 <> 0 AND t.tgattr = ''),
                   bool_or(t.tgtype & 32 <> 0)
            FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
            WHERE p.proname = 'refuse_change' AND t.tgenabled = 'O' AND t.tgtype & 1 = 0
            GROUP BY c.relname
        """)
    )

    refuses = {table: (delete, update, truncate) for table, delete, update, truncate in guards}

    assert {table: refuses[table] for table in APPEND_ONLY + NEVER_DELETED} == (
        dict.fromkeys(APPEND_ONLY, (True, True, True)) | dict.fromkeys(NEVER_DELETED, (True, False, True))
    )


# Balance

_POSTING = "INSERT INTO ledger_postings (transaction_id, account, round_id, initiative_id, amount_cents)"
_NEW = "WITH t AS (INSERT INTO ledger_transactions (kind, booked_at) VALUES ('vouchers_issued', now()) RETURNING id)"


@pytest.mark.parametrize(
    "statement",
    [
        f"{_POSTING} VALUES (lowest('ledger_transactions'), 'vouchers', lowest('rounds'), NULL, 750)",
        f"{_POSTING} VALUES (lowest('ledger_transactions'), 'initiative', NULL, lowest('initiatives'), -1)",
        f"{_NEW} {_POSTING} SELECT id, 'vouchers', lowest('rounds'), NULL, 750 FROM t",
        f"""{_NEW} {_POSTING} SELECT id, account, lowest('rounds'), NULL, cents
            FROM t, (VALUES ('vouchers', 750), ('budget', -749)) AS legs (account, cents)""",
        f"""{_POSTING} SELECT id, account, lowest('rounds'), NULL, CASE account WHEN 'vouchers' THEN 750 ELSE -750 END
            FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM ledger_transactions) AS t
            JOIN (VALUES (1, 'vouchers'), (2, 'budget')) AS legs (place, account) USING (place)""",
    ],
    ids=["one more leg", "a cent less", "half a booking", "a cent too little", "balanced over two bookings only"],
)
def test_a_booking_that_does_not_sum_to_zero_is_refused(world: Connection, statement: str) -> None:
    refused = refusal(world, statement)

    assert isinstance(refused, psycopg.errors.CheckViolation)
    assert refused.diag.constraint_name == "ledger_postings_balanced"


def test_a_booking_without_legs_is_found_by_the_proof_of_the_books(world: Connection) -> None:
    savepoint = world.begin_nested()
    session = Session(world, join_transaction_mode="create_savepoint")
    assert check(session) == []

    world.execute(text("INSERT INTO ledger_transactions (kind, booked_at) VALUES ('vouchers_issued', now())"))

    (breach,) = check(session)
    assert breach.details == "sum of no postings"
    session.close()
    savepoint.rollback()


# Every CHECK and UNIQUE of the tables that hold money: its name, and a statement that breaks it and nothing else

_ROUND = "UPDATE rounds SET {} WHERE id = lowest('rounds')"
_ISSUED = "UPDATE vouchers SET {} WHERE id = (SELECT max(id) FROM vouchers)"
_DONATION = "UPDATE donations SET {} WHERE id = lowest('donations')"
_NEW_DONATION = """
    INSERT INTO donations (reference, initiative_id, kind, amount_cents, state, channel, given_at, voucher_id,
                           idempotency_key)
    SELECT {reference}, initiative_id, {kind}, amount_cents, {state}, channel, given_at, {voucher}, {key}
    FROM (SELECT * FROM donations WHERE id = lowest('donations')) AS first"""
_MONEY = {"reference": "'X'", "kind": "'money'", "state": "'pending'", "voucher": "NULL", "key": "NULL"}
_LEGS = f"""{_NEW} {_POSTING} SELECT id, account, round_id, initiative_id, cents
    FROM t, (VALUES {{}}) AS legs (account, round_id, initiative_id, cents)"""

BREACHES: dict[str, str] = {
    "ck_rounds_state_known": _ROUND.format("state = 'open'"),
    "ck_rounds_amount_positive": _ROUND.format("amount_cents = 0"),
    "ck_rounds_opens_before_closing": "UPDATE rounds SET opens_at = closes_at WHERE id = lowest('rounds')",
    "ck_rounds_valid_days_positive": _ROUND.format("returned_valid_days = 0"),
    "uq_rounds_name": _ROUND.format("name = 'Een andere ronde'"),
    "ex_round_districts_one_open_round": """
        INSERT INTO round_districts SELECT (SELECT max(id) FROM rounds), district_id, opens_at, closes_at
        FROM round_districts WHERE round_id = lowest('rounds') ORDER BY district_id DESC LIMIT 1""",
    "ck_voucher_batches_kind_known": "UPDATE voucher_batches SET kind = 'gift'",
    "ck_voucher_batches_merkle_root_32_bytes": "UPDATE voucher_batches SET merkle_root = '\\x00'",
    "ck_donations_entry_batch_of_organiser": ("UPDATE donations SET entry_batch_id = 1 WHERE id = lowest('donations')"),
    "ck_voucher_batches_voucher_count_not_negative": "UPDATE voucher_batches SET voucher_count = -1",
    "ck_vouchers_state_known": _ISSUED.format("state = 'lost'"),
    "ck_vouchers_revoked_at_when_revoked": _ISSUED.format("state = 'revoked'"),
    "ck_vouchers_kept_at_when_kept": _ISSUED.format("state = 'kept'"),
    "ck_vouchers_sixteen_bytes": _VOUCHER.format(**_FRESH | {"nonce": "decode('abcd', 'hex')"}),
    "uq_vouchers_code_digest": _VOUCHER.format(**_FRESH | {"digest": "code_digest"}),
    "uq_vouchers_one_living_per_household_and_round": _VOUCHER.format(**_FRESH | {"household": "household_id"}),
    "ck_donations_state_known": _DONATION.format("state = 'promised'"),
    "ck_donations_kind_known": _DONATION.format("kind = 'goods'"),
    "ck_donations_channel_known": _DONATION.format("channel = 'phone'"),
    "ck_donations_amount_positive": _DONATION.format("amount_cents = -750"),
    "ck_donations_voucher_of_voucher_gift": _DONATION.format("voucher_id = NULL"),
    "ck_donations_voucher_gift_is_confirmed": _DONATION.format("state = 'failed'"),
    "ck_donations_returned_at_when_returned": _DONATION.format("state = 'returned'"),
    "ck_donations_plan_b_is_another": _DONATION.format("plan_b_initiative_id = initiative_id"),
    "uq_donations_reference": _NEW_DONATION.format(**_MONEY | {"reference": "reference"}),
    "uq_donations_idempotency_key": _NEW_DONATION.format(**_MONEY | {"reference": "'X' || copy", "key": "uuid_key"})
    + ", (VALUES (1), (2)) AS copies (copy), gen_random_uuid() AS uuid_key",
    "uq_donations_one_confirmed_per_voucher": _NEW_DONATION.format(
        **_MONEY | {"kind": "'voucher'", "state": "'confirmed'", "voucher": "voucher_id"}
    ),
    "ck_ledger_transactions_kind_known": "INSERT INTO ledger_transactions (kind, booked_at) VALUES ('gift', now())",
    "uq_ledger_transactions_once_per_donation": """
        INSERT INTO ledger_transactions (kind, booked_at, donation_id)
        VALUES ('voucher_given', now(), lowest('donations'))""",
    "ck_ledger_postings_account_known": _LEGS.format(
        "('cash', NULL::bigint, NULL::bigint, 1), ('cash', NULL, NULL, -1)"
    ),
    "ck_ledger_postings_amount_not_zero": _LEGS.format("('vouchers', lowest('rounds'), NULL::bigint, 0)"),
    "ck_ledger_postings_round_of_round_account": _LEGS.format(
        "('vouchers', NULL::bigint, NULL::bigint, 1), ('vouchers', NULL, NULL, -1)"
    ),
    "ck_ledger_postings_initiative_of_its_account": _LEGS.format(
        "('initiative', NULL::bigint, NULL::bigint, 1), ('initiative', NULL, NULL, -1)"
    ),
} | wrong_money.BREACHES
# These only give a foreign key something to hold on to: the primary key is the first part of both.
IMPLIED = {"uq_rounds_id_opens_at_closes_at", "uq_voucher_batches_id_round_id"}


@pytest.mark.parametrize(("constraint", "statement"), BREACHES.items(), ids=BREACHES)
def test_what_breaks_a_rule_is_refused_by_that_rule(world: Connection, constraint: str, statement: str) -> None:
    refused = refusal(world, statement)

    assert isinstance(refused, psycopg.IntegrityError)
    assert refused.diag.constraint_name == constraint


def test_every_rule_of_the_tables_that_hold_money_is_tried(world: Connection) -> None:
    rules = world.execute(
        text("""
            SELECT conname FROM pg_constraint
            WHERE contype IN ('c', 'u', 'x') AND conrelid = ANY (CAST(:tables AS regclass[]))
            UNION
            SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indisunique AND NOT i.indisprimary AND i.indrelid = ANY (CAST(:tables AS regclass[]))
        """),
        {"tables": list(MONEY_TABLES)},
    )

    assert set(rules.scalars()) == BREACHES.keys() | IMPLIED
