# SPDX-License-Identifier: EUPL-1.2
"""Euro cents in and out of text; everywhere else money is an integer of cents."""

import re

from babel.numbers import format_decimal

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
    """Write cents as a resident reads them: "€ 7,50", and whole euros without cents: "€ 1.250".

    The space is a no-break space, so an amount never falls over two lines.
    """
    sign = "-" if cents < 0 else ""
    euros, rest = divmod(abs(cents), 100)
    whole = format_decimal(euros, locale="nl_NL")
    return f"{sign}€\u00a0{whole}" + (f",{rest:02d}" if rest else "")


def format_euros_exact(cents: int) -> str:
    """Write cents as the books show them, always with two decimals: "€ 1.250,00"."""
    whole = format_decimal(abs(cents) // 100, locale="nl_NL")
    return f"{'-' if cents < 0 else ''}€\u00a0{whole},{abs(cents) % 100:02d}"
