# SPDX-License-Identifier: EUPL-1.2
"""Signing in by mail: a link or a code, ten minutes, once, in the browser that asked; and all that is refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accounts import service
from abs_platform.accounts.models import Account, AccountSession, SignInRequest
from abs_platform.accounts.service import SignedIn
from abs_platform.accounts.states import Refusal
from abs_platform.attempts import Attempt
from abs_platform.outbox import OutgoingMail
from abs_platform.users import Role
from jobs import purge_personal_data
from tests.accounts.mailbox import ask, mails_to, newest_mail, sign_in
from tests.concurrency.racing import at_once, committed
from tests.factories import SECRET_KEY, Factory
from tests.page import Browser, Page
from tests.test_page_cost import counting

RIET = "riet@voorbeeld.example"
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.timedelta], None]:
    """Lets time pass for the app."""
    start = clock.now()

    def wait(time: dt.timedelta) -> None:
        monkeypatch.setattr(clock, "now", lambda: start + time)

    return wait


def the_request(session: Session) -> SignInRequest:
    """The one sign-in that was asked for, as the database has it."""
    return session.scalars(select(SignInRequest).execution_options(populate_existing=True)).one()


def count(session: Session, model: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def is_signed_in(browser: Browser) -> bool:
    return "Mijn account" in browser.get("/").text


def cookie_of(browser: Browser) -> dict[str, Any]:
    """What the cookie holds."""
    with browser.client.session_transaction() as cookie:
        return dict(cookie)


def with_cookie(app: Flask, content: dict[str, Any]) -> Browser:
    """A browser with a copy of a cookie, as if somebody took it."""
    browser = Browser(app)
    with browser.client.session_transaction() as cookie:
        cookie.update(content)
    return browser


class TestTheWayIn:
    """A mail, and its code or its link."""

    def test_with_the_code_somebody_new_gets_an_account_and_tells_a_name(
        self, session: Session, browser_client: Browser
    ) -> None:
        page = ask(browser_client, "  Riet@Voorbeeld.Example ")
        assert "Kijk in je mail" in page.text
        assert RIET in page.text
        assert count(session, Account) == 0

        welcome = browser_client.submit(page, "/inloggen/code", code=newest_mail(session, RIET).code)
        home = browser_client.submit(welcome, "/account/welkom", name=" Riet  de Boer ")

        assert "Hallo Riet de Boer" in home.text
        account = session.scalars(select(Account)).one()
        assert (account.email, account.name) == (RIET, "Riet de Boer")
        started = session.scalars(select(AccountSession)).one()
        assert (started.account_id, started.method, started.second_factor_at) == (account.id, "email", None)

    def test_the_name_may_be_skipped_and_is_not_asked_again(
        self, app: Flask, session: Session, browser_client: Browser
    ) -> None:
        sign_in(browser_client, session, RIET)
        assert browser_client.get("/account/welkom").one("a.abs-text-button").attrs["href"] == "/account"

        other = Browser(app)
        home = other.submit(ask(other, RIET), "/inloggen/code", code=newest_mail(session, RIET).code)

        assert home.path == "/account"
        assert "Hallo riet" in home.text

    def test_with_the_link_in_the_same_browser(self, session: Session, browser_client: Browser) -> None:
        ask(browser_client, RIET)

        page = browser_client.get(newest_mail(session, RIET).link)
        browser_client.submit(page, newest_mail(session, RIET).link)

        assert is_signed_in(browser_client)
        assert the_request(session).used_at is not None

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_looking_at_the_link_uses_nothing_up(
        self, app: Flask, session: Session, browser_client: Browser, method: str
    ) -> None:
        ask(browser_client, RIET)
        link = newest_mail(session, RIET).link
        for looker in (browser_client, Browser(app)):
            for _ in range(3):
                assert looker._send(method, link).status_code == 200

        assert the_request(session).used_at is None
        browser_client.submit(browser_client.get(link), link)
        assert is_signed_in(browser_client)

    @pytest.mark.parametrize("between", [" ", "-", "\u00a0", "\u202f", ".", "\t"])
    def test_a_code_may_be_pasted_with_what_stands_between(
        self, session: Session, browser_client: Browser, between: str
    ) -> None:
        page = ask(browser_client, RIET)
        code = newest_mail(session, RIET).code

        browser_client.submit(page, "/inloggen/code", code=f" {code[:3]}{between}{code[3:]} ")

        assert is_signed_in(browser_client)

    def test_somebody_goes_on_to_where_she_was_going(self, session: Session, browser_client: Browser) -> None:
        refused = browser_client._send("GET", "/account/apparaten")
        assert refused.location == "/inloggen?volgende=/account/apparaten"
        page = ask(browser_client, RIET, refused.location)

        entered = browser_client.send(page, "/inloggen/code", code=newest_mail(session, RIET).code)
        welcome = browser_client.get(entered.location)
        went_on = browser_client.send(welcome, "/account/welkom", name="Riet")

        assert entered.location == "/account/welkom?volgende=/account/apparaten"
        assert welcome.one("a.abs-text-button").attrs["href"] == "/account/apparaten"
        assert went_on.location == "/account/apparaten"

    @pytest.mark.parametrize("path", ["/inloggen", "/inloggen/code", "/inloggen/link/abc"])
    def test_who_is_signed_in_is_sent_on(self, session: Session, browser_client: Browser, path: str) -> None:
        sign_in(browser_client, session, RIET)

        assert browser_client._send("GET", path).location == "/account"
        assert browser_client._send("GET", "/inloggen?volgende=/voucher").location == "/voucher"

    def test_the_mail_holds_both_ways_in_and_its_subject_none(self, session: Session, browser_client: Browser) -> None:
        ask(browser_client, RIET)

        (mail,) = mails_to(session, RIET)
        sent = newest_mail(session, RIET)
        assert mail.is_secret
        assert mail.event == f"sign-in:{the_request(session).id}"
        assert sent.code not in (mail.subject or "")
        assert sent.code in (mail.html_body or "")
        assert sent.link in (mail.html_body or "")
        assert "Geef deze code aan niemand" in (mail.text_body or "")

    def test_the_database_holds_neither_link_nor_code(self, session: Session, browser_client: Browser) -> None:
        ask(browser_client, RIET)
        sent = newest_mail(session, RIET)

        row = the_request(session)
        kept = (
            b"".join((row.token_digest, row.code_digest, row.browser_digest)) + f"{row.email}{row.next_path}".encode()
        )
        assert sent.code.encode() not in kept
        assert sent.link.rsplit("/")[-1].encode() not in kept


class TestRefusals:
    """What does not work (any more) says why, and what to do."""

    def test_a_link_works_once(self, app: Flask, session: Session, browser_client: Browser) -> None:
        ask(browser_client, RIET)
        link, copy = newest_mail(session, RIET).link, with_cookie(app, cookie_of(browser_client))
        browser_client.submit(browser_client.get(link), link)

        looked = copy.get(link)
        forced = copy.post(link, {"csrf_token": copy.get("/inloggen").field("csrf_token")}, status=409)

        assert "al gebruikt" in looked.text
        assert "al gebruikt" in forced.text
        assert not is_signed_in(copy)
        assert count(session, AccountSession) == 1

    def test_a_code_works_once(self, app: Flask, session: Session, browser_client: Browser) -> None:
        page = ask(browser_client, RIET)
        code, copy = newest_mail(session, RIET).code, with_cookie(app, cookie_of(browser_client))
        browser_client.submit(page, "/inloggen/code", code=code)

        again = copy.submit(page, "/inloggen/code", status=409, code=code)

        assert "al gebruikt" in again.text
        assert "Stuur een nieuwe mail" in again.text
        assert not is_signed_in(copy)
        assert count(session, AccountSession) == 1

    def test_after_ten_minutes_link_and_code_are_worth_nothing(
        self, session: Session, browser_client: Browser, after: Callable[[dt.timedelta], None]
    ) -> None:
        page = ask(browser_client, RIET)
        sent = newest_mail(session, RIET)
        link_page = browser_client.get(sent.link)
        after(10 * MINUTE + dt.timedelta(seconds=1))

        by_code = browser_client.submit(page, "/inloggen/code", status=409, code=sent.code)
        by_link = browser_client.submit(link_page, sent.link, status=409)

        for refused in (by_code, by_link, browser_client.get("/inloggen/code"), browser_client.get(sent.link)):
            assert "te oud" in refused.text
            assert "Stuur een nieuwe mail" in refused.text
        assert count(session, Account) == 0

    def test_just_before_ten_minutes_the_code_still_works(
        self, session: Session, browser_client: Browser, after: Callable[[dt.timedelta], None]
    ) -> None:
        page = ask(browser_client, RIET)
        after(10 * MINUTE - dt.timedelta(seconds=5))

        browser_client.submit(page, "/inloggen/code", code=newest_mail(session, RIET).code)

        assert count(session, Account) == 1

    def test_in_another_browser_the_link_says_to_type_the_code_where_one_asked(
        self, app: Flask, session: Session, browser_client: Browser
    ) -> None:
        ask(browser_client, RIET)
        link = newest_mail(session, RIET).link
        other = Browser(app)
        ask(other, "iemand@voorbeeld.example")

        looked = other.get(link)
        forced = other.post(link, {"csrf_token": other.get("/inloggen").field("csrf_token")}, status=409)

        for page in (looked, forced):
            assert "alleen in de browser waarin je om de mail vroeg" in page.text
            assert "Typ er de 6 cijfers" in page.text
            assert not page.all(f'form[action="{link}"]')
        assert not is_signed_in(other)
        assert (the_request_of(session, RIET).used_at, count(session, Account)) == (None, 0)

    def test_a_code_of_a_mail_that_another_browser_asked_for_signs_nobody_in(
        self, app: Flask, session: Session, browser_client: Browser
    ) -> None:
        ask(browser_client, RIET)
        thief = Browser(app)
        page = ask(thief, "dief@voorbeeld.example")

        refused = thief.submit(page, "/inloggen/code", status=422, code=newest_mail(session, RIET).code)

        assert "Deze code klopt niet" in refused.text
        assert not is_signed_in(thief)

    def test_a_number_of_a_request_is_not_enough_without_the_secret_of_its_browser(
        self, app: Flask, session: Session, browser_client: Browser
    ) -> None:
        ask(browser_client, RIET)
        cookie = cookie_of(browser_client)
        thief = with_cookie(app, cookie | {"sign_in_browser": "geraden"})

        refused = thief.get("/inloggen/code")

        assert not refused.all("#code")
        token = refused.field("csrf_token")
        thief.post("/inloggen/code", {"csrf_token": token, "code": newest_mail(session, RIET).code}, status=409)
        assert not is_signed_in(thief)
        assert the_request(session).failed_count == 0

    def test_without_a_mail_there_is_no_code_to_type(self, browser_client: Browser) -> None:
        assert browser_client._send("GET", "/inloggen/code").location == "/inloggen"
        token = browser_client.get("/inloggen").field("csrf_token")
        sent = browser_client._send("POST", "/inloggen/code", data={"csrf_token": token, "code": "123456"})
        assert sent.location == "/inloggen"

    @pytest.mark.parametrize("token", ["abc", "x" * 2000, "é", "%00", "-" * 43])
    def test_a_link_that_is_none_says_so(self, browser_client: Browser, token: str) -> None:
        page = browser_client.get(f"/inloggen/link/{token}")

        assert "Deze link werkt niet meer" in page.text

    def test_after_five_wrong_codes_the_right_one_is_worth_nothing(
        self, session: Session, browser_client: Browser
    ) -> None:
        page = ask(browser_client, RIET)
        sent = newest_mail(session, RIET)

        for left in (4, 3, 2, 1):
            page = browser_client.submit(page, "/inloggen/code", status=422, code=sent.wrong_code)
            assert f"nog {left} keer" in page.text
        fifth = browser_client.submit(page, "/inloggen/code", status=409, code=sent.wrong_code)
        browser_client.post("/inloggen/code", {"csrf_token": fifth.field("csrf_token"), "code": sent.code}, status=409)

        assert "te vaak een verkeerde code" in fifth.text
        assert "te vaak een verkeerde code" in browser_client.get(sent.link).text
        assert the_request(session).failed_count == 5
        assert count(session, Account) == 0
        fresh = browser_client.submit(fifth, "/inloggen")
        browser_client.submit(fresh, "/inloggen/code", code=newest_mail(session, RIET).code)
        assert is_signed_in(browser_client)

    @pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12 34", "0" * 5000, "1\x0023456"])
    def test_what_is_no_code_is_told_and_not_counted(
        self, session: Session, browser_client: Browser, typed: str
    ) -> None:
        page = ask(browser_client, RIET)

        refused = browser_client.submit(page, "/inloggen/code", status=422, code=typed)

        assert "Typ de 6 cijfers uit de mail over" in refused.text
        assert refused.one("#code").attrs["aria-invalid"] == "true"
        assert the_request(session).failed_count == 0

    def test_of_two_mails_the_newest_one_counts_and_both_links_work(
        self, session: Session, browser_client: Browser
    ) -> None:
        first_page = ask(browser_client, RIET)
        first = newest_mail(session, RIET)
        browser_client.submit(first_page, "/inloggen")

        refused = browser_client.submit(
            browser_client.get("/inloggen/code"), "/inloggen/code", status=422, code=first.code
        )
        assert "nieuwste mail" in refused.text
        browser_client.submit(browser_client.get(first.link), first.link)

        assert is_signed_in(browser_client)


def the_request_of(session: Session, email: str) -> SignInRequest:
    query = select(SignInRequest).where(SignInRequest.email == email).order_by(SignInRequest.id.desc()).limit(1)
    return session.scalars(query.execution_options(populate_existing=True)).one()


class TestGuessing:
    """A hundred tries are five."""

    def test_a_hundred_tries_one_after_another_count_five_times(
        self, session: Session, browser_client: Browser
    ) -> None:
        ask(browser_client, RIET)
        request, code = the_request(session), newest_mail(session, RIET).code
        browser = cookie_of(browser_client)["sign_in_browser"]

        tried = [number for number in range(1, 200) if f"{number:06d}" != code][:99]
        results = [try_code(session, request.id, f"{number:06d}", browser) for number in tried]
        results.append(try_code(session, request.id, code, browser))

        assert results.count(Refusal.WRONG_CODE) == 4
        assert results.count(Refusal.TOO_MANY) == 96
        assert the_request(session).failed_count == 5

    def test_a_hundred_tries_at_once_count_five_times(self, own_app: Flask, own_session: Session) -> None:
        browser = Browser(own_app)
        ask(browser, RIET)
        request, code = the_request(own_session), newest_mail(own_session, RIET).code
        secret = cookie_of(browser)["sign_in_browser"]
        own_session.rollback()
        wrong = [f"{number:06d}" for number in range(200) if f"{number:06d}" != code][:99]
        tries = [*wrong[:50], code, *wrong[50:]]

        request_id = request.id
        results = at_once(
            [committed(own_app, lambda db, typed=typed: try_code(db, request_id, typed, secret)) for typed in tries]
        )

        signed_in = [result for result in results if isinstance(result, SignedIn)]
        assert the_request(own_session).failed_count <= 5
        assert len(signed_in) <= 1
        assert results.count(Refusal.WRONG_CODE) <= 4
        assert count(own_session, AccountSession) == len(signed_in)

    def test_the_right_code_at_once_in_ten_tabs_signs_in_once(self, own_app: Flask, own_session: Session) -> None:
        browser = Browser(own_app)
        ask(browser, RIET)
        request_id, code = the_request(own_session).id, newest_mail(own_session, RIET).code
        secret = cookie_of(browser)["sign_in_browser"]
        own_session.rollback()

        results = at_once([committed(own_app, lambda db: try_code(db, request_id, code, secret))] * 10)

        assert len([result for result in results if isinstance(result, SignedIn)]) == 1
        assert results.count(Refusal.USED) == 9
        assert (count(own_session, AccountSession), count(own_session, Account)) == (1, 1)

    def test_two_mails_of_one_new_address_at_once_make_one_account(self, own_app: Flask, own_session: Session) -> None:
        works = []
        for _ in range(4):
            browser = Browser(own_app)
            ask(browser, RIET)
            request, code = the_request_of(own_session, RIET), newest_mail(own_session, RIET).code
            secret = cookie_of(browser)["sign_in_browser"]
            works.append(
                committed(own_app, lambda db, id_=request.id, code=code, secret=secret: try_code(db, id_, code, secret))
            )
        own_session.rollback()

        results = at_once(works)

        assert all(isinstance(result, SignedIn) for result in results)
        assert (count(own_session, Account), count(own_session, AccountSession)) == (1, 4)


def try_code(session: Session, request_id: int, code: str, browser: str) -> SignedIn | Refusal:
    return service.sign_in_by_code(
        session, request_id, code, browser, user_agent=FIREFOX, secret_key=SECRET_KEY, now=clock.now()
    )


class TestLimits:
    """Nobody's mailbox is flooded, and nobody else waits for it."""

    def test_the_sixth_mail_that_a_client_asks_for_one_address_within_an_hour_is_not_sent(
        self, session: Session, browser_client: Browser, after: Callable[[dt.timedelta], None]
    ) -> None:
        for _ in range(5):
            ask(browser_client, RIET)

        refused = browser_client.submit(browser_client.get("/inloggen"), "/inloggen", status=429, email=RIET)

        assert "te vaak geprobeerd" in refused.text
        assert "Heb je al een mail?" in refused.text
        assert refused.field("email") == RIET
        assert 0 < int(refused.response.headers["Retry-After"]) <= 3600
        assert len(mails_to(session, RIET)) == 5
        after(HOUR + MINUTE)
        ask(browser_client, RIET)
        assert len(mails_to(session, RIET)) == 6

    def test_one_stranger_cannot_keep_somebody_out_by_asking_too_often(
        self, app: Flask, session: Session, browser_client: Browser
    ) -> None:
        stranger = Browser(app, "198.51.100.9")
        for _ in range(5):
            ask(stranger, RIET)
        stranger.submit(stranger.get("/inloggen"), "/inloggen", status=429, email=RIET)

        ask(browser_client, RIET)

        assert len(mails_to(session, RIET)) == 6

    def test_the_mail_that_was_sent_still_works_then(self, session: Session, browser_client: Browser) -> None:
        for _ in range(5):
            ask(browser_client, RIET)
        browser_client.submit(browser_client.get("/inloggen"), "/inloggen", status=429, email=RIET)

        page = browser_client.get("/inloggen/code")
        browser_client.submit(page, "/inloggen/code", code=newest_mail(session, RIET).code)

        assert is_signed_in(browser_client)

    def test_a_client_asks_for_thirty_mails_an_hour(self, app: Flask, session: Session) -> None:
        client = Browser(app, "198.51.100.7")
        for number in range(30):
            ask(client, f"mens{number}@flat.example")

        client.submit(client.get("/inloggen"), "/inloggen", status=429, email="mens30@flat.example")

        assert count(session, OutgoingMail) == 30
        ask(Browser(app, "198.51.100.8"), "mens30@flat.example")

    def test_an_address_gets_thirty_mails_a_day_whoever_asks(
        self, app: Flask, session: Session, browser_client: Browser, after: Callable[[dt.timedelta], None]
    ) -> None:
        for number in range(6):
            for _ in range(5):
                ask(Browser(app, f"198.51.100.{number}"), RIET)

        browser_client.submit(browser_client.get("/inloggen"), "/inloggen", status=429, email=RIET)

        assert len(mails_to(session, RIET)) == 30
        after(25 * HOUR)
        ask(browser_client, RIET)

    @pytest.mark.parametrize("written", ["RIET@voorbeeld.example", " riet@VOORBEELD.example"])
    def test_another_way_of_writing_is_the_same_address(
        self, session: Session, browser_client: Browser, written: str
    ) -> None:
        for _ in range(5):
            ask(browser_client, RIET)

        browser_client.submit(browser_client.get("/inloggen"), "/inloggen", status=429, email=written)

        assert count(session, OutgoingMail) == 5

    def test_thirty_requests_at_once_send_five_mails(self, own_app: Flask, own_session: Session) -> None:
        def ask_once(db: Session) -> object:
            return service.ask_to_sign_in(
                db, RIET, "browser", client=b"x" * 16, next_path="", secret_key=SECRET_KEY, now=clock.now()
            )

        at_once([committed(own_app, ask_once)] * 30)

        assert len(mails_to(own_session, RIET)) == 5

    def test_what_was_asked_for_days_ago_is_forgotten(self, session: Session, browser_client: Browser) -> None:
        sign_in(browser_client, session, RIET)
        session.commit()

        purge_personal_data.run(clock.now() + dt.timedelta(hours=23))
        assert count(session, SignInRequest) == 1
        report = purge_personal_data.run(clock.now() + 3 * DAY)
        again = purge_personal_data.run(clock.now() + 3 * DAY)

        assert (count(session, SignInRequest), count(session, Attempt)) == (0, 0)
        assert count(session, AccountSession) == 1
        assert (report.changed > 0, again.changed) == (True, 0)

    def test_a_session_that_is_long_over_is_forgotten(self, session: Session, browser_client: Browser) -> None:
        sign_in(browser_client, session, RIET)
        session.commit()

        purge_personal_data.run(clock.now() + 59 * DAY)
        assert count(session, AccountSession) == 1
        purge_personal_data.run(clock.now() + 61 * DAY)

        assert count(session, AccountSession) == 0


