# SPDX-License-Identifier: EUPL-1.2
"""Reads for the one screen of an initiative at the desk, and for the conversation that organisers see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.accounts.models import Absence, Account, DeskAssignment, StaffRole
from abs_platform.accounts.queries import names_of
from abs_platform.errors import NotFound
from abs_platform.initiatives.models import Initiative, Organiser, RuleOverride
from abs_platform.initiatives.states import OrganiserRole, OverridableRule
from abs_platform.moderation.models import Decision, DecisionDraft, DeskNote, Message
from abs_platform.moderation.states import DecisionKind, Side
from abs_platform.users import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody who gets a mail: an organiser, or an account of staff."""

    id: int
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganiserRow:
    """An organiser as the desk sees this person. ``address`` is verified, stated, none or forgotten."""

    id: int
    account_id: int | None
    name: str
    email: str
    role: OrganiserRole
    has_confirmed: bool
    has_declined: bool
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A message of the conversation. ``is_official`` when the desk speaks."""

    id: int
    is_official: bool
    author: str
    text: str
    sent_at: dt.datetime
    recipients: int
    is_waiting: bool

    @property
    def voice(self) -> str:
        """Who speaks, as organisers read it: a wijkregisseur by first name."""
        return first_name(self.author) if self.is_official else self.author


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRow:
    """An internal note."""

    author: str
    text: str
    written_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow:
    """A decision that is being written."""

    author_id: int
    author: str
    desk_area_id: int
    kind: DecisionKind
    reason: str
    to_area_id: int | None
    seen: str
    saved_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """A decision that was given. ``recipients`` are the names of whom its mail went to."""

    id: int
    kind: DecisionKind
    reason: str
    to_area_id: int | None
    decided_by_id: int
    decided_by: str
    decided_at: dt.datetime
    mail_subject: str
    mail_text: str
    recipients: list[str]
    desk_recipients: list[str]

    @property
    def voice(self) -> str:
        """Who decided, as organisers read it."""
        return first_name(self.decided_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRow:
    """A rule that was set aside."""

    initiative_id: int
    title: str
    rule: OverridableRule
    reason: str
    given_by: str
    given_at: dt.datetime


def first_name(name: str) -> str:
    """How the municipality's people are called to residents."""
    return name.split(maxsplit=1)[0] if name.strip() else ""


def initiative_of(session: Session, initiative_id: int) -> Initiative:
    """An initiative as it is now, without locking it. Raises: NotFound."""
    found = session.get(Initiative, initiative_id, populate_existing=True)
    if found is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer)."))
    return found


def organisers_of(session: Session, initiative_id: int) -> list[OrganiserRow]:
    """Everybody who was asked, the initiator first."""
    query = select(Organiser).where(Organiser.initiative_id == initiative_id)
    rows = session.scalars(query.order_by(Organiser.role.desc(), Organiser.id))
    return [
        OrganiserRow(
            id=row.id,
            account_id=row.account_id,
            name=row.name,
            email=row.email,
            role=OrganiserRole(row.role),
            has_confirmed=row.confirmed_at is not None,
            has_declined=row.declined_at is not None,
            address=_address_of(row),
        )
        for row in rows
    ]


def _address_of(row: Organiser) -> str:
    if row.forgotten_at is not None:
        return "forgotten"
    if row.address_verified_at is not None:
        return "verified"
    return "stated" if row.postcode else "none"


def recipients_of(session: Session, initiative_id: int) -> list[Recipient]:
    """Whom mail about an initiative goes to: every organiser who confirmed and did not leave."""
    rows = session.execute(
        select(Organiser.id, Organiser.name, Organiser.email)
        .where(
            Organiser.initiative_id == initiative_id,
            Organiser.confirmed_at.is_not(None),
            Organiser.forgotten_at.is_(None),
        )
        .order_by(Organiser.role.desc(), Organiser.id)
    )
    return [Recipient(id=row.id, name=row.name, email=row.email) for row in rows]


def messages_of(session: Session, initiative_id: int, organisers: Mapping[int, str]) -> list[MessageRow]:
    """The conversation, oldest first. ``organisers`` are names by account, as the organisers gave them."""
    query = select(Message).where(Message.initiative_id == initiative_id).order_by(Message.id)
    rows = session.scalars(query).all()
    names = names_of(session, {row.author_id for row in rows})
    return [
        MessageRow(
            id=row.id,
            is_official=row.side == Side.DESK,
            author=(names if row.side == Side.DESK else {**names, **organisers}).get(row.author_id, ""),
            text=row.text,
            sent_at=row.sent_at,
            recipients=len(row.recipient_ids),
            is_waiting=row.side == Side.ORGANISER and row.handled_at is None,
        )
        for row in rows
    ]


