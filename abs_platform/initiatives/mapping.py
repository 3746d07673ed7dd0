# SPDX-License-Identifier: EUPL-1.2
"""Where initiatives stand on the map: a pin for each, where it happens or else in the middle of its area."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from abs_platform.areas.drawing import Drawing
from abs_platform.areas.queries import AreaRow
from abs_platform.areas.shapes import centres
from abs_platform.areas.states import AreaLevel
from abs_platform.initiatives.listing import Wanted, matching
from abs_platform.initiatives.models import Initiative, InitiativeProgress
from abs_platform.initiatives.states import FAILED_STATES, InitiativeState

MOST_PINS = 10_000
ALMOST = 800  # of a thousand
BESIDE, FARTHEST = 5.0, 26.0  # units of the drawing


@dataclass(frozen=True, slots=True)
class Pin:
    """An initiative on the map. Measured: latitude and longitude; drawn: x and y."""

    id: int
    title: str
    kind: str
    at: tuple[float, float]


def pins(
    session: Session, wanted: Wanted, *, today: dt.date, areas: Sequence[AreaRow], drawing: Drawing | None
) -> list[Pin]:
    """A pin for each initiative that was asked for, on the drawing or, without one, where it is measured.

    On the drawing a pin stands in its district and not at its own place, which a drawing does not have. City-wide
    initiatives have no pin: they are for everywhere, and the list has them.
    """
    columns = (Initiative.area_id, Initiative.latitude, Initiative.longitude)
    standing = (Initiative.state, Initiative.deadline_on, InitiativeProgress.share)
    query = matching(wanted).with_only_columns(Initiative.id, Initiative.title, *columns, *standing)
    rows = session.execute(query.order_by(Initiative.id.desc()).limit(MOST_PINS)).all()
    spots = _drawn_spots(drawing, areas) if drawing else _measured_spots(session, areas)
    here: Counter[tuple[float, float]] = Counter()
    found = []
    for number, title, area_id, latitude, longitude, state, deadline_on, part in rows:
        measured = (latitude, longitude) if latitude is not None and longitude is not None else None
        at = measured if measured and drawing is None else spots.get(area_id)
        if at is None:
            continue
        if drawing is not None:
            here[at] += 1
            at = _beside(at, here[at] - 1)
        found.append(Pin(number, title, _kind(InitiativeState(state), deadline_on >= today, part or 0), at))
    return found


def _kind(state: InitiativeState, is_in_time: bool, part: float) -> str:
    """Which pin: what collects, what is almost there, what has its money, what was realised, and what ended."""
    if state == InitiativeState.PUBLISHED and is_in_time:
        return "almost" if part >= ALMOST else "collecting"
    if state in FAILED_STATES or state == InitiativeState.PUBLISHED:
        return "ended"
    return "realised" if state == InitiativeState.REALISED else "funded"


def _drawn_spots(drawing: Drawing, areas: Sequence[AreaRow]) -> Mapping[int, tuple[float, float]]:
    """Below the name of the district, which has one line or two."""
    drawn = {one.code: (one.at[0], one.at[1] + 10 + 10 * len(one.label)) for one in drawing.districts}
    codes = {area.id: area.code for area in areas if area.level == AreaLevel.DISTRICT}
    spots: dict[int, tuple[float, float]] = {}
    for area in areas:
        code = codes.get(area.id) or codes.get(area.parent_id or 0)
        if code in drawn and area.level != AreaLevel.MUNICIPALITY:
            spots[area.id] = drawn[code]
    return spots


def _measured_spots(session: Session, areas: Sequence[AreaRow]) -> Mapping[int, tuple[float, float]]:
    measured = centres(session)
    inside: dict[int, list[tuple[float, float]]] = {}
    for area in areas:
        if area.parent_id and area.id in measured:
            inside.setdefault(area.parent_id, []).append(measured[area.id])
    spots = {area.id: measured[area.id] for area in areas if area.id in measured}
    for area in areas:
        near = inside.get(area.id)
        if near and area.id not in spots:
            spots[area.id] = (sum(one[0] for one in near) / len(near), sum(one[1] for one in near) / len(near))
    return {area.id: spots[area.id] for area in areas if area.level != AreaLevel.MUNICIPALITY and area.id in spots}


def _beside(spot: tuple[float, float], place: int) -> tuple[float, float]:
    """The next place around a spot, as seeds stand in a sunflower."""
    angle, distance = place * 2.39996, min(BESIDE * math.sqrt(place), FARTHEST)
    return round(spot[0] + distance * math.cos(angle), 1), round(spot[1] + distance * math.sin(angle) / 2, 1)
