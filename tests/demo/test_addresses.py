# SPDX-License-Identifier: EUPL-1.2
"""The demo's address files have the published form, hold what was asked, and are the same every time."""

import csv
import re
import tomllib
from collections import Counter, defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from abs_platform.demo.addresses import WrittenFiles, write_address_files

STREETS = Path(__file__).resolve().parents[2] / "abs_platform/municipalities/almelo/demo/streets.toml"

FULL_HEADER = (
    "openbareruimte;huisnummer;huisletter;huisnummertoevoeging;postcode;woonplaats;gemeente;provincie;"
    "nummeraanduiding;verblijfsobjectgebruiksdoel;oppervlakteverblijfsobject;verblijfsobjectstatus;object_id;"
    "object_type;nevenadres;pandid;pandstatus;pandbouwjaar;x;y;lon;lat"
)
SHORT_HEADER = (
    "openbareruimte;huisnummer;huisletter;huisnummertoevoeging;postcode;woonplaats;gemeente;provincie;"
    "object_id;object_type;nevenadres;x;y;lon;lat"
)


def write(folder: Path, **options: Any) -> WrittenFiles:
    return write_address_files(
        STREETS, folder / "bag.csv", folder / "key.csv", municipality="Almelo", municipality_code="GM0141", **options
    )


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def first_line(path: Path) -> str:
    return path.read_text("utf-8").splitlines()[0]


def is_household(row: dict[str, str]) -> bool:
    """The importer's rule: a main address where somebody may live, in use, of this municipality."""
    if row["gemeente"] != "Almelo" or row["nevenadres"] == "t":
        return False
    if row["object_type"] in ("LIG", "STA"):
        return True
    in_use = row["verblijfsobjectstatus"].startswith("Verblijfsobject in gebruik")
    return in_use and "woonfunctie" in row["verblijfsobjectgebruiksdoel"].split(",")


def neighbourhoods() -> list[dict[str, Any]]:
    with STREETS.open("rb") as file:
        found: list[dict[str, Any]] = tomllib.load(file)["neighbourhood"]
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> WrittenFiles:
    return write(tmp_path_factory.mktemp("addresses"))


@pytest.fixture(scope="module")
def rows(written: WrittenFiles) -> list[dict[str, str]]:
    return read(written.bag_path)


@pytest.fixture(scope="module")
def neighbourhood_of(written: WrittenFiles) -> dict[tuple[str, str], str]:
    return {(line["PC6"], line["Huisnummer"]): line["Buurt2025"] for line in read(written.key_path)}


def test_the_streets_file_covers_every_neighbourhood_with_believable_sizes() -> None:
    found = neighbourhoods()

    districts: Counter[str] = Counter()
    for neighbourhood in found:
        districts[neighbourhood["code"][2:8]] += neighbourhood["weight"]
    streets = [street for neighbourhood in found for street in neighbourhood["streets"]]

    assert len({neighbourhood["code"] for neighbourhood in found}) == len(found) == 71
    assert 33_000 <= sum(districts.values()) <= 33_400
    assert len(districts) == 12
    assert {code for code, _ in districts.most_common(3)} == {"014113", "014118", "014119"}
    assert districts["014120"] == 700
    assert districts["014121"] == 750
    assert len(streets) == len(set(streets))
    assert all(neighbourhood["streets"] for neighbourhood in found)


def test_the_same_arguments_give_the_same_bytes(written: WrittenFiles, tmp_path: Path) -> None:
    again = write(tmp_path)

    assert again.bag_path.read_bytes() == written.bag_path.read_bytes()
    assert again.key_path.read_bytes() == written.key_path.read_bytes()


def test_another_seed_gives_other_addresses_but_as_many_households(written: WrittenFiles, tmp_path: Path) -> None:
    other = write(tmp_path, seed=2)

    assert other.bag_path.read_bytes() != written.bag_path.read_bytes()
    assert other.households == written.households


def test_the_files_have_the_published_headers(written: WrittenFiles, tmp_path: Path) -> None:
    short = write(tmp_path, households=200, variant="short", key_year=2024)

    assert first_line(written.bag_path) == FULL_HEADER
    assert first_line(short.bag_path) == SHORT_HEADER
    assert first_line(written.key_path) == "PC6;Huisnummer;Buurt2025;Wijk2025;Gemeente2025"
    assert first_line(short.key_path) == "PC6;Huisnummer;Buurt2024;Wijk2024;Gemeente2024"


def test_the_short_variant_holds_the_same_addresses_as_the_full_one(tmp_path: Path) -> None:
    full = write(tmp_path / "full", households=500)
    short = write(tmp_path / "short", households=500, variant="short")

    columns = SHORT_HEADER.split(";")
    expected = [[row[column] for column in columns] for row in read(full.bag_path)]

    assert [list(row.values()) for row in read(short.bag_path)] == expected
    assert short.key_path.read_bytes() == full.key_path.read_bytes()


