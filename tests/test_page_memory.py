# SPDX-License-Identifier: EUPL-1.2
"""Public pages are kept for a moment for who is not signed in, and never for who may be."""

from __future__ import annotations

import contextvars
import gzip
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from abs_platform import page_memory
from abs_platform.page_memory import FRESH_SECONDS, SHARED, STALE_SECONDS, PageMemory
from abs_platform.security import access_of
from tests.factories import Factory
from tests.page import Browser

PAGES = ("/", "/initiatieven", "/cijfers", "/kasboek")


@pytest.fixture
def memory(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageMemory]:
    """The app of this worker while it remembers pages."""
    made = PageMemory()
    monkeypatch.setitem(app.extensions, "page_memory", made)
    yield made
    made.forget_all()


def fetch(app: Flask, path: str, **headers: str) -> TestResponse:
    """A page, as somebody whom we never saw gets it."""
    return contextvars.Context().run(app.test_client(use_cookies=False).get, path, headers=headers)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.usefixtures("memory", "connection")
def test_a_page_says_how_long_it_may_be_kept_and_whether_it_changed(app: Flask, path: str) -> None:
    first = fetch(app, path)
    again = fetch(app, path, **{"If-None-Match": first.headers["ETag"]})

    assert first.status_code == 200
    assert f"s-maxage={FRESH_SECONDS}" in first.headers["Cache-Control"]
    assert "Cookie" in first.headers["Vary"]
    assert "Set-Cookie" not in first.headers
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.usefixtures("memory")
def test_a_visitor_gets_the_page_of_a_moment_ago_and_later_a_new_one(
    app: Flask, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [100.0]
    monkeypatch.setattr(page_memory.time, "monotonic", lambda: seconds[0])
    fetch(app, "/initiatieven")
    factory.initiative(title="Een gloednieuw plan")
    factory.session.commit()

    seconds[0] += FRESH_SECONDS - 1
    assert "Een gloednieuw plan" not in fetch(app, "/initiatieven").text
    seconds[0] += 2
    assert "Een gloednieuw plan" in fetch(app, "/initiatieven").text


@pytest.mark.usefixtures("memory")
def test_who_sends_a_cookie_gets_a_page_of_her_own(app: Flask, factory: Factory) -> None:
    account = factory.account("iemand@example.org", name="Iemand")
    token = factory.session_of(account)
    factory.session.commit()
    fetch(app, "/")
    browser = Browser(app).sign_in(token)

    page = browser.get("/")

    assert "Mijn account" in page.text
    assert page.response.headers["Cache-Control"] == "no-store"
    assert "Mijn account" not in fetch(app, "/").text


@pytest.mark.usefixtures("memory", "connection")
def test_pages_are_kept_apart_by_address_language_and_query(app: Flask) -> None:
    seen = [fetch(app, path).data for path in ("/initiatieven", "/en/initiatieven", "/initiatieven?zoek=bomen")]

    assert len(set(seen)) == 3
    assert [fetch(app, path).data for path in ("/initiatieven", "/en/initiatieven", "/initiatieven?zoek=bomen")] == seen


@pytest.mark.usefixtures("memory", "connection")
def test_a_kept_page_is_sent_compressed_to_who_can_read_that(app: Flask) -> None:
    plain = fetch(app, "/")
    zipped = fetch(app, "/", **{"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert len(zipped.data) < len(plain.data) / 3


@pytest.mark.parametrize("accepted", ["gzip, br", ""])
@pytest.mark.usefixtures("memory", "connection")
def test_a_fresh_page_is_handed_out_at_the_door_with_all_its_headers(
    app: Flask, monkeypatch: pytest.MonkeyPatch, accepted: str
) -> None:
    asked = {"Accept-Encoding": accepted}
    first = fetch(app, "/", **asked)
    monkeypatch.setattr(app, "full_dispatch_request", lambda: pytest.fail("Flask was asked"))

    again = fetch(app, "/", **asked)
    numbered = fetch(app, "/", **asked, **{"X-Request-ID": "abc123"})

    assert again.data == first.data
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert numbered.headers["X-Request-ID"] == "abc123"
    assert [{**one.headers, "X-Request-ID": ""} for one in (again, numbered)] == [
        {**first.headers, "X-Request-ID": ""}
    ] * 2


@pytest.mark.parametrize(
    "header",
    [{"Cookie": "a=b"}, {"Authorization": "Basic a"}, {"If-None-Match": "a"}, {"Host": "elsewhere.example"}],
    ids=lambda header: next(iter(header)),
)
@pytest.mark.usefixtures("memory", "connection")
def test_who_is_one_of_a_kind_passes_the_door(
    app: Flask, monkeypatch: pytest.MonkeyPatch, header: dict[str, str]
) -> None:
    fetch(app, "/")
    monkeypatch.setattr(app, "full_dispatch_request", lambda: app.response_class("made now"))

    assert fetch(app, "/").text != "made now"
    assert fetch(app, "/", **header).text == "made now"


def kept(memory: PageMemory, name: str, made_at: float) -> tuple[str, ...]:
    """A page in the memory."""
    memory.keep((name,), page_memory._Kept(b"page", b"", "etag", [], made_at))
    return (name,)


def test_of_all_who_come_when_a_page_is_old_one_waits_for_the_new_one() -> None:
    memory = PageMemory()
    key = kept(memory, "/", made_at=0)
    got: list[Any] = []
    visitors = [
        threading.Thread(target=lambda: got.append(memory.look_up(key, FRESH_SECONDS + 1.0))) for _ in range(12)
    ]

    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()

    assert [one is None for one in got].count(True) == 1
    assert memory.look_up(key, FRESH_SECONDS + STALE_SECONDS + 1.0) is None


def test_the_memory_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_memory, "MOST_PAGES", 3)
    memory = PageMemory()
    for number in range(5):
        kept(memory, f"/{number}", made_at=0)

    assert [memory.look_up((f"/{number}",), 1.0) is None for number in range(5)] == [True, True, False, False, False]


def test_what_is_kept_for_all_is_public(app: Flask) -> None:
    assert {endpoint: access_of(app, endpoint) for endpoint in SHARED} == dict.fromkeys(SHARED, "public")