class TestEnumeration:
    """Nobody finds out who has an account."""

    def test_known_and_unknown_addresses_get_the_same_answer_for_the_same_work(
        self, app: Flask, session: Session, factory: Factory, connection: Connection
    ) -> None:
        deleted = factory.account("weg@voorbeeld.example")
        factory.account("bekend@voorbeeld.example", name="Bekend")
        factory.account("regie@voorbeeld.example", roles=(Role.COORDINATOR,))
        deleted.email, deleted.deleted_at = None, factory.now
        session.commit()
        accounts = count(session, Account)
        names = ("bekend", "nieuw", "regie", "weg")

        seen = set()
        for number, name in enumerate(names):
            browser = Browser(app, f"198.51.100.{number}")
            page = browser.get("/inloggen")
            with counting(connection) as statements:
                answer = browser.send(page, "/inloggen", email=f"{name}@voorbeeld.example")
            with counting(connection) as reads:
                shown = browser.get(answer.location)
            headers = {key for key, _value in answer.headers}
            seen.add(
                (
                    answer.status_code, answer.location, without_secrets(answer.get_data(as_text=True), name),
                    frozenset(headers), len(statements), tuple(plain(one) for one in statements),
                    len(reads), without_secrets(shown.html, name),
                )
            )  # fmt: skip

        assert len(seen) == 1
        assert count(session, Account) == accounts
        assert count(session, OutgoingMail) == len(names)

    def test_wrong_codes_say_the_same_for_known_and_unknown(
        self, app: Flask, session: Session, factory: Factory
    ) -> None:
        factory.account("bekend@voorbeeld.example")
        session.commit()

        answers = []
        for number, name in enumerate(("bekend", "nieuw")):
            browser = Browser(app, f"198.51.100.{number}")
            page = ask(browser, f"{name}@voorbeeld.example")
            wrong = newest_mail(session, f"{name}@voorbeeld.example").wrong_code
            refused = browser.submit(page, "/inloggen/code", status=422, code=wrong)
            answers.append(without_secrets(refused.html, name))

        assert answers[0] == answers[1]


