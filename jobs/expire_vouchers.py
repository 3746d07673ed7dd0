# SPDX-License-Identifier: EUPL-1.2
"""Expire vouchers whose time is over and close their rounds (rule 3)."""

import datetime as dt

from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.replacements.service import close_requests
from abs_platform.vouchers.queries import rounds_due_for_expiry
from abs_platform.vouchers.service import expire_round
from jobs.runner import JobReport

ACTOR = Actor("job", "expire_vouchers")


def run(now: dt.datetime) -> JobReport:
    """One transaction a round."""

    def expire(round_id: int) -> int:
        with transaction() as session:
            count = expire_round(session, round_id, actor=ACTOR, now=now)
            return count + close_requests(session, now=now)

    report = JobReport()
    report.each(rounds_due_for_expiry(db.session(), now), expire)
    return report
