# SPDX-License-Identifier: EUPL-1.2
"""The shapes of Stripe's objects, as its API version says; a test compares them with the library's typed classes."""

from __future__ import annotations

import secrets
from typing import Any

from abs_platform.demo.stripe.store import Thing

API_VERSION = "2026-10-28.endive"
CARD = "card"
_FIXED_FEE_CENTS = {"ideal": 29, "bancontact": 39}
DISPUTE_FEE_CENTS = 2_000


def new_id(prefix: str) -> str:
    """An id as Stripe makes them."""
    return f"{prefix}_{secrets.token_hex(12)}"


def fee_cents(method: str, amount: int) -> int:
    """What Stripe keeps of a payment: cents for a bank, 1.5% and 25 cents for a card."""
    return _FIXED_FEE_CENTS.get(method) or (amount * 15 + 500) // 1000 + 25


def session(params: dict[str, Any], *, amount: int, created: int, base_url: str) -> Thing:
    """A checkout session that is open."""
    session_id = new_id("cs_test")
    return {
        "id": session_id,
        "object": "checkout.session",
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "created": created,
        "currency": "eur",
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": None,
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "expires_at": params["expires_at"],
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": params.get("metadata") or {},
        "mode": "payment",
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": params.get("allowed_payment_method_types") or [CARD],
        "payment_status": "unpaid",
        "recovered_from": None,
        "setup_intent": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{base_url}/pay/{session_id}",
    }


def intent(session_of: Thing, data: dict[str, Any], *, created: int) -> Thing:
    """The payment of a session, made when the giver begins to pay."""
    intent_id = new_id("pi")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": session_of["amount_total"],
        "amount_capturable": 0,
        "amount_received": 0,
        "application": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret",
        "confirmation_method": "automatic",
        "created": created,
        "currency": session_of["currency"],
        "customer": None,
        "description": data.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": data.get("metadata") or {},
        "next_action": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": session_of["payment_method_types"],
        "processing": None,
        "receipt_email": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "status": "requires_payment_method",
    }


def charge(paid: Thing, method: str, *, balance_transaction: str, created: int, charge_id: str) -> Thing:
    """The charge of a payment that was made."""
    return {
        "id": charge_id,
        "object": "charge",
        "amount": paid["amount"],
        "amount_captured": paid["amount"],
        "amount_refunded": 0,
        "balance_transaction": balance_transaction,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "captured": True,
        "created": created,
        "currency": paid["currency"],
        "customer": None,
        "description": paid["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": dict(paid["metadata"]),
        "paid": True,
        "payment_intent": paid["id"],
        "payment_method": paid["payment_method"],
        "payment_method_details": {"type": method, method: {}},
        "refunded": False,
        "status": "succeeded",
    }


def refund(charged: Thing, amount: int, *, metadata: dict[str, str], reason: str | None, created: int) -> Thing:
    """A refund that was begun."""
    return {
        "id": new_id("re" if charged["payment_method_details"]["type"] == CARD else "pyr"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charged["id"],
        "created": created,
        "currency": charged["currency"],
        "destination_details": None,
        "failure_balance_transaction": None,
        "failure_reason": None,
        "metadata": metadata,
        "payment_intent": charged["payment_intent"],
        "pending_reason": None,
        "reason": reason,
        "receipt_number": None,
        "status": "pending",
    }


def dispute(charged: Thing, *, status: str, created: int) -> Thing:
    """A claim of the giver's bank."""
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": charged["amount"],
        "balance_transactions": [],
        "charge": charged["id"],
        "created": created,
        "currency": charged["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {"due_by": None, "has_evidence": False, "past_due": False, "submission_count": 0},
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charged["payment_intent"],
        "reason": "fraudulent",
        "status": status,
    }


def balance_transaction(
    kind: str, amount: int, *, source: str, created: int, fee: int = 0, category: str, available_on: int | None = None
) -> Thing:
    """A line of the books: what the balance gains or loses."""
    details = [
        {"amount": fee, "application": None, "currency": "eur", "description": "Stripe fees", "type": "stripe_fee"}
    ]
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": available_on or created,
        "balance_type": "payments",
        "created": created,
        "currency": "eur",
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": details if fee else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "status": "available" if available_on is None else "pending",
        "type": kind,
    }


def payout(amount: int, *, created: int) -> Thing:
    """A transfer to the bank account of the municipality."""
    return {
        "id": new_id("po"),
        "object": "payout",
        "amount": amount,
        "arrival_date": created,
        "automatic": False,
        "balance_transaction": None,
        "created": created,
        "currency": "eur",
        "description": None,
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": "not_applicable",
        "source_type": "bank_account",
        "statement_descriptor": None,
        "status": "paid",
        "type": "bank_account",
    }


def event(kind: str, about: Thing, *, created: int, key: str | None) -> Thing:
    """What happened, with the object as it was at that moment."""
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": key},
        "type": kind,
    }
