# SPDX-License-Identifier: EUPL-1.2
"""Booking: every movement of money is one balanced transaction, written in the caller's database transaction."""

import datetime as dt
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.ledger.models import LedgerTransaction
from abs_platform.ledger.states import Account, TransactionKind


class Leg(NamedTuple):
    """What one account gains (+) or loses (-), in cents."""

    account: Account
    amount_cents: int = 0
    round_id: int | None = None
    initiative_id: int | None = None


_BOOK = text("""
    WITH booking AS (
        INSERT INTO ledger_transactions (kind, booked_at, donation_id, payout_id, external_id)
        VALUES (:kind, :now, :donation_id, :payout_id, :external_id)
        RETURNING id
    ), postings AS (
        INSERT INTO ledger_postings (transaction_id, account, round_id, initiative_id, amount_cents)
        SELECT booking.id, leg.*
        FROM booking, unnest(CAST(:accounts AS text[]), CAST(:rounds AS bigint[]), CAST(:initiatives AS bigint[]),
                             CAST(:amounts AS bigint[])) AS leg
    )
    SELECT id FROM booking
""")


def book(
    session: Session,
    kind: TransactionKind,
    legs: list[Leg],
    *,
    now: dt.datetime,
    donation_id: int | None = None,
    payout_id: int | None = None,
    external_id: str | None = None,
) -> int:
    """Book one transaction and return its id. Of what it is about (see LedgerTransaction) there is one of a kind.

    All goes in one statement: the database refuses legs that are not zero in sum.
    The gifts of vouchers and their returns are booked inside the one statement that moves them (donations/service.py).
    """
    found: int = session.execute(
        _BOOK,
        {
            "kind": kind.value,
            "now": now,
            "donation_id": donation_id,
            "payout_id": payout_id,
            "external_id": external_id,
            "accounts": [leg.account.value for leg in legs],
            "rounds": [leg.round_id for leg in legs],
            "initiatives": [leg.initiative_id for leg in legs],
            "amounts": [leg.amount_cents for leg in legs],
        },
    ).scalar_one()
    return found


def move(
    session: Session,
    kind: TransactionKind,
    amount_cents: int,
    source: Leg,
    target: Leg,
    *,
    now: dt.datetime,
    donation_id: int | None = None,
    payout_id: int | None = None,
    external_id: str | None = None,
) -> int:
    """Book that one account loses an amount and another gains it; the amounts of both legs are filled in here."""
    legs = [source._replace(amount_cents=-amount_cents), target._replace(amount_cents=amount_cents)]
    return book(session, kind, legs, now=now, donation_id=donation_id, payout_id=payout_id, external_id=external_id)


def is_booked(session: Session, kind: TransactionKind, external_id: str) -> bool:
    """Whether this thing of the outside world was booked."""
    query = select(LedgerTransaction.id).where(
        LedgerTransaction.external_id == external_id, LedgerTransaction.kind == kind.value
    )
    return session.scalar(query) is not None


def book_vouchers(
    session: Session, kind: TransactionKind, *, round_id: int, gained_cents: int, now: dt.datetime
) -> int:
    """Book between a round's budget and its vouchers: +cents when issued, -cents when expired or revoked."""
    legs = [
        Leg(Account.BUDGET, -gained_cents, round_id=round_id),
        Leg(Account.VOUCHERS, gained_cents, round_id=round_id),
    ]
    return book(session, kind, legs, now=now)
