# SPDX-License-Identifier: EUPL-1.2
"""Giving at the desk of a wijkcentrum: one code and one number, for somebody who stands there or from a reply strip.

Unusable codes count per member of staff, sixty an hour, typing errors not: a shared screen must never use up the ten of
a resident. One answer whatever is wrong with a code. Nothing of who gave is kept: an event names the voucher and the
member of staff, and no screen shows the one beside the other.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import attempts
from abs_platform.actors import Actor
from abs_platform.donations.service import Gift, GiftDetails, give_voucher
from abs_platform.donations.states import Channel
from abs_platform.errors import InitiativeNotOpen
from abs_platform.events import Event
from abs_platform.initiatives.queries import is_collecting
from abs_platform.paper.queries import given_at_desk
from abs_platform.vouchers.redeeming import made_before

if TYPE_CHECKING:
    from abs_platform.vouchers.codes import CodeKeys

BUCKET = "counter.unusable"
UNUSABLE_AN_HOUR = 60
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Today:
    """How many codes one member of staff gave and saw refused since midnight."""

    given: int
    refused: int


def give(
    session: Session,
    payload: int,
    initiative_id: int,
    *,
    form_key: uuid.UUID | None,
    account_key: bytes,
    keys: CodeKeys,
    actor: Actor,
    now: dt.datetime,
) -> Gift | None:
    """Give the voucher with this code; None when it cannot be used, which counts. The same form twice gives once.

    Locks: the count of this member of staff, then those of donations.service.give_voucher.
    Raises: TooManyAttempts; InitiativeNotOpen, which is no wrong code; Conflict when the form gave another code.
    """
    if not is_collecting(session, initiative_id, now=now):
        raise _not_open()
    attempts.claim(session, BUCKET, account_key, most=UNUSABLE_AN_HOUR, window=HOUR, now=now)
    digest = keys.digest(payload)
    details = GiftDetails(channel=Channel.DESK, idempotency_key=form_key)
    gift = made_before(session, digest, initiative_id, details) or give_voucher(
        session, digest, initiative_id, details=details, now=now, actor=actor
    )
    gift = gift or made_before(session, digest, initiative_id, details)
    if gift is not None:
        attempts.take_back(session, BUCKET, account_key)
    elif not is_collecting(session, initiative_id, now=now):
        raise _not_open()
    session.flush()
    return gift


def _not_open() -> InitiativeNotOpen:
    return InitiativeNotOpen(_("Dit initiatief haalt geen geld meer op. De voucher is niet gegeven: kies een ander."))


def counted_today(session: Session, account_key: bytes, *, actor: Actor, since: dt.datetime) -> Today:
    """What this member of staff did since a moment: the last midnight."""
    given = select(func.count()).where(
        Event.kind == "voucher.given",
        Event.happened_at >= since,
        Event.actor == str(actor),
        given_at_desk(Event.subject_id),
    )
    return Today(session.scalar(given) or 0, attempts.count(session, BUCKET, account_key, since))
