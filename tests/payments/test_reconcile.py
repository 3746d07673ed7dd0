# SPDX-License-Identifier: EUPL-1.2
"""Reconciling heals what webhooks lost, and what nobody can explain becomes a task with both sides."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.database import db
from abs_platform.finance.models import FinanceTask
from abs_platform.initiatives.models import Initiative
from abs_platform.ledger.queries import check
from abs_platform.payments.port import CheckoutRequest
from jobs import reconcile_payments
from tests.factories import Factory
from tests.payments.gifts import book, checkout, deliver_all
from tests.payments.going_back import Bank
from tests.stand_in import StandIn

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def bank(paying_app: Flask, session: Session, factory: Factory, stand_in: StandIn) -> Bank:
    """Who pays, with nobody who tells us."""
    return Bank(paying_app, factory, stand_in)


def test_everything_is_healed_when_no_webhook_ever_arrived(bank: Bank) -> None:
    initiative = bank.factory.initiative()
    gifts = [bank.give(initiative, 9_000 + number, hear=False) for number in range(5)]
    bank.stand_in.refund_by_hand(bank.intent(gifts[0]))
    bank.stand_in.refund_by_hand(bank.intent(gifts[1]), 100)
    bank.stand_in.dispute(bank.intent(gifts[2]))
    lost = bank.stand_in.dispute(bank.intent(gifts[3]))
    bank.stand_in.close_dispute(lost["id"], won=False)
    kept = bank.stand_in.transfer(500)
    failed = bank.stand_in.transfer(300)
    bank.stand_in.fail_transfer(failed["id"])
    bank.miss()

    assert bank.is_whole()
    assert [bank.state(gift) for gift in gifts] == ["refunded", "paid", "disputed", "charged_back", "paid"]
    assert bank.accounts()["bank"] == -kept["amount"]
    assert sorted(bank.tasks()) == ["dispute_lost", "dispute_opened", "dispute_opened"] + ["refund_at_provider"] * 2


def test_a_target_that_is_reached_by_a_payment_nobody_told_of_funds_the_initiative(bank: Bank) -> None:
    initiative = bank.factory.initiative(target_cents=5_000)
    bank.give(initiative, 5_000, hear=False)
    bank.miss()

    bank.reconcile()

    bank.session.refresh(initiative)
    assert initiative.state == "funded"


def test_webhooks_after_reconciling_change_nothing(bank: Bank) -> None:
    gift = bank.give(bank.factory.initiative(), hear=False)
    bank.stand_in.refund_by_hand(bank.intent(gift))
    late = bank.stand_in.deliveries()
    assert bank.is_whole()
    before = bank.accounts()

    deliver_all(bank.app, late + late)

    bank.session.expire_all()
    assert bank.accounts() == before
    assert bank.is_whole()


def stranger(bank: Bank, cents: int = 2_500) -> None:
    """A payment at our provider that is none of ours."""
    made = bank.stand_in.provider.create_checkout(
        CheckoutRequest(
            reference="2345678923",
            amount_cents=cents,
            description="Gift",
            success_url="http://localhost/goed",
            cancel_url="http://localhost/terug",
            expires_at=bank.factory.now + 2 * HOUR,
        ),
        idempotency_key="stranger",
    )
    bank.stand_in.pay(made.id)
    bank.miss()


def test_a_payment_that_is_not_ours_is_on_suspense_with_one_task_that_shows_both_sides(bank: Bank) -> None:
    stranger(bank)

    assert bank.is_whole()

    task = bank.session.scalars(select(FinanceTask)).one()
    assert bank.accounts()["suspense"] == 2_500
    assert (task.kind, task.amount_cents) == ("difference", 2_500)
    assert "0,00" in task.ours.replace("€\xa00", "0,00")
    assert "25" in task.theirs


def test_what_only_our_books_know_is_looked_for_after_an_hour_and_taken_back_when_it_comes(bank: Bank) -> None:
    gift = bank.give(bank.factory.initiative(), hear=False)
    charge = bank.stand_in.provider.get_checkout(str(gift.checkout_id))
    book(bank.factory, replace(charge, charge_id="ch_of_nobody"))
    bank.session.commit()
    bank.miss()

    bank.reconcile(bank.factory.now + DAY)
    two_sides = bank.tasks(), bank.accounts().get("suspense", 0), bank.held() == bank.stand_in.balance_cents()
    bank.payment(gift).charge_id = charge.charge_id
    bank.session.commit()
    bank.reconcile(bank.factory.now + DAY + MINUTE)
    bank.session.execute(text("UPDATE payments SET charge_id = 'ch_of_nobody'"))
    bank.session.commit()

    assert two_sides == (["difference", "difference"], 0, True)
    assert check(bank.session) == []


def test_a_payment_that_the_provider_does_not_know_is_a_task(bank: Bank) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative, hear=False)
    bank.stand_in.deliveries()
    other = bank.give(bank.factory.initiative(), 700)
    found = replace(checkout(gift), id=str(gift.checkout_id), charge_id="ch_nowhere")
    bank.session.execute(text("UPDATE payments SET checkout_id = 'cs_nowhere' WHERE id = :id"), {"id": gift.payment_id})
    book(bank.factory, replace(found, id="cs_nowhere"))
    bank.session.commit()

    bank.reconcile(bank.factory.now + DAY)

    assert "difference" in bank.tasks()
    assert bank.held() == bank.stand_in.balance_cents()
    assert bank.state(other) == "paid"


def test_what_could_be_read_is_kept_when_the_provider_falls_silent(bank: Bank) -> None:
    gift = bank.give(bank.factory.initiative(), hear=False)
    bank.stand_in.refund_by_hand(bank.intent(gift))
    stranger(bank)
    bank.stand_in.faults.fail_calls("500", path="refunds")

    first = bank.reconcile()
    after_first = bank.state(gift), bank.tasks()
    bank.stand_in.faults.calls.clear()

    assert len(first.errors) == 1
    assert after_first == ("paid", [])
    assert bank.is_whole()
    assert bank.state(gift) == "refunded"
    assert bank.tasks() == ["refund_at_provider", "difference"]


def test_a_bug_in_one_thing_stops_no_other_and_explains_nothing_away(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    gifts = [bank.give(bank.factory.initiative(), hear=False) for _ in range(2)]
    bank.miss()
    verb = reconcile_payments.book_checkout

    def break_first(session: Session, found: Any, **options: Any) -> Any:
        if found.id == gifts[0].checkout_id:
            raise ValueError("a bug")
        return verb(session, found, **options)

    with monkeypatch.context() as patch:
        patch.setattr(reconcile_payments, "book_checkout", break_first)
        report = bank.reconcile()

    assert len(report.errors) == 1
    assert [bank.state(gift) for gift in gifts] == ["created", "paid"]
    assert bank.tasks() == []
    assert bank.is_whole()


def test_a_refund_that_failed_after_weeks_is_found_by_the_line_it_left(bank: Bank) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative)
    bank.stop(initiative)
    bank.refund()
    bank.hear()
    assert bank.is_whole()
    for day in range(1, 40, 9):
        bank.reconcile(bank.factory.now + day * DAY)
    bank.stand_in.at(bank.factory.now + 40 * DAY)
    bank.stand_in.fail_refund(str(bank.payment(gift).refund_id))
    bank.miss()

    report = bank.reconcile(bank.factory.now + 40 * DAY + MINUTE)

    assert report.errors == []
    assert bank.seen(gift) == ("refund_failed", "returned", 0)
    assert bank.held() == bank.stand_in.balance_cents()
    assert bank.tasks() == ["refund_failed"]


def test_a_claim_that_is_decided_after_weeks_is_found(bank: Bank) -> None:
    gift = bank.give(bank.factory.initiative(days_left=80))
    found = bank.stand_in.dispute(bank.intent(gift))
    bank.hear()
    bank.stand_in.at(bank.factory.now + 40 * DAY)
    bank.stand_in.close_dispute(found["id"], won=True)
    bank.miss()

    bank.reconcile(bank.factory.now + 40 * DAY + MINUTE)

    assert bank.state(gift) == "paid"
    assert bank.held() == bank.stand_in.balance_cents()


def test_a_balance_that_differs_though_all_is_explained_is_one_task(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.give(bank.factory.initiative())
    monkeypatch.setattr(bank.stand_in.provider, "balance_cents", lambda: 5)

    for _ in range(2):
        bank.reconcile()

    assert bank.tasks() == ["difference"]


def test_the_first_run_of_a_night_reads_ten_days_and_what_was_missed(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[dt.datetime] = []
    entries_since = bank.stand_in.provider.entries_since
    monkeypatch.setattr(
        bank.stand_in.provider, "entries_since", lambda since: (read.append(since), entries_since(since))[1]
    )
    night = dt.datetime(2026, 6, 1, 4, 0, tzinfo=dt.UTC)

    moments = [night, night + 10 * MINUTE, night + 18 * HOUR, night + DAY, night + 31 * DAY]
    for moment in moments:
        reconcile_payments.run(moment)

    assert [moment - since for moment, since in zip(moments, read, strict=True)] == [
        10 * DAY,
        DAY,
        DAY,
        10 * DAY,
        31 * DAY,
    ]


def test_no_transaction_is_open_while_the_provider_is_asked(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    gift = bank.give(bank.factory.initiative(), hear=False)
    bank.stand_in.refund_by_hand(bank.intent(gift))
    open_at: list[str] = []
    asked: list[str] = []

    def note(path: str) -> None:
        (open_at if db.session().in_transaction() else asked).append(path)

    monkeypatch.setattr(bank.stand_in.faults, "take_call", note)

    bank.reconcile()
    bank.stop(bank.session.scalars(select(Initiative)).one())
    bank.refund()

    assert asked
    assert open_at == []
