# SPDX-License-Identifier: EUPL-1.2
"""Who may open the page from which an initiative is carried."""

from __future__ import annotations

from abs_platform.initiatives.permissions import Subject, is_organiser
from abs_platform.users import User


def can_open_home(user: User, subject: Subject) -> bool:
    """Every organiser, whatever the state."""
    return is_organiser(user, subject)


def can_see_income(user: User, subject: Subject) -> bool:
    """Every organiser, once it may receive something."""
    return is_organiser(user, subject) and subject.is_public
