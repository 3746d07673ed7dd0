# SPDX-License-Identifier: EUPL-1.2
"""The poster of a district: its name and the QR code of its page, as a tagged PDF."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import typst
from flask_babel import gettext as _

from abs_platform.config import ROOT_DIR, Settings
from abs_platform.flyers.service import Colours, printable, qr_svg
from abs_platform.languages import current_language

TEMPLATES = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class PosterContent:
    """What the poster says. ``url`` is what the QR holds; ``short_url`` is for who has no camera."""

    language: str
    title: str
    subtitle: str
    lines: tuple[str, ...]
    scan: str
    go_to: str
    url: str
    short_url: str
    qr_alt: str
    site_name: str
    colours: Colours


def content_of(name: str, settings: Settings, url: str) -> PosterContent:
    """All that the poster of a district prints, in the reader's language."""
    town = settings.municipality
    theme = ROOT_DIR / "static" / "themes" / town.theme / "theme.css"
    return PosterContent(
        language=current_language(),
        title=printable(name) or town.site_name,
        subtitle=_("Hier gebeurt het, samen met je buren"),
        lines=(
            _("Kijk wat buren bij jou in de buurt doen."),
            _("Geef je voucher."),
            _("Help mee, of begin zelf iets."),
        ),
        scan=_("Scan mij"),
        go_to=_("Of ga naar"),
        url=url,
        short_url=url.partition("://")[2],
        qr_alt=_("QR-code naar %(url)s", url=url),
        site_name=printable(town.site_name),
        colours=Colours.from_css(_read(theme)),
    )


def poster(content: PosterContent) -> bytes:
    """One A4 page. Texts go in as JSON, so that nothing in them is read as markup."""
    return _compiled(json.dumps(asdict(content) | {"qr_svg": qr_svg(content.url)}))


@lru_cache(maxsize=64)
def _compiled(content: str) -> bytes:
    return typst.compile(
        TEMPLATES / "poster.typ",
        root=TEMPLATES,
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards="ua-1",
        sys_inputs={"content": content},
        timestamp=0,
    )


@lru_cache(maxsize=4)
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
