# SPDX-License-Identifier: EUPL-1.2
"""Words that are markup, formulas or paths elsewhere: on letters, in files and in addresses they are only words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform.errors import InvalidInput
from abs_platform.letters import press
from abs_platform.letters.content import LetterContent, default_content
from abs_platform.municipality import Municipality
from abs_platform.reports import csv_files
from tests.factories import Factory
from tests.letters.making import letter_files, run_of, texts
from tests.page import Browser

MARKUP = '#read("/etc/passwd") #sys $a^2$ @bron \\u41 *v* [x] <y>'


def squeezed(words: str) -> str:
    return "".join(words.split()).replace("\u200b", "").replace("\ufffe", "")


def test_markup_in_the_text_an_address_and_a_title_is_printed_as_it_stands(
    session: Session, factory: Factory, tmp_path: Path
) -> None:
    content = replace(default_content(Municipality.load("almelo")), greeting=MARKUP)
    (home,) = factory.households()
    home.street, home.house_addition = '#panic("x")', "$1"
    factory.initiative(title='#import "letter.typ": * = Kop')
    round_ = factory.round(name="../../#ronde")
    factory.issue(round_)
    run = run_of(factory, round_, content)

    report = press.make_files(run.id, tmp_path / "brieven", keys=factory.keys)

    (file,) = letter_files(tmp_path / "brieven")
    printed = squeezed(" ".join(texts(file)))
    for words in (MARKUP, '#panic("x")', '#import "letter.typ": * = Kop'):
        assert squeezed(words) in printed, words
    assert "root:" not in printed
    assert report.letter_count == 1
    assert file.parent == tmp_path / "brieven"


@pytest.mark.parametrize("text", ["{bedrag.__class__}", "{0}", "{site!r}", "{bedrag:>99999999}", "{{bedrag}}"])
def test_a_placeholder_reaches_nothing_but_its_words(text: str) -> None:
    texts_ = default_content(Municipality.load("almelo")).dump() | {"greeting": f"Beste {text}"}

    with pytest.raises(InvalidInput):
        LetterContent.load(texts_)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "|calc"])
def test_a_name_is_never_a_formula_in_a_spreadsheet(name: str) -> None:
    cell = csv_files.written([(name,)]).strip("\ufeff\r\n")

    assert cell.strip('"').startswith("'"), cell


@pytest.mark.parametrize(
    "path",
    [
        "/fotos/letters/1/letters-0001.sealed",
        "/fotos/..%2fletters/960.webp",
        "/fotos/letters%2f1%2fletters-0001.sealed/960.webp",
        "/static/../letters/1/letters-0001.sealed",
        "/beheer/rondes/1/brieven/1/bestand/letters/../../../../x",
    ],
)
def test_no_address_leads_to_sealed_letters(app: Flask, browser_client: Browser, path: str) -> None:
    app.extensions["file_store"].put("letters/1/letters-0001.sealed", b"sealed", "application/octet-stream")

    answer = browser_client._send("GET", path)

    assert answer.status_code in {302, 403, 404, 405}
    assert b"sealed" not in answer.get_data() or b"<html" in answer.get_data()
