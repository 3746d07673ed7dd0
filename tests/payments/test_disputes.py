# SPDX-License-Identifier: EUPL-1.2
"""A bank claims a payment back: from its opening the money is gone, until the claim is won."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.ledger.queries import check
from abs_platform.payments.disputing import book_dispute
from abs_platform.payments.port import Dispute, DisputeStatus
from tests.factories import TEST_ACTOR, Factory
from tests.payments.gifts import deliver_all
from tests.payments.going_back import KEEPS, Bank, bring_to, pay_out
from tests.stand_in import StandIn

STATES = [State.PUBLISHED, State.STOPPED, State.FUNDED, State.IN_PROGRESS, State.REALISED]


@pytest.fixture
def bank(paying_app: Flask, session: Session, factory: Factory, stand_in: StandIn) -> Bank:
    """Who pays, and whose bank wants it back."""
    return Bank(paying_app, factory, stand_in)


def test_an_open_claim_takes_the_money_away_and_asks_finance(bank: Bank) -> None:
    gift = bank.give(bank.factory.initiative())
    bank.stand_in.dispute(bank.intent(gift))
    bank.hear()

    assert bank.seen(gift) == ("disputed", "confirmed", 0)
    assert bank.accounts()["disputes"] == -1_000
    assert bank.tasks() == ["dispute_opened"]
    assert bank.is_whole()


def test_what_is_claimed_does_not_go_back_until_it_is_decided(bank: Bank) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative)
    found = bank.stand_in.dispute(bank.intent(gift))
    bank.hear()
    bank.stop(initiative)

    report = bank.refund()
    claimed = bank.seen(gift)
    bank.stand_in.close_dispute(found["id"], won=True)
    bank.hear()
    won = bank.seen(gift)
    bank.refund()

    assert (report.changed, claimed, won) == (0, ("disputed", "confirmed", 0), ("paid", "confirmed", 0))
    assert bank.state(gift) in {"refunded", "refund_failed"}
    assert bank.accounts().get("initiative", 0) == 0
    assert bank.is_whole()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("is_heard", [True, False])
def test_a_claim_that_is_lost_returns_the_gift_or_is_borne(bank: Bank, state: State, is_heard: bool) -> None:
    initiative = bank.factory.initiative(target_cents=5_000)
    gift = bank.give(initiative, 2_000)
    bring_to(bank, initiative, state)
    found = bank.stand_in.dispute(bank.intent(gift))
    if is_heard:
        bank.hear()
    bank.stand_in.close_dispute(found["id"], won=False)
    if is_heard:
        bank.hear()
    assert bank.is_whole()

    assert bank.seen(gift) == ("charged_back", "confirmed" if state in KEEPS else "returned", 2_000)
    assert bank.payment(gift).is_borne == (state in KEEPS)
    assert bank.tasks() == ["dispute_opened", "dispute_lost"]
    assert "disputes" not in bank.accounts()


@pytest.mark.parametrize("is_won", [True, False])
@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_news_of_a_claim_in_any_order_and_twice_ends_the_same(
    bank: Bank,
    order: tuple[int, ...],
    is_won: bool,
) -> None:
    gift = bank.give(bank.factory.initiative())
    found = bank.stand_in.dispute(bank.intent(gift))
    opened = bank.stand_in.deliveries()
    bank.stand_in.close_dispute(found["id"], won=is_won)
    told = [opened, bank.stand_in.deliveries()]

    for place in (*order, *order):
        deliver_all(bank.app, told[place])

    assert bank.is_whole()
    assert bank.state(gift) == ("paid" if is_won else "charged_back")


def test_what_came_late_and_is_claimed_is_owed_no_more_once_it_is_lost(bank: Bank) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative, hear=False)
    bank.stop(initiative)
    bank.hear()
    found = bank.stand_in.dispute(bank.intent(gift))
    bank.hear()
    bank.refund()
    claimed = bank.seen(gift), bank.accounts()["owed"]
    bank.stand_in.close_dispute(found["id"], won=False)
    bank.hear()

    assert claimed == (("disputed", "failed", 0), 1_000)
    assert bank.seen(gift) == ("charged_back", "failed", 1_000)
    assert bank.is_whole()


def test_the_municipality_bears_a_lost_claim_when_the_money_is_at_the_bank(bank: Bank) -> None:
    initiative = bank.factory.initiative(target_cents=5_000)
    gift = bank.give(initiative, 3_000)
    bank.factory.fund(initiative)
    pay_out(bank.factory, initiative, 5_000, "exported")
    bank.stop(initiative)
    found = bank.stand_in.dispute(bank.intent(gift))
    bank.stand_in.close_dispute(found["id"], won=False)
    bank.hear()

    assert bank.seen(gift) == ("charged_back", "confirmed", 3_000)
    assert bank.payment(gift).is_borne


@pytest.mark.parametrize("is_won", [True, False])
def test_what_is_asked_back_and_claimed_at_once_is_settled_once(bank: Bank, is_won: bool) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative)
    bank.stop(initiative)
    found = bank.stand_in.dispute(bank.intent(gift))
    bank.refund()  # refused: it is claimed, but we have not heard of it
    refused = bank.seen(gift)
    bank.hear()
    claimed = bank.seen(gift)
    bank.stand_in.close_dispute(found["id"], won=is_won)
    bank.hear()

    assert refused == ("refund_failed", "returned", 0)
    assert claimed == ("disputed", "returned", 0)
    assert bank.seen(gift) == (("paid", "returned", 0) if is_won else ("charged_back", "returned", 1_000))
    assert bank.accounts().get("owed", 0) == (1_000 if is_won else 0)
    assert bank.is_whole()


@pytest.mark.parametrize("is_won", [True, False])
def test_a_claim_of_the_whole_after_a_part_went_back_takes_the_rest_and_no_more_is_owed(
    bank: Bank, is_won: bool
) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative)
    bank.stand_in.refund_by_hand(bank.intent(gift), 300)
    found = bank.stand_in.dispute(bank.intent(gift))
    bank.hear()
    claimed = bank.seen(gift), bank.accounts()["disputes"], bank.accounts()["suspense"]
    assert bank.is_whole()
    bank.stand_in.close_dispute(found["id"], won=is_won)
    bank.hear()

    beyond = found["amount"] - 700
    assert claimed == (("disputed", "confirmed", 300), -700, -300 - beyond)
    assert bank.seen(gift) == (("paid", "confirmed", 300) if is_won else ("charged_back", "returned", 1_000))
    assert bank.accounts().get("suspense", 0) == (-300 if is_won else -beyond)
    assert bank.is_whole()


@pytest.mark.parametrize("is_won", [True, False])
@pytest.mark.parametrize("is_late", [True, False])
def test_a_claim_of_a_part_is_as_a_part_that_went_back(bank: Bank, is_won: bool, is_late: bool) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative, hear=False)
    if is_late:
        bank.stop(initiative)
    bank.hear()
    payment, now = bank.payment(gift), bank.factory.now
    names = {"id": "du_part", "amount_cents": 400, "intent_id": payment.intent_id, "charge_id": None, "created_at": now}
    claim = Dispute(status=DisputeStatus.OPEN, **names)  # type: ignore[arg-type]
    decided = replace(claim, status=DisputeStatus.WON if is_won else DisputeStatus.LOST)

    outcomes = [
        book_dispute(bank.session, told, actor=TEST_ACTOR, now=now) for told in (claim, claim, decided, decided)
    ]

    assert [outcome.value for outcome in outcomes] == ["task", "nothing_new", "task", "nothing_new"]
    assert bank.seen(gift) == ("paid", "failed" if is_late else "confirmed", 0 if is_won else 400)
    assert bank.accounts().get("owed", 0) == (0 if not is_late else 1_000 if is_won else 600)
    assert bank.held() == (1_000 if is_won else 600)
    assert check(bank.session) == []


def test_a_claim_of_what_went_back_already_is_on_suspense(bank: Bank) -> None:
    gift = bank.give(bank.factory.initiative())
    bank.stand_in.refund_by_hand(bank.intent(gift))
    bank.hear()
    payment, now = bank.payment(gift), bank.factory.now
    claim = Dispute(
        id="du_again",
        status=DisputeStatus.LOST,
        amount_cents=1_000,
        intent_id=payment.intent_id,
        charge_id=None,
        created_at=now,
    )

    for _ in range(2):
        book_dispute(bank.session, claim, actor=TEST_ACTOR, now=now)

    assert bank.seen(gift) == ("refunded", "returned", 1_000)
    assert bank.accounts()["suspense"] == -1_000
    assert bank.tasks() == ["refund_at_provider", "dispute_opened", "dispute_lost"]
    assert check(bank.session) == []
