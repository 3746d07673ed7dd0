# SPDX-License-Identifier: EUPL-1.2
"""Looking for a question: every word must be there, accents and capitals aside; best first. No row and no request."""

from __future__ import annotations

import re
import unicodedata

from abs_platform.site_texts.content import Document, Item

_WORD = re.compile(r"\w+")
# Words that stand in nearly every question say nothing about which is meant.
_NO_MATTER = frozenset({"de", "het", "een", "en", "ik", "je", "is", "the", "a", "an", "i", "do", "to", "my", "mijn"})


def found_in(document: Document, search: str) -> list[Item]:
    """The questions that hold every word of a search, or one that begins with it; first those that ask about it."""
    words = _words(search)
    asked = [word for word in words if word not in _NO_MATTER] or words
    if not asked:
        return []
    ranked = []
    for item in document.items:
        title, rest = _words(item.title), _words(item.words)
        if all(any(word.startswith(one) for word in (*title, *rest)) for one in asked):
            ranked.append((-sum(any(word.startswith(one) for word in title) for one in asked), item))
    return [item for _rank, item in sorted(ranked, key=lambda one: one[0])]


def _words(text: str) -> list[str]:
    plain = "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))
    return _WORD.findall(plain)
