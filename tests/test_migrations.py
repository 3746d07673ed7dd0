# SPDX-License-Identifier: EUPL-1.2
"""Migrations go up and down, say the same as the models to the last CHECK, and stand on their own."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from abs_platform import create_app, migrating
from abs_platform.config import ROOT_DIR
from abs_platform.database import Base, db
from tests.conftest import make_database, make_settings

VERSIONS = sorted((ROOT_DIR / "migrations" / "versions").glob("*.py"))
REVISIONS = [path.name[:4] for path in VERSIONS]
SECONDS = 30
MIGRATION_LOCK = 7_601_001
FUNCTIONS = ("refuse_change", "refuse_unbalanced")

# Everything that a schema is, in words, for two databases to compare. Triggers and functions stand in no model.
_SCHEMA = """
    SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
           || ' ' || COALESCE(column_default, '') || ' ' || is_identity || COALESCE(identity_generation, '')
           || ' ' || COALESCE(generation_expression, '')
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'options ' || relname || ' ' || reloptions::text
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL
"""
_TRIGGERS = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"
_LEFT = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'alembic_version%'
    UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT typname FROM pg_type
    WHERE typnamespace = 'public'::regnamespace AND typname NOT LIKE '%alembic_version'
"""


@pytest.fixture
def empty_app(worker: str, tmp_path: Path) -> Iterator[Flask]:
    """An app on an empty database."""
    app = create_app(make_settings(make_database(f"abs_empty_{worker}"), tmp_path))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def ask(query: str) -> list[Any]:
    with db.engine.connect() as connection:
        return [row[0] if len(row) == 1 else tuple(row) for row in connection.execute(text(query))]


def schema() -> set[str]:
    """The schema in words; whatever belongs to Alembic itself left out."""
    return {line for line in ask(_SCHEMA) if "alembic_version" not in line}


@pytest.mark.usefixtures("empty_app")
def test_the_migrations_say_the_same_as_the_models_to_the_last_check() -> None:
    migrating.upgrade()
    migrated = schema()
    differences = migrating.differences()
    migrating.downgrade("base")

    Base.metadata.create_all(db.engine)

    assert differences == []
    assert schema() - migrated == set()
    assert migrated - schema() == set()
    assert len(migrated) > 100


@pytest.mark.usefixtures("empty_app")
def test_every_revision_goes_up_down_and_up_again() -> None:
    for revision in REVISIONS:
        before = schema()
        migrating.upgrade(revision)
        after, triggers = schema(), ask(_TRIGGERS)
        assert after != before

        migrating.downgrade(f"{int(revision) - 1:04d}" if revision != REVISIONS[0] else "base")
        assert schema() == before
        migrating.upgrade(revision)

        assert schema() == after
        assert ask(_TRIGGERS) == triggers
    assert migrating.pending_revisions() == []


@pytest.mark.usefixtures("empty_app")
def test_all_the_way_down_leaves_nothing() -> None:
    assert migrating.pending_revisions() == REVISIONS
    migrating.upgrade()
    assert set(FUNCTIONS) <= set(ask(_LEFT))

    migrating.downgrade("base")

    assert ask(_LEFT) == []
    assert migrating.pending_revisions() == REVISIONS


@pytest.mark.usefixtures("empty_app")
def test_what_is_there_is_not_done_again() -> None:
    migrating.upgrade("0002")
    assert migrating.pending_revisions() == REVISIONS[2:]

    migrating.upgrade()
    migrating.upgrade()

    assert migrating.pending_revisions() == []


@pytest.mark.usefixtures("empty_app")
def test_every_table_of_what_happened_is_guarded_by_a_trigger() -> None:
    migrating.upgrade()

    assert {
        ("donations", "donations_never_deleted"),
        ("events", "events_append_only"),
        ("households", "households_keep_their_number"),
        ("households", "households_never_deleted"),
        ("ledger_postings", "ledger_postings_append_only"),
        ("ledger_postings", "ledger_postings_balanced"),
        ("ledger_transactions", "ledger_transactions_append_only"),
        ("voucher_batches", "voucher_batches_keep_their_number"),
        ("voucher_batches", "voucher_batches_never_deleted"),
        ("vouchers", "vouchers_keep_what_they_point_at"),
        ("vouchers", "vouchers_never_deleted"),
        ("vouchers", "vouchers_point_at_something"),
    } <= set(ask(_TRIGGERS))


def test_revisions_are_numbered_in_the_order_in_which_they_follow() -> None:
    revisions = migrating.all_revisions()

    assert revisions == REVISIONS == [f"{number:04d}" for number in range(1, len(VERSIONS) + 1)]
    assert all(re.fullmatch(r"\d{4}_[a-z0-9]+(_[a-z0-9]+)*\.py", path.name) for path in VERSIONS)
    for before, path in pairwise([None, *VERSIONS]):
        assert path is not None
        names = _constants(path)
        assert names["revision"] == path.name[:4]
        assert names["down_revision"] == (None if before is None else before.name[:4])


def _constants(path: Path) -> dict[str, Any]:
    return {
        target.id: ast.literal_eval(node.value)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value, ast.Constant)
    }


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_revision_imports_no_app_code_and_goes_both_ways(path: Path) -> None:
    tree = ast.parse(path.read_text())

    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    functions = {node.name: len(node.body) for node in tree.body if isinstance(node, ast.FunctionDef)}

    assert imported <= {"sqlalchemy", "alembic", "__future__", "datetime"}
    assert functions["upgrade"] >= 1
    assert functions["downgrade"] >= 1


def test_two_who_migrate_at_once_do_it_one_after_the_other(empty_app: Flask) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")

    def migrate() -> list[str]:
        with empty_app.app_context():
            migrating.upgrade()
            return migrating.pending_revisions()

    with db.engine.connect() as first, ThreadPoolExecutor(1) as pool:
        first.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        second = pool.submit(migrate)
        until = time.monotonic() + SECONDS
        while first.scalar(waiting) == 0 and time.monotonic() < until:
            assert not second.done()
        nothing_yet = ask("SELECT to_regclass('events')::text")
        first.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": MIGRATION_LOCK})

        assert second.result(SECONDS) == []
    assert nothing_yet == [None]
