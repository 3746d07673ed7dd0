# SPDX-License-Identifier: EUPL-1.2
"""Staff sign in at their municipality: a real provider there and back, and everything that a lying one is refused."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from joserfc.jwk import RSAKey
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from abs_platform import clock
from abs_platform.accounts import oidc, second_factor
from abs_platform.accounts.models import Account, AccountSession, OidcIdentity, StaffRole
from abs_platform.config import Settings
from abs_platform.errors import NotAllowed, ProviderUnavailable
from abs_platform.municipality import ConfigurationError
from abs_platform.openid import OpenId
from abs_platform.users import Role, User
from tests.accounts.providers import (
    BACK,
    CLIENT_ID,
    CLIENT_SECRET,
    LyingProvider,
    RealProvider,
    free_port,
    lying_provider,
    real_provider,
    use_provider,
)
from tests.accounts.staff_helpers import (
    ASK,
    DESK,
    SET_UP,
    count,
    district_manager,
    enter,
    fetch,
    signed_in,
    token_of,
    verbs_of,
)
from tests.concurrency.racing import at_once, committed
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.page import Browser, Page

START = "/inloggen/gemeente"
EMAIL = "rina@gemeente.example"


@pytest.fixture(scope="module")
def running() -> Iterator[RealProvider]:
    """The real provider."""
    with real_provider() as provider:
        yield provider


@pytest.fixture
def municipality(app: Flask, monkeypatch: pytest.MonkeyPatch, running: RealProvider) -> RealProvider:
    """The real provider, known to the app."""
    use_provider(app, monkeypatch, running.issuer)
    return running


@pytest.fixture
def liar() -> Iterator[LyingProvider]:
    """The provider that lies."""
    with lying_provider() as provider:
        yield provider


def go(browser: Browser, path: str = START) -> str:
    """Where the browser is sent to."""
    answer = fetch(browser, path)
    assert answer.status_code == 302, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.location


def come_back(browser: Browser, municipality: RealProvider, subject: str, path: str = START) -> Page:
    """Sign in there, and open the page that one comes back to."""
    back = urlsplit(municipality.sign_in(go(browser, path), subject))
    assert back.path == BACK
    return browser.get(f"{BACK}?{back.query}")


def sign_in(browser: Browser, municipality: RealProvider, subject: str, path: str = START) -> TestResponse:
    """The whole way; returns the answer at its end."""
    return browser.send(come_back(browser, municipality, subject, path), BACK)


def who(browser: Browser, session: Session) -> User:
    """Who is signed in in this browser."""
    return signed_in(session, token_of(browser))


# -- there and back ---------------------------------------------------------------------------------------------------


def test_a_wijkregisseur_comes_in_and_goes_on_to_the_desk_when_the_municipality_asked_two_steps(
    browser_client: Browser, factory: Factory, session: Session, municipality: RealProvider
) -> None:
    account = district_manager(factory, has_app=False, email=EMAIL)
    session.commit()
    subject = municipality.has("rina-1", email=EMAIL.upper(), email_verified=True, amr=["pwd", "mfa"])

    answer = sign_in(browser_client, municipality, subject, f"{START}?volgende={DESK}")

    assert answer.status_code == 303
    assert answer.location == DESK
    assert browser_client.get(DESK).one("h1").to_text().strip() == "Je afwezigheid"
    user = who(browser_client, session)
    assert user.account_id == account.id
    assert user.has_second_factor
    tied = session.scalars(select(OidcIdentity)).one()
    assert (tied.account_id, tied.issuer, tied.subject) == (account.id, municipality.issuer, subject)
    assert session.scalars(select(AccountSession.method).where(AccountSession.id == user.session_id)).one() == "oidc"
    assert verbs_of(session, account) == ["identity_tied"]


def test_what_goes_there_is_bound_to_this_browser_and_this_sign_in(
    browser_client: Browser, municipality: RealProvider
) -> None:
    urls = [urlsplit(go(browser_client)) for _number in range(2)]
    first, second = (parse_qs(url.query) for url in urls)

    assert first["response_type"] == ["code"]
    assert first["client_id"] == [CLIENT_ID]
    assert first["redirect_uri"] == [f"http://localhost{BACK}"]
    assert first["scope"] == ["openid email"]
    assert first["code_challenge_method"] == ["S256"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]
    assert f"{urls[0].scheme}://{urls[0].netloc}" == municipality.issuer


@pytest.mark.parametrize(
    ("claims", "acr", "counts"),
    [
        ({}, "", False),
        ({"amr": ["pwd"]}, "", False),
        ({"amr": ["otp"]}, "", True),
        ({"amr": ["hwk", "user"]}, "", True),
        ({"amr": ["pop"]}, "", True),
        ({"acr": "urn:sterk"}, "", False),
        ({"acr": "urn:sterk"}, "urn:sterk", True),
        ({"acr": "urn:zwak"}, "urn:sterk", False),
        ({"amr": ["mfa"], "auth_time": 1_000_000_000}, "", False),
        ({"amr": ["mfa"], "auth_time": 4_000_000_000}, "", True),
    ],
)
def test_it_counts_as_a_second_step_only_when_the_municipality_says_so(
    app: Flask,
    browser_client: Browser,
    factory: Factory,
    running: RealProvider,
    monkeypatch: pytest.MonkeyPatch,
    *,
    claims: dict[str, Any],
    acr: str,
    counts: bool,
) -> None:
    use_provider(app, monkeypatch, running.issuer, acr)
    district_manager(factory, email=EMAIL)
    factory.session.commit()
    subject = running.has(f"rina-{time.monotonic_ns()}", email=EMAIL, email_verified=True, **claims)

    sign_in(browser_client, running, subject)

    assert who(browser_client, factory.session).has_second_factor is counts
    desk = fetch(browser_client, DESK)
    assert desk.status_code == 200 if counts else desk.location.startswith(ASK)


def test_the_second_time_the_number_counts_and_the_address_does_not(
    browser_client: Browser, factory: Factory, session: Session, municipality: RealProvider
) -> None:
    account = district_manager(factory, email=EMAIL)
    session.commit()
    subject = municipality.has("rina-2", email=EMAIL, email_verified=True)
    sign_in(browser_client, municipality, subject)
    municipality.has(subject, email="getrouwd@gemeente.example", email_verified=False)

    assert sign_in(browser_client, municipality, subject).status_code == 303

    assert who(browser_client, session).account_id == account.id
    assert count(session, OidcIdentity) == 1


def test_after_an_hour_without_work_who_came_from_the_municipality_may_go_there_again(
    browser_client: Browser, factory: Factory, session: Session, municipality: RealProvider
) -> None:
    district_manager(factory, has_app=False, email=EMAIL)
    session.commit()
    subject = municipality.has("rina-3", email=EMAIL, email_verified=True, amr=["mfa"])
    sign_in(browser_client, municipality, subject)
    with browser_client.client.session_transaction() as cookie:
        cookie["seen_at"] -= 3700

    page = browser_client.get(fetch(browser_client, DESK).location)

    assert page.one("h1").to_text().strip() == "Bevestig dat jij het bent"
    assert page.all(f'a[href="{START}?volgende={DESK}"]')
    sign_in(browser_client, municipality, subject)
    assert browser_client.get(DESK).path == DESK


def test_who_came_from_the_municipality_with_one_step_sets_up_a_second(
    browser_client: Browser, factory: Factory, session: Session, municipality: RealProvider
) -> None:
    district_manager(factory, has_app=False, email=EMAIL)
    session.commit()
    sign_in(browser_client, municipality, municipality.has("rina-4", email=EMAIL, email_verified=True))

    assert fetch(browser_client, ASK).location == SET_UP


# -- refused ----------------------------------------------------------------------------------------------------------


def refused(answer: TestResponse, sentence: str, status: int = 403) -> None:
    """What a page says that lets nobody in: why, and the other way in."""
    assert answer.status_code == status
    assert sentence in answer.text
    assert 'href="/inloggen"' in answer.text


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "niemand@gemeente.example", "email_verified": True},
        {"email": "bewoner@gemeente.example", "email_verified": True},
        {"email": "oud@gemeente.example", "email_verified": True},
        {"email": EMAIL, "email_verified": False},
        {"email": EMAIL},
        {"email": EMAIL, "email_verified": "true"},
        {},
    ],
    ids=["unknown", "resident", "worked here", "unverified", "silent", "a text", "no address"],
)
def test_only_who_works_here_comes_in_and_nobody_is_made(
    browser_client: Browser,
    factory: Factory,
    session: Session,
    municipality: RealProvider,
    claims: dict[str, Any],
) -> None:
    district_manager(factory, email=EMAIL)
    factory.account("bewoner@gemeente.example")
    former = factory.account("oud@gemeente.example", roles=(Role.COORDINATOR,))
    role = session.scalars(select(StaffRole).where(StaffRole.account_id == former.id)).one()
    role.ended_at = clock.now()
    session.commit()
    accounts = count(session, Account)
    session.commit()

    subject = municipality.has(f"iemand-{time.monotonic_ns()}", **claims)
    answer = sign_in(browser_client, municipality, subject)

    refused(answer, "Je bent hier nog geen medewerker.")
    assert count(session, Account) == accounts
    assert count(session, OidcIdentity) == 0
    assert count(session, AccountSession) == 0
    with browser_client.client.session_transaction() as cookie:
        assert "_user_id" not in cookie


def test_a_colleague_who_gets_the_address_of_another_is_not_the_other(
    browser_client: Browser, factory: Factory, session: Session, municipality: RealProvider
) -> None:
    account = district_manager(factory, email=EMAIL)
    session.commit()
    sign_in(browser_client, municipality, municipality.has("rina-5", email=EMAIL, email_verified=True))
    browser_client.client.delete_cookie("session")
    new = municipality.has("rina-6", email=EMAIL, email_verified=True)

    refused(sign_in(browser_client, municipality, new), "Bij je e-mailadres hoort al een ander account")

    second_factor.reset(session, account.id, actor=TEST_ACTOR, now=clock.now())
    session.commit()
    assert sign_in(browser_client, municipality, new).status_code == 303


def test_who_works_here_no_more_does_not_come_in_by_the_number_either(
    browser_client: Browser, factory: Factory, session: Session, municipality: RealProvider
) -> None:
    account = district_manager(factory, email=EMAIL)
    session.commit()
    subject = municipality.has("rina-7", email=EMAIL, email_verified=True)
    sign_in(browser_client, municipality, subject)
    role = session.scalars(select(StaffRole).where(StaffRole.account_id == account.id)).one()
    role.ended_at = clock.now()
    session.commit()

    refused(sign_in(browser_client, municipality, subject), "Je bent hier nog geen medewerker.")


def test_another_state_is_refused_before_anything_is_asked(
    browser_client: Browser, factory: Factory, session: Session, municipality: RealProvider
) -> None:
    district_manager(factory, email=EMAIL)
    session.commit()
    page = come_back(browser_client, municipality, municipality.has("rina-8", email=EMAIL, email_verified=True))

    for state in ("", "anders", "é"):
        refused(fetch(browser_client, f"{BACK}?code=x&state={state}"), "begon in een andere browser")
    refused(browser_client.send(page, BACK, state="anders"), "begon in een andere browser")
    refused(browser_client.send(page, BACK), "Deze inlog is al gebruikt")

    assert count(session, AccountSession) == 0


def test_coming_back_twice_signs_in_once(
    browser_client: Browser, factory: Factory, session: Session, municipality: RealProvider
) -> None:
    district_manager(factory, email=EMAIL)
    session.commit()
    page = come_back(browser_client, municipality, municipality.has("rina-9", email=EMAIL, email_verified=True))
    with browser_client.client.session_transaction() as cookie:
        begun = cookie["municipality_sign_in"]
    assert browser_client.send(page, BACK).status_code == 303
    other = Browser(browser_client.client.application)
    form = other.get("/inloggen").field("csrf_token")
    with other.client.session_transaction() as cookie:
        cookie["municipality_sign_in"] = begun

    fields = Browser.fields(page, BACK) | {"csrf_token": form}
    again = fetch(other, BACK, "POST", data=fields)

    refused(again, "Het inloggen bij de gemeente is niet gelukt.")
    assert count(session, AccountSession) == 1


def test_looking_at_the_page_one_comes_back_to_does_nothing(
    browser_client: Browser, factory: Factory, session: Session, municipality: RealProvider
) -> None:
    district_manager(factory, email=EMAIL)
    session.commit()

    page = come_back(browser_client, municipality, municipality.has("rina-10", email=EMAIL, email_verified=True))

    assert page.one("h1").to_text().strip() == "Je bent terug van de gemeente"
    assert page.response.headers["Cache-Control"] == "no-store"
    assert count(session, AccountSession) == 0


def test_who_stops_there_is_told(browser_client: Browser, municipality: RealProvider) -> None:
    state = parse_qs(urlsplit(go(browser_client)).query)["state"][0]

    denied = fetch(browser_client, f"{BACK}?error=access_denied&state={state}")
    mixed_up = fetch(browser_client, f"{BACK}?code=x&state={state}&iss=https://elders.example")

    assert municipality
    refused(denied, "Je bent niet ingelogd bij de gemeente.")
    refused(mixed_up, "Je bent niet ingelogd bij de gemeente.")


def test_it_leads_nowhere_else(
    browser_client: Browser, factory: Factory, session: Session, municipality: RealProvider
) -> None:
    district_manager(factory, email=EMAIL)
    session.commit()
    subject = municipality.has("rina-11", email=EMAIL, email_verified=True)

    answer = sign_in(browser_client, municipality, subject, f"{START}?volgende=https://elders.example/")

    assert answer.location == "/account"


def test_the_token_of_a_session_from_before_is_not_kept(
    browser_client: Browser, factory: Factory, session: Session, municipality: RealProvider
) -> None:
    account = district_manager(factory, email=EMAIL)
    old_token = enter(browser_client, factory, factory.account())
    subject = municipality.has("rina-12", email=EMAIL, email_verified=True)

    sign_in(browser_client, municipality, subject)

    assert token_of(browser_client) != old_token
    assert who(browser_client, session).account_id == account.id


@pytest.mark.usefixtures("session")
def test_without_a_provider_there_is_no_such_way_and_no_button(browser_client: Browser) -> None:
    assert fetch(browser_client, START).status_code == 404
    assert fetch(browser_client, f"{BACK}?state=x&code=y").status_code == 404
    assert START not in browser_client.get("/inloggen").html


def test_with_a_provider_the_sign_in_page_shows_the_button(browser_client: Browser, municipality: RealProvider) -> None:
    assert municipality
    assert browser_client.get("/inloggen").all(f'a[href^="{START}"]')


@pytest.mark.usefixtures("session")
def test_a_provider_that_is_down_is_told_and_the_mail_is_offered(
    app: Flask, browser_client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_provider(app, monkeypatch, f"http://127.0.0.1:{free_port()}")

    refused(fetch(browser_client, START), "Inloggen via de gemeente lukt nu niet.", 502)


def test_a_provider_that_goes_down_on_the_way_is_told(
    app: Flask, browser_client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lying_provider() as provider:
        use_provider(app, monkeypatch, provider.issuer)
        state = parse_qs(urlsplit(go(browser_client)).query)["state"][0]
    page = browser_client.get(f"{BACK}?code=x&state={state}")

    refused(browser_client.send(page, BACK), "Inloggen via de gemeente lukt nu niet.", 502)


def test_two_first_times_at_one_moment_tie_one_identity(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    district_manager(own_factory, email=EMAIL)
    own_session.commit()
    identity = oidc.Identity("https://gemeente.example", "s1", EMAIL, is_email_verified=True, has_second_factor=True)

    answers = at_once(
        [
            committed(
                own_app,
                lambda database: oidc.sign_in(
                    database, identity, user_agent="", secret_key=SECRET_KEY, now=clock.now()
                ),
            )
        ]
        * 4
    )

    assert len({answer for answer in answers if isinstance(answer, str)}) == 4
    own_session.rollback()
    assert count(own_session, OidcIdentity) == 1


# -- a token is checked whole -----------------------------------------------------------------------------------------


def finish(liar: LyingProvider) -> oidc.Identity:
    """Exchange a code at the lying provider, which takes the code for the nonce."""
    openid = OpenId(issuer=liar.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    provider = oidc.Provider(openid, f"http://localhost{BACK}")
    begun = provider.start()
    identity = provider.finish(begun.nonce, begun.nonce, begun.verifier, now=clock.now())
    assert liar.is_proven(begun.url)
    return identity


def test_a_right_token_is_taken_with_our_secret_and_the_proof_of_the_start(liar: LyingProvider) -> None:
    liar.claims = {"email": "Rina@Gemeente.example", "email_verified": True, "amr": ["mfa"]}

    identity = finish(liar)

    assert identity == oidc.Identity(liar.issuer, "s1", EMAIL, is_email_verified=True, has_second_factor=True)
    authorization = next(given for path, _form, given in liar.asked if path == "/token")
    assert base64.b64decode(authorization.removeprefix("Basic ")).decode().startswith(f"{CLIENT_ID}:")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elders.example"},
        {"iss": None},
        {"aud": "een ander"},
        {"aud": ["een ander"], "azp": CLIENT_ID},
        {"aud": None},
        {"aud": [CLIENT_ID, "een ander"], "azp": "een ander"},
        {"nonce": "een andere"},
        {"nonce": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": 4_000_000_000, "exp": 4_000_000_300},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"at_hash": "een andere"},
        {"amr": "mfa"},
    ],
    ids=json.dumps,
)
def test_a_token_with_a_wrong_claim_is_refused(liar: LyingProvider, claims: dict[str, Any]) -> None:
    liar.claims = claims

    with pytest.raises(NotAllowed):
        finish(liar)


def part(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


def test_a_token_that_somebody_else_signed_is_refused(liar: LyingProvider) -> None:
    liar.published = [liar.key]
    liar.key = RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256"})

    with pytest.raises(NotAllowed):
        finish(liar)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256"])
def test_a_token_that_anybody_can_sign_is_refused(liar: LyingProvider, algorithm: str) -> None:
    now = int(time.time())
    claims = {"iss": liar.issuer, "sub": "s1", "aud": CLIENT_ID, "exp": now + 300, "iat": now, "nonce": "n"}
    signed = f"{part({'alg': algorithm, 'kid': '1'})}.{part(claims)}"
    public = liar.key.as_pem(private=False)
    signature = hmac.digest(public, signed.encode(), "sha256") if algorithm == "HS256" else b""
    liar.token = f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    openid = OpenId(issuer=liar.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)

    with pytest.raises(NotAllowed):
        oidc.Provider(openid, "http://localhost").finish("code", "n", "v", now=clock.now())


def test_a_provider_may_take_new_keys(liar: LyingProvider) -> None:
    openid = OpenId(issuer=liar.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    provider = oidc.Provider(openid, f"http://localhost{BACK}")
    provider.finish("n", "n", "v", now=clock.now())
    liar.key = RSAKey.generate_key(2048, {"kid": "2", "alg": "RS256"})
    liar.header = {"alg": "RS256", "kid": "2"}

    assert provider.finish("n", "n", "v", now=clock.now()).subject == "s1"
    assert [path for path, _form, _authorization in liar.asked].count("/jwks") == 2
    assert [path for path, _form, _authorization in liar.asked].count("/.well-known/openid-configuration") == 1


def test_an_address_that_is_not_in_the_token_is_asked_for_and_is_of_the_same_person(liar: LyingProvider) -> None:
    told = {"sub": "s1", "email": EMAIL, "email_verified": True}
    liar.answers["/userinfo"] = (200, json.dumps(told).encode())
    assert finish(liar).email == EMAIL

    liar.asked.clear()
    liar.answers["/userinfo"] = (200, json.dumps(told | {"sub": "s2"}).encode())
    assert finish(liar).email == ""


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"])
@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (200, b"geen json"), (200, b"[]"), (200, b"\xff\xfe")])
def test_a_provider_that_answers_nonsense_is_not_available(
    liar: LyingProvider, path: str, status: int, body: bytes
) -> None:
    liar.answers[path] = (status, body)

    with pytest.raises((ProviderUnavailable, NotAllowed)):
        finish(liar)


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://elders.example"},
        {"token_endpoint": None},
        {"jwks_uri": "ftp://elders.example"},
    ],
)
def test_a_provider_that_says_other_things_of_itself_is_not_believed(
    liar: LyingProvider, change: dict[str, Any]
) -> None:
    about = json.loads(liar.answer("/.well-known/openid-configuration", {}, "", "")[1])
    liar.answers["/.well-known/openid-configuration"] = (200, json.dumps(about | change).encode())

    with pytest.raises(ProviderUnavailable):
        finish(liar)


def test_a_provider_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert oidc.TIMEOUT_SECONDS <= 5
    monkeypatch.setattr(oidc, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        openid = OpenId(issuer=issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)

        with pytest.raises(ProviderUnavailable):
            oidc.Provider(openid, "http://localhost").start()


# -- settings ---------------------------------------------------------------------------------------------------------

ALL = {"ABS_OIDC_ISSUER": "https://inloggen.example", "ABS_OIDC_CLIENT_ID": "a", "ABS_OIDC_CLIENT_SECRET": "geheim"}


def test_all_of_the_settings_or_none() -> None:
    assert OpenId.read({}) is None
    assert OpenId.read(ALL) == OpenId(issuer="https://inloggen.example", client_id="a", client_secret="geheim")
    for missing in ALL:
        with pytest.raises(ValueError, match=missing):
            OpenId.read(ALL | {missing: " "})
    with pytest.raises(ValueError, match="ABS_OIDC_ACR"):
        OpenId.read({"ABS_OIDC_ACR": "x"})
    assert "geheim" not in repr(OpenId.read(ALL))


@pytest.mark.parametrize(
    "issuer",
    ["inloggen.example", "ftp://inloggen.example", "https://", "https://a.example/?x=1", "https://u@a.example"],
)
def test_an_issuer_is_an_address(issuer: str) -> None:
    with pytest.raises(ValueError, match="ABS_OIDC_ISSUER"):
        OpenId.read(ALL | {"ABS_OIDC_ISSUER": issuer})


def test_in_production_an_issuer_is_safe() -> None:
    plain = ALL | {"ABS_OIDC_ISSUER": "http://inloggen.example"}
    assert OpenId.read(plain)
    with pytest.raises(ValueError, match="ABS_OIDC_ISSUER"):
        OpenId.read(plain | {"ABS_ENV": "production"})


def test_half_of_the_settings_is_a_problem_at_boot(tmp_path: Path) -> None:
    env = {"ABS_ENV": "test", "ABS_INSTANCE_DIR": str(tmp_path)}

    with pytest.raises(ConfigurationError, match="ABS_OIDC_CLIENT_SECRET is missing"):
        Settings.from_env(env | {name: ALL[name] for name in ("ABS_OIDC_ISSUER", "ABS_OIDC_CLIENT_ID")})

    assert Settings.from_env(env).openid is None
    assert Settings.from_env(env | ALL | {"ABS_OIDC_ACR": "sterk"}).openid == OpenId.read(
        ALL | {"ABS_OIDC_ACR": "sterk"}
    )
