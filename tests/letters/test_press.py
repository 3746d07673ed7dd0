# SPDX-License-Identifier: EUPL-1.2
"""The press: every letter once, in files that add up, the same bytes each time, wherever it was killed."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.config import ROOT_DIR
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.letters import press, service
from abs_platform.letters.models import LetterFile, LetterRun
from abs_platform.letters.queries import run_row
from abs_platform.letters.states import FileKind, RunState
from abs_platform.vouchers.codes import CodeKeys
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.service import revoke_voucher
from abs_platform.work.queries import latest
from abs_platform.work.service import order
from abs_platform.work.states import WorkKind, WorkState
from jobs import do_work
from tests.factories import TEST_ACTOR, Factory
from tests.letters.making import batch_of, letter_files, printed_codes, run_of


@pytest.fixture
def run(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> LetterRun:
    """Five letters, two a file, in streets that were not added in the order of the post."""
    monkeypatch.setattr(service, "LETTERS_A_FILE", 2)
    for number, household in enumerate(factory.households(5)):
        household.postcode = ("7609ZZ", "7607AB", "7609AB", "7607AB", "7608XX")[number]
        household.house_number = 20 - number
    round_ = factory.round(name="Najaar 2026")
    factory.issue(round_)
    return run_of(factory, round_)


def make(factory: Factory, run: LetterRun, folder: Path | None, **options: object) -> press.PressReport:
    report = press.make_files(run.id, folder, keys=factory.keys, **options)  # type: ignore[arg-type]
    factory.session.expire_all()
    return report


def lines_of(folder: Path) -> list[dict[str, str]]:
    with next(folder.glob("*.csv")).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_every_letter_stands_once_in_the_order_of_the_post_and_the_list_of_the_printer_is_the_same(
    factory: Factory, run: LetterRun, tmp_path: Path
) -> None:
    done: list[int] = []

    report = make(factory, run, tmp_path / "brieven", on_progress=done.append)

    files = letter_files(tmp_path / "brieven")
    codes = [[code.replace(" ", "-") for code in printed_codes(file)] for file in files]
    lines = lines_of(tmp_path / "brieven")
    assert [len(one) for one in codes] == [2, 2, 1]
    assert [code for one in codes for code in one] == [line["code"] for line in lines]
    assert [(line["postcode"], int(line["huisnummer"])) for line in lines] == sorted(
        (line["postcode"], int(line["huisnummer"])) for line in lines
    )
    assert len({line["code"] for line in lines}) == 5
    assert (report.letter_count, report.file_count, report.replaced, sum(done)) == (5, 4, "", 5)
    assert run.state == RunState.MADE


def test_the_manifest_says_of_each_file_what_it_is(factory: Factory, run: LetterRun, tmp_path: Path) -> None:
    report = make(factory, run, tmp_path / "brieven")

    data = (tmp_path / "brieven" / "manifest.json").read_bytes()
    manifest = json.loads(data)
    assert hashlib.sha256(data).hexdigest() == report.manifest_sha256
    for one in manifest["files"]:
        content = (tmp_path / "brieven" / one["name"]).read_bytes()
        assert (one["bytes"], one["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert [(one["kind"], one["count"]) for one in manifest["files"]] == [
        ("addresses", 5), ("letters", 2), ("letters", 2), ("letters", 1),
    ]  # fmt: skip
    assert (manifest["letters"], manifest["round"], manifest["batch"]) == (5, "Najaar 2026", run.batch_id)
    assert {file.name for file in (tmp_path / "brieven").iterdir()} == {
        "manifest.json", *(one["name"] for one in manifest["files"]),
    }  # fmt: skip


def test_only_their_owner_can_read_the_files(factory: Factory, run: LetterRun, tmp_path: Path) -> None:
    make(factory, run, tmp_path / "brieven")

    assert (tmp_path / "brieven").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "brieven").iterdir()} == {0o600}


def test_a_folder_that_others_can_read_is_refused(factory: Factory, run: LetterRun, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)

    with pytest.raises(InvalidInput, match="chmod 700"):
        make(factory, run, tmp_path / "open")

    assert list((tmp_path / "open").iterdir()) == []


def test_made_again_they_have_the_same_bytes(factory: Factory, run: LetterRun, tmp_path: Path) -> None:
    first = make(factory, run, tmp_path / "een")
    again = make(factory, run, tmp_path / "twee", workers=2)

    assert {file.name: file.read_bytes() for file in (tmp_path / "een").iterdir()} == {
        file.name: file.read_bytes() for file in (tmp_path / "twee").iterdir()
    }
    assert first.manifest_sha256 == again.manifest_sha256


def test_what_is_missing_or_damaged_is_made_again_and_nothing_else(
    factory: Factory, run: LetterRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(factory, run, tmp_path / "brieven")
    _one, two, three = letter_files(tmp_path / "brieven")
    whole = two.read_bytes()
    two.write_bytes(b"half")
    (tmp_path / "brieven" / f".{three.name}.abc.draft").write_bytes(b"left by who was killed")
    started: list[str] = []
    start = press.start
    monkeypatch.setattr(press, "start", lambda content: started.append(content) or start(content))

    make(factory, run, tmp_path / "brieven")

    assert two.read_bytes() == whole
    assert len(started) == 2, "the proof of the texts, and one file"
    assert not list((tmp_path / "brieven").glob(".*"))


def test_a_file_that_would_differ_is_named_and_nothing_is_replaced(
    session: Session, factory: Factory, run: LetterRun, tmp_path: Path
) -> None:
    make(factory, run, tmp_path / "brieven")
    before = {file.name: file.read_bytes() for file in (tmp_path / "brieven").iterdir()}
    session.execute(text("UPDATE households SET street = 'Nieuwe Straat' WHERE postcode = '7609ZZ'"))
    session.commit()

    with pytest.raises(Conflict, match=r"Bestand 3 \(brieven\) is anders"):
        make(factory, run, tmp_path / "elders")
    make(factory, run, tmp_path / "brieven")  # what lies there is still what was written down

    assert {file.name: file.read_bytes() for file in (tmp_path / "brieven").iterdir()} == before
    assert len(letter_files(tmp_path / "elders")) == 2
    assert not (tmp_path / "elders" / "manifest.json").exists()


def test_a_voucher_that_is_revoked_later_stays_in_the_files_and_one_that_was_revoked_is_not_printed(
    session: Session, factory: Factory, tmp_path: Path
) -> None:
    factory.households(3)
    round_ = factory.round()
    factory.issue(round_)
    before, after, _other = session.scalars(select(Voucher.id).order_by(Voucher.id)).all()
    revoke_voucher(session, before, reason="zoek", actor=TEST_ACTOR, now=round_.opens_at)
    run = run_of(factory, round_)
    make(factory, run, tmp_path / "een")
    later = factory.now.replace(microsecond=999_999)
    revoke_voucher(session, after, reason="zoek", actor=TEST_ACTOR, now=later)
    session.commit()

    report = make(factory, run, tmp_path / "twee")

    assert report.letter_count == 2
    assert len(lines_of(tmp_path / "twee")) == 2


def test_another_key_is_refused_before_anything_is_made(factory: Factory, run: LetterRun, tmp_path: Path) -> None:
    other = CodeKeys.derive(b"another voucher key, as long as a real one is")

    with pytest.raises(Conflict, match="ABS_VOUCHER_KEY"):
        press.make_files(run.id, tmp_path / "brieven", keys=other)

    assert not (tmp_path / "brieven").exists()


def test_a_full_disk_is_told_and_leaves_no_draft(
    factory: Factory, run: LetterRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("abs_platform.letters.filing.os.fsync", full)
    with pytest.raises(InvalidInput, match="No space left"):
        make(factory, run, tmp_path / "brieven")

    assert list((tmp_path / "brieven").iterdir()) == []
    assert factory.session.scalars(select(LetterFile)).all() == []


def test_a_setter_that_dies_is_told_without_a_code(
    factory: Factory, run: LetterRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = {"letters": "not there", "note": "K7QJ 4MXP 9T2C"}
    monkeypatch.setattr(press, "as_json", lambda *_args, **_options: json.dumps(kind))

    with pytest.raises(Conflict, match="is niet gemaakt") as refused:
        make(factory, run, tmp_path / "brieven")

    assert "K7QJ" not in refused.value.message


def test_made_for_the_desk_they_lie_sealed_in_the_file_store(app: Flask, factory: Factory, run: LetterRun) -> None:
    report = make(factory, run, None)

    store = app.extensions["file_store"]
    files = run_row(factory.session, run.id).files  # type: ignore[union-attr]
    assert report.manifest_sha256 is None
    for file in files:
        sealed = store.get(file.store_key)[0]
        opened = press.open_sealed(store, run.id, file, factory.keys)
        assert hashlib.sha256(opened or b"").hexdigest() == file.sha256
        assert b"%PDF" not in sealed
        assert press.open_sealed(store, run.id + 1, file, factory.keys) is None
    addresses = next(file for file in files if file.kind == FileKind.ADDRESSES)
    assert b";Groeneveldstraat;" in (press.open_sealed(store, run.id, addresses, factory.keys) or b"")
    other = CodeKeys.derive(b"another voucher key, as long as a real one is")
    assert press.open_sealed(store, run.id, addresses, other) is None


def test_ordered_from_the_desk_they_are_made_by_the_job_process_which_says_so_on_the_page(
    session: Session, factory: Factory, run: LetterRun
) -> None:
    order(
        session,
        WorkKind.MAKE_LETTERS,
        key=str(run.id),
        params={"run_id": run.id},
        account_id=factory.account().id,
        now=factory.now,
    )
    session.commit()

    report = do_work.run(factory.now)
    session.expire_all()

    done = latest(session, WorkKind.MAKE_LETTERS)
    assert (report.changed, report.errors, done.state) == (1, [], WorkState.DONE)  # type: ignore[union-attr]
    assert (done.done, done.total) == (5, 5)  # type: ignore[union-attr]
    assert done.result["sentence"] == "5 brieven zijn klaar."  # type: ignore[union-attr,index]
    assert run.state == RunState.MADE


def test_no_code_stands_in_the_database_the_log_or_a_report(
    session: Session, factory: Factory, run: LetterRun, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        report = make(factory, run, tmp_path / "brieven")

    codes = [line["code"] for line in lines_of(tmp_path / "brieven")]
    tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    kept = "".join(
        str(value) for table in tables for value in session.scalars(text(f'SELECT t::text FROM "{table}" t'))
    )
    for code in codes:
        for written in (code, code.replace("-", " "), code.replace("-", "")):
            assert written not in kept + caplog.text + repr(report)


KILLED = """
import os, signal, sys
from pathlib import Path
from abs_platform import create_app
from abs_platform.letters import press
from tests.conftest import make_settings

