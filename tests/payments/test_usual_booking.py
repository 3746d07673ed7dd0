# SPDX-License-Identifier: EUPL-1.2
"""The usual event in one statement: it writes what the long way writes, and nothing at all of what is not usual."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from abs_platform.initiatives.service import stop
from abs_platform.payments import usual_booking, webhooks
from abs_platform.payments.booking import give_up
from abs_platform.payments.port import ProviderEventData
from abs_platform.payments.service import Started
from abs_platform.payments.usual_booking import book_usual
from tests.factories import TEST_ACTOR, Factory
from tests.payments.gifts import begin, begin_at, book, checkout, deliver_all, money_gift, payment_of
from tests.stand_in import StandIn
from tests.test_page_cost import counting

DAY = dt.timedelta(days=1)
WRITTEN = {
    "payments": "id = :payment",
    "donations": "id = :donation",
    "ledger_transactions": "donation_id = :donation",
    "ledger_postings": "transaction_id IN (SELECT id FROM ledger_transactions WHERE donation_id = :donation)",
    "events": "subject = 'payment' AND subject_id = :payment",
    "provider_events": "object_id = :checkout AND type = 'checkout.session.completed'",
    "outgoing_mails": "event LIKE '%:' || :payment",
}


def told(started: Started, **changes: Any) -> ProviderEventData:
    """The event that it was paid."""
    found = checkout(started, **changes)
    return ProviderEventData(
        id=f"evt_{started.reference}", type="checkout.session.completed", created_at=found.created_at, subject=found
    )


def written(session: Session, started: Started) -> dict[str, list[dict[str, Any]]]:
    """All rows of a gift, without what differs between any two: numbers, moments and the marks made of them."""
    marks = {"payment": started.payment_id, "donation": started.donation_id, "checkout": started.checkout_id}
    found = {}
    for table, where in WRITTEN.items():
        rows = session.execute(text(f"SELECT * FROM {table} WHERE {where} ORDER BY id"), marks).mappings()
        found[table] = [{name: _same(name, value, started) for name, value in row.items()} for row in rows]
    return found


def _same(name: str, value: object, started: Started) -> object:
    if name in {"id", "idempotency_key", "event"} or (name.endswith("_id") and name != "initiative_id"):
        return value is not None
    if isinstance(value, dt.datetime):
        return value is not None
    return value.replace(started.reference, "REFERENCE") if isinstance(value, str) else value


@pytest.mark.parametrize("receipt_email", [None, "gever@voorbeeld.example"])
def test_the_usual_way_writes_what_the_long_way_writes(
    session: Session, factory: Factory, receipt_email: str | None
) -> None:
    initiative, now = factory.initiative(target_cents=100_000), factory.now
    usual, long = (begin(factory, initiative.id, money_gift(receipt_email=receipt_email)) for _way in range(2))

    short = book_usual(session, told(usual), actor=webhooks.ACTOR, now=now)
    whole = webhooks.apply_event(session, told(long), now=now)

    assert short == replace(whole, payment_id=usual.payment_id)
    found = written(session, usual)
    assert found == written(session, long)
    assert {table: len(rows) for table, rows in found.items()} == dict.fromkeys(WRITTEN, 1) | {
        "events": 2,  # that it was begun, and paid
        "ledger_postings": 2,
        "outgoing_mails": 0 if receipt_email is None else 1,
    }


def test_the_usual_event_is_one_statement_and_one_look_whether_the_target_is_there(
    connection: Connection, factory: Factory, paying_app: Flask, stand_in: StandIn
) -> None:
    started = begin_at(factory, stand_in, factory.initiative().id)
    stand_in.pay(started.checkout_id or "")
    deliveries = stand_in.deliveries()

    with counting(connection) as statements:
        deliver_all(paying_app, deliveries)

    assert len(deliveries) == 1
    assert len(statements) == 2


UNUSUAL: dict[str, dict[str, Any]] = {
    "not paid": {"status": "waiting"},
    "less": {"amount_cents": 999},
    "more": {"amount_cents": 1_001},
    "dollars": {"currency": "usd"},
    "another checkout of this gift": {"id": "cs_test_stranger"},
    "nobody's": {"reference": None},
    "of a gift that we do not know": {"reference": "ZZZZZZZZZZ"},
}


@pytest.mark.parametrize("how", UNUSUAL)
def test_what_is_told_is_left_to_the_long_way_when_it_is_not_usual(
    session: Session, factory: Factory, how: str
) -> None:
    started = begin(factory, factory.initiative().id)
    before = written(session, started)

    assert book_usual(session, told(started, **UNUSUAL[how]), actor=TEST_ACTOR, now=factory.now) is None

    assert written(session, started) == before


@pytest.mark.parametrize("how", ["paid", "failed", "expired", "given up", "stopped", "after the deadline", "kept"])
def test_a_payment_is_left_to_the_long_way_when_its_state_is_not_usual(
    session: Session, factory: Factory, how: str
) -> None:
    initiative, now = factory.initiative(), factory.now
    started = begin(factory, initiative.id)
    event = told(started)
    if how in {"paid", "failed", "expired"}:
        book(factory, checkout(started, how))
    elif how == "given up":
        assert give_up(session, started.payment_id, actor=TEST_ACTOR, now=now + DAY)
    elif how == "stopped":
        stop(session, initiative.id, reason="Het kan niet.", actor=TEST_ACTOR, now=now)
    elif how == "kept":
        webhooks.apply_event(session, replace(event, subject=None), now=now)
    else:
        now += 400 * DAY
    session.flush()
    before = written(session, started)

    assert book_usual(session, event, actor=TEST_ACTOR, now=now) is None

    assert written(session, started) == before


def test_what_could_not_be_told_to_the_giver_is_not_booked_and_sent_again(
    session: Session, factory: Factory, paying_app: Flask, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    gift = money_gift(receipt_email="gever@voorbeeld.example")
    started = begin_at(factory, stand_in, factory.initiative().id, gift)
    stand_in.pay(started.checkout_id or "")
    deliveries, before = stand_in.deliveries(), written(session, started)

    def break_off(*_arguments: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the database went away"))

    with monkeypatch.context() as broken:
        broken.setattr(usual_booking, "tell_received", break_off)
        assert deliver_all(paying_app, deliveries) == [503]
    assert written(session, started) == before

    assert deliver_all(paying_app, deliveries) == [200]

    assert payment_of(session, started).state == "paid"
