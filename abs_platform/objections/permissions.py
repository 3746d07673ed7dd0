# SPDX-License-Identifier: EUPL-1.2
"""Who may see objections to gifts of an initiative, and who decides about them."""

from __future__ import annotations

from abs_platform.initiatives.permissions import Subject, can_moderate, can_see_desk, is_organiser
from abs_platform.users import User


def can_look(user: User, subject: Subject) -> bool:
    """Staff see how a gift came in; never whose voucher it was, and never of an own initiative."""
    return can_see_desk(user, subject) and not is_organiser(user, subject)


def can_decide(user: User, subject: Subject) -> bool:
    """The wijkregisseur of its desk, and never about an own initiative."""
    return can_moderate(user, subject) and not is_organiser(user, subject)
