# SPDX-License-Identifier: EUPL-1.2
"""The style sheet of every page: design system, theme of the municipality and our own layer, as one small file.

A first visit asks for one file instead of four. It is put together when the first page is made, and again when
somebody works on it. Licences (comments that begin with an exclamation mark) stay in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

VENDORED = ("vendor/nl-design-system/voorbeeld-tokens.css", "vendor/nl-design-system/utrecht-components.css")
OWN = "css/abs.css"
_COMMENT = re.compile(r"/\*(?!!).*?\*/", re.DOTALL)
_TEXT = re.compile(r"(\"[^\"]*\"|'[^']*'|/\*!.*?\*/)", re.DOTALL)
_AROUND = re.compile(r"\s*([{};,])\s*")
_AFTER_COLON = re.compile(r":\s+")


@dataclass(frozen=True, slots=True)
class StyleSheet:
    """What browsers get, and a mark that changes with it."""

    css: str
    version: str


def style_sheet(folder: Path, theme: str, *, is_changing: bool = False) -> StyleSheet:
    """The style sheet of a theme in the folder of static files."""
    paths = [folder / name for name in (*VENDORED, f"themes/{theme}/theme.css", OWN)]
    return _put_together(tuple((path, path.stat().st_mtime_ns if is_changing else 0) for path in paths))


@lru_cache(maxsize=4)
def _put_together(files: Sequence[tuple[Path, int]]) -> StyleSheet:
    css = "\n".join(smaller(path.read_text(encoding="utf-8")) for path, _changed in files)
    return StyleSheet(css, hashlib.sha256(css.encode()).hexdigest()[:10])


def smaller(css: str) -> str:
    """CSS without comments and without space that says nothing. What stands between quotes is left alone."""
    parts = _TEXT.split(_COMMENT.sub("", css))
    return "".join(part if place % 2 else _tight(part) for place, part in enumerate(parts)).strip()


def _tight(css: str) -> str:
    closed = _AROUND.sub(r"\1", re.sub(r"\s+", " ", css)).replace(";}", "}")
    return _AFTER_COLON.sub(":", closed)
