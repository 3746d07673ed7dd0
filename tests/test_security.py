# SPDX-License-Identifier: EUPL-1.2
"""Who may enter, what every answer carries, who a client is, and the pages for what goes wrong."""

from __future__ import annotations

import contextvars
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy import text
from werkzeug.test import TestResponse

from abs_platform import create_app
from abs_platform.config import Settings
from abs_platform.database import db
from abs_platform.payment_settings import PaymentSettings
from abs_platform.security import (
    access_of,
    check_routes,
    client_digests,
    content_security_policy,
    public,
    request_client,
)
from tests.conftest import make_settings
from tests.factories import Factory
from tests.page import Browser
from tests.stand_in import StandIn

TODAY, YESTERDAY = date(2026, 11, 22), date(2026, 11, 21)
KEY = "a secret key"
NO_DATABASE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
REQUEST_ID = re.compile(r"^[0-9a-f]{32}$")


@pytest.fixture
def production(app: Flask, tmp_path: Path) -> Flask:
    """The app as it runs in production, on the same database."""
    used = make_settings(str(app.config["SQLALCHEMY_DATABASE_URI"]), tmp_path)
    return create_app(replace(used, environment="production", base_url="https://buurt.example"))


@pytest.fixture
def without_database(tmp_path: Path) -> Flask:
    """An app whose database does not answer."""
    return create_app(make_settings(NO_DATABASE, tmp_path))


def fetch(app: Flask, path: str, method: str = "GET", **options: Any) -> TestResponse:
    """One request, in a context of its own. "GET /" may stand together as the path."""
    if " " in path:
        method, _, path = path.partition(" ")
    return contextvars.Context().run(app.test_client().open, path, method=method, **options)


def break_route(monkeypatch: pytest.MonkeyPatch, app: Flask, endpoint: str) -> None:
    """Put a bug in a route."""

    def bug(**_arguments: object) -> str:
        raise ZeroDivisionError("een fout van ons")

    monkeypatch.setitem(app.view_functions, endpoint, public(bug))


# -- who may enter ----------------------------------------------------------------------------------------------------


def test_routes_are_guarded(app: Flask) -> None:
    rules = list(app.url_map.iter_rules())

    silent = [str(rule) for rule in rules if access_of(app, rule.endpoint) is None]

    assert len(rules) > 10
    assert silent == []
    check_routes(app)


def test_an_app_with_a_route_that_does_not_state_who_may_enter_does_not_start_and_lets_nobody_in(
    without_database: Flask,
) -> None:
    without_database.add_url_rule("/open", "open", lambda: "iedereen")

    with pytest.raises(RuntimeError, match="who may enter: open"):
        check_routes(without_database)

    assert fetch(without_database, "/open").status_code == 403


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("path", ["/api/v1/initiatives/", "/initiatieven/", "/voucher/", "/hoe-werkt-het/"])
def test_an_address_with_a_slash_too_many_is_not_found(app: Flask, path: str) -> None:
    assert fetch(app, path).status_code == 404


# -- what every answer carries ----------------------------------------------------------------------------------------

ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/initiatieven", 200),
    ("GET", "/static/css/abs.css", 200),
    ("GET", "/healthz", 200),
    ("GET", "/bestaat-niet", 404),
    ("GET", "/static/bestaat-niet.css", 404),
    ("GET", "/voucher/geven", 405),
    ("POST", "/voucher", 422),
    ("POST", "/voucher/geven", 400),
    ("OPTIONS", "/", 200),
    ("HEAD", "/", 200),
    ("GET", "/api/v1/initiatives", 200),
    ("GET", "/api/v1/nergens", 404),
    ("DELETE", "/api/v1/initiatives", 405),
    ("POST", "/api/v1/voucher-donations", 415),
]


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_carries_the_headers(app: Flask, method: str, path: str, status: int) -> None:
    with fetch(app, path, method) as answer:
        headers = answer.headers
        assert answer.status_code == status
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert REQUEST_ID.match(headers["X-Request-ID"])
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers
    if path.startswith("/api/"):
        assert headers["Cache-Control"] == "no-store"
        assert headers["API-Version"]
    if status == 405:
        assert headers["Allow"]


