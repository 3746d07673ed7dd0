# SPDX-License-Identifier: EUPL-1.2
"""Give the codes of large batches about which nobody decided in time, and go on with what a release left undone."""

import datetime as dt

from abs_platform.actors import Actor
from abs_platform.database import db, transaction
from abs_platform.paper import queries
from abs_platform.paper.giving import give_released
from abs_platform.paper.service import release
from jobs.runner import JobReport

ACTOR = Actor("job", "book_entries")


def run(now: dt.datetime) -> JobReport:
    """A transaction to release a batch, and one for each of its codes; the report counts codes that were given."""

    def let_go(batch_id: int) -> int:
        with transaction() as session:
            release(session, batch_id, actor=ACTOR, by_id=None, now=now)
        return 0

    def give(batch_id: int) -> int:
        return give_released(batch_id, actor=ACTOR, now=now).given

    report = JobReport()
    report.each(queries.overdue_batches(db.session(), now), let_go)
    report.each(queries.unfinished_batches(db.session()), give)
    return report