def without_secrets(html: str, name: str) -> str:
    html = re.sub(r'name="csrf_token"\s+value="[^"]+"', "", html)
    return html.replace(f"{name}@voorbeeld.example", "@")


def plain(statement: str) -> str:
    return " ".join(statement.split())


ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "https:evil.example",
    "https://evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "%2F%2Fevil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/account\r\nSet-Cookie: a=b",
    "/account\u2028evil",
    " //evil.example",
    "evil.example",
    "@evil.example",
    "/" + "a" * 5000,
    "",
]


class TestOpenRedirects:
    """Signing in leads to a page of ours, whatever the address asked for."""

    @pytest.mark.parametrize("path", ELSEWHERE)
    def test_nothing_leads_elsewhere(self, session: Session, browser_client: Browser, path: str) -> None:
        factory_page = browser_client._page(
            browser_client._send("GET", "/inloggen", query_string={"volgende": path}), "/inloggen", 200
        )
        assert leads_home(factory_page.field("volgende"))

        asked = browser_client.submit(factory_page, "/inloggen", email=RIET, volgende=path)
        entered = browser_client.send(asked, "/inloggen/code", code=newest_mail(session, RIET).code)
        welcome = browser_client.get(entered.location)
        went_on = browser_client.send(welcome, "/account/welkom", name="Riet", volgende=path)

        assert leads_home(the_request(session).next_path)
        assert entered.location.partition("?")[0] == "/account/welkom"
        assert leads_home(went_on.location)
        assert leads_home(browser_client._send("GET", "/inloggen", query_string={"volgende": path}).location)

    def test_a_path_with_a_query_and_percent_signs_arrives_as_it_was(
        self, session: Session, browser_client: Browser
    ) -> None:
        sign_in(browser_client, session, RIET)
        path = "/initiatieven?zoek=bomen%20en%20struiken&wijk=x"

        sent_on = browser_client._send("GET", "/inloggen", query_string={"volgende": path})

        assert sent_on.location == path


