# SPDX-License-Identifier: EUPL-1.2
"""Small address files in the two published formats: a line is a dict, and what is wrong with it is said by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_ADDRESS = ["openbareruimte", "huisnummer", "huisletter", "huisnummertoevoeging", "postcode", "woonplaats"]
_USE = ["nummeraanduiding", "verblijfsobjectgebruiksdoel", "oppervlakteverblijfsobject", "verblijfsobjectstatus"]
_OBJECT = ["object_id", "object_type", "nevenadres"]
_BUILDING = ["pandid", "pandstatus", "pandbouwjaar"]
_POINT = ["x", "y", "lon", "lat"]
SHORT = [*_ADDRESS, "gemeente", "provincie", *_OBJECT, *_POINT]
FULL = [*_ADDRESS, "gemeente", "provincie", *_USE, *_OBJECT, *_BUILDING, *_POINT]
KEY = ["PC6", "Huisnummer", "Buurt2025", "Wijk2025", "Gemeente2025"]


def object_id(number: int) -> str:
    """The BAG id of the dwelling of ``home(number)``."""
    return f"0141010{number:09}"


def home(number: int, **differences: str) -> dict[str, str]:
    """A dwelling in use: Grotestraat ``number``, 7607AA, in neighbourhood BU01411000."""
    return {
        "openbareruimte": "Grotestraat",
        "huisnummer": str(number),
        "huisletter": "",
        "huisnummertoevoeging": "",
        "postcode": "7607AA",
        "woonplaats": "Almelo",
        "gemeente": "Almelo",
        "provincie": "Overijssel",
        "nummeraanduiding": f"0141200{number:09}",
        "verblijfsobjectgebruiksdoel": "woonfunctie",
        "oppervlakteverblijfsobject": "88",
        "verblijfsobjectstatus": "Verblijfsobject in gebruik",
        "object_id": object_id(number),
        "object_type": "VBO",
        "nevenadres": "f",
        "pandid": "0141100000000001",
        "pandstatus": "Pand in gebruik",
        "pandbouwjaar": "1931",
        "x": "241500.123",
        "y": "486300.456",
        "lon": "6.66012345",
        "lat": "52.35612345",
    } | differences


def key_row(number: int, **differences: str) -> dict[str, str]:
    """What the CBS key says of ``home(number)``."""
    return {
        "PC6": "7607AA",
        "Huisnummer": str(number),
        "Buurt2025": "01411000",
        "Wijk2025": "014110",
        "Gemeente2025": "0141",
    } | differences


def text(
    rows: Iterable[dict[str, str]], columns: list[str] = FULL, *, separator: str = ";", newline: str = "\n"
) -> str:
    """A file as text, header included."""
    lines = [columns, *([row[column] for column in columns] for row in rows)]
    return "".join(separator.join(fields) + newline for fields in lines)


def write_bag(folder: Path, rows: Iterable[dict[str, str]], columns: list[str] = FULL) -> Path:
    """Write a BAG file and return where it is."""
    path = folder / "bag.csv"
    path.write_text(text(rows, columns), encoding="utf-8")
    return path


def write_key(folder: Path, rows: Iterable[dict[str, str]] | None = None) -> Path:
    """Write a key file (of ``home(1)`` to ``home(99)``) and return where it is."""
    path = folder / "key.csv"
    rows = [key_row(number) for number in range(1, 100)] if rows is None else rows
    path.write_text(text(rows, KEY), encoding="utf-8")
    return path
