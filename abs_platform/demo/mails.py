# SPDX-License-Identifier: EUPL-1.2
"""What is forgotten every night was forgotten in the demo too (rule 11), and its mails have left at their time."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from abs_platform import attempts
from abs_platform.donations.service import forget_addresses as forget_givers
from abs_platform.initiatives.organisers import forget_addresses
from abs_platform.mail.service import KEPT
from abs_platform.mail.service import forget as forget_mails
from abs_platform.media.service import forget_removed
from abs_platform.outbox import MailState, OutgoingMail, Transport
from abs_platform.payments.service import forget_addresses as forget_receipts
from abs_platform.vouchers.redeeming import purge_attempts


def settle(session: Session, *, now: dt.datetime) -> None:
    """What lies older than mails are kept never was here; the rest was sent when it was queued, to the demo's page."""
    session.execute(delete(OutgoingMail).where(OutgoingMail.queued_at <= now - KEPT))
    sent = {"state": MailState.SENT.value, "sent_at": OutgoingMail.queued_at, "transport": Transport.DEMO.value}
    waiting = OutgoingMail.state == MailState.QUEUED.value
    session.execute(update(OutgoingMail).where(waiting).values(**sent, due_at=None, attempts=1))
    for forget in (purge_attempts, attempts.purge, forget_removed, forget_givers, forget_receipts):
        forget(session, now)
    forget_addresses(session)
    forget_mails(session, now=now)
