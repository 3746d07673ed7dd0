# SPDX-License-Identifier: EUPL-1.2
"""Who carries an initiative: the initiator's own address, and co-organisers who are asked by mail.

Only a keyed digest of the link's token is kept. Having the link proves who reads the e-mail address (rule 4).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import attempts, events, outbox
from abs_platform.accounts.queries import verified_address
from abs_platform.accounts.service import digest
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.events import Event
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.organisers import address_parts, verify_addresses
from abs_platform.initiatives.permissions import CHANGEABLE_STATES, EDITABLE_STATES
from abs_platform.initiatives.service import lock
from abs_platform.initiatives.states import InitiativeState, OrganiserRole

ONE_DAY = dt.timedelta(days=1)
VALID_DAYS = 60
PER_INITIATIVE, PER_ACCOUNT = 10, 20
MOST_CO_ORGANISERS = 20
OPEN_STATES = EDITABLE_STATES | CHANGEABLE_STATES | {InitiativeState.SUBMITTED}
REPORTED = "initiative.invitation_reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where somebody lives, for the rule of the three addresses. ``postcode`` is like "7607AB"."""

    name: str
    postcode: str
    house_number: str
    is_name_public: bool


def organisers_of(session: Session, initiative_id: int) -> list[Organiser]:
    """The initiator first, then the others in the order in which they were asked."""
    query = select(Organiser).where(Organiser.initiative_id == initiative_id)
    return list(session.scalars(query.order_by(Organiser.role.desc(), Organiser.id)))


def shared_addresses(organisers: list[Organiser]) -> list[list[str]]:
    """The names of those who said yes and live at one address: together they count once (rule 4)."""
    names: dict[tuple[object, ...], list[str]] = {}
    for one in organisers:
        if one.confirmed_at is not None and one.postcode is not None:
            names.setdefault((one.postcode, *address_parts(one.house_number or "")), []).append(one.name)
    return [group for group in names.values() if len(group) > 1]


def state_own_address(
    session: Session, initiative_id: int, address: Address, *, account_id: int, now: dt.datetime
) -> None:
    """The initiator says who she is and where she lives. Locks: the initiative."""
    lock(session, initiative_id)
    one = session.scalars(
        select(Organiser).where(
            Organiser.initiative_id == initiative_id, Organiser.role == OrganiserRole.INITIATOR.value
        )
    ).one()
    state_address(session, one, address, account_id=account_id, now=now)


def state_address(
    session: Session, one: Organiser, address: Address, *, account_id: int | None, now: dt.datetime
) -> None:
    """Write down where an organiser says to live; it is verified when the letter of it was in the person's hands."""
    moved = (one.postcode, one.house_number) != (address.postcode, address.house_number)
    one.name, one.is_name_public = address.name, address.is_name_public
    one.postcode, one.house_number = address.postcode, address.house_number
    if moved:
        one.address_verified_at = None
    session.flush()
    verified = verified_address(session, account_id) if account_id is not None else None
    if account_id is not None and verified is not None:
        verify_addresses(
            session, account_id, one.email, postcode=verified.postcode, house_number=verified.house_number, now=now
        )


def invite(
    session: Session, initiative_id: int, *, name: str, email: str, secret_key: str, actor: Actor, now: dt.datetime
) -> Organiser:
    """Ask somebody to carry it too. Raises: Conflict, InvalidInput beside a field, TooManyAttempts.

    Locks: the initiative.
    """
    initiative = _lock_open(session, initiative_id)
    people = organisers_of(session, initiative_id)
    for one in people:
        if one.email == email:
            own = one.role == OrganiserRole.INITIATOR
            sentence = _("Dit ben je zelf. Vraag twee anderen.") if own else _("Dit e-mailadres staat er al bij.")
            raise InvalidInput(sentence, fields={"email": sentence})
    if len(people) > MOST_CO_ORGANISERS:
        raise Conflict(_("Je kunt hoogstens %(most)s anderen vragen.", most=MOST_CO_ORGANISERS))
    known = Event.subject_id == initiative_id, Event.subject == "initiative", Event.kind == REPORTED
    mark = mark_of(secret_key, email)
    if any((event.details or {}).get("who") == mark for event in session.scalars(select(Event).where(*known))):
        sentence = _("Deze persoon wil geen uitnodiging van je. Vraag iemand anders.")
        raise InvalidInput(sentence, fields={"email": sentence})
    one = Organiser(initiative_id=initiative_id, role=OrganiserRole.CO_ORGANISER.value, name=name, email=email)
    session.add(one)
    session.flush()
    _send_invitation(session, initiative, one, people[0], secret_key=secret_key, actor=actor, now=now)
    events.record(session, "initiative.co_organiser_added", initiative_id, actor=actor, now=now, organiser=one.id)
    return one


