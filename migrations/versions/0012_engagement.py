# SPDX-License-Identifier: EUPL-1.2
"""What follows after publishing: updates, thanks, questions, offers of help, and the accountability."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accountabilities",
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("story", sa.Text(), server_default="", nullable=False),
        sa.Column("story_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by_id", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state <> 'returned' OR length(remark) > 0", name=op.f("ck_accountabilities_remark_when_returned")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'returned') OR submitted_at IS NOT NULL",
            name=op.f("ck_accountabilities_submitted_at_when_sent"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'approved')", name=op.f("ck_accountabilities_state_known")
        ),
        sa.CheckConstraint(
            "state NOT IN ('returned', 'approved') OR decided_at IS NOT NULL",
            name=op.f("ck_accountabilities_decided_at_when_decided"),
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decided_by_id IS NULL)", name=op.f("ck_accountabilities_decided_by_somebody")
        ),
        sa.CheckConstraint("length(story) <= 10000", name=op.f("ck_accountabilities_story_length")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["accounts.id"], name=op.f("fk_accountabilities_decided_by_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_accountabilities_initiative_id")),
        sa.ForeignKeyConstraint(["saved_by_id"], ["accounts.id"], name=op.f("fk_accountabilities_saved_by_id")),
        sa.PrimaryKeyConstraint("initiative_id", name=op.f("pk_accountabilities")),
    )
    op.create_index(
        "ix_accountabilities_waiting",
        "accountabilities",
        ["submitted_at"],
        unique=False,
        postgresql_where="state = 'submitted'",
    )
    op.create_table(
        "initiative_thanks",
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("thanked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recipient_count", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(body) BETWEEN 1 AND 2000", name=op.f("ck_initiative_thanks_body_length")),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_initiative_thanks_author_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_initiative_thanks_initiative_id")),
        sa.PrimaryKeyConstraint("initiative_id", name=op.f("pk_initiative_thanks")),
    )
    op.create_index(op.f("ix_initiative_thanks_author_id"), "initiative_thanks", ["author_id"], unique=False)
    op.create_table(
        "initiative_updates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recipient_count", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('removed', 'hidden')) = (ended_at IS NOT NULL)",
            name=op.f("ck_initiative_updates_ended_at_when_ended"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'posted', 'removed', 'hidden')", name=op.f("ck_initiative_updates_state_known")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'removed') OR posted_at IS NOT NULL",
            name=op.f("ck_initiative_updates_posted_at_when_posted"),
        ),
        sa.CheckConstraint(
            "(posted_at IS NULL) = (recipient_count IS NULL)", name=op.f("ck_initiative_updates_recipients_when_posted")
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR posted_at IS NULL OR length(reason) > 0",
            name=op.f("ck_initiative_updates_reason_given"),
        ),
        sa.CheckConstraint("length(body) <= 5000", name=op.f("ck_initiative_updates_body_length")),
        sa.CheckConstraint("length(title) <= 120", name=op.f("ck_initiative_updates_title_length")),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_initiative_updates_author_id")),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["initiatives.id"], name=op.f("fk_initiative_updates_initiative_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_initiative_updates")),
    )
    op.create_index(op.f("ix_initiative_updates_author_id"), "initiative_updates", ["author_id"], unique=False)
    op.create_index(
        op.f("ix_initiative_updates_initiative_id_posted_at"),
        "initiative_updates",
        ["initiative_id", "posted_at"],
        unique=False,
    )
    op.create_table(
        "question_posts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=True),
        sa.Column("voice", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hidden_by_id", sa.BigInteger(), nullable=True),
        sa.Column("hidden_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(question_id IS NULL) = (voice = 'resident')", name=op.f("ck_question_posts_residents_ask")
        ),
        sa.CheckConstraint(
            "voice IN ('resident', 'organiser', 'official')", name=op.f("ck_question_posts_voice_known")
        ),
        sa.CheckConstraint("length(body) BETWEEN 1 AND 2000", name=op.f("ck_question_posts_body_length")),
        sa.CheckConstraint(
            "num_nulls(hidden_at, hidden_by_id, hidden_reason) IN (0, 3)", name=op.f("ck_question_posts_hidden_whole")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_question_posts_author_id")),
        sa.ForeignKeyConstraint(["hidden_by_id"], ["accounts.id"], name=op.f("fk_question_posts_hidden_by_id")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_question_posts_initiative_id")),
        sa.ForeignKeyConstraint(["question_id"], ["question_posts.id"], name=op.f("fk_question_posts_question_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_posts")),
    )
    op.create_index(op.f("ix_question_posts_author_id"), "question_posts", ["author_id"], unique=False)
    op.create_index(
        op.f("ix_question_posts_initiative_id_posted_at"),
        "question_posts",
        ["initiative_id", "posted_at"],
        unique=False,
    )
    op.create_index(op.f("ix_question_posts_question_id"), "question_posts", ["question_id"], unique=False)
    op.create_table(
        "accountability_costs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("planned_cents", sa.BigInteger(), nullable=True),
        sa.Column("actual_cents", sa.BigInteger(), nullable=True),
        sa.Column("no_receipt_reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("actual_cents >= 0", name=op.f("ck_accountability_costs_actual_not_negative")),
        sa.CheckConstraint(
            "length(description) BETWEEN 1 AND 120", name=op.f("ck_accountability_costs_description_length")
        ),
        sa.CheckConstraint("length(no_receipt_reason) <= 200", name=op.f("ck_accountability_costs_reason_length")),
        sa.CheckConstraint("planned_cents > 0", name=op.f("ck_accountability_costs_planned_positive")),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["accountabilities.initiative_id"], name=op.f("fk_accountability_costs_initiative_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accountability_costs")),
        sa.UniqueConstraint("initiative_id", "position", name=op.f("uq_accountability_costs_initiative_id_position")),
    )
    op.create_table(
        "help_offers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("initiative_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("need", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contact_shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)",
            name=op.f("ck_help_offers_withdrawn_at_when_withdrawn"),
        ),
        sa.CheckConstraint(
            "state IN ('offered', 'accepted', 'thanked', 'withdrawn')", name=op.f("ck_help_offers_state_known")
        ),
        sa.CheckConstraint(
            "state NOT IN ('accepted', 'thanked') OR answered_at IS NOT NULL",
            name=op.f("ck_help_offers_answered_at_when_answered"),
        ),
        sa.CheckConstraint("length(note) <= 280", name=op.f("ck_help_offers_note_length")),
        sa.CheckConstraint("kind IN ('hands', 'materials', 'knowledge')", name=op.f("ck_help_offers_kind_known")),
        sa.ForeignKeyConstraint(["initiative_id"], ["initiatives.id"], name=op.f("fk_help_offers_initiative_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_help_offers_account_id")),
        sa.ForeignKeyConstraint(["answered_by_id"], ["accounts.id"], name=op.f("fk_help_offers_answered_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_offers")),
    )
    op.create_index(op.f("ix_help_offers_initiative_id_state"), "help_offers", ["initiative_id", "state"], unique=False)
    op.create_index(
        "uq_help_offers_one_living",
        "help_offers",
        ["account_id", "initiative_id", "kind", "need"],
        unique=True,
        postgresql_where="state IN ('offered', 'accepted')",
    )
    op.create_table(
        "news_stops",
        sa.Column("donation_id", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["donation_id"], ["donations.id"], name=op.f("fk_news_stops_donation_id")),
        sa.PrimaryKeyConstraint("donation_id", name=op.f("pk_news_stops")),
    )
    op.create_table(
        "question_reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("reporter_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settled_by_id IS NULL)", name=op.f("ck_question_reports_settled_by_somebody")
        ),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 500", name=op.f("ck_question_reports_reason_length")),
        sa.ForeignKeyConstraint(["post_id"], ["question_posts.id"], name=op.f("fk_question_reports_post_id")),
        sa.ForeignKeyConstraint(["reporter_id"], ["accounts.id"], name=op.f("fk_question_reports_reporter_id")),
        sa.ForeignKeyConstraint(["settled_by_id"], ["accounts.id"], name=op.f("fk_question_reports_settled_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_reports")),
        sa.UniqueConstraint("post_id", "reporter_id", name=op.f("uq_question_reports_post_id_reporter_id")),
    )
    op.create_index(
        "ix_question_reports_open", "question_reports", ["post_id"], unique=False, postgresql_where="settled_at IS NULL"
    )
    op.create_index(op.f("ix_question_reports_reporter_id"), "question_reports", ["reporter_id"], unique=False)
    op.create_table(
        "accountability_receipts",
        sa.Column("picture_id", sa.BigInteger(), nullable=False),
        sa.Column("cost_id", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "length(file_name) BETWEEN 1 AND 120", name=op.f("ck_accountability_receipts_file_name_length")
        ),
        sa.ForeignKeyConstraint(
            ["cost_id"], ["accountability_costs.id"], name=op.f("fk_accountability_receipts_cost_id")
        ),
        sa.ForeignKeyConstraint(
            ["picture_id"], ["pictures.id"], name=op.f("fk_accountability_receipts_picture_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("picture_id", name=op.f("pk_accountability_receipts")),
    )
    op.create_index(op.f("ix_accountability_receipts_cost_id"), "accountability_receipts", ["cost_id"], unique=False)


def downgrade() -> None:
    op.drop_table("accountability_receipts")
    op.drop_table("question_reports")
    op.drop_table("news_stops")
    op.drop_table("help_offers")
    op.drop_table("accountability_costs")
    op.drop_table("question_posts")
    op.drop_table("initiative_updates")
    op.drop_table("initiative_thanks")
    op.drop_table("accountabilities")
