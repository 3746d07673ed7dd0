# SPDX-License-Identifier: EUPL-1.2
"""Runs of letters as the press leaves them, without the press: rows with counts, and no file behind them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Flask
from sqlalchemy import select

from abs_platform.areas.helping import HelpPointInput, seal_of, set_help_point
from abs_platform.areas.models import HelpPoint
from abs_platform.letters import writing
from abs_platform.letters.content import LetterContent, default_content
from abs_platform.letters.filing import SealedStore
from abs_platform.letters.models import LetterFile, LetterRun, LetterText
from abs_platform.letters.queries import RunRow, approved_text_id, run_row
from abs_platform.letters.states import FileKind, RunState
from abs_platform.municipality import Municipality
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import VoucherBatch
from tests.factories import TEST_ACTOR, Factory

if TYPE_CHECKING:
    from tests.permissions.town import Town


def approved_text(factory: Factory) -> LetterText:
    """The letter with which everybody begins, approved."""
    content = default_content(Municipality.load("almelo"))
    account = factory.account(name="Coen")
    text = writing.save_text(
        factory.session, content, seen_version=0, note="", account_id=None, actor=TEST_ACTOR, now=factory.now
    )
    return writing.approve(factory.session, text.id, account_id=account.id, actor=TEST_ACTOR, now=factory.now)


def issued_batch(factory: Factory, count: int = 3) -> VoucherBatch:
    """A round of so many vouchers, issued; its one batch."""
    factory.households(count)
    round_: Round = factory.round(name="Najaar 2026")
    factory.issue(round_)
    return factory.session.query(VoucherBatch).filter_by(round_id=round_.id).one()


def key_of(run: LetterRun, kind: FileKind, number: int) -> str:
    """Where its sealed copy would lie."""
    return f"letters/{run.id}/{kind.value}-{number:04d}.sealed"


def bytes_of(kind: FileKind, number: int) -> bytes:
    """What would be a PDF or a CSV."""
    return f"{kind.value} {number}".encode()


def add_file(factory: Factory, run: LetterRun, kind: FileKind, number: int, letters: int) -> None:
    """A file of a run."""
    factory.session.add(
        LetterFile(
            run_id=run.id,
            kind=kind.value,
            number=number,
            letter_count=letters,
            byte_count=1000 * letters,
            sha256=hashlib.sha256(bytes_of(kind, number)).hexdigest(),
            first_postcode="7609AB",
            last_postcode="7609AB",
            made_at=factory.now,
            store_key=key_of(run, kind, number),
        )
    )
    factory.session.flush()


def made_run(
    factory: Factory,
    batch: VoucherBatch,
    *,
    text: LetterText | None = None,
    letters: tuple[int, ...] = (2, 1),
    lines: int = 3,
    count: int = 3,
    state: RunState = RunState.MADE,
    choices: dict[str, Any] | None = None,
) -> LetterRun:
    """A run with files of so many letters, a printer's file of so many lines, and what it should come to."""
    run = LetterRun(
        round_id=batch.round_id,
        batch_id=batch.id,
        letter_text_id=(text or approved_text(factory)).id,
        choices=choices or {},
        help_points={},
        letters_per_file=400,
        letter_count=count,
        state=state.value,
        began_at=factory.now,
    )
    factory.session.add(run)
    factory.session.flush()
    for number, letter_count in enumerate(letters, start=1):
        add_file(factory, run, FileKind.LETTERS, number, letter_count)
    if lines:
        add_file(factory, run, FileKind.ADDRESSES, 1, lines)
    return run


def row_of(factory: Factory, run: LetterRun) -> RunRow:
    """The run as pages see it."""
    factory.session.expire_all()
    found = run_row(factory.session, run.id)
    assert found is not None
    return found


def of_town(town: Town) -> None:
    """A version to approve, a help point, a round's batch with letters that are made, and one without."""
    factory, session = town.factory, town.session
    text_id = approved_text_id(session)
    text = approved_text(factory) if text_id is None else session.get_one(LetterText, text_id)
    content = replace(LetterContent(**text.content), title="Nog een kop")
    newer = writing.save_text(
        session, content, seen_version=text.version, note="", account_id=None, actor=TEST_ACTOR, now=factory.now
    )
    batches = session.scalars(select(VoucherBatch).order_by(VoucherBatch.id.desc()).limit(2)).all()
    count = batches[0].voucher_count
    run = made_run(factory, batches[0], text=text, letters=(count,), lines=count, count=count)
    keep_files(town.app, factory, run)
    district = factory.area_id("WK014118")
    desk = HelpPointInput("Wijkcentrum", "Plein 1", "elke dag", "0546 123456")
    set_help_point(session, district, desk, seen="", actor=TEST_ACTOR, now=factory.now)
    town.ids |= {
        "letter_text": newer.id,
        "letter_round": run.round_id,
        "letter_run": run.id,
        "letter_count": count,
        "bare_batch": batches[1].id,
        "district": district,
        "help_seen": seal_of(session.get(HelpPoint, district)),
    }


def keep_files(app: Flask, factory: Factory, run: LetterRun) -> None:
    """Put the sealed copy behind every file of a run in the file store."""
    shelf = SealedStore(app.extensions["file_store"], run.id, factory.keys)
    for file in row_of(factory, run).files:
        assert shelf.put("", file.kind, file.number, bytes_of(file.kind, file.number)) == file.store_key
