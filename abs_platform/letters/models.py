# SPDX-License-Identifier: EUPL-1.2
"""Texts of letters, runs of letters and their files."""

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from abs_platform.database import Base, in_list
from abs_platform.letters.states import FileKind, RunState


class LetterText(Base):
    """One version of the text of the letter. It never changes: who edits it makes the next version.

    ``content`` is what letters.content.LetterContent reads. A round is issued only with an approved version.
    """

    __tablename__ = "letter_texts"
    __table_args__ = (
        CheckConstraint("(approved_at IS NULL) = (approved_by_id IS NULL)", name="approved_by_somebody"),
        CheckConstraint("version > 0", name="version_positive"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    version: Mapped[int] = mapped_column(unique=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    note: Mapped[str] = mapped_column(server_default="")
    approved_at: Mapped[dt.datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))


class LetterRun(Base):
    """The letters of one batch of vouchers, made with one text and one list of choices, so that they can be made again.

    ``choices`` are the initiatives on the back as they were when the run began: neighbourhood id -> rows, of
    letters.choices; ``help_points`` the desks: district id -> its fields. ``letter_count`` is how many letters it must
    have. A batch has one run that was not withdrawn.
    """

    __tablename__ = "letter_runs"
    __table_args__ = (
        CheckConstraint(f"state IN {in_list(RunState)}", name="state_known"),
        CheckConstraint("letter_count > 0 AND letters_per_file > 0", name="letter_count_positive"),
        CheckConstraint("(state = 'handed_over') = (handed_over_at IS NOT NULL)", name="handed_over_at_when_so"),
        CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn_at_when_so"),
        Index("uq_letter_runs_one_living", "batch_id", unique=True, postgresql_where="state <> 'withdrawn'"),
        Index(None, "round_id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    batch_id: Mapped[int] = mapped_column(ForeignKey("voucher_batches.id"))
    letter_text_id: Mapped[int] = mapped_column(ForeignKey("letter_texts.id"))
    choices: Mapped[dict[str, Any]] = mapped_column(JSONB)
    help_points: Mapped[dict[str, Any]] = mapped_column(JSONB)
    letter_count: Mapped[int]
    letters_per_file: Mapped[int]
    state: Mapped[str] = mapped_column(server_default=RunState.MAKING.value)
    began_at: Mapped[dt.datetime]
    made_at: Mapped[dt.datetime | None]
    handed_over_at: Mapped[dt.datetime | None]
    withdrawn_at: Mapped[dt.datetime | None]


class LetterFile(Base):
    """One file of a run: which letters (by postcode), how many, and which bytes.

    ``store_key`` says where its sealed copy lies in the file store, as long as it does; a file that was made by command
    has none. The bytes hold codes, so nothing but the sealed copy is kept.
    """

    __tablename__ = "letter_files"
    __table_args__ = (
        CheckConstraint(f"kind IN {in_list(FileKind)}", name="kind_known"),
        CheckConstraint("letter_count > 0 AND byte_count > 0", name="counts_positive"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_form"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("letter_runs.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    letter_count: Mapped[int]
    byte_count: Mapped[int]
    sha256: Mapped[str]
    first_postcode: Mapped[str]
    last_postcode: Mapped[str]
    made_at: Mapped[dt.datetime]
    store_key: Mapped[str | None]
