# SPDX-License-Identifier: EUPL-1.2
"""Codes as people paste them: found whatever stands between them, with a word about what is wrong."""

from __future__ import annotations

import hashlib

import pytest
from flask import Flask

from abs_platform.config import ROOT_DIR
from abs_platform.paper.schemas import read_codes
from abs_platform.vouchers.codes import format_payload, read_code

ONE, TWO = format_payload(1), format_payload(2**54 + 12_345)


@pytest.mark.parametrize(
    "pasted",
    [
        f"{ONE}\n{TWO}",
        f"{ONE} {TWO}",
        f"{ONE};{TWO},",
        f"1. {ONE}\r\n2) {TWO}\r\n",
        f"- {ONE}\n\n\t- {TWO}",
        f"{ONE.replace('-', ' ')}\n{TWO.replace('-', ' ')}",
        f"{ONE.replace('-', ' ')} {TWO.replace('-', ' ')}",
        f"{ONE.replace('-', '').lower()}|{TWO.replace('-', '').lower()}",
        f"https://voorbeeld.example/v#{ONE} http://localhost/v#{TWO}",
        f'"{ONE}"\t"{TWO}"',
        f"{ONE.replace('0', 'O')}\n{TWO}",
        f"{ONE}\u200b\n{TWO}\ufeff",
    ],
)
def test_codes_are_found_whatever_stands_between_them(pasted: str) -> None:
    assert [typed.payload for typed in read_codes(pasted)] == [read_code(ONE), read_code(TWO)]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (ONE[:-1], "Er staan 11 tekens. Een code heeft er 12."),
        (f"{ONE}7", "Er staan 13 tekens. Een code heeft er 12."),
        ("9", "Er staat 1 teken. Een code heeft er 12."),
        (f"{ONE[:-1]}U", "Teken 12 (U) komt in een code niet voor."),
        (f"{ONE[:-1]}é", "Teken 12 (É) komt in een code niet voor."),
        (f"{TWO[1]}{TWO[0]}{TWO[2:]}", "Eén teken klopt niet, of er zijn er twee verwisseld."),
    ],
)
def test_a_typing_error_is_told_with_its_place(app: Flask, typed: str, sentence: str) -> None:
    with app.test_request_context():
        good, bad = read_codes(f"{TWO}\n{typed}")

    assert good.payload == read_code(TWO)
    assert (bad.payload, bad.line, bad.text) == (None, 2, typed)
    assert bad.mistake.startswith(sentence)


def test_a_mistyped_code_in_groups_does_not_take_the_next_one_along(app: Flask) -> None:
    short = ONE.replace("-", " ")[:-1]

    with app.test_request_context():
        read = read_codes(f"{short}\n{TWO.replace('-', ' ')} {short} {TWO}")

    assert [typed.payload for typed in read] == [None, read_code(TWO), None, read_code(TWO)]


def test_the_vendored_decoder_is_what_its_note_says() -> None:
    folder = ROOT_DIR / "static" / "vendor" / "qr"
    note = (folder / "VENDORED.md").read_text(encoding="utf-8")

    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.js")}

    assert set(digests) == {"decode.js", "index.js"}
    assert all(f"| `{name}` | `{digest}` |" in note for name, digest in digests.items())


@pytest.mark.parametrize("pasted", ["", "\n\n", " - \n--", ",;|"])
def test_what_holds_no_code_holds_none(pasted: str) -> None:
    assert read_codes(pasted) == []
