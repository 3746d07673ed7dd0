# SPDX-License-Identifier: EUPL-1.2
"""Payments at the same moment, on real connections: one event told many times, two for the last part, all who book."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.actors import GIVER, Actor
from abs_platform.donations.models import Donation
from abs_platform.errors import AbsError, InvalidInput, ProviderUnavailable
from abs_platform.initiatives import service
from abs_platform.initiatives.models import Initiative
from abs_platform.payments import paying
from abs_platform.payments.booking import Booked, book_checkout
from abs_platform.payments.models import Payment, ProviderEvent
from abs_platform.payments.port import Checkout, ProviderEventData
from abs_platform.payments.service import MoneyGift, Started, start_gift
from abs_platform.payments.usual_booking import book_usual
from abs_platform.vouchers.codes import read_code
from jobs import close_initiatives, reconcile_payments, release_checkouts
from tests.concurrency.racing import assert_books_are_right, at_once, committed, meanwhile, wait_until_blocked
from tests.factories import TEST_ACTOR, Factory
from tests.payments.gifts import begin, begin_at, checkout, deliver, donation_of, money_gift, payment_of
from tests.stand_in import StandIn

MINUTE = dt.timedelta(minutes=1)
GIFTS, TIMES, SENDERS = 50, 4, 20


def count(session: Session, *where: Any) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(Donation).where(*where)) or 0


def told(stand_in: StandIn, started: Started) -> tuple[bytes, str]:
    """The signed event that a payment was made."""
    about = {
        "id": started.checkout_id,
        "object": "checkout.session",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": started.amount_cents,
        "currency": "eur",
        "payment_intent": f"pi_{started.reference}",
        "metadata": {"platform": "abs", "reference": started.reference},
        "created": 1_700_000_000,
    }
    return stand_in.event("checkout.session.completed", about, id=f"evt_{started.reference}")


@pytest.mark.parametrize("target_cents", [500_000, 25_000], ids=["all in time", "funded half-way"])
def test_fifty_payments_told_four_times_each_at_once_are_fifty_gifts_once_each(
    own_paying_app: Flask, own_session: Session, own_factory: Factory, stand_in: StandIn, target_cents: int
) -> None:
    initiative_id = own_factory.initiative(target_cents=target_cents).id
    begun = [
        begin(own_factory, initiative_id, 1_000, now=own_factory.now - number * 32 * MINUTE)
        for number in range(GIFTS, 0, -1)  # so long after one another that none keeps room from the next
    ]
    own_session.commit()
    sent = [told(stand_in, started) for started in begun] * TIMES
    random.Random(4).shuffle(sent)

    def send(part: list[tuple[bytes, str]]) -> set[int]:
        return {deliver(own_paying_app, payload, signature) for payload, signature in part}

    answers = at_once([partial(send, sent[start::SENDERS]) for start in range(SENDERS)])

    assert answers == [{200}] * SENDERS
    own_session.rollback()
    assert own_session.scalar(select(func.count()).select_from(ProviderEvent)) == GIFTS
    outcomes = set(own_session.scalars(select(ProviderEvent.outcome)))
    assert outcomes == {"applied"}
    assert set(own_session.scalars(select(Payment.state))) == {"paid"}
    in_time, late = count(own_session, Donation.state == "confirmed"), count(own_session, Donation.state == "failed")
    assert in_time + late == GIFTS
    assert own_session.scalar(select(func.count()).where(Payment.refund_reason == "late")) == late
    assert in_time == GIFTS if target_cents == 500_000 else in_time >= 25
    assert own_session.get_one(Initiative, initiative_id).state == ("published" if not late else "funded")
    assert_books_are_right(own_session, jobs_have_run=True)


def test_all_who_may_book_a_payment_at_once_book_it_once(
    own_paying_app: Flask, own_session: Session, own_factory: Factory, stand_in: StandIn
) -> None:
    initiative_id = own_factory.initiative(target_cents=5_000).id
    started = begin_at(own_factory, stand_in, initiative_id, 5_000)
    stand_in.pay(started.checkout_id or "")
    (sent,) = stand_in.deliveries()
    later = own_factory.now + 32 * MINUTE

    def run(job: Callable[[dt.datetime], Any]) -> list[str]:
        with own_paying_app.app_context():
            return list(job(later).errors)

    def send() -> list[str]:
        return [] if deliver(own_paying_app, *sent) == 200 else ["refused"]

    def look() -> list[str]:
        page = own_paying_app.test_client().get(f"/giften/{started.reference}")
        return [] if page.status_code == 200 and "€\N{NO-BREAK SPACE}50" in page.text else [page.text]

    works: list[Callable[[], list[str]]] = [send] * 4 + [look] * 4
    works += [partial(run, release_checkouts.run)] * 2 + [partial(run, close_initiatives.run)] * 2
    works += [partial(run, reconcile_payments.run)] * 2
    errors = at_once(works)

    assert errors == [[]] * len(works)
    assert donation_of(own_session, started).state == "confirmed"
    assert own_session.get_one(Initiative, initiative_id, populate_existing=True).state == "funded"
    assert_books_are_right(own_session, jobs_have_run=True)


def test_paying_against_the_release_leaves_one_truth(
    own_paying_app: Flask, own_session: Session, own_factory: Factory, stand_in: StandIn
) -> None:
    """The provider decides who was first; ours follows, and what it took is booked."""
    initiative_id = own_factory.initiative(target_cents=100_000).id
    begun = [begin_at(own_factory, stand_in, initiative_id, 100) for _number in range(12)]
    later = own_factory.now + 32 * MINUTE

    def release() -> None:
        with own_paying_app.app_context():
            release_checkouts.run(later)

    def pay_all() -> None:
        for started in reversed(begun):
            try:
                stand_in.pay(started.checkout_id or "")
            except Exception:  # noqa: BLE001, S112 - it was closed already, in words of the stand-in's own
                continue
            for payload, signature in stand_in.deliveries():
                deliver(own_paying_app, payload, signature)

    at_once([release, pay_all])
    release()

    own_session.rollback()
    truth = {started.reference: stand_in.provider.get_checkout(started.checkout_id or "").is_paid for started in begun}
    ours = {started.reference: payment_of(own_session, started).state == "paid" for started in begun}
    assert ours == truth
    assert count(own_session, Donation.state == "pending") == 0
    assert_books_are_right(own_session)


def test_of_many_who_want_the_last_part_at_once_one_gets_it(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    initiative_id, rules, now = own_factory.initiative(target_cents=5_000).id, own_factory.rules, own_factory.now
    own_session.commit()

    def start(session: Session, gift: MoneyGift) -> Started:
        return start_gift(session, initiative_id, gift, rules=rules, actor=GIVER, now=now)

    begun = at_once([committed(own_app, partial(start, gift=money_gift(5_000))) for _form in range(8)])

    assert sum(isinstance(found, Started) for found in begun) == 1
    assert sum(isinstance(found, InvalidInput) and "amount" in found.fields for found in begun) == 7


def test_one_form_sent_by_an_impatient_giver_is_one_payment_with_one_voucher(
    own_paying_app: Flask, own_session: Session, own_factory: Factory, stand_in: StandIn
) -> None:
    (code,) = own_factory.codes()
    initiative_id, gift, payload = own_factory.initiative().id, money_gift(), read_code(code)
    own_session.commit()

    def send() -> str | AbsError:
        with own_paying_app.test_request_context("/", method="POST"):
            try:
                return paying.begin(initiative_id, gift, voucher=payload)
            except AbsError as refusal:
                return refusal

    answers = at_once([send] * 6)

    urls = {answer for answer in answers if isinstance(answer, str)}
    assert len(urls) == 1
    assert all(isinstance(answer, str | ProviderUnavailable) for answer in answers)
    assert len(list(stand_in.provider.checkouts_since(own_factory.now - MINUTE))) == 1
    assert count(own_session, Donation.kind == "money") == 1
    assert count(own_session, Donation.kind == "voucher") == 1
    assert_books_are_right(own_session)


def book_event(session: Session, found: Checkout, *, actor: Actor, now: dt.datetime) -> Booked | None:
    """What the webhook tries first."""
    event = ProviderEventData(id="evt_1", type="checkout.session.completed", created_at=found.created_at, subject=found)
    return book_usual(session, event, actor=actor, now=now)


@pytest.mark.parametrize("book", [book_checkout, book_event])
def test_an_ending_waits_for_the_payment_that_is_being_booked(
    own_app: Flask, own_session: Session, own_factory: Factory, book: Callable[..., Booked | None]
) -> None:
    initiative_id, now = own_factory.initiative().id, own_factory.now
    started = begin(own_factory, initiative_id)
    own_session.commit()
    assert book(own_session, checkout(started), actor=TEST_ACTOR, now=now)  # not yet committed
    stop = committed(own_app, lambda s: service.stop(s, initiative_id, reason="Zo.", actor=TEST_ACTOR, now=now))

    with Session(own_session.get_bind()) as watch, meanwhile(stop) as stopped:
        wait_until_blocked(watch)
        own_session.commit()

    assert stopped.result() is None
    assert donation_of(own_session, started).state == "confirmed"
    assert_books_are_right(own_session)


def test_a_payment_that_is_booked_during_the_ending_is_late(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    initiative_id, now = own_factory.initiative().id, own_factory.now
    started = begin(own_factory, initiative_id)
    own_session.commit()
    service.stop(own_session, initiative_id, reason="Zo.", actor=TEST_ACTOR, now=now)  # not yet committed
    book = committed(own_app, lambda s: book_checkout(s, checkout(started), actor=TEST_ACTOR, now=now))

    with Session(own_session.get_bind()) as watch, meanwhile(book) as booked:
        wait_until_blocked(watch)
        own_session.commit()

    result = booked.result()
    assert isinstance(result, Booked)
    assert result.confirmed_initiative_id is None
    assert payment_of(own_session, started).refund_reason == "late"
    assert_books_are_right(own_session)


def test_a_payment_that_is_told_during_the_ending_is_late_and_told_twice_it_is_late_once(
    own_paying_app: Flask, own_session: Session, own_factory: Factory, stand_in: StandIn
) -> None:
    initiative_id, now = own_factory.initiative().id, own_factory.now
    started = begin(own_factory, initiative_id)
    own_session.commit()
    service.stop(own_session, initiative_id, reason="Zo.", actor=TEST_ACTOR, now=now)  # not yet committed
    send = partial(deliver, own_paying_app, *told(stand_in, started))

    with Session(own_session.get_bind()) as watch, meanwhile(send) as first, meanwhile(send) as second:
        wait_until_blocked(watch, 2)  # for the initiative, and for the payment
        own_session.commit()

    assert (first.result(), second.result()) == (200, 200)
    assert payment_of(own_session, started).refund_reason == "late"
    assert own_session.scalars(select(ProviderEvent.outcome)).all() == ["applied"]
    assert_books_are_right(own_session)


def test_beginning_with_vouchers_booking_and_closing_at_once_never_wait_for_each_other_for_ever(
    own_paying_app: Flask, own_session: Session, own_factory: Factory, stand_in: StandIn
) -> None:
    codes = own_factory.codes(12)
    initiative_id, now = own_factory.initiative(target_cents=12_000).id, own_factory.now
    begun = [begin(own_factory, initiative_id, 1_000, now=now - number * 32 * MINUTE) for number in range(8, 0, -1)]
    own_session.commit()

    def give(code: str, number: int) -> object:
        address = {"REMOTE_ADDR": f"198.51.100.{number}"}
        with own_paying_app.test_request_context("/", method="POST", environ_base=address):
            try:
                return paying.begin(initiative_id, money_gift(100), voucher=read_code(code))
            except AbsError as refusal:
                return refusal

    def send(started: Started) -> object:
        return [deliver(own_paying_app, *told(stand_in, started)) for _time in range(2)]

    def close() -> object:
        with own_paying_app.app_context():
            return close_initiatives.run(now).errors

    works: list[Callable[[], object]] = [partial(send, started) for started in begun] + [close]
    works += [partial(give, code, number) for number, code in enumerate(codes[:7])]
    answers = at_once(works)

    assert answers[: len(begun)] == [[200, 200]] * len(begun)
    assert answers[len(begun)] == []
    assert_books_are_right(own_session, jobs_have_run=True)
