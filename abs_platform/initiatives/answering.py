# SPDX-License-Identifier: EUPL-1.2
"""What whoever was asked to carry an initiative answers: yes, no, or that the mail is for somebody else."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import events, outbox
from abs_platform.accounts.service import digest
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, NotFound
from abs_platform.initiatives.inviting import (
    OPEN_STATES,
    REPORTED,
    VALID_DAYS,
    Address,
    mark_of,
    organisers_of,
    state_address,
)
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.permissions import EDITABLE_STATES
from abs_platform.initiatives.service import lock
from abs_platform.initiatives.submitting import confirm_co_organiser, count_addresses
from abs_platform.municipality import Rules
from abs_platform.users import User

MAX_TOKEN = 100


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the link of a mail leads to."""

    organiser: Organiser
    initiative: Initiative
    initiator_name: str

    @property
    def is_open(self) -> bool:
        """Whether it can still be answered."""
        return self.initiative.state in OPEN_STATES

    @property
    def can_leave(self) -> bool:
        """Whether somebody who said yes may still say no: three must carry what was sent."""
        return self.initiative.state in EDITABLE_STATES


def invitation_of(session: Session, token: str, *, secret_key: str, now: dt.datetime) -> Invitation:
    """What somebody was asked. Raises: NotFound for a link that leads nowhere, whatever the reason."""
    nowhere = NotFound(_("Deze link werkt niet (meer). Misschien is de uitnodiging ingetrokken. Vraag om een nieuwe."))
    if not token.isascii() or len(token) > MAX_TOKEN:
        raise nowhere
    one = session.scalar(
        select(Organiser)
        .where(Organiser.invitation_digest == digest(secret_key, "invitation", token))
        .execution_options(populate_existing=True)
    )
    if one is None or one.invited_at is None:
        raise nowhere
    if one.confirmed_at is None and one.invited_at + dt.timedelta(days=VALID_DAYS) < now:
        raise nowhere
    people = organisers_of(session, one.initiative_id)
    initiative = session.get(Initiative, one.initiative_id)
    if initiative is None:
        raise nowhere
    return Invitation(one, initiative, people[0].name)


def accept(
    session: Session,
    token: str,
    address: Address,
    *,
    user: User | None,
    rules: Rules,
    secret_key: str,
    actor: Actor,
    now: dt.datetime,
) -> Invitation:
    """Say yes, and where one lives. Also after a no. Saying it twice changes nothing.

    Who is signed in with the e-mail address that was written to, is known by the account from now on.
    Raises: NotFound, Conflict. Locks: the initiative.
    """
    found = _locked(session, token, secret_key, now)
    one = found.organiser
    if one.confirmed_at is not None:
        return found
    if user is not None and user.email == one.email:
        one.account_id = user.account_id
    one.declined_at = None
    state_address(session, one, address, account_id=one.account_id, now=now)
    confirm_co_organiser(session, one.id, actor=actor, now=now)
    there = count_addresses(session, one.initiative_id)
    needed = max(0, rules.min_organisers - there)
    _tell_initiator(session, found, "co_organiser_confirmed", now, addresses=there, needed=needed)
    return found


def decline(
    session: Session, token: str, reason: str, *, secret_key: str, actor: Actor, now: dt.datetime
) -> Invitation:
    """Say no, with a reason if one likes. Who said yes may change her mind until it is sent.

    Raises: NotFound, Conflict. Locks: the initiative.
    """
    found = _locked(session, token, secret_key, now)
    one = found.organiser
    if one.declined_at is not None:
        return found
    if one.confirmed_at is not None and not found.can_leave:
        raise Conflict(
            _(
                "Het initiatief is al verstuurd. Wil je toch stoppen? Overleg het met %(name)s.",
                name=found.initiator_name,
            )
        )
    one.confirmed_at, one.declined_at = None, now
    _forget_address(one)
    events.record(
        session, "initiative.co_organiser_declined", one.initiative_id, actor=actor, now=now, organiser=one.id
    )
    _tell_initiator(session, found, "co_organiser_declined", now, reason=reason, is_unknown=False)
    session.flush()
    return found


def report(session: Session, token: str, *, secret_key: str, actor: Actor, now: dt.datetime) -> str:
    """Say that the mail is for somebody else: the invitation is gone for good. Returns the title of the initiative.

    Raises: NotFound, Conflict. Locks: the initiative.
    """
    found = _locked(session, token, secret_key, now)
    one = found.organiser
    if one.confirmed_at is not None:
        raise Conflict(_("Je hebt al bevestigd dat je meedoet."))
    who = mark_of(secret_key, one.email)
    events.record(session, REPORTED, one.initiative_id, actor=actor, now=now, organiser=one.id, who=who)
    _tell_initiator(session, found, "co_organiser_declined", now, reason="", is_unknown=True)
    session.delete(one)
    session.flush()
    return found.initiative.title


def _locked(session: Session, token: str, secret_key: str, now: dt.datetime) -> Invitation:
    """The invitation, once the initiative is ours alone: it may be sent or withdrawn at this very moment."""
    initiative_id = invitation_of(session, token, secret_key=secret_key, now=now).initiative.id
    lock(session, initiative_id)
    found = invitation_of(session, token, secret_key=secret_key, now=now)
    if not found.is_open:
        raise Conflict(_("Dit initiatief loopt niet meer. Je hoeft niets te doen."))
    return found


def _forget_address(one: Organiser) -> None:
    one.postcode = one.house_number = one.address_verified_at = None


def _tell_initiator(session: Session, found: Invitation, template: str, now: dt.datetime, **context: Any) -> None:
    """One mail for each answer to one invitation, however often it is given."""
    one = found.organiser
    initiator = organisers_of(session, one.initiative_id)[0]
    outbox.queue(
        session,
        template,
        to=initiator.email,
        event=f"initiative.{template}:{one.id}:{int(one.invited_at.timestamp()) if one.invited_at else 0}",
        now=now,
        to_name=initiator.name,
        name=one.name,
        title=found.initiative.title,
        initiative_id=one.initiative_id,
        **context,
    )