def resend(
    session: Session, initiative_id: int, organiser_id: int, *, secret_key: str, actor: Actor, now: dt.datetime
) -> Organiser:
    """Ask again, with a new link; the old one leads nowhere any more. Raises: Conflict, NotFound, TooManyAttempts."""
    initiative = _lock_open(session, initiative_id)
    one = _co_organiser(session, initiative_id, organiser_id)
    if one.confirmed_at is not None:
        raise Conflict(_("%(name)s doet al mee.", name=one.name))
    if one.declined_at is not None:
        raise Conflict(_("%(name)s heeft nee gezegd. Vraag iemand anders.", name=one.name))
    initiator = organisers_of(session, initiative_id)[0]
    _send_invitation(session, initiative, one, initiator, secret_key=secret_key, actor=actor, now=now)
    events.record(session, "initiative.co_organiser_asked_again", initiative_id, actor=actor, now=now, organiser=one.id)
    return one


def remove(session: Session, initiative_id: int, organiser_id: int, *, actor: Actor, now: dt.datetime) -> str:
    """Take a co-organiser off; the link in the mail leads nowhere any more. Returns the name."""
    _lock_open(session, initiative_id)
    one = _co_organiser(session, initiative_id, organiser_id)
    session.delete(one)
    events.record(
        session, "initiative.co_organiser_removed", initiative_id, actor=actor, now=now, organiser=organiser_id
    )
    session.flush()
    return one.name


def _lock_open(session: Session, initiative_id: int) -> Initiative:
    initiative = lock(session, initiative_id)
    if initiative.state not in EDITABLE_STATES:
        raise Conflict(_("Je initiatief is al verstuurd. Nu kun je niemand meer vragen of weghalen."))
    return initiative


def _co_organiser(session: Session, initiative_id: int, organiser_id: int) -> Organiser:
    one = session.get(Organiser, organiser_id, populate_existing=True)
    if one is None or one.initiative_id != initiative_id or one.role != OrganiserRole.CO_ORGANISER:
        raise NotFound(_("Deze persoon staat niet (meer) in je lijst."))
    return one


def _send_invitation(
    session: Session,
    initiative: Initiative,
    one: Organiser,
    initiator: Organiser,
    *,
    secret_key: str,
    actor: Actor,
    now: dt.datetime,
) -> None:
    for bucket, who, most in (
        ("invite-initiative", str(initiative.id), PER_INITIATIVE),
        ("invite-account", actor.name, PER_ACCOUNT),
    ):
        attempts.claim(session, bucket, attempts.digest(secret_key, who), most=most, window=ONE_DAY, now=now)
    token = secrets.token_urlsafe(32)
    one.invitation_digest, one.invited_at = digest(secret_key, "invitation", token), now
    outbox.queue(
        session,
        "co_organiser_invitation",
        to=one.email,
        event=f"initiative.invitation:{one.id}:{hashlib.sha256(token.encode()).hexdigest()[:12]}",
        now=now,
        is_secret=True,
        to_name=one.name,
        initiator_name=initiator.name,
        title=initiative.title,
        token=token,
        valid_days=VALID_DAYS,
    )
    session.flush()


def mark_of(secret_key: str, email: str) -> str:
    """How an e-mail address that wants no invitation stands in the log: a keyed digest."""
    return digest(secret_key, "reported invitation", email).hex()[:32]


def remind(session: Session, organiser_id: int, *, after_days: int, secret_key: str, now: dt.datetime) -> bool:
    """Ask once more who said nothing for so many days; whether that was new. The link is new, the term is not.

    Locks: the organiser.
    """
    one = session.get(Organiser, organiser_id, with_for_update=True, populate_existing=True)
    if one is None or one.invited_at is None or one.confirmed_at is not None or one.declined_at is not None:
        return False
    initiative = session.get_one(Initiative, one.initiative_id)
    token = secrets.token_urlsafe(32)
    is_new = outbox.queue(
        session,
        "reminder_co_organiser",
        to=one.email,
        event=f"reminder-co-organiser:{one.id}:{one.invited_at:%Y%m%d%H%M%S}:{after_days}",
        now=now,
        is_secret=True,
        title=initiative.title,
        initiator=organisers_of(session, one.initiative_id)[0].name,
        invited_on=local_date(one.invited_at),
        answer_url=outbox.site_url("invitations.show", token=token),
    )
    if is_new:
        one.invitation_digest = digest(secret_key, "invitation", token)
        session.flush()
    return is_new
