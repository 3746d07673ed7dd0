# SPDX-License-Identifier: EUPL-1.2
"""The public books tell all that the ledger holds, to the cent, as page, as file and as picture."""

from __future__ import annotations

import contextvars
import csv
import datetime as dt
import io
import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from abs_platform.cashbook import charts, totals
from abs_platform.cashbook.csv_files import BYTE_ORDER_MARK
from abs_platform.cashbook.queries import Movement, MovementPage, all_movements, movements
from abs_platform.cashbook.schemas import Cursor, Filters
from abs_platform.cashbook.states import KINDS, MEANINGS, SENTENCES, Sort
from abs_platform.donations.service import GiftDetails, return_vouchers
from abs_platform.finance.models import BooksCheck
from abs_platform.initiatives import service
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.ledger.models import LedgerTransaction
from abs_platform.ledger.queries import balances
from abs_platform.ledger.states import Account, TransactionKind
from abs_platform.money import format_euros_exact
from abs_platform.vouchers.service import revoke_voucher
from tests.cashbook.town import Money
from tests.factories import TEST_ACTOR
from tests.page import Browser


def ledger(session: Session) -> dict[str, int]:
    """What each account holds, as the ledger itself says."""
    return {balance.account: balance.amount_cents for balance in balances(session)}


def all_pages(session: Session, filters: Filters, size: int) -> list[Movement]:
    """Every page of a book, one after the other."""
    found: list[Movement] = []
    page = MovementPage([], None)
    while not found or page.next is not None:
        page = movements(session, filters, page.next, size=size)
        found += page.items
        if not page.items:
            break
    return found


def read_csv(app: Flask, path: str) -> list[dict[str, str]]:
    """A file as a spreadsheet reads it."""
    response = contextvars.Context().run(app.test_client().get, path, buffered=True)
    assert response.status_code == 200, response.status
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = response.get_data(as_text=True)
    assert text.startswith(BYTE_ORDER_MARK)
    return list(csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK)), delimiter=";"))


def cents(text: str) -> int:
    """An amount of the file."""
    assert re.fullmatch(r"-?\d+,\d\d", text), text
    return int(text.replace(",", ""))


@pytest.fixture
def town(money: Money) -> dict[str, Initiative]:
    """One initiative in each phase, with gifts of all kinds, a payout, a refund, a fee and vouchers of two rounds."""
    factory = money.factory
    long_ago = factory.now - dt.timedelta(days=40)
    found = {state.value: factory.initiative(state, target_cents=5_250) for state in (State.REALISED, State.FUNDED)}
    collecting, stopping = factory.initiative(title="Buurtfeest op het plein"), factory.initiative()
    codes = factory.fresh_codes(6)
    assert factory.give(codes[0], collecting, GiftDetails(giver_name="Gerda"))
    assert factory.give(codes[1], collecting)
    assert factory.give(codes[2], stopping, GiftDetails(giver_name="Niet te zien"))
    money.give(collecting, 2_500, at=long_ago)
    money.give(collecting, 10_000, name="Bakkerij Jansen", is_organisation=True)
    back = money.give(stopping, 1_234, name="Ook niet te zien")
    late = money.give(stopping, 999, is_late=True)
    service.stop(money.session, stopping.id, reason="Gevaarlijk.", actor=TEST_ACTOR, now=factory.now)
    return_vouchers(money.session, stopping.id, actor=TEST_ACTOR, now=factory.now, reason="stopped")
    money.refund(back)
    money.refund(late, from_owed=True)
    money.give(stopping, 50, is_late=True)
    lost = factory.voucher(codes[3])
    revoke_voucher(money.session, lost.id, reason="Brief kwijt.", actor=TEST_ACTOR, now=factory.now)
    money.fee(29)
    money.to_the_bank(1_000)
    money.pay_out(found["realised"], 5_250)
    money.unspent(found["realised"], 250)
    money.session.commit()
    return found | {"collecting": collecting, "stopped": stopping}


def test_the_book_holds_every_transaction_and_its_balance_is_what_initiatives_hold(
    town: dict[str, Initiative], session: Session
) -> None:
    found = all_pages(session, Filters(), 7)

    assert len(found) == session.query(LedgerTransaction).count()
    assert found[0].balance_cents == ledger(session)["initiative"] == sum(line.effect_cents for line in found)
    balance = 0
    for line in reversed(found):
        balance += line.effect_cents
        assert line.balance_cents == balance >= 0
    assert [line.day for line in found] == sorted((line.day for line in found), reverse=True)
    assert town


@pytest.mark.parametrize("name", ["collecting", "stopped", "realised", "funded"])
def test_the_book_of_an_initiative_ends_at_what_its_page_says(
    town: dict[str, Initiative], name: str, browser_client: Browser, session: Session
) -> None:
    initiative = town[name]
    page = browser_client.get(f"/initiatieven/{initiative.id}")
    (link,) = [a.attrs["href"] for a in page.all("main a") if a.attrs["href"].endswith("/kasboek")]

    book = browser_client.get(link)

    found = all_pages(session, Filters(initiative_id=initiative.id), 4)
    raised = {"collecting": 14_000, "stopped": 0, "realised": 5_250, "funded": 5_250}[name]
    paid = 5_250 if name == "realised" else 0
    assert found[0].balance_cents == raised - paid
    if name == "collecting":
        assert "€ 140 van" in page.text.replace("\u00a0", " ")
    balance = format_euros_exact(raised - paid).replace("\u00a0", " ")
    assert f"Saldo {balance} gekregen" in book.text
    assert {line.initiative_id for line in found} == {initiative.id}


