# SPDX-License-Identifier: EUPL-1.2
"""A letter verifies the address that it came to; it gives nothing, and tells nothing of what a household gave."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accounts.leaving import delete_account
from abs_platform.accounts.models import Account, VerifiedAddress
from abs_platform.accounts.verifying import verify_by_code
from abs_platform.errors import AbsError, Conflict
from abs_platform.events import Event
from abs_platform.households.models import Household
from abs_platform.initiatives.models import Organiser
from abs_platform.initiatives.organisers import verify_addresses
from abs_platform.ledger.queries import check
from abs_platform.vouchers.codes import read_code
from abs_platform.vouchers.models import CodeAttempt, Voucher
from abs_platform.vouchers.redeeming import Answer, Client
from abs_platform.vouchers.service import expire_round, forget_households, revoke_voucher
from tests.concurrency.racing import at_once, committed
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser, Page

DAY = dt.timedelta(days=1)
THE_SENTENCE = "Deze code kun je nu niet gebruiken."
A_CLIENT = Client(b"a" * 16, b"b" * 16)


def verify(browser: Browser, code: str, status: int = 200) -> Page:
    return browser.submit(browser.get("/account/adres"), "/account/adres", status=status, code=code)


def address_of(session: Session, account: Account) -> VerifiedAddress | None:
    return session.get(VerifiedAddress, account.id, populate_existing=True)


def attempts(session: Session) -> int:
    return session.scalar(select(func.count(CodeAttempt.id))) or 0


@pytest.fixture
def riet(factory: Factory) -> Account:
    """Somebody with an account."""
    return factory.account("riet@voorbeeld.example", name="Riet")


@pytest.fixture
def browser(factory: Factory, riet: Account, browser_client: Browser) -> Browser:
    """The browser of Riet, signed in."""
    token = factory.session_of(riet)
    factory.session.commit()
    return browser_client.sign_in(token)


def given(factory: Factory) -> str:
    (code,) = factory.codes()
    factory.give(code, factory.initiative())
    return code


def of_a_closed_round(factory: Factory) -> str:
    (code,) = factory.codes(opens=-40 * DAY, closes=-11 * DAY)
    expire_round(factory.session, factory.voucher(code).round_id, actor=TEST_ACTOR, now=factory.now)
    return code


def of_a_round_to_come(factory: Factory) -> str:
    return factory.codes(opens=2 * DAY, closes=20 * DAY)[0]


def living(factory: Factory) -> str:
    return factory.codes()[0]


def revoked(factory: Factory) -> str:
    (code,) = factory.codes()
    revoke_voucher(factory.session, factory.voucher(code).id, reason="kwijt", actor=TEST_ACTOR, now=factory.now)
    return code


def of_a_settled_round(factory: Factory) -> str:
    code = of_a_closed_round(factory)
    late = factory.now + 60 * DAY
    forget_households(factory.session, factory.voucher(code).round_id, actor=TEST_ACTOR, now=late)
    return code


def unknown(factory: Factory) -> str:
    return factory.keys.code(os.urandom(16))


class TestVerifying:
    """Who had the letter in hand lives there."""

    @pytest.mark.parametrize("make_code", [living, given, of_a_closed_round, of_a_round_to_come])
    def test_any_letter_will_do_and_the_page_does_not_say_what_became_of_its_voucher(
        self,
        session: Session,
        factory: Factory,
        riet: Account,
        browser: Browser,
        make_code: Callable[[Factory], str],
    ) -> None:
        code = make_code(factory)
        session.commit()
        before = (factory.voucher(code).state, len(session.scalars(select(Event.id)).all()))

        page = verify(browser, code)

        home = session.scalars(select(Household)).one()
        found = address_of(session, riet)
        assert found is not None
        assert (found.postcode, found.house_number) == ("7609AB", str(home.house_number))
        assert found.neighbourhood_id == home.neighbourhood_id
        assert f"7609 AB, huisnummer {home.house_number}" in page.text.replace(" ,", ",")
        assert "Buurt: Groeneveld" in page.text
        assert (
            page.one('[role="status"]').to_text().strip() == "Je adres is bevestigd. Aan je voucher is niets veranderd."
        )
        assert factory.voucher(code).state == before[0]
        assert len(session.scalars(select(Event.id)).all()) == before[1] + 1
        assert (attempts(session), check(session)) == (0, [])

    def test_nothing_that_is_kept_leads_to_a_voucher_or_a_household(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        code = living(factory)
        session.commit()
        verify(browser, code)

        columns = {column.key for column in inspect(VerifiedAddress).columns}
        event = session.scalars(select(Event).where(Event.kind == "account.address_verified")).one()
        assert columns == {"account_id", "neighbourhood_id", "postcode", "house_number", "verified_at"}
        assert (event.subject_id, event.details, event.reason) == (riet.id, None, None)

    def test_letter_and_addition_belong_to_the_number(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        code = living(factory)
        home = session.scalars(select(Household)).one()
        home.house_number, home.house_letter, home.house_addition = 12, "A", "2"
        session.commit()

        verify(browser, code)

        found = address_of(session, riet)
        assert found is not None
        assert found.house_number == "12A-2"

    def test_a_letter_to_a_new_home_takes_the_place_of_the_old_one(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        old, new = factory.codes(2)
        session.commit()

        verify(browser, old)
        first = address_of(session, riet)
        assert first is not None
        before = first.house_number
        verify(browser, new)

        found = address_of(session, riet)
        assert found is not None
        assert found.house_number != before
        assert session.scalar(select(func.count()).select_from(VerifiedAddress)) == 1

    def test_it_can_be_removed_by_its_owner(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        code = living(factory)
        session.commit()
        page = verify(browser, code)

        page = browser.submit(page, "/account/adres/verwijderen")

        assert "Je adres is verwijderd" in page.text
        assert address_of(session, riet) is None

    def test_it_is_for_who_is_signed_in(self, factory: Factory, browser_client: Browser) -> None:
        code = living(factory)
        factory.session.commit()

        assert browser_client._send("GET", "/account/adres").location.startswith("/inloggen?")
        token = browser_client.get("/inloggen").field("csrf_token")
        browser_client.post("/account/adres", {"csrf_token": token, "code": code}, status=403)


class TestWrongCodes:
    """One sentence, and counted like everywhere."""

    @pytest.mark.parametrize("make_code", [revoked, of_a_settled_round, unknown])
    def test_a_code_that_verifies_nothing_gets_the_one_sentence_and_counts(
        self, session: Session, factory: Factory, riet: Account, browser: Browser, make_code: Callable[[Factory], str]
    ) -> None:
        code = make_code(factory)
        session.commit()

        page = verify(browser, code, status=409)

        assert THE_SENTENCE in page.text
        assert page.field("code") == code
        assert address_of(session, riet) is None
        assert attempts(session) == 1

    @pytest.mark.parametrize("typed", ["", "K7QJ-4MXP-9T2D", "x" * 500])
    def test_a_typing_error_is_told_and_not_counted(self, session: Session, browser: Browser, typed: str) -> None:
        page = verify(browser, typed, status=422)

        assert page.one("#code").attrs["aria-invalid"] == "true"
        assert attempts(session) == 0

    def test_ten_wrong_codes_are_the_end_for_this_hour_here_and_where_vouchers_are_given(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        right, initiative = living(factory), factory.initiative()
        session.commit()
        for number in range(10):
            if number % 2:
                verify(browser, unknown(factory), status=409)
            else:
                wrong = {"code": unknown(factory), "initiative_id": str(initiative.id)}
                browser.post("/voucher", wrong, status=409)

        refused = verify(browser, right, status=429)
        browser.post("/voucher", {"code": right, "initiative_id": str(initiative.id)}, status=429)

        assert "te veel verkeerde codes" in refused.text
        assert address_of(session, riet) is None
        assert attempts(session) == 10


class TestACrowd:
    """One letter is for a household, and not for a street."""

    def test_five_people_share_an_address_and_the_sixth_asks_for_help(
        self, app: Flask, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        code = living(factory)
        session.commit()
        for _ in range(5):
            neighbour = Browser(app).sign_in(factory.session_of(factory.account()))
            session.commit()
            verify(neighbour, code)

        page = verify(browser, code, status=409)

        assert "al 5 mensen" in page.text
        assert address_of(session, riet) is None
        assert attempts(session) == 0
        verify(neighbour, code)  # somebody who is there already may do it again
        someone = session.scalars(select(VerifiedAddress.account_id).limit(1)).one()
        delete_account(session, someone, actor=TEST_ACTOR, now=factory.now)
        session.commit()
        verify(browser, code)
        assert address_of(session, riet) is not None

    def test_ten_people_at_once_are_five(self, own_app: Flask, own_session: Session, own_factory: Factory) -> None:
        code = own_factory.codes()[0]
        accounts = [own_factory.account().id for _ in range(10)]
        own_session.commit()

        results = at_once([committed(own_app, verb(own_factory, account_id, code)) for account_id in accounts])

        refused = [result for result in results if isinstance(result, AbsError)]
        assert len(refused) == 5
        assert all(isinstance(result, Conflict) for result in refused)
        assert own_session.scalar(select(func.count()).select_from(VerifiedAddress)) == 5

    def test_who_verifies_while_deleting_the_account_leaves_no_address(
        self, own_app: Flask, own_session: Session, own_factory: Factory
    ) -> None:
        code, account_id = own_factory.codes()[0], own_factory.account().id
        own_session.commit()

        at_once(
            [
                committed(own_app, verb(own_factory, account_id, code)),
                committed(own_app, lambda db: delete_account(db, account_id, actor=TEST_ACTOR, now=clock.now())),
            ]
        )

        assert own_session.scalar(select(func.count()).select_from(VerifiedAddress)) == 0


def verb(factory: Factory, account_id: int, code: str) -> Callable[[Session], Answer[object]]:
    """Verify, on whatever session it is given."""

    def work(db: Session) -> Answer[object]:
        return verify_by_code(  # type: ignore[return-value]
            db,
            account_id,
            read_code(code),
            A_CLIENT,
            keys=factory.keys,
            rules=factory.rules,
            actor=TEST_ACTOR,
            now=clock.now(),
        )

    return work


class TestOrganisers:
    """The desk sees which of the three addresses were proven."""

    @pytest.mark.parametrize("stated", ["12a-2", "12 A 2", "012A2", "12", "12A", "122", None])
    def test_an_address_that_says_the_same_is_verified_with_it(
        self, session: Session, factory: Factory, browser: Browser, stated: str | None
    ) -> None:
        code, initiative = living(factory), factory.initiative()
        home = session.scalars(select(Household)).one()
        home.house_number, home.house_letter, home.house_addition = 12, "A", "2"
        anna, bram, _cem = session.scalars(
            select(Organiser).where(Organiser.initiative_id == initiative.id).order_by(Organiser.id)
        )
        anna.email, anna.house_number, bram.house_number = "riet@voorbeeld.example", stated, "12A-2"
        session.commit()

        verify(browser, code)

        session.expire_all()
        assert (anna.address_verified_at is not None) == (stated in {"12a-2", "12 A 2", "012A2"})
        assert bram.address_verified_at is None

    def test_an_address_in_another_street_is_not(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        code, initiative = living(factory), factory.initiative()
        home = session.scalars(select(Household)).one()
        anna = session.scalars(select(Organiser).where(Organiser.initiative_id == initiative.id)).first()
        assert anna is not None
        anna.email, anna.house_number, anna.postcode = riet.email or "", str(home.house_number), "7601AA"
        session.commit()

        verify(browser, code)

        session.refresh(anna)
        assert anna.address_verified_at is None

    def test_doing_it_twice_changes_nothing(self, session: Session, factory: Factory, riet: Account) -> None:
        anna = session.scalars(select(Organiser).where(Organiser.initiative_id == factory.initiative().id)).first()
        assert anna is not None
        anna.account_id = riet.id
        where = {"postcode": anna.postcode or "", "house_number": anna.house_number or ""}

        first = verify_addresses(session, riet.id, riet.email or "", **where, now=factory.now)
        second = verify_addresses(session, riet.id, riet.email or "", **where, now=factory.now + DAY)

        assert (first, second, anna.address_verified_at) == (1, 0, factory.now)


def test_a_voucher_that_verified_an_address_can_still_be_given(
    session: Session, factory: Factory, browser: Browser
) -> None:
    code, initiative = living(factory), factory.initiative()
    session.commit()
    verify(browser, code)

    confirm = browser.post("/voucher", {"code": code, "initiative_id": str(initiative.id)})
    browser.submit(confirm, "/voucher/geven")

    assert session.scalars(select(Voucher.state)).one() == "given"
