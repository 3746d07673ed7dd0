# SPDX-License-Identifier: EUPL-1.2
"""One letter to look at, with a code that can be no voucher's; and whether a text fits on the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import typst
from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from abs_platform.config import ROOT_DIR, Settings
from abs_platform.errors import InvalidInput
from abs_platform.flyers.service import Colours
from abs_platform.letters.choices import MOST
from abs_platform.letters.content import LetterContent
from abs_platform.letters.qr import qr_press
from abs_platform.letters.sheets import Issue, Place, Printer, Sender, as_json
from abs_platform.letters.typesetter import pictures, typeset

# Its check character is wrong, so that no voucher can have it.
CODE = "VRBE-ELD0-0000"
PPI = 110
TOO_LONG = "too long: "
# Which field of the form to make shorter, for each place on the page; and what each place is called.
_FIELDS = {
    "title": "title",
    "front": "body",
    "languages": "language_en",
    "back_title": "back_title",
    "back": "back_intro",
    "strip": "strip",
}
_PLACES = {
    "address": _l("het adres"),
    "title": _l("de kop"),
    "front": _l("de tekst van de voorkant"),
    "help": _l("de gegevens van het wijkcentrum"),
    "languages": _l("de regels in andere talen"),
    "back_title": _l("de kop van de achterkant"),
    "back": _l("de achterkant"),
    "strip": _l("de uitleg op de antwoordstrook"),
    "hand_in": _l("waar je de strook inlevert"),
}


def preview(content: LetterContent) -> bytes:
    """A letter of two pages as a PDF. Raises: InvalidInput when a text does not fit."""
    with _told():
        return typeset(_letter(content))


def preview_pages(content: LetterContent) -> list[bytes]:
    """The front and the back of a letter, each as a PNG. Raises: InvalidInput when a text does not fit."""
    with _told():
        return pictures(_letter(content), PPI)


def check_fits(content: LetterContent) -> None:
    """Raises: InvalidInput when a text does not fit in its place on the page, with long names around it."""
    with _told():
        typeset(_letter(content))


def explained(why: str) -> str:
    """What the typesetter said, as a sentence where it is about a text that is too long."""
    place = _too_long(why)
    return _("%(place)s past niet op de brief. Maak dit korter.", place=_PLACES[place]) if place else why


def own_sender(settings: Settings) -> Sender:
    """Who sends the letters of this app."""
    town = settings.municipality
    return Sender(
        name=_("Gemeente %(name)s", name=town.name),
        town=town.name,
        site_name=town.site_name,
        website=settings.base_url.partition("://")[2],
        code_address=f"{settings.base_url}/v#",
        address=town.contact_address,
        phone=town.contact_phone,
        email=town.contact_email,
        colours=Colours.from_css(_read(ROOT_DIR / "static" / "themes" / town.theme / "theme.css")),
    )


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except typst.TypstError as error:
        place = _too_long(str(error))
        if place is None:
            raise
        sentence = _("Dit past niet op de brief. Maak het korter.")
        field = _FIELDS.get(place)
        whole = explained(str(error))
        raise InvalidInput(whole, fields={field: sentence} if field else {"form": whole}) from error


def _too_long(why: str) -> str | None:
    return next((place for place in _PLACES if f"{TOO_LONG}{place}" in why), None)


def _letter(content: LetterContent) -> str:
    """One checked letter with long names, a full back and the round's usual amount."""
    settings: Settings = current_app.extensions["settings"]
    sender = own_sender(settings)
    issue = Issue(
        name=_("Voorbeeldronde"),
        amount_cents=settings.rules.voucher_amount_cents,
        opens_on=dt.date(2030, 11, 22),
        last_on=dt.date(2030, 12, 22),
    )
    place = Place(
        neighbourhood=_("Voorbeeldbuurt"),
        district=_("Voorbeeldwijk"),
        help_point={
            "name": _("Wijkcentrum Het Voorbeeld"),
            "address": _("Voorbeeldstraat 12, 1234 AB Voorbeeld"),
            "opening_hours": _("maandag tot en met vrijdag van 9.00 tot 17.00 uur"),
            "phone": settings.municipality.contact_phone,
        },
        choices=[
            {"id": 1000 + number, "title": _title(number), "place": _("Op het plein, Voorbeeldbuurt"), "group": group}
            for number, group in enumerate(["neighbourhood"] * 3 + ["district"] * 4 + ["city"] * (MOST - 7), start=1)
        ],
    )
    address = (_("Voorbeeldstraat 1-A"), _("1234 AB  VOORBEELD"))
    return as_json(
        content, sender, issue, {0: place}, [(0, address, CODE)], qr=qr_press(sender.code_address), printer=Printer(),
        is_checked=True,
    )  # fmt: skip


def _title(number: int) -> str:
    return str(_("Voorbeeld van een initiatief van bewoners in jouw buurt, nummer %(number)s", number=number))


@lru_cache(maxsize=4)
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
