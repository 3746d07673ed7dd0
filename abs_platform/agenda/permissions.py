# SPDX-License-Identifier: EUPL-1.2
"""Who may put something on the agenda, and who may take it off."""

from __future__ import annotations

from abs_platform.agenda.states import SHOWN_WITH
from abs_platform.initiatives.permissions import Subject, is_organiser
from abs_platform.users import User


def can_plan(user: User, subject: Subject) -> bool:
    """The organisers plan the activities of their initiative, while it goes on."""
    return is_organiser(user, subject) and subject.is_public and subject.state in SHOWN_WITH


def can_take_off(user: User, subject: Subject) -> bool:
    """The desk of an initiative takes its activities off, and so does the coordinator; never of an own initiative."""
    at_its_desk = user.is_district_manager and subject.desk_area_id in user.desk_area_ids
    return (at_its_desk or user.is_coordinator) and not is_organiser(user, subject)
