# SPDX-License-Identifier: EUPL-1.2
"""Bad files: each gets a sentence with file, line and column, and the database stays as it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from abs_platform.errors import InvalidInput
from tests.households.files import KEY, home, key_row, object_id, text, write_bag, write_key
from tests.households.importing import ended, everything, run

GOOD = text([home(1), home(2)])


def with_second(**differences: str) -> str:
    return text([home(1), home(2, **differences)])


def cut(content: str, characters: int) -> str:
    return content[:-characters]


UNREADABLE_BAG_FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "bag.csv: het bestand is leeg, of de eerste regel is dat."),
    "only a header": (text([]), "bag.csv: er staat geen huishouden van Almelo in."),
    "wrong header": (
        GOOD.replace("postcode;", "pc;").replace("object_id", "id"),
        "bag.csv, regel 1: deze kolommen ontbreken: postcode, object_id.",
    ),
    "half a full header": (
        GOOD.replace("verblijfsobjectstatus", "status"),
        "bag.csv, regel 1: deze kolom ontbreekt: verblijfsobjectstatus.",
    ),
    "a column twice": (
        GOOD.replace("provincie", "postcode"),
        "bag.csv, regel 1: kolom postcode staat er twee keer in (postcode).",
    ),
    "tabs": (GOOD.replace(";", "\t"), "bag.csv, regel 1: deze kolommen ontbreken: openbareruimte, huisnummer,"),
    "not a table": ("<html>\n<p>404\n", "bag.csv, regel 1: deze kolommen ontbreken: openbareruimte,"),
    "the key by mistake": (
        text([key_row(1)], KEY),
        "bag.csv, regel 1: dit lijkt het CBS-sleutelbestand. Zijn de twee bestanden verwisseld?",
    ),
    "windows-1252": (
        with_second(openbareruimte="Café").encode("windows-1252"),
        "bag.csv, regel 3, kolom openbareruimte, teken 4: dit is geen UTF-8 (byte 0xe9). Bewaar het bestand als UTF-8.",
    ),
    "windows-1252 in a later column": (
        with_second(openbareruimte='"A;B"', woonplaats="Alm\xebl").encode("latin-1"),
        "bag.csv, regel 3, kolom woonplaats, teken 21: dit is geen UTF-8 (byte 0xeb).",
    ),
    "UTF-16": (GOOD.encode("utf-16"), "bag.csv, regel 1, teken 1: dit is UTF-16. Bewaar het bestand als UTF-8."),
    "UTF-16 without a mark": (GOOD.encode("utf-16-le"), "bag.csv, regel 1, teken 2: hier staat een NUL-teken."),
    "a zip file": (b"PK\x03\x04" + bytes(50), "bag.csv, regel 1, teken 1: dit is een zip- of Excelbestand."),
    "NUL bytes": (
        with_second(woonplaats="Al\0melo"),
        "bag.csv, regel 3, kolom woonplaats, teken 26: hier staat een NUL-teken.",
    ),
    "a lone carriage return": (
        with_second(woonplaats="Al\rmelo"),
        "bag.csv, regel 3, kolom woonplaats, teken 26: hier staat een stuurteken (0x0d).",
    ),
    "an unclosed quote": (
        with_second(openbareruimte='"Grotestraat'),
        "bag.csv, regel 3, kolom openbareruimte, teken 1: een aanhalingsteken staat verkeerd of wordt niet gesloten.",
    ),
    "an unclosed quote after good ones": (
        with_second(openbareruimte='"Laan; ""Hof"""', woonplaats='"Almelo'),
        "bag.csv, regel 3, kolom woonplaats, teken 28: een aanhalingsteken staat verkeerd",
    ),
    "text after a quote": (
        with_second(woonplaats='"Almelo"!'),
        "bag.csv, regel 3, kolom woonplaats, teken 24: een aanhalingsteken staat verkeerd",
    ),
    "a very long line": (
        with_second(openbareruimte="x" * 70_000),
        "bag.csv, regel 3, teken 65536: deze regel is te lang (meer dan 65536 bytes).",
    ),
    "cut off in the last line": (
        cut(GOOD, 60),
        "bag.csv, regel 3, kolom pandstatus, teken 154: het bestand is afgebroken; het einde van deze",
    ),
    "cut off before the last line break": (
        cut(GOOD, 1),
        "bag.csv, regel 3, kolom lat, teken 213: het bestand is afgebroken;",
    ),
}

