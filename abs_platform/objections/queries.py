# SPDX-License-Identifier: EUPL-1.2
"""Reads of where a voucher went, and of objections. Without names, ever."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from abs_platform.clock import last_day
from abs_platform.donations.models import Donation
from abs_platform.donations.states import Channel, DonationState
from abs_platform.initiatives.models import Initiative
from abs_platform.objections.models import Objection
from abs_platform.objections.states import ObjectionState
from abs_platform.paper.models import CollectionBox, EntryBatch, WaitingEntry
from abs_platform.paper.states import BatchState
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.states import VoucherState


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Where the voucher of a code is, for who holds the code.

    Of a given one: to which initiative, when and how it came in; ``batch_reference`` and ``box_number`` when an
    organiser entered it from paper. ``objection`` is the state of what was raised about this gift. ``is_replaced``: a
    newer letter took its place. ``waits_for`` is the initiative for which an organiser entered it in a large batch.
    """

    voucher_id: int
    state: VoucherState
    amount_cents: int
    opens_at: dt.datetime
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
    is_replaced: bool
    waits_for: str | None

    @property
    def last_day(self) -> dt.date:
        """The last day on which it can (or could) be given."""
        return last_day(self.usable_until)

    def is_usable(self, now: dt.datetime) -> bool:
        """Whether it can be given now."""
        is_living = self.state in {VoucherState.ISSUED, VoucherState.KEPT}
        return is_living and self.opens_at <= now < self.usable_until

    def objects_until(self, days: int) -> dt.datetime | None:
        """Until when its gift may be objected to, were it not done yet."""
        return None if self.given_at is None else self.given_at + dt.timedelta(days=days)

    def may_object(self, now: dt.datetime, days: int) -> bool:
        """Whether its gift is young enough, and nobody objected before."""
        until = self.objects_until(days)
        return until is not None and self.objection is None and now <= until


_newer = aliased(Voucher)
_WAITS_FOR = (
    select(Initiative.title)
    .join(EntryBatch, EntryBatch.initiative_id == Initiative.id)
    .join(WaitingEntry, WaitingEntry.batch_id == EntryBatch.id)
    .where(WaitingEntry.voucher_id == Voucher.id, EntryBatch.state == BatchState.WAITING.value)
    .order_by(EntryBatch.id)
    .limit(1)
    .scalar_subquery()
)
_IS_REPLACED = (
    select(_newer.id)
    .where(
        _newer.household_id == Voucher.household_id,
        _newer.round_id == Voucher.round_id,
        _newer.id > Voucher.id,
        Voucher.revoked_at.is_not(None),
    )
    .exists()
)


