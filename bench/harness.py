# SPDX-License-Identifier: EUPL-1.2
"""What the benches share: a durable PostgreSQL that is thrown away, synthetic data, figures that noise hits alike."""

from __future__ import annotations

import atexit
import datetime as dt
import logging
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any, TypeVar

import psycopg
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform import clock, create_app, migrating
from abs_platform.actors import Actor
from abs_platform.areas.service import load_areas
from abs_platform.config import ROOT_DIR, Settings
from abs_platform.database import transaction
from abs_platform.embedded import start_embedded_postgres
from abs_platform.municipality import Municipality
from abs_platform.rounds.service import plan_round, release

ACTOR = Actor("command", "bench")
AREAS_EDITION = 2024

Side = TypeVar("Side")


def start_app() -> Flask:
    """A migrated app with its areas, on a server of its own that syncs to disk as a real one does."""
    folder = Path(tempfile.mkdtemp(prefix="abs-bench-"))
    folder.chmod(0o711)
    # Registered before the server starts, so done after it has stopped.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    app = join_app(_settings(folder, start_embedded_postgres(folder)))
    with app.app_context():
        migrating.upgrade()
        town = settings_of(app).municipality
        with transaction() as session:
            load_areas(
                session, town.areas_csv, edition=AREAS_EDITION, villages=town.villages, actor=ACTOR, now=clock.now()
            )
    return app


def join_app(settings: Settings) -> Flask:
    """An app with these settings, such as those of another process's app; it logs no more than what goes wrong."""
    app = create_app(settings)
    logging.getLogger().setLevel(logging.WARNING)
    return app


def settings_of(app: Flask) -> Settings:
    """What an app was made with, to make another with."""
    settings: Settings = app.extensions["settings"]
    return settings


