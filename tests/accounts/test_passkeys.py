# SPDX-License-Identifier: EUPL-1.2
"""Passkeys of staff, made and used by a real authenticator in software, and everything that is refused."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import cbor2
import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from abs_platform import clock
from abs_platform.accounts import passkeys, second_factor
from abs_platform.accounts.models import Account, Passkey, TotpDevice
from abs_platform.accounts.queries import user_of_session
from abs_platform.accounts.service import digest
from abs_platform.errors import Conflict, InvalidInput
from tests.accounts.authenticator import Authenticator, text, unread
from tests.accounts.staff_helpers import (
    ASK,
    DESK,
    SET_UP,
    changes_mailed,
    count,
    district_manager,
    enter,
    errors_of,
    fetch,
    signed_in,
    token_of,
    user_of,
    verbs_of,
)
from tests.concurrency.racing import at_once, committed
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.page import Browser, Page

NO_ALGORITHM = (b"\x01\x02\x03&", b"\x01\x02\x04&")  # in COSE, 3 is the algorithm
SITE = passkeys.Site("Almelo Buurt Samen", "http://localhost")


def ask_options(browser: Browser, page: Page, path: str, status: int = 200) -> dict[str, Any]:
    """What the script of a page asks for, with the token of that page."""
    answer = fetch(browser, path, "POST", headers={"X-CSRFToken": page.field("csrf_token")})
    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "no-store"
    return dict(answer.get_json())


def make(browser: Browser, authenticator: Authenticator, name: str = "Telefoon") -> TestResponse:
    """Add a passkey, as the page does it."""
    page = browser.get(SET_UP)
    options = ask_options(browser, page, f"{SET_UP}/passkeys/opties")
    made = authenticator.create(options)
    return browser.send(page, f"{SET_UP}/passkeys", credential=made, name=name)


def use(browser: Browser, authenticator: Authenticator, **changes: bytes) -> TestResponse:
    """Give a passkey as the second step, as the page does it."""
    page = browser.get(ASK)
    options = ask_options(browser, page, f"{ASK}/passkey/opties")
    return browser.send(page, f"{ASK}/passkey", credential=authenticator.get(options, **changes))


def add(session: Session, account: Account, authenticator: Authenticator, name: str = "Telefoon") -> Passkey:
    """A passkey that was added before."""
    made = json.loads(authenticator.create({"challenge": "AAAA"}))
    challenge = unread("AAAA")
    checked = passkeys.verify_registration_response(
        credential=made, expected_challenge=challenge, expected_rp_id="localhost", expected_origin="http://localhost"
    )
    row = Passkey(
        account_id=account.id,
        credential_id=checked.credential_id,
        public_key=checked.credential_public_key,
        sign_count=checked.sign_count,
        name=name,
        added_at=clock.now(),
    )
    session.add(row)
    session.flush()
    return row


# -- making one -------------------------------------------------------------------------------------------------------


def test_a_passkey_as_first_step_opens_the_desk_and_comes_with_recovery_codes(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory, has_app=False)
    old_token = enter(browser_client, factory, account)
    authenticator = Authenticator()

    answer = make(browser_client, authenticator)

    assert answer.status_code == 200
    assert answer.text.count("<code>") == 10
    assert browser_client.get(DESK).path == DESK
    assert user_of(session, old_token) is None
    row = session.scalars(select(Passkey)).one()
    assert (row.account_id, row.credential_id, row.name) == (account.id, authenticator.credential_id, "Telefoon")
    assert row.used_at is None
    assert verbs_of(session, account) == ["passkey_added", "recovery_codes_made"]
    assert "Er is een passkey toegevoegd." in changes_mailed(session, account)[0]


def test_the_question_names_our_host_and_asks_for_a_finger_or_pin(browser_client: Browser, factory: Factory) -> None:
    account = district_manager(factory, has_app=False)
    known = Authenticator()
    add(factory.session, account, known)
    enter(browser_client, factory, account, has_second_factor=True)

    options = ask_options(browser_client, browser_client.get(SET_UP), f"{SET_UP}/passkeys/opties")

    assert options["rp"]["id"] == "localhost"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert unread(options["excludeCredentials"][0]["id"]) == known.credential_id
    assert account.email is not None
    assert str(account.id).encode() not in unread(options["user"]["id"])
    assert len(unread(options["challenge"])) == 32


@pytest.mark.parametrize(
    "authenticator",
    [
        Authenticator(origin="https://elders.example"),
        Authenticator(host="elders.example"),
        Authenticator(verifies=False),
    ],
    ids=["another address", "another host", "nobody gave a finger or PIN"],
)
def test_a_passkey_that_is_not_right_is_not_kept(
    browser_client: Browser, factory: Factory, session: Session, authenticator: Authenticator
) -> None:
    account = district_manager(factory, has_app=False)
    token = enter(browser_client, factory, account)

    answer = make(browser_client, authenticator)

    assert answer.status_code == 422
    assert "Deze passkey kunnen we niet gebruiken." in answer.text
    assert count(session, Passkey) == 0
    assert not signed_in(session, token).has_second_factor


def test_an_answer_to_another_question_makes_no_passkey(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    enter(browser_client, factory, district_manager(factory, has_app=False))
    page = browser_client.get(SET_UP)
    old = ask_options(browser_client, page, f"{SET_UP}/passkeys/opties")
    ask_options(browser_client, page, f"{SET_UP}/passkeys/opties")

    answer = browser_client.send(page, f"{SET_UP}/passkeys", credential=Authenticator().create(old))

    assert answer.status_code == 422
    assert count(session, Passkey) == 0


def test_a_question_is_answered_once_even_when_an_old_cookie_comes_back(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory, has_app=False)
    authenticator = Authenticator()
    add(session, account, authenticator)
    enter(browser_client, factory, account)
    page = browser_client.get(ASK)
    options = ask_options(browser_client, page, f"{ASK}/passkey/opties")
    with browser_client.client.session_transaction() as cookie:
        asked = cookie["passkey_challenge"]
    first = browser_client.send(page, f"{ASK}/passkey", credential=authenticator.get(options))
    assert first.status_code == 303

    enter(browser_client, factory, account)
    page = browser_client.get(ASK)
    without = browser_client.send(page, f"{ASK}/passkey", credential=authenticator.get(options))
    with browser_client.client.session_transaction() as cookie:
        cookie["passkey_challenge"] = asked
    again = browser_client.send(page, f"{ASK}/passkey", credential=authenticator.get(options))

    assert without.status_code == 409
    assert "Dit duurde te lang, of het is al gedaan." in without.text
    assert again.status_code == 409
    assert "Deze stap is al gedaan." in again.text


def test_a_question_is_open_for_five_minutes(browser_client: Browser, factory: Factory, session: Session) -> None:
    account = district_manager(factory, has_app=False)
    authenticator = Authenticator()
    add(session, account, authenticator)
    with time_machine.travel(clock.now(), tick=False) as time:
        enter(browser_client, factory, account)
        page = browser_client.get(ASK)
        options = ask_options(browser_client, page, f"{ASK}/passkey/opties")
        time.shift(dt.timedelta(minutes=5))

        answer = browser_client.send(page, f"{ASK}/passkey", credential=authenticator.get(options))

    assert answer.status_code == 409


def test_the_question_to_give_a_passkey_makes_none(browser_client: Browser, factory: Factory, session: Session) -> None:
    account = district_manager(factory)
    enter(browser_client, factory, account, has_second_factor=True)
    page = browser_client.get(SET_UP)
    options = ask_options(browser_client, page, f"{ASK}/passkey/opties")

    answer = browser_client.send(page, f"{SET_UP}/passkeys", credential=Authenticator().create(options))

    assert answer.status_code == 409
    assert count(session, Passkey) == 0


def test_the_passkey_of_a_colleague_cannot_be_added_again(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    authenticator = Authenticator()
    add(session, district_manager(factory), authenticator)
    enter(browser_client, factory, district_manager(factory), has_second_factor=True)

    answer = make(browser_client, authenticator)

    assert answer.status_code == 409
    assert "Deze passkey is al in gebruik." in answer.text
    assert count(session, Passkey) == 1


def test_ten_passkeys_are_enough(browser_client: Browser, factory: Factory, session: Session) -> None:
    account = district_manager(factory)
    for number in range(10):
        add(session, account, Authenticator(), f"Sleutel {number}")
    enter(browser_client, factory, account, has_second_factor=True)

    answer = make(browser_client, Authenticator())

    assert answer.status_code == 409
    assert "Je hebt al 10 passkeys." in answer.text


# -- using one --------------------------------------------------------------------------------------------------------


def test_a_passkey_is_a_second_step(browser_client: Browser, factory: Factory, session: Session) -> None:
    account = district_manager(factory, has_app=False)
    authenticator = Authenticator()
    add(session, account, authenticator)
    old_token = enter(browser_client, factory, account)

    answer = use(browser_client, authenticator)

    assert answer.status_code == 303
    assert user_of(session, old_token) is None
    assert signed_in(session, token_of(browser_client)).has_second_factor
    row = session.scalars(select(Passkey)).one()
    assert row.sign_count == 1
    assert row.used_at is not None


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://elders.example"},
        {"host": "elders.example"},
        {"verifies": False},
        {"key": Authenticator().key},
        {"credential_id": b"x" * 32},
    ],
    ids=["another address", "another host", "no finger or PIN", "another key", "unknown"],
)
def test_an_answer_that_is_not_right_is_refused(
    browser_client: Browser, factory: Factory, session: Session, change: dict[str, Any]
) -> None:
    account = district_manager(factory, has_app=False)
    authenticator = Authenticator()
    add(session, account, authenticator)
    token = enter(browser_client, factory, account)
    for name, value in change.items():
        setattr(authenticator, name, value)

    answer = use(browser_client, authenticator)

    assert answer.status_code == 422
    assert "Deze passkey is niet geaccepteerd." in answer.text
    assert not signed_in(session, token).has_second_factor
    assert session.scalars(select(Passkey.sign_count)).one() == 0


def test_a_copied_passkey_whose_count_does_not_go_up_is_refused(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory, has_app=False)
    authenticator = Authenticator()
    add(session, account, authenticator).sign_count = 9
    enter(browser_client, factory, account)
    authenticator.sign_count = 8

    assert use(browser_client, authenticator).status_code == 422

    authenticator.sign_count = 9
    assert use(browser_client, authenticator).status_code == 303


def test_the_passkey_of_another_account_is_refused(browser_client: Browser, factory: Factory, session: Session) -> None:
    own, of_colleague = Authenticator(), Authenticator()
    account = district_manager(factory, has_app=False)
    add(session, account, own)
    add(session, district_manager(factory, has_app=False), of_colleague)
    token = enter(browser_client, factory, account)

    answer = use(browser_client, of_colleague)

    assert answer.status_code == 422
    assert not signed_in(session, token).has_second_factor


def test_one_answer_at_one_moment_is_good_once(own_app: Flask, own_session: Session, own_factory: Factory) -> None:
    account = district_manager(own_factory, has_app=False)
    authenticator = Authenticator()
    add(own_session, account, authenticator)
    account_id, challenge, now = account.id, b"c" * 32, clock.now()
    own_session.commit()
    answer = authenticator.get({"challenge": "Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M"})

    answers = at_once(
        [
            committed(
                own_app,
                lambda database: passkeys.give_passkey(
                    database, account_id, SITE, answer, challenge, secret_key=SECRET_KEY, now=now
                ),
            )
        ]
        * 4
    )

    assert answers.count("") == 1
    assert sum(isinstance(one, Conflict) for one in answers) == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELD = st.text(alphabet="ABCDabcd0123-_=+/é", max_size=40) | JSON
CREDENTIAL = st.fixed_dictionaries(
    {},
    optional={
        "id": FIELD,
        "rawId": FIELD,
        "type": st.just("public-key") | FIELD,
        "response": st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(("clientDataJSON", "attestationObject", "authenticatorData", "signature"), FIELD),
        )
        | JSON,
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=st.one_of(CREDENTIAL.map(json.dumps), JSON.map(json.dumps), st.text(max_size=60), st.just("[" * 20_000)))
def test_whatever_is_sent_as_an_answer_is_refused_and_never_a_bug(
    factory: Factory, session: Session, typed: str
) -> None:
    with session.begin_nested() as point:
        account = district_manager(factory, has_app=False)
        add(session, account, Authenticator())
        token = factory.session_of(account)
        user = user_of_session(session, token, digest(SECRET_KEY, "session", token), now=clock.now())
        assert user is not None
        challenge = b"x" * 32

        refused = passkeys.give_passkey(
            session, account.id, SITE, typed, challenge, secret_key=SECRET_KEY, now=clock.now()
        )
        with pytest.raises(InvalidInput):
            passkeys.add_passkey(
                session,
                user,
                SITE,
                typed,
                b"y" * 32,
                name="",
                secret_key=SECRET_KEY,
                actor=TEST_ACTOR,
                now=clock.now(),
            )
        point.rollback()

    assert refused


@pytest.mark.parametrize(
    "spoil",
    [
        lambda attestation: attestation | {"fmt": "packed", "attStmt": {"x5c": 5, "sig": b"", "alg": -7}},
        lambda attestation: attestation | {"attStmt": 5},
        lambda attestation: attestation | {"authData": attestation["authData"][:-33]},
        lambda attestation: attestation | {"authData": attestation["authData"].replace(*NO_ALGORITHM)},
        lambda _attestation: [],
    ],
    ids=["no certificates", "no statement", "half a key", "a key without algorithm", "no map"],
)
def test_a_spoiled_passkey_is_refused_and_never_a_bug(
    browser_client: Browser, factory: Factory, session: Session, spoil: Callable[[Any], Any]
) -> None:
    enter(browser_client, factory, district_manager(factory, has_app=False))
    page = browser_client.get(SET_UP)
    made = json.loads(Authenticator().create(ask_options(browser_client, page, f"{SET_UP}/passkeys/opties")))
    attestation = cbor2.loads(unread(made["response"]["attestationObject"]))
    made["response"]["attestationObject"] = text(cbor2.dumps(spoil(attestation)))

    answer = browser_client.send(page, f"{SET_UP}/passkeys", credential=json.dumps(made))

    assert answer.status_code == 422
    assert count(session, Passkey) == 0


# -- taking one away --------------------------------------------------------------------------------------------------


def test_a_passkey_can_be_taken_away_when_another_step_is_left(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory)
    row_id = add(session, account, Authenticator()).id
    enter(browser_client, factory, account, has_second_factor=True)

    page = browser_client.submit(browser_client.get(SET_UP), f"{SET_UP}/passkeys/{row_id}/verwijderen")

    assert page.one("[role=status]").to_text().strip() == "Het is weggehaald."
    assert count(session, Passkey) == 0
    assert verbs_of(session, account) == ["passkey_removed"]
    assert "Er is een passkey weggehaald." in changes_mailed(session, account)[0]


def test_the_app_can_be_taken_away_when_a_passkey_is_left(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory)
    add(session, account, Authenticator())
    enter(browser_client, factory, account, has_second_factor=True)

    browser_client.submit(browser_client.get(SET_UP), f"{SET_UP}/app/verwijderen")

    assert count(session, TotpDevice) == 0
    assert verbs_of(session, account) == ["app_removed"]


def test_the_last_passkey_stays(browser_client: Browser, factory: Factory, session: Session) -> None:
    account = district_manager(factory, has_app=False)
    row_id = add(session, account, Authenticator()).id
    enter(browser_client, factory, account, has_second_factor=True)
    csrf = {"csrf_token": browser_client.get(SET_UP).field("csrf_token")}

    page = browser_client.post(f"{SET_UP}/passkeys/{row_id}/verwijderen", csrf, status=409)

    assert "Dit is je enige tweede stap." in errors_of(page)
    assert count(session, Passkey) == 1


def test_the_passkey_of_a_colleague_cannot_be_taken_away(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    row_id = add(session, district_manager(factory), Authenticator()).id
    enter(browser_client, factory, district_manager(factory), has_second_factor=True)
    csrf = {"csrf_token": browser_client.get(SET_UP).field("csrf_token")}

    browser_client.post(f"{SET_UP}/passkeys/{row_id}/verwijderen", csrf, status=404)

    assert count(session, Passkey) == 1


def test_app_and_passkey_taken_away_at_one_moment_leave_one(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    account = district_manager(own_factory)
    row_id = add(own_session, account, Authenticator()).id
    user = signed_in(own_session, own_factory.session_of(account))
    options: dict[str, Any] = {"actor": TEST_ACTOR, "now": clock.now()}

    answers = at_once(
        [
            committed(own_app, lambda database: second_factor.remove_app(database, user, **options)),
            committed(own_app, lambda database: passkeys.remove_passkey(database, user, row_id, **options)),
        ]
    )

    assert sum(isinstance(answer, Conflict) for answer in answers) == 1
    own_session.rollback()
    assert second_factor.factors_of(own_session, user.account_id).count == 1
