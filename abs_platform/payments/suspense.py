# SPDX-License-Identifier: EUPL-1.2
"""What nobody can explain yet: booked on suspense so that the provider's account is right, with a task beside it.

Each time has an external id of its own (of the thing at the provider, with a number from the second on); its task has
the same. It leaves suspense once: taken back when the provider says otherwise, borne when finance says so, or cleared
when the rest of the gift goes back (standing, rule 4).
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind
from abs_platform.ledger.models import LedgerPosting, LedgerTransaction
from abs_platform.ledger.service import Leg, is_booked, move
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.payments.standing import free_name, names_of


def put(
    session: Session,
    thing_id: str,
    cents: int,
    task: TaskKind,
    *,
    ours: str,
    theirs: str,
    now: dt.datetime,
    payment_id: int | None = None,
    initiative_id: int | None = None,
    donation_id: int | None = None,
) -> str:
    """Book that the provider has so much less (cents > 0) or more than we can explain; returns the external id.

    With ``donation_id`` it is a part of that gift, which went back to its giver.
    """
    name = free_name(session, TransactionKind.UNEXPLAINED, thing_id)
    move(
        session,
        TransactionKind.UNEXPLAINED,
        cents,
        Leg(Account.SUSPENSE),
        Leg(Account.PROVIDER),
        now=now,
        donation_id=donation_id,
        external_id=name,
    )
    open_task(
        session,
        task,
        f"{task.value}:{name}",
        now=now,
        payment_id=payment_id,
        initiative_id=initiative_id,
        amount_cents=abs(cents),
        ours=ours,
        theirs=theirs,
        external_id=name,
    )
    return name


def take_back(session: Session, thing_id: str, *, now: dt.datetime, but_gifts: bool = False) -> int:
    """Reverse what still stands on suspense of a thing; returns the cents that the provider has again.

    ``but_gifts`` leaves the parts of gifts.
    """
    back = 0
    for name, donation_id, cents in _on_suspense(session, thing_id):
        if but_gifts and donation_id is not None:
            continue
        move(
            session,
            TransactionKind.EXPLAINED,
            -cents,
            Leg(Account.PROVIDER),
            Leg(Account.SUSPENSE),
            now=now,
            donation_id=donation_id,
            external_id=name,
        )
        back -= cents
    return back


def reverse(session: Session, thing_id: str, cents: int, *, now: dt.datetime) -> bool:
    """The provider has again what it lost by a thing that stood on suspense; whether that was a part of a gift.

    What finance let the municipality bear meanwhile, the municipality has again.
    """
    donation_id = _gift_of(session, thing_id)
    left = cents - take_back(session, thing_id, now=now)
    if left:
        move(
            session,
            TransactionKind.EXPLAINED,
            left,
            Leg(Account.PROVIDER),
            Leg(Account.FEES),
            now=now,
            donation_id=donation_id,
            external_id=free_name(session, TransactionKind.EXPLAINED, thing_id),
        )
    return donation_id is not None


def is_part(session: Session, thing_id: str) -> bool | None:
    """Whether what was put on suspense of a thing is a part of a gift; None when it never was there."""
    if not is_booked(session, TransactionKind.UNEXPLAINED, thing_id):
        return None
    return _gift_of(session, thing_id) is not None


def bear(session: Session, external_id: str, *, now: dt.datetime) -> int:
    """Let the municipality bear what stands on suspense under one external id; returns the cents (+: a loss)."""
    for name, donation_id, cents in _on_suspense(session, external_id):
        if name == external_id:
            move(
                session,
                TransactionKind.EXPLAINED,
                -cents,
                Leg(Account.FEES),
                Leg(Account.SUSPENSE),
                now=now,
                donation_id=donation_id,
                external_id=name,
            )
            return -cents
    return 0


def is_open(session: Session, external_id: str) -> bool:
    """Whether something stands on suspense under this external id."""
    return any(name == external_id for name, _donation_id, _cents in _on_suspense(session, external_id))


def _gift_of(session: Session, thing_id: str) -> int | None:
    return session.scalar(
        select(func.max(LedgerTransaction.donation_id)).where(
            LedgerTransaction.external_id.in_(names_of(thing_id)),
            LedgerTransaction.kind == TransactionKind.UNEXPLAINED.value,
        )
    )


def _on_suspense(session: Session, thing_id: str) -> list[tuple[str, int | None, int]]:
    rows = session.execute(
        select(
            LedgerTransaction.external_id,
            func.max(LedgerTransaction.donation_id),
            func.sum(LedgerPosting.amount_cents),
        )
        .join(LedgerPosting, LedgerPosting.transaction_id == LedgerTransaction.id)
        .where(LedgerTransaction.external_id.in_(names_of(thing_id)), LedgerPosting.account == Account.SUSPENSE.value)
        .group_by(LedgerTransaction.external_id)
        .having(func.sum(LedgerPosting.amount_cents) != 0)
        .order_by(LedgerTransaction.external_id)
    )
    return [(str(name), donation_id, int(cents)) for name, donation_id, cents in rows]
