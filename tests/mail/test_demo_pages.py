# SPDX-License-Identifier: EUPL-1.2
"""The mails of the demo: everyone who tries it out may read them, and in production there is no such page."""

from __future__ import annotations

import contextvars
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from abs_platform import create_app, outbox
from abs_platform.mail.queries import PAGE_SIZE
from abs_platform.outbox import OutgoingMail, RenderedMail
from jobs import send_outbox
from tests.conftest import make_settings
from tests.mail.letters import CONTEXT, NOW, know_the_example, letter, queue
from tests.page import Browser

ADA = "ada@voorbeeld.example"


def only_id(session: Session) -> int:
    session.commit()
    return session.query(OutgoingMail.id).scalar()


def test_a_mail_can_be_read_at_once_before_it_is_sent(
    app: Flask, session: Session, browser_client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_the_example(app, monkeypatch)
    outbox.queue(session, "example", to=ADA, event="sign-in:1", now=NOW, is_secret=True, **CONTEXT)
    number = only_id(session)

    listed, page = browser_client.get("/demo/mail"), browser_client.get(f"/demo/mail/{number}")

    assert "Nieuws over Bomen & bankjes" in listed.text
    assert f"Aan {ADA} · 22 november 2026 om 14.35 uur · wacht op verzenden" in listed.text
    assert page.one("h1").to_text() == "Nieuws over Bomen & bankjes"
    assert "123 456" in page.one("[data-mail-html]").to_text()
    assert "123 456" in page.one("[data-mail-text]").to_text()
    assert "Hoi Zoë <b>Ünal</b>," in page.one("[data-mail-html]").to_text()
    assert page.all('[data-mail-html] a[href^="http://localhost/initiatieven"]')
    assert page.all("[data-mail-html] b") == []


def test_after_it_was_sent_it_can_still_be_read(session: Session, browser_client: Browser) -> None:
    queue(session, event="sign-in:1", is_secret=True)
    number = only_id(session)
    send_outbox.run(NOW)

    page = browser_client.get(f"/demo/mail/{number}")

    assert "Hoi, hier is nieuws." in page.text
    assert "verzonden" in page.text


def test_a_mail_cannot_bring_script_or_style_onto_the_page(session: Session, browser_client: Browser) -> None:
    bad = '<p style="x" onclick="x()">Hoi<script>x()</script><style>x</style><iframe src="//x.example"></iframe></p>'
    queue(session, mail=RenderedMail("Onderwerp <script>", "<script>alert(1)</script>", bad))

    page = browser_client.get(f"/demo/mail/{only_id(session)}")

    assert page.one("[data-mail-html]").to_text().strip() == "Hoi"
    assert page.one("[data-mail-text]").to_text().strip() == "<script>alert(1)</script>"
    assert page.all("iframe") == []


def test_a_mail_that_was_wiped_says_so(session: Session, browser_client: Browser) -> None:
    queue(session)
    number = only_id(session)
    session.execute(
        text(
            "UPDATE outgoing_mails SET state = 'failed', due_at = NULL, recipient = NULL, subject = NULL,"
            " text_body = NULL, html_body = NULL"
        )
    )
    session.commit()

    assert "bewaren we niet langer" in browser_client.get(f"/demo/mail/{number}").text
    assert "Aan gewist" in browser_client.get("/demo/mail").text


def test_mails_stand_newest_first_on_pages_and_are_found_by_address(session: Session, browser_client: Browser) -> None:
    for number in range(PAGE_SIZE):
        queue(session, ADA, f"news:{number}", mail=letter(f"Nieuws {number}"))
    queue(session, "bep_1@voorbeeld.example", mail=letter("Voor Bep"))
    session.commit()

    first, second = browser_client.get("/demo/mail"), browser_client.get("/demo/mail?pagina=2")
    bep, nobody = browser_client.get("/demo/mail?zoek=BEP_1"), browser_client.get("/demo/mail?zoek=b%25")

    assert "51 mails" in first.text
    assert first.text.index("Voor Bep") < first.text.index("Nieuws 49") < first.text.index("Nieuws 48")
    assert "Nieuws 0" not in first.text
    assert "Nieuws 0" in second.text
    assert "1 mail" in bep.text
    assert "Voor Bep" in bep.text
    assert bep.field("zoek") == "BEP_1"
    assert "Geen mails gevonden" in nobody.text


@pytest.mark.parametrize("path", ["/demo/mail/999999", f"/demo/mail/{2**63}", "/demo/mail/x", "/demo/mail/"])
@pytest.mark.usefixtures("session")
def test_a_mail_that_is_not_there_is_not_found(browser_client: Browser, path: str) -> None:
    browser_client.get(path, status=404)


@pytest.mark.parametrize("search", ["", "?zoek=%00", "?zoek=a&pagina=-1", "?pagina=9999999", "?pagina=x"])
@pytest.mark.usefixtures("session")
def test_a_strange_search_finds_nothing_and_breaks_nothing(browser_client: Browser, search: str) -> None:
    assert "Geen mails gevonden" in browser_client.get(f"/demo/mail{search}").text


@pytest.mark.parametrize("path", ["/demo/mail", "/demo/mail/1"])
def test_in_production_there_are_no_such_pages(app: Flask, session: Session, tmp_path: Path, path: str) -> None:
    queue(session)
    session.commit()
    used = make_settings(str(app.config["SQLALCHEMY_DATABASE_URI"]), tmp_path)
    production = create_app(replace(used, environment="production", base_url="https://buurt.example"))

    answer = contextvars.Context().run(production.test_client().get, path, base_url="https://buurt.example")

    assert answer.status_code == 404
    assert [rule for rule in production.url_map.iter_rules() if "demo" in str(rule)] == []
