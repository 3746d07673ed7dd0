# SPDX-License-Identifier: EUPL-1.2
"""Sessions that can be seen and ended, and cookies that are worth nothing without one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from abs_platform import clock, create_app
from abs_platform.accounts.browsers import browser_of
from abs_platform.accounts.models import Account, AccountSession
from abs_platform.users import Role
from tests.accounts.mailbox import ask, newest_mail, sign_in
from tests.conftest import make_settings
from tests.factories import Factory
from tests.page import Browser

RIET = "riet@voorbeeld.example"
DAY = dt.timedelta(days=1)
NO_DATABASE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
CHROME_ON_ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
)
SAFARI_ON_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1"
)
EDGE_ON_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 "
    "Edg/142.0.0.0"
)


@pytest.fixture
def riet(session: Session, factory: Factory) -> Account:
    """Somebody with an account."""
    account = factory.account(RIET, name="Riet")
    session.commit()
    return account


def browser_of_riet(app: Flask, session: Session, user_agent: str = CHROME_ON_ANDROID) -> Browser:
    """A browser of Riet's in which she signed in by mail, with the User-Agent that it has."""
    browser = Browser(app)
    browser.client.environ_base["HTTP_USER_AGENT"] = user_agent
    return sign_in(browser, session, RIET)


def is_signed_in(browser: Browser) -> bool:
    return browser._send("GET", "/account").status_code == 200


def living(session: Session) -> int:
    query = select(AccountSession).where(AccountSession.ended_at.is_(None))
    return len(session.scalars(query.execution_options(populate_existing=True)).all())


@pytest.mark.usefixtures("riet")
class TestDevices:
    """Where somebody is signed in, and ending that."""

    def test_each_browser_is_shown_with_its_name_and_this_one_is_marked(self, app: Flask, session: Session) -> None:
        phone, desk = browser_of_riet(app, session), browser_of_riet(app, session, EDGE_ON_WINDOWS)

        seen = {
            browser: [item.to_text() for item in browser.get("/account/apparaten").all(".abs-account-device")]
            for browser in (phone, desk)
        }

        assert ["Edge op Windows" in text for text in seen[phone]] == [True, False]
        assert ["Chrome op Android" in text for text in seen[phone]] == [False, True]
        assert ["dit apparaat" in text for text in seen[phone]] == [False, True]
        assert ["dit apparaat" in text for text in seen[desk]] == [True, False]

    def test_a_device_that_is_ended_is_dead_at_once(self, app: Flask, session: Session) -> None:
        phone, desk = browser_of_riet(app, session), browser_of_riet(app, session)
        page = desk.get("/account/apparaten")
        this, other = (form.attrs["action"] for form in page.all(".abs-account-device form"))

        page = desk.submit(page, other)

        assert "Dat apparaat is uitgelogd" in page.text
        assert (is_signed_in(phone), is_signed_in(desk)) == (False, True)
        assert living(session) == 1
        assert [form.attrs["action"] for form in page.all(".abs-account-device form")] == [this]

    def test_ending_this_device_is_signing_out(self, app: Flask, session: Session) -> None:
        desk = browser_of_riet(app, session)
        page = desk.get("/account/apparaten")
        (this,) = (form.attrs["action"] for form in page.all(".abs-account-device form"))

        response = desk.send(page, this)

        assert response.location == "/inloggen?uitgelogd=ja"
        assert not is_signed_in(desk)
        with desk.client.session_transaction() as cookie:
            assert "_user_id" not in cookie

    def test_all_others_are_ended_together(self, app: Flask, session: Session) -> None:
        others = [browser_of_riet(app, session) for _ in range(3)]
        desk = browser_of_riet(app, session)

        page = desk.submit(desk.get("/account/apparaten"), "/account/apparaten/andere/uitloggen")

        assert "3 andere apparaten zijn uitgelogd" in page.text
        assert [is_signed_in(other) for other in others] == [False] * 3
        assert is_signed_in(desk)
        assert not page.all('form[action="/account/apparaten/andere/uitloggen"]')

    @pytest.mark.parametrize("number", ["other", "999999", "0", str(2**63)])
    def test_a_session_of_somebody_else_is_not_found(
        self, app: Flask, session: Session, factory: Factory, number: str
    ) -> None:
        factory.session_of(factory.account())
        session.commit()
        theirs = session.scalars(select(AccountSession.id)).one()
        desk = browser_of_riet(app, session)
        token = desk.get("/account/apparaten").field("csrf_token")

        path = f"/account/apparaten/{theirs if number == 'other' else number}/uitloggen"
        desk.post(path, {"csrf_token": token}, status=404)

        assert living(session) == 2

    def test_a_page_of_devices_is_not_for_strangers(self, browser_client: Browser) -> None:
        assert browser_client._send("GET", "/account/apparaten").location.startswith("/inloggen?")
        token = browser_client.get("/inloggen").field("csrf_token")
        browser_client.post("/account/apparaten/1/uitloggen", {"csrf_token": token}, status=403)


