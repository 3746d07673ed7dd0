# SPDX-License-Identifier: EUPL-1.2
"""Booking: every movement of money is one balanced transaction, written in the caller's database transaction."""

import datetime as dt
from typing import NamedTuple

from sqlalchemy import insert
from sqlalchemy.orm import Session

from abs_platform.ledger.models import LedgerPosting, LedgerTransaction
from abs_platform.ledger.states import Account, TransactionKind


class Leg(NamedTuple):
    """What one account gains (+) or loses (-), in cents."""

    account: Account
    amount_cents: int
    round_id: int | None = None
    initiative_id: int | None = None


def book(
    session: Session, kind: TransactionKind, legs: list[Leg], *, now: dt.datetime, donation_id: int | None = None
) -> int:
    """Book one transaction and return its id.

    All legs go in one statement: the database refuses what is not zero in sum.
    The gifts of vouchers and their returns are booked inside the one statement that moves them (donations/service.py).
    """
    transaction_id: int = session.execute(
        insert(LedgerTransaction)
        .values(kind=kind.value, booked_at=now, donation_id=donation_id)
        .returning(LedgerTransaction.id)
    ).scalar_one()
    session.execute(
        insert(LedgerPosting).values(
            [{**leg._asdict(), "account": leg.account.value, "transaction_id": transaction_id} for leg in legs]
        )
    )
    return transaction_id


def book_vouchers(
    session: Session, kind: TransactionKind, *, round_id: int, gained_cents: int, now: dt.datetime
) -> int:
    """Book between a round's budget and its vouchers: +cents when issued, -cents when expired or revoked."""
    legs = [
        Leg(Account.BUDGET, -gained_cents, round_id=round_id),
        Leg(Account.VOUCHERS, gained_cents, round_id=round_id),
    ]
    return book(session, kind, legs, now=now)
