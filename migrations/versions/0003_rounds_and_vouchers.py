# SPDX-License-Identifier: EUPL-1.2
"""Rounds, vouchers, print files and wrong codes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rounds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("issue_on", sa.Date(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("kept_valid_days", sa.BigInteger(), nullable=False),
        sa.Column("returned_valid_days", sa.BigInteger(), nullable=False),
        sa.Column("key_fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('draft', 'planned', 'issued', 'closed')", name=op.f("ck_rounds_state_known")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_rounds_amount_positive")),
        sa.CheckConstraint(
            "kept_valid_days > 0 AND returned_valid_days > 0", name=op.f("ck_rounds_valid_days_positive")
        ),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_rounds_opens_before_closing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
        sa.UniqueConstraint("id", "opens_at", "closes_at", name=op.f("uq_rounds_id_opens_at_closes_at")),
        sa.UniqueConstraint("name", name=op.f("uq_rounds_name")),
    )
    op.create_table(
        "round_districts",
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("district_id", sa.BigInteger(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text("int8range(district_id, district_id, '[]')"), "&&"),
            (sa.text("tstzrange(opens_at, closes_at)"), "&&"),
            using="gist",
            name="ex_round_districts_one_open_round",
        ),
        sa.ForeignKeyConstraint(["district_id"], ["areas.id"], name=op.f("fk_round_districts_district_id")),
        sa.ForeignKeyConstraint(
            ["round_id", "opens_at", "closes_at"],
            ["rounds.id", "rounds.opens_at", "rounds.closes_at"],
            name=op.f("fk_round_districts_round_id_opens_at_closes_at"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("round_id", "district_id", name=op.f("pk_round_districts")),
    )
    op.create_table(
        "voucher_batches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voucher_count", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("voucher_count >= 0", name=op.f("ck_voucher_batches_voucher_count_not_negative")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_voucher_batches_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_batches")),
        sa.UniqueConstraint("id", "round_id", name=op.f("uq_voucher_batches_id_round_id")),
    )
    op.create_index(op.f("ix_voucher_batches_round_id"), "voucher_batches", ["round_id"], unique=False)
    op.create_table(
        "vouchers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), server_default="issued", nullable=False),
        sa.Column("state_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("usable_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'revoked') = (revoked_at IS NOT NULL)", name=op.f("ck_vouchers_revoked_at_when_revoked")
        ),
        sa.CheckConstraint("state <> 'kept' OR kept_at IS NOT NULL", name=op.f("ck_vouchers_kept_at_when_kept")),
        sa.CheckConstraint(
            "state IN ('issued', 'given', 'kept', 'expired', 'revoked')", name=op.f("ck_vouchers_state_known")
        ),
        sa.CheckConstraint(
            "octet_length(nonce) = 16 AND octet_length(code_digest) = 16", name=op.f("ck_vouchers_sixteen_bytes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vouchers")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_vouchers_code_digest")),
        postgresql_with={"fillfactor": "85"},
    )
    op.create_index(op.f("ix_vouchers_round_id"), "vouchers", ["round_id"], unique=False)
    op.create_index(
        op.f("ix_vouchers_usable_until"),
        "vouchers",
        ["usable_until"],
        unique=False,
        postgresql_where="usable_until IS NOT NULL",
    )
    op.create_index(
        "uq_vouchers_one_living_per_household_and_round",
        "vouchers",
        ["household_id", "round_id"],
        unique=True,
        postgresql_where="revoked_at IS NULL",
    )
    op.create_table(
        "print_files",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["voucher_batches.id"], name=op.f("fk_print_files_batch_id")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_print_files_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_files")),
    )
    op.create_index(op.f("ix_print_files_round_id"), "print_files", ["round_id"], unique=False)
    op.create_table(
        "code_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_digest", sa.LargeBinary(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_attempts")),
    )
    op.create_index(op.f("ix_code_attempts_attempted_at"), "code_attempts", ["attempted_at"], unique=False)
    op.create_index(
        op.f("ix_code_attempts_client_digest_attempted_at"),
        "code_attempts",
        ["client_digest", "attempted_at"],
        unique=False,
    )
    op.execute(
        """
        CREATE TRIGGER vouchers_never_deleted BEFORE DELETE OR TRUNCATE ON vouchers
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    # What a voucher points at is proved statement by statement: a foreign key, which asks row by row, would make
    # issuing cost twice as much. It is as safe, because a household or a batch is seen only when it is committed or our
    # own, and from then on it can neither go nor get another number.
    op.execute(
        """
        CREATE FUNCTION refuse_dangling_vouchers() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM (SELECT DISTINCT batch_id, round_id FROM written) AS w
                       WHERE NOT EXISTS (SELECT FROM voucher_batches b
                                         WHERE b.id = w.batch_id AND b.round_id = w.round_id)) THEN
                RAISE EXCEPTION 'a voucher needs a batch of its round'
                    USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'vouchers_batch_of_round';
            END IF;
            IF EXISTS (SELECT FROM written w
                       WHERE w.household_id IS NOT NULL
                         AND NOT EXISTS (SELECT FROM households h WHERE h.id = w.household_id)) THEN
                RAISE EXCEPTION 'a voucher needs a household'
                    USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'vouchers_household';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER vouchers_point_at_something AFTER INSERT ON vouchers
        REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION refuse_dangling_vouchers()
        """
    )
    op.execute(
        """
        CREATE TRIGGER vouchers_keep_what_they_point_at BEFORE UPDATE OF batch_id, round_id, household_id ON vouchers
        FOR EACH ROW WHEN (NEW.batch_id <> OLD.batch_id OR NEW.round_id <> OLD.round_id
                           OR NEW.household_id IS DISTINCT FROM OLD.household_id AND NEW.household_id IS NOT NULL)
        EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER voucher_batches_never_deleted BEFORE DELETE OR TRUNCATE ON voucher_batches
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER voucher_batches_keep_their_number BEFORE UPDATE OF id, round_id ON voucher_batches
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER households_keep_their_number BEFORE UPDATE OF id ON households
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.drop_table("code_attempts")
    op.drop_table("print_files")
    op.drop_table("vouchers")
    op.drop_table("voucher_batches")
    op.drop_table("round_districts")
    op.drop_table("rounds")
    op.execute("DROP FUNCTION refuse_dangling_vouchers()")
    op.execute("DROP TRIGGER households_keep_their_number ON households")