def test_a_bug_carries_the_headers_too(app: Flask, browser_client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    break_route(monkeypatch, app, "pages.home")

    page = browser_client.get("/", status=500)

    assert page.response.headers["X-Frame-Options"] == "DENY"
    assert REQUEST_ID.match(page.response.headers["X-Request-ID"])


@pytest.mark.usefixtures("session")
def test_the_content_security_policy_of_pages_allows_only_our_own(app: Flask) -> None:
    policy = fetch(app, "/").headers["Content-Security-Policy"]

    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives == {
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "form-action": "'self'",
        "object-src": "'none'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }


@pytest.mark.usefixtures("session")
def test_a_form_may_lead_on_to_where_gifts_are_paid_and_nowhere_else(paying_app: Flask, stand_in: StandIn) -> None:
    policy = fetch(paying_app, "/").headers["Content-Security-Policy"]
    live = PaymentSettings(api_key="sk_live_x", webhook_secret="whsec_x")

    assert f"form-action 'self' {stand_in.settings.api_url};" in policy
    assert "form-action 'self' https://checkout.stripe.com;" in content_security_policy(live)
    assert content_security_policy(live).count("stripe") == 1


@pytest.mark.usefixtures("session")
def test_over_https_the_browser_is_told_to_stay_there(app: Flask) -> None:
    over_https = fetch(app, "/", base_url="https://localhost")

    assert over_https.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("abc123", True),
        ("f" * 64, True),
        ("f" * 65, False),
        ("", False),
        ("a b", False),
        ("a\u00e9", False),
        ("<script>", False),
        ("a;b", False),
    ],
)
def test_a_request_keeps_the_number_it_came_with_when_that_is_harmless(
    app: Flask, given: str, *, is_kept: bool
) -> None:
    number = fetch(app, "/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]

    assert (number == given) == is_kept
    assert is_kept or REQUEST_ID.match(number)


# -- cookies ----------------------------------------------------------------------------------------------------------


def test_no_public_page_sets_a_cookie(factory: Factory, app: Flask) -> None:
    initiative = factory.initiative(title="Bomen")
    (code,) = factory.codes()
    gift = factory.give(code, initiative)
    factory.session.commit()
    assert gift is not None
    paths = ["/", "/hoe-werkt-het", "/initiatieven", f"/initiatieven/{initiative.id}-bomen", "/voucher", "/v"]
    paths += [f"/giften/{gift.reference}", "/bestaat-niet", "/static/css/abs.css", "/api/v1/initiatives", "/healthz"]

    for path in paths:
        with fetch(app, path) as answer:
            assert "Set-Cookie" not in answer.headers, path
            # Pages differ for who is signed in, and say so; files and the API are the same for everyone.
            is_page = not path.startswith(("/static", "/api", "/healthz"))
            assert ("Cookie" in answer.headers.get("Vary", "")) == is_page, path


def test_the_confirm_page_is_the_first_that_needs_a_cookie(factory: Factory, app: Flask) -> None:
    initiative = factory.initiative()
    (code,) = factory.codes()
    factory.session.commit()

    answer = fetch(app, "/voucher", "POST", data={"code": code, "initiative_id": initiative.id})

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert answer.headers["Cache-Control"] == "no-store"


def test_in_production_a_cookie_is_bound_to_this_host_and_to_https(
    factory: Factory, app: Flask, production: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    initiative = factory.initiative()
    (code,) = factory.codes()
    factory.session.commit()
    with production.app_context():
        engines = db.engines
    with app.app_context():
        monkeypatch.setitem(engines, None, db.engines[None])
    data = {"code": code, "initiative_id": initiative.id}

    answer = fetch(production, "/voucher", "POST", data=data, base_url="https://buurt.example")

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_in_production_another_host_name_is_refused(production: Flask) -> None:
    answer = fetch(production, "/hoe-werkt-het", base_url="https://aanvaller.example")

    assert answer.status_code == 400
    assert "aanvaller" not in answer.get_data(as_text=True)


def test_a_probe_may_ask_under_any_name_whether_the_app_lives(production: Flask) -> None:
    assert fetch(production, "/healthz", base_url="https://10.0.0.7:8000").status_code == 200


@pytest.mark.parametrize("origin", ["http://[", "null", "", "https://aanvaller.example", "://"])
def test_a_form_with_a_strange_origin_is_refused(app: Flask, origin: str) -> None:
    answer = app.test_client().post("/voucher", data={"code": ""}, headers={"Origin": origin})

    assert answer.status_code == 403


# -- who a client is --------------------------------------------------------------------------------------------------


def digest(address: str | None, day: date = TODAY, key: str = KEY) -> bytes:
    return client_digests(key, address, day, day - timedelta(days=1))[0]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:DB8:0001:0002:0:0:0:1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("192.0.2.1", "2001:db8:1:2::1", False),
        ("192.0.2.1:55123", "192.0.2.1", True),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::1", True),
        (None, "", True),
        (None, "192.0.2.1", False),
        ("unix:", "unknown", True),
    ],
)
def test_a_client_is_an_address_or_an_ipv6_network(one: str | None, other: str | None, *, is_same: bool) -> None:
    assert (digest(one) == digest(other)) == is_same


