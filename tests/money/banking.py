# SPDX-License-Identifier: EUPL-1.2
"""What happens at the provider without us: refunds in its own screen, claims of banks, transfers, and its faults."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from abs_platform.demo.stripe.faults import CallFault, RefundOutcome
from abs_platform.demo.stripe.store import Thing
from tests.money.table import Table, picks

_OPEN_CLAIMS = {"needs_response", "warning_needs_response"}


class Banking(Table):
    """The provider and its banks."""

    def _charges(self) -> list[Thing]:
        return [one for one in self.listed("charge") if one["amount_refunded"] < one["amount"] and not one["disputed"]]

    def _touch(self, intent_id: str) -> None:
        gift = self.gift_of(intent_id)
        if gift:
            gift.is_touched = True

    @precondition(lambda self: not self.is_calm and self.has("charge"))
    @rule(pick=picks, cents=st.sampled_from([None, 100, 333]))
    def refund_in_its_own_screen(self, pick: int, cents: int | None) -> None:
        """Somebody at the municipality gives it back without us: all of it, or a part."""
        found = self.pick(self._charges(), pick)
        if found:
            self._touch(found["payment_intent"])
            self.act(lambda: self.stand_in.refund_by_hand(found["payment_intent"], cents))

    @precondition(lambda self: self.has("charge") and not self.stand_in.faults.refunds)
    @rule(outcome=st.sampled_from(["pending", "failed", "refused"]))
    def let_the_next_refund_go_otherwise(self, outcome: RefundOutcome) -> None:
        """It takes its time, comes back at once, or is refused."""
        self.act(lambda: self.stand_in.faults.refunds.append(outcome))

    @precondition(lambda self: self.has("refund"))
    @rule(pick=picks, is_good=st.booleans())
    def a_refund_ends(self, pick: int, is_good: bool) -> None:
        """It arrives, or the bank of the giver sends it back."""
        status = {"pending"} if is_good else {"pending", "succeeded"}
        found = self.pick([one for one in self.listed("refund") if one["status"] in status], pick)
        if found is None:
            return
        if is_good:
            self.act(lambda: self.stand_in.settle_refund(found["id"]))
        else:
            self.act(lambda: self.stand_in.fail_refund(found["id"]))

    @precondition(lambda self: not self.is_calm and self.has("charge"))
    @rule(pick=picks, is_inquiry=st.booleans())
    def a_bank_claims(self, pick: int, is_inquiry: bool) -> None:
        """The giver says it was somebody else."""
        found = self.pick(self._charges(), pick)
        if found:
            self._touch(found["payment_intent"])
            self.act(lambda: self.stand_in.dispute(found["payment_intent"], is_inquiry=is_inquiry))

    @precondition(lambda self: self.has("dispute"))
    @rule(pick=picks, how=st.sampled_from(["won", "lost", "escalated"]))
    def a_claim_goes_on(self, pick: int, how: str) -> None:
        """It is decided, or the bank that only asked claims after all."""
        found = self.pick([one for one in self.listed("dispute") if one["status"] in _OPEN_CLAIMS], pick)
        if found and how == "escalated":
            self.act(lambda: self.account.escalate_dispute(found["id"]))
        elif found:
            self.act(lambda: self.stand_in.close_dispute(found["id"], won=how == "won"))

    @precondition(lambda self: self.has("charge"))
    @rule(part=st.sampled_from([1, 2, 5]))
    def transfer_to_our_bank(self, part: int) -> None:
        """The provider empties its account, or a part of it."""
        cents = self.stand_in.balance_cents() // part
        self.act(lambda: self.stand_in.transfer(cents))

    @precondition(lambda self: self.has("payout"))
    @rule(pick=picks)
    def a_transfer_comes_back(self, pick: int) -> None:
        """Our bank refuses it."""
        found = self.pick([one for one in self.listed("payout") if one["status"] != "failed"], pick)
        if found:
            self.act(lambda: self.stand_in.fail_transfer(found["id"]))

    @precondition(lambda self: self.gifts and not self.stand_in.faults.calls)
    @rule(
        kind=st.sampled_from(["500", "429", "timeout"]),
        times=st.sampled_from([1, 3]),
        is_done=st.booleans(),
        path=st.sampled_from(["", "refunds", "checkout"]),
    )
    def the_provider_has_trouble(self, kind: CallFault, times: int, is_done: bool, path: str) -> None:
        """The next questions go wrong: no answer, or one that says nothing of what was done."""
        self.act(lambda: self.stand_in.faults.fail_calls(kind, times=times, is_done=is_done, path=path))
