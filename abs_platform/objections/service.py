# SPDX-License-Identifier: EUPL-1.2
"""Where did my voucher go, and "that was not me": an objection holds the gift until a wijkregisseur has looked.

1. Who holds the code sees where its voucher went, by which channel and in which batch, and never who did it.
2. Within some days of the gift the holder may object, once. The gift then still counts, and is not paid out.
3. A wijkregisseur of the initiative decides, with a reason. Upheld: the gift is returned and the voucher lives again.
   What was paid to the initiative already is borne by the municipality (fees), so that the holder never waits for it.
4. A gift that came back by another way (its initiative failed) needs no decision; its voucher goes to who holds the
   code, and never to a second choice that somebody else may have made.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import GIVER, Actor
from abs_platform.donations.service import return_gift
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.ledger.service import Leg, move
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.lives import check_move
from abs_platform.municipality import Rules
from abs_platform.objections.models import Objection
from abs_platform.objections.queries import (
    Whereabouts,
    find_objection,
    lock_gift,
    lock_initiative,
    lock_moot,
    whereabouts,
)
from abs_platform.objections.states import TRANSITIONS, ObjectionState
from abs_platform.payouts.queries import balance_of, promised_of
from abs_platform.vouchers.redeeming import Answer, Client, check_attempts, refuse

if TYPE_CHECKING:
    from abs_platform.vouchers.codes import CodeKeys

MAX_REASON = 500


def look_for(
    session: Session, payload: int, client: Client, *, keys: CodeKeys, rules: Rules, now: dt.datetime
) -> Answer[Whereabouts]:
    """Where the voucher with this code is. A code of no voucher counts as a wrong one. Raises: TooManyAttempts."""
    check_attempts(session, client, rules, now)
    found = whereabouts(session, keys.digest(payload))
    return Answer(found) if found else Answer(error=refuse(session, client, "unknown", rules, now))


def object_to(
    session: Session, payload: int, client: Client, *, keys: CodeKeys, rules: Rules, now: dt.datetime
) -> Answer[Whereabouts]:
    """Say that the gift of the voucher with this code was not made by its holder. Said twice is said once.

    Raises: TooManyAttempts; Conflict when it was not given, too long ago, or was decided about before.
    """
    answer = look_for(session, payload, client, keys=keys, rules=rules, now=now)
    found = answer.found
    if found is None or found.objection == ObjectionState.OPEN:
        return answer
    if found.donation_id is None:
        raise Conflict(_("Deze voucher is nu niet gegeven. Je hoeft niets te doen."))
    if found.objection is not None:
        raise Conflict(_("Over deze gift is al beslist. Ben je het er niet mee eens? Neem contact met ons op."))
    if not found.may_object(now, rules.objection_days):
        message = _(
            "Bezwaar maken kan tot %(days)s dagen na de gift. Neem contact met ons op.", days=rules.objection_days
        )
        raise Conflict(message)
    made = session.execute(
        insert(Objection)
        .values(donation_id=found.donation_id, raised_at=now)
        .on_conflict_do_nothing()
        .returning(Objection.id)
    ).scalar()
    if made is not None:
        events.record(session, "objection.raised", made, actor=GIVER, now=now, initiative=found.initiative_id)
    session.flush()
    return Answer(whereabouts(session, keys.digest(payload)))


def uphold(
    session: Session, objection_id: int, *, reason: str, account_id: int, actor: Actor, now: dt.datetime
) -> None:
    """Give the voucher back to who holds the code.

    Whether this person may is for the caller (objections.permissions). Locks: the initiative, the objection, then the
    voucher and the gift. Raises: NotFound, InvalidInput without a reason, Conflict when it was decided.
    """
    objection, initiative_id, amount_cents = _locked(session, objection_id, reason)
    stands = lock_gift(session, objection.donation_id)
    _decide(session, objection, ObjectionState.UPHELD, reason=reason, account_id=account_id, actor=actor, now=now)
    if not stands:  # its initiative failed meanwhile: the voucher came back already, and nothing is to be paid for
        return
    if amount_cents > balance_of(session, initiative_id) - promised_of(session, initiative_id):
        move(
            session,
            TransactionKind.OBJECTION_BORNE,
            amount_cents,
            source=Leg(Account.FEES),
            target=Leg(Account.INITIATIVE, initiative_id=initiative_id),
            donation_id=objection.donation_id,
            now=now,
        )
    return_gift(session, objection.donation_id, actor=actor, now=now, reason="bezwaar")


def reject(
    session: Session, objection_id: int, *, reason: str, account_id: int, actor: Actor, now: dt.datetime
) -> None:
    """Let the gift stand. Locks and raises as uphold does."""
    objection, _initiative_id, _cents = _locked(session, objection_id, reason)
    _decide(session, objection, ObjectionState.REJECTED, reason=reason, account_id=account_id, actor=actor, now=now)


def settle_moot(session: Session, *, actor: Actor, now: dt.datetime) -> int:
    """Close the objections to gifts that came back by another way; returns how many. Locks: each of them."""
    moot = lock_moot(session)
    for objection in moot:
        reason = _("Het initiatief ging niet door. De voucher is daarom al terug.")
        _decide(session, objection, ObjectionState.UPHELD, reason=reason, account_id=None, actor=actor, now=now)
    return len(moot)


def _locked(session: Session, objection_id: int, reason: str) -> tuple[Objection, int, int]:
    if not reason.strip() or len(reason) > MAX_REASON:
        message = _("Schrijf in hoogstens %(most)s tekens op waarom.", most=MAX_REASON)
        raise InvalidInput(message, fields={"reason": message})
    view = find_objection(session, objection_id)
    if view is None:
        raise NotFound(_("Dit bezwaar bestaat niet."))
    lock_initiative(session, view.initiative_id)
    objection = session.scalar(
        select(Objection)
        .where(Objection.id == objection_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if objection is None or objection.state != ObjectionState.OPEN:
        raise Conflict(_("Over dit bezwaar is al beslist."))
    return objection, view.initiative_id, view.amount_cents


def _decide(
    session: Session,
    objection: Objection,
    target: ObjectionState,
    *,
    reason: str,
    account_id: int | None,
    actor: Actor,
    now: dt.datetime,
) -> None:
    check_move(TRANSITIONS, ObjectionState(objection.state), target, "bezwaar")
    objection.state, objection.decided_at = target.value, now
    objection.decided_by_id, objection.reason = account_id, reason.strip()
    events.record(session, f"objection.{target.value}", objection.id, actor=actor, now=now, reason=reason.strip())
    session.flush()
