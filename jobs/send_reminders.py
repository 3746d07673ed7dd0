# SPDX-License-Identifier: EUPL-1.2
"""Remind organisers, who was asked to help carry, who keeps vouchers, and staff; the report counts mails, each once."""

import datetime as dt

from flask import current_app

from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.initiatives.inviting import remind
from abs_platform.reminders import queries, service
from abs_platform.reminders.queries import Reminder, StaffDigest
from abs_platform.rule_settings.service import current_rules
from abs_platform.vouchers.queries import EndingVouchers, kept_that_end
from jobs.runner import JobReport


def run(now: dt.datetime) -> JobReport:
    """One transaction a reminder: what was queued stays queued, and the next run does the rest."""
    settings: Settings = current_app.extensions["settings"]

    def to_organisers(reminder: Reminder) -> int:
        with transaction() as session:
            return service.remind_organisers(session, reminder, now=now)

    def to_co_organiser(asked: tuple[int, int]) -> int:
        organiser_id, days = asked
        with transaction() as session:
            return int(remind(session, organiser_id, after_days=days, secret_key=settings.secret_key, now=now))

    def to_staff(digest: StaffDigest) -> int:
        with transaction() as session:
            return service.remind_staff(session, digest, now=now)

    def to_keeper(ending: EndingVouchers) -> int:
        with transaction() as session:
            return service.remind_keeper(session, ending, now=now)

    report, session = JobReport(), db.session()
    report.each(kept_that_end(session, now, now + service.KEPT_FIRST_CALL), to_keeper)
    report.each(queries.due_to_co_organisers(session, now), to_co_organiser)
    report.each(queries.due_to_organisers(session, now), to_organisers)
    report.each(queries.due_to_staff(session, now, days=current_rules().answer_working_days), to_staff)
    return report
