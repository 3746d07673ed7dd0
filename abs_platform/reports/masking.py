# SPDX-License-Identifier: EUPL-1.2
"""Small numbers stay hidden, and cannot be worked out from what is shown: complementary suppression (rule 11).

An area is shown when each of its counts is ten or more: who gave, and who did not. Whoever subtracts what is shown from
a total gets the sum of what is hidden below it, so that sum is treated like any other number: at least two areas are
hidden together, and together they count ten or more each way. To get there the smallest areas (by letters, which never
changes with the gifts) are hidden as well. An area that is hidden hides all below it.

From two looks at two moments nothing follows either: as long as a count can still change it is shown in whole tens,
rounded down (``whole_tens``). It moves by ten at a time, so no single gift shows. Final figures are exact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LEAST = 10
ROOT = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """The counts of one area, in the order of all others. ``parent``: of the area above it, or ROOT."""

    key: int
    parent: int
    counts: tuple[int, ...]

    @property
    def size(self) -> int:
        """All of them together: what is hidden first."""
        return sum(self.counts)


def whole_tens(count: int) -> int:
    """A count rounded down, so that it tells of ten gifts at a time or of none."""
    return count // LEAST * LEAST


def shown(cells: Iterable[Cell]) -> frozenset[int]:
    """The keys of the areas that may be shown, when the totals of ROOT are known to all.

    A kind of count of which ROOT has none hides nothing: everybody knows that it is nought everywhere.
    """
    below: dict[int, list[Cell]] = defaultdict(list)
    for cell in cells:
        below[cell.parent].append(cell)
    sums = [sum(column) for column in zip(*(cell.counts for cell in below[ROOT]), strict=True)]
    places = [place for place, total in enumerate(sums) if total]
    open_keys: set[int] = set()
    ready = [ROOT]
    while ready:
        group = below[ready.pop()]
        hidden = _hidden(group, places)
        fine = [cell.key for cell in group if cell.key not in hidden]
        open_keys.update(fine)
        ready += fine
    return frozenset(open_keys)


def _hidden(group: Sequence[Cell], places: Sequence[int]) -> set[int]:
    """Which areas below one parent stay hidden: the small ones, and the smallest others until they hide each other."""
    small = [cell for cell in group if any(cell.counts[place] < LEAST for place in places)]
    others = sorted((cell for cell in group if cell not in small), key=lambda cell: (cell.size, cell.key))
    while small and others and not _hide_each_other(small, places):
        small.append(others.pop(0))
    return {cell.key for cell in small}


def _hide_each_other(cells: Sequence[Cell], places: Sequence[int]) -> bool:
    return len(cells) > 1 and all(sum(cell.counts[place] for cell in cells) >= LEAST for place in places)
