# SPDX-License-Identifier: EUPL-1.2
"""Codes: read as people type them, and every typing error is told without asking the database."""

from __future__ import annotations

import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abs_platform.vouchers.codes import (
    ALPHABET,
    CodeError,
    CodeKeys,
    EmptyCode,
    MistypedCode,
    format_payload,
    read_code,
)

KEYS = CodeKeys.derive(b"a key for these tests only, and long enough")
OTHER_KEYS = CodeKeys.derive(b"another key for these tests, just as long")
PAYLOADS = st.integers(0, 2**55 - 1)
LOOK_ALIKES = {"0": "0Oo", "1": "1IiLl"}
# A slow machine is no failure, and the checkout stays clean.
STEADY = settings(deadline=None, database=None, max_examples=60)
FEW = settings(STEADY, max_examples=20)
SEPARATORS = [" ", "-", "\u00a0", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212", ".", "_", "\t", "\r\n"]


@STEADY
@given(PAYLOADS)
def test_a_code_reads_back_as_what_it_was_made_of(payload: int) -> None:
    code = format_payload(payload)

    assert read_code(code) == payload
    assert [len(group) for group in code.split("-")] == [4, 4, 4]
    assert set(code) <= set(ALPHABET) | {"-"}


@STEADY
@given(PAYLOADS, st.data())
def test_a_code_is_read_however_it_is_typed(payload: int, data: st.DataObject) -> None:
    typed = [
        data.draw(st.sampled_from(LOOK_ALIKES.get(character, character + character.lower())))
        + data.draw(st.sampled_from(["", "", *SEPARATORS]))
        for character in format_payload(payload).replace("-", "")
    ]

    assert read_code(data.draw(st.sampled_from(["", " ", "\n"])) + "".join(typed)) == payload


@pytest.mark.parametrize("separator", SEPARATORS)
def test_every_dash_and_space_between_groups_is_forgiven(separator: str) -> None:
    assert read_code(separator.join(format_payload(1234567890123456).split("-"))) == 1234567890123456


@FEW
@given(PAYLOADS)
def test_every_single_wrong_character_is_told(payload: int) -> None:
    code = format_payload(payload).replace("-", "")

    for place, wrong in itertools.product(range(len(code)), ALPHABET):
        if code[place] != wrong:
            with pytest.raises(MistypedCode):
                read_code(code[:place] + wrong + code[place + 1 :])


@FEW
@given(PAYLOADS)
def test_every_exchange_of_two_characters_is_told(payload: int) -> None:
    code = format_payload(payload).replace("-", "")

    for one, other in itertools.combinations(range(len(code)), 2):
        if code[one] != code[other]:
            swapped = list(code)
            swapped[one], swapped[other] = code[other], code[one]
            with pytest.raises(MistypedCode):
                read_code("".join(swapped))


@pytest.mark.parametrize("typed", ["", " ", "\t\n", "----", "\u00a0\u2013"])
def test_nothing_typed_is_told_apart_from_a_typing_error(typed: str) -> None:
    with pytest.raises(EmptyCode):
        read_code(typed)


GOOD = format_payload(987654321)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(GOOD[:-1], id="one too few"),
        pytest.param(GOOD + "0", id="one too many"),
        pytest.param(GOOD + GOOD, id="twice"),
        pytest.param("U" + GOOD[1:], id="a letter that no code has"),
        pytest.param(GOOD[:-1] + "\U0001f600", id="emoji"),
        pytest.param("".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in GOOD), id="full-width digits"),
        pytest.param("\u0660" * 12, id="Arabic digits"),
        pytest.param(GOOD.replace("0", "\x00", 1), id="NUL"),
        pytest.param("A" * 10_000, id="10 kB"),
        pytest.param(" " * 10_000, id="10 kB of spaces"),
        pytest.param("'; DROP TABLE vouchers; --", id="SQL"),
        pytest.param("<script>alert(1)</script>", id="HTML"),
        pytest.param("\ud800" * 12, id="half a character"),
    ],
)
def test_what_is_not_a_code_is_a_typing_error(typed: str) -> None:
    with pytest.raises(MistypedCode):
        read_code(typed)


@STEADY
@given(st.text(max_size=30))
def test_whatever_is_typed_gives_bits_or_a_code_error_and_nothing_else(typed: str) -> None:
    try:
        payload = read_code(typed)
    except CodeError:
        return
    assert 0 <= payload < 2**55


@STEADY
@given(st.binary(min_size=16, max_size=16))
def test_a_code_follows_from_key_and_nonce_alone(nonce: bytes) -> None:
    assert KEYS.code(nonce) == KEYS.code(nonce)
    assert read_code(KEYS.code(nonce)) == KEYS.payload(nonce)
    assert KEYS.code(nonce) != OTHER_KEYS.code(nonce)
    assert KEYS.digest(KEYS.payload(nonce)) != OTHER_KEYS.digest(KEYS.payload(nonce))


def test_codes_do_not_collide_in_a_round_of_ordinary_size() -> None:
    codes = {KEYS.code(os.urandom(16)) for _ in range(20_000)}

    assert len(codes) == 20_000


def test_a_digest_and_a_fingerprint_tell_nothing_of_the_code_or_the_key() -> None:
    payload = KEYS.payload(b"sixteen bytes...")

    assert payload.to_bytes(7) not in KEYS.digest(payload)
    assert len(KEYS.digest(payload)) == len(KEYS.fingerprint) == 16
    assert KEYS.fingerprint != OTHER_KEYS.fingerprint
    assert KEYS.code_key.hex() not in repr(KEYS)
    assert str(KEYS.digest_key) not in repr(KEYS)
