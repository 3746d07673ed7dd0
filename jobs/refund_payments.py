# SPDX-License-Identifier: EUPL-1.2
"""Give back the money that must go back: each payment is asked for outside any transaction, and booked in its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import structlog
from flask import current_app

from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.payments.port import PaymentProvider, ProviderRefused, ProviderUnavailable, Refund
from abs_platform.payments.refunding import Asked, book_refund, due, give_up, mark_asked, postpone
from abs_platform.rule_settings.service import current_rules
from jobs.runner import JobReport

ACTOR = Actor("job", "refund_payments")
AT_ONCE = 100
MOST = 1_000  # then the next run goes on
# The provider holds too little for it now: it will have more later.
LATER_CODES = frozenset({"balance_insufficient", "insufficient_funds", "rate_limit", "lock_timeout"})
log = structlog.get_logger()


def run(now: dt.datetime) -> JobReport:
    """In batches, until nothing is due. A provider that does not answer is left alone until the next run."""
    report = JobReport()
    provider: PaymentProvider | None = current_app.extensions["payments"]
    away: list[str] = []

    def give_back(payment_id: int) -> int:
        with transaction() as session:
            asked = mark_asked(session, payment_id, rules=current_rules(), actor=ACTOR, now=now)
        if asked is None or provider is None:
            return 1
        try:
            return _ask(provider, asked, now)
        except ProviderUnavailable as failure:
            away.append(failure.staff_reason or "no answer")
            with transaction() as session:
                postpone(session, payment_id, error=away[-1], now=now)
            return 0

    if provider is not None:  # without one there is nobody to ask
        report.each(_waiting(now, away), give_back)
    if away:
        log.warning("the payment provider does not answer", reason=away[-1])
        report.errors.append(f"the payment provider does not answer: {away[-1]}")
    return report


def _waiting(now: dt.datetime, away: list[str]) -> Iterator[int]:
    """What is due, in batches, until the provider is away; each payment once a run."""
    seen: set[int] = set()
    while len(seen) < MOST:
        batch = [one for one in due(db.session(), now, AT_ONCE + len(seen)) if one not in seen]
        db.session.rollback()  # no transaction stays open while we ask
        if not batch:
            return
        for payment_id in batch:
            if away:
                return
            seen.add(payment_id)
            yield payment_id


def _ask(provider: PaymentProvider, asked: Asked, now: dt.datetime) -> int:
    """Ask for one refund and book the answer. Raises: ProviderUnavailable."""
    try:
        key = asked.idempotency_key
        answers = [provider.refund(asked.intent_id, asked.amount_cents, reference=asked.reference, idempotency_key=key)]
        refused = ""
    except ProviderRefused as refusal:
        if refusal.code in LATER_CODES:
            raise ProviderUnavailable(refusal.message, staff_reason=refusal.code) from refusal
        answers, refused = _made_before(provider, asked), refusal.code
    for refund in answers:
        with transaction() as session:
            book_refund(session, refund, actor=ACTOR, now=now)
    if refused:
        with transaction() as session:
            give_up(session, asked, error=refused, actor=ACTOR, now=now)
    return 1


def _made_before(provider: PaymentProvider, asked: Asked) -> list[Refund]:
    """What went back already, when the provider says no: made in its own screen, or by us and never answered."""
    since = asked.paid_at - dt.timedelta(days=1)
    return [refund for refund in provider.refunds_since(since) if refund.intent_id == asked.intent_id]
