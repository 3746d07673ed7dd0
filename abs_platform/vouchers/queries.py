# SPDX-License-Identifier: EUPL-1.2
"""Reads of vouchers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import BigInteger, cast, func, select, true
from sqlalchemy.orm import Session

from abs_platform.accounts.models import Account
from abs_platform.clock import last_day
from abs_platform.donations.models import Donation
from abs_platform.donations.states import DonationState
from abs_platform.households.models import Household
from abs_platform.initiatives.models import Initiative
from abs_platform.rounds.models import Round
from abs_platform.rounds.states import RoundState
from abs_platform.vouchers.models import CodeAttempt, KeptVoucher, Voucher, VoucherBatch
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


@dataclass(frozen=True, slots=True)
class OwnVoucher:
    """A voucher that somebody keeps in an account, as its keeper sees it. ``reference``: the receipt of its gift."""

    id: int
    round_name: str
    amount_cents: int
    state: VoucherState
    usable_until: dt.datetime
    initiative_title: str | None
    reference: str | None

    @property
    def is_living(self) -> bool:
        """Whether it can still be given."""
        return self.state in {VoucherState.ISSUED, VoucherState.KEPT}

    @property
    def last_day(self) -> dt.date:
        """The last day on which it can (or could) be given."""
        return last_day(self.usable_until)


def own_vouchers(session: Session, account_id: int, voucher_id: int | None = None) -> list[OwnVoucher]:
    """What an account keeps or kept, living ones first, the first to end first."""
    is_living = Voucher.state.in_((VoucherState.ISSUED.value, VoucherState.KEPT.value))
    until = func.coalesce(Voucher.usable_until, Round.closes_at)
    rows = session.execute(
        select(Voucher.id, Round.name, Round.amount_cents, Voucher.state, until, Initiative.title, Donation.reference)
        .join(KeptVoucher, KeptVoucher.voucher_id == Voucher.id)
        .join(Round, Round.id == Voucher.round_id)
        .outerjoin(Donation, (Donation.voucher_id == Voucher.id) & (Donation.state == DonationState.CONFIRMED.value))
        .outerjoin(Initiative, Initiative.id == Donation.initiative_id)
        .where(KeptVoucher.account_id == account_id)
        .where(true() if voucher_id is None else Voucher.id == voucher_id)
        .order_by(is_living.desc(), until, Voucher.id)
    )
    return [OwnVoucher(*row[:3], VoucherState(row[3]), *row[4:]) for row in rows]


def count_kept(session: Session, account_id: int) -> int:
    """How many vouchers an account keeps that can still be given."""
    living = Voucher.state.in_((VoucherState.ISSUED.value, VoucherState.KEPT.value))
    query = (
        select(func.count())
        .select_from(KeptVoucher)
        .join(Voucher, Voucher.id == KeptVoucher.voucher_id)
        .where(KeptVoucher.account_id == account_id, living)
    )
    return session.scalar(query) or 0


@dataclass(frozen=True, slots=True)
class EndingVouchers:
    """The vouchers of one account that end on the same day."""

    account_id: int
    email: str
    usable_until: dt.datetime
    count: int
    amount_cents: int


def kept_that_end(session: Session, now: dt.datetime, before: dt.datetime) -> list[EndingVouchers]:
    """Kept vouchers whose time is over soon, an account and an end at a time."""
    rows = session.execute(
        select(
            Account.id,
            Account.email,
            Voucher.usable_until,
            func.count(),
            cast(func.sum(Round.amount_cents), BigInteger),
        )
        .select_from(Voucher)
        .join(KeptVoucher, KeptVoucher.voucher_id == Voucher.id)
        .join(Account, Account.id == KeptVoucher.account_id)
        .join(Round, Round.id == Voucher.round_id)
        .where(
            Voucher.state.in_((VoucherState.ISSUED.value, VoucherState.KEPT.value)),
            Voucher.usable_until > now,
            Voucher.usable_until <= before,
            Account.email.is_not(None),
        )
        .group_by(Account.id, Account.email, Voucher.usable_until)
        .order_by(Voucher.usable_until, Account.id)
    )
    return [
        EndingVouchers(row[0], row[1], row[2], row[3], row[4])
        for row in rows
        if row[1] is not None and row[2] is not None
    ]


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
