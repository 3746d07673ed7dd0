# SPDX-License-Identifier: EUPL-1.2
"""The verbs of reminding: each is a mail with an event of its own, so that nobody is told the same twice."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from abs_platform import outbox
from abs_platform.clock import local_date
from abs_platform.reminders.queries import Reminder, StaffDigest
from abs_platform.updates.mailing import tell_organisers

SHOWN_TO_STAFF = 40


def remind_organisers(session: Session, reminder: Reminder, *, now: dt.datetime) -> int:
    """Queue it to every organiser who confirmed; returns to how many it was new."""
    return tell_organisers(
        session,
        reminder.template,
        reminder.initiative_id,
        event=f"{reminder.template}:{reminder.initiative_id}:{reminder.mark}",
        now=now,
        edit_url=_edit_url(reminder),
        **reminder.context,
    )


def _edit_url(reminder: Reminder) -> str:
    endpoint = "accountability.overview" if reminder.template == "accountability_due" else "submitting.overview"
    return outbox.site_url(endpoint, initiative_id=reminder.initiative_id)


def remind_staff(session: Session, digest: StaffDigest, *, now: dt.datetime) -> int:
    """Queue what is urgent to one member of staff, once a day; returns whether it was new."""
    items = sorted(digest.items, key=lambda item: (item.answer_by, item.title))
    return int(
        outbox.queue(
            session,
            "reminder_desk",
            to=digest.email,
            event=f"reminder-desk:{local_date(now).isoformat()}:{digest.account_id}",
            now=now,
            name=digest.name or digest.email.partition("@")[0],
            items=items[:SHOWN_TO_STAFF],
            desk_url=outbox.site_url("desk.index"),
        )
    )
