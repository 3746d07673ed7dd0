# SPDX-License-Identifier: EUPL-1.2
"""Initiatives are written in steps, kept in revisions, and wait at a desk."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "initiative_needs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('hands', 'materials', 'knowledge')", name=op.f("ck_initiative_needs_kind_known")),
        sa.CheckConstraint(
            "length(description) BETWEEN 1 AND 200", name=op.f("ck_initiative_needs_description_length")
        ),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_initiative_needs_initiative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_initiative_needs")),
        sa.UniqueConstraint("initiative_id", "position", name=op.f("uq_initiative_needs_initiative_id_position")),
    )
    op.create_table(
        "initiative_proposals",
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("changed_in", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by_id", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["initiatives.id"], name=op.f("fk_initiative_proposals_initiative_id")
        ),
        sa.ForeignKeyConstraint(["saved_by_id"], ["accounts.id"], name=op.f("fk_initiative_proposals_saved_by_id")),
        sa.PrimaryKeyConstraint("initiative_id", name=op.f("pk_initiative_proposals")),
    )
    op.create_index(op.f("ix_initiative_proposals_sent_at"), "initiative_proposals", ["sent_at"], unique=False)
    op.create_table(
        "initiative_revisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('submitted', 'edited', 'approved')", name=op.f("ck_initiative_revisions_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["initiatives.id"], name=op.f("fk_initiative_revisions_initiative_id")
        ),
        sa.ForeignKeyConstraint(["made_by_id"], ["accounts.id"], name=op.f("fk_initiative_revisions_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_initiative_revisions")),
        sa.UniqueConstraint("initiative_id", "number", name=op.f("uq_initiative_revisions_initiative_id_number")),
    )
    op.create_table(
        "rule_overrides",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("given_by_id", sa.BigInteger(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rule IN ('organisers', 'maximum')", name=op.f("ck_rule_overrides_rule_known")),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_rule_overrides_reason_given")),
        sa.ForeignKeyConstraint(["given_by_id"], ["accounts.id"], name=op.f("fk_rule_overrides_given_by_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_rule_overrides_initiative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_overrides")),
        sa.UniqueConstraint("initiative_id", "rule", name=op.f("uq_rule_overrides_initiative_id_rule")),
    )
    op.add_column("initiatives", sa.Column("latitude", sa.Double(), nullable=True))
    op.add_column("initiatives", sa.Column("longitude", sa.Double(), nullable=True))
    op.add_column("initiatives", sa.Column("audience", sa.Text(), server_default="", nullable=False))
    op.add_column("initiatives", sa.Column("planning", sa.Text(), server_default="", nullable=False))
    op.add_column("initiatives", sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("initiatives", sa.Column("desk_area_id", sa.BigInteger(), nullable=True))
    op.add_column("initiatives", sa.Column("handler_id", sa.BigInteger(), nullable=True))
    op.add_column("initiatives", sa.Column("has_questions", sa.Boolean(), server_default="true", nullable=False))
    op.alter_column("initiatives", "area_id", existing_type=sa.BIGINT(), nullable=True)
    op.alter_column("initiatives", "target_cents", existing_type=sa.BIGINT(), nullable=True)
    op.alter_column("initiatives", "deadline_on", existing_type=sa.DATE(), nullable=True)
    op.create_index(
        op.f("ix_initiatives_desk_area_id_state_submitted_at"),
        "initiatives",
        ["desk_area_id", "state", "submitted_at"],
        unique=False,
    )
    op.create_foreign_key(op.f("fk_initiatives_desk_area_id"), "initiatives", "areas", ["desk_area_id"], ["id"])
    op.create_foreign_key(op.f("fk_initiatives_handler_id"), "initiatives", "accounts", ["handler_id"], ["id"])
    op.add_column("organisers", sa.Column("account_id", sa.BigInteger(), nullable=True))
    op.add_column("organisers", sa.Column("is_name_public", sa.Boolean(), server_default="true", nullable=False))
    op.add_column("organisers", sa.Column("invitation_digest", sa.LargeBinary(), nullable=True))
    op.add_column("organisers", sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("organisers", sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("organisers", sa.Column("address_verified_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("organisers", sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("organisers", "postcode", existing_type=sa.TEXT(), nullable=True)
    op.alter_column("organisers", "house_number", existing_type=sa.TEXT(), nullable=True)
    op.create_index(op.f("ix_organisers_account_id"), "organisers", ["account_id"], unique=False)
    op.create_unique_constraint(op.f("uq_organisers_invitation_digest"), "organisers", ["invitation_digest"])
    op.create_foreign_key(op.f("fk_organisers_account_id"), "organisers", "accounts", ["account_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_initiatives_complete_when_sent"),
        "initiatives",
        "state IN ('draft', 'withdrawn') OR "
        "(area_id IS NOT NULL AND target_cents IS NOT NULL AND deadline_on IS NOT NULL)",
    )
    op.create_check_constraint(
        op.f("ck_initiatives_point_has_both"), "initiatives", "(latitude IS NULL) = (longitude IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_organisers_address_when_confirmed"),
        "organisers",
        "confirmed_at IS NULL OR postcode IS NOT NULL OR role = 'initiator' OR forgotten_at IS NOT NULL",
    )
    op.create_check_constraint(
        op.f("ck_organisers_not_both_answers"), "organisers", "confirmed_at IS NULL OR declined_at IS NULL"
    )
    # What was sent before this revision waits at the desk of its district, or of the whole municipality.
    op.execute(
        """
        UPDATE initiatives SET
            submitted_at = (
                SELECT MAX(happened_at) FROM events
                WHERE kind = 'initiative.submitted' AND subject = 'initiative' AND subject_id = initiatives.id
            ),
            desk_area_id = (
                SELECT CASE areas.level WHEN 'neighbourhood' THEN areas.parent_id ELSE areas.id END
                FROM areas WHERE areas.id = initiatives.area_id
            )
        """
    )
    for table in ("initiative_revisions", "rule_overrides"):
        op.execute(
            f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_organisers_not_both_answers"), "organisers", type_="check")
    op.drop_constraint(op.f("ck_organisers_address_when_confirmed"), "organisers", type_="check")
    op.drop_constraint(op.f("ck_initiatives_point_has_both"), "initiatives", type_="check")
    op.drop_constraint(op.f("ck_initiatives_complete_when_sent"), "initiatives", type_="check")
    op.drop_constraint(op.f("fk_organisers_account_id"), "organisers", type_="foreignkey")
    op.drop_constraint(op.f("uq_organisers_invitation_digest"), "organisers", type_="unique")
    op.drop_index(op.f("ix_organisers_account_id"), table_name="organisers")
    op.alter_column("organisers", "house_number", existing_type=sa.TEXT(), nullable=False)
    op.alter_column("organisers", "postcode", existing_type=sa.TEXT(), nullable=False)
    op.drop_column("organisers", "forgotten_at")
    op.drop_column("organisers", "address_verified_at")
    op.drop_column("organisers", "declined_at")
    op.drop_column("organisers", "invited_at")
    op.drop_column("organisers", "invitation_digest")
    op.drop_column("organisers", "is_name_public")
    op.drop_column("organisers", "account_id")
    op.drop_constraint(op.f("fk_initiatives_handler_id"), "initiatives", type_="foreignkey")
    op.drop_constraint(op.f("fk_initiatives_desk_area_id"), "initiatives", type_="foreignkey")
    op.drop_index(op.f("ix_initiatives_desk_area_id_state_submitted_at"), table_name="initiatives")
    op.alter_column("initiatives", "deadline_on", existing_type=sa.DATE(), nullable=False)
    op.alter_column("initiatives", "target_cents", existing_type=sa.BIGINT(), nullable=False)
    op.alter_column("initiatives", "area_id", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("initiatives", "has_questions")
    op.drop_column("initiatives", "handler_id")
    op.drop_column("initiatives", "desk_area_id")
    op.drop_column("initiatives", "submitted_at")
    op.drop_column("initiatives", "planning")
    op.drop_column("initiatives", "audience")
    op.drop_column("initiatives", "longitude")
    op.drop_column("initiatives", "latitude")
    op.drop_table("rule_overrides")
    op.drop_table("initiative_revisions")
    op.drop_index(op.f("ix_initiative_proposals_sent_at"), table_name="initiative_proposals")
    op.drop_table("initiative_proposals")
    op.drop_table("initiative_needs")
