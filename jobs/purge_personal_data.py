# SPDX-License-Identifier: EUPL-1.2
"""Forget what is no longer needed: the wrong codes of the days before."""

import datetime as dt

from abs_platform.database import transaction
from abs_platform.vouchers.redeeming import purge_attempts
from jobs.runner import JobReport


def run(now: dt.datetime) -> JobReport:
    """One statement."""
    with transaction() as session:
        return JobReport(changed=purge_attempts(session, now))
