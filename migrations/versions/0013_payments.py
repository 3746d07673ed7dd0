# SPDX-License-Identifier: EUPL-1.2
"""Payments of gifts of money, and what the provider told us about them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_entries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("fee_cents", sa.BigInteger(), nullable=False),
        sa.Column("net_cents", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("net_cents = amount_cents - fee_cents", name=op.f("ck_provider_entries_net_adds_up")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_entries")),
    )
    op.create_index(op.f("ix_provider_entries_created_at"), "provider_entries", ["created_at"], unique=False)
    op.create_index(op.f("ix_provider_entries_source_id"), "provider_entries", ["source_id"], unique=False)
    op.create_table(
        "provider_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('applied', 'nothing_new', 'not_ours', 'unknown_type', 'task')",
            name=op.f("ck_provider_events_outcome_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_events")),
    )
    op.create_index(op.f("ix_provider_events_received_at"), "provider_events", ["received_at"], unique=False)
    op.create_table(
        "payments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("donation_id", sa.BigInteger(), nullable=False),
        sa.Column("voucher_donation_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reserved_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_reserving", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("state_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checkout_id", sa.Text(), nullable=True),
        sa.Column("intent_id", sa.Text(), nullable=True),
        sa.Column("charge_id", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), server_default="", nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_email", sa.Text(), nullable=True),
        sa.Column("organisation_name", sa.Text(), nullable=True),
        sa.Column("refund_reason", sa.Text(), nullable=True),
        sa.Column("refund_attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refund_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refund_retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refund_id", sa.Text(), nullable=True),
        sa.Column("refund_error", sa.Text(), server_default="", nullable=False),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("dispute_id", sa.Text(), nullable=True),
        sa.Column("disputed_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("is_borne", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint(
            "NOT is_borne OR state IN "
            "('refund_pending', 'refunded', 'refund_failed', 'charged_back', 'disputed', 'paid')",
            name=op.f("ck_payments_borne_when_back"),
        ),
        sa.CheckConstraint(
            "returned_cents BETWEEN 0 AND amount_cents", name=op.f("ck_payments_never_more_back_than_paid")
        ),
        sa.CheckConstraint(
            "state NOT IN ('refunded', 'charged_back') OR returned_cents = amount_cents",
            name=op.f("ck_payments_all_back_when_back"),
        ),
        sa.CheckConstraint(
            "disputed_cents >= 0 AND (state = 'disputed') = (disputed_cents > 0)",
            name=op.f("ck_payments_disputed_cents_when_disputed"),
        ),
        sa.CheckConstraint(
            "refund_reason IN ('late', 'expired', 'stopped', 'withdrawn', 'at_provider')",
            name=op.f("ck_payments_refund_reason_known"),
        ),
        sa.CheckConstraint(
            "state IN ('created', 'failed', 'expired') OR paid_at IS NOT NULL",
            name=op.f("ck_payments_paid_at_when_paid"),
        ),
        sa.CheckConstraint(
            "state IN ('created', 'paid', 'failed', 'expired', 'refund_pending', 'refunded', 'refund_failed', "
            "'disputed', 'charged_back')",
            name=op.f("ck_payments_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('disputed', 'charged_back') OR dispute_id IS NOT NULL",
            name=op.f("ck_payments_dispute_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('refund_pending', 'refunded', 'refund_failed') OR refund_reason IS NOT NULL",
            name=op.f("ck_payments_reason_when_refunded"),
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_payments_amount_positive")),
        sa.CheckConstraint("refund_attempt >= 0", name=op.f("ck_payments_refund_attempt_not_negative")),
        sa.ForeignKeyConstraint(["donation_id"], ["donations.id"], name=op.f("fk_payments_donation_id")),
        sa.ForeignKeyConstraint(
            ["voucher_donation_id"], ["donations.id"], name=op.f("fk_payments_voucher_donation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("charge_id", name=op.f("uq_payments_charge_id")),
        sa.UniqueConstraint("checkout_id", name=op.f("uq_payments_checkout_id")),
        sa.UniqueConstraint("dispute_id", name=op.f("uq_payments_dispute_id")),
        sa.UniqueConstraint("donation_id", name=op.f("uq_payments_donation_id")),
        sa.UniqueConstraint("intent_id", name=op.f("uq_payments_intent_id")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_payments_refund_id")),
        sa.UniqueConstraint("voucher_donation_id", name=op.f("uq_payments_voucher_donation_id")),
    )
    op.create_index(
        "ix_payments_begun", "payments", ["reserved_until"], unique=False, postgresql_where="state = 'created'"
    )
    op.create_index(
        "ix_payments_to_refund",
        "payments",
        ["refund_retry_at"],
        unique=False,
        postgresql_where="state IN ('paid', 'refund_pending')",
    )
    op.add_column("donations", sa.Column("is_organisation", sa.Boolean(), server_default="false", nullable=False))
    op.execute(
        """
        ALTER TABLE donations ADD CONSTRAINT ck_donations_organisation_gives_money
        CHECK (kind = 'money' OR NOT is_organisation) NOT VALID
        """
    )
    op.execute("ALTER TABLE donations VALIDATE CONSTRAINT ck_donations_organisation_gives_money")
    op.execute(
        """
        CREATE TRIGGER payments_never_deleted BEFORE DELETE OR TRUNCATE ON payments
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER provider_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_events
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_donations_organisation_gives_money"), "donations", type_="check")
    op.drop_column("donations", "is_organisation")
    op.drop_table("payments")
    op.drop_table("provider_events")
    op.drop_table("provider_entries")
