# SPDX-License-Identifier: EUPL-1.2
"""Issue the vouchers of every round that is due; addresses that came later get theirs."""

import datetime as dt

from flask import current_app

from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.rounds.queries import due_for_issue
from abs_platform.vouchers.issuing import issue_vouchers
from jobs.runner import JobReport

ACTOR = Actor("job", "issue_vouchers")


def run(now: dt.datetime) -> JobReport:
    """One transaction a round."""
    keys = current_app.extensions["code_keys"]

    def issue(round_id: int) -> int:
        with transaction() as session:
            return issue_vouchers(session, round_id, keys=keys, actor=ACTOR, now=now).voucher_count

    report = JobReport()
    report.each(due_for_issue(db.session(), now), issue)
    return report