def leads_home(location: str) -> bool:
    """Whether a browser stays on this site: one slash, and no second one or backslash after it."""
    stripped = "".join(c for c in location if c not in "\t\r\n")
    is_local = location == stripped and not re.match(r"[/\\]{2}|/[\\/]", location)
    return location == "" or (location.startswith("/") and is_local and len(location) <= 500)


class TestTakenSessions:
    """Session fixation, login CSRF, and cookies of before."""

    def test_signing_in_makes_a_new_session_and_the_one_of_before_is_worth_nothing(
        self, app: Flask, session: Session, browser_client: Browser
    ) -> None:
        page = ask(browser_client, RIET)
        before = cookie_of(browser_client)

        browser_client.submit(page, "/inloggen/code", code=newest_mail(session, RIET).code)

        after = cookie_of(browser_client)
        assert before["csrf_token"] != after.get("csrf_token")
        assert not set(before) - {"csrf_token"} & set(after)
        taken = with_cookie(app, before)
        assert not is_signed_in(taken)
        assert taken._send("GET", "/account").location.startswith("/inloggen")

    def test_a_csrf_token_of_before_is_refused_after(self, session: Session, browser_client: Browser) -> None:
        page = ask(browser_client, RIET)
        before = page.field("csrf_token")
        browser_client.submit(page, "/inloggen/code", code=newest_mail(session, RIET).code)

        browser_client.post("/account/gegevens", {"csrf_token": before, "name": "Dief"}, status=400)

        assert session.scalars(select(Account.name)).one() == ""

    def test_what_a_thief_planted_in_the_cookie_is_gone_after_signing_in(
        self, session: Session, browser_client: Browser
    ) -> None:
        with browser_client.client.session_transaction() as cookie:
            cookie["planted"] = "x"
        sign_in(browser_client, session, RIET)

        assert "planted" not in cookie_of(browser_client)

    @pytest.mark.parametrize("path", ["/inloggen", "/inloggen/code", "/uitloggen", "/account/verwijderen"])
    def test_a_form_of_another_site_is_refused(self, session: Session, browser_client: Browser, path: str) -> None:
        token = browser_client.get("/inloggen").field("csrf_token")

        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            browser_client.post(path, {"csrf_token": token, "email": RIET}, status=403, headers=headers)
        browser_client.post(path, {"email": RIET}, status=400 if path != "/account/verwijderen" else 403)

        assert count(session, OutgoingMail) == 0

    def test_a_stranger_cannot_sign_somebody_in_as_himself_with_his_own_link(
        self, app: Flask, session: Session, browser_client: Browser
    ) -> None:
        thief = Browser(app, "198.51.100.66")
        ask(thief, "dief@voorbeeld.example")

        lured = browser_client.get(newest_mail(session, "dief@voorbeeld.example").link)

        assert not lured.all("main form")
        assert not is_signed_in(browser_client)