def test_a_client_has_another_digest_every_day_and_is_known_by_that_of_yesterday() -> None:
    today, yesterday = client_digests(KEY, "192.0.2.1", TODAY, YESTERDAY)

    assert today != yesterday
    assert yesterday == digest("192.0.2.1", YESTERDAY)
    assert today == digest("192.0.2.1", TODAY)


def test_a_digest_depends_on_the_key_and_is_sixteen_bytes_without_the_address() -> None:
    made = digest("192.0.2.1")

    assert len(made) == 16
    assert made != digest("192.0.2.1", key="another key")
    assert bytes([192, 0, 2, 1]) not in made
    assert b"192.0.2.1" not in made


def test_no_address_of_a_client_stands_in_the_database(factory: Factory, app: Flask) -> None:
    browser = Browser(app, address="203.0.113.77")
    initiative = factory.initiative()
    (code,) = factory.codes()
    factory.give(code, initiative)
    factory.session.commit()

    browser.post("/voucher", {"code": code, "initiative_id": str(initiative.id)}, status=409)

    tables = factory.session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    everything = " ".join(
        str(factory.session.execute(text(f'SELECT t::text FROM "{table}" t')).all()) for table in tables
    )
    assert "code_attempts" in tables
    assert factory.session.scalar(text("SELECT count(*) FROM code_attempts")) == 1
    assert "203.0.113" not in everything
    assert bytes([203, 0, 113, 77]).hex() not in everything


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen_as"),
    [
        (0, "198.51.100.9", ("192.0.2.1", "localhost", "http")),
        (1, "198.51.100.9", ("198.51.100.9", "buurt.example", "https")),
        (1, "203.0.113.1, 198.51.100.9", ("198.51.100.9", "buurt.example", "https")),
        (2, "203.0.113.1, 198.51.100.9", ("203.0.113.1", "localhost", "http")),
        (1, "onzin", ("onzin", "buurt.example", "https")),
    ],
)
def test_what_a_proxy_says_counts_only_when_a_setting_says_that_there_is_one(
    tmp_path: Path, proxies: int, forwarded: str, seen_as: tuple[str, str, str]
) -> None:
    made = create_app(replace(make_settings(NO_DATABASE, tmp_path), trusted_proxies=proxies))
    seen: list[tuple[str | None, str, str]] = []

    def look() -> str:
        seen.append((request.remote_addr, request.host, request.scheme))
        assert request_client()[0] != request_client()[1]
        return ""

    made.view_functions["pages.healthz"] = public(look)
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Host": "buurt.example", "X-Forwarded-Proto": "https"}

    fetch(made, "/healthz", headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.1"})

    assert seen == [seen_as]


# -- forms from elsewhere ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("headers", "is_refused"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Origin": "http://localhost"}, False),
        ({"Origin": "https://aanvaller.example"}, True),
        ({"Origin": "http://localhost.aanvaller.example"}, True),
        ({"Origin": "null"}, True),
    ],
)
def test_a_form_that_another_site_sends_is_refused(app: Flask, headers: dict[str, str], *, is_refused: bool) -> None:
    answer = fetch(app, "/voucher", "POST", headers=headers)

    assert answer.status_code == (403 if is_refused else 422)


@pytest.mark.usefixtures("session")
def test_giving_needs_a_token_of_this_session(app: Flask) -> None:
    answer = fetch(app, "/voucher/geven", "POST", data={"csrf_token": "geraden"})

    assert answer.status_code == 400
    assert "laad de pagina opnieuw" in answer.get_data(as_text=True)


