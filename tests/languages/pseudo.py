# SPDX-License-Identifier: EUPL-1.2
"""A language in which every text of the catalogues stands between marks, and that reads from right to left.

What a page shows outside the marks was not taken from a catalogue.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from abs_platform.municipality import Municipality
from tests.languages.places import messages

PSEUDO = "ar"
BEGIN, END = "⟦", "⟧"
# What may stand outside: names, addresses, amounts; each reads the same in every language.
_SAME = re.compile(
    r"Almelo Buurt Samen|Buurt Samen|Almelo|English|Nederlands|العربية|[\w.+-]+@[\w.-]+|"
    r"(https?|tel|mailto):\S*|\bwww\.\S+|"
    r"\b(CSV|XLSX|PDF|QR|iDEAL|IBAN|BIC|SEPA|Wero|Bancontact|Atom|iCalendar|WhatsApp|Signal|PDOK|Leaflet)\b"
)
_MARKED = re.compile(f"{BEGIN}[^{BEGIN}{END}]*{END}")
_WORD = re.compile(r"[A-Za-zÀ-ÿ]{2,}")


def pseudo(text: str) -> str:
    """A text between the marks; the spaces around it, which join it to others, stay outside."""
    inner = text.strip()
    return text.replace(inner, f"{BEGIN}{inner}{END}", 1) if inner else text


def outside_the_marks(shown: str) -> str:
    """The words of a text that came from no catalogue, or "". Texts that stand in each other are taken off in turn."""
    before = ""
    while before != shown:
        before, shown = shown, _MARKED.sub(" ", shown)
    rest = _SAME.sub(" ", shown)
    return " ".join(rest.split()) if _WORD.search(rest) else ""


@cache
def pseudo_town() -> Municipality:
    """The municipality of the tests with this language besides its own."""
    town = Municipality.load("almelo")
    folder = Path(tempfile.mkdtemp(prefix="abs-pseudo-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy = shutil.copytree(town.folder, folder / "town")
    made = Catalog(locale="en")  # with two forms of a plural
    for message in messages("en"):
        forms = message.id if isinstance(message.id, tuple) else None
        made.add(message.id, tuple(pseudo(form) for form in forms) if forms else pseudo(str(message.id)))
    place = copy / "translations" / PSEUDO / "LC_MESSAGES"
    place.mkdir(parents=True)
    with (place / "messages.mo").open("wb") as file:
        write_mo(file, made)
    taglines = {**town.taglines, PSEUDO: pseudo(town.tagline)}
    return replace(town, folder=copy, languages=("en", PSEUDO), taglines=taglines)
