# SPDX-License-Identifier: EUPL-1.2
"""Reads of mail: what is due, and what the demo shows."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.outbox import MailState, OutgoingMail
from abs_platform.paging import Page, page_of

PAGE_SIZE = 50


def is_any_due(session: Session, now: dt.datetime) -> bool:
    """Whether there is something to send, so that nobody bothers the mail server for nothing."""
    waiting = OutgoingMail.state.in_([MailState.QUEUED.value, MailState.SENDING.value])
    return session.scalar(select(OutgoingMail.id).where(waiting, OutgoingMail.due_at <= now).limit(1)) is not None


def list_mails(session: Session, *, search: str = "", page: int = 1) -> Page[OutgoingMail]:
    """Mails, the newest first, whose recipient has these letters in the address."""
    query = select(OutgoingMail)
    if search:
        query = query.where(OutgoingMail.recipient.contains(search.lower(), autoescape=True))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    window = page_of(total, page, PAGE_SIZE)
    rows = session.scalars(query.order_by(OutgoingMail.id.desc()).limit(PAGE_SIZE).offset(window.offset))
    return Page(items=list(rows), number=window.number, pages=window.pages, total=total)


def one_mail(session: Session, mail_id: int) -> OutgoingMail | None:
    """One mail, or None."""
    return session.get(OutgoingMail, mail_id)
