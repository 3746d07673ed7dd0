# SPDX-License-Identifier: EUPL-1.2
"""A voucher that is kept for later, and a letter that was lost: by a resident and the coordinator in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from abs_platform.households.models import Household
from abs_platform.letters.content import default_content
from abs_platform.letters.models import LetterText
from abs_platform.municipality import Municipality
from abs_platform.replacements.models import ReplacementRequest
from abs_platform.users import Role
from abs_platform.vouchers.models import Voucher
from tests.browser.conftest import Town
from tests.browser.test_after_publishing import sign_in
from tests.browser.test_rounds import goes
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_voucher_is_kept_for_later_and_given_without_its_letter(
    town: Town, visit: Callable[..., Visitor], size: tuple[int, int]
) -> None:
    code, title = town.code(), f"Een hangmat bij {size[0]} bomen"
    town.initiative(title)
    riet = sign_in(town, visit(), town.factory.account(name="Riet"))
    page = riet.page

    riet.scan(code)
    riet.press(riet.choice(title))
    goes(riet, "button", "Verder")
    goes(riet, "link", "Bewaar je voucher in een account")
    riet.reads("Mijn vouchers")
    expect(page.locator("#code")).to_have_value(code)
    assert page.evaluate("sessionStorage.length") == 0
    riet.check(in_the_dark=True, magnified=True)
    goes(riet, "button", "Bewaar mijn voucher")
    expect(page.get_by_role("status").first).to_contain_text("Je voucher is bewaard.")
    riet.check()
    goes(riet, "link", f"Geef aan {title}")
    riet.reads("Klopt het?")
    riet.check()
    goes(riet, "button", "Geef mijn voucher")

    assert [gift.state for gift in town.gifts(code)] == ["confirmed"]
    riet.goto("/account/vouchers")
    expect(page.get_by_text(f"Gegeven aan {title}.")).to_be_visible()
    riet.check()
    assert all(code not in url for url in riet.history)


def approve_a_text(town: Town) -> None:
    if town.session.scalar(select(LetterText.id).where(LetterText.approved_at.is_not(None))) is None:
        newest = town.session.scalar(select(LetterText.version).order_by(LetterText.version.desc())) or 0
        author = town.factory.account(name="Bea", roles=(Role.COORDINATOR,))
        town.session.add(
            LetterText(
                version=newest + 1,
                content=default_content(Municipality.load("almelo")).dump(),
                made_at=town.factory.now,
                approved_at=town.factory.now,
                approved_by_id=author.id,
            )
        )
    town.session.commit()


def test_a_lost_letter_is_printed_anew_and_one_that_came_back_is_booked(
    town: Town, visit: Callable[..., Visitor]
) -> None:
    lost, came_back = town.code(), town.code()
    home = town.session.get_one(Household, town.factory.voucher(lost).household_id)
    approve_a_text(town)
    resident = visit()
    carla = sign_in(town, visit(), town.factory.account(name="Carla", roles=(Role.COORDINATOR,)))

    ask_for_a_letter(resident, home)
    print_it(carla, town)
    book_return(carla, came_back)

    town.session.rollback()
    states = select(Voucher.state).where(Voucher.household_id == home.id).order_by(Voucher.id)
    assert town.session.scalars(states).all() == ["revoked", "issued"]
    assert town.factory.voucher(came_back).state == "revoked"


def ask_for_a_letter(resident: Visitor, home: Household) -> None:
    page = resident.page
    resident.goto("/voucher")
    goes(resident, "link", "Vraag een nieuwe aan")
    resident.check(magnified=True)
    page.get_by_label("Postcode").fill("7607")
    goes(resident, "button", "Vraag een nieuwe brief aan")
    resident.check()
    page.get_by_label("Postcode").fill(home.postcode)
    page.get_by_label("Huisnummer").fill(f"{home.house_number}{home.house_letter}")
    goes(resident, "button", "Vraag een nieuwe brief aan")
    resident.reads("Je aanvraag is binnen")
    assert home.street not in resident.text
    resident.check(in_the_dark=True)


def print_it(carla: Visitor, town: Town) -> None:
    town.session.rollback()
    waiting = town.session.scalars(
        select(ReplacementRequest.round_id).where(ReplacementRequest.state == "waiting")
    ).all()
    carla.goto("/beheer/post")
    carla.check(in_the_dark=True, magnified=True)
    goes(carla, "link", "Maak de nieuwe brieven")
    carla.check()
    number = len(waiting)
    goes(carla, "button", "Verwerk 1 aanvraag" if number == 1 else f"Verwerk {number} aanvragen")
    expect(carla.page.get_by_role("status").first).to_contain_text("uitgegeven")


def book_return(carla: Visitor, code: str) -> None:
    carla.goto("/beheer/post/retour")
    carla.check(in_the_dark=True, magnified=True)
    carla.press(carla.page.get_by_label("Woning staat leeg"))
    carla.type_code(code)
    goes(carla, "button", "Boek deze brief")
    expect(carla.page.get_by_role("status").first).to_contain_text("Geboekt.")
    expect(carla.page.locator("#code")).to_have_value("")
    assert all(code not in url for url in carla.history)
