# SPDX-License-Identifier: EUPL-1.2
"""Booking what an initiative did not spend and paid back (rule 9): once, and never more than was paid out."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.clock import local_date
from abs_platform.errors import Conflict, InvalidInput, NotAllowed
from abs_platform.initiatives.service import lock
from abs_platform.initiatives.subjects import subject_of
from abs_platform.ledger.service import Leg, move
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.money import format_euros
from abs_platform.payouts.models import UnspentReturn
from abs_platform.payouts.permissions import can_book_return
from abs_platform.payouts.queries import paid_out_of
from abs_platform.users import User


def book_return(
    session: Session,
    initiative_id: int,
    *,
    amount_cents: int,
    received_on: dt.date,
    note: str,
    form_key: str,
    user: User,
    now: dt.datetime,
) -> bool:
    """Finance saw it on the bank account; False when this form was sent before.

    Locks: the initiative. Raises: NotFound, NotAllowed, InvalidInput, Conflict when that form was another one.
    """
    lock(session, initiative_id)
    if not can_book_return(user, subject_of(session, initiative_id)):
        raise NotAllowed(_("Je kunt dit niet boeken: je bent geen financieel medewerker, of je organiseert het zelf."))
    before = session.scalar(select(UnspentReturn).where(UnspentReturn.form_key == form_key))
    if before is not None:
        if (before.initiative_id, before.amount_cents) != (initiative_id, amount_cents):
            raise Conflict(_("Dit formulier is al verstuurd, met iets anders. Laad de pagina opnieuw."))
        return False
    _check(session, initiative_id, amount_cents, received_on, now)
    made = UnspentReturn(
        initiative_id=initiative_id,
        amount_cents=amount_cents,
        received_on=received_on,
        note=note,
        booked_at=now,
        booked_by_id=user.account_id,
        form_key=form_key,
    )
    session.add(made)
    session.flush()
    move(
        session,
        TransactionKind.UNSPENT_RETURNED,
        amount_cents,
        Leg(Account.BANK),
        Leg(Account.SURPLUS, initiative_id=initiative_id),
        now=now,
        external_id=f"unspent-return:{made.id}",
    )
    events.record(
        session,
        "initiative.unspent_returned",
        initiative_id,
        actor=user.actor(),
        now=now,
        reason=note or None,
        amount_cents=amount_cents,
    )
    session.flush()
    return True


def _check(session: Session, initiative_id: int, amount_cents: int, received_on: dt.date, now: dt.datetime) -> None:
    query = select(func.coalesce(func.sum(UnspentReturn.amount_cents), 0)).where(
        UnspentReturn.initiative_id == initiative_id
    )
    most = paid_out_of(session, initiative_id) - int(session.scalars(query).one())
    if not 0 < amount_cents <= most:
        message = (
            _("Er kan niet meer terugkomen dan er is uitbetaald: hoogstens %(most)s.", most=format_euros(most))
            if most > 0
            else _("Er is niets uitbetaald dat nog terug kan komen.")
        )
        raise InvalidInput(message, fields={"amount": message})
    if received_on > local_date(now):
        message = _("Kies een dag die niet later is dan vandaag.")
        raise InvalidInput(message, fields={"received_on": message})
