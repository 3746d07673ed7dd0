# SPDX-License-Identifier: EUPL-1.2
"""How fast addresses are imported, whether a million cost more a row than a town, and how much memory that takes.

Synthetic files in the published formats, the real verb, and a durable PostgreSQL of its own that is thrown away.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from abs_platform import clock, migrating
from abs_platform.areas.service import load_areas
from abs_platform.database import transaction
from abs_platform.demo.addresses import WrittenFiles, write_address_files
from abs_platform.households.service import import_addresses
from abs_platform.municipality import Municipality
from bench.harness import ACTOR, AREAS_EDITION, peak_megabytes, start_app

TOWN, MILLION = 33_500, 1_000_000
REPEATS = 3
MAX_TOWN_SECONDS = 10
MAX_RATIO = 1.6
MAX_MEGABYTES = 300


class Seconds(NamedTuple):
    """An import into empty tables, and the same file once more; both with their commit."""

    first: float
    again: float


def main() -> int:
    """Print the figures; the exit status is 1 when one of them is worse than promised."""
    app = start_app()
    with app.app_context(), tempfile.TemporaryDirectory() as folder:
        almelo: Municipality = app.extensions["settings"].municipality
        files = {households: _write_files(almelo, Path(folder), households) for households in (TOWN, MILLION)}
        measured: dict[int, list[Seconds]] = {TOWN: [], MILLION: []}
        ratios: list[Seconds] = []
        for _ in range(REPEATS):
            # The town before and after the million, so that a busy machine slows both.
            times = {size: [_measure(almelo, files[size])] for size in (TOWN, MILLION)}
            times[TOWN].append(_measure(almelo, files[TOWN]))
            for size, of_size in times.items():
                measured[size] += of_size
            ratios.append(_per_row(MILLION, times[MILLION], TOWN, times[TOWN]))
    return _judge(measured, ratios)


def _write_files(almelo: Municipality, folder: Path, households: int) -> WrittenFiles:
    return write_address_files(
        almelo.demo_dir / "streets.toml",
        folder / f"bag-{households}.csv",
        folder / f"key-{households}.csv",
        municipality=almelo.name,
        municipality_code=almelo.code,
        households=households,
    )


def _measure(almelo: Municipality, files: WrittenFiles) -> Seconds:
    # Households cannot be deleted, so the tables themselves are made anew.
    migrating.downgrade("base")
    migrating.upgrade()
    with transaction() as session:
        load_areas(
            session,
            almelo.areas_csv,
            edition=AREAS_EDITION,
            villages=almelo.villages,
            actor=ACTOR,
            now=clock.now(),
        )
    return Seconds(_import(almelo, files), _import(almelo, files))


def _import(almelo: Municipality, files: WrittenFiles) -> float:
    start = time.perf_counter()
    with transaction() as session:
        report = import_addresses(
            session,
            files.bag_path,
            files.key_path,
            municipality_name=almelo.name,
            municipality_code=almelo.code,
            max_gone_percent=almelo.rules.max_gone_percent,
            actor=ACTOR,
            now=clock.now(),
        )
    seconds = time.perf_counter() - start
    if report.new + report.unchanged != files.households:
        raise RuntimeError(f"{files.households} households were written, but:\n{report.summary()}")
    return seconds


def _median(times: list[Seconds]) -> Seconds:
    return Seconds(*(statistics.median(each) for each in zip(*times, strict=True)))


def _per_row(rows: int, times: list[Seconds], fewer_rows: int, fewer_times: list[Seconds]) -> Seconds:
    pairs = zip(_median(times), _median(fewer_times), strict=True)
    return Seconds(*((many / rows) / (few / fewer_rows) for many, few in pairs))


def _judge(measured: dict[int, list[Seconds]], ratios: list[Seconds]) -> int:
    print(f"{'households':>10} {'run':>9} {'seconds':>8} {'rows/s':>8} {'us/row':>7}")
    for size, times in measured.items():
        for name, seconds in zip(("first", "unchanged"), _median(times), strict=True):
            cost = seconds / size * 1_000_000
            print(f"{size:>10,} {name:>9} {seconds:>8.2f} {size / seconds:>8,.0f} {cost:>7.1f}")
    ratio, peak = _median(ratios), peak_megabytes()
    for name, value, each in zip(("first", "unchanged"), ratio, zip(*ratios, strict=True), strict=True):
        spread = f"{min(each):.2f}-{max(each):.2f}"
        print(f"time per row, {MILLION:,} against {TOWN:,}, {name}: {value:.2f} times ({spread})")
    print(f"peak memory of this process: {peak:.0f} MB")
    good = _median(measured[TOWN]).first < MAX_TOWN_SECONDS and max(ratio) <= MAX_RATIO and peak < MAX_MEGABYTES
    print("as promised" if good else "NOT as promised", end=": ")
    print(f"{TOWN:,} in {MAX_TOWN_SECONDS} s, {MAX_RATIO} times the time per row, {MAX_MEGABYTES} MB")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
