# SPDX-License-Identifier: EUPL-1.2
"""What one may let happen on the overview of the demo bank: others' banks, the payment service, and what goes wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from abs_platform.demo.stripe import asking, deliveries
from abs_platform.demo.stripe.account import Account
from abs_platform.demo.stripe.faults import CALL_FAULTS, REFUND_OUTCOMES
from abs_platform.demo.stripe.refusals import Refusal

_MOST = 50
_VERBS: dict[str, tuple[Callable[[Account, str], object], str]] = {
    "expire": (lambda account, one: account.expire_session(one), "De tijd is verlopen."),
    "settle": (lambda account, one: account.settle(one), "De bank heeft betaald."),
    "refuse": (lambda account, one: account.settle(one, is_paid=False), "De bank betaalt niet."),
    "settle_refund": (lambda account, one: account.settle_refund(one), "De terugbetaling is gelukt."),
    "fail_refund": (lambda account, one: account.fail_refund(one), "De terugbetaling is mislukt."),
    "dispute": (lambda account, one: account.open_dispute(one), "De bank vraagt het geld terug."),
    "win": (lambda account, one: account.close_dispute(one, is_won=True), "De gemeente kreeg gelijk."),
    "lose": (lambda account, one: account.close_dispute(one, is_won=False), "De bank kreeg gelijk."),
    "pay_out": (lambda account, _one: account.pay_out(account.balance_cents()), "Het geld is overgemaakt."),
    "clear": (lambda account, _one: account.faults.clear(), "Alles gaat weer goed."),
}


def act(account: Account, form: Mapping[str, str]) -> str:
    """Let it happen, and say so. Raises: Refusal when it cannot."""
    verb, one = form.get("verb", ""), form.get("id", "")
    if verb == "next_refund":
        return _next_refund(account, one)
    if verb == "send_again":
        return _send_again(account, one)
    if verb in {"webhook_fault", "call_fault"}:
        times = min(_MOST, max(1, asking.whole(form.get("times"), "times")))
        return _webhook_fault(account, one, times) if verb == "webhook_fault" else _call_fault(account, one, times)
    if verb not in _VERBS:
        raise Refusal("onbekend.")
    do, said = _VERBS[verb]
    do(account, one)
    return said


def _next_refund(account: Account, outcome: str) -> str:
    account.faults.refunds.clear()
    account.faults.refunds.extend(one for one in REFUND_OUTCOMES if one == outcome != "succeeded")
    return "De volgende terugbetaling is ingesteld."


def _send_again(account: Account, event_id: str) -> str:
    account.get("event", event_id)
    deliveries.add(account.store, event_id, due_at=time.time())
    return "Het bericht gaat nog een keer op weg."


def _webhook_fault(account: Account, name: str, times: int) -> str:
    if name not in {"drop", "duplicate", "delay", "reorder"}:
        raise Refusal("onbekend.")
    setattr(account.faults, name, times)
    return "Zo gaan de volgende berichten."


def _call_fault(account: Account, name: str, times: int) -> str:
    kind, _, done = name.partition(" ")
    for one in CALL_FAULTS:
        if one == kind:
            account.faults.fail_calls(one, times=times, is_done=bool(done))
            return "Zo gaan de volgende antwoorden."
    raise Refusal("onbekend.")
