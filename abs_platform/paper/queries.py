# SPDX-License-Identifier: EUPL-1.2
"""Reads of batches: counts, what waits, and which stand out and why. Never which code, and never who gave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import ColumnElement, ScalarSelect, Select, exists, func, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from abs_platform.donations.models import Donation
from abs_platform.donations.states import Channel, DonationKind, DonationState
from abs_platform.initiatives.models import Initiative
from abs_platform.objections.models import Objection
from abs_platform.paper.models import CollectionBox, EntryBatch, WaitingEntry
from abs_platform.paper.states import BatchState, EntryOutcome
from abs_platform.vouchers.models import Voucher

BATCHES_SHOWN = 50
# From here a batch or box stands out at the desk.
ODD_REFUSED_PERCENT, ODD_REFUSED_LEAST = 20, 5
ODD_SHARE_PERCENT, ODD_SHARE_LEAST = 50, 20
ODD_CODES_A_MINUTE, ODD_SPEED_LEAST = 40, 50

# What is known of a code that is entered for an initiative again, the strongest first.
_KNOWN = text("""
    SELECT EXISTS (
               SELECT FROM donations d JOIN objections o ON o.donation_id = d.id AND o.state = 'upheld'
               WHERE d.voucher_id = v.id AND d.initiative_id = :initiative_id AND d.entry_batch_id IS NOT NULL
           ) OR COALESCE(bool_or(b.state = 'refused'), false) AS is_barred,
           EXISTS (
               SELECT FROM donations d JOIN entry_batches b ON b.id = d.entry_batch_id
               WHERE d.voucher_id = v.id AND d.initiative_id = :initiative_id AND d.state = 'confirmed'
                 AND b.account_id = :account_id
           ) OR COALESCE(bool_or(b.account_id = :account_id AND b.state <> 'refused'), false) AS is_own,
           COALESCE(bool_or(b.state <> 'refused'), false) AND v.state IN ('issued', 'kept') AS is_waiting
    FROM vouchers v
    LEFT JOIN waiting_entries w ON w.voucher_id = v.id
    LEFT JOIN entry_batches b ON b.id = w.batch_id AND b.initiative_id = :initiative_id
    WHERE v.code_digest = :digest
    GROUP BY v.id
""")


def known_code(session: Session, digest: bytes, initiative_id: int, account_id: int | None) -> EntryOutcome | None:
    """The answer for a code that was entered for this initiative before, or None for one that was not."""
    found = {"digest": digest, "initiative_id": initiative_id, "account_id": account_id}
    row = session.execute(_KNOWN, found).first()
    if row is None:
        return None
    if row.is_barred:
        return EntryOutcome.NOT_USABLE
    if row.is_own:
        return EntryOutcome.BEFORE
    return EntryOutcome.WAITING if row.is_waiting else None


_GOOD_CODES = text("""
    SELECT (SELECT count(*) FROM donations d JOIN entry_batches b ON b.id = d.entry_batch_id
            WHERE d.initiative_id = :initiative_id AND d.given_at > :since AND d.entry_batch_id IS NOT NULL
              AND b.decided_at IS NULL)
         + (SELECT count(*) FROM waiting_entries w JOIN entry_batches b ON b.id = w.batch_id
            WHERE b.initiative_id = :initiative_id AND w.entered_at > :since AND b.decided_at IS NULL)
""")


def good_codes_since(session: Session, initiative_id: int, since: dt.datetime) -> int:
    """How many good codes its organisers entered since then, apart from batches about which the desk has decided."""
    return session.scalar(_GOOD_CODES, {"initiative_id": initiative_id, "since": since}) or 0


def digest_of(session: Session, voucher_id: int) -> bytes:
    """The digest by which a voucher is given."""
    return session.execute(select(Voucher.code_digest).where(Voucher.id == voucher_id)).scalar_one()


def given_at_desk(voucher_id: InstrumentedAttribute[int | None]) -> ColumnElement[bool]:
    """Whether a voucher was given at the desk of a wijkcentrum: staff also give what they release."""
    return exists().where(Donation.voucher_id == voucher_id, Donation.channel == Channel.DESK.value)


def waiting_vouchers(session: Session, batch_id: int) -> list[int]:
    """The vouchers that wait in a batch, in the order in which they were entered."""
    query = select(WaitingEntry.voucher_id).where(WaitingEntry.batch_id == batch_id)
    return list(session.scalars(query.order_by(WaitingEntry.entered_at, WaitingEntry.voucher_id)))


def overdue_batches(session: Session, now: dt.datetime) -> list[int]:
    """Batches that waited long enough."""
    query = select(EntryBatch.id).where(EntryBatch.state == BatchState.WAITING.value, EntryBatch.waits_until <= now)
    return list(session.scalars(query.order_by(EntryBatch.id)))


def unfinished_batches(session: Session) -> list[int]:
    """Released batches of which codes still wait."""
    waits = exists().where(WaitingEntry.batch_id == EntryBatch.id)
    query = select(EntryBatch.id).where(EntryBatch.state == BatchState.RELEASED.value, waits)
    return list(session.scalars(query.order_by(EntryBatch.id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A batch in numbers. ``minutes``: from its first code to its last; ``share``: percent of all vouchers given."""

    id: int
    reference: str
    initiative_id: int
    title: str
    desk_area_id: int | None
    box_number: int | None
    box_place: str
    began_at: dt.datetime
    minutes: int
    entered: int
    refused: int
    given: int
    waiting: int
    objections: int
    share: int
    state: BatchState
    waits_until: dt.datetime | None
    decided_at: dt.datetime | None
    reason: str

    @property
    def odd(self) -> list[str]:
        """Why it stands out, in words; empty when it does not."""
        found = odd_counts(self.entered, self.refused, self.objections)
        # Of a released batch it is not known any more when its last code was entered.
        is_timed = self.state != BatchState.RELEASED
        if is_timed and self.entered >= ODD_SPEED_LEAST and self.entered > ODD_CODES_A_MINUTE * max(1, self.minutes):
            minutes = max(1, self.minutes)
            found.append(
                ngettext(
                    "%(codes)s codes binnen %(num)s minuut",
                    "%(codes)s codes binnen %(num)s minuten",
                    minutes,
                    codes=self.entered,
                )
            )
        if self.given >= ODD_SHARE_LEAST and self.share >= ODD_SHARE_PERCENT:
            found.append(_("%(share)s%% van alle vouchers voor dit initiatief", share=self.share))
        return found


