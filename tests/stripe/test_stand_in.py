# SPDX-License-Identifier: EUPL-1.2
"""The stand-in is honest: the shapes, refusals, keys, webhooks and expiry of Stripe; and its bank can be used."""

from __future__ import annotations

import datetime as dt
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe
from justhtml import JustHTML
from werkzeug.test import Client, TestResponse

from abs_platform import clock
from abs_platform.demo.stripe.deliveries import LISTENED_TO, Sender
from abs_platform.demo.stripe.refusals import Refusal
from abs_platform.payments.port import ProviderUnavailable
from abs_platform.payments.stripe_reading import EVENT_TYPES
from tests.stand_in import KEY, URL, WEBHOOK_SECRET, StandIn
from tests.stripe.asking import REFERENCE, begin, long_ago, paid

SESSION = {
    "mode": "payment",
    "success_url": "http://localhost/terug",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": "2500",
    "line_items[0][price_data][product_data][name]": "Een bankje",
}


def post(stand_in: StandIn, path: str, data: dict[str, str], **headers: str) -> TestResponse:
    sent = {"Authorization": f"Bearer {KEY}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(stand_in.app).post(f"/v1/{path}", data=data, headers=sent)


def get(stand_in: StandIn, path: str) -> Any:
    return Client(stand_in.app).get(f"/v1/{path}", headers={"Authorization": f"Bearer {KEY}"}).get_json()


# What we send has no key that the library does not know, and all that the adapter reads.
READ = {
    stripe.checkout.Session: "id status payment_status payment_intent amount_total currency metadata url created",
    stripe.PaymentIntent: "id status latest_charge metadata",
    stripe.Charge: "id payment_method_details metadata",
    stripe.Refund: "id status amount payment_intent charge metadata failure_reason created",
    stripe.Dispute: "id status amount payment_intent charge created",
    stripe.Payout: "id status amount created",
    stripe.BalanceTransaction: "id type amount fee currency source created",
    stripe.Balance: "available pending livemode",
    stripe.Event: "id object type created livemode data",
}
KINDS: dict[str, Any] = {
    "checkout/sessions": stripe.checkout.Session,
    "payment_intents": stripe.PaymentIntent,
    "charges": stripe.Charge,
    "refunds": stripe.Refund,
    "disputes": stripe.Dispute,
    "payouts": stripe.Payout,
    "balance_transactions": stripe.BalanceTransaction,
    "events": stripe.Event,
}


def test_every_answer_has_the_shape_of_the_librarys_own_classes(stand_in: StandIn) -> None:
    first, second = paid(stand_in, "gift-1"), paid(stand_in, "gift-2", method="card")
    stand_in.provider.refund(str(first.intent_id), 2_500, reference=REFERENCE, idempotency_key="refund-1")
    stand_in.dispute(str(second.intent_id))
    paid(stand_in, "gift-3", 10_000)
    stand_in.transfer(100)

    answers = {kind: get(stand_in, path)["data"] for path, kind in KINDS.items()}
    answers[stripe.Balance] = [get(stand_in, "balance")]

    for kind, found in answers.items():
        assert found, kind
        for one in found:
            unknown = set(one) - set(kind.__annotations__)
            assert unknown == set(), kind
            assert set(READ[kind].split()) <= set(one), kind
    assert set(get(stand_in, "refunds")) == {"object", "data", "has_more", "url"}
    details = answers[stripe.Charge][0]["payment_method_details"]
    assert set(details) <= set(stripe.Charge.PaymentMethodDetails.__annotations__)


def test_what_the_adapter_reads_is_what_the_stand_in_sends() -> None:
    assert EVENT_TYPES - {"charge.refund.updated"} == LISTENED_TO


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"mode": ""}, "mode", "parameter_missing"),
        ({"success_url": ""}, "success_url", "parameter_missing"),
        ({"wish": "x"}, "wish", "parameter_unknown"),
        ({"line_items[0][price_data][unit_amount]": "49"}, "line_items", "amount_too_small"),
        ({"line_items[0][price_data][unit_amount]": "1.5"}, None, "parameter_invalid_integer"),
        ({"line_items[0][price_data][currency]": "usd"}, "currency", "currency_not_supported"),
        ({"allowed_payment_method_types[0]": "coins"}, "allowed_payment_method_types", None),
        ({"payment_method_types[0]": "ideal"}, "payment_method_types", "payment_method_types_no_longer_supported"),
        ({"customer_email": "nobody"}, "customer_email", "email_invalid"),
        ({"expires_at": "1"}, "expires_at", None),
        ({"metadata[long]": "x" * 501}, "metadata[long]", None),
        ({"locale": "xx"}, "locale", None),
    ],
)
def test_a_checkout_is_refused_in_stripes_envelope(
    stand_in: StandIn, changes: dict[str, str], param: str | None, code: str | None
) -> None:
    answer = post(stand_in, "checkout/sessions", SESSION | changes)

    assert answer.status_code == 400
    error = answer.get_json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error.get("code") == code
    assert param is None or error["param"] == param
    assert get(stand_in, "checkout/sessions")["data"] == []


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("", 401), ("Bearer ", 401), ("Bearer sk_live_x", 401), ("Bearer pk_test_x", 401), (f"Bearer {KEY}", 200)],
)
def test_only_a_test_key_opens_the_api(stand_in: StandIn, authorization: str, status: int) -> None:
    answer = Client(stand_in.app).get("/v1/balance", headers={"Authorization": authorization})

    assert answer.status_code == status


