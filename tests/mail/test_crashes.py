# SPDX-License-Identifier: EUPL-1.2
"""``kill -9`` at every step of sending: each mail arrives, and one that the server may have is the same mail again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.config import ROOT_DIR
from abs_platform.database import db
from abs_platform.outbox import OutgoingMail
from jobs import send_outbox
from jobs.runner import JobReport, run_job
from tests.concurrency.processes import environment
from tests.concurrency.racing import PATIENCE, wait_until_blocked
from tests.mail.letters import DAY, MINUTE, NOW, queue, rows
from tests.mail.post_office import SENDER, Post, free_port, open_office, sends_to

ADA, BEP = "ada@voorbeeld.example", "bep@voorbeeld.example"
AFTER_THE_CLAIM = NOW + 6 * MINUTE


@dataclass
class Sender:
    """The job in a process of its own."""

    pid: int

    def poll(self) -> int | None:
        """As of a Popen: None while it lives."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0
        return None


Victim = Callable[[int], AbstractContextManager[Sender]]


@pytest.fixture(scope="module")
def parent() -> Iterator[subprocess.Popen[str]]:
    """The process of which all senders are children."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "tests.mail.victim"]
    with subprocess.Popen(command, cwd=ROOT_DIR, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.stdin.close()  # type: ignore[union-attr]
        assert process.wait(PATIENCE) == 0


@pytest.fixture
def victim(parent: subprocess.Popen[str], own_app: Flask) -> Victim:
    """The job in a process of its own, that is killed at the end of the block whatever it is doing."""

    def answer() -> int:
        return int(parent.stdout.readline())  # type: ignore[union-attr]

    @contextmanager
    def started(port: int) -> Iterator[Sender]:
        env = environment(own_app) | {"ABS_SMTP_URL": f"smtp://127.0.0.1:{port}", "ABS_MAIL_FROM": SENDER}
        print(json.dumps({"env": env, "now": NOW.isoformat()}), file=parent.stdin, flush=True)
        sender = Sender(answer())
        try:
            yield sender
            assert sender.poll() is None, "it ended before it was killed"
        finally:
            with suppress(ProcessLookupError):
                os.kill(sender.pid, signal.SIGKILL)
            ended = answer()
        assert ended == -signal.SIGKILL

    return started


def run_until_it_may(app: Flask, session: Session) -> list[JobReport]:
    """The job at the next moments, as the scheduler runs it; the database may need a moment to see who died."""
    reports = []
    with app.app_context():
        for moment in (NOW, AFTER_THE_CLAIM, NOW + DAY):
            report = None
            while report is None:
                report = run_job("send_outbox", send_outbox.run, moment)
            reports.append(report)
            db.session.remove()
    session.rollback()
    return reports


@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
def test_a_sender_that_is_killed_before_the_server_had_the_mail_is_followed_by_one_mail(
    own_app: Flask, own_session: Session, victim: Victim, step: str
) -> None:
    post, port = Post(stops={step}), free_port()
    queue(own_session, ADA)
    queue(own_session, BEP)
    own_session.commit()
    with open_office(post, port):
        with victim(port):
            assert post.reached.wait(PATIENCE)
        post.stops.clear()
        sends_to(own_app, port)

        at_once, after_the_claim, later = run_until_it_may(own_app, own_session)

    assert [report.changed for report in (at_once, after_the_claim, later)] == [1, 1, 0]
    assert post.recipients == [BEP, ADA]
    assert [(mail.state, mail.attempts) for mail in rows(own_session)] == [("sent", 2), ("sent", 1)]


def test_a_sender_that_is_killed_before_it_was_connected_has_claimed_nothing(
    own_app: Flask, own_session: Session, victim: Victim
) -> None:
    post, port = Post(stops={"EHLO"}), free_port()
    queue(own_session, ADA)
    own_session.commit()
    with open_office(post, port):
        with victim(port):
            assert post.reached.wait(PATIENCE)
        post.stops.clear()
        sends_to(own_app, port)

        at_once, after_the_claim, later = run_until_it_may(own_app, own_session)

    assert [report.changed for report in (at_once, after_the_claim, later)] == [1, 0, 0]
    assert post.recipients == [ADA]


def test_a_sender_that_is_killed_while_the_server_answers_is_followed_by_the_same_mail(
    own_app: Flask, own_session: Session, victim: Victim
) -> None:
    post, port = Post(stops={"DATA"}), free_port()
    queue(own_session, ADA, "sign-in:1", is_secret=True)
    own_session.commit()
    with open_office(post, port):
        with victim(port):
            assert post.reached.wait(PATIENCE)
        post.stops.clear()
        sends_to(own_app, port)

        reports = run_until_it_may(own_app, own_session)

    assert [report.changed for report in reports] == [0, 1, 0]
    assert_the_same_mail_twice(post, own_session)


def test_a_sender_that_is_killed_after_the_answer_and_before_it_wrote_that_down_is_followed_by_the_same_mail(
    own_app: Flask, own_session: Session, victim: Victim
) -> None:
    post, port = Post(stops={"MAIL"}), free_port()
    queue(own_session, ADA, "sign-in:1", is_secret=True)
    own_session.commit()
    with open_office(post, port):
        with victim(port) as process:
            assert post.reached.wait(PATIENCE)
            own_session.scalars(select(OutgoingMail).with_for_update()).one()  # now nobody can write it down
            post.stops.clear()
            post.may_go_on.set()
            with own_app.app_context(), db.engine.connect() as watching, Session(watching) as session:
                wait_until_blocked(session, by=[process])
        own_session.rollback()
        sends_to(own_app, port)

        reports = run_until_it_may(own_app, own_session)

    assert [report.changed for report in reports] == [0, 1, 0]
    assert_the_same_mail_twice(post, own_session)


def assert_the_same_mail_twice(post: Post, session: Session) -> None:
    """To the last byte: a mail program that has the first shows the second as the one it has."""
    (mail,) = rows(session)
    assert post.recipients == [ADA, ADA]
    assert {delivery.message_id for delivery in post.deliveries} == {mail.message_id}
    assert len({delivery.raw for delivery in post.deliveries}) == 1
    assert (mail.state, mail.attempts, mail.text_body) == ("sent", 2, None)


def test_kills_at_any_moment_lose_nothing_and_send_nothing_twice_as_another_mail(
    own_app: Flask, own_session: Session, victim: Victim
) -> None:
    post, port = Post(), free_port()
    addresses = [f"bewoner{number}@voorbeeld.example" for number in range(200)]
    for address in addresses:
        queue(own_session, address)
    own_session.commit()
    kills = 0
    with open_office(post, port):
        for number in range(1, 7):
            seen = len(post.deliveries)
            with victim(port):
                post.wait_for(min(seen + number * 3, len(addresses) - 20))
            kills += 1
        sends_to(own_app, port)
        run_until_it_may(own_app, own_session)

    assert kills == 6
    assert set(post.recipients) == set(addresses)
    assert len({delivery.message_id for delivery in post.deliveries}) == len(addresses)
    assert len(post.deliveries) - len(addresses) <= kills
    assert own_session.scalar(text("SELECT count(*) FROM outgoing_mails WHERE state <> 'sent'")) == 0