def odd_counts(entered: int, refused: int, objections: int) -> list[str]:
    """Why these counts of a batch or a box stand out, in words."""
    found = []
    if objections:
        found.append(ngettext("%(num)s bezwaar van een bewoner", "%(num)s bezwaren van bewoners", objections))
    percent = refused * 100 // max(1, entered + refused)
    if refused >= ODD_REFUSED_LEAST and percent >= ODD_REFUSED_PERCENT:
        found.append(_("%(percent)s%% van de codes kon niet worden gebruikt", percent=percent))
    return found


_CONFIRMED = Donation.state == DonationState.CONFIRMED.value


def _count_of(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(Donation).where(*conditions).scalar_subquery()


_OF_BATCH = Donation.entry_batch_id == EntryBatch.id
_VOUCHERS_GIVEN = _count_of(
    Donation.initiative_id == EntryBatch.initiative_id, Donation.kind == DonationKind.VOUCHER.value, _CONFIRMED
)
_OBJECTIONS = (
    select(func.count())
    .select_from(Objection)
    .join(Donation, Donation.id == Objection.donation_id)
    .where(_OF_BATCH)
    .scalar_subquery()
)
_WAITING = select(func.count()).where(WaitingEntry.batch_id == EntryBatch.id).scalar_subquery()
_LAST_AT = func.greatest(
    select(func.max(Donation.given_at))
    .where(_OF_BATCH, or_(EntryBatch.decided_at.is_(None), Donation.given_at < EntryBatch.decided_at))
    .scalar_subquery(),
    select(func.max(WaitingEntry.entered_at)).where(WaitingEntry.batch_id == EntryBatch.id).scalar_subquery(),
    EntryBatch.began_at,
)
_BATCHES: Select[Any] = (
    select(
        EntryBatch,
        Initiative.title,
        Initiative.desk_area_id,
        CollectionBox.number,
        CollectionBox.place,
        _LAST_AT.label("last_at"),
        _count_of(_OF_BATCH, _CONFIRMED).label("given"),
        _WAITING.label("waiting"),
        _OBJECTIONS.label("objections"),
        _VOUCHERS_GIVEN.label("all_given"),
    )
    .join(Initiative, Initiative.id == EntryBatch.initiative_id)
    .outerjoin(CollectionBox, CollectionBox.id == EntryBatch.box_id)
)


def _batch(row: Any) -> BatchRow:
    batch, title, desk_area_id, number, place, last_at, given, waiting, objections, all_given = row
    return BatchRow(
        id=batch.id,
        reference=batch.reference,
        initiative_id=batch.initiative_id,
        title=title,
        desk_area_id=desk_area_id,
        box_number=number,
        box_place=place or "",
        began_at=batch.began_at,
        minutes=int((last_at - batch.began_at).total_seconds()) // 60,
        entered=batch.entered_count,
        refused=batch.refused_count,
        given=given,
        waiting=waiting,
        objections=objections,
        share=given * 100 // max(1, all_given),
        state=BatchState(batch.state),
        waits_until=batch.waits_until,
        decided_at=batch.decided_at,
        reason=batch.reason,
    )


def batches_of(session: Session, initiative_id: int) -> list[BatchRow]:
    """What was entered for an initiative, the newest first."""
    query = _BATCHES.where(EntryBatch.initiative_id == initiative_id).order_by(EntryBatch.id.desc())
    return [_batch(row) for row in session.execute(query.limit(BATCHES_SHOWN))]


def batch_of(session: Session, batch_id: int) -> BatchRow | None:
    """One batch, or None."""
    row = session.execute(_BATCHES.where(EntryBatch.id == batch_id)).first()
    return None if row is None else _batch(row)


@dataclass(frozen=True, slots=True)
class DeskBatches:
    """What a desk sees: what waits for it (the first deadline first), what stands out, and the rest."""

    waiting: list[BatchRow] = field(default_factory=list)
    odd: list[BatchRow] = field(default_factory=list)
    others: list[BatchRow] = field(default_factory=list)


def desk_batches(session: Session, desks: Collection[int] | None) -> DeskBatches:
    """The batches of these desks (None: of all): all that wait, and the newest of the others."""
    query = _BATCHES if desks is None else _BATCHES.where(Initiative.desk_area_id.in_(desks))
    is_waiting = EntryBatch.state == BatchState.WAITING.value
    waiting = query.where(is_waiting).order_by(EntryBatch.waits_until, EntryBatch.id)
    newest = query.where(~is_waiting).order_by(EntryBatch.id.desc()).limit(BATCHES_SHOWN)
    found = DeskBatches(waiting=[_batch(row) for row in session.execute(waiting)])
    for row in map(_batch, session.execute(newest)):
        (found.odd if row.odd else found.others).append(row)
    return found
