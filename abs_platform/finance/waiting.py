# SPDX-License-Identifier: EUPL-1.2
"""What waits at finance and for how long: counted where it stands, so that nothing can be forgotten on a list."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.clock import local_date
from abs_platform.finance.states import WaitingKind
from abs_platform.payouts.paybacks import due
from abs_platform.working_days import latest_overdue_moment, working_days_between

# Working days within which it should be done; what has none is late as soon as it is here.
TERMS: dict[WaitingKind, int | None] = {
    WaitingKind.TO_APPROVE: 3,
    WaitingKind.APPROVED: 3,
    WaitingKind.TO_RELEASE: 1,
    WaitingKind.OWN_BATCH: 1,
    WaitingKind.TO_DELIVER: 1,
    WaitingKind.TASKS: 5,
    WaitingKind.DISPUTED: 3,
    WaitingKind.UNSPENT: None,
}
DAYS_AT_THE_BANK = 3
DAYS_OF_A_REFUND = 5
# Asked of the provider and not taken on for so long: the job has tried many times by then.
REFUND_HANGS = dt.timedelta(hours=24)
MAILS_SINCE = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One kind of thing that waits. ``days`` are the working days that the oldest of them waits."""

    kind: WaitingKind
    count: int
    amount_cents: int | None
    days: int | None

    @property
    def is_late(self) -> bool:
        """Whether the oldest waits longer than it should."""
        term = TERMS.get(self.kind, 0)
        return term is not None and self.days is not None and (self.days > term or self.kind not in TERMS)


_WAITING = text("""
    SELECT 'to_approve', COUNT(*), SUM(amount_cents), MIN(state_changed_at) FROM payouts WHERE state = 'confirmed'
    UNION ALL
    SELECT 'approved', COUNT(*), SUM(amount_cents), MIN(state_changed_at) FROM payouts WHERE state = 'approved'
    UNION ALL
    SELECT 'to_release', COUNT(*), SUM(sum_cents), MIN(made_at) FROM payout_batches
        WHERE state = 'made' AND made_by_id <> :account_id
    UNION ALL
    SELECT 'own_batch', COUNT(*), SUM(sum_cents), MIN(made_at) FROM payout_batches
        WHERE state = 'made' AND made_by_id = :account_id
    UNION ALL
    SELECT 'to_deliver', COUNT(*), SUM(sum_cents), MIN(released_at) FROM payout_batches b
        WHERE state = 'released' AND NOT EXISTS (
            SELECT 1 FROM events e
            WHERE e.subject = 'payout_batch' AND e.subject_id = b.id AND e.kind = 'payout_batch.downloaded')
    UNION ALL
    SELECT 'at_the_bank', COUNT(*), SUM(p.amount_cents), MIN(b.released_at)
        FROM payouts p JOIN payout_batches b ON b.id = p.batch_id
        WHERE p.state = 'exported' AND b.released_at < :bank_before
    UNION ALL
    SELECT 'tasks', COUNT(*), NULL, MIN(opened_at) FROM finance_tasks WHERE settled_at IS NULL
    UNION ALL
    SELECT 'disputed', COUNT(*), SUM(amount_cents), MIN(state_changed_at) FROM payments WHERE state = 'disputed'
    UNION ALL
    SELECT 'refunds', COUNT(*), SUM(amount_cents), MIN(refund_asked_at) FROM payments
        WHERE state = 'refund_pending'
          AND (refund_asked_at < :refund_before OR (refund_id IS NULL AND refund_asked_at < :asked_before))
    UNION ALL
    SELECT 'mails', COUNT(*), NULL, MIN(queued_at) FROM outgoing_mails
        WHERE state = 'failed' AND queued_at > :mails_since
""")


def what_waits(session: Session, account_id: int, now: dt.datetime) -> list[Waiting]:
    """What waits for somebody of finance, in a fixed order; kinds of which there is nothing are left out."""
    today = local_date(now)
    rows = session.execute(
        _WAITING,
        {
            "account_id": account_id,
            "bank_before": latest_overdue_moment(today, DAYS_AT_THE_BANK),
            "refund_before": latest_overdue_moment(today, DAYS_OF_A_REFUND),
            "asked_before": now - REFUND_HANGS,
            "mails_since": now - MAILS_SINCE,
        },
    )
    found = [
        Waiting(
            kind=WaitingKind(kind),
            count=count,
            amount_cents=None if cents is None else int(cents),
            days=working_days_between(local_date(since), today),
        )
        for kind, count, cents, since in rows
        if count
    ]
    unspent = due(session)
    if unspent:
        cents = sum(one.due_cents for one in unspent)
        found.append(Waiting(kind=WaitingKind.UNSPENT, count=len(unspent), amount_cents=cents, days=None))
    order = list(WaitingKind)
    return sorted(found, key=lambda one: order.index(one.kind))
