# SPDX-License-Identifier: EUPL-1.2
"""From what an initiative says to a poster or flyer: a tagged PDF (PDF/UA-1), the same bytes for the same words."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self

import segno
import typst
from flask_babel import gettext as _
from flask_babel import ngettext

from abs_platform.languages import current_language
from abs_platform.money import format_euros
from abs_platform.templating import long_date

TEMPLATES = Path(__file__).parent
# A longer run of letters gets places where a line may end, so that it never runs off the paper.
LONGEST_RUN = 24
MAX_NAMES = 4
_BREAK = "\u200b"
# They ask for a symbol as text or as emoji; a font without the choice prints nothing.
_CHOICE_OF_LOOK = "\ufe0e\ufe0f"
_CSS_VALUE = re.compile(r"(--[\w-]+):\s*(#[0-9a-fA-F]{3,6})\s*;")
# Writes one character in every font and weight of the templates; PDF/UA refuses what has no glyph.
_PROBE = b"""
#set document(title: "probe")
#set text(font: ("Libertinus Serif", "DejaVu Sans Mono"), fallback: false, lang: "nl")
#for weight in (400, 600, 700) { text(weight: weight, sys.inputs.text) }
"""

Format = Literal["pdf", "png"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """The colours of a municipality, as #rrggbb."""

    main: str = "#176340"
    dark: str = "#0f4a30"
    sun: str = "#ffcf56"
    sun_ink: str = "#3d2c00"
    soft: str = "#c5e4cd"
    ink: str = "#15251d"
    paper: str = "#fffdf8"

    @classmethod
    def from_css(cls, css: str) -> Self:
        """The colours of a theme's stylesheet, for light screens; what it does not set keeps its default."""
        light, _media, _dark = css.partition("@media")
        found = dict(_CSS_VALUE.findall(light))
        names = {
            "main": "--voorbeeld-kleuren-violet-500",
            "dark": "--voorbeeld-kleuren-violet-600",
            "sun": "--abs-sun",
            "sun_ink": "--abs-sun-ink",
            "soft": "--voorbeeld-kleuren-violet-200",
            "ink": "--voorbeeld-kleuren-grijs-700",
        }
        return cls(**{name: found[variable] for name, variable in names.items() if variable in found})


@dataclass(frozen=True, slots=True, kw_only=True)
class FlyerContent:
    """What a poster or flyer says. ``organisers`` are the names that may be public; only first names are printed.

    ``voucher_url`` is what the QR holds, ``short_url`` is printed for who has no camera. ``picture_svg`` is an SVG
    twice as wide as it is high.
    """

    title: str
    summary: str
    place: str
    theme_label: str
    target_cents: int
    deadline_on: dt.date
    organisers: Sequence[str]
    voucher_url: str
    short_url: str
    site_name: str
    picture_svg: str
    colours: Colours = Colours()


def poster(content: FlyerContent) -> bytes:
    """One A4 page for a window."""
    return _compile("poster.typ", content)


def flyer(content: FlyerContent) -> bytes:
    """Two A5 flyers on one A4 page, to be cut in two."""
    return _compile("flyer.typ", content)


def _compile(template: str, content: FlyerContent, output: Format = "pdf") -> bytes:
    """Compile a template. Texts go in as JSON, so that nothing in them is read as markup.

    It takes about 20 ms. The first one takes 30 MB of memory, which the next ones use again.
    """
    return typst.compile(
        TEMPLATES / template,
        root=TEMPLATES,
        ignore_system_fonts=True,
        format=output,
        pdf_standards="ua-1" if output == "pdf" else [],
        sys_inputs={"content": json.dumps(_words_of(content))},
        timestamp=0,
    )


def _words_of(content: FlyerContent) -> dict[str, Any]:
    """All that the templates print, ready to print."""
    names = [name for name in map(_first_name, content.organisers) if name]
    title = printable(content.title) or printable(content.place) or content.site_name
    return {
        "language": current_language(),
        "title": title,
        "summary": printable(content.summary),
        "place": printable(content.place),
        "theme_label": printable(content.theme_label),
        "site_name": printable(content.site_name),
        "by": _("Een idee van %(names)s", names=_listed(names)) if names else "",
        "short_url": content.short_url,
        "facts": [
            (_("Streefbedrag"), format_euros(content.target_cents)),
            (_("Geef tot en met"), long_date(content.deadline_on)),
        ],
        "words": {
            "give": _("Geef je voucher"),
            "scan": _("Scan en geef"),
            "or": _("Of ga naar"),
            "qr_alt": _("QR-code naar %(url)s", url=content.voucher_url),
            "steps": [
                _("Pak de brief met je vouchercode."),
                _("Scan de QR-code met je telefoon."),
                _("Vul je code in en geef je voucher. Klaar!"),
            ],
        },
        "picture_svg": content.picture_svg,
        "qr_svg": qr_svg(content.voucher_url),
        "colours": asdict(content.colours),
    }


def qr_svg(url: str) -> str:
    """A QR code as vectors, without a margin of its own; a quarter of it may get lost."""
    out = io.BytesIO()
    segno.make_qr(url, error="q").save(out, kind="svg", border=0, xmldecl=False, dark="#000", light=None)
    return str(out.getvalue(), "utf-8")


def _first_name(name: str) -> str:
    return printable(name).partition(" ")[0]


def _listed(names: Sequence[str]) -> str:
    shown, others = names[:MAX_NAMES], len(names) - MAX_NAMES
    listed: str = ", ".join(shown)
    if others > 0:
        listed = ngettext("%(names)s en nog %(num)s ander", "%(names)s en nog %(num)s anderen", others, names=listed)
    elif len(shown) > 1:
        listed = _("%(names)s en %(last)s", names=", ".join(shown[:-1]), last=shown[-1])
    return listed


def printable(text: str) -> str:
    """A text with only what our fonts can print, on one line: emoji go, a letter without a glyph becomes its plain one.

    A run of letters that is longer than a line gets places to break.
    """
    composed = unicodedata.normalize("NFC", text)
    shown = "".join(_shown(character) for character in composed)
    return " ".join(_breakable(word) for word in shown.split())


def _breakable(word: str) -> str:
    if len(word) <= LONGEST_RUN:
        return word
    return _BREAK.join(word[start : start + LONGEST_RUN // 2] for start in range(0, len(word), LONGEST_RUN // 2))


def _shown(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else " "
    if character.isspace():
        return "\u00a0" if character == "\u00a0" else " "
    if unicodedata.category(character)[0] in "CZ" or character in _CHOICE_OF_LOOK:  # joiners, marks of direction, ...
        return ""
    if _has_glyph(character):
        return character
    plain = unicodedata.normalize("NFKD", character)
    return plain if plain.isascii() and plain.isprintable() else ""


@lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    """Whether the fonts have it, in all weights. Asks the compiler itself (2 ms), and remembers."""
    try:
        typst.compile(
            _PROBE, ignore_system_fonts=True, format="pdf", pdf_standards="ua-1", sys_inputs={"text": character}
        )
    except typst.TypstError:
        return False
    return True
