# SPDX-License-Identifier: EUPL-1.2
"""The life of a batch of codes and of a collection box: begun, waiting, released or refused; registered and removed.

A batch is one sitting of one organiser for one initiative (and one box). Once more than ``large_batch_codes`` good
codes were entered for an initiative within an hour, the batch waits: its further codes are not given but written down,
until a wijkregisseur decides, or ``large_batch_hours`` are over. What is refused stays with the households, who may
give it themselves; organisers cannot enter it for that initiative again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from flask_babel import gettext as _
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from abs_platform import events, outbox
from abs_platform.accounts.queries import district_managers, email_of
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.donations.service import REFERENCE_ALPHABET
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.initiatives.subjects import subject_of
from abs_platform.lives import check_move
from abs_platform.municipality import Rules
from abs_platform.paper.models import CollectionBox, EntryBatch, WaitingEntry
from abs_platform.paper.states import TRANSITIONS, BatchState

SITTING = dt.timedelta(hours=12)
MOST_BOXES = 20
REFERENCE_LENGTH = 6
_GROWING = (BatchState.BOOKED.value, BatchState.WAITING.value)
# After the last moment for the wijkregisseur the job gives what waits: that takes it a day at most.
TIME_TO_BOOK = dt.timedelta(days=1)
_LAST = text("""
    UPDATE vouchers SET usable_until = entry_batches.waits_until + :time_to_book
    FROM waiting_entries JOIN entry_batches ON entry_batches.id = waiting_entries.batch_id
    WHERE waiting_entries.voucher_id = vouchers.id AND entry_batches.state = 'waiting'
      AND vouchers.round_id = :round_id AND vouchers.state IN ('issued', 'kept') AND vouchers.usable_until IS NULL
