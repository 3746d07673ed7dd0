# SPDX-License-Identifier: EUPL-1.2
"""The account that the stand-in keeps: beside its checkouts refunds, claims of banks, and transfers to the bank."""

from __future__ import annotations

from typing import Any

from abs_platform.demo.stripe import asking, objects
from abs_platform.demo.stripe.checkouts import Checkouts
from abs_platform.demo.stripe.refusals import Refusal
from abs_platform.demo.stripe.store import Thing

REFUND_WINDOW_SECONDS = 180 * 24 * 3600
DECIDED = {"won", "lost", "warning_closed"}


class Account(Checkouts):
    """What becomes of money that was received. Every verb is one transaction of the store."""

    def wake(self, kind: str, thing: Thing) -> None:
        """A refund that took its time arrives."""
        if kind == "refund":
            self.settle_refund(thing["id"])
        else:
            super().wake(kind, thing)

    def create_refund(self, params: dict[str, Any]) -> Thing:
        """Give a payment back, or a part of it. Raises: Refusal."""
        with self.store.transaction():
            asked = asking.refund(params)
            charged = self._charge_of(asked)
            amount = self._refundable(charged, asked["amount"])
            outcome = self.faults.take_refund()
            if outcome == "refused":
                raise Refusal("This charge cannot be refunded.", code="charge_not_refundable")
            made = objects.refund(
                charged, amount, metadata=asked["metadata"], reason=asked.get("reason"), created=self.now()
            )
            self.store.add("refund", made, created=made["created"])
            self._take_back(charged, made, amount)
            self.tell("refund.created", made)
            if outcome == "failed":
                made = self.fail_refund(made["id"])
            elif outcome == "pending":
                made = self.store.save(made | {"status": "pending"})
            else:
                made = self.store.save(made | {"status": "succeeded"})
                self.tell("refund.updated", made)
            return made

    def _charge_of(self, asked: dict[str, Any]) -> Thing:
        if asked.get("charge"):
            return self.get("charge", asked["charge"], "charge")
        intent = self.get("payment_intent", asked["payment_intent"], "payment_intent")
        if not intent["latest_charge"]:
            words = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
            raise Refusal(words, code="payment_intent_unexpected_state", param="payment_intent")
        return self.get("charge", intent["latest_charge"])

    def _refundable(self, charged: Thing, amount: int | None) -> int:
        """What to give back. Raises: Refusal when that is more than is left, or it is too late."""
        left = charged["amount"] - charged["amount_refunded"]
        name = charged["id"]
        if left == 0:
            raise Refusal(f"Charge {name} has already been refunded.", code="charge_already_refunded")
        if charged["disputed"]:
            raise Refusal(f"Charge {name} has been charged back; cannot issue a refund.", code="charge_disputed")
        if amount is not None and amount > left:
            words = (
                f"Refund amount (€{amount / 100:.2f}) is greater than unrefunded amount on charge (€{left / 100:.2f})"
            )
            raise Refusal(words, code="amount_too_large", param="amount")
        is_card = charged["payment_method_details"]["type"] == objects.CARD
        if not is_card and self.now() - charged["created"] > REFUND_WINDOW_SECONDS:
            raise Refusal(f"Charge {name} is too old to be refunded.", code="charge_not_refundable")
        return left if amount is None else amount

    def _take_back(self, charged: Thing, made: Thing, amount: int) -> None:
        charged["amount_refunded"] += amount
        charged["refunded"] = charged["amount_refunded"] == charged["amount"]
        self.store.save(charged)
        is_card = charged["payment_method_details"]["type"] == objects.CARD
        kind = "refund" if is_card else "payment_refund"
        made["balance_transaction"] = self.book(kind, -amount, source=made["id"], category="refund")
        self.store.save(made)
        self.tell("charge.refunded", charged)

    def settle_refund(self, refund_id: str) -> Thing:
        """A refund that was pending has arrived. Raises: Refusal when it was not pending."""
        with self.store.transaction():
            found = self.get("refund", refund_id)
            if found["status"] != "pending":
                raise Refusal("This refund is not pending.")
            self.store.save(found | {"status": "succeeded"})
            self.tell("refund.updated", found | {"status": "succeeded"})
            return found | {"status": "succeeded"}

    def fail_refund(self, refund_id: str, reason: str = "declined") -> Thing:
        """The giver's bank sends a refund back, even days after it succeeded. Raises: Refusal when it did already."""
        with self.store.transaction():
            found = self.get("refund", refund_id)
            if found["status"] == "failed":
                raise Refusal("This refund has failed already.")
            charged = self.get("charge", found["charge"])
            charged["amount_refunded"] -= found["amount"]
            charged["refunded"] = False
            self.store.save(charged)
            line = self.book("refund_failure", found["amount"], source=found["id"], category="refund_failure")
            found |= {"status": "failed", "failure_reason": reason, "failure_balance_transaction": line}
            self.store.save(found)
            self.tell("refund.updated", found)
            self.tell("refund.failed", found)
            return found

    def open_dispute(self, intent_id: str, *, is_inquiry: bool = False) -> Thing:
        """The giver's bank claims a payment back; an inquiry only asks. Raises: Refusal when it did already."""
        with self.store.transaction():
            charged = self._charge_of({"payment_intent": intent_id})
            if charged["disputed"] or charged["refunded"]:
                raise Refusal("This charge cannot be disputed.", code="charge_disputed")
            made = objects.dispute(
                charged, status="warning_needs_response" if is_inquiry else "needs_response", created=self.now()
            )
            self.store.save(charged | {"disputed": True})
            self.store.add("dispute", made, created=made["created"])
            if not is_inquiry:
                self._withdraw(made)
            self.tell("charge.dispute.created", made)
            return made

    def _withdraw(self, found: Thing) -> None:
        line = self.book(
            "adjustment", -found["amount"], source=found["id"], category="dispute", fee=objects.DISPUTE_FEE_CENTS
        )
        found["balance_transactions"].append(self.get("balance_transaction", line))
        self.store.save(found)
        self.tell("charge.dispute.funds_withdrawn", found)

    def escalate_dispute(self, dispute_id: str) -> Thing:
        """A bank that only asked claims after all. Raises: Refusal."""
        with self.store.transaction():
            found = self.get("dispute", dispute_id)
            if found["status"] != "warning_needs_response":
                raise Refusal("This dispute is no inquiry.")
            found["status"] = "needs_response"
            self._withdraw(found)
            self.tell("charge.dispute.updated", found)
            return found

    def close_dispute(self, dispute_id: str, *, is_won: bool) -> Thing:
        """It is decided. Raises: Refusal when it was already."""
        with self.store.transaction():
            found = self.get("dispute", dispute_id)
            if found["status"] in DECIDED:
                raise Refusal("This dispute is closed.", code="dispute_closed")
            is_inquiry = found["status"] == "warning_needs_response"
            found["status"] = "warning_closed" if is_inquiry else "won" if is_won else "lost"
            if is_won or is_inquiry:
                self.store.save(self.get("charge", found["charge"]) | {"disputed": False})
            if is_won and not is_inquiry:
                line = self.book("adjustment", found["amount"], source=found["id"], category="dispute_reversal")
                found["balance_transactions"].append(self.get("balance_transaction", line))
                self.tell("charge.dispute.funds_reinstated", found)
            self.store.save(found)
            self.tell("charge.dispute.closed", found)
            return found

    def pay_out(self, cents: int) -> Thing:
        """Transfer money to the bank account of the municipality. Raises: Refusal when there is less."""
        with self.store.transaction():
            if not 0 < cents <= self.balance_cents():
                words = "You have insufficient funds in your Stripe account for this transfer."
                raise Refusal(words, code="balance_insufficient", param="amount")
            made = objects.payout(cents, created=self.now())
            made["balance_transaction"] = self.book("payout", -cents, source=made["id"], category="payout")
            self.store.add("payout", made, created=made["created"])
            self.tell("payout.created", made | {"status": "in_transit"})
            self.tell("payout.paid", made)
            return made

    def fail_payout(self, payout_id: str) -> Thing:
        """The bank sends a transfer back. Raises: Refusal when it did already."""
        with self.store.transaction():
            found = self.get("payout", payout_id)
            if found["status"] == "failed":
                raise Refusal("This payout has failed already.")
            line = self.book("payout_failure", found["amount"], source=found["id"], category="payout_reversal")
            found |= {"status": "failed", "failure_code": "account_closed", "failure_balance_transaction": line}
            self.store.save(found)
            self.tell("payout.failed", found)
            return found
