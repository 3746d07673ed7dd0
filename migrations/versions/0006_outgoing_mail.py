# SPDX-License-Identifier: EUPL-1.2
"""Mail on its way out."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    waiting = "state IN ('queued', 'sending')"
    op.create_table(
        "outgoing_mails",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("recipient_digest", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("text_body", sa.Text(), nullable=True),
        sa.Column("html_body", sa.Text(), nullable=True),
        sa.Column("is_secret", sa.Boolean(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.Text(), nullable=True),
        sa.Column("unsubscribe_url", sa.Text(), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("waits_for_server", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("transport", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'failed')", name=op.f("ck_outgoing_mails_state_known")
        ),
        sa.CheckConstraint("transport IN ('smtp', 'demo')", name=op.f("ck_outgoing_mails_transport_known")),
        sa.CheckConstraint(
            "(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_outgoing_mails_sent_at_when_sent")
        ),
        sa.CheckConstraint(
            "(transport IS NULL) = (sent_at IS NULL)", name=op.f("ck_outgoing_mails_transport_when_sent")
        ),
        sa.CheckConstraint(f"{waiting} = (due_at IS NOT NULL)", name=op.f("ck_outgoing_mails_due_at_when_waiting")),
        sa.CheckConstraint(
            "num_nulls(subject, text_body, html_body) IN (0, 3)", name=op.f("ck_outgoing_mails_content_whole_or_gone")
        ),
        sa.CheckConstraint(
            f"NOT ({waiting}) OR num_nulls(recipient, subject) = 0", name=op.f("ck_outgoing_mails_waiting_can_be_sent")
        ),
        sa.CheckConstraint("recipient = lower(recipient)", name=op.f("ck_outgoing_mails_recipient_lower_case")),
        sa.CheckConstraint(r"subject !~ '[\r\n]'", name=op.f("ck_outgoing_mails_subject_one_line")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_outgoing_mails_attempts_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mails")),
        sa.UniqueConstraint("event", "recipient_digest", name=op.f("uq_outgoing_mails_event_recipient_digest")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outgoing_mails_message_id")),
    )
    op.create_index("ix_outgoing_mails_due", "outgoing_mails", ["due_at"], unique=False, postgresql_where=waiting)
    op.create_index(op.f("ix_outgoing_mails_queued_at"), "outgoing_mails", ["queued_at"], unique=False)


def downgrade() -> None:
    op.drop_table("outgoing_mails")
