# SPDX-License-Identifier: EUPL-1.2
"""What a flyer prints of an initiative, and nothing that its organisers keep to themselves."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.initiatives.models import Organiser


def public_names(session: Session, initiative_id: int) -> list[str]:
    """The names of confirmed organisers who let their name be shown, the initiator first."""
    query = (
        select(Organiser.name)
        .where(Organiser.initiative_id == initiative_id, Organiser.confirmed_at.is_not(None), Organiser.is_name_public)
        .order_by(Organiser.role.desc(), Organiser.id)
    )
    return list(session.scalars(query))
