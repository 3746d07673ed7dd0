# SPDX-License-Identifier: EUPL-1.2
"""No small number is shown, and none can be worked out from what is shown, whatever the figures are."""

from __future__ import annotations

import itertools
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from abs_platform.reports.masking import LEAST, ROOT, Cell, shown, whole_tens

counts = st.tuples(st.integers(0, 40), st.integers(0, 200))


@st.composite
def towns(draw: st.DrawFn) -> list[Cell]:
    """Districts with their neighbourhoods: the counts of a district are the sum of those below it."""
    cells, key = [], itertools.count(1)
    for _ in range(draw(st.integers(1, 5))):
        district = next(key)
        below = [Cell(next(key), district, draw(counts)) for _ in range(draw(st.integers(1, 5)))]
        cells += [Cell(district, ROOT, tuple(map(sum, zip(*(cell.counts for cell in below), strict=True)))), *below]
    return cells


def totals_of(cells: list[Cell]) -> list[int]:
    return [sum(column) for column in zip(*(cell.counts for cell in cells if cell.parent == ROOT), strict=True)]


def known_sums(cells: list[Cell], place: int) -> list[tuple[frozenset[int], int]]:
    """All that somebody learns who has the totals and what is shown: sums of neighbourhoods, with their values."""
    open_keys = shown(cells)
    leaves = {cell.key: frozenset({cell.key}) for cell in cells if cell.parent != ROOT}
    for cell in cells:
        if cell.parent == ROOT:
            leaves[cell.key] = frozenset(one.key for one in cells if one.parent == cell.key)
    everything = frozenset().union(*leaves.values())
    return [(everything, totals_of(cells)[place])] + [
        (leaves[cell.key], cell.counts[place]) for cell in cells if cell.key in open_keys
    ]


def worked_out(sums: list[tuple[frozenset[int], int]], wanted: frozenset[int]) -> bool:
    """Whether a sum of neighbourhoods follows from others: it is a combination of them (exact, by elimination)."""
    names = sorted(frozenset().union(*(members for members, _ in sums)) | wanted)
    rows = [[Fraction(name in members) for name in names] for members, _ in sums]
    target = [Fraction(name in wanted) for name in names]
    for place in range(len(names)):
        pivot = next((row for row in rows if row[place]), None)
        if pivot is None:
            continue
        rows = [row for row in rows if row is not pivot]
        for row in [*rows, target]:
            if row[place]:
                factor = row[place] / pivot[place]
                row[:] = [one - factor * other for one, other in zip(row, pivot, strict=True)]
    return not any(target)


@given(towns())
def test_what_is_shown_counts_ten_or_more_each_way(cells: list[Cell]) -> None:
    totals, open_keys = totals_of(cells), shown(cells)

    for cell in cells:
        if cell.key in open_keys:
            assert all(count >= LEAST for count, total in zip(cell.counts, totals, strict=True) if total)


@given(towns(), st.sampled_from([0, 1]))
def test_no_hidden_area_can_be_worked_out_from_what_is_shown(cells: list[Cell], place: int) -> None:
    if not totals_of(cells)[place]:
        return
    open_keys, sums = shown(cells), known_sums(cells, place)
    town = frozenset(cell.key for cell in cells if cell.parent != ROOT)
    for cell in cells:
        members = (
            frozenset({cell.key})
            if cell.parent != ROOT
            else frozenset(one.key for one in cells if one.parent == cell.key)
        )
        # What is the town itself is known to all.
        if cell.key not in open_keys and members != town:
            assert not worked_out(sums, members)


@given(towns(), st.sampled_from([0, 1]))
def test_what_is_left_of_a_total_counts_ten_or_more_too(cells: list[Cell], place: int) -> None:
    totals, open_keys = totals_of(cells), shown(cells)
    if totals[place] < LEAST:
        return
    parents = {ROOT} | {cell.key for cell in cells if cell.parent == ROOT and cell.key in open_keys}
    for parent in parents:
        hidden = [cell for cell in cells if cell.parent == parent and cell.key not in open_keys]
        if hidden:
            assert sum(cell.counts[place] for cell in hidden) >= LEAST
            assert len(hidden) > 1 or parent == ROOT


@given(towns())
def test_a_hidden_district_hides_its_neighbourhoods(cells: list[Cell]) -> None:
    open_keys = shown(cells)

    assert all(cell.parent in open_keys for cell in cells if cell.parent != ROOT and cell.key in open_keys)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=300))
def test_from_two_looks_at_a_running_round_no_fewer_than_ten_gifts_follow(steps: list[int]) -> None:
    looks = [whole_tens(count) for count in itertools.accumulate(steps)]

    changes = {later - earlier for earlier, later in itertools.pairwise(looks)}
    assert all(change == 0 or change >= LEAST for change in changes)


def test_a_small_neighbourhood_hides_the_smallest_other_one_too() -> None:
    district = Cell(1, ROOT, (103, 197))
    cells = [district, Cell(2, 1, (3, 17)), Cell(3, 1, (60, 100)), Cell(4, 1, (40, 80))]

    assert shown(cells) == {1, 3}


def test_a_neighbourhood_of_which_nearly_all_gave_is_hidden_as_well() -> None:
    cells = [Cell(1, ROOT, (200, 200)), Cell(2, 1, (60, 4)), Cell(3, 1, (70, 90)), Cell(4, 1, (70, 106))]

    assert shown(cells) == {1, 4}
