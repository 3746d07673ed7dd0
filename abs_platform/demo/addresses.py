# SPDX-License-Identifier: EUPL-1.2
"""Synthetic addresses in the two published formats: the NLExtract BAG file and the CBS key file."""

import itertools
import math
import random
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

Variant = Literal["full", "short"]

FULL_HEADER = (
    "openbareruimte;huisnummer;huisletter;huisnummertoevoeging;postcode;woonplaats;gemeente;provincie;"
    "nummeraanduiding;verblijfsobjectgebruiksdoel;oppervlakteverblijfsobject;verblijfsobjectstatus;"
    "object_id;object_type;nevenadres;pandid;pandstatus;pandbouwjaar;x;y;lon;lat"
)
SHORT_HEADER = (
    "openbareruimte;huisnummer;huisletter;huisnummertoevoeging;postcode;woonplaats;gemeente;provincie;"
    "object_id;object_type;nevenadres;x;y;lon;lat"
)

IN_USE = "Verblijfsobject in gebruik"
IN_USE_NOT_MEASURED = "Verblijfsobject in gebruik (niet ingemeten)"
OUT_OF_USE = "Verblijfsobject buiten gebruik"
FORMED = "Verblijfsobject gevormd"
ASSIGNED_PLACE = "Plaats aangewezen"

