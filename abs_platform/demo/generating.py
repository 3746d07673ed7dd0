# SPDX-License-Identifier: EUPL-1.2
"""Makes the rows of the demo street by street, the municipality's own first and then its neighbours'."""

import math
import random
from collections.abc import Iterator

from abs_platform.demo.numbering import Identifiers, Postcodes
from abs_platform.demo.points import Line
from abs_platform.demo.rows import DWELLING, IN_USE, Row
from abs_platform.demo.sides import Side, Source
from abs_platform.demo.streets import Neighbouring, Plan, Street, streets_by_postcode


class Generator:
    """Makes the rows in the order of the postcodes; remembers numbers, never rows."""

    def __init__(self, plan: Plan, total: int, municipality: str, municipality_code: str, seed: int) -> None:
        self._plan = plan
        self._total = total
        reserved = {digits for area in plan.areas for digits in area.postcodes}
        reserved |= {place.postcode for place in plan.neighbouring}
        self._source = Source(
            municipality=municipality,
            draw=random.Random(seed).random,
            postcodes=Postcodes(reserved),
            identifiers=Identifiers(municipality_code.removeprefix("GM")),
        )

    def rows(self) -> Iterator[Row]:
        for street in streets_by_postcode(self._plan.areas, self._total):
            yield from self._street_rows(street)
        for place in self._plan.neighbouring:
            yield from self._neighbouring_rows(place)

    def _street_rows(self, street: Street) -> Iterator[Row]:
        draw = self._source.draw
        area = street.area
        line = Line(
            area.latitude + (draw() - 0.5) * 0.006,
            area.longitude + (draw() - 0.5) * 0.009,
            draw() * math.pi,
            street.households + street.businesses,
        )
        built = 1905 + int(draw() * 110)
        side = Side(self._source, street, line, built)
        odd_homes, odd_shops = (street.households + 1) // 2, (street.businesses + 1) // 2
        yield from side.rows(1, odd_homes, odd_shops)
        yield from side.rows(2, street.households - odd_homes, street.businesses - odd_shops)
        yield from side.places("LIG", street.berths)
        yield from side.places("STA", street.pitches)

    def _neighbouring_rows(self, place: Neighbouring) -> Iterator[Row]:
        """A file of a region holds the neighbours too: homes that are not this municipality's to count."""
        centre = self._plan.areas[0]
        identifiers = self._source.identifiers.elsewhere(place.area[:4])
        for street, name in enumerate(place.streets):
            line = Line(centre.latitude, centre.longitude - 0.08 - street * 0.002, 0.3, 8)
            postcode = self._source.postcodes.take(place.postcode)
            for number in range(1, 17, 2):
                longitude, latitude, x, y = line.point(number)
                yield Row(
                    area_code=place.area,
                    street=name,
                    number=number,
                    letter="",
                    addition="",
                    postcode=postcode,
                    town=place.town,
                    municipality=place.municipality,
                    designation=identifiers.designation(),
                    purpose=DWELLING,
                    surface=110,
                    status=IN_USE,
                    object_id=identifiers.object_id("010"),
                    object_type="VBO",
                    secondary=False,
                    building=identifiers.building(),
                    building_status="Pand in gebruik",
                    year="1974",
                    longitude=longitude,
                    latitude=latitude,
                    x=x,
                    y=y,
                )
