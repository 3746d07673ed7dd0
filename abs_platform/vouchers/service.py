# SPDX-License-Identifier: EUPL-1.2
"""The end of vouchers: expired when their time is over, revoked when a letter is lost."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.errors import InvalidInput, NotFound
from abs_platform.ledger.service import book_vouchers
from abs_platform.ledger.states import TransactionKind
from abs_platform.lives import check_move
from abs_platform.rounds.service import close, lock_round
from abs_platform.rounds.states import RoundState
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.states import TRANSITIONS, VoucherState

if TYPE_CHECKING:
    from abs_platform.rounds.models import Round

_EXPIRE = text("""
    WITH due AS (
        SELECT id FROM vouchers
        WHERE round_id = :round_id AND state IN ('issued', 'kept') AND COALESCE(usable_until, :closes_at) <= :now
        ORDER BY id
        FOR UPDATE
    ), expired AS (
        UPDATE vouchers SET state = 'expired', state_changed_at = :now FROM due WHERE vouchers.id = due.id
        RETURNING vouchers.id
    ), event AS (
        INSERT INTO events (happened_at, actor, kind, subject, subject_id)
        SELECT :now, :actor, 'voucher.expired', 'voucher', id FROM expired
    )
    SELECT count(*) FROM expired
""")


_LENGTHEN = text("""
    WITH due AS (
        SELECT v.id, CASE v.state WHEN 'kept' THEN :until + make_interval(days => r.kept_valid_days::int)
                     ELSE :until END AS usable_until
        FROM vouchers v JOIN rounds r ON r.id = v.round_id
        WHERE v.round_id = :round_id AND v.state IN ('issued', 'kept') AND v.usable_until IS NOT NULL
        ORDER BY v.id
        FOR UPDATE OF v
    )
    UPDATE vouchers SET usable_until = due.usable_until FROM due
    WHERE vouchers.id = due.id AND vouchers.usable_until < due.usable_until
""")


_KEEP_USABLE = text("""
    UPDATE vouchers SET usable_until = :until FROM rounds
    WHERE rounds.id = vouchers.round_id AND vouchers.id = :voucher_id AND vouchers.state IN ('issued', 'kept')
      AND COALESCE(vouchers.usable_until, rounds.closes_at) < :until
""")


def expire_round(session: Session, round_id: int, *, actor: Actor, now: dt.datetime) -> int:
    """Expire a round's vouchers whose time is over, book their money back to its budget, and close the round when due.

    What was kept, or came back to life, has a later end of its own and is left until then (rules 3 and 7). Returns how
    many expired; a second run changes nothing. Locks: the round, then the vouchers in order of their id.
    """
    round_ = lock_round(session, round_id)
    count = _expire(session, round_, round_.closes_at, actor, now)
    if round_.state == RoundState.ISSUED and round_.closes_at <= now:
        close(session, round_, actor=actor, now=now)
    session.flush()
    return count


def end_round_now(session: Session, round_: Round, *, actor: Actor, now: dt.datetime) -> int:
    """Close a round before its time: it ends now, and so do its vouchers without an end of their own; returns how many.

    The caller holds the round's lock. The vouchers come before the new date: a date of a round is part of a key, so
    that writing it keeps out whoever books a gift of this round, and that gift may hold a voucher.
    """
    count = _expire(session, round_, now, actor, now)
    session.flush()
    round_.closes_at = now
    close(session, round_, actor=actor, now=now)
    session.flush()
    return count


def lengthen(session: Session, round_id: int, *, until: dt.datetime) -> None:
    """Give living vouchers with an end of their own as much as a round that closes then gives (rules 3 and 7).

    To be called before the round gets its new date (see end_round_now). Locks: the vouchers in order of their id.
    """
    session.execute(_LENGTHEN, {"round_id": round_id, "until": until})


def keep_usable(session: Session, voucher_id: int, *, until: dt.datetime) -> None:
    """Let a living voucher not end before a moment: its gift waits for somebody's decision. Locks: the voucher."""
    session.execute(_KEEP_USABLE, {"voucher_id": voucher_id, "until": until})


def _expire(session: Session, round_: Round, closes_at: dt.datetime, actor: Actor, now: dt.datetime) -> int:
    sent = {"round_id": round_.id, "closes_at": closes_at, "now": now, "actor": str(actor)}
    count = int(session.scalar(_EXPIRE, sent) or 0)
    if count:
        book_vouchers(
            session,
            TransactionKind.VOUCHERS_EXPIRED,
            round_id=round_.id,
            gained_cents=-count * round_.amount_cents,
            now=now,
        )
        events.record(session, "round.vouchers_expired", round_.id, actor=actor, now=now, vouchers=count)
    return count


def revoke_voucher(session: Session, voucher_id: int, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Revoke a code that was not used, and book its money back; a household that is due one gets another (rule 1).

    Locks: the round, then the voucher. Raises: NotFound; InvalidTransition for one that was given, kept or is over;
    InvalidInput without a reason.
    """
    if not reason.strip():
        raise InvalidInput(_("Geef een reden."), fields={"reason": _("Geef een reden.")})
    round_id = session.scalar(select(Voucher.round_id).where(Voucher.id == voucher_id))
    if round_id is None:
        raise NotFound(_("Deze voucher bestaat niet."))
    round_ = lock_round(session, round_id)
    voucher = session.get_one(Voucher, voucher_id, with_for_update=True, populate_existing=True)
    check_move(TRANSITIONS, VoucherState(voucher.state), VoucherState.REVOKED, "voucher")
    voucher.state = VoucherState.REVOKED.value
    voucher.state_changed_at = voucher.revoked_at = now
    book_vouchers(
        session, TransactionKind.VOUCHERS_REVOKED, round_id=round_id, gained_cents=-round_.amount_cents, now=now
    )
    events.record(session, "voucher.revoked", voucher_id, actor=actor, now=now, reason=reason)
    session.flush()


def forget_households(session: Session, round_id: int, *, actor: Actor, now: dt.datetime) -> int:
    """Cut the link between the households of a settled round and what their vouchers did (rule 11); returns how many.

    What an address gave is nobody's business. The gifts and the books stay; a print file can no longer be made. A
    voucher that comes back later still works: it needs its code only.

    Locks: the round.
    """
    lock_round(session, round_id)
    forgotten = update(Voucher).where(Voucher.round_id == round_id, Voucher.household_id.is_not(None))
    count = len(session.execute(forgotten.values(household_id=None).returning(Voucher.id)).all())
    if count:
        events.record(session, "round.households_forgotten", round_id, actor=actor, now=now, vouchers=count)
    return count
