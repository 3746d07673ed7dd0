# SPDX-License-Identifier: EUPL-1.2
"""Giving a voucher and giving it back: what moves, what is booked and what is remembered, in one statement each."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from abs_platform.actors import GIVER, Actor
from abs_platform.clock import local_date
from abs_platform.database import on_violation
from abs_platform.donations.models import Donation
from abs_platform.donations.states import Channel
from abs_platform.errors import Conflict

REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 10
RETURNS_A_BATCH = 500

on_violation(
    "uq_donations_idempotency_key",
    lambda: Conflict(
        _("Met dit formulier is al een andere voucher gegeven. Laad de pagina opnieuw en probeer het weer.")
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftDetails:
    """What a giver may add to a gift. An e-mail address is given for news only; no name is anonymous.

    ``entry_batch_id``: the batch in which an organiser entered its code from paper.
    """

    channel: Channel = Channel.ONLINE
    giver_name: str | None = None
    message: str | None = None
    giver_email: str | None = None
    plan_b_initiative_id: int | None = None
    idempotency_key: uuid.UUID | None = None
    entry_batch_id: int | None = None


@dataclass(frozen=True, slots=True)
class Gift:
    """A gift that was made: its number on the receipt, and its amount in cents."""

    donation_id: int
    reference: str
    initiative_id: int
    amount_cents: int


# One round trip, because it is the one thing that thousands do in the same week. From top to bottom:
# the initiative must collect and keeps collecting until we are done (share lock: givers do not wait for one another,
# closing waits for them); the voucher must be usable and is spent (the row lock decides between two who give the same
# one: the second finds it given); the gift, its booking and its event follow from that. When nothing is spent, nothing
# is written.
_GIVE = text("""
    WITH open_initiative AS (
        SELECT id FROM initiatives
        WHERE id = :initiative_id AND state = 'published' AND deadline_on >= :today
        FOR SHARE
    ), spent AS (
        UPDATE vouchers SET state = 'given', state_changed_at = :now
        FROM rounds, open_initiative
        WHERE rounds.id = vouchers.round_id
          AND vouchers.code_digest = :code_digest
          AND vouchers.state IN ('issued', 'kept')
          AND rounds.opens_at <= :now AND COALESCE(vouchers.usable_until, rounds.closes_at) > :now
        RETURNING vouchers.id, vouchers.round_id, rounds.amount_cents
    ), donation AS (
        INSERT INTO donations (reference, initiative_id, kind, amount_cents, state, channel, given_at, voucher_id,
                               plan_b_initiative_id, giver_name, message, giver_email, idempotency_key,
                               entry_batch_id)
        SELECT :reference, :initiative_id, 'voucher', amount_cents, 'confirmed', :channel, :now, id,
               :plan_b_initiative_id, :giver_name, :message, :giver_email, :idempotency_key, :entry_batch_id
        FROM spent
        RETURNING id, amount_cents
    ), booking AS (
        INSERT INTO ledger_transactions (kind, booked_at, donation_id)
        SELECT 'voucher_given', :now, id FROM donation
        RETURNING id
    ), postings AS (
        INSERT INTO ledger_postings (transaction_id, account, round_id, initiative_id, amount_cents)
        SELECT booking.id, 'vouchers', spent.round_id, NULL, -spent.amount_cents FROM booking, spent
        UNION ALL
        SELECT booking.id, 'initiative', NULL, :initiative_id, spent.amount_cents FROM booking, spent
    ), event AS (
        INSERT INTO events (happened_at, actor, kind, subject, subject_id)
        SELECT :now, :actor, 'voucher.given', 'voucher', id FROM spent
    )
    SELECT id, amount_cents FROM donation
