# SPDX-License-Identifier: EUPL-1.2
"""What permissions look at: an initiative with its organisers, in one query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, bindparam, case, func, select
from sqlalchemy.orm import Session

from abs_platform.errors import NotAllowed, NotFound
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.permissions import Subject
from abs_platform.initiatives.states import InitiativeState, OrganiserRole
from abs_platform.users import User

_INITIATOR = case((Organiser.role == OrganiserRole.INITIATOR.value, Organiser.account_id))
_SUBJECT: Select[Any] = (
    select(
        Initiative.id,
        Initiative.title,
        Initiative.state,
        Initiative.desk_area_id,
        Initiative.published_at,
        func.max(_INITIATOR),
        func.array_remove(func.array_agg(Organiser.account_id), None),
        func.array_remove(func.array_agg(Organiser.email), None),
    )
    .outerjoin(Organiser, (Organiser.initiative_id == Initiative.id) & Organiser.confirmed_at.is_not(None))
    .where(Initiative.id == bindparam("initiative_id"))
    .group_by(Initiative.id)
)


def find_subject(session: Session, initiative_id: int) -> Subject | None:
    """An initiative as permissions see it, whatever its state, or None."""
    if not 0 < initiative_id < 2**63:
        return None
    row = session.execute(_SUBJECT, {"initiative_id": initiative_id}).first()
    if row is None:
        return None
    id_, title, state, desk_area_id, published_at, initiator_id, account_ids, emails = row
    return Subject(
        id=id_,
        title=title,
        state=InitiativeState(state),
        desk_area_id=desk_area_id,
        is_public=published_at is not None,
        initiator_id=initiator_id,
        organiser_ids=frozenset(account_ids),
        organiser_emails=frozenset(emails),
    )


def subject_of(session: Session, initiative_id: int) -> Subject:
    """An initiative as permissions see it. Raises: NotFound."""
    found = find_subject(session, initiative_id)
    if found is None:
        raise NotFound(_("Dit initiatief bestaat niet (meer)."))
    return found


def subject_for(session: Session, initiative_id: int, user: User, may: Callable[[User, Subject], bool]) -> Subject:
    """An initiative with which this person may do something.

    Raises: NotFound; NotAllowed for staff, while residents are not told that it is there.
    """
    subject = subject_of(session, initiative_id)
    if may(user, subject):
        return subject
    if user.is_staff:
        raise NotAllowed(_("Dit initiatief is niet van jouw balie, of je organiseert het zelf."))
    raise NotFound(_("Dit initiatief bestaat niet (meer), of het is niet van jou."))
