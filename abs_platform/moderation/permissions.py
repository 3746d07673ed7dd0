# SPDX-License-Identifier: EUPL-1.2
"""Who may do what at a desk: named predicates beside those of the initiative itself."""

from __future__ import annotations

from abs_platform.initiatives.permissions import (
    SENT_STATES,
    Subject,
    can_hand_over,
    can_moderate,
    can_override,
    can_see_desk,
    is_organiser,
    works_at_desk_of,
)
from abs_platform.moderation.states import DECIDABLE, LIVING_STATES, OVERRIDABLE_STATES, DecisionKind
from abs_platform.users import User


def can_open(user: User, subject: Subject) -> bool:
    """Staff look at what was sent, but never behind the scenes of an initiative of their own."""
    return can_see_desk(user, subject) and not is_organiser(user, subject)


def can_decide(user: User, subject: Subject, kind: DecisionKind) -> bool:
    """The desk decides what its state allows; the coordinator may hand over."""
    if subject.state not in DECIDABLE[kind]:
        return False
    return can_hand_over(user, subject) if kind == DecisionKind.HAND_OVER else can_moderate(user, subject)


def can_take_up(user: User, subject: Subject) -> bool:
    """Whoever works at its desk takes it up, as long as it asks something of a desk."""
    return can_moderate(user, subject) and subject.state in LIVING_STATES


def can_tick(user: User, subject: Subject) -> bool:
    """The checklist is of who decides."""
    return can_moderate(user, subject) and subject.state in LIVING_STATES


def can_write_to_organisers(user: User, subject: Subject) -> bool:
    """Only its own desk speaks for the municipality."""
    return can_moderate(user, subject)


def can_note(user: User, subject: Subject) -> bool:
    """Whoever may look may leave a note for colleagues."""
    return can_open(user, subject)


def can_see_draft(user: User, subject: Subject, author_id: int, desk_area_id: int) -> bool:
    """A draft decision is for its writer, and for who works at the desk where it was written while it lies there."""
    if not can_open(user, subject):
        return False
    is_at_that_desk = works_at_desk_of(user, subject) and subject.desk_area_id == desk_area_id
    return is_at_that_desk or user.account_id == author_id


def can_set_rule_aside(user: User, subject: Subject) -> bool:
    """The coordinator sets a rule aside until the initiative is published (rule 4)."""
    return can_override(user, subject) and subject.state in OVERRIDABLE_STATES


def can_converse(user: User, subject: Subject) -> bool:
    """Organisers talk with the desk once they have sent their initiative."""
    return is_organiser(user, subject) and subject.state in SENT_STATES and subject.desk_area_id is not None
