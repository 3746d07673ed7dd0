# SPDX-License-Identifier: EUPL-1.2
"""Who may do what with an initiative: named predicates over what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from abs_platform.initiatives.states import InitiativeState
from abs_platform.users import User

_S = InitiativeState
EDITABLE_STATES = frozenset({_S.DRAFT, _S.CHANGES_REQUESTED})
# After publishing the text may still be changed; what givers relied on waits for the desk.
CHANGEABLE_STATES = frozenset({_S.PUBLISHED, _S.FUNDED, _S.IN_PROGRESS})
WITHDRAWABLE_STATES = frozenset({_S.DRAFT, _S.SUBMITTED, _S.CHANGES_REQUESTED, _S.PUBLISHED})
SENT_STATES = frozenset(_S) - {_S.DRAFT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the predicates look at. ``organiser_ids`` and ``organiser_emails`` are of who confirmed.

    ``initiator_id`` is the account of the initiator.
    """

    id: int
    title: str
    state: InitiativeState
    desk_area_id: int | None
    is_public: bool
    initiator_id: int | None
    organiser_ids: frozenset[int]
    organiser_emails: frozenset[str]


def is_organiser(user: User, subject: Subject) -> bool:
    """Whether this person carries the initiative."""
    return user.account_id in subject.organiser_ids or user.email in subject.organiser_emails


def is_initiator(user: User, subject: Subject) -> bool:
    """Whether this person began it."""
    return user.account_id == subject.initiator_id


def can_edit(user: User, subject: Subject) -> bool:
    """Organisers write, while it is with them or after it was published."""
    return is_organiser(user, subject) and subject.state in EDITABLE_STATES | CHANGEABLE_STATES


def can_withdraw(user: User, subject: Subject) -> bool:
    """The initiator withdraws it, as long as the money is not there."""
    return is_initiator(user, subject) and subject.state in WITHDRAWABLE_STATES


def can_invite(user: User, subject: Subject) -> bool:
    """The initiator names co-organisers, while it is with them."""
    return is_initiator(user, subject) and subject.state in EDITABLE_STATES


def works_at_desk_of(user: User, subject: Subject) -> bool:
    """Whether it waits at a desk of this person: the own district, the city, or that of an absent colleague (rule 5).

    The coordinator decides city-wide ones only with the city among the own desks, like everybody.
    """
    return user.is_district_manager and subject.desk_area_id in user.desk_area_ids


def can_see_desk(user: User, subject: Subject) -> bool:
    """Staff see what was sent: the wijkregisseur of the desk decides, colleagues and the coordinator may look."""
    return (user.is_district_manager or user.is_coordinator) and subject.state in SENT_STATES


def can_moderate(user: User, subject: Subject) -> bool:
    """The wijkregisseur of that desk decides, and never about an initiative of her own."""
    return works_at_desk_of(user, subject) and subject.state in SENT_STATES and not is_organiser(user, subject)


def can_override(user: User, subject: Subject) -> bool:
    """Only the coordinator sets a rule aside, and never for an initiative of her own (rule 4)."""
    return user.is_coordinator and not is_organiser(user, subject)


def can_hand_over(user: User, subject: Subject) -> bool:
    """The desk it lies at hands it over; the coordinator may move any, but never an initiative of her own."""
    moves_any = user.is_coordinator and subject.state in SENT_STATES and not is_organiser(user, subject)
    return can_moderate(user, subject) or moves_any
