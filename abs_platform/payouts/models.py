# SPDX-License-Identifier: EUPL-1.2
"""Payouts, the files they leave in, and the bank statements that say what became of them."""

import datetime as dt

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.payouts.states import (
    AT_THE_BANK_STATES,
    LIVING_STATES,
    BatchState,
    HolderKind,
    LineOutcome,
    PayoutState,
)

_LIVING = "state IN (" + ", ".join(f"'{state.value}'" for state in LIVING_STATES) + ")"


class Payout(Base):
    """What an initiative raised, on its way to a bank account (rule 8): never one person twice, never an organiser.

    The IBAN is sealed (sealing.py, owner: the initiative); ``iban_digest`` finds the same one elsewhere, and
    ``iban_masked`` is what pages show. ``version`` goes up with every change of the bank details: who confirms or
    approves names the version that was looked at. ``end_to_end_id`` is what the bank gives back. ``is_doubtful``: one
    of finance booked by hand that it came back, and neither a statement nor a colleague says so too.
    """

    __tablename__ = "payouts"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(PayoutState)}", name="state_known"),
        CheckConstraint(f"holder_kind IN {in_list(HolderKind)}", name="holder_kind_known"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("length(holder_name) BETWEEN 2 AND 70", name="holder_name_length"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by_id IS NULL)", name="confirmed_by_somebody"),
        CheckConstraint("(approved_at IS NULL) = (approved_by_id IS NULL)", name="approved_by_somebody"),
        CheckConstraint("confirmed_by_id <> requested_by_id", name="confirmed_by_another"),
        CheckConstraint("approved_by_id <> requested_by_id", name="approved_by_another"),
        CheckConstraint("approved_by_id <> confirmed_by_id", name="two_pairs_of_eyes"),
        CheckConstraint(
            "state NOT IN ('confirmed', 'approved', 'exported', 'paid') OR confirmed_at IS NOT NULL",
            name="confirmed_when_further",
        ),
        CheckConstraint(
            "state NOT IN ('approved', 'exported', 'paid') OR approved_at IS NOT NULL", name="approved_when_further"
        ),
        CheckConstraint("state NOT IN ('exported') OR batch_id IS NOT NULL", name="batch_when_exported"),
        CheckConstraint("state <> 'paid' OR paid_on IS NOT NULL", name="paid_on_when_paid"),
        CheckConstraint("state NOT IN ('incomplete', 'refused') OR length(remark) > 0", name="remark_when_back"),
        CheckConstraint("NOT is_doubtful OR state = 'bounced'", name="doubtful_when_bounced"),
        Index("uq_payouts_one_living", "initiative_id", unique=True, postgresql_where=_LIVING),
        Index("ix_payouts_waiting", "state", "state_changed_at", postgresql_where=_LIVING),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), index=True)
    amount_cents: Mapped[int]
    state: Mapped[str]
    state_changed_at: Mapped[dt.datetime]
    version: Mapped[int] = mapped_column(server_default="1")
    iban_sealed: Mapped[bytes]
    iban_digest: Mapped[bytes] = mapped_column(index=True)
    iban_masked: Mapped[str]
    holder_name: Mapped[str]
    holder_kind: Mapped[str]
    requested_at: Mapped[dt.datetime]
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    confirmed_at: Mapped[dt.datetime | None]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    approved_at: Mapped[dt.datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    remark: Mapped[str] = mapped_column(server_default="")
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("payout_batches.id"), index=True)
    end_to_end_id: Mapped[str] = mapped_column(unique=True)
    paid_on: Mapped[dt.date | None]
    paid_note: Mapped[str] = mapped_column(server_default="")
    statement_line_id: Mapped[int | None] = mapped_column(ForeignKey("statement_lines.id"))
    is_doubtful: Mapped[bool] = mapped_column(server_default="false")

    @classmethod
    def may_be_gone(cls) -> ColumnElement[bool]:
        """Whether the bank has it, or may have it: then its money goes nowhere else."""
        return cls.state.in_([state.value for state in AT_THE_BANK_STATES]) | cls.is_doubtful


class PayoutBatch(Base):
    """One SEPA file. ``sealed_file`` is the file as it was made, ``sha256`` of its bytes; it is released by another.

    A trigger refuses another file, sum, count or maker for what was made.
    """

    __tablename__ = "payout_batches"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(BatchState)}", name="state_known"),
        CheckConstraint("payout_count > 0 AND sum_cents > 0", name="holds_something"),
        CheckConstraint("(released_at IS NULL) = (released_by_id IS NULL)", name="released_by_somebody"),
        CheckConstraint("released_by_id <> made_by_id", name="released_by_another"),
        CheckConstraint(
            "state NOT IN ('released', 'settled') OR released_at IS NOT NULL", name="released_when_further"
        ),
        CheckConstraint("length(message_id) BETWEEN 1 AND 35", name="message_id_length"),
        CheckConstraint("length(sha256) = 64", name="sha256_length"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    payout_count: Mapped[int]
    sum_cents: Mapped[int]
    execution_on: Mapped[dt.date]
    sealed_file: Mapped[bytes]
    sha256: Mapped[str]
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    released_at: Mapped[dt.datetime | None]
    released_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    ended_at: Mapped[dt.datetime | None]
    remark: Mapped[str] = mapped_column(server_default="")


class BankStatement(Base):
    """A statement of the municipality's bank (camt.053) that was uploaded; the same file counts once.

    ``line_count`` is all that was booked on it; of ours are ``matched_count`` (agrees with a payout),
    ``differing_count`` (a task for finance) and ``known_count`` (came in an earlier statement).
    """

    __tablename__ = "bank_statements"
    __table_args__ = (CheckConstraint("length(sha256) = 64", name="sha256_length"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)
    statement_ids: Mapped[str]
    line_count: Mapped[int]
    matched_count: Mapped[int]
    differing_count: Mapped[int]
    known_count: Mapped[int]
    uploaded_at: Mapped[dt.datetime]
    uploaded_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))


class StatementLine(Base):
    """A line of a statement that speaks of a payout of ours, by its end-to-end id. Other lines are not kept.

    ``bank_reference`` is the bank's own for the entry: a line that comes in a second statement counts once.
    """

    __tablename__ = "statement_lines"
    __table_args__ = (
        UniqueConstraint("bank_reference", "end_to_end_id", "is_credit"),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint(f"outcome IN {in_list(LineOutcome)}", name="outcome_known"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    statement_id: Mapped[int] = mapped_column(ForeignKey("bank_statements.id"), index=True)
    bank_reference: Mapped[str]
    end_to_end_id: Mapped[str]
    amount_cents: Mapped[int]
    is_credit: Mapped[bool]
    booked_on: Mapped[dt.date]
    outcome: Mapped[str]


class UnspentReturn(Base):
    """What an initiative did not spend and paid back to the municipality (rule 9)."""

    __tablename__ = "unspent_returns"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("length(note) <= 200", name="note_length"),
        UniqueConstraint("form_key"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    initiative_id: Mapped[int] = mapped_column(ForeignKey("initiatives.id"), index=True)
    amount_cents: Mapped[int]
    received_on: Mapped[dt.date]
    note: Mapped[str] = mapped_column(server_default="")
    booked_at: Mapped[dt.datetime]
    booked_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    form_key: Mapped[str]
