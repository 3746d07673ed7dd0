# SPDX-License-Identifier: EUPL-1.2
"""Queueing: once per event and person, in the caller's transaction, and nothing that was typed becomes a header."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.routing import BuildError

from abs_platform import outbox
from abs_platform.config import Settings
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.mail.service import message_of
from abs_platform.mail_server import MailServer, read_address
from abs_platform.outbox import OutgoingMail, RenderedMail
from tests.concurrency.racing import at_once, committed
from tests.mail.letters import CONTEXT, NOW, know_the_example, letter, queue, row, rows

ADA = "ada@voorbeeld.example"


@pytest.fixture(autouse=True)
def _example(app: Flask, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    know_the_example(app, monkeypatch)
    if "own_app" in request.fixturenames:
        know_the_example(request.getfixturevalue("own_app"), monkeypatch)


@pytest.fixture
def settings(app: Flask) -> Settings:
    used: Settings = app.extensions["settings"]
    return used


def as_read(mail: OutgoingMail, settings: Settings) -> EmailMessage:
    """The mail as the mail program of the recipient reads it."""
    read = message_from_bytes(bytes(message_of(mail, settings)), policy=default)
    assert isinstance(read, EmailMessage)
    return read


# -- once -------------------------------------------------------------------------------------------------------------


def test_an_event_is_mailed_to_a_person_once_however_the_address_is_written(session: Session) -> None:
    new = [queue(session, address) for address in ("Ada@Voorbeeld.example", "ada@voorbeeld.example ", "bep@x.example")]
    another_event = queue(session, event="news:2")

    session.commit()
    assert (new, another_event) == ([True, False, True], True)
    assert [mail.recipient for mail in rows(session)] == [ADA, "bep@x.example", ADA]


def test_two_who_queue_the_same_event_at_once_queue_it_once(own_app: Flask, own_session: Session) -> None:
    answers = at_once([committed(own_app, queue)] * 4)

    assert sorted(map(str, answers)) == ["False", "False", "False", "True"]
    assert row(own_session).recipient == ADA


def test_a_mail_of_which_the_address_is_forgotten_is_still_not_sent_again(session: Session) -> None:
    queue(session)
    session.execute(text("UPDATE outgoing_mails SET state = 'failed', due_at = NULL, recipient = NULL"))

    assert queue(session) is False


def test_what_is_rolled_back_is_not_mailed(own_app: Flask, own_session: Session) -> None:
    def break_off(session: Session) -> None:
        queue(session)
        raise Conflict("toch niet")

    answer = committed(own_app, break_off)()

    assert isinstance(answer, Conflict)
    assert rows(own_session) == []


def test_a_queued_mail_is_due_at_once_and_has_an_identity_of_its_own(session: Session) -> None:
    queue(session)
    queue(session, event="news:2")

    first, second = (mail for mail in session.query(OutgoingMail).order_by(OutgoingMail.id))
    assert (first.state, first.due_at, first.attempts, first.is_secret) == ("queued", NOW, 0, False)
    assert first.message_id.endswith("@localhost>")
    assert first.message_id != second.message_id


# -- what is refused --------------------------------------------------------------------------------------------------

BAD_ADDRESSES = [
    "",
    "ada",
    "ada@",
    "@voorbeeld.example",
    "ada@voorbeeld",
    "ada voorbeeld@voorbeeld.example",
    "ada@voorbeeld.example, bep@voorbeeld.example",
    "Ada <ada@voorbeeld.example>",
    "ada@voorbeeld.example\nBcc: bep@voorbeeld.example",
    "ada@voorbeeld.example\r\nBcc: bep@voorbeeld.example",
    "ada\x00@voorbeeld.example",
    "ada..b@voorbeeld.example",
    ".ada@voorbeeld.example",
    "ada@-voorbeeld.example",
    "ada@voor_beeld.example",
    "ada@[127.0.0.1]",
    "ada@127.0.0.1",
    "zoë@voorbeeld.example",
    f"{'a' * 65}@voorbeeld.example",
    f"ada@{'a' * 64}.example",
    f"ada@{'voorbeeld.' * 30}example",
    "ada@voorb\udc80eeld.example",
    "a@b@voorbeeld.example",
]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_what_is_no_address_is_refused_as_recipient_and_as_reply_address(session: Session, address: str) -> None:
    with pytest.raises(InvalidInput, match="geen goed e-mailadres"):
        queue(session, address)
    with pytest.raises(InvalidInput, match="geen goed e-mailadres"):
        queue(session, reply_to=address or "x")

    assert session.query(OutgoingMail).count() == 0


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" Ada.de-Vries+buurt@Voorbeeld.EXAMPLE ", "ada.de-vries+buurt@voorbeeld.example"),
        ("o'neill_1@sub.voorbeeld.example", "o'neill_1@sub.voorbeeld.example"),
        ("info@bücher.example", "info@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_kept_as_mail_servers_know_it(written: str, kept: str) -> None:
    assert read_address(written) == kept


@pytest.mark.parametrize(
    "subject", ["Nieuws\nBcc: bep@x.example", "Nieuws\r\nBcc: bep@x.example", "Nieuws\x0b\u2028Bcc: bep@x.example"]
)
def test_a_subject_is_one_line_and_never_another_header(session: Session, settings: Settings, subject: str) -> None:
    queue(session, mail=letter(subject))

    mail = session.query(OutgoingMail).one()
    message = as_read(mail, settings)
    assert message["Subject"] == mail.subject == "Nieuws Bcc: bep@x.example"
    assert message["Bcc"] is None


@pytest.mark.parametrize("title", ["Bomen\nBcc: bep@x.example", "Bomen\r\n\r\nHallo"])
def test_what_a_resident_wrote_stays_in_the_subject(session: Session, settings: Settings, title: str) -> None:
    outbox.queue(session, "example", to=ADA, event="news:1", now=NOW, **CONTEXT | {"title": title})

    mail = session.query(OutgoingMail).one()
    message = as_read(mail, settings)
    assert message["Subject"] == f"Nieuws over {' '.join(title.split())}"
    assert (mail.text_body or "").startswith("Hoi Zoë")
    assert message["Bcc"] is None


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x.example/>\nBcc: a@b.example", "https://x y", ""])
def test_an_address_to_unsubscribe_must_be_one(session: Session, url: str) -> None:
    with pytest.raises(ValueError, match="address of a page"):
        queue(session, unsubscribe_url=url)


def test_an_event_has_a_name(session: Session) -> None:
    with pytest.raises(ValueError, match="name"):
        queue(session, event="")


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("recipient = 'Ada@voorbeeld.example'", "recipient_lower_case"),
        ("recipient = NULL", "waiting_can_be_sent"),
        ("subject = E'a\\nb'", "subject_one_line"),
        ("text_body = NULL", "content_whole_or_gone"),
        ("subject = NULL, text_body = NULL, html_body = NULL", "waiting_can_be_sent"),
        ("state = 'sent', due_at = NULL", "sent_at_when_sent"),
        ("state = 'failed'", "due_at_when_waiting"),
        ("state = 'lost', due_at = NULL", "state_known"),
        ("transport = 'smtp'", "transport_when_sent"),
        ("attempts = -1", "attempts_not_negative"),
    ],
)
def test_the_database_refuses_a_mail_that_is_not_right(session: Session, change: str, constraint: str) -> None:
    queue(session)

    with pytest.raises(IntegrityError, match=f"ck_outgoing_mails_{constraint}"):
        session.execute(text(f"UPDATE outgoing_mails SET {change}"))


# -- what goes over the line ------------------------------------------------------------------------------------------


def test_a_mail_has_text_and_html_and_says_from_whom_and_that_a_machine_wrote_it(
    session: Session, settings: Settings
) -> None:
    outbox.queue(
        session,
        "example",
        to=ADA,
        event="news:1",
        now=NOW,
        reply_to="Bep@Voorbeeld.example",
        unsubscribe_url="https://x.example/uit?n=1",
        **CONTEXT,
    )

    message = as_read(session.query(OutgoingMail).one(), replace(settings, mail_from="noreply@x.example"))

    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert plain is not None
    assert html is not None
    assert (plain.get_content_charset(), html.get_content_charset()) == ("utf-8", "utf-8")
    assert "Hoi Zoë <b>Ünal</b>," in plain.get_content()
    assert "Hoi Zoë &lt;b&gt;Ünal&lt;/b&gt;," in html.get_content()
    assert message["From"] == "Almelo Buurt Samen <noreply@x.example>"
    assert message["To"] == ADA
    assert message["Reply-To"] == "bep@voorbeeld.example"
    assert message["Subject"] == "Nieuws over Bomen & bankjes"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == "<https://x.example/uit?n=1>"
    assert message["MIME-Version"] == "1.0"


def test_over_the_line_go_only_ascii_and_lines_that_every_server_takes(session: Session, settings: Settings) -> None:
    queue(session, mail=letter("Zoë " * 40, "Ünïcode €\u00a07,50 " * 400))

    raw = bytes(message_of(session.query(OutgoingMail).one(), settings))

    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 78 + 20


def test_who_answers_reaches_the_municipality(session: Session, settings: Settings) -> None:
    queue(session)

    message = as_read(session.query(OutgoingMail).one(), replace(settings, mail_from="noreply@x.example"))

    assert message["Reply-To"] == settings.municipality.contact_email


def test_made_twice_a_mail_is_the_same_to_the_last_byte(session: Session, settings: Settings) -> None:
    queue(session)
    mail = session.query(OutgoingMail).one()

    assert bytes(message_of(mail, settings)) == bytes(message_of(mail, settings))


# -- rendering --------------------------------------------------------------------------------------------------------


def test_what_was_shown_is_what_is_queued(session: Session) -> None:
    shown = outbox.preview("example", **CONTEXT)

    outbox.queue_rendered(session, shown, to=ADA, event="a:1", now=NOW)
    outbox.queue(session, "example", to=ADA, event="b:1", now=NOW, **CONTEXT)

    for mail in session.query(OutgoingMail):
        assert RenderedMail(str(mail.subject), str(mail.text_body), str(mail.html_body)) == shown


def test_the_plain_text_is_tidy_and_ends_with_who_sends_it(app: Flask) -> None:
    with app.app_context():
        mail = outbox.preview("example", **CONTEXT)

    assert mail.text == (
        "Hoi Zoë <b>Ünal</b>,\n\n123 456\n\n> Kun je dit\n> aanpassen?\n\nBekijk het:\n"
        "http://localhost/initiatieven?zoek=Bomen+%26+bankjes\n\n--\n"
        "Je krijgt deze mail omdat je meedoet met Almelo Buurt Samen.\n\n"
        "Heb je een vraag? We helpen je graag.\nbuurtsamen@almelo.example, 14 0546\n\n"
        "Almelo Buurt Samen\nhttp://localhost\n"
    )


def test_a_mail_reads_the_same_from_a_page_and_from_a_job(app: Flask) -> None:
    with app.app_context():
        from_job = outbox.preview("example", **CONTEXT)
    with app.test_request_context("/", base_url="https://een-ander.example"):
        from_page = outbox.preview("example", **CONTEXT)

    assert from_page == from_job


def test_on_a_page_of_ours_a_mail_has_no_style_no_script_and_no_second_title(app: Flask) -> None:
    with app.app_context():
        mail = outbox.preview("example", **CONTEXT)

    assert "<h2>" in mail.shown
    assert 'href="http://localhost/initiatieven?zoek=Bomen+%26+bankjes"' in mail.shown
    assert "&lt;b&gt;Ünal" in mail.shown
    assert [bad for bad in ("<h1", "style", "<title", "<html", "role=") if bad in mail.shown] == []
    assert outbox.shown('<p onclick="x()">a<script>b</script><img src=x><a href="javascript:c()">d</a></p>') == (
        '<p>a<a class="utrecht-link" rel="noopener noreferrer">d</a></p>'
    )


def test_an_absolute_address_is_that_of_the_site_also_without_a_request(app: Flask) -> None:
    with app.app_context():
        assert outbox.site_url("pages.home") == "http://localhost/"
        assert outbox.site_url("initiatives.show", initiative_id=7, slug="bank", _anchor="vragen") == (
            "http://localhost/initiatieven/7-bank#vragen"
        )
        with pytest.raises(BuildError):
            outbox.site_url("pages.nowhere")


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("smtp://smtp.example", ("smtp.example", 25, "none", "", "")),
        (
            "smtp://a%40b.example:p%3Aw%20d@smtp.example?starttls",
            ("smtp.example", 587, "starttls", "a@b.example", "p:w d"),
        ),
        ("smtps://u:p@smtp.example", ("smtp.example", 465, "tls", "u", "p")),
        ("smtps://u:p@smtp.example:2465/", ("smtp.example", 2465, "tls", "u", "p")),
        ("smtp://u:p@localhost:1025", ("localhost", 1025, "none", "u", "p")),
    ],
)
def test_the_address_of_a_mail_server_is_read(url: str, read: tuple[str, int, str, str, str]) -> None:
    server = MailServer.parse(url)

    assert (server.host, server.port, server.security, server.user, server.password) == read
    assert "user" not in repr(server)
    assert "password" not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "smtp.example:25",
        "http://smtp.example",
        "smtp://",
        "smtp://:25",
        "smtp://h:port",
        "smtp://h:0",
        "smtp://h:99999",
        "smtp://h/pad",
        "smtp://h?tls",
        "smtps://h?starttls",
        "smtp://h#x",
        "smtp://geheim@h?starttls",
        "smtp://u:geheim@h",
        "smtp://u:geh%C3%A9im@h?starttls",
        "smtp://u:geheim@[",
    ],
)
def test_another_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"it is not|it sends|give both|ASCII") as refused:
        MailServer.parse(url)

    assert "geh" not in str(refused.value)
    assert refused.value.__cause__ is None or "geheim" not in str(refused.value.__cause__)


def test_a_mail_is_queued_at_the_moment_of_its_event(session: Session) -> None:
    later = NOW + dt.timedelta(hours=2)

    queue(session, now=later)

    mail = session.query(OutgoingMail).one()
    assert (mail.queued_at, mail.due_at) == (later, later)
