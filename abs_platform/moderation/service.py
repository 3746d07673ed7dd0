# SPDX-License-Identifier: EUPL-1.2
"""The small verbs of a desk: take up, tick, note, talk with the organisers, and set a rule aside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from abs_platform import events, outbox
from abs_platform.accounts.queries import district_managers, names_of
from abs_platform.areas.queries import name_of
from abs_platform.clock import local_date
from abs_platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from abs_platform.initiatives.content import content_of
from abs_platform.initiatives.permissions import Subject, is_organiser, works_at_desk_of
from abs_platform.initiatives.service import lock, set_rule_aside
from abs_platform.initiatives.states import OverridableRule
from abs_platform.initiatives.subjects import subject_of
from abs_platform.moderation import permissions
from abs_platform.moderation.models import ChecklistTick, DeskNote, Message
from abs_platform.moderation.queries import Recipient, coordinators, first_name, recipients_of
from abs_platform.moderation.review import checklist_of
from abs_platform.moderation.states import Side
from abs_platform.users import User

if TYPE_CHECKING:
    from abs_platform.initiatives.models import Initiative

MAX_TEXT = 4_000


def refusal(session: Session, subject: Subject, user: User, now: dt.datetime) -> NotAllowed:
    """Why this person may not do this here, and who may."""
    if is_organiser(user, subject):
        return NotAllowed(_("Dit is je eigen initiatief. Een collega kijkt ernaar en beslist erover."))
    if subject.desk_area_id is None:
        return NotAllowed(_("Dit initiatief is nog niet verstuurd. Alleen de organisatoren kunnen erbij."))
    desk = name_of(session, subject.desk_area_id) or ""
    people = desk_people(session, subject.desk_area_id, now)
    if works_at_desk_of(user, subject):
        return NotAllowed(_("Dit kan nu niet: het initiatief is '%(state)s'.", state=subject.state.label))
    if not people:
        return NotAllowed(_("Dit is voor de wijkregisseur van %(desk)s. Vraag de beheerder wie dat nu is.", desk=desk))
    names = ", ".join(person.name for person in people)
    return NotAllowed(_("Dit is voor de wijkregisseur van %(desk)s: %(names)s.", desk=desk, names=names))


def desk_people(session: Session, area_id: int, now: dt.datetime) -> list[Recipient]:
    """Who works at a desk today, stand-ins too and without who is absent."""
    return [
        Recipient(id=account_id, name=name or email.partition("@")[0], email=email)
        for account_id, email, name in district_managers(session, area_id, local_date(now))
    ]


def _locked(session: Session, initiative_id: int) -> tuple[Initiative, Subject]:
    """The initiative for this transaction alone, and as permissions see it then."""
    initiative = lock(session, initiative_id)
    return initiative, subject_of(session, initiative_id)


def take_up(session: Session, initiative_id: int, *, seen_handler_id: int, user: User, now: dt.datetime) -> None:
    """Say that I deal with it; ``seen_handler_id`` is who did so on the page before me (0 is nobody).

    Raises: NotAllowed, Conflict when a colleague was just before me.
    Locks: the initiative.
    """
    initiative, subject = _locked(session, initiative_id)
    if not permissions.can_take_up(user, subject):
        raise refusal(session, subject, user, now)
    handler_id = initiative.handler_id or 0
    if handler_id == user.account_id:
        return
    if handler_id != seen_handler_id and handler_id:
        name = names_of(session, [handler_id])[handler_id]
        raise Conflict(_("%(name)s heeft dit net opgepakt. Overleg samen wie het doet.", name=name))
    initiative.handler_id = user.account_id
    events.record(session, "initiative.taken_up", initiative_id, actor=user.actor(), now=now)
    session.flush()


def release(session: Session, initiative_id: int, *, user: User, now: dt.datetime) -> None:
    """Put back what I took up. Doing so twice changes nothing. Raises: NotAllowed."""
    initiative, subject = _locked(session, initiative_id)
    if not permissions.can_take_up(user, subject):
        raise refusal(session, subject, user, now)
    if initiative.handler_id == user.account_id:
        initiative.handler_id = None
        events.record(session, "initiative.released", initiative_id, actor=user.actor(), now=now)
        session.flush()


def keep_checklist(
    session: Session,
    initiative_id: int,
    *,
    shown: Collection[str],
    seen: Collection[str],
    ticked: Collection[str],
    user: User,
    now: dt.datetime,
) -> None:
    """Tick and untick what this person changed: between what was ``seen`` ticked and what is ``ticked`` now.

    Only lines that are there and were ``shown`` count, so that a colleague's ticks of the same moment stay.
    Raises: NotAllowed.
    """
    initiative, subject = _locked(session, initiative_id)
    if not permissions.can_tick(user, subject):
        raise refusal(session, subject, user, now)
    there_are = checklist_of(session, initiative, content_of(session, initiative), local_date(now))
    lines = {check.key for check in there_are}.intersection(shown)
    rows = session.scalars(select(ChecklistTick).where(ChecklistTick.initiative_id == initiative_id))
    there = {row.key: row for row in rows}
    for key in sorted((set(ticked) - set(seen)) & lines):
        tick = there.get(key)
        if tick is None:
            tick = ChecklistTick(initiative_id=initiative_id, key=key)
            session.add(tick)
        elif initiative.submitted_at is None or tick.ticked_at >= initiative.submitted_at:
            continue  # a colleague was before me
        tick.ticked_by_id, tick.ticked_at = user.account_id, now
        events.record(session, "initiative.check_ticked", initiative_id, actor=user.actor(), now=now, key=key)
    for key in sorted((set(seen) - set(ticked)) & lines & set(there)):
        session.execute(
            delete(ChecklistTick).where(ChecklistTick.initiative_id == initiative_id, ChecklistTick.key == key)
        )
        events.record(session, "initiative.check_unticked", initiative_id, actor=user.actor(), now=now, key=key)
    session.flush()


def add_note(session: Session, initiative_id: int, text: str, *, user: User, now: dt.datetime) -> None:
    """Leave a note for colleagues. Organisers never see it. Raises: NotAllowed, InvalidInput."""
    subject = subject_of(session, initiative_id)
    if not permissions.can_note(user, subject):
        raise refusal(session, subject, user, now)
    text = _text(text, "note")
    session.add(DeskNote(initiative_id=initiative_id, author_id=user.account_id, text=text, written_at=now))
    events.record(session, "initiative.note_written", initiative_id, actor=user.actor(), now=now)
    session.flush()


def _text(text: str, field: str) -> str:
    text = text.strip()
    if not 1 <= len(text) <= MAX_TEXT:
        sentence = _("Schrijf hier 1 tot %(longest)s tekens.", longest=MAX_TEXT)
        raise InvalidInput(sentence, fields={field: sentence})
    return text


def write_to_organisers(session: Session, initiative_id: int, text: str, *, user: User, now: dt.datetime) -> Message:
    """Send the organisers a message in the name of the municipality; it answers what they wrote before.

    Raises: NotAllowed, InvalidInput.
    Locks: the initiative.
    """
    _initiative, subject = _locked(session, initiative_id)
    if not permissions.can_write_to_organisers(user, subject):
        raise refusal(session, subject, user, now)
    people = recipients_of(session, initiative_id)
    message = _say(session, subject, Side.DESK, _text(text, "message"), people, user=user, now=now)
    handle_messages(session, initiative_id, user=user, now=now)
    return message


def _say(
    session: Session, subject: Subject, side: Side, text: str, people: list[Recipient], *, user: User, now: dt.datetime
) -> Message:
    message = Message(
        initiative_id=subject.id,
        side=side.value,
        author_id=user.account_id,
        text=text,
        sent_at=now,
        recipient_ids=[person.id for person in people],
    )
    session.add(message)
    events.record(session, f"initiative.{side.value}_wrote", subject.id, actor=user.actor(), now=now)
    session.flush()
    mail = outbox.preview(
        f"{side.value}_message",
        initiative_id=subject.id,
        title=subject.title,
        text=text,
        name=first_name(user.short_name) if side == Side.DESK else user.short_name,
    )
    for person in people:
        outbox.queue_rendered(session, mail, to=person.email, event=f"desk-message:{message.id}", now=now)
    return message


def handle_messages(
    session: Session, initiative_id: int, *, user: User, now: dt.datetime, until: dt.datetime | None = None
) -> int:
    """What the organisers wrote (up to a moment) waits for nobody any more; returns how many messages that were."""
    waiting = (
        update(Message)
        .where(
            Message.initiative_id == initiative_id,
            Message.side == Side.ORGANISER.value,
            Message.handled_at.is_(None),
            Message.sent_at <= (until or now),
        )
        .values(handled_at=now, handled_by_id=user.account_id)
    )
    return int(getattr(session.execute(waiting), "rowcount", 0))


def mark_handled(session: Session, initiative_id: int, *, user: User, now: dt.datetime) -> None:
    """What the organisers wrote needs no answer (any more). Nobody gets a mail. Raises: NotAllowed."""
    _initiative, subject = _locked(session, initiative_id)
    if not permissions.can_write_to_organisers(user, subject):
        raise refusal(session, subject, user, now)
    if handle_messages(session, initiative_id, user=user, now=now):
        events.record(session, "initiative.message_handled", initiative_id, actor=user.actor(), now=now)


def write_to_desk(session: Session, initiative_id: int, text: str, *, user: User, now: dt.datetime) -> Message:
    """An organiser writes to the desk: to who took it up when present, else to all who work there today.

    Raises: NotFound for who is no organiser, InvalidInput.
    Locks: the initiative.
    """
    initiative, subject = _locked(session, initiative_id)
    if not permissions.can_converse(user, subject):
        raise NotFound(_("Dit initiatief bestaat niet (meer)."))
    people = desk_people(session, subject.desk_area_id or 0, now)
    handler = [person for person in people if person.id == initiative.handler_id]
    to = handler or people or coordinators(session)
    return _say(session, subject, Side.ORGANISER, _text(text, "message"), to, user=user, now=now)


def set_aside(
    session: Session, initiative_id: int, rule: OverridableRule, reason: str, *, user: User, now: dt.datetime
) -> None:
    """Set a rule of the game aside for one initiative, and tell the organisers. Only the coordinator (rule 4).

    Raises: NotAllowed, InvalidInput without a reason, Conflict when it was done before.
    Locks: the initiative.
    """
    _initiative, subject = _locked(session, initiative_id)
    if not permissions.can_set_rule_aside(user, subject):
        raise _no_exception(subject, user)
    reason = _text(reason, "reason")
    set_rule_aside(
        session, initiative_id, rule, reason=reason, given_by_id=user.account_id, actor=user.actor(), now=now
    )
    mail = outbox.preview(
        "rule_set_aside", initiative_id=initiative_id, title=subject.title, rule=rule.label, reason=reason
    )
    for person in recipients_of(session, initiative_id):
        event = f"rule-set-aside:{initiative_id}:{rule.value}"
        outbox.queue_rendered(session, mail, to=person.email, event=event, now=now)


def _no_exception(subject: Subject, user: User) -> NotAllowed:
    if not user.is_coordinator:
        return NotAllowed(_("Alleen de beheerder kan een uitzondering maken."))
    if is_organiser(user, subject):
        return NotAllowed(_("Dit is je eigen initiatief. Een andere beheerder beslist over een uitzondering."))
    return NotAllowed(_("Dit kan niet meer: het initiatief is '%(state)s'.", state=subject.state.label))
