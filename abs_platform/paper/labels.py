# SPDX-License-Identifier: EUPL-1.2
"""The label of a collection box as a tagged PDF (A5): its number large, what to put in, and where its QR code leads."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typst
from flask_babel import gettext as _

from abs_platform.flyers.service import Colours, printable, qr_svg
from abs_platform.languages import current_language

TEMPLATES = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a label says. ``url`` is what the QR holds, ``short_url`` is printed for who has no camera."""

    number: int
    title: str
    place: str
    url: str
    short_url: str
    site_name: str
    colours: Colours


def label_pdf(label: Label) -> bytes:
    """One A5 page; the same bytes for the same words. Texts go in as JSON: nothing in them is read as markup."""
    made: bytes = typst.compile(
        TEMPLATES / "label.typ",
        root=TEMPLATES,
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards="ua-1",
        sys_inputs={"content": json.dumps(words_of(label))},
        timestamp=0,
    )
    return made


def words_of(label: Label) -> dict[str, Any]:
    """All that the label prints, ready to print."""
    return {
        "language": current_language(),
        "heading": _("Bus %(number)s", number=label.number),
        "word": _("Bus"),
        "number": str(label.number),
        "for": _("Voor"),
        "title": printable(label.title) or label.site_name,
        "place": printable(label.place),
        "site_name": printable(label.site_name),
        "put_in": _("Wat doe je in deze bus?"),
        "steps": [
            _("Scheur de antwoordstrook van je brief."),
            _("Kijk of je vouchercode erop staat."),
            _("Doe de strook in de bus. Klaar!"),
        ],
        "online": _("Liever zelf geven? Scan de code, of ga naar"),
        "short_url": label.short_url,
        "caution": _("Een code is geld waard. Deel hem met niemand anders."),
        "qr_alt": _("QR-code naar %(url)s", url=label.url),
        "qr_svg": qr_svg(label.url),
        "colours": asdict(label.colours),
    }
