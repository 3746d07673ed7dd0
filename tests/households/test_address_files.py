# SPDX-License-Identifier: EUPL-1.2
"""Reading the BAG file and the CBS key file: which lines are households, and how they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from abs_platform.households.address_files import Address, BagFile, KeyFile, KeyRow, Rejection
from abs_platform.households.csv_files import UnreadableFile
from abs_platform.households.states import SkipReason, Variant
from tests.households.files import FULL, KEY, SHORT, home, key_row, object_id, text, write_bag, write_key


def read(path: Path) -> list[Address | Rejection]:
    return list(BagFile(path, "Almelo").addresses())


def read_text(tmp_path: Path, content: str | bytes) -> list[Address | Rejection]:
    path = tmp_path / "bag.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path)


def test_a_line_of_the_full_variant_is_read_whole(tmp_path: Path) -> None:
    path = write_bag(tmp_path, [home(7, huisletter="a", huisnummertoevoeging="bis")])

    found = read(path)

    assert found == [
        Address(2, object_id(7), "0141200000000007", "VBO", "Grotestraat", 7, "A", "bis", "7607AA", "Almelo")
    ]


def test_the_short_variant_has_no_address_id(tmp_path: Path) -> None:
    bag = BagFile(write_bag(tmp_path, [home(7)], SHORT), "Almelo")

    (address,) = bag.addresses()

    assert bag.variant is Variant.SHORT
    assert isinstance(address, Address)
    assert address.address_id is None


@pytest.mark.parametrize(
    "content",
    [
        text([home(1)], separator=","),
        "\ufeff" + text([home(1)]),
        text([home(1)], newline="\r\n"),
        text([home(1)]) + "\n\n",
        text([home(1, openbareruimte='"Grotestraat"')]),
        text([home(1)]).replace("openbareruimte", "Straatnaam").replace("huisnummertoevoeging", "toevoeging"),
        text([home(1)]).replace("verblijfsobjectstatus", "adresseerbaarobjectstatus"),
        text([home(1)], [*FULL[::-1]]),
        text([home(1) | {"verkorteopenbareruimte": "Grotestr"}], [*FULL, "verkorteopenbareruimte"]),
        text([home(1, postcode="7607 aa", openbareruimte=" Grotestraat ", gemeente="ALMELO ")]),
    ],
    ids=[
        "commas",
        "byte order mark",
        "CRLF",
        "empty lines",
        "quotes",
        "aliases",
        "new name of the status",
        "other order",
        "a column more",
        "spaces and case",
    ],
)
def test_the_same_address_in_other_clothes_is_the_same(tmp_path: Path, content: str) -> None:
    plain = read_text(tmp_path, text([home(1)]))

    found = read_text(tmp_path, content)

    assert found == plain


def test_a_separator_a_quote_and_a_backslash_may_stand_between_quotes(tmp_path: Path) -> None:
    found = read_text(tmp_path, text([home(1, openbareruimte='"Laan; ""de\\N"" hof"')]))

    assert [row.street for row in found if isinstance(row, Address)] == ['Laan; "de\\N" hof']


@pytest.mark.parametrize(
    ("number", "letter", "addition", "expected"),
    [
        ("12", "", "", (12, "", "")),
        ("12a", "", "", (12, "A", "")),
        ("12-a", "", "", (12, "A", "")),
        ("12 A", "", "", (12, "A", "")),
        ("12", "a", "", (12, "A", "")),
        ("12A", "A", "", (12, "A", "")),
        ("12-2", "", "", (12, "", "2")),
        ("12", "", "-2", (12, "", "2")),
        ("12-bis", "", "", (12, "", "bis")),
        ("12bis", "", "", (12, "", "bis")),
        ("12 A-2", "", "", (12, "A", "2")),
        ("12a", "", "2", (12, "A", "2")),
        ("012", "", "", (12, "", "")),
        ("12", "", "II", (12, "", "II")),
    ],
)
def test_a_house_number_is_written_in_one_way(
    tmp_path: Path, number: str, letter: str, addition: str, expected: tuple[int, str, str]
) -> None:
    row = home(1, huisnummer=number, huisletter=letter, huisnummertoevoeging=addition)

    (address,) = read(write_bag(tmp_path, [row]))

    assert isinstance(address, Address)
    assert (address.house_number, address.house_letter, address.house_addition) == expected


@pytest.mark.parametrize(
    ("differences", "reason"),
    [
        ({"gemeente": "Hengelo"}, SkipReason.OTHER_MUNICIPALITY),
        ({"nevenadres": "t"}, SkipReason.SECONDARY_ADDRESS),
        ({"verblijfsobjectgebruiksdoel": "winkelfunctie"}, SkipReason.NOT_RESIDENTIAL),
        ({"verblijfsobjectgebruiksdoel": ""}, SkipReason.NOT_RESIDENTIAL),
        ({"verblijfsobjectstatus": "Verblijfsobject gevormd"}, SkipReason.NOT_IN_USE),
        ({"verblijfsobjectstatus": "Verblijfsobject buiten gebruik"}, SkipReason.NOT_IN_USE),
        ({"verblijfsobjectstatus": "Iets nieuws"}, SkipReason.NOT_IN_USE),
        ({"object_type": "LIG", "verblijfsobjectstatus": "Plaats ingetrokken"}, SkipReason.NOT_IN_USE),
        ({"gemeente": "Hengelo", "postcode": "", "object_id": "?"}, SkipReason.OTHER_MUNICIPALITY),
    ],
)
def test_a_line_that_is_no_household_is_counted(
    tmp_path: Path, differences: dict[str, str], reason: SkipReason
) -> None:
    bag = BagFile(write_bag(tmp_path, [home(1, **differences)]), "Almelo")

    found = list(bag.addresses())

    assert found == []
    assert bag.skipped == dict.fromkeys(SkipReason, 0) | {reason: 1}


@pytest.mark.parametrize(
    "differences",
    [
        {"verblijfsobjectgebruiksdoel": "bijeenkomstfunctie,woonfunctie"},
        {"verblijfsobjectstatus": "Verblijfsobject in gebruik (niet ingemeten)"},
        {
            "object_type": "LIG",
            "verblijfsobjectgebruiksdoel": "",
            "verblijfsobjectstatus": "Plaats aangewezen",
        },
        {
            "object_type": "STA",
            "verblijfsobjectgebruiksdoel": "Standplaats",
            "verblijfsobjectstatus": "Plaats aangewezen",
        },
    ],
)
def test_mixed_use_moorings_and_pitches_are_households(tmp_path: Path, differences: dict[str, str]) -> None:
    (address,) = read(write_bag(tmp_path, [home(1, **differences)]))

    assert isinstance(address, Address)
    assert address.object_type == differences.get("object_type", "VBO")


def test_unknown_statuses_are_named(tmp_path: Path) -> None:
    rows = [home(number, verblijfsobjectstatus="Iets nieuws") for number in (1, 2)]
    bag = BagFile(write_bag(tmp_path, rows), "Almelo")

    list(bag.addresses())

    assert bag.unknown_statuses == {"Iets nieuws": 2}


def test_progress_and_checksum_cover_the_whole_file(tmp_path: Path) -> None:
    steps: list[int] = []
    path = write_bag(tmp_path, [home(number) for number in range(1, 6_000)])
    bag = BagFile(path, "Almelo", steps.append)

    list(bag.addresses())

    assert sum(steps) == 6_000
    assert len(steps) == 2
    assert len(bag.csv.sha256) == 64


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (key_row(1), "01411000"),
        (key_row(1, Buurt2025="1411000"), "01411000"),
        (key_row(1, Buurt2025="BU01411000"), "01411000"),
        (key_row(1, Buurt2025="0141AF01"), "0141AF01"),
        (key_row(1, PC6="7607 aa"), "01411000"),
    ],
)
def test_a_code_of_the_key_gets_its_zeros_back(tmp_path: Path, row: dict[str, str], code: str) -> None:
    key = KeyFile(write_key(tmp_path, [row]), "GM0141")

    found = list(key.rows())

    assert key.edition == 2025
    assert found == [KeyRow(2, "7607AA", 1, code)]


def test_the_key_of_other_municipalities_is_left_out(tmp_path: Path) -> None:
    rows = [key_row(1, Buurt2025=code) for code in ("01641000", "1641000", "0363AF01", "14110000")]

    found = list(KeyFile(write_key(tmp_path, rows), "GM0141").rows())

    assert found == []


def test_the_files_are_told_apart_when_they_are_swapped(tmp_path: Path) -> None:
    bag, key = write_bag(tmp_path, [home(1)]), write_key(tmp_path)

    with pytest.raises(UnreadableFile, match=r"key\.csv, regel 1: dit lijkt het CBS-sleutelbestand\. .*verwisseld"):
        BagFile(key, "Almelo")
    with pytest.raises(UnreadableFile, match=r"bag\.csv, regel 1: dit lijkt het BAG-bestand\. .*verwisseld"):
        KeyFile(bag, "GM0141")


def test_the_key_must_say_its_year(tmp_path: Path) -> None:
    path = tmp_path / "key.csv"
    path.write_text(text([key_row(1)], KEY).replace("2025", ""), encoding="utf-8")

    with pytest.raises(UnreadableFile, match="Buurt met een jaar"):
        KeyFile(path, "GM0141")


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_bag(tmp_path, [home(1)])

    def refuse(self: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(UnreadableFile, match=r"bag\.csv: kan niet worden gelezen \(Permission denied\)"):
        read(path)


def test_a_line_of_a_hundred_megabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "bag.csv"
    with path.open("wb") as file:
        file.write(text([home(1)]).encode())
        file.truncate(100_000_000)

    with pytest.raises(UnreadableFile, match="regel 3, teken 65536: deze regel is te lang"):
        read(path)
