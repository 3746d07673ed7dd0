# SPDX-License-Identifier: EUPL-1.2
"""Signed webhooks of payments at a steady rate: how many are booked and how long each takes, beside a bare endpoint."""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import hmac
import json
import os
import secrets
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import stripe
from flask import Flask, Response, request
from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.database import transaction
from abs_platform.ledger.queries import check
from bench.harness import Ratio, add_initiatives, interleave, serve, settings_of, settle, show, start_app

RATE, SECONDS, REPEATS = 300, 20.0, 3
CLIENTS = 16
INITIATIVES = 200
AMOUNT_CENTS = 1_000
NEVER_REACHED_CENTS = 1_000_000_000
SECRET = "whsec_of_the_bench"
ENV = {"ABS_STRIPE_KEY": "sk_test_of_the_bench", "ABS_STRIPE_WEBHOOK_SECRET": SECRET}
PATH = "/webhooks/stripe"


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one run: answers a second, and how long they took, in milliseconds."""

    per_second: float
    median_ms: float
    p99_ms: float
    late_percent: float


def bare_endpoint() -> Flask:
    """The floor: the library checks the signature of what was sent, and nothing is kept."""
    app, client = Flask("bare"), stripe.StripeClient("sk_test_of_the_bench")

    def receive() -> Response:
        client.construct_event(request.get_data(), request.headers["Stripe-Signature"], SECRET)
        return Response("OK")

    app.add_url_rule(PATH, view_func=receive, methods=["POST"])
    return app


def main() -> None:
    """Print the figures, and stop when one webhook was lost."""
    parser = argparse.ArgumentParser(prog="bin/bench webhooks", description=__doc__)
    parser.add_argument("--rate", type=int, default=RATE, help="webhooks a second that are sent")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each measurement lasts")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="how many times each side is measured")
    options = parser.parse_args()
    count = int(options.rate * options.seconds)
    app = start_app()
    url = settings_of(app).database_url or ""
    with app.app_context(), transaction() as session:
        initiatives = add_initiatives(session, INITIATIVES, target_cents=NEVER_REACHED_CENTS)
    runs: dict[str, list[Run]] = {"ours": [], "bare": []}

    def ours() -> float:
        with app.app_context(), transaction() as session:
            references = _begin_payments(session, count, initiatives)
        settle(settings_of(app))
        runs["ours"].append(_send(port, [_message(reference) for reference in references], options.rate))
        _prove(app, references)
        return runs["ours"][-1].median_ms

    def bare() -> float:
        references = [f"BARE{number}" for number in range(count)]
        runs["bare"].append(_send(bare_port, [_message(reference) for reference in references], options.rate))
        return runs["bare"][-1].median_ms

    with serve("wsgi:app", url, ENV) as port, serve("bench.bench_webhooks:bare_endpoint()", url) as bare_port:
        for either in (port, bare_port):  # what only the first requests of a process do is measured of neither
            _send(either, [_message("NOBODYS") for _number in range(200)], options.rate)
        figures = interleave({"ours": ours, "bare": bare}, options.repeats)
    print(f"\n{options.rate} webhooks a second for {options.seconds:.0f} s, {count:,} each time; none was lost")
    rows = [
        (
            side,
            f"{statistics.median(run.per_second for run in each):,.0f}",
            f"{statistics.median(run.median_ms for run in each):.1f}",
            f"{statistics.median(run.p99_ms for run in each):.1f}",
            f"{statistics.median(run.late_percent for run in each):.1f}%",
        )
        for side, each in runs.items()
    ]
    show(("side", "answered a second", "median ms", "99th percentile ms", "sent late"), rows)
    print(f"median of ours in percents of the bare endpoint: {Ratio.of(figures['ours'], figures['bare'])}")


def _begin_payments(session: Session, count: int, initiatives: list[int]) -> list[str]:
    """So many gifts that wait for their payment; returns their references."""
    marker = secrets.token_hex(4)
    rows = session.execute(
        text("""
            WITH begun AS (
                INSERT INTO donations (reference, initiative_id, kind, amount_cents, state, channel, given_at)
                SELECT :marker || '-' || n, (CAST(:ids AS bigint[]))[n % :initiatives + 1], 'money', :cents, 'pending',
                       'online', :now
                FROM generate_series(1, :count) AS n
                RETURNING id, reference
            )
            INSERT INTO payments (donation_id, state, amount_cents, created_at, reserved_until, state_changed_at,
                                  checkout_id)
            SELECT id, 'created', :cents, :now, :until, :now, 'cs_test_' || reference FROM begun
            RETURNING checkout_id
        """),
        {
            "marker": marker,
            "ids": initiatives,
            "initiatives": len(initiatives),
            "cents": AMOUNT_CENTS,
            "now": clock.now(),
            "until": clock.now() + dt.timedelta(hours=1),
            "count": count,
        },
    )
    return [checkout_id.removeprefix("cs_test_") for checkout_id in rows.scalars()]


def _event(reference: str) -> bytes:
    moment = int(time.time())
    checkout = {
        "id": f"cs_test_{reference}",
        "object": "checkout.session",
        "amount_total": AMOUNT_CENTS,
        "created": moment,
        "currency": "eur",
        "metadata": {"platform": "abs", "reference": reference},
        "mode": "payment",
        "payment_intent": f"pi_{reference}",
        "payment_status": "paid",
        "status": "complete",
        "url": None,
    }
    event = {
        "id": f"evt_{secrets.token_hex(12)}",
        "object": "event",
        "api_version": stripe.api_version,
        "created": moment,
        "data": {"object": checkout},
        "livemode": False,
        "pending_webhooks": 1,
        "type": "checkout.session.completed",
    }
    return json.dumps(event).encode()


def _message(reference: str) -> bytes:
    """All that is sent, made and signed beforehand, so that the sender takes little from those it measures."""
    payload, moment = _event(reference), int(time.time())
    signature = hmac.new(SECRET.encode(), f"{moment}.".encode() + payload, hashlib.sha256).hexdigest()
    head = (
        f"POST {PATH} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(payload)}",
        f"Stripe-Signature: t={moment},v1={signature}",
    )
    return "\r\n".join([*head, "", ""]).encode() + payload


def _status(answer: BinaryIO) -> int:
    """Read one answer to its end, so that the connection can take the next; returns its status."""
    status, length = int(answer.readline().split()[1]), 0
    while (line := answer.readline().lower()) not in {b"\r\n", b""}:
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    answer.read(length)
    return status


def _send(port: int, messages: list[bytes], rate: int) -> Run:
    """Send them at their moments over connections that are kept, whether the one before was answered or not."""
    taken: list[float] = []
    late: list[bool] = []
    queue = iter(enumerate(messages))
    lock, start = threading.Lock(), time.monotonic() + 0.2

    def items() -> Iterator[tuple[int, bytes]]:
        while True:
            with lock:
                item = next(queue, None)
            if item is None:
                return
            yield item

    def send() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            answer = connection.makefile("rb")
            for number, message in items():
                due = start + number / rate
                time.sleep(max(0.0, due - time.monotonic()))
                began = time.monotonic()
                connection.sendall(message)
                status = _status(answer)
                if status != 200:
                    raise RuntimeError(f"a webhook was answered {status}")
                taken.append(1000 * (time.monotonic() - due))
                late.append(began - due > 0.05)

    threads = [threading.Thread(target=send) for _client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(taken) != len(messages):
        raise RuntimeError(f"{len(messages) - len(taken)} webhooks were not answered")
    cuts = statistics.quantiles(taken, n=100)
    return Run(len(taken) / (time.monotonic() - start), cuts[49], cuts[98], 100 * sum(late) / len(late))


def _prove(app: Flask, references: list[str]) -> None:
    """Every one of them was booked, once, and the books add up."""
    with app.app_context(), transaction() as session:
        booked = session.scalar(
            text("""
                SELECT count(*) FROM donations d JOIN ledger_transactions t ON t.donation_id = d.id
                WHERE d.reference = ANY(:references) AND d.state = 'confirmed' AND t.kind = 'payment_received'
            """),
            {"references": references},
        )
        if booked != len(references):
            raise RuntimeError(f"of {len(references)} payments {booked} were booked")
        if breaches := check(session):
            raise RuntimeError(f"the books are wrong: {breaches[0]}")


if __name__ == "__main__":
    os.environ["ABS_ENV"] = "test"
    main()
