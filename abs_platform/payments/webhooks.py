# SPDX-License-Identifier: EUPL-1.2
"""What the provider tells us, applied once: signature first, then one transaction for the event and all it does.

The answer is given after the commit, so that what we did not keep is sent again. Events come twice, late and in any
order; each verb asks what is true and not what came last, and an event that was kept does nothing any more.
"""

from __future__ import annotations

import datetime as dt
import hashlib

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.actors import Actor
from abs_platform.database import transaction
from abs_platform.initiatives.service import close_if_funded
from abs_platform.payments.booking import Booked, book_checkout
from abs_platform.payments.disputing import book_dispute
from abs_platform.payments.paying import provider
from abs_platform.payments.port import Checkout, Dispute, ProviderEventData, Refund
from abs_platform.payments.queries import is_received
from abs_platform.payments.reconciling import book_bank_transfer
from abs_platform.payments.refunding import book_refund
from abs_platform.payments.states import EventOutcome
from abs_platform.payments.usual_booking import book_usual

ACTOR = Actor("job", "payment_webhook")
_KEEP = text("""
    INSERT INTO provider_events (id, type, object_id, created_at, received_at, outcome)
    VALUES (:id, :type, :object_id, :created_at, :received_at, :outcome)
    ON CONFLICT (id) DO NOTHING
""")
log = structlog.get_logger()


def receive(payload: bytes, signature: str) -> EventOutcome:
    """Apply what was sent to the webhook, and close the initiative that it funds; returns what it did.

    What is usual is one statement, and all else goes the long way. A crash before the closing is healed by
    close_initiatives. Raises: EventForged, with nothing changed.
    """
    now = clock.now()
    event = provider().read_event(payload, signature, now=now)
    with transaction() as session:
        booked = book_usual(session, event, actor=ACTOR, now=now)
    if booked is None:
        with transaction() as session:  # of its own: the locks of the first try would be taken in another order
            booked = apply_event(session, event, now=now)
    if booked.confirmed_initiative_id is not None:
        with transaction() as session:
            close_if_funded(session, booked.confirmed_initiative_id, actor=ACTOR, now=now)
    log.info("provider event", type=event.type, outcome=booked.outcome.value)
    return booked.outcome


def apply_event(session: Session, event: ProviderEventData, *, now: dt.datetime) -> Booked:
    """Do what an event says, and keep it; one that was kept before does nothing.

    Its row is never changed, so it is written last, with what it did. Locks: the event (advisory), so that the second
    of two at once finds the first one kept; then those of the verb.
    """
    key = int.from_bytes(hashlib.sha256(event.id.encode()).digest()[:8], signed=True)
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
    if is_received(session, event.id):
        return Booked(EventOutcome.NOTHING_NEW)
    booked = _apply(session, event, now)
    _keep(session, event, booked, now)
    return booked


def _keep(session: Session, event: ProviderEventData, booked: Booked, now: dt.datetime) -> None:
    kept = {
        "id": event.id,
        "type": event.type,
        "object_id": "" if event.subject is None else event.subject.id,
        "created_at": event.created_at,
        "received_at": now,
        "outcome": booked.outcome.value,
    }
    session.execute(_KEEP, kept)


def _apply(session: Session, event: ProviderEventData, now: dt.datetime) -> Booked:
    subject = event.subject
    if subject is None:
        return Booked(EventOutcome.UNKNOWN_TYPE)
    if isinstance(subject, Checkout):
        return book_checkout(session, subject, actor=ACTOR, now=now)
    if isinstance(subject, Refund):
        return Booked(book_refund(session, subject, actor=ACTOR, now=now))
    if isinstance(subject, Dispute):
        return Booked(book_dispute(session, subject, actor=ACTOR, now=now))
    return Booked(book_bank_transfer(session, subject, actor=ACTOR, now=now))
