# SPDX-License-Identifier: EUPL-1.2
"""What a reader of a page sees or hears, and in which language it says that it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.page import Page

SPOKEN = ("aria-label", "title", "placeholder", "alt", "aria-description", "aria-roledescription", "aria-valuetext")
# Of a form: what was typed, and values that are for the server.
_UNREAD = {"script", "template"}


def texts_of(page: Page, language: str) -> Iterator[tuple[str, str]]:
    """Every text of a page that is in this language, with where it stands.

    What says that it is in another language is left out, and so are names and codes (``translate="no"``). Where an
    attribute or the title repeats such words, which it cannot say of a part of itself, they are left out there too.
    """
    body = page.one("body")
    repeated = sorted(
        {" ".join(element.to_text().split()) for element in body.query("[lang], [translate=no]")} - {""},
        key=len,
        reverse=True,
    )
    for place, shown in _heard(page, body, language):
        rest = " ".join(shown.split())
        for words in repeated:
            rest = rest.replace(words, " ")
        yield place, rest
    yield from _walk(body, language)


def _heard(page: Page, body: Any, language: str) -> Iterator[tuple[str, str]]:
    """The title, what search engines and other sites show, and what stands in attributes."""
    yield "title", page.one("head title").to_text()
    for meta in page.all('meta[name="description"], meta[property="og:title"], meta[property="og:description"]'):
        yield "meta", meta.attrs.get("content") or ""
    for element in body.query("*"):
        attributes = element.attrs or {}
        if attributes.get("lang", language) != language or attributes.get("translate") == "no":
            continue
        place = f"{element.name}.{attributes.get('class', '')}"
        for name in SPOKEN:
            if attributes.get(name):
                yield f"{place} {name}", attributes[name]
        for name, value in attributes.items():
            # Words that scripts show; a value of one word is a name or a number.
            if name.startswith("data-") and value and " " in value.strip():
                yield f"{place} {name}", value


def _walk(element: Any, language: str) -> Iterator[tuple[str, str]]:
    attributes = element.attrs or {}
    if element.name in _UNREAD or attributes.get("lang", language) != language or attributes.get("translate") == "no":
        return
    children = list(element.children or ())
    if element.name != "textarea":
        # As one: an element may stand within a text.
        own = (str(child.data or "") for child in children if child.name == "#text")
        yield f"{element.name}.{attributes.get('class', '')}", " ".join(own)
    for child in children:
        if not child.name.startswith(("#", "!")):
            yield from _walk(child, language)
