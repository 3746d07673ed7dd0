# SPDX-License-Identifier: EUPL-1.2
"""Who may enter codes from paper, look after collection boxes, and decide about a batch that waits."""

from __future__ import annotations

from abs_platform.initiatives.permissions import Subject, can_moderate, can_see_desk, is_organiser
from abs_platform.users import User


def can_enter(user: User, subject: Subject) -> bool:
    """Its confirmed organisers, once it is public. Whether it collects now, the verbs say."""
    return is_organiser(user, subject) and subject.is_public


def can_look(user: User, subject: Subject) -> bool:
    """Staff see how codes were entered; never who stands behind a code."""
    return can_see_desk(user, subject) and not is_organiser(user, subject)


def can_decide(user: User, subject: Subject) -> bool:
    """The wijkregisseur of its desk releases or refuses a large batch, and never one of her own initiative."""
    return can_moderate(user, subject)