class TestTheAddress:
    """What may be typed as an e-mail address."""

    @pytest.mark.parametrize(
        "typed",
        [
            "",
            "riet",
            "riet@",
            "@voorbeeld.example",
            "riet@voorbeeld",
            "riet@voorbeeld.example\r\nBcc: dief@voorbeeld.example",
            "riet@voorbeeld.example\nSubject: x",
            "riet@voorbeeld.example,dief@voorbeeld.example",
            "riet@voorbeeld.example dief@voorbeeld.example",
            "Riet <riet@voorbeeld.example>",
            '"riet\r\nBcc: x"@voorbeeld.example',
            "riet@voor\x00beeld.example",
            "riet@@voorbeeld.example",
            "-" * 70 + "@voorbeeld.example",
            "riet@" + "v" * 300 + ".example",
            "r" * 200_00 + "@voorbeeld.example",
            "riet@[127.0.0.1]",
        ],
    )
    def test_what_is_no_address_gets_no_mail(self, session: Session, browser_client: Browser, typed: str) -> None:
        page = browser_client.submit(browser_client.get("/inloggen"), "/inloggen", status=422, email=typed)

        assert "Vul je e-mailadres in" in page.text
        assert page.one("#email").attrs["aria-invalid"] == "true"
        assert page.one('.abs-error-summary a[href="#email"]')
        assert count(session, OutgoingMail) == count(session, SignInRequest) == 0

    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            (" RIET@Voorbeeld.Example ", RIET),
            ("riet+buurt@voorbeeld.example", "riet+buurt@voorbeeld.example"),
            ("riet@bücher.example", "riet@xn--bcher-kva.example"),
        ],
    )
    def test_an_address_is_kept_in_one_way_of_writing(
        self, session: Session, browser_client: Browser, typed: str, kept: str
    ) -> None:
        browser_client.submit(browser_client.get("/inloggen"), "/inloggen", email=typed)

        assert the_request(session).email == kept
        assert len(mails_to(session, kept)) == 1


def test_no_page_of_an_account_is_kept_by_a_cache(app: Flask, session: Session, browser_client: Browser) -> None:
    pages: list[Page] = [
        browser_client.get(path) for path in ("/inloggen", "/inloggen/link/abc", "/account/verwijderd")
    ]
    pages.append(ask(browser_client, RIET))
    sign_in(browser_client, session, RIET)
    paths = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("accounts.") and "GET" in (rule.methods or ()) and not rule.arguments
    ]
    answers = [browser_client._send("GET", path) for path in paths]

    assert len(paths) > 8
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    assert {page.response.headers["Cache-Control"] for page in pages} == {"no-store"}
