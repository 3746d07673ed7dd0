# SPDX-License-Identifier: EUPL-1.2
"""One PostgreSQL for all tests, a migrated database for each worker, a transaction that rolls back for each test."""

from __future__ import annotations

import functools
import gc
import math
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import CodeType

import psycopg
import pytest
from flask import Flask, has_request_context, request
from hypothesis import settings as hypothesis_settings
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import ORMExecuteState, Session

from abs_platform import clock, create_app, migrating
from abs_platform.areas.service import load_areas
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.embedded import start_embedded_postgres
from abs_platform.pages.totals import MEMORY, TotalsMemory
from abs_platform.rule_settings.in_force import CACHE, RulesCache
from abs_platform.static_files import Site
from abs_platform.storage import FolderStore, make_store
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.languages.pseudo import pseudo_town
from tests.page import Browser
from tests.stand_in import BANK_ACCOUNT, StandIn

pytest_plugins = ["tests.ci_guard"]

SERVER_URL = "ABS_TEST_SERVER_URL"
VOUCHER_KEY = b"a voucher key for tests, as long as a real one is"
# No example is too slow: machines are shared and noisy.
hypothesis_settings.register_profile("steady", deadline=None)
hypothesis_settings.load_profile("steady")


class CompiledTemplates(BytecodeCache):
    """Compiling a page takes longer than most tests: all apps of a process share what is compiled."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what was compiled of this very source, if it was."""
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        assert bucket.code is not None
        self._code[bucket.key, bucket.checksum] = bucket.code


def pytest_configure(config: pytest.Config) -> None:
    """Start the server once, in the process that starts the workers; each app takes the templates that are compiled."""
    Site.jinja_options = Site.jinja_options | {"bytecode_cache": CompiledTemplates()}
    if hasattr(config, "workerinput") or SERVER_URL in os.environ or config.option.collectonly:
        return
    folder = Path(tempfile.mkdtemp(prefix="abs-tests-"))
    folder.chmod(0o711)
    os.environ[SERVER_URL] = start_embedded_postgres(folder, durable=False)


def pytest_collection_finish() -> None:
    """Ten thousand tests and the apps stay to the end: looking through them for garbage took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)


def make_database(name: str, template: str = "template1") -> str:
    """Make a database on the tests' server, empty or as another one is, and return its URL."""
    url = os.environ[SERVER_URL]
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return url.replace("/abs?", f"/{name}?")


def make_settings(database_url: str, instance_dir: Path) -> Settings:
    """Settings for an app under test."""
    return Settings(
        environment="test",
        instance_dir=instance_dir,
        database_url=database_url,
        secret_key=SECRET_KEY,
        voucher_key=VOUCHER_KEY,
        municipality=pseudo_town(),
        base_url="http://localhost",
    )


def make_app(name: str, instance_dir: Path) -> Flask:
    """An app on a migrated database of its own, with the areas of Almelo loaded."""
    app = create_app(make_settings(make_database(name, migrated_database()), instance_dir))
    app.config["TESTING"] = True
    return app


@functools.cache
def migrated_database() -> str:
    """The name of a migrated database with the areas of Almelo, to copy; each process makes its own."""
    name = f"abs_migrated_{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(make_settings(make_database(name), Path(folder)))
        with app.app_context():
            migrating.upgrade()
            town = app.extensions["settings"].municipality
            with transaction() as session:
                load_areas(
                    session, town.areas_csv, edition=2024, villages=town.villages, actor=TEST_ACTOR, now=clock.now()
                )
            db.engine.dispose()
    return name


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """The name of this worker, for what each worker has of its own."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))


@pytest.fixture(scope="session")
def app(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The app of this worker."""
    app = make_app(f"abs_{worker}", tmp_path_factory.mktemp("instance"))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def connection(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Connection]:
    """A connection whose transaction is rolled back after the test; the app and the test share it.

    The files that rows speak of are as much the test's own.

    Flask-SQLAlchemy takes its engine from db.engines, so the connection stands there, and every commit is a savepoint.
    """
    with app.app_context():
        connection = db.engine.connect()
        engines = db.engines
    outer = connection.begin()
    monkeypatch.setitem(app.extensions, "file_store", FolderStore(tmp_path / "media"))
    # The numbers of the rules are read already, so that no page asks for them now and then.
    monkeypatch.setitem(app.extensions, CACHE, RulesCache(read_at=math.inf))
    # And no total of another test is remembered.
    monkeypatch.setitem(app.extensions, MEMORY, TotalsMemory(seconds_kept=0))
    monkeypatch.setitem(engines, None, connection)
    monkeypatch.setitem(db.session.session_factory.kw, "join_transaction_mode", "create_savepoint")
    try:
        yield connection
    finally:
        if outer.is_active:
            outer.rollback()
        connection.close()


