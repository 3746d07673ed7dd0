# SPDX-License-Identifier: EUPL-1.2
"""Who may write an accountability, see its receipts, and approve it: never the same person."""

from __future__ import annotations

from abs_platform.initiatives.permissions import Subject, can_moderate, is_organiser, works_at_desk_of
from abs_platform.initiatives.states import InitiativeState
from abs_platform.users import User

_ACCOUNTABLE = frozenset({InitiativeState.IN_PROGRESS, InitiativeState.REALISED})


def can_begin(user: User, subject: Subject) -> bool:
    """Any organiser says that they begin, once the money is there."""
    return is_organiser(user, subject) and subject.state == InitiativeState.FUNDED


def can_account(user: User, subject: Subject) -> bool:
    """The organisers tell how it went, from the moment they began."""
    return is_organiser(user, subject) and subject.state in _ACCOUNTABLE


def can_review(user: User, subject: Subject) -> bool:
    """The wijkregisseur of its desk looks at it, and never at that of an initiative of her own."""
    return can_moderate(user, subject) and subject.state in _ACCOUNTABLE


def can_see_receipts(user: User, subject: Subject) -> bool:
    """Receipts have names and account numbers on them: besides the organisers for its desk and for finance."""
    return works_at_desk_of(user, subject) or user.is_finance
