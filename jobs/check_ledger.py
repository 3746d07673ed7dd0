# SPDX-License-Identifier: EUPL-1.2
"""Prove the books every night and keep what was found; a break is an alarm, and stops payouts."""

import datetime as dt

import structlog

from abs_platform.actors import Actor
from abs_platform.finance.checking import check_books
from jobs.runner import JobReport

ACTOR = Actor("job", "check_ledger")
log = structlog.get_logger()


def run(now: dt.datetime) -> JobReport:
    """Every breach is an error of this run; they make one alarm together."""
    breaches = check_books(actor=ACTOR, now=now)
    if breaches:
        log.error("alarm: the books do not add up", breaches=len(breaches))
    return JobReport(errors=[f"{breach.invariant}: {breach.what}: {breach.details}" for breach in breaches])
