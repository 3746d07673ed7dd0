# SPDX-License-Identifier: EUPL-1.2
"""News: public from its moment and not before, on pages and in the feed; gone when it is withdrawn."""

from __future__ import annotations

import datetime as dt
from xml.etree import ElementTree

import pytest
from flask import Flask
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from abs_platform.errors import Conflict, InvalidInput, InvalidTransition
from abs_platform.news import queries, service
from abs_platform.news.feeds import ATOM
from abs_platform.news.models import NewsPost
from abs_platform.news.service import PostInput
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser
from tests.people import OTHER_DESK, OWN_DESK
from tests.test_page_cost import MAX_QUERIES, counting

HOUR = dt.timedelta(hours=1)
CITY = "GM0141"


def made(factory: Factory, title: str = "De brug is open", *, area: str = CITY, at: dt.datetime | None = None) -> int:
    """A post that is public, or will be at a moment to come."""
    what = PostInput(area_id=factory.area_id(area), title=title, summary="Fietsen kan weer.", body="Hij is **open**.")
    begun = min(factory.now, at or factory.now)
    post_id = service.write(factory.session, what, author_id=None, actor=TEST_ACTOR, now=begun)
    service.publish(factory.session, post_id, at=at, actor=TEST_ACTOR, now=begun)
    factory.session.commit()
    return post_id


def feed_of(browser: Browser, query: str = "") -> ElementTree.Element:
    """The feed, after checking what RFC 4287 asks of every feed and entry."""
    response = browser._send("GET", f"/nieuws.atom{query}")
    assert response.content_type == "application/atom+xml; charset=utf-8"
    assert "Set-Cookie" not in response.headers
    feed = ElementTree.fromstring(response.data)  # noqa: S314 - our own
    assert feed.tag == f"{{{ATOM}}}feed"
    for element in (feed, *entries(feed)):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{{{ATOM}}}{name}")) == 1
            assert element.findtext(f"{{{ATOM}}}{name}")
        moment = dt.datetime.fromisoformat(element.findtext(f"{{{ATOM}}}updated") or "")
        assert moment.tzinfo is not None
    assert feed.find(f"{{{ATOM}}}author/{{{ATOM}}}name") is not None
    assert len({entry.findtext(f"{{{ATOM}}}id") for entry in entries(feed)}) == len(entries(feed))
    return feed


def entries(feed: ElementTree.Element) -> list[ElementTree.Element]:
    return feed.findall(f"{{{ATOM}}}entry")


def titles(feed: ElementTree.Element) -> list[str]:
    return [entry.findtext(f"{{{ATOM}}}title") or "" for entry in entries(feed)]


def test_a_post_is_read_in_the_list_on_its_page_and_in_the_feed(factory: Factory, browser_client: Browser) -> None:
    post_id = made(factory)

    listed = browser_client.get("/nieuws")
    page = browser_client.get(f"/nieuws/{post_id}")
    feed = feed_of(browser_client)

    assert listed.one(".news-card .abs-card__link").attrs["href"] == f"/nieuws/{post_id}-de-brug-is-open"
    assert page.path == f"/nieuws/{post_id}-de-brug-is-open"
    assert page.one(".abs-story strong").to_text() == "open"
    assert titles(feed) == ["De brug is open"]
    assert "<strong>open</strong>" in (entries(feed)[0].findtext(f"{{{ATOM}}}content") or "")


def test_a_scheduled_post_is_nowhere_before_its_moment(factory: Factory, browser_client: Browser) -> None:
    post_id, moment = made(factory, at=factory.now + HOUR), factory.now + HOUR
    session = factory.session

    assert queries.latest(session, moment - dt.timedelta(microseconds=1), limit=9) == []
    assert queries.public_addresses(session, moment - dt.timedelta(microseconds=1)) == []
    assert "brug" not in browser_client.get("/nieuws").text
    assert titles(feed_of(browser_client)) == []
    for address in (f"/nieuws/{post_id}", f"/nieuws/{post_id}-de-brug-is-open"):
        assert "brug" not in browser_client.get(address, status=404).text
    assert [post.id for post in queries.latest(session, moment)] == [post_id]
    assert [one[0] for one in queries.public_addresses(session, moment)] == [post_id]


def test_a_withdrawn_post_and_a_draft_are_nowhere(factory: Factory, browser_client: Browser) -> None:
    gone = made(factory, "Ingetrokken bericht")
    service.withdraw(factory.session, gone, reason="Het klopte niet.", actor=TEST_ACTOR, now=factory.now)
    what = PostInput(area_id=factory.area_id(CITY), title="Concept", summary="Nog niet.", body="Nog niet.")
    draft = service.write(factory.session, what, author_id=None, actor=TEST_ACTOR, now=factory.now)
    factory.session.commit()

    for post_id in (gone, draft):
        browser_client.get(f"/nieuws/{post_id}", status=404)
    assert titles(feed_of(browser_client)) == []
    assert browser_client.get("/nieuws").all(".news-card") == []


