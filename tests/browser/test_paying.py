# SPDX-License-Identifier: EUPL-1.2
"""Giving money with a real browser and a bank that is another site: paid, refused, cancelled, late, and given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from abs_platform import clock
from abs_platform.donations.models import Donation
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.service import stop
from abs_platform.outbox import OutgoingMail
from abs_platform.payments.models import Payment
from jobs import refund_payments
from tests.browser.conftest import DESK, PHONE, Town
from tests.browser.visitor import Visitor
from tests.factories import TEST_ACTOR
from tests.stand_in import StandIn

BANK, WAITING, THANKS = "Betaal bij de Demo-bank", "We wachten op je bank", "Bedankt, je gift is binnen!"


@dataclass
class Bank:
    """The demo bank on an address of its own. What it knows comes to the town when a test says so."""

    town: Town
    stand_in: StandIn
    url: str

    def tell(self) -> None:
        """Let the town hear what happened."""
        for payload, signature in self.stand_in.deliveries():
            headers = {"Stripe-Signature": signature}
            answer = self.town.app.test_client().post("/webhooks/stripe", data=payload, headers=headers)
            assert answer.status_code == 200

    def payments(self, initiative: Initiative) -> list[Payment]:
        """The payments for an initiative, the oldest first."""
        self.town.session.rollback()
        query = select(Payment).join(Donation, Donation.id == Payment.donation_id)
        query = query.where(Donation.initiative_id == initiative.id).order_by(Payment.id)
        return list(self.town.session.scalars(query.execution_options(populate_existing=True)))

    def payment(self, initiative: Initiative) -> Payment:
        """The one payment for an initiative."""
        (payment,) = self.payments(initiative)
        return payment

    def checkout(self, initiative: Initiative) -> str:
        """The checkout of the newest payment."""
        return self.payments(initiative)[-1].checkout_id or ""

    def reference(self, initiative: Initiative) -> str:
        """The number of the newest gift of money."""
        donation_id = self.payments(initiative)[-1].donation_id
        return self.town.session.get_one(Donation, donation_id).reference


@pytest.fixture
def bank(town: Town, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bank]:
    with stand_in.serving() as url:
        settings = replace(town.app.extensions["settings"], payments=stand_in.settings, base_url=town.url)
        monkeypatch.setitem(town.app.extensions, "settings", settings)
        monkeypatch.setitem(town.app.extensions, "payments", stand_in.provider)
        yield Bank(town, stand_in, url)


@pytest.fixture
def arrive(bank: Bank, visit: Callable[..., Visitor]) -> Callable[..., Visitor]:
    """Makes visitors who may come to the bank."""

    def make(*, has_scripts: bool = True) -> Visitor:
        visitor = visit(has_scripts=has_scripts)
        visitor.also_at = (bank.url,)
        return visitor

    return make


@pytest.fixture
def initiative(town: Town) -> Initiative:
    """A new one, so that the amounts on its page are known."""
    made = town.factory.initiative(title="Een fietspomp bij de school", target_cents=41_250)
    town.session.commit()
    return made


def begin(visitor: Visitor, initiative: Initiative, amount: int = 25) -> None:
    visitor.goto(f"/initiatieven/{initiative.id}/geld?bedrag={amount}")
    visitor.press(visitor.button(f"Betaal € {amount}"))
    visitor.reads(BANK)


@pytest.mark.keeps_pages
def test_paying_after_the_bank_said_no_and_after_going_back(
    bank: Bank, arrive: Callable[..., Visitor], initiative: Initiative
) -> None:
    visitor = arrive()
    visitor.goto(f"/initiatieven/{initiative.id}")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.page.get_by_role("link", name="Geef € 25"))
    visitor.reads("Geef geld")
    visitor.page.get_by_label("Je naam").fill("Fatima")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.button("Betaal € 25"))
    visitor.reads(BANK)
    visitor.check()
    visitor.page.go_back(wait_until="commit")
    visitor.reads("Geef geld")
    visitor.press(visitor.button("Betaal € 25"))
    visitor.reads(BANK)
    visitor.press(visitor.button("De bank zegt nee"))
    expect(visitor.page.get_by_role("alert")).to_contain_text("De bank zegt nee")
    visitor.press(visitor.button("Annuleer en ga terug"))
    visitor.reads("Geef geld")
    expect(visitor.page.get_by_role("heading", name="Je hebt niet betaald")).to_be_visible()
    expect(visitor.page.get_by_label("Je naam")).to_have_value("Fatima")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.button("Betaal alsnog € 25"))
    visitor.reads(BANK)
    visitor.press(visitor.page.get_by_role("button", name="Betaal € 25,00"))
    visitor.reads(WAITING)
    visitor.check(in_the_dark=True, magnified=True)
    other_device = arrive()
    other_device.goto(f"/giften/{bank.reference(initiative)}")
    other_device.reads(WAITING)

    bank.tell()

    for device in (visitor, other_device):
        device.reads(THANKS)
    visitor.check(in_the_dark=True, magnified=True)
    visitor.page.reload()
    visitor.reads(THANKS)
    assert "€ 25 van € 412,50" in visitor.text
    assert bank.payment(initiative).state == "paid"


@pytest.mark.parametrize("size", [PHONE], indirect=True)
def test_a_bank_that_answers_later_and_then_no(
    bank: Bank, arrive: Callable[..., Visitor], initiative: Initiative
) -> None:
    visitor = arrive()
    for answer, heading in (("yes", THANKS), ("no", "De betaling is niet gelukt")):
        begin(visitor, initiative, 10)
        visitor.press(visitor.button("Betaal later: de bank wacht nog"))
        visitor.reads(WAITING)
        bank.tell()
        visitor.page.reload()
        visitor.reads(WAITING)
        (bank.stand_in.settle_later if answer == "yes" else bank.stand_in.fail)(bank.checkout(initiative))
        bank.tell()
        visitor.reads(heading)
    visitor.check(in_the_dark=True, magnified=True)
    visitor.press(visitor.page.get_by_role("link", name="Probeer het opnieuw"))

    visitor.reads("Geef geld")

    expect(visitor.button("Betaal € 10")).to_be_visible()
    assert [payment.state for payment in bank.payments(initiative)] == ["paid", "failed"]


def test_what_was_given_to_a_plan_that_stops_comes_back_and_is_told(
    bank: Bank, arrive: Callable[..., Visitor], initiative: Initiative
) -> None:
    visitor, town = arrive(), bank.town
    visitor.goto(f"/initiatieven/{initiative.id}/geld?bedrag=25")
    visitor.page.get_by_label("Je e-mailadres").fill("fatima@voorbeeld.example")
    visitor.press(visitor.button("Betaal € 25"))
    visitor.press(visitor.page.get_by_role("button", name="Betaal € 25,00"))
    visitor.reads(WAITING)
    bank.tell()
    visitor.reads(THANKS)
    stop(town.session, initiative.id, reason="Het mag niet.", actor=TEST_ACTOR, now=clock.now())
    town.session.commit()

    visitor.page.reload()
    visitor.reads("Je krijgt je geld terug")
    visitor.check(in_the_dark=True, magnified=True)
    with town.app.app_context():
        assert refund_payments.run(clock.now()).errors == []
    bank.tell()
    visitor.page.reload()
    visitor.reads("Je geld is teruggestuurd")

    visitor.check(in_the_dark=True, magnified=True)
    payment = bank.payment(initiative)
    assert payment.state == "refunded"
    told = town.session.scalars(select(OutgoingMail.event).where(OutgoingMail.event.like(f"gift-%:{payment.id}%")))
    assert sorted(told) == [f"gift-received:{payment.id}", f"gift-refunded:{payment.id}:0"]
    visitor.goto(f"/initiatieven/{initiative.id}")
    assert "Wie geld gaf, krijgt alles vanzelf terug" in visitor.text


@pytest.mark.keeps_pages
@pytest.mark.parametrize("size", [DESK], indirect=True)
def test_a_voucher_and_money_with_only_the_keyboard(
    bank: Bank, arrive: Callable[..., Visitor], initiative: Initiative
) -> None:
    visitor, code = arrive(), bank.town.code()
    keyboard = visitor.page.keyboard
    visitor.codes.append(code)
    visitor.goto(f"/initiatieven/{initiative.id}")
    visitor.tab_to(".money-box__amount")
    keyboard.press("Enter")
    visitor.reads("Geef geld")
    visitor.tab_to("[name=amount]:checked")
    for _ in range(3):
        keyboard.press("ArrowDown")
        visitor.sees_focus()
    keyboard.type("12,50")
    expect(visitor.button("Betaal € 12,50")).to_be_visible()
    visitor.tab_to("#receipt_email")
    keyboard.type("fatima")
    visitor.tab_to("details:has(#code) > summary")
    keyboard.press("Enter")
    visitor.tab_to("#code")
    keyboard.type(code)
    visitor.tab_to("[data-pay]")
    keyboard.press("Enter")
    expect(visitor.page.get_by_role("alert")).to_be_focused()
    visitor.check(in_the_dark=True, magnified=True)
    visitor.page.locator("#receipt_email").focus()
    keyboard.press("End")
    keyboard.type("@voorbeeld.example")
    keyboard.press("Enter")
    visitor.reads("Klopt het?")
    visitor.check(in_the_dark=True, magnified=True)
    visitor.tab_to("[type=submit]")
    keyboard.press("Enter")
    visitor.reads(BANK)
    visitor.page.go_back(wait_until="commit")
    visitor.reads("Klopt het?")
    visitor.page.locator("[type=submit]").first.focus()
    keyboard.press("Enter")
    visitor.reads(BANK)
    visitor.page.get_by_role("button", name="Betaal € 12,50").focus()
    keyboard.press("Enter")
    visitor.reads(WAITING)
    bank.tell()
    visitor.reads(THANKS)

    visitor.check()
    assert "Ook je voucher € 7,50" in visitor.text
    assert "€ 20 van € 412,50" in visitor.text
    assert [gift.initiative_id for gift in bank.town.gifts(code)] == [initiative.id]


@pytest.mark.parametrize("size", [PHONE], indirect=True)
def test_paying_without_javascript(bank: Bank, arrive: Callable[..., Visitor], initiative: Initiative) -> None:
    visitor = arrive(has_scripts=False)
    visitor.goto(f"/initiatieven/{initiative.id}")
    visitor.press(visitor.page.get_by_role("link", name="Ander bedrag"))
    visitor.reads("Geef geld")
    visitor.page.get_by_label("Je bedrag in euro's").fill("0,50")
    visitor.check()
    visitor.press(visitor.button("Verder naar betalen"))
    expect(visitor.page.locator("#own_amount-error")).to_have_text("Geef ten minste € 1.")
    visitor.check()
    visitor.page.get_by_label("Je bedrag in euro's").fill("7,50")
    visitor.press(visitor.button("Verder naar betalen"))
    visitor.reads(BANK)
    visitor.press(visitor.page.get_by_role("button", name="Betaal € 7,50"))
    visitor.reads(WAITING)
    visitor.check()
    bank.tell()
    visitor.press(visitor.page.get_by_role("link", name="Kijk nu of het antwoord er is"))

    visitor.reads(THANKS)

    assert bank.payment(initiative).amount_cents == 750
