# SPDX-License-Identifier: EUPL-1.2
"""Making our books equal to the provider's: its own lines are kept, fees and bank transfers booked, the rest explained.

1. Every line of its books is kept once; what it charges is booked with it (provider_fee), as the municipality bears it.
2. What it paid to our bank account is booked when it left its balance, and back when it failed.
3. Of every thing that its lines speak of (a charge, a refund, a claim, a transfer) our books must say the same sum. A
   difference is put on suspense with a task for finance that shows both sides, so that the provider's account is right;
   it is taken back by itself once the thing is explained after all.
4. What only our books know is looked for as well, after an hour (GRACE).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.finance.service import is_task_open, open_task
from abs_platform.finance.states import TaskKind
from abs_platform.ledger.service import Leg, move
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.money import format_euros
from abs_platform.payments import suspense
from abs_platform.payments.models import ProviderEntry
from abs_platform.payments.port import BankTransfer, Entry
from abs_platform.payments.standing import booked_cents, free_name, names_of
from abs_platform.payments.states import EventOutcome

CURRENCY = "eur"
GRACE = dt.timedelta(hours=1)
_BALANCE = "balance:"
# Lines that are nothing but costs; their amount is the fee.
FEE_TYPES = frozenset({"stripe_fee", "stripe_fx_fee", "tax_fee", "network_cost", "application_fee"})
_FAILED_TRANSFERS = frozenset({"failed", "canceled"})


def book_bank_transfer(session: Session, transfer: BankTransfer, *, actor: Actor, now: dt.datetime) -> EventOutcome:
    """Make ours equal to what is true of a transfer to our bank account; again changes nothing (rule 2).

    Locks: the transfer (advisory).
    """
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 0))"), {"id": transfer.id})
    booked = booked_cents(session, transfer.id) or 0
    right = 0 if transfer.status in _FAILED_TRANSFERS else transfer.amount_cents
    if booked == right:
        return EventOutcome.NOTHING_NEW
    move(
        session,
        TransactionKind.PROVIDER_PAYOUT,
        right - booked,
        Leg(Account.BANK),
        Leg(Account.PROVIDER),
        now=now,
        external_id=free_name(session, TransactionKind.PROVIDER_PAYOUT, transfer.id),
    )
    kind = "payment.bank_transfer" if right else "payment.bank_transfer_failed"
    events.record(session, kind, None, actor=actor, now=now, transfer=transfer.id, cents=transfer.amount_cents)
    session.flush()
    return EventOutcome.APPLIED


def keep_entry(session: Session, entry: Entry, *, now: dt.datetime) -> bool:
    """Keep a line of the provider's books and book its fee, once; whether it was new (rule 1)."""
    if entry.currency.lower() != CURRENCY:
        theirs = f"{entry.type} {entry.amount_cents} {entry.currency.upper()} ({entry.id})"
        ours = _("Wij rekenen alleen in euro's.")
        key = f"currency:{entry.id}"
        return open_task(session, TaskKind.DIFFERENCE, key, now=now, ours=ours, theirs=theirs, external_id=entry.id)
    is_fee = entry.type in FEE_TYPES
    amount = 0 if is_fee else entry.amount_cents
    fee = entry.fee_cents - entry.amount_cents if is_fee else entry.fee_cents
    made = session.execute(
        insert(ProviderEntry)
        .values(
            id=entry.id,
            type=entry.type,
            amount_cents=amount,
            fee_cents=fee,
            net_cents=amount - fee,
            source_id=entry.source_id or entry.id,
            created_at=entry.created_at,
            seen_at=now,
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(ProviderEntry.id)
    )
    if made.first() is None:
        return False
    if fee:
        source, target = Leg(Account.FEES), Leg(Account.PROVIDER)
        move(session, TransactionKind.PROVIDER_FEE, fee, source, target, now=now, external_id=entry.id)
    return True


# What both say of one thing s, which has an id and the names of its bookings (standing.names_of).
_TELLS = """
    SELECT COALESCE((SELECT SUM(amount_cents) FROM provider_entries WHERE source_id = s.id), 0)::bigint AS theirs,
           -COALESCE((SELECT SUM(o.amount_cents) FROM ledger_transactions t
                      JOIN ledger_postings o ON o.transaction_id = t.id AND o.account = 'provider'
                      WHERE t.external_id = ANY (s.names) AND t.kind <> 'provider_fee'), 0)::bigint
           -COALESCE((SELECT SUM(o.amount_cents) FROM payments y
                      JOIN ledger_transactions t ON t.donation_id = y.donation_id
                           AND t.kind IN ('payment_received', 'payment_late')
                      JOIN ledger_postings o ON o.transaction_id = t.id AND o.account = 'provider'
                      WHERE y.charge_id = s.id), 0)::bigint AS ours
"""
_ONE = text(f"{_TELLS} FROM (SELECT CAST(:id AS text) AS id, CAST(:names AS text[]) AS names) s")
_DIFFERING = text(f"""
    SELECT s.id FROM (SELECT id, id || ARRAY(SELECT id || '#' || n FROM generate_series(2, :times) n) AS names
                      FROM unnest(CAST(:ids AS text[])) id) s
    CROSS JOIN LATERAL ({_TELLS}) tells
    WHERE tells.theirs <> tells.ours ORDER BY s.id
""")  # noqa: S608 - put together of our own words only
# Of what we booked at the provider since a moment: the charges, refunds, claims and transfers it should know as well.
_BOOKED_SINCE = text("""
    SELECT DISTINCT split_part(t.external_id, '#', 1) FROM ledger_transactions t
    JOIN ledger_postings o ON o.transaction_id = t.id AND o.account = 'provider'
    WHERE t.booked_at BETWEEN :since AND :until AND t.external_id IS NOT NULL AND t.kind <> 'provider_fee'
    UNION
    SELECT y.charge_id FROM payments y JOIN ledger_transactions t ON t.donation_id = y.donation_id
    WHERE t.booked_at BETWEEN :since AND :until AND t.kind IN ('payment_received', 'payment_late')
      AND y.charge_id IS NOT NULL
""")


def differing(session: Session, thing_ids: Sequence[str]) -> list[str]:
    """Of these things, those of which the provider's books and ours do not say the same."""
    return list(session.scalars(_DIFFERING, {"ids": list(thing_ids), "times": len(names_of(""))}))


def booked_since(session: Session, since: dt.datetime, now: dt.datetime) -> list[str]:
    """What the provider should know by our books (rule 4)."""
    return list(session.scalars(_BOOKED_SINCE, {"since": since, "until": now - GRACE}))


def explain(session: Session, thing_id: str, *, now: dt.datetime) -> bool:
    """Put the difference about one thing on suspense, or take it back; whether there was one (rule 3).

    Locks: the thing (advisory).
    """
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 0))"), {"id": thing_id})
    theirs, ours = _told(session, thing_id)
    if theirs == ours:
        return False
    suspense.take_back(session, thing_id, now=now, but_gifts=True)
    theirs, ours = _told(session, thing_id)
    if theirs != ours:
        suspense.put(
            session,
            thing_id,
            ours - theirs,
            TaskKind.DIFFERENCE,
            ours=_("%(thing)s: volgens onze boeken %(cents)s.", thing=thing_id, cents=format_euros(ours)),
            theirs=_("%(thing)s: volgens de betaaldienst %(cents)s.", thing=thing_id, cents=format_euros(theirs)),
            now=now,
        )
    session.flush()
    return True


def _told(session: Session, thing_id: str) -> tuple[int, int]:
    row = session.execute(_ONE, {"id": thing_id, "names": names_of(thing_id)}).one()
    return row.theirs, row.ours


def held_cents(session: Session) -> int:
    """What the provider holds for us by our books."""
    query = "SELECT COALESCE(-SUM(amount_cents), 0)::bigint FROM ledger_postings WHERE account = 'provider'"
    return int(session.scalar(text(query)) or 0)


def ask_about_balance(session: Session, ours: int, theirs: int, *, now: dt.datetime) -> bool:
    """One task for a balance that differs though every line is explained; none while one is open."""
    if is_task_open(session, TaskKind.DIFFERENCE, _BALANCE):
        return False
    return open_task(
        session,
        TaskKind.DIFFERENCE,
        f"{_BALANCE}{now.isoformat()}",
        now=now,
        amount_cents=abs(theirs - ours),
        ours=_("Volgens onze boeken houdt de betaaldienst %(cents)s voor ons.", cents=format_euros(ours)),
        theirs=_("De betaaldienst zegt %(cents)s.", cents=format_euros(theirs)),
    )
