# SPDX-License-Identifier: EUPL-1.2
"""The mails of the demo's history have left at their time, and the old ones are forgotten as mails are (rule 11)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from abs_platform.mail.service import KEPT
from abs_platform.outbox import MailState, OutgoingMail, Transport


def settle(session: Session, *, now: dt.datetime) -> None:
    """What lies older than mails are kept never was here; the rest was sent when it was queued, to the demo's page."""
    session.execute(delete(OutgoingMail).where(OutgoingMail.queued_at <= now - KEPT))
    sent = {"state": MailState.SENT.value, "sent_at": OutgoingMail.queued_at, "transport": Transport.DEMO.value}
    waiting = OutgoingMail.state == MailState.QUEUED.value
    session.execute(update(OutgoingMail).where(waiting).values(**sent, due_at=None, attempts=1))
