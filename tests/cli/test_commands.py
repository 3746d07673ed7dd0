# SPDX-License-Identifier: EUPL-1.2
"""Every command: exit status 0 only if all went well, and one sentence on stderr if not, without a trace."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform import cli, migrating
from abs_platform.config import ROOT_DIR
from abs_platform.errors import AbsError
from abs_platform.rounds.models import Round
from abs_platform.rounds.service import release
from jobs import runner
from jobs.schedule import TIMETABLE
from tests.cli.conftest import Outcome, Shell
from tests.factories import TEST_ACTOR, Factory
from tests.households.files import home, write_bag, write_key

HEADER = "code,naam,niveau,ouder_code"
TOWN = "GM0141,Almelo,gemeente,\nWK014119,Windmolenbroek,wijk,GM0141\nBU01411900,Windmolenbroek,buurt,WK014119\n"
PLAN = ("rounds", "plan", "--name", "Najaar 2030", "--issue-on", "2030-10-01")
PLAN += ("--opens-at", "2030-10-10T09:00", "--closes-at", "2030-11-30")


def went_well(outcome: Outcome) -> str:
    assert outcome.status == 0, outcome.err
    assert outcome.err == ""
    return outcome.out


def failed(outcome: Outcome, *, status: int = 1) -> str:
    """What a failed command said; it shows no trace."""
    assert outcome.status == status, outcome
    assert outcome.err.strip()
    assert "Traceback" not in outcome.err + outcome.out
    return outcome.err


def count(session: Session, table: str) -> int:
    session.rollback()
    found = session.scalar(text(f"SELECT count(*) FROM {table}"))
    session.rollback()
    return int(found or 0)


# -- the command itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "group", ["", "db", "areas", "households", "rounds", "vouchers", "ledger", "jobs", "events", "rulebook", "demo"]
)
def test_every_group_explains_itself(run_abs: Shell, group: str) -> None:
    out = went_well(run_abs(*([group] if group else []), "--help"))

    assert "Usage: abs" in out
    assert group == "demo" or "Commands:" in out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("bestaat-niet",),
        ("rounds",),
        ("rounds", "bestaat-niet"),
        ("areas", "load"),
        ("areas", "load", "x.csv", "--edition", "1999"),
        ("areas", "load", "x.csv", "--onbekend"),
        ("households", "import", "bag.csv"),
        ("rounds", "plan"),
        (*PLAN, "--amount", "veel"),
        (*PLAN, "--opens-at", "morgen"),
        (*PLAN, "--opens-at", "10-10-2030"),
        (*PLAN, "--closes-at", "9999-12-31"),
        (*PLAN, "--closes-at", "2030-02-30"),
        (*PLAN, "--issue-on", "0001-01-01"),
        ("vouchers", "issue"),
        ("vouchers", "issue", "Bestaat niet"),
        ("vouchers", "issue", "99999999999999999999"),
        ("vouchers", "export", "1"),
        ("jobs", "run", "bestaat_niet"),
        ("events", "list", "--limit", "0"),
    ],
)
def test_a_command_that_cannot_be_understood_ends_with_status_two(
    run_abs: Shell, session: Session, arguments: tuple[str, ...]
) -> None:
    failed(run_abs(*arguments), status=2)

    assert count(session, "rounds") == 0


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (AbsError("Dit kan nu niet."), 1, "Fout: Dit kan nu niet.\n"),
        (cli.ConfigurationError("ABS_SECRET_KEY is missing"), 2, "Fout: ABS_SECRET_KEY is missing\n"),
        (cli.EmbeddedPostgresError("it is full"), 2, "The embedded PostgreSQL cannot be used: it is full."),
        (KeyboardInterrupt(), 130, "Gestopt."),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_no_trace(
    run_abs: Shell, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, sentence: str
) -> None:
    def refuse(_settings: object) -> Flask:
        raise error

    monkeypatch.setattr(cli, "create_app", refuse)

    assert sentence in failed(run_abs("areas", "list"), status=status)


def abs_process(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with these settings only."""
    program = "from abs_platform.cli import main; main()"
    command = [sys.executable, "-c", program, *arguments]
    env |= {"PATH": os.environ["PATH"]}
    return subprocess.run(command, cwd=ROOT_DIR, env=env, capture_output=True, text=True, check=False)


def test_the_command_says_what_is_wrong_with_the_settings_and_nothing_else(tmp_path: Path) -> None:
    result = abs_process({"ABS_ENV": "production", "ABS_INSTANCE_DIR": str(tmp_path)}, "rounds", "list")

    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Fout: The app cannot start:")
    assert "ABS_VOUCHER_KEY is missing" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_that_does_not_answer_is_one_sentence_and_no_trace(tmp_path: Path) -> None:
    url = "postgresql://nobody:geheim@127.0.0.1:1/nothing"

    result = abs_process({"DATABASE_URL": url, "ABS_INSTANCE_DIR": str(tmp_path)}, "rounds", "list")

    assert result.returncode == 2
    assert "Fout: de database antwoordt niet" in result.stderr
    assert "Traceback" not in result.stderr
    assert "geheim" not in result.stderr


