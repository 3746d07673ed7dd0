# SPDX-License-Identifier: EUPL-1.2
"""What the pages of figures take from their address."""

from __future__ import annotations

from collections.abc import Mapping

MAX_DIGITS = 18


def read_round(arguments: Mapping[str, str]) -> int | None:
    """The number of the round that is asked for, or None for the newest."""
    asked = arguments.get("ronde", "").strip()
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= MAX_DIGITS else None
