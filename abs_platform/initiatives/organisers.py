# SPDX-License-Identifier: EUPL-1.2
"""Organisers as people: recognised by their e-mail address, verified by a letter, forgotten with their account."""

from __future__ import annotations

import datetime as dt
import re

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import Conflict
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.permissions import EDITABLE_STATES
from abs_platform.initiatives.states import TRANSITIONS, InitiativeState, OrganiserRole

LIVING_STATES = frozenset(state for state, moves in TRANSITIONS.items() if moves)
# Nobody can have an address there (RFC 2606), and the outbox writes to nobody there.
_NOWHERE = "account.invalid"


def address_parts(house_number: str) -> tuple[str, ...]:
    """The numbers and letters of a house number: "12a", "12 A" and "012-a" are the same, "12-1" and "121" are not."""
    return tuple(part.lstrip("0") for part in re.findall(r"\d+|[^\W\d_]+", house_number.upper()))


def _is(account_id: int, email: str) -> ColumnElement[bool]:
    """The organisers that are this person, known by the account or by the e-mail address alone."""
    return or_(Organiser.account_id == account_id, Organiser.email == email)


def recognise(session: Session, account_id: int, email: str) -> None:
    """Somebody proved to read this e-mail address: whoever was named by it is this account from now on."""
    unknown = update(Organiser).where(Organiser.email == email, Organiser.account_id.is_(None))
    session.execute(unknown.values(account_id=account_id))


def verify_addresses(
    session: Session, account_id: int, email: str, *, postcode: str, house_number: str, now: dt.datetime
) -> int:
    """The letter of this address was in the person's hands: so are the addresses verified that say the same.

    Returns how many. For whoever states an address later: call it again then.
    """
    parts, verified = address_parts(house_number), 0
    mine = select(Organiser).where(_is(account_id, email), Organiser.postcode == postcode)
    for organiser in session.scalars(mine.order_by(Organiser.id).with_for_update()):
        if address_parts(organiser.house_number or "") == parts and organiser.address_verified_at is None:
            organiser.address_verified_at = now
            verified += 1
    return verified


def forget(session: Session, account_id: int, email: str, *, actor: Actor, now: dt.datetime) -> None:
    """Take name, e-mail address and address of a person out of the initiatives; that there was an organiser stays.

    The address stays while the initiative lives: three addresses carry it (rule 4). As long as it was not sent, who
    leaves does not count any more.

    Locks: what is not yet at the desk, so that it is not sent meanwhile with who leaves among the three; then the
    organisers. Raises: Conflict for the initiator of an initiative that still lives.
    """
    is_mine = Initiative.id.in_(select(Organiser.initiative_id).where(_is(account_id, email)))
    unsent = select(Initiative.id).where(is_mine, Initiative.state.in_([state.value for state in EDITABLE_STATES]))
    session.execute(unsent.order_by(Initiative.id).with_for_update())
    rows = session.execute(
        select(Organiser, Initiative.title, Initiative.state)
        .join(Initiative, Initiative.id == Organiser.initiative_id)
        .where(_is(account_id, email), Organiser.forgotten_at.is_(None))
        .order_by(Organiser.id)
        .with_for_update(of=Organiser)
    ).all()
    began = [row.title for row in rows if row.Organiser.role == OrganiserRole.INITIATOR and row.state in LIVING_STATES]
    if began:
        raise Conflict(
            _(
                "Je bent initiatiefnemer van een initiatief dat nog loopt: %(titles)s. Trek het eerst in, of vraag ons "
                "om het aan iemand anders over te dragen. Daarna kun je je account verwijderen.",
                titles=", ".join(began),
            )
        )
    for organiser, _title, state in rows:
        _forget_one(organiser, InitiativeState(state), now)
        events.record(
            session, "initiative.organiser_left", organiser.initiative_id, actor=actor, now=now, organiser=organiser.id
        )
    session.flush()


def _forget_one(organiser: Organiser, state: InitiativeState, now: dt.datetime) -> None:
    organiser.name = _("Oud-organisator")
    organiser.email = f"oud-organisator-{organiser.id}@{_NOWHERE}"
    organiser.invitation_digest = None
    organiser.is_name_public = False
    organiser.forgotten_at = now
    if organiser.confirmed_at is None or state in EDITABLE_STATES:
        organiser.confirmed_at, organiser.declined_at = None, organiser.declined_at or now
    if state not in LIVING_STATES or organiser.confirmed_at is None:
        organiser.postcode = organiser.house_number = None


def forget_addresses(session: Session) -> int:
    """Let go of the addresses of people who left, once their initiative has ended; returns how many."""
    ended = select(Initiative.id).where(Initiative.state.not_in([state.value for state in LIVING_STATES]))
    left = update(Organiser).where(
        Organiser.forgotten_at.is_not(None), Organiser.postcode.is_not(None), Organiser.initiative_id.in_(ended)
    )
    result = session.execute(left.values(postcode=None, house_number=None))
    return int(getattr(result, "rowcount", 0))
