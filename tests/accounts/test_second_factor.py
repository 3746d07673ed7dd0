# SPDX-License-Identifier: EUPL-1.2
"""The second step of staff: set up just after signing in, asked before any work, used once, not lost by accident."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accounts import app_codes, second_factor
from abs_platform.accounts.models import AccountSession, RecoveryCode, TotpDevice
from abs_platform.attempts import Attempt
from abs_platform.errors import AbsError, Conflict, InvalidInput
from abs_platform.users import Role
from tests.accounts.staff_helpers import (
    ASK,
    DESK,
    SECRET,
    SET_UP,
    add_app,
    age_session,
    changes_mailed,
    code,
    count,
    district_manager,
    enter,
    errors_of,
    fetch,
    give,
    recovery_codes,
    signed_in,
    token_of,
    user_of,
    verbs_of,
    wrong_code,
)
from tests.concurrency.racing import at_once, committed
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.page import Browser

# -- giving it --------------------------------------------------------------------------------------------------------


def test_the_way_to_the_desk_leads_past_the_second_step_and_on_to_the_desk(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory)
    old_token = enter(browser_client, factory, account)

    page = browser_client.get(DESK)
    assert page.one("h1").to_text().strip() == "Bevestig dat jij het bent"
    first = fetch(browser_client, DESK)
    assert first.location == f"{ASK}?volgende=/regie/afwezigheid"
    answer = browser_client.send(browser_client.get(first.location), ASK, code=code())

    assert answer.status_code == 303
    assert answer.location == DESK
    assert browser_client.get(DESK).one("h1").to_text().strip() == "Je afwezigheid"
    assert token_of(browser_client) != old_token
    assert user_of(session, old_token) is None, "the token from before is worth nothing"
    assert signed_in(session, token_of(browser_client)).has_second_factor


def test_a_wrong_code_is_refused_and_counts(browser_client: Browser, factory: Factory, session: Session) -> None:
    account = district_manager(factory)
    token = enter(browser_client, factory, account)

    answer = give(browser_client, code=wrong_code())

    assert answer.status_code == 422
    assert "Deze code klopt niet, of is al gebruikt." in answer.text
    assert not signed_in(session, token).has_second_factor
    assert count(session, Attempt) == 1


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16"])
def test_what_is_no_code_is_told_and_does_not_count(
    browser_client: Browser, factory: Factory, session: Session, typed: str
) -> None:
    enter(browser_client, factory, district_manager(factory))

    answer = give(browser_client, code=typed)

    assert answer.status_code == 422
    assert "Vul de 6 cijfers in die je app nu laat zien." in answer.text
    assert count(session, Attempt) == 0


def test_a_code_may_be_typed_with_spaces(browser_client: Browser, factory: Factory) -> None:
    enter(browser_client, factory, district_manager(factory))
    digits = code()

    assert give(browser_client, code=f" {digits[:3]} {digits[3:]} ").status_code == 303


@pytest.mark.parametrize(("steps", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_the_window_is_one_step_to_either_side(
    factory: Factory, session: Session, steps: int, *, is_right: bool
) -> None:
    account = district_manager(factory)
    moment = dt.datetime(2026, 11, 22, 9, 30, 10, tzinfo=dt.UTC)
    with time_machine.travel(moment, tick=False):
        digits = code(steps=steps)

    given = second_factor.give_app_code(session, account.id, digits, secret_key=SECRET_KEY, now=moment)

    assert given is is_right


def test_a_code_that_was_used_is_refused_and_so_is_one_from_before_it(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory)
    enter(browser_client, factory, account)
    now, before = code(), code(steps=-1)
    assert give(browser_client, code=now).status_code == 303

    for digits in (now, before):
        enter(browser_client, factory, account)
        assert give(browser_client, code=digits).status_code == 422

    assert count(session, Attempt) == 2


def test_one_code_from_six_browsers_at_one_moment_is_good_once(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    account_id = district_manager(own_factory).id
    own_session.commit()
    digits, now = code(), clock.now()

    answers = at_once(
        [
            committed(
                own_app,
                lambda database: second_factor.give_app_code(
                    database, account_id, digits, secret_key=SECRET_KEY, now=now
                ),
            )
        ]
        * 6
    )

    assert answers.count(True) == 1, answers
    assert all(isinstance(answer, bool | AbsError) for answer in answers)


def test_after_five_wrong_codes_one_must_wait_a_quarter_even_with_a_right_one(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory)
    codes = recovery_codes(factory, account)
    with time_machine.travel(clock.now(), tick=False) as time:
        enter(browser_client, factory, account)
        for _number in range(5):
            assert give(browser_client, code=wrong_code()).status_code == 422

        for field, typed in (("code", code()), ("recovery_code", codes[0])):
            answer = give(browser_client, field, **{field: typed})
            assert answer.status_code == 429
            assert "Dit is te vaak geprobeerd." in answer.text
            assert 0 < int(answer.headers["Retry-After"]) <= 901
        time.shift(dt.timedelta(minutes=15, seconds=1))

        assert give(browser_client, code=code()).status_code == 303
    assert count(session, Attempt) == 5, "what was right does not count, and what was wrong is not forgotten by it"


def test_many_wrong_codes_at_one_moment_do_not_slip_past_the_count(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    account_id = district_manager(own_factory).id
    own_session.commit()
    digits, now = wrong_code(), clock.now()

    answers = at_once(
        [
            committed(
                own_app,
                lambda database: second_factor.give_app_code(
                    database, account_id, digits, secret_key=SECRET_KEY, now=now
                ),
            )
        ]
        * 8
    )

    assert answers.count(False) == 5
    own_session.rollback()
    assert count(own_session, Attempt) == 5


def test_the_tries_of_one_account_do_not_count_for_another(browser_client: Browser, factory: Factory) -> None:
    enter(browser_client, factory, district_manager(factory))
    for _number in range(5):
        give(browser_client, code=wrong_code())

    enter(browser_client, factory, district_manager(factory))

    assert give(browser_client, code=code()).status_code == 303


def test_after_an_hour_without_work_the_second_step_is_asked_again(browser_client: Browser, factory: Factory) -> None:
    account = district_manager(factory)
    with time_machine.travel(clock.now(), tick=False) as time:
        enter(browser_client, factory, account, has_second_factor=True)
        time.shift(dt.timedelta(minutes=59))
        assert browser_client.get(DESK).path == DESK
        time.shift(dt.timedelta(minutes=61))

        assert fetch(browser_client, DESK).location.startswith(ASK)
        assert give(browser_client, code=code()).status_code == 303
        assert browser_client.get(DESK).path == DESK


def test_the_second_step_leads_nowhere_else(browser_client: Browser, factory: Factory) -> None:
    enter(browser_client, factory, district_manager(factory))

    page = browser_client.get(f"{ASK}?volgende=https://elders.example/")
    answer = browser_client.send(page, ASK, code=code(), volgende="//elders.example/")

    assert answer.location == "/account"


def test_two_windows_that_give_it_at_once_are_told(browser_client: Browser, factory: Factory, session: Session) -> None:
    account = district_manager(factory)
    token = enter(browser_client, factory, account)
    user = signed_in(session, token)
    second_factor.confirm_session(session, user, secret_key=SECRET_KEY, now=clock.now())

    with pytest.raises(Conflict, match="uitgelogd"):
        second_factor.confirm_session(session, user, secret_key=SECRET_KEY, now=clock.now())


# -- recovery codes ---------------------------------------------------------------------------------------------------


def test_a_recovery_code_works_once_is_logged_and_mailed(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory)
    codes = recovery_codes(factory, account)
    enter(browser_client, factory, account)

    assert give(browser_client, "recovery_code", recovery_code=codes[3]).status_code == 303

    assert signed_in(session, token_of(browser_client)).has_second_factor
    enter(browser_client, factory, account)
    again = give(browser_client, "recovery_code", recovery_code=codes[3])
    assert again.status_code == 422
    assert "Deze herstelcode klopt niet, of is al gebruikt." in again.text
    assert verbs_of(session, account)[-1] == "recovery_code_used"
    assert "Er is een herstelcode gebruikt." in changes_mailed(session, account)[-1]
    assert second_factor.factors_of(session, account.id).codes_left == 9


def test_a_recovery_code_may_be_typed_as_people_type(browser_client: Browser, factory: Factory) -> None:
    account = district_manager(factory)
    typed = recovery_codes(factory, account)[0].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    enter(browser_client, factory, account)

    assert give(browser_client, "recovery_code", recovery_code=typed).status_code == 303


def test_one_recovery_code_at_one_moment_is_good_once(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    account = district_manager(own_factory)
    account_id, codes = account.id, recovery_codes(own_factory, account)
    own_session.commit()

    answers = at_once(
        [
            committed(
                own_app,
                lambda database: second_factor.give_recovery_code(
                    database, account_id, codes[0], secret_key=SECRET_KEY, actor=TEST_ACTOR, now=clock.now()
                ),
            )
        ]
        * 4
    )

    assert answers.count(True) == 1


def test_the_database_has_no_recovery_code_and_each_is_bound_to_its_account(factory: Factory, session: Session) -> None:
    one, other = district_manager(factory), district_manager(factory)
    codes = recovery_codes(factory, one)

    kept = session.scalars(select(RecoveryCode.code_digest)).all()

    assert len(set(codes)) == len(kept) == 10
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", shown) for shown in codes)
    assert not any(shown.replace("-", "").encode() in stored for shown in codes for stored in kept)
    assert not second_factor.give_recovery_code(
        session, other.id, codes[0], secret_key=SECRET_KEY, actor=TEST_ACTOR, now=clock.now()
    )


def test_new_recovery_codes_make_the_old_ones_worthless(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory)
    old = recovery_codes(factory, account)
    enter(browser_client, factory, account, has_second_factor=True)

    page = browser_client.submit(browser_client.get(SET_UP), f"{SET_UP}/herstelcodes")

    new = [one.to_text().strip() for one in page.all(".abs-staff-codes code")]
    assert len(new) == 10
    assert not set(old) & set(new)
    assert page.response.headers["Cache-Control"] == "no-store"
    assert verbs_of(session, account)[-1] == "recovery_codes_made"
    enter(browser_client, factory, account)
    assert give(browser_client, "recovery_code", recovery_code=old[0]).status_code == 422
    assert give(browser_client, "recovery_code", recovery_code=new[0]).status_code == 303


# -- setting it up ----------------------------------------------------------------------------------------------------


def test_who_has_no_second_step_sets_one_up_on_the_way_and_gets_ten_codes_once(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory, has_app=False)
    old_token = enter(browser_client, factory, account)

    first = fetch(browser_client, fetch(browser_client, DESK).location)
    assert first.location == f"{SET_UP}?volgende={DESK}"
    page = browser_client.get(first.location)
    secret = page.one(".abs-staff-secret").to_text().replace(" ", "").strip()
    assert page.one(".abs-staff-qr__image").attrs["src"].startswith("data:image/svg+xml")
    assert browser_client.get(SET_UP).one(".abs-staff-secret").to_text().replace(" ", "").strip() == secret
    codes = browser_client.submit(page, f"{SET_UP}/app", code=code(secret))

    assert len(codes.all(".abs-staff-codes code")) == 10
    assert codes.one(".abs-noprint a").attrs["href"] == DESK
    assert browser_client.get(DESK).path == DESK
    assert user_of(session, old_token) is None
    device = session.get_one(TotpDevice, account.id)
    assert secret.encode() not in device.secret
    assert app_codes.unseal(SECRET_KEY, account.id, device.secret) == secret
    assert verbs_of(session, account) == ["app_added", "recovery_codes_made"]
    assert len(changes_mailed(session, account)) == 2
    assert not browser_client.get(SET_UP).all(".abs-staff-codes")
    enter(browser_client, factory, account)
    assert give(browser_client, code=code(secret)).status_code == 422, "the code of setting up was used"


def test_a_wrong_code_while_setting_up_keeps_the_same_secret_on_the_page(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory, has_app=False)
    enter(browser_client, factory, account)
    page = browser_client.get(SET_UP)
    secret = page.one(".abs-staff-secret").to_text()

    again = browser_client.submit(page, f"{SET_UP}/app", status=422, code=wrong_code(secret.replace(" ", "")))

    assert errors_of(again) == "Deze code klopt niet. Kijk of je de goede QR-code hebt gescand."
    assert again.one(".abs-staff-secret").to_text() == secret
    assert session.get(TotpDevice, account.id) is None
    assert count(session, Attempt) == 1


def test_a_secret_that_was_offered_to_one_is_worth_nothing_for_another_nor_after_half_an_hour() -> None:
    now = clock.now()
    sealed = app_codes.offer_secret(SECRET_KEY, 7)

    assert app_codes.read_offered(SECRET_KEY, 7, sealed, now=now)
    assert app_codes.read_offered(SECRET_KEY, 8, sealed, now=now) is None
    assert app_codes.read_offered("another key", 7, sealed, now=now) is None
    assert app_codes.read_offered(SECRET_KEY, 7, sealed, now=now + dt.timedelta(minutes=31)) is None
    assert app_codes.read_offered(SECRET_KEY, 7, "", now=now) is None
    assert app_codes.unseal(SECRET_KEY, 8, app_codes.seal(SECRET_KEY, 7, SECRET)) is None


def test_setting_up_without_a_secret_that_was_offered_is_refused(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory, has_app=False)
    enter(browser_client, factory, account)
    page = browser_client.get(SET_UP)
    fields = browser_client.fields(page, f"{SET_UP}/app")
    with browser_client.client.session_transaction() as cookie:
        del cookie["second_factor_offer"]

    answer = browser_client.post(f"{SET_UP}/app", fields | {"code": "123456"}, status=409)

    assert "Deze QR-code is verlopen." in errors_of(answer)
    assert session.get(TotpDevice, account.id) is None


def test_a_sign_in_of_more_than_a_quarter_ago_may_not_set_up_a_first_step(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory, has_app=False)
    token = enter(browser_client, factory, account)
    page = browser_client.get(SET_UP)
    fields = browser_client.fields(page, f"{SET_UP}/app")
    secret = page.one(".abs-staff-secret").to_text().replace(" ", "").strip()
    age_session(session, token, dt.timedelta(minutes=16))

    refused = browser_client.get(SET_UP, status=403)
    browser_client.post(f"{SET_UP}/app", fields | {"code": code(secret)}, status=403)
    question = fetch(browser_client, f"{SET_UP}/passkeys/opties", "POST", headers={"X-CSRFToken": fields["csrf_token"]})

    assert "Je logde langer dan een kwartier geleden in." in refused.text
    assert question.status_code == 403
    assert session.get(TotpDevice, account.id) is None
    answer = browser_client.send(refused, f"{SET_UP}/opnieuw-inloggen")
    assert answer.location == "/inloggen?volgende=/account/tweede-stap"
    assert user_of(session, token) is None, "the old session has ended"


def test_who_has_a_second_step_gives_it_before_changing_anything(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory)
    token = enter(browser_client, factory, account, has_second_factor=True)
    page = browser_client.get(SET_UP)
    verbs = ("app", "herstelcodes", "app/verwijderen", "passkeys/1/verwijderen")
    csrf = {"csrf_token": page.field("csrf_token"), "code": code()}

    without = factory.session_of(account, has_second_factor=False)
    session.commit()
    for stale in (without, token):
        age_session(session, token, dt.timedelta(minutes=16))
        with browser_client.client.session_transaction() as cookie:
            cookie["_user_id"] = stale
        assert fetch(browser_client, SET_UP).location == f"{ASK}?volgende={SET_UP}"
        for verb in verbs:
            refused = browser_client.post(f"{SET_UP}/{verb}", csrf, status=403)
            assert "Bevestig eerst dat jij het bent." in refused.text

    assert verbs_of(session, account) == []


def test_the_last_second_step_cannot_be_taken_away(browser_client: Browser, factory: Factory, session: Session) -> None:
    account = district_manager(factory)
    enter(browser_client, factory, account, has_second_factor=True)
    page = browser_client.get(SET_UP)

    assert "verwijderen" not in page.html
    refused = browser_client.post(f"{SET_UP}/app/verwijderen", {"csrf_token": page.field("csrf_token")}, status=409)

    assert "Dit is je enige tweede stap." in errors_of(refused)
    assert session.get(TotpDevice, account.id) is not None


def test_another_app_comes_in_the_place_of_the_old_one(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory)
    recovery_codes(factory, account)
    enter(browser_client, factory, account, has_second_factor=True)
    page = browser_client.get(SET_UP)
    secret = page.one(".abs-staff-secret").to_text().replace(" ", "").strip()

    after = browser_client.submit(page, f"{SET_UP}/app", code=code(secret))

    assert after.one("[role=status]").to_text().strip() == "Je app is ingesteld."
    session.expire_all()
    device = session.get_one(TotpDevice, account.id)
    assert app_codes.unseal(SECRET_KEY, account.id, device.secret) == secret
    assert second_factor.factors_of(session, account.id).codes_left == 10


def test_after_a_change_of_the_key_an_app_says_what_to_do_and_recovery_codes_still_work(
    browser_client: Browser, factory: Factory, session: Session
) -> None:
    account = district_manager(factory, has_app=False)
    add_app(session, account, secret_key="the key from before")
    codes = recovery_codes(factory, account)
    enter(browser_client, factory, account)

    answer = give(browser_client, code=code())

    assert answer.status_code == 409
    assert "De sleutel van deze site is veranderd" in answer.text
    assert "herstelcode" in answer.text
    assert "beheerder" in answer.text
    assert give(browser_client, "recovery_code", recovery_code=codes[0]).status_code == 303
    other_key = {"secret_key": "yet another key", "actor": TEST_ACTOR, "now": clock.now()}
    assert second_factor.give_recovery_code(session, account.id, codes[1], **other_key)  # type: ignore[arg-type]


def test_a_reset_forgets_everything_signs_out_and_tells(factory: Factory, session: Session) -> None:
    account = district_manager(factory)
    recovery_codes(factory, account)
    token = factory.session_of(account)

    second_factor.reset(session, account.id, actor=TEST_ACTOR, now=clock.now())

    assert second_factor.factors_of(session, account.id) == second_factor.Factors(None, (), 0)
    assert user_of(session, token) is None
    assert not session.scalars(
        select(AccountSession.id).where(AccountSession.account_id == account.id, AccountSession.ended_at.is_(None))
    ).all()
    assert verbs_of(session, account)[-1] == "second_factor_reset"
    assert "Je tweede stap is gewist door een beheerder." in changes_mailed(session, account)[-1]


# -- who may ----------------------------------------------------------------------------------------------------------

ROUTES = [
    ("GET", ASK),
    ("POST", ASK),
    ("POST", f"{ASK}/herstelcode"),
    ("POST", f"{ASK}/passkey/opties"),
    ("POST", f"{ASK}/passkey"),
    ("GET", SET_UP),
    ("POST", f"{SET_UP}/app"),
    ("POST", f"{SET_UP}/app/verwijderen"),
    ("POST", f"{SET_UP}/passkeys/opties"),
    ("POST", f"{SET_UP}/passkeys"),
    ("POST", f"{SET_UP}/passkeys/1/verwijderen"),
    ("POST", f"{SET_UP}/herstelcodes"),
    ("POST", f"{SET_UP}/opnieuw-inloggen"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_resident_has_no_second_step(browser_client: Browser, factory: Factory, method: str, path: str) -> None:
    enter(browser_client, factory, factory.account())
    token = browser_client.get("/account").field("csrf_token")

    if method == "GET":
        page = browser_client.get(path, status=403)
    else:
        page = browser_client.post(path, {"csrf_token": token}, status=403)

    assert "alleen voor medewerkers" in page.text


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_stranger_signs_in_first(app: Flask, browser_client: Browser, method: str, path: str) -> None:
    assert app
    csrf = browser_client.get("/inloggen").field("csrf_token")

    answer = fetch(browser_client, path, method, data={"csrf_token": csrf} if method == "POST" else None)

    if method == "GET":
        assert answer.location == f"/inloggen?volgende={path}"
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST"])
def test_every_form_carries_its_token(browser_client: Browser, factory: Factory, path: str) -> None:
    enter(browser_client, factory, district_manager(factory))

    assert fetch(browser_client, path, "POST", data={}).status_code == 400


def test_a_form_from_elsewhere_is_refused(browser_client: Browser, factory: Factory) -> None:
    enter(browser_client, factory, district_manager(factory))
    fields = browser_client.fields(browser_client.get(ASK), ASK) | {"code": code()}

    browser_client.post(ASK, fields, status=403, headers={"Sec-Fetch-Site": "cross-site"})


@pytest.mark.parametrize("role", list(Role))
def test_every_member_of_staff_has_one(browser_client: Browser, factory: Factory, role: Role) -> None:
    account = factory.account(roles=(role,))
    enter(browser_client, factory, account)

    assert browser_client.get(ASK).one("h1").to_text().strip() == "Stel je tweede stap in"


def test_a_recovery_code_of_the_wrong_length_is_told(factory: Factory, session: Session) -> None:
    account = district_manager(factory)

    with pytest.raises(InvalidInput):
        second_factor.give_recovery_code(
            session, account.id, "KORT", secret_key=SECRET_KEY, actor=TEST_ACTOR, now=clock.now()
        )
