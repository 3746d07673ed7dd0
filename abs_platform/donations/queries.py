# SPDX-License-Identifier: EUPL-1.2
"""Reads of donations: totals, receipts and what is due back."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import SQLColumnExpression, case, func, literal, select
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.selectable import LateralFromClause

from abs_platform.donations.models import Donation
from abs_platform.donations.states import DonationKind, DonationState
from abs_platform.objections.models import Objection
from abs_platform.objections.states import ObjectionState
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.states import VoucherState


@dataclass(frozen=True, slots=True)
class Total:
    """What an initiative has received: confirmed cents and the number of gifts."""

    cents: int = 0
    givers: int = 0


@dataclass(frozen=True, slots=True)
class PublicGift:
    """A gift as the page of its initiative shows it; no name is anonymous."""

    giver_name: str | None
    message: str | None
    amount_cents: int
    given_at: dt.datetime
    kind: DonationKind

    @property
    def given_on(self) -> dt.datetime:
        """The moment; pages show its day."""
        return self.given_at


@dataclass(frozen=True, slots=True)
class Receipt:
    """A gift as its giver sees it.

    When it came back: where its voucher went since, or until when that can be given. Neither: its time is over.
    """

    reference: str
    initiative_id: int
    amount_cents: int
    given_at: dt.datetime
    kind: DonationKind
    state: DonationState
    giver_name: str | None
    message: str | None
    plan_b_initiative_id: int | None
    went_on_to_initiative_id: int | None
    usable_until: dt.datetime | None


def confirmed_total(initiative_id: SQLColumnExpression[int]) -> LateralFromClause:
    """What the initiative of the row beside it has received, for a lateral join: columns cents and givers."""
    return (
        select(func.coalesce(func.sum(Donation.amount_cents), 0).label("cents"), func.count().label("givers"))
        .where(Donation.initiative_id == initiative_id, Donation.state == DonationState.CONFIRMED.value)
        .lateral("confirmed_total")
    )


def total_of(session: Session, initiative_id: int) -> Total:
    """The confirmed total of one initiative."""
    total = confirmed_total(literal(initiative_id))
    cents, givers = session.execute(select(total.c.cents, total.c.givers)).one()
    return Total(int(cents), givers)


def overall_total(session: Session) -> Total:
    """What all initiatives together have received."""
    cents, gifts = session.execute(
        select(func.coalesce(func.sum(Donation.amount_cents), 0), func.count()).where(
            Donation.state == DonationState.CONFIRMED.value
        )
    ).one()
    return Total(int(cents), gifts)


def latest_gifts(session: Session, initiative_id: int, limit: int) -> list[PublicGift]:
    """The newest confirmed gifts of an initiative."""
    rows = session.execute(
        select(Donation.giver_name, Donation.message, Donation.amount_cents, Donation.given_at, Donation.kind)
        .where(Donation.initiative_id == initiative_id, Donation.state == DonationState.CONFIRMED.value)
        .order_by(Donation.given_at.desc(), Donation.id.desc())
        .limit(limit)
    )
    return [PublicGift(*row[:4], kind=DonationKind(row.kind)) for row in rows]


def receipt(session: Session, reference: str) -> Receipt | None:
    """The receipt with this number, and what became of its voucher when it came back."""
    present = aliased(Donation)
    is_living = Voucher.state.in_((VoucherState.ISSUED.value, VoucherState.KEPT.value))
    row = session.execute(
        select(
            Donation.reference,
            Donation.initiative_id,
            Donation.amount_cents,
            Donation.given_at,
            Donation.kind,
            Donation.state,
            Donation.giver_name,
            Donation.message,
            Donation.plan_b_initiative_id,
            present.initiative_id.label("went_on_to_initiative_id"),
            case((is_living, func.coalesce(Voucher.usable_until, Round.closes_at))).label("usable_until"),
        )
        .outerjoin(Voucher, Voucher.id == Donation.voucher_id)
        .outerjoin(Round, Round.id == Voucher.round_id)
        .outerjoin(present, (present.voucher_id == Voucher.id) & (present.state == DonationState.CONFIRMED.value))
        .where(Donation.reference == reference)
    ).first()
    if row is None:
        return None
    return Receipt(**{**row._asdict(), "kind": DonationKind(row.kind), "state": DonationState(row.state)})


def gift_of_form(session: Session, idempotency_key: uuid.UUID) -> Donation | None:
    """The gift that a form with this key has made already."""
    return session.scalar(select(Donation).where(Donation.idempotency_key == idempotency_key))


def due_back_with_plan_b(session: Session, initiative_id: int) -> list[int]:
    """The confirmed voucher gifts of an initiative that name a second choice.

    Not those somebody objected to: who made that choice is in doubt, so they go back to who holds the code.
    """
    is_held = select(Objection.id).where(
        Objection.donation_id == Donation.id, Objection.state == ObjectionState.OPEN.value
    )
    return list(
        session.scalars(
            select(Donation.id)
            .where(
                Donation.initiative_id == initiative_id,
                Donation.kind == DonationKind.VOUCHER.value,
                Donation.state == DonationState.CONFIRMED.value,
                Donation.plan_b_initiative_id.is_not(None),
                ~is_held.exists(),
            )
            .order_by(Donation.voucher_id)
        )
    )
