# SPDX-License-Identifier: EUPL-1.2
"""What Stripe tells, in the words of our payment port; its versions differ in shape, so only what we need is read."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

import stripe

from abs_platform.payments.port import (
    BankTransfer,
    Checkout,
    CheckoutStatus,
    Dispute,
    DisputeStatus,
    Entry,
    EventForged,
    ProviderEventData,
    Refund,
    RefundStatus,
)

PLATFORM = "abs"
TOLERANCE_SECONDS = 300
Thing = Mapping[str, Any]
Subject = Checkout | Refund | Dispute | BankTransfer
# A bank that only asks takes nothing from our balance; when it claims after all, an update says needs_response.
_WITHOUT_MONEY = {"warning_needs_response", "warning_under_review", "warning_closed", "prevented"}
_REFUND_STATES = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
_DISPUTE_STATES = {"won": DisputeStatus.WON, "lost": DisputeStatus.LOST}
_NO_ANSWER_ANY_MORE = {"requires_payment_method", "canceled"}


def moment(seconds: Any) -> dt.datetime:
    """Stripe's seconds as aware UTC. Raises: ValueError."""
    if not isinstance(seconds, int):
        raise ValueError("not a moment")  # noqa: TRY004 - one error for all that cannot be read
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("not a moment") from error


def id_of(thing: Any) -> str | None:
    """The id of what was given as an id or expanded."""
    found = thing.get("id") if isinstance(thing, Mapping) else thing
    return found if isinstance(found, str) and found else None


def our_reference(thing: Thing) -> str | None:
    """The donation that a thing is about, or None when it was not made by this platform."""
    metadata = thing.get("metadata") or {}
    reference = metadata.get("reference") if metadata.get("platform") == PLATFORM else None
    return reference if isinstance(reference, str) and reference else None


def _required_id(thing: Thing) -> str:
    found = id_of(thing)
    if found is None:
        raise ValueError("no id")
    return found


def _opened(thing: Any) -> Thing:
    return thing if isinstance(thing, Mapping) else {}


def _cents(thing: Thing, name: str) -> int:
    value = thing.get(name) or 0
    if not isinstance(value, int):
        raise ValueError(f"{name} is not an amount")  # noqa: TRY004 - one error for all that cannot be read
    return value


def read_checkout(thing: Thing, *, has_failed: bool = False) -> Checkout:
    """A checkout session, with its payment where that was expanded. Raises: ValueError."""
    status = CheckoutStatus(thing.get("status") or CheckoutStatus.OPEN)
    is_paid = thing.get("payment_status") == "paid"
    intent = _opened(thing.get("payment_intent"))
    charge = _opened(intent.get("latest_charge"))
    is_waiting = status is CheckoutStatus.COMPLETE and not is_paid
    return Checkout(
        id=_required_id(thing),
        status=status,
        is_paid=is_paid,
        amount_cents=_cents(thing, "amount_total"),
        currency=str(thing.get("currency") or ""),
        reference=our_reference(thing),
        url=thing.get("url") or None,
        intent_id=id_of(thing.get("payment_intent")),
        charge_id=id_of(intent.get("latest_charge")),
        method=str((charge.get("payment_method_details") or {}).get("type") or ""),
        has_failed=is_waiting and (has_failed or intent.get("status") in _NO_ANSWER_ANY_MORE),
        created_at=moment(thing.get("created")),
    )


def read_refund(thing: Thing) -> Refund:
    """A refund. Raises: ValueError."""
    return Refund(
        id=_required_id(thing),
        status=_REFUND_STATES.get(str(thing.get("status")), RefundStatus.PENDING),
        amount_cents=_cents(thing, "amount"),
        intent_id=id_of(thing.get("payment_intent")),
        charge_id=id_of(thing.get("charge")),
        reference=our_reference(thing),
        failure=str(thing.get("failure_reason") or ""),
        created_at=moment(thing.get("created")),
    )


