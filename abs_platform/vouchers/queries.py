# SPDX-License-Identifier: EUPL-1.2
"""Reads of vouchers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.households.models import Household
from abs_platform.rounds.models import Round
from abs_platform.rounds.states import RoundState
from abs_platform.vouchers.models import CodeAttempt, Voucher, VoucherBatch
from abs_platform.vouchers.states import VoucherState


@dataclass(frozen=True, slots=True)
class VoucherStatus:
    """What is known of a voucher: for the one who holds its code, and, when it is not usable, for the staff log."""

    id: int
    state: VoucherState
    amount_cents: int
    opens_at: dt.datetime
    usable_until: dt.datetime

    def why_not_usable(self, now: dt.datetime) -> str | None:
        """Why it cannot be given now, in a word for the staff log; None when it can."""
        if self.state not in {VoucherState.ISSUED, VoucherState.KEPT}:
            return self.state.value
        if now < self.opens_at:
            return "not yet open"
        return None if now < self.usable_until else "expired"


def status(session: Session, code_digest: bytes) -> VoucherStatus | None:
    """The voucher with this digest, or None."""
    row = session.execute(
        select(
            Voucher.id,
            Voucher.state,
            Round.amount_cents,
            Round.opens_at,
            func.coalesce(Voucher.usable_until, Round.closes_at),
        )
        .join(Round, Round.id == Voucher.round_id)
        .where(Voucher.code_digest == code_digest)
    ).first()
    return None if row is None else VoucherStatus(row[0], VoucherState(row[1]), *row[2:])


@dataclass(frozen=True, slots=True)
class LetterAddress:
    """Where a letter was sent to, without the household or the voucher. ``house_number`` with letter and addition."""

    neighbourhood_id: int
    postcode: str
    house_number: str


def letter_address(session: Session, code_digest: bytes) -> LetterAddress | None:
    """The address of a voucher that was not revoked, as long as that is known; None for any other digest."""
    row = session.execute(
        select(
            Household.neighbourhood_id,
            Household.postcode,
            Household.house_number,
            Household.house_letter,
            Household.house_addition,
        )
        .join(Voucher, Voucher.household_id == Household.id)
        .where(Voucher.code_digest == code_digest, Voucher.revoked_at.is_(None))
    ).first()
    if row is None:
        return None
    addition = f"-{row.house_addition}" if row.house_addition else ""
    return LetterAddress(row.neighbourhood_id, row.postcode, f"{row.house_number}{row.house_letter}{addition}")


def wrong_codes(
    session: Session, client_digests: tuple[bytes, bytes], since: dt.datetime, limit: int
) -> list[dt.datetime]:
    """When a client tried its last wrong codes, newest first, at most ``limit`` of them."""
    return list(
        session.scalars(
            select(CodeAttempt.attempted_at)
            .where(CodeAttempt.client_digest.in_(client_digests), CodeAttempt.attempted_at > since)
            .order_by(CodeAttempt.attempted_at.desc())
            .limit(limit)
        )
    )


def count_wrong_codes(session: Session, since: dt.datetime, limit: int) -> int:
    """How many wrong codes were tried over all, counting no further than ``limit``."""
    some = select(CodeAttempt.id).where(CodeAttempt.attempted_at > since).limit(limit).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def rounds_due_for_expiry(session: Session, now: dt.datetime) -> list[int]:
    """Rounds to close, and rounds with a kept or revived voucher whose own time is over."""
    over = select(Voucher.round_id).where(
        Voucher.usable_until <= now, Voucher.state.in_((VoucherState.ISSUED.value, VoucherState.KEPT.value))
    )
    due = ((Round.state == RoundState.ISSUED.value) & (Round.closes_at <= now)) | Round.id.in_(over)
    return list(session.scalars(select(Round.id).where(due).order_by(Round.id)))


def batches_of(session: Session, round_id: int) -> list[VoucherBatch]:
    """The batches in which a round was issued, oldest first."""
    return list(
        session.scalars(select(VoucherBatch).where(VoucherBatch.round_id == round_id).order_by(VoucherBatch.id))
    )


def settled_rounds(session: Session, closed_before: dt.datetime) -> list[int]:
    """Rounds that closed before a moment, with no voucher left to give, that still know their households."""
    of_round = Voucher.round_id == Round.id
    living = select(Voucher.id).where(of_round, Voucher.state.in_((VoucherState.ISSUED.value, VoucherState.KEPT.value)))
    known = select(Voucher.id).where(of_round, Voucher.household_id.is_not(None))
    query = select(Round.id).where(Round.closed_at < closed_before, ~living.exists(), known.exists())
    return list(session.scalars(query.order_by(Round.id)))
