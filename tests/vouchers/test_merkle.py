# SPDX-License-Identifier: EUPL-1.2
"""The seal of a batch is the Merkle tree hash of RFC 6962, and changes with everything that changes below it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abs_platform.vouchers.merkle import MerkleTree, root_of

# The inputs and roots with which implementations of Certificate Transparency prove themselves.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
digests = st.lists(st.binary(min_size=16, max_size=16), max_size=70)


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word: split at the largest power of two below the number of leaves."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


@pytest.mark.parametrize("count", range(9))
def test_the_root_is_that_of_the_known_answers(count: int) -> None:
    assert root_of(LEAVES[:count]).hex() == ROOTS[count]
    assert by_definition(LEAVES[:count]).hex() == ROOTS[count]


@given(digests)
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    assert root_of(leaves) == by_definition(leaves)


@given(digests, digests)
def test_a_tree_that_grows_in_blocks_has_the_root_of_all_and_counts_them(
    first: list[bytes], second: list[bytes]
) -> None:
    tree = MerkleTree()
    for leaf in first:
        tree.add(leaf)
    assert tree.root() == root_of(first)

    for leaf in second:
        tree.add(leaf)

    assert (tree.root(), tree.count) == (root_of(first + second), len(first) + len(second))


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=40, unique=True), st.data())
def test_every_leaf_added_left_out_changed_or_moved_gives_another_root(
    leaves: list[bytes], data: st.DataObject
) -> None:
    root, place = root_of(leaves), data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(min_size=16, max_size=16).filter(lambda leaf: leaf not in leaves))
    changes = [
        [*leaves[:place], other, *leaves[place:]],
        leaves[:place] + leaves[place + 1 :],
        [*leaves[:place], other, *leaves[place + 1 :]],
        [*leaves, leaves[-1]],
    ]
    if len(leaves) > 1:
        changes.append([*leaves[1:], leaves[0]])

    assert all(root_of(changed) != root for changed in changes)
