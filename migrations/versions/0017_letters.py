# SPDX-License-Identifier: EUPL-1.2
"""Letters: their texts, runs and files; the seal of a batch; the figures of a round."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "help_points",
        sa.Column("district_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("opening_hours", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["district_id"], ["areas.id"], name=op.f("fk_help_points_district_id")),
        sa.PrimaryKeyConstraint("district_id", name=op.f("pk_help_points")),
    )
    op.create_table(
        "letter_texts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (approved_by_id IS NULL)", name=op.f("ck_letter_texts_approved_by_somebody")
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_letter_texts_version_positive")),
        sa.ForeignKeyConstraint(["approved_by_id"], ["accounts.id"], name=op.f("fk_letter_texts_approved_by_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["accounts.id"], name=op.f("fk_letter_texts_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_texts")),
        sa.UniqueConstraint("version", name=op.f("uq_letter_texts_version")),
    )
    op.create_table(
        "round_figures",
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("neighbourhood_id", sa.BigInteger(), nullable=False),
        sa.Column("issued_count", sa.BigInteger(), nullable=False),
        sa.Column("online_count", sa.BigInteger(), nullable=False),
        sa.Column("organiser_count", sa.BigInteger(), nullable=False),
        sa.Column("desk_count", sa.BigInteger(), nullable=False),
        sa.Column("kept_count", sa.BigInteger(), nullable=False),
        sa.Column("expired_count", sa.BigInteger(), nullable=False),
        sa.Column("revoked_count", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "issued_count >= 0 AND online_count >= 0 AND organiser_count >= 0 AND desk_count >= 0 AND kept_count >= 0 "
            "AND expired_count >= 0 AND revoked_count >= 0",
            name=op.f("ck_round_figures_counts_not_negative"),
        ),
        sa.ForeignKeyConstraint(["neighbourhood_id"], ["areas.id"], name=op.f("fk_round_figures_neighbourhood_id")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_round_figures_round_id")),
        sa.PrimaryKeyConstraint("round_id", "neighbourhood_id", name=op.f("pk_round_figures")),
    )
    op.create_table(
        "round_proofs",
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fault_count", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fault_count >= 0", name=op.f("ck_round_proofs_fault_count_not_negative")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_round_proofs_round_id")),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_round_proofs")),
    )
    op.create_table(
        "letter_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("letter_text_id", sa.BigInteger(), nullable=False),
        sa.Column("choices", postgresql.JSONB(), nullable=False),
        sa.Column("help_points", postgresql.JSONB(), nullable=False),
        sa.Column("letter_count", sa.BigInteger(), nullable=False),
        sa.Column("letters_per_file", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="making", nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'handed_over') = (handed_over_at IS NOT NULL)", name=op.f("ck_letter_runs_handed_over_at_when_so")
        ),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name=op.f("ck_letter_runs_withdrawn_at_when_so")
        ),
        sa.CheckConstraint(
            "state IN ('making', 'made', 'handed_over', 'withdrawn')", name=op.f("ck_letter_runs_state_known")
        ),
        sa.CheckConstraint(
            "letter_count > 0 AND letters_per_file > 0", name=op.f("ck_letter_runs_letter_count_positive")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["voucher_batches.id"], name=op.f("fk_letter_runs_batch_id")),
        sa.ForeignKeyConstraint(["letter_text_id"], ["letter_texts.id"], name=op.f("fk_letter_runs_letter_text_id")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_letter_runs_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_runs")),
    )
    op.create_index(op.f("ix_letter_runs_round_id"), "letter_runs", ["round_id"], unique=False)
    op.create_index(
        "uq_letter_runs_one_living", "letter_runs", ["batch_id"], unique=True, postgresql_where="state <> 'withdrawn'"
    )
    op.create_table(
        "letter_files",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("letter_count", sa.BigInteger(), nullable=False),
        sa.Column("byte_count", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("first_postcode", sa.Text(), nullable=False),
        sa.Column("last_postcode", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("store_key", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('letters', 'addresses')", name=op.f("ck_letter_files_kind_known")),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_letter_files_sha256_form")),
        sa.CheckConstraint("letter_count > 0 AND byte_count > 0", name=op.f("ck_letter_files_counts_positive")),
        sa.ForeignKeyConstraint(["run_id"], ["letter_runs.id"], name=op.f("fk_letter_files_run_id")),
        sa.PrimaryKeyConstraint("run_id", "kind", "number", name=op.f("pk_letter_files")),
    )
    op.add_column("rounds", sa.Column("released_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("rounds", sa.Column("letter_text_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_rounds_letter_text_id"), "rounds", "letter_texts", ["letter_text_id"], ["id"])
    op.drop_constraint(op.f("ck_rounds_state_known"), "rounds", type_="check")
    op.create_check_constraint(
        op.f("ck_rounds_state_known"), "rounds", "state IN ('draft', 'planned', 'issued', 'closed', 'cancelled')"
    )
    # The name of a cancelled round may be used again.
    op.drop_constraint(op.f("uq_rounds_name"), "rounds", type_="unique")
    op.create_index("uq_rounds_name", "rounds", ["name"], unique=True, postgresql_where="state <> 'cancelled'")
    op.add_column("voucher_batches", sa.Column("kind", sa.Text(), server_default="issue", nullable=False))
    op.add_column("voucher_batches", sa.Column("merkle_root", sa.LargeBinary(), nullable=True))
    for name, condition in (
        ("kind_known", "kind IN ('issue', 'replacement')"),
        ("merkle_root_32_bytes", "octet_length(merkle_root) = 32"),
    ):
        op.execute(
            f"ALTER TABLE voucher_batches ADD CONSTRAINT ck_voucher_batches_{name} CHECK ({condition}) NOT VALID"
        )
        op.execute(f"ALTER TABLE voucher_batches VALIDATE CONSTRAINT ck_voucher_batches_{name}")
    op.execute(
        """
        CREATE TRIGGER letter_texts_keep_their_words BEFORE UPDATE OF id, version, content ON letter_texts
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER letter_runs_keep_what_they_print BEFORE UPDATE OF batch_id, letter_text_id, choices, help_points,
        letter_count, letters_per_file ON letter_runs FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER letter_texts_never_deleted BEFORE DELETE OR TRUNCATE ON letter_texts
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER letter_runs_never_deleted BEFORE DELETE OR TRUNCATE ON letter_runs
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_voucher_batches_merkle_root_32_bytes"), "voucher_batches", type_="check")
    op.drop_constraint(op.f("ck_voucher_batches_kind_known"), "voucher_batches", type_="check")
    op.drop_column("voucher_batches", "merkle_root")
    op.drop_column("voucher_batches", "kind")
    op.execute("UPDATE rounds SET state = 'draft', name = name || ' (' || id || ')' WHERE state = 'cancelled'")
    op.drop_index("uq_rounds_name", table_name="rounds", postgresql_where="state <> 'cancelled'")
    op.create_unique_constraint(op.f("uq_rounds_name"), "rounds", ["name"])
    op.drop_constraint(op.f("ck_rounds_state_known"), "rounds", type_="check")
    op.create_check_constraint(
        op.f("ck_rounds_state_known"), "rounds", "state IN ('draft', 'planned', 'issued', 'closed')"
    )
    op.drop_constraint(op.f("fk_rounds_letter_text_id"), "rounds", type_="foreignkey")
    op.drop_column("rounds", "letter_text_id")
    op.drop_column("rounds", "released_at")
    op.drop_table("letter_files")
    op.drop_index("uq_letter_runs_one_living", table_name="letter_runs", postgresql_where="state <> 'withdrawn'")
    op.drop_index(op.f("ix_letter_runs_round_id"), table_name="letter_runs")
    op.drop_table("letter_runs")
    op.drop_table("round_proofs")
    op.drop_table("round_figures")
    op.drop_table("letter_texts")
    op.drop_table("help_points")
