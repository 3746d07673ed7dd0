# SPDX-License-Identifier: EUPL-1.2
"""What may be asked of the API: its form-encoded parameters as nested values, and what Stripe refuses in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from abs_platform.demo.stripe.refusals import Refusal

MIN_CENTS = 50
MAX_CENTS = 99_999_999
MIN_EXPIRY, MAX_EXPIRY = 30 * 60, 24 * 3600
METHODS = {
    "alipay", "bancontact", "card", "eps", "giropay", "ideal", "klarna", "link", "p24", "pay_by_bank", "paypal",
    "revolut_pay", "sepa_debit", "sofort",
}  # fmt: skip
LOCALES = {"auto", "nl", "en", "de", "fr"}
_SESSION_PARAMS = {
    "allowed_payment_method_types", "cancel_url", "client_reference_id", "customer_email", "expand", "expires_at",
    "line_items", "locale", "metadata", "mode", "payment_intent_data", "submit_type", "success_url",
}  # fmt: skip
_REFUND_PARAMS = {"amount", "charge", "expand", "metadata", "payment_intent", "reason"}
_PART = re.compile(r"\[([^\]]*)\]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """``a[b][0]=c`` as ``{"a": {"b": ["c"]}}``."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        path = [name.partition("[")[0], *_PART.findall(name)]
        branch = tree
        for step in path[:-1]:
            branch = branch.setdefault(step, {})
            if not isinstance(branch, dict):
                raise Refusal("Invalid parameters.", param=name)
        branch[path[-1]] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(part) for name, part in value.items()}
    return list(inner.values()) if all(name == "" or name.isdecimal() for name in inner) else inner


def whole(value: Any, param: str) -> int:
    """A whole number. Raises: Refusal (parameter_invalid_integer)."""
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Refusal(f"Invalid integer: {value}", code="parameter_invalid_integer", param=param) from None


def refuse_unknown(params: dict[str, Any], known: set[str]) -> None:
    """Raises: Refusal (parameter_unknown) for the first parameter that does not exist."""
    for name in params:
        if name not in known:
            raise Refusal(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def required(params: dict[str, Any], name: str, param: str = "") -> Any:
    """What must be given. Raises: Refusal (parameter_missing)."""
    if params.get(name) in (None, "", {}, []):
        raise Refusal(f"Missing required param: {param or name}.", code="parameter_missing", param=param or name)
    return params[name]


def metadata(params: dict[str, Any]) -> dict[str, str]:
    """At most 50 short texts. Raises: Refusal."""
    given = params.get("metadata") or {}
    if not isinstance(given, dict) or len(given) > 50:
        raise Refusal("Invalid metadata.", code="parameter_invalid", param="metadata")
    for name, value in given.items():
        if len(name) > 40 or not isinstance(value, str) or len(value) > 500:
            raise Refusal("Metadata values can have up to 500 characters.", param=f"metadata[{name}]")
    return given


def session(params: dict[str, Any], *, now: int) -> tuple[int, dict[str, Any]]:
    """Its amount in cents, and what was asked, cleaned. Raises: Refusal."""
    if "payment_method_types" in params:
        words = "The `payment_method_types` parameter is no longer supported on this API version."
        raise Refusal(words, code="payment_method_types_no_longer_supported", param="payment_method_types")
    refuse_unknown(params, _SESSION_PARAMS)
    if required(params, "mode") != "payment":
        raise Refusal("Invalid mode: the stand-in knows `payment` only.", param="mode")
    required(params, "success_url")
    for method in params.get("allowed_payment_method_types") or []:
        if method not in METHODS:
            raise Refusal(f"Invalid allowed_payment_method_types: {method}.", param="allowed_payment_method_types")
    if params.get("locale", "auto") not in LOCALES:
        raise Refusal("Invalid locale.", param="locale")
    if "customer_email" in params and not _EMAIL.fullmatch(params["customer_email"]):
        raise Refusal(
            f"Invalid email address: {params['customer_email']}", code="email_invalid", param="customer_email"
        )
    if len(params.get("client_reference_id", "")) > 200:
        raise Refusal("Invalid string: at most 200 characters.", param="client_reference_id")
    expires_at = whole(params.get("expires_at", now + MAX_EXPIRY), "expires_at")
    if not now + MIN_EXPIRY <= expires_at <= now + MAX_EXPIRY:
        words = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise Refusal(words, param="expires_at")
    clean = {**params, "expires_at": expires_at, "metadata": metadata(params)}
    metadata(params.get("payment_intent_data") or {})
    return _total(required(params, "line_items")), clean


def _total(items: list[dict[str, Any]]) -> int:
    total = 0
    for number, item in enumerate(items):
        at = f"line_items[{number}]"
        price = required(item, "price_data", f"{at}[price_data]")
        if required(price, "currency", f"{at}[price_data][currency]") != "eur":
            raise Refusal("The stand-in knows euros only.", code="currency_not_supported", param="currency")
        required(price.get("product_data") or {}, "name", f"{at}[price_data][product_data][name]")
        cents = whole(
            required(price, "unit_amount", f"{at}[price_data][unit_amount]"), f"{at}[price_data][unit_amount]"
        )
        total += cents * whole(item.get("quantity", 1), f"{at}[quantity]")
    if total < MIN_CENTS:
        words = "The Checkout Session's total amount must convert to at least 50 cents."
        raise Refusal(words, code="amount_too_small", param="line_items")
    if total > MAX_CENTS:
        raise Refusal("Amount must be no more than €999,999.99", code="amount_too_large", param="line_items")
    return total


def refund(params: dict[str, Any]) -> dict[str, Any]:
    """What is asked of a refund. Raises: Refusal."""
    refuse_unknown(params, _REFUND_PARAMS)
    if not (params.get("payment_intent") or params.get("charge")):
        words = "One of the following params should be provided for this request: payment_intent or charge."
        raise Refusal(words)
    if params.get("reason", "duplicate") not in {"duplicate", "fraudulent", "requested_by_customer"}:
        raise Refusal("Invalid reason.", param="reason")
    amount = whole(params["amount"], "amount") if "amount" in params else None
    if amount is not None and amount < 1:
        raise Refusal("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    return {**params, "amount": amount, "metadata": metadata(params)}