def whereabouts(session: Session, code_digest: bytes) -> Whereabouts | None:
    """Where the voucher with this digest is, or None when there is none."""
    row = session.execute(
        select(
            Voucher.id.label("voucher_id"),
            Voucher.state,
            Round.amount_cents,
            Round.opens_at,
            func.coalesce(Voucher.usable_until, Round.closes_at).label("usable_until"),
            Donation.id.label("donation_id"),
            Donation.initiative_id,
            Initiative.title.label("initiative_title"),
            Donation.given_at,
            Donation.channel,
            EntryBatch.reference.label("batch_reference"),
            CollectionBox.number.label("box_number"),
            Objection.state.label("objection"),
            func.coalesce(Objection.reason, "").label("objection_reason"),
            _IS_REPLACED.label("is_replaced"),
            _WAITS_FOR.label("waits_for"),
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
    told = row._asdict()
    told["state"] = VoucherState(row.state)
    told["channel"] = Channel(row.channel) if row.channel else None
    told["objection"] = ObjectionState(row.objection) if row.objection else None
    return Whereabouts(**told)


@dataclass(frozen=True, slots=True)
class CameBack:
    """A gift that came back after an objection: from which initiative, when, and why in the desk's words."""

    initiative_title: str
    decided_at: dt.datetime
    reason: str


def came_back(session: Session, voucher_id: int) -> CameBack | None:
    """What the last objection that was upheld did for a voucher, or None."""
    row = session.execute(
        select(Initiative.title, Objection.decided_at, Objection.reason)
        .select_from(Objection)
        .join(Donation, Donation.id == Objection.donation_id)
        .join(Initiative, Initiative.id == Donation.initiative_id)
        .where(Donation.voucher_id == voucher_id, Objection.state == ObjectionState.UPHELD.value)
        .order_by(Objection.id.desc())
        .limit(1)
    ).first()
    return None if row is None or row.decided_at is None else CameBack(row.title, row.decided_at, row.reason)


def lock_gift(session: Session, donation_id: int) -> bool:
    """Whether a gift stands, kept as it is until the caller is done. Locks: the voucher and the gift, waiting."""
    query = select(Donation.state).join(Voucher, Voucher.id == Donation.voucher_id).where(Donation.id == donation_id)
    return session.scalar(query.with_for_update(of=(Voucher, Donation))) == DonationState.CONFIRMED


def lock_moot(session: Session) -> list[Objection]:
    """The open objections to gifts that came back by another way. Locks: each of them, without waiting."""
    query = (
        select(Objection)
        .join(Donation, Donation.id == Objection.donation_id)
        .where(Objection.state == ObjectionState.OPEN.value, Donation.state == DonationState.RETURNED.value)
        .order_by(Objection.id)
        .with_for_update(of=Objection, skip_locked=True)
    )
    return list(session.scalars(query))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionView:
    """An objection as the desk sees it: the gift and how it came in, never whose voucher it was.

    ``of_batch`` and ``of_box`` are how many objections the gifts of its batch and of its box had, this one included.
    """

    id: int
    initiative_id: int
    initiative_title: str
    desk_area_id: int | None
    amount_cents: int
    given_at: dt.datetime
    channel: Channel
    batch_id: int | None
    batch_reference: str | None
    box_number: int | None
    of_batch: int
    of_box: int
    of_initiative: int
    raised_at: dt.datetime
    state: ObjectionState
    decided_at: dt.datetime | None
    reason: str


def objections_of(
    session: Session,
    desks: frozenset[int] | None = None,
    *,
    is_open: bool | None = None,
    initiative_id: int | None = None,
    limit: int = 200,
) -> list[ObjectionView]:
    """Objections, open ones first and the oldest of those first, then the newest decisions.

    ``desks``: only of initiatives that lie there. One to a gift that came back meanwhile waits for nobody.
    """
    is_decided = Objection.state != ObjectionState.OPEN.value
    query = _views().order_by(is_decided, Objection.decided_at.desc(), Objection.raised_at, Objection.id)
    query = query.where(is_decided | (Donation.state == DonationState.CONFIRMED.value))
    if desks is not None:
        query = query.where(Initiative.desk_area_id.in_(desks))
    if initiative_id is not None:
        query = query.where(Initiative.id == initiative_id)
    if is_open is not None:
        query = query.where(is_decided.is_not(is_open))
    return [_view(row) for row in session.execute(query.limit(limit))]


def lock_initiative(session: Session, initiative_id: int) -> None:
    """Keep payouts and closing away from an initiative while an objection is decided.

    Not those who only refer to it (FOR NO KEY UPDATE): a booking of a gift that is being returned does, and it holds
    the gift that is decided about.
    """
    session.execute(select(Initiative.id).where(Initiative.id == initiative_id).with_for_update(key_share=True))


def find_objection(session: Session, objection_id: int) -> ObjectionView | None:
    """One objection, or None."""
    row = session.execute(_views().where(Objection.id == objection_id)).first()
    return None if row is None else _view(row)


_other, _their_gift, _their_batch = aliased(Objection), aliased(Donation), aliased(EntryBatch)
_OTHERS = select(func.count(_other.id)).join(_their_gift, _their_gift.id == _other.donation_id)


def _views() -> Select[*tuple[Any, ...]]:
    of_batch = _OTHERS.where(_their_gift.entry_batch_id == EntryBatch.id)
    of_box = _OTHERS.join(_their_batch, _their_batch.id == _their_gift.entry_batch_id)
    of_box = of_box.where(_their_batch.box_id == EntryBatch.box_id)
    of_initiative = _OTHERS.where(_their_gift.initiative_id == Initiative.id)
    return (
        select(
            Objection.id,
            Initiative.id.label("initiative_id"),
            Initiative.title.label("initiative_title"),
            Initiative.desk_area_id,
            Donation.amount_cents,
            Donation.given_at,
            Donation.channel,
            EntryBatch.id.label("batch_id"),
            EntryBatch.reference.label("batch_reference"),
            CollectionBox.number.label("box_number"),
            of_batch.scalar_subquery().label("of_batch"),
            of_box.scalar_subquery().label("of_box"),
            of_initiative.scalar_subquery().label("of_initiative"),
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
    told = row._asdict()
    told["channel"], told["state"] = Channel(row.channel), ObjectionState(row.state)
    return ObjectionView(**told)
