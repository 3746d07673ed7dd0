# SPDX-License-Identifier: EUPL-1.2
"""The coordinator writes the texts of the site: preview, history, putting back, and two who write at once."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.event_log.sentences import sentence, shown_details
from abs_platform.events import Event
from abs_platform.site_texts import service
from abs_platform.site_texts.content import default_text
from abs_platform.site_texts.models import SiteTextVersion
from abs_platform.site_texts.states import SitePage
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser
from tests.people import People
from tests.site_texts.writing import write

PATH = "/beheer/teksten/over/nl"


@pytest.fixture
def coordinator(app: Flask, factory: Factory) -> Browser:
    """Who coordinates."""
    return People(app, factory).coordinator()


def count(session: Session) -> int:
    return len(list(session.scalars(select(SiteTextVersion.id))))


def test_the_coordinator_previews_saves_compares_and_puts_back(coordinator: Browser, session: Session) -> None:
    assert "Over ons" in coordinator.get("/beheer/teksten").text
    form = coordinator.get(PATH)

    preview = coordinator.submit(form, PATH, body="Wij zijn nieuw! Een voucher is {bedrag}.", doe="voorbeeld")
    assert "Een voucher is €\u00a07,50." in preview.one("#voorbeeld").to_text()
    assert count(session) == 0
    saved = coordinator.submit(preview, PATH, note="Korter", doe="opslaan")
    assert "De nieuwe tekst staat op de site." in saved.text
    assert "Wij zijn nieuw!" in coordinator.get("/over").text
    assert "Wij zijn nieuw!" not in coordinator.get("/en/over").text

    version = coordinator.get(f"{PATH}/geschiedenis/1")
    assert "Wij zijn nieuw!" in version.one("ins").to_text()
    old = coordinator.get(f"{PATH}/geschiedenis/0")
    back = coordinator.submit(old, f"{PATH}/geschiedenis/0/terugzetten")
    assert "Deze tekst staat weer op de site." in back.text
    assert "De tekst van het platform teruggezet" in back.text
    assert "Wij zijn nieuw!" not in coordinator.get("/over").text
    assert count(session) == 2


def test_who_saves_after_a_colleague_sees_both_texts_and_may_go_on(coordinator: Browser, session: Session) -> None:
    form = coordinator.get(PATH)
    write(session, SitePage.ABOUT, "nl", "Van een collega.")
    session.commit()

    refused = coordinator.submit(form, PATH, body="Van mij.", doe="opslaan", status=409)

    assert "een collega." in refused.one("del").to_text()
    assert "Van mij." in refused.one("textarea").to_text()
    coordinator.submit(refused, PATH, doe="opslaan")
    assert [row.body for row in session.scalars(select(SiteTextVersion).order_by(SiteTextVersion.version))] == [
        "Van een collega.",
        "Van mij.",
    ]


def test_a_text_that_cannot_be_filled_in_comes_back_with_a_sentence(coordinator: Browser, session: Session) -> None:
    form = coordinator.get(PATH)

    refused = coordinator.submit(form, PATH, body="Je krijgt {bedraag}.", doe="opslaan", status=422)

    assert "{bedraag} kennen we niet." in refused.text
    assert "Je krijgt {bedraag}." in refused.one("textarea").to_text()
    assert count(session) == 0


def test_saving_what_is_there_makes_no_version(coordinator: Browser, session: Session) -> None:
    said = coordinator.submit(coordinator.get(PATH), PATH, doe="opslaan")

    assert "Er is niets veranderd." in said.text
    assert count(session) == 0


def test_a_change_stands_in_the_log_with_who_and_what(coordinator: Browser, session: Session) -> None:
    coordinator.submit(coordinator.get(PATH), PATH, body="Nieuw.", note="Korter", doe="opslaan")

    event = session.scalars(select(Event).where(Event.kind == "site_text.saved")).one()
    assert event.actor.startswith("staff:")
    assert sentence(event, "") == "Een tekst van de site is gewijzigd."
    assert ("pagina", "over") in shown_details(event)
    assert "Een tekst van de site is gewijzigd." in coordinator.get("/beheer/logboek").text


@pytest.mark.parametrize("path", ["/beheer/teksten/over/tr", "/beheer/teksten/over/nl/geschiedenis/7"])
def test_what_is_not_there_is_not_found(coordinator: Browser, path: str) -> None:
    coordinator.get(path, status=404)


def test_only_the_coordinator_writes(app: Flask, factory: Factory) -> None:
    manager = People(app, factory).manager()

    for path in ("/beheer/teksten", PATH, f"{PATH}/geschiedenis", f"{PATH}/geschiedenis/0"):
        manager.get(path, status=403)


def put_back(session: Session, version: int) -> int:
    return service.put_back(session, SitePage.ABOUT, "nl", version, account_id=None, actor=TEST_ACTOR, now=clock.now())


def test_what_is_shown_already_is_not_put_back_and_what_never_was_neither(session: Session) -> None:
    write(session, SitePage.ABOUT, "nl", "Nieuw.")

    with pytest.raises(Conflict):
        put_back(session, 1)
    with pytest.raises(NotFound):
        put_back(session, 9)
    assert put_back(session, 0) == 2
    assert service.body_of(session, SitePage.ABOUT, "nl", 2) == default_text(SitePage.ABOUT, "nl")


def test_the_database_keeps_every_version_once(session: Session) -> None:
    write(session, SitePage.ABOUT, "nl", "Nieuw.")

    with pytest.raises(DBAPIError, match="site_text_versions"):
        session.execute(
            text(
                "INSERT INTO site_text_versions (page, language, version, body, made_at) "
                "VALUES ('over', 'nl', 1, 'Anders', now())"
            )
        )


def test_a_service_refuses_what_the_form_refuses(session: Session) -> None:
    with pytest.raises(InvalidInput):
        write(session, SitePage.ABOUT, "nl", "{onzin}")
