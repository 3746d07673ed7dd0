# SPDX-License-Identifier: EUPL-1.2
"""Forget what is no longer needed: wrong codes, and which household held which voucher of a settled round (rule 11)."""

import datetime as dt

from flask import current_app

from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.vouchers.queries import settled_rounds
from abs_platform.vouchers.redeeming import purge_attempts
from abs_platform.vouchers.service import forget_households
from jobs.runner import JobReport

ACTOR = Actor("job", "purge_personal_data")


def run(now: dt.datetime) -> JobReport:
    """One transaction for the wrong codes, and one a round."""
    days = current_app.extensions["settings"].rules.settled_after_days
    closed_before = now - dt.timedelta(days=days)

    def forget(round_id: int) -> int:
        with transaction() as session:
            return forget_households(session, round_id, actor=ACTOR, now=now)

    with transaction() as session:
        report = JobReport(changed=purge_attempts(session, now))
    report.each(settled_rounds(db.session(), closed_before), forget)
    return report