# -- db ---------------------------------------------------------------------------------------------------------------


def test_a_database_is_brought_up_and_checked(run_own_abs: Shell, own_app: Flask) -> None:
    with own_app.app_context():
        migrating.downgrade("base")

    assert "nog niet gedaan: 0001, 0002" in failed(run_own_abs("db", "check"))
    assert "Doe: abs db upgrade" in failed(run_own_abs("rounds", "list"), status=2)
    assert went_well(run_own_abs("db", "upgrade")) == "De database is bij.\n"
    assert went_well(run_own_abs("db", "upgrade")) == "De database is bij.\n"
    assert "zeggen hetzelfde" in went_well(run_own_abs("db", "check"))


def test_a_difference_between_models_and_database_is_told(run_own_abs: Shell, own_session: Session) -> None:
    own_session.execute(text("ALTER TABLE rounds ADD COLUMN extra bigint"))
    own_session.commit()

    assert "extra" in failed(run_own_abs("db", "check"))


# -- areas ------------------------------------------------------------------------------------------------------------


def test_areas_are_loaded_and_listed(run_abs: Shell, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "gebieden.csv"
    path.write_text(f"{HEADER}\n{TOWN}")

    out = went_well(run_abs("areas", "load", path, "--edition", "2026"))
    listed = went_well(run_abs("areas", "list"))

    assert out == "3 gebieden geladen, 81 vervallen, 1 buurten zonder vorm.\n"
    assert [line.split() for line in listed.splitlines()] == [
        ["BU01411900", "neighbourhood", "Windmolenbroek"],
        ["GM0141", "municipality", "Almelo"],
        ["WK014119", "wijk", "Windmolenbroek"],
    ]
    actor = session.scalar(text("SELECT actor FROM events ORDER BY id DESC LIMIT 1"))
    assert actor == "command:abs areas load"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "het bestand is leeg"),
        (f"{HEADER}\n{TOWN}BU0141,X,buurt,WK014119\n", "regel 5, kolom code"),
        (None, "kan niet"),
    ],
)
def test_areas_that_cannot_be_loaded_leave_everything_as_it_was(
    run_abs: Shell, session: Session, tmp_path: Path, content: str | None, sentence: str
) -> None:
    path = tmp_path / "gebieden.csv"
    if content is not None:
        path.write_text(content)

    said = failed(run_abs("areas", "load", path))

    assert said.startswith(f"Fout: {path}")
    assert sentence in said
    assert count(session, "areas WHERE is_current") == 84