""")


def give_voucher(
    session: Session,
    code_digest: bytes,
    initiative_id: int,
    *,
    details: GiftDetails,
    now: dt.datetime,
    actor: Actor = GIVER,
) -> Gift | None:
    """Give the voucher with this digest, whole, to an initiative (rule 2); None, with nothing written, when it cannot.

    Needs no account and no name. Whether the gift funds the initiative is settled after this transaction
    (initiatives.service.close_if_funded).

    Locks, in this order: the initiative (shared), the voucher (exclusive).
    Raises: IntegrityError when the idempotency key was used for another gift.
    """
    reference = new_reference()
    row = session.execute(
        _GIVE,
        {
            "code_digest": code_digest,
            "initiative_id": initiative_id,
            "plan_b_initiative_id": details.plan_b_initiative_id,
            "giver_name": details.giver_name,
            "message": details.message,
            "giver_email": details.giver_email,
            "idempotency_key": details.idempotency_key,
            "entry_batch_id": details.entry_batch_id,
            "channel": details.channel.value,
            "reference": reference,
            "actor": str(actor),
            "now": now,
            "today": local_date(now),
        },
    ).first()
    return None if row is None else Gift(row.id, reference, initiative_id, row.amount_cents)


def is_reference(text: str) -> bool:
    """Whether this can be the number of a receipt."""
    return len(text) == REFERENCE_LENGTH and all(character in REFERENCE_ALPHABET for character in text)


def new_reference() -> str:
    """A random number for a receipt (49 bits), without characters that look alike."""
    base = len(REFERENCE_ALPHABET)
    chance = secrets.randbelow(base**REFERENCE_LENGTH)
    return "".join(REFERENCE_ALPHABET[chance // base**place % base] for place in range(REFERENCE_LENGTH))


# The reverse of giving, for a batch of gifts of one initiative that failed (rule 7). A voucher that had been kept is
# kept again; it stays usable until its round's closing and at least some days from now.
_RETURN = text("""
    WITH due AS (
        SELECT d.id, d.voucher_id, d.amount_cents, v.round_id,
               GREATEST(COALESCE(v.usable_until, r.closes_at), :now + make_interval(days => r.returned_valid_days::int))
                   AS usable_until
        FROM donations d JOIN vouchers v ON v.id = d.voucher_id JOIN rounds r ON r.id = v.round_id
        WHERE d.initiative_id = :initiative_id AND d.kind = 'voucher' AND d.state = 'confirmed'
          AND (CAST(:donation_id AS bigint) IS NULL AND (d.plan_b_initiative_id IS NULL OR EXISTS (
                  SELECT FROM objections o WHERE o.donation_id = d.id AND o.state = 'open')) OR d.id = :donation_id)
        ORDER BY v.id
        LIMIT :batch
        FOR UPDATE OF v, d SKIP LOCKED
    ), revived AS (
        UPDATE vouchers SET state = CASE WHEN kept_at IS NULL THEN 'issued' ELSE 'kept' END,
                            state_changed_at = :now, usable_until = due.usable_until
        FROM due WHERE vouchers.id = due.voucher_id AND vouchers.state = 'given'
        RETURNING vouchers.id, vouchers.code_digest
    ), returned AS (
        UPDATE donations SET state = 'returned', returned_at = :now
        FROM due WHERE donations.id = due.id
        RETURNING donations.id
    ), booking AS (
        INSERT INTO ledger_transactions (kind, booked_at, donation_id)
        SELECT 'voucher_returned', :now, id FROM returned
        RETURNING id, donation_id
    ), postings AS (
        INSERT INTO ledger_postings (transaction_id, account, round_id, initiative_id, amount_cents)
        SELECT booking.id, 'vouchers', due.round_id, NULL, due.amount_cents
        FROM booking JOIN due ON due.id = booking.donation_id
        UNION ALL
        SELECT booking.id, 'initiative', NULL, :initiative_id, -due.amount_cents
        FROM booking JOIN due ON due.id = booking.donation_id
    ), event AS (
        INSERT INTO events (happened_at, actor, kind, subject, subject_id, reason)
        SELECT :now, :actor, 'voucher.returned', 'voucher', id, :reason FROM revived
    )
    SELECT code_digest FROM revived