@pytest.mark.usefixtures("riet")
class TestSigningOut:
    """The session ends in the database, not only in the cookie."""

    def test_a_copy_of_the_cookie_is_worth_nothing_afterwards(self, app: Flask, session: Session) -> None:
        desk = browser_of_riet(app, session)
        with desk.client.session_transaction() as cookie:
            copy = dict(cookie)

        page = desk._page(desk.send(desk.get("/account"), "/uitloggen"), "/uitloggen", 200)

        thief = Browser(app)
        with thief.client.session_transaction() as cookie:
            cookie.update(copy)
        assert page.path == "/inloggen"
        assert "Je bent uitgelogd" in desk.get("/inloggen?uitgelogd=ja").text
        assert not is_signed_in(desk)
        assert not is_signed_in(thief)
        assert living(session) == 0

    def test_signing_out_twice_is_no_error(self, app: Flask, session: Session) -> None:
        desk = browser_of_riet(app, session)
        page = desk.get("/account")
        session.execute(update(AccountSession).values(ended_at=clock.now()))
        session.commit()

        assert desk.send(page, "/uitloggen").location == "/inloggen?uitgelogd=ja"

    def test_a_link_does_not_sign_anybody_out(self, app: Flask, session: Session) -> None:
        desk = browser_of_riet(app, session)

        desk.get("/uitloggen", status=405)

        assert is_signed_in(desk)


