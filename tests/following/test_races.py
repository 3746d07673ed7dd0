# SPDX-License-Identifier: EUPL-1.2
"""Two runs of the weekly mail at one moment, one that dies half-way, and stopping meanwhile: one mail, or none."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import outbox
from abs_platform.following import digests, service
from abs_platform.following.models import Follower
from abs_platform.following.states import SETTLING
from jobs import send_digests
from tests.concurrency.racing import at_once, committed
from tests.factories import SECRET_KEY, Factory
from tests.following.readers import DISTRICT, MINUTE, READER, area, follows, mails, this_week, thursday


@pytest.fixture
def until(own_factory: Factory) -> dt.datetime:
    """Somebody follows a district in which something is new."""
    follows(own_factory, area(own_factory, DISTRICT))
    follows(own_factory, area(own_factory, DISTRICT), email="buur@voorbeeld.example")
    own_factory.initiative().published_at = this_week(own_factory)
    own_factory.session.commit()
    return thursday(own_factory) - SETTLING


def test_two_runs_at_once_make_one_mail_and_a_crash_between_makes_none_or_all(
    own_app: Flask, own_session: Session, own_factory: Factory, until: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = until + SETTLING + MINUTE
    real = outbox.queue_rendered

    def die_after_the_first(session: Session, mail: outbox.RenderedMail, **more: object) -> bool:
        queued = real(session, mail, **more)  # type: ignore[arg-type]
        if more["to"] == "buur@voorbeeld.example":
            raise KeyboardInterrupt
        return queued

    monkeypatch.setattr(outbox, "queue_rendered", die_after_the_first)
    with own_app.app_context(), pytest.raises(KeyboardInterrupt):
        send_digests.run(now)
    monkeypatch.undo()
    assert len(mails(own_session, "digest")) == 1
    assert mails(own_session, "digest", "buur@voorbeeld.example") == []
    own_session.rollback()

    reader = own_session.scalar(select(Follower.id).where(Follower.email == "buur@voorbeeld.example"))
    own_session.rollback()
    assert reader is not None
    tell = committed(own_app, lambda session: digests.send(session, reader, until, secret_key=SECRET_KEY, now=now))
    made = at_once([tell, tell, tell])

    assert sorted(str(one) for one in made) == ["0", "0", "1"]
    assert len(mails(own_session, "digest", "buur@voorbeeld.example")) == 1
    own_session.rollback()
    with own_app.app_context():
        assert send_digests.run(now).changed == 0


def test_stopping_changing_and_asking_at_once_leave_one_true_state(
    own_app: Flask, own_session: Session, own_factory: Factory, until: dt.datetime
) -> None:
    reader = own_session.scalars(select(Follower.id).where(Follower.email == READER)).one()
    topics = service.queries.find_topics(own_session, ["thema:green"])
    own_session.rollback()
    now = own_factory.now
    ask = partial(service.ask, email=READER, topics=topics, language="nl", secret_key=SECRET_KEY, now=now)
    works = [
        committed(own_app, lambda session: digests.send(session, reader, until, secret_key=SECRET_KEY, now=until)),
        committed(own_app, lambda session: service.choose(session, reader, topics, language="nl", now=now)),
        committed(own_app, lambda session: ask(session, client=b"a" * 16)),
        committed(own_app, lambda session: ask(session, client=b"b" * 16)),
        committed(own_app, lambda session: service.stop(session, reader)),
    ]

    at_once(works)

    left = own_session.scalars(select(Follower).where(Follower.email == READER)).all()
    assert len(left) <= 1
    assert all(one.id != reader and one.confirmed_at is None for one in left)
