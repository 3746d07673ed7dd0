# SPDX-License-Identifier: EUPL-1.2
"""The print file: one row for each voucher, the same bytes every time, complete or not there."""

from __future__ import annotations

import csv
import datetime as dt
import errno
import hashlib
import stat
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.clock import end_of_day
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.events import Event
from abs_platform.households.models import Household
from abs_platform.rounds.models import Round
from abs_platform.vouchers import print_file
from abs_platform.vouchers.codes import CodeKeys
from abs_platform.vouchers.models import PrintFile, Voucher
from abs_platform.vouchers.print_file import COLUMNS, PrintReport, export
from abs_platform.vouchers.service import revoke_voucher
from tests.factories import TEST_ACTOR, Factory


def make(factory: Factory, round_: Round, path: Path, **options: object) -> PrintReport:
    return export(
        factory.session,
        round_.id,
        path,
        **{"keys": factory.keys, "actor": TEST_ACTOR, "now": factory.now, **options},  # type: ignore[arg-type]
    )


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def issued_round(factory: Factory, households: int = 5) -> Round:
    factory.households(households)
    round_ = factory.round()
    factory.issue(round_)
    return round_


def test_the_file_names_the_last_day_on_which_the_voucher_can_be_given(factory: Factory, tmp_path: Path) -> None:
    factory.households(1)
    closes = end_of_day(dt.date(2027, 3, 28))  # the day on which the clock goes forward
    factory.now = closes - dt.timedelta(days=20)
    round_ = factory.round(closes=dt.timedelta(days=20))
    factory.issue(round_)

    make(factory, round_, tmp_path / "print.csv")

    (row,) = rows_of(tmp_path / "print.csv")
    assert (row["bedrag"], row["geldig_tot"]) == ("7,50", "28-03-2027")


def test_every_voucher_is_a_row_with_its_address_and_its_code(factory: Factory, tmp_path: Path) -> None:
    (household,) = factory.households(1)
    household.street, household.house_number, household.house_letter, household.house_addition = (
        "Kerkstraat",
        12,
        "a",
        "3",
    )
    household.postcode, household.city = "7611BC", "Aadorp"
    round_ = factory.round()
    factory.issue(round_)

    make(factory, round_, tmp_path / "brieven.csv")

    (row,) = rows_of(tmp_path / "brieven.csv")
    assert tuple(row) == COLUMNS
    assert (row["adresregel_1"], row["adresregel_2"]) == ("Kerkstraat 12a-3", "7611 BC  AADORP")
    assert [row[name] for name in ("straat", "huisnummer", "huisletter", "toevoeging")] == [
        "Kerkstraat",
        "12",
        "a",
        "3",
    ]
    assert (row["postcode"], row["woonplaats"], row["bedrag"]) == ("7611BC", "Aadorp", "7,50")
    assert factory.voucher(row["code"]).household_id == household.id


def test_made_again_it_is_byte_for_byte_the_same(factory: Factory, tmp_path: Path) -> None:
    round_ = issued_round(factory)

    first = make(factory, round_, tmp_path / "een.csv")
    second = make(factory, round_, tmp_path / "twee.csv")

    assert (tmp_path / "een.csv").read_bytes() == (tmp_path / "twee.csv").read_bytes()
    assert (first.same_as_before, second.same_as_before) == (None, True)


def test_what_was_given_meanwhile_changes_no_byte(factory: Factory, tmp_path: Path) -> None:
    round_ = issued_round(factory)
    before = make(factory, round_, tmp_path / "voor.csv")
    initiative = factory.initiative()

    for row in rows_of(tmp_path / "voor.csv")[:3]:
        assert factory.give(row["code"], initiative) is not None
    after = make(factory, round_, tmp_path / "na.csv")

    assert after.sha256 == before.sha256
    assert after.same_as_before is True


