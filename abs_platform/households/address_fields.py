# SPDX-License-Identifier: EUPL-1.2
"""What one field of an address file must look like, and the one way in which we write it."""

from __future__ import annotations

import re

MAX_NAME = 80
MAX_HOUSE_NUMBER_DIGITS = 5

_BAG_ID = re.compile(r"[0-9]{16}")
_BAG_ID_WITHOUT_ZEROS = re.compile(r"[0-9]{13,15}")
_SPREADSHEET_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]*)?(?:[eE]\+?[0-9]+)?")
_POSTCODE = re.compile(r"[1-9][0-9]{3}[A-Z]{2}")
_NEIGHBOURHOOD = re.compile(r"[0-9]{4}[0-9A-Z]{4}")
# "12", "12a", "12-a", "12 A-2", "12-bis": a number, then a letter, an addition, or both.
_NUMBER = re.compile(r"([0-9]{1,5})[ \-/]*(?:([A-Za-z])(?![A-Za-z])[ \-/]*)?([0-9A-Za-z]{0,4})")
_LETTER = re.compile(r"[A-Z]?")
_ADDITION = re.compile(r"[0-9A-Za-z]{0,4}")
_SEPARATORS = " -/"


class FieldRefused(Exception):
    """A field cannot be used: our name of its column, and why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


def readable_id(text: str) -> str | None:
    """The 16 digits of a BAG id, lost zeros put back; None when it cannot be read."""
    digits = text.strip()
    if _BAG_ID_WITHOUT_ZEROS.fullmatch(digits):
        return digits.zfill(16)
    return digits if _BAG_ID.fullmatch(digits) else None


def checked_id(column: str, text: str) -> str:
    """A BAG id: 16 digits, none of them lost. Raises: FieldRefused."""
    digits = text.strip()
    if _BAG_ID.fullmatch(digits):
        return digits
    if not digits:
        raise FieldRefused(column, "het nummer ontbreekt.")
    advice = "Haal het bestand opnieuw op en bewaar het niet vanuit een spreadsheet."
    if _BAG_ID_WITHOUT_ZEROS.fullmatch(digits):
        raise FieldRefused(column, f"'{digits}' heeft geen 16 cijfers: de nullen vooraan zijn weg. {advice}")
    if not digits.isdecimal() and _SPREADSHEET_NUMBER.fullmatch(digits):
        raise FieldRefused(column, f"'{digits}' is een afgerond getal in plaats van 16 cijfers. {advice}")
    raise FieldRefused(column, f"'{shortened(digits)}' is geen nummer van 16 cijfers.")


def checked_name(column: str, text: str) -> str:
    """A street or a town, with single spaces. Raises: FieldRefused."""
    name = " ".join(text.split())
    if not name:
        raise FieldRefused(column, "de naam ontbreekt.")
    if len(name) > MAX_NAME:
        raise FieldRefused(column, f"de naam is langer dan {MAX_NAME} tekens.")
    return name


def checked_postcode(text: str) -> str:
    """A postcode as 7607AA, also from "7607 aa". Raises: FieldRefused."""
    postcode = text if _POSTCODE.fullmatch(text) else "".join(text.split()).upper()
    if not postcode:
        raise FieldRefused("postcode", "de postcode ontbreekt.")
    if not _POSTCODE.fullmatch(postcode):
        raise FieldRefused("postcode", f"'{shortened(text)}' is geen postcode.")
    return postcode


def whole_number(text: str) -> int:
    """A house number of 1 to 99999. Raises: FieldRefused."""
    if text.isdecimal() and text.isascii() and len(text) <= MAX_HOUSE_NUMBER_DIGITS and (number := int(text)):
        return number
    reason = f"'{shortened(text)}' is geen huisnummer." if text else "het huisnummer ontbreekt."
    raise FieldRefused("huisnummer", reason)


def checked_neighbourhood(code: str) -> str:
    """The code of a neighbourhood without "BU", such as 01411000 or 0363AF01. Raises: FieldRefused."""
    if not _NEIGHBOURHOOD.fullmatch(code):
        raise FieldRefused("buurt", f"'{shortened(code)}' is geen code van een buurt.")
    return code


def checked_number(number: str, letter: str, addition: str) -> tuple[int, str, str]:
    """House number, letter (upper case) and addition, also when all three stand in the first column.

    Raises: FieldRefused.
    """
    number, letter, addition = number.strip(), letter.strip(_SEPARATORS).upper(), addition.strip(_SEPARATORS)
    if not number.isdecimal() and (found := _NUMBER.fullmatch(number)):
        inner_letter, inner_addition = (found[2] or "").upper(), found[3]
        if (letter and inner_letter not in {"", letter}) or (addition and inner_addition not in {"", addition}):
            raise FieldRefused("huisnummer", f"'{number}' is iets anders dan in de kolommen ernaast staat.")
        number, letter, addition = found[1], inner_letter or letter, inner_addition or addition
    if not _LETTER.fullmatch(letter):
        raise FieldRefused("huisletter", f"'{shortened(letter)}' is niet een enkele letter.")
    if not _ADDITION.fullmatch(addition):
        raise FieldRefused(
            "huisnummertoevoeging",
            f"'{shortened(addition)}' is geen toevoeging van hoogstens 4 letters en cijfers.",
        )
    return whole_number(number), letter, addition


def shortened(text: str) -> str:
    """A text from the file, short enough to stand in a sentence."""
    return text if len(text) <= MAX_NAME else f"{text[:MAX_NAME]}..."
