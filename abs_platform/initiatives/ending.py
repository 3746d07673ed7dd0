# SPDX-License-Identifier: EUPL-1.2
"""An initiative ends without its money: who carried it, and the desk where it lay, hear it from us."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from abs_platform import outbox
from abs_platform.accounts.queries import district_managers
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.donations.queries import total_of
from abs_platform.initiatives import service
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import OrganiserRole


def expire_and_tell(session: Session, initiative_id: int, *, actor: Actor, now: dt.datetime) -> bool:
    """End an initiative whose deadline passed without its target, and mail its organisers; whether it did (rule 7).

    Locks as service.expire_if_due. Its gifts go back with close_initiatives.
    """
    if not service.expire_if_due(session, initiative_id, actor=actor, now=now):
        return False
    initiative = session.get_one(Initiative, initiative_id)
    total = total_of(session, initiative_id)
    for person in session.scalars(_confirmed(initiative_id)):
        outbox.queue(
            session,
            "initiative_expired",
            to=person.email,
            event=f"initiative.expired:{initiative_id}",
            now=now,
            to_name=person.name,
            title=initiative.title,
            initiative_id=initiative_id,
            raised_cents=total.cents,
            target_cents=initiative.target_cents,
        )
    return True


def _confirmed(initiative_id: int) -> Select[Organiser]:
    carries = (Organiser.initiative_id == initiative_id, Organiser.confirmed_at.is_not(None))
    return select(Organiser).where(*carries).order_by(Organiser.id)


def withdraw_and_tell(session: Session, initiative_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Withdraw an initiative, and mail its co-organisers and the desk that had it.

    Locks and raises as service.withdraw. Its gifts go back with close_initiatives (rule 7).
    """
    service.withdraw(session, initiative_id, reason=reason, actor=actor, now=now)
    initiative = session.get_one(Initiative, initiative_id)
    co_organisers = _confirmed(initiative_id).where(Organiser.role == OrganiserRole.CO_ORGANISER.value)
    people = [(person.email, person.name) for person in session.scalars(co_organisers)]
    if initiative.submitted_at is not None and initiative.desk_area_id is not None:
        desk = district_managers(session, initiative.desk_area_id, local_date(now))
        people += [(email, name) for _account_id, email, name in desk]
    for email, name in people:
        outbox.queue(
            session,
            "initiative_withdrawn",
            to=email,
            event=f"initiative.withdrawn:{initiative_id}",
            now=now,
            to_name=name,
            title=initiative.title,
            reason=reason,
            has_gifts=initiative.published_at is not None,
        )
