# SPDX-License-Identifier: EUPL-1.2
"""The edge of proving the books: all queries see one moment, and what was found is kept in a transaction of its own."""

from __future__ import annotations

import datetime as dt

from abs_platform.actors import Actor
from abs_platform.database import one_snapshot, transaction
from abs_platform.finance.service import keep_check
from abs_platform.ledger.queries import Breach, check


def check_books(*, actor: Actor, now: dt.datetime) -> list[Breach]:
    """Prove the books and keep the outcome; returns what breaks them. For jobs and routes, outside any transaction."""
    with transaction() as session:
        one_snapshot(session)
        breaches = check(session)
    with transaction() as session:
        keep_check(session, breaches, actor=actor, now=now)
    return breaches