class TestCookies:
    """A cookie is worth what the database says of it."""

    @pytest.mark.parametrize("token", ["geraden", "", "x" * 5000, "é", "\x00", None])
    def test_a_token_that_is_no_session_signs_nobody_in(
        self, riet: Account, browser_client: Browser, token: object
    ) -> None:
        assert riet.id
        with browser_client.client.session_transaction() as cookie:
            cookie |= {"_user_id": token, "_fresh": True}

        page = browser_client.get("/")

        assert "Inloggen" in page.text
        assert not is_signed_in(browser_client)

    def test_a_cookie_that_was_tampered_with_is_no_cookie(self, app: Flask, riet: Account, session: Session) -> None:
        assert riet.id
        desk = browser_of_riet(app, session)
        cookie = desk.client.get_cookie("session")
        assert cookie is not None
        value = cookie.value
        for tampered in (value[:-2] + ("aa" if value[-2:] != "aa" else "bb"), value[5:], "." + value, "e30.x.y"):
            desk.client.set_cookie("session", tampered)
            assert not is_signed_in(desk)
        desk.client.set_cookie("session", value)
        assert is_signed_in(desk)

    def test_a_session_ends_by_itself_and_that_of_staff_the_same_day(
        self, session: Session, factory: Factory, browser_client: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        staff = factory.session_of(factory.account(roles=(Role.COORDINATOR,)))
        resident = factory.session_of(factory.account())
        session.commit()

        def holds(token: str, after: dt.timedelta) -> bool:
            browser_client.sign_in(token)
            monkeypatch.setattr(clock, "now", lambda: factory.now + after)
            return is_signed_in(browser_client)

        assert [holds(staff, dt.timedelta(hours=hours)) for hours in (11, 13)] == [True, False]
        assert [holds(resident, days * DAY) for days in (29, 31)] == [True, False]

    def test_an_account_that_was_deleted_is_signed_in_nowhere(
        self, app: Flask, riet: Account, session: Session
    ) -> None:
        desk = browser_of_riet(app, session)
        riet.email, riet.name, riet.deleted_at = None, "", clock.now()
        session.commit()

        assert not is_signed_in(desk)

    def test_no_script_and_no_other_site_gets_the_cookie(self, app: Flask, session: Session) -> None:
        browser = Browser(app)
        response = browser.send(ask(browser, RIET), "/inloggen/code", code=newest_mail(session, RIET).code)

        (cookie,) = response.headers.getlist("Set-Cookie")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Expires=" in cookie


class TestTheHeader:
    """Every page says whether one is signed in, and staff find their rooms."""

    @pytest.mark.parametrize(
        ("roles", "rooms"),
        [
            ((), []),
            ((Role.DISTRICT_MANAGER,), ["Regie"]),
            ((Role.COORDINATOR,), ["Regie", "Beheer"]),
            ((Role.FINANCE,), []),
        ],
    )
    def test_it_shows_the_rooms_of_a_role(
        self, session: Session, factory: Factory, browser_client: Browser, roles: tuple[Role, ...], rooms: list[str]
    ) -> None:
        token = factory.session_of(factory.account(roles=roles))
        session.commit()

        links = [link.to_text().strip() for link in browser_client.sign_in(token).get("/").all("header a")]

        assert [label for label in links if label in {"Regie", "Beheer"}] == rooms
        assert "Mijn account" in links
        assert "Inloggen" not in links

    def test_a_stranger_is_asked_in_and_gets_no_cookie_for_it(self, browser_client: Browser) -> None:
        page = browser_client.get("/")

        assert page.one(".abs-header__account").to_text().strip() == "Inloggen"
        assert "Set-Cookie" not in page.response.headers
        assert page.response.headers.get("Cache-Control") != "no-store"

    @pytest.mark.parametrize("path", ["/", "/account", "/inloggen", "/bestaat-niet"])
    def test_without_a_database_who_is_signed_in_still_gets_a_page(self, tmp_path: Path, path: str) -> None:
        browser = Browser(create_app(make_settings(NO_DATABASE, tmp_path))).sign_in("a token of before")

        page = browser.get(path, status=404 if path == "/bestaat-niet" else 503)

        assert "Niet gevonden" in page.text or "Er ging iets mis bij ons" in page.text


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (CHROME_ON_ANDROID, "Chrome/Android"),
        (SAFARI_ON_IPHONE, "Safari/iPhone"),
        (EDGE_ON_WINDOWS, "Edge/Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox/Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ... Version/18.5 Safari/605.1.15", "Safari/Mac"),
        (
            "Mozilla/5.0 (Linux; Android 14) ... SamsungBrowser/28.0 Chrome/130 Safari/537.36",
            "Samsung Internet/Android",
        ),
        ("Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) ... CriOS/142.0 Mobile Safari/604.1", "Chrome/iPad"),
        ("curl/8.5.0", "/"),
        ("", "/"),
        ("<script>alert(1)</script>" * 100, "/"),
    ],
)
def test_a_browser_is_known_by_two_words(user_agent: str, expected: str) -> None:
    assert browser_of(user_agent) == expected


def test_an_unknown_device_has_a_name_too(app: Flask, session: Session) -> None:
    browser = Browser(app)
    browser.client.environ_base["HTTP_USER_AGENT"] = "curl/8.5.0"
    browser.submit(ask(browser, RIET), "/inloggen/code", code=newest_mail(session, RIET).code)

    assert "Onbekend apparaat" in browser.get("/account/apparaten").text
