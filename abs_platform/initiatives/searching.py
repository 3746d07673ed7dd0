# SPDX-License-Identifier: EUPL-1.2
"""Searching by words: Dutch full text, and where that finds nothing, with the nearest words that were published."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import PUBLIC_STATES

MAX_WORDS = 8
# A word is looked for inside longer ones ("tuin" in "speeltuin") from this many letters.
SHORTEST_PART = 4
MOST_PARTS = 12
_WORD = re.compile(r"[^\W\d_]{2,}|\d+")
# Marks with which somebody asks for exactly this: then we find exactly that.
_EXACT = re.compile(r'["]|(?:^|\s)-|\bor\b', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody searches for. ``groups``: all of them must be there, of each group one; else as it was typed."""

    text: str
    groups: tuple[tuple[str, ...], ...] = ()
    is_corrected: bool = False

    @classmethod
    def typed(cls, text: str) -> Words:
        """As it was typed, with the marks of a search: quotes, a minus, "or"."""
        return cls(text)


def _query(words: Words) -> ColumnElement[Any]:
    if not words.groups:
        return func.websearch_to_tsquery("dutch", words.text)
    return _joined("&&", [_joined("||", [_of_word(word) for word in group]) for group in words.groups])


def _of_word(word: str) -> ColumnElement[Any]:
    return func.plainto_tsquery("dutch", word)


def _joined(operator: str, queries: list[ColumnElement[Any]]) -> ColumnElement[Any]:
    return reduce(lambda one, other: one.op(operator)(other), queries)


def condition(words: Words) -> ColumnElement[bool]:
    """Whether an initiative has these words in its title, summary, story or place."""
    return Initiative.search.op("@@")(_query(words))


def rank(words: Words) -> ColumnElement[Any]:
    """How well it matches; a word in the title counts for more than one in the story."""
    return func.ts_rank(Initiative.search, _query(words))


def forgive(session: Session, text: str) -> Words | None:
    """How a search that found nothing could be read, or None when it cannot.

    Each word stays where it is known; else it is looked for inside longer words ("tuin" finds "speeltuin"), and else
    the published word that differs least takes its place: one letter in a short word, two or three in a long one.
    """
    typed = _WORD.findall(text)[:MAX_WORDS]
    if not typed or _EXACT.search(text):
        return None
    vocabulary = _vocabulary(session)
    read = [read_word(word, vocabulary) for word in typed]
    if not any(len(group) > 1 or is_corrected for group, is_corrected in read):
        return None
    corrected = any(is_corrected for _group, is_corrected in read)
    shown = " ".join(group[0] for group, _is_corrected in read) if corrected else text
    return Words(shown, tuple(group for group, _is_corrected in read), corrected)


def read_word(word: str, vocabulary: Mapping[str, str]) -> tuple[tuple[str, ...], bool]:
    """The words that one word may stand for, and whether that corrects it. The vocabulary has the commonest first."""
    plain = fold(word)
    if plain in vocabulary:
        return ((word,) if vocabulary[plain] == word.casefold() else (word, vocabulary[plain])), False
    if len(plain) >= SHORTEST_PART:
        inside = [shown for known, shown in vocabulary.items() if plain in known][:MOST_PARTS]
        if inside:
            return (word, *inside), False
    nearest = process.extract(plain, vocabulary.keys(), scorer=OSA.distance, score_cutoff=_errors(plain), limit=1)
    return ((vocabulary[nearest[0][0]],), True) if nearest else ((word,), False)


def _errors(word: str) -> int:
    """How many typing errors a word may have."""
    return 0 if len(word) < 4 else 1 if len(word) < 6 else 2 if len(word) < 11 else 3


def fold(word: str) -> str:
    """A word without capitals and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))


def vocabulary_of(texts: Iterable[str]) -> dict[str, str]:
    """The words of these texts, the commonest first, each as it is written most."""
    counted = Counter(word for text in texts for word in _WORD.findall(text.casefold()))
    found: dict[str, str] = {}
    for word, _times in counted.most_common():
        found.setdefault(fold(word), word)
    return found


# The words of what is public, kept until something is published; and for what changes meanwhile, ten minutes at most.
_kept: dict[tuple[Any, ...], dict[str, str]] = {}
_KEPT_FOR = dt.timedelta(minutes=10)


def _vocabulary(session: Session) -> dict[str, str]:
    """The words of titles, summaries and places."""
    is_public = Initiative.published_at.is_not(None), Initiative.state.in_([state.value for state in PUBLIC_STATES])
    version = select(func.count(), func.max(Initiative.id), func.max(Initiative.published_at), func.now())
    count, newest, published_at, now = session.execute(version.where(*is_public)).one()
    key = (count, newest, published_at, int(now.timestamp() // _KEPT_FOR.total_seconds()))
    if key not in _kept:
        texts = session.execute(
            select(Initiative.title, Initiative.summary, Initiative.place_description).where(*is_public)
        )
        found = vocabulary_of(text for row in texts for text in row)
        _kept.clear()
        _kept[key] = found
        return found
    return _kept.get(key, {})
