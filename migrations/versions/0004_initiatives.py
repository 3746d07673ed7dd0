# SPDX-License-Identifier: EUPL-1.2
"""Initiatives, their organisers and budgets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "initiatives",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("story", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=False),
        sa.Column("place_description", sa.Text(), server_default="", nullable=False),
        sa.Column("target_cents", sa.BigInteger(), nullable=False),
        sa.Column("deadline_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                "setweight(to_tsvector('dutch', title), 'A') || setweight(to_tsvector('dutch', summary), 'B') "
                "|| to_tsvector('dutch', story || ' ' || place_description)",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(state IN ('draft', 'submitted', 'changes_requested', 'rejected', 'withdrawn')) "
            "OR published_at IS NOT NULL",
            name=op.f("ck_initiatives_published_at_when_public"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'changes_requested', 'published', 'rejected', 'funded', 'expired', "
            "'stopped', 'in_progress', 'realised', 'withdrawn')",
            name=op.f("ck_initiatives_state_known"),
        ),
        sa.CheckConstraint(
            "theme IN ('green', 'play', 'meeting', 'sport', 'culture', 'safety', 'care', 'learning', "
            "'sustainability', 'mobility')",
            name=op.f("ck_initiatives_theme_known"),
        ),
        sa.CheckConstraint("length(title) BETWEEN 1 AND 120", name=op.f("ck_initiatives_title_length")),
        sa.CheckConstraint("target_cents > 0", name=op.f("ck_initiatives_target_positive")),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_initiatives_area_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_initiatives")),
    )
    op.create_index(op.f("ix_initiatives_area_id"), "initiatives", ["area_id"], unique=False)
    op.create_index(op.f("ix_initiatives_search"), "initiatives", ["search"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_initiatives_state_published_at"), "initiatives", ["state", "published_at"], unique=False)
    op.create_table(
        "organisers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("house_number", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("postcode ~ '^[1-9][0-9]{3}[A-Z]{2}$'", name=op.f("ck_organisers_postcode_form")),
        sa.CheckConstraint("role IN ('initiator', 'co_organiser')", name=op.f("ck_organisers_role_known")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_organisers_initiative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisers")),
        sa.UniqueConstraint("initiative_id", "email", name=op.f("uq_organisers_initiative_id_email")),
    )
    op.create_index(
        "uq_organisers_one_initiator",
        "organisers",
        ["initiative_id"],
        unique=True,
        postgresql_where="role = 'initiator'",
    )
    op.create_table(
        "budget_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_budget_lines_amount_positive")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_budget_lines_initiative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_lines")),
        sa.UniqueConstraint("initiative_id", "position", name=op.f("uq_budget_lines_initiative_id_position")),
    )


def downgrade() -> None:
    op.drop_table("budget_lines")
    op.drop_table("organisers")
    op.drop_table("initiatives")
