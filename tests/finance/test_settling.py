# SPDX-License-Identifier: EUPL-1.2
"""A task of finance is settled once, in a way that fits it, and books what goes with that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import product

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.finance.models import FinanceTask
from abs_platform.finance.service import open_task
from abs_platform.finance.settling import SETTLEMENTS, fitting, settle
from abs_platform.finance.states import Settlement, TaskKind
from abs_platform.payments.service import Started
from tests.concurrency.racing import at_once, committed
from tests.factories import TEST_ACTOR, Factory
from tests.payments.going_back import Bank
from tests.stand_in import StandIn

DAY = dt.timedelta(days=1)


@pytest.fixture
def bank(paying_app: Flask, session: Session, factory: Factory, stand_in: StandIn) -> Bank:
    """Who pays, who pays back, and who looks into it."""
    return Bank(paying_app, factory, stand_in)


def settle_one(bank: Bank, settlement: Settlement, note: str = "Nagekeken.", amount_cents: int | None = None) -> None:
    """Settle the oldest open task."""
    query = select(FinanceTask).where(FinanceTask.settled_at.is_(None)).order_by(FinanceTask.id).limit(1)
    task = bank.session.scalars(query).one()
    by_id, rules = bank.factory.account().id, bank.factory.rules
    settle(
        bank.session,
        task.id,
        settlement,
        note,
        amount_cents,
        rules=rules,
        by_id=by_id,
        actor=TEST_ACTOR,
        now=bank.factory.now,
    )
    bank.session.commit()


def refused(bank: Bank) -> Started:
    """A gift that must go back and that the provider does not give back."""
    initiative = bank.factory.initiative()
    gift = bank.give(initiative)
    bank.stop(initiative)
    bank.stand_in.refuse_next_refund()
    bank.refund()
    return gift


@pytest.mark.parametrize(
    ("kind", "settlement"),
    [pair for pair in product(TaskKind, Settlement) if pair[1] not in SETTLEMENTS[pair[0]]],
)
def test_a_way_that_does_not_fit_a_task_is_refused(factory: Factory, kind: TaskKind, settlement: Settlement) -> None:
    open_task(factory.session, kind, "een", now=factory.now)
    task = factory.session.scalars(select(FinanceTask)).one()
    names = {"rules": factory.rules, "by_id": factory.account().id, "actor": TEST_ACTOR, "now": factory.now}

    with pytest.raises(Conflict):
        settle(factory.session, task.id, settlement, "Nagekeken.", **names)  # type: ignore[arg-type]

    assert task.settled_at is None


@pytest.mark.parametrize("kind", list(TaskKind))
def test_every_task_can_be_closed_with_a_note_once_nothing_is_left_to_book(factory: Factory, kind: TaskKind) -> None:
    open_task(factory.session, kind, "een", now=factory.now)
    task = factory.session.scalars(select(FinanceTask)).one()
    names = {"rules": factory.rules, "by_id": factory.account().id, "actor": TEST_ACTOR, "now": factory.now}
    assert fitting(factory.session, task) == [Settlement.NOTE]

    settle(factory.session, task.id, Settlement.NOTE, " Nagekeken. ", **names)  # type: ignore[arg-type]

    assert (task.settlement, task.settled_note, task.settled_by_id) == ("note", "Nagekeken.", names["by_id"])
    with pytest.raises(Conflict):
        settle(factory.session, task.id, Settlement.NOTE, "Nog eens.", **names)  # type: ignore[arg-type]


def test_what_finance_paid_by_hand_is_owed_no_more(bank: Bank) -> None:
    gift = refused(bank)

    with pytest.raises(Conflict):
        settle_one(bank, Settlement.NOTE)
    with pytest.raises(InvalidInput):
        settle_one(bank, Settlement.PAID_BY_HAND, amount_cents=999)
    bank.session.rollback()
    settle_one(bank, Settlement.PAID_BY_HAND, amount_cents=1_000)

    assert bank.seen(gift) == ("refunded", "returned", 1_000)
    assert (bank.accounts().get("owed", 0), bank.accounts()["bank"]) == (0, 1_000)
    assert bank.tasks() == []
    bank.refund(bank.factory.now + DAY)
    assert bank.is_whole()


def test_what_was_paid_by_hand_and_then_refunded_at_the_provider_too_is_seen(bank: Bank) -> None:
    gift = refused(bank)
    settle_one(bank, Settlement.PAID_BY_HAND)
    bank.stand_in.refund_by_hand(bank.intent(gift))
    bank.hear()

    assert bank.seen(gift) == ("refunded", "returned", 1_000)
    assert bank.accounts()["suspense"] == -1_000
    assert bank.is_whole()
    settle_one(bank, Settlement.BORNE)
    assert "suspense" not in bank.accounts()
    assert bank.tasks() == []
    assert bank.is_whole()


@pytest.mark.parametrize("works", [True, False])
def test_trying_again_asks_the_provider_with_a_new_key(bank: Bank, works: bool) -> None:
    gift = refused(bank)
    settle_one(bank, Settlement.TRY_AGAIN)
    asked = bank.seen(gift), bank.accounts()["owed"]
    if not works:
        bank.stand_in.refuse_next_refund()
    bank.refund(bank.factory.now + DAY)

    assert asked == (("refund_pending", "returned", 0), 1_000)
    assert bank.seen(gift) == (("refunded", "returned", 1_000) if works else ("refund_failed", "returned", 0))
    assert bank.tasks() == ([] if works else ["refund_failed"])
    assert bank.is_whole()


def test_a_refund_that_failed_days_later_is_tried_again(bank: Bank) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative)
    bank.stop(initiative)
    bank.refund()
    first = str(bank.payment(gift).refund_id)
    bank.stand_in.fail_refund(first)
    bank.hear()
    settle_one(bank, Settlement.TRY_AGAIN)
    bank.refund()
    bank.hear()

    assert bank.seen(gift) == ("refunded", "returned", 1_000)
    assert bank.payment(gift).refund_id != first
    assert bank.mails() == ["gift-refunded", "gift-stuck", "gift-refunded"]
    assert bank.is_whole()


def test_what_is_too_old_cannot_be_tried_again(bank: Bank) -> None:
    refused(bank)
    bank.factory.now += dt.timedelta(days=bank.factory.rules.refund_window_days + 1)

    with pytest.raises(Conflict):
        settle_one(bank, Settlement.TRY_AGAIN)


def test_a_part_that_the_municipality_bears_leaves_suspense_and_comes_back_when_the_rest_goes(bank: Bank) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative, 1_000)
    part = bank.stand_in.refund_by_hand(bank.intent(gift), 300)
    bank.hear()
    with pytest.raises(Conflict):
        settle_one(bank, Settlement.NOTE)
    settle_one(bank, Settlement.BORNE)
    assert bank.is_whole()
    borne = bank.accounts().get("suspense", 0)
    bank.stop(initiative)
    bank.refund()
    whole = bank.seen(gift)
    assert bank.is_whole()
    bank.stand_in.fail_refund(part["id"])
    bank.hear()

    assert (borne, whole) == (0, ("refunded", "returned", 1_000))
    assert bank.seen(gift) == ("refund_failed", "returned", 700)
    assert bank.is_whole()


def test_a_part_that_the_municipality_bore_and_that_failed_is_the_municipalitys_again(bank: Bank) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative, 1_000)
    part = bank.stand_in.refund_by_hand(bank.intent(gift), 300)
    bank.hear()
    assert bank.is_whole()
    fees = bank.accounts()["fees"]
    settle_one(bank, Settlement.BORNE)
    borne = bank.accounts()["fees"]
    bank.stand_in.fail_refund(part["id"])
    bank.hear()

    assert (borne, bank.accounts()["fees"]) == (fees - 300, fees)
    assert bank.seen(gift) == ("paid", "confirmed", 0)
    assert bank.is_whole()
    bank.stop(initiative)
    bank.refund()
    assert bank.is_whole()


def test_a_note_is_asked_for_and_a_task_must_exist(bank: Bank) -> None:
    refused(bank)
    with pytest.raises(InvalidInput) as error:
        settle_one(bank, Settlement.PAID_BY_HAND, note="  ")
    assert set(error.value.fields) == {"note"}
    with pytest.raises(NotFound):
        settle(
            bank.session,
            0,
            Settlement.NOTE,
            "Nagekeken.",
            rules=bank.factory.rules,
            by_id=1,
            actor=TEST_ACTOR,
            now=bank.factory.now,
        )


def test_two_of_finance_who_settle_one_task_at_once_pay_once(
    own_paying_app: Flask, own_session: Session, own_factory: Factory, stand_in: StandIn
) -> None:
    bank = Bank(own_paying_app, own_factory, stand_in)
    refused(bank)
    task_id = own_session.scalars(select(FinanceTask.id)).one()
    people = [own_factory.account().id for _ in range(2)]
    own_session.commit()

    def pay(by_id: int) -> Callable[[Session], None]:
        names = {"rules": own_factory.rules, "by_id": by_id, "actor": TEST_ACTOR, "now": own_factory.now}
        return lambda session: settle(session, task_id, Settlement.PAID_BY_HAND, "Betaald.", **names)  # type: ignore[arg-type]

    outcomes = at_once([committed(own_paying_app, pay(by_id)) for by_id in people])

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]
    assert bank.accounts()["bank"] == 1_000
