# SPDX-License-Identifier: EUPL-1.2
"""The edge of paper: a transaction for each code, so that a bad one never loses a good one, and one for the closing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from flask import current_app

from abs_platform import attempts
from abs_platform.actors import Actor
from abs_platform.config import Settings
from abs_platform.database import db, transaction
from abs_platform.initiatives.queries import is_collecting
from abs_platform.initiatives.service import close_if_funded
from abs_platform.paper import queries
from abs_platform.paper.entering import Answer, enter, give_waiting
from abs_platform.paper.service import batch_for
from abs_platform.paper.states import EntryOutcome
from abs_platform.rule_settings.service import current_rules
from abs_platform.vouchers.giving import code_keys


@dataclass(slots=True)
class Released:
    """What became of a released batch: given, left with its household, and still to be done."""

    given: int = 0
    left: int = 0
    remaining: int = 0


def enter_codes(
    payloads: Sequence[int], initiative_id: int, account_id: int, *, box_id: int | None, actor: Actor, now: dt.datetime
) -> Iterator[Answer]:
    """Enter codes one by one. The gift that reaches the target funds the initiative before the next code is looked at.

    A crash between the two is healed by close_initiatives.
    """
    settings: Settings = current_app.extensions["settings"]
    rules, keys = current_rules(), code_keys()
    key = attempts.digest(settings.secret_key, f"account:{account_id}")
    for payload in payloads:
        if not is_collecting(db.session(), initiative_id, now=now):
            yield Answer(EntryOutcome.CLOSED, EntryOutcome.CLOSED.sentence)
            continue
        with transaction() as session:
            batch_id = batch_for(session, initiative_id, account_id, box_id=box_id, now=now)
            (answer,) = enter(session, batch_id, [payload], keys=keys, key=key, rules=rules, actor=actor, now=now)
        if answer.outcome == EntryOutcome.GIVEN:
            with transaction() as session:
                close_if_funded(session, initiative_id, actor=actor, now=now)
        yield answer


def give_released(batch_id: int, *, actor: Actor, now: dt.datetime, most: int | None = None) -> Released:
    """Give what waited in a released batch, at most so many; whoever comes later (the job) does the rest."""
    waiting = queries.waiting_vouchers(db.session(), batch_id)
    done = Released()
    for voucher_id in islice(waiting, most):
        with transaction() as session:
            answer = give_waiting(session, batch_id, voucher_id, actor=actor, now=now)
        if answer is None:
            continue
        initiative_id, was_given = answer
        done.given += was_given
        done.left += not was_given
        if was_given:
            with transaction() as session:
                close_if_funded(session, initiative_id, actor=actor, now=now)
    done.remaining = len(queries.waiting_vouchers(db.session(), batch_id))
    return done