def test_page_file_and_ledger_say_the_same(
    town: dict[str, Initiative], app: Flask, browser_client: Browser, session: Session
) -> None:
    for path, filters in (
        ("/kasboek", Filters()),
        (
            f"/initiatieven/{town['collecting'].id}-buurtfeest-op-het-plein/kasboek",
            Filters(initiative_id=town["collecting"].id),
        ),
    ):
        page = browser_client.get(path)
        rows = read_csv(app, f"{path}.csv")

        lines = list(reversed(all_pages(session, filters, 50)))
        assert [cents(row["bedrag"]) for row in rows] == [line.amount_cents for line in lines]
        assert [cents(row["in het saldo"]) for row in rows] == [line.effect_cents for line in lines]
        assert [cents(row["saldo"]) for row in rows] == [line.balance_cents for line in lines]
        assert [row["datum"] for row in rows] == [line.day.isoformat() for line in lines]
        for row in rows:
            for shown in (row["wat"], row["initiatief"] if filters.initiative_id is None else "", row["gever"]):
                assert len(rows) > 50 or shown in page.text


def test_the_totals_tell_vouchers_residents_and_organisations_apart(
    town: dict[str, Initiative], browser_client: Browser, session: Session
) -> None:
    sums = totals.sums(session, Filters())

    page = browser_client.get("/kasboek")

    assert (sums.vouchers.given_cents, sums.vouchers.back_cents) == (2 * 5_250 + 3 * 750, 750)
    assert (sums.money(organisation=False).given_cents, sums.money(organisation=False).back_cents) == (4_783, 2_233)
    assert (sums.money(organisation=True).given_cents, sums.money(organisation=True).back_cents) == (10_000, 0)
    words = page.text.replace("\u00a0", " ")
    assert "Vouchers € 127,50 € 7,50" in words
    assert "Geld van bewoners € 47,83 € 22,33" in words
    assert "Geld van organisaties € 100,00 € 0,00" in words
    assert "Uitbetaald aan initiatieven € 52,50" in words
    assert "Overgehouden € 2,50" in words
    assert "Kosten € 0,29" in words
    assert town


def test_money_in_is_money_out_and_what_is_there(
    town: dict[str, Initiative], browser_client: Browser, session: Session
) -> None:
    found = charts.flow(totals.sums(session, Filters()), totals.round_sums(session), totals.phase_sums(session))

    page = browser_client.get("/kasboek/waar-bleef-het-geld")

    assert found.total_cents == sum(figure.cents for figure in found.destinations) > 0
    by_key = {figure.key: figure.cents for figure in (*found.sources, *found.destinations)}
    assert by_key["spent-gelukt"] == 5_000
    assert by_key["surplus"] == 250
    assert by_key["held-in-uitvoering"] == 5_250
    assert by_key["held-haalt-op"] == 14_000
    assert by_key["back"] == 1_234 + 999
    assert by_key["owed"] == 50
    assert by_key["fees"] == by_key["costs"] == 29
    assert by_key["organisations"] == 10_000
    # The picture and the tables beside it say the same, and lead to the same movements.
    shown = [text.to_text().strip() for text in page.all("svg .flow-cents")]
    cells = [cell.to_text().strip() for cell in page.all(".flow-table tbody td")]
    links = [link.attrs["href"] for link in page.all("svg .flow-link")]
    assert shown == cells == [format_euros_exact(figure.cents) for figure in (*found.sources, *found.destinations)]
    assert links == [link.attrs["href"] for link in page.all(".flow-table tbody a")]
    for figure, link in zip((*found.sources, *found.destinations), links, strict=True):
        movements_page = browser_client.get(link.partition("#")[0])
        if figure.page == "cashbook.index" and figure.key != "owed":
            amounts = [text.to_text() for text in movements_page.all("main strong")]
            assert any(format_euros_exact(figure.cents) in amount for amount in amounts), figure
    assert town


def test_all_accounts_are_there_and_sum_to_zero(
    town: dict[str, Initiative], browser_client: Browser, session: Session
) -> None:
    before = browser_client.get("/kasboek/rekeningen")
    session.add(BooksCheck(checked_at=dt.datetime(2026, 11, 3, 3, 0, tzinfo=dt.UTC), breach_count=0))
    session.commit()
    page = browser_client.get("/kasboek/rekeningen")
    session.add(BooksCheck(checked_at=dt.datetime(2026, 11, 4, 3, 0, tzinfo=dt.UTC), breach_count=2))
    session.commit()
    broken = browser_client.get("/kasboek/rekeningen")

    held = ledger(session)
    rows = {row.attrs["id"]: row.query("td")[0].to_text().strip() for row in page.all("tbody tr")}
    rows = {account: shown.replace("\u2212\u202f", "-") for account, shown in rows.items()}
    assert rows == {f"rekening-{account}": format_euros_exact(held.get(account, 0)) for account in Account}
    assert page.one("tfoot td").to_text().strip() == "€\u00a00,00"
    assert "nog niet nagerekend" in before.text
    assert "nagerekend op 3 november 2026. Alles klopte" in page.text
    assert "nagerekend op 4 november 2026. Er klopte iets niet" in broken.text
    assert town


