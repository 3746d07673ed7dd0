# SPDX-License-Identifier: EUPL-1.2
"""What changed in a text, word by word, in pieces that a page can mark as taken out or put in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain
from typing import Literal

# Comparing takes long for texts without any likeness; above this a paragraph is shown as replaced as a whole.
MAX_WORDS = 1_500
# An amount is one word: the space that does not break belongs to it.
_WORD = re.compile(r"[^\s\u00a0]+(?:\u00a0[^\s\u00a0]+)*\s*|\s+")

Op = Literal["same", "out", "in"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text that stayed, was taken out, or was put in."""

    op: Op
    text: str


def word_changes(old: str, new: str) -> list[Piece]:
    """The pieces that lead from the old text to the new: first by line, then by word within what was rewritten."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    pieces: list[Piece] = []
    for op, first, last, begin, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        taken, put = "".join(before[first:last]), "".join(after[begin:end])
        if op == "equal":
            pieces.append(Piece("same", taken))
        elif last - first == end - begin:
            for was, line in zip(before[first:last], after[begin:end], strict=True):
                pieces += _within_line(was, line)
        else:
            pieces += _within(taken, put)
    return _joined(pieces)


def _within_line(old: str, new: str) -> list[Piece]:
    """A line that was rewritten; its end is no part of a word."""
    text = new.rstrip("\n")
    return [*_within(old.rstrip("\n"), text), Piece("same", new[len(text) :])]


def _within(old: str, new: str) -> list[Piece]:
    before, after = _WORD.findall(old), _WORD.findall(new)
    if not before or not after or max(len(before), len(after)) > MAX_WORDS:
        return [Piece("out", old), Piece("in", new)]
    found = []
    # Space around a word is no change of the word.
    matcher = SequenceMatcher(None, [word.strip() for word in before], [word.strip() for word in after])
    for op, first, last, begin, end in matcher.get_opcodes():
        if op == "equal":
            found.append(Piece("same", "".join(after[begin:end])))
        else:
            found += [Piece("out", "".join(before[first:last])), Piece("in", "".join(after[begin:end]))]
    return found


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Without empty pieces, and neighbours of one kind as one."""
    joined: list[Piece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if joined and joined[-1].op == piece.op:
            joined[-1] = Piece(piece.op, joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return joined


def shortened(pieces: list[Piece], around: int = 160) -> list[Piece]:
    """The same, with long parts that stayed cut down to what stands beside a change; "…" says where."""
    return list(chain.from_iterable(_cut(piece, place, len(pieces), around) for place, piece in enumerate(pieces)))


def _cut(piece: Piece, place: int, count: int, around: int) -> list[Piece]:
    if piece.op != "same" or len(piece.text) <= 2 * around + 40:
        return [piece]
    head = f"{piece.text[:around].rsplit(' ', 1)[0]} " if place else ""
    tail = f" {piece.text[-around:].split(' ', 1)[-1]}" if place < count - 1 else ""
    return [Piece("same", f"{head}…{tail}")]
