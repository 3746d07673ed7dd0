# SPDX-License-Identifier: EUPL-1.2
"""The life of a gift of money: pending until its payment lands; what is booked of it, payments books (rule 3 there)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from abs_platform.donations.models import Donation
from abs_platform.donations.service import new_reference
from abs_platform.donations.states import TRANSITIONS, Channel, DonationKind, DonationState
from abs_platform.errors import InvalidTransition


def start_money_gift(
    session: Session,
    initiative_id: int,
    *,
    amount_cents: int,
    giver_name: str | None,
    message: str | None,
    giver_email: str | None,
    is_organisation: bool,
    idempotency_key: uuid.UUID,
    now: dt.datetime,
) -> tuple[int, str]:
    """A gift of money that is not paid yet; returns its id and its reference, by which the provider knows it too.

    Raises: IntegrityError when the idempotency key was used for another gift.
    """
    donation = Donation(
        reference=new_reference(),
        initiative_id=initiative_id,
        kind=DonationKind.MONEY.value,
        amount_cents=amount_cents,
        state=DonationState.PENDING.value,
        channel=Channel.ONLINE.value,
        given_at=now,
        giver_name=giver_name,
        message=message,
        giver_email=giver_email,
        is_organisation=is_organisation,
        idempotency_key=idempotency_key,
    )
    session.add(donation)
    session.flush()
    return donation.id, donation.reference


def confirm_money_gift(session: Session, donation_id: int, *, now: dt.datetime) -> None:
    """It was paid while its initiative collects: it counts from now. The caller holds the payment's lock."""
    _move(session, donation_id, DonationState.CONFIRMED, given_at=now)


def fail_money_gift(session: Session, donation_id: int) -> None:
    """It was not paid, or it landed after the end. The caller holds the payment's lock."""
    _move(session, donation_id, DonationState.FAILED)


def return_money_gift(session: Session, donation_id: int, *, now: dt.datetime) -> None:
    """Its money went back to the giver. The caller holds the payment's lock."""
    _move(session, donation_id, DonationState.RETURNED, returned_at=now)


def _move(session: Session, donation_id: int, target: DonationState, **changes: dt.datetime) -> None:
    """One statement, because webhooks come by hundreds. Raises: InvalidTransition."""
    sources = [source.value for source, targets in TRANSITIONS.items() if target in targets]
    gift = update(Donation).where(Donation.id == donation_id)
    moved = session.execute(
        gift.where(Donation.state.in_(sources)).values(state=target.value, **changes).returning(Donation.id)
    )
    if moved.first() is None:
        source = session.execute(select(Donation.state).where(Donation.id == donation_id)).scalar_one()
        raise InvalidTransition("gift", DonationState(source).label, target.label)