def test_the_counts_say_what_stands_in_the_files(written: WrittenFiles, rows: list[dict[str, str]]) -> None:
    households = [row for row in rows if is_household(row)]
    own = [row for row in rows if row["gemeente"] == "Almelo"]

    counts = asdict(written)

    assert written.rows == len(rows)
    assert written.households == len(households) == sum(place["weight"] for place in neighbourhoods())
    assert written.berths == sum(row["object_type"] == "LIG" for row in rows) > 0
    assert written.pitches == sum(row["object_type"] == "STA" for row in rows) > 0
    assert written.secondary == sum(row["nevenadres"] == "t" for row in rows) > 0
    assert written.neighbouring == len(rows) - len(own) > 0
    assert written.key_rows == len(read(written.key_path))
    assert written.postcodes == len({row["postcode"] for row in rows})
    parts = ("households", "secondary", "other_use", "not_in_use", "neighbouring")
    assert sum(counts[part] for part in parts) == len(rows)


def test_the_rows_that_an_importer_must_tell_apart_are_there(rows: list[dict[str, str]]) -> None:
    def some(column: str, pattern: str) -> bool:
        return any(re.fullmatch(pattern, row[column]) for row in rows)

    assert some("huisletter", "[A-Z]")
    assert some("huisnummertoevoeging", "[0-9]{1,4}")
    assert any(row["huisletter"] and row["huisnummertoevoeging"] for row in rows)
    assert some("verblijfsobjectgebruiksdoel", "winkelfunctie")
    assert some("verblijfsobjectgebruiksdoel", "kantoorfunctie")
    assert some("verblijfsobjectgebruiksdoel", "woonfunctie,[a-z]+functie")
    assert some("verblijfsobjectstatus", r"Verblijfsobject in gebruik \(niet ingemeten\)")
    assert some("verblijfsobjectstatus", "Verblijfsobject buiten gebruik")
    assert some("verblijfsobjectstatus", "Verblijfsobject gevormd")
    assert some("verblijfsobjectstatus", "Plaats aangewezen")
    assert {row["woonplaats"] for row in rows if row["gemeente"] == "Almelo"} == {
        "Almelo",
        "Aadorp",
        "Bornerbroek",
    }
    assert any(re.search(r"[^\x00-\x7f]", row["openbareruimte"]) for row in rows)


def test_ids_have_sixteen_digits_and_are_unique(rows: list[dict[str, str]]) -> None:
    own = [row for row in rows if row["gemeente"] == "Almelo"]
    main = [row["object_id"] for row in own if row["nevenadres"] == "f"]
    designations = [row["nummeraanduiding"] for row in own]
    kinds = {"VBO": "0141010", "LIG": "0141020", "STA": "0141030"}

    assert len(set(main)) == len(main)
    assert len(set(designations)) == len(designations)
    assert all(re.fullmatch(r"0141200000\d{6}", designation) for designation in designations)
    assert all(re.fullmatch(kinds[row["object_type"]] + r"\d{9}", row["object_id"]) for row in own)
    assert all(re.fullmatch(r"0141100\d{9}", row["pandid"]) for row in own if row["object_type"] == "VBO")


def test_a_secondary_address_points_at_a_home_that_has_its_main_address(rows: list[dict[str, str]]) -> None:
    main = {row["object_id"] for row in rows if row["nevenadres"] == "f"}

    assert all(row["object_id"] in main for row in rows if row["nevenadres"] == "t")


def test_no_address_is_there_twice(rows: list[dict[str, str]]) -> None:
    columns = ("postcode", "huisnummer", "huisletter", "huisnummertoevoeging")

    seen = Counter(tuple(row[column] for column in columns) for row in rows)

    assert [address for address, times in seen.items() if times > 1] == []


def test_postcodes_are_valid_and_keep_to_one_side_of_one_street(
    rows: list[dict[str, str]], neighbourhood_of: dict[tuple[str, str], str]
) -> None:
    stretches: defaultdict[str, set[tuple[str, int, str]]] = defaultdict(set)
    sizes: Counter[str] = Counter()
    for row in rows:
        postcode, number = row["postcode"], row["huisnummer"]
        place = neighbourhood_of[postcode, number]
        stretches[postcode].add((row["openbareruimte"], int(number) % 2, place))
        sizes[postcode] += 1
    listed = {digits for place in neighbourhoods() for digits in place["postcodes"]}

    assert all(re.fullmatch(r"[1-9]\d{3}(?!SA|SD|SS)[A-EGHJ-NPR-TV-XZ]{2}", postcode) for postcode in sizes)
    assert {row["postcode"][:4] for row in rows if row["gemeente"] == "Almelo"} == listed
    assert all(len(stretch) == 1 for stretch in stretches.values())
    assert max(sizes.values()) <= 40


