# SPDX-License-Identifier: EUPL-1.2
"""Where residents of a district get help: the coordinator says so, and the event log keeps what was and what is."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import asdict, astuple, dataclass

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.areas.models import Area, HelpPoint
from abs_platform.areas.states import AreaLevel
from abs_platform.errors import Conflict, NotFound

MAX_NAME = 60
MAX_ADDRESS = 100
MAX_HOURS = 160
MAX_PHONE = 20
NOTHING_YET = ""


@dataclass(frozen=True, slots=True)
class HelpPointInput:
    """A help point as the coordinator writes it; letters print these lines."""

    name: str
    address: str
    opening_hours: str
    phone: str


def input_of(point: HelpPoint) -> HelpPointInput:
    """A help point as the coordinator would write it."""
    return HelpPointInput(point.name, point.address, point.opening_hours, point.phone)


def seal_of(point: HelpPoint | None) -> str:
    """What a page carries, to tell later whether somebody else changed the help point meanwhile."""
    if point is None:
        return NOTHING_YET
    said = "\0".join(astuple(input_of(point)))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def set_help_point(
    session: Session, district_id: int, new: HelpPointInput, *, seen: str, actor: Actor, now: dt.datetime
) -> None:
    """Say where the residents of a district get help. Saving what is there already changes nothing.

    Locks: the district. Raises: NotFound; Conflict when somebody changed it since ``seen``.
    """
    point = _locked(session, district_id, seen)
    before = None if point is None else asdict(input_of(point))
    after = asdict(new)
    if before == after:
        return
    if point is None:
        session.add(HelpPoint(district_id=district_id, **after))
    else:
        for name, value in after.items():
            setattr(point, name, value)
    session.flush()
    events.record(session, "help_point.changed", district_id, actor=actor, now=now, before=before, after=after)


def remove_help_point(session: Session, district_id: int, *, seen: str, actor: Actor, now: dt.datetime) -> None:
    """Say that a district has no help point any more. Locks: the district. Raises: NotFound, Conflict."""
    point = _locked(session, district_id, seen)
    if point is None:
        return
    before = asdict(input_of(point))
    session.delete(point)
    session.flush()
    events.record(session, "help_point.removed", district_id, actor=actor, now=now, before=before)


def _locked(session: Session, district_id: int, seen: str) -> HelpPoint | None:
    """The help point as it is now, if it is still what the reader saw; the district is locked first."""
    district = session.scalar(select(Area).where(Area.id == district_id).with_for_update(key_share=True))
    if district is None or district.level != AreaLevel.DISTRICT or not district.is_current:
        raise NotFound(_("Deze wijk bestaat niet (meer). Ga terug naar het overzicht."))
    point = session.scalar(
        select(HelpPoint).where(HelpPoint.district_id == district_id).execution_options(populate_existing=True)
    )
    if seal_of(point) != seen:
        raise Conflict(_("Iemand anders heeft dit net ook veranderd. Vergelijk het en sla daarna opnieuw op."))
    return point
