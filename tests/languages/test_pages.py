# SPDX-License-Identifier: EUPL-1.2
"""Pages in another language: what goes wrong is told in it too, and whoever reads in it stays in it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from flask import Flask
from flask_babel import force_locale, gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.donations.models import Donation
from abs_platform.initiatives.models import Initiative
from abs_platform.languages import prefix_of
from abs_platform.payments.models import Payment
from abs_platform.payments.telling import tell_stuck
from abs_platform.security import public
from tests.accounts.mailbox import mails_to, newest_mail
from tests.factories import Factory
from tests.languages.pseudo import BEGIN, PSEUDO, outside_the_marks
from tests.languages.reading import texts_of
from tests.page import Browser, Page
from tests.people import People
from tests.stand_in import StandIn

EMAIL = "truus@voorbeeld.example"


def untold(page: Page) -> list[str]:
    """What a page says outside the catalogues."""
    return [words for _place, shown in texts_of(page, PSEUDO) if (words := outside_the_marks(shown))]


@pytest.fixture
def initiative(factory: Factory, session: Session) -> Initiative:
    made = factory.initiative(title="Een bankje", target_cents=100_000)
    factory.codes()  # a round is going on
    session.commit()
    return made


@pytest.mark.parametrize(
    ("path", "status"),
    [("/bestaat-niet", 404), ("/initiatieven/999999", 404), ("/wijken/bestaat-niet", 404), ("/giften/XXXXXXXXXX", 404)],
)
def test_what_is_not_there_is_told_in_the_language_of_its_address(
    browser_client: Browser, path: str, status: int
) -> None:
    page = browser_client.get(f"/{PSEUDO}{path}", status=status)

    assert untold(page) == []
    assert page.one("html").attrs["dir"] == "rtl"


def test_a_form_of_another_site_is_refused_in_the_language_of_the_page(browser_client: Browser) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site"}

    page = browser_client.post(f"/{PSEUDO}/inloggen", {"email": EMAIL}, status=403, headers=elsewhere)

    assert untold(page) == []


def test_a_bug_is_told_in_dutch_and_in_english(
    app: Flask, browser_client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    @public
    def fail() -> str:
        raise RuntimeError("a bug")

    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setitem(app.view_functions, "districts.index", fail)
    answer = browser_client._send("GET", "/en/wijken")

    html = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert "Er ging iets mis bij ons" in html
    assert '<section lang="en">' in html


MONEY = "/initiatieven/{id}/geld"
# The page of a form, which is where it is sent too, and what is wrong in it.
FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "signing in without an address": ("/inloggen", {"email": ""}),
    "signing in with a wrong address": ("/inloggen", {"email": "geen adres"}),
    "a voucher without a code": ("/voucher", {"code": "", "initiative_id": ""}),
    "a voucher with a wrong code": ("/voucher", {"code": "K7QJ-4MXP-9T2D", "initiative_id": "{id}"}),
    "money without an amount": (MONEY, {"amount": ""}),
    "money, all of it wrong": (
        MONEY,
        {"amount": "other", "own_amount": "veel", "receipt_email": "x", "wants_news": "1", "giver_name": "x" * 81},
    ),
    "money, too little": (MONEY, {"amount": "0,01"}),
    "following nothing": ("/volgen", {"email": ""}),
    "following with a wrong postcode": ("/volgen", {"email": "x", "postcode": "x"}),
    "a letter that did not come": ("/voucher/nieuwe-brief", {"postcode": "x"}),
    "where a voucher is, without a code": ("/voucher/waar", {"code": ""}),
}


@pytest.mark.usefixtures("paying_app")
@pytest.mark.parametrize(("path", "fields"), FORMS.values(), ids=FORMS)
def test_what_is_wrong_in_a_form_is_told_in_the_language_of_the_page(
    browser_client: Browser, initiative: Initiative, path: str, fields: dict[str, str]
) -> None:
    sent = f"/{PSEUDO}{path.format(id=initiative.id)}"
    first = browser_client.get(sent)
    answer = browser_client.send(first, sent, **{name: text.format(id=initiative.id) for name, text in fields.items()})
    page = browser_client._page(answer, sent, answer.status_code)

    assert page.status in {400, 404, 409, 422}, page.status
    assert any(BEGIN in shown.to_text() for shown in page.all(".utrecht-alert--error, .abs-notice__title"))
    assert untold(page) == []


def test_too_many_tries_are_told_in_the_language_of_the_page(browser_client: Browser) -> None:
    for _again in range(10):
        page = browser_client.get(f"/{PSEUDO}/inloggen")
        answer = browser_client.send(page, f"/{PSEUDO}/inloggen", email=EMAIL)
        if answer.status_code == 429:
            break

    assert answer.status_code == 429
    assert untold(browser_client._page(answer, f"/{PSEUDO}/inloggen", 429)) == []


def languages(page: Page) -> dict[str, str]:
    return {link.attrs["hreflang"]: link.attrs["href"] for link in page.all(".abs-languages__link")}


def test_another_language_is_the_same_page_with_the_same_question(browser_client: Browser) -> None:
    page = browser_client.get("/en/initiatieven?zoek=bank%20%26+caf%C3%A9&thema=groen")

    query = "/initiatieven?zoek=bank%20%26+caf%C3%A9&thema=groen"
    assert languages(page) == {"nl": query, "en": f"/en{query}", PSEUDO: f"/{PSEUDO}{query}"}
    other = browser_client.get(languages(page)["nl"])
    assert other.field("zoek") == page.field("zoek") == "bank & café"


@pytest.mark.parametrize(
    "address", ["/wijken/%00", "/wijken/%22%3E%3Cb", "/wijken/caf%C3%A9?x=%00", "/wijken/a%3Fb%23c"]
)
def test_a_strange_address_is_no_strange_html(browser_client: Browser, address: str) -> None:
    page = browser_client.get(f"/en{address}", status=404)

    assert "\0" not in page.html
    assert languages(page)["nl"] == address


def test_a_page_that_only_answers_a_form_has_no_address_in_another_language(
    browser_client: Browser, initiative: Initiative, factory: Factory, session: Session
) -> None:
    code = factory.fresh_codes(1)[0]
    session.commit()
    page = browser_client.get("/en/voucher")
    confirm = browser_client.submit(page, "/en/voucher", code=code, initiative_id=str(initiative.id))

    for link in languages(confirm).values():
        browser_client.get(link)


def test_who_gives_a_voucher_in_english_stays_in_english(
    browser_client: Browser, initiative: Initiative, factory: Factory, session: Session
) -> None:
    code = factory.fresh_codes(1)[0]
    session.commit()
    page = browser_client.get("/en/voucher")
    confirm = browser_client.submit(page, "/en/voucher", code=code, initiative_id=str(initiative.id))
    action = next(form.attrs["action"] for form in confirm.all("form") if "geven" in form.attrs["action"])
    receipt = browser_client.submit(confirm, action)

    assert receipt.path.startswith("/en/giften/")
    assert f"€{factory.rules.voucher_amount_cents // 100}" in receipt.text
    own = [link.attrs["href"] for link in receipt.all("main a") if link.attrs["href"].startswith("/")]
    assert own
    assert all(href.startswith("/en/") for href in own)


def test_who_signs_in_in_english_gets_an_english_mail_and_goes_on_in_english(
    app: Flask, browser_client: Browser, session: Session
) -> None:
    page = browser_client.get("/en/account")
    assert page.path == "/en/inloggen"
    page = browser_client.submit(page, "/en/inloggen", email=EMAIL)

    mail = mails_to(session, EMAIL)[-1]
    assert mail.subject == in_english(app, "Je code om in te loggen")
    assert "http://localhost/en/inloggen/link/" in (mail.text_body or "")
    assert 'lang="en"' in (mail.html_body or "")
    welcome = browser_client.submit(page, "/en/inloggen/code", code=newest_mail(session, EMAIL).code)
    assert welcome.path == "/en/account/welkom"
    assert browser_client.submit(welcome, "/en/account/welkom", name="Truus").path == "/en/account"


def in_english(app: Flask, text: str) -> str:
    """A text as the English catalogue has it."""
    with app.test_request_context("/en/"), force_locale("en"):
        return str(gettext(text))


@dataclass
class Payer:
    """Somebody who gives money in a language, with a browser and a bank."""

    browser: Browser
    bank: StandIn
    session: Session
    initiative: Initiative

    def pay(self, prefix: str) -> Payment:
        """Give, and hear from the bank that it came."""
        action = f"{prefix}/initiatieven/{self.initiative.id}/geld"
        answer = self.browser.send(self.browser.get(action), action, amount="25", receipt_email=EMAIL)
        assert answer.status_code == 303
        payment = self.session.scalars(select(Payment).order_by(Payment.id.desc()).limit(1)).one()
        self.bank.pay(payment.checkout_id or "")
        for payload, signature in self.bank.deliveries():
            headers = {"Stripe-Signature": signature}
            assert self.browser.client.post("/webhooks/stripe", data=payload, headers=headers).status_code == 200
        self.session.expire_all()
        return payment


@pytest.fixture
def payer(
    paying_app: Flask, browser_client: Browser, stand_in: StandIn, session: Session, initiative: Initiative
) -> Payer:
    assert paying_app
    return Payer(browser_client, stand_in, session, initiative)


@pytest.mark.parametrize(("language", "locale"), [("nl", "nl"), ("en", "en"), ("ar", "auto")])
def test_who_pays_in_a_language_comes_back_in_it_and_reads_the_receipt_in_it(
    payer: Payer, language: str, locale: str
) -> None:
    prefix = prefix_of(language)
    payment = payer.pay(prefix)

    checkout = payer.bank.account.get("session", payment.checkout_id or "")
    assert checkout["locale"] == locale
    assert checkout["success_url"].startswith(f"http://localhost{prefix}/giften/")
    assert checkout["cancel_url"].startswith(f"http://localhost{prefix}/initiatieven/")
    assert payment.language == language
    mail = mails_to(payer.session, EMAIL)[-1]
    assert f'lang="{language}"' in (mail.html_body or "")
    links = [word for word in (mail.text_body or "").split() if word.startswith("http://localhost")]
    assert links
    assert all(f"{link}/".startswith(f"http://localhost{prefix}/") for link in links)
    payer.browser.get(checkout["success_url"].removeprefix("http://localhost"))


def test_an_english_receipt_has_amounts_and_days_as_english_writes_them(payer: Payer) -> None:
    payment = payer.pay("/en")

    mail = mails_to(payer.session, EMAIL)[-1]
    reference = payer.session.get_one(Donation, payment.donation_id).reference
    page = payer.browser.get(f"/en/giften/{reference}")
    for text in (mail.text_body or "", page.text):
        assert "€25" in text
        assert f"{payment.created_at:%B}" in text


def test_all_other_mail_to_a_giver_is_in_dutch(app: Flask, payer: Payer, factory: Factory) -> None:
    payment = payer.pay("/en")

    # Also when a page in English causes it.
    with app.test_request_context("/en/", method="POST"):
        tell_stuck(payer.session, payment.id, factory.now)

    mail = mails_to(payer.session, EMAIL)[-1]
    assert mail.event.startswith("gift-stuck")
    assert 'lang="nl"' in (mail.html_body or "")
    assert "/en/" not in (mail.text_body or "")


def test_what_a_reader_in_english_does_is_mailed_to_others_in_dutch(
    app: Flask, factory: Factory, initiative: Initiative
) -> None:
    people = People(app, factory)
    path = f"/en/initiatieven/{initiative.id}/vragen/stellen"
    reader = people.resident()

    reader.submit(reader.get(path), path, body="When do you begin?")

    mails = people.mails("question:")
    assert len(mails) == 3
    assert all('lang="nl"' in (mail.html_body or "") and "/en/" not in (mail.text_body or "") for mail in mails)


def test_what_machines_read_is_in_the_language_of_its_address(browser_client: Browser, initiative: Initiative) -> None:
    manifest = json.loads(browser_client._send("GET", f"/{PSEUDO}/manifest.webmanifest").get_data())
    assert manifest["lang"] == PSEUDO
    assert manifest["dir"] == "rtl"
    assert manifest["start_url"].startswith(f"/{PSEUDO}/")
    assert outside_the_marks(manifest["description"]) == ""
    page = browser_client.get(f"/{PSEUDO}/initiatieven/{initiative.id}")
    data = json.loads(page.one('script[type="application/ld+json"]').to_text())
    (crumbs,) = (one for one in data["@graph"] if one["@type"] == "BreadcrumbList")
    assert [outside_the_marks(one["name"]) for one in crumbs["itemListElement"]] == ["", "", "Een bankje"]
