# SPDX-License-Identifier: EUPL-1.2
"""The verbs of the agenda: add, change, publish, cancel, withdraw; of the desk and of an initiative's organisers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor, account_number
from abs_platform.agenda.models import AgendaItem
from abs_platform.agenda.states import (
    LATEST_START,
    LONGEST,
    MOST_COMING,
    PUBLIC_STATES,
    SHOWN_WITH,
    TRANSITIONS,
    ItemState,
)
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.initiatives.service import lock as lock_initiative
from abs_platform.lives import check_move
from abs_platform.updates import mailing


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemInput:
    """What is written of something on the agenda; moments are aware UTC."""

    title: str
    place: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    description: str = ""


def add(
    session: Session,
    what: ItemInput,
    *,
    area_id: int | None = None,
    initiative_id: int | None = None,
    author_id: int | None,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Write something for the agenda, as a draft; returns its number. Of an area, or of an initiative and its area.

    Locks: the initiative. Raises: InvalidInput; Conflict when the initiative does not go on.
    """
    if (area_id is None) == (initiative_id is None):
        raise ValueError("an item is of an area, or of an initiative")
    _check_moments(what, now)
    if initiative_id is not None:
        area_id = _going_on(session, initiative_id)
        _leave_room(session, initiative_id, now)
    item = AgendaItem(
        area_id=area_id,
        initiative_id=initiative_id,
        title=what.title,
        description=what.description,
        place=what.place,
        starts_at=what.starts_at,
        ends_at=what.ends_at,
        state=ItemState.DRAFT.value,
        author_id=author_id,
        made_at=now,
        changed_at=now,
    )
    session.add(item)
    session.flush()
    _record(session, "begun", item, actor=actor, now=now)
    return item.id


def change(
    session: Session,
    item_id: int,
    what: ItemInput,
    *,
    area_id: int | None = None,
    seen: str | None = None,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Write it again; calendars follow a change of what is public. Saving what is there already changes nothing.

    ``area_id``: the other area that it is for. ``seen``: what ``seal_of`` said when the form was made. Raises:
    NotFound, InvalidInput; Conflict when it was changed since then, cancelled or withdrawn.
    """
    item = _locked(session, item_id)
    if item.state not in {ItemState.DRAFT, ItemState.PUBLISHED}:
        raise Conflict(_("Je kunt dit niet meer aanpassen: het is afgezegd of ingetrokken."))
    if seen is not None and seen != seal_of(item):
        raise Conflict(_("Iemand anders heeft dit net ook veranderd. Vergelijk het en sla daarna opnieuw op."))
    if (item.starts_at, item.ends_at) != (what.starts_at, what.ends_at):
        _check_moments(what, now)
    new = {name: getattr(what, name) for name in ("title", "description", "place", "starts_at", "ends_at")}
    if area_id is not None and item.initiative_id is None:
        new["area_id"] = area_id
    changed = sorted(name for name, value in new.items() if getattr(item, name) != value)
    if not changed:
        return
    for name in changed:
        setattr(item, name, new[name])
    item.changed_at = now
    item.sequence += item.state == ItemState.PUBLISHED
    _record(session, "changed", item, actor=actor, now=now, fields=changed)


def publish(session: Session, item_id: int, *, at: dt.datetime | None = None, actor: Actor, now: dt.datetime) -> None:
    """Put it on the agenda, now or at a moment to come.

    Locks: its initiative, then the item. Raises: NotFound, InvalidTransition, Conflict, InvalidInput.
    """
    initiative_id = session.scalar(select(AgendaItem.initiative_id).where(AgendaItem.id == item_id))
    if initiative_id is not None:  # before the item, as when one is added
        _going_on(session, initiative_id)
    item = _locked(session, item_id)
    if at is not None and at >= item.ends_at:
        sentence = _("Kies een moment voordat het voorbij is.")
        raise InvalidInput(sentence, fields={"publish_at": sentence})
    if item.ends_at <= now:
        raise Conflict(_("Dit is al voorbij. Pas eerst de datum aan."))
    _step(item, ItemState.PUBLISHED)
    item.publish_at = max(at, now) if at is not None else now
    details = {"publish_at": item.publish_at.isoformat()} if item.publish_at > now else {}
    _record(session, "scheduled" if details else "published", item, actor=actor, now=now, **details)


def take_back(session: Session, item_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Make a draft again of what is still to come. Raises: NotFound, InvalidTransition; Conflict when it is public."""
    item = _locked(session, item_id)
    if item.publish_at is not None and item.publish_at <= now:
        raise Conflict(_("Dit staat al op de agenda. Je kunt het nog wel aanpassen, afzeggen of intrekken."))
    _step(item, ItemState.DRAFT)
    item.publish_at = None
    _record(session, "taken_back", item, actor=actor, now=now)


def cancel(session: Session, item_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Say that it does not go on, and why; it stays on the agenda.

    Raises: NotFound, InvalidTransition, InvalidInput.
    """
    item = _locked(session, item_id)
    _step(item, ItemState.CANCELLED)
    item.reason, item.changed_at = _given(reason), now
    item.sequence += 1
    _record(session, "cancelled", item, actor=actor, now=now)


def withdraw(session: Session, item_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Take it off the agenda, with a reason; a draft needs none. Organisers of its initiative get that in one mail.

    Raises: NotFound, InvalidTransition, InvalidInput.
    """
    item = _locked(session, item_id)
    was_draft = item.state == ItemState.DRAFT
    _step(item, ItemState.WITHDRAWN)
    item.reason = reason.strip() if was_draft else _given(reason)
    item.withdrawn_at = item.changed_at = now
    item.sequence += 1
    _record(session, "withdrawn", item, actor=actor, now=now)
    if item.initiative_id is not None and not was_draft:
        mailing.tell_organisers(
            session,
            "activity_withdrawn",
            item.initiative_id,
            event=f"activity-withdrawn:{item.id}",
            now=now,
            but=account_number(str(actor)),
            item_title=item.title,
            starts_at=item.starts_at,
            reason=item.reason,
        )


def seal_of(item: AgendaItem) -> str:
    """What a form carries, to tell later whether somebody else changed it meanwhile."""
    return item.changed_at.isoformat()


def _check_moments(what: ItemInput, now: dt.datetime) -> None:
    wrong: dict[str, str] = {}
    if what.ends_at <= what.starts_at:
        wrong["ends_at"] = _("Het einde moet na het begin komen.")
    elif what.ends_at - what.starts_at > LONGEST:
        wrong["ends_at"] = _("Dit duurt te lang. Kies een einde binnen drie maanden.")
    elif what.ends_at <= now:
        wrong["starts_at"] = _("Dit is al voorbij. Kies een moment dat nog komt.")
    if what.starts_at > now + LATEST_START:
        wrong["starts_at"] = _("Dit is te ver weg. Kies een moment binnen twee jaar.")
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), fields=wrong)


