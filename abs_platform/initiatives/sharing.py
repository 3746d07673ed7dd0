# SPDX-License-Identifier: EUPL-1.2
"""The picture that goes along when somebody shares an initiative: what it is, where, and how far it is."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import typst
from flask_babel import gettext as _
from flask_babel import ngettext

from abs_platform.flyers.service import Colours, printable
from abs_platform.initiatives.queries import InitiativeCard
from abs_platform.initiatives.states import FAILED_STATES, InitiativeState
from abs_platform.money import format_euros

TEMPLATE = Path(__file__).with_name("sharing.typ")
WIDTH, HEIGHT = 1200, 630
# Made again when it looks different, so that nobody keeps an old one.
EDITION = "1"
ALMOST_PERCENT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePicture:
    """What the picture says, ready to print. ``percent`` is None where a bar would tell nothing.

    ``picture_key`` names the photo or drawing beside the words, so that another one makes another picture.
    """

    language: str
    title: str
    place: str
    percent: int | None
    amount: str
    of: str
    tag: str
    site_name: str
    picture_key: str
    colours: Colours

    @property
    def mark(self) -> str:
        """A short digest of all that is to be seen: for the address, and for caches."""
        seen = json.dumps([EDITION, asdict(self)], sort_keys=True)
        return hashlib.sha256(seen.encode()).hexdigest()[:16]


def share_picture_of(
    card: InitiativeCard, *, place: str, site_name: str, language: str, colours: Colours, drawings: str
) -> SharePicture:
    """What the picture of an initiative says in this language. ``drawings``: the edition of our illustrations."""
    has_failed = card.state in FAILED_STATES
    drawing = f"{drawings}:{card.theme.value}:{card.title}"
    return SharePicture(
        language=language,
        title=printable(card.title) or printable(place) or site_name,
        place=f"{printable(str(card.theme.label))} · {printable(place)}",
        percent=None if has_failed else card.percent,
        amount=format_euros(card.target_cents if has_failed else card.raised_cents),
        of=_("streefbedrag") if has_failed else _("van %(target)s", target=format_euros(card.target_cents)),
        tag=_tag(card),
        site_name=printable(site_name),
        picture_key=card.photo.key if card.photo else drawing,
        colours=colours,
    )


def _tag(card: InitiativeCard) -> str:
    if card.is_collecting and card.percent >= ALMOST_PERCENT:
        return str(_("Bijna rond"))
    if card.is_collecting and card.days_left is not None:
        days = card.days_left
        return str(ngettext("Nog %(num)s dag", "Nog %(num)s dagen", days) if days else _("Laatste dag"))
    if card.state == InitiativeState.PUBLISHED:
        return ""
    return str(card.state.label).capitalize()


@lru_cache(maxsize=64)
def draw(content: SharePicture, picture_svg: str, logo_svg: str) -> bytes:
    """The picture as PNG. It takes some 60 ms; the last ones are remembered."""
    words = asdict(content) | {"picture_svg": picture_svg, "logo_svg": logo_svg}
    made: bytes = typst.compile(
        TEMPLATE,
        root=TEMPLATE.parent,
        ignore_system_fonts=True,
        format="png",
        ppi=72,
        sys_inputs={"content": json.dumps(words)},
        timestamp=0,
    )
    return made


def photo_as_svg(jpeg: bytes, width: int, height: int) -> str:
    """A photo in the form in which the template takes drawings."""
    data = base64.b64encode(jpeg).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<image href="data:image/jpeg;base64,{data}" width="{width}" height="{height}"/></svg>'
    )
