# SPDX-License-Identifier: EUPL-1.2
"""Paper as a full channel, objections, and vouchers that are kept in an account."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KINDS = (
    "('vouchers_issued', 'voucher_given', 'voucher_returned', 'vouchers_expired', 'vouchers_revoked', "
    "'payment_received', 'payment_late', 'refund_made', 'refund_failed', 'refund_owed', 'refund_by_hand', "
    "'refund_borne', 'provider_fee', 'provider_payout', 'dispute_opened', 'dispute_won', 'dispute_lost', "
    "'unexplained', 'explained', 'payout_paid', 'payout_bounced', 'unspent_returned', 'objection_borne')"
)
KINDS_BEFORE = (
    "('vouchers_issued', 'voucher_given', 'voucher_returned', 'vouchers_expired', 'vouchers_revoked', "
    "'payment_received', 'payment_late', 'refund_made', 'refund_failed', 'refund_owed', 'refund_by_hand', "
    "'refund_borne', 'provider_fee', 'provider_payout', 'dispute_opened', 'dispute_won', 'dispute_lost', "
    "'unexplained', 'explained', 'payout_paid', 'payout_bounced', 'unspent_returned')"
)
ROLES = "('district_manager', 'coordinator', 'finance', 'desk')"
ROLES_BEFORE = "('district_manager', 'coordinator', 'finance')"


def upgrade() -> None:
    op.create_table(
        "kept_vouchers",
        sa.Column("voucher_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_kept_vouchers_account_id")),
        sa.ForeignKeyConstraint(["voucher_id"], ["vouchers.id"], name=op.f("fk_kept_vouchers_voucher_id")),
        sa.PrimaryKeyConstraint("voucher_id", name=op.f("pk_kept_vouchers")),
    )
    op.create_index(op.f("ix_kept_vouchers_account_id"), "kept_vouchers", ["account_id"], unique=False)
    op.create_table(
        "collection_boxes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("number > 0", name=op.f("ck_collection_boxes_number_positive")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_collection_boxes_account_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_collection_boxes_initiative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_boxes")),
        sa.UniqueConstraint("number", name=op.f("uq_collection_boxes_number")),
    )
    op.create_index(op.f("ix_collection_boxes_initiative_id"), "collection_boxes", ["initiative_id"], unique=False)
    op.create_table(
        "entry_batches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("box_id", sa.BigInteger(), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refused_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="booked", nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waits_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(state = 'booked') = (waits_until IS NULL)", name=op.f("ck_entry_batches_waits_until_once_it_waits")
        ),
        sa.CheckConstraint(
            "(state IN ('released', 'refused')) = (decided_at IS NOT NULL)",
            name=op.f("ck_entry_batches_decided_at_when_decided"),
        ),
        sa.CheckConstraint(
            "state <> 'refused' OR length(reason) > 0", name=op.f("ck_entry_batches_reason_when_refused")
        ),
        sa.CheckConstraint(
            "state IN ('booked', 'waiting', 'released', 'refused')", name=op.f("ck_entry_batches_state_known")
        ),
        sa.CheckConstraint(
            "entered_count >= 0 AND refused_count >= 0", name=op.f("ck_entry_batches_counts_not_negative")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_entry_batches_account_id")),
        sa.ForeignKeyConstraint(["box_id"], ["collection_boxes.id"], name=op.f("fk_entry_batches_box_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["accounts.id"], name=op.f("fk_entry_batches_decided_by_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_entry_batches_initiative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_batches")),
        sa.UniqueConstraint("reference", name=op.f("uq_entry_batches_reference")),
    )
    op.create_index(op.f("ix_entry_batches_box_id"), "entry_batches", ["box_id"], unique=False)
    op.create_index(
        op.f("ix_entry_batches_initiative_id_began_at"), "entry_batches", ["initiative_id", "began_at"], unique=False
    )
    op.create_index(
        "ix_entry_batches_waiting", "entry_batches", ["waits_until"], unique=False, postgresql_where="state = 'waiting'"
    )
    op.create_table(
        "waiting_entries",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("voucher_id", sa.BigInteger(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["entry_batches.id"], name=op.f("fk_waiting_entries_batch_id")),
        sa.ForeignKeyConstraint(["voucher_id"], ["vouchers.id"], name=op.f("fk_waiting_entries_voucher_id")),
        sa.PrimaryKeyConstraint("batch_id", "voucher_id", name=op.f("pk_waiting_entries")),
    )
    op.create_index(op.f("ix_waiting_entries_voucher_id"), "waiting_entries", ["voucher_id"], unique=False)
    op.create_table(
        "objections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("donation_id", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL)", name=op.f("ck_objections_decided_at_when_decided")
        ),
        sa.CheckConstraint("state = 'open' OR length(reason) > 0", name=op.f("ck_objections_reason_when_decided")),
        sa.CheckConstraint("state IN ('open', 'upheld', 'rejected')", name=op.f("ck_objections_state_known")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["accounts.id"], name=op.f("fk_objections_decided_by_id")),
        sa.ForeignKeyConstraint(["donation_id"], ["donations.id"], name=op.f("fk_objections_donation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objections")),
        sa.UniqueConstraint("donation_id", name=op.f("uq_objections_donation_id")),
    )
    op.create_index("ix_objections_open", "objections", ["raised_at"], unique=False, postgresql_where="state = 'open'")
    op.add_column("donations", sa.Column("entry_batch_id", sa.BigInteger(), nullable=True))
    op.create_index(
        op.f("ix_donations_entry_batch_id"),
        "donations",
        ["entry_batch_id"],
        unique=False,
        postgresql_where="entry_batch_id IS NOT NULL",
    )
    op.create_foreign_key(op.f("fk_donations_entry_batch_id"), "donations", "entry_batches", ["entry_batch_id"], ["id"])
    op.execute(
        """
        ALTER TABLE donations ADD CONSTRAINT ck_donations_entry_batch_of_organiser
        CHECK (entry_batch_id IS NULL OR channel = 'organiser') NOT VALID
        """
    )
    op.execute("ALTER TABLE donations VALIDATE CONSTRAINT ck_donations_entry_batch_of_organiser")
    _check("ledger_transactions", "kind_known", f"kind IN {KINDS}")
    _check("staff_roles", "role_known", f"role IN {ROLES}")
    op.execute(
        """
        CREATE TRIGGER objections_never_deleted BEFORE DELETE OR TRUNCATE ON objections
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER entry_batches_never_deleted BEFORE DELETE OR TRUNCATE ON entry_batches
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER collection_boxes_never_deleted BEFORE DELETE OR TRUNCATE ON collection_boxes
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def _check(table: str, name: str, condition: str) -> None:
    """Put a wider check in the place of one; the rows that are there are looked at without a lock on the table."""
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition}) NOT VALID")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}")


