# SPDX-License-Identifier: EUPL-1.2
"""What the platform and its people do: jobs, the passing of time, the ends of initiatives, and the tasks of finance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.database import transaction
from abs_platform.finance import settling
from abs_platform.finance.models import FinanceTask
from abs_platform.finance.states import Settlement
from abs_platform.initiatives import service
from abs_platform.payments.models import Payment
from jobs import close_initiatives, expire_vouchers, reconcile_payments, refund_payments, release_checkouts
from jobs.runner import JobReport
from tests.factories import TEST_ACTOR
from tests.money.table import Table, deaths, picks

JOBS: dict[str, Callable[[dt.datetime], JobReport]] = {
    "refund_payments": refund_payments.run,
    "release_checkouts": release_checkouts.run,
    "close_initiatives": close_initiatives.run,
    "reconcile_payments": reconcile_payments.run,
    "expire_vouchers": expire_vouchers.run,
}


class Working(Table):
    """Jobs, time and people."""

    @rule(job=st.sampled_from(list(JOBS)), dies_at=deaths)
    def work(self, job: str, dies_at: int) -> None:
        """A job runs, perhaps not to its end."""
        self.run_job(JOBS[job], dies_at=dies_at)

    @precondition(lambda self: self.something_happened)
    @rule(minutes=st.sampled_from([1, 35, 120, 24 * 60, 4 * 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        """Here and at the provider: what happens there by itself has happened."""
        self.act(lambda: self.move_time(dt.timedelta(minutes=minutes)))
        self.something_happened = False

    def move_time(self, much: dt.timedelta) -> None:
        """It is so much later."""
        self.world.now += much
        self.stand_in.at(self.world.now)

    @precondition(lambda self: not self.is_calm and self.has("charge"))
    @rule(pick=picks, verb=st.sampled_from(["stop", "withdraw", "start", "realise"]))
    def an_initiative_moves(self, pick: int, verb: str) -> None:
        """It is ended by the desk or its organisers, or it goes on once it has its money."""
        reason = {"reason": "Zomaar."} if verb in {"stop", "withdraw"} else {}
        initiative_id = self.world.initiative_ids[pick % len(self.world.initiative_ids)]

        def move() -> None:
            with transaction() as session:
                getattr(service, verb)(session, initiative_id, **reason, actor=TEST_ACTOR, now=self.now)

        self.act(move)

    @precondition(lambda self: self.has("charge"))
    @rule(pick=picks, how=picks, dies_at=deaths)
    def finance_settles_a_task(self, pick: int, how: int, dies_at: int) -> None:
        """In one of the ways that fit."""
        with Session(self.world.connection, join_transaction_mode="create_savepoint") as session:
            waiting = select(FinanceTask).where(FinanceTask.settled_at.is_(None)).order_by(FinanceTask.id)
            task = self.pick(session.scalars(waiting).all(), pick)
            way = None if task is None else self.pick(settling.fitting(session, task), how)
            if task is None or way is None:
                return
            task_id, payment_id = task.id, task.payment_id
            owed = 0
            if payment_id is not None:
                payment = session.get_one(Payment, payment_id)
                owed = payment.amount_cents - payment.returned_cents
        note(f"  {way.value}")

        def settle() -> None:
            with transaction() as session:
                settling.settle(
                    session,
                    task_id,
                    way,
                    "Gezien.",
                    rules=self.world.factory.rules,
                    by_id=self.world.users["Frits"].account_id,
                    actor=TEST_ACTOR,
                    now=self.now,
                )

        if self.act(settle, dies_at=dies_at) and way == Settlement.PAID_BY_HAND and payment_id is not None:
            self.by_hand[payment_id] = self.by_hand.get(payment_id, 0) + owed
