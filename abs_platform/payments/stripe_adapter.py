# SPDX-License-Identifier: EUPL-1.2
"""The one adapter of the payment port: gifts are paid, and paid back, at Stripe; its errors become the port's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import stripe
import structlog
from flask_babel import gettext as _

from abs_platform.payment_settings import PaymentSettings
from abs_platform.payments.port import (
    BankTransfer,
    Checkout,
    CheckoutRequest,
    Dispute,
    Entry,
    PaymentProvider,
    ProviderEventData,
    ProviderRefused,
    ProviderUnavailable,
    Refund,
)
from abs_platform.payments.stripe_reading import (
    PLATFORM,
    Thing,
    read_bank_transfer,
    read_checkout,
    read_dispute,
    read_entry,
    read_event,
    read_refund,
)

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

TIMEOUT_SECONDS = 10
TRIES_AGAIN = 2
PER_PAGE = 100
_WITH_CHARGE = "payment_intent.latest_charge"
# In which its page to pay can be read; for another one it looks at what the browser asks for.
_LANGUAGES = frozenset(
    {
        *("bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fil", "fr", "hr", "hu", "id", "it", "ja", "ko", "lt"),
        *("lv", "ms", "mt", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh"),
    }
)

log = structlog.get_logger()
Read = TypeVar("Read")


def make_provider(settings: PaymentSettings | None) -> PaymentProvider | None:
    """Whoever takes payments here, or None: then only vouchers are given."""
    return None if settings is None else StripePayments(settings)


class StripePayments:
    """The account at Stripe. ``http_client`` is for tests that want no network."""

    def __init__(self, settings: PaymentSettings, http_client: stripe.HTTPClient | None = None) -> None:
        self._settings = settings
        self._client = stripe.StripeClient(
            settings.api_key,
            base_addresses={"api": settings.api_url},
            max_network_retries=TRIES_AGAIN,
            http_client=http_client or stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )
        self._v1 = self._client.v1

    def create_checkout(self, request: CheckoutRequest, *, idempotency_key: str) -> Checkout:
        """Begin a checkout; the same key gives the same one."""
        mark = {"platform": PLATFORM, "reference": request.reference}
        product: Any = {"name": request.description}
        params: SessionCreateParams = {
            "mode": "payment",
            # Since 2026-09-30 the one way to name them; what is not switched on in the account is left out.
            "allowed_payment_method_types": list(self._settings.methods),
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {"currency": "eur", "unit_amount": request.amount_cents, "product_data": product},
                }
            ],
            "client_reference_id": request.reference,
            "metadata": mark,
            "payment_intent_data": {"metadata": mark, "description": request.description},
            "success_url": request.success_url,
            "cancel_url": request.cancel_url,
            "expires_at": int(request.expires_at.timestamp()),
            "locale": request.language if request.language in _LANGUAGES else "auto",
        }
        if request.email:
            params["customer_email"] = request.email
        with _in_our_words():
            made = self._v1.checkout.sessions.create(params, {"idempotency_key": idempotency_key})
            return read_checkout(_plain(made))

    def get_checkout(self, checkout_id: str) -> Checkout:
        """What became of a checkout, with its payment where there is one."""
        with _in_our_words():
            return read_checkout(_plain(self._v1.checkout.sessions.retrieve(checkout_id, {"expand": [_WITH_CHARGE]})))

    def expire_checkout(self, checkout_id: str) -> Checkout:
        """Let a checkout be paid no more. Raises: ProviderRefused when it is open no longer."""
        with _in_our_words():
            return read_checkout(_plain(self._v1.checkout.sessions.expire(checkout_id)))

    def refund(self, intent_id: str, amount_cents: int, *, reference: str, idempotency_key: str) -> Refund:
        """Give a payment back; the same key gives the same refund."""
        mark = {"platform": PLATFORM, "reference": reference}
        with _in_our_words():
            made = self._v1.refunds.create(
                {"payment_intent": intent_id, "amount": amount_cents, "metadata": mark},
                {"idempotency_key": idempotency_key},
            )
            return read_refund(_plain(made))

    def get_refund(self, refund_id: str) -> Refund:
        """What became of a refund."""
        with _in_our_words():
            return read_refund(_plain(self._v1.refunds.retrieve(refund_id)))

    def checkouts_since(self, since: dt.datetime) -> Iterator[Checkout]:
        """All checkouts made since then, ours or not."""
        params: Any = _since(since) | {"expand": [f"data.{_WITH_CHARGE}"]}
        return _all(lambda: self._v1.checkout.sessions.list(params), read_checkout)

    def refunds_since(self, since: dt.datetime) -> Iterator[Refund]:
        """All refunds made since then."""
        return _all(lambda: self._v1.refunds.list(_since(since)), read_refund)

    def disputes_since(self, since: dt.datetime) -> Iterator[Dispute]:
        """All disputes opened since then, but for those in which the bank only asks."""
        found = _all(lambda: self._v1.disputes.list(_since(since)), read_dispute)
        return (dispute for dispute in found if dispute is not None)

    def bank_transfers_since(self, since: dt.datetime) -> Iterator[BankTransfer]:
        """All transfers to our bank account made since then."""
        return _all(lambda: self._v1.payouts.list(_since(since)), read_bank_transfer)

    def entries_since(self, since: dt.datetime) -> Iterator[Entry]:
        """All lines of its books since then."""
        return _all(lambda: self._v1.balance_transactions.list(_since(since)), read_entry)

    def balance_cents(self) -> int:
        """What it holds for us now, available and pending together, in euros."""
        with _in_our_words():
            balance = _plain(self._v1.balance.retrieve())
            parts = [*balance["available"], *balance["pending"]]
            return sum(part["amount"] for part in parts if part["currency"] == "eur")

    def read_event(self, payload: bytes, signature: str, *, now: dt.datetime) -> ProviderEventData:
        """Check and read what was sent to the webhook. Needs no network. Raises: EventForged."""
        settings = self._settings
        return read_event(payload, signature, secret=settings.webhook_secret, is_live=settings.is_live, now=now)


def _since(moment: dt.datetime) -> Any:
    return {"created": {"gte": int(moment.timestamp())}, "limit": PER_PAGE}


def _plain(thing: Any) -> Thing:
    if not isinstance(thing, stripe.StripeObject):
        raise ValueError("not an object")  # noqa: TRY004 - one error for all that cannot be read
    return thing.to_dict()


def _all(ask: Callable[[], Any], read: Callable[[Thing], Read]) -> Iterator[Read]:
    """Read a list to its last page."""
    with _in_our_words():
        for thing in ask().auto_paging_iter():
            yield read(_plain(thing))


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Turn the errors of the library into those of the port.

    Raises: ProviderUnavailable when another try may help: no answer, too many requests, an error of theirs, a key that
    is in use by another try; and when our own keys are wrong, which is logged as an error. ProviderRefused otherwise.
    """
    try:
        yield
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.error("stripe_refuses_our_key", code=error.code, status=error.http_status)  # noqa: TRY400 - no surprise
        raise _unavailable(error) from error
    except (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError) as error:
        code = error.code or getattr(error.error, "type", None) or "refused"
        log.warning("stripe_refused", code=code, param=getattr(error, "param", None), status=error.http_status)
        raise ProviderRefused(_("De betaaldienst weigert dit."), code=code) from error
    except stripe.StripeError as error:
        log.warning("stripe_unavailable", error=type(error).__name__, code=error.code, status=error.http_status)
        raise _unavailable(error) from error
    except (ValueError, KeyError, TypeError) as error:
        log.exception("stripe_unreadable")
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> ProviderUnavailable:
    message = _("De betaaldienst antwoordt nu niet. Probeer het over een paar minuten opnieuw.")
    return ProviderUnavailable(message, staff_reason=type(error).__name__)
