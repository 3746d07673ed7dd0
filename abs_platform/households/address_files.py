# SPDX-License-Identifier: EUPL-1.2
"""What stands in a BAG file (as NLExtract publishes it) and in the CBS key file, and which lines count.

A household is a main address in use: of a VBO with a "woonfunctie", of a mooring (LIG) or of a pitch (STA).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from abs_platform.households.address_fields import (
    FieldRefused,
    checked_id,
    checked_name,
    checked_neighbourhood,
    checked_number,
    checked_postcode,
    readable_id,
    shortened,
    whole_number,
)
from abs_platform.households.csv_files import CsvFile, UnreadableFile
from abs_platform.households.states import SkipReason, Variant

MAX_UNKNOWN_STATUSES = 20

# Our names (those of the published file) and what else the columns are called.
_BAG_COLUMNS = {
    "openbareruimte": ("openbareruimte", "openbareruimtenaam", "straatnaam", "straat"),
    "huisnummer": ("huisnummer", "huisnr"),
    "huisletter": ("huisletter",),
    "huisnummertoevoeging": ("huisnummertoevoeging", "toevoeging"),
    "postcode": ("postcode",),
    "woonplaats": ("woonplaats", "woonplaatsnaam"),
    "gemeente": ("gemeente", "gemeentenaam"),
    "object_id": ("object_id", "adresseerbaarobject", "adresseerbaarobject_id"),
    "object_type": ("object_type", "typeadresseerbaarobject"),
    "nevenadres": ("nevenadres",),
}
_FULL_COLUMNS = {
    "nummeraanduiding": ("nummeraanduiding", "nummeraanduiding_id"),
    "verblijfsobjectgebruiksdoel": ("verblijfsobjectgebruiksdoel", "gebruiksdoel"),
    "verblijfsobjectstatus": (
        "verblijfsobjectstatus",
        "adresseerbaarobjectstatus",
        "adresseerbaarobject_status",
    ),
}
_KEY_COLUMNS = {"PC6": ("pc6", "postcode"), "Huisnummer": ("huisnummer", "huisnr")}
_KEY_NEIGHBOURHOOD = re.compile(r"(?:buurt|buurtcode|bu)_?([12][0-9]{3})")

_IN_USE = {
    "verblijfsobject in gebruik",
    "verblijfsobject in gebruik (niet ingemeten)",
    "plaats aangewezen",
}
_NOT_IN_USE = {
    "verblijfsobject gevormd",
    "niet gerealiseerd verblijfsobject",
    "verblijfsobject buiten gebruik",
    "verbouwing verblijfsobject",
    "verblijfsobject ingetrokken",
    "verblijfsobject ten onrechte opgevoerd",
    "plaats ingetrokken",
}
_OBJECT_TYPES = {"vbo": "VBO", "lig": "LIG", "sta": "STA"} | {
    "verblijfsobject": "VBO",
    "ligplaats": "LIG",
    "standplaats": "STA",
}
_YES_NO = {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}


class Address(NamedTuple):
    """One household as a line of the BAG file gives it; ``address_id`` is None in the short variant."""

    line: int
    object_id: str
    address_id: str | None
    object_type: str
    street: str
    house_number: int
    house_letter: str
    house_addition: str
    postcode: str
    city: str


class Rejection(NamedTuple):
    """A line that cannot be used: where and why. ``object_id`` is there when it can be read all the same."""

    line: int
    column: str
    reason: str
    object_id: str | None = None

    def __str__(self) -> str:
        return f"regel {self.line}, kolom {self.column}: {self.reason}"


class KeyRow(NamedTuple):
    """The neighbourhood (eight characters, without "BU") of a postcode and house number."""

    line: int
    postcode: str
    house_number: int
    neighbourhood_code: str


class _BagRow(NamedTuple):
    """The fields of a line that matter, as they stand there."""

    street: str
    number: str
    letter: str
    addition: str
    postcode: str
    city: str
    municipality: str
    object_id: str
    object_type: str
    secondary: str
    designation: str = ""
    purposes: str = ""
    status: str = ""


class BagFile:
    """The addresses of one municipality in a BAG file, short or full.

    ``skipped`` and ``unknown_statuses`` fill up while ``addresses`` is read.
    Raises: UnreadableFile when a column is missing.
    """

    def __init__(self, path: Path, municipality_name: str, on_progress: Callable[[int], None] | None = None) -> None:
        self.csv = CsvFile(path, on_progress)
        self.skipped: Counter[SkipReason] = Counter(dict.fromkeys(SkipReason, 0))
        self.unknown_statuses: Counter[str] = Counter()
        self._municipality = municipality_name.casefold()
        places = self.csv.columns(_BAG_COLUMNS | _FULL_COLUMNS)
        has_more = any(name in places for name in _FULL_COLUMNS)
        self.variant = Variant.FULL if has_more else Variant.SHORT
        needed = [*_BAG_COLUMNS, *_FULL_COLUMNS] if has_more else [*_BAG_COLUMNS]
        if missing := [name for name in needed if name not in places]:
            raise _wrong_header(self.csv, missing, "CBS-sleutelbestand", _key_neighbourhood(self.csv)[1] > 0)
        self._pick = itemgetter(*(places[name] for name in needed))
        self._places = places

    def column(self, name: str) -> str:
        """What the file itself calls a column."""
        return self.csv.header[self._places[name]]

    def addresses(self) -> Iterator[Address | Rejection]:
        """Every household of the municipality, and every line that might have been one but cannot be used."""
        width = len(self.csv.header)
        skipped = self.skipped
        for line, fields in self.csv.rows():
            if len(fields) != width:
                yield self._wrong_width(line, len(fields))
                continue
            row = _BagRow(*self._pick(fields))
            try:
                if reason := self._skip_reason(row):
                    skipped[reason] += 1
                else:
                    yield self._address(line, row)
            except FieldRefused as refused:
                yield Rejection(line, self.column(refused.column), refused.reason, readable_id(row.object_id))

    def _wrong_width(self, line: int, found: int) -> Rejection:
        width = len(self.csv.header)
        column = self.csv.header[min(found, width - 1)]
        return Rejection(line, column, _width_reason(found, width))

    def _skip_reason(self, row: _BagRow) -> SkipReason | None:
        if row.municipality.strip().casefold() != self._municipality:
            return SkipReason.OTHER_MUNICIPALITY
        secondary = _YES_NO.get(row.secondary.strip().casefold())
        if secondary is None:
            raise FieldRefused("nevenadres", f"'{shortened(row.secondary)}' is geen t of f.")
        if secondary:
            return SkipReason.SECONDARY_ADDRESS
        if self.variant == Variant.SHORT:
            return None
        has_purpose = row.object_type.strip().casefold() in {"vbo", "verblijfsobject"}
        if has_purpose and "woonfunctie" not in row.purposes.casefold():
            return SkipReason.NOT_RESIDENTIAL
        return None if self._is_in_use(row.status.strip()) else SkipReason.NOT_IN_USE

    def _is_in_use(self, status: str) -> bool:
        folded = status.casefold()
        if folded in _IN_USE:
            return True
        known = folded in _NOT_IN_USE or len(self.unknown_statuses) >= MAX_UNKNOWN_STATUSES
        if not known or shortened(status) in self.unknown_statuses:
            self.unknown_statuses[shortened(status)] += 1
        return False

    def _address(self, line: int, row: _BagRow) -> Address:
        object_type = _OBJECT_TYPES.get(row.object_type.strip().casefold())
        if object_type is None:
            raise FieldRefused("object_type", f"'{shortened(row.object_type)}' is geen VBO, LIG of STA.")
        object_id = checked_id("object_id", row.object_id)
        full = self.variant == Variant.FULL
        address_id = checked_id("nummeraanduiding", row.designation) if full else None
        number, letter, addition = checked_number(row.number, row.letter, row.addition)
        return Address(
            line,
            object_id,
            address_id,
            object_type,
            checked_name("openbareruimte", row.street),
            number,
            letter,
            addition,
            checked_postcode(row.postcode),
            checked_name("woonplaats", row.city),
        )


class KeyFile:
    """The neighbourhoods of one municipality in a CBS key file; ``edition`` is the year in its column names.

    Raises: UnreadableFile when a column is missing, or (while reading) for a line of the municipality that
    cannot be used: a key with holes would leave addresses without a neighbourhood.
    """

    def __init__(self, path: Path, municipality_code: str, on_progress: Callable[[int], None] | None = None) -> None:
        self.csv = CsvFile(path, on_progress)
        self._municipality = municipality_code.removeprefix("GM")
        places = self.csv.columns(_KEY_COLUMNS)
        missing = [name for name in _KEY_COLUMNS if name not in places]
        neighbourhood, self.edition = _key_neighbourhood(self.csv)
        if not self.edition:
            missing.append("Buurt met een jaar (zoals Buurt2025)")
        if missing:
            raise _wrong_header(self.csv, missing, "BAG-bestand", _looks_like_bag(self.csv))
        self._places = (places["PC6"], places["Huisnummer"], neighbourhood)

    def where(self, line: int) -> str:
        """The file, the line and the column of the neighbourhood, to begin a sentence with."""
        return self.csv.where(line, self._places[2])

    def rows(self) -> Iterator[KeyRow]:
        """The rows of the municipality. Zeros that a spreadsheet took from a code are put back."""
        width = len(self.csv.header)
        postcode_at, number_at, code_at = self._places
        for line, fields in self.csv.rows():
            if len(fields) != width:
                where = self.csv.where(line, min(len(fields), width - 1))
                raise UnreadableFile(f"{where}: {_width_reason(len(fields), width)}")
            code = fields[code_at].strip().upper().removeprefix("BU").zfill(8)
            if not code.startswith(self._municipality):
                continue
            try:
                postcode = checked_postcode(fields[postcode_at])
                number = whole_number(fields[number_at].strip())
                row = KeyRow(line, postcode, number, checked_neighbourhood(code))
            except FieldRefused as refused:
                place = {"postcode": postcode_at, "huisnummer": number_at}.get(refused.column, code_at)
                raise UnreadableFile(f"{self.csv.where(line, place)}: {refused.reason}") from refused
            yield row


def _key_neighbourhood(file: CsvFile) -> tuple[int, int]:
    """The place of the column with the neighbourhood, and the year in its name (0: no such column)."""
    for place, name in enumerate(file.header):
        if found := _KEY_NEIGHBOURHOOD.fullmatch(name.casefold()):
            return place, int(found[1])
    return 0, 0


def _width_reason(found: int, width: int) -> str:
    return f"deze regel heeft {found} kolommen, de eerste regel heeft er {width}."


def _looks_like_bag(file: CsvFile) -> bool:
    names = {name.casefold() for name in file.header}
    return not names.isdisjoint(_BAG_COLUMNS["object_id"] + _BAG_COLUMNS["object_type"])


def _wrong_header(file: CsvFile, missing: list[str], other: str, is_other: bool) -> UnreadableFile:
    if is_other:
        return UnreadableFile(f"{file.path}, regel 1: dit lijkt het {other}. Zijn de twee bestanden verwisseld?")
    what = "deze kolom ontbreekt" if len(missing) == 1 else "deze kolommen ontbreken"
    return UnreadableFile(f"{file.path}, regel 1: {what}: {', '.join(missing)}.")
