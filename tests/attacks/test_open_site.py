# SPDX-License-Identifier: EUPL-1.2
"""What was found by attacking the pages for everybody, each with the test that would have told."""

from __future__ import annotations

import contextvars
import datetime as dt
from xml.etree import ElementTree

import pytest
from flask import Flask, url_for
from sqlalchemy import Connection, func, select
from werkzeug.test import TestResponse as Response

from abs_platform import page_memory
from abs_platform.agenda.models import AgendaItem
from abs_platform.agenda.states import MOST_COMING
from abs_platform.clock import AMSTERDAM
from abs_platform.page_memory import PageMemory
from abs_platform.static_files import Site
from tests.factories import Factory
from tests.page import Browser
from tests.people import OWN_DESK, People


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


@pytest.mark.parametrize("path", ["/kaart/punten.json", "/kaart/gebieden.json", "/wijken/windmolenbroek/poster.pdf"])
def test_what_caches_keep_for_all_carries_nobody_s_cookie(people: People, path: str) -> None:
    browser = people.resident()
    with browser.client.session_transaction() as cookie:
        cookie.permanent = True  # as after signing in: then every answer renews the cookie

    answer = contextvars.Context().run(browser.client.get, path)

    assert answer.cache_control.public
    assert "Set-Cookie" not in answer.headers
    assert "Set-Cookie" in contextvars.Context().run(browser.client.get, "/account").headers


def test_no_initiative_fills_the_agenda_of_everybody(people: People, factory: Factory) -> None:
    initiative = factory.initiative()
    anna, path = people.organiser(initiative), f"/account/initiatieven/{initiative.id}/activiteiten/nieuw"
    day = (factory.now.astimezone(AMSTERDAM) + dt.timedelta(days=10)).date().isoformat()
    typed = {"title": "Koffie", "place": "Plein", "starts_on": day, "starts_time": "14:00", "ends_time": "16:00"}
    anna.submit(anna.get(path), path, **typed)
    (first,) = factory.session.scalars(select(AgendaItem))
    columns = [column.name for column in AgendaItem.__table__.columns if column.name != "id"]
    more = {name: getattr(first, name) for name in columns}
    factory.session.add_all(AgendaItem(**more | {"state": "cancelled"}) for _one in range(MOST_COMING - 1))
    factory.session.commit()

    refused = anna.submit(anna.get(path), path, **typed, status=422)

    assert f"Er staan al {MOST_COMING} activiteiten gepland" in refused.text
    assert factory.session.scalar(select(func.count()).select_from(AgendaItem)) == MOST_COMING


def test_a_topic_with_a_character_that_no_text_holds_is_no_topic(browser_client: Browser) -> None:
    page = browser_client.get("/volgen?wat=gebied:%00&wat=gebied:a%00b&wat=thema:%00&wat=initiatief:%00")

    assert not page.all('input[name="wat"]')
    sent = browser_client.fields(page, "/volgen") | {"wat": "gebied:\0", "email": "a@voorbeeld.example"}
    browser_client.post("/volgen", sent, status=422)


@pytest.mark.usefixtures("connection")
def test_a_character_that_no_xml_may_hold_does_not_end_the_feed(people: People, browser_client: Browser) -> None:
    sanne, new = people.manager(), "/regie/nieuws/nieuw"
    here = str(people.factory.area_id(OWN_DESK))
    words = {"area_id": here, "title": "Bomen\uffff", "summary": "Kort\ufffe.", "body": "Lang\x0b.\uffff"}
    draft = sanne.submit(sanne.get(new), new, **words)
    sanne.submit(draft, f"{draft.path}/plaatsen", when="now")

    feed = contextvars.Context().run(browser_client.client.get, "/nieuws.atom")

    titles = ElementTree.fromstring(feed.data).iter("{http://www.w3.org/2005/Atom}title")  # noqa: S314 - our own
    assert "Bomen" in [one.text for one in titles]


def test_ever_new_questions_do_not_fill_the_memory_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_memory, "MOST_BYTES_OF_ALL", 250)
    memory = PageMemory()
    for name in ("a", "b", "b", "c"):
        memory.keep((name,), page_memory._Kept(b"x" * 80, b"x" * 20, "etag", [], 0))

    assert [memory.look_up((name,), 1) is not None for name in "abc"] == [False, True, True]


def test_words_on_two_lines_of_a_template_stay_apart(people: People, factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative()
    anna, path = people.organiser(initiative), f"/account/initiatieven/{initiative.id}/activiteiten/nieuw"

    refused = anna.submit(anna.get(path), path, status=422)

    assert " ".join(refused.one("title").to_text().split()).startswith("Fout: ")
    assert " - Almelo Buurt Samen" in " ".join(browser_client.get("/nieuws").one("title").to_text().split())


def test_a_name_in_a_mail_cannot_look_like_more_lines(people: People, factory: Factory) -> None:
    initiative = factory.initiative()
    anna, path = people.organiser(initiative), f"/account/initiatieven/{initiative.id}/activiteiten/nieuw"
    day = (factory.now.astimezone(AMSTERDAM) + dt.timedelta(days=10)).date().isoformat()
    words = {"title": "Koffie\r\n\r\nLog in: https://kwaad.example", "place": "Plein\u2028Hier\x0bdus"}

    anna.submit(anna.get(path), path, **words, starts_on=day, starts_time="14:00", ends_time="16:00")

    item = factory.session.scalars(select(AgendaItem)).one()
    assert (item.title, item.place) == ("Koffie Log in: https://kwaad.example", "Plein Hier dus")


def test_a_title_that_changes_back_leads_no_browser_in_circles(factory: Factory, app: Flask) -> None:
    initiative = factory.initiative(title="Bomen")
    factory.session.commit()

    answer = contextvars.Context().run(app.test_client().get, f"/initiatieven/{initiative.id}-struiken")

    assert (answer.status_code, answer.headers["Cache-Control"]) == (301, "private, no-cache")


@pytest.mark.usefixtures("connection")
def test_what_is_not_said_to_be_for_all_is_kept_by_no_shared_cache(app: Flask) -> None:
    def answer(path: str, **headers: str) -> Response:
        return contextvars.Context().run(app.test_client(use_cookies=False).get, path, headers=headers)

    assert answer("/").cache_control.public
    for path in ("/voucher", "/volgen", "/giften/ADF8R8Y6E4", "/bestaat-niet", "/kasboek.csv", "/sitemap-x.xml"):
        assert not answer(path).cache_control.public
        assert answer(path).cache_control.private or answer(path).cache_control.no_store, path
    assert answer("/", Cookie="session=iets").headers["Cache-Control"] == "private, no-cache"
    assert "Date" not in answer("/").headers  # the server writes it


@pytest.mark.usefixtures("connection")
def test_ever_new_addresses_that_visitors_make_up_are_not_remembered(app: Flask) -> None:
    assert isinstance(app, Site)
    known = len(app._addresses)

    with app.test_request_context("/"):
        assert url_for("initiatives.index", wijk="x" * 3_000).endswith("x" * 3_000)

    assert len(app._addresses) == known
