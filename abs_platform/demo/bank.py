# SPDX-License-Identifier: EUPL-1.2
"""The stand-in for Stripe while the demo is loaded: its account is driven in process, at the moments of the history.

What is asked of it here is what our adapter asks, and what it answers is read by the adapter's own readers. So its file
holds just what it would hold, had all of this come over the network.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path

from abs_platform.demo.stripe.account import Account
from abs_platform.demo.stripe.faults import Faults, RefundOutcome
from abs_platform.demo.stripe.store import Store, Thing
from abs_platform.payments.port import BankTransfer, Checkout, CheckoutRequest, Dispute, Entry, Refund
from abs_platform.payments.refunding import Asked
from abs_platform.payments.stripe_reading import (
    PLATFORM,
    read_bank_transfer,
    read_checkout,
    read_dispute,
    read_entry,
    read_refund,
)

__all__ = ["Bank", "RefundOutcome"]


class Bank:
    """An account without a history. ``url`` is where its server will stand."""

    def __init__(self, path: Path, *, url: str, methods: Sequence[str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in path.parent.glob(f"{path.name}*"):  # of a demo whose database is gone
            leftover.unlink()
        self._methods = list(methods)
        self._store, self._faults = Store(str(path)), Faults()
        self._moment = dt.datetime.min.replace(tzinfo=dt.UTC)
        self.account = Account(self._store, self._faults, base_url=url, now=lambda: self._moment)
        self._seen = 0

    def at(self, moment: dt.datetime) -> Account:
        """The account at this moment."""
        self._moment = moment
        return self.account

    def begin(self, request: CheckoutRequest) -> str:
        """A checkout to pay at; returns its id."""
        mark = {"platform": PLATFORM, "reference": request.reference}
        product = {"name": request.description}
        made = self.account.create_session(
            {
                "mode": "payment",
                "allowed_payment_method_types": self._methods,
                "line_items": [
                    {
                        "quantity": "1",
                        "price_data": {
                            "currency": "eur",
                            "unit_amount": str(request.amount_cents),
                            "product_data": product,
                        },
                    }
                ],
                "client_reference_id": request.reference,
                "metadata": mark,
                "payment_intent_data": {"metadata": mark, "description": request.description},
                "success_url": request.success_url,
                "cancel_url": request.cancel_url,
                "expires_at": str(int(request.expires_at.timestamp())),
                "locale": "nl",
            }
            | ({"customer_email": request.email} if request.email else {})
        )
        return str(made["id"])

    def checkout(self, checkout_id: str) -> Checkout:
        """What became of it, with its payment."""
        found = self.account.get("session", checkout_id)
        if found["payment_intent"]:
            intent = self.account.get("payment_intent", found["payment_intent"])
            if intent["latest_charge"]:
                intent["latest_charge"] = self.account.get("charge", intent["latest_charge"])
            found["payment_intent"] = intent
        return read_checkout(found)

    def refund(self, asked: Asked, outcome: RefundOutcome = "succeeded") -> Refund:
        """Give a payment back."""
        self._faults.refunds.append(outcome)
        mark = {"platform": PLATFORM, "reference": asked.reference}
        params = {"payment_intent": asked.intent_id, "amount": str(asked.amount_cents), "metadata": mark}
        return read_refund(self.account.create_refund(params))

    def dispute(self, intent_id: str) -> Dispute:
        """The giver's bank claims a payment back."""
        return _known(read_dispute(self.account.open_dispute(intent_id)))

    def lose(self, dispute_id: str) -> Dispute:
        """That bank is right."""
        return _known(read_dispute(self.account.close_dispute(dispute_id, is_won=False)))

    def transfer(self, cents: int) -> BankTransfer:
        """Money goes to the bank account of the municipality."""
        return read_bank_transfer(self.account.pay_out(cents))

    def new_entries(self) -> list[Entry]:
        """The lines of its books since this was asked last, the oldest first."""
        rows = self._store.execute(
            "SELECT seq, kind, body FROM thing WHERE seq > ? ORDER BY seq",  # by number: few, whatever there is
            self._seen,
        )
        if rows:
            self._seen = rows[-1][0]
        lines: list[Thing] = [json.loads(body) for _seq, kind, body in rows if kind == "balance_transaction"]
        return [read_entry(line) for line in lines]

    def balance_cents(self) -> int:
        """What it holds now."""
        return self.account.balance_cents()

    def close(self) -> None:
        """Let go of its file. What it told us we know: none of it is sent again."""
        self._store.execute("UPDATE delivery SET state = 'delivered', tries = 1, said = '200' WHERE state = 'waiting'")
        self._store.close()


def _known(dispute: Dispute | None) -> Dispute:
    if dispute is None:
        raise LookupError("a bank that only asks")
    return dispute
