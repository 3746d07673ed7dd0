# SPDX-License-Identifier: EUPL-1.2
"""Changes after publishing: small ones are live at once, what givers relied on waits for the desk."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.initiatives.content import (
    OF_COLLECTING,
    RELIED_ON,
    Content,
    apply,
    content_of,
    keep_revision,
    pictures_in,
    working_copy,
)
from abs_platform.initiatives.models import Initiative, Proposal
from abs_platform.initiatives.permissions import CHANGEABLE_STATES, EDITABLE_STATES
from abs_platform.initiatives.service import lock
from abs_platform.initiatives.states import InitiativeState, RevisionKind
from abs_platform.initiatives.submitting import problems_of_content
from abs_platform.municipality import Rules

# Of these the rules were met when it was sent; they say nothing of a change that is made later.
_NOT_ASKED_AGAIN = {"organisers", "own_address"}
CHANGE_EVENTS = frozenset(f"initiative.change_{verb}" for verb in ("sent", "approved", "refused", "withdrawn"))


def send_change(
    session: Session,
    initiative: Initiative,
    proposal: Proposal,
    *,
    rules: Rules,
    account_id: int | None,
    actor: Actor,
    now: dt.datetime,
) -> bool:
    """Put the small changes live and offer the rest to the desk; whether something waits there now.

    The caller has locked the initiative. Raises: InvalidInput for what cannot be published.
    """
    live = content_of(session, initiative)
    altered = {name for name in live if live[name] != proposal.content[name]}
    _refuse_bad_change(session, initiative, live, proposal.content, rules=rules, today=local_date(now))
    small = altered - RELIED_ON
    if small:
        shown = live | {name: proposal.content[name] for name in small}
        apply(session, initiative, shown, small)
        keep_revision(session, initiative.id, RevisionKind.EDITED, content=shown, account_id=account_id, now=now)
        events.record(session, "initiative.edited", initiative.id, actor=actor, now=now, fields=sorted(small))
    large = altered & RELIED_ON
    if large and proposal.sent_at is None:
        proposal.sent_at = now
        session.add(proposal)
        events.record(session, "initiative.change_sent", initiative.id, actor=actor, now=now, fields=sorted(large))
    session.flush()
    return bool(large)


def _refuse_bad_change(
    session: Session, initiative: Initiative, live: Content, content: Content, *, rules: Rules, today: dt.date
) -> None:
    altered = {name for name in live if live[name] != content[name]}
    if altered & OF_COLLECTING and initiative.state != InitiativeState.PUBLISHED:
        raise InvalidInput(_money_is_in(), fields={"target": _money_is_in()})
    if not altered:
        return
    before = problems_of_content(session, initiative.id, live, rules, today)
    after = problems_of_content(session, initiative.id, content, rules, today)
    new = {name: text for name, text in after.items() if before.get(name) != text and name not in _NOT_ASKED_AGAIN}
    if new:
        raise InvalidInput(_("Zo kan je wijziging niet online."), fields=new)


def _money_is_in() -> str:
    return str(_("Het geld is al binnen. Het bedrag, de begroting en de streefdatum staan daarom vast."))


def approve_change(
    session: Session, initiative_id: int, *, rules: Rules, actor: Actor, now: dt.datetime, version: int | None = None
) -> None:
    """The desk agrees to the change that waits: it is live from now on. With ``version`` only what it looked at.

    Raises: Conflict when nothing waits (any more), InvalidInput when it cannot be published any more.
    Locks: the initiative.
    """
    initiative, proposal = _waiting(session, initiative_id, version)
    live = content_of(session, initiative)
    large = {name for name in RELIED_ON if live[name] != proposal.content[name]}
    shown = live | {name: proposal.content[name] for name in large}
    _refuse_bad_change(session, initiative, live, shown, rules=rules, today=local_date(now))
    apply(session, initiative, shown, large)
    proposal.sent_at = None
    account_id = proposal.saved_by_id
    keep_revision(session, initiative_id, RevisionKind.APPROVED, content=shown, account_id=account_id, now=now)
    events.record(session, "initiative.change_approved", initiative_id, actor=actor, now=now, fields=sorted(large))
    session.flush()


def refuse_change(
    session: Session, initiative_id: int, *, reason: str, actor: Actor, now: dt.datetime, version: int | None = None
) -> None:
    """The desk does not agree, and says why. The organisers keep what they wrote. Raises: Conflict, InvalidInput."""
    _initiative, proposal = _waiting(session, initiative_id, version)
    if not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    proposal.sent_at = None
    events.record(session, "initiative.change_refused", initiative_id, actor=actor, now=now, reason=reason.strip())
    session.flush()


def withdraw_change(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """The organisers take back the change that waits: everything stays as it is. Raises: Conflict when none waits."""
    initiative, proposal = _waiting(session, initiative_id, None)
    _put_back(session, initiative, proposal, now)
    events.record(session, "initiative.change_withdrawn", initiative_id, actor=actor, now=now)
    session.flush()


def discard_change(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Forget what was written after publishing and does not wait: it was never sent, or the desk did not agree.

    Raises: Conflict when it waits for the desk.
    """
    initiative = lock(session, initiative_id)
    proposal = working_copy(session, initiative_id)
    if initiative.state not in CHANGEABLE_STATES or proposal.sent_at is not None:
        raise Conflict(_("Dit kan nu niet. Laad de pagina opnieuw."))
    _put_back(session, initiative, proposal, now)
    latest = events.latest_of(session, "initiative", initiative_id, CHANGE_EVENTS)
    if latest is not None and latest.kind == "initiative.change_refused":
        events.record(session, "initiative.change_withdrawn", initiative_id, actor=actor, now=now)
    session.flush()


