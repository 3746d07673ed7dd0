# SPDX-License-Identifier: EUPL-1.2
"""Reads of where a voucher went, and of objections. Without names, ever."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from abs_platform.clock import last_day
from abs_platform.donations.models import Donation
from abs_platform.donations.states import Channel, DonationState
from abs_platform.initiatives.models import Initiative
from abs_platform.objections.models import Objection
from abs_platform.objections.states import ObjectionState
from abs_platform.paper.models import CollectionBox, EntryBatch
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.states import VoucherState


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the voucher of a code is, for who holds the code.

    Of a given one: to which initiative, when and how it came in; ``batch_reference`` and ``box_number`` when an
    organiser entered it from paper. ``objection`` is the state of what was raised about this gift.
    """

    voucher_id: int
    state: VoucherState
    amount_cents: int
    usable_until: dt.datetime
    donation_id: int | None
    initiative_id: int | None
    initiative_title: str | None
    given_at: dt.datetime | None
    channel: Channel | None
    batch_reference: str | None
    box_number: int | None
    objection: ObjectionState | None
    objection_reason: str

    @property
    def last_day(self) -> dt.date:
        """The last day on which it can (or could) be given."""
        return last_day(self.usable_until)

    def may_object(self, now: dt.datetime, days: int) -> bool:
        """Whether its gift is young enough, and nobody objected before."""
        given = self.given_at
        return given is not None and self.objection is None and now <= given + dt.timedelta(days=days)


def whereabouts(session: Session, code_digest: bytes) -> Whereabouts | None:
    """Where the voucher with this digest is, or None when there is none."""
    row = session.execute(
        select(
            Voucher.id,
            Voucher.state,
            Round.amount_cents,
            func.coalesce(Voucher.usable_until, Round.closes_at).label("usable_until"),
            Donation.id.label("donation_id"),
            Donation.initiative_id,
            Initiative.title,
            Donation.given_at,
            Donation.channel,
            EntryBatch.reference,
            CollectionBox.number,
            Objection.state.label("objection"),
            func.coalesce(Objection.reason, "").label("objection_reason"),
        )
        .join(Round, Round.id == Voucher.round_id)
        .outerjoin(Donation, (Donation.voucher_id == Voucher.id) & (Donation.state == DonationState.CONFIRMED.value))
        .outerjoin(Initiative, Initiative.id == Donation.initiative_id)
        .outerjoin(EntryBatch, EntryBatch.id == Donation.entry_batch_id)
        .outerjoin(CollectionBox, CollectionBox.id == EntryBatch.box_id)
        .outerjoin(Objection, Objection.donation_id == Donation.id)
        .where(Voucher.code_digest == code_digest)
    ).first()
    if row is None:
        return None
    return Whereabouts(
        row.id,
        VoucherState(row.state),
        row.amount_cents,
        row.usable_until,
        row.donation_id,
        row.initiative_id,
        row.title,
        row.given_at,
        Channel(row.channel) if row.channel else None,
        row.reference,
        row.number,
        ObjectionState(row.objection) if row.objection else None,
        row.objection_reason,
    )


def held_cents(session: Session, initiative_id: int) -> int:
    """What of an initiative's gifts is held, because somebody says that it was not theirs to give, in cents."""
    query = (
        select(func.coalesce(func.sum(Donation.amount_cents), 0))
        .join(Objection, Objection.donation_id == Donation.id)
        .where(
            Donation.initiative_id == initiative_id,
            Donation.state == DonationState.CONFIRMED.value,
            Objection.state == ObjectionState.OPEN.value,
        )
    )
    return int(session.scalar(query) or 0)


@dataclass(frozen=True, slots=True)
class ObjectionView:
    """An objection as the desk sees it: the gift and how it came in, never whose voucher it was."""

    id: int
    initiative_id: int
    initiative_title: str
    amount_cents: int
    given_at: dt.datetime
    channel: Channel
    batch_id: int | None
    batch_reference: str | None
    box_number: int | None
    raised_at: dt.datetime
    state: ObjectionState
    decided_at: dt.datetime | None
    reason: str


def objections_of(
    session: Session,
    initiative_ids: ColumnElement[bool] | None = None,
    *,
    is_open: bool | None = None,
    limit: int = 200,
) -> list[ObjectionView]:
    """Objections, open ones first and the oldest of those first. ``initiative_ids``: a condition on Initiative."""
    query = _views().order_by((Objection.state != ObjectionState.OPEN.value), Objection.raised_at, Objection.id)
    if initiative_ids is not None:
        query = query.where(initiative_ids)
    if is_open is not None:
        query = query.where((Objection.state == ObjectionState.OPEN.value).is_(is_open))
    return [_view(row) for row in session.execute(query.limit(limit))]


def find_objection(session: Session, objection_id: int) -> ObjectionView | None:
    """One objection, or None."""
    row = session.execute(_views().where(Objection.id == objection_id)).first()
    return None if row is None else _view(row)


def count_of_batch(session: Session, batch_id: int) -> int:
    """How many objections there were to the gifts of one batch, whatever was decided."""
    query = select(func.count()).join(Donation, Donation.id == Objection.donation_id)
    return session.scalar(query.select_from(Objection).where(Donation.entry_batch_id == batch_id)) or 0


def _views() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Objection.id,
            Initiative.id.label("initiative_id"),
            Initiative.title,
            Donation.amount_cents,
            Donation.given_at,
            Donation.channel,
            EntryBatch.id.label("batch_id"),
            EntryBatch.reference,
            CollectionBox.number,
            Objection.raised_at,
            Objection.state,
            Objection.decided_at,
            Objection.reason,
        )
        .select_from(Objection)
        .join(Donation, Donation.id == Objection.donation_id)
        .join(Initiative, Initiative.id == Donation.initiative_id)
        .outerjoin(EntryBatch, EntryBatch.id == Donation.entry_batch_id)
        .outerjoin(CollectionBox, CollectionBox.id == EntryBatch.box_id)
    )


def _view(row: Any) -> ObjectionView:
    values = list(row)
    values[5], values[10] = Channel(values[5]), ObjectionState(values[10])
    return ObjectionView(*values)