""")


def return_vouchers(
    session: Session,
    initiative_id: int,
    *,
    actor: Actor,
    now: dt.datetime,
    reason: str,
    batch: int = RETURNS_A_BATCH,
) -> int:
    """Give a batch of vouchers back to their households; returns how many. Zero: none is left.

    Those with a plan B go there (return_to_plan_b), but not while somebody objects to the gift: that comes back here.

    The caller has seen that the initiative has failed. Locks: vouchers and donations, in the order of the vouchers.
    """
    return len(_return(session, initiative_id, None, actor=actor, now=now, reason=reason, batch=batch))


def return_gift(session: Session, donation_id: int, *, actor: Actor, now: dt.datetime, reason: str) -> bool:
    """Give one voucher back to its household, whatever its second choice; False when it was given back before.

    Locks: the voucher, then the donation.
    """
    row = session.execute(
        text("SELECT initiative_id FROM donations WHERE id = :id AND state = 'confirmed'"), {"id": donation_id}
    ).first()
    if row is None:
        return False
    return bool(_return(session, row.initiative_id, donation_id, actor=actor, now=now, reason=reason, batch=1))


def return_to_plan_b(session: Session, donation_id: int, *, actor: Actor, now: dt.datetime, reason: str) -> Gift | None:
    """Give one gift back, and its voucher to the giver's second choice if that still collects (rule 7).

    Both happen in one transaction, so that no crash can lose the second choice. The name goes along; the message and
    the wish for news were for the first. Returns the new gift, or None when the
    voucher came back to life instead. Locks: plan B (shared), then the voucher.
    """
    row = session.execute(
        text("""
            SELECT initiative_id, plan_b_initiative_id, channel, giver_name
            FROM donations WHERE id = :donation_id AND state = 'confirmed'
        """),
        {"donation_id": donation_id},
    ).first()
    if row is None:
        return None
    session.execute(text("SELECT FROM initiatives WHERE id = :plan_b FOR SHARE"), {"plan_b": row.plan_b_initiative_id})
    digests = _return(session, row.initiative_id, donation_id, actor=actor, now=now, reason=reason, batch=1)
    if not digests:
        return None
    details = GiftDetails(channel=Channel(row.channel), giver_name=row.giver_name)
    return give_voucher(session, digests[0], row.plan_b_initiative_id, details=details, now=now, actor=actor)


def _return(
    session: Session,
    initiative_id: int,
    donation_id: int | None,
    *,
    actor: Actor,
    now: dt.datetime,
    reason: str,
    batch: int,
) -> list[bytes]:
    rows = session.execute(
        _RETURN,
        {
            "initiative_id": initiative_id,
            "donation_id": donation_id,
            "batch": batch,
            "actor": str(actor),
            "reason": reason,
            "now": now,
        },
    )
    return list(rows.scalars())


def forget_giver(session: Session, giver_email: str) -> None:
    """The gifts of who left this e-mail address stay, and are anonymous from now on."""
    gifts = update(Donation).where(Donation.giver_email == giver_email)
    session.execute(gifts.values(giver_email=None, giver_name=None))


def forget_names(session: Session, donation_ids: Collection[int]) -> None:
    """These gifts are anonymous from now on."""
    session.execute(update(Donation).where(Donation.id.in_(donation_ids)).values(giver_name=None))


# An address is left for news and for the word that a gift came back: after that there is nothing to tell any more.
_FORGET_ADDRESSES = text("""
    UPDATE donations SET giver_email = NULL
    WHERE giver_email IS NOT NULL
      AND (state = 'returned' AND returned_at < :returned_before OR state = 'failed' AND given_at < :returned_before
           OR EXISTS (SELECT FROM events WHERE subject = 'initiative' AND subject_id = donations.initiative_id
                      AND kind = 'initiative.realised' AND happened_at < :realised_before))
""")


def forget_addresses(session: Session, now: dt.datetime) -> int:
    """Forget the addresses of givers a month after the gift came back or failed, or three after the realisation."""
    moments = {"returned_before": now - dt.timedelta(days=30), "realised_before": now - dt.timedelta(days=90)}
    return int(getattr(session.execute(_FORGET_ADDRESSES, moments), "rowcount", 0))
