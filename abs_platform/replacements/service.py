# SPDX-License-Identifier: EUPL-1.2
"""A new letter to the same address (rule 1): asked for by anyone, once a round, and nothing is told to who asks.

Lessons: letters do not arrive everywhere, and requests that create value are abused. So a letter goes to the address
itself and nowhere else, the household's old code dies when the new one is printed, and the answer is the same whatever
is true of the address.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import attempts, events
from abs_platform.actors import Actor
from abs_platform.donations.states import Channel
from abs_platform.errors import Conflict
from abs_platform.letters.queries import approved_text_id
from abs_platform.letters.service import begin_run
from abs_platform.replacements.models import ReplacementRequest
from abs_platform.replacements.queries import Address, letter_of, lock_too_late, lock_waiting
from abs_platform.replacements.states import RequestState
from abs_platform.vouchers.replacing import replace_vouchers

if TYPE_CHECKING:
    from abs_platform.vouchers.codes import CodeKeys

BUCKET = "new-letter"
DAY = dt.timedelta(days=1)
REASON = "nieuwe brief"


def ask(
    session: Session, address: Address, *, channel: Channel, client: bytes, most: int, actor: Actor, now: dt.datetime
) -> None:
    """Ask for a new letter to an address. Says nothing of whether there is one to come.

    Every request counts, so that the limit tells nothing either. A household has one request a round; the second is
    as if it was not there. Locks: the client's count.
    Raises: TooManyAttempts after ``most`` of this client in a day.
    """
    attempts.claim(session, BUCKET, client, most=most, window=DAY, now=now)
    found = letter_of(session, address, now)
    if found is None:
        return
    made = session.execute(
        insert(ReplacementRequest)
        .values(
            round_id=found.round_id,
            household_id=found.household_id,
            neighbourhood_id=found.neighbourhood_id,
            channel=channel.value,
            asked_at=now,
        )
        .on_conflict_do_nothing()
        .returning(ReplacementRequest.id)
    ).scalar()
    if made is not None:
        events.record(session, "replacement.asked", made, actor=actor, now=now)


@dataclass(frozen=True, slots=True)
class Printed:
    """What printing the waiting requests of a round did: how many became letters, and the run to make them with."""

    printed: int
    dropped: int
    run_id: int | None


def print_requests(
    session: Session, round_id: int, *, expected: int, keys: CodeKeys, actor: Actor, now: dt.datetime
) -> Printed:
    """Turn the requests that wait in a round into new vouchers and a run of letters; the old codes die here.

    A household that gave or keeps its voucher meanwhile has no new letter: its request is dropped. ``expected`` is how
    many the coordinator was shown.

    Locks: the round, its waiting requests, then those of vouchers.replacing.
    Raises: Conflict when nothing waits, or another number than expected, or no text of the letter was approved.
    """
    text_id = approved_text_id(session)
    if text_id is None:
        raise Conflict(_("Er is nog geen goedgekeurde tekst van de brief. Keur die eerst goed."))
    waiting = lock_waiting(session, round_id)
    if not waiting:
        raise Conflict(_("Er wachten geen aanvragen voor een nieuwe brief in deze ronde."))
    if len(waiting) != expected:
        raise Conflict(_("Het aantal aanvragen veranderde sinds je deze pagina opende. Kijk nog een keer."))
    households = [one.household_id for one in waiting if one.household_id is not None]
    replaced = replace_vouchers(session, round_id, households, reason=REASON, keys=keys, actor=actor, now=now)
    printed = [one.id for one in waiting if one.household_id in replaced.household_ids]
    dropped = [one.id for one in waiting if one.household_id not in replaced.household_ids]
    _settle(session, printed, RequestState.PRINTED, batch_id=replaced.batch_id, now=now)
    _settle(session, dropped, RequestState.DROPPED, batch_id=None, now=now)
    run_id = None
    if replaced.batch_id is not None:
        run_id = begin_run(session, replaced.batch_id, text_id=text_id, keys=keys, actor=actor, now=now).id
    events.record(
        session,
        "round.letters_replaced",
        round_id,
        actor=actor,
        now=now,
        printed=len(printed),
        dropped=len(dropped),
        batch=replaced.batch_id,
    )
    session.flush()
    return Printed(len(printed), len(dropped), run_id)


def _settle(
    session: Session, ids: Sequence[int], state: RequestState, *, batch_id: int | None, now: dt.datetime
) -> None:
    if ids:
        settled = update(ReplacementRequest).where(ReplacementRequest.id.in_(ids))
        session.execute(settled.values(state=state.value, settled_at=now, batch_id=batch_id))


def close_requests(session: Session, *, now: dt.datetime) -> int:
    """Drop what still waits in rounds that are over; returns how many."""
    ids = lock_too_late(session, now)
    _settle(session, ids, RequestState.DROPPED, batch_id=None, now=now)
    return len(ids)


def forget_households(session: Session, round_id: int) -> int:
    """Cut the link to the households when their round is settled (rule 11); returns how many."""
    of_round = update(ReplacementRequest).where(
        ReplacementRequest.round_id == round_id, ReplacementRequest.household_id.is_not(None)
    )
    return int(getattr(session.execute(of_round.values(household_id=None)), "rowcount", 0))
