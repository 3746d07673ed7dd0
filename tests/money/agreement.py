# SPDX-License-Identifier: EUPL-1.2
"""Three sides that know nothing of one another tell the same: the provider, the givers with their banks, and ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from tests.money.table import Gift
from tests.money.world import World
from tests.stand_in import StandIn

_BALANCES = text("SELECT account, sum(amount_cents)::bigint FROM ledger_postings GROUP BY account")
_FEES = text("""
    SELECT -sum(p.amount_cents)::bigint FROM ledger_postings p JOIN ledger_transactions t ON t.id = p.transaction_id
    WHERE t.kind = 'provider_fee' AND p.account = 'fees'
""")
# What the provider lost by our books for each thing of its own; a payment is known by its charge.
_THINGS = text("""
    SELECT split_part(t.external_id, '#', 1) AS thing, -sum(p.amount_cents)::bigint AS cents
    FROM ledger_postings p JOIN ledger_transactions t ON t.id = p.transaction_id
    WHERE p.account = 'provider' AND t.kind <> 'provider_fee' AND t.external_id IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT y.charge_id, -sum(p.amount_cents)::bigint
    FROM ledger_postings p JOIN ledger_transactions t ON t.id = p.transaction_id
    JOIN payments y ON y.donation_id = t.donation_id
    WHERE p.account = 'provider' AND t.kind IN ('payment_received', 'payment_late') GROUP BY 1
""")
_PAYMENTS = text("""
    SELECT y.id, y.checkout_id, y.state, y.amount_cents, y.returned_cents, y.disputed_cents, y.is_borne,
           d.state AS gift_state, d.initiative_id, i.state AS initiative_state,
           EXISTS (SELECT FROM payouts o WHERE o.initiative_id = i.id AND o.state IN ('exported', 'paid')) AS at_bank,
           (SELECT COALESCE(-sum(p.amount_cents), 0)::bigint
            FROM ledger_transactions t
            JOIN ledger_postings p ON p.transaction_id = t.id AND p.account IN ('suspense', 'fees')
            WHERE t.kind IN ('unexplained', 'explained') AND t.donation_id IS NULL
              AND split_part(t.external_id, '#', 1)
                  IN (SELECT split_part(external_id, '#', 1) FROM finance_tasks WHERE payment_id = y.id)) AS aside_cents
    FROM payments y JOIN donations d ON d.id = y.donation_id JOIN initiatives i ON i.id = d.initiative_id
""")
_PAID_OUT = text("SELECT sum(amount_cents)::bigint FROM payouts WHERE state = 'paid'")
_FAILED = {"expired", "stopped", "withdrawn"}
_GIVEN_BACK = {"refunded", "refund_pending", "refund_failed"}


def provider_agrees(world: World, stand_in: StandIn) -> None:
    """It holds what we say, it took the fees that we say, and of each thing it says the same sum."""
    lines = stand_in.store.listed("balance_transaction")
    theirs: Counter[str] = Counter()
    for line in lines:
        theirs[line["source"]] += line["amount"]
    ours = Counter({row.thing: row.cents for row in world.connection.execute(_THINGS)})
    differing = {one: (ours[one], theirs[one]) for one in set(ours) | set(theirs) if ours[one] != theirs[one]}
    assert differing == {}, differing
    assert (world.connection.scalar(_FEES) or 0) == sum(line["fee"] for line in lines)
    held = -_balances(world)["provider"]
    assert held == stand_in.balance_cents(), (held, stand_in.balance_cents())


def givers_agree(world: World, stand_in: StandIn, gifts: Sequence[Gift], by_hand: dict[int, int]) -> None:
    """What each giver paid and has back, by the giver's own bank, is what we say of it."""
    rows = {row.checkout_id: row for row in world.connection.execute(_PAYMENTS)}
    back = _back(stand_in)
    for gift in gifts:
        row = rows.get(gift.checkout_id) if gift.checkout_id else None
        if row is None:
            assert gift.paid_cents == 0
            continue
        assert (row.state not in {"created", "failed", "expired"}) == (gift.paid_cents > 0), row
        if not gift.paid_cents:
            assert row.returned_cents == 0
            continue
        assert row.amount_cents == gift.paid_cents
        has_back = back[stand_in.intent_of(gift.checkout_id or "")] + by_hand.get(row.id, 0)
        assert row.returned_cents + row.disputed_cents + row.aside_cents == has_back, (row, has_back)
        if not gift.is_touched:
            _check_untouched(row, has_back)


def _check_untouched(row: Any, has_back: int) -> None:
    """Nobody but the platform touched this gift: it counts whole, or it goes back whole."""
    assert has_back in {0, row.amount_cents}, row
    assert not row.is_borne, row
    counts = row.gift_state == "confirmed"
    assert counts == (row.state == "paid"), row
    if counts:
        assert has_back == 0, row
        assert row.initiative_state not in _FAILED or row.at_bank, row
    else:
        assert row.state in _GIVEN_BACK, row
        assert has_back == (0 if row.state == "refund_failed" else row.amount_cents), row


def bank_agrees(world: World, stand_in: StandIn, by_hand: dict[int, int], unspent_cents: int) -> None:
    """Our bank account gained what the provider sent and what was not spent, and lost payouts and what went by hand."""
    sent = sum(one["amount"] for one in stand_in.store.listed("payout") if one["status"] != "failed")
    paid = world.connection.scalar(_PAID_OUT)
    expected = sent + unspent_cents - sum(by_hand.values()) - (paid or 0)
    assert -_balances(world)["bank"] == expected, (_balances(world), sent, paid, expected)


def _back(stand_in: StandIn) -> Counter[str]:
    """What givers have back through the provider, by payment: refunds that did not fail, claims that were not won."""
    back: Counter[str] = Counter()
    for one in stand_in.store.listed("refund"):
        back[one["payment_intent"]] += one["amount"] if one["status"] != "failed" else 0
    for one in stand_in.store.listed("dispute"):
        is_taken = one["status"] in {"needs_response", "lost"}
        back[one["payment_intent"]] += one["amount"] if is_taken else 0
    return back


def _balances(world: World) -> Counter[str]:
    return Counter({row.account: row.sum for row in world.connection.execute(_BALANCES)})
