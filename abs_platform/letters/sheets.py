# SPDX-License-Identifier: EUPL-1.2
"""What stands on the sheets, as the template reads it: words ready to print, none of which is read as markup.

A character that no font of the letter has becomes its plain letter, or "?" where there is none, and is told to whoever
makes the letters: a street with one odd sign must not stop thirty thousand others.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from abs_platform.flyers.service import Colours
from abs_platform.letters.content import LANGUAGES, RIGHT_TO_LEFT, LetterContent
from abs_platform.letters.qr import QrPress
from abs_platform.letters.typesetter import has_glyph
from abs_platform.money import format_euros
from abs_platform.templating import long_date

LANGUAGE = "nl"
LONGEST_RUN = 30
MIN_BOXES, MAX_BOXES = 4, 6
UNKNOWN = "?"
_QR_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><path stroke="#000" d="'
_BREAK = "\u200b"
# Around what is filled in in a line from right to left; and the joiners within its words.
_ISOLATED = re.compile("\u2066([^\u2069]*)\u2069")
_JOINERS = frozenset("\u200c\u200d")
_POSTCODE = re.compile(r"\b([1-9][0-9]{3}) ([A-Z]{2})\b")
_AFTER_POSTCODE = re.compile("^([0-9]{4}\u00a0[A-Z]{2}) ")
_DASHES = {"\u2010": "-", "\u2011": "-", "\u00ad": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends the letters. ``website`` is its address without https; ``code_address`` comes before a code in a QR."""

    name: str
    town: str
    site_name: str
    website: str
    code_address: str
    address: str
    phone: str
    email: str
    colours: Colours = field(default_factory=Colours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """The round as it is printed."""

    name: str
    amount_cents: int
    opens_on: dt.date
    last_on: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the letters of one neighbourhood share; ``help_point`` is None where the municipality itself helps."""

    neighbourhood: str
    district: str
    help_point: Mapping[str, str] | None
    choices: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Printer:
    """Makes texts printable, and remembers which characters could not be."""

    replaced: set[str] = field(default_factory=set)
    _lines: dict[str, str] = field(default_factory=dict)

    def line(self, text: str) -> str:
        """A text on one line; a long run of letters gets places to break. What was asked before is remembered."""
        if text not in self._lines:
            self._lines[text] = self._set(text)
        return self._lines[text]

    def _set(self, text: str) -> str:
        if not (text.isascii() and text.isprintable()):
            text = "".join(self._shown(character) for character in unicodedata.normalize("NFC", text))
        return _POSTCODE.sub("\\1\u00a0\\2", " ".join(_breakable(word) for word in text.split(" ") if word))

    def address(self, lines: Sequence[str]) -> list[str]:
        """The lines of an address: between postcode and place two spaces (NEN 5825)."""
        return [_AFTER_POSTCODE.sub("\\1\u00a0\u00a0", self._set(line)) for line in lines]

    def parts(self, text: str) -> list[str | list[str]]:
        """A line in pieces: each in a list of its own is written from left to right, whatever is around it."""
        pieces = _ISOLATED.split(text)
        return [[self.line(piece)] if at % 2 else self._piece(piece) for at, piece in enumerate(pieces) if piece]

    def _piece(self, text: str) -> str:
        return f"{' ' * text.startswith(' ')}{self.line(text)}{' ' * text.endswith(' ')}"

    def paragraphs(self, text: str) -> list[str]:
        """The paragraphs of a text: an empty line begins one."""
        blocks = text.replace("\r\n", "\n").split("\n\n")
        return [line for block in blocks if (line := self.line(block))]

    def _shown(self, character: str) -> str:
        if character.isascii():
            return character if character.isprintable() else " "
        if character in _JOINERS:
            return character
        if character.isspace():
            return "\u00a0" if character in "\u00a0\u202f" else " "
        if character in _DASHES:
            return _DASHES[character]
        if has_glyph(character):
            return character
        self.replaced.add(character)
        plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
        return plain if plain.isprintable() and plain else UNKNOWN


def _breakable(word: str) -> str:
    if len(word) <= LONGEST_RUN:
        return word
    step = LONGEST_RUN // 2
    return _BREAK.join(word[start : start + step] for start in range(0, len(word), step))


def as_json(
    content: LetterContent,
    sender: Sender,
    issue: Issue,
    places: Mapping[int, Place],
    letters: Iterable[tuple[int, tuple[str, str], str]],
    *,
    qr: QrPress,
    printer: Printer,
    is_checked: bool = False,
) -> str:
    """All letters of a file: of each its neighbourhood's id, the lines of its address, and its code with dashes.

    ``is_checked``: the template refuses a text that is too long for its place, which costs time.
    """
    numbers = {place_id: number for number, place_id in enumerate(places)}
    sheets = [
        {
            "place": numbers[place_id],
            "address": printer.address(address),
            "code": code.replace("-", " "),
            "qr": qr.path(code.replace("-", "")),
        }
        for place_id, address, code in letters
    ]
    return json.dumps(
        {
            "title": printer.line(content.title.replace("{bedrag}", format_euros(issue.amount_cents))),
            "language": LANGUAGE,
            "is_checked": is_checked,
            "site_name": printer.line(sender.site_name),
            "sender": _sender(sender, printer),
            "colours": {"main": sender.colours.main, "ink": sender.colours.ink},
            "amount": format_euros(issue.amount_cents),
            "boxes": _boxes(places),
            "qr_head": _QR_HEAD.format(side=qr.side),
            "words": _words(issue),
            "places": [_place(content, sender, issue, place, printer) for place in places.values()],
            "letters": sheets,
        }
    )


def _sender(sender: Sender, printer: Printer) -> dict[str, Any]:
    lines = (sender.name, *sender.address.split(", "), sender.phone, sender.email)
    return {
        "name": printer.line(sender.name),
        "lines": [printer.line(line) for line in lines if line],
        "return_line": printer.line(_("Retour: %(name)s, %(address)s", name=sender.name, address=sender.address)),
    }


def _words(issue: Issue) -> dict[str, str]:
    last = long_date(issue.last_on)
    return {
        "to": _("Aan de bewoners van"),
        "qr_alt": _("QR-code van deze voucher"),
        "online": _("Met telefoon of computer"),
        "paper": _("Op papier"),
        "code": _("Jouw vouchercode"),
        "valid": _("Geven kan van %(opens)s tot en met %(last)s.", opens=long_date(issue.opens_on), last=last),
        "until": _("geldig tot en met %(last)s", last=last),
        "help": _("Hulp nodig?"),
        "cut": _("Knip hier"),
        "strip": _("Antwoordstrook"),
        "choice": _("Het nummer van mijn keuze:"),
        "none": _("Er zijn nu nog geen initiatieven om uit te kiezen. Kijk later op de website."),
    }


def _place(content: LetterContent, sender: Sender, issue: Issue, place: Place, printer: Printer) -> dict[str, Any]:
    help_point = place.help_point or {
        "name": sender.name, "address": sender.address, "opening_hours": "", "phone": sender.phone,
    }  # fmt: skip
    texts = content.filled(
        {
            "bedrag": format_euros(issue.amount_cents),
            "opent": long_date(issue.opens_on),
            "sluit": long_date(issue.last_on),
            "ronde": issue.name,
            "site": sender.site_name,
            "adres": sender.website,
            "gemeente": sender.town,
            "wijk": place.district,
            "buurt": place.neighbourhood,
            "wijkcentrum": help_point["name"],
            "telefoon": help_point["phone"] or sender.phone,
        }
    )
    where = ", ".join(part for part in (help_point["name"], help_point["address"]) if part)
    hand_in = [_("Lever de strook in bij %(where)s.", where=where), _("Of geef hem aan iemand van het initiatief.")]
    return {
        "texts": {name: printer.paragraphs(text) for name, text in texts.items() if not name.startswith("language_")},
        "languages": [
            {"code": code, "rtl": code in RIGHT_TO_LEFT, "parts": printer.parts(texts[f"language_{code}"])}
            for code in LANGUAGES
        ],
        "help": [printer.line(part) for part in _help_lines(help_point) if part],
        "hand_in": [printer.line(line) for line in hand_in],
        "groups": _groups(place, sender, printer),
    }


def _help_lines(help_point: Mapping[str, str]) -> tuple[str, ...]:
    phone = help_point["phone"]
    return (
        help_point["name"],
        *help_point["address"].split(", "),
        help_point["opening_hours"],
        _("Telefoon: %(phone)s", phone=phone) if phone else "",
    )


def _groups(place: Place, sender: Sender, printer: Printer) -> list[dict[str, Any]]:
    titles = {
        "neighbourhood": _("In jouw buurt: %(name)s", name=place.neighbourhood),
        "district": _("In de wijk %(name)s", name=place.district),
        "city": _("Voor heel %(name)s", name=sender.town),
    }
    groups = []
    for group, title in titles.items():
        rows = [row for row in place.choices if row["group"] == group]
        if rows:
            choices = [
                {"number": str(row["id"]), "title": printer.line(row["title"]), "place": printer.line(row["place"])}
                for row in rows
            ]
            groups.append({"title": printer.line(title), "choices": choices})
    return groups


def _boxes(places: Mapping[int, Place]) -> int:
    """As many boxes as the longest number needs, so that every strip of a file is the same."""
    longest = max((len(str(row["id"])) for place in places.values() for row in place.choices), default=0)
    return min(MAX_BOXES, max(MIN_BOXES, longest))