def test_every_inhabited_neighbourhood_has_as_many_households_as_its_weight(
    rows: list[dict[str, str]], neighbourhood_of: dict[tuple[str, str], str]
) -> None:
    counted = Counter("BU" + neighbourhood_of[row["postcode"], row["huisnummer"]] for row in rows if is_household(row))

    assert counted == {place["code"]: place["weight"] for place in neighbourhoods() if place["weight"]}


def test_the_key_file_covers_all_addresses_once(written: WrittenFiles, rows: list[dict[str, str]]) -> None:
    lines = read(written.key_path)

    keys = Counter((line["PC6"], line["Huisnummer"]) for line in lines)

    assert max(keys.values()) == 1
    assert set(keys) == {(row["postcode"], row["huisnummer"]) for row in rows}
    assert all(len(line["Buurt2025"]) == 8 for line in lines)
    assert all(line["Buurt2025"].startswith(line["Wijk2025"]) for line in lines)
    assert all(line["Wijk2025"].startswith(line["Gemeente2025"]) for line in lines)
    assert not any(prefix in written.key_path.read_text("utf-8") for prefix in ("BU0", "WK0", "GM0"))


def test_points_lie_in_the_municipality_in_both_systems(rows: list[dict[str, str]]) -> None:
    own = [row for row in rows if row["gemeente"] == "Almelo"]

    assert all(6.58 < float(row["lon"]) < 6.74 and 52.28 < float(row["lat"]) < 52.42 for row in own)
    assert all(236_000 < float(row["x"]) < 247_500 and 480_000 < float(row["y"]) < 494_000 for row in own)


@pytest.mark.parametrize("households", [1, 68, 5_000])
def test_the_number_of_households_can_be_chosen(households: int, tmp_path: Path) -> None:
    scaled = write(tmp_path, households=households)

    found = [row for row in read(scaled.bag_path) if is_household(row)]

    assert scaled.households == len(found) == households
    assert len({row["nummeraanduiding"] for row in found}) == households


def test_five_thousand_households_live_in_every_inhabited_neighbourhood(tmp_path: Path) -> None:
    scaled = write(tmp_path, households=5_000)

    key = {(line["PC6"], line["Huisnummer"]): line["Buurt2025"] for line in read(scaled.key_path)}
    lived_in = {key[row["postcode"], row["huisnummer"]] for row in read(scaled.bag_path) if is_household(row)}

    assert {"BU" + code for code in lived_in} == {place["code"] for place in neighbourhoods() if place["weight"]}


def test_streets_and_postcodes_are_added_where_the_municipality_outgrows_its_own(tmp_path: Path) -> None:
    scaled = write(tmp_path, households=120_000)

    sizes: Counter[str] = Counter()
    names = set()
    for row in read(scaled.bag_path):
        sizes[row["postcode"]] += 1
        names.add(row["openbareruimte"])

    assert "Lindestraat II" in names
    assert max(sizes.values()) <= 40
    assert not any(postcode[4:] in ("SA", "SD", "SS") for postcode in sizes)


def test_another_municipality_is_a_matter_of_arguments_and_another_streets_file(tmp_path: Path) -> None:
    streets = tmp_path / "streets.toml"
    streets.write_text(
        'province = "Gelderland"\n[[neighbourhood]]\ncode = "BU02750101"\nweight = 3\npostcodes = ["6991"]\n'
        'centre = [52.0, 6.0]\nstreets = ["Dorpsweg"]\n',
        "utf-8",
    )

    write_address_files(
        streets, tmp_path / "b.csv", tmp_path / "k.csv", municipality="Rheden", municipality_code="GM0275"
    )

    found = read(tmp_path / "b.csv")
    assert {(row["gemeente"], row["provincie"], row["woonplaats"]) for row in found} == {
        ("Rheden", "Gelderland", "Rheden")
    }
    assert all(row["nummeraanduiding"].startswith("0275200") for row in found)


def test_a_street_that_would_break_the_file_is_refused(tmp_path: Path) -> None:
    streets = tmp_path / "streets.toml"
    streets.write_text(
        'province = "Gelderland"\n[[neighbourhood]]\ncode = "BU02750101"\nweight = 3\npostcodes = ["6991"]\n'
        'centre = [52.0, 6.0]\nstreets = ["Dorps;weg"]\n',
        "utf-8",
    )

    with pytest.raises(ValueError, match="Dorps;weg"):
        write_address_files(
            streets, tmp_path / "b.csv", tmp_path / "k.csv", municipality="Rheden", municipality_code="GM0275"
        )


def test_fewer_than_one_household_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="household"):
        write(tmp_path, households=0)
