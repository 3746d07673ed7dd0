# SPDX-License-Identifier: EUPL-1.2
"""Somebody who follows, the moment of a weekly mail, and what is in the mailbox."""

from __future__ import annotations

import datetime as dt
import re
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.following import queries, service
from abs_platform.following.models import Follower
from abs_platform.following.states import SETTLING, WEEK, last_moment
from abs_platform.outbox import OutgoingMail
from tests.factories import Factory

READER = "lezer@voorbeeld.example"
DISTRICT, NEIGHBOURHOOD = "WK014119", "BU01411900"
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def thursday(factory: Factory) -> dt.datetime:
    """The first weekly mail from now on."""
    return last_moment(factory.now + WEEK)


def this_week(factory: Factory) -> dt.datetime:
    """A moment of which that mail tells."""
    return thursday(factory) - DAY


def follows(factory: Factory, *keys: str, email: str = READER, since: dt.datetime | None = None) -> Follower:
    """Somebody who follows this, and got the mail of last week."""
    topics = queries.find_topics(factory.session, keys)
    assert len(topics) == len(keys)
    told = since or thursday(factory) - WEEK - SETTLING
    service.follow(factory.session, email, topics, language="nl", now=told)
    found = factory.session.scalars(select(Follower).where(Follower.email == email)).one()
    factory.session.commit()
    return found


def area(factory: Factory, code: str) -> str:
    """The key of an area."""
    return f"gebied:{factory.area_id(code)}"


def mails(session: Session, kind: str, email: str = READER) -> list[OutgoingMail]:
    """The mails of one kind to somebody, oldest first."""
    query = select(OutgoingMail).where(OutgoingMail.recipient == email, OutgoingMail.event.startswith(f"{kind}:"))
    return list(session.scalars(query.order_by(OutgoingMail.id).execution_options(populate_existing=True)))


def link_of(mail: OutgoingMail, part: str) -> str:
    """The path of the link of a mail that holds this part."""
    found = re.search(rf"https?://\S*{re.escape(part)}\S*", mail.text_body or "")
    assert found, f"no link with {part}"
    return urlsplit(found[0]).path
