# SPDX-License-Identifier: EUPL-1.2
"""The books of finance: balances on a day, a month that closes to the cent, exports that equal the ledger."""

from __future__ import annotations

import contextvars
import csv
import datetime as dt
import io

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from abs_platform import clock
from abs_platform.actors import Actor
from abs_platform.finance import checking, export, queries
from abs_platform.finance.models import BooksCheck, FinanceTask
from abs_platform.finance.service import keep_check
from abs_platform.ledger.queries import balances, check
from abs_platform.ledger.reports import Period, balances_before, report_of
from abs_platform.ledger.states import Account
from abs_platform.users import Role
from tests.factories import Factory
from tests.ledger.money import MoneyBooks, money_books
from tests.ledger.test_books import by_hand
from tests.page import Browser
from tests.people import People

LAST_YEAR = "2025"


@pytest.fixture
def people(app: Flask, factory: Factory) -> People:
    """Finance."""
    return People(app, factory)


@pytest.fixture
def books(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> MoneyBooks:
    """Each way that money takes, once; the test's own transaction is under way, so that no snapshot can be asked."""
    monkeypatch.setattr(checking, "one_snapshot", lambda _session: None)
    return money_books(factory)


def this_month(books: MoneyBooks) -> Period:
    day = clock.local_date(books.factory.now)
    return Period.of_month(day.year, day.month)


def download(browser: Browser, path: str) -> TestResponse:
    """A file, to its end; in a context of its own, as Browser does with pages."""
    return contextvars.Context().run(browser.client.open, path, buffered=True)


def test_a_month_opens_where_the_one_before_closed_and_adds_up_to_the_cent(books: MoneyBooks) -> None:
    session, month = books.factory.session, this_month(books)
    moment = month.begins_at - dt.timedelta(seconds=1)
    by_hand(
        session,
        f"UPDATE ledger_transactions SET booked_at = '{moment.isoformat()}'"
        " WHERE kind IN ('payment_late', 'payout_paid')",
    )
    last_day = month.first_day - dt.timedelta(days=1)
    before = Period.of_month(last_day.year, last_day.month)

    report, earlier = report_of(session, month), report_of(session, before)

    openings = {one.account: one.opening_cents for one in report.accounts}
    closings = {one.account: one.closing_cents for one in earlier.accounts}
    assert {account: cents for account, cents in openings.items() if cents} == {
        account: cents for account, cents in closings.items() if cents
    }
    assert openings[Account.OWED] == 1_200
    assert report.adds_up
    assert earlier.adds_up
    now = {balance.account: balance.amount_cents for balance in balances(session)}
    assert {one.account.value: one.closing_cents for one in report.accounts} == now
    assert report.transaction_count + earlier.transaction_count == session.scalar(
        text("SELECT COUNT(*) FROM ledger_transactions")
    )


def test_the_fingerprint_tells_whether_a_month_is_still_the_same(books: MoneyBooks) -> None:
    session, month = books.factory.session, this_month(books)
    first, second = report_of(session, month).fingerprint, report_of(session, month).fingerprint

    by_hand(session, "UPDATE ledger_postings SET amount_cents = amount_cents + 1 WHERE account = 'surplus'")

    assert len(first) == 64
    assert first == second != report_of(session, month).fingerprint


def test_balances_are_those_of_the_day_that_was_asked(books: MoneyBooks, people: People) -> None:
    session, today = books.factory.session, clock.local_date(books.factory.now)

    assert not any(balances_before(session, clock.start_of_day(today - dt.timedelta(days=90))).values())
    page = people.finance().get(f"/financien/boeken?dag={today.isoformat()}")
    assert "€\u00a026,00" in page.html
    assert "Kies een dag tot en met vandaag." in people.finance().get("/financien/boeken?dag=2999-01-01").text
    assert "Vul een datum in." in people.finance().get("/financien/boeken?dag=morgen").text


def test_a_month_is_closed_only_when_it_is_past(books: MoneyBooks, people: People) -> None:
    finance, month = people.finance(), this_month(books)

    running, past = finance.get(f"/financien/boeken/{month.slug}"), finance.get(f"/financien/boeken/{LAST_YEAR}")

    assert "Loopt nog" in running.text
    assert "Afgesloten" in past.text
    assert report_of(books.factory.session, month).fingerprint in running.text
    assert "Er is nog niets geboekt." in past.text


def test_the_csv_equals_the_ledger_to_the_cent_and_names_nobody(books: MoneyBooks, people: People) -> None:
    answer = download(people.finance(), f"/financien/boeken/{this_month(books).slug}/boekingen.csv")

    sent = answer.get_data(as_text=True)
    rows = list(csv.reader(io.StringIO(sent.removeprefix("\ufeff")), delimiter=";"))
    held: dict[str, int] = {}
    for row in rows[1:]:
        held[row[4]] = held.get(row[4], 0) + int(row[10].replace(",", ""))
    assert answer.headers["Content-Disposition"] == f"attachment; filename=boekingen-{this_month(books).slug}.csv"
    assert held == {Account(one.account).label: one.amount_cents for one in balances(books.factory.session)}
    assert_nobody_is_named(sent)


def test_the_workbook_equals_the_ledger_to_the_cent_with_real_dates(books: MoneyBooks, people: People) -> None:
    session = books.factory.session
    session.execute(text("UPDATE initiatives SET title = '=SUM(A1:A9)' WHERE id = (SELECT min(id) FROM initiatives)"))
    session.commit()

    answer = download(people.finance(), f"/financien/boeken/{this_month(books).slug}/boekingen.xlsx")

    sheet = load_workbook(io.BytesIO(answer.get_data())).active
    assert sheet is not None
    rows = list(sheet.iter_rows(min_row=2))
    held: dict[str, int] = {}
    for row in rows:
        held[str(row[4].value)] = held.get(str(row[4].value), 0) + round(float(row[10].value) * 100)
    assert held == {Account(one.account).label: one.amount_cents for one in balances(session)}
    assert isinstance(rows[0][1].value, dt.datetime)
    assert {row[7].data_type for row in rows if row[7].value == "=SUM(A1:A9)"} == {"s"}
    assert_nobody_is_named(str([[cell.value for cell in row] for row in rows]))


def assert_nobody_is_named(text_: str) -> None:
    for words in ("Fatima", "Mo;", "voorbeeld.example", "0300", "Stichting Plein", "GELD-"):
        assert words not in text_, words


@pytest.mark.parametrize(
    ("words", "safe"),
    [("=1+1", "'=1+1"), ("+31", "'+31"), ("-1", "'-1"), ("@a", "'@a"), ("\t=a", "'\t=a"), ("a=1", "a=1"), ("", "")],
)
def test_no_text_in_the_csv_is_a_formula(words: str, safe: str) -> None:
    assert export.guarded(words) == safe


def test_transactions_are_found_by_month_account_kind_initiative_and_amount(books: MoneyBooks, people: People) -> None:
    finance, payment = people.finance(), books.payments["paid"]
    initiative_id = books.factory.session.scalar(
        text("SELECT initiative_id FROM donations WHERE id = :id"), {"id": payment.donation_id}
    )

    def number(query: str) -> str:
        return str(finance.get(f"/financien/boeken/boekingen?{query}").all("h2")[0].to_text())

    assert number("soort=payment_late") == "1 boeking"
    assert number("rekening=disputes") == "3 boekingen"
    assert number(f"initiatief={initiative_id}&soort=payment_received") == "2 boekingen"
    assert number(f"periode={LAST_YEAR}") == "0 boekingen"
    assert number("bedrag=11,00&soort=payment_received") == "1 boeking"
    assert number("bedrag=11,01") == "0 boekingen"
    row = finance.get("/financien/boeken/boekingen?soort=unspent_returned").one(".fin-table tbody a")
    shown = finance.get(row.attrs["href"])
    assert "return-1" in shown.text
    assert "Fatima" not in shown.text


def test_broken_books_stop_payouts_and_tell_finance_once_a_day(books: MoneyBooks, people: People) -> None:
    session, now, job = books.factory.session, books.factory.now, Actor("job", "check_ledger")
    books.factory.account("frits@gemeente.example", name="Frits", roles=(Role.FINANCE,))
    by_hand(session, "UPDATE payments SET returned_cents = 1 WHERE checkout_id = 'cs_paid'")
    breaches = check(session)

    keep_check(session, breaches, actor=job, now=now)
    keep_check(session, breaches, actor=job, now=now + dt.timedelta(minutes=1))

    assert breaches
    assert queries.books_are_broken(session)
    tasks = session.scalars(select(FinanceTask).where(FinanceTask.kind == "books_broken")).all()
    assert len(tasks) == 1
    mails = [mail for mail in people.mails("books-broken") if mail.recipient == "frits@gemeente.example"]
    assert [mail.subject for mail in mails] == ["De boeken van Almelo Buurt Samen kloppen niet"]
    finance = people.finance()
    assert "De boeken kloppen niet." in finance.get("/financien").text
    assert "De boeken kloppen nog niet." in finance.get(f"/financien/taken/{tasks[0].id}").text

    by_hand(session, "UPDATE payments SET returned_cents = 0 WHERE checkout_id = 'cs_paid'")
    session.commit()
    page = finance.submit(finance.get("/financien/boeken"), "/financien/boeken/narekenen")

    assert "Elke cent klopt." in page.text
    session.expire_all()
    assert not queries.books_are_broken(session)
    assert len(session.scalars(select(BooksCheck)).all()) == 3
    finance.post(
        f"/financien/taken/{tasks[0].id}",
        finance.fields(finance.get(f"/financien/taken/{tasks[0].id}"), f"/financien/taken/{tasks[0].id}")
        | {"note": "Een rij was met de hand veranderd."},
    )
    session.expire_all()
    assert tasks[0].settled_at is not None