def test_rows_stand_in_the_order_of_the_post(factory: Factory, tmp_path: Path) -> None:
    wanted = [
        ("7601AA", 2, "", ""), ("7601AA", 10, "", ""), ("7601AA", 10, "", "1"), ("7601AA", 10, "a", ""),
        ("7601AA", 10, "b", "2"), ("7601AB", 1, "", ""), ("7611AA", 1, "", ""),
    ]  # fmt: skip
    households = factory.households(len(wanted))
    for household, address in zip(reversed(households), wanted, strict=True):
        household.postcode, household.house_number, household.house_letter, household.house_addition = address
    round_ = factory.round()
    factory.issue(round_)

    make(factory, round_, tmp_path / "brieven.csv")

    rows = rows_of(tmp_path / "brieven.csv")
    found = [(r["postcode"], int(r["huisnummer"]), r["huisletter"], r["toevoeging"]) for r in rows]
    assert found == wanted
    assert [row["volgnummer"] for row in rows] == [str(number) for number in range(1, 8)]


def test_count_and_checksum_are_right_and_remembered(session: Session, factory: Factory, tmp_path: Path) -> None:
    round_ = issued_round(factory, 4)
    path = tmp_path / "brieven.csv"

    report = make(factory, round_, path)

    assert report.row_count == 4 == len(rows_of(path))
    assert report.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    stored = session.scalars(select(PrintFile)).one()
    assert (stored.row_count, stored.sha256, stored.round_id) == (4, report.sha256, round_.id)
    event = session.scalars(select(Event).where(Event.kind == "round.print_file_made")).one()
    assert event.details == {"batch": None, "rows": 4, "sha256": report.sha256}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_revoked_code_is_not_printed(session: Session, factory: Factory, tmp_path: Path) -> None:
    round_ = issued_round(factory, 3)
    make(factory, round_, tmp_path / "voor.csv")
    lost = rows_of(tmp_path / "voor.csv")[1]["code"]

    revoke_voucher(session, factory.voucher(lost).id, reason="Zoek.", actor=TEST_ACTOR, now=factory.now)
    report = make(factory, round_, tmp_path / "na.csv")

    assert lost not in (tmp_path / "na.csv").read_text(encoding="utf-8")
    assert (report.row_count, report.same_as_before) == (2, False)


def test_one_batch_can_be_printed_by_itself(session: Session, factory: Factory, tmp_path: Path) -> None:
    round_ = issued_round(factory, 3)
    late = factory.households(2)
    factory.issue(round_, factory.now)
    batches = session.scalars(select(Voucher.batch_id).distinct().order_by(Voucher.batch_id)).all()

    report = make(factory, round_, tmp_path / "later.csv", batch_id=batches[-1])

    assert report.row_count == 2
    printed = {factory.voucher(row["code"]).household_id for row in rows_of(tmp_path / "later.csv")}
    assert printed == {household.id for household in late}
    assert make(factory, round_, tmp_path / "alles.csv").same_as_before is None  # of the whole round it is the first


def test_a_batch_of_another_round_is_refused(session: Session, factory: Factory, tmp_path: Path) -> None:
    round_ = issued_round(factory)
    batch = session.scalars(select(Voucher.batch_id).limit(1)).one()
    other = factory.round(districts=("WK014120",), opens=2 * (round_.closes_at - factory.now),
                          closes=3 * (round_.closes_at - factory.now))  # fmt: skip

    for wrong in (batch, 999_999):
        with pytest.raises(InvalidInput, match="partij"):
            make(factory, other, tmp_path / "brieven.csv", batch_id=wrong)

    assert list(tmp_path.iterdir()) == []


