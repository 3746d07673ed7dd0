# SPDX-License-Identifier: EUPL-1.2
"""Beginning a payment: how much may be given, what is kept free for whoever is paying, and one payment for each form.

1. A gift of money is one pending donation and one payment, committed before the provider is asked for anything.
2. The amount is at least ``rules.min_gift_cents`` and at most what is still missing, rounded up to a whole euro.
   Missing is the target minus what is confirmed and minus what others are paying now (queries.room). That is counted
   under an advisory lock of the initiative, so that two cannot both take the last part; givers of vouchers and
   closings never wait for it.
3. A reservation may not become a way to keep others from giving:
   - it ends with the checkout, after half an hour, and after two minutes when no checkout came of it (the provider was
     down: nobody has a page to pay at);
   - one client (network, by a digest that changes daily) reserves twice a day on one initiative. What it begins after
     that can be paid as well, but keeps nobody out: who only reserves has spent its two half hours, and who really
     pays notices nothing;
   - one client begins twenty payments an hour.
   Vouchers do not look at reservations, and what lands in spite of them goes back by itself (booking, rule 3).
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from abs_platform import attempts, events
from abs_platform.actors import Actor
from abs_platform.donations.money import start_money_gift
from abs_platform.donations.queries import gift_of_form
from abs_platform.donations.service import forget_names
from abs_platform.errors import Conflict, InitiativeNotOpen, InvalidInput, TooManyAttempts
from abs_platform.initiatives.queries import is_collecting
from abs_platform.languages import DEFAULT
from abs_platform.money import format_euros
from abs_platform.municipality import Rules
from abs_platform.payments.models import Payment
from abs_platform.payments.queries import Room, room
from abs_platform.payments.states import PaymentState

_ROOM_LOCK = 7_602
BEGUN_PER_HOUR = 20
RESERVED_PER_DAY = 2
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
# A checkout must be open for half an hour at least when the provider gets our request.
SPARE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyGift:
    """What a giver of money fills in. ``giver_email`` is for news, ``receipt_email`` for the receipt and a refund.

    ``language`` is that of the page, in which the receipt is written.
    """

    amount_cents: int
    idempotency_key: uuid.UUID
    giver_name: str | None = None
    message: str | None = None
    receipt_email: str | None = None
    giver_email: str | None = None
    organisation_name: str | None = None
    is_organisation: bool = False
    language: str = DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A payment that was begun, now or by the same form before."""

    payment_id: int
    donation_id: int
    reference: str
    amount_cents: int
    reserved_until: dt.datetime
    state: PaymentState
    checkout_id: str | None
    email: str | None
    is_new: bool


def start_gift(
    session: Session,
    initiative_id: int,
    gift: MoneyGift,
    *,
    rules: Rules,
    actor: Actor,
    now: dt.datetime,
    client: bytes | None = None,
    voucher_donation_id: int | None = None,
) -> Started:
    """Write a gift that is about to be paid (rules 1 and 2); the same form sent twice is the same payment.

    ``client`` is the digest of who begins it (security.request_client), of which rule 3 counts.
    Locks: the initiative's room (advisory), then the client's count.
    Raises: InvalidInput (field amount), InitiativeNotOpen, Conflict for a form that was used, TooManyAttempts.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock, :id)"), {"lock": _ROOM_LOCK, "id": initiative_id})
    if made := _made_before(session, initiative_id, gift, voucher_donation_id):
        return made
    if not is_collecting(session, initiative_id, now=now):
        raise InitiativeNotOpen(_("Dit initiatief haalt geen geld meer op. Er is niets betaald. Kies een ander."))
    check_amount(gift.amount_cents, room(session, initiative_id, rules, now), rules)
    is_reserving = client is None or _count(session, client, initiative_id, now)
    donation_id, reference = start_money_gift(
        session,
        initiative_id,
        amount_cents=gift.amount_cents,
        giver_name=gift.giver_name,
        message=gift.message,
        giver_email=gift.giver_email,
        is_organisation=gift.is_organisation,
        idempotency_key=gift.idempotency_key,
        now=now,
    )
    payment = Payment(
        donation_id=donation_id,
        voucher_donation_id=voucher_donation_id,
        state=PaymentState.CREATED.value,
        amount_cents=gift.amount_cents,
        created_at=now,
        state_changed_at=now,
        reserved_until=_until(rules, now),
        is_reserving=is_reserving,
        receipt_email=gift.receipt_email,
        organisation_name=gift.organisation_name,
        language=gift.language,
    )
    session.add(payment)
    session.flush()
    events.record(session, "payment.begun", payment.id, actor=actor, now=now, amount_cents=gift.amount_cents)
    return _started(payment, reference, is_new=True)


def check_amount(amount_cents: int, room: Room, rules: Rules) -> None:
    """Rule 2. Raises: InvalidInput with a sentence for the field."""
    free_cents = room.missing_cents - room.reserved_cents
    if amount_cents < rules.min_gift_cents:
        message = _("Geef ten minste %(least)s.", least=format_euros(rules.min_gift_cents))
    elif room.missing_cents == 0:
        message = _("Het hele bedrag is er al. Er is niets betaald.")
    elif free_cents <= 0:
        message = _("Het laatste deel wordt nu door anderen betaald. Probeer het over een half uur opnieuw.")
    elif amount_cents <= room.highest_cents:
        return
    elif room.reserved_cents:
        message = _(
            "Je kunt nu hoogstens %(most)s geven. De rest wordt nu door anderen betaald.",
            most=format_euros(room.highest_cents),
        )
    else:
        message = _(
            "Er is nog %(missing)s nodig. Geef hoogstens %(most)s.",
            missing=format_euros(room.missing_cents),
            most=format_euros(room.highest_cents),
        )
    raise InvalidInput(message, fields={"amount": message})


def attach_checkout(session: Session, payment_id: int, checkout_id: str) -> bool:
    """Remember the checkout of a payment; whether it can still be paid. Locks: the payment."""
    payment = session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    payment.checkout_id = payment.checkout_id or checkout_id
    session.flush()
    return payment.state == PaymentState.CREATED and payment.checkout_id == checkout_id


def renew(session: Session, payment_id: int, *, rules: Rules, now: dt.datetime) -> dt.datetime:
    """Give a payment without a checkout its half hour again; returns its end. Locks: the payment. Raises: Conflict."""
    payment = session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)
    if payment.state != PaymentState.CREATED or payment.checkout_id is not None:
        raise Conflict(_used_up())
    payment.reserved_until = _until(rules, now)
    session.flush()
    return payment.reserved_until


def forget_receipts(session: Session, email: str) -> None:
    """The gifts of who left this e-mail address stay, without a name; nobody can be told of them any more.

    While money must still go back the address is needed for that: forget_addresses takes it a month after it did.
    """
    mine = Payment.receipt_email == email
    goes_back = Payment.state.in_([PaymentState.REFUND_PENDING.value, PaymentState.REFUND_FAILED.value]) | (
        (Payment.state == PaymentState.PAID.value) & Payment.refund_reason.is_not(None)
    )
    forget_names(session, session.scalars(select(Payment.donation_id).where(mine)).all())
    session.execute(update(Payment).where(mine, ~goes_back).values(receipt_email=None))


# An address is left for the receipt and for the word that money went back. What is still going back, or has to be paid
# by hand, needs it.
_FORGET_ADDRESSES = text("""
    UPDATE payments SET receipt_email = NULL
    FROM donations
    WHERE donations.id = payments.donation_id AND payments.receipt_email IS NOT NULL
      AND (payments.state IN ('failed', 'expired', 'refunded', 'charged_back')
           AND payments.state_changed_at < :returned_before
           OR payments.state = 'paid' AND payments.refund_reason IS NULL
           AND EXISTS (SELECT FROM events WHERE subject = 'initiative' AND subject_id = donations.initiative_id
                       AND kind = 'initiative.realised' AND happened_at < :realised_before))
