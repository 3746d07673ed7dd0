# SPDX-License-Identifier: EUPL-1.2
"""Pictures of years and districts: bars in pieces, on one scale. The tables beside them hold the same figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from abs_platform.money import format_euros
from abs_platform.reports.states import SOURCES, Figure
from abs_platform.reports.years import Year
from abs_platform.templating import number

WIDTH, GAP, THINNEST = 320.0, 1.5, 2.0
Part = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class BarPiece:
    """One part of a bar, and the colour it has."""

    key: str
    label: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its name. ``total`` is written beside it, and ``said`` tells all of it to who cannot see it."""

    name: str
    total: str
    said: str
    pieces: list[BarPiece]


def bars(rows: Sequence[tuple[str, Sequence[Part]]], written: Callable[[int], str]) -> list[Bar]:
    """Bars of (key, label, value) on one scale: the longest fills the width. What is not above nought is not drawn."""
    longest = max([1, *(sum(max(0, value) for *_names, value in parts) for _name, parts in rows)])
    return [
        Bar(
            name,
            written(sum(value for *_names, value in parts)),
            _said(name, parts, written),
            _placed([part for part in parts if part[2] > 0], longest),
        )
        for name, parts in rows
    ]


def _said(name: str, parts: Sequence[Part], written: Callable[[int], str]) -> str:
    told = [_("%(label)s: %(value)s", label=label, value=written(value)) for _key, label, value in parts]
    said: str = _("%(name)s. %(parts)s.", name=name, parts="; ".join(told))
    return said


def _placed(parts: Sequence[Part], longest: int) -> list[BarPiece]:
    room = WIDTH - GAP * max(0, len(parts) - 1)
    wide = [max(THINNEST, value * room / longest) for *_names, value in parts]
    scale = min(1.0, room / max(1.0, sum(wide)))
    placed, x = [], 0.0
    for (key, label, _value), width in zip(parts, wide, strict=True):
        placed.append(BarPiece(key, label, round(x, 1), round(width * scale, 1)))
        x += width * scale + GAP
    return placed


def money_bars(years: Sequence[Year]) -> list[Bar]:
    """What was given in each year, by where it came from."""
    return bars(
        [
            (str(one.year), [(source.value.removesuffix("_cents"), source.label, one.of(source)) for source in SOURCES])
            for one in years
        ],
        format_euros,
    )


def initiative_bars(years: Sequence[Year]) -> list[Bar]:
    """How many initiatives were published in each year."""
    label = Figure.PUBLISHED.label
    return bars([(str(one.year), [("online", label, one.of(Figure.PUBLISHED))]) for one in years], number)


def district_bars(year: Year) -> list[Bar]:
    """What the initiatives of each district were given."""
    rows = [
        (one.area.name, [("online", _("Gegeven"), one.given_cents)])
        for one in sorted(year.districts, key=lambda one: -one.given_cents)
    ]
    return bars([*rows, (_("Hele gemeente"), [("kept", _("Gegeven"), year.for_all_cents)])], format_euros)
