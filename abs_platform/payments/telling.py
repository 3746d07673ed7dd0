# SPDX-License-Identifier: EUPL-1.2
"""Mail to who gave money and left an address: that it arrived, came too late, goes back, or cannot go back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import outbox
from abs_platform.donations.models import Donation
from abs_platform.initiatives.models import Initiative
from abs_platform.languages import DEFAULT
from abs_platform.mail_server import read_address
from abs_platform.payments.models import Payment


def tell_received(session: Session, payment_id: int, now: dt.datetime) -> bool:
    """Queue the receipt of a gift of money that was booked, once; False when there is nobody to tell."""
    return _tell(session, "gift_received", payment_id, now)


def tell_late(session: Session, payment_id: int, now: dt.datetime) -> bool:
    """Queue the word that money came in after the end of its initiative and goes back, once."""
    return _tell(session, "gift_late", payment_id, now)


def tell_refund(session: Session, payment_id: int, now: dt.datetime) -> bool:
    """Queue the word that the provider took our request to give money back: why, and when it is on the account.

    Once for each attempt: whoever heard of one that failed later hears of the next.
    """
    return _tell(session, "gift_refunded", payment_id, now)


def tell_stuck(session: Session, payment_id: int, now: dt.datetime) -> bool:
    """Queue the word that giving money back did not work by itself, and whom to ask, once."""
    return _tell(session, "gift_stuck", payment_id, now)


def _tell(session: Session, name: str, payment_id: int, now: dt.datetime) -> bool:
    row = session.execute(
        select(Payment, Donation.reference, Donation.is_organisation, Donation.giver_name, Initiative)
        .join(Donation, Donation.id == Payment.donation_id)
        .join(Initiative, Initiative.id == Donation.initiative_id)
        .where(Payment.id == payment_id)
    ).one()
    payment, initiative = row.Payment, row.Initiative
    to = _readable(payment.receipt_email)
    if not to:
        return False
    context: dict[str, Any] = {
        "reference": row.reference,
        "amount_cents": payment.amount_cents,
        "title": initiative.title,
        "giver_name": row.giver_name or "",
        "organisation_name": payment.organisation_name or "",
        "paid_at": payment.paid_at or now,
        "deadline_on": initiative.deadline_on,
        "reason": payment.refund_reason or "",
        "with_voucher": payment.voucher_donation_id is not None,
    }
    # The receipt answers who is on the page; the rest comes later, and is in Dutch as all other mail.
    language = payment.language if name == "gift_received" else DEFAULT
    context |= {
        "receipt_url": outbox.site_url("donations.receipt", reference=row.reference, _language=language),
        "page_url": outbox.site_url("initiatives.show", initiative_id=initiative.id, _language=language),
        "initiatives_url": outbox.site_url("initiatives.index", _language=language),
    }
    attempt = f":{payment.refund_attempt}" if name == "gift_refunded" else ""
    event = f"{name.replace('_', '-')}:{payment_id}{attempt}"
    return outbox.queue(session, name, to=to, event=event, now=now, language=language, **context)


def _readable(email: str | None) -> str:
    """An address that a mail server would take, or nothing: telling never stands in the way of booking."""
    try:
        return read_address(email or "")
    except ValueError:
        return ""
