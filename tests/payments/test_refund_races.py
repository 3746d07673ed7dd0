# SPDX-License-Identifier: EUPL-1.2
"""What comes at once, each on a connection of its own: a refund told by many, closing against a refund."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform.initiatives.service import close_if_funded
from abs_platform.ledger.queries import check
from abs_platform.payments.disputing import book_dispute
from abs_platform.payments.port import BankTransfer, Dispute, DisputeStatus, Entry
from abs_platform.payments.reconciling import book_bank_transfer, keep_entry
from abs_platform.payments.refunding import book_refund, mark_asked
from jobs import refund_payments
from tests.concurrency.racing import at_once, committed
from tests.factories import TEST_ACTOR, Factory
from tests.payments.going_back import Bank
from tests.stand_in import StandIn


@pytest.fixture
def bank(own_paying_app: Flask, own_session: Session, own_factory: Factory, stand_in: StandIn) -> Bank:
    """Who pays, and who pays back; everything is really committed."""
    return Bank(own_paying_app, own_factory, stand_in)


def test_what_is_told_of_a_payment_at_once_is_booked_once(bank: Bank) -> None:
    initiative = bank.factory.initiative()
    gift = bank.give(initiative)
    bank.stop(initiative)
    payment, now = bank.payment(gift), bank.factory.now
    rules = bank.factory.rules
    mark_asked(bank.session, gift.payment_id, rules=rules, actor=TEST_ACTOR, now=now)
    bank.session.commit()
    refund = bank.stand_in.provider.refund(
        str(payment.intent_id), 1_000, reference=gift.reference, idempotency_key=f"refund-{gift.reference}-0"
    )
    transfer = BankTransfer(id="po_1", status="paid", amount_cents=100, created_at=now)
    entry = Entry(
        id="txn_1", type="stripe_fee", amount_cents=-10, fee_cents=0, currency="eur", source_id="", created_at=now
    )
    told = [
        *[partial(book_refund, refund=refund, actor=TEST_ACTOR, now=now)] * 4,
        *[partial(book_bank_transfer, transfer=transfer, actor=TEST_ACTOR, now=now)] * 2,
        *[partial(keep_entry, entry=entry, now=now)] * 2,
    ]
    bank.session.commit()

    outcomes = [str(outcome) for outcome in at_once([committed(bank.app, verb) for verb in told])]

    assert sorted(outcomes[:4]) == ["applied", "nothing_new", "nothing_new", "nothing_new"]
    assert sorted(outcomes[4:]) == ["False", "True", "applied", "nothing_new"]
    bank.session.expire_all()
    assert bank.seen(gift) == ("refunded", "returned", 1_000)
    assert bank.accounts() == {"bank": -100, "fees": -10, "provider": 110}
    assert check(bank.session) == []


@pytest.mark.parametrize("is_claim", [True, False])
def test_a_target_is_reached_or_its_money_went_back_but_not_both(bank: Bank, is_claim: bool) -> None:
    initiative = bank.factory.initiative(target_cents=5_000)
    gift = bank.give(initiative, 4_999)
    initiative.target_cents = 4_999  # reached, and not yet closed
    bank.session.commit()
    intent, now = bank.intent(gift), bank.factory.now
    names = {"id": "du_1", "amount_cents": 4_999, "intent_id": intent, "charge_id": None, "created_at": now}
    if is_claim:
        claim = Dispute(status=DisputeStatus.LOST, **names)  # type: ignore[arg-type]
        back = partial(book_dispute, dispute=claim, actor=TEST_ACTOR, now=now)
    else:
        bank.stand_in.refund_by_hand(intent)
        found = next(iter(bank.stand_in.provider.refunds_since(now - dt.timedelta(days=1))))
        back = partial(book_refund, refund=found, actor=TEST_ACTOR, now=now)  # type: ignore[assignment]
    close = partial(close_if_funded, initiative_id=initiative.id, actor=TEST_ACTOR, now=now)

    _, closed = at_once([committed(bank.app, back), committed(bank.app, close)])

    bank.session.expire_all()
    assert (initiative.state, bank.payment(gift).is_borne) == (("funded", True) if closed else ("published", False))
    assert check(bank.session) == []


def test_two_runs_of_the_job_at_once_ask_for_each_payment_once(bank: Bank) -> None:
    initiative = bank.factory.initiative()
    gifts = [bank.give(initiative, 1_000 + number) for number in range(3)]
    bank.stop(initiative)
    bank.session.commit()

    def run() -> list[str]:
        with bank.app.app_context():
            return refund_payments.run(bank.factory.now).errors

    assert at_once([run, run]) == [[], []]
    bank.session.expire_all()
    assert {bank.state(gift) for gift in gifts} == {"refunded"}
    assert bank.held() == 0
    assert bank.is_whole()
