# SPDX-License-Identifier: EUPL-1.2
"""The payment port: what we ask of whoever takes payments, in our own words. Stripe is the one adapter.

All amounts are integer euro cents, all moments aware UTC. Nothing here is called inside a database transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from abs_platform.errors import AbsError, ProviderUnavailable

__all__ = [
    "BankTransfer",
    "Checkout",
    "CheckoutRequest",
    "CheckoutStatus",
    "Dispute",
    "DisputeStatus",
    "Entry",
    "EventForged",
    "PaymentProvider",
    "ProviderEventData",
    "ProviderRefused",
    "ProviderUnavailable",
    "Refund",
    "RefundStatus",
]


class ProviderRefused(AbsError):
    """The provider said no, and will say so again: ``code`` is its word for why (as ``charge_already_refunded``)."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message, staff_reason=code)
        self.code = code


class EventForged(AbsError):
    """What was sent to the webhook was not signed by our provider, or too long ago, or of another account or mode."""

    status = 400  # type: ignore[assignment]


class CheckoutStatus(StrEnum):
    """What became of a checkout. COMPLETE without ``is_paid``: the bank has not answered yet."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class RefundStatus(StrEnum):
    """Later ones win: a refund may fail days after it succeeded."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class DisputeStatus(StrEnum):
    """Whether a bank's claim is decided."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutRequest:
    """What a giver is about to pay. ``reference`` is the donation's; it comes back in all that the provider tells.

    ``language`` is that of the page where to pay.
    """

    reference: str
    amount_cents: int
    description: str
    success_url: str
    cancel_url: str
    expires_at: dt.datetime
    email: str | None = None
    language: str = "nl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A checkout at the provider. ``url`` leads to the page to pay while it is open.

    ``has_failed``: the bank answered no after the checkout was complete. ``reference`` is None when it is not ours.
    """

    id: str
    status: CheckoutStatus
    is_paid: bool
    amount_cents: int
    currency: str
    reference: str | None
    url: str | None = None
    intent_id: str | None = None
    charge_id: str | None = None
    method: str = ""
    has_failed: bool = False
    created_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money on its way back. ``reference`` is that of the donation, where the provider tells it."""

    id: str
    status: RefundStatus
    amount_cents: int
    intent_id: str | None
    charge_id: str | None
    reference: str | None
    failure: str = ""
    created_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A bank claims a payment back. ``amount_cents`` was taken from our balance when it was opened."""

    id: str
    status: DisputeStatus
    amount_cents: int
    intent_id: str | None
    charge_id: str | None
    created_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BankTransfer:
    """What the provider paid to our own bank account."""

    id: str
    status: str
    amount_cents: int
    created_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the provider's books.

    ``type`` in its own words: charge, payment, refund, payment_refund, refund_failure, payment_failure_refund,
    adjustment, payout, stripe_fee, ...
    ``amount_cents`` is what our balance there gains (+) or loses (-) before ``fee_cents``. ``source_id`` is the charge,
    refund, dispute or bank transfer it is about.
    """

    id: str
    type: str
    amount_cents: int
    fee_cents: int
    currency: str
    source_id: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEventData:
    """An event whose signature was checked. ``subject`` is None for a type that does nothing here."""

    id: str
    type: str
    created_at: dt.datetime
    subject: Checkout | Refund | Dispute | BankTransfer | None


class PaymentProvider(Protocol):
    """Whoever takes payments.

    Every method that asks something of the network raises ProviderUnavailable when trying again later may help
    (no answer, too many requests, an error of theirs) and ProviderRefused when it will not.
    """

    def create_checkout(self, request: CheckoutRequest, *, idempotency_key: str) -> Checkout:
        """Begin a checkout; the same key gives the same one."""

    def get_checkout(self, checkout_id: str) -> Checkout:
        """What became of a checkout, with its payment where there is one."""

    def expire_checkout(self, checkout_id: str) -> Checkout:
        """Let a checkout be paid no more. Raises: ProviderRefused when it is open no longer."""

    def refund(self, intent_id: str, amount_cents: int, *, reference: str, idempotency_key: str) -> Refund:
        """Give a payment back; the same key gives the same refund."""

    def get_refund(self, refund_id: str) -> Refund:
        """What became of a refund."""

    def checkouts_since(self, since: dt.datetime) -> Iterator[Checkout]:
        """All checkouts made since then, ours or not."""

    def refunds_since(self, since: dt.datetime) -> Iterator[Refund]:
        """All refunds made since then."""

    def disputes_since(self, since: dt.datetime) -> Iterator[Dispute]:
        """All disputes opened since then."""

    def bank_transfers_since(self, since: dt.datetime) -> Iterator[BankTransfer]:
        """All transfers to our bank account made since then."""

    def entries_since(self, since: dt.datetime) -> Iterator[Entry]:
        """All lines of its books since then."""

    def balance_cents(self) -> int:
        """What it holds for us now, available and pending together, in euros."""

    def read_event(self, payload: bytes, signature: str, *, now: dt.datetime) -> ProviderEventData:
        """Check and read what was sent to the webhook. Needs no network. Raises: EventForged."""
