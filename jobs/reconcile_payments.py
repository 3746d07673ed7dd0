# SPDX-License-Identifier: EUPL-1.2
"""Make our books equal to the provider's, whatever its messages to us did: the last day often, ten days every night.

First all is asked for, outside any transaction, its lines before what they speak of: so each line has its cause when it
is looked at. Then each thing is booked by the verb that the webhook uses, in a transaction of its own. What could be
read is kept when the rest could not; then nothing is called unexplained, and the next run goes on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

import structlog
from flask import current_app

from abs_platform import clock, events
from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.initiatives.service import close_if_funded
from abs_platform.payments import open_things, reconciling
from abs_platform.payments.booking import book_checkout
from abs_platform.payments.disputing import book_dispute
from abs_platform.payments.port import (
    BankTransfer,
    Checkout,
    Dispute,
    Entry,
    PaymentProvider,
    ProviderRefused,
    ProviderUnavailable,
    Refund,
)
from abs_platform.payments.refunding import book_refund
from abs_platform.payments.states import EventOutcome
from jobs.runner import JobReport

ACTOR = Actor("job", "reconcile_payments")
OFTEN, NIGHTLY = dt.timedelta(days=1), dt.timedelta(days=10)
NIGHT_HOUR = 2
FULL = "payments.reconciled"
ENTRIES_AT_ONCE = 200
log = structlog.get_logger()

Thing = TypeVar("Thing")


def run(now: dt.datetime) -> JobReport:
    """Every ten minutes the last day; the first run of the night, or after a time without, ten days and more."""
    provider: PaymentProvider | None = current_app.extensions["payments"]
    if provider is None:
        return JobReport()
    return _Run(provider, now).do()


class _Run:
    """One run: what it read, and whether it could read everything."""

    def __init__(self, provider: PaymentProvider, now: dt.datetime) -> None:
        self.provider, self.now, self.report = provider, now, JobReport()
        self.is_whole = True

    def do(self) -> JobReport:
        """Lines first, then what they speak of, then what nobody can explain."""
        with transaction() as session:
            last = events.latest(session, FULL, 1)
            last_full = last[0].happened_at if last else None
            first_payment = open_things.first_payment_at(session)
        is_full = last_full is None or last_full < _last_night(self.now)
        since = self.now - (NIGHTLY if is_full else OFTEN)
        if is_full:  # nothing that happened since the last one is left out, and at first nothing at all
            since = min(since, last_full - OFTEN if last_full else first_payment or since)
        before = self._read(lambda: [self.provider.balance_cents()])
        entries = self._read(lambda: self.provider.entries_since(since))
        self._book_things(since, entries)
        some = [entries[at : at + ENTRIES_AT_ONCE] for at in range(0, len(entries), ENTRIES_AT_ONCE)]
        self.report.each(some, self._keep)
        self.is_whole = self.is_whole and not self.report.errors
        if self.is_whole:
            self._explain(entries, since if is_full else None)
            self._compare(before[0])
        if is_full and self.is_whole:
            with transaction() as session:
                events.record(session, FULL, None, actor=ACTOR, now=self.now, since=since.isoformat())
        return self.report

    def _read(self, ask: Callable[[], Iterable[Thing]]) -> list[Thing]:
        """Read from the provider, with no transaction open; what was read before it fell silent is kept."""
        db.session.rollback()
        found: list[Thing] = []
        try:
            found.extend(ask())
        except (ProviderUnavailable, ProviderRefused) as failure:
            self.is_whole = False
            self.report.errors.append(f"the payment provider: {failure.staff_reason or failure.message}")
            log.warning("the payment provider does not answer", reason=failure.staff_reason)
        return found

    @staticmethod
    def _one(ask: Callable[[str], Thing], thing_id: str) -> list[Thing]:
        try:
            return [ask(thing_id)]
        except ProviderRefused as refusal:  # it is not there: what is explained afterwards shows it
            log.warning("the provider does not know this", thing=thing_id, code=refusal.code)
            return []

    def _book_things(self, since: dt.datetime, entries: Sequence[Entry]) -> None:
        checkouts = self._read(lambda: self.provider.checkouts_since(since))
        with transaction() as session:
            older = open_things.without_charge(session, {one.id for one in checkouts})
            checkouts = open_things.new_checkouts(session, checkouts)
        for checkout_id in older:
            checkouts += self._read(partial(self._one, self.provider.get_checkout, checkout_id))
        self.report.each(checkouts, self._book_checkout)
        refunds = self._read(lambda: self.provider.refunds_since(since))
        with transaction() as session:
            older = open_things.older_refunds(session, {one.id for one in refunds}, {one.source_id for one in entries})
            refunds = open_things.new_refunds(session, refunds)
            claimed_since = open_things.claimed_since(session) or since
            transferred_since = open_things.transferred_since(session, {one.source_id for one in entries}) or since
        for refund_id in older:
            refunds += self._read(partial(self._one, self.provider.get_refund, refund_id))
        self.report.each(refunds, partial(self._book, book_refund))
        disputes = self._read(lambda: self.provider.disputes_since(min(since, claimed_since)))
        self.report.each(disputes, partial(self._book, book_dispute))
        transfers = self._read(lambda: self.provider.bank_transfers_since(min(since, transferred_since - NIGHTLY)))
        self.report.each(transfers, partial(self._book, reconciling.book_bank_transfer))

    def _book_checkout(self, checkout: Checkout) -> int:
        with transaction() as session:
            booked = book_checkout(session, checkout, actor=ACTOR, now=self.now)
        if booked.confirmed_initiative_id is not None:
            with transaction() as session:
                close_if_funded(session, booked.confirmed_initiative_id, actor=ACTOR, now=self.now)
        return _changed(booked.outcome)

    def _book(self, verb: Callable[..., EventOutcome], thing: Refund | Dispute | BankTransfer) -> int:
        with transaction() as session:
            return _changed(verb(session, thing, actor=ACTOR, now=self.now))

    def _keep(self, entries: Sequence[Entry]) -> int:
        with transaction() as session:
            return sum(reconciling.keep_entry(session, entry, now=self.now) for entry in entries)

    def _explain(self, entries: Sequence[Entry], booked_since: dt.datetime | None) -> None:
        """Of every thing that its lines or, in a full run, our own books speak of."""
        with transaction() as session:
            things = {entry.source_id or entry.id for entry in entries}
            if booked_since is not None:
                things.update(reconciling.booked_since(session, booked_since + OFTEN, self.now))
            differing = reconciling.differing(session, sorted(things))
        self.report.each(differing, self._explain_one)

    def _explain_one(self, thing_id: str) -> int:
        with transaction() as session:
            return int(reconciling.explain(session, thing_id, now=self.now))

    def _compare(self, before_cents: int) -> None:
        """The whole balance, when nothing moved at the provider meanwhile."""
        with transaction() as session:
            ours = reconciling.held_cents(session)
        after = self._read(lambda: [self.provider.balance_cents()])
        if after != [before_cents] or ours == before_cents:
            return
        with transaction() as session:
            self.report.changed += reconciling.ask_about_balance(session, ours, before_cents, now=self.now)


def _last_night(now: dt.datetime) -> dt.datetime:
    """The last moment at which a night's run was due."""
    night = clock.start_of_day(clock.local_date(now)) + dt.timedelta(hours=NIGHT_HOUR)
    return night if night <= now else night - dt.timedelta(days=1)


def _changed(outcome: EventOutcome) -> int:
    return int(outcome in {EventOutcome.APPLIED, EventOutcome.TASK})
