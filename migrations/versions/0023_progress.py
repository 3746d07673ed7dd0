# SPDX-License-Identifier: EUPL-1.2
"""What was given to each initiative at the last count, to order lists by; in which language a giver of money reads."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "initiative_progress",
        sa.Column("initiative_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("givers", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mix_place", sa.BigInteger(), nullable=True),
        sa.Column("mixed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("cents >= 0 AND givers >= 0", name=op.f("ck_initiative_progress_not_negative")),
        sa.ForeignKeyConstraint(
            ["initiative_id"], ["initiatives.id"], name=op.f("fk_initiative_progress_initiative_id")
        ),
        sa.PrimaryKeyConstraint("initiative_id", name=op.f("pk_initiative_progress")),
    )
    op.add_column("payments", sa.Column("language", sa.Text(), server_default="nl", nullable=False))


def downgrade() -> None:
    op.drop_column("payments", "language")
    op.drop_table("initiative_progress")
