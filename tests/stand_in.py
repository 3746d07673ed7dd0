# SPDX-License-Identifier: EUPL-1.2
"""The stand-in for Stripe as tests use it: the real library talks to it, in this process or over real HTTP."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import stripe
from flask import Flask
from werkzeug.serving import make_server
from werkzeug.test import Client

from abs_platform import clock
from abs_platform.demo.stripe import api
from abs_platform.demo.stripe.account import Account
from abs_platform.demo.stripe.deliveries import Sender, sign
from abs_platform.demo.stripe.faults import Faults
from abs_platform.demo.stripe.server import make_app
from abs_platform.demo.stripe.store import Store, Thing
from abs_platform.payment_settings import BankAccount, PaymentSettings
from abs_platform.payments.stripe_adapter import StripePayments

KEY = "sk_test_of_the_stand_in"
WEBHOOK_SECRET = "whsec_of_the_stand_in"
URL = "http://127.0.0.1:12111"
BANK_ACCOUNT = BankAccount(iban="NL02ABNA0123456789", holder="Gemeente Almelo")
Deliveries = list[tuple[bytes, str]]


class InProcess(stripe.HTTPClient):
    """The library's way to the stand-in without a network; after a failure it tries again at once."""

    name = "in_process"

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        answer = Client(self._app).open(
            url.removeprefix(URL),
            base_url=URL,
            method=method.upper(),
            headers=dict(headers or {}),
            data=post_data,
            content_type="application/x-www-form-urlencoded" if post_data is not None else None,
        )
        if answer.status_code == api.TIMED_OUT:
            raise stripe.APIConnectionError("Request timed out.", should_retry=True)
        return answer.get_data(), answer.status_code, answer.headers

    def _sleep_time_seconds(self, num_retries: int) -> float:  # noqa: ARG002 - the library asks so
        return 0.0

    def close(self) -> None:
        """There is nothing to let go of."""


