# SPDX-License-Identifier: EUPL-1.2
"""The desk: decisions and their drafts, the checklist, notes, and the conversation with the organisers."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KINDS = "kind IN ('publish', 'request_changes', 'reject', 'stop', 'hand_over', 'approve_change', 'refuse_change')"


def upgrade() -> None:
    op.create_table(
        "decision_drafts",
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("desk_area_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("to_area_id", sa.BigInteger(), nullable=True),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_decision_drafts_kind_known")),
        sa.CheckConstraint("length(reason) <= 4000", name=op.f("ck_decision_drafts_reason_length")),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_decision_drafts_author_id")),
        sa.ForeignKeyConstraint(["desk_area_id"], ["areas.id"], name=op.f("fk_decision_drafts_desk_area_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_decision_drafts_initiative_id")),
        sa.ForeignKeyConstraint(["to_area_id"], ["areas.id"], name=op.f("fk_decision_drafts_to_area_id")),
        sa.PrimaryKeyConstraint("initiative_id", "author_id", name=op.f("pk_decision_drafts")),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("desk_area_id", sa.BigInteger(), nullable=True),
        sa.Column("to_area_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mail_subject", sa.Text(), nullable=False),
        sa.Column("mail_text", sa.Text(), nullable=False),
        sa.Column("recipient_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("desk_recipient_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_decisions_kind_known")),
        sa.CheckConstraint(
            "kind IN ('publish', 'approve_change') OR length(reason) > 0", name=op.f("ck_decisions_reason_given")
        ),
        sa.CheckConstraint(
            "(kind = 'hand_over') = (to_area_id IS NOT NULL)", name=op.f("ck_decisions_handed_over_to_a_desk")
        ),
        sa.ForeignKeyConstraint(["decided_by_id"], ["accounts.id"], name=op.f("fk_decisions_decided_by_id")),
        sa.ForeignKeyConstraint(["desk_area_id"], ["areas.id"], name=op.f("fk_decisions_desk_area_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_decisions_initiative_id")),
        sa.ForeignKeyConstraint(["to_area_id"], ["areas.id"], name=op.f("fk_decisions_to_area_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_initiative_id_id"), "decisions", ["initiative_id", "id"], unique=False)
    op.create_table(
        "checklist_ticks",
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("ticked_by_id", sa.BigInteger(), nullable=False),
        sa.Column("ticked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_checklist_ticks_initiative_id")),
        sa.ForeignKeyConstraint(["ticked_by_id"], ["accounts.id"], name=op.f("fk_checklist_ticks_ticked_by_id")),
        sa.PrimaryKeyConstraint("initiative_id", "key", name=op.f("pk_checklist_ticks")),
    )
    op.create_table(
        "desk_notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(text) BETWEEN 1 AND 4000", name=op.f("ck_desk_notes_text_length")),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_desk_notes_author_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_desk_notes_initiative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_notes")),
    )
    op.create_index(op.f("ix_desk_notes_author_id"), "desk_notes", ["author_id"], unique=False)
    op.create_index(op.f("ix_desk_notes_initiative_id_id"), "desk_notes", ["initiative_id", "id"], unique=False)
    op.create_table(
        "desk_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recipient_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("side IN ('desk', 'organiser')", name=op.f("ck_desk_messages_side_known")),
        sa.CheckConstraint("length(text) BETWEEN 1 AND 4000", name=op.f("ck_desk_messages_text_length")),
        sa.CheckConstraint(
            "(handled_at IS NULL) = (handled_by_id IS NULL)", name=op.f("ck_desk_messages_handled_by_somebody")
        ),
        sa.CheckConstraint(
            "side = 'organiser' OR handled_at IS NULL", name=op.f("ck_desk_messages_desk_waits_for_nobody")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_desk_messages_author_id")),
        sa.ForeignKeyConstraint(["handled_by_id"], ["accounts.id"], name=op.f("fk_desk_messages_handled_by_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_desk_messages_initiative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_messages")),
    )
    op.create_index(op.f("ix_desk_messages_author_id"), "desk_messages", ["author_id"], unique=False)
    op.create_index(op.f("ix_desk_messages_initiative_id_id"), "desk_messages", ["initiative_id", "id"], unique=False)
    op.create_index(
        "ix_desk_messages_waiting",
        "desk_messages",
        ["initiative_id", "sent_at"],
        unique=False,
        postgresql_where=sa.text("side = 'organiser' AND handled_at IS NULL"),
    )
    op.execute(
        """
        CREATE TRIGGER decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decisions
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.drop_table("desk_messages")
    op.drop_table("desk_notes")
    op.drop_table("checklist_ticks")
    op.drop_table("decisions")
    op.drop_table("decision_drafts")
