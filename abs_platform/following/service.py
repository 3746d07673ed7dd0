# SPDX-License-Identifier: EUPL-1.2
"""Following: asked with an address, confirmed from its mailbox, changed by a signed link or an account, and stopped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from abs_platform import attempts, outbox
from abs_platform.errors import NotFound
from abs_platform.following import links, queries
from abs_platform.following.models import Follow, Follower
from abs_platform.following.queries import NamedTopic
from abs_platform.following.states import (
    ASKS_PER_ADDRESS_A_DAY,
    ASKS_PER_CLIENT,
    ASKS_PER_PAIR,
    DAY,
    HOUR,
    UNCONFIRMED_KEPT,
    Topic,
)
from abs_platform.mail_server import read_address
from abs_platform.outbox import OutgoingMail


def ask(
    session: Session,
    email: str,
    topics: Collection[NamedTopic],
    *,
    language: str,
    client: bytes,
    secret_key: str,
    now: dt.datetime,
) -> None:
    """Mail the link that confirms. Whoever follows all of it already gets the link to change it.

    The answer is the same whether the address was known or not. Locks: the follower.
    Raises: TooManyAttempts; ValueError when it is no e-mail address.
    """
    email = read_address(email)
    _claim(session, email, client, secret_key, now)
    follower = _follower(session, email, language, now)
    ids = _put_down(session, follower.id, topics, now)
    event = f"follow:{follower.id}-{int(now.timestamp() * 1_000_000)}"
    if ids:
        token = links.confirm_token(secret_key, follower.id, ids)
        asked = queries.asked_topics(session, follower.id, ids, now - UNCONFIRMED_KEPT)
        outbox.queue(
            session,
            "follow_confirm",
            to=email,
            event=event,
            now=now,
            is_secret=True,
            language=language,
            topics=asked,
            token=token,
            days=UNCONFIRMED_KEPT.days,
        )
    else:
        _mail_link(session, follower, event, secret_key=secret_key, now=now)


def ask_link(session: Session, email: str, *, language: str, client: bytes, secret_key: str, now: dt.datetime) -> None:
    """Mail the link to the page of choices to who follows something; nobody else hears of it.

    Raises: TooManyAttempts; ValueError when it is no e-mail address.
    """
    email = read_address(email)
    _claim(session, email, client, secret_key, now)
    follower = session.scalar(select(Follower).where(Follower.email == email, Follower.confirmed_at.is_not(None)))
    if follower is not None:
        event = f"follow:{follower.id}-{int(now.timestamp() * 1_000_000)}"
        _mail_link(session, follower, event, secret_key=secret_key, now=now, language=language)


def _claim(session: Session, email: str, client: bytes, secret_key: str, now: dt.datetime) -> None:
    """By the hour for one client and one address, so that one stranger cannot keep somebody out by asking too often."""
    pair, address = attempts.digest(secret_key, f"{client.hex()} {email}"), attempts.digest(secret_key, email)
    attempts.claim(session, "follow.client", client, most=ASKS_PER_CLIENT, window=HOUR, now=now)
    attempts.claim(session, "follow.address", pair, most=ASKS_PER_PAIR, window=HOUR, now=now)
    attempts.claim(session, "follow.day", address, most=ASKS_PER_ADDRESS_A_DAY, window=DAY, now=now)


def _mail_link(
    session: Session, follower: Follower, event: str, *, secret_key: str, now: dt.datetime, language: str = ""
) -> None:
    outbox.queue(
        session,
        "follow_link",
        to=follower.email,
        event=event,
        now=now,
        is_secret=True,
        language=language or follower.language,
        token=links.manage_token(secret_key, follower.id),
        stop=links.stop_token(secret_key, follower.id),
    )


def _follower(session: Session, email: str, language: str, now: dt.datetime) -> Follower:
    """The row of an address, locked; made when it was not there. Who did not confirm yet asks anew."""
    new = insert(Follower).values(email=email, language=language, asked_at=now)
    session.execute(new.on_conflict_do_nothing(index_elements=["email"]))
    follower = session.scalars(select(Follower).where(Follower.email == email).with_for_update()).one()
    session.refresh(follower)
    if follower.confirmed_at is None:
        follower.language, follower.asked_at = language, now
        session.flush()
    return follower


def _put_down(session: Session, follower_id: int, topics: Collection[NamedTopic], now: dt.datetime) -> list[int]:
    """Write down what was asked; the numbers of what still has to be confirmed."""
    rows = [_row(follower_id, one.topic, asked_at=now) for one in topics]
    new = insert(Follow).values(rows).on_conflict_do_nothing(constraint="uq_follows_once")
    session.execute(new)
    waits = update(Follow).where(_is_one_of(follower_id, [one.topic for one in topics]), Follow.confirmed_at.is_(None))
    return sorted(session.scalars(waits.values(asked_at=now).returning(Follow.id)))


def _row(follower_id: int, topic: Topic, **moments: dt.datetime) -> dict[str, object]:
    return {
        "follower_id": follower_id,
        "kind": topic.kind.value,
        "area_id": topic.area_id,
        "theme": topic.theme,
        "initiative_id": topic.initiative_id,
        **moments,
    }


def _is_one_of(follower_id: int, topics: Collection[Topic]) -> ColumnElement[bool]:
    areas = [topic.area_id for topic in topics if topic.area_id]
    themes = [topic.theme for topic in topics if topic.theme]
    initiatives = [topic.initiative_id for topic in topics if topic.initiative_id]
    named = Follow.area_id.in_(areas) | Follow.theme.in_(themes) | Follow.initiative_id.in_(initiatives)
    return and_(Follow.follower_id == follower_id, func.coalesce(named, False))


def confirm(session: Session, follower_id: int, follow_ids: list[int], *, now: dt.datetime) -> None:
    """Follow what a mail spoke of, and nothing that somebody else asked for this address. Twice is once.

    Locks: the follower. Raises: NotFound when nothing of it is there any more.
    """
    follower = session.get(Follower, follower_id, with_for_update=True, populate_existing=True)
    of_mail = (Follow.follower_id == follower_id, Follow.id.in_(follow_ids))
    waits = (Follow.confirmed_at.is_(None), Follow.asked_at > now - UNCONFIRMED_KEPT)
    session.execute(update(Follow).where(*of_mail, *waits).values(confirmed_at=now))
    is_there = session.scalar(select(func.count()).where(*of_mail, Follow.confirmed_at.is_not(None)))
    if follower is None or not is_there:
        raise NotFound(_("Deze link werkt niet meer. Vraag het opnieuw aan, dan krijg je een nieuwe mail."))
    _begin(follower, now)
    session.flush()


def _begin(follower: Follower, now: dt.datetime) -> None:
    if follower.confirmed_at is None:
        follower.confirmed_at = follower.told_until = now


def follow(session: Session, email: str, topics: Collection[NamedTopic], *, language: str, now: dt.datetime) -> None:
    """Follow more with an address that is proven: of who is signed in. Locks: the follower."""
    follower = _follower(session, email, language, now)
    _put_down(session, follower.id, topics, now)
    mine = _is_one_of(follower.id, [one.topic for one in topics])
    session.execute(update(Follow).where(mine, Follow.confirmed_at.is_(None)).values(confirmed_at=now))
    _begin(follower, now)
    session.flush()


def choose(
    session: Session, follower_id: int, topics: Collection[NamedTopic], *, language: str, now: dt.datetime
) -> bool:
    """Follow exactly this from now on. Who follows nothing any more is forgotten, and False comes back.

    What waits for its confirmation keeps waiting. Locks: the follower. Raises: NotFound.
    """
    follower = session.get(Follower, follower_id, with_for_update=True, populate_existing=True)
    if follower is None or follower.confirmed_at is None:
        raise NotFound(_("Deze link werkt niet meer. Je krijgt geen mails van ons."))
    if not topics:
        stop(session, follower_id)
        return False
    kept = _is_one_of(follower_id, [one.topic for one in topics])
    was = (Follow.follower_id == follower_id, Follow.confirmed_at.is_not(None))
    session.execute(delete(Follow).where(*was, ~kept))
    _put_down(session, follower_id, topics, now)
    session.execute(update(Follow).where(kept, Follow.confirmed_at.is_(None)).values(confirmed_at=now))
    follower.language = language
    session.flush()
    return True


def stop(session: Session, follower_id: int) -> None:
    """No more mails, not even those that wait to be sent, and nothing of this person is left. Twice is once."""
    session.execute(delete(Follower).where(Follower.id == follower_id))
    # After the row is gone, or its lock was waited for: whoever writes a mail locks it, and finds nobody now.
    names = (f"digest:{follower_id}-", f"follow:{follower_id}-")
    outbox.withdraw(session, or_(*(OutgoingMail.event.startswith(name) for name in names)))


def forget(session: Session, email: str) -> None:
    """Somebody deletes the account: nothing goes to that address any more."""
    follower_id = session.scalar(select(Follower.id).where(Follower.email == email))
    if follower_id is not None:
        stop(session, follower_id)


def purge(session: Session, now: dt.datetime) -> int:
    """Forget what was asked and never confirmed; returns how many rows."""
    before = now - UNCONFIRMED_KEPT
    follows = session.execute(delete(Follow).where(Follow.confirmed_at.is_(None), Follow.asked_at <= before))
    people = session.execute(delete(Follower).where(Follower.confirmed_at.is_(None), Follower.asked_at <= before))
    return int(getattr(follows, "rowcount", 0)) + int(getattr(people, "rowcount", 0))
