# SPDX-License-Identifier: EUPL-1.2
"""New codes for lost letters: the old ones are revoked and new ones issued in one transaction (rule 1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.database import driver_connection
from abs_platform.errors import Conflict
from abs_platform.households.service import hold_addresses_still
from abs_platform.ledger.service import book_vouchers
from abs_platform.ledger.states import TransactionKind
from abs_platform.rounds.service import lock_round
from abs_platform.rounds.states import RoundState
from abs_platform.vouchers.codes import CodeKeys
from abs_platform.vouchers.issuing import book_batch, copy_vouchers
from abs_platform.vouchers.merkle import MerkleTree
from abs_platform.vouchers.models import VoucherBatch
from abs_platform.vouchers.states import BatchKind

# What was given, kept or is over has no second code; a waiting batch of an organiser may hold one: the letter wins.
_REVOKE = text("""
    WITH lost AS (
        SELECT v.id
        FROM vouchers v JOIN households h ON h.id = v.household_id
        WHERE v.round_id = :round_id AND v.household_id = ANY(:household_ids) AND v.state = 'issued'
          AND h.ended_on IS NULL AND h.mail_returned_at IS NULL
        ORDER BY v.id
        FOR UPDATE OF v
    ), revoked AS (
        UPDATE vouchers SET state = 'revoked', state_changed_at = :now, revoked_at = :now
        FROM lost WHERE vouchers.id = lost.id
        RETURNING vouchers.id, vouchers.household_id
    ), event AS (
        INSERT INTO events (happened_at, actor, kind, subject, subject_id, reason)
        SELECT :now, :actor, 'voucher.revoked', 'voucher', id, :reason FROM revoked
    )
    SELECT household_id FROM revoked ORDER BY household_id
""")

# One that came back to life had an end of its own, later than the round's: the new code has it too.
_SAME_END = text("""
    UPDATE vouchers AS new SET usable_until = old.usable_until
    FROM vouchers AS old
    WHERE new.batch_id = :batch_id AND old.round_id = new.round_id AND old.household_id = new.household_id
      AND old.revoked_at = :now AND old.usable_until IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class Replaced:
    """The households that got a new voucher, and the batch of those (None when there were none)."""

    household_ids: frozenset[int]
    batch_id: int | None


def replace_vouchers(
    session: Session,
    round_id: int,
    household_ids: Collection[int],
    *,
    reason: str,
    keys: CodeKeys,
    actor: Actor,
    now: dt.datetime,
) -> Replaced:
    """Give these households a new voucher for the one that they still have to give; the others keep what they have.

    The old codes die here, and a sealed batch of new ones is there to be printed. Books: revoked and issued again.

    Locks: the round, the addresses (shared), then the vouchers in order of their id.
    Raises: Conflict when the round is over or was not issued, or the key changed.
    """
    round_ = lock_round(session, round_id)
    if round_.state != RoundState.ISSUED or round_.closes_at <= now:
        raise Conflict(f"Ronde '{round_.name}' is niet aan de gang: er kunnen geen nieuwe brieven uit.")
    if round_.key_fingerprint != keys.fingerprint:
        raise Conflict(
            f"De vouchers van ronde '{round_.name}' zijn met een andere ABS_VOUCHER_KEY gemaakt. Zet die sleutel terug."
        )
    hold_addresses_still(session)
    revoked = session.scalars(
        _REVOKE,
        {
            "round_id": round_id,
            "household_ids": sorted(household_ids),
            "now": now,
            "actor": str(actor),
            "reason": reason,
        },
    )
    replaced = [int(household_id) for household_id in revoked]
    if not replaced:
        return Replaced(frozenset(), None)
    book_vouchers(
        session,
        TransactionKind.VOUCHERS_REVOKED,
        round_id=round_id,
        gained_cents=-len(replaced) * round_.amount_cents,
        now=now,
    )
    events.record(session, "round.vouchers_revoked", round_id, actor=actor, now=now, vouchers=len(replaced))
    batch = VoucherBatch(
        round_id=round_id, issued_at=now, voucher_count=len(replaced), kind=BatchKind.REPLACEMENT.value
    )
    session.add(batch)
    session.flush()
    seal = MerkleTree()
    copy_vouchers(driver_connection(session), keys, batch, replaced, seal)
    batch.merkle_root = seal.root()
    session.execute(_SAME_END, {"batch_id": batch.id, "now": now})
    book_batch(session, round_, batch, actor, now)
    session.flush()
    return Replaced(frozenset(replaced), batch.id)
