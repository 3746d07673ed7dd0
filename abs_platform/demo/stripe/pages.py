# SPDX-License-Identifier: EUPL-1.2
"""The page of the demo bank where a giver pays, and its overview, where one plays all the others."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from abs_platform.clock import AMSTERDAM
from abs_platform.demo.stripe.account import Account
from abs_platform.demo.stripe.acting import act
from abs_platform.demo.stripe.faults import CALL_FAULTS
from abs_platform.demo.stripe.refusals import Refusal
from abs_platform.demo.stripe.store import Thing
from abs_platform.money import format_euros_exact

LATER_SECONDS = 20
SHOWN = 20
METHODS = {"ideal": "iDEAL | Wero", "card": "Creditcard of betaalpas", "bancontact": "Bancontact"}
OUTCOMES = {"succeeded": "die lukt", "failed": "die mislukt", "pending": "die wacht", "refused": "die wordt geweigerd"}
REFUND_STATES = {"succeeded": "is terug bij de gever", "pending": "is onderweg", "failed": "is mislukt"}
DISPUTE_STATES = {
    "needs_response": "is nog niet beslist",
    "won": "de gemeente kreeg gelijk",
    "lost": "de bank kreeg gelijk",
}
PAYOUT_STATES = {"paid": "staat op de rekening", "failed": "is teruggekomen"}
DELIVERY_STATES = {"waiting": "wacht", "delivered": "aangekomen", "dropped": "verloren", "given up": "opgegeven"}

bp = Blueprint("pages", __name__, template_folder="templates")


def _account() -> Account:
    return cast(Account, current_app.extensions["account"])


@bp.get("/")
def index() -> AnyResponse:
    """Straight to the overview."""
    return redirect(url_for("pages.overview"))


@bp.get("/pay/<session_id>")
def pay(session_id: str) -> tuple[str, int]:
    """Where a giver pays."""
    account = _account()
    with account.store.transaction():
        account.tick()
        found = account.store.find("session", session_id)
    if found is None:
        return render_template("stand_in/closed.html", status=""), HTTPStatus.NOT_FOUND
    if found["status"] != "open":
        url = _return_url(found) if found["status"] == "complete" else found["cancel_url"]
        return render_template("stand_in/closed.html", status=found["status"], url=url), HTTPStatus.OK
    page = render_template(
        "stand_in/pay.html",
        amount=format_euros_exact(found["amount_total"]),
        item=account.item_of(session_id),
        methods=[(method, METHODS.get(method, method)) for method in found["payment_method_types"]],
        chosen=found["payment_method_types"][0],
        later_seconds=LATER_SECONDS,
        said_no="nee" in request.args,
    )
    return page, HTTPStatus.OK


@bp.post("/pay/<session_id>")
def choose(session_id: str) -> AnyResponse:
    """What the giver chose; a button pressed twice leads to the page that says how it is."""
    account = _account()
    here = url_for("pages.pay", session_id=session_id)
    choice, method = request.form.get("choice", ""), request.form.get("method", "")
    try:
        found = account.get("session", session_id)
        if choice == "cancel":
            return redirect(found["cancel_url"] or here, HTTPStatus.SEE_OTHER)
        if method not in found["payment_method_types"]:
            return redirect(here, HTTPStatus.SEE_OTHER)
        if choice == "fail":
            account.decline(session_id, method)
            return redirect(f"{here}?nee", HTTPStatus.SEE_OTHER)
        if choice == "later":
            account.pay_later(session_id, method, settles_in=LATER_SECONDS)
        elif choice == "pay":
            account.pay(session_id, method)
        return redirect(_return_url(found), HTTPStatus.SEE_OTHER)
    except Refusal:
        return redirect(here, HTTPStatus.SEE_OTHER)


def _return_url(found: Thing) -> str:
    return str(found["success_url"]).replace("{CHECKOUT_SESSION_ID}", found["id"])


@bp.get("/_stand-in")
def overview() -> str:
    """All that happened, and what one may let happen."""
    account = _account()
    with account.store.transaction():
        account.tick()
        store, faults = account.store, account.faults
        return render_template(
            "stand_in/overview.html",
            said=request.args.get("gedaan", ""),
            balance=format_euros_exact(account.balance_cents()),
            outcomes=OUTCOMES,
            next_refund=faults.refunds[0] if faults.refunds else "succeeded",
            sessions=[_session(account, one) for one in store.listed("session", limit=SHOWN)],
            refunds=[_line(one, REFUND_STATES) for one in store.listed("refund", limit=SHOWN)],
            disputes=[_line(one, DISPUTE_STATES) for one in store.listed("dispute", limit=SHOWN)],
            payouts=[_line(one, PAYOUT_STATES) for one in store.listed("payout", limit=SHOWN)],
            deliveries=[
                {
                    "event_id": one.event_id,
                    "type": account.get("event", one.event_id)["type"],
                    "state": f"{DELIVERY_STATES[one.state]} {one.said}".strip(),
                }
                for one in store.deliveries(limit=SHOWN)
            ],
        )


@bp.post("/_stand-in")
def do() -> AnyResponse:
    """One thing happens."""
    try:
        said = act(_account(), request.form)
    except Refusal as refusal:
        said = f"Dat kan niet: {refusal}"
    return redirect(url_for("pages.overview", gedaan=said), HTTPStatus.SEE_OTHER)


@bp.route("/_stand-in/faults", methods=["GET", "POST", "DELETE"])
def faults() -> tuple[Response, int]:
    """The faults for other programs: ``{"calls": [{"kind": "500", "times": 3}], "drop": 1}``; DELETE clears them."""
    waiting = _account().faults
    if request.method == "DELETE":
        waiting.clear()
    if request.method == "POST":
        asked = request.get_json()
        numbers = {name: asked[name] for name in ("drop", "duplicate", "delay", "reorder") if name in asked}
        times = {"delay_seconds", "hold_seconds", "slow_seconds"}
        numbers |= {name: asked[name] for name in times & set(asked)}
        calls = asked.get("calls", [])
        if any(call.get("kind") not in CALL_FAULTS for call in calls):
            return jsonify(error="unknown kind of fault"), HTTPStatus.BAD_REQUEST
        if not all(isinstance(number, int | float) and number >= 0 for number in numbers.values()):
            return jsonify(error="not a number"), HTTPStatus.BAD_REQUEST
        for name, number in numbers.items():
            setattr(waiting, name, number)
        for call in calls:
            rest = {name: call[name] for name in ("times", "is_done", "path") if name in call}
            waiting.fail_calls(call["kind"], **rest)
        waiting.refunds.extend(one for one in asked.get("refunds", []) if one in OUTCOMES)
    left = {name: getattr(waiting, name) for name in ("drop", "duplicate", "delay", "reorder")}
    return jsonify(calls=len(waiting.calls), refunds=list(waiting.refunds), **left), HTTPStatus.OK


def _session(account: Account, one: Thing) -> dict[str, Any]:
    intent = account.store.find("payment_intent", one["payment_intent"] or "") or {}
    charge = account.store.find("charge", intent.get("latest_charge") or "") or {}
    is_waiting = one["status"] == "complete" and intent.get("status") == "processing"
    is_paid = one["payment_status"] == "paid"
    failed = "de bank zei nee"
    states = {
        "open": "wacht op de gever",
        "expired": "verlopen",
        "complete": "wacht op de bank" if is_waiting else failed,
    }
    return {
        "id": one["id"],
        "intent": intent.get("id", ""),
        "amount": format_euros_exact(one["amount_total"]),
        "item": account.item_of(one["id"]),
        "created": _moment(one["created"]),
        "state": "betaald" if is_paid else states[one["status"]],
        "is_open": one["status"] == "open",
        "is_waiting": is_waiting,
        "can_be_claimed": is_paid and not charge.get("disputed") and not charge.get("refunded"),
    }


def _line(one: Thing, states: dict[str, str]) -> dict[str, Any]:
    return {
        "id": one["id"],
        "status": one["status"],
        "state": states.get(one["status"], one["status"]),
        "amount": format_euros_exact(one["amount"]),
        "created": _moment(one["created"]),
    }


def _moment(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, AMSTERDAM).strftime("%d-%m-%Y %H:%M")
