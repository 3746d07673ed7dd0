# SPDX-License-Identifier: EUPL-1.2
"""A wijkregisseur from the mail to the desk, with an app or a passkey; the pages of users and absence; for everyone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import select

from abs_platform.accounts.models import Account, Passkey, TotpDevice
from abs_platform.security import SEEN_AT
from abs_platform.users import Role
from tests.accounts.mailbox import newest_mail
from tests.accounts.staff_helpers import ASK, DESK, SET_UP, add_app, code
from tests.browser.conftest import Town
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

USERS = "/beheer/gebruikers"
SOUTH = "WK014119"


def district_manager(town: Town, name: str = "Rina", *, has_app: bool = False) -> Account:
    """A wijkregisseur who may sign in."""
    account = town.factory.account(name=name, roles=(Role.DISTRICT_MANAGER,), desks=(SOUTH,))
    if has_app:
        add_app(town.session, account)
    town.session.commit()
    return account


def sign_in(town: Town, visitor: Visitor, account: Account, path: str) -> None:
    """By mail, as people do it, on the way to a page."""
    email = account.email or ""
    visitor.goto(path)
    visitor.page.get_by_label("Je e-mailadres").fill(email)
    visitor.press(visitor.button("Stuur mij een mail"))
    visitor.page.wait_for_url("**/inloggen/code")
    town.session.rollback()
    visitor.page.locator("#code").fill(newest_mail(town.session, email).code)
    town.session.rollback()
    visitor.page.locator("#code").press("Enter")
    visitor.page.wait_for_url(lambda url: "/inloggen/code" not in url)


def be_signed_in(town: Town, visitor: Visitor, account: Account) -> None:
    """With the second step, at once."""
    token = town.factory.session_of(account)
    town.session.commit()
    interface = town.app.session_interface.get_signing_serializer(town.app)  # type: ignore[attr-defined]
    cookie = {"_user_id": token, "_fresh": True, SEEN_AT: int(town.factory.now.timestamp()) + 3000}
    visitor.context.add_cookies([{"name": "session", "value": interface.dumps(cookie), "url": visitor.url}])


def secret_of(visitor: Visitor) -> str:
    return visitor.page.locator(".abs-staff-secret").inner_text().replace(" ", "")


def remove_button(visitor: Visitor, about: str) -> Locator:
    """Its name says what it is about, for who hears the page."""
    return visitor.page.get_by_role("button", name=re.compile(f"^Haal weg ?: {about}$"))


def test_a_wijkregisseur_sets_up_an_app_on_the_way_to_the_desk_and_uses_it_the_next_time(
    town: Town, visitor: Visitor
) -> None:
    account = district_manager(town)

    sign_in(town, visitor, account, DESK)
    visitor.reads("Stel je tweede stap in")
    visitor.check(in_the_dark=True, magnified=True)
    secret = secret_of(visitor)
    visitor.page.get_by_label("Code", exact=True).fill("12")
    visitor.press(visitor.button("Stel de app in"))
    expect(visitor.page.locator(".abs-error-summary")).to_be_focused()
    visitor.check(in_the_dark=True, magnified=True)
    used = code(secret)
    visitor.page.get_by_label("Code", exact=True).fill(used)
    visitor.press(visitor.button("Stel de app in"))
    visitor.reads("Bewaar je herstelcodes")
    visitor.check(in_the_dark=True, magnified=True)
    first_code = visitor.page.locator(".abs-staff-codes code").first.inner_text()
    assert visitor.page.locator(".abs-staff-codes code").count() == 10
    visitor.press(visitor.page.get_by_role("link", name="Ik heb ze bewaard, ga verder"))
    visitor.reads("Je afwezigheid")

    visitor.context.clear_cookies()
    sign_in(town, visitor, account, DESK)
    visitor.reads("Bevestig dat jij het bent")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.page.get_by_label("Code", exact=True).fill(used)
    visitor.press(visitor.button("Ga verder"))
    expect(visitor.page.locator(".abs-error-summary")).to_contain_text("Deze code klopt niet, of is al gebruikt.")
    visitor.press(visitor.page.locator("summary"))
    visitor.page.get_by_label("Herstelcode").fill(first_code)
    visitor.press(visitor.button("Gebruik de herstelcode"))
    visitor.reads("Je afwezigheid")


def test_the_second_step_works_without_scripts(town: Town, visit: Any) -> None:
    visitor = visit(has_scripts=False)
    account = district_manager(town)

    sign_in(town, visitor, account, DESK)
    visitor.reads("Stel je tweede stap in")
    expect(visitor.page.get_by_text("Voor een passkey is een browser met JavaScript nodig.")).to_be_visible()
    expect(visitor.button("Voeg een passkey toe")).to_be_hidden()
    visitor.page.get_by_label("Code", exact=True).fill(code(secret_of(visitor)))
    visitor.press(visitor.button("Stel de app in"))

    visitor.reads("Bewaar je herstelcodes")
    expect(visitor.button("Print de codes")).to_be_hidden()


def test_the_second_step_can_be_given_with_the_keyboard_alone(town: Town, visitor: Visitor) -> None:
    account = district_manager(town, has_app=True)
    sign_in(town, visitor, account, DESK)
    visitor.reads("Bevestig dat jij het bent")

    visitor.tab_to("#code")
    visitor.page.keyboard.type(code())
    visitor.page.keyboard.press("Enter")

    visitor.reads("Je afwezigheid")


@pytest.fixture
def key_holder(town: Town, visitor: Visitor) -> Iterator[Visitor]:
    """A visitor on the host that passkeys are made for, with one in the computer."""
    settings = town.app.extensions["settings"]
    visitor.url = town.url.replace("127.0.0.1", "localhost")
    town.app.extensions["settings"] = replace(settings, base_url=visitor.url)
    devtools = visitor.context.new_cdp_session(visitor.page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield visitor
    town.app.extensions["settings"] = settings


def test_a_passkey_is_made_used_and_not_made_twice(town: Town, key_holder: Visitor) -> None:
    account = district_manager(town)

    sign_in(town, key_holder, account, DESK)
    key_holder.reads("Stel je tweede stap in")
    key_holder.page.get_by_label("Naam van deze passkey").fill("Laptop")
    key_holder.press(key_holder.button("Voeg een passkey toe"))
    key_holder.reads("Bewaar je herstelcodes")
    key_holder.press(key_holder.page.get_by_role("link", name="Ik heb ze bewaard, ga verder"))
    key_holder.reads("Je afwezigheid")

    key_holder.context.clear_cookies()
    sign_in(town, key_holder, account, SET_UP)
    key_holder.reads("Bevestig dat jij het bent")
    key_holder.check(in_the_dark=True, magnified=True)
    key_holder.press(key_holder.button("Gebruik je passkey"))
    key_holder.reads("Je tweede stap")
    key_holder.check(in_the_dark=True, magnified=True)
    expect(key_holder.page.get_by_text("Passkey: Laptop")).to_be_visible()
    key_holder.press(key_holder.button("Voeg een passkey toe"))
    expect(key_holder.page.get_by_role("alert")).to_have_text("Dit apparaat heeft al een passkey voor deze site.")
    town.session.rollback()
    keys = town.session.scalars(select(Passkey).where(Passkey.account_id == account.id)).all()
    assert [(key.name, key.used_at is not None) for key in keys] == [("Laptop", True)]
    town.session.rollback()


def test_an_app_is_replaced_and_taken_away_when_a_passkey_is_there(town: Town, key_holder: Visitor) -> None:
    account = district_manager(town, has_app=True)
    sign_in(town, key_holder, account, SET_UP)
    key_holder.page.get_by_label("Code", exact=True).fill(code())
    key_holder.press(key_holder.button("Ga verder"))
    key_holder.reads("Je tweede stap")
    expect(remove_button(key_holder, "app met inlogcodes")).to_have_count(0)

    key_holder.press(key_holder.button("Voeg een passkey toe"))
    key_holder.reads("Bewaar je herstelcodes")
    key_holder.press(key_holder.page.get_by_role("link", name="Ik heb ze bewaard, ga verder"))
    key_holder.reads("Je tweede stap")
    key_holder.check(in_the_dark=True, magnified=True)
    key_holder.press(remove_button(key_holder, "app met inlogcodes"))

    expect(key_holder.page.get_by_role("status")).to_have_text("Het is weggehaald.")
    town.session.rollback()
    assert town.session.get(TotpDevice, account.id) is None
    town.session.rollback()


def test_the_coordinator_adds_a_wijkregisseur(town: Town, visitor: Visitor) -> None:
    boss = town.factory.account(name="Coen", roles=(Role.COORDINATOR,))
    be_signed_in(town, visitor, boss)
    email = f"nieuw{boss.id}@gemeente.example"

    visitor.goto(USERS)
    visitor.reads("Gebruikers")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.page.get_by_role("link", name="Voeg een gebruiker toe"))
    visitor.reads("Voeg een gebruiker toe")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.page.get_by_label("E-mailadres van het werk").fill(email)
    visitor.page.get_by_label("Wijkregisseur").check()
    visitor.press(visitor.button("Voeg toe en mail"))
    expect(visitor.page.locator(".abs-error-summary")).to_contain_text("Kies voor welke wijken")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.page.get_by_label("Windmolenbroek").check()
    visitor.press(visitor.button("Voeg toe en mail"))
    visitor.reads("Gebruikers")
    expect(visitor.page.get_by_role("status")).to_contain_text(email)

    visitor.press(visitor.page.get_by_role("link", name=f"nieuw{boss.id}"))
    visitor.reads(f"nieuw{boss.id}")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.page.get_by_text("Beëindig de toegang van"))
    visitor.press(visitor.button("Ja, beëindig de toegang"))
    expect(visitor.page.get_by_role("status")).to_contain_text("geen toegang meer")


def test_a_wijkregisseur_goes_away_and_comes_back(town: Town, visitor: Visitor) -> None:
    stand_in = district_manager(town, "Bert de Vervanger")
    account = district_manager(town, "Anna")
    be_signed_in(town, visitor, account)

    visitor.goto(DESK)
    visitor.reads("Je afwezigheid")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.button("Sla op en mail de vervanger"))
    expect(visitor.page.locator(".abs-error-summary")).to_be_focused()
    visitor.check(in_the_dark=True, magnified=True)
    visitor.page.get_by_label("Eerste dag").fill("2030-07-01")
    visitor.page.get_by_label("Laatste dag").fill("2030-07-14")
    visitor.page.get_by_label("Vervanger").select_option(str(stand_in.id))
    town.session.rollback()
    visitor.press(visitor.button("Sla op en mail de vervanger"))
    expect(visitor.page.get_by_text("1 juli 2030 tot en met 14 juli 2030")).to_be_visible()
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(remove_button(visitor, "1 juli 2030"))

    expect(visitor.page.get_by_role("status")).to_contain_text("weggehaald")
    assert ASK not in visitor.page.url
