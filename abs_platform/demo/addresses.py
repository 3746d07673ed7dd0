# SPDX-License-Identifier: EUPL-1.2
"""Synthetic addresses in the two published formats: the NLExtract BAG file and the CBS key file."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from abs_platform.demo.generating import Generator
from abs_platform.demo.rows import DWELLING, FORMED, OUT_OF_USE, Row
from abs_platform.demo.streets import read_streets

Variant = Literal["full", "short"]

_FULL_HEADER = (
    "openbareruimte;huisnummer;huisletter;huisnummertoevoeging;postcode;woonplaats;gemeente;provincie;"
    "nummeraanduiding;verblijfsobjectgebruiksdoel;oppervlakteverblijfsobject;verblijfsobjectstatus;"
    "object_id;object_type;nevenadres;pandid;pandstatus;pandbouwjaar;x;y;lon;lat"
)
_SHORT_HEADER = (
    "openbareruimte;huisnummer;huisletter;huisnummertoevoeging;postcode;woonplaats;gemeente;provincie;"
    "object_id;object_type;nevenadres;x;y;lon;lat"
)


@dataclass(frozen=True)
class WrittenFiles:
    """What stands in the two files; `households` is what an importer of the full variant must count."""

    bag_path: Path
    key_path: Path
    rows: int
    key_rows: int
    postcodes: int
    households: int
    berths: int
    pitches: int
    secondary: int
    other_use: int
    not_in_use: int
    neighbouring: int


def write_address_files(
    streets_path: Path,
    bag_path: Path,
    key_path: Path,
    *,
    municipality: str,
    municipality_code: str,
    households: int | None = None,
    seed: int = 1,
    variant: Variant = "full",
    key_year: int = 2025,
) -> WrittenFiles:
    """Write both files row by row; the same arguments give the same bytes.

    `households` is the number of residential main addresses in use; without it the weights of the streets
    file are the numbers of dwellings. Beside these the file holds what an importer must leave out: secondary
    addresses, shops and offices, what is not in use, and rows of neighbouring municipalities.

    Raises: ValueError for a street that cannot be written, or for fewer than one household.
    """
    plan = read_streets(streets_path, municipality)
    total = sum(area.weight for area in plan.areas) if households is None else households
    if total < 1:
        raise ValueError("At least one household is needed.")
    rows = Generator(plan, total, municipality, municipality_code, seed).rows()
    bag_path.parent.mkdir(parents=True, exist_ok=True)
    key_path.parent.mkdir(parents=True, exist_ok=True)
    with (
        bag_path.open("w", encoding="utf-8", newline="\n") as bag,
        key_path.open("w", encoding="utf-8", newline="\n") as key,
    ):
        bag.write(f"{_FULL_HEADER if variant == 'full' else _SHORT_HEADER}\n")
        key.write(f"PC6;Huisnummer;Buurt{key_year};Wijk{key_year};Gemeente{key_year}\n")
        counts = _write_rows(rows, bag, key, municipality=municipality, province=plan.province, variant=variant)
    return WrittenFiles(bag_path=bag_path, key_path=key_path, **vars(counts))


@dataclass
class _Counts:
    rows: int = 0
    key_rows: int = 0
    postcodes: int = 0
    households: int = 0
    berths: int = 0
    pitches: int = 0
    secondary: int = 0
    other_use: int = 0
    not_in_use: int = 0
    neighbouring: int = 0

    def add(self, row: Row, municipality: str) -> None:
        self.rows += 1
        if row.municipality != municipality:
            self.neighbouring += 1
        elif row.secondary:
            self.secondary += 1
        elif row.object_type != "VBO":
            self.households += 1
            self.berths += row.object_type == "LIG"
            self.pitches += row.object_type == "STA"
        elif DWELLING not in row.purpose:
            self.other_use += 1
        elif row.status in (OUT_OF_USE, FORMED):
            self.not_in_use += 1
        else:
            self.households += 1


def _write_rows(
    rows: Iterable[Row], bag: TextIO, key: TextIO, *, municipality: str, province: str, variant: Variant
) -> _Counts:
    """Every row is a line of the BAG file; the key file has one line for every house number."""
    line = _full_line if variant == "full" else _short_line
    counts = _Counts()
    last: tuple[str, int] = ("", 0)
    for row in rows:
        bag.write(line(row, province))
        counts.add(row, municipality)
        place = (row.postcode, row.number)
        if place != last:
            area = row.area_code
            key.write(f"{row.postcode};{row.number};{area};{area[:6]};{area[:4]}\n")
            counts.key_rows += 1
            counts.postcodes += place[0] != last[0]
            last = place
    return counts


def _full_line(row: Row, province: str) -> str:
    return (
        f"{row.street};{row.number};{row.letter};{row.addition};{row.postcode};{row.town};{row.municipality};"
        f"{province};{row.designation};{row.purpose};{row.surface};{row.status};{row.object_id};"
        f"{row.object_type};{'t' if row.secondary else 'f'};{row.building};{row.building_status};{row.year};"
        f"{row.x:.3f};{row.y:.3f};{row.longitude:.8f};{row.latitude:.8f}\n"
    )


def _short_line(row: Row, province: str) -> str:
    return (
        f"{row.street};{row.number};{row.letter};{row.addition};{row.postcode};{row.town};{row.municipality};"
        f"{province};{row.object_id};{row.object_type};{'t' if row.secondary else 'f'};"
        f"{row.x:.3f};{row.y:.3f};{row.longitude:.8f};{row.latitude:.8f}\n"
    )
