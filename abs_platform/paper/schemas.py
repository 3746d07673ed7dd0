# SPDX-License-Identifier: EUPL-1.2
"""Codes as people paste them: any separators, one after the other, each with the line on which it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from abs_platform.errors import InvalidInput
from abs_platform.form_input import Form, Text
from abs_platform.rich_text import without_unseen
from abs_platform.vouchers.redeeming import parse_code

MOST_AT_ONCE = 200
CODE_LENGTH = 12
# Bounded: else a long text of nothing but beginnings of addresses keeps a worker busy for minutes.
_UP_TO_FRAGMENT = re.compile(r"https?://[^\s#]{0,200}#", re.IGNORECASE)
_BETWEEN_CODES = re.compile(r"[,;|/\\\"'()<>\[\]&+]+")
_WITHIN_CODE = re.compile(r"[\s._\u00ad\u200b\u2010-\u2015\u2060\u2212\ufeff-]+")
_NUMBERING = re.compile(r"^\s*(?:\d{1,3}[.):]\s+)?")
_IN_A_CODE = re.compile(r"[0-9A-Z]")


@dataclass(frozen=True, slots=True)
class Typed:
    """One code as it was typed on a line (counted from 1), with its payload, or with what is wrong with it."""

    text: str
    line: int
    payload: int | None
    mistake: str = ""


def read_codes(pasted: str) -> list[Typed]:
    """All codes in a text, in order. A code may be written in groups; a QR's address counts for what follows its #."""
    found = []
    for line, written in enumerate(pasted.splitlines(), start=1):
        unnumbered = _NUMBERING.sub("", without_unseen(written))
        for piece in _BETWEEN_CODES.split(_UP_TO_FRAGMENT.sub(" ", unnumbered)):
            found += [_read(text, line) for text in _codes_in(piece)]
    return found


def _codes_in(piece: str) -> Iterator[str]:
    """Words that are a code by themselves, and words that are so together."""
    pending: list[str] = []
    for word in piece.split():
        if not _length([word]):
            continue
        if pending and _length([*pending, word]) > CODE_LENGTH:
            yield " ".join(pending)
            pending = []
        pending.append(word)
        if _length(pending) >= CODE_LENGTH:
            yield " ".join(pending)
            pending = []
    if pending:
        yield " ".join(pending)


def _length(words: list[str]) -> int:
    return sum(len(_WITHIN_CODE.sub("", word)) for word in words)


def _read(text: str, line: int) -> Typed:
    try:
        return Typed(text, line, parse_code(text))
    except InvalidInput:
        return Typed(text[:40], line, None, _mistake_in(text))


def _mistake_in(text: str) -> str:
    """What is wrong with a code, as near as its check character tells."""
    plain = _WITHIN_CODE.sub("", text).upper()
    if len(plain) != CODE_LENGTH:
        said: str = ngettext(
            "Er staat %(num)s teken. Een code heeft er 12.",
            "Er staan %(num)s tekens. Een code heeft er 12.",
            len(plain),
        )
        return said
    for place, character in enumerate(plain, start=1):
        if not _IN_A_CODE.fullmatch(character) or character == "U":
            return str(
                _("Teken %(place)s (%(character)s) komt in een code niet voor.", place=place, character=character)
            )
    return str(_("Eén teken klopt niet, of er zijn er twee verwisseld. Kijk nog eens op het papier."))


class BoxForm(Form):
    """Where a collection box stands."""

    place = Text(most=80, sentence=_l("Vul in bij wie de bus staat."))
    address = Text(most=120, sentence=_l("Vul het adres van de winkel in."))


class ReasonForm(Form):
    """Why a batch is refused; the organiser reads it."""

    reason = Text(most=1_000, sentence=_l("Schrijf op waarom je afkeurt. De initiatiefnemer leest dit."))
