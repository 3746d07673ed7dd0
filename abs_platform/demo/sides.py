# SPDX-License-Identifier: EUPL-1.2
"""Builds one side of a street: its homes, its shops, and what an importer must leave out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from abs_platform.demo.numbering import Identifiers, Postcodes
from abs_platform.demo.points import Line
from abs_platform.demo.rows import (
    ASSIGNED_PLACE,
    DWELLING,
    FORMED,
    IN_USE,
    IN_USE_NOT_MEASURED,
    OUT_OF_USE,
    Row,
)
from abs_platform.demo.streets import Street

# Several purposes are joined by a comma, the dwelling first, as NLExtract does since 2021.
_MIXED_DWELLINGS = (
    "woonfunctie,winkelfunctie",
    "woonfunctie,kantoorfunctie",
    "woonfunctie,bijeenkomstfunctie",
)
_OTHER_PURPOSES = (
    "winkelfunctie",
    "winkelfunctie",
    "kantoorfunctie",
    "kantoorfunctie",
    "industriefunctie",
    "bijeenkomstfunctie",
    "gezondheidszorgfunctie",
    "onderwijsfunctie",
    "kantoorfunctie,winkelfunctie",
    "bijeenkomstfunctie,sportfunctie",
    "overige gebruiksfunctie",
)


@dataclass(frozen=True)
class Source:
    """What all streets of the municipality draw on; `draw` gives the next chance between 0 and 1."""

    municipality: str
    draw: Callable[[], float]
    postcodes: Postcodes
    identifiers: Identifiers


class Side:
    """Builds along one side of a street after the other; a postcode covers one stretch of one side."""

    def __init__(self, source: Source, street: Street, line: Line, built: int) -> None:
        self._source = source
        self._street = street
        self._line = line
        self._built = built
        self._postcode = ""
        self._left = 0
        self._number = 0
        self._next_number = 1
        self._building = ""
        self._year = ""
        self._flat = 0

    def rows(self, first_number: int, homes: int, shops: int) -> Iterator[Row]:
        draw = self._source.draw
        self._next_number = first_number
        self._left = 0
        self._flat = 0
        while homes or shops:
            if shops and draw() * (homes + shops) < shops:
                shops -= 1
                yield self._other_use()
                continue
            chance = draw()
            if chance < 0.012:
                yield self._other_use()
            elif chance < 0.018:
                yield self._not_in_use()
            elif chance < 0.045 and homes > 1:
                units = min(homes, 2 + int(draw() * 2))
                homes -= units
                yield from self._homes([(letter, "") for letter in ("", "A", "B")[:units]])
            elif chance < 0.065 and homes > 3:
                units = min(homes, (4, 6, 8)[int(draw() * 3)])
                homes -= units
                yield from self._homes([("", str(unit)) for unit in range(1, units + 1)])
            elif chance < 0.068 and homes > 1:
                homes -= 2
                yield from self._homes([("A", "1"), ("A", "2")])
            else:
                homes -= 1
                yield from self._house(may_have_second=chance > 0.995)

    def places(self, kind: Literal["LIG", "STA"], count: int) -> Iterator[Row]:
        """Berths and pitches: they have no building, no purpose and a status of their own."""
        self._left = 0
        self._next_number += 100
        for _ in range(count):
            self._move_on(1)
            yield self._row(
                object_id=self._source.identifiers.object_id("020" if kind == "LIG" else "030"),
                object_type=kind,
                purpose="",
                surface=90 + int(self._source.draw() * 120),
                status=ASSIGNED_PLACE,
                in_building=False,
            )

    def _move_on(self, addresses: int, *, same_building: bool = False) -> None:
        """To the next house number, and to a next postcode where this one is full."""
        draw = self._source.draw
        self._left -= addresses
        if self._left < 0:
            self._postcode = self._source.postcodes.take(self._street.digits)
            self._left = 12 + int(draw() * 22) - addresses
        self._number = self._next_number
        self._next_number += 2 if draw() > 0.03 else 4
        if not same_building:
            self._building = self._source.identifiers.building()
            self._year = str(min(2025, self._built + int(draw() * 8)))

    def _other_use(self) -> Row:
        self._move_on(1)
        draw = self._source.draw
        return self._row(
            object_id=self._source.identifiers.object_id("010"),
            purpose=_OTHER_PURPOSES[int(draw() * len(_OTHER_PURPOSES))],
            surface=60 + int(draw() * 900),
        )

    def _not_in_use(self) -> Row:
        self._move_on(1)
        formed = self._source.draw() < 0.5
        return self._row(
            object_id=self._source.identifiers.object_id("010"),
            status=FORMED if formed else OUT_OF_USE,
            building_status="Bouw gestart" if formed else "Pand buiten gebruik",
        )

    def _homes(self, units: list[tuple[str, str]]) -> Iterator[Row]:
        """Several homes in one building on one number."""
        self._move_on(len(units))
        for letter, addition in units:
            yield self._row(
                object_id=self._source.identifiers.object_id("010"),
                letter=letter,
                addition=addition,
                surface=45 + int(self._source.draw() * 50),
            )

    def _house(self, *, may_have_second: bool) -> Iterator[Row]:
        """A home on its own number; now and then the first of a flat, or with a second address."""
        draw = self._source.draw
        self._move_on(2 if may_have_second else 1, same_building=self._flat > 0)
        if self._flat:
            self._flat -= 1
        elif draw() < 0.006:
            self._flat = 5 + int(draw() * 8)
        home = self._row(
            object_id=self._source.identifiers.object_id("010"),
            purpose=DWELLING if draw() > 0.008 else _MIXED_DWELLINGS[int(draw() * len(_MIXED_DWELLINGS))],
            surface=70 + int(draw() * 90),
            status=IN_USE if draw() > 0.015 else IN_USE_NOT_MEASURED,
        )
        yield home
        if may_have_second:
            yield home._replace(designation=self._source.identifiers.designation(), letter="A", secondary=True)

    def _row(
        self,
        *,
        object_id: str,
        object_type: str = "VBO",
        letter: str = "",
        addition: str = "",
        purpose: str = DWELLING,
        surface: int = 95,
        status: str = IN_USE,
        building_status: str = "Pand in gebruik",
        in_building: bool = True,
    ) -> Row:
        longitude, latitude, x, y = self._line.point(self._number)
        return Row(
            area_code=self._street.area.code,
            street=self._street.name,
            number=self._number,
            letter=letter,
            addition=addition,
            postcode=self._postcode,
            town=self._street.area.town,
            municipality=self._source.municipality,
            designation=self._source.identifiers.designation(),
            purpose=purpose,
            surface=surface,
            status=status,
            object_id=object_id,
            object_type=object_type,
            secondary=False,
            building=self._building if in_building else "",
            building_status=building_status if in_building else "",
            year=self._year if in_building else "",
            longitude=longitude,
            latitude=latitude,
            x=x,
            y=y,
        )
