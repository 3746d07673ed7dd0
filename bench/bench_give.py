# SPDX-License-Identifier: EUPL-1.2
"""Gifts a second over 16 connections beside the bare SQL of the same writes, to 200 initiatives and all to one."""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing.synchronize import Barrier

import psycopg
from flask import Flask
from sqlalchemy import text

from abs_platform import clock
from abs_platform.actors import GIVER
from abs_platform.config import Settings
from abs_platform.database import transaction
from abs_platform.donations.service import GiftDetails, give_voucher
from abs_platform.initiatives.service import close_if_funded
from abs_platform.ledger.queries import check
from abs_platform.vouchers.issuing import issue_vouchers
from bench.harness import (
    ACTOR,
    Ratio,
    add_gifts,
    add_households,
    add_initiatives,
    add_open_round,
    connect,
    interleave,
    join_app,
    rate,
    settings_of,
    settle,
    show,
    start_app,
)

PROCESSES, THREADS = 4, 4
INITIATIVES = 200
SECONDS, REPEATS = 2.0, 7
VOUCHERS, EARLIER_GIFTS = 300_000, 30_000
MIN_PERCENT, MIN_HOT_PERCENT = 25, 80
NEVER_REACHED_CENTS = 1_000_000_000

# The writes of donations/service.py without its questions: no initiative is locked or looked at, no state, no round.
BARE_GIFT = """
    WITH spent AS (
        UPDATE vouchers SET state = 'given', state_changed_at = %(now)s WHERE code_digest = %(code_digest)s
        RETURNING id, round_id
    ), donation AS (
        INSERT INTO donations (reference, initiative_id, kind, amount_cents, state, channel, given_at, voucher_id)
        SELECT %(reference)s, %(initiative_id)s, 'voucher', 750, 'confirmed', 'online', %(now)s, id FROM spent
        RETURNING id
    ), booking AS (
        INSERT INTO ledger_transactions (kind, booked_at, donation_id)
        SELECT 'voucher_given', %(now)s, id FROM donation
        RETURNING id
    ), postings AS (
        INSERT INTO ledger_postings (transaction_id, account, round_id, initiative_id, amount_cents)
        SELECT booking.id, 'vouchers', spent.round_id, NULL::bigint, -750 FROM booking, spent
        UNION ALL
        SELECT booking.id, 'initiative', NULL, %(initiative_id)s, 750 FROM booking
    )
    INSERT INTO events (happened_at, actor, kind, subject, subject_id)
    SELECT %(now)s, 'giver', 'voucher.given', 'voucher', id FROM spent
"""

Give = Callable[[bytes, int], None]


