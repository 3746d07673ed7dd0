# SPDX-License-Identifier: EUPL-1.2
"""A letter that comes back: its code dies, its address gets no voucher until somebody says that the post arrives."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.accounts.models import Account
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.events import Event
from abs_platform.households.models import Household
from abs_platform.ledger.queries import check
from abs_platform.replacements.models import ReturnedLetter
from abs_platform.replacements.returning import clear, scan
from abs_platform.replacements.states import ReturnReason
from abs_platform.users import Role
from abs_platform.vouchers.models import Voucher
from jobs import issue_vouchers
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser

DAY = dt.timedelta(days=1)
PATH = "/beheer/post/retour"


@pytest.fixture
def bea(factory: Factory) -> Account:
    """The coordinator."""
    return factory.account("bea@gemeente.example", name="Bea", roles=(Role.COORDINATOR,))


@pytest.fixture
def browser(factory: Factory, bea: Account, browser_client: Browser) -> Browser:
    """Her browser, signed in."""
    token = factory.session_of(bea)
    factory.session.commit()
    return browser_client.sign_in(token)


def scan_code(factory: Factory, code: str, by: Account) -> None:
    scan(
        factory.session,
        factory.digest(code),
        ReturnReason.EMPTY,
        account_id=by.id,
        actor=TEST_ACTOR,
        now=factory.now,
    )


def home_of(session: Session, factory: Factory, code: str) -> Household:
    household_id = factory.voucher(code).household_id
    return session.get_one(Household, household_id, populate_existing=True)


def test_its_code_dies_and_its_address_gets_no_other(
    session: Session, factory: Factory, bea: Account, browser: Browser
) -> None:
    (code,) = factory.codes()
    session.commit()

    page = browser.submit(browser.get(PATH), PATH, code=code, why="empty")

    assert "Geboekt." in page.text
    assert code not in page.html
    assert factory.voucher(code).state == "revoked"
    assert home_of(session, factory, code).mail_returned_at is not None
    letter = session.scalars(select(ReturnedLetter)).one()
    assert (letter.reason, letter.account_id) == ("empty", bea.id)
    assert issue_vouchers.run(factory.now).changed == 0
    assert check(session) == []


def test_the_reason_stays_chosen_for_the_next_letter_of_the_heap(
    session: Session, factory: Factory, browser: Browser
) -> None:
    codes = factory.codes(2)
    session.commit()

    page = browser.submit(browser.get(PATH), PATH, code=codes[0], why="empty")
    assert "checked" in page.one("#why-empty").attrs
    page = browser.submit(page, PATH, code=codes[1])

    assert "Woning staat leeg 2" in page.text


def test_scanned_twice_is_told(session: Session, factory: Factory, browser: Browser) -> None:
    (code,) = factory.codes()
    session.commit()
    browser.submit(browser.get(PATH), PATH, code=code, why="empty")

    page = browser.submit(browser.get(PATH), PATH, status=409, code=code, why="empty")

    assert "al als retour geboekt" in page.text
    assert len(session.scalars(select(ReturnedLetter)).all()) == 1


def test_whether_it_was_given_is_not_told_and_what_was_given_stays(
    session: Session, factory: Factory, bea: Account, browser: Browser
) -> None:
    given, unused = factory.codes(2)
    factory.give(given, factory.initiative())
    session.commit()

    pages = [browser.submit(browser.get(PATH), PATH, code=code, why="refused").text for code in (unused, given)]

    assert "Geboekt." in pages[1]
    assert factory.voucher(given).state == "given"
    assert home_of(session, factory, given).mail_returned_at is not None
    assert check(session) == []


@pytest.mark.parametrize("code", ["K7QJ-4MXP-9T2X", ""])
def test_a_typing_error_changes_nothing(session: Session, browser: Browser, code: str) -> None:
    browser.submit(browser.get(PATH), PATH, status=422, code=code, why="empty")

    assert session.scalars(select(ReturnedLetter)).all() == []


def test_a_code_of_no_letter_is_told(session: Session, factory: Factory, bea: Account) -> None:
    with pytest.raises(InvalidInput, match="Geen brief van ons"):
        scan_code(factory, factory.keys.code(b"n" * 16), bea)


def test_the_mark_is_cleared_with_a_reason_and_then_the_address_gets_a_voucher_again(
    session: Session, factory: Factory, bea: Account, browser: Browser
) -> None:
    (code,) = factory.codes()
    scan_code(factory, code, bea)
    session.commit()
    home = home_of(session, factory, code)
    path = f"/beheer/post/adres/{home.id}"

    browser.submit(browser.get(path), path, status=422, reason="")
    assert home_of(session, factory, code).mail_returned_at is not None
    browser.submit(browser.get(path), path, reason="Er is nu een brievenbus.")

    assert home_of(session, factory, code).mail_returned_at is None
    event = session.scalars(select(Event).where(Event.kind == "address.mail_cleared")).one()
    assert event.reason == "Er is nu een brievenbus."
    assert issue_vouchers.run(factory.now).changed == 1
    states = select(Voucher.state).where(Voucher.household_id == home.id).order_by(Voucher.id)
    session.expire_all()
    assert session.scalars(states).all() == ["revoked", "issued"]
    with pytest.raises(Conflict):
        clear(session, home.id, reason="Nog eens.", actor=TEST_ACTOR, now=factory.now)
