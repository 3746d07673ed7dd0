# SPDX-License-Identifier: EUPL-1.2
"""End the payments that were begun and whose half hour is over, by what the provider says became of them."""

from __future__ import annotations

import datetime as dt
from functools import partial

import structlog
from flask import current_app

from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.initiatives.service import close_if_funded
from abs_platform.payments.booking import book_checkout, give_up, wait_longer
from abs_platform.payments.port import Checkout, CheckoutStatus, PaymentProvider, ProviderRefused, ProviderUnavailable
from abs_platform.payments.queries import BegunPayment, begun_and_over
from abs_platform.payments.states import EventOutcome
from jobs.runner import JobReport

ACTOR = Actor("job", "release_checkouts")
AT_ONCE = 200
UNANSWERED = 3  # so many in a row, and the provider is away: the rest is for the next run
UNKNOWN = "resource_missing"
LATER = dt.timedelta(minutes=30)
log = structlog.get_logger()


def run(now: dt.datetime) -> JobReport:
    """Each payment is asked about outside a transaction, and booked in one of its own."""
    report, unanswered = JobReport(), 0
    provider: PaymentProvider | None = current_app.extensions["payments"]
    if provider is None:  # nobody to ask: nothing is decided
        return report
    due = begun_and_over(db.session(), now, AT_ONCE)
    db.session.rollback()  # no transaction stays open while we ask
    for number, payment in enumerate(due):
        try:
            checkout = _end_of(provider, payment)
            unanswered = 0
        except ProviderUnavailable:
            unanswered += 1
            if unanswered == UNANSWERED:
                report.errors.append(f"provider away, {len(due) - number - 1} payments left for the next run")
                break
            continue
        except ProviderRefused as refusal:
            log.exception("the provider refuses a question", payment=payment.payment_id)
            report.errors.append(f"payment {payment.payment_id}: {refusal.code}")
            continue
        report.each([payment], partial(_book, checkout=checkout, now=now))
    return report


def _end_of(provider: PaymentProvider, payment: BegunPayment) -> Checkout | None:
    """What became of a checkout; one that is open is closed first, so that it cannot be paid after this.

    None: the provider has none. Raises: ProviderUnavailable, ProviderRefused.
    """
    if payment.checkout_id is None:
        return None
    try:
        checkout = provider.get_checkout(payment.checkout_id)
    except ProviderRefused as refusal:
        if refusal.code == UNKNOWN:
            return None
        raise
    if checkout.status != CheckoutStatus.OPEN:
        return checkout
    try:
        return provider.expire_checkout(payment.checkout_id)
    except ProviderRefused:  # it was paid, or ended, this very moment
        return provider.get_checkout(payment.checkout_id)


def _book(payment: BegunPayment, *, checkout: Checkout | None, now: dt.datetime) -> int:
    with transaction() as session:
        if checkout is None:
            return int(give_up(session, payment.payment_id, actor=ACTOR, now=now))
        booked = book_checkout(session, checkout, actor=ACTOR, now=now)
        wait_longer(session, payment.payment_id, until=now + LATER)
    if booked.confirmed_initiative_id is not None:
        with transaction() as session:
            close_if_funded(session, booked.confirmed_initiative_id, actor=ACTOR, now=now)
    return int(booked.outcome == EventOutcome.APPLIED)
