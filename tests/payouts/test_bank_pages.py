# SPDX-License-Identifier: EUPL-1.2
"""Finance's pages of files for the bank and of statements: two people pay, and the statement of the bank ends it."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.accounts.models import Account
from abs_platform.finance.models import BooksCheck
from abs_platform.initiatives.models import Organiser
from abs_platform.payouts.models import BankStatement, Payout, PayoutBatch
from abs_platform.payouts.states import BatchState, PayoutState
from abs_platform.users import Role
from tests.factories import Factory
from tests.page import Browser, Page
from tests.payouts.bank_desk import OUR_ACCOUNT, THEIR_IBAN, Desk

BATCHES, STATEMENTS = "/financien/betaalopdrachten", "/financien/afschriften"


@pytest.fixture
def desk(app: Flask, factory: Factory, monkeypatch: pytest.MonkeyPatch) -> Desk:
    settings = replace(app.extensions["settings"], bank_account=OUR_ACCOUNT)
    monkeypatch.setitem(app.extensions, "settings", settings)
    return Desk(factory)


def browser(app: Flask, desk: Desk, name: str) -> Browser:
    account = desk.session.get_one(Account, desk.user(name).account_id)
    token = desk.factory.session_of(account)
    desk.session.commit()
    return Browser(app).sign_in(token)


def upload(who: Browser, content: bytes, *, status: int = 200) -> Page:
    page = who.get(STATEMENTS)
    data = {"csrf_token": page.field("csrf_token"), "statement": (io.BytesIO(content), "afschrift.xml")}
    return who.post(STATEMENTS, data, status=status)


def chosen(page: Page) -> list[str]:
    return [box.attrs["value"] for box in page.all('input[name="payouts"]')]


def test_two_of_finance_pay_and_the_statement_of_the_bank_ends_it(app: Flask, session: Session, desk: Desk) -> None:
    payouts = [desk.approved(), desk.approved(cents=2_000)]
    mia, roos = browser(app, desk, "Mia"), browser(app, desk, "Roos")

    page = mia.get(BATCHES)
    assert chosen(page) == [str(one.id) for one in payouts]
    assert "samen € 72,50" in page.text.replace("\u00a0", " ")
    made = mia.post(BATCHES, {"csrf_token": page.field("csrf_token"), "payouts": chosen(page)})
    batch = session.scalars(select(PayoutBatch)).one()
    path = f"{BATCHES}/{batch.id}"
    assert batch.sha256 in made.text
    assert "€ 72,50 (2 uitbetalingen)" in made.text.replace("\u00a0", " ")
    assert THEIR_IBAN not in made.html
    assert not made.all(f'form[action="{path}/vrijgeven"]')
    assert not made.all(f'form[action="{path}/downloaden"]')
    released = roos.submit(roos.get(path), f"{path}/vrijgeven")
    assert "Vrijgegeven" in released.text
    answer = roos.send(roos.get(path), f"{path}/downloaden")
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert hashlib.sha256(answer.data).hexdigest() == batch.sha256
    assert "Gedownload" in mia.get(path).text

    statement = mia.client.get("/demo/afschrift").data
    report = upload(mia, statement)

    assert "Klopt met een uitbetaling 2 Klopt niet 0" in report.text
    session.expire_all()
    assert {one.state for one in payouts} == {PayoutState.PAID}
    assert batch.state == BatchState.SETTLED
    assert "Lever het niet nog een keer aan" in mia.get(path).text
    assert "2 kloppen" in mia.get(STATEMENTS).text
    assert "al verwerkt" in upload(mia, statement, status=409).text
    back = mia.client.get("/demo/afschrift?terug=1").data
    assert "uitbetaling kwam terug" in upload(mia, back).text.lower()


def test_the_maker_who_sends_the_form_anyway_is_refused(app: Flask, session: Session, desk: Desk) -> None:
    batch_id = desk.made(desk.approved())
    mia = browser(app, desk, "Mia")
    page = mia.get(f"{BATCHES}/{batch_id}")

    refused = mia.post(f"{BATCHES}/{batch_id}/vrijgeven", {"csrf_token": page.field("csrf_token")}, status=403)

    assert "Een collega van financiën" in refused.text
    assert desk.batch(batch_id).state == BatchState.MADE


def test_what_cannot_be_done_comes_back_with_a_sentence(app: Flask, session: Session, desk: Desk) -> None:
    payout, batch_id = desk.approved(), desk.released(desk.approved())
    mia = browser(app, desk, "Mia")
    path = f"{BATCHES}/{batch_id}"

    empty = mia.post(BATCHES, {"csrf_token": mia.get(BATCHES).field("csrf_token")}, status=422)
    assert "Kies 1 tot en met" in empty.text
    again = {"csrf_token": empty.field("csrf_token"), "payouts": [str(payout.id), "99999999", "x", "-1"]}
    assert "er niet (meer)" in mia.post(BATCHES, again, status=404).text
    page = mia.submit(mia.get(path), f"{path}/intrekken", reason="", status=422)
    assert page.one("title").to_text().strip().startswith("Fout:")
    page = mia.submit(page, f"{path}/intrekken", reason="Dubbel.", status=422)
    assert page.all('[href="#is_surely_not_executed"]')
    assert "Dubbel." in page.one("#reason").to_text()
    done = mia.submit(page, f"{path}/intrekken", reason="Dubbel.", is_surely_not_executed="1")
    assert "Ingetrokken omdat Dubbel." in done.text
    assert len(done.all("tbody tr")) == 1  # what was in it is still told
    assert len(chosen(mia.get(BATCHES))) == 2
    assert mia.get(f"{BATCHES}/999999", status=404)
    assert mia.get(f"{STATEMENTS}/999999", status=404)


def test_a_file_that_is_no_statement_comes_back_with_a_sentence(app: Flask, session: Session, desk: Desk) -> None:
    mia = browser(app, desk, "Mia")

    page = upload(mia, b"<!DOCTYPE x [<!ENTITY y 'z'>]><x>&y;</x>", status=422)

    assert "niet lezen" in page.text
    assert page.all('[href="#statement"]')
    assert "Kies een bestand" in mia.post(STATEMENTS, {"csrf_token": page.field("csrf_token")}, status=422).text
    assert session.scalars(select(BankStatement)).all() == []


def test_while_the_books_are_broken_the_pages_offer_nothing_that_moves_money(
    app: Flask, session: Session, desk: Desk
) -> None:
    desk.approved()
    made, released = desk.made(desk.approved()), desk.released(desk.approved())
    session.add(BooksCheck(checked_at=desk.now, breach_count=1, breaches=None))
    roos = browser(app, desk, "Roos")

    assert "Maak een betaalopdracht" not in roos.get(BATCHES).text
    page = roos.get(f"{BATCHES}/{made}")
    assert not page.all(f'form[action="{BATCHES}/{made}/vrijgeven"]')
    assert not roos.get(f"{BATCHES}/{released}").all(f'form[action="{BATCHES}/{released}/downloaden"]')
    for path in (f"{made}/vrijgeven", f"{released}/downloaden"):
        token = {"csrf_token": page.field("csrf_token")}
        assert "De boeken kloppen niet" in roos.post(f"{BATCHES}/{path}", token, status=409).text


def test_without_a_bank_account_the_pages_name_the_settings(app: Flask, factory: Factory) -> None:
    mia = browser(app, Desk(factory), "Mia")

    for path in (BATCHES, STATEMENTS):
        page = mia.get(path)
        assert "ABS_BANK_IBAN" in page.text
        assert "ABS_BANK_HOLDER" in page.text
        assert not page.all('input[type="file"]')


def test_of_an_own_initiative_finance_sees_no_account_and_cannot_choose_it(
    app: Flask, session: Session, desk: Desk
) -> None:
    payout = desk.approved()
    organiser = session.scalars(
        select(Organiser).where(Organiser.initiative_id == payout.initiative_id, Organiser.role == "co_organiser")
    ).first()
    assert organiser is not None
    organiser.account_id = desk.user("Cem").account_id
    batch_id = desk.made(desk.approved(), payout)
    other = desk.approved()
    cem = browser(app, desk, "Cem")

    page = cem.get(f"{BATCHES}/{batch_id}")
    assert "zelf organiseert" in page.text
    assert len([one for one in page.all("tbody tr") if payout.iban_masked in one.to_text()]) == 1  # of the other one
    assert not page.all(f'form[action="{BATCHES}/{batch_id}/vrijgeven"]')
    assert chosen(cem.get(BATCHES)) == [str(other.id)]


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.DISTRICT_MANAGER])
def test_others_of_the_municipality_do_not_enter(app: Flask, session: Session, factory: Factory, role: Role) -> None:
    token = factory.session_of(factory.account(roles=(role,)))
    session.commit()
    other = Browser(app).sign_in(token)

    for path in (BATCHES, STATEMENTS):
        other.get(path, status=403)
        other.post(path, {"csrf_token": "x"}, status=403)
    assert session.scalars(select(Payout)).all() == []