def _put_back(session: Session, initiative: Initiative, proposal: Proposal, now: dt.datetime) -> None:
    live = content_of(session, initiative)
    altered = [name for name in live if live[name] != proposal.content[name]]
    proposal.content, proposal.sent_at, proposal.saved_at = live, None, now
    proposal.version += 1
    proposal.changed_in = proposal.changed_in | dict.fromkeys(altered, proposal.version)
    session.add(proposal)


def refuse_when_not_theirs(initiative: Initiative) -> None:
    """Raises: Conflict when the organisers cannot write now: it lies at the desk, or it has ended."""
    if initiative.state not in EDITABLE_STATES | CHANGEABLE_STATES:
        state = InitiativeState(initiative.state).label
        raise Conflict(_("Dit initiatief is nu niet aan te passen: het is '%(state)s'.", state=state))


def note_pictures(
    session: Session, initiative_id: int, *, account_id: int | None, actor: Actor, now: dt.datetime
) -> None:
    """Write down that the pictures changed, which is live at once. Call it beside every verb of pictures.

    Locks: the initiative. Raises: Conflict when the organisers cannot write now.
    """
    initiative = lock(session, initiative_id)
    refuse_when_not_theirs(initiative)
    proposal = session.get(Proposal, initiative_id, populate_existing=True)
    if proposal is not None:
        proposal.content = proposal.content | {"pictures": pictures_in(session, initiative_id)}
        proposal.saved_at, proposal.saved_by_id = now, account_id
    if initiative.state in CHANGEABLE_STATES:
        shown = content_of(session, initiative)
        keep_revision(session, initiative_id, RevisionKind.EDITED, content=shown, account_id=account_id, now=now)
        events.record(session, "initiative.edited", initiative_id, actor=actor, now=now, fields=["pictures"])
    session.flush()


def _waiting(session: Session, initiative_id: int, version: int | None) -> tuple[Initiative, Proposal]:
    initiative = lock(session, initiative_id)
    proposal = working_copy(session, initiative_id)
    if proposal.sent_at is None or initiative.state not in CHANGEABLE_STATES:
        raise Conflict(_("Er wacht geen wijziging (meer). Laad de pagina opnieuw."))
    if version is not None and version != proposal.version:
        raise Conflict(_("De wijziging is intussen veranderd. Laad de pagina opnieuw en kijk nog een keer."))
    return initiative, proposal
