# SPDX-License-Identifier: EUPL-1.2
"""Alembic's environment: one migration at a time, and none that waits long for a lock."""

from alembic import context
from flask import current_app
from sqlalchemy import text

from abs_platform.database import Base, db

MIGRATION_LOCK = 7_601_001


def run_migrations() -> None:
    """Migrate online, on the app's own engine."""
    with db.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.commit()
        try:
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                compare_server_default=True,
                transaction_per_migration=True,
            )
            with context.begin_transaction():
                context.run_migrations()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": MIGRATION_LOCK})
            connection.execute(text("RESET lock_timeout"))
            connection.commit()


if current_app:
    run_migrations()
else:
    raise RuntimeError("run migrations with: abs db upgrade")