def test_a_choice_of_period_keeps_the_balance_and_another_choice_has_none(
    town: dict[str, Initiative], browser_client: Browser, session: Session
) -> None:
    whole = all_pages(session, Filters(), 50)
    month = f"{whole[0].day:%Y-%m}"

    in_month = all_pages(session, Filters(month), 3)
    of_sort = all_pages(session, Filters(sort=Sort.RESIDENTS), 3)

    assert in_month == [line for line in whole if f"{line.day:%Y-%m}" == month]
    assert {line.balance_cents for line in of_sort} == {None}
    assert [
        replace(line, balance_cents=None)
        for line in whole
        if line in of_sort or (line.kind in KINDS[Sort.RESIDENTS] and not line.is_organisation)
    ] == of_sort
    page = browser_client.get("/kasboek?soort=bewoners")
    assert "Saldo" not in [head.to_text() for head in page.all("thead th")]
    assert town


def test_a_month_without_movements_says_so_and_its_file_is_empty(browser_client: Browser, app: Flask) -> None:
    page = browser_client.get("/kasboek?periode=2026-02")

    assert "Bij deze keuze is er geen beweging." in page.text
    assert read_csv(app, "/kasboek.csv?periode=2026-02") == []
    assert "Er is nog niets gegeven" in browser_client.get("/kasboek").text
    assert "Er is nog niets gegeven" in browser_client.get("/kasboek/waar-bleef-het-geld").text


def test_every_kind_and_account_has_its_words_and_can_be_chosen() -> None:
    assert set(SENTENCES) == set(TransactionKind)
    assert set(MEANINGS) == set(Account)
    assert {kind for kinds in KINDS.values() for kind in kinds} == set(TransactionKind)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["voucher", "money", "organisation", "late", "refund", "payout", "fee"]),
        st.integers(100, 9_999),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, size=st.integers(1, 9))
def test_any_books_are_told_to_the_cent(steps: list[Any], size: int, money: Money, app: Flask) -> None:
    session, factory = money.session, money.factory
    savepoint = session.begin_nested()
    money.staff = []
    paid = factory.initiative(target_cents=400_000)
    other = factory.initiative(target_cents=400_000)
    codes = factory.fresh_codes(len(steps))
    gifts = []
    for kind, amount, days in steps:
        at = factory.now - dt.timedelta(days=days * 20)
        target = paid if amount % 2 else other
        if kind == "voucher":
            assert factory.give(codes.pop(), target)
        elif kind in {"money", "organisation"}:
            gifts.append(money.give(target, amount, is_organisation=kind == "organisation", at=at))
        elif kind == "late":
            money.give(target, amount, at=at, is_late=True)
        elif kind == "refund" and gifts:
            money.refund(gifts.pop())
        elif kind == "fee":
            money.fee(amount, at=at)
        elif kind == "payout" and gifts:
            gift = gifts.pop()
            money.pay_out(paid if gift.initiative_id == paid.id else other, gift.amount_cents)
    session.flush()
    held = ledger(session)

    found = all_pages(session, Filters(), size)
    ascending = list(all_movements(session.connection(), Filters(), factory.now))  # type: ignore[arg-type]
    sums = totals.sums(session, Filters())
    picture = charts.flow(sums, totals.round_sums(session), totals.phase_sums(session))

    assert found == ascending[::-1]
    assert len(found) == session.query(LedgerTransaction).count()
    assert found[0].balance_cents == held.get("initiative", 0)
    assert picture.total_cents == sum(figure.cents for figure in picture.destinations)
    assert {account: sums.of(Account(account)) for account in held} == held
    savepoint.rollback()
    assert app


def test_gifts_that_arrive_while_somebody_reads_are_no_doubles_and_hide_nothing(
    town: dict[str, Initiative], money: Money, session: Session
) -> None:
    before = all_pages(session, Filters(), 1_000)
    seen: list[Movement] = []
    cursor: Cursor | None = None

    for number in range(1_000):
        page = movements(session, Filters(), cursor, size=5)
        seen += page.items
        cursor = page.next
        if cursor is None:
            break
        money.give(town["collecting"], 100 + number)
        money.give(town["collecting"], 750 if number % 2 else 10_000, is_organisation=bool(number % 2))

    plain = [replace(line, balance_cents=None) for line in seen]
    was = [replace(line, balance_cents=None) for line in before]
    assert [line for line in was if plain.count(line) < was.count(line)] == []
    now = [replace(line, balance_cents=None) for line in all_pages(session, Filters(), 1_000)]
    assert [line for line in plain if plain.count(line) > now.count(line)] == []
