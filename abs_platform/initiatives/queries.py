# SPDX-License-Identifier: EUPL-1.2
"""Reads of initiatives for pages, jobs and the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, any_, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased

from abs_platform.areas.models import Area
from abs_platform.areas.states import AreaLevel
from abs_platform.clock import local_date
from abs_platform.donations.models import Donation
from abs_platform.donations.queries import confirmed_total
from abs_platform.donations.states import DonationKind, DonationState
from abs_platform.initiatives.models import Initiative, InitiativeProgress
from abs_platform.initiatives.states import FAILED_STATES, InitiativeState, Theme
from abs_platform.media.models import Picture
from abs_platform.media.queries import PictureView, first_picture_id
from abs_platform.payouts.models import Payout
from abs_platform.payouts.states import AT_THE_BANK_STATES, LIVING_STATES
from abs_platform.slugs import slugify

MAX_SLUG = 60
# What was never published is its organisers' own, a withdrawn draft too.
_IS_PUBLIC = Initiative.published_at.is_not(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiativeCard:
    """An initiative in a list. Amounts in cents; ``days_left`` only while it collects (0 is the last day)."""

    id: int
    slug: str
    title: str
    summary: str
    theme: Theme
    state: InitiativeState
    area_name: str
    district_name: str | None
    scope: AreaLevel
    target_cents: int
    raised_cents: int
    givers: int
    deadline_on: dt.date
    days_left: int | None
    photo: PictureView | None = None

    @property
    def is_collecting(self) -> bool:
        """Whether it takes gifts now."""
        return self.days_left is not None

    @property
    def percent(self) -> int:
        """How much of the target is there: whole percents, 100 only when it is reached."""
        return min(100, self.raised_cents * 100 // max(1, self.target_cents))

    @property
    def missing_cents(self) -> int:
        """What is still needed."""
        return max(0, self.target_cents - self.raised_cents)


# The one query under every list: an initiative, where it belongs and what it has received. It is made once, as is each
# of its forms; :today is a parameter. Which initiatives, and in what order, comes first (_choose), so that only what is
# shown is added up. It reads columns and no objects: a list is read far more often than anything else.
_AREA, _PARENT = aliased(Area, name="area"), aliased(Area, name="parent")
_TOTAL = confirmed_total(Initiative.id)
_COLLECTS = (Initiative.state == InitiativeState.PUBLISHED.value) & (Initiative.deadline_on >= bindparam("today"))
_PHOTO = aliased(Picture, name="photo")
_CARDS: Select[Any] = (
    select(
        *(Initiative.id, Initiative.title, Initiative.summary, Initiative.theme, Initiative.state),
        *(Initiative.target_cents, Initiative.deadline_on, _TOTAL.c.cents, _TOTAL.c.givers),
        *(_AREA.name.label("area_name"), _AREA.level.label("level")),
        *(_PARENT.name.label("parent_name"), _PARENT.level.label("parent_level")),
        *(_PHOTO.id.label("photo_id"), _PHOTO.key.label("photo_key"), _PHOTO.alt_text, _PHOTO.is_decorative),
        *(_PHOTO.width, _PHOTO.height, _PHOTO.widths, _PHOTO.update_id),
    )
    .select_from(Initiative)
    .join(_AREA, _AREA.id == Initiative.area_id)
    .outerjoin(_PARENT, _PARENT.id == _AREA.parent_id)
    .outerjoin(_PHOTO, _PHOTO.id == first_picture_id(Initiative.id))
    .join(_TOTAL, true())
)


def _choose(*where: ColumnElement[bool]) -> Select[Any]:
    """The numbers of initiatives, as many as are asked for."""
    return select(Initiative.id).where(*where).limit(bindparam("number")).correlate(None)


def _cards_of(chosen: Select[Any], *order: Any) -> Select[Any]:
    """The cards of what was chosen, in that order."""
    return _CARDS.where(Initiative.id.in_(chosen.order_by(*order))).order_by(*order)


def _fetch(session: Session, query: Select[Any], today: dt.date, **values: Any) -> list[InitiativeCard]:
    return [InitiativeCard(**card_fields(row, today)) for row in session.execute(query, {"today": today, **values})]


def card_fields(row: Any, today: dt.date) -> dict[str, Any]:
    """A row of the query under every list, as the fields of a card."""
    state = InitiativeState(row.state)
    collects = state == InitiativeState.PUBLISHED and row.deadline_on >= today
    own_district = row.area_name if row.level == AreaLevel.DISTRICT else None
    return {
        "id": row.id,
        "slug": slugify(row.title, MAX_SLUG) or "initiatief",
        "title": row.title,
        "summary": row.summary,
        "theme": Theme(row.theme),
        "state": state,
        "area_name": row.area_name,
        "district_name": row.parent_name if row.parent_level == AreaLevel.DISTRICT else own_district,
        "scope": AreaLevel(row.level),
        "target_cents": row.target_cents,
        "raised_cents": int(row.cents),
        "givers": row.givers,
        "deadline_on": row.deadline_on,
        "days_left": (row.deadline_on - today).days if collects else None,
        "photo": None if row.photo_id is None else _photo(row),
    }


def _photo(row: Any) -> PictureView:
    return PictureView(
        id=row.photo_id,
        key=row.photo_key,
        alt=row.alt_text,
        is_decorative=row.is_decorative,
        width=row.width or 0,
        height=row.height or 0,
        widths=tuple(row.widths),
        update_id=row.update_id,
    )


_THESE = Initiative.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))
_CARDS_OF_THESE = _CARDS.where(_THESE)
_PUBLIC_CARDS_OF_THESE = _CARDS.where(_THESE, _IS_PUBLIC)


def cards(session: Session, ids: Sequence[int], *, today: dt.date) -> list[InitiativeCard]:
    """The cards of these initiatives, in this order."""
    found = {one.id: one for one in _fetch(session, _CARDS_OF_THESE, today, ids=list(ids))} if ids else {}
    return [found[one] for one in ids if one in found]


def collecting(session: Session, *, today: dt.date, limit: int) -> list[InitiativeCard]:
    """What takes gifts now, what ends soonest first."""
    return _fetch(session, _COLLECTING, today, number=limit)


_COLLECTING = _cards_of(_choose(_COLLECTS), Initiative.deadline_on, Initiative.id)


def almost_there(session: Session, *, today: dt.date, limit: int) -> list[InitiativeCard]:
    """What takes gifts now and has the largest share of its target, as it was counted last (jobs/count_progress)."""
    return _fetch(session, _ALMOST_THERE, today, number=limit)


# The order of an index, read from its end: nothing is sorted.
_MOST_FIRST = (InitiativeProgress.share.desc(), InitiativeProgress.initiative_id.desc())
_COUNTED = (InitiativeProgress.initiative_id == Initiative.id) & InitiativeProgress.share.is_not(None)
_ALMOST_THERE = (
    _CARDS.join(InitiativeProgress, _COUNTED)
    .where(
        Initiative.id.in_(_choose(_COLLECTS).join(InitiativeProgress, _COUNTED).order_by(*_MOST_FIRST)),
    )
    .order_by(*_MOST_FIRST)
)


def newest(session: Session, state: InitiativeState, *, today: dt.date, limit: int) -> list[InitiativeCard]:
    """The initiatives in one state that were published (or, after their end, came to it) last."""
    if state == InitiativeState.PUBLISHED:
        return _fetch(session, _NEWEST_COLLECTING, today, number=limit)
    return _fetch(session, _NEWEST_IN_STATE, today, number=limit, state=state.value)


# Nothing public lacks the moment, so no nulls_last: that would leave the index aside.
_NEWEST_COLLECTING = _cards_of(_choose(_IS_PUBLIC, _COLLECTS), Initiative.published_at.desc(), Initiative.id.desc())
_NEWEST_IN_STATE = _cards_of(
    _choose(_IS_PUBLIC, Initiative.state == bindparam("state")),
    *(Initiative.ended_at.desc().nulls_last(), Initiative.id.desc()),
)
ONE_CARD = _CARDS.where(Initiative.id == bindparam("initiative_id"), _IS_PUBLIC)


def card(session: Session, initiative_id: int, *, today: dt.date) -> InitiativeCard | None:
    """A public initiative as a card, or None."""
    row = session.execute(ONE_CARD, {"initiative_id": initiative_id}).first()
    return None if row is None else InitiativeCard(**card_fields(row, today))


def cards_of(session: Session, ids: Sequence[int], *, today: dt.date) -> list[InitiativeCard]:
    """The cards of these public initiatives, in the order of their numbers as given."""
    if not ids:
        return []
    found = {one.id: one for one in _fetch(session, _PUBLIC_CARDS_OF_THESE, today, ids=list(ids))}
    return [found[one] for one in ids if one in found]


def count_by_state(session: Session) -> dict[InitiativeState, int]:
    """How many initiatives are in each state."""
    rows = session.execute(select(Initiative.state, func.count()).group_by(Initiative.state))
    return {InitiativeState(state): count for state, count in rows}


def due_for_close(session: Session, today: dt.date) -> list[int]:
    """Published initiatives whose target is reached or whose deadline is past."""
    is_due = (Initiative.deadline_on < today) | (_TOTAL.c.cents >= Initiative.target_cents)
    query = (
        select(Initiative.id).join(_TOTAL, true()).where(Initiative.state == InitiativeState.PUBLISHED.value, is_due)
    )
    return list(session.scalars(query.order_by(Initiative.id)))


def failed_with_gifts(session: Session) -> list[tuple[int, InitiativeState]]:
    """Initiatives that failed and still hold vouchers. Not those of which a payout is at the bank: nothing goes back.

    Gifts of money go back one by one (payments.refunding).
    """
    rows = session.execute(
        select(Initiative.id, Initiative.state)
        .where(_HAS_FAILED, ~_AT_THE_BANK, _holds(Donation.kind == DonationKind.VOUCHER.value))
        .order_by(Initiative.id)
    )
    return [(row.id, InitiativeState(row.state)) for row in rows]


def failed_after_payout(session: Session) -> list[tuple[int, int]]:
    """Initiatives that failed while a payout of them is at the bank, and what counts as given to them, in cents."""
    rows = session.execute(
        select(Initiative.id, _TOTAL.c.cents)
        .join(_TOTAL, true())
        .where(_HAS_FAILED, _AT_THE_BANK, _TOTAL.c.givers > 0)
        .order_by(Initiative.id)
    )
    return [(row.id, int(row.cents)) for row in rows]


def failed_with_payout(session: Session) -> list[int]:
    """Initiatives that failed and have a payout that was not sent to the bank: it is refused."""
    states = [state.value for state in LIVING_STATES if state not in AT_THE_BANK_STATES]
    waits = select(Payout.id).where(Payout.initiative_id == Initiative.id, Payout.state.in_(states)).exists()
    return list(session.scalars(select(Initiative.id).where(_HAS_FAILED, waits).order_by(Initiative.id)))


_HAS_FAILED = Initiative.state.in_([state.value for state in FAILED_STATES])
_AT_THE_BANK = select(Payout.id).where(Payout.initiative_id == Initiative.id, Payout.may_be_gone()).exists()


def _holds(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    counts = (Donation.initiative_id == Initiative.id, Donation.state == DonationState.CONFIRMED.value)
    return select(Donation.id).where(*counts, *which).exists()


# Made once, because it is asked after every gift.
_REACHED = (
    select(_TOTAL.c.cents >= Initiative.target_cents)
    .join(_TOTAL, true())
    .where(Initiative.id == bindparam("initiative_id"), Initiative.state == InitiativeState.PUBLISHED.value)
)


def has_reached_target(session: Session, initiative_id: int) -> bool:
    """Whether an initiative that collects has its target. Asked past the ORM: that costs less."""
    return bool(session.connection().scalar(_REACHED, {"initiative_id": initiative_id}))


def is_collecting(session: Session, initiative_id: int, *, now: dt.datetime) -> bool:
    """Whether an initiative takes gifts now."""
    state_and_deadline = (
        Initiative.state == InitiativeState.PUBLISHED.value,
        Initiative.deadline_on >= local_date(now),
    )
    return session.scalar(select(Initiative.id).where(Initiative.id == initiative_id, *state_and_deadline)) is not None


def title_of(session: Session, initiative_id: int) -> str | None:
    """The title of an initiative, whatever its state."""
    return session.scalar(select(Initiative.title).where(Initiative.id == initiative_id))