FILES_WITH_A_BAD_LINE: dict[str, tuple[str | bytes, str]] = {
    "a very long field": (
        with_second(openbareruimte="x" * 81),
        "regel 3, kolom openbareruimte: de naam is langer dan 80 tekens.",
    ),
    "a short last line": (
        cut(GOOD, 60) + "\n",
        "regel 3, kolom pandbouwjaar: deze regel heeft 17 kolommen, de eerste regel heeft er 22.",
    ),
    "a long line": (
        with_second(openbareruimte="Laan;Hof"),
        "regel 3, kolom lat: deze regel heeft 23 kolommen, de eerste regel heeft er 22.",
    ),
    "no postcode": (with_second(postcode=""), "regel 3, kolom postcode: de postcode ontbreekt."),
    "a wrong postcode": (with_second(postcode="7607A"), "regel 3, kolom postcode: '7607A' is geen postcode."),
    "no street": (with_second(openbareruimte=" "), "regel 3, kolom openbareruimte: de naam ontbreekt."),
    "no house number": (with_second(huisnummer=""), "regel 3, kolom huisnummer: het huisnummer ontbreekt."),
    "house number zero": (with_second(huisnummer="0"), "regel 3, kolom huisnummer: '0' is geen huisnummer."),
    "a house number of six": (with_second(huisnummer="123456"), "'123456' is geen huisnummer."),
    "two letters": (with_second(huisletter="AB"), "regel 3, kolom huisletter: 'AB' is niet een enkele letter."),
    "two different letters": (
        with_second(huisnummer="2a", huisletter="B"),
        "regel 3, kolom huisnummer: '2a' is iets anders dan in de kolommen ernaast staat.",
    ),
    "a long addition": (
        with_second(huisnummertoevoeging="boven"),
        "regel 3, kolom huisnummertoevoeging: 'boven' is geen toevoeging van hoogstens 4 letters en cijfers.",
    ),
    "an unknown object type": (
        with_second(object_type="PND", verblijfsobjectgebruiksdoel=""),
        "regel 3, kolom object_type: 'PND' is geen VBO, LIG of STA.",
    ),
    "nevenadres is no t or f": (with_second(nevenadres="x"), "regel 3, kolom nevenadres: 'x' is geen t of f."),
    "no object": (with_second(object_id=""), "regel 3, kolom object_id: het nummer ontbreekt."),
    "lost zeros": (
        with_second(object_id="141010000000002"),
        "regel 3, kolom object_id: '141010000000002' heeft geen 16 cijfers: de nullen vooraan zijn weg.",
    ),
    "lost zeros of the address": (
        with_second(nummeraanduiding="141200000000002"),
        "regel 3, kolom nummeraanduiding: '141200000000002' heeft geen 16 cijfers: de nullen vooraan zijn weg.",
    ),
    "a float with a comma": (
        with_second(object_id="1,41E+14"),
        "regel 3, kolom object_id: '1,41E+14' is een afgerond getal in plaats van 16 cijfers.",
    ),
    "a float with a point": (with_second(object_id="1.41010000000002e+14"), "is een afgerond getal"),
    "a float of pandas": (with_second(object_id="141010000000002.0"), "is een afgerond getal"),
    "letters in an object": (with_second(object_id="0141O10000000002"), "is geen nummer van 16 cijfers."),
    "the same object twice": (
        with_second(object_id=object_id(1)),
        "regel 3, kolom object_id: dit object staat ook op regel 2.",
    ),
    "the same line twice": (
        text([home(1), home(1)]),
        "regel 3, kolom object_id: dit object staat ook op regel 2.",
    ),
    "the same address twice": (
        with_second(huisnummer="1"),
        "regel 3, kolom huisnummer: dit adres staat ook op regel 2, met een ander object.",
    ),
    "an address that the key does not know": (
        with_second(huisnummer="100"),
        "regel 3, kolom postcode: 7607AA met huisnummer 100 staat niet in de CBS-sleutel.",
    ),
}


def write_bytes(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "sentence"),
    [pytest.param(*case, id=name) for name, case in (UNREADABLE_BAG_FILES | FILES_WITH_A_BAD_LINE).items()],
)
def test_a_bad_bag_file_gets_a_sentence_and_changes_nothing(
    session: Session, tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(1), home(2)]), key)
    before = everything(session)
    bag = write_bytes(tmp_path / "bag.csv", content)

    with pytest.raises(InvalidInput) as caught:
        run(session, bag, key)

    assert sentence in caught.value.message
    assert caught.value.message.startswith(str(bag))
    assert everything(session) == before


@pytest.mark.parametrize(("content", "sentence"), UNREADABLE_BAG_FILES.values(), ids=UNREADABLE_BAG_FILES.keys())
def test_what_cannot_be_read_is_refused_even_when_bad_lines_may_be_skipped(
    session: Session, tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(1), home(2)]), key)
    before = everything(session)
    bag = write_bytes(tmp_path / "bag.csv", content)

    with pytest.raises(InvalidInput) as caught:
        run(session, bag, key, skip_rejected=True, allow_gone=True)

    assert sentence in caught.value.message
    assert everything(session) == before


