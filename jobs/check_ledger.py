# SPDX-License-Identifier: EUPL-1.2
"""Prove the books every night; a break is an alarm."""

import datetime as dt

import structlog

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.database import one_snapshot, transaction
from abs_platform.ledger.queries import check
from jobs.runner import JobReport

ACTOR = Actor("job", "check_ledger")
log = structlog.get_logger()


def run(now: dt.datetime) -> JobReport:
    """Every breach is an error of this run; they make one alarm together."""
    report = JobReport()
    with transaction() as session:
        one_snapshot(session)
        breaches = check(session)
    report.errors = [f"{breach.invariant}: {breach.what}: {breach.details}" for breach in breaches]
    if breaches:
        log.error("alarm: the books do not add up", breaches=len(breaches))
        with transaction() as session:
            events.record(session, "alarm.ledger_broken", None, actor=ACTOR, now=now, breaches=report.errors)
    return report