def test_the_file_is_not_there_until_it_is_complete(
    factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(print_file, "CHUNK", 2)
    round_ = issued_round(factory, 5)
    path, seen = tmp_path / "brieven.csv", []

    make(factory, round_, path, on_progress=lambda rows: seen.append((rows, path.exists())))

    assert seen == [(2, False), (2, False), (1, False)]
    assert len(rows_of(path)) == 5


def test_a_failure_half_way_leaves_the_old_file_and_nothing_else(
    session: Session, factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(print_file, "CHUNK", 2)
    round_ = issued_round(factory, 5)
    path = tmp_path / "brieven.csv"
    path.write_text("het oude bestand")

    def stop(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(factory, round_, path, on_progress=stop)

    assert path.read_text() == "het oude bestand"
    assert list(tmp_path.iterdir()) == [path]
    assert session.scalars(select(PrintFile)).all() == []


def test_numbers_that_differ_are_never_called_complete(
    factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_ = issued_round(factory, 3)
    read = print_file.read

    def lose_one(*args: object) -> object:
        rows = read(*args)  # type: ignore[arg-type]
        next(rows)
        return rows

    monkeypatch.setattr(print_file, "read", lose_one)
    with pytest.raises(Conflict, match="2 regels, maar er zijn 3"):
        make(factory, round_, tmp_path / "brieven.csv")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["no-such-folder/brieven.csv", "file/brieven.csv", "folder", "x" * 300 + ".csv"])
def test_a_place_that_cannot_be_written_is_told(factory: Factory, tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    round_ = issued_round(factory, 1)

    with pytest.raises(InvalidInput, match="hier kan niet worden geschreven"):
        make(factory, round_, tmp_path / where)

    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["file", "folder"]


def test_a_full_disk_is_told_and_leaves_nothing(
    factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_ = issued_round(factory, 1)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("abs_platform.vouchers.print_file.os.fsync", full)
    with pytest.raises(InvalidInput, match="No space left"):
        make(factory, round_, tmp_path / "brieven.csv")

    assert list(tmp_path.iterdir()) == []


def test_a_changed_key_is_refused(factory: Factory, tmp_path: Path) -> None:
    round_ = issued_round(factory)
    other = CodeKeys.derive(b"another voucher key, as long as a real one is")

    with pytest.raises(Conflict, match="ABS_VOUCHER_KEY"):
        make(factory, round_, tmp_path / "brieven.csv", keys=other)

    assert list(tmp_path.iterdir()) == []


def test_a_round_without_vouchers_makes_no_empty_file(factory: Factory, tmp_path: Path) -> None:
    round_ = factory.round()

    with pytest.raises(Conflict, match="nog geen vouchers"):
        make(factory, round_, tmp_path / "brieven.csv")

    assert list(tmp_path.iterdir()) == []


def test_an_unknown_round_is_told(session: Session, factory: Factory, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        export(session, 999_999, tmp_path / "x.csv", keys=factory.keys, actor=TEST_ACTOR, now=factory.now)


def test_a_settled_round_has_no_addresses_to_print(session: Session, factory: Factory, tmp_path: Path) -> None:
    round_ = issued_round(factory)
    session.execute(text("UPDATE vouchers SET household_id = NULL"))

    with pytest.raises(Conflict, match="afgerond"):
        make(factory, round_, tmp_path / "brieven.csv")

    assert list(tmp_path.iterdir()) == []


ODD_STREETS = [
    "'t Zand",
    'Plein "De Brug"',
    "Straat; met puntkomma",
    "Ščerbakovaplein",
    "Eén,twee",
    "=1+1",
    "Twee\nregels",
]


def test_odd_street_names_survive_the_csv(session: Session, factory: Factory, tmp_path: Path) -> None:
    for household, street in zip(factory.households(len(ODD_STREETS)), ODD_STREETS, strict=True):
        household.street = street
    round_ = factory.round()
    factory.issue(round_)

    make(factory, round_, tmp_path / "brieven.csv")

    rows = rows_of(tmp_path / "brieven.csv")
    assert {row["straat"] for row in rows} == set(ODD_STREETS)
    for row in rows:
        household = session.get_one(Household, factory.voucher(row["code"]).household_id)
        assert row["adresregel_1"] == f"{household.street} {household.house_number}"
