# SPDX-License-Identifier: EUPL-1.2
"""Who may tell the givers something, and who may take that off the page."""

from __future__ import annotations

from abs_platform.initiatives.permissions import Subject, can_moderate, is_organiser
from abs_platform.users import User


def can_tell(user: User, subject: Subject) -> bool:
    """The organisers tell how it goes, once it is public. Which states allow what, the verbs say."""
    return is_organiser(user, subject) and subject.is_public


def can_hide(user: User, subject: Subject) -> bool:
    """The desk hides what does not belong there, and never that of an initiative of her own."""
    return can_moderate(user, subject) and subject.is_public