@pytest.mark.parametrize(("content", "sentence"), FILES_WITH_A_BAD_LINE.values(), ids=FILES_WITH_A_BAD_LINE.keys())
def test_a_bad_line_that_is_skipped_does_not_end_its_own_address(
    session: Session, tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    key = write_key(tmp_path)
    run(session, write_bag(tmp_path, [home(1), home(2)]), key)
    bag = write_bytes(tmp_path / "bag.csv", content)

    report = run(session, bag, key, skip_rejected=True, allow_gone=True)

    assert sentence in str(report.rejections[0])
    assert (report.new, report.changed, report.unchanged, report.rejected) == (0, 0, 1, 1)
    not_in_file = {object_id(2)} if "dit object staat ook" in sentence else set()
    assert {gone for gone, day in ended(session).items() if day} == not_in_file


KEY_TEXT = text([key_row(1), key_row(2)], KEY)

BAD_KEY_FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "key.csv: het bestand is leeg, of de eerste regel is dat."),
    "only a header": (text([], KEY), "key.csv: er staat geen adres van Almelo (GM0141) in."),
    "another municipality": (
        text([key_row(1, Buurt2025="01640101")], KEY),
        "key.csv: er staat geen adres van Almelo (GM0141) in.",
    ),
    "wrong header": (KEY_TEXT.replace("PC6", "PC4"), "key.csv, regel 1: deze kolom ontbreekt: PC6."),
    "the BAG file by mistake": (GOOD, "key.csv, regel 1: dit lijkt het BAG-bestand. Zijn de twee bestanden"),
    "UTF-16": (KEY_TEXT.encode("utf-16"), "key.csv, regel 1, teken 1: dit is UTF-16."),
    "cut off": (cut(KEY_TEXT, 3), "key.csv, regel 3, kolom Gemeente2025, teken 28: het bestand is afgebroken;"),
    "a short line": (cut(KEY_TEXT, 6) + "\n", "key.csv, regel 3, kolom Gemeente2025: deze regel heeft 4 kolommen"),
    "no postcode": (
        text([key_row(1), key_row(2, PC6="")], KEY),
        "key.csv, regel 3, kolom PC6: de postcode ontbreekt.",
    ),
    "a wrong number": (
        text([key_row(1), key_row(2, Huisnummer="2,0")], KEY),
        "key.csv, regel 3, kolom Huisnummer: '2,0' is geen huisnummer.",
    ),
    "a neighbourhood with a digit more": (
        text([key_row(1), key_row(2, Buurt2025="014110001")], KEY),
        "key.csv, regel 3, kolom Buurt2025: '014110001' is geen code van een buurt.",
    ),
    "an address in two neighbourhoods": (
        text([key_row(1), key_row(1, Buurt2025="01411001")], KEY),
        "key.csv, regel 3, kolom Buurt2025: dit adres staat ook op regel 2, in een andere buurt.",
    ),
    "a neighbourhood that we do not have": (
        text([key_row(1, Buurt2025="01419999"), key_row(2)], KEY),
        "regel 2, kolom postcode: buurt BU01419999 (volgens de CBS-sleutel) staat niet in de lijst van buurten.",
    ),
}


@pytest.mark.parametrize(("content", "sentence"), BAD_KEY_FILES.values(), ids=BAD_KEY_FILES.keys())
def test_a_bad_key_gets_a_sentence_and_changes_nothing(
    session: Session, tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    bag = write_bag(tmp_path, [home(1), home(2)])
    run(session, bag, write_key(tmp_path))
    before = everything(session)
    key = write_bytes(tmp_path / "key.csv", content)

    with pytest.raises(InvalidInput) as caught:
        run(session, bag, key)

    assert sentence in caught.value.message
    assert everything(session) == before


@pytest.mark.parametrize("which", ["bag.csv", "key.csv"])
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (Path.unlink, "dit bestand bestaat niet."),
        (lambda path: (path.unlink(), path.mkdir()), "dit is geen bestand maar een map of iets anders."),
        (lambda path: (path.unlink(), os.mkfifo(path)), "dit is geen bestand maar een map of iets anders."),
    ],
    ids=["not there", "a directory", "a pipe"],
)
def test_what_is_no_file_gets_a_sentence(
    session: Session, tmp_path: Path, which: str, make: Callable[[Path], object], sentence: str
) -> None:
    bag, key = write_bag(tmp_path, [home(1)]), write_key(tmp_path)
    make(tmp_path / which)
    before = everything(session)

    with pytest.raises(InvalidInput) as caught:
        run(session, bag, key)

    assert caught.value.message == f"{tmp_path / which}: {sentence}"
    assert everything(session) == before