""")


def lock_entering(session: Session, initiative_id: int) -> None:
    """Let the organisers of one initiative enter codes one after the other, so that nobody slips past the count."""
    key = int.from_bytes(hashlib.sha256(f"paper:{initiative_id}".encode()).digest()[:8], signed=True)
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def let_waiting_last(session: Session, round_id: int) -> None:
    """Let the vouchers of a round that wait for a wijkregisseur outlive the round: they were handed in in time.

    The caller holds the round's lock and closes it. Locks: the vouchers.
    """
    session.execute(_LAST, {"round_id": round_id, "time_to_book": TIME_TO_BOOK})


def batch_for(session: Session, initiative_id: int, account_id: int, *, box_id: int | None, now: dt.datetime) -> int:
    """The batch of this sitting, begun when there is none.

    Locks: entering for the initiative, then the batch.
    """
    lock_entering(session, initiative_id)
    found = session.scalar(
        select(EntryBatch.id)
        .where(
            EntryBatch.initiative_id == initiative_id,
            EntryBatch.account_id == account_id,
            EntryBatch.box_id.is_not_distinct_from(box_id),
            EntryBatch.began_at > now - SITTING,
            EntryBatch.state.in_(_GROWING),
        )
        .order_by(EntryBatch.id.desc())
        .limit(1)
        .with_for_update()
    )
    if found is not None:
        return found
    reference = "".join(secrets.choice(REFERENCE_ALPHABET) for _place in range(REFERENCE_LENGTH))
    batch = EntryBatch(
        reference=reference, initiative_id=initiative_id, account_id=account_id, box_id=box_id, began_at=now
    )
    session.add(batch)
    session.flush()
    return batch.id


def lock_batch(session: Session, batch_id: int) -> EntryBatch:
    """A batch, for who changes it. Raises: NotFound."""
    found = session.get(EntryBatch, batch_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("Deze lijst met codes bestaat niet (meer)."))
    return found


def let_wait(session: Session, batch: EntryBatch, *, rules: Rules, actor: Actor, now: dt.datetime) -> None:
    """From now on the codes of this batch wait, and its desk gets a mail. The caller holds the batch."""
    check_move(TRANSITIONS, BatchState(batch.state), BatchState.WAITING, "de lijst")
    batch.state = BatchState.WAITING.value
    batch.waiting_since = now
    batch.waits_until = now + dt.timedelta(hours=rules.large_batch_hours)
    events.record(session, "entry_batch.waiting", batch.id, actor=actor, now=now, reference=batch.reference)
    subject = subject_of(session, batch.initiative_id)
    if subject.desk_area_id is None:
        return
    for account_id, email, name in district_managers(session, subject.desk_area_id, local_date(now)):
        if account_id not in subject.organiser_ids:
            outbox.queue(
                session,
                "large_batch_waits",
                to=email,
                event=f"large-batch:{batch.id}",
                now=now,
                name=name,
                title=subject.title,
                reference=batch.reference,
                waits_until=batch.waits_until,
                batch_url=outbox.site_url("paper_regie.show", batch_id=batch.id),
            )


def release(session: Session, batch_id: int, *, actor: Actor, by_id: int | None, now: dt.datetime) -> int:
    """Let what waits be given; returns how many codes that are. They are given after this (paper.giving).

    ``by_id`` None: its time was over, and nobody had decided. Locks: the batch. Raises: NotFound, InvalidTransition.
    """
    return _decide(session, batch_id, BatchState.RELEASED, "", actor=actor, by_id=by_id, now=now)


def refuse(session: Session, batch_id: int, reason: str, *, actor: Actor, by_id: int, now: dt.datetime) -> int:
    """Give nothing of what waits; the vouchers stay with their households. Returns how many codes that are.

    Locks: the batch. Raises: NotFound, InvalidTransition; InvalidInput without a reason.
    """
    if not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    return _decide(session, batch_id, BatchState.REFUSED, reason.strip(), actor=actor, by_id=by_id, now=now)


def _decide(
    session: Session,
    batch_id: int,
    state: BatchState,
    reason: str,
    *,
    actor: Actor,
    by_id: int | None,
    now: dt.datetime,
) -> int:
    batch = lock_batch(session, batch_id)
    check_move(TRANSITIONS, BatchState(batch.state), state, _("de lijst"))
    batch.state, batch.reason = state.value, reason
    batch.decided_at, batch.decided_by_id = now, by_id
    waiting = select(func.count()).select_from(WaitingEntry).where(WaitingEntry.batch_id == batch_id)
    count = session.scalar(waiting) or 0
    kind = f"entry_batch.{state.value}"
    events.record(session, kind, batch_id, actor=actor, now=now, reason=reason or None, codes=count)
    email = email_of(session, batch.account_id) if batch.account_id else None
    if email:
        outbox.queue(
            session,
            "large_batch_decided",
            to=email,
            event=f"large-batch-decided:{batch_id}",
            now=now,
            title=subject_of(session, batch.initiative_id).title,
            reference=batch.reference,
            is_released=state == BatchState.RELEASED,
            reason=reason,
            count=count,
            paper_url=outbox.site_url("paper.index", initiative_id=batch.initiative_id),
        )
    session.flush()
    return count


def register_box(
    session: Session, initiative_id: int, place: str, address: str, *, account_id: int, actor: Actor, now: dt.datetime
) -> CollectionBox:
    """Give a box at a shop its number. Numbers are never used again.

    Locks: entering for the initiative, then the numbers. Raises: Conflict for one too many.
    """
    lock_entering(session, initiative_id)
    mine = select(func.count()).where(CollectionBox.initiative_id == initiative_id, CollectionBox.removed_at.is_(None))
    if (session.scalar(mine) or 0) >= MOST_BOXES:
        raise Conflict(_("Je kunt hoogstens %(most)s bussen hebben. Haal er eerst een weg.", most=MOST_BOXES))
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": 7_601_019})
    last = session.scalar(select(func.coalesce(func.max(CollectionBox.number), 0))) or 0
    box = CollectionBox(
        number=last + 1,
        initiative_id=initiative_id,
        account_id=account_id,
        place=place,
        address=address,
        registered_at=now,
    )
    session.add(box)
    session.flush()
    events.record(session, "initiative.box_registered", initiative_id, actor=actor, now=now, box=box.number)
    return box


def remove_box(session: Session, box_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """The box is gone from its shop; what was entered from it keeps its number. Once or twice is the same."""
    box = session.get_one(CollectionBox, box_id, with_for_update=True, populate_existing=True)
    if box.removed_at is None:
        box.removed_at = now
        events.record(session, "initiative.box_removed", box.initiative_id, actor=actor, now=now, box=box.number)


def forget(session: Session, account_id: int) -> None:
    """Batches and boxes stay, without who entered or registered them."""
    session.execute(update(EntryBatch).where(EntryBatch.account_id == account_id).values(account_id=None))
    session.execute(update(CollectionBox).where(CollectionBox.account_id == account_id).values(account_id=None))
