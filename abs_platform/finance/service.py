# SPDX-License-Identifier: EUPL-1.2
"""The verbs of finance: opening a task, and keeping what a proof of the books found."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import events, outbox
from abs_platform.accounts.queries import holders_of
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.finance.models import BooksCheck, FinanceTask
from abs_platform.finance.states import TaskKind
from abs_platform.ledger.queries import Breach
from abs_platform.users import Role

BREACHES_TOLD = 5


def open_task(
    session: Session,
    kind: TaskKind,
    key: str,
    *,
    now: dt.datetime,
    payment_id: int | None = None,
    payout_id: int | None = None,
    initiative_id: int | None = None,
    amount_cents: int | None = None,
    ours: str = "",
    theirs: str = "",
    external_id: str = "",
) -> bool:
    """Ask finance to look at something; whether this is a new task. ``key`` names the thing: it is one task for ever.

    ``ours`` and ``theirs`` are sentences for people; they never hold a name, an address or an account number.
    """
    made = session.execute(
        insert(FinanceTask)
        .values(
            kind=kind.value,
            key=key,
            opened_at=now,
            payment_id=payment_id,
            payout_id=payout_id,
            initiative_id=initiative_id,
            amount_cents=amount_cents,
            ours=ours,
            theirs=theirs,
            external_id=external_id,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(FinanceTask.id)
    )
    return made.first() is not None


def keep_check(session: Session, breaches: list[Breach], *, actor: Actor, now: dt.datetime) -> None:
    """Keep what a proof of the books found: payouts go on only while the last one found nothing.

    A breach is an alarm: an event every time, and once a day a task and a mail to everybody of finance.
    """
    said = [f"{breach.invariant}: {breach.what}: {breach.details}" for breach in breaches]
    session.add(BooksCheck(checked_at=now, breach_count=len(said), breaches={"breaches": said} if said else None))
    session.flush()
    if not said:
        return
    events.record(session, "alarm.ledger_broken", None, actor=actor, now=now, breaches=said)
    day = local_date(now)
    open_task(session, TaskKind.BOOKS_BROKEN, f"books-broken-{day.isoformat()}", now=now, ours="\n".join(said))
    for account_id, email, name in holders_of(session, Role.FINANCE):
        outbox.queue(
            session,
            "books_broken",
            to=email,
            event=f"books-broken:{day.isoformat()}:{account_id}",
            now=now,
            name=name,
            count=len(said),
            breaches=said[:BREACHES_TOLD],
            tasks_url=outbox.site_url("finance.tasks"),
        )


def is_task_open(session: Session, kind: TaskKind, key_prefix: str) -> bool:
    """Whether a task whose key begins so waits to be settled."""
    query = select(FinanceTask.id).where(
        FinanceTask.kind == kind.value,
        FinanceTask.settled_at.is_(None),
        FinanceTask.key.startswith(key_prefix, autoescape=True),
    )
    return session.scalar(query.limit(1)) is not None
