# SPDX-License-Identifier: EUPL-1.2
"""The mails about a payout: only to whoever asked for it, and never with an account number."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy.orm import Session

from abs_platform import outbox
from abs_platform.accounts.queries import email_of
from abs_platform.initiatives.subjects import subject_of

if TYPE_CHECKING:
    from abs_platform.payouts.models import Payout

Mail = Literal["payout_incomplete", "payout_refused", "payout_paid", "payout_bounced"]


def tell(session: Session, mail: Mail, payout: Payout, *, now: dt.datetime, **context: Any) -> bool:
    """Queue a mail to who asked for the money, once for each version of the bank details."""
    email = email_of(session, payout.requested_by_id)
    if email is None:
        return False
    return outbox.queue(
        session,
        mail,
        to=email,
        event=f"{mail.replace('_', '-')}:{payout.id}:{payout.version}",
        now=now,
        title=subject_of(session, payout.initiative_id).title,
        amount_cents=payout.amount_cents,
        payout_url=outbox.site_url("payouts.show", initiative_id=payout.initiative_id),
        **context,
    )
