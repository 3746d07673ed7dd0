# SPDX-License-Identifier: EUPL-1.2
"""The seal of a batch: the root of a Merkle tree over its code digests, as RFC 6962 (section 2.1) builds it.

Who sees the root when the vouchers are issued can tell later that none was added, removed or exchanged since. The root
tells nothing of any code: a digest is keyed, and the tree hashes digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

_LEAF, _NODE = b"\x00", b"\x01"


class MerkleTree:
    """A tree that grows leaf by leaf and remembers no more than one hash for each of its levels."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []
        self.count = 0

    def add(self, digest: bytes) -> None:
        """Add the next leaf; the order matters."""
        height, node = 0, hashlib.sha256(_LEAF + digest).digest()
        while self._peaks and self._peaks[-1][0] == height:
            _height, left = self._peaks.pop()
            height, node = height + 1, hashlib.sha256(_NODE + left + node).digest()
        self._peaks.append((height, node))
        self.count += 1

    def root(self) -> bytes:
        """The root of what was added so far (32 bytes); that of an empty tree is the hash of nothing."""
        if not self._peaks:
            return hashlib.sha256().digest()
        node = self._peaks[-1][1]
        for _height, left in reversed(self._peaks[:-1]):
            node = hashlib.sha256(_NODE + left + node).digest()
        return node


def root_of(digests: Iterable[bytes]) -> bytes:
    """The root over digests in this order."""
    tree = MerkleTree()
    for digest in digests:
        tree.add(digest)
    return tree.root()