def test_a_file_with_shapes_that_is_not_there_is_named(run_abs: Shell, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "gebieden.csv"
    path.write_text(f"{HEADER}\n{TOWN}")

    said = failed(run_abs("areas", "load", path, "--shapes", tmp_path / "nergens.geojson"))

    assert "nergens.geojson" in said
    assert count(session, "areas WHERE is_current") == 84


# -- households -------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., tuple[object, ...]]:
    """Writes an address file of so many dwellings with its key, and gives the arguments of the import."""

    def make(number: int, **differences: str) -> tuple[object, ...]:
        homes = [home(n, **(differences if n == number else {})) for n in range(1, number + 1)]
        return "households", "import", write_bag(tmp_path, homes), "--areas-key", write_key(tmp_path)

    return make


def test_addresses_are_imported_and_a_second_time_nothing_changes(
    run_abs: Shell, session: Session, files: Callable[..., tuple[object, ...]]
) -> None:
    arguments = files(3)

    tried = went_well(run_abs(*arguments, "--dry-run"))
    after_trial = count(session, "households")
    first, second = went_well(run_abs(*arguments)), went_well(run_abs(*arguments))

    assert "nieuw 3" in tried
    assert "er is niets veranderd" in tried
    assert after_trial == 0
    assert "nieuw 3, veranderd 0, verdwenen 0, gelijk 0" in first
    assert "nieuw 0, veranderd 0, verdwenen 0, gelijk 3" in second
    assert count(session, "households") == 3


def test_a_bad_line_stops_the_import_unless_it_is_left_out(
    run_abs: Shell, session: Session, files: Callable[..., tuple[object, ...]]
) -> None:
    arguments = files(3, postcode="")

    said = failed(run_abs(*arguments))
    after_failure = count(session, "households")
    out = went_well(run_abs(*arguments, "--skip-rejected"))

    assert "regel 4" in said
    assert "postcode" in said
    assert after_failure == 0
    assert "nieuw 2" in out
    assert count(session, "households") == 2


def test_a_file_that_would_end_many_addresses_stops_unless_told_to_go_on(
    run_abs: Shell, session: Session, files: Callable[..., tuple[object, ...]]
) -> None:
    went_well(run_abs(*files(5)))
    fewer = files(3)

    said = failed(run_abs(*fewer))
    kept = count(session, "households WHERE ended_on IS NULL")
    out = went_well(run_abs(*fewer, "--allow-gone"))

    assert "--allow-gone" in said
    assert kept == 5
    assert "verdwenen 2" in out
    assert count(session, "households WHERE ended_on IS NULL") == 3


def test_an_address_file_that_is_not_there_is_named(run_abs: Shell, tmp_path: Path) -> None:
    said = failed(run_abs("households", "import", tmp_path / "a.csv", "--areas-key", tmp_path / "b.csv"))

    assert str(tmp_path) in said


# -- rounds and vouchers ----------------------------------------------------------------------------------------------


def test_a_round_is_planned_and_listed(run_abs: Shell, session: Session) -> None:
    out = went_well(run_abs(*PLAN, "--district", "windmolenbroek", "--district", "WK014120"))
    listed = went_well(run_abs("rounds", "list"))

    assert "'Najaar 2030' is gepland." in out
    assert "Najaar 2030  gepland  uitgifte 2030-10-01  open 2030-10-10 09:00 tot 2030-12-01 00:00" in listed
    assert "€\u00a07,50  2 wijken" in listed
    assert count(session, "round_districts") == 2


@pytest.mark.parametrize(
    ("amount", "cents"), [((), 750), (("--amount", "10"), 1_000), (("--amount", "€ 12,50"), 1_250)]
)
def test_a_round_has_the_amount_of_the_settings_or_its_own(
    run_abs: Shell, session: Session, amount: tuple[str, ...], cents: int
) -> None:
    went_well(run_abs(*PLAN, *amount))

    assert session.scalar(text("SELECT amount_cents FROM rounds")) == cents


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (("--district", "Atlantis"), "Geen wijk met code of naam 'Atlantis'"),
        (("--closes-at", "2030-10-01"), "later sluiten dan zij opent"),
        (("--issue-on", "2030-10-11"), "op of voor de dag waarop de ronde opent"),
        (("--opens-at", "2020-01-01", "--issue-on", "2020-01-01", "--closes-at", "2020-02-01"), "al voorbij"),
        (("--amount", "0"), "meer dan nul"),
        (("--name", "  "), "een naam"),
        (("--name", "x" * 61), "hoogstens 60 tekens"),
    ],
)
def test_a_round_that_cannot_be_is_refused(
    run_abs: Shell, session: Session, changes: tuple[str, ...], sentence: str
) -> None:
    assert sentence in failed(run_abs(*PLAN, *changes))
    assert count(session, "rounds") == 0


def test_two_rounds_with_one_name_or_open_at_once_are_refused(run_abs: Shell, session: Session) -> None:
    went_well(run_abs(*PLAN))

    assert "Er is al een ronde met deze naam" in failed(
        run_abs(*PLAN, "--opens-at", "2031-04-01", "--issue-on", "2031-04-01", "--closes-at", "2031-05-01")
    )
    assert "al een ronde open" in failed(run_abs(*PLAN, "--name", "Ook in het najaar"))
    assert count(session, "rounds") == 1


def test_vouchers_are_issued_and_exported(run_abs: Shell, session: Session, factory: Factory, tmp_path: Path) -> None:
    factory.households(3)
    round_ = factory.round(name="Proef")
    session.commit()
    out = tmp_path / "drukker.csv"

    issued, again = went_well(run_abs("vouchers", "issue", "proef")), went_well(run_abs("vouchers", "issue", round_.id))
    exported = went_well(run_abs("vouchers", "export", "Proef", "--out", out))
    bytes_before = out.read_bytes()
    exported_again = went_well(run_abs("vouchers", "export", "Proef", "--out", out))

    assert issued.startswith("3 vouchers uitgegeven (partij ")
    assert again == "Iedereen had al een voucher.\n"
    assert f"{out}: 3 vouchers\nSHA-256 " in exported
    assert exported_again == exported + "Gelijk aan het vorige bestand.\n"
    assert out.read_bytes() == bytes_before
    assert out.stat().st_mode & 0o777 == 0o600
    assert "3 vouchers" in went_well(run_abs("rounds", "list"))


