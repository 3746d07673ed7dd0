# SPDX-License-Identifier: EUPL-1.2
"""The HTTP API of the stand-in, as Stripe's: lists, errors in its envelope, one answer for each idempotency key."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from flask import Blueprint, Response, current_app, request

from abs_platform.demo.stripe import asking, objects
from abs_platform.demo.stripe.account import Account
from abs_platform.demo.stripe.faults import FailingCall
from abs_platform.demo.stripe.refusals import Refusal
from abs_platform.demo.stripe.store import Thing

KEY_LIVES_SECONDS = 24 * 3600
TIMED_OUT = 598
Answer = tuple[int, Thing]
Verb = Callable[[Account, dict[str, Any]], Thing]

bp = Blueprint("api", __name__, url_prefix="/v1")

# Path, kind of object, and by which of its values a list may be narrowed.
_RESOURCES: dict[str, tuple[str, set[str]]] = {
    "checkout/sessions": ("session", {"payment_intent", "status"}),
    "payment_intents": ("payment_intent", set()),
    "charges": ("charge", {"payment_intent"}),
    "refunds": ("refund", {"charge", "payment_intent"}),
    "disputes": ("dispute", {"charge", "payment_intent"}),
    "balance_transactions": ("balance_transaction", {"source", "type"}),
    "events": ("event", {"type"}),
    "payouts": ("payout", {"status"}),
}
_POINTERS = {"payment_intent": "payment_intent", "latest_charge": "charge", "charge": "charge"}
_POINTERS |= {"balance_transaction": "balance_transaction"}


class Keys:
    """Which idempotency keys are in use by a call that is not done."""

    def __init__(self) -> None:
        self._lock, self._busy = Lock(), set[str]()

    def take(self, key: str) -> bool:
        """Whether this key is free; it is in use from now on."""
        with self._lock:
            is_free = key not in self._busy
            self._busy.add(key)
            return is_free

    def release(self, key: str) -> None:
        """The call is done."""
        with self._lock:
            self._busy.discard(key)


@bp.route("/<path:path>", methods=["GET", "POST", "DELETE"])
def answer(path: str) -> Response:
    """Every call: the key of the account, then the faults on demand, then the verb."""
    account: Account = current_app.extensions["account"]
    try:
        _check_key(request.headers.get("Authorization", ""))
        pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
        if request.method != "POST":
            return _send(*_with_faults(account, path, lambda: (200, _read(account, path, asking.nested(pairs)))))
        return _post(account, path, pairs)
    except Refusal as refusal:
        return _send(refusal.status, {"error": refusal.error})


def _post(account: Account, path: str, pairs: list[tuple[str, str]]) -> Response:
    key = request.headers.get("Idempotency-Key", "")
    keys: Keys = current_app.extensions["keys"]
    if key and not keys.take(key):
        words = f"There is currently another in-progress request using this Idempotent Key: {key}"
        raise Refusal(words, status=409, kind="idempotency_error", code="idempotency_key_in_use")
    try:
        return _once(account, key, path, pairs)
    finally:
        keys.release(key)


def _once(account: Account, key: str, path: str, pairs: list[tuple[str, str]]) -> Response:
    """Do it, or give the answer that this key got before."""
    asked = hashlib.sha256(json.dumps([path, sorted(pairs)]).encode()).hexdigest()
    sql = "SELECT asked, status, body FROM answer WHERE key = ? AND at > ?"
    known = account.store.execute(sql, key, account.now() - KEY_LIVES_SECONDS)
    if key and known and known[0][0] != asked:
        words = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        raise Refusal(f"{words} Try using a key other than '{key}'.", kind="idempotency_error")
    if key and known:
        status, body = _with_faults(account, path, lambda: (known[0][1], json.loads(known[0][2])))
        return _send(status, body, {"Idempotent-Replayed": "true"})

    def do() -> Answer:
        with account.store.transaction():
            account.key = key or None
            try:
                return 200, _write(account, path, asking.nested(pairs))
            finally:
                account.key = None

    return _send(*_with_faults(account, path, do, remember=lambda found: _remember(account, key, asked, found)))


def _remember(account: Account, key: str, asked: str, found: Answer) -> None:
    if key:
        account.store.execute(
            "INSERT OR REPLACE INTO answer (key, asked, status, body, at) VALUES (?, ?, ?, ?, ?)",
            *(key, asked, found[0], json.dumps(found[1]), account.now()),
        )


def _with_faults(
    account: Account, path: str, do: Callable[[], Answer], *, remember: Callable[[Answer], None] | None = None
) -> Answer:
    """Do it, unless a fault was asked for. What was begun is remembered with its answer, error or not, as at Stripe."""
    fault = account.faults.take_call(path)
    if account.faults.slow_seconds:
        time.sleep(account.faults.slow_seconds)
    if fault and not fault.is_done:
        return _fault(fault)
    with account.store.transaction():
        account.tick()
        try:
            found = do()
        except Refusal as refusal:
            found = refusal.status, {"error": refusal.error}
            if not refusal.is_begun:
                return found
        if fault and fault.kind == "500":
            found = _fault(fault)
        if remember:
            remember(found)
    return _fault(fault) if fault else found


def _fault(fault: FailingCall) -> Answer:
    if fault.kind == "timeout":
        return TIMED_OUT, {}
    if fault.kind == "429":
        words = "Request rate limit exceeded."
        return 429, {"error": {"message": words, "type": "invalid_request_error", "code": "rate_limit"}}
    return 500, {"error": {"message": "An unknown error occurred", "type": "api_error"}}


def _check_key(authorization: str) -> None:
    """Raises: Refusal without a key, and with a live one: the stand-in never plays with real money."""
    key = authorization.removeprefix("Bearer ").strip()
    if not key:
        raise Refusal("You did not provide an API key.", status=401)
    if key.startswith(("sk_live_", "rk_live_")):
        raise Refusal("The stand-in takes no live keys.", status=401)
    if not key.startswith(("sk_test_", "rk_test_")):
        raise Refusal(f"Invalid API Key provided: {key[:8]}***", status=401)


def _send(status: int, body: Thing, headers: dict[str, str] | None = None) -> Response:
    if status == TIMED_OUT:
        time.sleep(current_app.config["TIMEOUT_SECONDS"])
    made = Response(json.dumps(body), status, mimetype="application/json")
    made.headers.update({"Request-Id": objects.new_id("req"), "Stripe-Version": objects.API_VERSION} | (headers or {}))
    key = request.headers.get("Idempotency-Key")
    if key:
        made.headers["Idempotency-Key"] = key
    return made


def _read(account: Account, path: str, params: dict[str, Any]) -> Thing:
    if path == "balance":
        return account.balance()
    if path in _RESOURCES:
        return _list(account, path, params)
    resource, _, thing_id = path.rpartition("/")
    if resource not in _RESOURCES or request.method != "GET":
        raise Refusal(f"Unrecognized request URL ({request.method}: /v1/{path}).", status=404)
    kind = _RESOURCES[resource][0]
    return _expanded(account, account.get(kind, thing_id, "session" if kind == "session" else "id"), params)


def _list(account: Account, path: str, params: dict[str, Any]) -> Thing:
    kind, filters = _RESOURCES[path]
    asking.refuse_unknown(params, filters | {"created", "ending_before", "expand", "limit", "starting_after"})
    limit = asking.whole(params.get("limit", 10), "limit")
    if not 1 <= limit <= 100:
        raise Refusal("This value must be between 1 and 100.", code="parameter_invalid_integer", param="limit")
    after = params.get("starting_after")
    if after:
        account.get(kind, after, "starting_after")
    given = params.get("created", {})
    bounds = given if isinstance(given, dict) else {"gte": given, "lte": given}
    created = {name: asking.whole(value, f"created[{name}]") for name, value in bounds.items()}
    where = {name: params[name] for name in filters & set(params)}
    found = account.store.page(kind, where, created, after=after, limit=limit + 1)
    inner = {"expand": [name.removeprefix("data.") for name in params.get("expand", [])]}
    data = [_expanded(account, thing, inner) for thing in found[:limit]]
    return {"object": "list", "data": data, "has_more": len(found) > limit, "url": f"/v1/{path}"}


def _expanded(account: Account, thing: Thing, params: dict[str, Any]) -> Thing:
    """Put objects where their ids stand, as ``expand`` asks. Raises: Refusal for what has no object."""
    for path in params.get("expand") or []:
        place = thing
        for name in path.split("."):
            if name not in _POINTERS or name not in place:
                raise Refusal(f"This property cannot be expanded ({name}).", param="expand")
            if place[name] is None:
                break
            if isinstance(place[name], str):
                place[name] = account.get(_POINTERS[name], place[name])
            place = place[name]
    return thing


def _write(account: Account, path: str, params: dict[str, Any]) -> Thing:
    parts = path.split("/")
    if path == "checkout/sessions":
        made = account.create_session(params)
    elif path == "refunds":
        made = account.create_refund(params)
    elif path == "payouts":
        made = account.pay_out(asking.whole(asking.required(params, "amount"), "amount"))
    elif parts[:2] == ["checkout", "sessions"] and parts[3:] == ["expire"]:
        made = account.expire_session(parts[2])
    else:
        raise Refusal(f"Unrecognized request URL (POST: /v1/{path}).", status=404)
    return _expanded(account, made, params)
