# SPDX-License-Identifier: EUPL-1.2
"""What a refund at the provider did, booked once: the one verb behind the refund job, the webhook and reconciling.

The books know a refund by its id: what was booked of it decides, not the order in which we hear.

1. A refund of all that the giver does not have back yet is taken on: the money leaves where it stands (standing), the
   gift is returned or borne, the giver is told. What did not begin with us is a task for finance as well.
2. A part, made in the provider's own screen: on suspense with a task, or taken from owed where the money stands there.
3. A refund may fail days after it succeeded: the provider has the money again, we owe it to the giver, finance gets a
   task. When a second refund of the whole is taken on, the first must have failed: the provider never refunds twice.
4. What cannot be (more than is left, or of what a bank claims) is on suspense with a task, and changes no payment.
"""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind
from abs_platform.ledger.service import Leg, move
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.money import format_euros
from abs_platform.payments import suspense
from abs_platform.payments.port import Refund, RefundStatus
from abs_platform.payments.standing import (
    UNPAID_STATES,
    Standing,
    booked_cents,
    find_payment,
    lock_standing,
    step,
    take,
)
from abs_platform.payments.states import EventOutcome, PaymentState, RefundReason
from abs_platform.payments.telling import tell_late, tell_refund, tell_stuck

_CLAIMED = frozenset({PaymentState.DISPUTED, PaymentState.CHARGED_BACK})


def book_refund(session: Session, refund: Refund, *, actor: Actor, now: dt.datetime) -> EventOutcome:
    """Make ours equal to what is true of a refund; again changes nothing.

    One of a payment that we do not know to be paid yet waits for reconciling, which asks for payments first.
    Locks: the payment, then its initiative (shared).
    """
    payment_id = find_payment(
        session,
        refund_id=refund.id,
        intent_id=refund.intent_id,
        charge_id=refund.charge_id,
        reference=refund.reference,
    )
    if payment_id is None:
        return EventOutcome.NOT_OURS
    standing = lock_standing(session, payment_id)
    if standing.payment.state in UNPAID_STATES:
        return EventOutcome.NOTHING_NEW
    booked = booked_cents(session, refund.id)
    if booked is None:
        return _book_first(session, standing, refund, actor, now)
    if refund.status == RefundStatus.FAILED and booked > 0:
        return fail(session, standing, refund.id, booked, failure=refund.failure, actor=actor, now=now)
    if refund.status == RefundStatus.SUCCEEDED and standing.payment.refund_id == refund.id:
        return _succeed(session, standing, actor, now)
    return EventOutcome.NOTHING_NEW


def _book_first(session: Session, standing: Standing, refund: Refund, actor: Actor, now: dt.datetime) -> EventOutcome:
    payment = standing.payment
    first = payment.refund_id and booked_cents(session, payment.refund_id)
    if payment.refund_id and first and payment.state not in _CLAIMED and refund.amount_cents > standing.rest_cents:
        fail(session, standing, payment.refund_id, first, failure="", actor=actor, now=now)
        session.flush()
        standing = lock_standing(session, payment.id)
    is_whole = refund.amount_cents == standing.rest_cents and payment.state not in _CLAIMED
    if is_whole:
        return _accept(session, standing, refund, actor, now)
    if refund.status == RefundStatus.FAILED:
        return EventOutcome.NOTHING_NEW
    if refund.amount_cents < standing.rest_cents and payment.state not in _CLAIMED:
        book_part(
            session,
            standing,
            refund.id,
            refund.amount_cents,
            task=TaskKind.REFUND_AT_PROVIDER,
            theirs=_theirs(refund),
            now=now,
        )
    else:
        ours = _("De gever heeft al %(back)s van %(amount)s terug.", **_sums(standing))
        _put_aside(session, standing, refund, ours, now, donation_id=None)
    session.flush()
    return EventOutcome.TASK


def _accept(session: Session, standing: Standing, refund: Refund, actor: Actor, now: dt.datetime) -> EventOutcome:
    """Rule 1."""
    payment, began_here = standing.payment, standing.is_asked
    is_borne = standing.holder.account == Account.FEES
    kind = TransactionKind.REFUND_BORNE if is_borne else TransactionKind.REFUND_MADE
    take(session, standing, kind, Account.PROVIDER, refund.amount_cents, now=now, external_id=refund.id)
    if payment.state != PaymentState.REFUND_PENDING:
        step(payment, PaymentState.REFUND_PENDING, now)
    payment.refund_reason = payment.refund_reason or RefundReason.AT_PROVIDER.value
    payment.refund_asked_at = payment.refund_asked_at or now
    payment.refund_id, payment.refund_retry_at, payment.refund_error = refund.id, None, ""
    payment.returned_cents = payment.amount_cents
    session.flush()
    events.record(session, "payment.refund_made", payment.id, actor=actor, now=now, is_borne=is_borne)
    if not began_here:
        _ask_finance(session, standing, refund, is_borne=is_borne, now=now)
    if refund.status == RefundStatus.FAILED:
        standing, cents = lock_standing(session, payment.id), refund.amount_cents
        return fail(session, standing, refund.id, cents, failure=refund.failure, actor=actor, now=now)
    if refund.status == RefundStatus.SUCCEEDED:
        _succeed(session, standing, actor, now)
    tell = tell_late if payment.refund_reason == RefundReason.LATE else tell_refund
    tell(session, payment.id, now)
    return EventOutcome.APPLIED if began_here else EventOutcome.TASK


