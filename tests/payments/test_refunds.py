# SPDX-License-Identifier: EUPL-1.2
"""Money goes back whole, once and told, whatever the provider answers and whenever we die."""

from __future__ import annotations

import datetime as dt
from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.payments import queries
from abs_platform.payments.service import Started
from jobs import close_initiatives, refund_payments
from tests.factories import Factory
from tests.payments.gifts import deliver_all
from tests.payments.going_back import KEEPS, Bank, bring_to, pay_out
from tests.stand_in import StandIn

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def bank(paying_app: Flask, session: Session, factory: Factory, stand_in: StandIn) -> Bank:
    """Who pays, and who pays back."""
    return Bank(paying_app, factory, stand_in)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refund_payments, "AT_ONCE", 2)


def owed(bank: Bank, cents: int = 1_000) -> Started:
    """A gift of what was stopped since."""
    initiative = bank.factory.initiative()
    gift = bank.give(initiative, cents)
    bank.stop(initiative)
    return gift


# -- the job -----------------------------------------------------------------------------------------------------


def test_all_money_of_what_failed_goes_back_in_batches_and_its_givers_hear_it_once(bank: Bank) -> None:
    initiative, other = bank.factory.initiative(), bank.factory.initiative()
    gifts = [bank.give(initiative, 1_000 + number) for number in range(5)]
    stays = bank.give(other, 700)
    bank.stop(initiative)

    first, second = bank.refund(), bank.refund()
    bank.hear()

    assert (first.changed, first.errors, second.changed) == (5, [], 0)
    assert [bank.seen(gift) for gift in gifts] == [("refunded", "returned", 1_000 + number) for number in range(5)]
    assert bank.payment(gifts[0]).refund_reason == "stopped"
    assert bank.state(stays) == "paid"
    assert bank.mails() == ["gift-refunded"] * 5
    assert bank.is_whole()
    assert bank.tasks() == []


@pytest.mark.parametrize("fault", ["429", "500", "timeout"])
def test_a_provider_that_does_not_answer_is_left_alone_and_asked_again_later(bank: Bank, fault: Any) -> None:
    gifts = [owed(bank) for _ in range(3)]
    bank.stand_in.faults.fail_calls(fault, times=1 if fault == "429" else 3, path="refunds")

    first = bank.refund()
    states = [bank.state(gift) for gift in gifts]
    at_once, later = bank.refund(), bank.refund(bank.factory.now + 2 * MINUTE)

    assert first.changed == 0
    assert len(first.errors) == 1
    assert states == ["refund_pending", "paid", "paid"]
    assert (at_once.changed, later.changed) == (2, 1)
    assert {bank.state(gift) for gift in gifts} == {"refunded"}
    assert bank.is_whole()


@pytest.mark.parametrize("fault", ["500", "timeout"])
def test_a_refund_that_was_made_without_an_answer_is_made_once(bank: Bank, fault: Any) -> None:
    gift = owed(bank)
    bank.stand_in.faults.fail_calls(fault, is_done=True, path="refunds")

    reports = [bank.refund(), bank.refund(bank.factory.now + 2 * MINUTE)]
    bank.hear()

    assert len(reports[0].errors) == 1
    assert bank.seen(gift) == ("refunded", "returned", 1_000)
    assert bank.mails() == ["gift-refunded"]
    assert bank.is_whole()


