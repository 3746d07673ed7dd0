# SPDX-License-Identifier: EUPL-1.2
"""The payouts of the demo: asked for, confirmed, approved, filed and paid, or standing somewhere on that road."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from typing import Any

from schwifty import IBAN
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accounts.queries import holders_of
from abs_platform.demo.bank_statement import BankLine, at_the_bank, daily_business, statement_file
from abs_platform.demo.deciding import manager_of
from abs_platform.demo.timeline import MINUTE, Action, Timeline
from abs_platform.finance.models import FinanceTask
from abs_platform.finance.settling import settle
from abs_platform.finance.states import Settlement, TaskKind
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.payment_settings import BankAccount
from abs_platform.payouts import approving, batches, paybacks, queries, service
from abs_platform.payouts.models import Payout
from abs_platform.payouts.returning import book_return
from abs_platform.payouts.sepa import next_banking_day
from abs_platform.payouts.statements import take_in
from abs_platform.payouts.states import HolderKind, PayoutState
from abs_platform.users import Role, User
from abs_platform.working_days import add_working_days

SEED = 13
BANK_CODE = "DEMO"
# Finance pays every two weeks; what was asked for less long ago stands where the demo says.
FIRST_DAY_AGO, LAST_DAY_AGO, DAYS_APART = 214, 88, 14
ASKED_AFTER, CAME_BACK_AFTER, ASKED_AGAIN_AFTER = (dt.timedelta(days=days) for days in (2, 3, 5))
RETURNED_AFTER = dt.timedelta(days=9)
ONE_DAY = dt.timedelta(days=1)
_ASKED_WORKING_DAYS_AGO = {"requested": 3, "confirmed": 4}
# How far each goes on the road, for what does not go all the way.
_REACHES = {"requested": 0, "incomplete": 0, "refused": 0, "confirmed": 1, "approved": 2, "made": 3, "at_the_bank": 4}


class PayingOut:
    """The initiators, the desks and two of finance, with the bank account of the municipality."""

    def __init__(self, line: Timeline, account: BankAccount) -> None:
        self.line, self.account = line, account
        self.chance = random.Random(SEED)
        self._paid: list[str] = []
        self._statements = 0

    def plan_payout(self, item: dict[str, Any], state: State, funded: dt.datetime, done: dt.datetime | None) -> None:
        """The road of the money of one initiative, from the day its amount was there."""
        key, line = item["key"], self.line
        told = line.data.money["payouts"].get(key, {})
        stands = told.get("state", "none" if state == State.FUNDED else "paid")
        if stands == "none":
            return
        asked = self._then(funded + ASKED_AFTER)
        if stands != "paid":  # nowhere it waits too long yet
            asked = max(asked, line.working_day(_ASKED_WORKING_DAYS_AGO.get(stands, 5), hour=12))
        line.at(asked, self._ask(key, told))
        if stands == "paid":
            self._paid.append(key)
            line.at(self._office(asked + ONE_DAY, asked), self._confirm(key))
            if told.get("came_back"):
                self._plan_return(key, told, asked)
        else:
            self._plan_road(key, told, stands, asked)
        if done is not None and key != line.data.money["unspent"]["due"]:
            line.at(self._office(done + RETURNED_AFTER, done), self._pay_back(key))

    def plan_days(self) -> None:
        """The days on which finance pays, each with the statement of the bank some days later."""
        for days_ago in range(FIRST_DAY_AGO, LAST_DAY_AGO, -DAYS_APART):
            day = self.line.at_the_office(self.line.day(days_ago))
            self.line.at(day, self._pay)
            executed = next_banking_day(clock.local_date(day))
            seen = self.line.at_the_office(clock.start_of_day(add_working_days(executed, 1)))
            self.line.at(seen, self._take_in)
        self.line.at(self.line.now - MINUTE, self._settle_tasks)

    def _plan_road(self, key: str, told: dict[str, Any], stands: str, asked: dt.datetime) -> None:
        reaches, line = _REACHES[stands], self.line
        confirmed = self._office(asked + ONE_DAY, asked)
        if stands in {"incomplete", "refused"}:
            line.at(confirmed, self._turn_down(key, told["remark"], is_refused=stands == "refused"))
        if reaches >= 1:
            line.at(confirmed, self._confirm(key))
        approved = self._office(confirmed + ONE_DAY, confirmed)
        if reaches >= 2:
            line.at(approved, self._approve(key))
        if reaches >= 3:
            line.at(max(approved, line.working_day(0, hour=8.75)), self._file(key, is_released=reaches >= 4))

    def _plan_return(self, key: str, told: dict[str, Any], asked: dt.datetime) -> None:
        """It was paid on the first day after it was confirmed; that account was closed, and another is paid later."""
        confirmed = self._office(asked + ONE_DAY, asked)
        came_back = confirmed + dt.timedelta(days=DAYS_APART + 8)
        self.line.at(came_back, self._come_back(key))
        asked_again = came_back + ASKED_AGAIN_AFTER
        self.line.at(asked_again, self._ask(key, told))
        self.line.at(self._office(asked_again + ONE_DAY, asked_again), self._confirm(key))

    def _then(self, moment: dt.datetime) -> dt.datetime:
        return min(moment, self.line.now - MINUTE)

    def _office(self, moment: dt.datetime, after: dt.datetime) -> dt.datetime:
        """By day at the office, and not before what it follows."""
        return self._then(max(self.line.at_the_office(moment), after))

    # -- who asks, and the desk -------------------------------------------------------------------------------------

    def _ask(self, key: str, told: dict[str, Any]) -> Action:
        number = f"{self.chance.randrange(10**10):010d}"
        iban = IBAN.generate("NL", bank_code=BANK_CODE, account_code=number)

        def act(session: Session, now: dt.datetime) -> None:
            initiative_id, user = self.line.ids[key], self.line.initiator(key)
            details = service.BankDetails(
                amount_cents=queries.balance_of(session, initiative_id),
                iban=iban.compact,
                holder_name=told.get("holder", user.name),
                holder_kind=HolderKind.ORGANISATION if "holder" in told else HolderKind.PERSON,
            )
            secret_key = self.line.settings.secret_key
            service.request(session, initiative_id, details, user=user, secret_key=secret_key, now=now)

        return act

    def _confirm(self, key: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            payout = self._living(session, key)
            user = manager_of(session, self.line.ids[key], now)
            approving.confirm(session, payout.id, version=payout.version, user=user, now=now)

        return act

    def _turn_down(self, key: str, remark: str, *, is_refused: bool) -> Action:
        verb = approving.refuse if is_refused else approving.send_back

        def act(session: Session, now: dt.datetime) -> None:
            payout = self._living(session, key)
            user = manager_of(session, self.line.ids[key], now)
            verb(session, payout.id, remark, version=payout.version, user=user, now=now)

        return act

    def _living(self, session: Session, key: str) -> Payout:
        payout = service.living(session, self.line.ids[key])
        if payout is None:
            raise LookupError(f"{key}: nobody asked for the money")
        return payout

    # -- finance ----------------------------------------------------------------------------------------------------

    def _approve(self, key: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            payout, first = self._living(session, key), finance_of(session)[0]
            approving.approve(session, payout.id, version=payout.version, user=first, now=now)

        return act

    def _file(self, key: str, *, is_released: bool) -> Action:
        return lambda session, now: self._make(session, [self._living(session, key).id], now, is_released=is_released)

    def _make(self, session: Session, payout_ids: list[int], now: dt.datetime, *, is_released: bool = True) -> None:
        """A file of these; one makes it, the other releases it."""
        first, second = finance_of(session)[:2]
        own: dict[str, Any] = {"account": self.account, "secret_key": self.line.settings.secret_key, "now": now}
        batch_id = batches.make_batch(session, payout_ids, user=first, **own)
        if is_released:
            batches.release(session, batch_id, user=second, **own)

    def _pay(self, session: Session, now: dt.datetime) -> None:
        """All that was confirmed and is to be paid."""
        query = select(Payout).where(
            Payout.state == PayoutState.CONFIRMED.value,
            Payout.initiative_id.in_([self.line.ids[key] for key in self._paid if key in self.line.ids]),
        )
        payouts = list(session.scalars(query.order_by(Payout.id)))
        for payout in payouts:
            approving.approve(session, payout.id, version=payout.version, user=finance_of(session)[0], now=now)
        if payouts:
            self._make(session, [payout.id for payout in payouts], now)

    def _take_in(self, session: Session, now: dt.datetime) -> None:
        """The statement of the bank: it paid all that it had."""
        if lines := at_the_bank(session):
            self._upload(session, lines, now)

    def _come_back(self, key: str) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            query = select(Payout).where(
                Payout.initiative_id == self.line.ids[key], Payout.state == PayoutState.PAID.value
            )
            payout = session.scalars(query).one()
            line = BankLine(
                end_to_end_id=payout.end_to_end_id,
                amount_cents=payout.amount_cents,
                booked_on=clock.local_date(now),
                is_credit=True,
                reference=f"TERUG{payout.end_to_end_id[3:]}",
                reason="AC04",
            )
            self._upload(session, [line], now)

        return act

    def _upload(self, session: Session, lines: list[BankLine], now: dt.datetime) -> None:
        self._statements += 1
        content = statement_file(
            [[line] for line in [*lines, *daily_business(clock.local_date(now))]],
            iban=self.account.iban,
            number=f"DEMO{now:%Y%m%d}{self._statements:04d}",
            created_at=now,
        )
        take_in(session, content, account=self.account, user=finance_of(session)[1], now=now)

    def _pay_back(self, key: str) -> Action:
        """What was not spent comes back; what a letter said is on the statement."""
        form_key = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

        def act(session: Session, now: dt.datetime) -> None:
            initiative_id = self.line.ids[key]
            payback = paybacks.payback_of(session, initiative_id)
            if payback is not None and payback.due_cents:
                book_return(
                    session,
                    initiative_id,
                    amount_cents=payback.due_cents,
                    received_on=clock.local_date(now),
                    note=self.line.data.money["unspent"]["note"],
                    form_key=form_key,
                    user=finance_of(session)[1],
                    now=now,
                )

        return act

    def _settle_tasks(self, session: Session, now: dt.datetime) -> None:
        """What was decided long ago was looked at; what is open waits for the visitor."""
        said = self.line.data.money["settled"]
        lost = select(FinanceTask.payment_id).where(FinanceTask.kind == TaskKind.DISPUTE_LOST.value)
        about_lost = (FinanceTask.kind == TaskKind.DISPUTE_OPENED.value) & FinanceTask.payment_id.in_(lost)
        is_over = FinanceTask.kind.in_([TaskKind.DISPUTE_LOST.value, TaskKind.PAYOUT_BOUNCED.value]) | about_lost
        first, rules = finance_of(session)[0], self.line.settings.rules
        for task in session.scalars(select(FinanceTask).where(is_over)).all():
            note = said["bounced"] if task.kind == TaskKind.PAYOUT_BOUNCED else said["dispute"]
            at = min(task.opened_at + ONE_DAY, now)
            who: dict[str, Any] = {"by_id": first.account_id, "actor": first.actor()}
            settle(session, task.id, Settlement.NOTE, note, rules=rules, now=at, **who)


def finance_of(session: Session) -> list[User]:
    """The two of finance, in the order in which they were hired."""
    found = [
        User(account_id=account_id, email=email, name=name, roles=frozenset({Role.FINANCE}))
        for account_id, email, name in holders_of(session, Role.FINANCE)
    ]
    if len(found) < 2:
        raise LookupError("the demo needs two of finance")
    return found