""")


def forget_addresses(session: Session, now: dt.datetime) -> int:
    """Forget receipt addresses a month after the money went back or was not paid, or three after the realisation."""
    moments = {"returned_before": now - dt.timedelta(days=30), "realised_before": now - dt.timedelta(days=90)}
    return int(getattr(session.execute(_FORGET_ADDRESSES, moments), "rowcount", 0))


def _until(rules: Rules, now: dt.datetime) -> dt.datetime:
    return now + dt.timedelta(minutes=rules.checkout_minutes) + SPARE


def _count(session: Session, client: bytes, initiative_id: int, now: dt.datetime) -> bool:
    """Count a payment of this client; whether it reserves (rule 3). Raises: TooManyAttempts."""
    attempts.claim(session, "payment", client, most=BEGUN_PER_HOUR, window=HOUR, now=now)
    bucket = f"payment.room.{initiative_id}"
    try:
        attempts.claim(session, bucket, client, most=RESERVED_PER_DAY, window=DAY, now=now)
    except TooManyAttempts:
        return False
    return True


def _made_before(
    session: Session, initiative_id: int, gift: MoneyGift, voucher_donation_id: int | None
) -> Started | None:
    """The payment that this form began already. Raises: Conflict when it says something else now, or was not paid."""
    donation = gift_of_form(session, gift.idempotency_key)
    if donation is None:
        return None
    payment = session.scalar(select(Payment).where(Payment.donation_id == donation.id).with_for_update())
    if payment is None or donation.initiative_id != initiative_id:
        raise Conflict(_("Met dit formulier is al iets anders gegeven. Laad de pagina opnieuw en probeer het weer."))
    if payment.amount_cents != gift.amount_cents:
        raise Conflict(
            _(
                "Met dit formulier ben je al een betaling van %(amount)s begonnen. Wil je een ander bedrag geven? "
                "Verstuur het formulier dan nog een keer.",
                amount=format_euros(payment.amount_cents),
            )
        )
    if payment.state in {PaymentState.FAILED, PaymentState.EXPIRED}:
        raise Conflict(_used_up())
    payment.voucher_donation_id = payment.voucher_donation_id or voucher_donation_id
    session.flush()
    return _started(payment, donation.reference, is_new=False)


def _used_up() -> str:
    sentence = _(
        "Deze betaling is niet doorgegaan. Er is niets betaald. Verstuur het formulier nog een keer om toch te geven."
    )
    return str(sentence)


def _started(payment: Payment, reference: str, *, is_new: bool) -> Started:
    return Started(
        payment_id=payment.id,
        donation_id=payment.donation_id,
        reference=reference,
        amount_cents=payment.amount_cents,
        reserved_until=payment.reserved_until,
        state=PaymentState(payment.state),
        checkout_id=payment.checkout_id,
        email=payment.receipt_email,
        is_new=is_new,
    )
