# SPDX-License-Identifier: EUPL-1.2
"""Files for spreadsheets: text that people typed is never a formula there."""

BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for something else
# Spreadsheets skip blanks before a sign, and some read the wide signs of East Asia as well.
_FORMULA_SIGNS = ("=", "+", "-", "@", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BLANKS = frozenset("\t\r\n")


def guarded(words: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    is_odd = words[:1] in _BLANKS or words.lstrip().startswith(_FORMULA_SIGNS)
    return f"'{words}" if is_odd else words
