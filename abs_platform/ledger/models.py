# SPDX-License-Identifier: EUPL-1.2
"""The ledger: double entry in integer cents. Triggers refuse UPDATE, DELETE and what does not sum to zero."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.ledger.states import Account, TransactionKind


class LedgerTransaction(Base):
    """One thing that was booked; at most one of a kind for a donation."""

    __tablename__ = "ledger_transactions"
    __table_args__ = (
        CheckConstraint(f"kind IN {in_list(TransactionKind)}", name="kind_known"),
        Index(
            "uq_ledger_transactions_once_per_donation",
            "donation_id",
            "kind",
            unique=True,
            postgresql_where="donation_id IS NOT NULL",
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    booked_at: Mapped[dt.datetime]
    donation_id: Mapped[int | None] = mapped_column(ForeignKey("donations.id"))


class LedgerPosting(Base):
    """What one account gains (+) or loses (-) by a transaction, in cents."""

    __tablename__ = "ledger_postings"
    __table_args__ = (
        CheckConstraint(f"account IN {in_list(Account)}", name="account_known"),
        CheckConstraint("amount_cents <> 0", name="amount_not_zero"),
        CheckConstraint("(account IN ('budget', 'vouchers')) = (round_id IS NOT NULL)", name="round_of_round_account"),
        CheckConstraint("(account = 'initiative') = (initiative_id IS NOT NULL)", name="initiative_of_its_account"),
        Index(None, "transaction_id"),
        Index(None, "round_id", postgresql_where="round_id IS NOT NULL"),
        Index(None, "initiative_id", postgresql_where="initiative_id IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey("ledger_transactions.id"))
    account: Mapped[str]
    round_id: Mapped[int | None] = mapped_column(ForeignKey("rounds.id"))
    initiative_id: Mapped[int | None] = mapped_column(ForeignKey("initiatives.id"))
    amount_cents: Mapped[int]
