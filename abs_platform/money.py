# SPDX-License-Identifier: EUPL-1.2
"""Euro cents in and out of text; everywhere else money is an integer of cents."""

import re
from functools import cache, lru_cache

from babel.numbers import get_decimal_symbol, get_group_symbol

from abs_platform.languages import current_language

_EUROS = re.compile(r"^(?:€|EUR)?\s*(?P<whole>\d{1,3}(?:\.\d{3})+|\d{1,9})(?:[,.](?P<cents>\d{1,2}))?$")


def parse_euros(text: str) -> int:
    """Read an amount as a Dutch resident types it ("7,50", "€ 1.250", "7.5") and return cents.

    Raises: ValueError for anything else, a negative amount included.
    """
    match = _EUROS.match(text.strip())
    if match is None:
        raise ValueError(f"not an amount in euros: {text!r}")
    whole = int(match["whole"].replace(".", ""))
    return whole * 100 + int((match["cents"] or "0").ljust(2, "0"))


def euros_in(search: str) -> int | None:
    """The cents of what somebody looks for, when it is an amount."""
    try:
        return parse_euros(search)
    except ValueError:
        return None


def format_euros(cents: int) -> str:
    """Write cents as a resident reads them: "€ 7,50", and whole euros without cents: "€ 1.250"; in English "€7.50".

    The space is a no-break space, so an amount never falls over two lines.
    """
    return _written(cents, current_language(), exact=False)


def format_euros_exact(cents: int) -> str:
    """Write cents as the books show them, always with two decimals: "€ 1.250,00"."""
    return _written(cents, current_language(), exact=True)


@lru_cache(maxsize=5_000)
def _written(cents: int, language: str, *, exact: bool) -> str:
    euros, rest = divmod(abs(cents), 100)
    sign, group, decimal = _marks(language)
    written = f"{'-' if cents < 0 else ''}{sign}{f'{euros:,}'.replace(',', group)}"
    return f"{written}{decimal}{rest:02d}" if rest or exact else written


@cache
def _marks(language: str) -> tuple[str, str, str]:
    """How a language writes an amount: the sign before it, and what stands between thousands and before cents."""
    sign = "€" if language == "en" else "€\u00a0"
    return sign, get_group_symbol(language), get_decimal_symbol(language)
