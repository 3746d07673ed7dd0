# SPDX-License-Identifier: EUPL-1.2
"""Reads of texts of letters, runs and their files."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.areas.models import HelpPoint
from abs_platform.letters.models import LetterFile, LetterRun, LetterText
from abs_platform.letters.states import FileKind, RunState
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import VoucherBatch


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of a run. ``store_key`` says where its sealed copy lies, while there is one."""

    kind: FileKind
    number: int
    letter_count: int
    byte_count: int
    sha256: str
    first_postcode: str
    last_postcode: str
    made_at: dt.datetime
    store_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run of letters with its files. ``made_count`` is how many letters stand in the files that are there."""

    id: int
    round_id: int
    batch_id: int
    letter_text_id: int
    letter_count: int
    state: RunState
    began_at: dt.datetime
    made_at: dt.datetime | None
    handed_over_at: dt.datetime | None
    withdrawn_at: dt.datetime | None
    files: list[FileRow] = field(default_factory=list)

    @property
    def made_count(self) -> int:
        """How many letters are in the files that are there."""
        return sum(file.letter_count for file in self.files if file.kind == FileKind.LETTERS)

    @property
    def adds_up(self) -> bool:
        """Whether letters and lines of the print house's file are both as many as the run must have."""
        lines = sum(file.letter_count for file in self.files if file.kind == FileKind.ADDRESSES)
        return self.made_count == lines == self.letter_count


def order_key(run_id: int) -> str:
    """Under which key the making of a run is ordered."""
    return f"letters:{run_id}:"


def approved_text_id(session: Session) -> int | None:
    """The newest version of the letter that was approved, or None."""
    return session.scalar(
        select(LetterText.id).where(LetterText.approved_at.is_not(None)).order_by(LetterText.version.desc()).limit(1)
    )


def text_for_batch(session: Session, batch_id: int) -> int | None:
    """Which text the letters of a batch have: that of its run, else of its round, else the newest approved one."""
    if (run := run_of_batch(session, batch_id)) is not None:
        return run.letter_text_id
    of_round = session.scalar(
        select(Round.letter_text_id)
        .join(VoucherBatch, VoucherBatch.round_id == Round.id)
        .where(VoucherBatch.id == batch_id)
    )
    return of_round or approved_text_id(session)


def runs_of_round(session: Session, round_id: int) -> list[RunRow]:
    """The runs of a round, the oldest first, withdrawn ones too."""
    query = select(LetterRun).where(LetterRun.round_id == round_id).order_by(LetterRun.id)
    return [row_of(session, run) for run in session.scalars(query)]


def run_of_batch(session: Session, batch_id: int) -> RunRow | None:
    """The run of a batch that was not withdrawn, or None."""
    run = session.scalar(
        select(LetterRun).where(LetterRun.batch_id == batch_id, LetterRun.state != RunState.WITHDRAWN.value)
    )
    return None if run is None else row_of(session, run)


def run_row(session: Session, run_id: int) -> RunRow | None:
    """One run with its files, or None."""
    run = session.get(LetterRun, run_id)
    return None if run is None else row_of(session, run)


def row_of(session: Session, run: LetterRun) -> RunRow:
    """A run with its files."""
    files = session.scalars(
        select(LetterFile).where(LetterFile.run_id == run.id).order_by(LetterFile.kind, LetterFile.number)
    )
    return RunRow(
        id=run.id,
        round_id=run.round_id,
        batch_id=run.batch_id,
        letter_text_id=run.letter_text_id,
        letter_count=run.letter_count,
        state=RunState(run.state),
        began_at=run.began_at,
        made_at=run.made_at,
        handed_over_at=run.handed_over_at,
        withdrawn_at=run.withdrawn_at,
        files=[
            FileRow(
                FileKind(file.kind),
                file.number,
                file.letter_count,
                file.byte_count,
                file.sha256,
                file.first_postcode,
                file.last_postcode,
                file.made_at,
                file.store_key,
            )
            for file in files
        ],
    )


def help_points(session: Session) -> dict[str, dict[str, str]]:
    """District id (a text: it is kept as JSON) -> where residents get help."""
    return {
        str(point.district_id): {
            "name": point.name,
            "address": point.address,
            "opening_hours": point.opening_hours,
            "phone": point.phone,
        }
        for point in session.scalars(select(HelpPoint))
    }
