# SPDX-License-Identifier: EUPL-1.2
"""The questions of the rules check and the advices behind their answers."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_questions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("help", sa.Text(), server_default="", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("key ~ '^[a-z][a-z0-9_]{0,59}$'", name=op.f("ck_rule_questions_key_form")),
        sa.CheckConstraint("length(text) BETWEEN 1 AND 200", name=op.f("ck_rule_questions_text_length")),
        sa.CheckConstraint("version > 0", name=op.f("ck_rule_questions_version_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_questions")),
        sa.UniqueConstraint("key", name=op.f("uq_rule_questions_key")),
    )
    op.create_table(
        "rule_advices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), server_default="", nullable=False),
        sa.Column("legal_basis", sa.Text(), server_default="", nullable=False),
        sa.Column("lead_days", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_hint", sa.Text(), server_default="", nullable=False),
        sa.Column("checklist_text", sa.Text(), server_default="", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("answer IN ('yes', 'no', 'unknown')", name=op.f("ck_rule_advices_answer_known")),
        sa.CheckConstraint(
            "kind IN ('permit', 'notification', 'agreement', 'tip')", name=op.f("ck_rule_advices_kind_known")
        ),
        sa.CheckConstraint("lead_days BETWEEN 0 AND 730", name=op.f("ck_rule_advices_lead_days_range")),
        sa.CheckConstraint("length(title) BETWEEN 1 AND 120", name=op.f("ck_rule_advices_title_length")),
        sa.CheckConstraint("version > 0", name=op.f("ck_rule_advices_version_positive")),
        sa.ForeignKeyConstraint(["question_id"], ["rule_questions.id"], name=op.f("fk_rule_advices_question_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_advices")),
    )
    op.create_index(
        op.f("ix_rule_advices_question_id_position"), "rule_advices", ["question_id", "position"], unique=False
    )


def downgrade() -> None:
    op.drop_table("rule_advices")
    op.drop_table("rule_questions")
