# SPDX-License-Identifier: EUPL-1.2
"""Signed webhooks, sent until the app answers 2xx, with a longer wait after each try; some go wrong on demand."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from abs_platform.demo.stripe.faults import Faults
from abs_platform.demo.stripe.store import Store, Thing

if TYPE_CHECKING:
    from abs_platform.demo.stripe.account import Account

# What the endpoint of this platform listens to, as the municipality sets it at Stripe.
LISTENED_TO = {
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "payout.paid",
    "payout.failed",
}
TIMEOUT_SECONDS = 10
LONGEST_WAIT_SECONDS = 60.0
TRIES = 100
LOOK_SECONDS = 0.3


def enqueue(store: Store, faults: Faults, event: Thing, *, now: float) -> None:
    """Put an event on its way."""
    if event["type"] not in LISTENED_TO:
        return
    if faults.take("drop"):
        add(store, event["id"], due_at=now, state="dropped")
        return
    due_at = now + faults.delay_seconds if faults.take("delay") else now
    is_reordered = faults.take("reorder")
    for _ in range(2 if faults.take("duplicate") else 1):
        add(store, event["id"], due_at=due_at + faults.hold_seconds * is_reordered, is_first=is_reordered)


def add(store: Store, event_id: str, *, due_at: float, state: str = "waiting", is_first: bool = False) -> None:
    """One delivery, behind those that wait, or before them."""
    store.execute(
        "INSERT INTO delivery (event_id, place, due_at, state)"
        " SELECT ?, COALESCE(CASE WHEN ? THEN MIN(place) - 1 ELSE MAX(place) + 1 END, 0), ?, ?"
        " FROM delivery WHERE state = 'waiting'",
        *(event_id, is_first, due_at, state),
    )


def payload_of(event: Thing) -> bytes:
    """What is sent, byte for byte."""
    return json.dumps(event, indent=2).encode()


def sign(payload: bytes, secret: str, moment: int) -> str:
    """The Stripe-Signature header."""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class Sender:
    """Sends what waits: by hand in tests, or on a thread beside the server."""

    def __init__(self, account: Account, *, secret: str, url: str = "") -> None:
        self.account, self.secret, self.url = account, secret, url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Send on a thread from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._stop.set()
        self._thread.join(TIMEOUT_SECONDS + 1)

    def take(self) -> list[tuple[bytes, str]]:
        """What is due, as payload and signature of this moment; it counts as delivered."""
        store = self.account.store
        with store.transaction():
            due = store.deliveries(due_at=self.account.now() + 1, limit=-1)
            found = [self.signed(one.event_id) for one in due]
            for one in due:
                store.execute("UPDATE delivery SET state = 'delivered', tries = tries + 1 WHERE id = ?", one.id)
        return found

    def signed(self, event_id: str) -> tuple[bytes, str]:
        """An event as it is sent now."""
        payload = payload_of(self.account.get("event", event_id))
        return payload, sign(payload, self.secret, self.account.now())

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            with self.account.store.transaction():
                self.account.tick()
            self.send_due()

    def send_due(self) -> None:
        """One try for each that is due."""
        store = self.account.store
        for one in store.deliveries(due_at=time.time()):
            said = self._post(*self.signed(one.event_id))
            tries = one.tries + 1
            state = "delivered" if said.startswith("2") else "waiting" if tries < TRIES else "given up"
            wait = min(LONGEST_WAIT_SECONDS, 2.0**one.tries)
            store.execute(
                "UPDATE delivery SET tries = ?, state = ?, said = ?, due_at = ? WHERE id = ?",
                *(tries, state, said, time.time() + wait, one.id),
            )

    def _post(self, payload: bytes, signature: str) -> str:
        """What the app said: its status, or why there is none."""
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
        asked = urllib.request.Request(self.url, payload, headers, method="POST")  # noqa: S310 - our own address
        try:
            with urllib.request.urlopen(asked, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - our own address
                return str(answer.status)
        except urllib.error.HTTPError as error:
            return str(error.code)
        except OSError as error:
            return type(error).__name__
