# SPDX-License-Identifier: EUPL-1.2
"""Reading a delimited file in flat memory; what cannot be read gets a sentence with line and column."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from abs_platform.errors import InvalidInput

MAX_LINE_BYTES = 64 * 1024
_LINES_A_REPORT = 5_000
_BOM = b"\xef\xbb\xbf"
_OTHER_FORMATS = {
    b"\xff\xfe": "dit is UTF-16. Bewaar het bestand als UTF-8.",
    b"\xfe\xff": "dit is UTF-16. Bewaar het bestand als UTF-8.",
    b"PK\x03\x04": "dit is een zip- of Excelbestand. Pak het uit, of bewaar het als CSV.",
    b"\x1f\x8b": "dit is een ingepakt bestand. Pak het eerst uit.",
}
_QUOTED = re.compile(r'"[^"]*"?')
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def other_format(start: bytes) -> str | None:
    """What a file is, by its first bytes, when it is no CSV in UTF-8; None when it may be."""
    return next((sentence for mark, sentence in _OTHER_FORMATS.items() if start.startswith(mark)), None)


class UnreadableFile(InvalidInput):
    """A file that cannot be read (further); the sentence names the file, and line and column if known."""


class CsvFile:
    """One file with a header, separated by semicolons or commas, read once from top to bottom.

    Accepts a byte order mark, CRLF and quotes. A record is one line: a quote that stays open is an error on
    its own line instead of swallowing the lines below. ``on_progress`` gets the lines read since the last time.

    Raises: UnreadableFile, here for what the header shows, and while reading for the rest.
    """

    def __init__(self, path: Path, on_progress: Callable[[int], None] | None = None) -> None:
        self.path = path
        self._on_progress = on_progress
        self._digest = hashlib.sha256()
        self._delimiter = ";"
        self._lines = self._read_lines()
        _, header = next(self._lines, (0, ""))
        if not header.strip():
            raise UnreadableFile(f"{path}: het bestand is leeg, of de eerste regel is dat.")
        self._delimiter = max(";,", key=header.count)
        self.header = tuple(name.strip() for name in self._fields(1, header))

    @property
    def sha256(self) -> str:
        """The checksum of the bytes read so far: of the whole file once ``rows`` has ended."""
        return self._digest.hexdigest()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line number and fields of every line below the header that is not empty."""
        delimiter = self._delimiter
        for number, line in self._lines:
            if '"' in line:
                yield number, self._fields(number, line)
            elif line:
                yield number, line.split(delimiter)

    def columns(self, aliases: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
        """The place of each column that the header has, by our name for it.

        Raises: UnreadableFile when two columns go by the same name.
        """
        names = [name.casefold() for name in self.header]
        places: dict[str, int] = {}
        for ours, theirs in aliases.items():
            found = [place for place, name in enumerate(names) if name in theirs]
            if len(found) > 1:
                raise UnreadableFile(
                    f"{self.path}, regel 1: kolom {self.header[found[1]]} staat er twee keer in ({ours})."
                )
            if found:
                places[ours] = found[0]
        return places

    def where(self, line: int, place: int) -> str:
        """The file, the line and the name of the column, to begin a sentence with."""
        name = self.header[place] if place < len(self.header) else str(place + 1)
        return f"{self.path}, regel {line}, kolom {name}"

    def _read_lines(self) -> Iterator[tuple[int, str]]:
        if not self.path.exists():
            raise UnreadableFile(f"{self.path}: dit bestand bestaat niet.")
        if not self.path.is_file():
            raise UnreadableFile(f"{self.path}: dit is geen bestand maar een map of iets anders.")
        number = 0
        try:
            with self.path.open("rb") as file:
                while raw := file.readline(MAX_LINE_BYTES + 1):
                    number += 1
                    self._digest.update(raw)
                    if number % _LINES_A_REPORT == 0 and self._on_progress is not None:
                        self._on_progress(_LINES_A_REPORT)
                    yield number, self._decode(number, raw)
        except OSError as error:
            reason = error.strerror or error
            raise UnreadableFile(f"{self.path}: kan niet worden gelezen ({reason}).") from error
        if self._on_progress is not None:
            self._on_progress(number % _LINES_A_REPORT)

    def _decode(self, number: int, raw: bytes) -> str:
        if number == 1:
            raw = raw.removeprefix(_BOM)
            if sentence := other_format(raw):
                raise UnreadableFile(f"{self.path}, regel 1, teken 1: {sentence}")
        if not raw.endswith(b"\n"):
            self._refuse_odd_end(number, raw)
        try:
            line = raw.decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            before = raw[: error.start].decode()
            raise UnreadableFile(
                f"{self._place(number, before)}: dit is geen UTF-8 (byte {raw[error.start]:#04x}). "
                "Bewaar het bestand als UTF-8."
            ) from error
        if not line.isprintable() and (found := _CONTROL_CHARACTER.search(line)):
            what = "een NUL-teken" if found[0] == "\0" else f"een stuurteken ({ord(found[0]):#04x})"
            raise UnreadableFile(
                f"{self._place(number, line[: found.start()])}: hier staat {what}. "
                "Het bestand is beschadigd, of het is geen CSV in UTF-8."
            )
        return line

    def _refuse_odd_end(self, number: int, raw: bytes) -> None:
        if len(raw) > MAX_LINE_BYTES:
            raise UnreadableFile(
                f"{self.path}, regel {number}, teken {MAX_LINE_BYTES}: deze regel is te lang "
                f"(meer dan {MAX_LINE_BYTES} bytes). Dit is geen bestand met een adres per regel."
            )
        if number > 1:
            before = raw.decode(errors="replace")
            raise UnreadableFile(
                f"{self._place(number, before)}: het bestand is afgebroken; het einde van deze laatste regel "
                "ontbreekt. Haal het bestand opnieuw op."
            )

    def _place(self, number: int, before: str) -> str:
        """The file, the line, the column (below the header) and the character that follows a text."""
        character = f"teken {len(before) + 1}"
        if number == 1:
            return f"{self.path}, regel 1, {character}"
        return f"{self.where(number, _QUOTED.sub('', before).count(self._delimiter))}, {character}"

    def _fields(self, number: int, line: str) -> list[str]:
        try:
            return next(csv.reader([line], delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            before = line[: self._first_bad_quote(line)]
            raise UnreadableFile(
                f"{self._place(number, before)}: een aanhalingsteken staat verkeerd of wordt niet gesloten."
            ) from error

    def _first_bad_quote(self, line: str) -> int:
        """Where the first field begins that quotes badly."""
        separator = re.escape(self._delimiter)
        good_field = re.compile(rf'(?:"(?:[^"]|"")*"|[^"{separator}][^{separator}]*)?{separator}')
        position = 0
        while found := good_field.match(line, position):
            position = found.end()
        return position
