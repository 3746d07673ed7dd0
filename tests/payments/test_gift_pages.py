# SPDX-License-Identifier: EUPL-1.2
"""What a giver of money sees: the box, the form, the way back from the bank, and the receipt wherever the money is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from abs_platform.donations.models import Donation
from abs_platform.donations.service import GiftDetails
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.service import stop
from abs_platform.initiatives.states import InitiativeState
from abs_platform.organisers.queries import income
from abs_platform.outbox import OutgoingMail
from abs_platform.payments.models import Payment
from abs_platform.payments.states import PaymentState
from abs_platform.payments.telling import tell_late, tell_refund
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser, Page
from tests.stand_in import StandIn
from tests.test_page_cost import MAX_BYTES, MAX_QUERIES, counting, weigh

pytestmark = pytest.mark.usefixtures("paying_app")

EMAIL = "truus@voorbeeld.example"


@dataclass
class Giver:
    """Somebody with a browser and a bank."""

    browser: Browser
    bank: StandIn
    session: Session

    def form(self, initiative: Initiative, query: str = "", *, status: int = 200) -> Page:
        return self.browser.get(f"/initiatieven/{initiative.id}/geld{query}", status=status)

    def send(self, initiative: Initiative, page: Page | None = None, *, status: int = 200, **fields: str) -> Page:
        """Send the form and stay on our own site."""
        action = f"/initiatieven/{initiative.id}/geld"
        return self.browser.submit(page or self.form(initiative), action, status=status, **fields)

    def begin(self, initiative: Initiative, page: Page | None = None, **fields: str) -> Payment:
        """Send the form and come to the page of the bank."""
        action = f"/initiatieven/{initiative.id}/geld"
        answer = self.browser.send(page or self.form(initiative), action, **{"amount": "25"} | fields)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        assert "/pay/cs_" in answer.location
        payment = self.payment()
        assert payment.checkout_id == answer.location.rpartition("/")[2]
        return payment

    def payment(self) -> Payment:
        """The payment that was begun last."""
        newest = select(Payment).order_by(Payment.id.desc()).limit(1)
        return self.session.scalars(newest.execution_options(populate_existing=True)).one()

    def gift(self, payment: Payment) -> Donation:
        return self.session.get_one(Donation, payment.donation_id, populate_existing=True)

    def hear_from_bank(self) -> None:
        for payload, signature in self.bank.deliveries():
            headers = {"Stripe-Signature": signature}
            assert self.browser.client.post("/webhooks/stripe", data=payload, headers=headers).status_code == 200

    def pay(self, payment: Payment) -> None:
        self.bank.pay(payment.checkout_id or "")
        self.hear_from_bank()

    def receipt(self, payment: Payment) -> Page:
        return self.browser.get(f"/giften/{self.gift(payment).reference}")

    def mails(self) -> list[str]:
        return list(self.session.scalars(select(OutgoingMail.event).order_by(OutgoingMail.id)))


@pytest.fixture
def giver(browser_client: Browser, stand_in: StandIn, session: Session) -> Giver:
    return Giver(browser_client, stand_in, session)


@pytest.fixture
def initiative(factory: Factory, session: Session) -> Initiative:
    made = factory.initiative(title="Een bankje")
    session.commit()
    return made


def public_page(giver: Giver, initiative: Initiative) -> Page:
    return giver.browser.get(f"/initiatieven/{initiative.id}")


def heading(page: Page) -> str:
    return " ".join(page.one("h1").to_text().split())


def test_the_page_of_an_initiative_offers_amounts_beside_the_code_box(giver: Giver, initiative: Initiative) -> None:
    page = public_page(giver, initiative)

    links = [link.attrs["href"].partition("/geld")[2] for link in page.all(".money-box a")]
    assert links == ["?bedrag=5", "?bedrag=10", "?bedrag=25", ""]
    assert page.html.index('name="code"') < page.html.index("?bedrag=5")
    assert "Demo: geen echt geld" in page.text


def test_there_is_no_box_and_no_form_where_no_money_is_taken(
    app: Flask, monkeypatch: pytest.MonkeyPatch, giver: Giver, initiative: Initiative
) -> None:
    monkeypatch.setitem(app.extensions, "payments", None)

    assert not public_page(giver, initiative).all(".money-box")
    assert "Kan ik ook zelf geld geven?" not in giver.browser.get("/veelgestelde-vragen").text
    giver.form(initiative, status=404)


def test_an_initiative_that_does_not_collect_has_no_box_and_its_form_leads_to_its_page(
    factory: Factory, session: Session, giver: Giver
) -> None:
    funded = factory.initiative(InitiativeState.FUNDED, title="Al rond")
    session.commit()

    assert not public_page(giver, funded).all(".money-box")
    assert heading(giver.form(funded)) == "Al rond"


def test_near_the_end_the_rest_can_be_chosen_and_the_rounding_is_told(
    factory: Factory, session: Session, giver: Giver
) -> None:
    initiative = factory.initiative(target_cents=5_230)
    for code in factory.fresh_codes(6):
        assert factory.give(code, initiative)
    session.commit()

    page = giver.form(initiative, "?bedrag=5")

    assert [card.attrs["value"] for card in page.all('[name="amount"]')] == ["5", "8", "other"]
    assert "Er is nog € 7,30 nodig. Je mag € 8 geven" in page.text.replace("\u00a0", " ")
    payment = giver.begin(initiative, page, amount="8")
    giver.pay(payment)
    assert heading(giver.receipt(payment)) == "Gelukt! Het bedrag is rond"
    assert session.get_one(Initiative, initiative.id, populate_existing=True).state == InitiativeState.FUNDED


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"amount": ""}, "amount", "Kies een bedrag"),
        ({"amount": "other", "own_amount": ""}, "own_amount", "Kies een bedrag"),
        ({"amount": "other", "own_amount": "veel"}, "own_amount", "Vul een bedrag in"),
        ({"amount": "other", "own_amount": "-5"}, "own_amount", "Vul een bedrag in"),
        ({"amount": "25", "own_amount": "40"}, "amount", "Kies een van de twee"),
        ({"amount": "other", "own_amount": "0,99"}, "own_amount", "Geef ten minste"),
        ({"amount": "other", "own_amount": "500,01"}, "own_amount", "Geef hoogstens"),
        ({"giver_name": "x" * 81}, "giver_name", "hoogstens 80"),
        ({"message": "x" * 281}, "message", "hoogstens 280"),
        ({"receipt_email": "truus"}, "receipt_email", "naam@voorbeeld.nl"),
        ({"receipt_email": "", "wants_news": "1"}, "receipt_email", "als je nieuws wilt"),
        ({"organisation_name": "", "shows_organisation": "1"}, "organisation_name", "Vul de naam"),
        ({"code": "K7QJ"}, "code", "klopt niet helemaal"),
    ],
)
def test_what_is_refused_comes_back_filled_in_with_a_sentence_at_the_field(
    giver: Giver, initiative: Initiative, fields: dict[str, str], field: str, sentence: str
) -> None:
    sent = {"amount": "25", "giver_name": "Truus", "message": "Mooi!", "receipt_email": EMAIL} | fields

    page = giver.send(initiative, status=422, **sent)

    assert sentence in page.one(f"#{field}-error").to_text()
    assert [link.attrs["href"] for link in page.all(".abs-error-summary__link")] == [f"#{field}"]
    assert [page.field(name) for name in ("giver_name", "receipt_email")] == [sent["giver_name"], sent["receipt_email"]]
    assert page.one("#message").to_text().strip() == sent["message"]
    assert page.response.headers["Cache-Control"] == "no-store"
    assert giver.session.scalar(select(Payment.id)) is None


def test_all_that_is_wrong_is_said_at_once(giver: Giver, initiative: Initiative) -> None:
    page = giver.send(initiative, status=422, amount="other", own_amount="x", receipt_email="y", giver_name="z" * 81)

    assert len(page.all(".abs-error-summary__link")) == 3
    page = giver.send(initiative, status=422, amount="other", own_amount="0,50", receipt_email="y")
    assert [link.attrs["href"] for link in page.all(".abs-error-summary__link")] == ["#own_amount", "#receipt_email"]


@pytest.mark.parametrize(
    ("fields", "name", "is_organisation", "organisation"),
    [
        ({}, None, False, None),
        ({"giver_name": " Truus\u0000 "}, "Truus", False, None),
        ({"organisation_name": "Bakker Bos"}, None, True, "Bakker Bos"),
        ({"organisation_name": "Bakker Bos", "giver_name": "Truus"}, "Truus", True, "Bakker Bos"),
        ({"organisation_name": "Bakker Bos", "shows_organisation": "1"}, "Bakker Bos", True, "Bakker Bos"),
    ],
)
def test_a_giver_is_named_only_as_was_asked(  # noqa: PLR0917 - one column each
    giver: Giver,
    initiative: Initiative,
    fields: dict[str, str],
    name: str | None,
    is_organisation: bool,
    organisation: str | None,
) -> None:
    payment = giver.begin(initiative, **fields)
    giver.pay(payment)

    gift = giver.gift(payment)
    assert (gift.giver_name, gift.is_organisation, payment.organisation_name) == (name, is_organisation, organisation)
    shown = public_page(giver, initiative).text.replace("\u00a0", " ")
    assert f"{name or 'Anoniem'} € 25 eigen geld" in shown
    assert ("Bakker Bos" in shown) == (name == "Bakker Bos")


def test_an_address_for_the_receipt_is_no_wish_for_news(giver: Giver, initiative: Initiative) -> None:
    quiet = giver.begin(initiative, receipt_email="Truus@Voorbeeld.example")
    curious = giver.begin(initiative, receipt_email=EMAIL, wants_news="1")

    assert (quiet.receipt_email, giver.gift(quiet).giver_email) == (EMAIL, None)
    assert (curious.receipt_email, giver.gift(curious).giver_email) == (EMAIL, EMAIL)


def test_the_same_form_sent_twice_is_one_payment_and_with_another_amount_it_is_asked_about(
    giver: Giver, initiative: Initiative
) -> None:
    page = giver.form(initiative)
    first = giver.begin(initiative, page)

    assert giver.begin(initiative, page).id == first.id
    asked = giver.send(initiative, page, status=409, amount="10")
    assert "Met dit formulier ben je al een betaling van € 25 begonnen" in asked.text.replace("\u00a0", " ")
    other = giver.begin(initiative, asked, amount="10")
    assert (other.id != first.id, other.amount_cents) == (True, 1_000)
    giver.hear_from_bank()
    assert giver.session.get_one(Payment, first.id, populate_existing=True).state == PaymentState.EXPIRED


def test_a_voucher_that_goes_along_is_asked_about_first(factory: Factory, giver: Giver, initiative: Initiative) -> None:
    (code,) = factory.fresh_codes(1)
    giver.session.commit()

    asked = giver.send(initiative, amount="25", code=code, message="Mooi!")

    assert heading(asked) == "Klopt het?"
    assert "Samen € 32,50" in asked.text.replace("\u00a0", " ")
    assert factory.voucher(code).state == "issued"
    back = giver.send(initiative, asked, back="1")
    assert (back.field("code"), back.one("#message").to_text().strip()) == (code, "Mooi!")
    payment = giver.begin(initiative, asked)
    giver.pay(payment)
    assert factory.voucher(code).state == "given"
    page = giver.receipt(payment)
    assert "Ook je voucher € 7,50" in page.text.replace("\u00a0", " ")
    (link,) = [one for one in page.all(".abs-receipt a") if "Bekijk dat bewijs" in one.to_text()]
    assert "je voucher telt mee" in giver.browser.get(link.attrs["href"]).text


def test_a_wrong_code_beside_money_gives_nothing(factory: Factory, giver: Giver, initiative: Initiative) -> None:
    codes = factory.fresh_codes(2)
    assert factory.give(codes[0], initiative, GiftDetails())
    giver.session.commit()

    page = giver.send(initiative, status=409, amount="25", code=codes[0])

    assert "Deze code kun je nu niet gebruiken" in page.one("#code-error").to_text()
    assert giver.session.scalar(select(Payment.id)) is None


def test_a_voucher_that_leaves_nothing_to_pay_is_not_given_with_money(factory: Factory, giver: Giver) -> None:
    initiative = factory.initiative(target_cents=5_200)
    *codes, last = factory.fresh_codes(7)
    for code in codes:
        assert factory.give(code, initiative)
    giver.session.commit()

    page = giver.send(initiative, status=422, amount="5", code=last)

    assert "Met je voucher is het bedrag al rond" in page.one("#code-error").to_text()
    assert factory.voucher(last).state == "issued"


def test_who_did_not_pay_finds_the_form_filled_in_but_not_what_only_the_giver_may_know(
    giver: Giver, initiative: Initiative
) -> None:
    details = {"giver_name": "Truus", "message": "Mooi!", "receipt_email": EMAIL}
    payment = giver.begin(initiative, amount="other", own_amount="12,50", **details)
    reference = giver.gift(payment).reference

    page = giver.form(initiative, f"?terug={reference}")

    assert "Je hebt niet betaald" in page.text
    assert (page.field("own_amount"), page.field("giver_name")) == ("12,50", "Truus")
    assert EMAIL not in page.html
    assert page.response.headers["Cache-Control"] == "no-store"
    going_on = giver.browser.send(page, f"/giften/{reference}/betalen")
    assert going_on.location.endswith(payment.checkout_id or "?")


def test_a_number_shows_nothing_at_another_initiative(factory: Factory, giver: Giver, initiative: Initiative) -> None:
    other = factory.initiative()
    giver.session.commit()
    reference = giver.gift(giver.begin(initiative, giver_name="Truus")).reference

    page = giver.form(other, f"?terug={reference}")

    assert "Je hebt niet betaald" not in page.text
    assert "Truus" not in page.html


def test_who_begins_again_cannot_pay_the_first_any_more_and_is_not_kept_out_by_it(
    factory: Factory, giver: Giver
) -> None:
    initiative = factory.initiative(target_cents=5_000)
    giver.session.commit()
    first = giver.begin(initiative, amount="50")

    page = giver.form(initiative, f"?terug={giver.gift(first).reference}")
    second = giver.begin(initiative, page, amount="other", own_amount="40")

    assert second.id != first.id
    assert giver.bank.account.get("session", first.checkout_id or "")["status"] == "expired"
    assert giver.session.get_one(Payment, first.id, populate_existing=True).state == PaymentState.EXPIRED


def test_who_paid_on_another_device_does_not_pay_again(giver: Giver, initiative: Initiative) -> None:
    first = giver.begin(initiative)
    page = giver.form(initiative, f"?terug={giver.gift(first).reference}")
    giver.bank.pay(first.checkout_id or "")

    shown = giver.send(initiative, page, amount="10")

    assert heading(shown) == "Bedankt, je gift is binnen!"
    assert giver.payment().id == first.id
    assert heading(giver.form(initiative, f"?terug={giver.gift(first).reference}")) == "Bedankt, je gift is binnen!"


def test_others_who_pay_the_last_part_are_told_of(factory: Factory, giver: Giver) -> None:
    initiative = factory.initiative(target_cents=5_000)
    giver.session.commit()
    giver.begin(initiative, amount="50")

    page = giver.form(initiative)

    assert "Het laatste deel wordt nu betaald" in page.text
    assert not page.all("[data-money-form]")


def test_while_the_provider_is_away_nothing_is_lost_and_the_same_form_works_later(
    giver: Giver, initiative: Initiative
) -> None:
    giver.bank.faults.fail_calls("timeout")

    page = giver.send(initiative, status=502, amount="25", giver_name="Truus")

    assert "Er is niets betaald" in page.text
    assert page.field("giver_name") == "Truus"
    assert giver.begin(initiative, page, amount="25").id == giver.payment().id
    assert len(list(giver.session.scalars(select(Payment.id)))) == 1


def test_the_receipt_waits_for_the_bank_and_books_nothing(giver: Giver, initiative: Initiative) -> None:
    payment = giver.begin(initiative)
    giver.bank.pay(payment.checkout_id or "")

    for _ in range(2):
        page = giver.receipt(payment)
        assert heading(page) == "We wachten op je bank"
    assert page.response.headers["Cache-Control"] == "no-store"
    assert 'http-equiv="refresh"' in page.html
    assert giver.payment().state == PaymentState.CREATED
    giver.hear_from_bank()
    page = giver.receipt(payment)
    assert heading(page) == "Bedankt, je gift is binnen!"
    assert 'http-equiv="refresh"' not in page.html
    assert "€ 25 van € 500" in page.text.replace("\u00a0", " ")


def test_who_waits_long_can_go_on_paying_while_that_is_possible(
    factory: Factory, giver: Giver, initiative: Initiative
) -> None:
    payment = giver.begin(initiative)
    payment.created_at = factory.now - dt.timedelta(minutes=11)
    giver.session.commit()
    action = f"/giften/{giver.gift(payment).reference}/betalen"

    page = giver.receipt(payment)

    assert "We hebben nog niets van je bank gehoord." in page.text
    assert giver.browser.send(page, action).location.endswith(payment.checkout_id or "?")
    giver.bank.expire(payment.checkout_id or "")
    closed = giver.browser.submit(page, action)
    assert "Je kunt deze betaling niet meer afmaken" in closed.text
    giver.hear_from_bank()
    assert heading(giver.receipt(payment)) == "Je hebt niet betaald"


def test_a_bank_that_says_no_later_leaves_the_way_to_try_again(giver: Giver, initiative: Initiative) -> None:
    payment = giver.begin(initiative, message="Mooi!")
    giver.bank.pay_later(payment.checkout_id or "")
    giver.hear_from_bank()
    assert heading(giver.receipt(payment)) == "We wachten op je bank"
    giver.bank.fail(payment.checkout_id or "")
    giver.hear_from_bank()

    page = giver.receipt(payment)

    assert heading(page) == "De betaling is niet gelukt"
    (again,) = [link.attrs["href"] for link in page.all("main a") if "terug=" in link.attrs["href"]]
    form = giver.browser.get(again)
    assert "Er is niets afgeschreven. Hieronder kun je het opnieuw proberen." in form.text
    assert giver.begin(initiative, form).id != payment.id


@pytest.mark.parametrize(
    ("changes", "title", "sentence"),
    [
        ("refund_reason = 'late'", "Je krijgt je geld terug", "toen de inzameling al voorbij was"),
        (
            "state = 'refund_pending', refund_reason = 'stopped', refund_asked_at = now()",
            "Je krijgt je geld terug",
            "Op",
        ),
        (
            "state = 'refunded', returned_cents = 2500, refund_reason = 'expired', refunded_at = now()",
            "Je geld is teruggestuurd",
            "niet gehaald",
        ),
        (
            "state = 'refunded', returned_cents = 2500, refund_reason = 'at_provider'",
            "Je geld is teruggestuurd",
            "De gemeente gaf je gift terug",
        ),
        ("state = 'refund_failed', refund_reason = 'stopped'", "Teruggeven lukte niet vanzelf", "Je geld is niet weg"),
        (
            "state = 'disputed', disputed_cents = 2500, dispute_id = 'dp_1'",
            "Je bank onderzoekt deze betaling",
            "gebeurt er niets",
        ),
        (
            "state = 'charged_back', returned_cents = 2500, dispute_id = 'dp_1'",
            "Je bank heeft dit geld teruggehaald",
            "€ 25",
        ),
    ],
)
def test_the_receipt_says_where_the_money_is(
    giver: Giver, initiative: Initiative, changes: str, title: str, sentence: str
) -> None:
    payment = giver.begin(initiative)
    giver.pay(payment)
    giver.session.execute(text(f"UPDATE payments SET {changes} WHERE id = :id"), {"id": payment.id})
    giver.session.commit()

    page = giver.receipt(payment)

    assert heading(page) == title
    assert sentence in page.text.replace("\u00a0", " ")
    assert "Bewijs van je gift" not in page.text
    assert not page.all("[data-share-url]")


def test_who_gave_money_to_what_failed_reads_that_it_goes_back(
    factory: Factory, giver: Giver, initiative: Initiative
) -> None:
    goes_back = "Wie geld gaf, krijgt alles vanzelf terug"
    payment = giver.begin(initiative)
    giver.pay(payment)
    without = factory.initiative(InitiativeState.STOPPED)
    stop(factory.session, initiative.id, reason="Kan niet.", actor=TEST_ACTOR, now=factory.now)
    giver.session.commit()

    assert heading(giver.receipt(payment)) == "Je krijgt je geld terug"
    assert goes_back in public_page(giver, initiative).text
    assert goes_back not in public_page(giver, without).text


def test_a_payment_that_landed_after_the_end_is_told_to_go_back(
    factory: Factory, giver: Giver, initiative: Initiative
) -> None:
    payment = giver.begin(initiative, receipt_email=EMAIL)
    stop(factory.session, initiative.id, reason="Kan niet.", actor=TEST_ACTOR, now=factory.now)
    giver.session.commit()

    giver.pay(payment)

    page = giver.receipt(payment)
    assert heading(page) == "Je krijgt je geld terug"
    assert "toen de inzameling al voorbij was" in page.text


def test_the_giver_is_mailed_once_about_each_thing_and_who_left_no_address_is_not(
    giver: Giver, initiative: Initiative, factory: Factory
) -> None:
    told = giver.begin(initiative, receipt_email=EMAIL, organisation_name="Bakker Bos")
    giver.pay(told)
    silent = giver.begin(initiative)
    giver.pay(silent)
    told.refund_reason = "stopped"
    for _ in range(2):
        for tell in (tell_late, tell_refund):
            tell(giver.session, told.id, factory.now)
            tell(giver.session, silent.id, factory.now)

    kinds = [f"gift-received:{told.id}", f"gift-late:{told.id}", f"gift-refunded:{told.id}:{told.refund_attempt}"]
    assert [event for event in giver.mails() if event.startswith("gift-")] == kinds
    mail = giver.session.scalars(select(OutgoingMail).where(OutgoingMail.event == kinds[0])).one()
    assert mail.recipient == EMAIL
    for part in ("€\u00a025", giver.gift(told).reference, "Een bankje", "Namens: Bakker Bos"):
        assert part in (mail.text_body or "")


def test_organisers_see_vouchers_and_the_money_of_residents_and_organisations_apart(
    factory: Factory, giver: Giver, initiative: Initiative
) -> None:
    (code,) = factory.fresh_codes(1)
    assert factory.give(code, initiative)
    giver.session.commit()
    for fields in ({"amount": "10"}, {"amount": "25", "organisation_name": "Bakker Bos"}):
        giver.pay(giver.begin(initiative, **fields))

    came_in = income(giver.session, initiative.id)

    shares = {share.label: share.cents for share in came_in.sources}
    assert shares == {"geld van organisaties": 2_500, "geld van bewoners": 1_000, "vouchers": 750}
    assert (came_in.cents, came_in.gifts) == (4_250, 3)


def test_the_pages_of_money_cost_little(
    app: Flask, giver: Giver, initiative: Initiative, connection: Connection
) -> None:
    payment = giver.begin(initiative)
    reference = giver.gift(payment).reference
    paths = (f"/initiatieven/{initiative.id}-een-bankje", f"/initiatieven/{initiative.id}/geld?terug={reference}")
    waiting = giver.receipt(payment)
    giver.pay(payment)
    pages = [waiting]
    for path in (*paths[:1], f"/initiatieven/{initiative.id}/geld?bedrag=12", f"/giften/{reference}"):
        with counting(connection) as statements:
            pages.append(giver.browser.get(path))
        assert len(statements) <= MAX_QUERIES, path

    for page in pages:
        assert weigh(app, page.path, page).sent < MAX_BYTES, page.path
