# SPDX-License-Identifier: EUPL-1.2
"""The books of the stand-in's account: its objects, what happened to them, and each line of its balance."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable

from abs_platform import clock
from abs_platform.demo.stripe import objects
from abs_platform.demo.stripe.deliveries import enqueue
from abs_platform.demo.stripe.faults import Faults
from abs_platform.demo.stripe.refusals import missing
from abs_platform.demo.stripe.store import Store, Thing

AVAILABLE_AFTER = 3 * 24 * 3600
_WORDS = {"session": "checkout.session"}


class Books(ABC):
    """One account in test mode."""

    def __init__(
        self, store: Store, faults: Faults, *, base_url: str = "", now: Callable[[], dt.datetime] | None = None
    ) -> None:
        self.store, self.faults, self.base_url = store, faults, base_url
        self._now = now or clock.now
        self.key: str | None = None

    def now(self) -> int:
        """The moment, in Stripe's seconds."""
        return int(self._now().timestamp())

    def get(self, kind: str, thing_id: str, param: str = "id") -> Thing:
        """One object. Raises: Refusal (resource_missing)."""
        found = self.store.find(kind, thing_id)
        if found is None:
            raise missing(_WORDS.get(kind, kind), thing_id, param)
        return found

    def tell(self, kind: str, about: Thing) -> None:
        """Write down what happened, and send it to the webhook when it listens to that."""
        made = objects.event(kind, about, created=self.now(), key=self.key)
        self.store.add("event", made, created=made["created"])
        enqueue(self.store, self.faults, made, now=self._now().timestamp())

    def book(self, kind: str, amount: int, *, source: str, category: str, fee: int = 0, waits: bool = False) -> str:
        """A line of the books."""
        now = self.now()
        available_on = now + AVAILABLE_AFTER if waits else None
        line = objects.balance_transaction(
            kind, amount, source=source, created=now, fee=fee, category=category, available_on=available_on
        )
        self.store.add("balance_transaction", line, created=now)
        return str(line["id"])

    def tick(self) -> None:
        """What happens by itself: sessions expire, late payments arrive, refunds settle."""
        for kind, thing in self.store.waking(self.now()):
            self.wake(kind, thing)

    @abstractmethod
    def wake(self, kind: str, thing: Thing) -> None:
        """The moment of one object has come."""

    def balance(self) -> Thing:
        """What is held now, in euros."""
        sums = self.store.execute(
            "SELECT json_extract(body, '$.available_on') <= ?, SUM(json_extract(body, '$.net')) FROM thing"
            " WHERE kind = 'balance_transaction' GROUP BY 1",
            self.now(),
        )
        parts = dict(sums)

        def held(cents: int) -> list[Thing]:
            return [{"amount": cents, "currency": "eur", "source_types": {"card": cents}}]

        return {
            "object": "balance",
            "available": held(parts.get(1, 0)),
            "livemode": False,
            "pending": held(parts.get(0, 0)),
        }

    def balance_cents(self) -> int:
        """What is held now, available and pending together."""
        found = self.balance()
        return int(found["available"][0]["amount"] + found["pending"][0]["amount"])