def connect(settings: Settings, *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
    """A bare connection to an app's database."""
    return psycopg.connect((settings.database_url or "").replace("+psycopg", ""), autocommit=autocommit)


def _settings(folder: Path, url: str) -> Settings:
    return Settings(
        environment="test",
        instance_dir=folder,
        database_url=url,
        secret_key=secrets.token_urlsafe(48),
        voucher_key=secrets.token_bytes(48),
        municipality=Municipality.load("almelo"),
        base_url="http://localhost",
    )


def add_households(session: Session, count: int) -> None:
    """Synthetic addresses, spread over all neighbourhoods."""
    session.execute(
        text("""
            INSERT INTO households (bag_object_id, bag_address_id, object_type, street, house_number, postcode, city,
                                    neighbourhood_id)
            SELECT '0141010' || lpad(n::text, 9, '0'), '0141200' || lpad(n::text, 9, '0'), 'VBO',
                   'Straat ' || n / 90, n % 90 + 1, '76' || lpad((n % 100)::text, 2, '0') || 'AB', 'Almelo',
                   hoods.ids[n % array_length(hoods.ids, 1) + 1]
            FROM generate_series(1, :count) AS n,
                 (SELECT array_agg(id ORDER BY id) AS ids FROM areas WHERE level = 'neighbourhood') AS hoods
        """),
        {"count": count},
    )


def add_initiatives(session: Session, count: int, *, target_cents: int, state: str = "published") -> list[int]:
    """Initiatives of a usual length in all areas, with organisers and a budget; returns their ids."""
    ids = session.scalars(
        text("""
            INSERT INTO initiatives (title, summary, story, theme, area_id, place_description, target_cents,
                                     deadline_on, state, created_at, published_at, ended_at)
            SELECT 'Een bank onder de bomen van plein ' || n,
                   'Samen maken we een plek waar je even zit, elkaar spreekt en de kinderen kunnen spelen.',
                   repeat(repeat('We zien elkaar nu te weinig, en het plein is kaal. ', 8) || E'\\n\\n', 4),
                   (ARRAY['green', 'play', 'meeting', 'sport', 'culture'])[n % 5 + 1],
                   places.ids[n % array_length(places.ids, 1) + 1], 'Op het plein', :target_cents,
                   current_date + 5 + n % 90, :state, now() - interval '60 days', now() - n * interval '1 hour',
                   CASE WHEN :state <> 'published' THEN now() - n * interval '1 minute' END
            FROM generate_series(1, :count) AS n,
                 (SELECT array_agg(id ORDER BY id) AS ids FROM areas) AS places
            RETURNING id
        """),
        {"count": count, "target_cents": target_cents, "state": state},
    ).all()
    session.execute(
        text("""
            INSERT INTO organisers (initiative_id, role, name, email, postcode, house_number, confirmed_at)
            SELECT i, CASE n WHEN 1 THEN 'initiator' ELSE 'co_organiser' END, 'Buur ' || n,
                   'buur' || n || '@voorbeeld.example', '7609AB', n::text, now()
            FROM unnest(CAST(:ids AS bigint[])) AS i, generate_series(1, 3) AS n
        """),
        {"ids": ids},
    )
    session.execute(
        text("""
            INSERT INTO budget_lines (initiative_id, position, description, amount_cents)
            SELECT i, n, 'Hout, verf en schroeven, deel ' || n, :target_cents / 5
            FROM unnest(CAST(:ids AS bigint[])) AS i, generate_series(1, 5) AS n
        """),
        {"ids": ids, "target_cents": target_cents},
    )
    return list(ids)


def add_open_round(session: Session, app: Flask) -> int:
    """A round for everyone that is open now and has no vouchers yet; returns its id."""
    now, rules = clock.now(), settings_of(app).rules
    opens_at = now - dt.timedelta(days=10)
    round_ = plan_round(
        session,
        name=f"Ronde {secrets.token_hex(4)}",
        issue_on=clock.local_date(opens_at),
        opens_at=opens_at,
        closes_at=now + dt.timedelta(days=20),
        amount_cents=rules.voucher_amount_cents,
        districts=(),
        rules=rules,
        actor=ACTOR,
        now=now,
    )
    release(session, round_, letter_text_id=None, actor=ACTOR, now=now)
    session.flush()
    return round_.id


def add_gifts(session: Session, count: int, initiatives: list[int]) -> None:
    """Give unused vouchers to the initiatives in turn, set-based, with all that the books ask."""
    now = clock.now()
    session.execute(
        text("""
            CREATE TEMPORARY TABLE gifts ON COMMIT DROP AS
            SELECT v.id AS voucher_id, v.round_id, r.amount_cents,
                   i.ids[row_number() OVER (ORDER BY v.id) % array_length(i.ids, 1) + 1] AS initiative_id,
                   CAST(:now AS timestamptz) - row_number() OVER (ORDER BY v.id) * interval '1 second' AS given_at
            FROM vouchers v JOIN rounds r ON r.id = v.round_id, (SELECT CAST(:ids AS bigint[]) AS ids) AS i
            WHERE v.state = 'issued'
            ORDER BY v.id LIMIT :count
        """),
        {"now": now, "ids": initiatives, "count": count},
    )
    for statement in _GIFT_WRITES:
        session.execute(text(statement))


_GIFT_WRITES = (
    "UPDATE vouchers SET state = 'given', state_changed_at = given_at FROM gifts WHERE vouchers.id = voucher_id",
    """INSERT INTO donations (reference, initiative_id, kind, amount_cents, state, channel, given_at, voucher_id,
                              giver_name, message)
       SELECT 'BENCH' || voucher_id, initiative_id, 'voucher', amount_cents, 'confirmed', 'online', given_at,
              voucher_id, 'Buur ' || voucher_id, 'Wat een goed plan, ik doe graag mee.'
       FROM gifts""",
    """INSERT INTO ledger_transactions (kind, booked_at, donation_id)
       SELECT 'voucher_given', gifts.given_at, donations.id FROM donations JOIN gifts USING (voucher_id)""",
    """INSERT INTO ledger_postings (transaction_id, account, round_id, initiative_id, amount_cents)
       SELECT t.id, leg.account, leg.round_id, leg.initiative_id, leg.cents
       FROM ledger_transactions t JOIN donations d ON d.id = t.donation_id JOIN gifts g ON g.voucher_id = d.voucher_id,
            LATERAL (VALUES ('vouchers', g.round_id, NULL::bigint, -g.amount_cents),
                            ('initiative', NULL, g.initiative_id, g.amount_cents))
                AS leg (account, round_id, initiative_id, cents)""",
    """INSERT INTO events (happened_at, actor, kind, subject, subject_id)
       SELECT given_at, 'giver', 'voucher.given', 'voucher', voucher_id FROM gifts""",
)


@contextmanager
def serve(application: str, database_url: str, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """Serve an application on loopback with gunicorn, two processes of four threads; gives its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    keys = {"DATABASE_URL": database_url, "ABS_SECRET_KEY": "b" * 32, "ABS_VOUCHER_KEY": "v" * 32}
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{port}", "--workers=2", "--threads=4", application],
        cwd=ROOT_DIR,
        env=os.environ | keys | dict(env or {}),
        stderr=subprocess.DEVNULL,  # a line for each request
    )
    try:
        _await_answer(process, port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _await_answer(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"HEAD / HTTP/1.0\r\n\r\n")  # the port is open before a process can answer
                if connection.recv(1):
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the web server does not start")


def empty(settings: Settings, table: str) -> None:
    """Empty a table and all that refers to it, whatever its triggers say."""
    with connect(settings) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(f"TRUNCATE {table} CASCADE")


def settle(settings: Settings) -> None:
    """Leave no cleaning up to be done while something is measured."""
    with connect(settings, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def interleave(sides: Mapping[Side, Callable[[], float]], repeats: int) -> dict[Side, list[float]]:
    """Measure the sides in turn, every other time backwards, so that noise and growing tables hit them alike."""
    figures: dict[Side, list[float]] = {name: [] for name in sides}
    for repeat in range(repeats):
        order = list(sides) if repeat % 2 == 0 else list(sides)[::-1]
        for name in order:
            figures[name].append(sides[name]())
    return figures


@dataclass(frozen=True, slots=True)
class Ratio:
    """One side in percents of another, taken pair by pair."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, ours: Sequence[float], floor: Sequence[float]) -> Ratio:
        """The ratio of two series that were measured in turn."""
        each = [100 * mine / theirs for mine, theirs in zip(ours, floor, strict=True)]
        return cls(statistics.median(each), min(each), max(each))

    def __str__(self) -> str:
        return f"{self.median:.0f}% ({self.lowest:.0f}-{self.highest:.0f})"


def rate(figures: Sequence[float]) -> str:
    """A median with its spread: "1,234 (1,100-1,300)"."""
    return f"{statistics.median(figures):,.0f} ({min(figures):,.0f}-{max(figures):,.0f})"


def show(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table."""
    cells = [list(headings), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    for row in cells:
        first, *others = (
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip(), flush=True)


def peak_megabytes() -> float:
    """The most memory that this process had.

    Linux hands ru_maxrss of the starting process on to the started one, so its own mark is read from /proc there.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    peak = getrusage(RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
