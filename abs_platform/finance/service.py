# SPDX-License-Identifier: EUPL-1.2
"""The verbs of finance: opening a task and settling it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform.finance.models import FinanceTask
from abs_platform.finance.states import TaskKind


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
