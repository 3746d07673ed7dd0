# SPDX-License-Identifier: EUPL-1.2
"""Texts of the site with their versions; who stands on the page of a district."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "district_intros",
        sa.Column("area_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(body) BETWEEN 1 AND 2000", name=op.f("ck_district_intros_body_length")),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_district_intros_area_id")),
        sa.ForeignKeyConstraint(["changed_by_id"], ["accounts.id"], name=op.f("fk_district_intros_changed_by_id")),
        sa.PrimaryKeyConstraint("area_id", name=op.f("pk_district_intros")),
    )
    op.create_table(
        "site_text_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("language ~ '^[a-z]{2}$'", name=op.f("ck_site_text_versions_language_form")),
        sa.CheckConstraint(
            "page IN ('hoe-werkt-het', 'spelregels', 'veelgestelde-vragen', 'over', 'contact', "
            "'privacy', 'cookies', 'toegankelijkheid')",
            name=op.f("ck_site_text_versions_page_known"),
        ),
        sa.CheckConstraint("length(body) BETWEEN 1 AND 50000", name=op.f("ck_site_text_versions_body_length")),
        sa.CheckConstraint("version > 0", name=op.f("ck_site_text_versions_version_positive")),
        sa.ForeignKeyConstraint(["made_by_id"], ["accounts.id"], name=op.f("fk_site_text_versions_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_text_versions")),
        sa.UniqueConstraint("page", "language", "version", name=op.f("uq_site_text_versions_page_language_version")),
    )
    op.create_table(
        "staff_profiles",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shown_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("about", sa.Text(), server_default="", nullable=False),
        sa.Column("picture_id", sa.BigInteger(), nullable=True),
        sa.Column("is_public", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(about) <= 1000", name=op.f("ck_staff_profiles_about_length")),
        sa.CheckConstraint("length(shown_name) BETWEEN 1 AND 80", name=op.f("ck_staff_profiles_shown_name_length")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_staff_profiles_account_id")),
        sa.ForeignKeyConstraint(["picture_id"], ["site_pictures.id"], name=op.f("fk_staff_profiles_picture_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_staff_profiles")),
    )
    op.create_table(
        "area_figures",
        sa.Column("year", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("area_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "name IN ('submitted', 'published', 'funded', 'expired', 'rejected', 'realised', 'answers', "
            "'answer_tenths', 'organisers', 'helpers', 'involved', 'initiators', 'first_timers', 'vouchers_cents', "
            "'residents_cents', 'organisations_cents', 'voucher_gifts', 'money_gifts')",
            name=op.f("ck_area_figures_name_known"),
        ),
        sa.CheckConstraint("year = 0 OR year BETWEEN 2000 AND 2999", name=op.f("ck_area_figures_year_or_all")),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_area_figures_area_id")),
        sa.PrimaryKeyConstraint("year", "area_id", "name", name=op.f("pk_area_figures")),
    )
    op.create_table(
        "district_vouchers",
        sa.Column("area_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("letter_count", sa.BigInteger(), nullable=False),
        sa.Column("given_count", sa.BigInteger(), nullable=True),
        sa.Column("is_exact", sa.Boolean(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "letter_count >= 0 AND given_count BETWEEN 0 AND letter_count",
            name=op.f("ck_district_vouchers_given_of_letters"),
        ),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_district_vouchers_area_id")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_district_vouchers_round_id")),
        sa.PrimaryKeyConstraint("area_id", name=op.f("pk_district_vouchers")),
    )


def downgrade() -> None:
    op.drop_table("district_vouchers")
    op.drop_table("area_figures")
    op.drop_table("staff_profiles")
    op.drop_table("site_text_versions")
    op.drop_table("district_intros")
