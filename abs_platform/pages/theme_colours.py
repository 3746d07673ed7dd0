# SPDX-License-Identifier: EUPL-1.2
"""The few colours of a theme that a browser wants outside its style sheet, read from that style sheet."""

from __future__ import annotations

import re
from dataclasses import dataclass

_COLOUR = r"--abs-{name}:\s*(#[0-9a-fA-F]{{3,8}})\s*;"


@dataclass(frozen=True, slots=True)
class ThemeColours:
    """The ground of a page in light and dark, and the colour of the brand."""

    canvas: str
    canvas_dark: str
    brand: str


def theme_colours(css: str) -> ThemeColours:
    """Read theme.css: the first of each is for light, the second for dark. Raises: ValueError."""
    canvas = re.findall(_COLOUR.format(name="canvas"), css)
    brand = re.findall(_COLOUR.format(name="footer"), css)
    if len(canvas) < 2 or not brand:
        raise ValueError("theme.css must set --abs-canvas in light and in dark, and --abs-footer")
    return ThemeColours(canvas[0], canvas[1], brand[0])
