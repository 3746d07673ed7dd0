# SPDX-License-Identifier: EUPL-1.2
"""Queued mail leaves: to a real SMTP server that is away, says later, says no, breaks, and comes back."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform.events import latest
from abs_platform.mail import service, smtp
from abs_platform.outbox import OutgoingMail
from jobs import send_outbox
from jobs.runner import JobReport, run_job
from tests.concurrency.racing import at_once
from tests.mail.letters import DAY, HOUR, MINUTE, NOW, letter, queue, row, rows
from tests.mail.post_office import (
    PASSWORD,
    SENDER,
    USER,
    Post,
    free_port,
    make_certificate,
    open_office,
    sends_to,
    with_password,
)

ADA, BEP, CAS = "ada@voorbeeld.example", "bep@voorbeeld.example", "cas@voorbeeld.example"


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def port(own_app: Flask) -> int:
    """A port that the app sends to; whether anybody listens there, each test says."""
    number = free_port()
    sends_to(own_app, number)
    return number


@pytest.fixture
def office(port: int, post: Post) -> Iterator[Post]:
    """The server, open all the time."""
    with open_office(post, port):
        yield post


def send(session: Session, now: dt.datetime = NOW) -> JobReport:
    """Run the job as the scheduler does, on what was queued."""
    session.commit()
    report = run_job("send_outbox", send_outbox.run, now)
    assert report is not None
    return report


def states(session: Session) -> dict[str | None, str]:
    return {mail.recipient: mail.state for mail in rows(session)}


# -- all is well ------------------------------------------------------------------------------------------------------


def test_all_that_is_queued_leaves_over_one_connection_and_leaves_once(own_session: Session, office: Post) -> None:
    for address in (ADA, BEP, CAS):
        queue(own_session, address)

    first, second = send(own_session), send(own_session, NOW + DAY)

    assert (first, second) == (JobReport(changed=3), JobReport())
    assert office.recipients == [ADA, BEP, CAS]
    assert office.connections == 1
    mails = rows(own_session)
    assert {(mail.state, mail.transport, mail.attempts, mail.error) for mail in mails} == {("sent", "smtp", 1, None)}
    assert all(mail.sent_at is not None and mail.sent_at >= NOW and mail.text_body for mail in mails)


def test_where_nothing_is_due_nobody_bothers_the_server(own_session: Session, office: Post) -> None:
    queue(own_session, now=NOW + HOUR)

    assert send(own_session) == JobReport()
    assert office.connections == 0


def test_what_a_secret_mail_said_is_gone_when_it_has_left_and_other_mails_keep_theirs(
    own_session: Session, office: Post
) -> None:
    queue(own_session, ADA, "sign-in:1", mail=letter("Je code is 123456", "Code 123456"), is_secret=True)
    queue(own_session, BEP, "news:1")

    send(own_session)

    secret, news = rows(own_session)
    assert "Code 123456" in str(office.deliveries[0].message.get_body())
    assert (secret.subject, secret.text_body, secret.html_body) == (None, None, None)
    assert news.text_body == letter().text
    assert own_session.scalar(text("SELECT count(*) FROM outgoing_mails m WHERE m::text LIKE '%123456%'")) == 0


def test_a_secret_mail_goes_first_because_somebody_waits_for_it(own_session: Session, office: Post) -> None:
    for number in range(3):
        queue(own_session, ADA, f"news:{number}", now=NOW - HOUR)
    queue(own_session, BEP, "sign-in:1", is_secret=True)

    send(own_session)

    assert office.recipients == [BEP, ADA, ADA, ADA]


def test_the_server_hears_a_name_of_ours_and_not_of_the_machine(own_session: Session, office: Post) -> None:
    queue(own_session)

    send(own_session)

    assert office.hellos == ["localhost"]
    assert office.deliveries[0].sender == SENDER


@pytest.mark.parametrize(
    ("base_url", "hello"),
    [
        ("https://buurt.example", "buurt.example"),
        ("http://127.0.0.1:5000", "[127.0.0.1]"),
        ("http://[::1]:5000", "[IPv6:::1]"),
    ],
)
def test_a_site_on_a_bare_address_says_so_as_mail_servers_write_it(own_app: Flask, base_url: str, hello: str) -> None:
    settings = replace(own_app.extensions["settings"], base_url=base_url)

    assert send_outbox._hello(settings) == hello


def test_of_the_runs_that_had_nothing_to_do_one_row_is_kept(own_session: Session, office: Post) -> None:
    queue(own_session, ADA)
    send(own_session)

    for minute in range(1, 4):
        send(own_session, NOW + minute * MINUTE)

    runs = own_session.execute(text("SELECT changed FROM job_runs WHERE job = 'send_outbox' ORDER BY id"))
    assert runs.scalars().all() == [1, 0]
    assert office.recipients == [ADA]


def test_a_run_stops_after_a_while_and_the_next_goes_on(
    own_session: Session, office: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(own_session)
    monkeypatch.setattr(send_outbox, "RUN_SECONDS", 0)
    first = send(own_session)
    monkeypatch.undo()

    second = send(own_session)

    assert (first.changed, second.changed) == (0, 1)
    assert office.recipients == [ADA]


# -- the server is away -----------------------------------------------------------------------------------------------


def test_a_server_that_is_down_for_an_hour_loses_nothing_and_nobody_is_mailed_twice(
    own_session: Session, port: int, post: Post
) -> None:
    addresses = [f"bewoner{number}@voorbeeld.example" for number in range(20)]
    for address in addresses:
        queue(own_session, address)

    for minute in range(60):
        assert send(own_session, NOW + minute * MINUTE).changed == 0
    with open_office(post, port):
        for minute in range(60, 130):
            send(own_session, NOW + minute * MINUTE)

    assert sorted(post.recipients) == sorted(addresses)
    assert set(states(own_session).values()) == {"sent"}


def test_a_server_that_is_away_is_tried_after_1_5_15_and_60_minutes_and_then_every_hour(
    own_session: Session, port: int
) -> None:
    assert port
    queue(own_session)

    at, waits = NOW, []

    for _attempt in range(7):
        send(own_session, at)
        due_at = row(own_session).due_at
        assert due_at is not None
        waits.append(round((due_at - at) / MINUTE))
        assert send(own_session, due_at - dt.timedelta(seconds=1)) == JobReport()
        at = due_at

    assert waits == [1, 5, 15, 60, 60, 60, 60]
    mail = row(own_session)
    assert (mail.state, mail.waits_for_server) == ("queued", True)
    assert "ConnectionRefusedError" in (mail.error or "")


def test_all_mails_learn_from_one_try_that_the_server_is_away(own_session: Session, port: int) -> None:
    assert port
    for number in range(5):
        queue(own_session, event=f"news:{number}")

    reports = [send(own_session), send(own_session, NOW + 5 * dt.timedelta(seconds=1))]

    assert [len(report.errors) for report in reports] == [1, 0]
    assert {(mail.attempts, mail.due_at) for mail in rows(own_session)} == {(1, rows(own_session)[0].due_at)}


def test_when_the_server_is_back_who_waited_for_it_goes_along_with_the_first_new_mail(
    own_session: Session, port: int, post: Post
) -> None:
    queue(own_session, ADA)
    for minute in range(30):
        send(own_session, NOW + minute * MINUTE)
    queue(own_session, BEP, "sign-in:1", now=NOW + 30 * MINUTE, is_secret=True)

    with open_office(post, port):
        report = send(own_session, NOW + 30 * MINUTE)

    assert report.changed == 2
    assert post.recipients == [BEP, ADA]


def test_after_three_days_a_mail_has_failed_and_an_event_without_the_address_says_so(
    own_session: Session, port: int
) -> None:
    assert port
    queue(own_session, event="sign-in:7", is_secret=True)
    at, due_at = NOW, NOW

    while due_at is not None:
        at = due_at
        send(own_session, at)
        due_at = row(own_session).due_at

    mail = row(own_session)
    (event,) = latest(own_session, "mail.", 10)
    assert 3 * DAY <= at - NOW < 3 * DAY + HOUR
    assert (mail.state, mail.attempts) == ("failed", 76)
    assert (mail.due_at, mail.text_body) == (None, None)
    assert (event.kind, event.subject_id, event.actor) == ("mail.failed", mail.id, "job:send_outbox")
    assert event.details == {"mail": "sign-in"}
    assert ADA not in str(event.reason)


def test_a_mail_that_waited_a_week_for_the_jobs_is_tried_before_it_is_given_up(
    own_session: Session, port: int, post: Post
) -> None:
    queue(own_session, now=NOW - 7 * DAY)
    send(own_session)

    with open_office(post, port):
        send(own_session, NOW + HOUR)

    assert post.recipients == [ADA]


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """The server's side of TLS, with a certificate that nobody knows yet."""
    return make_certificate(tmp_path / "server.pem")


