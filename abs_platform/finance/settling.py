# SPDX-License-Identifier: EUPL-1.2
"""Settling a task of finance, once: which way fits which task, and what each of them books.

- note: somebody looked; nothing is booked, so nothing may be left to book: no money that is owed to its giver, and
  nothing on suspense.
- paid_by_hand: the giver was paid from our own bank account (owed -a, bank +a); the payment is refunded.
- try_again: the provider is asked once more; what is owed stays so until it takes that on.
- borne: what stands on suspense is for the municipality (fees).
"""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.finance.models import FinanceTask
from abs_platform.finance.queries import books_are_broken
from abs_platform.finance.states import Settlement, TaskKind
from abs_platform.money import format_euros
from abs_platform.municipality import Rules
from abs_platform.payments import refunding, suspense
from abs_platform.payments.queries import is_owed
from abs_platform.payouts.service import believe

_K, _S = TaskKind, Settlement
SETTLEMENTS: dict[TaskKind, frozenset[Settlement]] = {
    _K.REFUND_FAILED: frozenset({_S.PAID_BY_HAND, _S.TRY_AGAIN, _S.NOTE}),
    _K.REFUND_TOO_LATE: frozenset({_S.PAID_BY_HAND, _S.NOTE}),
    _K.REFUND_AT_PROVIDER: frozenset({_S.NOTE, _S.BORNE}),
    _K.DIFFERENCE: frozenset({_S.NOTE, _S.BORNE}),
    _K.DISPUTE_OPENED: frozenset({_S.NOTE, _S.BORNE}),
    _K.DISPUTE_LOST: frozenset({_S.NOTE, _S.BORNE}),
    _K.STOPPED_AFTER_PAYOUT: frozenset({_S.NOTE}),
    _K.STATEMENT: frozenset({_S.NOTE}),
    _K.PAYOUT_BOUNCED: frozenset({_S.NOTE}),
    _K.BOOKS_BROKEN: frozenset({_S.NOTE}),
}
_OWES = frozenset({_K.REFUND_FAILED, _K.REFUND_TOO_LATE})
MAX_NOTE = 1_000


def settle(
    session: Session,
    task_id: int,
    settlement: Settlement,
    note: str,
    amount_cents: int | None = None,
    *,
    rules: Rules,
    by_id: int,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Settle a task and book what goes with it. ``amount_cents``, when given, is what somebody paid: it must fit.

    Locks: the task, then what it is about.
    Raises: NotFound, Conflict (settled already; does not fit; something is left to book), InvalidInput (note, amount),
    NotAllowed (it came back by one's own word).
    """
    task = session.get(FinanceTask, task_id, with_for_update=True, populate_existing=True)
    if task is None:
        raise NotFound(_("Deze taak is er niet (meer)."))
    _check(task, settlement, note)
    if settlement == Settlement.NOTE:
        _check_nothing_left(session, task)
        if task.kind == TaskKind.PAYOUT_BOUNCED and task.payout_id is not None:
            believe(session, task.payout_id, by_id=by_id)
    elif settlement == Settlement.BORNE:
        if suspense.bear(session, task.external_id, now=now) == 0:
            raise Conflict(_("Er staat niets meer open voor deze taak. Sluit de taak met een opmerking."))
    elif task.payment_id is None:
        raise Conflict(_("Bij deze taak hoort geen betaling."))
    elif settlement == Settlement.TRY_AGAIN:
        refunding.try_again(session, task.payment_id, rules=rules, actor=actor, now=now)
    else:
        cents = refunding.pay_by_hand(session, task.payment_id, name=f"task-{task.id}", actor=actor, now=now)
        _check_amount(cents, amount_cents)
    task.settled_at, task.settled_by_id = now, by_id
    task.settlement, task.settled_note = settlement.value, note.strip()
    session.flush()
    events.record(
        session, "finance_task.settled", task.id, actor=actor, now=now, reason=note.strip(), settlement=settlement.value
    )


def fitting(session: Session, task: FinanceTask) -> list[Settlement]:
    """The ways in which this task can be settled now, for its page."""
    left = _is_left(session, task)
    return [
        settlement
        for settlement in Settlement
        if settlement in SETTLEMENTS[TaskKind(task.kind)] and (settlement != Settlement.NOTE) == left
    ]


def _check(task: FinanceTask, settlement: Settlement, note: str) -> None:
    if task.settled_at is not None:
        raise Conflict(_("Deze taak is al afgehandeld."))
    if settlement not in SETTLEMENTS[TaskKind(task.kind)]:
        raise Conflict(_("Zo kun je deze taak niet afhandelen."))
    if not note.strip() or len(note.strip()) > MAX_NOTE:
        message = _("Schrijf op wat je hebt gedaan of gezien, in hoogstens %(most)s tekens.", most=MAX_NOTE)
        raise InvalidInput(message, fields={"note": message})


def _check_nothing_left(session: Session, task: FinanceTask) -> None:
    if task.kind == TaskKind.BOOKS_BROKEN and books_are_broken(session):
        raise Conflict(_("De boeken kloppen nog niet. Reken ze eerst opnieuw na."))
    if _is_left(session, task):
        raise Conflict(_("Hier staat nog geld open. Kies wat je ermee hebt gedaan."))


def _is_left(session: Session, task: FinanceTask) -> bool:
    if TaskKind(task.kind) in _OWES:
        return task.payment_id is not None and is_owed(session, task.payment_id)
    return bool(task.external_id) and suspense.is_open(session, task.external_id)


def _check_amount(cents: int, amount_cents: int | None) -> None:
    if amount_cents is not None and amount_cents != cents:
        message = _("De gever krijgt %(cents)s terug. Controleer wat je hebt betaald.", cents=format_euros(cents))
        raise InvalidInput(message, fields={"amount": message})
