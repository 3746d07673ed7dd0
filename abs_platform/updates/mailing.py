# SPDX-License-Identifier: EUPL-1.2
"""Mail to the people around an initiative: its organisers, and the givers who asked for news and did not stop it."""

from __future__ import annotations

import datetime as dt
import secrets
from itertools import groupby
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from abs_platform import outbox
from abs_platform.clock import last_day
from abs_platform.outbox import RenderedMail
from abs_platform.updates import queries
from abs_platform.updates.queries import ReturnedGift

# Stands in a mail where each reader gets a token of the own, so that a mail to hundreds is rendered once. Nobody can
# guess it: whoever wrote it in a text would get the tokens of readers into links of his own.
_READER = f"0-{secrets.token_hex(16)}-0"
_SALT = "stop-news"


def stop_token(secret_key: str, donation_id: int) -> str:
    """What stands in the link that stops news: a number and a signature, nothing of a person."""
    token: str = URLSafeSerializer(secret_key, salt=_SALT).dumps(donation_id)
    return token


def stop_address(secret_key: str, donation_id: int) -> str:
    """The address with which the mails of a gift are stopped: each of them carries it."""
    return outbox.site_url("updates.stop_news", token=stop_token(secret_key, donation_id))


def read_stop_token(secret_key: str, token: str) -> int | None:
    """The gift of a link that stops news, or None when it is not ours."""
    try:
        donation_id = URLSafeSerializer(secret_key, salt=_SALT).loads(token)
    except BadSignature:
        return None
    return donation_id if isinstance(donation_id, int) else None


def tell_givers(
    session: Session, name: str, initiative_id: int, /, *, event: str, secret_key: str, now: dt.datetime, **context: Any
) -> int:
    """Queue a mail to every giver who wants news of this initiative, once per address; returns to how many."""
    recipients = queries.news_recipients(session, initiative_id)
    if not recipients:
        return 0
    stop_url = outbox.site_url("updates.stop_news", token=_READER)
    page_url = outbox.site_url("initiatives.show", initiative_id=initiative_id)
    mail = outbox.preview(name, stop_url=stop_url, page_url=page_url, **context)
    return sum(
        _queue_personal(session, mail, email, stop_token(secret_key, donation_id), stop_url, event=event, now=now)
        for email, donation_id in recipients
    )


def _queue_personal(
    session: Session, mail: RenderedMail, to: str, token: str, stop_url: str, *, event: str, now: dt.datetime
) -> bool:
    own = RenderedMail(mail.subject, mail.text.replace(_READER, token), mail.html.replace(_READER, token))
    unsubscribe_url = stop_url.replace(_READER, token)
    return outbox.queue_rendered(session, own, to=to, event=event, now=now, unsubscribe_url=unsubscribe_url)


def tell_organisers(
    session: Session,
    name: str,
    initiative_id: int,
    /,
    *,
    event: str,
    now: dt.datetime,
    but: int | None = None,
    **context: Any,
) -> int:
    """Queue a mail to every organiser who confirmed, but for the account that did it; returns to how many."""
    recipients = queries.organiser_addresses(session, initiative_id, but=but)
    if not recipients:
        return 0
    page_url = outbox.site_url("initiatives.show", initiative_id=initiative_id)
    home_url = outbox.site_url("organisers.home", initiative_id=initiative_id)
    mail = outbox.preview(name, page_url=page_url, home_url=home_url, initiative_id=initiative_id, **context)
    return sum(outbox.queue_rendered(session, mail, to=email, event=event, now=now) for email in recipients)


def tell_of_returns(session: Session, initiative_id: int, *, now: dt.datetime) -> int:
    """Tell every giver who left an address that the gift came back at this moment, or went to plan B (rule 7).

    Called in the transaction of the return; once per gift, however often. Returns how many mails that were.
    """
    gifts = queries.returned_untold(session, initiative_id, now)
    return sum(
        outbox.queue_rendered(session, _about(gift, mail), to=gift.email, event=f"gift-returned:{gift.id}", now=now)
        for mail, group in _rendered(gifts)
        for gift in group
    )


def _rendered(gifts: list[ReturnedGift]) -> list[tuple[RenderedMail, list[ReturnedGift]]]:
    """One rendering for all whose mail differs in the number of the receipt only."""
    made = []
    for alike, group in groupby(sorted(gifts, key=ReturnedGift.sort_key), key=ReturnedGift.sort_key):
        same = list(group)
        first = same[0]
        mail = outbox.preview(
            "gift_returned",
            title=first.title,
            state=first.state,
            amount_cents=first.amount_cents,
            went_on_to=first.went_on_to,
            last_day=last_day(first.usable_until) if first.usable_until else None,
            receipt_url=outbox.site_url("donations.receipt", reference=_READER),
            initiatives_url=outbox.site_url("initiatives.index"),
        )
        made.append((mail, same))
        del alike
    return made


def _about(gift: ReturnedGift, mail: RenderedMail) -> RenderedMail:
    text, html = (part.replace(_READER, gift.reference) for part in (mail.text, mail.html))
    return RenderedMail(mail.subject, text, html)