def read_dispute(thing: Thing) -> Dispute | None:
    """A bank's claim, or None while it only asks. Raises: ValueError."""
    status = str(thing.get("status"))
    if status in _WITHOUT_MONEY:
        return None
    return Dispute(
        id=_required_id(thing),
        status=_DISPUTE_STATES.get(status, DisputeStatus.OPEN),
        amount_cents=_cents(thing, "amount"),
        intent_id=id_of(thing.get("payment_intent")),
        charge_id=id_of(thing.get("charge")),
        created_at=moment(thing.get("created")),
    )


def read_bank_transfer(thing: Thing) -> BankTransfer:
    """What Stripe calls a payout. Raises: ValueError."""
    return BankTransfer(
        id=_required_id(thing),
        status=str(thing.get("status") or ""),
        amount_cents=_cents(thing, "amount"),
        created_at=moment(thing.get("created")),
    )


def read_entry(thing: Thing) -> Entry:
    """What Stripe calls a balance transaction. Raises: ValueError."""
    return Entry(
        id=_required_id(thing),
        type=str(thing.get("type") or ""),
        amount_cents=_cents(thing, "amount"),
        fee_cents=_cents(thing, "fee"),
        currency=str(thing.get("currency") or ""),
        source_id=id_of(thing.get("source")) or "",
        created_at=moment(thing.get("created")),
    )


def _read_failed_checkout(thing: Thing) -> Checkout:
    return read_checkout(thing, has_failed=True)


_SUBJECTS: dict[str, Callable[[Thing], Subject | None]] = {
    "checkout.session.completed": read_checkout,
    "checkout.session.async_payment_succeeded": read_checkout,
    "checkout.session.async_payment_failed": _read_failed_checkout,
    "checkout.session.expired": read_checkout,
    "refund.created": read_refund,
    "refund.updated": read_refund,
    "refund.failed": read_refund,
    "charge.refund.updated": read_refund,
    "charge.dispute.created": read_dispute,
    "charge.dispute.updated": read_dispute,
    "charge.dispute.closed": read_dispute,
    "payout.paid": read_bank_transfer,
    "payout.failed": read_bank_transfer,
}
EVENT_TYPES = frozenset(_SUBJECTS)


def read_event(payload: bytes, signature: str, *, secret: str, is_live: bool, now: dt.datetime) -> ProviderEventData:
    """Check the signature of an event, then whether it is of our account and mode, and read it. Raises: EventForged."""
    _check_signature(payload, signature, secret, now)
    try:
        event = json.loads(payload)
        _refuse_others(event, is_live=is_live)
        kind = str(event["type"])
        read = _SUBJECTS.get(kind)
        subject = read(event["data"]["object"]) if read else None
        return ProviderEventData(
            id=_required_id(event), type=kind, created_at=moment(event.get("created")), subject=subject
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EventForged("unreadable event", staff_reason="unreadable") from error


def _check_signature(payload: bytes, signature: str, secret: str, now: dt.datetime) -> None:
    """The library compares with its own clock; ours is an argument, and it looks both ways."""
    try:
        stripe.WebhookSignature.verify_header(payload, signature, secret, None)
        stamps = [part.removeprefix("t=") for part in signature.split(",") if part.startswith("t=")]
        age = now.timestamp() - int(stamps[0])
    except (stripe.SignatureVerificationError, ValueError, TypeError, IndexError) as error:
        raise EventForged("unsigned event", staff_reason="signature") from error
    if abs(age) > TOLERANCE_SECONDS:
        raise EventForged("stale event", staff_reason="timestamp")


def _refuse_others(event: Thing, *, is_live: bool) -> None:
    if event.get("object") != "event":
        raise EventForged("not an event", staff_reason="not an event")
    if event.get("account"):
        raise EventForged("event of another account", staff_reason="account")
    if event.get("livemode") is not is_live:
        raise EventForged("event of another mode", staff_reason="livemode")