def downgrade() -> None:
    _check("staff_roles", "role_known", f"role IN {ROLES_BEFORE}")
    _check("ledger_transactions", "kind_known", f"kind IN {KINDS_BEFORE}")
    op.drop_constraint(op.f("ck_donations_entry_batch_of_organiser"), "donations", type_="check")
    op.drop_constraint(op.f("fk_donations_entry_batch_id"), "donations", type_="foreignkey")
    op.drop_index(
        op.f("ix_donations_entry_batch_id"), table_name="donations", postgresql_where="entry_batch_id IS NOT NULL"
    )
    op.drop_column("donations", "entry_batch_id")
    op.drop_index("ix_objections_open", table_name="objections", postgresql_where="state = 'open'")
    op.drop_table("objections")
    op.drop_index(op.f("ix_waiting_entries_voucher_id"), table_name="waiting_entries")
    op.drop_table("waiting_entries")
    op.drop_index("ix_entry_batches_waiting", table_name="entry_batches", postgresql_where="state = 'waiting'")
    op.drop_index(op.f("ix_entry_batches_initiative_id_began_at"), table_name="entry_batches")
    op.drop_index(op.f("ix_entry_batches_box_id"), table_name="entry_batches")
    op.drop_table("entry_batches")
    op.drop_index(op.f("ix_collection_boxes_initiative_id"), table_name="collection_boxes")
    op.drop_table("collection_boxes")
    op.drop_index(op.f("ix_kept_vouchers_account_id"), table_name="kept_vouchers")
    op.drop_table("kept_vouchers")
