# SPDX-License-Identifier: EUPL-1.2
"""Checkouts at the stand-in: open until they are paid, wait for a bank, or expire by the clock."""

from __future__ import annotations

from typing import Any

from abs_platform.demo.stripe import asking, objects
from abs_platform.demo.stripe.books import Books
from abs_platform.demo.stripe.refusals import Refusal
from abs_platform.demo.stripe.store import Thing


class Checkouts(Books):
    """What a giver does at the bank. Every verb is one transaction of the store."""

    def wake(self, kind: str, thing: Thing) -> None:
        """A session that nobody paid expires; a bank that was late pays."""
        if kind == "session" and thing["status"] == "open":
            self._expire(thing)
        elif kind == "session":
            self.settle(thing["id"])

    def create_session(self, params: dict[str, Any]) -> Thing:
        """A new checkout session. Raises: Refusal."""
        with self.store.transaction():
            amount, clean = asking.session(params, now=self.now())
            made = objects.session(clean, amount=amount, created=self.now(), base_url=self.base_url)
            self.store.add("session", made, created=made["created"], wake_at=made["expires_at"])
            data = {"id": f"{made['id']}_data", **(clean.get("payment_intent_data") or {})}
            data["item"] = clean["line_items"][0]["price_data"]["product_data"]["name"]
            self.store.add("intent_data", data, created=made["created"])
            return made

    def expire_session(self, session_id: str) -> Thing:
        """Let a session be paid no more. Raises: Refusal when it is not open."""
        with self.store.transaction():
            found = self.get("session", session_id, "session")
            if found["status"] != "open":
                words = 'Only Checkout Sessions with a status in ["open"] can be expired. This one is '
                raise Refusal(f"{words}`{found['status']}`.", param="session")
            return self._expire(found)

    def _expire(self, found: Thing) -> Thing:
        found |= {"status": "expired", "url": None}
        self.store.save(found)
        if found["payment_intent"]:
            begun = self.get("payment_intent", found["payment_intent"])
            begun |= {"status": "canceled", "canceled_at": self.now(), "cancellation_reason": "automatic"}
            self.store.save(begun)
        self.tell("checkout.session.expired", found)
        return found

    def item_of(self, session_id: str) -> str:
        """What is paid for."""
        return str(self._data_of(session_id)["item"])

    def _open_session(self, session_id: str) -> Thing:
        self.tick()
        found = self.get("session", session_id)
        if found["status"] != "open":
            raise Refusal(f"This Checkout Session is {found['status']}.", code="checkout_not_open")
        return found

    def _begin_paying(self, found: Thing, method: str) -> Thing:
        """The payment intent of a session: one, however often is tried."""
        if found["payment_intent"]:
            begun = self.get("payment_intent", found["payment_intent"])
        else:
            data = self._data_of(found["id"])
            begun = objects.intent(found, data, created=self.now())
            self.store.add("payment_intent", begun, created=begun["created"])
            found["payment_intent"] = begun["id"]
        self.store.save(self._data_of(found["id"]) | {"method": method})
        begun |= {"payment_method": objects.new_id("pm"), "last_payment_error": None}
        return begun

    def _data_of(self, session_id: str) -> Thing:
        """What the API does not show of a session: what its payment will be, and how it is paid."""
        return self.get("intent_data", f"{session_id}_data")

    def pay(self, session_id: str, method: str = "") -> Thing:
        """The giver pays. Raises: Refusal when the session is not open."""
        with self.store.transaction():
            found = self._open_session(session_id)
            method = method or found["payment_method_types"][0]
            begun = self._begin_paying(found, method)
            found |= {"status": "complete", "payment_status": "paid", "url": None}
            self._receive(begun, method)
            self.store.save(found)
            self.tell("checkout.session.completed", found)
            return found

    def pay_later(self, session_id: str, method: str = "", *, settles_in: int | None = None) -> Thing:
        """The giver is done, the bank is not; after so many seconds it pays. Raises: Refusal."""
        with self.store.transaction():
            found = self._open_session(session_id)
            begun = self._begin_paying(found, method or found["payment_method_types"][0])
            begun["status"] = "processing"
            found |= {"status": "complete", "url": None}
            self.store.save(begun)
            self.store.save(found, wake_at=None if settles_in is None else self.now() + settles_in)
            self.tell("checkout.session.completed", found)
            return found

    def settle(self, session_id: str, *, is_paid: bool = True) -> Thing:
        """The bank answers after all. Raises: Refusal when nothing waits for it."""
        with self.store.transaction():
            found = self.get("session", session_id)
            if found["status"] != "complete" or found["payment_status"] == "paid":
                raise Refusal("This Checkout Session does not wait for a bank.", code="checkout_not_waiting")
            begun = self.get("payment_intent", found["payment_intent"])
            if begun["status"] != "processing":
                raise Refusal("The bank answered already.", code="checkout_not_waiting")
            if is_paid:
                found["payment_status"] = "paid"
                self._receive(begun, self._data_of(session_id)["method"])
            else:
                self._decline(begun)
            self.store.save(found)
            self.tell(f"checkout.session.async_payment_{'succeeded' if is_paid else 'failed'}", found)
            return found

    def decline(self, session_id: str, method: str = "") -> Thing:
        """The bank says no; the session stays open for another try. Raises: Refusal."""
        with self.store.transaction():
            found = self._open_session(session_id)
            begun = self._begin_paying(found, method or found["payment_method_types"][0])
            self._decline(begun)
            return self.store.save(found, wake_at=found["expires_at"])

    def _decline(self, begun: Thing) -> None:
        said = {"type": "invalid_request_error", "code": "payment_intent_payment_attempt_failed"}
        begun |= {"status": "requires_payment_method", "payment_method": None, "last_payment_error": said}
        self.store.save(begun)
        self.tell("payment_intent.payment_failed", begun)

    def _receive(self, begun: Thing, method: str) -> None:
        """Money arrives: a charge, and a line in the books with the fee."""
        is_card = method == objects.CARD
        charge_id = objects.new_id("ch" if is_card else "py")
        line = self.book(
            "charge" if is_card else "payment",
            begun["amount"],
            source=charge_id,
            category="charge",
            fee=objects.fee_cents(method, begun["amount"]),
            waits=True,
        )
        begun |= {"status": "succeeded", "amount_received": begun["amount"], "latest_charge": charge_id}
        made = objects.charge(begun, method, balance_transaction=line, created=self.now(), charge_id=charge_id)
        self.store.add("charge", made, created=made["created"])
        self.store.save(begun)
        self.tell("charge.succeeded", made)
        self.tell("payment_intent.succeeded", begun)
