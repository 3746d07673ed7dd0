# SPDX-License-Identifier: EUPL-1.2
"""Issuing: one voucher for each eligible household of a round, in one transaction with its booking (rule 1)."""

from __future__ import annotations

import datetime as dt
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.clock import local_date
from abs_platform.database import driver_connection
from abs_platform.errors import Conflict
from abs_platform.households.service import hold_addresses_still
from abs_platform.ledger.service import book_vouchers
from abs_platform.ledger.states import TransactionKind
from abs_platform.rounds.queries import rounds_at_the_same_time
from abs_platform.rounds.service import lock_round, mark_issued
from abs_platform.rounds.states import RoundState
from abs_platform.vouchers.codes import CodeKeys
from abs_platform.vouchers.merkle import MerkleTree
from abs_platform.vouchers.models import VoucherBatch

if TYPE_CHECKING:
    from abs_platform.rounds.models import Round

CHUNK = 20_000
ROWS_A_WRITE = 500
_NONCE_BYTES = 16
# Binary COPY: a count of columns, then for each column its length and its bytes.
_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_COPY_TRAILER = struct.pack("!h", -1)
_COPY_ROW = struct.Struct("!h iq iq iq i16s i16s".replace(" ", ""))

ELIGIBLE = """
    SELECT h.id
    FROM households h
    JOIN areas n ON n.id = h.neighbourhood_id
    JOIN round_districts d ON d.district_id = n.parent_id AND d.round_id = %(round_id)s
    WHERE h.ended_on IS NULL AND h.mail_returned_at IS NULL
      AND NOT EXISTS (SELECT FROM vouchers v
                      WHERE v.household_id = h.id AND v.round_id = ANY(%(round_ids)s) AND v.revoked_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class IssueReport:
    """What issuing did: how many vouchers, and in which batch (None when nobody was due one)."""

    round_id: int
    voucher_count: int
    batch_id: int | None


def issue_vouchers(
    session: Session,
    round_id: int,
    *,
    keys: CodeKeys,
    actor: Actor,
    now: dt.datetime,
    on_progress: Callable[[int], None] | None = None,
) -> IssueReport:
    """Give every eligible household without a living voucher in this round one; all of them or none.

    Run again it adds only for addresses that came later. Memory stays flat whatever the number of households.

    Locks: the round (exclusive), then the addresses (shared), so that no import runs meanwhile.
    Raises: NotFound; Conflict when the round is a draft, not released, closed or past, when it is too early, or when
    the key changed.
    """
    round_ = lock_round(session, round_id)
    _check_may_issue(round_, keys, now)
    hold_addresses_still(session)
    batch: VoucherBatch | None = None
    seal = MerkleTree()
    connection = driver_connection(session)
    for household_ids in _eligible_households(connection, round_id, rounds_at_the_same_time(session, round_id)):
        batch = batch or _begin_batch(session, round_id, now)
        copy_vouchers(connection, keys, batch, household_ids, seal)
        batch.voucher_count += len(household_ids)
        if on_progress is not None:
            on_progress(len(household_ids))
    if round_.state == RoundState.PLANNED:
        mark_issued(session, round_, key_fingerprint=keys.fingerprint, actor=actor, now=now)
    if batch is not None:
        batch.merkle_root = seal.root()
        book_batch(session, round_, batch, actor, now)
    session.flush()
    return IssueReport(round_id, batch.voucher_count if batch else 0, batch.id if batch else None)


def _begin_batch(session: Session, round_id: int, now: dt.datetime) -> VoucherBatch:
    batch = VoucherBatch(round_id=round_id, issued_at=now, voucher_count=0)
    session.add(batch)
    session.flush()
    return batch


def book_batch(session: Session, round_: Round, batch: VoucherBatch, actor: Actor, now: dt.datetime) -> None:
    """Book a batch that is complete, and write its event."""
    count = batch.voucher_count
    book_vouchers(
        session,
        TransactionKind.VOUCHERS_ISSUED,
        round_id=round_.id,
        gained_cents=count * round_.amount_cents,
        now=now,
    )
    events.record(session, "round.vouchers_issued", round_.id, actor=actor, now=now, batch=batch.id, vouchers=count)


def _check_may_issue(round_: Round, keys: CodeKeys, now: dt.datetime) -> None:
    if round_.state not in {RoundState.PLANNED, RoundState.ISSUED} or round_.closes_at <= now:
        state = RoundState.CLOSED if round_.closes_at <= now else RoundState(round_.state)
        raise Conflict(f"Ronde '{round_.name}' is {state.label}: er kunnen geen vouchers meer uit.")
    if round_.released_at is None:
        raise Conflict(f"Ronde '{round_.name}' is nog niet vrijgegeven. Geef haar eerst vrij.")
    if local_date(now) < round_.issue_on:
        raise Conflict(f"Ronde '{round_.name}' wordt uitgegeven op {round_.issue_on.isoformat()}, niet eerder.")
    if round_.key_fingerprint is not None and round_.key_fingerprint != keys.fingerprint:
        raise Conflict(
            f"De vouchers van ronde '{round_.name}' zijn met een andere ABS_VOUCHER_KEY gemaakt. Zet die sleutel terug."
        )


def _eligible_households(
    connection: psycopg.Connection[object], round_id: int, round_ids: list[int]
) -> Iterator[list[int]]:
    """Chunks of household ids, from a cursor on the server that sees one moment.

    Who has a voucher in another round of the same time, because the address came into another district, has enough.
    No nested loop: the database takes the vouchers for few, while they become many under the cursor that reads them.
    """
    with connection.cursor(name="eligible_households", binary=True) as cursor:
        connection.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(ELIGIBLE, {"round_id": round_id, "round_ids": round_ids})
        connection.execute("SET LOCAL enable_nestloop = on")
        while rows := cursor.fetchmany(CHUNK):
            yield [row[0] for row in rows]  # type: ignore[index]


def copy_vouchers(
    connection: psycopg.Connection[object],
    keys: CodeKeys,
    batch: VoucherBatch,
    household_ids: list[int],
    seal: MerkleTree,
) -> None:
    """COPY one voucher for each household, and seal them. The server reads a block while the next is made.

    Vouchers get their ids in the order of the rows, so that the seal can be made again in the order of the ids.

    A new code that equals an old one (a chance of one in a million a round) fails on the unique digest: the transaction
    rolls back, and the next run draws other nonces.
    """
    round_id, batch_id = batch.round_id, batch.id
    payload, digest, pack, add_leaf = keys.payload, keys.digest, _COPY_ROW.pack, seal.add
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY vouchers (round_id, batch_id, household_id, nonce, code_digest) FROM STDIN (FORMAT binary)"
        ) as copy,
    ):
        copy.write(_COPY_HEADER)
        for start in range(0, len(household_ids), ROWS_A_WRITE):
            block = household_ids[start : start + ROWS_A_WRITE]
            random = os.urandom(_NONCE_BYTES * len(block))
            rows = []
            for place, household_id in enumerate(block):
                nonce = random[place * _NONCE_BYTES : (place + 1) * _NONCE_BYTES]
                code_digest = digest(payload(nonce))
                add_leaf(code_digest)
                rows.append(pack(5, 8, round_id, 8, batch_id, 8, household_id, 16, nonce, 16, code_digest))
            copy.write(b"".join(rows))
        copy.write(_COPY_TRAILER)