def notes_of(session: Session, initiative_id: int) -> list[NoteRow]:
    """The internal notes, newest first."""
    query = select(DeskNote).where(DeskNote.initiative_id == initiative_id).order_by(DeskNote.id.desc())
    rows = session.scalars(query).all()
    names = names_of(session, {row.author_id for row in rows})
    return [NoteRow(author=names.get(row.author_id, ""), text=row.text, written_at=row.written_at) for row in rows]


def drafts_of(session: Session, initiative_id: int) -> list[DraftRow]:
    """All decisions that are being written about an initiative. Who may see which, ``can_see_draft`` says."""
    query = select(DecisionDraft).where(DecisionDraft.initiative_id == initiative_id)
    rows = session.scalars(query.order_by(DecisionDraft.saved_at)).all()
    names = names_of(session, {row.author_id for row in rows})
    return [
        DraftRow(
            author_id=row.author_id,
            author=names.get(row.author_id, ""),
            desk_area_id=row.desk_area_id,
            kind=DecisionKind(row.kind),
            reason=row.reason,
            to_area_id=row.to_area_id,
            seen=row.seen,
            saved_at=row.saved_at,
        )
        for row in rows
    ]


def decisions_of(session: Session, initiative_id: int) -> list[DecisionRow]:
    """What was decided, newest first, with the names of who was told."""
    query = select(Decision).where(Decision.initiative_id == initiative_id).order_by(Decision.id.desc())
    rows = session.scalars(query).all()
    if not rows:
        return []
    staff = names_of(session, {row.decided_by_id for row in rows}.union(*(row.desk_recipient_ids for row in rows)))
    organisers = dict(
        session.execute(select(Organiser.id, Organiser.name).where(Organiser.initiative_id == initiative_id)).all()
    )
    return [
        DecisionRow(
            id=row.id,
            kind=DecisionKind(row.kind),
            reason=row.reason,
            to_area_id=row.to_area_id,
            decided_by_id=row.decided_by_id,
            decided_by=staff.get(row.decided_by_id, ""),
            decided_at=row.decided_at,
            mail_subject=row.mail_subject,
            mail_text=row.mail_text,
            recipients=[organisers.get(number) or _("iemand die niet meer meedoet") for number in row.recipient_ids],
            desk_recipients=[staff.get(number) or _("een medewerker") for number in row.desk_recipient_ids],
        )
        for row in rows
    ]


def last_decision_id(session: Session, initiative_id: int) -> int | None:
    """The newest decision about an initiative."""
    return session.scalar(select(func.max(Decision.id)).where(Decision.initiative_id == initiative_id))


def overrides_of(session: Session, initiative_id: int | None = None) -> list[OverrideRow]:
    """The rules that were set aside, for one initiative or for all, newest first."""
    query = select(RuleOverride, Initiative.title).join(Initiative, Initiative.id == RuleOverride.initiative_id)
    if initiative_id is not None:
        query = query.where(RuleOverride.initiative_id == initiative_id)
    rows = session.execute(query.order_by(RuleOverride.id.desc())).all()
    names = names_of(session, {override.given_by_id for override, _title in rows})
    return [
        OverrideRow(
            initiative_id=override.initiative_id,
            title=title,
            rule=OverridableRule(override.rule),
            reason=override.reason,
            given_by=names.get(override.given_by_id, ""),
            given_at=override.given_at,
        )
        for override, title in rows
    ]


def stands_in_for(session: Session, account_id: int, today: dt.date) -> dict[int, str]:
    """The desks at which somebody stands in today, and for whom: names by area."""
    rows = session.execute(
        select(DeskAssignment.area_id, Account.name, Account.email)
        .join(Account, Account.id == DeskAssignment.account_id)
        .join(Absence, Absence.account_id == Account.id)
        .where(Absence.stand_in_id == account_id, Absence.starts_on <= today, Absence.ends_on >= today)
        .order_by(Account.id)
    )
    return {row.area_id: row.name or (row.email or "").partition("@")[0] for row in rows}


def coordinators(session: Session) -> list[Recipient]:
    """Who coordinates: whom mail goes to when nobody works at a desk."""
    rows = session.execute(
        select(Account.id, Account.name, Account.email)
        .join(StaffRole, StaffRole.account_id == Account.id)
        .where(StaffRole.role == Role.COORDINATOR.value, StaffRole.ended_at.is_(None), Account.deleted_at.is_(None))
        .order_by(Account.id)
    )
    return [Recipient(id=row.id, name=row.name, email=row.email or "") for row in rows]