@pytest.fixture
def session(app: Flask, connection: Connection) -> Iterator[Session]:
    """A session for arranging and asserting; what it commits is gone after the test."""
    session = Session(connection, join_transaction_mode="create_savepoint")
    with app.app_context():
        yield session
    session.close()


@pytest.fixture
def factory(app: Flask, session: Session) -> Factory:
    """Makes what a test needs, with the real verbs."""
    return Factory(session, app.extensions["settings"].rules, app.extensions["code_keys"])


@pytest.fixture
def browser_client(app: Flask, connection: Connection) -> Browser:
    """A browser without JavaScript that checks every page it gets."""
    return Browser(app)


@pytest.fixture(autouse=True)
def _a_get_never_writes() -> Iterator[None]:
    """Every SQL statement of a GET passes here; one that writes fails the test."""
    writing = re.compile(
        r"\s*(INSERT|UPDATE|DELETE|COPY|WITH\b.*\b(INSERT|UPDATE|DELETE)\b)", re.IGNORECASE | re.DOTALL
    )

    def refuse_writes(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if has_request_context() and request.method in {"GET", "HEAD"} and writing.match(statement):
            raise AssertionError(f"a GET wrote: {statement[:80]}")

    event.listen(Engine, "before_cursor_execute", refuse_writes)
    yield
    event.remove(Engine, "before_cursor_execute", refuse_writes)


@pytest.fixture(scope="session")
def _own_app(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """Making an app takes longer than most tests, so a worker makes the one of ``own_app`` once."""
    return make_app(f"abs_own_{worker}", tmp_path_factory.mktemp("own"))


@pytest.fixture
def own_app(_own_app: Flask, worker: str, tmp_path: Path) -> Iterator[Flask]:
    """An app on a database of its own, that really commits: for races, crashes and whole journeys."""
    settings = make_settings(make_database(f"abs_own_{worker}", migrated_database()), tmp_path)
    as_made = dict(_own_app.extensions)
    _own_app.extensions.update(settings=settings, file_store=make_store(settings))
    yield _own_app
    with _own_app.app_context():
        db.session.remove()
        db.engine.dispose()
    _own_app.extensions.clear()  # what was remembered goes too
    _own_app.extensions.update(as_made)


def of_this_thread_only(session: Session) -> None:
    """Let a thread that touches this session fail at once: two at one moment would break it only now and then."""
    thread = threading.get_ident()

    def ours(_state: ORMExecuteState) -> None:
        assert threading.get_ident() == thread, "the test's own session is read in a thread: pass an id or a code"

    event.listen(session, "do_orm_execute", ours)


@pytest.fixture
def own_session(own_app: Flask) -> Iterator[Session]:
    """A session on the database of own_app; it really commits. It is of the test alone: a thread gets ids and codes."""
    with own_app.app_context():
        session = Session(db.engine)
        of_this_thread_only(session)
        yield session
        session.close()


@pytest.fixture
def own_factory(own_app: Flask, own_session: Session) -> Factory:
    """The factory on own_app's database; commit its session to let others see what it made."""
    return Factory(own_session, own_app.extensions["settings"].rules, own_app.extensions["code_keys"])


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """A fresh account at the stand-in for Stripe, in this process."""
    made = StandIn()
    yield made
    made.close()


@pytest.fixture
def paying_app(app: Flask, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The app of this worker while gifts of money are paid at the stand-in."""
    take_money(app, stand_in, monkeypatch)
    return app


@pytest.fixture
def own_paying_app(own_app: Flask, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The app with a database of its own while gifts of money are paid at the stand-in."""
    take_money(own_app, stand_in, monkeypatch)
    return own_app


def take_money(app: Flask, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an app take gifts of money at the stand-in, and pay initiatives from a bank account."""
    settings = replace(app.extensions["settings"], payments=stand_in.settings, bank_account=BANK_ACCOUNT)
    monkeypatch.setitem(app.extensions, "settings", settings)
    monkeypatch.setitem(app.extensions, "payments", stand_in.provider)
