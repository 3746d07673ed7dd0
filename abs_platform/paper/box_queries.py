# SPDX-License-Identifier: EUPL-1.2
"""Reads of collection boxes: where they stand, what was entered from them, and which stand out and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from abs_platform.donations.models import Donation
from abs_platform.initiatives.models import Initiative
from abs_platform.objections.models import Objection
from abs_platform.paper.models import CollectionBox, EntryBatch
from abs_platform.paper.queries import odd_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxRow:
    """A box, and what was entered from it."""

    id: int
    number: int
    initiative_id: int
    title: str
    place: str
    address: str
    registered_at: dt.datetime
    removed_at: dt.datetime | None
    entered: int
    refused: int
    objections: int

    @property
    def odd(self) -> list[str]:
        """Why it stands out, in words; empty when it does not."""
        return odd_counts(self.entered, self.refused, self.objections)


_BOXES: Select[Any] = select(
    CollectionBox,
    Initiative.title,
    select(func.coalesce(func.sum(EntryBatch.entered_count), 0))
    .where(EntryBatch.box_id == CollectionBox.id)
    .scalar_subquery()
    .label("entered"),
    select(func.coalesce(func.sum(EntryBatch.refused_count), 0))
    .where(EntryBatch.box_id == CollectionBox.id)
    .scalar_subquery()
    .label("refused"),
    select(func.count())
    .select_from(Objection)
    .join(Donation, Donation.id == Objection.donation_id)
    .join(EntryBatch, EntryBatch.id == Donation.entry_batch_id)
    .where(EntryBatch.box_id == CollectionBox.id)
    .scalar_subquery()
    .label("objections"),
).join(Initiative, Initiative.id == CollectionBox.initiative_id)
_ONE_BOX = _BOXES.where(CollectionBox.number == bindparam("number"))


def _box(row: Any) -> BoxRow:
    box, title, entered, refused, objections = row
    columns = ("id", "number", "initiative_id", "place", "address", "registered_at", "removed_at")
    counts = {"entered": int(entered), "refused": int(refused), "objections": objections}
    return BoxRow(title=title, **{name: getattr(box, name) for name in columns}, **counts)


def boxes_of(session: Session, initiative_id: int) -> list[BoxRow]:
    """The boxes of an initiative that still stand somewhere."""
    mine = (CollectionBox.initiative_id == initiative_id, CollectionBox.removed_at.is_(None))
    return [_box(row) for row in session.execute(_BOXES.where(*mine).order_by(CollectionBox.number))]


def box_of(session: Session, number: int) -> BoxRow | None:
    """A box by the number on its label, also when it was removed; None when there never was one."""
    row = session.execute(_ONE_BOX, {"number": number}).first()
    return None if row is None else _box(row)


def desk_boxes(session: Session, desks: Collection[int] | None) -> list[BoxRow]:
    """The boxes of these desks (None: of all), what stands out on top."""
    query = _BOXES if desks is None else _BOXES.where(Initiative.desk_area_id.in_(desks))
    rows = [_box(row) for row in session.execute(query.order_by(CollectionBox.number))]
    return sorted(rows, key=lambda box: (-len(box.odd), -box.objections, box.removed_at is not None, box.number))
