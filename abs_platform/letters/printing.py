# SPDX-License-Identifier: EUPL-1.2
"""The reads of the press: what may stand on a letter, and all that the files of a run are made of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text, true
from sqlalchemy.orm import Session, aliased

from abs_platform.areas.models import Area
from abs_platform.areas.states import AreaLevel
from abs_platform.donations.queries import confirmed_total
from abs_platform.households.models import Household
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.letters.models import LetterRun, LetterText
from abs_platform.letters.queries import RunRow, row_of
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import Voucher, VoucherBatch
from abs_platform.vouchers.print_file import POSTAL_ORDER

_OF_RUN = "v.batch_id = :batch_id AND (v.revoked_at IS NULL OR v.revoked_at > :living_at)"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An initiative that may stand on the back of a letter."""

    id: int
    title: str
    place: str
    area_id: int
    area_name: str
    level: AreaLevel
    published_at: dt.datetime
    deadline_on: dt.date
    givers: int


def candidates(session: Session, *, on: dt.date) -> list[Candidate]:
    """What collects, and still will on a day."""
    total = confirmed_total(Initiative.id)
    rows = session.execute(
        select(
            Initiative.id,
            Initiative.title,
            Initiative.place_description,
            Area.id,
            Area.name,
            Area.level,
            Initiative.published_at,
            Initiative.deadline_on,
            total.c.givers,
        )
        .join(Area, Area.id == Initiative.area_id)
        .join(total, true())
        .where(Initiative.state == InitiativeState.PUBLISHED.value, Initiative.deadline_on >= on)
        .order_by(Initiative.id)
    )
    return [
        Candidate(number, title, place, area_id, area_name, AreaLevel(level), published_at, deadline_on, givers)
        for number, title, place, area_id, area_name, level, published_at, deadline_on, givers in rows
    ]


def living_count(session: Session, batch_id: int) -> int:
    """How many vouchers of a batch are not revoked."""
    count = select(func.count()).select_from(Voucher).where(Voucher.batch_id == batch_id, Voucher.revoked_at.is_(None))
    return session.scalar(count) or 0


def round_of_batch(session: Session, batch_id: int) -> int | None:
    """The round of a batch of vouchers, or None when there is no such batch."""
    return session.scalar(select(VoucherBatch.round_id).where(VoucherBatch.id == batch_id))


def voucher_ids(session: Session, batch_id: int, living_at: dt.datetime) -> list[int]:
    """The vouchers of a batch that were not revoked at a moment, in the order of the post."""
    query = text(
        f"SELECT v.id FROM vouchers v LEFT JOIN households h ON h.id = v.household_id WHERE {_OF_RUN} "  # noqa: S608
        f"ORDER BY {POSTAL_ORDER}"
    )
    return list(session.scalars(query, {"batch_id": batch_id, "living_at": living_at}))


@dataclass(frozen=True, slots=True)
class Letter:
    """What is known of one letter. The address is None when it was forgotten (rule 11)."""

    nonce: bytes
    code_digest: bytes
    street: str | None
    house_number: int
    house_letter: str
    house_addition: str
    postcode: str
    city: str
    neighbourhood_id: int

    @property
    def house(self) -> tuple[int, str, str]:
        """Number, letter and addition."""
        return self.house_number, self.house_letter, self.house_addition


def letters_of(session: Session, ids: list[int]) -> list[Letter]:
    """Some vouchers as letters, in the order of the post."""
    query = text(
        "SELECT v.nonce, v.code_digest, h.street, h.house_number, h.house_letter, h.house_addition, h.postcode, "  # noqa: S608
        "h.city, h.neighbourhood_id FROM vouchers v LEFT JOIN households h ON h.id = v.household_id "
        f"WHERE v.id = ANY(:ids) ORDER BY {POSTAL_ORDER}"
    )
    return [Letter(*row) for row in session.execute(query, {"ids": ids})]


def names_of(session: Session, batch_id: int) -> dict[int, tuple[str, int | None, str]]:
    """Of the neighbourhoods of a batch's households: the name, the district's id and the district's name."""
    district = aliased(Area)
    of_batch = (
        select(Household.neighbourhood_id)
        .join(Voucher, Voucher.household_id == Household.id)
        .where(Voucher.batch_id == batch_id)
    )
    rows = session.execute(
        select(Area.id, Area.name, district.id, district.name)
        .outerjoin(district, district.id == Area.parent_id)
        .where(Area.id.in_(of_batch))
        .order_by(Area.id)
    )
    return {row[0]: (row[1], row[2], row[3] or "") for row in rows}


@dataclass(frozen=True, slots=True)
class PrintJob:
    """All that the files of a run are made of, but for the letters themselves."""

    run: RunRow
    content: dict[str, Any]
    text_version: int
    choices: dict[str, list[dict[str, Any]]]
    help_points: dict[str, dict[str, str]]
    letters_per_file: int
    round_name: str
    amount_cents: int
    opens_at: dt.datetime
    closes_at: dt.datetime
    key_fingerprint: bytes | None
    merkle_root: bytes | None
    names: dict[int, tuple[str, int | None, str]]
    voucher_ids: list[int]


def print_job(session: Session, run_id: int) -> PrintJob | None:
    """What a run prints, or None when there is no such run."""
    found = session.execute(
        select(LetterRun, LetterText, Round, VoucherBatch)
        .join(LetterText, LetterText.id == LetterRun.letter_text_id)
        .join(Round, Round.id == LetterRun.round_id)
        .join(VoucherBatch, VoucherBatch.id == LetterRun.batch_id)
        .where(LetterRun.id == run_id)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        return None
    run, words, round_, batch = found
    return PrintJob(
        run=row_of(session, run),
        content=words.content,
        text_version=words.version,
        choices=run.choices,
        help_points=run.help_points,
        letters_per_file=run.letters_per_file,
        round_name=round_.name,
        amount_cents=round_.amount_cents,
        opens_at=round_.opens_at,
        closes_at=round_.closes_at,
        key_fingerprint=round_.key_fingerprint,
        merkle_root=batch.merkle_root,
        names=names_of(session, run.batch_id),
        voucher_ids=voucher_ids(session, run.batch_id, run.began_at),
    )