class StandIn:
    """A fresh account at Stripe.

    Give ``provider`` to the app, ``pay`` as a giver does, and hand ``deliveries()`` to the webhook. ``faults`` makes
    things go wrong. Time is the app's own clock, until a moment is set with ``at``.
    """

    def __init__(self, path: str = ":memory:", *, url: str = URL, methods: tuple[str, ...] = ("ideal", "card")) -> None:
        self.moment: dt.datetime | None = None
        self.faults = Faults()
        self.store = Store(path)
        self.account = Account(self.store, self.faults, base_url=url, now=self.now)
        self.sender = Sender(self.account, secret=WEBHOOK_SECRET)
        self.app = make_app(self.account, timeout_seconds=0)
        self.settings = PaymentSettings(api_key=KEY, webhook_secret=WEBHOOK_SECRET, methods=methods, api_url=url)
        self.provider = StripePayments(self.settings, InProcess(self.app))

    def now(self) -> dt.datetime:
        """The moment at Stripe."""
        return self.moment or clock.now()

    def at(self, moment: dt.datetime | None) -> None:
        """Let it be this moment at Stripe; what happens by itself has happened then."""
        self.moment = moment
        with self.store.transaction():
            self.account.tick()

    # What a giver and the giver's bank do. An id is that of a checkout.

    def pay(self, checkout_id: str, method: str = "") -> Thing:
        """Pay at once."""
        return self.account.pay(checkout_id, method)

    def fail(self, checkout_id: str) -> Thing:
        """The bank says no: at the page to pay, which stays open, or when it was to pay later."""
        if self.account.get("session", checkout_id)["status"] == "complete":
            return self.account.settle(checkout_id, is_paid=False)
        return self.account.decline(checkout_id)

    def cancel(self, checkout_id: str) -> str:
        """The giver goes back: nothing changes here. The way back."""
        return str(self.account.get("session", checkout_id)["cancel_url"])

    def pay_later(self, checkout_id: str, method: str = "") -> Thing:
        """Complete, but unpaid until ``settle_later`` (or ``fail``)."""
        return self.account.pay_later(checkout_id, method)

    def settle_later(self, checkout_id: str) -> Thing:
        """The bank pays after all."""
        return self.account.settle(checkout_id)

    def expire(self, checkout_id: str) -> Thing:
        """Nobody paid in time."""
        return self.account.expire_session(checkout_id)

    def fail_next_refund(self) -> None:
        """The next refund comes back at once."""
        self.faults.refunds.append("failed")

    def hold_next_refund(self) -> None:
        """The next refund stays pending, until ``settle_refund`` or ``fail_refund``."""
        self.faults.refunds.append("pending")

    def refuse_next_refund(self) -> None:
        """The next refund is refused (charge_not_refundable)."""
        self.faults.refunds.append("refused")

    def settle_refund(self, refund_id: str) -> Thing:
        """A pending refund arrives."""
        return self.account.settle_refund(refund_id)

    def fail_refund(self, refund_id: str) -> Thing:
        """A refund comes back, also after it succeeded."""
        return self.account.fail_refund(refund_id)

    def refund_by_hand(self, intent_id: str, cents: int | None = None) -> Thing:
        """Somebody refunds in Stripe's own screen: no reference of ours."""
        asked: dict[str, Any] = {"payment_intent": intent_id}
        return self.account.create_refund(asked if cents is None else asked | {"amount": cents})

    def dispute(self, intent_id: str, *, is_inquiry: bool = False) -> Thing:
        """The giver's bank claims a payment back."""
        return self.account.open_dispute(intent_id, is_inquiry=is_inquiry)

    def close_dispute(self, dispute_id: str, *, won: bool) -> Thing:
        """The claim is decided."""
        return self.account.close_dispute(dispute_id, is_won=won)

    def transfer(self, cents: int) -> Thing:
        """Stripe transfers money to the bank account of the municipality."""
        return self.account.pay_out(cents)

    def fail_transfer(self, payout_id: str) -> Thing:
        """The bank sends a transfer back."""
        return self.account.fail_payout(payout_id)

    # What a test looks at.

    def intent_of(self, checkout_id: str) -> str:
        """The payment of a checkout."""
        return str(self.account.get("session", checkout_id)["payment_intent"])

    def balance_cents(self) -> int:
        """What Stripe holds, available and pending."""
        return self.account.balance_cents()

    def deliveries(self, *, at: dt.datetime | None = None) -> Deliveries:
        """What is sent to the webhook by now and was not taken before: payload and signature, in the order of sending.

        The signature is of this moment, or of ``at``.
        """
        taken = self.sender.take()
        return taken if at is None else [(payload, self.sign(payload, at)) for payload, _ in taken]

    def all_events(self) -> Deliveries:
        """Every event that the webhook listens to, the oldest first, dropped ones too, signed anew."""
        listened = self.store.execute("SELECT DISTINCT event_id FROM delivery ORDER BY id")
        return [self.sender.signed(event_id) for (event_id,) in listened]

    def sign(self, payload: bytes, at: dt.datetime | None = None) -> str:
        """A good signature for any payload."""
        return sign(payload, WEBHOOK_SECRET, int((at or self.now()).timestamp()))

    def event(self, kind: str, about: Mapping[str, Any], **changes: Any) -> tuple[bytes, str]:
        """An event of one's own making, well signed."""
        body = {
            "id": "evt_of_a_test",
            "object": "event",
            "type": kind,
            "created": int(self.now().timestamp()),
            "livemode": False,
            "data": {"object": dict(about)},
        } | changes
        payload = json.dumps(body).encode()
        return payload, self.sign(payload)

    @contextmanager
    def serving(self, *, webhook_url: str = "", port: int = 0) -> Iterator[str]:
        """Serve it over real HTTP on a thread, and send webhooks to this address: for browsers and other processes."""
        server = make_server("127.0.0.1", port, self.app, threaded=True)
        url = f"http://127.0.0.1:{server.server_port}"
        before = self.settings, self.provider, self.account.base_url
        self.account.base_url = url
        self.settings = replace(self.settings, api_url=url)
        self.provider = StripePayments(self.settings)
        thread = threading.Thread(target=server.serve_forever, name="stand-in", daemon=True)
        thread.start()
        sender = Sender(self.account, secret=WEBHOOK_SECRET, url=webhook_url)
        if webhook_url:
            sender.start()
        try:
            yield url
        finally:
            if webhook_url:
                sender.stop()
            server.shutdown()
            server.server_close()
            thread.join(10)
            self.settings, self.provider, self.account.base_url = before

    def close(self) -> None:
        """Let go of its store."""
        self.store.close()
