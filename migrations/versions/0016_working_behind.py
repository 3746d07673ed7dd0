# SPDX-License-Identifier: EUPL-1.2
"""Orders for long work, the timetable, the numbers of the rules and the budget of a year."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scheduled_jobs",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_scheduled_jobs")),
    )
    op.create_table(
        "year_budgets",
        sa.Column("year", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("ck_year_budgets_amount_not_negative")),
        sa.CheckConstraint("year BETWEEN 2000 AND 2100", name=op.f("ck_year_budgets_year_range")),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_year_budgets")),
    )
    op.create_table(
        "rule_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("old_value", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_rule_changes_reason_given")),
        sa.CheckConstraint("value > 0", name=op.f("ck_rule_changes_value_positive")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_rule_changes_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_changes")),
    )
    op.create_index(op.f("ix_rule_changes_name_id"), "rule_changes", ["name", "id"], unique=False)
    op.create_table(
        "work_orders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("done_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("result", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'failed') = (error IS NOT NULL)", name=op.f("ck_work_orders_error_when_failed")),
        sa.CheckConstraint(
            "(state IN ('done', 'failed', 'cancelled')) = (ended_at IS NOT NULL)",
            name=op.f("ck_work_orders_ended_at_when_over"),
        ),
        sa.CheckConstraint(
            "kind IN ('check_addresses', 'import_addresses', 'issue_round', 'make_letters', 'run_job')",
            name=op.f("ck_work_orders_kind_known"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_work_orders_state_known")
        ),
        sa.CheckConstraint(
            "done_count >= 0 AND total_count >= 0 AND attempts >= 0", name=op.f("ck_work_orders_counts_not_negative")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_work_orders_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_orders")),
    )
    op.create_index(op.f("ix_work_orders_kind_id"), "work_orders", ["kind", "id"], unique=False)
    op.create_index(
        "uq_work_orders_one_living",
        "work_orders",
        ["kind", "key"],
        unique=True,
        postgresql_where="state IN ('waiting', 'running')",
    )
    op.create_index("ix_events_subject_id_shown", "events", ["subject", "id"], postgresql_where="subject <> 'voucher'")
    op.create_index("ix_events_actor_id_of_staff", "events", ["actor", "id"], postgresql_where="actor LIKE 'staff:%'")
    op.create_index(
        "ix_events_id_voucher_of_staff",
        "events",
        ["id"],
        postgresql_where="subject = 'voucher' AND actor LIKE 'staff:%'",
    )
    op.create_index("ix_events_id_with_reason", "events", ["id"], postgresql_where="reason IS NOT NULL")
    op.add_column("job_runs", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        """
        CREATE TRIGGER rule_changes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_changes
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.drop_column("job_runs", "seen_at")
    op.drop_index("ix_events_id_with_reason", table_name="events", postgresql_where="reason IS NOT NULL")
    op.drop_index(
        "ix_events_id_voucher_of_staff",
        table_name="events",
        postgresql_where="subject = 'voucher' AND actor LIKE 'staff:%'",
    )
    op.drop_index("ix_events_actor_id_of_staff", table_name="events", postgresql_where="actor LIKE 'staff:%'")
    op.drop_index("ix_events_subject_id_shown", table_name="events", postgresql_where="subject <> 'voucher'")
    op.drop_index(
        "uq_work_orders_one_living", table_name="work_orders", postgresql_where="state IN ('waiting', 'running')"
    )
    op.drop_index(op.f("ix_work_orders_kind_id"), table_name="work_orders")
    op.drop_table("work_orders")
    op.drop_index(op.f("ix_rule_changes_name_id"), table_name="rule_changes")
    op.drop_table("rule_changes")
    op.drop_table("year_budgets")
    op.drop_table("scheduled_jobs")