# -- the pages for what goes wrong ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("sent", "options", "status", "words"),
    [
        ("GET /nergens", {}, 404, "Deze pagina bestaat niet"),
        ("GET /giften/BESTAATNIET", {}, 404, "Dit bewijs bestaat niet"),
        ("GET /voucher/geven", {}, 405, "gebruik de knop op de pagina"),
        ("POST /", {}, 405, "gebruik de knop op de pagina"),
        ("POST /voucher", {"data": {"code": "x" * 1_100_000}}, 413, "te groot"),
        ("POST /voucher/geven", {"data": {"message": "x" * 1_100_000}}, 413, "te groot"),
        (
            "POST /voucher",
            {"data": {f"f{n}": "x" for n in range(300)}, "content_type": "multipart/form-data"},
            413,
            "te",
        ),
    ],
)
def test_what_goes_wrong_has_a_page_of_ours(
    app: Flask, sent: str, options: dict[str, Any], status: int, words: str
) -> None:
    page = Browser(app)._page(fetch(app, sent, **options), sent, status)

    assert words in page.text
    assert page.one("title").to_text().strip().startswith("Fout:")


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("sent", "options", "status"),
    [
        ("GET /api/v1/nergens", {}, 404),
        ("GET /api/v2", {}, 404),
        ("PUT /api/v1/initiatives", {}, 405),
        ("POST /api/v1/voucher-donations", {"json": {}}, 400),
        ("POST /api/v1/voucher-donations", {"data": "{", "content_type": "application/json"}, 400),
        ("POST /api/v1/voucher-donations", {"data": "x", "content_type": "text/plain"}, 415),
        ("POST /api/v1/voucher-donations", {"json": {"code": "x" * 1_100_000}}, 413),
        ("GET /api/v1/initiatives?status=draft", {}, 400),
    ],
)
def test_what_goes_wrong_in_the_api_is_a_problem(app: Flask, sent: str, options: dict[str, Any], status: int) -> None:
    answer = fetch(app, sent, **options)

    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == status
    assert answer.json["title"]
    assert answer.json["detail"]
    assert answer.json["requestId"] == answer.headers["X-Request-ID"]


@pytest.mark.usefixtures("session")
def test_a_bug_shows_a_page_that_tells_nothing_of_it(
    app: Flask, browser_client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_route(monkeypatch, app, "pages.home")

    page = browser_client.get("/", status=500)

    assert "Er ging iets mis bij ons" in page.text
    assert page.response.headers["X-Request-ID"][:8] in page.text
    assert "ZeroDivisionError" not in page.html
    assert "een fout van ons" not in page.html


@pytest.mark.usefixtures("session")
def test_a_bug_in_the_api_is_a_problem_that_tells_nothing_of_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    break_route(monkeypatch, app, "api.initiatives")

    answer = fetch(app, "/api/v1/initiatives")

    assert answer.status_code == 500
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["requestId"] == answer.headers["X-Request-ID"]
    assert "een fout van ons" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", "/initiatieven", "/initiatieven/1-x", "/voucher", "/giften/ABCDEFGHJK"])
def test_without_a_database_there_is_still_a_page(without_database: Flask, path: str) -> None:
    browser = Browser(without_database)

    page = browser.get(path, status=503)

    assert "Er ging iets mis bij ons" in page.text
    assert "127.0.0.1" not in page.html


def test_without_a_database_the_api_answers_with_a_problem(without_database: Flask) -> None:
    answer = fetch(without_database, "/api/v1/initiatives")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.content_type == "application/problem+json"


def test_without_a_database_the_process_is_alive_but_not_ready(without_database: Flask) -> None:
    assert fetch(without_database, "/healthz").status_code == 200
    assert fetch(without_database, "/readyz").status_code == 503


def test_what_needs_no_database_is_there_without_one(without_database: Flask) -> None:
    browser = Browser(without_database)

    page = browser.get("/nergens", status=404)

    assert "Deze pagina bestaat niet" in page.text


def test_settings_of_a_test_are_not_those_of_production(app: Flask) -> None:
    settings: Settings = app.extensions["settings"]

    assert not settings.is_production
