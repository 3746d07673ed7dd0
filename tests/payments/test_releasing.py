# SPDX-License-Identifier: EUPL-1.2
"""What was begun and has no end: the provider is asked, and what it says is booked; nothing is guessed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform.demo.stripe.faults import CallFault
from abs_platform.initiatives.models import Initiative
from abs_platform.ledger.queries import check
from abs_platform.payments.port import Checkout, ProviderRefused
from abs_platform.payments.queries import room
from jobs import release_checkouts
from jobs.runner import JobReport
from tests.factories import Factory
from tests.payments.gifts import begin, begin_at, booked_of, deliver_all, donation_of, payment_of, states
from tests.stand_in import StandIn

MINUTE = dt.timedelta(minutes=1)
Release = Callable[..., JobReport]


@pytest.fixture
def initiative(factory: Factory) -> Initiative:
    return factory.initiative(target_cents=5_000)


@pytest.fixture
def release(paying_app: Flask, factory: Factory) -> Release:
    """Run the job so long after the beginning."""

    def run(after: dt.timedelta = 32 * MINUTE) -> JobReport:
        factory.session.commit()
        with paying_app.app_context():
            report = release_checkouts.run(factory.now + after)
        factory.session.expire_all()
        return report

    return run


def test_what_nobody_paid_is_closed_at_the_provider_and_here(
    session: Session, factory: Factory, stand_in: StandIn, release: Release, initiative: Initiative
) -> None:
    started = begin_at(factory, stand_in, initiative.id, 5_000)
    assert release(30 * MINUTE).changed == 0

    report = release()

    assert (report.changed, report.errors) == (1, [])
    assert (payment_of(session, started).state, donation_of(session, started).state) == ("expired", "failed")
    assert stand_in.account.get("session", started.checkout_id or "")["status"] == "expired"
    assert room(session, initiative.id, factory.rules, factory.now).highest_cents == 5_000
    assert release().changed == 0


def test_what_was_paid_while_its_webhook_got_lost_is_booked_and_funds_the_initiative(
    session: Session, factory: Factory, stand_in: StandIn, release: Release, initiative: Initiative
) -> None:
    started = begin_at(factory, stand_in, initiative.id, 5_000)
    stand_in.pay(started.checkout_id or "")

    report = release()

    payment = payment_of(session, started)
    assert (report.changed, report.errors) == (1, [])
    assert (payment.state, initiative.state) == ("paid", "funded")
    assert payment.charge_id
    assert check(session, jobs_have_run=True) == []
    assert release().changed == 0


def test_what_is_paid_at_the_very_moment_of_closing_is_booked(
    session: Session,
    factory: Factory,
    stand_in: StandIn,
    release: Release,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = begin_at(factory, stand_in, factory.initiative().id)
    ask = stand_in.provider.get_checkout

    def ask_then_pay(checkout_id: str) -> Checkout:
        found = ask(checkout_id)
        if found.url:
            stand_in.pay(checkout_id)
        return found

    monkeypatch.setattr(stand_in.provider, "get_checkout", ask_then_pay)

    assert release().errors == []

    assert donation_of(session, started).state == "confirmed"


def test_what_a_bank_has_not_answered_stays_reserved_until_it_does(
    session: Session, factory: Factory, paying_app: Flask, stand_in: StandIn, release: Release
) -> None:
    initiative_id = factory.initiative(target_cents=5_000).id
    started = begin_at(factory, stand_in, initiative_id)
    stand_in.pay_later(started.checkout_id or "")

    assert (release().changed, release(33 * MINUTE).errors) == (0, [])

    assert payment_of(session, started).reserved_until == factory.now + 62 * MINUTE
    assert room(session, initiative_id, factory.rules, factory.now + 60 * MINUTE).reserved_cents == 1_000
    stand_in.settle_later(started.checkout_id or "")
    deliver_all(paying_app, stand_in.deliveries())
    assert donation_of(session, started).state == "confirmed"


def test_what_the_bank_refused_failed(
    session: Session, factory: Factory, stand_in: StandIn, release: Release, initiative: Initiative
) -> None:
    started = begin_at(factory, stand_in, initiative.id)
    stand_in.pay_later(started.checkout_id or "")
    stand_in.fail(started.checkout_id or "")

    release()

    assert (payment_of(session, started).state, donation_of(session, started).state) == ("failed", "failed")


def test_what_the_provider_does_not_know_is_over(
    session: Session, factory: Factory, release: Release, initiative: Initiative
) -> None:
    started = begin(factory, initiative.id)  # a checkout of an account that was closed

    assert release().errors == []

    assert payment_of(session, started).state == "expired"


@pytest.mark.parametrize("kind", ["500", "429", "timeout"])
def test_when_the_provider_is_away_everything_waits_for_the_next_run(
    session: Session, factory: Factory, stand_in: StandIn, release: Release, kind: CallFault
) -> None:
    initiative_id = factory.initiative().id
    for _number in range(5):
        begin_at(factory, stand_in, initiative_id, 100)
    stand_in.faults.fail_calls(kind, times=100)

    report = release()

    assert report.errors == ["provider away, 2 payments left for the next run"]
    assert states(session) == ["created"] * 5
    stand_in.faults.clear()
    assert release().changed == 5


def test_one_that_the_provider_cannot_answer_does_not_stop_the_others(
    session: Session, factory: Factory, stand_in: StandIn, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    initiative_id = factory.initiative().id
    first, second = (begin_at(factory, stand_in, initiative_id) for _number in range(2))
    ask = stand_in.provider.get_checkout

    def refuse_first(checkout_id: str) -> Checkout:
        if checkout_id == first.checkout_id:
            raise ProviderRefused("Nee.", code="account_closed")
        return ask(checkout_id)

    monkeypatch.setattr(stand_in.provider, "get_checkout", refuse_first)

    report = release()

    assert report.errors == [f"payment {first.payment_id}: account_closed"]
    assert (payment_of(session, first).state, payment_of(session, second).state) == ("created", "expired")


def test_a_wrong_amount_is_a_task_and_is_not_asked_about_every_minute(
    session: Session, factory: Factory, stand_in: StandIn, release: Release, initiative: Initiative
) -> None:
    started = begin_at(factory, stand_in, initiative.id)
    payment_of(session, started).amount_cents = 2_000
    stand_in.pay(started.checkout_id or "")

    release()

    assert booked_of(session, started) == []
    stand_in.faults.fail_calls("500", times=100)
    assert release(33 * MINUTE).errors == []


@pytest.mark.usefixtures("stand_in")
def test_where_nobody_can_be_asked_nothing_is_decided(session: Session, factory: Factory, app: Flask) -> None:
    begin(factory, factory.initiative().id)
    session.commit()

    with app.app_context():
        report = release_checkouts.run(factory.now + 60 * MINUTE)

    assert report.changed == 0
    assert states(session) == ["created"]
