# SPDX-License-Identifier: EUPL-1.2
"""Codes from paper, entered by an organiser: given, written down to wait, or refused; each answered, none remembered.

A code is known in clear only while it is entered: its digest finds the voucher. Unusable codes count per account,
thirty an hour, typing errors not; then the rest of that hour is answered "later". The same code twice by the same
person changes nothing, so that a queue may be sent again. An initiative that does not collect (any more) is answered
without looking at the code. A code whose household objected, and was right, or that was refused by the wijkregisseur,
cannot be entered for that initiative again: its household can still give it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from abs_platform import attempts
from abs_platform.actors import Actor
from abs_platform.clock import AMSTERDAM
from abs_platform.donations.service import Gift, GiftDetails, give_voucher
from abs_platform.donations.states import Channel
from abs_platform.errors import TooManyAttempts
from abs_platform.initiatives.queries import is_collecting
from abs_platform.municipality import Rules
from abs_platform.paper import queries, service
from abs_platform.paper.models import EntryBatch, WaitingEntry
from abs_platform.paper.states import BatchState, EntryOutcome
from abs_platform.vouchers.queries import status
from abs_platform.vouchers.service import keep_usable

if TYPE_CHECKING:
    from abs_platform.vouchers.codes import CodeKeys

BUCKET = "paper.unusable"
UNUSABLE_AN_HOUR = 30
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one code, and what its organiser reads about it."""

    outcome: EntryOutcome
    sentence: str


def enter(
    session: Session,
    batch_id: int,
    payloads: Sequence[int],
    *,
    keys: CodeKeys,
    key: bytes,
    rules: Rules,
    actor: Actor,
    now: dt.datetime,
) -> list[Answer]:
    """Enter codes in a batch; an answer for each. ``key`` is what unusable codes count by: the account's.

    Whether the gifts fund the initiative is settled after this transaction (initiatives.service.close_if_funded).
    Locks: entering for the initiative, the batch, the account's count, and then those of giving.
    """
    service.lock_entering(session, session.get_one(EntryBatch, batch_id).initiative_id)
    batch = service.lock_batch(session, batch_id)
    answers = []
    for payload in payloads:
        try:
            attempts.claim(session, BUCKET, key, most=UNUSABLE_AN_HOUR, window=HOUR, now=now)
        except TooManyAttempts as refusal:
            time = (refusal.retry_at + dt.timedelta(seconds=59)).astimezone(AMSTERDAM).strftime("%H.%M")
            sentence = _("Te veel codes konden niet worden gebruikt. Na %(time)s uur kun je verder.", time=time)
            answers.append(Answer(EntryOutcome.LATER, str(sentence)))
            continue
        outcome = _enter_one(session, batch, keys.digest(payload), rules=rules, actor=actor, now=now)
        if outcome == EntryOutcome.NOT_USABLE:
            batch.refused_count += 1
        else:
            attempts.take_back(session, BUCKET, key)
        session.flush()
        answers.append(Answer(outcome, outcome.sentence))
    return answers


def _enter_one(
    session: Session, batch: EntryBatch, digest: bytes, *, rules: Rules, actor: Actor, now: dt.datetime
) -> EntryOutcome:
    if not is_collecting(session, batch.initiative_id, now=now):
        return EntryOutcome.CLOSED
    known = queries.known_code(session, digest, batch.initiative_id, batch.account_id)
    if known is not None:
        return known
    if batch.state == BatchState.WAITING or _is_large(session, batch, rules, now):
        return _write_down(session, batch, digest, rules=rules, actor=actor, now=now)
    if _give(session, batch, digest, actor=actor, now=now) is not None:
        batch.entered_count += 1
        return EntryOutcome.GIVEN
    return EntryOutcome.NOT_USABLE if is_collecting(session, batch.initiative_id, now=now) else EntryOutcome.CLOSED


def _is_large(session: Session, batch: EntryBatch, rules: Rules, now: dt.datetime) -> bool:
    return queries.good_codes_since(session, batch.initiative_id, now - HOUR) >= rules.large_batch_codes


def _write_down(
    session: Session, batch: EntryBatch, digest: bytes, *, rules: Rules, actor: Actor, now: dt.datetime
) -> EntryOutcome:
    found = status(session, digest)
    if found is None or found.why_not_usable(now) is not None:
        return EntryOutcome.NOT_USABLE
    if batch.state == BatchState.BOOKED:
        service.let_wait(session, batch, rules=rules, actor=actor, now=now)
    session.add(WaitingEntry(batch_id=batch.id, voucher_id=found.id, entered_at=now))
    if batch.waits_until is not None:  # it was handed in in time: its round may close while it waits
        keep_usable(session, found.id, until=batch.waits_until + service.TIME_TO_BOOK)
    batch.entered_count += 1
    return EntryOutcome.WAITING


def _give(session: Session, batch: EntryBatch, digest: bytes, *, actor: Actor, now: dt.datetime) -> Gift | None:
    details = GiftDetails(channel=Channel.ORGANISER, entry_batch_id=batch.id)
    return give_voucher(session, digest, batch.initiative_id, details=details, now=now, actor=actor)


def give_waiting(
    session: Session, batch_id: int, voucher_id: int, *, actor: Actor, now: dt.datetime
) -> tuple[int, bool] | None:
    """Give one code of a batch that was released, if it can still be given; it waits no more.

    Returns the initiative and whether it was given: not when its household gave it meanwhile, or the initiative does
    not collect any more. None when somebody else is at it, or it was done. Locks: the entry, then those of giving.
    """
    entry = session.scalar(
        select(WaitingEntry)
        .where(WaitingEntry.batch_id == batch_id, WaitingEntry.voucher_id == voucher_id)
        .with_for_update(skip_locked=True)
    )
    batch = session.get_one(EntryBatch, batch_id, populate_existing=True)
    if entry is None or batch.state != BatchState.RELEASED:
        return None
    gift = _give(session, batch, queries.digest_of(session, voucher_id), actor=actor, now=now)
    session.execute(
        delete(WaitingEntry).where(WaitingEntry.batch_id == batch_id, WaitingEntry.voucher_id == voucher_id)
    )
    return batch.initiative_id, gift is not None
