# SPDX-License-Identifier: EUPL-1.2
"""Who may offer help, and who may answer."""

from __future__ import annotations

from abs_platform.help_offers.states import HELPING_STATES
from abs_platform.initiatives.permissions import Subject, is_organiser
from abs_platform.users import User


def can_offer(user: User, subject: Subject) -> bool:
    """Whoever is signed in and does not organise it, while there is something to help with."""
    return subject.state in HELPING_STATES and not is_organiser(user, subject)


def can_answer(user: User, subject: Subject) -> bool:
    """The organisers accept or thank; nobody else sees who offered."""
    return is_organiser(user, subject) and subject.is_public
