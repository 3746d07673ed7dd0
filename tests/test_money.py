# SPDX-License-Identifier: EUPL-1.2
"""Amounts in and out of text, to the cent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abs_platform.money import format_euros, parse_euros

EURO = "€\u00a0"


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("7,50", 750),
        ("7.50", 750),
        ("7,5", 750),
        ("7", 700),
        ("0,05", 5),
        ("0", 0),
        ("€ 1.250", 125_000),
        ("€1.250,50", 125_050),
        (f"{EURO}12", 1_200),
        ("EUR 5000", 500_000),
        ("  3,10  ", 310),
        ("1.250", 125_000),
        ("1.000.000,01", 100_000_001),
        ("999999999,99", 99_999_999_999),
    ],
)
def test_an_amount_is_read_as_a_resident_types_it(text: str, cents: int) -> None:
    assert parse_euros(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "€", "-5", "- 5", "5-", "7,505", "1.25.000", "1,250.50", "zeven", "7 50", "7,", ",50", "1e3", "½"),
        *("7,5O", "NaN", "inf", "0x10", "1_000", "1111111111", "7\n8", "$ 5", "5 euro"),
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_euros(text)


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (0, "0"),
        (5, "0,05"),
        (750, "7,50"),
        (1_200, "12"),
        (125_000, "1.250"),
        (125_001, "1.250,01"),
        (100_000_000, "1.000.000"),
    ],
)
def test_an_amount_is_written_as_a_resident_reads_it(cents: int, text: str) -> None:
    assert format_euros(cents) == EURO + text


def test_a_negative_amount_has_its_sign_before_the_euro() -> None:
    assert format_euros(-750) == f"-{EURO}7,50"
    assert format_euros(-5) == f"-{EURO}0,05"


@given(st.integers(min_value=0, max_value=99_999_999_999))
def test_what_is_written_reads_back_as_the_same_cents(cents: int) -> None:
    assert parse_euros(format_euros(cents)) == cents
