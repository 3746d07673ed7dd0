# SPDX-License-Identifier: EUPL-1.2
"""Count each hour what the figures of years and the pages of districts tell, so that no page sums all gifts."""

import datetime as dt

from abs_platform.database import transaction
from abs_platform.reports.service import keep_area_figures, keep_district_vouchers
from jobs.runner import JobReport


def run(now: dt.datetime) -> JobReport:
    """Each in a transaction of its own. What is the same as before is not written."""

    def count(name: str) -> int:
        with transaction() as session:
            if name == "years":
                return keep_area_figures(session, now=now)
            return keep_district_vouchers(session, now=now)

    report = JobReport()
    report.each(["years", "districts"], count)
    return report
