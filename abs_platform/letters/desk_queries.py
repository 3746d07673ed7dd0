# SPDX-License-Identifier: EUPL-1.2
"""What the coordinator sees of letters: versions of the text, and of a round its batches with their runs and doubts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from abs_platform.accounts.queries import names_of
from abs_platform.actors import account_number
from abs_platform.areas.models import Area
from abs_platform.events import Event
from abs_platform.households.models import Household
from abs_platform.letters.content import LABELS, LetterContent
from abs_platform.letters.models import LetterRun, LetterText
from abs_platform.letters.queries import RunRow, order_key, run_row, runs_of_round
from abs_platform.letters.states import RunState
from abs_platform.moderation.diffs import Piece, word_changes
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import Voucher, VoucherBatch
from abs_platform.vouchers.states import BatchKind
from abs_platform.work.queries import WorkOrderView, latest
from abs_platform.work.states import WorkKind

ALL_FILES = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A version of the text, who made and approved it, and the rounds that were or are sent with it."""

    id: int
    version: int
    content: LetterContent
    made_at: dt.datetime
    made_by: str
    note: str
    approved_at: dt.datetime | None
    approved_by: str
    rounds: list[str]


def versions(session: Session) -> list[VersionRow]:
    """All versions, the newest first."""
    rows = list(session.scalars(select(LetterText).order_by(LetterText.version.desc())))
    by = (number for row in rows for number in (row.made_by_id, row.approved_by_id) if number is not None)
    names, used = names_of(session, by), _rounds_by_text(session)
    return [
        VersionRow(
            id=row.id,
            version=row.version,
            content=LetterContent(**row.content),
            made_at=row.made_at,
            made_by=names.get(row.made_by_id or 0, ""),
            note=row.note,
            approved_at=row.approved_at,
            approved_by=names.get(row.approved_by_id or 0, ""),
            rounds=used.get(row.id, []),
        )
        for row in rows
    ]


def _rounds_by_text(session: Session) -> dict[int, list[str]]:
    planned = select(Round.letter_text_id, Round.name).where(Round.letter_text_id.is_not(None))
    printed = select(LetterRun.letter_text_id, Round.name).join(Round, Round.id == LetterRun.round_id)
    used: dict[int, list[str]] = {}
    for text_id, name in session.execute(planned.union(printed).order_by("name")):
        used.setdefault(int(text_id or 0), []).append(name)
    return used


@dataclass(frozen=True, slots=True)
class TextChange:
    """One part of the letter that differs between two versions."""

    label: str
    pieces: list[Piece]


def changes_between(old: LetterContent, new: LetterContent) -> list[TextChange]:
    """What differs, in the order of the letter."""
    before, after = old.dump(), new.dump()
    return [
        TextChange(str(label), word_changes(before[name], after[name]))
        for name, label in LABELS.items()
        if before[name] != after[name]
    ]


@dataclass(frozen=True, slots=True)
class Download:
    """Who took a file, and when."""

    happened_at: dt.datetime
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A batch of vouchers of a round with its run (None: there is none now) and those that were withdrawn."""

    id: int
    kind: BatchKind
    issued_at: dt.datetime
    voucher_count: int
    living_count: int
    run: RunRow | None
    withdrawn: list[RunRow]
    order: WorkOrderView | None
    districts: list[tuple[str, int]] = field(default_factory=list)
    downloads: dict[str, list[Download]] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do: its letters were handed over, or it has none."""
        return self.living_count == 0 if self.run is None else self.run.state == RunState.HANDED_OVER


def batches(session: Session, round_id: int) -> list[BatchRow]:
    """The batches of a round, the oldest first."""
    counts = (
        select(Voucher.batch_id, func.count().label("living"))
        .where(Voucher.round_id == round_id, Voucher.revoked_at.is_(None))
        .group_by(Voucher.batch_id)
        .subquery()
    )
    rows = session.execute(
        select(VoucherBatch, func.coalesce(counts.c.living, 0))
        .outerjoin(counts, counts.c.batch_id == VoucherBatch.id)
        .where(VoucherBatch.round_id == round_id)
        .order_by(VoucherBatch.id)
    ).all()
    runs = runs_of_round(session, round_id)
    districts = _letters_by_district(session, round_id)
    downloads = _downloads(session, [run.id for run in runs])
    found = []
    for batch, living in rows:
        of_it = [run for run in runs if run.batch_id == batch.id]
        run = next((run for run in of_it if run.state != RunState.WITHDRAWN), None)
        found.append(
            BatchRow(
                id=batch.id,
                kind=BatchKind(batch.kind),
                issued_at=batch.issued_at,
                voucher_count=batch.voucher_count,
                living_count=living,
                run=run,
                withdrawn=[run for run in of_it if run.state == RunState.WITHDRAWN],
                order=None if run is None else order_of_run(session, run.id),
                districts=districts.get(batch.id, []),
                downloads={} if run is None else downloads.get(run.id, {}),
            )
        )
    return found


