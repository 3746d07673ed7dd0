# SPDX-License-Identifier: EUPL-1.2
"""What comes to the webhook is read only when our own account at Stripe signed it, a moment ago, in our mode."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from abs_platform import clock
from abs_platform.payments.port import (
    BankTransfer,
    Checkout,
    CheckoutStatus,
    Dispute,
    DisputeStatus,
    EventForged,
    ProviderEventData,
    Refund,
    RefundStatus,
)
from abs_platform.payments.stripe_adapter import StripePayments
from abs_platform.payments.stripe_reading import EVENT_TYPES
from tests.stand_in import StandIn
from tests.stripe.asking import REFERENCE, begin, paid

SESSION = {"id": "cs_test_1", "object": "checkout.session", "created": 1_790_000_000, "status": "complete"}


def read(stand_in: StandIn, payload: bytes, signature: str, now: dt.datetime | None = None) -> ProviderEventData:
    return stand_in.provider.read_event(payload, signature, now=now or clock.now())


def told(stand_in: StandIn) -> list[ProviderEventData]:
    return [read(stand_in, *delivery) for delivery in stand_in.deliveries()]


def test_a_payment_is_told_with_its_reference_and_once(stand_in: StandIn) -> None:
    made = begin(stand_in)
    assert told(stand_in) == []
    stand_in.pay(made.id)

    [event] = told(stand_in)

    assert event.type == "checkout.session.completed"
    assert isinstance(event.subject, Checkout)
    assert (event.subject.id, event.subject.is_paid, event.subject.reference) == (made.id, True, REFERENCE)
    assert event.subject.intent_id == stand_in.intent_of(made.id)
    assert told(stand_in) == []


def test_late_failed_and_expired_payments_are_told(stand_in: StandIn) -> None:
    late, failed, expired = (begin(stand_in, f"gift-{number}") for number in range(3))
    stand_in.pay_later(late.id)
    stand_in.pay_later(failed.id)
    stand_in.settle_later(late.id)
    stand_in.fail(failed.id)
    stand_in.expire(expired.id)

    events = told(stand_in)

    found = [(event.type.removeprefix("checkout.session."), event.subject) for event in events]
    assert [
        (kind, one.id, one.is_paid, one.has_failed, one.status) for kind, one in found if isinstance(one, Checkout)
    ] == [
        ("completed", late.id, False, False, CheckoutStatus.COMPLETE),
        ("completed", failed.id, False, False, CheckoutStatus.COMPLETE),
        ("async_payment_succeeded", late.id, True, False, CheckoutStatus.COMPLETE),
        ("async_payment_failed", failed.id, False, True, CheckoutStatus.COMPLETE),
        ("expired", expired.id, False, False, CheckoutStatus.EXPIRED),
    ]


def test_refunds_disputes_and_transfers_are_told(stand_in: StandIn) -> None:
    first, second = (str(paid(stand_in, f"gift-{number}", method="card").intent_id) for number in range(2))
    stand_in.deliveries()
    refund = stand_in.provider.refund(first, 2_500, reference=REFERENCE, idempotency_key="refund-1")
    stand_in.fail_refund(refund.id)
    dispute = stand_in.dispute(second)
    stand_in.close_dispute(dispute["id"], won=False)
    transfer = stand_in.transfer(100)
    stand_in.fail_transfer(transfer["id"])

    events = told(stand_in)

    def states(kind: type) -> list[Any]:
        return [getattr(event.subject, "status", None) for event in events if isinstance(event.subject, kind)]

    pending, succeeded, failed = RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.FAILED
    assert states(Refund) == [pending, succeeded, failed, failed]
    assert states(Dispute) == [DisputeStatus.OPEN, DisputeStatus.LOST]
    assert states(BankTransfer) == ["paid", "failed"]
    assert len(events) == 8


def test_an_inquiry_does_nothing_until_the_bank_claims(stand_in: StandIn) -> None:
    asked = stand_in.dispute(str(paid(stand_in).intent_id), is_inquiry=True)
    stand_in.account.escalate_dispute(asked["id"])

    subjects = {event.type: event.subject for event in told(stand_in)}

    assert subjects["charge.dispute.created"] is None
    assert getattr(subjects["charge.dispute.updated"], "status", None) is DisputeStatus.OPEN


def test_things_of_others_in_our_account_have_no_reference(stand_in: StandIn) -> None:
    odd: list[dict[str, Any]] = [
        {},
        {"metadata": None},
        {"metadata": {"platform": "shop", "reference": "1"}},
        {"metadata": {"reference": "1"}},
        {"metadata": {"platform": "abs"}, "mode": "setup", "amount_total": None, "currency": None},
    ]
    for changes in odd:
        subject = read(stand_in, *stand_in.event("checkout.session.completed", SESSION | changes)).subject
        assert isinstance(subject, Checkout)
        assert (subject.reference, subject.is_paid) == (None, False)
    by_hand = stand_in.refund_by_hand(str(paid(stand_in).intent_id))
    found = [one.subject for one in told(stand_in) if isinstance(one.subject, Refund)]
    assert {(one.id, one.reference) for one in found} == {(by_hand["id"], None)}


def test_an_unknown_type_does_nothing(stand_in: StandIn) -> None:
    event = read(stand_in, *stand_in.event("customer.created", {"id": "cus_1"}))

    assert (event.type, event.subject) == ("customer.created", None)
    assert "customer.created" not in EVENT_TYPES


def forged(stand_in: StandIn, payload: bytes, signature: str, now: dt.datetime | None = None) -> str | None:
    with pytest.raises(EventForged) as refused:
        read(stand_in, payload, signature, now)
    return refused.value.staff_reason


@pytest.mark.parametrize(
    "signature", ["", "t=1", "v1=abc", "t=x,v1=abc", "t=1,v1=é", "t=,v1=", ",", "t=1,v1=" + "0" * 64, "t=1,v0=abc"]
)
def test_what_is_not_signed_is_forged(stand_in: StandIn, signature: str) -> None:
    payload, _good = stand_in.event("payout.paid", {"id": "po_1"})

    assert forged(stand_in, payload, signature) == "signature"


def test_a_changed_body_another_secret_and_no_text_are_forged(stand_in: StandIn) -> None:
    payload, signature = stand_in.event("checkout.session.completed", SESSION)
    other = StripePayments(replace(stand_in.settings, webhook_secret="whsec_of_another"))

    assert forged(stand_in, payload.replace(b"cs_test_1", b"cs_test_2"), signature) == "signature"
    assert forged(stand_in, payload + b" ", signature) == "signature"
    assert forged(stand_in, b"\xff\xfe", signature) == "signature"
    with pytest.raises(EventForged):
        other.read_event(payload, signature, now=clock.now())


@pytest.mark.parametrize(("seconds", "is_read"), [(0, True), (299, True), (302, False), (-298, True), (-302, False)])
def test_an_old_signature_counts_no_more_and_one_of_tomorrow_not_yet(
    stand_in: StandIn, seconds: int, is_read: bool
) -> None:
    now = dt.datetime(2031, 3, 1, 12, tzinfo=dt.UTC)
    stand_in.at(now)
    payload, signature = stand_in.event("checkout.session.completed", SESSION)
    later = now + dt.timedelta(seconds=seconds)

    if is_read:
        assert read(stand_in, payload, signature, later).id == "evt_of_a_test"
    else:
        assert forged(stand_in, payload, signature, later) == "timestamp"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"livemode": True}, "livemode"),
        ({"livemode": None}, "livemode"),
        ({"livemode": "false"}, "livemode"),
        ({"account": "acct_of_another"}, "account"),
        ({"object": "v2.core.event"}, "not an event"),
        ({"created": "today"}, "unreadable"),
        ({"created": 10**20}, "unreadable"),
        ({"id": ""}, "unreadable"),
        ({"id": None}, "unreadable"),
        ({"data": None}, "unreadable"),
        ({"data": {"object": []}}, "unreadable"),
        ({"data": {"object": {"id": "cs_1", "created": 1, "status": "strange"}}}, "unreadable"),
        ({"data": {"object": {"id": "cs_1", "created": 1, "amount_total": "12"}}}, "unreadable"),
    ],
)
def test_a_well_signed_event_of_others_or_without_sense_is_refused(
    stand_in: StandIn, changes: dict[str, Any], reason: str
) -> None:
    payload, signature = stand_in.event("checkout.session.completed", SESSION, **changes)

    assert forged(stand_in, payload, signature) == reason


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"3", b"{", b"[" * 100_000])
def test_a_well_signed_body_that_is_no_event_is_refused(stand_in: StandIn, payload: bytes) -> None:
    assert forged(stand_in, payload, stand_in.sign(payload)) == "unreadable"


def test_a_live_account_reads_live_events_only(stand_in: StandIn) -> None:
    live = StripePayments(replace(stand_in.settings, api_key="sk_live_x"))
    test_payload, test_signature = stand_in.event("checkout.session.completed", SESSION)
    payload, signature = stand_in.event("checkout.session.completed", SESSION, livemode=True)

    assert live.read_event(payload, signature, now=clock.now()).id == "evt_of_a_test"
    with pytest.raises(EventForged):
        live.read_event(test_payload, test_signature, now=clock.now())


def test_an_expanded_object_of_another_version_is_read_too(stand_in: StandIn) -> None:
    charge = {"id": "ch_1", "payment_method_details": {"type": "card"}}
    changes = {"payment_intent": {"id": "pi_1", "latest_charge": charge}, "payment_status": "paid", "new_field": 1}
    subject = read(stand_in, *stand_in.event("checkout.session.completed", SESSION | changes)).subject

    assert isinstance(subject, Checkout)
    assert (subject.intent_id, subject.charge_id, subject.method, subject.is_paid) == ("pi_1", "ch_1", "card", True)


def test_an_event_is_sent_as_json_that_others_can_read(stand_in: StandIn) -> None:
    stand_in.pay(begin(stand_in).id)

    [(payload, signature)] = stand_in.deliveries()

    assert json.loads(payload)["data"]["object"]["metadata"]["reference"] == REFERENCE
    assert signature.startswith("t=")
