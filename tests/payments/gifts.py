# SPDX-License-Identifier: EUPL-1.2
"""Gifts of money for tests: begun with the real verb, and what the provider would say of their checkouts."""

from __future__ import annotations

import contextvars
import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.actors import GIVER
from abs_platform.donations.models import Donation
from abs_platform.payments.booking import Booked, book_checkout
from abs_platform.payments.models import Payment
from abs_platform.payments.port import Checkout, CheckoutRequest, CheckoutStatus
from abs_platform.payments.service import MoneyGift, Started, attach_checkout, start_gift
from tests.factories import TEST_ACTOR, Factory
from tests.stand_in import StandIn

_numbers = count(1)


def money_gift(cents: int = 1_000, **details: Any) -> MoneyGift:
    """What a giver filled in, on a form of its own."""
    return MoneyGift(amount_cents=cents, idempotency_key=uuid.uuid4(), **details)


def begin(factory: Factory, initiative_id: int, gift: MoneyGift | int = 1_000, **options: Any) -> Started:
    """Begin a payment, and give it the checkout that the provider made."""
    gift = money_gift(gift) if isinstance(gift, int) else gift
    now = options.pop("now", factory.now)
    started = start_gift(factory.session, initiative_id, gift, rules=factory.rules, actor=GIVER, now=now, **options)
    checkout_id = started.checkout_id or f"cs_test_{next(_numbers)}"
    attach_checkout(factory.session, started.payment_id, checkout_id)
    return replace(started, checkout_id=checkout_id)


def checkout(started: Started, status: str = "paid", **changes: Any) -> Checkout:
    """What the provider says of it: open, waiting (for the bank), failed, expired or paid."""
    found = Checkout(
        id=started.checkout_id or "cs_test_none",
        status={"open": CheckoutStatus.OPEN, "expired": CheckoutStatus.EXPIRED}.get(status, CheckoutStatus.COMPLETE),
        is_paid=status == "paid",
        amount_cents=started.amount_cents,
        currency="eur",
        reference=started.reference,
        intent_id=f"pi_of_{started.reference}" if status in {"paid", "failed", "waiting"} else None,
        has_failed=status == "failed",
        created_at=started.reserved_until - dt.timedelta(minutes=31),
    )
    return replace(found, **changes)


def book(factory: Factory, found: Checkout, now: dt.datetime | None = None) -> Booked:
    """Tell ourselves what the provider says."""
    return book_checkout(factory.session, found, actor=TEST_ACTOR, now=now or factory.now)


def payment_of(session: Session, started: Started) -> Payment:
    """The payment as the database has it now."""
    return session.get_one(Payment, started.payment_id, populate_existing=True)


def donation_of(session: Session, started: Started) -> Donation:
    """The gift as the database has it now."""
    return session.get_one(Donation, started.donation_id, populate_existing=True)


def booked_of(session: Session, started: Started) -> list[tuple[str, str, int]]:
    """What was booked of a gift: kind, account and cents."""
    rows = session.execute(
        text("""
            SELECT t.kind, p.account, p.amount_cents
            FROM ledger_transactions t JOIN ledger_postings p ON p.transaction_id = t.id
            WHERE t.donation_id = :id ORDER BY t.id, p.account
        """),
        {"id": started.donation_id},
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]


def states(session: Session) -> list[str]:
    """The states of all payments, in order."""
    return list(session.scalars(select(Payment.state).order_by(Payment.id)))


def begin_at(factory: Factory, stand_in: StandIn, initiative_id: int, gift: MoneyGift | int = 1_000) -> Started:
    """Begin a payment with a checkout at the stand-in, committed."""
    gift = money_gift(gift) if isinstance(gift, int) else gift
    started = start_gift(
        factory.session, initiative_id, gift, rules=factory.rules, actor=GIVER, now=factory.now, client=None
    )
    made = stand_in.provider.create_checkout(
        CheckoutRequest(
            reference=started.reference,
            amount_cents=started.amount_cents,
            description="Gift",
            success_url="http://localhost/goed",
            cancel_url="http://localhost/terug",
            expires_at=started.reserved_until,
        ),
        idempotency_key=f"gift-{started.reference}",
    )
    attach_checkout(factory.session, started.payment_id, made.id)
    factory.session.commit()
    return replace(started, checkout_id=made.id)


def deliver(app: Flask, payload: bytes, signature: str) -> int:
    """Send something to the webhook, as the provider does; the status of the answer."""
    client = app.test_client()
    send = partial(client.post, "/webhooks/stripe", data=payload, headers={"Stripe-Signature": signature})
    return contextvars.Context().run(send).status_code


def deliver_all(app: Flask, deliveries: Iterable[tuple[bytes, str]]) -> list[int]:
    """Send all of this to the webhook, in order."""
    return [deliver(app, payload, signature) for payload, signature in deliveries]
