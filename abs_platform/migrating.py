# SPDX-License-Identifier: EUPL-1.2
"""Migrations: up, and the checks that models and migrations say the same."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from abs_platform.config import ROOT_DIR
from abs_platform.database import Base, db


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT_DIR / "migrations"))
    return config


def upgrade(revision: str = "head") -> None:
    """Bring the database up to a revision."""
    command.upgrade(_config(), revision)


def downgrade(revision: str) -> None:
    """Take the database back to a revision ("base" is the empty one)."""
    command.downgrade(_config(), revision)


def all_revisions() -> list[str]:
    """Every revision, oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def pending_revisions() -> list[str]:
    """The revisions that this database does not have yet, oldest first."""
    with db.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    revisions = all_revisions()
    if current is None:
        return revisions
    return revisions[revisions.index(current) + 1 :] if current in revisions else []  # newer than this code


def differences() -> list[object]:
    """What the models have and the migrated database has not, or the other way round."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))
