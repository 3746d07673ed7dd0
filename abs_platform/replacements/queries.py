# SPDX-License-Identifier: EUPL-1.2
"""Reads of lost letters: which letter an address had, what waits, what came back, and where much goes wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session, aliased

from abs_platform.areas.models import Area
from abs_platform.households.models import Household
from abs_platform.replacements.models import ReplacementRequest, ReturnedLetter
from abs_platform.replacements.states import RequestState, ReturnReason
from abs_platform.rounds.models import Round
from abs_platform.rounds.states import RoundState
from abs_platform.vouchers.models import Voucher

HOT_REQUESTS = 5
HOT_FACTOR = 3


@dataclass(frozen=True, slots=True)
class Address:
    """An address as somebody typed it, tidied: postcode 7607AA, number, letter in upper case, addition."""

    postcode: str
    house_number: int
    house_letter: str = ""
    house_addition: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that was sent: whose voucher, of which round; the household is None once the round is settled."""

    voucher_id: int
    round_id: int
    household_id: int | None
    neighbourhood_id: int | None


def letter_of(session: Session, address: Address, now: dt.datetime) -> Letter | None:
    """The letter of a round that is not over to this very address, whatever became of its voucher; or None."""
    row = session.execute(
        select(Voucher.id, Voucher.round_id, Household.id, Household.neighbourhood_id)
        .join(Household, Household.id == Voucher.household_id)
        .join(Round, Round.id == Voucher.round_id)
        .where(
            Household.postcode == address.postcode,
            Household.house_number == address.house_number,
            Household.house_letter == address.house_letter,
            func.lower(Household.house_addition) == address.house_addition.lower(),
            Household.ended_on.is_(None),
            Voucher.revoked_at.is_(None),
            Round.state == RoundState.ISSUED.value,
            Round.closes_at > now,
        )
        .order_by(Round.closes_at.desc())
        .limit(1)
    ).first()
    return None if row is None else Letter(*row)


def letter_with_code(session: Session, code_digest: bytes) -> Letter | None:
    """The letter that had this code, also when it was revoked since; None for any other digest."""
    row = session.execute(
        select(Voucher.id, Voucher.round_id, Voucher.household_id, Household.neighbourhood_id)
        .outerjoin(Household, Household.id == Voucher.household_id)
        .where(Voucher.code_digest == code_digest)
    ).first()
    return None if row is None else Letter(*row)


def lock_waiting(session: Session, round_id: int) -> Sequence[ReplacementRequest]:
    """The requests of a round that wait, locked, oldest first. Locks: the round first, as issuing does."""
    session.execute(select(Round.id).where(Round.id == round_id).with_for_update(key_share=True))
    waiting = select(ReplacementRequest).where(
        ReplacementRequest.round_id == round_id, ReplacementRequest.state == RequestState.WAITING.value
    )
    return session.scalars(waiting.order_by(ReplacementRequest.id).with_for_update()).all()


def lock_too_late(session: Session, now: dt.datetime) -> list[int]:
    """The requests that wait in rounds that are over, locked."""
    late = (
        select(ReplacementRequest.id)
        .join(Round, Round.id == ReplacementRequest.round_id)
        .where(ReplacementRequest.state == RequestState.WAITING.value, Round.closes_at <= now)
    )
    return list(session.scalars(late.order_by(ReplacementRequest.id).with_for_update(of=ReplacementRequest)))


@dataclass(frozen=True, slots=True)
class RoundPost:
    """What is known of the post of one round: requests by state, letters that came back."""

    round_id: int
    round_name: str
    closes_at: dt.datetime
    is_running: bool
    waiting: int
    oldest_waiting_at: dt.datetime | None
    printed: int
    dropped: int
    returned: int


