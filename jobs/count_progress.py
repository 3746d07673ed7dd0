# SPDX-License-Identifier: EUPL-1.2
"""Count what was given to each initiative that collects, and once a day put them in the order of the fair mix."""

import datetime as dt

from abs_platform.database import transaction
from abs_platform.initiatives.counting import count_progress, mix
from jobs.runner import JobReport


def run(now: dt.datetime) -> JobReport:
    """Every minute; what did not change is not written."""
    with transaction() as session:
        changed = count_progress(session, now=now)
    with transaction() as session:
        changed += mix(session, now=now)
    return JobReport(changed=changed)