DWELLING = "woonfunctie"
# Several purposes are joined by a comma, the dwelling first, as NLExtract does since 2021.
MIXED_DWELLINGS = (
    "woonfunctie,winkelfunctie",
    "woonfunctie,kantoorfunctie",
    "woonfunctie,bijeenkomstfunctie",
)
OTHER_PURPOSES = (
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

# The letters that postcodes use; three combinations are never handed out.
_LETTERS = "ABCDEGHJKLMNPRSTVWXZ"
_FORBIDDEN = {"SA", "SD", "SS"}
_SUFFIXES = tuple(a + b for a in _LETTERS for b in _LETTERS if a + b not in _FORBIDDEN)
_SPARE_DIGITS = (*range(8000, 9993), *range(1000, 7000))

_MOST_PER_STREET = 130
_METRES_PER_DEGREE_LATITUDE = 111_300.0
_METRES_PER_DEGREE_LONGITUDE = 68_000.0


@dataclass(frozen=True)
class WrittenFiles:
    """What stands in the two files; `households` is what an importer of the full variant must count."""

    bag_path: Path
    key_path: Path
    rows: int
    key_rows: int
    postcodes: int
    households: int
    berths: int
    pitches: int
    secondary: int
    other_use: int
    not_in_use: int
    neighbouring: int


@dataclass(frozen=True)
class _Area:
    """A neighbourhood as streets.toml gives it, without the letters before its code."""

    code: str
    weight: int
    businesses: int
    berths: int
    pitches: int
    town: str
    postcodes: tuple[str, ...]
    latitude: float
    longitude: float
    streets: tuple[str, ...]


@dataclass(frozen=True)
class _Neighbouring:
    municipality: str
    town: str
    area: str
    postcode: str
    streets: tuple[str, ...]


class _Street(NamedTuple):
    area: _Area
    digits: str
    name: str
    households: int
    businesses: int
    berths: int
    pitches: int


class _Row(NamedTuple):
    """One line of the BAG file, with the neighbourhood that the key file gives it."""

    area_code: str
    street: str
    number: int
    letter: str
    addition: str
    postcode: str
    town: str
    municipality: str
    designation: str
    purpose: str
    surface: int
    status: str
    object_id: str
    object_type: str
    secondary: bool
    building: str
    building_status: str
    year: str
    longitude: float
    latitude: float
    x: float
    y: float


def write_address_files(
    streets_path: Path,
    bag_path: Path,
    key_path: Path,
    *,
    municipality: str,
    municipality_code: str,
    households: int | None = None,
    seed: int = 1,
    variant: Variant = "full",
    key_year: int = 2025,
) -> WrittenFiles:
    """Write both files row by row; the same arguments give the same bytes.

    `households` is the number of residential main addresses in use; without it the weights of the streets
    file are the numbers of dwellings. Beside these the file holds what an importer must leave out: secondary
    addresses, shops and offices, what is not in use, and rows of neighbouring municipalities.

    Raises: ValueError for a street that cannot be written, or for fewer than one household.
    """
    plan = _read_streets(streets_path, municipality)
    total = sum(area.weight for area in plan.areas) if households is None else households
    if total < 1:
        raise ValueError("At least one household is needed.")
    generator = _Generator(plan, total, municipality, municipality_code, seed)
    write = _full_line if variant == "full" else _short_line
    counts = _Counts()
    bag_path.parent.mkdir(parents=True, exist_ok=True)
    key_path.parent.mkdir(parents=True, exist_ok=True)
    with (
        bag_path.open("w", encoding="utf-8", newline="\n") as bag,
        key_path.open("w", encoding="utf-8", newline="\n") as key,
    ):
        bag.write(f"{FULL_HEADER if variant == 'full' else SHORT_HEADER}\n")
        key.write(f"PC6;Huisnummer;Buurt{key_year};Wijk{key_year};Gemeente{key_year}\n")
        last: tuple[str, int] = ("", 0)
        for row in generator.rows():
            bag.write(write(row, plan.province))
            counts.add(row, municipality)
            place = (row.postcode, row.number)
            if place != last:
                area = row.area_code
                key.write(f"{row.postcode};{row.number};{area};{area[:6]};{area[:4]}\n")
                counts.key_rows += 1
                counts.postcodes += place[0] != last[0]
                last = place
    return counts.result(bag_path, key_path)


@dataclass
class _Counts:
    rows: int = 0
    key_rows: int = 0
    postcodes: int = 0
    households: int = 0
    berths: int = 0
    pitches: int = 0
    secondary: int = 0
    other_use: int = 0
    not_in_use: int = 0
    neighbouring: int = 0

    def add(self, row: _Row, municipality: str) -> None:
        self.rows += 1
        if row.municipality != municipality:
            self.neighbouring += 1
        elif row.secondary:
            self.secondary += 1
        elif row.object_type != "VBO":
            self.households += 1
            self.berths += row.object_type == "LIG"
            self.pitches += row.object_type == "STA"
        elif DWELLING not in row.purpose:
            self.other_use += 1
        elif row.status in (OUT_OF_USE, FORMED):
            self.not_in_use += 1
        else:
            self.households += 1

    def result(self, bag_path: Path, key_path: Path) -> WrittenFiles:
        return WrittenFiles(bag_path=bag_path, key_path=key_path, **vars(self))


def _full_line(row: _Row, province: str) -> str:
    return (
        f"{row.street};{row.number};{row.letter};{row.addition};{row.postcode};{row.town};{row.municipality};"
        f"{province};{row.designation};{row.purpose};{row.surface};{row.status};{row.object_id};"
        f"{row.object_type};{'t' if row.secondary else 'f'};{row.building};{row.building_status};{row.year};"
        f"{row.x:.3f};{row.y:.3f};{row.longitude:.8f};{row.latitude:.8f}\n"
    )


def _short_line(row: _Row, province: str) -> str:
    return (
        f"{row.street};{row.number};{row.letter};{row.addition};{row.postcode};{row.town};{row.municipality};"
        f"{province};{row.object_id};{row.object_type};{'t' if row.secondary else 'f'};"
        f"{row.x:.3f};{row.y:.3f};{row.longitude:.8f};{row.latitude:.8f}\n"
    )


@dataclass(frozen=True)
class _Plan:
    province: str
    areas: tuple[_Area, ...]
    neighbouring: tuple[_Neighbouring, ...]


def _read_streets(path: Path, municipality: str) -> _Plan:
    with path.open("rb") as file:
        content = tomllib.load(file)
    areas = tuple(
        _Area(
            code=entry["code"].removeprefix("BU"),
            weight=entry["weight"],
            businesses=entry.get("businesses", 0),
            berths=entry.get("berths", 0),
            pitches=entry.get("pitches", 0),
            town=entry.get("town", municipality),
            postcodes=tuple(entry["postcodes"]),
            latitude=entry["centre"][0],
            longitude=entry["centre"][1],
            streets=tuple(entry["streets"]),
        )
        for entry in content["neighbourhood"]
    )
    neighbouring = tuple(
        _Neighbouring(
            municipality=entry["municipality"],
            town=entry["town"],
            area=entry["area"],
            postcode=entry["postcode"],
            streets=tuple(entry["streets"]),
        )
        for entry in content.get("neighbouring", [])
    )
    names = [name for area in areas for name in area.streets]
    names += [name for place in neighbouring for name in place.streets]
    for name in names:
        if not name or any(sign in name for sign in ';"\r\n'):
            raise ValueError(f"{path}: {name!r} cannot be written as a street.")
    return _Plan(content["province"], areas, neighbouring)


def _share_out(total: int, weights: Iterable[int]) -> list[int]:
    """Whole numbers in proportion to the weights that add up to the total: the largest remainders win."""
    weighed = list(weights)
    whole = sum(weighed)
    if whole == 0:
        return [0] * len(weighed)
    shares = [total * weight // whole for weight in weighed]
    by_remainder = sorted(range(len(weighed)), key=lambda i: -(total * weighed[i] % whole))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares


def _households_per_area(total: int, areas: tuple[_Area, ...]) -> list[int]:
    """Every neighbourhood with a weight gets a household as soon as there are enough to go round."""
    inhabited = [int(area.weight > 0) for area in areas]
    if total < sum(inhabited):
        return _share_out(total, [area.weight for area in areas])
    rest = _share_out(total - sum(inhabited), [max(area.weight - 1, 0) for area in areas])
    return [one + more for one, more in zip(inhabited, rest, strict=True)]


def _rijksdriehoek(latitude: float, longitude: float) -> tuple[float, float]:
    """RD x and y in metres, by the published approximation of Schreutelkamp and Strang van Hees."""
    f = 0.36 * (latitude - 52.15517440)
    g = 0.36 * (longitude - 5.38720621)
    x = (
        155000
        + 190094.945 * g
        - 11832.228 * f * g
        - 114.221 * f**2 * g
        - 32.391 * g**3
        - 0.705 * f
        - 2.340 * f**3 * g
        - 0.608 * f * g**3
        - 0.008 * g**2
        + 0.148 * f**2 * g**3
    )
    y = (
        463000
        + 309056.544 * f
        + 3638.893 * g**2
        + 73.077 * f**2
        - 157.984 * f * g**2
        + 59.788 * f**3
        + 0.433 * g
        - 6.439 * f**2 * g**2
        - 0.032 * f * g
        + 0.092 * g**4
        - 0.054 * f * g**4
    )
    return x, y


def _roman(number: int) -> str:
    text = ""
    for value, sign in (
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
    ):
        text += sign * (number // value)
        number %= value
    return text + "I" * number


class _Postcodes:
    """Hands out each postcode once; digits that are used up are followed by digits nobody uses."""

    def __init__(self, reserved: set[str]) -> None:
        self._open: dict[str, Iterator[str]] = {}
        self._spare = (str(digits) for digits in _SPARE_DIGITS if str(digits) not in reserved)
        self._overflow: Iterator[str] = iter(())

    def take(self, digits: str) -> str:
        letters = self._open.setdefault(digits, iter(_SUFFIXES))
        for pair in letters:
            return digits + pair
        for postcode in self._overflow:
            return postcode
        try:
            more = next(self._spare)
        except StopIteration:
            raise ValueError("There are not enough postcodes for that many households.") from None
        self._overflow = (more + pair for pair in _SUFFIXES)
        return next(self._overflow)


class _Line:
    """Where the houses of a street stand: on a straight line near the neighbourhood's centre."""

    def __init__(self, latitude: float, longitude: float, angle: float, homes: int) -> None:
        self._north, self._east = math.cos(angle), math.sin(angle)
        self._middle = homes / 2
        self._latitude, self._longitude = latitude, longitude
        self._x, self._y = _rijksdriehoek(latitude, longitude)
        step = 0.001
        north = _rijksdriehoek(latitude + step, longitude)
        east = _rijksdriehoek(latitude, longitude + step)
        self._x_north, self._y_north = (north[0] - self._x) / step, (north[1] - self._y) / step
        self._x_east, self._y_east = (east[0] - self._x) / step, (east[1] - self._y) / step

    def point(self, number: int) -> tuple[float, float, float, float]:
        """Longitude, latitude, x and y of a house number; odd and even face each other."""
        along = 7.0 * (number // 2 - self._middle / 2)
        aside = 9.0 if number % 2 else -9.0
        d_latitude = (along * self._north - aside * self._east) / _METRES_PER_DEGREE_LATITUDE
        d_longitude = (along * self._east + aside * self._north) / _METRES_PER_DEGREE_LONGITUDE
        return (
            self._longitude + d_longitude,
            self._latitude + d_latitude,
            self._x + d_latitude * self._x_north + d_longitude * self._x_east,
            self._y + d_latitude * self._y_north + d_longitude * self._y_east,
        )


class _Generator:
    """Makes the rows street by street, in the order of the postcodes; remembers numbers, never rows."""

    def __init__(self, plan: _Plan, total: int, municipality: str, municipality_code: str, seed: int) -> None:
        self._plan = plan
        self._total = total
        self._municipality = municipality
        self._prefix = municipality_code.removeprefix("GM")
        self._random = random.Random(seed).random
        reserved = {digits for area in plan.areas for digits in area.postcodes}
        reserved |= {place.postcode for place in plan.neighbouring}
        self._postcodes = _Postcodes(reserved)
        self._designations = itertools.count(1)
        self._objects = itertools.count(1)
        self._buildings = itertools.count(1)

    def rows(self) -> Iterator[_Row]:
        for street in self._streets():
            yield from self._street_rows(street)
        for place in self._plan.neighbouring:
            yield from self._neighbouring_rows(place)

    def _streets(self) -> Iterator[_Street]:
        areas = self._plan.areas
        households = _households_per_area(self._total, areas)
        weights = sum(area.weight for area in areas) or self._total
        sizes = {
            area.code: (homes, area.businesses * self._total // weights)
            for area, homes in zip(areas, households, strict=True)
        }
        for digits in sorted({digits for area in areas for digits in area.postcodes}):
            for area in areas:
                if digits in area.postcodes:
                    for street in self._area_streets(area, *sizes[area.code]):
                        if street.digits == digits:
                            yield street

    def _area_streets(self, area: _Area, households: int, businesses: int) -> Iterator[_Street]:
        """A neighbourhood that outgrows its streets gets them again: Lindestraat, Lindestraat II."""
        berths = min(area.berths, households // 4)
        pitches = min(area.pitches, households // 4)
        houses = households - berths - pitches
        copies = max(1, math.ceil(houses / (len(area.streets) * _MOST_PER_STREET)))
        count = copies * len(area.streets)
        # The length of a street must not depend on when it is asked for.
        lengths = [60 + (int(area.code[-4:], 36) * 7 + i * 37) % 80 for i in range(count)]
        homes = _share_out(houses, lengths)
        shops = _share_out(businesses, lengths)
        for i in range(count):
            copy, nth = divmod(i, len(area.streets))
            name = area.streets[nth]
            last = i == count - 1
            yield _Street(
                area=area,
                digits=area.postcodes[i % len(area.postcodes)],
                name=f"{name} {_roman(copy + 1)}" if copy else name,
                households=homes[i],
                businesses=shops[i],
                berths=berths if last else 0,
                pitches=pitches if last else 0,
            )

    def _street_rows(self, street: _Street) -> Iterator[_Row]:
        draw = self._random
        area = street.area
        line = _Line(
            area.latitude + (draw() - 0.5) * 0.006,
            area.longitude + (draw() - 0.5) * 0.009,
            draw() * math.pi,
            street.households + street.businesses,
        )
        built = 1905 + int(draw() * 110)
        side = _Side(self, street, line, built)
        odd_homes, odd_shops = (street.households + 1) // 2, (street.businesses + 1) // 2
        yield from side.rows(1, odd_homes, odd_shops)
        yield from side.rows(2, street.households - odd_homes, street.businesses - odd_shops)
        yield from side.places("LIG", street.berths)
        yield from side.places("STA", street.pitches)

    def _neighbouring_rows(self, place: _Neighbouring) -> Iterator[_Row]:
        """A file of a region holds the neighbours too: homes that are not this municipality's to count."""
        centre = self._plan.areas[0]
        for street, name in enumerate(place.streets):
            line = _Line(centre.latitude, centre.longitude - 0.08 - street * 0.002, 0.3, 8)
            postcode = self._postcodes.take(place.postcode)
            for number in range(1, 17, 2):
                longitude, latitude, x, y = line.point(number)
                yield _Row(
                    area_code=place.area,
                    street=name,
                    number=number,
                    letter="",
                    addition="",
                    postcode=postcode,
                    town=place.town,
                    municipality=place.municipality,
                    designation=f"{place.area[:4]}200{next(self._designations):09d}",
                    purpose=DWELLING,
                    surface=110,
                    status=IN_USE,
                    object_id=f"{place.area[:4]}010{next(self._objects):09d}",
                    object_type="VBO",
                    secondary=False,
                    building=f"{place.area[:4]}100{next(self._buildings):09d}",
                    building_status="Pand in gebruik",
                    year="1974",
                    longitude=longitude,
                    latitude=latitude,
                    x=x,
                    y=y,
                )

    def designation(self) -> str:
        return f"{self._prefix}200{next(self._designations):09d}"

    def object_id(self, kind: Literal["010", "020", "030"]) -> str:
        return f"{self._prefix}{kind}{next(self._objects):09d}"

    def building(self) -> str:
        return f"{self._prefix}100{next(self._buildings):09d}"

    def draw(self) -> float:
        return self._random()

    def postcode(self, digits: str) -> str:
        return self._postcodes.take(digits)

    @property
    def municipality(self) -> str:
        return self._municipality


class _Side:
    """Builds along one side of a street after the other; a postcode covers one stretch of one side."""

    def __init__(self, source: _Generator, street: _Street, line: _Line, built: int) -> None:
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

    def rows(self, first_number: int, homes: int, shops: int) -> Iterator[_Row]:
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

    def places(self, kind: Literal["LIG", "STA"], count: int) -> Iterator[_Row]:
        """Berths and pitches: they have no building, no purpose and a status of their own."""
        self._left = 0
        self._next_number += 100
        for _ in range(count):
            self._move_on(1)
            yield self._row(
                object_id=self._source.object_id("020" if kind == "LIG" else "030"),
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
            self._postcode = self._source.postcode(self._street.digits)
            self._left = 12 + int(draw() * 22) - addresses
        self._number = self._next_number
        self._next_number += 2 if draw() > 0.03 else 4
        if not same_building:
            self._building = self._source.building()
            self._year = str(min(2025, self._built + int(draw() * 8)))

    def _other_use(self) -> _Row:
        self._move_on(1)
        draw = self._source.draw
        return self._row(
            object_id=self._source.object_id("010"),
            purpose=OTHER_PURPOSES[int(draw() * len(OTHER_PURPOSES))],
            surface=60 + int(draw() * 900),
        )

    def _not_in_use(self) -> _Row:
        self._move_on(1)
        formed = self._source.draw() < 0.5
        return self._row(
            object_id=self._source.object_id("010"),
            status=FORMED if formed else OUT_OF_USE,
            building_status="Bouw gestart" if formed else "Pand buiten gebruik",
        )

    def _homes(self, units: list[tuple[str, str]]) -> Iterator[_Row]:
        """Several homes in one building on one number."""
        self._move_on(len(units))
        for letter, addition in units:
            yield self._row(
                object_id=self._source.object_id("010"),
                letter=letter,
                addition=addition,
                surface=45 + int(self._source.draw() * 50),
            )

    def _house(self, *, may_have_second: bool) -> Iterator[_Row]:
        """A home on its own number; now and then the first of a flat, or with a second address."""
        draw = self._source.draw
        self._move_on(2 if may_have_second else 1, same_building=self._flat > 0)
        if self._flat:
            self._flat -= 1
        elif draw() < 0.006:
            self._flat = 5 + int(draw() * 8)
        home = self._row(
            object_id=self._source.object_id("010"),
            purpose=DWELLING if draw() > 0.008 else MIXED_DWELLINGS[int(draw() * len(MIXED_DWELLINGS))],
            surface=70 + int(draw() * 90),
            status=IN_USE if draw() > 0.015 else IN_USE_NOT_MEASURED,
        )
        yield home
        if may_have_second:
            yield home._replace(designation=self._source.designation(), letter="A", secondary=True)

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
    ) -> _Row:
        longitude, latitude, x, y = self._line.point(self._number)
        return _Row(
            area_code=self._street.area.code,
            street=self._street.name,
            number=self._number,
            letter=letter,
            addition=addition,
            postcode=self._postcode,
            town=self._street.area.town,
            municipality=self._source.municipality,
            designation=self._source.designation(),
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