app = create_app(make_settings(sys.argv[1], Path(sys.argv[2])))
done = 0

def die(count):
    global done
    done += count
    if done >= int(sys.argv[5]):
        os.kill(os.getpid(), signal.SIGKILL)

with app.app_context():
    press.make_files(int(sys.argv[3]), Path(sys.argv[4]), keys=app.extensions["code_keys"], on_progress=die)
"""


def test_killed_in_the_middle_it_goes_on_with_what_is_missing(
    own_app: Flask, own_session: Session, own_factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LETTERS_A_FILE", 2)
    own_factory.households(7)
    round_ = own_factory.round()
    own_factory.issue(round_)
    run = run_of(own_factory, round_)
    folder = tmp_path / "brieven"
    arguments = [own_app.extensions["settings"].database_url, tmp_path, run.id, folder, 4]

    killed = subprocess.run([sys.executable, "-c", KILLED, *map(str, arguments)], cwd=ROOT_DIR, check=False)
    own_session.expire_all()
    between = own_session.scalars(select(LetterFile.number).order_by(LetterFile.number)).all()
    has_manifest = (folder / "manifest.json").exists()
    press.make_files(run.id, folder, keys=own_factory.keys)

    assert killed.returncode == -signal.SIGKILL
    assert (between, has_manifest) == ([1, 2], False)
    codes = [code.replace(" ", "-") for file in letter_files(folder) for code in printed_codes(file)]
    assert sorted(codes) == sorted(line["code"] for line in lines_of(folder))
    assert len(set(codes)) == 7
    assert json.loads((folder / "manifest.json").read_bytes())["letters"] == 7


def test_a_batch_has_one_run_and_only_an_approved_text_is_printed(session: Session, factory: Factory) -> None:
    factory.households(1)
    round_ = factory.round()
    factory.issue(round_)
    run = run_of(factory, round_)

    again = run_of(factory, round_)
    not_approved = run.letter_text_id + 1_000

    assert again.id == run.id
    session.execute(text("UPDATE letter_runs SET state = 'withdrawn', withdrawn_at = now()"))
    with pytest.raises(Conflict, match="niet goedgekeurd"):
        service.begin_run(
            session,
            batch_of(factory, round_),
            text_id=not_approved,
            keys=factory.keys,
            actor=TEST_ACTOR,
            now=factory.now,
        )
