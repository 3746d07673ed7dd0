# SPDX-License-Identifier: EUPL-1.2
"""Signing in with the code of a mail, on a phone and on a desk, by keyboard alone, and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from abs_platform.accounts.models import Account
from tests.accounts.mailbox import SignInMail, newest_mail
from tests.browser.conftest import Town
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

_people = count(1)


@pytest.fixture
def email() -> str:
    """Somebody who was never here, with a long address."""
    return f"riet.van.den.oudsherkenbaar-hofstede{next(_people)}@voorbeeld.example"


def ask(visitor: Visitor, email: str, path: str = "/inloggen") -> None:
    """Ask for a mail."""
    visitor.goto(path)
    visitor.page.get_by_label("Je e-mailadres").fill(email)
    visitor.press(visitor.button("Stuur mij een mail"))
    visitor.reads("Kijk in je mail")


def mail_to(town: Town, email: str) -> SignInMail:
    town.session.rollback()
    return newest_mail(town.session, email)


def test_somebody_new_signs_in_with_the_code_and_tells_her_name(town: Town, visitor: Visitor, email: str) -> None:
    visitor.goto("/")
    visitor.open_menu()
    visitor.press(visitor.page.get_by_role("link", name="Inloggen", exact=True))
    visitor.reads("Inloggen")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.page.get_by_label("Je e-mailadres").fill(email)
    visitor.press(visitor.button("Stuur mij een mail"))

    visitor.reads("Kijk in je mail")
    visitor.check(in_the_dark=True, magnified=True)
    code = mail_to(town, email).code
    visitor.page.get_by_label("De code uit de mail").fill(f"{code[:3]} {code[3:]}")
    visitor.press(visitor.button("Inloggen"))

    visitor.reads("Welkom! Hoe heet je?")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.page.get_by_label("Je naam").fill("Riet")
    visitor.press(visitor.button("Verder"))
    visitor.reads("Hallo Riet")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.open_menu()
    expect(visitor.page.get_by_role("link", name="Mijn account", exact=True)).to_be_visible()
    town.session.rollback()
    assert town.session.scalars(select(Account.name).where(Account.email == email)).one() == "Riet"
    assert not any(code in url for url in visitor.history)


def test_by_keyboard_alone(town: Town, visitor: Visitor, email: str) -> None:
    visitor.goto("/inloggen")
    visitor.tab_to("#email")
    visitor.page.keyboard.type(email)
    visitor.page.keyboard.press("Enter")
    visitor.reads("Kijk in je mail")
    visitor.tab_to("#code")
    visitor.page.keyboard.type(mail_to(town, email).code)
    visitor.tab_to("main button")
    visitor.page.keyboard.press("Enter")
    visitor.reads("Welkom! Hoe heet je?")
    visitor.tab_to("a.abs-text-button")
    visitor.page.keyboard.press("Enter")
    visitor.reads("Hallo riet.van.den.oudsherkenbaar")
    visitor.tab_to("main form button")
    visitor.page.keyboard.press("Enter")

    visitor.reads("Inloggen")
    expect(visitor.page.get_by_role("status")).to_contain_text("Je bent uitgelogd")
    visitor.check()


def test_a_wrong_code_leads_back_to_its_box_and_the_next_one_works(town: Town, visitor: Visitor, email: str) -> None:
    ask(visitor, email)
    mail = mail_to(town, email)
    visitor.page.locator("#code").fill(mail.wrong_code)
    visitor.press(visitor.button("Inloggen"))

    alert = visitor.page.get_by_role("alert")
    expect(alert).to_be_focused()
    expect(alert).to_contain_text("Je kunt het nog 4 keer proberen")
    assert visitor.page.title().startswith("Fout:")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(alert.get_by_role("link"))
    expect(visitor.page.locator("#code")).to_be_focused()
    visitor.page.locator("#code").fill(mail.code)
    visitor.press(visitor.button("Inloggen"))

    visitor.reads("Welkom! Hoe heet je?")


def test_without_scripts_it_works_with_the_link(town: Town, visit: Callable[..., Visitor], email: str) -> None:
    visitor = visit(has_scripts=False)
    ask(visitor, email, "/inloggen?volgende=/hoe-werkt-het")
    visitor.goto(mail_to(town, email).link)
    visitor.reads("Inloggen met je mail")
    visitor.check()
    visitor.press(visitor.button("Log mij in"))
    visitor.press(visitor.page.get_by_role("link", name="Sla dit over"))

    visitor.reads("Hoe werkt het")


def test_in_another_browser_the_link_says_where_to_type_the_code(
    town: Town, visit: Callable[..., Visitor], email: str
) -> None:
    asker, other = visit(), visit()
    ask(asker, email)
    other.goto(mail_to(town, email).link)

    other.reads("Gebruik de code uit de mail")
    other.check(in_the_dark=True, magnified=True)
    asker.page.locator("#code").fill(mail_to(town, email).code)
    asker.press(asker.button("Inloggen"))
    asker.reads("Welkom! Hoe heet je?")


def test_the_pages_of_an_account_are_in_order_and_it_can_be_deleted(town: Town, visitor: Visitor, email: str) -> None:
    code = town.code()
    ask(visitor, email, "/inloggen?volgende=/account/adres")
    visitor.page.locator("#code").fill(mail_to(town, email).code)
    visitor.press(visitor.button("Inloggen"))
    visitor.press(visitor.page.get_by_role("link", name="Sla dit over"))
    visitor.reads("Dit is mijn adres")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.type_code(code)
    visitor.press(visitor.button("Bevestig mijn adres"))
    expect(visitor.page.get_by_role("status").filter(has_text="Je adres is bevestigd")).to_be_visible()
    visitor.check(in_the_dark=True, magnified=True)

    for path, heading in (("apparaten", "Mijn apparaten"), ("gegevens", "Naam en gegevens")):
        visitor.goto(f"/account/{path}")
        visitor.reads(heading)
        for summary in visitor.page.locator("summary").all():
            visitor.press(summary)
        visitor.check(in_the_dark=True, magnified=True)
    visitor.goto("/account/verwijderen")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.button("Verwijder mijn account"))
    visitor.reads("Je account is verwijderd")
    visitor.check(in_the_dark=True)

    town.session.rollback()
    assert town.session.scalars(select(Account).where(Account.email == email)).all() == []
    assert town.factory.voucher(code).state == "issued"
