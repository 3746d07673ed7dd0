# SPDX-License-Identifier: EUPL-1.2
"""Vouchers issued a second beside a bare COPY of the same rows, for a town and for a million, and the memory."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import struct
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import psycopg
from flask import Flask

from abs_platform import clock
from abs_platform.config import Settings
from abs_platform.database import transaction
from abs_platform.vouchers.issuing import issue_vouchers
from bench.harness import (
    ACTOR,
    Ratio,
    add_households,
    add_open_round,
    connect,
    empty,
    interleave,
    join_app,
    peak_megabytes,
    rate,
    settings_of,
    settle,
    show,
    start_app,
)

TOWN, MILLION = 33_500, 1_000_000
REPEATS = {TOWN: 9, MILLION: 3}
MIN_PERCENT, MAX_MEGABYTES = 40, 300
BLOCK = 500
COPY = "COPY bare_vouchers (round_id, batch_id, household_id, nonce, code_digest) FROM STDIN (FORMAT binary)"
HEADER, TRAILER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0), struct.pack("!h", -1)
ROW = struct.Struct("!hiqiqiqi16si16s")


def main() -> None:
    """Print the figures for the sizes asked for."""
    parser = argparse.ArgumentParser(prog="bin/bench issue", description=__doc__)
    parser.add_argument("--households", type=int, action="append", help="a size (default: 33500 and 1000000)")
    parser.add_argument("--repeats", type=int, help="how many times each side is measured")
    options = parser.parse_args()
    app = start_app()
    rows = []
    for households in sorted(options.households or [TOWN, MILLION]):
        repeats = options.repeats or REPEATS.get(households, 3)
        rows.append(_measure(app, households, repeats))
    headings = ("households", "ours rows/s", "bare COPY rows/s", "ratio", "target", "peak MB", "target")
    show(headings, rows)


def _measure(app: Flask, households: int, repeats: int) -> tuple[str, ...]:
    settings = settings_of(app)
    for table in ("rounds", "households"):
        empty(settings, table)
    with app.app_context(), transaction() as session:
        add_households(session, households)
        round_id = add_open_round(session, app)
    settle(settings)
    # A process of its own, so that its memory is that of issuing alone.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _Issuer.start, (settings,)) as process:
        with connect(settings) as connection:
            blocks = _same_rows(connection)
            sides = {
                "ours": lambda: process.submit(_Issuer.issue, round_id, households).result(),
                "floor": lambda: households / _bare_copy(connection, blocks),
            }
            interleave(sides, 1)
            figures = interleave(sides, repeats)
        peak = process.submit(peak_megabytes).result()
    return (
        f"{households:,}",
        rate(figures["ours"]),
        rate(figures["floor"]),
        str(Ratio.of(figures["ours"], figures["floor"])),
        f">= {MIN_PERCENT}%",
        f"{peak:.0f}",
        f"< {MAX_MEGABYTES}",
    )


class _Issuer:
    """The process that issues; it keeps its app between two measurements."""

    app: Flask

    @classmethod
    def start(cls, settings: Settings) -> None:
        cls.app = join_app(settings)

    @classmethod
    def issue(cls, round_id: int, households: int) -> float:
        """Issue a whole round, its commit included, into empty tables; returns vouchers a second."""
        empty(settings_of(cls.app), "voucher_batches, vouchers")
        with cls.app.app_context():
            start = time.perf_counter()
            with transaction() as session:
                keys = cls.app.extensions["code_keys"]
                report = issue_vouchers(session, round_id, keys=keys, actor=ACTOR, now=clock.now())
            seconds = time.perf_counter() - start
        if report.voucher_count != households:
            raise RuntimeError(f"{report.voucher_count} vouchers for {households} households")
        return households / seconds


def _same_rows(connection: psycopg.Connection[tuple[Any, ...]]) -> list[bytes]:
    """Rows like those of a round, as the binary COPY wants them, made beforehand; and the table without its guards."""
    connection.execute("DROP TABLE IF EXISTS bare_vouchers")
    connection.execute(
        "CREATE TABLE bare_vouchers (LIKE vouchers INCLUDING INDEXES INCLUDING DEFAULTS INCLUDING IDENTITY "
        "INCLUDING STORAGE) WITH (fillfactor = 85)"
    )
    connection.commit()
    ids = [row[0] for row in connection.execute("SELECT id FROM households ORDER BY id").fetchall()]
    connection.commit()
    rows = [ROW.pack(5, 8, 1, 8, 1, 8, household, 16, os.urandom(16), 16, os.urandom(16)) for household in ids]
    return [b"".join(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)]


def _bare_copy(connection: psycopg.Connection[tuple[Any, ...]], blocks: list[bytes]) -> float:
    """COPY the rows into the empty table and commit; returns the seconds."""
    connection.execute("TRUNCATE bare_vouchers")
    connection.commit()
    start = time.perf_counter()
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        copy.write(HEADER)
        for block in blocks:
            copy.write(block)
        copy.write(TRAILER)
    connection.commit()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
