# SPDX-License-Identifier: EUPL-1.2
"""Who may ask, answer, report and hide."""

from __future__ import annotations

from abs_platform.initiatives.permissions import Subject, can_moderate, is_organiser
from abs_platform.questions.states import ASKING_STATES
from abs_platform.users import User


def can_ask(user: User, subject: Subject) -> bool:
    """Whoever is signed in, while it goes on; organisers answer."""
    return subject.state in ASKING_STATES and not is_organiser(user, subject)


def can_answer(user: User, subject: Subject) -> bool:
    """The organisers answer, and open and close the questions."""
    return is_organiser(user, subject) and subject.is_public


def can_look_after(user: User, subject: Subject) -> bool:
    """The desk answers officially, hides, settles what was reported and closes; never for one of her own."""
    return can_moderate(user, subject) and subject.is_public
