# SPDX-License-Identifier: EUPL-1.2
"""Letters that were lost or came back, and addresses that were changed by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "returned_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("voucher_id", sa.BigInteger(), nullable=False),
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("neighbourhood_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('unknown_address', 'no_letterbox', 'empty', 'refused', 'other')",
            name=op.f("ck_returned_letters_reason_known"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_returned_letters_account_id")),
        sa.ForeignKeyConstraint(["neighbourhood_id"], ["areas.id"], name=op.f("fk_returned_letters_neighbourhood_id")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_returned_letters_round_id")),
        sa.ForeignKeyConstraint(["voucher_id"], ["vouchers.id"], name=op.f("fk_returned_letters_voucher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returned_letters")),
        sa.UniqueConstraint("voucher_id", name=op.f("uq_returned_letters_voucher_id")),
    )
    op.create_index(
        op.f("ix_returned_letters_neighbourhood_id"), "returned_letters", ["neighbourhood_id"], unique=False
    )
    op.create_index(op.f("ix_returned_letters_round_id"), "returned_letters", ["round_id"], unique=False)
    op.create_table(
        "replacement_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=True),
        sa.Column("neighbourhood_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'printed') = (batch_id IS NOT NULL)", name=op.f("ck_replacement_requests_batch_when_printed")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (settled_at IS NULL)", name=op.f("ck_replacement_requests_settled_at_when_over")
        ),
        sa.CheckConstraint(
            "channel IN ('online', 'organiser', 'desk')", name=op.f("ck_replacement_requests_channel_known")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'printed', 'dropped')", name=op.f("ck_replacement_requests_state_known")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["voucher_batches.id"], name=op.f("fk_replacement_requests_batch_id")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_replacement_requests_household_id")),
        sa.ForeignKeyConstraint(
            ["neighbourhood_id"], ["areas.id"], name=op.f("fk_replacement_requests_neighbourhood_id")
        ),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_replacement_requests_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replacement_requests")),
        sa.UniqueConstraint("round_id", "household_id", name=op.f("uq_replacement_requests_round_id_household_id")),
    )
    op.create_index(
        op.f("ix_replacement_requests_neighbourhood_id_asked_at"),
        "replacement_requests",
        ["neighbourhood_id", "asked_at"],
        unique=False,
    )
    op.create_index(
        "ix_replacement_requests_waiting",
        "replacement_requests",
        ["round_id"],
        unique=False,
        postgresql_where="state = 'waiting'",
    )
    op.add_column("households", sa.Column("added_by_hand_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("households", sa.Column("ended_by_hand_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("households", sa.Column("mail_returned_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        """
        CREATE TRIGGER returned_letters_never_deleted BEFORE DELETE OR TRUNCATE ON returned_letters
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER replacement_requests_never_deleted BEFORE DELETE OR TRUNCATE ON replacement_requests
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.drop_column("households", "mail_returned_at")
    op.drop_column("households", "ended_by_hand_at")
    op.drop_column("households", "added_by_hand_at")
    op.drop_index(
        "ix_replacement_requests_waiting", table_name="replacement_requests", postgresql_where="state = 'waiting'"
    )
    op.drop_index(op.f("ix_replacement_requests_neighbourhood_id_asked_at"), table_name="replacement_requests")
    op.drop_table("replacement_requests")
    op.drop_index(op.f("ix_returned_letters_round_id"), table_name="returned_letters")
    op.drop_index(op.f("ix_returned_letters_neighbourhood_id"), table_name="returned_letters")
    op.drop_table("returned_letters")
