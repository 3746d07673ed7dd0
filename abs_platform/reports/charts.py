# SPDX-License-Identifier: EUPL-1.2
"""Pictures of a round: where on them each part stands. The tables beside them hold the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from abs_platform.reports.desk_queries import Curve
from abs_platform.reports.queries import RoundReport, RoundTotals

# In units of the picture, which is scaled to the page.
BAR_WIDTH, GAP, THINNEST = 320.0, 1.5, 1.5
CURVE_WIDTH, CURVE_HEIGHT, LEFT, BOTTOM = 640, 260, 76, 28
# What "week 16" takes beside its place, on a phone too: nearer to the edge it would be cut off.
WORDS = 100
STEPS = (0.05, 0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Piece:
    """One way that vouchers went: its share of a long bar, and the colour it has."""

    key: str
    label: str
    count: int
    x: float = 0.0
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """The curve of one round, as points of a polyline; ``number`` says how it is drawn (0: this round)."""

    name: str
    number: int
    points: str
    last_share: float


@dataclass(frozen=True, slots=True)
class CurvePicture:
    """Curves with the marks of their axes: (place, words)."""

    lines: list[Line]
    heights: list[tuple[float, str]]
    weeks: list[tuple[float, str]]


def pieces(one: RoundTotals, report: RoundReport) -> list[Piece]:
    """What became of the vouchers of a round; what cannot be there any more is left out."""
    found = [
        Piece("online", _("Gegeven: online"), one.online),
        Piece("organiser", _("Gegeven: op papier, via een initiatiefnemer"), one.organiser),
        Piece("desk", _("Gegeven: aan de balie"), one.desk),
        Piece("kept", _("Bewaard voor later"), one.kept),
        Piece("living", _("Nog te geven"), one.living),
        Piece("expired", _("Verlopen: het geld ging terug naar de gemeente"), one.expired),
        Piece("revoked", _("Ingetrokken: brief kwijt of teruggekomen"), one.revoked),
    ]
    hidden = {"living"} if report.is_closed and not one.living else set()
    hidden |= set() if report.is_closed or one.expired else {"expired"}
    return _placed([piece for piece in found if piece.key not in hidden])


def _placed(found: Sequence[Piece]) -> list[Piece]:
    """The pieces beside each other, with at least a line for each that is there."""
    there = [piece for piece in found if piece.count]
    room = BAR_WIDTH - GAP * max(0, len(there) - 1)
    total = max(1, sum(piece.count for piece in there))
    wide = [max(THINNEST, piece.count * room / total) for piece in there]
    scale = room / max(1.0, sum(wide))
    placed, x = {}, 0.0
    for piece, width in zip(there, wide, strict=True):
        placed[piece.key] = Piece(piece.key, piece.label, piece.count, round(x, 1), round(width * scale, 1))
        x += width * scale + GAP
    return [placed.get(piece.key, piece) for piece in found]


def curve_picture(curves: Sequence[Curve]) -> CurvePicture:
    """The first curve is of this round; those before it are drawn behind it."""
    days = max([7, *(len(curve.shares) - 1 for curve in curves)])
    highest = max([0.0, *(share for curve in curves for share in curve.shares)])
    top = next(step for step in STEPS if highest <= step or step == STEPS[-1])

    def x(day: float) -> float:
        return round(LEFT + day * (CURVE_WIDTH - LEFT) / days, 1)

    def y(share: float) -> float:
        return round((CURVE_HEIGHT - BOTTOM) * (1 - share / top) + 8, 1)

    lines = [
        Line(
            curve.report.name,
            number,
            " ".join(f"{x(day)},{y(share)}" for day, share in enumerate(curve.shares)),
            curve.shares[-1] if curve.shares else 0.0,
        )
        for number, curve in enumerate(curves)
    ]
    every = max(1, -(-(days // 7) // 5))
    weeks = [
        (x(week * 7), _("week %(number)s", number=week + 1))
        for week in range(0, days // 7 + 1, every)
        if x(week * 7) <= CURVE_WIDTH - WORDS
    ]
    heights = [(y(top * part / 2), f"{top * part * 50:g}%".replace(".", ",")) for part in range(3)]
    return CurvePicture(lines, heights, weeks)


def weekly(curves: Sequence[Curve]) -> list[tuple[int, list[float | None]]]:
    """The curves as a table: the share at the end of each week, of each round."""
    weeks = max([0, *(-(-len(curve.shares) // 7) for curve in curves)])
    return [(week + 1, [_at_end_of(curve, week) for curve in curves]) for week in range(weeks)]


def _at_end_of(curve: Curve, week: int) -> float | None:
    in_week = curve.shares[week * 7 : week * 7 + 7]
    return in_week[-1] if in_week else None
