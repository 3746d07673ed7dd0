# SPDX-License-Identifier: EUPL-1.2
"""Hands out what an address has to itself: its postcode and its BAG numbers, each only once."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, Self

# The letters that postcodes use; three combinations are never handed out.
_LETTERS = "ABCDEGHJKLMNPRSTVWXZ"
_FORBIDDEN = {"SA", "SD", "SS"}
_SUFFIXES = tuple(a + b for a in _LETTERS for b in _LETTERS if a + b not in _FORBIDDEN)
_SPARE_DIGITS = (*range(8000, 9993), *range(1000, 7000))


class Postcodes:
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


def _count() -> Iterator[int]:
    return itertools.count(1)


@dataclass(frozen=True)
class Identifiers:
    """BAG numbers: the municipality's four digits, the kind of object, and a number of nine digits."""

    _prefix: str
    _designations: Iterator[int] = field(default_factory=_count)
    _objects: Iterator[int] = field(default_factory=_count)
    _buildings: Iterator[int] = field(default_factory=_count)

    def elsewhere(self, prefix: str) -> Self:
        """Numbers of another municipality, out of the same count."""
        return replace(self, _prefix=prefix)

    def designation(self) -> str:
        return f"{self._prefix}200{next(self._designations):09d}"

    def object_id(self, kind: Literal["010", "020", "030"]) -> str:
        return f"{self._prefix}{kind}{next(self._objects):09d}"

    def building(self) -> str:
        return f"{self._prefix}100{next(self._buildings):09d}"
