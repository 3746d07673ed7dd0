# SPDX-License-Identifier: EUPL-1.2
"""The adapter asks Stripe what the port promises, and says Stripe's errors in the words of the port."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import stripe

from abs_platform import clock
from abs_platform.payment_settings import PaymentSettings
from abs_platform.payments.port import (
    CheckoutStatus,
    DisputeStatus,
    PaymentProvider,
    ProviderRefused,
    ProviderUnavailable,
    RefundStatus,
)
from abs_platform.payments.stripe_adapter import StripePayments, make_provider
from tests.stand_in import InProcess, StandIn
from tests.stripe.asking import REFERENCE, begin, long_ago, paid


def test_without_an_account_there_is_no_provider(stand_in: StandIn) -> None:
    made: PaymentProvider | None = make_provider(stand_in.settings)

    assert make_provider(None) is None
    assert isinstance(made, StripePayments)


def test_a_checkout_is_open_and_carries_our_mark_wherever_stripe_shows_it(stand_in: StandIn) -> None:
    made = begin(stand_in)

    assert (made.status, made.is_paid, made.amount_cents, made.currency) == (CheckoutStatus.OPEN, False, 2_500, "eur")
    assert made.reference == REFERENCE
    assert made.url == f"{stand_in.settings.api_url}/pay/{made.id}"
    stand_in.pay(made.id)
    session = stand_in.account.get("session", made.id)
    intent = stand_in.account.get("payment_intent", session["payment_intent"])
    mark = {"platform": "abs", "reference": REFERENCE}
    assert session["metadata"] == intent["metadata"] == mark
    assert session["client_reference_id"] == REFERENCE
    assert session["customer_email"] == "gever@example.nl"
    assert session["payment_method_types"] == ["ideal", "card"]
    assert session["locale"] == "nl"


def test_the_same_key_begins_the_same_checkout_and_another_gift_may_not_use_it(stand_in: StandIn) -> None:
    first = begin(stand_in)
    now = clock.now() + dt.timedelta(minutes=45)

    assert begin(stand_in) == first
    with pytest.raises(ProviderRefused) as refused:
        begin(stand_in, cents=2_600)
    with pytest.raises(ProviderRefused):
        begin(stand_in, expires_at=now)
    assert refused.value.code == "idempotency_error"
    assert len(list(stand_in.provider.checkouts_since(long_ago()))) == 1


@pytest.mark.parametrize(("method", "fee", "kind"), [("ideal", 29, "payment"), ("card", 63, "charge")])
def test_a_paid_checkout_tells_its_payment_and_its_line_in_the_books(
    stand_in: StandIn, method: str, fee: int, kind: str
) -> None:
    found = paid(stand_in, method=method)

    assert (found.status, found.is_paid, found.method) == (CheckoutStatus.COMPLETE, True, method)
    assert found.intent_id == stand_in.intent_of(found.id)
    [entry] = stand_in.provider.entries_since(long_ago())
    assert (entry.type, entry.amount_cents, entry.fee_cents, entry.currency) == (kind, 2_500, fee, "eur")
    assert entry.source_id == found.charge_id
    assert stand_in.provider.balance_cents() == stand_in.balance_cents() == 2_500 - fee


def test_a_bank_that_says_no_leaves_the_checkout_open_and_a_late_no_is_told(stand_in: StandIn) -> None:
    at_once, late = begin(stand_in, "gift-1"), begin(stand_in, "gift-2")
    stand_in.fail(at_once.id)
    stand_in.pay_later(late.id)
    waiting = stand_in.provider.get_checkout(late.id)
    stand_in.fail(late.id)

    told = stand_in.provider.get_checkout(late.id)

    assert stand_in.provider.get_checkout(at_once.id).status is CheckoutStatus.OPEN
    assert not stand_in.provider.get_checkout(at_once.id).has_failed
    assert (waiting.status, waiting.is_paid, waiting.has_failed) == (CheckoutStatus.COMPLETE, False, False)
    assert (told.status, told.is_paid, told.has_failed) == (CheckoutStatus.COMPLETE, False, True)
    stand_in.pay(at_once.id)
    assert stand_in.provider.get_checkout(at_once.id).is_paid


def test_a_checkout_can_be_expired_once_and_not_when_it_was_paid(stand_in: StandIn) -> None:
    unpaid, was_paid = begin(stand_in, "gift-1"), paid(stand_in, "gift-2")

    assert stand_in.provider.expire_checkout(unpaid.id).status is CheckoutStatus.EXPIRED
    for one in (unpaid, was_paid):
        with pytest.raises(ProviderRefused):
            stand_in.provider.expire_checkout(one.id)


def test_a_refund_is_made_once_and_never_for_more_than_was_paid(stand_in: StandIn) -> None:
    intent_id = paid(stand_in).intent_id
    provider = stand_in.provider
    assert intent_id is not None

    made = provider.refund(intent_id, 1_000, reference=REFERENCE, idempotency_key="refund-1")
    again = provider.refund(intent_id, 1_000, reference=REFERENCE, idempotency_key="refund-1")

    assert made == again == provider.get_refund(made.id)
    assert (made.status, made.amount_cents, made.reference) == (RefundStatus.SUCCEEDED, 1_000, REFERENCE)
    with pytest.raises(ProviderRefused) as too_much:
        provider.refund(intent_id, 1_501, reference=REFERENCE, idempotency_key="refund-2")
    provider.refund(intent_id, 1_500, reference=REFERENCE, idempotency_key="refund-3")
    with pytest.raises(ProviderRefused) as nothing_left:
        provider.refund(intent_id, 1, reference=REFERENCE, idempotency_key="refund-4")
    assert (too_much.value.code, nothing_left.value.code) == ("amount_too_large", "charge_already_refunded")
    assert [refund.amount_cents for refund in provider.refunds_since(long_ago())] == [1_500, 1_000]
    assert provider.balance_cents() == -29


def test_a_refund_may_wait_fail_at_once_be_refused_and_fail_after_it_succeeded(stand_in: StandIn) -> None:
    def refund(number: int) -> Any:
        intent_id = paid(stand_in, f"gift-{number}").intent_id
        return stand_in.provider.refund(
            str(intent_id), 2_500, reference=REFERENCE, idempotency_key=f"refund-gift-{number}"
        )

    stand_in.hold_next_refund()
    waiting = refund(1)
    stand_in.fail_next_refund()
    failed = refund(2)
    stand_in.refuse_next_refund()
    with pytest.raises(ProviderRefused) as refused:
        refund(3)
    came_back = refund(4)
    before = stand_in.balance_cents()
    stand_in.fail_refund(came_back.id)

    assert waiting.status is RefundStatus.PENDING
    stand_in.settle_refund(waiting.id)
    assert stand_in.provider.get_refund(waiting.id).status is RefundStatus.SUCCEEDED
    assert (failed.status, failed.failure) == (RefundStatus.FAILED, "declined")
    assert refused.value.code == "charge_not_refundable"
    assert stand_in.provider.get_refund(came_back.id).status is RefundStatus.FAILED
    assert stand_in.balance_cents() == before + 2_500


def test_what_was_not_paid_or_is_disputed_cannot_be_refunded(stand_in: StandIn) -> None:
    refused_by_bank = begin(stand_in, "gift-1")
    stand_in.fail(refused_by_bank.id)
    unpaid, disputed = stand_in.intent_of(refused_by_bank.id), paid(stand_in, "gift-2").intent_id
    stand_in.dispute(str(disputed))

    codes = []
    for intent_id in (unpaid, str(disputed), "pi_of_nobody"):
        with pytest.raises(ProviderRefused) as refused:
            stand_in.provider.refund(intent_id, 2_500, reference=REFERENCE, idempotency_key=f"refund-{intent_id}")
        codes.append(refused.value.code)

    assert codes == ["payment_intent_unexpected_state", "charge_disputed", "resource_missing"]


def test_a_dispute_takes_the_money_until_it_is_won_and_an_inquiry_is_none(stand_in: StandIn) -> None:
    first, second, asked = (str(paid(stand_in, f"gift-{number}", method="card").intent_id) for number in range(3))
    held = stand_in.balance_cents()
    won, lost = stand_in.dispute(first), stand_in.dispute(second)
    inquiry = stand_in.dispute(asked, is_inquiry=True)
    taken = stand_in.balance_cents()
    stand_in.close_dispute(won["id"], won=True)
    stand_in.close_dispute(lost["id"], won=False)

    found = {dispute.id: dispute for dispute in stand_in.provider.disputes_since(long_ago())}

    assert taken == held - 2 * (2_500 + 2_000)
    assert stand_in.balance_cents() == taken + 2_500
    assert {one.id: one.status for one in found.values()} == {
        won["id"]: DisputeStatus.WON,
        lost["id"]: DisputeStatus.LOST,
    }
    assert found[won["id"]].intent_id == first
    assert inquiry["id"] not in found


def test_a_transfer_to_the_bank_empties_the_balance(stand_in: StandIn) -> None:
    paid(stand_in)

    made = stand_in.transfer(2_000)

    [found] = stand_in.provider.bank_transfers_since(long_ago())
    assert (found.id, found.status, found.amount_cents) == (made["id"], "paid", 2_000)
    assert stand_in.provider.balance_cents() == 2_500 - 29 - 2_000
    [entry] = [one for one in stand_in.provider.entries_since(long_ago()) if one.type == "payout"]
    assert (entry.amount_cents, entry.fee_cents, entry.source_id) == (-2_000, 0, made["id"])


def test_a_long_list_is_read_to_its_last_page_and_begins_at_the_moment_asked(stand_in: StandIn) -> None:
    now = clock.now()
    stand_in.at(now - dt.timedelta(days=11))
    begin(stand_in, "old", expires_at=stand_in.now() + dt.timedelta(minutes=31))
    stand_in.at(None)
    made = {begin(stand_in, f"gift-{number}").id for number in range(103)}

    assert {one.id for one in stand_in.provider.checkouts_since(long_ago())} == made


@pytest.mark.parametrize("kind", ["500", "429", "timeout"])
def test_a_call_in_vain_is_told_and_the_next_one_works(stand_in: StandIn, kind: Any) -> None:
    stand_in.faults.fail_calls(kind)

    with pytest.raises(ProviderUnavailable) as told:
        begin(stand_in)

    stand_in.faults.clear()
    assert "antwoordt nu niet" in told.value.message
    assert begin(stand_in).status is CheckoutStatus.OPEN


def test_one_failure_is_overcome_by_the_library_itself(stand_in: StandIn) -> None:
    stand_in.faults.fail_calls("timeout", times=1, is_done=True)

    made = begin(stand_in)

    assert [one.id for one in stand_in.provider.checkouts_since(long_ago())] == [made.id]


def test_what_was_done_without_an_answer_is_found_again_with_the_same_key(stand_in: StandIn) -> None:
    intent_id = str(paid(stand_in).intent_id)
    stand_in.faults.fail_calls("timeout", is_done=True)
    with pytest.raises(ProviderUnavailable):
        stand_in.provider.refund(intent_id, 2_500, reference=REFERENCE, idempotency_key="refund-1")

    made = stand_in.provider.refund(intent_id, 2_500, reference=REFERENCE, idempotency_key="refund-1")

    assert [one.id for one in stand_in.provider.refunds_since(long_ago())] == [made.id]


def test_an_error_of_theirs_is_what_the_same_key_gives_for_a_day(stand_in: StandIn) -> None:
    intent_id = str(paid(stand_in).intent_id)

    def refund() -> Any:
        return stand_in.provider.refund(intent_id, 2_500, reference=REFERENCE, idempotency_key="refund-1")

    stand_in.faults.fail_calls("500", times=1, is_done=True)
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            refund()
    [made] = stand_in.provider.refunds_since(long_ago())
    stand_in.at(clock.now() + dt.timedelta(hours=25))

    with pytest.raises(ProviderRefused) as refused:
        refund()

    assert made.reference == REFERENCE
    assert refused.value.code == "charge_already_refunded"


@pytest.mark.parametrize("key", ["sk_live_no", "rk_live_no"])
def test_the_stand_in_takes_no_live_key_and_a_wrong_key_is_our_own_trouble(stand_in: StandIn, key: str) -> None:
    settings = PaymentSettings(api_key=key, webhook_secret="whsec_x", api_url=stand_in.settings.api_url)

    with pytest.raises(ProviderUnavailable) as told:
        StripePayments(settings, InProcess(stand_in.app)).balance_cents()

    assert told.value.staff_reason == "AuthenticationError"


@pytest.mark.parametrize("body", [b"not json", b"[]", b"{}", b'{"available": 3}', b'{"id": "cs_1", "created": "x"}'])
def test_an_answer_that_cannot_be_read_is_an_error_of_theirs(stand_in: StandIn, body: bytes) -> None:
    class Odd(InProcess):
        def request(self, *_asked: Any, **_more: Any) -> Any:
            return body, 200, {}

    provider = StripePayments(stand_in.settings, Odd(stand_in.app))

    for ask in (provider.balance_cents, lambda: provider.get_checkout("cs_1"), lambda: provider.get_refund("re_1")):
        with pytest.raises(ProviderUnavailable):
            ask()


def test_the_library_is_asked_the_way_its_types_say(stand_in: StandIn) -> None:
    client = stripe.StripeClient(
        stand_in.settings.api_key,
        base_addresses={"api": stand_in.settings.api_url},
        http_client=InProcess(stand_in.app),
    )

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create({"mode": "payment", "payment_method_types": ["ideal"]})  # type: ignore[typeddict-unknown-key]

    assert refused.value.code == "payment_method_types_no_longer_supported"
