# SPDX-License-Identifier: EUPL-1.2
"""Who follows an area, a theme or an initiative."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "followers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="nl", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("language ~ '^[a-z]{2}$'", name=op.f("ck_followers_language_form")),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (told_until IS NULL)", name=op.f("ck_followers_told_once_confirmed")
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_followers_email_lower_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_followers")),
        sa.UniqueConstraint("email", name=op.f("uq_followers_email")),
    )
    op.create_index(
        op.f("ix_followers_told_until"),
        "followers",
        ["told_until"],
        unique=False,
        postgresql_where="confirmed_at IS NOT NULL",
    )
    op.create_table(
        "follows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("follower_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("theme", sa.Text(), nullable=True),
        sa.Column("initiative_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(kind = 'area') = (area_id IS NOT NULL)", name=op.f("ck_follows_area_named")),
        sa.CheckConstraint(
            "(kind = 'initiative') = (initiative_id IS NOT NULL)", name=op.f("ck_follows_initiative_named")
        ),
        sa.CheckConstraint("(kind = 'theme') = (theme IS NOT NULL)", name=op.f("ck_follows_theme_named")),
        sa.CheckConstraint("kind IN ('area', 'theme', 'initiative')", name=op.f("ck_follows_kind_known")),
        sa.CheckConstraint(
            "theme IS NULL OR theme IN ('green', 'play', 'meeting', 'sport', 'culture', "
            "'safety', 'care', 'learning', 'sustainability', 'mobility')",
            name=op.f("ck_follows_theme_known"),
        ),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_follows_area_id")),
        sa.ForeignKeyConstraint(
            ["follower_id"], ["followers.id"], name=op.f("fk_follows_follower_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_follows_initiative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follows")),
        sa.UniqueConstraint(
            "follower_id",
            "area_id",
            "theme",
            "initiative_id",
            name="uq_follows_once",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_follows_initiative_id"), "follows", ["initiative_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_follows_initiative_id"), table_name="follows")
    op.drop_table("follows")
    op.drop_index(op.f("ix_followers_told_until"), table_name="followers", postgresql_where="confirmed_at IS NOT NULL")
    op.drop_table("followers")
