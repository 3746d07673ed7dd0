# SPDX-License-Identifier: EUPL-1.2
"""Typesetting: what letters say, as JSON, in; a tagged PDF (PDF/UA-1) or pictures out. Also a program of its own.

The press runs it as a program for each file, because typst keeps the memory of what it set until its process ends. It
knows nothing of the app, so that it starts at once. Codes come in on stdin and the PDF leaves on stdout: nothing of
them stands in an argument, the environment or a file.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst

FOLDER = Path(__file__).parent
FONTS = FOLDER / "fonts"
TEMPLATE = FOLDER / "letter.typ"
# Writes one character in both weights; PDF/UA refuses what has no glyph.
_PROBE = b"""
#set document(title: "probe")
#set text(font: ("Noto Sans", "Noto Sans Arabic"), fallback: false, lang: "nl")
#for weight in (400, 700) { text(weight: weight, sys.inputs.text) }
"""
_CODE = re.compile(r"[0-9A-Z]{4}[ -][0-9A-Z]{4}[ -][0-9A-Z]{4}")


def typeset(content: str) -> bytes:
    """The PDF of some letters; the same bytes for the same words. Raises: typst.TypstError."""
    made: bytes = _compile(TEMPLATE, content=content, output="pdf", pdf_standards="ua-1")
    return made


def pictures(content: str, ppi: int) -> list[bytes]:
    """The pages of some letters as PNG. Raises: typst.TypstError."""
    made = _compile(TEMPLATE, content=content, output="png", ppi=ppi)
    return made if isinstance(made, list) else [made]


@lru_cache(maxsize=4096)
def has_glyph(character: str) -> bool:
    """Whether the fonts have it, in both weights. Asks the compiler itself (2 ms), and remembers."""
    try:
        _compile(_PROBE, text=character, output="pdf", pdf_standards="ua-1")
    except typst.TypstError:
        return False
    return True


def _compile(template: Path | bytes, *, output: str, **options: Any) -> Any:
    """``content`` and ``text`` go in as data; the other options are typst's."""
    inputs = {name: options.pop(name) for name in ("content", "text") if name in options}
    set_up: dict[str, Any] = {"root": FOLDER, "font_paths": [FONTS], "ignore_system_fonts": True, "timestamp": 0}
    return typst.compile(template, format=output, sys_inputs=inputs, **set_up, **options)  # type: ignore[call-overload]


def main() -> None:
    """Read JSON, write the PDF. What goes wrong is told without the codes in it."""
    content = sys.stdin.buffer.read().decode()
    try:
        made = typeset(content)
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()
    except (typst.TypstError, OSError) as error:
        sys.exit(_CODE.sub("...", str(error))[:500])


if __name__ == "__main__":
    main()
