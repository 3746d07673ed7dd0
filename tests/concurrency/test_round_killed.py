# SPDX-License-Identifier: EUPL-1.2
"""Issue, print, replace and expire with the process killed twenty times: complete, none twice, books right."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from abs_platform.config import ROOT_DIR
from abs_platform.events import Event
from abs_platform.ledger.queries import check
from abs_platform.letters.models import LetterRun
from abs_platform.letters.press import open_sealed
from abs_platform.letters.queries import FileRow, RunRow, runs_of_round
from abs_platform.letters.states import FileKind, RunState
from abs_platform.reports.proving import prove
from abs_platform.rounds.models import Round
from abs_platform.vouchers.codes import read_code
from abs_platform.vouchers.models import Voucher, VoucherBatch
from tests.concurrency.processes import environment
from tests.concurrency.racing import PATIENCE
from tests.concurrency.round_victim import GIVEN, LETTERS_A_FILE, LOST
from tests.factories import Factory
from tests.letters.making import add_help_points, approved_text, printed_codes

KILLS = 20
HOUSEHOLDS = 60
REPLACED = len(set(LOST) - set(GIVEN))
DROPPED = len(set(LOST) & set(GIVEN))
MOST_LIVES = 7

ONE_LIVING_VOUCHER_IS_MISSING_OR_THERE_ARE_TWO = """
    SELECT r.id, h.id, count(v.id) FROM households h
    CROSS JOIN rounds r
    LEFT JOIN vouchers v ON v.household_id = h.id AND v.round_id = r.id AND v.state <> 'revoked'
    WHERE h.ended_on IS NULL GROUP BY r.id, h.id HAVING count(v.id) <> 1
"""


class Victim:
    """The process in which rounds live, and die."""

    def __init__(self, process: subprocess.Popen[str], standing: dict[str, Any]) -> None:
        self.process, self.standing = process, standing

    def live(self, life: int, how: str = "to the end", when: float = 0) -> bool:
        """Go on with a round until its end, or until it is killed; whether it came to its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = self.standing | {"life": life, "how": how, "when": when}
        print(json.dumps(order), file=self.process.stdin, flush=True)
        answer = next(json.loads(line) for line in self.process.stdout if line.startswith('{"killed"'))
        assert answer["killed"] or answer["status"] == 0
        return not answer["killed"]


@contextmanager
def victim(app: Flask, standing: dict[str, Any]) -> Iterator[Victim]:
    """A process of its own, so that no thread of the tests is in what is forked."""
    command = [sys.executable, "-m", "tests.concurrency.round_victim"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT_DIR, env=environment(app), stdin=pipe, stdout=pipe, text=True) as process:
        yield Victim(process, standing)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


def a_death(chance: random.Random) -> tuple[str, float]:
    """How and when the next one dies: at any moment, in the middle of a transaction, between a file and its row."""
    how = chance.choice(("seconds", "seconds", "commit", "file"))
    return how, {"seconds": chance.uniform(0, 0.9), "commit": chance.randint(1, 9), "file": chance.randint(1, 2)}[how]


def test_a_round_that_is_killed_twenty_times_ends_as_if_nothing_had_been(
    own_app: Flask, own_session: Session, own_factory: Factory, tmp_path: Path
) -> None:
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    print(f"seed {seed}")
    own_factory.households(HOUSEHOLDS)
    approved_text(own_factory)
    add_help_points(own_factory)
    initiative = own_factory.initiative(target_cents=500_000, days_left=320)
    own_session.commit()
    standing = {
        "began": own_factory.now.isoformat(),
        "folder": str(tmp_path / "brieven"),
        "initiative": initiative.id,
    }

    life, ways = 0, Counter[str]()
    with victim(own_app, standing) as lives:
        while ways.total() < KILLS:
            how, when = a_death(chance)
            print(f"round {life}: {how} {when}")
            if lives.live(life, how, when):
                life += 1
                assert life < MOST_LIVES, "deaths come too late"
            else:
                ways[how] += 1
        assert lives.live(life)
    own_session.rollback()

    print(ways)
    assert own_session.execute(text(ONE_LIVING_VOUCHER_IS_MISSING_OR_THERE_ARE_TWO)).all() == []
    assert check(own_session, jobs_have_run=True) == []
    rounds = own_session.scalars(select(Round).order_by(Round.id)).all()
    assert [round_.name for round_ in rounds] == [f"Ronde {number}" for number in range(life + 1)]
    for number, round_ in enumerate(rounds):
        assert states_of(own_session, round_) == {
            "given": len(GIVEN), "revoked": REPLACED, "expired": HOUSEHOLDS - len(GIVEN)
        }  # fmt: skip
        proof = prove(own_session, round_.id)
        assert (proof.faults, proof.issued) == ([], HOUSEHOLDS + REPLACED)
        assert_letters_are_right(own_app, own_session, round_, tmp_path / "brieven" / str(number))
    assert_each_happened_once(own_session, rounds)
    assert files_that_no_row_speaks_of(own_app, own_session) == set()