def test_a_district_shows_its_own_news_and_that_of_the_whole_town(factory: Factory, browser_client: Browser) -> None:
    for title, area in (("Voor de wijk", OWN_DESK), ("Voor een andere wijk", OTHER_DESK), ("Voor iedereen", CITY)):
        made(factory, title, area=area)

    page, feed = browser_client.get("/nieuws?wijk=windmolenbroek"), feed_of(browser_client, "?wijk=windmolenbroek")

    shown = {one.to_text().strip() for one in page.all(".news-card .abs-card__title")}
    assert shown == set(titles(feed)) == {"Voor de wijk", "Voor iedereen"}
    assert len(titles(feed_of(browser_client, "?wijk=bestaat-niet"))) == 3


def test_the_feed_is_answered_with_not_changed_until_something_changes(
    factory: Factory, browser_client: Browser
) -> None:
    post_id = made(factory)
    tag = browser_client._send("GET", "/nieuws.atom").headers["ETag"]

    same = browser_client._send("GET", "/nieuws.atom", headers={"If-None-Match": tag})
    what = PostInput(area_id=factory.area_id(CITY), title="De brug is dicht", summary="Tot mei.", body="Dicht.")
    service.change(factory.session, post_id, what, actor=TEST_ACTOR, now=factory.now + HOUR)
    factory.session.commit()
    other = browser_client._send("GET", "/nieuws.atom", headers={"If-None-Match": tag})

    assert (same.status_code, other.status_code) == (304, 200)


def test_the_address_of_a_post_in_the_feed_stays_when_its_title_changes(
    factory: Factory, browser_client: Browser
) -> None:
    post_id = made(factory)
    before = entries(feed_of(browser_client))[0].findtext(f"{{{ATOM}}}id")
    what = PostInput(area_id=factory.area_id(CITY), title="Anders", summary="Anders.", body="Anders.")
    service.change(factory.session, post_id, what, actor=TEST_ACTOR, now=factory.now + HOUR)
    factory.session.commit()

    assert entries(feed_of(browser_client))[0].findtext(f"{{{ATOM}}}id") == before
    assert browser_client.get(f"/nieuws/{post_id}-de-brug-is-open").path == f"/nieuws/{post_id}-anders"


def test_only_what_is_still_to_come_goes_back_to_draft(factory: Factory, session: Session) -> None:
    public, to_come = made(factory), made(factory, at=factory.now + HOUR)

    with pytest.raises(Conflict):
        service.take_back(session, public, actor=TEST_ACTOR, now=factory.now)
    service.take_back(session, to_come, actor=TEST_ACTOR, now=factory.now)

    post = session.get_one(NewsPost, to_come)
    assert (post.state, post.publish_at) == ("draft", None)


def test_withdrawing_what_was_published_needs_a_reason_and_is_the_end(factory: Factory, session: Session) -> None:
    post_id = made(factory)

    with pytest.raises(InvalidInput), session.begin_nested():
        service.withdraw(session, post_id, reason=" ", actor=TEST_ACTOR, now=factory.now)
    service.withdraw(session, post_id, reason="Fout.", actor=TEST_ACTOR, now=factory.now)

    with pytest.raises(InvalidTransition):
        service.publish(session, post_id, actor=TEST_ACTOR, now=factory.now)


def test_a_visitor_gets_pages_of_news_in_english_with_dutch_posts_marked(
    factory: Factory, browser_client: Browser, app: Flask
) -> None:
    post_id = made(factory)

    if "en" in app.config["LANGUAGES"]:
        page = browser_client.get(f"/en/nieuws/{post_id}")
        assert page.path == f"/en/nieuws/{post_id}-de-brug-is-open"
        assert page.one("h1").attrs["lang"] == "nl"


def test_what_pages_and_the_feed_ask_does_not_grow_with_the_news(
    factory: Factory, browser_client: Browser, connection: Connection
) -> None:
    counts: dict[str, list[int]] = {"/nieuws": [], "/nieuws?wijk=windmolenbroek": [], "/nieuws.atom": []}

    for number in (1, 15):
        for _one in range(number):
            made(factory, area=OWN_DESK)
        for path, found in counts.items():
            with counting(connection) as statements:
                browser_client._send("GET", path)
            found.append(len(statements))

    assert {path: found for path, found in counts.items() if len(set(found)) > 1 or max(found) > MAX_QUERIES} == {}


def test_the_page_of_a_post_tells_who_shares_it_that_it_is_an_article(
    factory: Factory, browser_client: Browser
) -> None:
    page = browser_client.get(f"/nieuws/{made(factory)}")

    assert page.one('meta[property="og:type"]').attrs["content"] == "article"
    assert page.one('meta[property="og:description"]').attrs["content"] == "Fietsen kan weer."
