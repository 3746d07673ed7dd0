# SPDX-License-Identifier: EUPL-1.2
"""Send the weekly mail to followers: on Thursday at four, and what was missed then as soon as it can be done."""

import datetime as dt

from flask import current_app

from abs_platform.database import db, transaction
from abs_platform.following.digests import send
from abs_platform.following.queries import due
from abs_platform.following.states import LATE_AFTER, SETTLING, last_moment
from jobs.runner import JobReport


def run(now: dt.datetime) -> JobReport:
    """One transaction a follower: what was queued stays queued, and the next run does the rest. Counts the mails."""
    report, moment = JobReport(), last_moment(now)
    if now - moment > LATE_AFTER:
        return report
    secret_key, until = current_app.extensions["settings"].secret_key, moment - SETTLING

    def tell(follower_id: int) -> int:
        with transaction() as session:
            return send(session, follower_id, until, secret_key=secret_key, now=now)

    report.each(due(db.session(), until), tell)
    return report
