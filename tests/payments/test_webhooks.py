# SPDX-License-Identifier: EUPL-1.2
"""What the provider tells us: kept once, applied once, and nothing at all for what it did not sign."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from abs_platform.database import db
from abs_platform.donations.queries import total_of
from abs_platform.initiatives.models import Initiative
from abs_platform.payments import webhooks
from abs_platform.payments.models import ProviderEvent
from abs_platform.security import access_of
from jobs import close_initiatives
from tests.factories import Factory
from tests.payments.gifts import begin_at, booked_of, deliver, deliver_all, donation_of, payment_of
from tests.stand_in import StandIn

Forge = Callable[[bytes, StandIn], tuple[bytes, str]]
DAY = dt.timedelta(days=1)


@pytest.fixture
def initiative(factory: Factory) -> Initiative:
    return factory.initiative(target_cents=5_000)


def outcomes(session: Session) -> list[str]:
    return list(session.scalars(select(ProviderEvent.outcome).order_by(ProviderEvent.received_at, ProviderEvent.id)))


def everything(session: Session) -> list[int]:
    """How much there is of all that an event could write."""
    tables = ("provider_events", "events", "ledger_transactions", "finance_tasks", "outgoing_mails")
    return [session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in tables]


def test_a_payment_is_booked_when_the_provider_tells_and_not_before(
    session: Session, factory: Factory, paying_app: Flask, stand_in: StandIn, initiative: Initiative
) -> None:
    started = begin_at(factory, stand_in, initiative.id)
    stand_in.pay(started.checkout_id or "")
    assert payment_of(session, started).state == "created"

    assert set(deliver_all(paying_app, stand_in.deliveries())) == {200}

    assert payment_of(session, started).state == "paid"
    assert donation_of(session, started).state == "confirmed"
    kept = session.scalars(select(ProviderEvent).where(ProviderEvent.type == "checkout.session.completed")).one()
    assert (kept.outcome, kept.object_id) == ("applied", started.checkout_id)
    assert "Set-Cookie" not in paying_app.test_client().post("/webhooks/stripe").headers


def test_the_gift_that_reaches_the_target_funds_the_initiative_at_once(
    session: Session, factory: Factory, paying_app: Flask, stand_in: StandIn, initiative: Initiative
) -> None:
    started = begin_at(factory, stand_in, initiative.id, 5_000)
    stand_in.pay(started.checkout_id or "")

    deliver_all(paying_app, stand_in.deliveries())

    session.refresh(initiative)
    assert initiative.state == "funded"


def _tampered(payload: bytes, stand_in: StandIn) -> tuple[bytes, str]:
    return payload.replace(b'"paid"', b'"paid" '), stand_in.sign(payload)


def _with_another_secret(payload: bytes, stand_in: StandIn) -> tuple[bytes, str]:
    stamp, _, digest = stand_in.sign(payload).partition(",v1=")
    return payload, f"{stamp},v1={digest[::-1]}"


def _changed(**changes: Any) -> Forge:
    def change(payload: bytes, stand_in: StandIn) -> tuple[bytes, str]:
        body = json.dumps(json.loads(payload) | changes).encode()
        return body, stand_in.sign(body)

    return change


FORGED: dict[str, Forge] = {
    "unsigned": lambda payload, _stand_in: (payload, ""),
    "signed with nonsense": lambda payload, _stand_in: (payload, "t=1,v1=abc"),
    "another secret": _with_another_secret,
    "tampered": _tampered,
    "stale": lambda payload, stand_in: (payload, stand_in.sign(payload, stand_in.now() - dt.timedelta(minutes=6))),
    "from the future": lambda payload, stand_in: (
        payload,
        stand_in.sign(payload, stand_in.now() + dt.timedelta(minutes=6)),
    ),
    "another account": _changed(account="acct_of_somebody_else"),
    "live, where we test": _changed(livemode=True),
    "no event": _changed(object="charge"),
    "no JSON": lambda _payload, stand_in: (b"{", stand_in.sign(b"{")),
    "empty": lambda _payload, stand_in: (b"", stand_in.sign(b"")),
}


@pytest.mark.parametrize("how", FORGED)
def test_what_the_provider_did_not_sign_for_us_is_refused_logged_and_changes_nothing(
    session: Session, factory: Factory, paying_app: Flask, stand_in: StandIn, how: str
) -> None:
    started = begin_at(factory, stand_in, factory.initiative().id)
    stand_in.pay(started.checkout_id or "")
    payload = next(body for body, _ in stand_in.deliveries() if b"checkout.session.completed" in body)
    before = everything(session)

    with capture_logs() as logs:
        status = deliver(paying_app, *FORGED[how](payload, stand_in))

    assert status == 400
    assert payment_of(session, started).state == "created"
    assert everything(session) == before
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["forged event refused"]
    assert started.reference not in json.dumps(logs, default=str)


def test_too_much_is_refused_before_it_is_read(session: Session, paying_app: Flask, stand_in: StandIn) -> None:
    payload = b"{" + b" " * 256_000 + b"}"

    assert deliver(paying_app, payload, stand_in.sign(payload)) == 413

    assert outcomes(session) == []


@pytest.mark.usefixtures("session")
def test_where_only_vouchers_are_given_there_is_no_webhook(app: Flask) -> None:
    assert deliver(app, b"{}", "") == 404


def test_no_other_route_is_entered_by_a_signature(app: Flask) -> None:
    assert [rule.endpoint for rule in app.url_map.iter_rules() if access_of(app, rule.endpoint) == "webhook"] == [
        "payments_webhook.stripe"
    ]


def test_the_webhook_takes_what_is_posted_only(paying_app: Flask, session: Session) -> None:
    assert paying_app.test_client().get("/webhooks/stripe").status_code == 405
    assert outcomes(session) == []


def test_the_same_event_again_and_again_does_nothing_more(
    session: Session, factory: Factory, paying_app: Flask, stand_in: StandIn, initiative: Initiative
) -> None:
    started = begin_at(factory, stand_in, initiative.id)
    stand_in.pay(started.checkout_id or "")
    deliver_all(paying_app, stand_in.deliveries())
    before, booked = everything(session), booked_of(session, started)

    again = deliver_all(paying_app, stand_in.all_events() * 2)

    assert set(again) == {200}
    assert everything(session) == before
    assert booked_of(session, started) == booked


def test_events_out_of_order_and_days_late_come_to_the_same(
    session: Session, factory: Factory, paying_app: Flask, stand_in: StandIn, initiative: Initiative
) -> None:
    started = begin_at(factory, stand_in, initiative.id)
    stand_in.pay_later(started.checkout_id or "")
    stand_in.settle_later(started.checkout_id or "")

    deliver_all(paying_app, stand_in.deliveries()[::-1])

    assert payment_of(session, started).state == "paid"
    assert total_of(session, initiative.id).cents == 1_000
    old = json.loads(stand_in.all_events()[-1][0]) | {"id": "evt_sent_again_after_days"}
    old["created"] -= 5 * 86_400
    body = json.dumps(old).encode()
    assert deliver(paying_app, body, stand_in.sign(body)) == 200
    assert "nothing_new" in outcomes(session)
    assert total_of(session, initiative.id).cents == 1_000


def test_a_payment_that_the_bank_refuses_later_fails(
    session: Session, factory: Factory, paying_app: Flask, stand_in: StandIn, initiative: Initiative
) -> None:
    started = begin_at(factory, stand_in, initiative.id)
    stand_in.pay_later(started.checkout_id or "")
    deliver_all(paying_app, stand_in.deliveries())
    assert payment_of(session, started).state == "created"

    stand_in.fail(started.checkout_id or "")
    deliver_all(paying_app, stand_in.deliveries())

    assert (payment_of(session, started).state, donation_of(session, started).state) == ("failed", "failed")
    assert booked_of(session, started) == []


def test_a_checkout_that_nobody_paid_expires(
    session: Session, factory: Factory, paying_app: Flask, stand_in: StandIn, initiative: Initiative
) -> None:
    started = begin_at(factory, stand_in, initiative.id)
    stand_in.expire(started.checkout_id or "")

    deliver_all(paying_app, stand_in.deliveries())

    assert (payment_of(session, started).state, donation_of(session, started).state) == ("expired", "failed")


def test_types_that_do_nothing_here_and_checkouts_of_others_are_kept_and_answered(
    session: Session, factory: Factory, paying_app: Flask, stand_in: StandIn, initiative: Initiative
) -> None:
    started = begin_at(factory, stand_in, initiative.id)
    other = {"id": "cs_other", "object": "checkout.session", "status": "complete", "payment_status": "paid"}
    other |= {"amount_total": 1_000, "currency": "eur", "created": 1, "metadata": {"reference": started.reference}}
    events = [
        stand_in.event("customer.created", {"id": "cus_1"}, id="evt_1"),
        stand_in.event("checkout.session.completed", other, id="evt_2"),  # no platform=abs: another shop's
        stand_in.event("checkout.session.completed", other | {"metadata": None}, id="evt_3"),
    ]

    assert deliver_all(paying_app, events) == [200, 200, 200]

    assert sorted(outcomes(session)) == ["not_ours", "not_ours", "unknown_type"]
    assert payment_of(session, started).state == "created"


def test_what_could_not_be_kept_is_sent_again(
    session: Session, factory: Factory, paying_app: Flask, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = begin_at(factory, stand_in, factory.initiative().id)
    stand_in.expire(started.checkout_id or "")
    ((payload, signature),) = stand_in.deliveries()

    def break_off(*_arguments: object, **_options: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the database went away"))

    with monkeypatch.context() as broken:
        broken.setattr(webhooks, "book_checkout", break_off)
        assert deliver(paying_app, payload, signature) == 503
    with monkeypatch.context() as broken:
        broken.setattr(webhooks, "_keep", break_off)  # after all was booked
        assert deliver(paying_app, payload, signature) == 503
    assert (payment_of(session, started).state, outcomes(session)) == ("created", [])

    assert deliver(paying_app, payload, signature) == 200

    assert payment_of(session, started).state == "expired"


def test_the_closing_that_a_crash_prevented_is_made_up_for_by_the_job_and_the_event_stays_kept(
    session: Session, factory: Factory, paying_app: Flask, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    initiative = factory.initiative(target_cents=5_000)
    started = begin_at(factory, stand_in, initiative.id, 5_000)
    stand_in.pay(started.checkout_id or "")

    def crash(*_arguments: object, **_options: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the database went away"))

    with monkeypatch.context() as broken:
        broken.setattr(webhooks, "close_if_funded", crash)
        assert 503 in deliver_all(paying_app, stand_in.deliveries())
    deliver_all(paying_app, stand_in.all_events())

    assert donation_of(session, started).state == "confirmed"
    with paying_app.app_context():
        assert close_initiatives.run(factory.now).errors == []
        db.session.remove()
    session.refresh(initiative)
    assert initiative.state == "funded"
    assert session.scalar(select(func.count()).where(ProviderEvent.outcome == "applied")) == 1
