# SPDX-License-Identifier: EUPL-1.2
"""What waits at the coordinator and for how long: counted where it stands, so that nothing can be forgotten."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.clock import local_date
from abs_platform.job_runs import ALIVE_WITHIN
from abs_platform.pages.states import WaitingKind

# What failed longer ago was seen by then.
FAILED_SINCE = dt.timedelta(days=14)
# Days after which what waits is late; what is not here is late at once.
TERMS: dict[WaitingKind, int] = {
    WaitingKind.LETTERS: 3,
    WaitingKind.REPLACEMENTS: 7,
    WaitingKind.CITY_WIDE: 10,
}
# So many days before its issue a round should be released.
READY_BEFORE = 14
# These look ahead: their day is the day of issue.
AHEAD = frozenset({WaitingKind.TO_RELEASE, WaitingKind.TO_ISSUE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One kind of thing that waits. ``days`` that the oldest waits; for rounds, until the first is issued."""

    kind: WaitingKind
    count: int
    days: int | None
    subject_id: int | None = None

    @property
    def looks_ahead(self) -> bool:
        """Whether its days are still to come."""
        return self.kind in AHEAD

    @property
    def is_late(self) -> bool:
        """Whether it should have been done."""
        if self.days is None:
            return True
        if self.looks_ahead:
            return self.days < (READY_BEFORE if self.kind is WaitingKind.TO_RELEASE else 0)
        return self.days > TERMS.get(self.kind, -1)


_WAITING = text("""
    SELECT 'to_release', count(*), min(issue_on), (array_agg(id ORDER BY issue_on, id))[1]
        FROM rounds WHERE state = 'planned' AND released_at IS NULL
    UNION ALL
    SELECT 'to_issue', count(*), min(issue_on), (array_agg(id ORDER BY issue_on, id))[1]
        FROM rounds WHERE state = 'planned' AND released_at IS NOT NULL
    UNION ALL
    SELECT 'letters', count(*), CAST(min(b.issued_at) AT TIME ZONE 'Europe/Amsterdam' AS date),
           (array_agg(b.round_id ORDER BY b.issued_at, b.id))[1]
        FROM voucher_batches b JOIN rounds r ON r.id = b.round_id AND r.state = 'issued'
        WHERE b.voucher_count > 0 AND NOT EXISTS (
            SELECT FROM letter_runs l WHERE l.batch_id = b.id AND l.state = 'handed_over')
    UNION ALL
    SELECT 'replacements', count(*), CAST(min(asked_at) AT TIME ZONE 'Europe/Amsterdam' AS date), NULL
        FROM replacement_requests WHERE state = 'waiting'
    UNION ALL
    SELECT 'work', count(*), CAST(min(ended_at) AT TIME ZONE 'Europe/Amsterdam' AS date), min(id)
        FROM work_orders w
        WHERE state = 'failed' AND ended_at > :failed_since AND NOT EXISTS (
            SELECT FROM work_orders later WHERE later.kind = w.kind AND later.key = w.key AND later.id > w.id)
    UNION ALL
    SELECT 'jobs', count(*), CAST(min(started_at) AT TIME ZONE 'Europe/Amsterdam' AS date), NULL
        FROM (SELECT DISTINCT ON (job) job, error, started_at FROM job_runs
              WHERE ended_at IS NOT NULL ORDER BY job, started_at DESC, id DESC) newest
        WHERE error IS NOT NULL
    UNION ALL
    SELECT 'job_process', CASE WHEN COALESCE(max(seen_at) < :alive_since, true) THEN 1 ELSE 0 END,
           CAST(max(seen_at) AT TIME ZONE 'Europe/Amsterdam' AS date), NULL
        FROM scheduled_jobs
    UNION ALL
    SELECT 'city_wide', count(*), CAST(min(i.submitted_at) AT TIME ZONE 'Europe/Amsterdam' AS date), NULL
        FROM initiatives i JOIN areas a ON a.id = i.desk_area_id AND a.level = 'municipality'
        WHERE i.state = 'submitted'
""")


def what_waits(session: Session, now: dt.datetime) -> list[Waiting]:
    """What waits at the coordinator, in a fixed order; kinds of which there is nothing are left out."""
    today = local_date(now)
    rows = session.execute(_WAITING, {"failed_since": now - FAILED_SINCE, "alive_since": now - ALIVE_WITHIN})
    found = []
    for value, count, day, subject_id in rows:
        kind = WaitingKind(value)
        if count:
            days = None if day is None else (day - today).days if kind in AHEAD else (today - day).days
            found.append(Waiting(kind=kind, count=count, days=days, subject_id=subject_id))
    order = list(WaitingKind)
    return sorted(found, key=lambda one: order.index(one.kind))