def states_of(session: Session, round_: Round) -> dict[str, int]:
    """How many vouchers of a round are in each state."""
    counted = select(Voucher.state, func.count()).where(Voucher.round_id == round_.id).group_by(Voucher.state)
    return {row[0]: row[1] for row in session.execute(counted)}


def assert_letters_are_right(app: Flask, session: Session, round_: Round, folder: Path) -> None:
    """Two runs, handed over; every code once, in letters and in the list, and each of a voucher of its batch."""
    runs = runs_of_round(session, round_.id)
    assert [(run.state, run.letter_count, run.adds_up) for run in runs] == [
        (RunState.HANDED_OVER, HOUSEHOLDS, True),
        (RunState.HANDED_OVER, REPLACED, True),
    ]
    contents = [sealed_files(app, runs[0]), list(folder_files(folder, runs[1]))]
    everything: list[str] = []
    for run, files in zip(runs, contents, strict=True):
        letters, lines = [], []
        for file, data in files:
            assert (file.byte_count, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
            if file.kind == FileKind.LETTERS:
                codes = [code.replace(" ", "-") for code in printed_codes(data)]
                assert len(codes) == file.letter_count <= LETTERS_A_FILE
                letters += codes
            else:
                rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig")), delimiter=";")
                lines += [row["code"] for row in rows]
        assert letters == lines
        digests = {app.extensions["code_keys"].digest(read_code(code)) for code in letters}
        of_batch = select(Voucher.code_digest).where(Voucher.batch_id == run.batch_id)
        assert digests == set(session.scalars(of_batch))
        everything += letters
    assert len(set(everything)) == len(everything) == HOUSEHOLDS + REPLACED


def sealed_files(app: Flask, run: RunRow) -> list[tuple[FileRow, bytes]]:
    """The files of a run that lie sealed in the file store."""
    store, keys = app.extensions["file_store"], app.extensions["code_keys"]
    return [(file, open_sealed(store, run.id, file, keys) or b"") for file in run.files]


def folder_files(folder: Path, run: RunRow) -> Iterator[tuple[FileRow, bytes]]:
    """The files of a run in a folder, in which its manifest stands for nothing else, and no draft is left."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert (manifest["letters"], manifest["run"]) == (run.letter_count, run.id)
    assert {file.name for file in folder.iterdir()} == {"manifest.json", *(one["name"] for one in manifest["files"])}
    for file, listed in zip(run.files, manifest["files"], strict=True):
        assert (file.kind.value, file.letter_count, file.sha256) == (
            listed["kind"], listed["count"], listed["sha256"]
        )  # fmt: skip
        yield file, (folder / listed["name"]).read_bytes()


def assert_each_happened_once(session: Session, rounds: Any) -> None:
    """The event log says each thing as often as it happened."""
    number = len(rounds)
    counted = {row[0]: row[1] for row in session.execute(select(Event.kind, func.count()).group_by(Event.kind))}
    expected = {
        "round.planned": number,
        "round.released": number,
        "round.issued": number,
        "round.vouchers_issued": 2 * number,
        "round.vouchers_revoked": number,
        "round.letters_replaced": number,
        "round.vouchers_expired": number,
        "round.closed": number,
        "letter_run.begun": 2 * number,
        "letter_run.made": 2 * number,
        "letters.handed_over": 2 * number,
        "replacement.asked": len(LOST) * number,
        "voucher.given": len(GIVEN) * number,
        "voucher.revoked": REPLACED * number,
        "voucher.expired": (HOUSEHOLDS - len(GIVEN)) * number,
    }
    assert {kind: counted.get(kind, 0) for kind in expected} == expected
    twice = """
        SELECT kind, subject_id FROM events WHERE kind IN ('voucher.given', 'voucher.revoked', 'voucher.expired')
        GROUP BY 1, 2 HAVING count(*) > 1"""
    assert session.execute(text(twice)).all() == []
    batches = session.scalar(select(func.count()).select_from(VoucherBatch))
    runs = session.scalar(select(func.count()).select_from(LetterRun))
    assert (batches, runs) == (2 * number, 2 * number)


def files_that_no_row_speaks_of(app: Flask, session: Session) -> set[str]:
    """Sealed letters that nobody would ever wipe."""
    rows = set(session.scalars(text("SELECT store_key FROM letter_files WHERE store_key IS NOT NULL")))
    return {key for key, _written_at in app.extensions["file_store"].keys("letters/")} - rows
