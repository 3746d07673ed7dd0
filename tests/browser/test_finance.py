# SPDX-License-Identifier: EUPL-1.2
"""A day at finance in a real browser: approve, batch, release, download, the bank's statement, a task, the month."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import select

from abs_platform import clock
from abs_platform.accounts.models import Account
from abs_platform.demo.bank_statement import at_the_bank, daily_business, statement_file
from abs_platform.finance.models import FinanceTask
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.models import LedgerTransaction
from abs_platform.payouts import statements
from abs_platform.payouts.models import Payout
from tests.browser.conftest import DESK, PHONE, Town
from tests.browser.test_after_publishing import people, sign_in
from tests.browser.visitor import Visitor
from tests.conftest import take_money
from tests.payments.gifts import begin_at, money_gift
from tests.payments.going_back import Bank
from tests.payouts.bank_desk import OUR_ACCOUNT, Desk
from tests.people import People
from tests.stand_in import StandIn

__all__ = ["people"]
pytestmark = pytest.mark.browser

MESSAGE = "Voor de kinderen van de straat. Veel plezier!"
_serials = count(1)


@dataclass
class Morning:
    """What waits at finance when the day begins."""

    town: Town
    desk: Desk
    payout: Payout
    task: FinanceTask
    title: str

    def arrive(self, visitor: Visitor, name: str) -> Visitor:
        """Somebody of finance, signed in."""
        account = self.town.session.get_one(Account, self.desk.user(name).account_id)
        return sign_in(self.town, visitor, account)

    def statement(self) -> bytes:
        """The statement of a bank that paid all it has."""
        self.town.session.rollback()
        lines = [*at_the_bank(self.town.session), *daily_business(clock.today())]
        number, now = f"AFSCHRIFT{next(_serials)}", clock.now()
        return statement_file([[line] for line in lines], iban=OUR_ACCOUNT.iban, number=number, created_at=now)


@pytest.fixture
def morning(town: Town, people: People, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Morning:
    """A payout that the desk confirmed, and a gift that the provider did not give back."""
    assert people
    take_money(town.app, stand_in, monkeypatch)
    desk, bank = Desk(town.factory), Bank(town.app, town.factory, stand_in)
    stopped = town.factory.initiative(title="Een muurschildering aan de Ossenkoppelerhoekstraat", target_cents=50_000)
    gift = money_gift(2_500, giver_name="Fatima", receipt_email="fatima@voorbeeld.example", message=MESSAGE)
    stand_in.at(town.factory.now)  # the town may be older than a checkout may be
    started = begin_at(town.factory, stand_in, stopped.id, gift)
    stand_in.at(clock.now())  # what it tells is signed now
    stand_in.pay(started.checkout_id or "")
    bank.hear()
    bank.stop(stopped)
    stand_in.at(None)
    stand_in.refuse_next_refund()
    bank.refund()
    title = f"Een pluktuin voor de Ossenkoppelerhoekstraat {next(_serials)}"
    payout = desk.confirmed(town.factory.initiative(InitiativeState.FUNDED, title=title, target_cents=5_250))
    town.session.commit()
    task = town.session.scalars(select(FinanceTask).where(FinanceTask.payment_id == started.payment_id)).one()
    return Morning(town, desk, payout, task, title)


def goes(visitor: Visitor, target: Locator) -> None:
    """Follow a link or send a form, and wait for the page that comes."""
    with visitor.page.expect_navigation():
        visitor.press(target)


def by_keyboard(visitor: Visitor, selector: str) -> None:
    """Find a button with Tab and press Enter."""
    visitor.tab_to(selector)
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")


@pytest.mark.parametrize("size", [DESK], indirect=True, ids=["1280"])
def test_a_day_at_finance(morning: Morning, visit: Callable[..., Visitor], tmp_path: Path) -> None:
    frits, roos = (morning.arrive(visit(), name) for name in ("Frits", "Roos"))

    approve_and_batch(frits, morning)
    release_and_download(roos, morning)
    take_in_statement(roos, morning, tmp_path / "afschrift.xml")
    settle(frits, morning)
    report(frits)


def approve_and_batch(frits: Visitor, morning: Morning) -> None:
    frits.goto("/financien")
    goes(frits, frits.page.get_by_role("link", name="Uitbetalingen goed te keuren"))
    goes(frits, frits.page.get_by_role("link", name=morning.title))
    by_keyboard(frits, 'form:has(input[value="approve"]) button')
    expect(frits.page.get_by_role("status")).to_contain_text("Goedgekeurd.")
    goes(frits, frits.page.get_by_role("link", name="Naar de betaalopdrachten"))
    expect(frits.page.get_by_role("checkbox", name=morning.title)).to_be_checked()
    by_keyboard(frits, 'form[action="/financien/betaalopdrachten"] button')
    expect(frits.page.get_by_role("status")).to_contain_text("De betaalopdracht is gemaakt.")
    expect(frits.page.get_by_role("button", name=re.compile("^Geef"))).to_have_count(0)


def release_and_download(roos: Visitor, morning: Morning) -> None:
    roos.goto("/financien")
    goes(roos, roos.page.get_by_role("link", name="Betaalopdrachten vrij te geven"))
    goes(roos, roos.page.locator(".fin-row__link").first)
    expect(roos.page.get_by_role("link", name=morning.title)).to_be_visible()
    goes(roos, roos.page.get_by_role("button", name=re.compile("^Geef .* vrij$")))
    with roos.page.expect_download() as download:
        roos.press(roos.button("Download het bestand"))
    assert morning.payout.end_to_end_id in download.value.path().read_text()
    roos.goto("/financien")
    expect(roos.page.get_by_text("die niemand heeft gedownload")).to_have_count(0)


def take_in_statement(roos: Visitor, morning: Morning, file: Path) -> None:
    file.write_bytes(morning.statement())
    goes(roos, roos.page.get_by_role("link", name="Afschriften"))
    roos.page.get_by_label("Afschrift van de bank").set_input_files(file)
    goes(roos, roos.button("Verwerk het afschrift"))
    expect(roos.page.get_by_role("row", name=morning.title)).to_contain_text("Uitbetaling is betaald")
    roos.check(in_the_dark=True)
    goes(roos, roos.page.get_by_role("link", name=morning.title))
    expect(roos.page.locator('[aria-current="step"]')).to_contain_text("Betaald")
    told = roos.page.locator(".fin-history li")
    expect(told.first).to_contain_text("Betaald, door Roos")
    expect(told.last).to_contain_text("Aangevraagd, door Anna")


def settle(frits: Visitor, morning: Morning) -> None:
    frits.goto(f"/financien/taken?zoek={morning.task.id}&soort=refund_failed")
    goes(frits, frits.page.locator(f'a[href="/financien/taken/{morning.task.id}"]'))
    expect(frits.page.get_by_text(MESSAGE)).to_be_visible()
    goes(frits, frits.button("Handel af"))
    alert = frits.page.get_by_role("alert")
    expect(alert).to_contain_text("Kies wat je hebt gedaan.")
    expect(alert).to_be_focused()
    frits.page.get_by_label("Met de hand terugbetaald aan de gever").check()
    frits.page.get_by_label("Hoeveel heb je betaald?").fill("25")
    frits.page.get_by_label("Wat heb je gedaan of gezien?").fill("Fatima gebeld en het geld overgemaakt.")
    goes(frits, frits.button("Handel af"))
    expect(frits.page.get_by_role("status")).to_contain_text("De taak is klaar.")


def report(frits: Visitor) -> None:
    frits.goto(f"/financien/boeken/{clock.today():%Y-%m}")
    expect(frits.page.get_by_text("Ja, tot op de cent")).to_be_visible()
    frits.page.emulate_media(media="print")
    expect(frits.page.locator(".fin-tabs")).to_be_hidden()
    expect(frits.page.get_by_role("table").first).to_be_visible()


@pytest.mark.parametrize("size", [PHONE], indirect=True, ids=["360"])
def test_every_page_of_finance_is_for_everyone_on_a_phone(morning: Morning, visitor: Visitor) -> None:
    town, desk = morning.town, morning.desk
    made, paid = desk.made(desk.approved()), desk.approved()
    desk.released(paid)
    town.session.commit()
    content, roos = morning.statement(), desk.user("Roos")
    statement = statements.take_in(town.session, content, account=OUR_ACCOUNT, user=roos, now=clock.now())
    town.session.commit()
    booked = town.session.scalars(
        select(LedgerTransaction.id).where(LedgerTransaction.payout_id == paid.id).limit(1)
    ).one()
    initiative = town.session.get_one(Initiative, paid.initiative_id)
    frits = morning.arrive(visitor, "Frits")

    for path in (
        "",
        "/uitbetalingen?lijst=betaald",
        f"/uitbetalingen/{morning.payout.id}",
        "/betaalopdrachten",
        f"/betaalopdrachten/{made}",
        "/afschriften",
        f"/afschriften/{statement}",
        "/taken",
        f"/taken/{morning.task.id}",
        "/boeken",
        f"/boeken/{clock.today():%Y-%m}",
        f"/boeken/boekingen?initiatief={initiative.id}",
        f"/boeken/boekingen/{booked}",
        "/niet-besteed",
        f"/niet-besteed/{initiative.id}",
    ):
        frits.goto(f"/financien{path}")
        frits.check(in_the_dark=True, magnified=True)