def test_a_bug_in_one_payment_stops_no_other(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    gifts = [owed(bank) for _ in range(3)]
    ask = refund_payments._ask

    def break_first(provider: Any, asked: Any, now: dt.datetime) -> int:
        if asked.payment_id == gifts[0].payment_id:
            raise ValueError("a bug")
        return ask(provider, asked, now)

    with monkeypatch.context() as patch:
        patch.setattr(refund_payments, "_ask", break_first)
        report = bank.refund()
    again = bank.refund()

    assert (report.changed, len(report.errors), again.changed) == (2, 1, 1)
    assert {bank.state(gift) for gift in gifts} == {"refunded"}
    assert bank.is_whole()


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("step", ["before_asking", "after_writing", "after_asking", "before_commit"])
def test_who_dies_between_two_steps_loses_nothing_and_doubles_nothing(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    gifts = [owed(bank), owed(bank, 1_500)]
    mark, book = refund_payments.mark_asked, refund_payments.book_refund
    refund = bank.stand_in.provider.refund

    def die(*_args: Any, **_options: Any) -> None:
        raise Killed

    def die_after(verb: Any) -> Any:
        def do(*args: Any, **options: Any) -> None:
            verb(*args, **options)
            raise Killed

        return do

    with monkeypatch.context() as patch:
        if step == "before_asking":
            patch.setattr(refund_payments, "mark_asked", die_after(mark))
        elif step == "after_writing":
            patch.setattr(bank.stand_in.provider, "refund", die)
        elif step == "after_asking":
            patch.setattr(bank.stand_in.provider, "refund", die_after(refund))
        else:
            patch.setattr(refund_payments, "book_refund", die_after(book))
        with pytest.raises(Killed):
            bank.refund()
    bank.refund()
    bank.hear()

    assert [bank.seen(gift) for gift in gifts] == [("refunded", "returned", 1_000), ("refunded", "returned", 1_500)]
    assert bank.mails() == ["gift-refunded"] * 2
    assert bank.is_whole()


def test_what_the_provider_refuses_is_owed_and_a_task_and_asked_no_more(bank: Bank) -> None:
    gift, other = owed(bank), owed(bank)
    bank.stand_in.refuse_next_refund()

    bank.refund()
    again = bank.refund(bank.factory.now + DAY)

    assert bank.seen(gift) == ("refund_failed", "returned", 0)
    assert bank.seen(other) == ("refunded", "returned", 1_000)
    assert bank.payment(gift).refund_error == "charge_not_refundable"
    assert again.changed == 0
    assert bank.accounts()["owed"] == 1_000
    assert bank.tasks() == ["refund_failed"]
    assert bank.is_whole()


def test_what_is_too_old_is_not_asked_but_owed_and_a_task(bank: Bank) -> None:
    gift = owed(bank)
    now = bank.factory.now + dt.timedelta(days=bank.factory.rules.refund_window_days, minutes=1)

    bank.refund(now)

    assert bank.seen(gift) == ("refund_failed", "returned", 0)
    assert (bank.tasks(), bank.accounts()["owed"]) == (["refund_too_late"], 1_000)
    assert bank.is_whole()


def test_money_that_lands_after_the_end_goes_back_and_is_told_why(bank: Bank) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative, hear=False)
    bank.stop(initiative)
    bank.hear()

    bank.refund()

    assert bank.seen(gift) == ("refunded", "failed", 1_000)
    assert bank.mails() == ["gift-late"]
    assert bank.is_whole()
    assert bank.tasks() == []


def test_while_a_payout_is_at_the_bank_nothing_goes_back_and_finance_is_asked_once(bank: Bank) -> None:
    initiative = bank.factory.initiative(target_cents=5_000)
    gift = bank.give(initiative, 3_000)
    bank.factory.fund(initiative)
    payout = pay_out(bank.factory, initiative, 5_000, "exported")
    bank.stop(initiative)

    reports = [close_initiatives.run(bank.factory.now) for _ in range(2)] + [bank.refund()]
    kept = bank.state(gift), bank.tasks(), bank.accounts()["initiative"]
    payout.state = "bounced"
    bank.session.commit()
    close_initiatives.run(bank.factory.now)
    bank.refund()

    assert [report.errors for report in reports] == [[], [], []]
    assert [report.changed for report in reports] == [1, 0, 0]
    assert kept == ("paid", ["stopped_after_payout"], 3_000 + 3 * 750)
    assert bank.seen(gift) == ("refunded", "returned", 3_000)
    assert "initiative" not in bank.accounts()
    assert bank.session.scalar(text("SELECT count(*) FROM donations WHERE state = 'confirmed'")) == 0
    assert bank.is_whole()


def test_a_payout_that_is_not_at_the_bank_is_refused_before_anything_goes_back(bank: Bank) -> None:
    initiative = bank.factory.initiative(target_cents=5_000)
    gift = bank.give(initiative, 3_000)
    bank.factory.fund(initiative)
    payout = pay_out(bank.factory, initiative, 5_000, "approved")
    bank.stop(initiative)

    report = close_initiatives.run(bank.factory.now)
    bank.refund()

    bank.session.refresh(payout)
    assert (report.errors, payout.state) == ([], "refused")
    assert bank.seen(gift) == ("refunded", "returned", 3_000)
    assert "initiative" not in bank.accounts()
    assert bank.tasks() == []


def test_a_gift_of_money_alone_keeps_closing_from_running_for_ever(bank: Bank) -> None:
    owed(bank)

    report = close_initiatives.run(bank.factory.now)

    assert (report.changed, report.errors) == (0, [])


# -- what the provider tells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [True, False])
def test_a_refund_that_fails_days_after_it_succeeded_is_owed_and_a_task(bank: Bank, at_once: bool) -> None:
    gift = owed(bank)
    if at_once:
        bank.stand_in.fail_next_refund()
    bank.refund()
    refund_id = bank.payment(gift).refund_id
    assert refund_id
    if not at_once:
        assert bank.state(gift) == "refunded"
        bank.stand_in.fail_refund(refund_id)
    bank.hear()

    assert bank.seen(gift) == ("refund_failed", "returned", 0)
    assert (bank.tasks(), bank.accounts()["owed"]) == (["refund_failed"], 1_000)
    assert bank.mails() == (["gift-stuck"] if at_once else ["gift-refunded", "gift-stuck"])
    assert bank.is_whole()


def test_a_pending_refund_arrives_later(bank: Bank) -> None:
    gift = owed(bank)
    bank.stand_in.hold_next_refund()
    bank.refund()
    pending = bank.seen(gift)
    bank.stand_in.settle_refund(str(bank.payment(gift).refund_id))
    bank.hear()

    assert pending == ("refund_pending", "returned", 1_000)
    assert bank.seen(gift) == ("refunded", "returned", 1_000)
    assert bank.is_whole()


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_events_of_a_refund_in_any_order_and_twice_end_the_same(bank: Bank, order: tuple[int, ...]) -> None:
    gift = bank.give(bank.factory.initiative())
    refund = bank.stand_in.refund_by_hand(bank.intent(gift))
    bank.stand_in.fail_refund(refund["id"])
    events = bank.stand_in.deliveries()
    told = [events[place] for place in order if place < len(events)]

    deliver_all(bank.app, told + told)

    assert bank.is_whole()
    assert bank.seen(gift) == ("refund_failed", "returned", 0)


@pytest.mark.parametrize("state", [State.PUBLISHED, State.STOPPED, State.FUNDED, State.IN_PROGRESS, State.REALISED])
@pytest.mark.parametrize("is_heard", [True, False])
def test_a_refund_in_the_providers_own_screen_returns_the_gift_or_is_borne(
    bank: Bank,
    state: State,
    is_heard: bool,
) -> None:
    initiative = bank.factory.initiative(target_cents=5_000)
    gift = bank.give(initiative, 2_000)
    bring_to(bank, initiative, state)
    bank.stand_in.refund_by_hand(bank.intent(gift))
    if is_heard:
        bank.hear()
    bank.reconcile()

    expected = ("refunded", "confirmed", 2_000) if state in KEEPS else ("refunded", "returned", 2_000)
    assert bank.seen(gift) == expected
    assert bank.payment(gift).is_borne == (state in KEEPS)
    assert bank.tasks() == ["refund_at_provider"]
    assert bank.mails() == ["gift-refunded"]
    bank.refund()
    assert bank.is_whole()


def test_a_part_that_went_back_is_aside_until_the_rest_goes(bank: Bank) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative, 1_000)
    bank.stand_in.refund_by_hand(bank.intent(gift), 300)
    bank.hear()
    part = bank.seen(gift), bank.accounts()["suspense"], bank.tasks()
    assert bank.is_whole()

    bank.stop(initiative)
    bank.refund()
    bank.hear()

    assert part == (("paid", "confirmed", 300), -300, ["refund_at_provider"])
    assert bank.seen(gift) == ("refunded", "returned", 1_000)
    assert "suspense" not in bank.accounts()
    assert bank.is_whole()


