# SPDX-License-Identifier: EUPL-1.2
"""Keeping a voucher in an account ("bewaren"): it stays usable for another year, by account or by code (rule 3).

The row in kept_vouchers is all that leads from an account to a voucher. Events name nobody, and the row goes some time
after the voucher's end, so that nothing leads from a person to a gift for ever (rule 11).
"""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import GIVER
from abs_platform.donations.service import Gift, GiftDetails, give_voucher
from abs_platform.errors import Conflict, InitiativeNotOpen, NotFound
from abs_platform.initiatives.queries import is_collecting
from abs_platform.municipality import Rules
from abs_platform.vouchers.codes import CodeKeys
from abs_platform.vouchers.models import KeptVoucher, Voucher
from abs_platform.vouchers.queries import count_kept, status
from abs_platform.vouchers.redeeming import Answer, Client, check_attempts, check_plan_b, made_before, refuse
from abs_platform.vouchers.states import VoucherState

# An initiative may collect for a year, and what comes back from it is usable for two months more.
FORGOTTEN_AFTER = dt.timedelta(days=425)
_KEEPING_LOCK = 7_603

_KEEP = text("""
    UPDATE vouchers
    SET state = 'kept', state_changed_at = :now, kept_at = :now,
        usable_until = GREATEST(
            COALESCE(vouchers.usable_until, rounds.closes_at),
            rounds.closes_at + make_interval(days => rounds.kept_valid_days::int)
        )
    FROM rounds
    WHERE rounds.id = vouchers.round_id AND vouchers.code_digest = :code_digest AND vouchers.state = 'issued'
      AND rounds.opens_at <= :now AND rounds.closes_at > :now
    RETURNING vouchers.id, vouchers.usable_until
""")


def keep(
    session: Session, payload: int, account_id: int, client: Client, *, keys: CodeKeys, rules: Rules, now: dt.datetime
) -> Answer[dt.datetime]:
    """Keep the voucher with this code in an account; returns until when it can be given. Twice is the same as once.

    A code that cannot be kept is a wrong code, returned and not raised so that it is counted. Two things are told to
    who holds a good code: that its round is over, and that the account is full.

    Locks: the client's count, the account's kept vouchers, then the voucher.
    Raises: TooManyAttempts; Conflict for a full account or a round that is over.
    """
    check_attempts(session, client, rules, now)
    session.execute(text("SELECT pg_advisory_xact_lock(:kind, :id)"), {"kind": _KEEPING_LOCK, "id": account_id % 2**31})
    digest = keys.digest(payload)
    if until := _kept_already(session, digest, account_id):
        return Answer(until)
    found = status(session, digest)
    reason = "unknown" if found is None else found.why_not_usable(now)
    if found is None or reason is not None or found.state != VoucherState.ISSUED:
        return Answer(error=refuse(session, client, reason or "kept by another", rules, now))
    if count_kept(session, account_id) >= rules.max_kept_vouchers:
        message = _("Je bewaart al %(number)s vouchers. Geef er eerst een.", number=rules.max_kept_vouchers)
        raise Conflict(message)
    row = session.execute(_KEEP, {"code_digest": digest, "now": now}).first()
    if row is None:
        raise Conflict(_("De ronde van deze voucher is voorbij: bewaren kan niet meer. Geven kan nog wel."))
    _remember(session, row.id, account_id, now)
    return Answer(row.usable_until)


def _remember(session: Session, voucher_id: int, account_id: int, now: dt.datetime) -> None:
    # Who kept it before and left may have had it.
    session.execute(delete(KeptVoucher).where(KeptVoucher.voucher_id == voucher_id))
    session.add(KeptVoucher(voucher_id=voucher_id, account_id=account_id, kept_at=now))
    events.record(session, "voucher.kept", voucher_id, actor=GIVER, now=now)
    session.flush()


def _kept_already(session: Session, digest: bytes, account_id: int) -> dt.datetime | None:
    query = (
        select(Voucher.usable_until)
        .join(KeptVoucher, KeptVoucher.voucher_id == Voucher.id)
        .where(
            Voucher.code_digest == digest,
            Voucher.state == VoucherState.KEPT.value,
            KeptVoucher.account_id == account_id,
        )
    )
    return session.scalar(query)


def give_kept(
    session: Session, voucher_id: int, account_id: int, initiative_id: int, *, details: GiftDetails, now: dt.datetime
) -> Gift:
    """Give a voucher that this account keeps; its code is not asked for again. The same form twice is the same gift.

    Locks: those of donations.service.give_voucher.
    Raises: NotFound for somebody else's; InitiativeNotOpen; InvalidInput for a second choice that cannot be; Conflict
    when it was given meanwhile or its time is over.
    """
    digest = session.scalar(
        select(Voucher.code_digest)
        .join(KeptVoucher, KeptVoucher.voucher_id == Voucher.id)
        .where(Voucher.id == voucher_id, KeptVoucher.account_id == account_id)
    )
    if digest is None:
        raise NotFound(_("Deze voucher bewaar je niet."))
    if made := made_before(session, digest, initiative_id, details):
        return made
    check_plan_b(session, details.plan_b_initiative_id, initiative_id, now)
    gift = give_voucher(session, digest, initiative_id, details=details, now=now)
    if gift := gift or made_before(session, digest, initiative_id, details):
        return gift
    if not is_collecting(session, initiative_id, now=now):
        raise InitiativeNotOpen(_("Dit initiatief haalt geen geld meer op. Je voucher is nog van jou: kies een ander."))
    raise Conflict(_("Deze voucher is al gegeven, of de tijd is om."))


def let_go(session: Session, account_id: int) -> None:
    """Forget what an account keeps. The vouchers stay kept: whoever holds the letter can still give them."""
    session.execute(delete(KeptVoucher).where(KeptVoucher.account_id == account_id))


def forget_kept(session: Session, now: dt.datetime) -> int:
    """Forget who kept vouchers that came to their end long ago; returns how many."""
    over = select(Voucher.id).where(
        Voucher.state.not_in((VoucherState.ISSUED.value, VoucherState.KEPT.value)),
        Voucher.state_changed_at < now - FORGOTTEN_AFTER,
    )
    result = session.execute(delete(KeptVoucher).where(KeptVoucher.voucher_id.in_(over)))
    return int(getattr(result, "rowcount", 0))
