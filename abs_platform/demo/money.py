# SPDX-License-Identifier: EUPL-1.2
"""The gifts of money of the demo: who gives what and when, what goes back, and what our bank gets every month."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.actors import GIVER, Actor
from abs_platform.demo.bank import Bank, RefundOutcome
from abs_platform.demo.timeline import Action, Timeline
from abs_platform.donations.service import Gift
from abs_platform.initiatives.queries import title_of
from abs_platform.initiatives.service import close_if_funded
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.payments import reconciling, refunding
from abs_platform.payments.booking import book_checkout
from abs_platform.payments.port import CheckoutRequest
from abs_platform.payments.service import MoneyGift, attach_checkout, start_gift

JOB = Actor("job", "demo")
SEED = 11
AMOUNTS, AMOUNT_SHARES = (5_00, 10_00, 15_00, 20_00, 25_00, 50_00), (24, 34, 8, 12, 16, 6)
# One gift of money for so many cents of the target, up to so many.
CENTS_A_GIFT, MOST_GIFTS = 300_00, 8
NAMED_SHARE, MESSAGE_SHARE, RECEIPT_SHARE, ORGANISATION_SHARE = 0.6, 0.5, 0.3, 0.15
ORGANISATIONS_GIVE_CENTS = 20_00
METHODS, METHOD_SHARES = ("ideal", "card", "bancontact"), (86, 9, 5)
# The last vouchers of an initiative that got its whole amount are given after the last money, and after what is late.
AFTER_MONEY = 10
WITH_A_VOUCHER_EVERY = 5
PAYING = dt.timedelta(seconds=80)
# What stays at the payment service each month for what must go back, and what is not worth a transfer.
STAYS_CENTS, LEAST_TRANSFER_CENTS = 200_00, 50_00
MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who gives how much, and how. ``form_key`` is that of the form; with an organisation ``name`` is its name."""

    cents: int
    form_key: uuid.UUID
    method: str = "ideal"
    name: str | None = None
    message: str | None = None
    email: str | None = None
    is_organisation: bool = False
    voucher_donation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """When gifts of money are given to one initiative, and at which moments vouchers are."""

    start: dt.datetime
    end: dt.datetime
    vouchers: list[dt.datetime]


