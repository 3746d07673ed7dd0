# SPDX-License-Identifier: EUPL-1.2
"""The initiator withdraws: who carried it along, and the desk where it lay, hear it from us."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import outbox
from abs_platform.accounts.queries import district_managers
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.initiatives import service
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import OrganiserRole


def withdraw_and_tell(session: Session, initiative_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Withdraw an initiative, and mail its co-organisers and the desk that had it.

    Locks and raises as service.withdraw. Its gifts go back with close_initiatives (rule 7).
    """
    service.withdraw(session, initiative_id, reason=reason, actor=actor, now=now)
    initiative = session.get_one(Initiative, initiative_id)
    co_organisers = select(Organiser.email, Organiser.name).where(
        Organiser.initiative_id == initiative_id,
        Organiser.role == OrganiserRole.CO_ORGANISER.value,
        Organiser.confirmed_at.is_not(None),
    )
    people = [(row.email, row.name) for row in session.execute(co_organisers.order_by(Organiser.id))]
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
