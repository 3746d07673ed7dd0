# SPDX-License-Identifier: EUPL-1.2
"""The verbs of an initiative's life once it was sent; each checks the table of moves and writes an event."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.database import on_violation
from abs_platform.donations.queries import total_of
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.initiatives.models import Initiative, RuleOverride
from abs_platform.initiatives.queries import has_reached_target
from abs_platform.initiatives.states import TRANSITIONS, InitiativeState, OverridableRule
from abs_platform.lives import check_move

on_violation(
    "uq_rule_overrides_initiative_id_rule", lambda: Conflict(_("Voor deze regel is al een uitzondering gemaakt."))
)


def request_changes(session: Session, initiative_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Ask the organisers to change something, with what and why."""
    move(session, lock(session, initiative_id), InitiativeState.CHANGES_REQUESTED, actor=actor, now=now, reason=reason)


def publish(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """Let an initiative collect. Raises: Conflict when its deadline has passed meanwhile."""
    initiative = lock(session, initiative_id)
    if initiative.deadline_on <= local_date(now):
        raise Conflict(_("De streefdatum is al voorbij. Vraag de initiatiefnemer om een nieuwe."))
    initiative.published_at = now
    move(session, initiative, InitiativeState.PUBLISHED, actor=actor, now=now)


def reject(session: Session, initiative_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Say no, with a reason."""
    _end(session, initiative_id, InitiativeState.REJECTED, reason=reason, actor=actor, now=now)


def stop(session: Session, initiative_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """The wijkregisseur stops what goes wrong. Its gifts go back with close_initiatives (rule 7)."""
    _end(session, initiative_id, InitiativeState.STOPPED, reason=reason, actor=actor, now=now)


def withdraw(session: Session, initiative_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """The organisers withdraw. Its gifts go back with close_initiatives (rule 7)."""
    _end(session, initiative_id, InitiativeState.WITHDRAWN, reason=reason, actor=actor, now=now)


def start(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """The residents start carrying it out."""
    move(session, lock(session, initiative_id), InitiativeState.IN_PROGRESS, actor=actor, now=now)


def realise(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> None:
    """It is done."""
    move(session, lock(session, initiative_id), InitiativeState.REALISED, actor=actor, now=now)


def close_if_funded(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> bool:
    """Fund an initiative whose confirmed donations reach its target (rule 6); says whether it did.

    Called in a transaction of its own right after a gift's: two givers who each turn their share lock into an exclusive
    one would wait for each other for ever. A look without a lock comes first, so that most gifts never wait here.

    Locks: the initiative (exclusive), which waits for the gifts that are under way.
    """
    if not has_reached_target(session, initiative_id):
        return False
    initiative = lock(session, initiative_id)
    # Asked again under the lock: a refund in the provider's own screen may have taken a gift away meanwhile.
    if initiative.state != InitiativeState.PUBLISHED or not has_reached_target(session, initiative_id):
        return False
    move(session, initiative, InitiativeState.FUNDED, actor=actor, now=now)
    initiative.ended_at = now
    return True


def expire_if_due(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> bool:
    """End an initiative whose deadline passed without its target (rule 7); says whether it did."""
    initiative = lock(session, initiative_id)
    is_due = initiative.state == InitiativeState.PUBLISHED and initiative.deadline_on < local_date(now)
    if not is_due or total_of(session, initiative_id).cents >= initiative.target_cents:
        return False
    move(session, initiative, InitiativeState.EXPIRED, actor=actor, now=now)
    initiative.ended_at = now
    return True


def _end(
    session: Session, initiative_id: int, target: InitiativeState, *, reason: str, actor: Actor, now: dt.datetime
) -> None:
    initiative = lock(session, initiative_id)
    move(session, initiative, target, actor=actor, now=now, reason=reason)
    initiative.ended_at = now


def move(
    session: Session,
    initiative: Initiative,
    target: InitiativeState,
    *,
    actor: Actor,
    now: dt.datetime,
    reason: str | None = None,
) -> None:
    """Take one step of the life, and write it down. Raises: InvalidTransition, InvalidInput for an empty reason."""
    check_move(TRANSITIONS, InitiativeState(initiative.state), target, f"initiatief '{initiative.title}'")
    if reason is not None and not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    initiative.state = target.value
    events.record(session, f"initiative.{target.value}", initiative.id, actor=actor, now=now, reason=reason)
    session.flush()


def set_rule_aside(
    session: Session,
    initiative_id: int,
    rule: OverridableRule,
    *,
    reason: str,
    given_by_id: int,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """The coordinator sets a rule aside for one initiative, and says why (rule 4). Raises: Conflict, InvalidInput."""
    if not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    session.add(
        RuleOverride(
            initiative_id=initiative_id,
            rule=rule.value,
            reason=reason.strip(),
            given_by_id=given_by_id,
            given_at=now,
        )
    )
    events.record(
        session,
        "initiative.rule_set_aside",
        initiative_id,
        actor=actor,
        now=now,
        reason=reason.strip(),
        rule=rule.value,
    )
    session.flush()


def lock(session: Session, initiative_id: int) -> Initiative:
    """The initiative as it is now, for this transaction alone. Raises: NotFound."""
    initiative = session.scalar(
        select(Initiative)
        .where(Initiative.id == initiative_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if initiative is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer)."))
    return initiative