def main() -> None:
    """Print the figures of the verb, of the bare SQL, and of the verb as its route calls it."""
    parser = argparse.ArgumentParser(prog="bin/bench give", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each measurement lasts")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="how many times each side is measured")
    options = parser.parse_args()
    app = start_app()
    with app.app_context(), transaction() as session:
        add_households(session, VOUCHERS)
        round_id = add_open_round(session, app)
        issue_vouchers(session, round_id, keys=app.extensions["code_keys"], actor=ACTOR, now=clock.now())
        initiatives = add_initiatives(session, INITIATIVES, target_cents=NEVER_REACHED_CENTS)
        # A history, so that PostgreSQL does not plan for empty tables.
        add_gifts(session, EARLIER_GIFTS, initiatives)
    settle(settings_of(app))
    with _Givers(settings_of(app), initiatives) as givers:
        sides = {
            (name, spread): partial(givers.gifts_a_second, name, hot=spread == "hot", seconds=options.seconds)
            for name in ("verb", "verb and close_if_funded", "bare SQL")
            for spread in ("spread", "hot")
        }
        for measure in sides.values():
            measure(seconds=0.5)
        figures = interleave(sides, options.repeats)
    _show(figures)
    with app.app_context(), transaction() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        print(f"the books: {check(session) or 'in balance'}")


def _show(figures: dict[tuple[str, str], list[float]]) -> None:
    rows = []
    for (name, spread), gifts in figures.items():
        floor = figures["bare SQL", spread]
        ratio = "" if name == "bare SQL" else str(Ratio.of(gifts, floor))
        target = f">= {MIN_PERCENT}%" if name == "verb" else ""
        rows.append((name, spread, rate(gifts), ratio, target))
    hot = Ratio.of(figures["verb", "hot"], figures["verb", "spread"])
    show(("16 connections", "to", "gifts/s", "of the bare SQL", "target"), rows)
    print(f"hot beside spread: {hot}, target >= {MIN_HOT_PERCENT}%")


class _Givers:
    """Processes of threads, each thread with a connection of its own and its own share of the codes."""

    def __init__(self, settings: Settings, initiatives: list[int]) -> None:
        context = multiprocessing.get_context("spawn")
        together = context.Barrier(PROCESSES)
        self.processes = [
            ProcessPoolExecutor(1, context, _GiverProcess.start, (settings, initiatives, number, together))
            for number in range(PROCESSES)
        ]

    def __enter__(self) -> _Givers:
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self.processes:
            process.shutdown()

    def gifts_a_second(self, name: str, *, hot: bool, seconds: float) -> float:
        """All give at once for so many seconds."""
        counts = [process.submit(_GiverProcess.give, name, hot, seconds) for process in self.processes]
        return sum(count.result() for count in counts) / seconds


class _GiverProcess:
    """What one process keeps between two measurements: its app, its connections, its codes."""

    current: _GiverProcess

    def __init__(self, settings: Settings, initiatives: list[int], number: int, together: Barrier) -> None:
        self.app, self.initiatives, self.together = join_app(settings), initiatives, together
        self.threads = ThreadPoolExecutor(THREADS)
        self.connections = [connect(settings, autocommit=True) for _ in range(THREADS)]
        shares, mine = PROCESSES * THREADS, number * THREADS
        with connect(settings) as connection:
            self.codes = [
                iter(
                    connection.execute(
                        "SELECT code_digest FROM vouchers WHERE state = 'issued' AND id %% %s = %s",
                        (shares, mine + thread),
                    ).fetchall()
                )
                for thread in range(THREADS)
            ]

    @classmethod
    def start(cls, settings: Settings, initiatives: list[int], number: int, together: Barrier) -> None:
        cls.current = cls(settings, initiatives, number, together)

    @classmethod
    def give(cls, name: str, hot: bool, seconds: float) -> int:
        """Let all threads give until the time is over; returns how many gifts were committed in time."""
        me = cls.current
        verbs: dict[str, Callable[[int], Give]] = {
            "verb": lambda _thread: partial(_give, me.app),
            "verb and close_if_funded": lambda _thread: partial(_give_and_close, me.app),
            "bare SQL": lambda thread: partial(_give_bare, me.connections[thread]),
        }
        me.together.wait()
        until = time.monotonic() + seconds
        work = [
            me.threads.submit(_give_until, until, verbs[name](thread), me.codes[thread], me.initiatives_for(hot=hot))
            for thread in range(THREADS)
        ]
        return sum(each.result() for each in work)

    def initiatives_for(self, *, hot: bool) -> Iterator[int]:
        """The initiatives to give to, one after another from a random one on."""
        start = secrets.randbelow(len(self.initiatives))
        return itertools.cycle(self.initiatives[:1] if hot else self.initiatives[start:] + self.initiatives[:start])


def _give_until(until: float, give: Give, codes: Iterator[tuple[bytes]], initiatives: Iterator[int]) -> int:
    for count in itertools.count():
        (digest,) = next(codes)
        give(digest, next(initiatives))
        if time.monotonic() >= until:
            return count
    raise AssertionError("it counts for ever")


def _give(app: Flask, digest: bytes, initiative_id: int) -> None:
    with app.app_context(), transaction() as session:
        gift = give_voucher(session, digest, initiative_id, details=GiftDetails(), now=clock.now())
    if gift is None:
        raise RuntimeError("a usable voucher was refused")


def _give_and_close(app: Flask, digest: bytes, initiative_id: int) -> None:
    _give(app, digest, initiative_id)
    with app.app_context(), transaction() as session:
        close_if_funded(session, initiative_id, actor=GIVER, now=clock.now())


def _give_bare(connection: psycopg.Connection[object], digest: bytes, initiative_id: int) -> None:
    connection.execute(
        BARE_GIFT,
        {
            "code_digest": digest,
            "initiative_id": initiative_id,
            "reference": secrets.token_hex(6),
            "now": clock.now(),
        },
        prepare=True,
    )


if __name__ == "__main__":
    main()
