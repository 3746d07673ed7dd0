# SPDX-License-Identifier: EUPL-1.2
"""Letters that the post brings back: the code dies, and the address gets no voucher until somebody clears the mark."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput, InvalidTransition
from abs_platform.households.service import lock_household
from abs_platform.replacements.models import ReturnedLetter
from abs_platform.replacements.queries import letter_with_code
from abs_platform.replacements.states import ReturnReason
from abs_platform.vouchers.service import revoke_voucher


def scan(
    session: Session, code_digest: bytes, why: ReturnReason, *, account_id: int, actor: Actor, now: dt.datetime
) -> None:
    """Book a letter that came back: its code dies, so that nobody at the post room can give it.

    Whether the voucher had been given is not told (rule 11). Scanned twice is an error, so that a heap is counted well.

    Locks: the round, the voucher, then the household.
    Raises: InvalidInput when no letter has this code, Conflict when it was scanned before or its round is settled.
    """
    letter = letter_with_code(session, code_digest)
    if letter is None:
        message = _("Geen brief van ons heeft deze code. Kijk of je elk teken goed hebt overgenomen.")
        raise InvalidInput(message, fields={"code": message})
    if letter.household_id is None:
        raise Conflict(_("Deze ronde is afgerond: van deze brief is het adres niet meer bekend."))
    with suppress(InvalidTransition):  # what was given, kept or is over stays as it is
        revoke_voucher(session, letter.voucher_id, reason="brief kwam terug", actor=actor, now=now)
    # Asked under the lock of the round: a scanner that sends a code twice at once is told so.
    if session.scalar(select(ReturnedLetter.id).where(ReturnedLetter.voucher_id == letter.voucher_id)):
        raise Conflict(_("Deze brief is al als retour geboekt."))
    household = lock_household(session, letter.household_id)
    if household.mail_returned_at is None:
        household.mail_returned_at = now
        events.record(session, "address.mail_returned", household.id, actor=actor, now=now, why=why.value)
    session.add(
        ReturnedLetter(
            voucher_id=letter.voucher_id,
            round_id=letter.round_id,
            neighbourhood_id=household.neighbourhood_id,
            reason=why.value,
            scanned_at=now,
            account_id=account_id,
        )
    )
    session.flush()


def clear(session: Session, household_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Say that the post arrives again; the next run of issue_vouchers gives the address a voucher.

    Locks: the household. Raises: NotFound; InvalidInput without a reason; Conflict when there is no mark.
    """
    if not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    household = lock_household(session, household_id)
    if household.mail_returned_at is None:
        raise Conflict(_("Bij dit adres kwam geen post terug."))
    household.mail_returned_at = None
    events.record(session, "address.mail_cleared", household_id, actor=actor, now=now, reason=reason.strip())
    session.flush()
