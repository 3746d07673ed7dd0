# SPDX-License-Identifier: EUPL-1.2
"""The verbs of the desk that checks an accountability: returned with what is missing, or approved and so realised."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform import events, outbox
from abs_platform.accountability.models import Accountability
from abs_platform.accountability.states import TRANSITIONS, AccountabilityState
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.initiatives.service import lock, realise
from abs_platform.lives import check_move
from abs_platform.updates.mailing import tell_givers, tell_organisers


def send_back(
    session: Session, initiative_id: int, remark: str, *, seen: str, by_id: int, actor: Actor, now: dt.datetime
) -> None:
    """The desk returns it with what is missing; the organisers get one mail. ``seen`` is which sending it looked at.

    Raises: InvalidInput without a remark, InvalidTransition when it was decided meanwhile.
    """
    initiative, found = _decided(session, initiative_id, AccountabilityState.RETURNED, seen=seen, by_id=by_id, now=now)
    if not remark.strip():
        raise InvalidInput(_("Schrijf op wat er mist."), fields={"remark": _("Schrijf op wat er mist.")})
    found.remark = remark.strip()
    events.record(
        session, "initiative.accountability_returned", initiative_id, actor=actor, now=now, reason=remark.strip()
    )
    session.flush()
    tell_organisers(
        session,
        "accountability_returned",
        initiative_id,
        event=f"accountability-returned:{initiative_id}:{now:%Y%m%d%H%M%S}",
        now=now,
        title=initiative.title,
        remark=remark.strip(),
        edit_url=outbox.site_url("accountability.overview", initiative_id=initiative_id),
    )


def approve(
    session: Session, initiative_id: int, *, seen: str, by_id: int, secret_key: str, actor: Actor, now: dt.datetime
) -> None:
    """The desk agrees: it is realised, and everybody who asked for news hears it.

    Locks: the initiative, then the accountability. Raises: InvalidTransition when it was decided meanwhile.
    """
    initiative, _found = _decided(session, initiative_id, AccountabilityState.APPROVED, seen=seen, by_id=by_id, now=now)
    realise(session, initiative_id, actor=actor, now=now)
    events.record(session, "initiative.accountability_approved", initiative_id, actor=actor, now=now)
    session.flush()
    title, event = initiative.title, f"realised:{initiative_id}"
    tell_organisers(
        session, "initiative_realised", initiative_id, event=event, now=now, title=title, for_organiser=True
    )
    tell_givers(
        session,
        "initiative_realised",
        initiative_id,
        event=event,
        secret_key=secret_key,
        now=now,
        title=title,
        for_organiser=False,
    )


def _decided(
    session: Session, initiative_id: int, target: AccountabilityState, *, seen: str, by_id: int, now: dt.datetime
) -> tuple[Any, Accountability]:
    initiative = lock(session, initiative_id)
    found = session.get(Accountability, initiative_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("Er is geen verantwoording."))
    if found.submitted_at is None or found.submitted_at.isoformat() != seen:
        raise Conflict(
            _("De organisatoren hebben de verantwoording intussen opnieuw ingediend. Kijk er nog een keer naar.")
        )
    check_move(TRANSITIONS, AccountabilityState(found.state), target, _("de verantwoording"))
    found.state = target.value
    found.decided_at, found.decided_by_id = now, by_id
    return initiative, found
