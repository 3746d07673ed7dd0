# SPDX-License-Identifier: EUPL-1.2
"""Payouts, the files they leave in, and the bank statements that say what became of them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_statements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("statement_ids", sa.Text(), nullable=False),
        sa.Column("line_count", sa.BigInteger(), nullable=False),
        sa.Column("matched_count", sa.BigInteger(), nullable=False),
        sa.Column("differing_count", sa.BigInteger(), nullable=False),
        sa.Column("known_count", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_bank_statements_sha256_length")),
        sa.ForeignKeyConstraint(["uploaded_by_id"], ["accounts.id"], name=op.f("fk_bank_statements_uploaded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statements")),
        sa.UniqueConstraint("sha256", name=op.f("uq_bank_statements_sha256")),
    )
    op.create_table(
        "payout_batches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("payout_count", sa.BigInteger(), nullable=False),
        sa.Column("sum_cents", sa.BigInteger(), nullable=False),
        sa.Column("execution_on", sa.Date(), nullable=False),
        sa.Column("sealed_file", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by_id", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remark", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('made', 'released', 'settled', 'cancelled')", name=op.f("ck_payout_batches_state_known")
        ),
        sa.CheckConstraint(
            "state NOT IN ('released', 'settled') OR released_at IS NOT NULL",
            name=op.f("ck_payout_batches_released_when_further"),
        ),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_by_id IS NULL)", name=op.f("ck_payout_batches_released_by_somebody")
        ),
        sa.CheckConstraint("length(message_id) BETWEEN 1 AND 35", name=op.f("ck_payout_batches_message_id_length")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_payout_batches_sha256_length")),
        sa.CheckConstraint("payout_count > 0 AND sum_cents > 0", name=op.f("ck_payout_batches_holds_something")),
        sa.CheckConstraint("released_by_id <> made_by_id", name=op.f("ck_payout_batches_released_by_another")),
        sa.ForeignKeyConstraint(["made_by_id"], ["accounts.id"], name=op.f("fk_payout_batches_made_by_id")),
        sa.ForeignKeyConstraint(["released_by_id"], ["accounts.id"], name=op.f("fk_payout_batches_released_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_batches")),
        sa.UniqueConstraint("message_id", name=op.f("uq_payout_batches_message_id")),
    )
    op.create_table(
        "statement_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column("bank_reference", sa.Text(), nullable=False),
        sa.Column("end_to_end_id", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("is_credit", sa.Boolean(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_statement_lines_amount_positive")),
        sa.CheckConstraint(
            "outcome IN ('paid', 'bounced', 'agreed', 'differs')", name=op.f("ck_statement_lines_outcome_known")
        ),
        sa.ForeignKeyConstraint(["statement_id"], ["bank_statements.id"], name=op.f("fk_statement_lines_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_lines")),
        sa.UniqueConstraint(
            "bank_reference",
            "end_to_end_id",
            "is_credit",
            name=op.f("uq_statement_lines_bank_reference_end_to_end_id_is_credit"),
        ),
    )
    op.create_index(op.f("ix_statement_lines_statement_id"), "statement_lines", ["statement_id"], unique=False)
    op.create_table(
        "unspent_returns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booked_by_id", sa.BigInteger(), nullable=False),
        sa.Column("form_key", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_unspent_returns_amount_positive")),
        sa.CheckConstraint("length(note) <= 200", name=op.f("ck_unspent_returns_note_length")),
        sa.ForeignKeyConstraint(["booked_by_id"], ["accounts.id"], name=op.f("fk_unspent_returns_booked_by_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_unspent_returns_initiative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unspent_returns")),
        sa.UniqueConstraint("form_key", name=op.f("uq_unspent_returns_form_key")),
    )
    op.create_index(op.f("ix_unspent_returns_initiative_id"), "unspent_returns", ["initiative_id"], unique=False)
    op.create_table(
        "payouts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("iban_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("iban_digest", sa.LargeBinary(), nullable=False),
        sa.Column("iban_masked", sa.Text(), nullable=False),
        sa.Column("holder_name", sa.Text(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by_id", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by_id", sa.BigInteger(), nullable=True),
        sa.Column("remark", sa.Text(), server_default="", nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("end_to_end_id", sa.Text(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("paid_note", sa.Text(), server_default="", nullable=False),
        sa.Column("statement_line_id", sa.BigInteger(), nullable=True),
        sa.Column("is_doubtful", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("NOT is_doubtful OR state = 'bounced'", name=op.f("ck_payouts_doubtful_when_bounced")),
        sa.CheckConstraint("holder_kind IN ('organisation', 'person')", name=op.f("ck_payouts_holder_kind_known")),
        sa.CheckConstraint("state <> 'paid' OR paid_on IS NOT NULL", name=op.f("ck_payouts_paid_on_when_paid")),
        sa.CheckConstraint(
            "state IN ('requested', 'incomplete', 'confirmed', 'approved', 'exported', 'paid', 'refused', 'bounced')",
            name=op.f("ck_payouts_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'exported', 'paid') OR approved_at IS NOT NULL",
            name=op.f("ck_payouts_approved_when_further"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('confirmed', 'approved', 'exported', 'paid') OR confirmed_at IS NOT NULL",
            name=op.f("ck_payouts_confirmed_when_further"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('exported') OR batch_id IS NOT NULL", name=op.f("ck_payouts_batch_when_exported")
        ),
        sa.CheckConstraint(
            "state NOT IN ('incomplete', 'refused') OR length(remark) > 0", name=op.f("ck_payouts_remark_when_back")
        ),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (approved_by_id IS NULL)", name=op.f("ck_payouts_approved_by_somebody")
        ),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (confirmed_by_id IS NULL)", name=op.f("ck_payouts_confirmed_by_somebody")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_payouts_amount_positive")),
        sa.CheckConstraint("approved_by_id <> confirmed_by_id", name=op.f("ck_payouts_two_pairs_of_eyes")),
        sa.CheckConstraint("approved_by_id <> requested_by_id", name=op.f("ck_payouts_approved_by_another")),
        sa.CheckConstraint("confirmed_by_id <> requested_by_id", name=op.f("ck_payouts_confirmed_by_another")),
        sa.CheckConstraint("length(holder_name) BETWEEN 2 AND 70", name=op.f("ck_payouts_holder_name_length")),
        sa.ForeignKeyConstraint(["approved_by_id"], ["accounts.id"], name=op.f("fk_payouts_approved_by_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["payout_batches.id"], name=op.f("fk_payouts_batch_id")),
        sa.ForeignKeyConstraint(["confirmed_by_id"], ["accounts.id"], name=op.f("fk_payouts_confirmed_by_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_payouts_initiative_id")),
        sa.ForeignKeyConstraint(["requested_by_id"], ["accounts.id"], name=op.f("fk_payouts_requested_by_id")),
        sa.ForeignKeyConstraint(
            ["statement_line_id"], ["statement_lines.id"], name=op.f("fk_payouts_statement_line_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
        sa.UniqueConstraint("end_to_end_id", name=op.f("uq_payouts_end_to_end_id")),
    )
    op.create_index(op.f("ix_payouts_batch_id"), "payouts", ["batch_id"], unique=False)
    op.create_index(op.f("ix_payouts_iban_digest"), "payouts", ["iban_digest"], unique=False)
    op.create_index(op.f("ix_payouts_initiative_id"), "payouts", ["initiative_id"], unique=False)
    op.create_index(
        "ix_payouts_waiting",
        "payouts",
        ["state", "state_changed_at"],
        unique=False,
        postgresql_where="state IN ('requested', 'incomplete', 'confirmed', 'approved', 'exported')",
    )
    op.create_index(
        "uq_payouts_one_living",
        "payouts",
        ["initiative_id"],
        unique=True,
        postgresql_where="state IN ('requested', 'incomplete', 'confirmed', 'approved', 'exported')",
    )
    op.execute(
        """
        CREATE TRIGGER payouts_never_deleted BEFORE DELETE OR TRUNCATE ON payouts
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER payout_batches_never_deleted BEFORE DELETE OR TRUNCATE ON payout_batches
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER payout_batches_as_made
        BEFORE UPDATE OF message_id, payout_count, sum_cents, execution_on, sealed_file, sha256, made_at, made_by_id
        ON payout_batches FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER statement_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON statement_lines
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER unspent_returns_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON unspent_returns
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.drop_table("payouts")
    op.drop_table("unspent_returns")
    op.drop_table("statement_lines")
    op.drop_table("payout_batches")
    op.drop_table("bank_statements")