def post_of_rounds(session: Session, now: dt.datetime, limit: int = 6) -> list[RoundPost]:
    """The newest issued rounds with their lost and returned letters. Three queries."""
    rounds = session.execute(
        select(Round.id, Round.name, Round.closes_at, Round.state)
        .where(Round.state.in_((RoundState.ISSUED.value, RoundState.CLOSED.value)))
        .order_by(Round.opens_at.desc())
        .limit(limit)
    ).all()
    ids = [row.id for row in rounds]
    states: dict[tuple[int, str], tuple[int, dt.datetime]] = {
        (row[0], row[1]): (row[2], row[3])
        for row in session.execute(
            select(
                ReplacementRequest.round_id,
                ReplacementRequest.state,
                func.count(),
                func.min(ReplacementRequest.asked_at),
            )
            .where(ReplacementRequest.round_id.in_(ids))
            .group_by(ReplacementRequest.round_id, ReplacementRequest.state)
        )
    }
    returned: dict[int, int] = {
        row[0]: row[1]
        for row in session.execute(
            select(ReturnedLetter.round_id, func.count())
            .where(ReturnedLetter.round_id.in_(ids))
            .group_by(ReturnedLetter.round_id)
        )
    }
    nothing: tuple[int, dt.datetime | None] = (0, None)
    return [
        RoundPost(
            round_id=row.id,
            round_name=row.name,
            closes_at=row.closes_at,
            is_running=row.state == RoundState.ISSUED and row.closes_at > now,
            waiting=states.get((row.id, RequestState.WAITING.value), nothing)[0],
            oldest_waiting_at=states.get((row.id, RequestState.WAITING.value), nothing)[1],
            printed=states.get((row.id, RequestState.PRINTED.value), nothing)[0],
            dropped=states.get((row.id, RequestState.DROPPED.value), nothing)[0],
            returned=returned.get(row.id, 0),
        )
        for row in rounds
    ]


@dataclass(frozen=True, slots=True)
class HotSpot:
    """A neighbourhood where more goes wrong with the post than elsewhere. ``letters``: how many it was sent."""

    neighbourhood: str
    district: str
    requests: int
    returned: int
    letters: int

    @property
    def per_thousand(self) -> int:
        """Lost and returned letters of a thousand."""
        return round(1000 * (self.requests + self.returned) / self.letters) if self.letters else 0


def hot_spots(session: Session, round_id: int) -> list[HotSpot]:
    """Neighbourhoods with at least five lost or returned letters, and three times the share of the whole round."""
    district = aliased(Area)
    asked = (
        select(func.count())
        .where(ReplacementRequest.round_id == round_id, ReplacementRequest.neighbourhood_id == Area.id)
        .scalar_subquery()
    )
    back = (
        select(func.count())
        .where(ReturnedLetter.round_id == round_id, ReturnedLetter.neighbourhood_id == Area.id)
        .scalar_subquery()
    )
    letters = (
        select(Household.neighbourhood_id, func.count().label("count"))
        .join(Voucher, Voucher.household_id == Household.id)
        .where(Voucher.round_id == round_id)
        .group_by(Household.neighbourhood_id)
        .subquery()
    )
    rows = session.execute(
        select(Area.name, district.name, asked, back, letters.c.count)
        .join(letters, letters.c.neighbourhood_id == Area.id)
        .join(district, district.id == Area.parent_id)
    ).all()
    spots = [HotSpot(*row) for row in rows]
    wrong, sent = sum(spot.requests + spot.returned for spot in spots), sum(spot.letters for spot in spots)
    hot = [
        spot
        for spot in spots
        if spot.requests + spot.returned >= HOT_REQUESTS
        and (spot.requests + spot.returned) * sent >= HOT_FACTOR * wrong * spot.letters
    ]
    return sorted(hot, key=lambda spot: (-spot.per_thousand, spot.neighbourhood))


@dataclass(frozen=True, slots=True)
class MarkedAddress:
    """An address that post came back from."""

    household_id: int
    address: str
    neighbourhood: str
    since: dt.datetime


def marked_addresses(session: Session, limit: int, household_id: int | None = None) -> list[MarkedAddress]:
    """Addresses that get no voucher because the post came back, newest first."""
    rows = session.execute(
        select(Household, Area.name)
        .join(Area, Area.id == Household.neighbourhood_id)
        .where(Household.mail_returned_at.is_not(None), Household.ended_on.is_(None))
        .where(true() if household_id is None else Household.id == household_id)
        .order_by(Household.mail_returned_at.desc(), Household.id)
        .limit(limit)
    )
    return [
        MarkedAddress(home.id, home.address_line, name, home.mail_returned_at)
        for home, name in rows
        if home.mail_returned_at is not None
    ]


def marked_address(session: Session, household_id: int) -> MarkedAddress | None:
    """One address with the mark, or None."""
    return next(iter(marked_addresses(session, 1, household_id)), None)


def count_marked(session: Session) -> int:
    """How many living addresses have the mark."""
    query = select(func.count()).where(Household.mail_returned_at.is_not(None), Household.ended_on.is_(None))
    return session.scalar(query) or 0


def scanned_by(session: Session, account_id: int, since: dt.datetime) -> dict[ReturnReason, int]:
    """How many letters somebody scanned since a moment, by reason."""
    rows = session.execute(
        select(ReturnedLetter.reason, func.count())
        .where(ReturnedLetter.account_id == account_id, ReturnedLetter.scanned_at >= since)
        .group_by(ReturnedLetter.reason)
    )
    return {ReturnReason(reason): count for reason, count in rows}
