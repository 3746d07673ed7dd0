# SPDX-License-Identifier: EUPL-1.2
"""The verbs of an update and of thanking: what goes on the page, and by mail to the givers who wanted news."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import events, outbox
from abs_platform.actors import Actor
from abs_platform.database import on_violation
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.initiatives.service import lock
from abs_platform.initiatives.states import InitiativeState
from abs_platform.lives import check_move
from abs_platform.media.queries import pictures_of
from abs_platform.media.service import remove_picture
from abs_platform.media.states import Purpose
from abs_platform.outbox import OutgoingMail
from abs_platform.updates import mailing, queries
from abs_platform.updates.models import NewsStop, Thanks, Update
from abs_platform.updates.states import EDITABLE_FOR, TELLING_STATES, THANKING_STATES, TRANSITIONS, UpdateState

on_violation("pk_initiative_thanks", lambda: Conflict(_("Jullie hebben de gevers al bedankt. Dat kan één keer.")))


def start_update(
    session: Session, initiative_id: int, title: str, body: str, *, author_id: int, actor: Actor, now: dt.datetime
) -> Update:
    """Begin an update; nobody but the organisers sees it. Raises: Conflict when there is nobody to tell anything."""
    _telling(session, initiative_id)
    update = Update(initiative_id=initiative_id, author_id=author_id, title=title, body=body, saved_at=now)
    session.add(update)
    session.flush()
    _record(session, "begun", update, actor=actor, now=now)
    return update


def change_update(session: Session, update_id: int, title: str, body: str, *, actor: Actor, now: dt.datetime) -> Update:
    """Write it again: a draft always, what was posted for an hour. Raises: NotFound, Conflict."""
    update = _lock_update(session, update_id)
    if not is_editable(update, now):
        raise Conflict(_("Je kunt dit bericht niet meer aanpassen. Dat kan tot een uur na het plaatsen."))
    if (update.title, update.body) != (title, body):
        update.title, update.body, update.saved_at = title, body, now
        if update.posted_at is not None:
            update.edited_at = now
            _record(session, "edited", update, actor=actor, now=now)
    return update


def is_editable(update: Update, now: dt.datetime) -> bool:
    """Whether organisers may still change an update."""
    if update.state == UpdateState.DRAFT:
        return True
    return update.state == UpdateState.POSTED and update.posted_at is not None and now < update.posted_at + EDITABLE_FOR


def post_update(session: Session, update_id: int, *, secret_key: str, actor: Actor, now: dt.datetime) -> int:
    """Put it on the page and mail it to the givers who want news; returns to how many.

    Locks: the initiative, then the update. Raises: InvalidInput for an empty one, InvalidTransition when it is posted.
    """
    initiative_id = _initiative_of(session, update_id)
    initiative = _telling(session, initiative_id)
    update = _lock_update(session, update_id)
    check_move(TRANSITIONS, UpdateState(update.state), UpdateState.POSTED, _("het bericht"))
    if not (update.title and update.body):
        raise InvalidInput(_("Schrijf eerst een titel en een bericht."), fields={"title": _("Vul de titel in.")})
    count = mailing.tell_givers(
        session,
        "update_posted",
        initiative_id,
        event=f"update:{update.id}",
        secret_key=secret_key,
        now=now,
        title=initiative.title,
        update_title=update.title,
        body=update.body,
    )
    update.state, update.posted_at, update.recipient_count = UpdateState.POSTED.value, now, count
    _record(session, "posted", update, actor=actor, now=now, recipients=count)
    session.flush()
    return count


def remove_update(session: Session, update_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """The organisers take it off the page; it stays in the log, with why. A draft needs no reason."""
    update = _lock_update(session, update_id)
    _step(update, UpdateState.REMOVED)
    update.ended_at = now
    if update.posted_at is not None:
        update.reason = _given(reason)
    _record(session, "removed", update, actor=actor, now=now)
    _take_pictures_away(session, update, actor=actor, now=now)


def hide_update(session: Session, update_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> Update:
    """The desk takes it off the page, with a reason and one mail to each organiser."""
    update = _lock_update(session, update_id)
    _step(update, UpdateState.HIDDEN)
    update.ended_at, update.reason = now, _given(reason)
    _record(session, "hidden", update, actor=actor, now=now)
    _take_pictures_away(session, update, actor=actor, now=now)
    title = queries.title_of(session, update.initiative_id)
    mailing.tell_organisers(
        session,
        "update_hidden",
        update.initiative_id,
        event=f"update-hidden:{update.id}",
        now=now,
        title=title,
        update_title=update.title,
        reason=update.reason,
    )
    return update


def _take_pictures_away(session: Session, update: Update, *, actor: Actor, now: dt.datetime) -> None:
    """What is off the page cannot be fetched by its address either."""
    for picture in pictures_of(session, update.initiative_id, purpose=Purpose.UPDATE, update_id=update.id):
        remove_picture(session, picture.id, initiative_id=update.initiative_id, actor=actor, now=now)
    session.flush()


def thank(
    session: Session, initiative_id: int, body: str, *, author_id: int, secret_key: str, actor: Actor, now: dt.datetime
) -> int:
    """Thank all givers, once; returns to how many it was mailed. All others read it on the page.

    Raises: Conflict before there is enough money, or when it was done already; also for the second of two at once.
    """
    initiative = lock(session, initiative_id)
    if initiative.state not in THANKING_STATES:
        raise Conflict(_("Bedanken kan als het bedrag binnen is."))
    if session.get(Thanks, initiative_id) is not None:
        raise Conflict(_("Jullie hebben de gevers al bedankt. Dat kan één keer."))
    count = mailing.tell_givers(
        session,
        "thank_you",
        initiative_id,
        event=f"thanks:{initiative_id}",
        secret_key=secret_key,
        now=now,
        title=initiative.title,
        body=body,
    )
    session.add(
        Thanks(initiative_id=initiative_id, author_id=author_id, body=body, thanked_at=now, recipient_count=count)
    )
    events.record(session, "initiative.givers_thanked", initiative_id, actor=actor, now=now, recipients=count)
    session.flush()
    return count


def stop_news(session: Session, donation_id: int, *, secret_key: str, now: dt.datetime) -> None:
    """Who gave this gets no more news of that initiative, for all gifts from that address. Twice changes nothing.

    What waits to be sent is not sent either.
    """
    ids = queries.gifts_of_same_giver(session, donation_id)
    if ids:
        rows = [{"donation_id": one, "stopped_at": now} for one in ids]
        session.execute(insert(NewsStop).values(rows).on_conflict_do_nothing(index_elements=["donation_id"]))
        urls = [mailing.stop_address(secret_key, one) for one in ids]
        outbox.withdraw(session, OutgoingMail.unsubscribe_url.in_(urls))


def tell_of_funding(session: Session, initiative_id: int, *, secret_key: str, actor: Actor, now: dt.datetime) -> int:
    """Mail organisers and givers that the target is reached, once; returns how many mails that were."""
    initiative = lock(session, initiative_id)
    if initiative.ended_at is None or initiative.state not in THANKING_STATES:
        return 0
    context: dict[str, Any] = {
        "title": initiative.title,
        "target_cents": initiative.target_cents,
        "is_begun": initiative.state != InitiativeState.FUNDED,
    }
    event = f"funded:{initiative_id}"
    organisers = mailing.tell_organisers(
        session, "initiative_funded", initiative_id, event=event, now=now, for_organiser=True, **context
    )
    givers = mailing.tell_givers(
        session,
        "initiative_funded",
        initiative_id,
        event=event,
        secret_key=secret_key,
        now=now,
        for_organiser=False,
        **context,
    )
    told = organisers + givers
    events.record(session, "initiative.funding_told", initiative_id, actor=actor, now=now, recipients=told)
    return told


def _telling(session: Session, initiative_id: int) -> Any:
    initiative = lock(session, initiative_id)
    if initiative.state not in TELLING_STATES:
        raise Conflict(_("Bij dit initiatief kun je nu geen bericht plaatsen."))
    return initiative


def _initiative_of(session: Session, update_id: int) -> int:
    found = session.scalar(select(Update.initiative_id).where(Update.id == update_id))
    if found is None:
        raise NotFound(_("Dit bericht bestaat niet (meer)."))
    return found


def _lock_update(session: Session, update_id: int) -> Update:
    update = session.get(Update, update_id, with_for_update=True, populate_existing=True)
    if update is None:
        raise NotFound(_("Dit bericht bestaat niet (meer)."))
    return update


def _step(update: Update, target: UpdateState) -> None:
    check_move(TRANSITIONS, UpdateState(update.state), target, _("het bericht"))
    update.state = target.value


def _record(session: Session, verb: str, update: Update, *, actor: Actor, now: dt.datetime, **details: int) -> None:
    """Into the log: that it happened and why, never what was written."""
    events.record(
        session,
        f"initiative.update_{verb}",
        update.initiative_id,
        actor=actor,
        now=now,
        reason=update.reason,
        update=update.id,
        **details,
    )


def _given(reason: str) -> str:
    if not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    return reason.strip()