@pytest.mark.parametrize("path", ["nothing", "refunds/re_nobody", "checkout/sessions/cs_nobody", "payment_intents/x/y"])
def test_what_is_not_there_is_404_in_the_envelope(stand_in: StandIn, path: str) -> None:
    answer = Client(stand_in.app).get(f"/v1/{path}", headers={"Authorization": f"Bearer {KEY}"})

    assert answer.status_code == 404
    assert answer.get_json()["error"]["type"] == "invalid_request_error"


def test_a_key_gives_its_first_answer_and_says_so(stand_in: StandIn) -> None:
    first = post(stand_in, "checkout/sessions", SESSION, Idempotency_Key="one")
    again = post(stand_in, "checkout/sessions", SESSION, Idempotency_Key="one")
    other = post(stand_in, "checkout/sessions", SESSION | {"locale": "nl"}, Idempotency_Key="one")

    assert first.get_json() == again.get_json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.get_json()["error"]["type"]) == (400, "idempotency_error")


def test_a_wrong_question_uses_up_no_key(stand_in: StandIn) -> None:
    post(stand_in, "checkout/sessions", SESSION | {"mode": "x"}, Idempotency_Key="one")

    assert post(stand_in, "checkout/sessions", SESSION, Idempotency_Key="one").status_code == 200


def test_a_key_in_use_by_another_call_is_409(stand_in: StandIn) -> None:
    keys = stand_in.app.extensions["keys"]
    assert keys.take("one")

    busy = post(stand_in, "checkout/sessions", SESSION, Idempotency_Key="one")

    assert (busy.status_code, busy.get_json()["error"]["code"]) == (409, "idempotency_key_in_use")
    keys.release("one")
    assert post(stand_in, "checkout/sessions", SESSION, Idempotency_Key="one").status_code == 200
    keys.take("gift-1")
    with pytest.raises(ProviderUnavailable):
        begin(stand_in)


def test_a_checkout_expires_by_the_clock_and_tells_it(stand_in: StandIn) -> None:
    made, now = begin(stand_in), clock.now()
    stand_in.at(now + dt.timedelta(minutes=30))
    assert stand_in.deliveries() == []
    stand_in.at(now + dt.timedelta(minutes=32))

    [(payload, _)] = stand_in.deliveries()

    assert b'"checkout.session.expired"' in payload
    with pytest.raises(Refusal):
        stand_in.pay(made.id)


def test_it_remembers_all_after_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "stripe.sqlite")
    before = StandIn(path)
    made = paid(before)
    held = before.balance_cents()
    before.close()

    after = StandIn(path)

    assert after.provider.get_checkout(made.id) == made
    assert begin(after).id == made.id
    assert after.balance_cents() == held
    assert len(after.deliveries()) == 1
    after.close()


