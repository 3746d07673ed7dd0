# SPDX-License-Identifier: EUPL-1.2
"""The initiatives on the back of a letter: those of the own neighbourhood and district first, then those for everyone.

There is room for MOST. The own ones get up to OWN_MOST, so that the city-wide ones keep a place; what one side leaves
the other takes. Where more want a place than there are, three measures choose in turn: the newest, the one with the
fewest givers, the one that ends soonest. So a known club never fills the page: new and small ones get their place.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle
from typing import Any, Literal

from sqlalchemy.orm import Session

from abs_platform.areas.queries import list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.letters.printing import Candidate, candidates

MOST = 10
OWN_MOST = 7
MAX_TITLE = 66
MAX_PLACE = 84

Group = Literal["neighbourhood", "district", "city"]
_MEASURES: tuple[Callable[[Candidate], tuple[Any, ...]], ...] = (
    lambda one: (-one.published_at.timestamp(), one.id),
    lambda one: (one.givers, one.id),
    lambda one: (one.deadline_on, one.id),
)


def choices_by_neighbourhood(session: Session, *, on: dt.date) -> dict[str, list[dict[str, Any]]]:
    """Neighbourhood id (a text: it is kept as JSON) -> rows of id, title, place and group, in the order of the page.

    What collects until ``on`` or longer counts: the day on which the round opens.
    """
    areas = list_areas(session, AreaLevel.NEIGHBOURHOOD)
    district_of = {area.id: area.parent_id for area in areas}
    of_neighbourhood, of_district = (
        defaultdict[int, list[Candidate]](list),
        defaultdict[int | None, list[Candidate]](list),
    )
    of_all: list[Candidate] = []
    for one in candidates(session, on=on):
        if one.level == AreaLevel.MUNICIPALITY:
            of_all.append(one)
        elif one.level == AreaLevel.DISTRICT:
            of_district[one.area_id].append(one)
        else:
            of_neighbourhood[one.area_id].append(one)
            of_district[district_of.get(one.area_id)].append(one)
    return {
        str(area.id): _rows(
            of_neighbourhood[area.id],
            [one for one in of_district[area.parent_id] if one.area_id != area.id],
            of_all,
        )
        for area in areas
    }


def _rows(
    neighbourhood: Sequence[Candidate], district: Sequence[Candidate], city: Sequence[Candidate]
) -> list[dict[str, Any]]:
    own_room = max(OWN_MOST, MOST - len(city))
    near = pick(neighbourhood, own_room)
    around = pick(district, own_room - len(near))
    everyone = pick(city, MOST - len(near) - len(around))
    return [*_as_rows(near, "neighbourhood"), *_as_rows(around, "district"), *_as_rows(everyone, "city")]


def pick(found: Iterable[Candidate], most: int) -> list[Candidate]:
    """So many of them, each measure choosing in turn; in the order of their numbers, as one looks them up."""
    left = list(found)
    if len(left) <= most:
        return sorted(left, key=lambda one: one.id)
    picked: list[Candidate] = []
    for measure in cycle(_MEASURES):
        if len(picked) >= most:
            break
        best = min(left, key=measure)
        left.remove(best)
        picked.append(best)
    return sorted(picked, key=lambda one: one.id)


def _as_rows(picked: Iterable[Candidate], group: Group) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "title": shortened(one.title, MAX_TITLE),
            "place": shortened(", ".join(part for part in (one.place, one.area_name) if part), MAX_PLACE),
            "group": group,
        }
        for one in picked
    ]


def shortened(text: str, most: int) -> str:
    """A text on one line, cut between words where it is too long."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    head, _space, _rest = cut.rpartition(" ")
    return (head if len(head) > most // 2 else cut).rstrip(" ,.;:-") + "…"