def test_what_cannot_be_issued_or_exported_is_said(
    run_abs: Shell, session: Session, factory: Factory, tmp_path: Path
) -> None:
    factory.households(1)
    went_well(run_abs(*PLAN))
    factory.round(name="Proef")
    session.commit()

    unreleased = failed(run_abs("vouchers", "issue", "Najaar 2030"))
    planned = session.scalars(select(Round).where(Round.name == "Najaar 2030")).one()
    release(session, planned, letter_text_id=None, actor=TEST_ACTOR, now=factory.now)
    session.commit()
    too_early = failed(run_abs("vouchers", "issue", "Najaar 2030"))
    nothing_yet = failed(run_abs("vouchers", "export", "Proef", "--out", tmp_path / "x.csv"))
    went_well(run_abs("vouchers", "issue", "Proef"))
    nowhere = failed(run_abs("vouchers", "export", "Proef", "--out", tmp_path / "geen" / "map.csv"))
    other_batch = failed(run_abs("vouchers", "export", "Proef", "--out", tmp_path / "x.csv", "--batch", "99"))

    assert "nog niet vrijgegeven" in unreleased
    assert "2030-10-01" in too_early
    assert "nog geen vouchers" in nothing_yet
    assert "hier kan niet worden geschreven" in nowhere
    assert "geen partij 99" in other_batch
    assert list(tmp_path.glob("*.csv")) == []


# -- ledger, jobs, events ---------------------------------------------------------------------------------------------


def test_books_that_are_right_are_proved(run_own_abs: Shell, own_session: Session, own_factory: Factory) -> None:
    own_factory.give(own_factory.codes(2)[0], own_factory.initiative())
    own_session.commit()

    out = went_well(run_own_abs("ledger", "check"))

    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[:3] == [
        "budget -€ 15 (1 boekingen)",
        "initiative € 7,50 (1 boekingen)",
        "vouchers € 7,50 (2 boekingen)",
    ]
    assert lines[-1].startswith("Elke cent klopt: ")


def test_books_that_are_broken_are_an_error(run_own_abs: Shell, own_session: Session, own_factory: Factory) -> None:
    own_factory.codes(2)
    own_session.execute(text("UPDATE vouchers SET state = 'given'"))
    own_session.commit()

    said = failed(run_own_abs("ledger", "check"))

    assert "KLOPT NIET  every given voucher has exactly one confirmed donation" in said
    assert "dingen in de boeken kloppen niet" in said


def test_jobs_are_listed_and_run(run_own_abs: Shell, own_session: Session, own_factory: Factory) -> None:
    own_factory.households(2)
    own_factory.round()
    own_session.commit()
    before = went_well(run_own_abs("jobs", "list"))

    ran = went_well(run_own_abs("jobs", "run", "issue_vouchers"))
    after = {line.split()[0]: line for line in went_well(run_own_abs("jobs", "list")).splitlines()}

    assert [line.split()[0] for line in before.splitlines()] == list(TIMETABLE)
    assert before.count("nog nooit") == len(TIMETABLE)
    assert ran == "issue_vouchers: 2 veranderd.\n"
    assert after["issue_vouchers"].endswith("2 veranderd")
    assert after["check_ledger"].endswith("nog nooit")


@pytest.mark.parametrize("name", TIMETABLE)
def test_every_job_can_be_run_by_hand(run_own_abs: Shell, name: str) -> None:
    assert went_well(run_own_abs("jobs", "run", name)) == f"{name}: 0 veranderd.\n"


def test_a_job_with_errors_ends_with_them(run_own_abs: Shell, own_session: Session, own_factory: Factory) -> None:
    own_factory.codes(1)
    own_session.execute(text("UPDATE vouchers SET state = 'given'"))
    own_session.commit()

    said = failed(run_own_abs("jobs", "run", "check_ledger"))

    assert "check_ledger: " in said
    assert "every given voucher" in said
    assert "fout: " in went_well(run_own_abs("jobs", "list"))


def test_a_job_that_runs_elsewhere_is_not_run_twice(run_own_abs: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Outcome] = []
    job = TIMETABLE["purge_personal_data"]

    def meanwhile(_now: object) -> runner.JobReport:
        ran.append(run_own_abs("jobs", "run", "purge_personal_data"))
        return runner.JobReport()

    monkeypatch.setitem(TIMETABLE, "purge_personal_data", job._replace(job=meanwhile))
    run_own_abs("jobs", "run", "purge_personal_data")

    assert "loopt al in een ander proces" in failed(ran[0])


def test_events_are_listed_newest_first_and_by_kind(run_abs: Shell, session: Session, factory: Factory) -> None:
    initiative = factory.initiative()
    factory.round(name="Proef", is_released=False)
    session.commit()

    newest = went_well(run_abs("events", "list", "--limit", "1"))
    of_initiatives = went_well(run_abs("events", "list", "--kind", "initiative.p"))

    assert "round.planned" in newest
    assert len(newest.splitlines()) == 1
    assert of_initiatives.splitlines()[0].endswith(f"initiative.published {initiative.id}  staff:test")
    assert went_well(run_abs("events", "list", "--kind", "%")) == ""
