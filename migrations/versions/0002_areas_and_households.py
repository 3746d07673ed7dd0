# SPDX-License-Identifier: EUPL-1.2
"""Areas, addresses and the files they came from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "areas",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("edition", sa.BigInteger(), nullable=False),
        sa.Column("is_current", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("shape", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("(level = 'district') = (kind IS NOT NULL)", name=op.f("ck_areas_kind_of_district")),
        sa.CheckConstraint(
            "(level = 'municipality') = (parent_id IS NULL)", name=op.f("ck_areas_parent_above_all_but_top")
        ),
        sa.CheckConstraint("kind IN ('wijk', 'dorp')", name=op.f("ck_areas_kind_known")),
        sa.CheckConstraint("level IN ('municipality', 'district', 'neighbourhood')", name=op.f("ck_areas_level_known")),
        sa.ForeignKeyConstraint(["parent_id"], ["areas.id"], name=op.f("fk_areas_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_areas")),
        sa.UniqueConstraint("code", name=op.f("uq_areas_code")),
        sa.UniqueConstraint("level", "slug", name=op.f("uq_areas_level_slug")),
    )
    op.create_index(op.f("ix_areas_parent_id"), "areas", ["parent_id"], unique=False)
    op.create_table(
        "address_imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("bag_file", sa.Text(), nullable=False),
        sa.Column("bag_edition", sa.Text(), nullable=False),
        sa.Column("bag_sha256", sa.Text(), nullable=False),
        sa.Column("key_edition", sa.BigInteger(), nullable=False),
        sa.Column("key_sha256", sa.Text(), nullable=False),
        sa.Column("new_count", sa.BigInteger(), nullable=False),
        sa.Column("changed_count", sa.BigInteger(), nullable=False),
        sa.Column("gone_count", sa.BigInteger(), nullable=False),
        sa.Column("unchanged_count", sa.BigInteger(), nullable=False),
        sa.Column("rejected_count", sa.BigInteger(), nullable=False),
        sa.Column("skipped_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_imports")),
    )
    op.create_table(
        "households",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("bag_object_id", sa.Text(), nullable=False),
        sa.Column("bag_address_id", sa.Text(), nullable=True),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("house_number", sa.BigInteger(), nullable=False),
        sa.Column("house_letter", sa.Text(), server_default="", nullable=False),
        sa.Column("house_addition", sa.Text(), server_default="", nullable=False),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("neighbourhood_id", sa.BigInteger(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.CheckConstraint("bag_address_id ~ '^[0-9]{16}$'", name=op.f("ck_households_bag_address_id_16_digits")),
        sa.CheckConstraint("bag_object_id ~ '^[0-9]{16}$'", name=op.f("ck_households_bag_object_id_16_digits")),
        sa.CheckConstraint("object_type IN ('VBO', 'LIG', 'STA')", name=op.f("ck_households_object_type_known")),
        sa.CheckConstraint("postcode ~ '^[1-9][0-9]{3}[A-Z]{2}$'", name=op.f("ck_households_postcode_form")),
        sa.CheckConstraint("house_number BETWEEN 1 AND 99999", name=op.f("ck_households_house_number_range")),
        sa.ForeignKeyConstraint(["neighbourhood_id"], ["areas.id"], name=op.f("fk_households_neighbourhood_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_households")),
        sa.UniqueConstraint("bag_object_id", name=op.f("uq_households_bag_object_id")),
    )
    op.create_index(op.f("ix_households_neighbourhood_id"), "households", ["neighbourhood_id"], unique=False)
    op.create_index(
        op.f("ix_households_postcode_house_number"), "households", ["postcode", "house_number"], unique=False
    )
    op.execute(
        """
        CREATE TRIGGER households_never_deleted BEFORE DELETE OR TRUNCATE ON households
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.drop_table("households")
    op.drop_table("address_imports")
    op.drop_table("areas")
