# SPDX-License-Identifier: EUPL-1.2
"""Donations and the ledger, which is append only and always in balance."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "donations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voucher_id", sa.BigInteger(), nullable=True),
        sa.Column("plan_b_initiative_id", sa.BigInteger(), nullable=True),
        sa.Column("giver_name", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("giver_email", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'voucher') = (voucher_id IS NOT NULL)", name=op.f("ck_donations_voucher_of_voucher_gift")
        ),
        sa.CheckConstraint(
            "(state = 'returned') = (returned_at IS NOT NULL)", name=op.f("ck_donations_returned_at_when_returned")
        ),
        sa.CheckConstraint("channel IN ('online', 'organiser', 'desk')", name=op.f("ck_donations_channel_known")),
        sa.CheckConstraint(
            "kind <> 'voucher' OR state IN ('confirmed', 'returned')",
            name=op.f("ck_donations_voucher_gift_is_confirmed"),
        ),
        sa.CheckConstraint("kind IN ('voucher', 'money')", name=op.f("ck_donations_kind_known")),
        sa.CheckConstraint(
            "state IN ('pending', 'confirmed', 'returned', 'failed')", name=op.f("ck_donations_state_known")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_donations_amount_positive")),
        sa.CheckConstraint("plan_b_initiative_id <> initiative_id", name=op.f("ck_donations_plan_b_is_another")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_donations_initiative_id")),
        sa.ForeignKeyConstraint(
            ["plan_b_initiative_id"], ["initiatives.id"], name=op.f("fk_donations_plan_b_initiative_id")
        ),
        sa.ForeignKeyConstraint(["voucher_id"], ["vouchers.id"], name=op.f("fk_donations_voucher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_donations")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_donations_idempotency_key")),
        sa.UniqueConstraint("reference", name=op.f("uq_donations_reference")),
    )
    op.create_index(
        "ix_donations_confirmed_total",
        "donations",
        ["initiative_id"],
        unique=False,
        postgresql_include=["amount_cents"],
        postgresql_where="state = 'confirmed'",
    )
    op.create_index(
        op.f("ix_donations_initiative_id_given_at"), "donations", ["initiative_id", "given_at"], unique=False
    )
    op.create_index(
        "uq_donations_one_confirmed_per_voucher",
        "donations",
        ["voucher_id"],
        unique=True,
        postgresql_where="state = 'confirmed'",
    )
    op.create_table(
        "ledger_transactions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("donation_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('vouchers_issued', 'voucher_given', 'voucher_returned', 'vouchers_expired', 'vouchers_revoked')",
            name=op.f("ck_ledger_transactions_kind_known"),
        ),
        sa.ForeignKeyConstraint(["donation_id"], ["donations.id"], name=op.f("fk_ledger_transactions_donation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transactions")),
    )
    op.create_index(
        "uq_ledger_transactions_once_per_donation",
        "ledger_transactions",
        ["donation_id", "kind"],
        unique=True,
        postgresql_where="donation_id IS NOT NULL",
    )
    op.create_table(
        "ledger_postings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("round_id", sa.BigInteger(), nullable=True),
        sa.Column("initiative_id", sa.BigInteger(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(account = 'initiative') = (initiative_id IS NOT NULL)",
            name=op.f("ck_ledger_postings_initiative_of_its_account"),
        ),
        sa.CheckConstraint(
            "(account IN ('budget', 'vouchers')) = (round_id IS NOT NULL)",
            name=op.f("ck_ledger_postings_round_of_round_account"),
        ),
        sa.CheckConstraint(
            "account IN ('budget', 'vouchers', 'initiative', 'provider', 'fees', 'bank')",
            name=op.f("ck_ledger_postings_account_known"),
        ),
        sa.CheckConstraint("amount_cents <> 0", name=op.f("ck_ledger_postings_amount_not_zero")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_ledger_postings_initiative_id")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_ledger_postings_round_id")),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["ledger_transactions.id"], name=op.f("fk_ledger_postings_transaction_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_postings")),
    )
    op.create_index(
        op.f("ix_ledger_postings_initiative_id"),
        "ledger_postings",
        ["initiative_id"],
        unique=False,
        postgresql_where="initiative_id IS NOT NULL",
    )
    op.create_index(
        op.f("ix_ledger_postings_round_id"),
        "ledger_postings",
        ["round_id"],
        unique=False,
        postgresql_where="round_id IS NOT NULL",
    )
    op.create_index(op.f("ix_ledger_postings_transaction_id"), "ledger_postings", ["transaction_id"], unique=False)

    op.execute(
        """
        CREATE TRIGGER donations_never_deleted BEFORE DELETE OR TRUNCATE ON donations
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER ledger_transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER ledger_postings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_postings
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    # All postings of a transaction are written by one statement, and it must leave them balanced.
    op.execute(
        """
        CREATE FUNCTION refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE unbalanced bigint;
        BEGIN
            SELECT transaction_id INTO unbalanced FROM written
            GROUP BY transaction_id HAVING SUM(amount_cents) <> 0 LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'ledger transaction % does not sum to zero', unbalanced
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_postings_balanced';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER ledger_postings_balanced AFTER INSERT ON ledger_postings
        REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced()
        """
    )


def downgrade() -> None:
    op.drop_table("ledger_postings")
    op.drop_table("ledger_transactions")
    op.drop_table("donations")
    op.execute("DROP FUNCTION refuse_unbalanced()")
