# SPDX-License-Identifier: EUPL-1.2
"""News of the municipality with its pictures, and the agenda."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_pictures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("widths", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("alt_text", sa.Text(), server_default="", nullable=False),
        sa.Column("uploaded_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("key ~ '^[0-9a-f]{32}$'", name=op.f("ck_site_pictures_key_form")),
        sa.CheckConstraint("length(alt_text) <= 300", name=op.f("ck_site_pictures_alt_text_length")),
        sa.CheckConstraint(
            "width > 0 AND height > 0 AND cardinality(widths) > 0", name=op.f("ck_site_pictures_size_known")
        ),
        sa.ForeignKeyConstraint(["uploaded_by_id"], ["accounts.id"], name=op.f("fk_site_pictures_uploaded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_pictures")),
        sa.UniqueConstraint("key", name=op.f("uq_site_pictures_key")),
    )
    op.create_table(
        "agenda_items",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("publish_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name=op.f("ck_agenda_items_withdrawn_at_when_so")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'published', 'cancelled', 'withdrawn')", name=op.f("ck_agenda_items_state_known")
        ),
        sa.CheckConstraint(
            "state NOT IN ('published', 'cancelled') OR publish_at IS NOT NULL",
            name=op.f("ck_agenda_items_publish_at_set"),
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_agenda_items_ends_after_start")),
        sa.CheckConstraint("length(description) <= 5000", name=op.f("ck_agenda_items_description_length")),
        sa.CheckConstraint("length(place) BETWEEN 1 AND 200", name=op.f("ck_agenda_items_place_length")),
        sa.CheckConstraint("length(title) BETWEEN 1 AND 120", name=op.f("ck_agenda_items_title_length")),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_agenda_items_area_id")),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_agenda_items_author_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_agenda_items_initiative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agenda_items")),
    )
    op.create_index(op.f("ix_agenda_items_area_id_starts_at"), "agenda_items", ["area_id", "starts_at"], unique=False)
    op.create_index(op.f("ix_agenda_items_initiative_id"), "agenda_items", ["initiative_id"], unique=False)
    op.create_index(
        "ix_agenda_items_public",
        "agenda_items",
        ["starts_at"],
        unique=False,
        postgresql_where="state IN ('published', 'cancelled')",
    )
    op.create_table(
        "news_posts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("picture_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("publish_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name=op.f("ck_news_posts_withdrawn_at_when_so")
        ),
        sa.CheckConstraint(
            "state <> 'published' OR publish_at IS NOT NULL", name=op.f("ck_news_posts_publish_at_when_published")
        ),
        sa.CheckConstraint("state IN ('draft', 'published', 'withdrawn')", name=op.f("ck_news_posts_state_known")),
        sa.CheckConstraint("length(body) <= 20000", name=op.f("ck_news_posts_body_length")),
        sa.CheckConstraint("length(summary) <= 300", name=op.f("ck_news_posts_summary_length")),
        sa.CheckConstraint("length(title) BETWEEN 1 AND 120", name=op.f("ck_news_posts_title_length")),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_news_posts_area_id")),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_news_posts_author_id")),
        sa.ForeignKeyConstraint(["picture_id"], ["site_pictures.id"], name=op.f("fk_news_posts_picture_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_news_posts")),
    )
    op.create_index(op.f("ix_news_posts_area_id_publish_at"), "news_posts", ["area_id", "publish_at"], unique=False)
    op.create_index(
        "ix_news_posts_published", "news_posts", ["publish_at"], unique=False, postgresql_where="state = 'published'"
    )


def downgrade() -> None:
    op.drop_index("ix_news_posts_published", table_name="news_posts", postgresql_where="state = 'published'")
    op.drop_index(op.f("ix_news_posts_area_id_publish_at"), table_name="news_posts")
    op.drop_table("news_posts")
    op.drop_index(
        "ix_agenda_items_public", table_name="agenda_items", postgresql_where="state IN ('published', 'cancelled')"
    )
    op.drop_index(op.f("ix_agenda_items_initiative_id"), table_name="agenda_items")
    op.drop_index(op.f("ix_agenda_items_area_id_starts_at"), table_name="agenda_items")
    op.drop_table("agenda_items")
    op.drop_table("site_pictures")
