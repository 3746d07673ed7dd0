# SPDX-License-Identifier: EUPL-1.2
"""Reads of offers of help. Contact details are for the organisers alone, and only while an offer lives."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from abs_platform.accounts.models import Account
from abs_platform.help_offers.models import HelpOffer
from abs_platform.help_offers.states import LIVING_STATES, OfferState
from abs_platform.initiatives.models import Initiative, InitiativeNeed
from abs_platform.initiatives.states import InitiativeState, NeedKind

_LIVING = [state.value for state in LIVING_STATES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What an initiative asks for besides money, and how many offered it."""

    id: int
    initiative_id: int
    title: str
    state: InitiativeState
    kind: NeedKind
    description: str
    offers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer as its organisers or its offerer see it. ``email`` is empty once it is over."""

    id: int
    initiative_id: int
    title: str
    kind: NeedKind
    need: str
    note: str
    state: OfferState
    offered_at: dt.datetime
    account_id: int
    name: str
    email: str


_COUNT = (
    select(func.count())
    .select_from(HelpOffer)
    .where(
        HelpOffer.initiative_id == InitiativeNeed.initiative_id,
        HelpOffer.kind == InitiativeNeed.kind,
        HelpOffer.need == InitiativeNeed.description,
        HelpOffer.state.in_(_LIVING),
    )
    .scalar_subquery()
)


def need(session: Session, initiative_id: int, need_id: int) -> Need | None:
    """One thing that an initiative asks for now, or None."""
    if not 0 < need_id < 2**63:
        return None
    row = session.execute(
        select(InitiativeNeed, Initiative.title, Initiative.state, _COUNT)
        .join(Initiative, Initiative.id == InitiativeNeed.initiative_id)
        .where(InitiativeNeed.id == need_id, InitiativeNeed.initiative_id == initiative_id)
    ).first()
    if row is None:
        return None
    found, title, state, offers = row
    return Need(
        id=found.id,
        initiative_id=initiative_id,
        title=title,
        state=InitiativeState(state),
        kind=NeedKind(found.kind),
        description=found.description,
        offers=offers,
    )


def living_offer(session: Session, asked: Need, account_id: int) -> HelpOffer | None:
    """The offer that this person made already and that lives, or None."""
    return session.scalar(
        select(HelpOffer).where(
            HelpOffer.initiative_id == asked.initiative_id,
            HelpOffer.kind == asked.kind.value,
            HelpOffer.need == asked.description,
            HelpOffer.account_id == account_id,
            HelpOffer.state.in_(_LIVING),
        )
    )


_OFFERS: Select[*tuple[Any, ...]] = (
    select(HelpOffer, Initiative.title, Account.name, Account.email)
    .join(Initiative, Initiative.id == HelpOffer.initiative_id)
    .join(Account, Account.id == HelpOffer.account_id)
)


def of_initiative(session: Session, initiative_id: int) -> list[Offer]:
    """All offers to an initiative: what waits for an answer first, then the newest; not what was withdrawn."""
    waits = HelpOffer.state == OfferState.OFFERED.value
    query = _OFFERS.where(
        HelpOffer.initiative_id == initiative_id, HelpOffer.state != OfferState.WITHDRAWN.value
    ).order_by(waits.desc(), HelpOffer.id.desc())
    return [_offer(row) for row in session.execute(query)]


def of_account(session: Session, account_id: int) -> list[Offer]:
    """What somebody offered, the newest first."""
    query = _OFFERS.where(HelpOffer.account_id == account_id).order_by(HelpOffer.id.desc())
    return [_offer(row) for row in session.execute(query)]


def find(session: Session, offer_id: int) -> Offer | None:
    """One offer, or None."""
    row = session.execute(_OFFERS.where(HelpOffer.id == offer_id)).first() if 0 < offer_id < 2**63 else None
    return None if row is None else _offer(row)


def address_of(session: Session, offer_id: int) -> str | None:
    """Where mail about an answer goes, or None when the account was deleted."""
    query = select(Account.email).join(HelpOffer, HelpOffer.account_id == Account.id)
    return session.scalar(query.where(HelpOffer.id == offer_id))


def count_waiting(session: Session, initiative_id: int) -> int:
    """How many offers wait for an answer of the organisers."""
    waits = (HelpOffer.initiative_id == initiative_id, HelpOffer.state == OfferState.OFFERED.value)
    query = select(func.count()).select_from(HelpOffer).where(*waits)
    return session.scalar(query) or 0


def _offer(row: Any) -> Offer:
    offer, title, name, email = row
    state = OfferState(offer.state)
    lives = state in LIVING_STATES
    return Offer(
        id=offer.id,
        initiative_id=offer.initiative_id,
        title=title,
        kind=NeedKind(offer.kind),
        need=offer.need,
        note=offer.note,
        state=state,
        offered_at=offer.offered_at,
        account_id=offer.account_id,
        name=name,
        email=(email or "") if lives else "",
    )
