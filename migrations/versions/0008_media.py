# SPDX-License-Identifier: EUPL-1.2
"""Pictures of residents, and receipts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pictures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("update_id", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=True),
        sa.Column("height", sa.BigInteger(), nullable=True),
        sa.Column("widths", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("alt_text", sa.Text(), server_default="", nullable=False),
        sa.Column("is_decorative", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("uploaded_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('initiative', 'update', 'accountability', 'receipt')", name=op.f("ck_pictures_purpose_known")
        ),
        sa.CheckConstraint("(purpose = 'update') = (update_id IS NOT NULL)", name=op.f("ck_pictures_update_named")),
        sa.CheckConstraint("position > 0", name=op.f("ck_pictures_position_positive")),
        sa.CheckConstraint("key ~ '^[0-9a-f]{32}$'", name=op.f("ck_pictures_key_form")),
        sa.CheckConstraint("length(alt_text) <= 300", name=op.f("ck_pictures_alt_text_length")),
        sa.CheckConstraint("NOT is_decorative OR alt_text = ''", name=op.f("ck_pictures_no_text_when_decorative")),
        sa.CheckConstraint(
            "(content_type = 'image/jpeg' AND width IS NOT NULL AND width > 0 AND height IS NOT NULL AND height > 0 "
            "AND cardinality(widths) > 0) "
            "OR (content_type = 'application/pdf' AND purpose = 'receipt' AND width IS NULL AND height IS NULL)",
            name=op.f("ck_pictures_picture_or_receipt"),
        ),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_pictures_initiative_id")),
        sa.ForeignKeyConstraint(["uploaded_by_id"], ["accounts.id"], name=op.f("fk_pictures_uploaded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pictures")),
        sa.UniqueConstraint("key", name=op.f("uq_pictures_key")),
        postgresql.ExcludeConstraint(
            (sa.column("initiative_id"), "="),
            (sa.column("purpose"), "="),
            (sa.func.coalesce(sa.column("update_id"), 0), "="),
            (sa.column("position"), "="),
            name="ex_pictures_one_a_position",
            using="btree",
            where="removed_at IS NULL",
            deferrable=True,
            initially="IMMEDIATE",
        ),
    )
    op.create_index(
        "uq_pictures_same_twice",
        "pictures",
        ["initiative_id", "purpose", "update_id", "sha256"],
        unique=True,
        postgresql_where="removed_at IS NULL",
        postgresql_nulls_not_distinct=True,
    )


def downgrade() -> None:
    op.drop_table("pictures")