class Money:
    """Payments at the stand-in. ``bank`` is None where the settings name another account: then nobody gives money."""

    def __init__(self, line: Timeline, bank: Bank | None) -> None:
        self.line, self._bank = line, bank
        self.chance = random.Random(SEED)
        # How the provider answers when this payment must go back; the others succeed.
        self.outcomes: dict[int, RefundOutcome] = {}
        self._vouchers: dict[str, tuple[Gift, str | None]] = {}

    @property
    def is_taken(self) -> bool:
        """Whether anybody gives money here."""
        return self._bank is not None

    def bank_at(self, now: dt.datetime) -> Bank:
        """The bank at this moment."""
        if self._bank is None:
            raise LookupError("nobody gives money here")
        self._bank.at(now)
        return self._bank

    def form_key(self) -> uuid.UUID:
        """What makes a form that is sent twice one."""
        return uuid.UUID(int=self.chance.getrandbits(128), version=4)

    def choose(self, target_cents: int, most_cents: int) -> list[int]:
        """What is given to one initiative in money: never more than half of what it got."""
        if not self.is_taken:
            return []
        number = min(MOST_GIFTS, max(1, target_cents // CENTS_A_GIFT))
        chosen: list[int] = []
        for amount in self.chance.choices(AMOUNTS, AMOUNT_SHARES, k=number):
            if sum(chosen) + amount <= most_cents // 2:
                chosen.append(amount)
        return chosen

    def plan_gifts(self, item: dict[str, Any], amounts: list[int], span: Span) -> Span:
        """Spread them over the time in which others gave vouchers, some with such a voucher; returns when that was.

        Plan the vouchers first: what goes with one comes after it.
        """
        key, vouchers, end = item["key"], span.vouchers, span.end
        if item["state"] != State.PUBLISHED:
            end = vouchers[-AFTER_MONEY] if len(vouchers) > AFTER_MONEY else span.start + (end - span.start) / 2
        early = [moment for moment in vouchers if moment <= end]
        for number, amount in enumerate(amounts, start=1):
            wanted = self._wanted(amount)
            if early and number % WITH_A_VOUCHER_EVERY == 0:
                moment = early.pop(self.chance.randrange(len(early)))
                self.line.at(moment, self._gift_with_a_voucher(key, wanted))
            else:
                self.line.at(span.start + (end - span.start) * self.chance.random(), self._gift(key, wanted))
        return replace(span, end=end)

    def remember(self, key: str, voucher: Gift, name: str | None) -> None:
        """The voucher that was given last, with which money may go."""
        self._vouchers[key] = voucher, name

    def plan_transfers(self, first: dt.datetime) -> None:
        """On the first working day of every month the payment service pays what it can miss."""
        day, today = clock.local_date(first), clock.local_date(self.line.now)
        while self.is_taken and (day := (day.replace(day=28) + dt.timedelta(days=7)).replace(day=1)) <= today:
            self.line.at(self.line.at_the_office(clock.start_of_day(day)), self._transfer)

    def give_back(self, session: Session, now: dt.datetime) -> None:
        """All that must go back goes back, as the job does."""
        if not self.is_taken:
            return
        bank, rules = self.bank_at(now), self.line.settings.rules
        for payment_id in refunding.due(session, now, MOST_AT_ONCE):
            asked = refunding.mark_asked(session, payment_id, rules=rules, actor=JOB, now=now)
            if asked is not None:
                refund = bank.refund(asked, self.outcomes.get(payment_id, "succeeded"))
                refunding.book_refund(session, refund, actor=JOB, now=now)
        self.keep(session, now)

    def begin(self, session: Session, key: str, wanted: Wanted, now: dt.datetime) -> tuple[int, str]:
        """A payment and its checkout."""
        initiative_id, site = self.line.ids[key], self.line.settings.base_url
        gift = MoneyGift(
            amount_cents=wanted.cents,
            idempotency_key=wanted.form_key,
            giver_name=wanted.name,
            message=wanted.message,
            receipt_email=wanted.email,
            organisation_name=wanted.name if wanted.is_organisation else None,
            is_organisation=wanted.is_organisation,
        )
        started = start_gift(
            session,
            initiative_id,
            gift,
            rules=self.line.settings.rules,
            actor=GIVER,
            now=now,
            voucher_donation_id=wanted.voucher_donation_id,
        )
        request = CheckoutRequest(
            reference=started.reference,
            amount_cents=started.amount_cents,
            description=f"Gift aan {title_of(session, initiative_id)}",
            success_url=f"{site}/giften/{started.reference}",
            cancel_url=f"{site}/initiatieven/{initiative_id}/geld?terug={started.reference}",
            expires_at=started.reserved_until,
            email=started.email,
        )
        checkout_id = self.bank_at(now).begin(request)
        attach_checkout(session, started.payment_id, checkout_id)
        return started.payment_id, checkout_id

    def pay(self, session: Session, checkout_id: str, method: str, now: dt.datetime) -> None:
        """Paid a minute later, and booked."""
        paid_at = min(now + PAYING, self.line.now)
        self.bank_at(paid_at).account.pay(checkout_id, method)
        self.book(session, checkout_id, paid_at)

    def book(self, session: Session, checkout_id: str, now: dt.datetime) -> None:
        """What became of it, as the webhook tells."""
        booked = book_checkout(session, self.bank_at(now).checkout(checkout_id), actor=JOB, now=now)
        self.keep(session, now)
        if booked.confirmed_initiative_id is not None:
            close_if_funded(session, booked.confirmed_initiative_id, actor=JOB, now=now)

    def keep(self, session: Session, now: dt.datetime) -> None:
        """Keep the new lines of its books, with what it charges."""
        for entry in self.bank_at(now).new_entries():
            reconciling.keep_entry(session, entry, now=now)

    def _wanted(self, amount: int) -> Wanted:
        chance, data = self.chance, self.line.data
        wanted = Wanted(cents=amount, form_key=self.form_key(), method=chance.choices(METHODS, METHOD_SHARES)[0])
        if amount >= ORGANISATIONS_GIVE_CENTS and chance.random() < ORGANISATION_SHARE:
            organisation = chance.choice(data.money["organisation"])
            return replace(wanted, is_organisation=True, **organisation)
        name = chance.choice(data.giver_names) if chance.random() < NAMED_SHARE else None
        message = chance.choice(data.messages) if name and chance.random() < MESSAGE_SHARE else None
        email = f"gever{chance.randrange(900)}@voorbeeld.example" if chance.random() < RECEIPT_SHARE else None
        return replace(wanted, name=name, message=message, email=email)

    def _gift(self, key: str, wanted: Wanted) -> Action:
        def act(session: Session, now: dt.datetime) -> None:
            _payment_id, checkout_id = self.begin(session, key, wanted, now)
            self.pay(session, checkout_id, wanted.method, now)

        return act

    def _gift_with_a_voucher(self, key: str, wanted: Wanted) -> Action:
        """The message went with the voucher."""

        def act(session: Session, now: dt.datetime) -> None:
            voucher, name = self._vouchers[key]
            said = replace(
                wanted, name=name, message=None, is_organisation=False, voucher_donation_id=voucher.donation_id
            )
            self._gift(key, said)(session, now)

        return act

    def _transfer(self, session: Session, now: dt.datetime) -> None:
        bank = self.bank_at(now)
        cents = bank.balance_cents() - STAYS_CENTS
        if cents >= LEAST_TRANSFER_CENTS:
            reconciling.book_bank_transfer(session, bank.transfer(cents), actor=JOB, now=now)
            self.keep(session, now)
