# SPDX-License-Identifier: EUPL-1.2
"""The streets of the demo: read from the municipality's file, with the households shared out over them."""

import math
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_MOST_PER_STREET = 130


@dataclass(frozen=True)
class Area:
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
class Neighbouring:
    """Streets of another municipality, which a file of the region holds too."""

    municipality: str
    town: str
    area: str
    postcode: str
    streets: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """All that streets.toml says."""

    province: str
    areas: tuple[Area, ...]
    neighbouring: tuple[Neighbouring, ...]


class Street(NamedTuple):
    """A street in one neighbourhood and one postcode area, with what is to be built in it."""

    area: Area
    digits: str
    name: str
    households: int
    businesses: int
    berths: int
    pitches: int


def read_streets(path: Path, municipality: str) -> Plan:
    """Raises: ValueError for a name that would break a line of the BAG file."""
    with path.open("rb") as file:
        content = tomllib.load(file)
    areas = tuple(
        Area(
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
        Neighbouring(
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
    return Plan(content["province"], areas, neighbouring)


def streets_by_postcode(areas: tuple[Area, ...], total: int) -> Iterator[Street]:
    """All streets in the order of their postcodes; together they hold `total` households."""
    households = _households_per_area(total, areas)
    weights = sum(area.weight for area in areas) or total
    sizes = {
        area.code: (homes, area.businesses * total // weights) for area, homes in zip(areas, households, strict=True)
    }
    for digits in sorted({digits for area in areas for digits in area.postcodes}):
        for area in areas:
            if digits in area.postcodes:
                for street in _area_streets(area, *sizes[area.code]):
                    if street.digits == digits:
                        yield street


def _area_streets(area: Area, households: int, businesses: int) -> Iterator[Street]:
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
        yield Street(
            area=area,
            digits=area.postcodes[i % len(area.postcodes)],
            name=f"{name} {_roman(copy + 1)}" if copy else name,
            households=homes[i],
            businesses=shops[i],
            berths=berths if last else 0,
            pitches=pitches if last else 0,
        )


def _households_per_area(total: int, areas: tuple[Area, ...]) -> list[int]:
    """Every neighbourhood with a weight gets a household as soon as there are enough to go round."""
    inhabited = [int(area.weight > 0) for area in areas]
    if total < sum(inhabited):
        return _share_out(total, [area.weight for area in areas])
    rest = _share_out(total - sum(inhabited), [max(area.weight - 1, 0) for area in areas])
    return [one + more for one, more in zip(inhabited, rest, strict=True)]


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