def _going_on(session: Session, initiative_id: int) -> int:
    """The area of an initiative that goes on, locked."""
    initiative = lock_initiative(session, initiative_id)
    if initiative.state not in SHOWN_WITH:
        raise Conflict(_("Dit initiatief loopt niet. Je kunt er nu geen activiteit bij zetten."))
    return initiative.area_id


def _leave_room(session: Session, initiative_id: int, now: dt.datetime) -> None:
    """The agenda is of everybody: also what was cancelled counts, as it still stands there."""
    coming = (AgendaItem.state.in_([state.value for state in PUBLIC_STATES]), AgendaItem.ends_at > now)
    planned = select(func.count()).select_from(AgendaItem).where(AgendaItem.initiative_id == initiative_id, *coming)
    if (session.scalar(planned) or 0) >= MOST_COMING:
        raise InvalidInput(
            _("Er staan al %(most)s activiteiten gepland. Wacht tot er een voorbij is.", most=MOST_COMING)
        )


def _locked(session: Session, item_id: int) -> AgendaItem:
    item = session.scalar(
        select(AgendaItem).where(AgendaItem.id == item_id).with_for_update().execution_options(populate_existing=True)
    )
    if item is None:
        raise NotFound(_("Dit staat niet (meer) op de agenda."))
    return item


def _step(item: AgendaItem, target: ItemState) -> None:
    check_move(TRANSITIONS, ItemState(item.state), target, _("de activiteit"))
    item.state = target.value


def _given(reason: str) -> str:
    if not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    return reason.strip()


def _record(
    session: Session, verb: str, item: AgendaItem, *, actor: Actor, now: dt.datetime, **details: object
) -> None:
    """Into the log: that it happened and why, never what was written."""
    if item.initiative_id is not None:
        details["initiative"] = item.initiative_id
    events.record(
        session,
        f"agenda.{verb}",
        item.id,
        actor=actor,
        now=now,
        reason=item.reason or None,
        area=item.area_id,
        **details,
    )
