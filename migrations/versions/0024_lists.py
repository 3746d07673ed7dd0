# SPDX-License-Identifier: EUPL-1.2
"""Which share of its target an initiative had at the last count, and indexes that hold all that lists ask."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("initiative_progress", sa.Column("share", sa.BigInteger(), nullable=True))
    # The job of every minute would fill it too; until then the home page would have nothing that is almost there.
    op.execute("""
        UPDATE initiative_progress SET share = cents * 1000 / target_cents
        FROM initiatives WHERE initiatives.id = initiative_id AND state = 'published'
    """)
    op.create_index(
        op.f("ix_initiative_progress_share_initiative_id"),
        "initiative_progress",
        ["share", "initiative_id"],
        unique=False,
        postgresql_where="share IS NOT NULL",
    )
    op.create_index(
        op.f("ix_initiatives_area_id_state_deadline_on"),
        "initiatives",
        ["area_id", "state", "deadline_on"],
        unique=False,
        postgresql_include=["id", "theme", "published_at"],
    )
    op.drop_index(op.f("ix_initiatives_area_id"), table_name="initiatives")


def downgrade() -> None:
    op.create_index(op.f("ix_initiatives_area_id"), "initiatives", ["area_id"], unique=False)
    op.drop_index(op.f("ix_initiatives_area_id_state_deadline_on"), table_name="initiatives")
    op.drop_index(op.f("ix_initiative_progress_share_initiative_id"), table_name="initiative_progress")
    op.drop_column("initiative_progress", "share")