def test_two_parts_make_a_whole_and_no_third_goes_back(bank: Bank) -> None:
    gift = bank.give(bank.factory.initiative(), 1_000)
    for cents in (400, 600):
        bank.stand_in.refund_by_hand(bank.intent(gift), cents)
        bank.hear()

    assert bank.seen(gift) == ("refunded", "returned", 1_000)
    assert bank.is_whole()


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_part_may_fail_as_well(bank: Bank, is_stopped: bool) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative, 1_000)
    part = bank.stand_in.refund_by_hand(bank.intent(gift), 300)
    bank.hear()
    if is_stopped:
        bank.stop(initiative)
        bank.refund()
    bank.stand_in.fail_refund(part["id"])
    bank.hear()

    assert bank.seen(gift) == (("refund_failed", "returned", 700) if is_stopped else ("paid", "confirmed", 0))
    assert bank.accounts().get("owed", 0) == (300 if is_stopped else 0)
    assert "suspense" not in bank.accounts()
    assert bank.is_whole()


def test_a_part_that_we_never_heard_of_is_found_when_the_provider_refuses_the_whole(bank: Bank) -> None:
    gift = owed(bank)
    bank.stand_in.refund_by_hand(bank.intent(gift), 400)
    bank.miss()

    bank.refund()
    bank.refund()

    assert bank.seen(gift) == ("refunded", "returned", 1_000)
    assert bank.is_whole()


def test_what_went_back_unheard_is_found_when_the_provider_refuses_to_do_it_again(bank: Bank) -> None:
    gift = owed(bank)
    bank.stand_in.refund_by_hand(bank.intent(gift))
    bank.miss()

    bank.refund()

    assert bank.seen(gift) == ("refunded", "returned", 1_000)
    assert bank.accounts().get("owed", 0) == 0
    assert bank.is_whole()


def test_a_second_refund_of_the_whole_says_that_the_first_had_failed(bank: Bank) -> None:
    gift = owed(bank)
    bank.refund()
    first = str(bank.payment(gift).refund_id)
    bank.stand_in.fail_refund(first)
    late = bank.stand_in.deliveries()
    bank.stand_in.refund_by_hand(bank.intent(gift))
    bank.hear()
    before = bank.seen(gift)
    deliver_all(bank.app, late)
    bank.session.expire_all()

    assert before == bank.seen(gift) == ("refunded", "returned", 1_000)
    assert bank.payment(gift).refund_id != first
    assert bank.is_whole()


def test_nothing_is_due_that_waits_its_turn(bank: Bank) -> None:
    gift = owed(bank)
    now = bank.factory.now
    bank.payment(gift).refund_retry_at = now + HOUR
    bank.session.commit()

    assert queries.refunds_due(bank.session, now, 10) == []
    assert queries.refunds_due(bank.session, now + HOUR, 10) == [gift.payment_id]
