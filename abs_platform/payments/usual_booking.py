# SPDX-License-Identifier: EUPL-1.2
"""The event of which there are thousands, a checkout that is paid while its initiative collects: one statement for all.

It writes what ``webhooks.apply_event`` writes under rule 1 of booking.py, and takes the locks of payment and initiative
in the same order. Of anything else it writes nothing, and the caller goes the long way, where all rules stand.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.payments.booking import CURRENCY, Booked
from abs_platform.payments.port import Checkout, ProviderEventData
from abs_platform.payments.states import EventOutcome
from abs_platform.payments.telling import tell_received

# From top to bottom: the payment must wait for just this money, and is ours until we are done (the row lock decides
# between two who hear of it at once: the second finds it paid); then the initiative must collect, and keeps collecting
# (share lock, as for every gift); the rest follows from the payment. When nothing is paid, nothing is written.
_BOOK = text("""
    WITH awaited AS (
        SELECT payments.id, donations.initiative_id
        FROM payments JOIN donations ON donations.id = payments.donation_id
        WHERE donations.reference = :reference AND donations.state = 'pending'
          AND payments.state = 'created' AND payments.amount_cents = :amount_cents
          AND (payments.checkout_id IS NULL OR payments.checkout_id = :checkout_id)
          AND NOT EXISTS (SELECT FROM provider_events WHERE provider_events.id = :event_id)
        FOR UPDATE OF payments
    ), open_initiative AS (
        SELECT initiatives.id FROM initiatives JOIN awaited ON awaited.initiative_id = initiatives.id
        WHERE initiatives.state = 'published' AND initiatives.deadline_on >= :today
        FOR SHARE OF initiatives
    ), paid AS (
        UPDATE payments
        SET state = 'paid', state_changed_at = :now, paid_at = :now, checkout_id = :checkout_id,
            intent_id = COALESCE(intent_id, :intent_id), charge_id = COALESCE(charge_id, :charge_id),
            method = COALESCE(NULLIF(method, ''), :method)
        FROM awaited, open_initiative
        WHERE payments.id = awaited.id
        RETURNING payments.id, payments.donation_id, awaited.initiative_id, payments.amount_cents,
                  payments.receipt_email
    ), donation AS (
        UPDATE donations SET state = 'confirmed', given_at = :now FROM paid WHERE donations.id = paid.donation_id
    ), booking AS (
        INSERT INTO ledger_transactions (kind, booked_at, donation_id)
        SELECT 'payment_received', :now, donation_id FROM paid
        RETURNING id
    ), postings AS (
        INSERT INTO ledger_postings (transaction_id, account, initiative_id, amount_cents)
        SELECT booking.id, 'provider', NULL, -paid.amount_cents FROM booking, paid
        UNION ALL
        SELECT booking.id, 'initiative', paid.initiative_id, paid.amount_cents FROM booking, paid
    ), event AS (
        INSERT INTO events (happened_at, actor, kind, subject, subject_id)
        SELECT :now, :actor, 'payment.paid', 'payment', id FROM paid
    ), kept AS (
        INSERT INTO provider_events (id, type, object_id, created_at, received_at, outcome)
        SELECT :event_id, :event_type, :checkout_id, :created_at, :now, 'applied' FROM paid
    )
    SELECT id, initiative_id, receipt_email FROM paid
""")


def book_usual(session: Session, event: ProviderEventData, *, actor: Actor, now: dt.datetime) -> Booked | None:
    """Book and keep the event of a checkout that is paid as expected; None, with nothing written, for any other.

    Locks: the payment, then the initiative (shared); None may leave the payment locked.
    """
    checkout = event.subject
    if not isinstance(checkout, Checkout) or not checkout.is_paid or checkout.currency.lower() != CURRENCY:
        return None
    row = session.execute(
        _BOOK,
        {
            "reference": checkout.reference,
            "amount_cents": checkout.amount_cents,
            "checkout_id": checkout.id,
            "intent_id": checkout.intent_id,
            "charge_id": checkout.charge_id,
            "method": checkout.method,
            "event_id": event.id,
            "event_type": event.type,
            "created_at": event.created_at,
            "actor": str(actor),
            "now": now,
            "today": local_date(now),
        },
    ).first()
    if row is None:
        return None
    if row.receipt_email is not None:
        tell_received(session, row.id, now)
    return Booked(EventOutcome.APPLIED, row.id, row.initiative_id)
