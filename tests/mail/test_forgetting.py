# SPDX-License-Identifier: EUPL-1.2
"""Mails are forgotten in time: what they said and to whom they went (rule 11)."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.database import db
from abs_platform.mail.service import deliver_to_demo, forget, without_addresses
from abs_platform.outbox import OutgoingMail
from jobs import purge_personal_data
from tests.mail.letters import DAY, HOUR, NOW, queue


def purge(session: Session, at: dt.datetime) -> int:
    """Run the job as its own process would: with a session of its own; returns what it changed."""
    session.commit()
    report = purge_personal_data.run(at)
    db.session.remove()
    assert report.errors == []
    return report.changed


def test_after_thirty_days_nothing_personal_of_a_mail_is_left(session: Session) -> None:
    queue(session, reply_to="bep@voorbeeld.example", unsubscribe_url="https://x.example/uit/ada")
    deliver_to_demo(session, now=NOW)

    changed = [purge(session, NOW + wait) for wait in (30 * DAY - HOUR, 30 * DAY, 31 * DAY)]

    mail = session.query(OutgoingMail).one()
    assert changed == [0, 1, 0]
    assert (mail.recipient, mail.reply_to, mail.unsubscribe_url) == (None, None, None)
    assert (mail.subject, mail.text_body, mail.html_body) == (None, None, None)
    assert (mail.state, mail.event) == ("sent", "news:1")


def test_a_mail_that_still_has_to_leave_is_not_forgotten(session: Session) -> None:
    queue(session)

    assert forget(session, now=NOW + 60 * DAY) == 0


def test_a_secret_of_the_demo_can_be_read_for_a_day(session: Session) -> None:
    queue(session, event="sign-in:1", is_secret=True)
    queue(session, event="news:1")
    deliver_to_demo(session, now=NOW)

    early, late = forget(session, now=NOW + DAY - HOUR), forget(session, now=NOW + DAY)

    left = session.scalars(text("SELECT event FROM outgoing_mails WHERE text_body IS NOT NULL")).all()
    assert (early, late) == (0, 1)
    assert left == ["news:1"]


@pytest.mark.parametrize(
    ("sentence", "clean"),
    [
        ("550 <ada@x.example>: unknown", "550 <***>: unknown"),
        ("550 user ADA is unknown", "550 user *** is unknown"),
        ("450 canada is far", "450 canada is far"),
        ("552 mailbox of bep@y.example and ada@x.example full", "552 mailbox of *** and *** full"),
    ],
)
def test_a_sentence_of_a_server_is_kept_without_anybodys_address(sentence: str, clean: str) -> None:
    assert without_addresses(sentence, "ada@x.example") == clean
