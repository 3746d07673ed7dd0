# SPDX-License-Identifier: EUPL-1.2
"""Money that goes back, for tests: paid gifts at the stand-in, the jobs, and what everything adds up to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.finance.models import FinanceTask
from abs_platform.initiatives import service as initiatives
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.ledger.queries import balances, check
from abs_platform.payments.models import Payment
from abs_platform.payments.service import Started
from abs_platform.payouts.models import Payout, PayoutBatch
from jobs import reconcile_payments, refund_payments
from jobs.runner import JobReport
from tests.factories import TEST_ACTOR, Factory
from tests.payments.gifts import begin_at, deliver_all, donation_of, money_gift, payment_of
from tests.stand_in import StandIn

KEEPS = {State.FUNDED, State.IN_PROGRESS, State.REALISED}


@dataclass
class Bank:
    """An app with the stand-in behind it; whatever happened there is told by webhooks, or healed by reconciling."""

    app: Flask
    factory: Factory
    stand_in: StandIn

    @property
    def session(self) -> Session:
        return self.factory.session

    def give(self, initiative: Initiative, cents: int = 1_000, *, hear: bool = True) -> Started:
        """A gift of money that was paid."""
        gift = money_gift(cents, receipt_email=f"gever{initiative.id}-{cents}@voorbeeld.example")
        started = begin_at(self.factory, self.stand_in, initiative.id, gift)
        assert started.checkout_id
        self.stand_in.pay(started.checkout_id)
        if hear:
            self.hear()
        return started

    def intent(self, started: Started) -> str:
        assert started.checkout_id
        return self.stand_in.intent_of(started.checkout_id)

    def hear(self) -> None:
        """The webhooks arrive."""
        assert set(deliver_all(self.app, self.stand_in.deliveries())) <= {200}
        self.session.expire_all()

    def miss(self) -> None:
        """The webhooks are lost."""
        self.stand_in.deliveries()

    def stop(self, initiative: Initiative) -> None:
        """The desk stops an initiative."""
        initiatives.stop(self.session, initiative.id, reason="Zomaar.", actor=TEST_ACTOR, now=self.factory.now)
        self.session.commit()

    def refund(self, now: dt.datetime | None = None) -> JobReport:
        """One run of the refund job."""
        report = refund_payments.run(now or self.factory.now)
        self.session.expire_all()
        return report

    def reconcile(self, now: dt.datetime | None = None) -> JobReport:
        """One run of reconciling."""
        report = reconcile_payments.run(now or self.factory.now + dt.timedelta(minutes=1))
        self.session.expire_all()
        return report

    def payment(self, started: Started) -> Payment:
        return payment_of(self.session, started)

    def state(self, started: Started) -> str:
        return self.payment(started).state

    def seen(self, gift: Started) -> tuple[str, str, int]:
        """The states of a payment and its gift, and what went back."""
        return self.state(gift), donation_of(self.session, gift).state, self.payment(gift).returned_cents

    def held(self) -> int:
        """What the provider holds by our books."""
        return -self.accounts().get("provider", 0)

    def accounts(self) -> dict[str, int]:
        """What stands on each account of money that is not zero."""
        return {one.account: one.amount_cents for one in balances(self.session) if one.amount_cents}

    def tasks(self) -> list[str]:
        """The kinds of all open tasks."""
        query = select(FinanceTask.kind).where(FinanceTask.settled_at.is_(None)).order_by(FinanceTask.id)
        return list(self.session.scalars(query))

    def mails(self) -> list[str]:
        """What was queued about refunds."""
        query = "SELECT split_part(event, ':', 1) FROM outgoing_mails WHERE event LIKE 'gift-%' ORDER BY id"
        return [name for name in self.session.scalars(text(query)) if name != "gift-received"]

    def is_whole(self) -> bool:
        """The books hold, and after reconciling they are the provider's to the cent; once more changes nothing."""
        first, second = self.reconcile(), self.reconcile()
        assert first.errors == []
        assert (second.changed, second.errors) == (0, [])
        breaches = check(self.session, jobs_have_run=True)
        assert breaches == [], breaches
        assert self.held() == self.stand_in.balance_cents()
        return True


def pay_out(factory: Factory, initiative: Initiative, cents: int, state: str) -> Payout:
    """A payout of an initiative that three people brought to the bank."""
    people = [factory.account().id for _ in range(3)]
    now = factory.now
    batch = PayoutBatch(
        message_id=f"ABS-{initiative.id}",
        state="released",
        payout_count=1,
        sum_cents=cents,
        sealed_file=b"sealed",
        sha256="0" * 64,
        execution_on=now.date(),
        made_at=now,
        made_by_id=people[0],
        released_at=now,
        released_by_id=people[1],
    )
    factory.session.add(batch)
    factory.session.flush()
    payout = Payout(
        initiative_id=initiative.id,
        amount_cents=cents,
        state=state,
        state_changed_at=now,
        iban_sealed=b"sealed",
        iban_digest=b"digest",
        iban_masked="NL** **** 0300",
        holder_name="Stichting Plein",
        holder_kind="organisation",
        requested_at=now,
        requested_by_id=people[0],
        confirmed_at=now,
        confirmed_by_id=people[1],
        approved_at=now,
        approved_by_id=people[2],
        batch_id=batch.id,
        end_to_end_id=f"ABS-{initiative.id}",
    )
    factory.session.add(payout)
    factory.session.commit()
    return payout


def bring_to(bank: Bank, initiative: Initiative, state: State) -> None:
    """An initiative with a gift of money in it, further in its life."""
    if state in KEEPS:
        bank.factory.fund(initiative)
    for verb, after in (("start", {State.IN_PROGRESS, State.REALISED}), ("realise", {State.REALISED})):
        if state in after:
            bank.factory._take_step(initiative, verb, bank.factory.now)
    bank.session.commit()
    if state == State.STOPPED:
        bank.stop(initiative)
