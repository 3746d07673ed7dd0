# SPDX-License-Identifier: EUPL-1.2
"""The gifts of money of the demo with a story of their own: late, never paid, sent back in vain, or claimed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from abs_platform.demo.bank import RefundOutcome
from abs_platform.demo.money import AFTER_MONEY, JOB, Money, Span, Wanted
from abs_platform.demo.timeline import MINUTE, Action
from abs_platform.payments.disputing import book_dispute

GOES_BACK_AFTER, FAILS_AFTER, EXPIRES_AFTER = 21 * MINUTE, 4 * MINUTE, 32 * MINUTE
CLAIMED_AFTER, DECIDED_AFTER = dt.timedelta(days=35), dt.timedelta(days=41)
_OUTCOMES: dict[str, RefundOutcome] = {"refund_failed": "failed", "refund_pending": "pending"}


class SpecialGift:
    """One gift of money.toml, as it goes. ``then`` is what becomes of it."""

    def __init__(self, money: Money, told: dict[str, Any]) -> None:
        self.money, self.line = money, money.line
        self.key, self.then = told["key"], told["then"]
        self.days_ago: int | None = told.get("days_ago")
        self.wanted = Wanted(
            cents=told["cents"],
            form_key=money.form_key(),
            method=told["method"],
            name=told.get("name"),
            message=told.get("message"),
            email=told.get("email"),
        )
        self._payment_id, self._checkout_id, self._dispute_id = 0, "", ""

    def plan(self, span: Span) -> None:
        """Plan all of it."""
        given = span.start + (span.end - span.start) * 0.6
        if self.days_ago is not None:
            given = self.line.day(self.days_ago, hour=20.25)
        for moment, action in self._steps(given, span.vouchers):
            self.line.at(moment, action)

    def _steps(self, given: dt.datetime, vouchers: list[dt.datetime]) -> list[tuple[dt.datetime, Action]]:
        steps: list[tuple[dt.datetime, Action]] = [(given, self._give)]
        if self.then == "waiting":
            steps = [(self.line.now - 2 * MINUTE, self._begin)]
        elif self.then == "late":
            begun, late = vouchers[-AFTER_MONEY + 2], vouchers[-1] + GOES_BACK_AFTER
            steps = [(begun, self._begin_slowly), (late, self._settle), (late + MINUTE, self.money.give_back)]
        elif self.then == "failed":
            steps = [(given, self._begin_slowly), (given + FAILS_AFTER, self._refuse)]
        elif self.then == "expired":
            steps = [(given, self._begin), (given + EXPIRES_AFTER, self._expire)]
        elif self.then in {"disputed", "lost"}:
            steps.append((given + CLAIMED_AFTER, self._claim))
        if self.then == "lost":
            steps.append((given + DECIDED_AFTER, self._lose))
        return steps

    def _begin(self, session: Session, now: dt.datetime) -> None:
        self._payment_id, self._checkout_id = self.money.begin(session, self.key, self.wanted, now)

    def _begin_slowly(self, session: Session, now: dt.datetime) -> None:
        """The giver is done, the bank is not."""
        self._begin(session, now)
        self.money.bank_at(now).account.pay_later(self._checkout_id, self.wanted.method)

    def _give(self, session: Session, now: dt.datetime) -> None:
        self._begin(session, now)
        self.money.pay(session, self._checkout_id, self.wanted.method, now)
        self.money.outcomes[self._payment_id] = _OUTCOMES.get(self.then, "succeeded")

    def _settle(self, session: Session, now: dt.datetime) -> None:
        self.money.bank_at(now).account.settle(self._checkout_id)
        self.money.book(session, self._checkout_id, now)

    def _refuse(self, session: Session, now: dt.datetime) -> None:
        self.money.bank_at(now).account.settle(self._checkout_id, is_paid=False)
        self.money.book(session, self._checkout_id, now)

    def _expire(self, session: Session, now: dt.datetime) -> None:
        self.money.bank_at(now).account.tick()
        self.money.book(session, self._checkout_id, now)

    def _claim(self, session: Session, now: dt.datetime) -> None:
        bank = self.money.bank_at(now)
        dispute = bank.dispute(bank.checkout(self._checkout_id).intent_id or "")
        self._dispute_id = dispute.id
        book_dispute(session, dispute, actor=JOB, now=now)
        self.money.keep(session, now)

    def _lose(self, session: Session, now: dt.datetime) -> None:
        book_dispute(session, self.money.bank_at(now).lose(self._dispute_id), actor=JOB, now=now)
        self.money.keep(session, now)


def plan_special_gifts(money: Money, key: str, span: Span) -> int:
    """Plan those of one initiative; returns how many."""
    found = [told for told in money.line.data.money["special"] if told["key"] == key and money.is_taken]
    for told in found:
        SpecialGift(money, told).plan(span)
    return len(found)
