# SPDX-License-Identifier: EUPL-1.2
"""The verbs of reminding: each is a mail with an event of its own, so that nobody is told the same twice."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from abs_platform import outbox
from abs_platform.clock import last_day, local_date
from abs_platform.reminders.queries import Reminder, StaffDigest
from abs_platform.updates.mailing import tell_organisers
from abs_platform.vouchers.queries import EndingVouchers

SHOWN_TO_STAFF = 40
KEPT_FIRST_CALL, KEPT_LAST_CALL = dt.timedelta(days=14), dt.timedelta(days=2)


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


def remind_keeper(session: Session, ending: EndingVouchers, *, now: dt.datetime) -> int:
    """Queue that kept vouchers end soon, two weeks and two days before; returns whether it was new.

    Who was not told two weeks before, because the vouchers came back later, is told when it is found.
    """
    is_last_call = ending.usable_until - now <= KEPT_LAST_CALL
    days_before = (KEPT_LAST_CALL if is_last_call else KEPT_FIRST_CALL).days
    return int(
        outbox.queue(
            session,
            "reminder_kept",
            to=ending.email,
            event=f"reminder-kept:{days_before}:{ending.usable_until.isoformat()}:{ending.account_id}",
            now=now,
            count=ending.count,
            amount_cents=ending.amount_cents,
            last_day=last_day(ending.usable_until),
            is_last_call=is_last_call,
            vouchers_url=outbox.site_url("kept_vouchers.index"),
        )
    )
