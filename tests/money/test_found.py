# SPDX-License-Identifier: EUPL-1.2
"""What the model found: each a plain story of the fewest steps, so that it stays found."""

from __future__ import annotations

import datetime as dt

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.finance import settling
from abs_platform.finance.models import FinanceTask
from abs_platform.finance.states import Settlement
from abs_platform.ledger.models import LedgerTransaction
from abs_platform.ledger.queries import balances, check
from jobs import reconcile_payments
from tests.factories import TEST_ACTOR, Factory
from tests.payments.gifts import begin_at
from tests.stand_in import StandIn

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def held(session: Session) -> dict[str, int]:
    return {one.account: one.amount_cents for one in balances(session) if one.amount_cents}


def test_a_transfer_that_comes_back_days_later_unheard_is_booked_back_from_the_bank(
    paying_app: Flask, session: Session, factory: Factory, stand_in: StandIn
) -> None:
    assert paying_app
    started = begin_at(factory, stand_in, factory.initiative().id, 5_000)
    stand_in.pay(started.checkout_id or "")
    transfer = stand_in.transfer(4_000)
    assert reconcile_payments.run(factory.now).errors == []
    moment = factory.now + 3 * DAY
    stand_in.at(moment)
    assert reconcile_payments.run(moment).errors == []

    stand_in.fail_transfer(transfer["id"])
    stand_in.at(moment + HOUR)
    assert reconcile_payments.run(moment + HOUR).errors == []
    stand_in.at(moment + 2 * DAY)
    assert reconcile_payments.run(moment + 2 * DAY).errors == []

    accounts = held(session)
    assert "bank" not in accounts
    assert "suspense" not in accounts
    assert accounts["provider"] == -stand_in.balance_cents()
    assert check(session, jobs_have_run=True) == []


def test_a_claim_that_is_won_after_finance_bore_a_part_of_it_is_settled_once(
    paying_app: Flask, session: Session, factory: Factory, stand_in: StandIn
) -> None:
    assert paying_app
    started = begin_at(factory, stand_in, factory.initiative().id, 4_900)
    stand_in.pay(started.checkout_id or "")
    intent_id, now = stand_in.intent_of(started.checkout_id or ""), factory.now
    stand_in.refund_by_hand(intent_id, 333)
    claim = stand_in.dispute(intent_id)
    assert reconcile_payments.run(now).errors == []
    for task in session.scalars(select(FinanceTask).where(FinanceTask.settled_at.is_(None))).all():
        if Settlement.BORNE in settling.fitting(session, task):
            by_id = factory.account().id
            how = {"rules": factory.rules, "by_id": by_id, "actor": TEST_ACTOR, "now": now}
            settling.settle(session, task.id, Settlement.BORNE, "Gezien.", **how)
    session.commit()

    stand_in.close_dispute(claim["id"], won=True)
    counts = []
    for minutes in (10, 20, 30):
        moment = now + dt.timedelta(minutes=minutes)
        stand_in.at(moment)
        assert reconcile_payments.run(moment).errors == []
        counts.append(session.scalar(select(func.count()).select_from(LedgerTransaction)))

    assert counts[0] == counts[1] == counts[2]
    assert held(session)["provider"] == -stand_in.balance_cents()
    assert check(session, jobs_have_run=True) == []
