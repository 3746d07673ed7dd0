# SPDX-License-Identifier: EUPL-1.2
"""What the tests of the adapter and of the stand-in ask for."""

from __future__ import annotations

import datetime as dt
from typing import Any

from abs_platform import clock
from abs_platform.payments.port import Checkout, CheckoutRequest
from tests.stand_in import StandIn

REFERENCE = "K7QJ4MXP"


def a_request(cents: int = 2_500, **changes: Any) -> CheckoutRequest:
    """A gift of 25 euros."""
    asked: dict[str, Any] = {
        "reference": REFERENCE,
        "amount_cents": cents,
        "description": "Een bankje op het plein",
        "success_url": "http://localhost/terug?c={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://localhost/weg",
        "expires_at": clock.now() + dt.timedelta(minutes=31),
        "email": "gever@example.nl",
    }
    return CheckoutRequest(**(asked | changes))


def begin(stand_in: StandIn, key: str = "gift-1", cents: int = 2_500, **changes: Any) -> Checkout:
    """A checkout that is open."""
    return stand_in.provider.create_checkout(a_request(cents, **changes), idempotency_key=key)


def paid(stand_in: StandIn, key: str = "gift-1", cents: int = 2_500, method: str = "ideal") -> Checkout:
    """A checkout that was paid."""
    stand_in.pay(begin(stand_in, key, cents).id, method)
    return stand_in.provider.get_checkout(begin_id(stand_in, key))


def begin_id(stand_in: StandIn, key: str) -> str:
    """The checkout that was begun with a key."""
    found = stand_in.store.execute("SELECT json_extract(body, '$.id') FROM answer WHERE key = ?", key)
    return str(found[0][0])


def long_ago() -> dt.datetime:
    """Before all that a test made."""
    return clock.now() - dt.timedelta(days=10)
