# SPDX-License-Identifier: EUPL-1.2
"""Vouchers, the batches they were issued in, their print files, and the wrong codes that were tried."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.vouchers.states import BatchKind, VoucherState


class VoucherBatch(Base):
    """The vouchers of one round that were issued in one go; a later run for added addresses is a batch of its own.

    ``merkle_root`` seals it: one fingerprint of all its code digests, made public when it is issued (vouchers.merkle).
    """

    __tablename__ = "voucher_batches"
    __table_args__ = (
        CheckConstraint("voucher_count >= 0", name="voucher_count_not_negative"),
        CheckConstraint(f"kind IN {in_list(BatchKind)}", name="kind_known"),
        CheckConstraint("octet_length(merkle_root) = 32", name="merkle_root_32_bytes"),
        UniqueConstraint("id", "round_id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), index=True)
    issued_at: Mapped[dt.datetime]
    voucher_count: Mapped[int]
    kind: Mapped[str] = mapped_column(server_default=BatchKind.ISSUE.value)
    merkle_root: Mapped[bytes | None]


class Voucher(Base):
    """One voucher of one household in one round.

    Its code is derived from ``nonce`` with a key that is not in the database; ``code_digest`` is a keyed digest of it.
    ``usable_until`` stands only where a voucher has an end of its own (kept, or come back to life).
    Triggers see to it that batch and household exist, for a whole statement at a time (migration 0003 says why).
    The indexes leave out what changes when a voucher is given, so that giving touches no index.
    """

    __tablename__ = "vouchers"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(VoucherState)}", name="state_known"),
        CheckConstraint("octet_length(nonce) = 16 AND octet_length(code_digest) = 16", name="sixteen_bytes"),
        CheckConstraint("(state = 'revoked') = (revoked_at IS NOT NULL)", name="revoked_at_when_revoked"),
        CheckConstraint("state <> 'kept' OR kept_at IS NOT NULL", name="kept_at_when_kept"),
        Index(
            "uq_vouchers_one_living_per_household_and_round",
            "household_id",
            "round_id",
            unique=True,
            postgresql_where="revoked_at IS NULL",
        ),
        Index(None, "round_id"),
        Index(None, "usable_until", postgresql_where="usable_until IS NOT NULL"),
        {"postgresql_with": {"fillfactor": "85"}},
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    round_id: Mapped[int]
    batch_id: Mapped[int]
    household_id: Mapped[int | None]
    nonce: Mapped[bytes]
    code_digest: Mapped[bytes] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default=VoucherState.ISSUED.value)
    state_changed_at: Mapped[dt.datetime | None]
    usable_until: Mapped[dt.datetime | None]
    kept_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class KeptVoucher(Base):
    """A voucher that somebody keeps in an account ("bewaren"). It can still be given with its code alone."""

    __tablename__ = "kept_vouchers"

    voucher_id: Mapped[int] = mapped_column(ForeignKey("vouchers.id"), primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    kept_at: Mapped[dt.datetime]


class PrintFile(Base):
    """A print file that was made: how many rows and which bytes, so that it can be told from another."""

    __tablename__ = "print_files"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), index=True)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("voucher_batches.id"))
    made_at: Mapped[dt.datetime]
    actor: Mapped[str]
    row_count: Mapped[int]
    sha256: Mapped[str]


class CodeAttempt(Base):
    """A wrong code from a client (rule 10). The client is a keyed digest that rotates daily, never an address.

    ``reason`` is for staff; the code itself is not kept.
    """

    __tablename__ = "code_attempts"
    __table_args__ = (Index(None, "client_digest", "attempted_at"), Index(None, "attempted_at"))

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    client_digest: Mapped[bytes]
    attempted_at: Mapped[dt.datetime]
    reason: Mapped[str]
