# SPDX-License-Identifier: EUPL-1.2
"""The proof of a round: its vouchers are those that were sealed, each counts once, and the books say the same.

The seal of each batch is made again from the digests in the order of their ids and compared with what was published
when it was issued (vouchers.merkle). It reads every voucher, so pages show the outcome of last night; it writes
nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.errors import NotFound
from abs_platform.vouchers.merkle import MerkleTree

_AT_ONCE = 5_000
# In the order of the ids, in which they were sealed. A batch holds what it holds, whatever round its vouchers name.
_DIGESTS = text("""
    SELECT v.batch_id, v.code_digest FROM vouchers v
    JOIN voucher_batches b ON b.id = v.batch_id
    WHERE b.round_id = :round_id OR v.round_id = :round_id
    ORDER BY v.batch_id, v.id
""")
_BATCHES = text("""
    SELECT b.id, b.issued_at, b.voucher_count, b.merkle_root, (
        SELECT (e.details->>'vouchers')::bigint FROM events e
        WHERE e.subject = 'round' AND e.subject_id = b.round_id AND e.kind = 'round.vouchers_issued'
          AND (e.details->>'batch')::bigint = b.id)
    FROM voucher_batches b WHERE b.round_id = :round_id ORDER BY b.id
""")
_STATES = text("SELECT state, COUNT(*) FROM vouchers WHERE round_id = :round_id GROUP BY state")
_STRAYS = text("""
    SELECT COUNT(*) FROM vouchers v LEFT JOIN voucher_batches b ON b.id = v.batch_id
    WHERE v.round_id = :round_id AND (b.id IS NULL OR b.round_id <> :round_id)
       OR b.round_id = :round_id AND v.round_id <> :round_id
""")
_BOOKED = text("""
    SELECT t.kind, SUM(p.amount_cents)::bigint FROM ledger_postings p
    JOIN ledger_transactions t ON t.id = p.transaction_id
    WHERE p.account = 'vouchers' AND p.round_id = :round_id GROUP BY t.kind
""")


@dataclass(frozen=True, slots=True)
class BatchProof:
    """One batch: what was said when it was issued, and what is there now. Older ones than seals have none published."""

    id: int
    issued_at: dt.datetime
    said_count: int
    count: int
    published: str | None
    seal: str

    @property
    def is_right(self) -> bool:
        """Whether what is there is what was published."""
        return self.count == self.said_count and self.published in {None, self.seal}


@dataclass(slots=True)
class Proof:
    """What was checked of a round; ``faults`` are sentences, and none means that all of it is right."""

    round_id: int
    batches: list[BatchProof] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    # What the books say, in vouchers: issued, given, expired, revoked, living.
    booked: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def issued(self) -> int:
        """All vouchers of the round."""
        return self.states.total()

    @property
    def is_right(self) -> bool:
        """Whether nothing was changed and everything adds up."""
        return not self.faults


def prove(session: Session, round_id: int) -> Proof:
    """Prove a round. The caller lets all queries see one moment (database.one_snapshot). Raises: NotFound."""
    found = session.execute(text("SELECT amount_cents FROM rounds WHERE id = :id"), {"id": round_id}).scalar()
    if found is None:
        raise NotFound(f"Ronde {round_id} bestaat niet.")
    proof = Proof(round_id)
    _prove_batches(session, proof)
    proof.states = Counter({row[0]: row[1] for row in session.execute(_STATES, {"round_id": round_id})})
    if strays := session.scalar(_STRAYS, {"round_id": round_id}):
        proof.faults.append(f"{strays} vouchers staan in een partij van een andere ronde.")
    if (in_batches := sum(batch.said_count for batch in proof.batches)) != proof.issued:
        proof.faults.append(f"De partijen zeggen samen {in_batches} vouchers, de ronde heeft er {proof.issued}.")
    _prove_books(session, proof, int(found))
    return proof


def _prove_batches(session: Session, proof: Proof) -> None:
    trees: dict[int, MerkleTree] = {}
    values = {"round_id": proof.round_id}
    for batch_id, digest in session.execute(_DIGESTS, values, execution_options={"yield_per": _AT_ONCE}):
        trees.setdefault(batch_id, MerkleTree()).add(digest)
    for batch_id, issued_at, said, root, logged in session.execute(_BATCHES, values):
        tree = trees.get(batch_id) or MerkleTree()
        batch = BatchProof(batch_id, issued_at, said, tree.count, root.hex() if root else None, tree.root().hex())
        proof.batches.append(batch)
        if batch.count != said:
            proof.faults.append(f"Partij {batch_id} zegt {said} vouchers en heeft er {batch.count}.")
        if root is not None and batch.published != batch.seal:
            proof.faults.append(f"Partij {batch_id} heeft een ander zegel dan is gepubliceerd: zij is veranderd.")
        if logged is not None and logged != said:
            proof.faults.append(f"Partij {batch_id} zegt {said} vouchers, bij de uitgifte waren het er {logged}.")


def _prove_books(session: Session, proof: Proof, amount_cents: int) -> None:
    """What the books say of each way a voucher goes, beside how many went that way."""
    cents = {kind: int(total) for kind, total in session.execute(_BOOKED, {"round_id": proof.round_id})}
    given = -cents.get("voucher_given", 0) - cents.get("voucher_returned", 0)
    living = proof.states["issued"] + proof.states["kept"]
    pairs = (
        ("uitgegeven", cents.get("vouchers_issued", 0), proof.issued),
        ("gegeven", given, proof.states["given"]),
        ("verlopen", -cents.get("vouchers_expired", 0), proof.states["expired"]),
        ("ingetrokken", -cents.get("vouchers_revoked", 0), proof.states["revoked"]),
        ("nog te geven of bewaard", sum(cents.values()), living),
    )
    for word, booked, count in pairs:
        proof.booked[word] = booked // amount_cents
        if booked != count * amount_cents:
            proof.faults.append(
                f"Volgens het kasboek zijn er {booked / amount_cents:g} vouchers {word}, in de ronde {count}."
            )