@pytest.fixture
def known_certificate(certificate: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The same, of a server that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    return certificate


def test_a_server_that_refuses_our_password_is_a_server_that_is_away(
    own_app: Flask,
    own_session: Session,
    post: Post,
    known_certificate: ssl.SSLContext,
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = free_port()
    sends_to(own_app, port, "?starttls", login="abs:verkeerd%20woord@")
    queue(own_session)

    with open_office(post, port, tls_context=known_certificate, **with_password(post)):
        report = send(own_session)

    mail = row(own_session)
    assert post.logins
    assert (mail.state, mail.waits_for_server) == ("queued", True)
    assert (mail.error or "").startswith("535")
    assert len(report.errors) == 1
    assert "verkeerd" not in caplog.text + str(report.errors)


def test_a_server_gets_our_password_under_tls_when_it_asks_who_we_are(
    own_app: Flask, own_session: Session, post: Post, known_certificate: ssl.SSLContext
) -> None:
    port = free_port()
    sends_to(own_app, port, "?starttls", login=f"{USER}:{PASSWORD.replace(' ', '%20')}@")
    queue(own_session)

    with open_office(post, port, tls_context=known_certificate, **with_password(post)):
        report = send(own_session)

    assert report == JobReport(changed=1)
    assert post.logins == [USER]
    assert post.recipients == [ADA]


def test_a_server_that_speaks_tls_from_the_first_byte_gets_its_mail(
    own_app: Flask, own_session: Session, post: Post, known_certificate: ssl.SSLContext
) -> None:
    port = free_port()
    sends_to(own_app, port, scheme="smtps")
    queue(own_session)

    with open_office(post, port, ssl_context=known_certificate):
        send(own_session)

    assert post.recipients == [ADA]


def test_a_server_that_cannot_prove_who_it_is_gets_nothing(
    own_app: Flask, own_session: Session, post: Post, certificate: ssl.SSLContext
) -> None:
    port = free_port()
    sends_to(own_app, port, "?starttls", login=f"{USER}:geheim@")
    queue(own_session)

    with open_office(post, port, tls_context=certificate, **with_password(post)):
        report = send(own_session)

    assert "certificate verify failed" in report.errors[0]
    assert (post.logins, post.recipients) == ([], [])


def test_a_server_without_starttls_gets_nothing_when_it_was_asked_for(
    own_app: Flask, own_session: Session, post: Post
) -> None:
    port = free_port()
    sends_to(own_app, port, "?starttls")
    queue(own_session)

    with open_office(post, port):
        report = send(own_session)

    assert "STARTTLS" in report.errors[0]
    assert post.recipients == []


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(
    own_app: Flask, own_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "STEP_SECONDS", 0.2)
    queue(own_session)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        sends_to(own_app, silent.getsockname()[1])
        report = send(own_session)

    assert len(report.errors) == 1
    assert row(own_session).waits_for_server


def test_a_server_that_dribbles_is_cut_off_within_the_limit_of_all_steps_together(
    own_session: Session, office: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "ALL_STEPS_SECONDS", 0.3)
    office.stops = {"RCPT"}
    queue(own_session)

    assert send(own_session).changed == 0

    mail = row(own_session)
    assert (mail.state, mail.waits_for_server) == ("queued", False)
    assert service.CLAIM.total_seconds() > 4 * 60


# -- the server says later, or no -------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", ["450 4.2.0 Greylisted, come back later", "421 4.3.2 Closing"])
def test_a_mail_that_is_told_to_come_back_later_comes_back_and_others_do_not_wait_for_it(
    own_session: Session, office: Post, step: str, answer: str
) -> None:
    queue(own_session, ADA)
    queue(own_session, BEP)
    refusals = iter([answer])
    office.answers[step] = lambda _whom: next(refusals, None)

    first, early, later = (send(own_session, NOW + wait) for wait in (0 * MINUTE, MINUTE / 2, 2 * MINUTE))

    assert (first, early, later) == (JobReport(changed=1), JobReport(), JobReport(changed=1))
    assert office.recipients == [BEP, ADA]
    assert {mail.recipient: mail.attempts for mail in rows(own_session)} == {ADA: 2, BEP: 1}


def test_a_mail_that_is_always_told_to_come_back_later_has_failed_after_three_days(
    own_session: Session, office: Post
) -> None:
    office.answers["RCPT"] = lambda whom: f"450 {whom} is full"
    queue(own_session)

    reports = [send(own_session, NOW + hour * HOUR) for hour in range(74)]

    mail = row(own_session)
    assert (mail.state, mail.error) == ("failed", "450 *** is full")
    assert [error for report in reports for error in report.errors] == [f"mail {mail.id}: given up after three days"]
    assert [event.reason for event in latest(own_session, "mail.failed", 9)] == ["450 *** is full"]


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
def test_a_recipient_that_the_server_does_not_take_has_failed_with_its_sentence_and_others_get_theirs(
    own_session: Session, office: Post, step: str, caplog: pytest.LogCaptureFixture
) -> None:
    for address in (ADA, BEP, CAS):
        queue(own_session, address)
    office.answers[step] = lambda whom: f"550 5.1.1 <{whom}>: bep unknown" if whom == BEP else None

    report, again = send(own_session), send(own_session, NOW + DAY)

    refused = rows(own_session)[1]
    (event,) = latest(own_session, "mail.", 9)
    assert (report.changed, again) == (2, JobReport())
    assert report.errors == [f"mail {refused.id}: refused; the event log says why"]
    assert office.recipients == [ADA, CAS]
    assert (refused.state, refused.error) == ("failed", "550 5.1.1 <***>: *** unknown")
    assert (event.kind, event.subject_id, event.reason) == ("mail.failed", refused.id, "550 5.1.1 <***>: *** unknown")
    assert event.details == {"mail": "news"}
    assert BEP not in caplog.text


@pytest.mark.parametrize(
    ("step", "answer"), [("MAIL", "553 5.7.1 Sender not allowed"), ("RCPT", "530 5.7.0 Authenticate first")]
)
def test_a_server_that_does_not_take_us_fails_no_mail(
    own_session: Session, office: Post, step: str, answer: str
) -> None:
    office.answers[step] = lambda _whom: answer
    queue(own_session)
    send(own_session)
    del office.answers[step]

    send(own_session, NOW + 2 * MINUTE)

    assert office.recipients == [ADA]


def test_a_connection_that_breaks_half_way_is_made_anew_and_the_mail_goes_later_as_the_same_mail(
    own_session: Session, office: Post
) -> None:
    queue(own_session, ADA)
    queue(own_session, BEP)
    own_session.commit()
    message_id = rows(own_session)[0].message_id
    answers = iter(["BREAK"])
    office.answers["DATA"] = lambda _whom: next(answers, None)

    first, second = send(own_session), send(own_session, NOW + 2 * MINUTE)

    assert (first.changed, second.changed) == (1, 1)
    assert office.recipients == [BEP, ADA]
    assert office.deliveries[1].message_id == message_id
    assert office.connections == 3


def test_a_mail_that_we_cannot_make_does_not_stop_the_others(own_session: Session, office: Post) -> None:
    queue(own_session, ADA)
    queue(own_session, BEP)
    own_session.execute(text("UPDATE outgoing_mails SET reply_to = E'x\\ny' WHERE recipient = :to"), {"to": ADA})

    report = send(own_session)

    assert office.recipients == [BEP]
    assert (report.changed, len(report.errors)) == (1, 1)
    assert states(own_session) == {ADA: "queued", BEP: "sent"}


# -- several at once --------------------------------------------------------------------------------------------------


def test_two_senders_at_once_send_each_mail_once(own_app: Flask, own_session: Session, office: Post) -> None:
    addresses = [f"bewoner{number}@voorbeeld.example" for number in range(60)]
    for address in addresses:
        queue(own_session, address)
    own_session.commit()

    def sender() -> JobReport:
        with own_app.app_context():
            return send_outbox.run(NOW)  # without the lock of run_job, which would let in one of them

    reports = at_once([sender] * 3)

    assert sorted(office.recipients) == sorted(addresses)
    assert sum(report.changed for report in reports) == len(addresses)
    assert all(report.errors == [] for report in reports)
    assert office.connections > 1


def test_a_mail_that_somebody_is_sending_is_left_alone_until_the_claim_runs_out(
    own_app: Flask, own_session: Session, office: Post
) -> None:
    office.stops = {"MAIL"}
    queue(own_session)
    own_session.commit()

    def sender() -> JobReport:
        with own_app.app_context():
            return send_outbox.run(NOW)

    def another() -> JobReport:
        assert office.reached.wait(20)
        with own_app.app_context():
            report = send_outbox.run(NOW + 4 * MINUTE)
        office.may_go_on.set()
        return report

    assert at_once([sender, another]) == [JobReport(changed=1), JobReport()]
    assert office.recipients == [ADA]


def test_a_database_that_is_away_for_a_moment_does_not_make_us_send_what_the_server_has(
    own_session: Session, office: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_sent, calls = service.mark_sent, threading.Semaphore(1)

    def cut_the_line_once(session: Session, mail_id: int, **options: object) -> None:
        if calls.acquire(blocking=False):
            own_session.execute(
                text("SELECT pg_terminate_backend(:pid)"), {"pid": session.scalar(text("SELECT pg_backend_pid()"))}
            )
            own_session.rollback()
        partial(mark_sent, session, mail_id)(**options)  # type: ignore[arg-type]

    monkeypatch.setattr(service, "mark_sent", cut_the_line_once)
    queue(own_session)

    report, again = send(own_session), send(own_session, NOW + DAY)

    assert (report, again) == (JobReport(changed=1), JobReport())
    assert office.recipients == [ADA]


# -- what the logs hold -----------------------------------------------------------------------------------------------


def test_no_line_of_the_log_holds_an_address_a_subject_or_a_word_of_a_mail(
    own_session: Session, office: Post, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    answers = {ADA: "450 ada@voorbeeld.example later", BEP: "550 bep@voorbeeld.example unknown"}
    office.answers["RCPT"] = answers.get
    for address in (ADA, BEP, CAS):
        queue(own_session, address, "sign-in:1", mail=letter("Code 987654", "Geheim 987654"), is_secret=True)

    send(own_session)

    assert "mail postponed" in caplog.text
    assert "mail refused" in caplog.text
    assert [word for word in ("voorbeeld.example", "987654", "Geheim") if word in caplog.text] == []


def test_without_a_mail_server_production_says_so_and_loses_nothing(
    own_app: Flask, own_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(own_app.extensions["settings"], environment="production")
    monkeypatch.setitem(own_app.extensions, "settings", settings)
    queue(own_session)

    report = send(own_session)

    assert report.errors == ["RuntimeError: there is no mail server: set ABS_SMTP_URL"]
    assert row(own_session).state == "queued"


def test_in_development_mail_is_delivered_to_the_demo_and_a_secret_can_still_be_read(own_session: Session) -> None:
    queue(own_session, event="sign-in:1", is_secret=True)

    first, second = send(own_session), send(own_session)

    mail = row(own_session)
    assert (first, second) == (JobReport(changed=1), JobReport())
    assert (mail.state, mail.transport, mail.text_body) == ("sent", "demo", letter().text)
    assert isinstance(mail, OutgoingMail)
