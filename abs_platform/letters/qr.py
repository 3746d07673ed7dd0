# SPDX-License-Identifier: EUPL-1.2
"""The QR of a code as a path: the landing page with the code in the fragment, which no server ever sees.

A QR code is linear: with its version and mask fixed, turning one bit of its text turns the same modules whatever the
rest says. So segno draws the empty code and one for each bit of the twelve characters, once; the QR of a letter is
those added up (XOR), in a small part of the time that drawing it takes.
"""

from __future__ import annotations

import re
from functools import lru_cache, reduce
from operator import xor
from typing import Any

import segno

LENGTH = 12
BITS = 7
MASK = 2
_RUN = re.compile(rb"\x01+")


class QrPress:
    """Draws the QR of any code behind one address, such as "https://example.nl/v#"."""

    def __init__(self, address: str) -> None:
        self._address = address.encode()
        self._version: int | None = None
        drawn = self._draw(bytes(LENGTH))
        self._version, self.side = int(drawn.version), len(drawn.matrix)
        self._empty = self._modules(bytes(LENGTH))
        self._turned = [self._by_character(place) for place in range(LENGTH)]

    def path(self, code: str) -> str:
        """The dark modules of the code's QR as strokes of an SVG path, one module wide; its side is ``side``."""
        dark = reduce(xor, (turned[ord(one)] for turned, one in zip(self._turned, code, strict=True)), self._empty)
        side = self.side
        modules = dark.to_bytes(side * side)
        strokes = []
        for row in range(side):
            for run in _RUN.finditer(modules, row * side, (row + 1) * side):
                start, end = run.span()
                strokes.append(f"M{start - row * side} {row}.5h{end - start}")
        return "".join(strokes)

    def _by_character(self, place: int) -> list[int]:
        """For each character at a place, the modules that it turns."""
        of_bits = []
        for bit in range(BITS):
            text = bytearray(LENGTH)
            text[place] = 1 << bit
            of_bits.append(self._modules(bytes(text)) ^ self._empty)
        return [
            reduce(xor, (turned for bit, turned in enumerate(of_bits) if character >> bit & 1), 0)
            for character in range(1 << BITS)
        ]

    def _modules(self, text: bytes) -> int:
        """The modules of a QR as one number, a byte for each."""
        return int.from_bytes(b"".join(bytes(row) for row in self._draw(text).matrix))

    def _draw(self, text: bytes) -> Any:
        return segno.make_qr(
            self._address + text, mode="byte", error="m", version=self._version, mask=MASK, boost_error=False
        )


@lru_cache(maxsize=2)
def qr_press(address: str) -> QrPress:
    """The press of an address, kept: making one takes as long as drawing eighty codes."""
    return QrPress(address)