def _succeed(session: Session, standing: Standing, actor: Actor, now: dt.datetime) -> EventOutcome:
    payment = standing.payment
    if payment.state != PaymentState.REFUND_PENDING:
        return EventOutcome.NOTHING_NEW
    step(payment, PaymentState.REFUNDED, now)
    payment.refunded_at = now
    session.flush()
    events.record(session, "payment.refunded", payment.id, actor=actor, now=now)
    return EventOutcome.APPLIED


def book_part(
    session: Session, standing: Standing, thing_id: str, cents: int, *, task: TaskKind, theirs: str, now: dt.datetime
) -> None:
    """Rule 2, also for a bank that claims a part. What is asked next is another amount: it needs another key.

    The caller holds the locks of the standing.
    """
    payment = standing.payment
    ours = _("Gift %(reference)s: %(amount)s, waarvan %(back)s terug.", **_sums(standing))
    is_owed = standing.holder.account == Account.OWED
    about = {"ours": ours, "theirs": theirs, "now": now, "payment_id": payment.id}
    if standing.is_asked:
        payment.refund_attempt += 1
    if is_owed:
        move(
            session,
            TransactionKind.REFUND_MADE,
            cents,
            standing.holder,
            Leg(Account.PROVIDER),
            now=now,
            donation_id=payment.donation_id,
            external_id=thing_id,
        )
        open_task(session, task, f"{task.value}:{thing_id}", external_id=thing_id, amount_cents=cents, **about)
    else:
        suspense.put(session, thing_id, cents, task, donation_id=payment.donation_id, **about)
    payment.returned_cents += cents


def fail(
    session: Session,
    standing: Standing,
    refund_id: str,
    cents: int,
    *,
    failure: str,
    actor: Actor,
    now: dt.datetime,
) -> EventOutcome:
    """Rule 3, also for a claim of a part that is won. What stood aside and is owed to nobody only leaves suspense.

    The caller holds the locks of the standing.
    """
    payment = standing.payment
    is_part = suspense.is_part(session, refund_id)
    if is_part is not None and (standing.holder.account != Account.OWED or not is_part):
        return _fail_aside(session, standing, refund_id, cents, now)
    if standing.is_asked:  # a part of it failed: the rest that is asked for is another
        payment.refund_attempt += 1
    elif payment.state in {PaymentState.REFUND_PENDING, PaymentState.REFUNDED, PaymentState.CHARGED_BACK}:
        step(payment, PaymentState.REFUND_FAILED, now)
        payment.refund_reason = payment.refund_reason or RefundReason.AT_PROVIDER.value
    move(
        session,
        TransactionKind.REFUND_FAILED,
        cents,
        Leg(Account.PROVIDER),
        Leg(Account.OWED),
        now=now,
        donation_id=payment.donation_id,
        external_id=refund_id,
    )
    payment.returned_cents -= cents
    payment.refund_error, payment.refunded_at = failure, None
    session.flush()
    events.record(session, "payment.refund_failed", payment.id, actor=actor, now=now, failure=failure)
    open_task(
        session,
        TaskKind.REFUND_FAILED,
        f"refund-failed:{payment.id}:{refund_id}",
        now=now,
        payment_id=payment.id,
        initiative_id=standing.initiative_id,
        amount_cents=cents,
        ours=_("Gift %(reference)s: %(amount)s moet terug naar de gever.", **_sums(standing)),
        theirs=_("Teruggeven is mislukt: %(why)s", why=failure or _("zonder reden")),
        external_id=refund_id,
    )
    if payment.state == PaymentState.REFUND_FAILED:
        tell_stuck(session, payment.id, now)
    return EventOutcome.TASK


def _fail_aside(session: Session, standing: Standing, refund_id: str, cents: int, now: dt.datetime) -> EventOutcome:
    payment = standing.payment
    was_part = suspense.reverse(session, refund_id, cents, now=now)
    if was_part:
        payment.returned_cents -= cents
        if standing.is_asked:
            payment.refund_attempt += 1
    session.flush()
    return EventOutcome.APPLIED


def _put_aside(
    session: Session, standing: Standing, refund: Refund, ours: str, now: dt.datetime, *, donation_id: int | None
) -> None:
    suspense.put(
        session,
        refund.id,
        refund.amount_cents,
        TaskKind.REFUND_AT_PROVIDER,
        ours=ours,
        theirs=_theirs(refund),
        now=now,
        payment_id=standing.payment.id,
        initiative_id=standing.initiative_id,
        donation_id=donation_id,
    )


def _ask_finance(session: Session, standing: Standing, refund: Refund, *, is_borne: bool, now: dt.datetime) -> None:
    if is_borne:
        ours = _("Het initiatief houdt deze gift van %(amount)s. De gemeente betaalt.", **_sums(standing))
    else:
        ours = _("Wij vroegen dit niet. De gift %(reference)s van %(amount)s is aangepast.", **_sums(standing))
    open_task(
        session,
        TaskKind.REFUND_AT_PROVIDER,
        f"{TaskKind.REFUND_AT_PROVIDER.value}:{refund.id}",
        now=now,
        payment_id=standing.payment.id,
        initiative_id=standing.initiative_id,
        amount_cents=refund.amount_cents,
        ours=ours,
        theirs=_theirs(refund),
        external_id=refund.id,
    )


def _sums(standing: Standing) -> dict[str, str]:
    payment = standing.payment
    back, amount = format_euros(payment.returned_cents), format_euros(payment.amount_cents)
    return {"reference": standing.reference, "back": back, "amount": amount}


def _theirs(refund: Refund) -> str:
    return str(_("Teruggegeven: %(cents)s.", cents=format_euros(refund.amount_cents)))