def test_a_verb_that_fails_leaves_nothing_behind(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    made = begin(stand_in)

    def crash(*_asked: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(stand_in.account, "tell", crash)
    with pytest.raises(RuntimeError):
        stand_in.pay(made.id)

    assert stand_in.account.get("session", made.id)["status"] == "open"
    assert stand_in.balance_cents() == 0


def test_webhooks_go_missing_come_twice_late_and_out_of_order(stand_in: StandIn) -> None:
    def pay(number: int) -> str:
        made = begin(stand_in, f"gift-{number}")
        stand_in.pay(made.id)
        return made.id

    def told() -> list[str]:
        return [stand_in.provider.read_event(*one, now=stand_in.now()).subject.id for one in stand_in.deliveries()]  # type: ignore[union-attr]

    stand_in.faults.drop = 1
    lost = pay(1)
    stand_in.faults.duplicate = 1
    twice = pay(2)
    first = pay(3)
    stand_in.faults.reorder = 1
    before = pay(4)
    stand_in.faults.delay = 1
    late = pay(5)

    assert told() == [before, twice, twice, first]
    stand_in.at(clock.now() + dt.timedelta(seconds=6))
    assert told() == [late]
    assert len(stand_in.all_events()) == 5
    assert lost in {one.id for one in stand_in.provider.checkouts_since(long_ago())}


def test_a_webhook_is_sent_until_the_app_says_yes(stand_in: StandIn) -> None:
    answers, heard = [500, 302, 200], list[tuple[bytes, str]]()

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((self.rfile.read(int(self.headers["Content-Length"])), self.headers["Stripe-Signature"]))
            self.send_response(answers[len(heard) - 1])
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/webhooks/stripe"
    sender = Sender(stand_in.account, secret=WEBHOOK_SECRET, url=url)
    stand_in.pay(begin(stand_in).id)
    waits = []
    for _ in range(4):
        sender.send_due()
        [(due_at, state)] = stand_in.store.execute("SELECT due_at, state FROM delivery")
        waits.append((round(due_at - clock.now().timestamp()), state))
        stand_in.store.execute("UPDATE delivery SET due_at = 0")
    server.shutdown()
    server.server_close()

    assert [stand_in.provider.read_event(*one, now=clock.now()).type for one in heard] == [
        "checkout.session.completed"
    ] * 3
    assert waits[:2] == [(1, "waiting"), (2, "waiting")]
    assert [state for _, state in waits[2:]] == ["delivered", "delivered"]


def page(stand_in: StandIn, path: str, status: int = 200) -> tuple[Any, str]:
    answer = Client(stand_in.app).get(path)
    assert answer.status_code == status
    document = JustHTML(answer.get_data(as_text=True), strict=True)
    assert len(document.query("h1")) == 1
    assert "Demo: geen echt geld" in document.to_text()
    return document, document.to_text()


def choose(stand_in: StandIn, checkout_id: str, choice: str) -> str:
    answer = Client(stand_in.app).post(f"/pay/{checkout_id}", data={"choice": choice, "method": "ideal"})
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def test_a_giver_pays_at_the_demo_bank_and_comes_back(stand_in: StandIn) -> None:
    made = begin(stand_in)
    _, text = page(stand_in, f"/pay/{made.id}")
    assert "€\u00a025,00" in text
    assert "Een bankje op het plein" in text
    assert "iDEAL | Wero" in text

    assert choose(stand_in, made.id, "cancel") == "http://localhost/weg"
    assert choose(stand_in, made.id, "fail") == f"/pay/{made.id}?nee"
    assert "De bank zegt nee." in page(stand_in, f"/pay/{made.id}?nee")[1]
    assert choose(stand_in, made.id, "pay") == f"http://localhost/terug?c={made.id}"
    assert choose(stand_in, made.id, "pay") == f"/pay/{made.id}"

    assert "Hier is al betaald" in page(stand_in, f"/pay/{made.id}")[1]
    assert stand_in.balance_cents() == 2_471
    page(stand_in, "/pay/cs_nobody", 404)


def test_a_bank_that_pays_later_does_so_by_itself(stand_in: StandIn) -> None:
    made, now = begin(stand_in), clock.now()
    choose(stand_in, made.id, "later")
    assert not stand_in.provider.get_checkout(made.id).is_paid

    stand_in.at(now + dt.timedelta(seconds=25))

    assert stand_in.provider.get_checkout(made.id).is_paid


def test_an_expired_checkout_leads_back(stand_in: StandIn) -> None:
    made = begin(stand_in)
    stand_in.expire(made.id)

    document, text = page(stand_in, f"/pay/{made.id}")

    assert "De tijd om te betalen is voorbij" in text
    assert document.query("a")[0].attrs["href"] == "http://localhost/weg"


def test_the_overview_plays_the_banks_and_lets_things_go_wrong(stand_in: StandIn) -> None:
    client = Client(stand_in.app)

    def do(verb: str, thing_id: str = "", **more: str) -> str:
        answer = client.post("/_stand-in", data={"verb": verb, "id": thing_id} | more)
        assert answer.status_code == 303
        return page(stand_in, answer.headers["Location"])[1]

    first, second = paid(stand_in, "gift-1", method="card"), paid(stand_in, "gift-2")
    open_one, late = begin(stand_in, "gift-3"), begin(stand_in, "gift-4")
    stand_in.pay_later(late.id)
    assert "De bank heeft betaald." in do("settle", late.id)
    assert "Dat kan niet" in do("settle", late.id)
    do("expire", open_one.id)
    do("next_refund", "failed")
    assert list(stand_in.faults.refunds) == ["failed"]
    do("next_refund", "succeeded")
    refund = stand_in.provider.refund(str(second.intent_id), 2_500, reference=REFERENCE, idempotency_key="refund-1")
    assert "is mislukt" in do("fail_refund", refund.id)
    do("dispute", str(first.intent_id))
    [dispute] = stand_in.provider.disputes_since(long_ago())
    assert "de gemeente kreeg gelijk" in do("win", dispute.id)
    do("pay_out")
    assert stand_in.balance_cents() == 0
    do("webhook_fault", "drop", times="2")
    do("call_fault", "timeout done", times="3")
    assert (stand_in.faults.drop, len(stand_in.faults.calls)) == (2, 3)
    do("clear")
    assert (stand_in.faults.drop, len(stand_in.faults.calls)) == (0, 0)
    waiting = len(stand_in.deliveries())
    event_id = stand_in.store.execute("SELECT event_id FROM delivery LIMIT 1")[0][0]
    do("send_again", event_id)
    assert (waiting > 5, len(stand_in.deliveries())) == (True, 1)
    assert "Dat kan niet" in do("burn", first.id)


def test_other_programs_set_faults_too(stand_in: StandIn) -> None:
    client = Client(stand_in.app)
    asked = {"drop": 1, "calls": [{"kind": "429", "times": 2}], "refunds": ["pending", "odd"]}

    said = client.post("/_stand-in/faults", json=asked).get_json()

    assert said == {"calls": 2, "refunds": ["pending"], "drop": 1, "duplicate": 0, "delay": 0, "reorder": 0}
    assert client.post("/_stand-in/faults", json={"calls": [{"kind": "fire"}]}).status_code == 400
    assert client.post("/_stand-in/faults", json={"drop": "x"}).status_code == 400
    client.delete("/_stand-in/faults")
    assert client.get("/_stand-in/faults").get_json()["calls"] == 0


def test_the_library_reaches_it_over_real_http_too(stand_in: StandIn) -> None:
    with stand_in.serving() as url:
        made = begin(stand_in)
        assert made.url == f"{url}/pay/{made.id}"
        stand_in.faults.fail_calls("429", times=1)
        with pytest.raises(ProviderUnavailable):
            stand_in.provider.get_checkout(made.id)
        assert stand_in.provider.get_checkout(made.id).id == made.id

    assert stand_in.settings.api_url == URL
    with pytest.raises(ProviderUnavailable):
        closed(url, stand_in)


def closed(url: str, stand_in: StandIn) -> None:
    """Ask where nobody answers any more."""
    with stand_in.serving():
        provider = stand_in.provider
    provider.get_checkout(url)
