# SPDX-License-Identifier: EUPL-1.2
"""Who may take which step with a payout: never one person twice, and never an organiser of that initiative (rule 8)."""

from __future__ import annotations

from dataclasses import dataclass

from abs_platform.initiatives.permissions import Subject, can_moderate, is_initiator, is_organiser
from abs_platform.initiatives.states import InitiativeState
from abs_platform.payouts.states import PayoutState
from abs_platform.users import User

_I, _P = InitiativeState, PayoutState
# Where money may still go to the bank account of an initiative. Also when it was realised: a payout may come back then.
PAYABLE_STATES = frozenset({_I.FUNDED, _I.IN_PROGRESS, _I.REALISED})
# Where there may be a payout to look at.
TOLD_STATES = PAYABLE_STATES | {_I.STOPPED}
# With the initiator, or not yet at the bank: the bank details may change, or all of it may be taken back.
OPEN_STATES = frozenset({_P.REQUESTED, _P.INCOMPLETE, _P.CONFIRMED, _P.APPROVED})
_AT_FINANCE = frozenset({_P.CONFIRMED, _P.APPROVED})
_AT_THE_BANK = frozenset({_P.EXPORTED, _P.PAID})


@dataclass(frozen=True, slots=True)
class Hands:
    """Where a payout is, and through whose hands it went."""

    state: PayoutState
    requested_by_id: int
    confirmed_by_id: int | None = None


def can_see_own(user: User, subject: Subject) -> bool:
    """Every organiser sees where the money is."""
    return is_organiser(user, subject) and subject.state in TOLD_STATES


def can_request(user: User, subject: Subject) -> bool:
    """Only the initiator asks for the money, and only with a bank account to her name or that of the group."""
    return is_initiator(user, subject) and is_organiser(user, subject) and subject.state in PAYABLE_STATES


def can_change(user: User, subject: Subject, hands: Hands) -> bool:
    """The initiator corrects the bank details or takes it back, until it is on its way to the bank."""
    return can_request(user, subject) and hands.state in OPEN_STATES


def can_see_at_desk(user: User, subject: Subject) -> bool:
    """The wijkregisseur of its desk, and never of an initiative of her own."""
    return can_moderate(user, subject) and subject.state in TOLD_STATES


def can_confirm(user: User, subject: Subject, hands: Hands) -> bool:
    """That desk confirms, returns or refuses what was requested; whoever requested it never does."""
    is_at_desk = can_see_at_desk(user, subject) and subject.state in PAYABLE_STATES
    return is_at_desk and hands.state == _P.REQUESTED and user.account_id != hands.requested_by_id


def can_see_as_finance(user: User, subject: Subject) -> bool:
    """Finance sees all payouts, but never behind the scenes of an initiative of their own."""
    return user.is_finance and not is_organiser(user, subject)


def can_handle(user: User, subject: Subject, hands: Hands) -> bool:
    """Finance returns or refuses what was confirmed or approved, unless this person requested or confirmed it."""
    is_another = user.account_id not in {hands.requested_by_id, hands.confirmed_by_id}
    return can_see_as_finance(user, subject) and is_another and hands.state in _AT_FINANCE


def can_approve(user: User, subject: Subject, hands: Hands) -> bool:
    """Finance approves what another confirmed."""
    return can_handle(user, subject, hands) and hands.state == _P.CONFIRMED and subject.state in PAYABLE_STATES


def can_settle_by_hand(user: User, subject: Subject, hands: Hands) -> bool:
    """Finance books by hand what the bank did, for what is at the bank."""
    is_another = user.account_id not in {hands.requested_by_id, hands.confirmed_by_id}
    return can_see_as_finance(user, subject) and is_another and hands.state in _AT_THE_BANK


def can_book_return(user: User, subject: Subject) -> bool:
    """Finance books what an initiative paid back, but never of an initiative of their own."""
    return can_see_as_finance(user, subject) and subject.is_public
