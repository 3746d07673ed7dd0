# SPDX-License-Identifier: EUPL-1.2
"""A text of the site as its page shows it: an introduction, parts under a heading, and under those what has its own.

A text is written in the Markdown that rich_text knows. "## " begins a part, "### " a step, a question or a smaller
heading within it. A placeholder stands between braces; a paragraph or heading that holds a condition goes away with all
below it when that condition does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from flask_babel import gettext as _
from markupsafe import Markup

from abs_platform.errors import InvalidInput
from abs_platform.municipality import PACKAGE_DIR
from abs_platform.rich_text import rich_text
from abs_platform.site_texts.placeholders import CONDITIONS, PLACEHOLDERS
from abs_platform.site_texts.states import SitePage
from abs_platform.slugs import slugify

DEFAULTS_DIR = PACKAGE_DIR / "site_texts" / "defaults"
MAX_LENGTH = 50_000
LONGEST_ANCHOR = 60
# Ids that pages have already.
TAKEN = (
    *("", "main", "menu", "zoek", "gevonden", "wijkcentra", "inhoud"),
    *("footer-give", "footer-join", "footer-about", "footer-money"),
)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_HEADING = re.compile(r"(#{1,3}) +(.+)")
_ON_THIS_SITE = re.compile(r"\]\((?=/(?![/\\]))")


@dataclass(frozen=True, slots=True)
class Item:
    """A step, a question with its answer, or a smaller part. ``words`` is its text without marks, to search in."""

    title: str
    anchor: str
    body: Markup
    words: str


@dataclass(frozen=True, slots=True)
class Part:
    """What stands under one heading."""

    title: str
    anchor: str
    body: Markup
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole text. ``summary`` is its first paragraph without marks."""

    introduction: Markup
    summary: str
    parts: tuple[Part, ...]

    @property
    def items(self) -> list[Item]:
        """All items, of whichever part."""
        return [item for part in self.parts for item in part.items]


@lru_cache
def default_text(page: SitePage, language: str) -> str | None:
    """The text that comes with the platform, or None when it was not written in this language."""
    path = DEFAULTS_DIR / language / f"{page.value}.md"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


def check_text(body: str) -> None:
    """Whether all that a text wants filled in is known. Raises: InvalidInput."""
    known = PLACEHOLDERS.keys() | CONDITIONS.keys()
    unknown = next((name for name in _PLACEHOLDER.findall(body) if name not in known), None)
    if unknown is not None:
        refusal = _("{%(name)s} kennen we niet. Kies een invulplek uit de lijst.", name=unknown)
    elif set(_PLACEHOLDER.sub("", body)) & set("{}"):
        refusal = _("Er staat een losse accolade in. Schrijf een invulplek als {bedrag}.")
    else:
        return
    raise InvalidInput(refusal, fields={"body": refusal})


def read_text(
    body: str, values: Mapping[str, str], conditions: frozenset[str], *, root: str = "", site_host: str = ""
) -> Document:
    """A text as its page shows it, filled in. ``root`` stands before links to pages of the site (the language)."""
    return _read(body, tuple(values.items()), conditions, root, site_host, str(_("(andere website)")))


@lru_cache(maxsize=128)
def _read(
    body: str,
    values: tuple[tuple[str, str], ...],
    conditions: frozenset[str],
    root: str,
    site_host: str,
    _language: str,  # links that leave us say so in the language of the page
) -> Document:
    filled = _fill("\n\n".join(_blocks_that_stay(body, conditions)), dict(values))
    sections = list(_sections(filled))
    anchors = _Anchors()
    parts: list[Part] = []
    for level, title, text in sections[1:]:
        html = rich_text(_ON_THIS_SITE.sub(f"]({root}", text), 4, site_host=site_host)
        anchor = anchors.of(title)
        if level < 3 or not parts:
            parts.append(Part(title, anchor, html, ()))
        else:
            last, item = parts[-1], Item(title, anchor, html, " ".join(html.striptags().split()))
            parts[-1] = Part(last.title, last.anchor, last.body, (*last.items, item))
    introduction = rich_text(_ON_THIS_SITE.sub(f"]({root}", sections[0][2]), 3, site_host=site_host)
    first = str(introduction).partition("</p>")[0]
    return Document(introduction, " ".join(Markup(first).striptags().split()), tuple(parts))  # noqa: S704 - striptags


def _blocks_that_stay(body: str, conditions: frozenset[str]) -> Iterator[str]:
    """The paragraphs and headings of a text of which every condition holds, without their conditions."""
    skipping = 0  # below a heading of this level that does not stay
    for block in _blocks(body):
        heading = _HEADING.fullmatch(block)
        level = len(heading[1]) if heading else 9
        if skipping and level > skipping:
            continue
        skipping = 0
        asked = [name for name in _PLACEHOLDER.findall(block) if name in CONDITIONS]
        if conditions.issuperset(asked):
            yield _PLACEHOLDER.sub(lambda found: "" if found[1] in CONDITIONS else found[0], block).strip()
        elif heading:
            skipping = level


def _blocks(body: str) -> Iterator[str]:
    """What blank lines part; a heading is always a block of its own."""
    lines: list[str] = []
    for line in [*body.splitlines(), ""]:
        is_heading = _HEADING.fullmatch(line.strip()) is not None
        if (not line.strip() or is_heading) and lines:
            yield "\n".join(lines)
            lines = []
        if is_heading:
            yield line.strip()
        elif line.strip():
            lines.append(line.rstrip())


def _fill(text: str, values: Mapping[str, str]) -> str:
    """Fill in what is known; what a newer version of the platform does not know any more stays to be seen."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def _sections(text: str) -> Iterator[tuple[int, str, str]]:
    """The level, title and text of what stands under each heading; first what stands above all of them."""
    level, title, blocks = 0, "", list[str]()
    for block in text.split("\n\n"):
        if heading := _HEADING.fullmatch(block):
            yield level, title, "\n\n".join(blocks)
            level, title, blocks = len(heading[1]), heading[2].strip(), []
        else:
            blocks.append(block)
    yield level, title, "\n\n".join(blocks)


class _Anchors:
    """Ids for headings, each once on a page."""

    def __init__(self) -> None:
        self.taken = set(TAKEN)

    def of(self, title: str) -> str:
        wanted = slugify(title, LONGEST_ANCHOR)
        anchor, number = wanted, 1
        while anchor in self.taken:
            number += 1
            anchor = f"{wanted or 'deel'}-{number}"
        self.taken.add(anchor)
        return anchor
