# SPDX-License-Identifier: EUPL-1.2
"""The books hold money too: more accounts and kinds, tasks for finance, the proof of each night."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KINDS = (
    "('vouchers_issued', 'voucher_given', 'voucher_returned', 'vouchers_expired', 'vouchers_revoked', "
    "'payment_received', 'payment_late', 'refund_made', 'refund_failed', 'refund_owed', "
    "'refund_by_hand', 'refund_borne', 'provider_fee', 'provider_payout', 'dispute_opened', "
    "'dispute_won', 'dispute_lost', 'unexplained', 'explained', 'payout_paid', 'payout_bounced', "
    "'unspent_returned')"
)
KINDS_BEFORE = "('vouchers_issued', 'voucher_given', 'voucher_returned', 'vouchers_expired', 'vouchers_revoked')"
ACCOUNTS = "('budget', 'vouchers', 'initiative', 'provider', 'fees', 'bank', 'owed', 'disputes', 'suspense', 'surplus')"
ACCOUNTS_BEFORE = "('budget', 'vouchers', 'initiative', 'provider', 'fees', 'bank')"


def upgrade() -> None:
    op.create_table(
        "books_checks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("breach_count", sa.BigInteger(), nullable=False),
        sa.Column("breaches", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_books_checks")),
    )
    op.create_table(
        "finance_tasks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=True),
        sa.Column("payout_id", sa.BigInteger(), nullable=True),
        sa.Column("initiative_id", sa.BigInteger(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("ours", sa.Text(), server_default="", nullable=False),
        sa.Column("theirs", sa.Text(), server_default="", nullable=False),
        sa.Column("external_id", sa.Text(), server_default="", nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", sa.BigInteger(), nullable=True),
        sa.Column("settlement", sa.Text(), nullable=True),
        sa.Column("settled_note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "kind IN ('refund_failed', 'refund_too_late', 'refund_at_provider', 'difference', "
            "'dispute_opened', 'dispute_lost', 'stopped_after_payout', 'statement', 'payout_bounced', 'books_broken')",
            name=op.f("ck_finance_tasks_kind_known"),
        ),
        sa.CheckConstraint(
            "settlement IN ('note', 'paid_by_hand', 'try_again', 'borne')",
            name=op.f("ck_finance_tasks_settlement_known"),
        ),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settlement IS NULL)", name=op.f("ck_finance_tasks_settled_somehow")
        ),
        sa.CheckConstraint(
            "settled_at IS NULL OR length(settled_note) > 0", name=op.f("ck_finance_tasks_note_when_settled")
        ),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_finance_tasks_initiative_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_finance_tasks_payment_id")),
        sa.ForeignKeyConstraint(["payout_id"], ["payouts.id"], name=op.f("fk_finance_tasks_payout_id")),
        sa.ForeignKeyConstraint(["settled_by_id"], ["accounts.id"], name=op.f("fk_finance_tasks_settled_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finance_tasks")),
        sa.UniqueConstraint("key", name=op.f("uq_finance_tasks_key")),
    )
    op.create_index(
        "ix_finance_tasks_open", "finance_tasks", ["opened_at"], unique=False, postgresql_where="settled_at IS NULL"
    )
    op.add_column("ledger_transactions", sa.Column("payout_id", sa.BigInteger(), nullable=True))
    op.add_column("ledger_transactions", sa.Column("external_id", sa.Text(), nullable=True))
    op.create_index(op.f("ix_ledger_transactions_booked_at"), "ledger_transactions", ["booked_at"], unique=False)
    op.create_index(
        op.f("ix_ledger_transactions_donation_id"),
        "ledger_transactions",
        ["donation_id"],
        unique=False,
        postgresql_where="donation_id IS NOT NULL",
    )
    op.create_index(
        "uq_ledger_transactions_once_per_external_id",
        "ledger_transactions",
        ["external_id", "kind"],
        unique=True,
        postgresql_where="external_id IS NOT NULL",
    )
    op.create_index(
        "uq_ledger_transactions_once_per_payout",
        "ledger_transactions",
        ["payout_id", "kind"],
        unique=True,
        postgresql_where="payout_id IS NOT NULL",
    )
    op.create_foreign_key(
        op.f("fk_ledger_transactions_payout_id"), "ledger_transactions", "payouts", ["payout_id"], ["id"]
    )
    op.drop_index("uq_ledger_transactions_once_per_donation", table_name="ledger_transactions")
    op.create_index(
        "uq_ledger_transactions_once_per_donation",
        "ledger_transactions",
        ["donation_id", "kind"],
        unique=True,
        postgresql_where="donation_id IS NOT NULL AND external_id IS NULL",
    )
    _check("ledger_transactions", "kind_known", f"kind IN {KINDS}")
    _check("ledger_postings", "account_known", f"account IN {ACCOUNTS}")
    _check(
        "ledger_postings",
        "initiative_of_its_account",
        "(account IN ('initiative', 'surplus')) = (initiative_id IS NOT NULL)",
    )
    op.execute(
        """
        CREATE TRIGGER finance_tasks_never_deleted BEFORE DELETE OR TRUNCATE ON finance_tasks
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER books_checks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON books_checks
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def _check(table: str, name: str, condition: str) -> None:
    """Put a wider check in the place of one; the rows that are there are looked at without a lock on the table."""
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition}) NOT VALID")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}")


def downgrade() -> None:
    _check("ledger_postings", "initiative_of_its_account", "(account = 'initiative') = (initiative_id IS NOT NULL)")
    _check("ledger_postings", "account_known", f"account IN {ACCOUNTS_BEFORE}")
    _check("ledger_transactions", "kind_known", f"kind IN {KINDS_BEFORE}")
    op.drop_index("uq_ledger_transactions_once_per_external_id", table_name="ledger_transactions")
    op.drop_index("uq_ledger_transactions_once_per_donation", table_name="ledger_transactions")
    op.create_index(
        "uq_ledger_transactions_once_per_donation",
        "ledger_transactions",
        ["donation_id", "kind"],
        unique=True,
        postgresql_where="donation_id IS NOT NULL",
    )
    op.drop_index(op.f("ix_ledger_transactions_donation_id"), table_name="ledger_transactions")
    op.drop_index(op.f("ix_ledger_transactions_booked_at"), table_name="ledger_transactions")
    op.drop_column("ledger_transactions", "external_id")
    op.drop_column("ledger_transactions", "payout_id")
    op.drop_table("finance_tasks")
    op.drop_table("books_checks")
