# SPDX-License-Identifier: EUPL-1.2
"""Codes from outside: read, counted when wrong, and given. One answer to a stranger whatever is wrong (rule 10)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from flask_babel import gettext as _
from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.clock import AMSTERDAM
from abs_platform.donations.queries import gift_of_form
from abs_platform.donations.service import Gift, GiftDetails, give_voucher
from abs_platform.donations.states import DonationState
from abs_platform.errors import Conflict, InitiativeNotOpen, InvalidInput, TooManyAttempts, VoucherNotUsable
from abs_platform.initiatives.queries import is_collecting
from abs_platform.municipality import Rules
from abs_platform.vouchers.codes import CodeKeys, EmptyCode, MistypedCode, read_code
from abs_platform.vouchers.models import CodeAttempt
from abs_platform.vouchers.queries import (
    LetterAddress,
    VoucherStatus,
    count_wrong_codes,
    letter_address,
    status,
    wrong_codes,
)

log = structlog.get_logger()

WINDOW = dt.timedelta(hours=1)
ATTEMPTS_KEPT = dt.timedelta(days=2)
_ALARM_LOCK = 7_601_003
_GUARD = Actor("job", "code_guard")


@dataclass(frozen=True, slots=True)
class Client:
    """Who tries a code: keyed digests of today and yesterday (security.client_digests), never an address."""

    today: bytes
    yesterday: bytes


Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Answer(Generic[Found]):
    """What a code led to, or why not. A refusal is returned and not raised, so that the wrong try is committed."""

    found: Found | None = None
    error: VoucherNotUsable | None = None

    def or_raise(self) -> Found:
        """What was found, asked for after the transaction. Raises: VoucherNotUsable."""
        if self.found is None:
            raise self.error or VoucherNotUsable("")
        return self.found


def parse_code(typed: str) -> int:
    """Read a code as typed. Raises: InvalidInput for a typing error, which the check character tells: never counted."""
    try:
        return read_code(typed)
    except EmptyCode as error:
        message = _("Vul de code van je brief in.")
        raise InvalidInput(message, fields={"code": message}) from error
    except MistypedCode as error:
        message = _("Deze code klopt niet helemaal. Kijk of je elk teken goed hebt overgenomen: het zijn er 12.")
        raise InvalidInput(message, fields={"code": message}) from error


def look_up(
    session: Session, payload: int, client: Client, *, keys: CodeKeys, rules: Rules, now: dt.datetime
) -> Answer[VoucherStatus]:
    """The usable voucher with this code, for the page that asks to confirm; a wrong code is counted.

    Raises: TooManyAttempts.
    """
    check_attempts(session, client, rules, now)
    found = status(session, keys.digest(payload))
    reason = "unknown" if found is None else found.why_not_usable(now)
    if found is None or reason is not None:
        return Answer(error=refuse(session, client, reason or "unknown", rules, now))
    return Answer(found)


def redeem(
    session: Session,
    payload: int,
    initiative_id: int,
    client: Client,
    details: GiftDetails,
    *,
    keys: CodeKeys,
    rules: Rules,
    now: dt.datetime,
) -> Answer[Gift]:
    """Give the voucher with this code to an initiative; the same form sent twice gives the same gift.

    Locks: the client's count, then those of donations.service.give_voucher.
    Raises: TooManyAttempts; InitiativeNotOpen and InvalidInput (a second choice that cannot be), which are no wrong
    codes and are not counted.
    """
    check_attempts(session, client, rules, now)
    digest = keys.digest(payload)
    if made := made_before(session, digest, initiative_id, details):
        return Answer(made)
    check_plan_b(session, details.plan_b_initiative_id, initiative_id, now)
    gift = give_voucher(session, digest, initiative_id, details=details, now=now)
    if gift := gift or made_before(session, digest, initiative_id, details):
        return Answer(gift)
    found = status(session, digest)
    reason = "unknown" if found is None else found.why_not_usable(now)
    if reason is None and not is_collecting(session, initiative_id, now=now):
        raise InitiativeNotOpen(_("Dit initiatief haalt geen geld meer op. Je voucher is nog van jou: kies een ander."))
    return Answer(error=refuse(session, client, reason or "given meanwhile", rules, now))


def address_of_code(
    session: Session, payload: int, client: Client, *, keys: CodeKeys, rules: Rules, now: dt.datetime
) -> Answer[LetterAddress]:
    """The address that the letter with this code was sent to; it gives nothing, and a wrong code is counted.

    Any voucher will do that is not revoked, given ones too, so that the answer tells nothing of what became of it
    (rule 11). A settled round has forgotten its addresses. Raises: TooManyAttempts.
    """
    check_attempts(session, client, rules, now)
    found = letter_address(session, keys.digest(payload))
    return Answer(found) if found else Answer(error=refuse(session, client, "no address", rules, now))


def check_plan_b(session: Session, plan_b_id: int | None, initiative_id: int, now: dt.datetime) -> None:
    """Raises: InvalidInput for a second choice that cannot be (field plan_b_id)."""
    if plan_b_id is None:
        return
    if plan_b_id == initiative_id or not is_collecting(session, plan_b_id, now=now):
        message = _("Kies een andere tweede keus: een initiatief dat nu geld ophaalt.")
        raise InvalidInput(message, fields={"plan_b_id": message})


def made_before(session: Session, digest: bytes, initiative_id: int, details: GiftDetails) -> Gift | None:
    """The gift that this form made already: with this code, to this initiative, and not come back since."""
    if details.idempotency_key is None:
        return None
    donation = gift_of_form(session, details.idempotency_key)
    found = status(session, digest)
    if donation is None or found is None or donation.voucher_id != found.id:
        return None
    if donation.initiative_id != initiative_id or donation.state != DonationState.CONFIRMED:
        raise Conflict(_("Met dit formulier is je voucher al gegeven. Begin opnieuw met je code."))
    return Gift(donation.id, donation.reference, donation.initiative_id, donation.amount_cents)


def check_attempts(session: Session, client: Client, rules: Rules, now: dt.datetime) -> None:
    """Ten wrong codes an hour from one client is the end for that hour; a success resets nothing.

    The lock makes a client's tries queue, so that many at once cannot slip past the count; other clients go on.
    """
    lock = int.from_bytes(client.today[:8], signed=True)
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
    recent = wrong_codes(session, (client.today, client.yesterday), now - WINDOW, rules.wrong_codes_per_hour)
    if len(recent) >= rules.wrong_codes_per_hour:
        retry_at = recent[-1] + WINDOW
        clock = (retry_at + dt.timedelta(seconds=59)).astimezone(AMSTERDAM).strftime("%H.%M")
        raise TooManyAttempts(
            _("Er zijn te veel verkeerde codes ingevuld. Probeer het opnieuw na %(time)s uur.", time=clock),
            retry_at=retry_at,
            now=now,
        )


def refuse(session: Session, client: Client, reason: str, rules: Rules, now: dt.datetime) -> VoucherNotUsable:
    """Count a wrong code, tell staff why, and return the one answer for strangers, to be raised after the commit."""
    session.add(CodeAttempt(client_digest=client.today, attempted_at=now, reason=reason))
    session.flush()
    log.info("wrong voucher code", reason=reason)
    _alarm_if_guessed(session, rules, now)
    message = _(
        "Deze code kun je nu niet gebruiken. Kijk of het de code van je laatste brief is, en of de ronde open is. "
        "Kom je er niet uit? Neem contact met ons op."
    )
    return VoucherNotUsable(message, staff_reason=reason)


def _alarm_if_guessed(session: Session, rules: Rules, now: dt.datetime) -> None:
    """Many wrong codes over all are an alarm for staff, once an hour, and never a lock-out of everyone."""
    threshold = rules.alarm_wrong_codes_per_hour
    if count_wrong_codes(session, now - WINDOW, threshold) < threshold:
        return
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ALARM_LOCK})
    if events.happened_since(session, "alarm.codes_guessed", now - WINDOW):
        return
    events.record(session, "alarm.codes_guessed", None, actor=_GUARD, now=now, wrong_codes_an_hour=threshold)
    log.error("alarm: voucher codes are being guessed", wrong_codes_an_hour=threshold)


def purge_attempts(session: Session, now: dt.datetime) -> int:
    """Forget wrong codes once nothing counts them any more; returns how many."""
    result = session.execute(delete(CodeAttempt).where(CodeAttempt.attempted_at < now - ATTEMPTS_KEPT))
    return int(getattr(result, "rowcount", 0))
