# SPDX-License-Identifier: EUPL-1.2
"""The whole timetable. Each job asks what is due and not done, so a night of downtime heals itself."""

from typing import NamedTuple

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from abs_platform.clock import AMSTERDAM
from abs_platform.work.states import WorkKind
from jobs import (
    book_entries,
    check_ledger,
    close_initiatives,
    count_figures,
    count_progress,
    do_work,
    expire_vouchers,
    issue_vouchers,
    prove_rounds,
    purge_personal_data,
    reconcile_payments,
    refund_payments,
    release_checkouts,
    send_digests,
    send_outbox,
    send_reminders,
    tell_of_funding,
)
from jobs.runner import Job
from jobs.work_job import job_handler


class Entry(NamedTuple):
    """A job and when it runs."""

    job: Job
    trigger: BaseTrigger
    when: str


TIMETABLE: dict[str, Entry] = {
    "send_outbox": Entry(send_outbox.run, IntervalTrigger(seconds=5), "elke 5 seconden"),
    "do_work": Entry(do_work.run, IntervalTrigger(seconds=3), "elke 3 seconden"),
    "issue_vouchers": Entry(issue_vouchers.run, IntervalTrigger(minutes=15), "elk kwartier"),
    "book_entries": Entry(book_entries.run, IntervalTrigger(minutes=15), "elk kwartier"),
    "close_initiatives": Entry(close_initiatives.run, IntervalTrigger(minutes=1), "elke minuut"),
    "count_progress": Entry(count_progress.run, IntervalTrigger(minutes=1), "elke minuut"),
    "release_checkouts": Entry(release_checkouts.run, IntervalTrigger(minutes=1), "elke minuut"),
    "refund_payments": Entry(refund_payments.run, IntervalTrigger(minutes=1), "elke minuut"),
    "reconcile_payments": Entry(reconcile_payments.run, IntervalTrigger(minutes=10), "elke 10 minuten"),
    "tell_of_funding": Entry(tell_of_funding.run, IntervalTrigger(minutes=1), "elke minuut"),
    "expire_vouchers": Entry(expire_vouchers.run, IntervalTrigger(minutes=5), "elke 5 minuten"),
    "count_figures": Entry(count_figures.run, IntervalTrigger(hours=1), "elk uur"),
    "send_reminders": Entry(
        send_reminders.run, CronTrigger(hour=8, minute=0, timezone=AMSTERDAM), "elke ochtend om 8.00 uur"
    ),
    # Most runs find nothing to do: it goes on Thursday at four, and later when that was missed.
    "send_digests": Entry(send_digests.run, IntervalTrigger(minutes=5), "elke 5 minuten"),
    "check_ledger": Entry(
        check_ledger.run, CronTrigger(hour=3, minute=10, timezone=AMSTERDAM), "elke nacht om 3.10 uur"
    ),
    "prove_rounds": Entry(
        prove_rounds.run, CronTrigger(hour=3, minute=30, timezone=AMSTERDAM), "elke nacht om 3.30 uur"
    ),
    "purge_personal_data": Entry(
        purge_personal_data.run, CronTrigger(hour=4, minute=10, timezone=AMSTERDAM), "elke nacht om 4.10 uur"
    ),
}
do_work.HANDLERS[WorkKind.RUN_JOB] = job_handler({name: entry.job for name, entry in TIMETABLE.items()})
