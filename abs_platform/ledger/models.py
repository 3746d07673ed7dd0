# SPDX-License-Identifier: EUPL-1.2
"""The ledger: double entry in integer cents. Triggers refuse UPDATE, DELETE and what does not sum to zero."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.ledger.states import Account, TransactionKind


class LedgerTransaction(Base):
    """One thing that was booked.

    It is booked once: one of a kind for a donation, for a payout, and for a thing of the outside world
    (``external_id``: a refund, a fee, a dispute at the provider; a line of a bank statement).
    """

    __tablename__ = "ledger_transactions"
    __table_args__ = (
        CheckConstraint(f"kind IN {in_list(TransactionKind)}", name="kind_known"),
        Index(
            "uq_ledger_transactions_once_per_donation",
            "donation_id",
            "kind",
            unique=True,
            postgresql_where="donation_id IS NOT NULL AND external_id IS NULL",
        ),
        Index(
            "uq_ledger_transactions_once_per_external_id",
            "external_id",
            "kind",
            unique=True,
            postgresql_where="external_id IS NOT NULL",
        ),
        Index(
            "uq_ledger_transactions_once_per_payout",
            "payout_id",
            "kind",
            unique=True,
            postgresql_where="payout_id IS NOT NULL",
        ),
        Index(None, "donation_id", postgresql_where="donation_id IS NOT NULL"),
        Index(None, "booked_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    booked_at: Mapped[dt.datetime]
    donation_id: Mapped[int | None] = mapped_column(ForeignKey("donations.id"))
    payout_id: Mapped[int | None] = mapped_column(ForeignKey("payouts.id"))
    external_id: Mapped[str | None]


class LedgerPosting(Base):
    """What one account gains (+) or loses (-) by a transaction, in cents."""

    __tablename__ = "ledger_postings"
    __table_args__ = (
        CheckConstraint(f"account IN {in_list(Account)}", name="account_known"),
        CheckConstraint("amount_cents <> 0", name="amount_not_zero"),
        CheckConstraint("(account IN ('budget', 'vouchers')) = (round_id IS NOT NULL)", name="round_of_round_account"),
        CheckConstraint(
            "(account IN ('initiative', 'surplus')) = (initiative_id IS NOT NULL)", name="initiative_of_its_account"
        ),
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