def living_at(session: Session, batch_id: int, moment: dt.datetime) -> int:
    """How many vouchers of a batch were not revoked at a moment: so many letters a run that began then must have."""
    living = or_(Voucher.revoked_at.is_(None), Voucher.revoked_at > moment)
    return session.scalar(select(func.count()).select_from(Voucher).where(Voucher.batch_id == batch_id, living)) or 0


def _letters_by_district(session: Session, round_id: int) -> dict[int, list[tuple[str, int]]]:
    """By batch, how many letters go to each district: those of the run, else those that it would have now."""
    neighbourhood, district = aliased(Area), aliased(Area)
    living_run = (LetterRun.batch_id == Voucher.batch_id) & (LetterRun.state != RunState.WITHDRAWN.value)
    rows = session.execute(
        select(Voucher.batch_id, district.name, func.count())
        .outerjoin(LetterRun, living_run)
        .join(Household, Household.id == Voucher.household_id)
        .join(neighbourhood, neighbourhood.id == Household.neighbourhood_id)
        .join(district, district.id == neighbourhood.parent_id)
        .where(
            Voucher.round_id == round_id,
            or_(Voucher.revoked_at.is_(None), Voucher.revoked_at > LetterRun.began_at),
        )
        .group_by(Voucher.batch_id, district.name)
        .order_by(district.name)
    )
    found: dict[int, list[tuple[str, int]]] = {}
    for batch_id, name, count in rows:
        found.setdefault(batch_id, []).append((name, count))
    return found


def _downloads(session: Session, run_ids: Iterable[int]) -> dict[int, dict[str, list[Download]]]:
    """By run and by file ("letters-1", or "all" at once), who took it."""
    kinds = ("letters.file_downloaded", "letters.all_downloaded")
    query = select(Event).where(Event.kind.in_(kinds), Event.subject_id.in_(list(run_ids)))
    events = list(session.scalars(query.order_by(Event.id)))
    numbers = {event.id: account_number(event.actor) for event in events}
    names = names_of(session, (number for number in numbers.values() if number is not None))
    found: dict[int, dict[str, list[Download]]] = {}
    for event in events:
        details = event.details or {}
        file = f"{details.get('file')}-{details.get('number')}" if event.kind == kinds[0] else ALL_FILES
        taken = Download(event.happened_at, names.get(numbers[event.id] or 0, ""))
        found.setdefault(event.subject_id or 0, {}).setdefault(file, []).append(taken)
    return found


def order_of_run(session: Session, run_id: int) -> WorkOrderView | None:
    """The newest order to make a run's files, or None."""
    return latest(session, WorkKind.MAKE_LETTERS, order_key(run_id))


def was_downloaded(session: Session, run_id: int) -> bool:
    """Whether somebody took a file of a run: it may be at the print house already."""
    return bool(_downloads(session, [run_id]))


def run_of_round(session: Session, round_id: int, run_id: int) -> RunRow | None:
    """A run if it is this round's, or None."""
    found = run_row(session, run_id)
    return found if found is not None and found.round_id == round_id else None


@dataclass(frozen=True, slots=True)
class RoundOfLetters:
    """A round as its letters need it. ``letter_text_id``: with which text it was released."""

    id: int
    name: str
    letter_text_id: int | None
    letter_version: int | None
    opens_at: dt.datetime
    closes_at: dt.datetime


def round_of_letters(session: Session, round_id: int) -> RoundOfLetters | None:
    """One round, or None."""
    row = session.execute(
        select(Round, LetterText.version)
        .outerjoin(LetterText, LetterText.id == Round.letter_text_id)
        .where(Round.id == round_id)
    ).first()
    if row is None:
        return None
    found, version = row
    return RoundOfLetters(found.id, found.name, found.letter_text_id, version, found.opens_at, found.closes_at)
