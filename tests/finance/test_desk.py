# SPDX-License-Identifier: EUPL-1.2
"""The desk of finance: what waits and for how long, and the tasks, which are settled once."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select

from abs_platform.accounts.login import landing, sign_in_browser
from abs_platform.events import Event
from abs_platform.finance import waiting
from abs_platform.finance.models import FinanceTask
from abs_platform.finance.service import open_task
from abs_platform.finance.states import TaskKind, WaitingKind
from abs_platform.ledger.queries import check
from abs_platform.users import Role
from tests.factories import Factory
from tests.ledger.money import MoneyBooks, money_books
from tests.page import Browser
from tests.people import People

DAY = dt.timedelta(days=1)


@pytest.fixture
def people(app: Flask, factory: Factory) -> People:
    """Whoever may come here, and who may not."""
    return People(app, factory)


@pytest.fixture
def books(factory: Factory) -> MoneyBooks:
    """Each way that money takes, once."""
    return money_books(factory)


def task_of(books: MoneyBooks, kind: TaskKind, name: str, **more: str) -> FinanceTask:
    """A task about one of the payments."""
    session, payment = books.factory.session, books.payments[name]
    open_task(
        session,
        kind,
        f"{kind.value}:{name}",
        now=books.factory.now,
        payment_id=payment.id,
        amount_cents=payment.amount_cents,
        ours="Bij ons staat iets.",
        theirs="Daar staat iets anders.",
        **more,
    )
    return session.scalars(select(FinanceTask).where(FinanceTask.key == f"{kind.value}:{name}")).one()


@pytest.mark.parametrize(
    "path", ["", "/taken", "/taken/1", "/boeken", "/boeken/boekingen", "/boeken/boekingen/1", "/boeken/2026-01"]
)
def test_only_finance_enters(people: People, browser_client: Browser, path: str) -> None:
    for who in (people.resident(), people.manager(), people.coordinator()):
        who.get(f"/financien{path}", status=403)

    assert browser_client.client.get(f"/financien{path}").status_code == 302


def test_with_nothing_to_do_it_says_so(people: People) -> None:
    page = people.finance().get("/financien")

    assert "Er wacht niets. Alles is gedaan." in page.text
    assert "De boeken zijn nog niet nagerekend." in page.text
    assert [link.attrs["href"] for link in page.all(".fin-tabs a")][:1] == ["/financien"]


def test_everything_that_waits_is_counted_with_how_long(books: MoneyBooks, people: People) -> None:
    session, now = books.factory.session, books.factory.now
    for name, state in (("paid", "confirmed"), ("bounced", "approved")):
        books.payouts[name].state = state
        books.payouts[name].state_changed_at = now - 10 * DAY
    finance = books.factory.account(name="Frits", roles=(Role.FINANCE,))
    books.payouts["exported"].batch_id = books.batch(1, 2_000, days_ago=10).id
    made = books.batch(1, 500, is_released=False)
    books.payments["refunded"].state = "refund_pending"
    books.payments["refunded"].refund_asked_at = now - 20 * DAY
    session.flush()

    found = {one.kind: one for one in waiting.what_waits(session, finance.id, now)}

    counts = {kind: (one.count, one.amount_cents) for kind, one in found.items()}
    assert counts == {
        WaitingKind.TO_APPROVE: (1, 3_000),
        WaitingKind.APPROVED: (1, 1_000),
        WaitingKind.TO_RELEASE: (1, 500),
        WaitingKind.TO_DELIVER: (2, 8_000),
        WaitingKind.AT_THE_BANK: (1, 2_000),
        WaitingKind.TASKS: (1, None),
        WaitingKind.DISPUTED: (1, 1_500),
        WaitingKind.REFUNDS: (1, 1_300),
    }
    late = {kind for kind, one in found.items() if one.is_late}
    assert late == {
        WaitingKind.TO_APPROVE,
        WaitingKind.APPROVED,
        WaitingKind.TO_DELIVER,
        WaitingKind.AT_THE_BANK,
        WaitingKind.REFUNDS,
    }
    mine = {one.kind for one in waiting.what_waits(session, made.made_by_id, now)}
    assert WaitingKind.OWN_BATCH in mine
    assert WaitingKind.TO_RELEASE not in mine
    page = people.browser(finance).get("/financien")
    assert "Uitbetalingen goed te keuren" in page.text
    assert "(te lang)" in page.text


def test_a_task_shows_both_sides_the_giver_and_what_was_booked(books: MoneyBooks, people: People) -> None:
    task = task_of(books, TaskKind.DIFFERENCE, "paid", external_id="pi_paid")

    page = people.finance().get(f"/financien/taken/{task.id}")

    for words in (
        "Bij ons staat iets.",
        "Daar staat iets anders.",
        "Fatima",
        "fatima@voorbeeld.example",
        "GELD-PAID",
        "Geld gegeven",
        "€\u00a011,00",
    ):
        assert words.replace("\u00a0", " ") in page.text.replace("\u00a0", " "), words


def test_a_task_is_settled_once_with_a_note_and_stays_findable(books: MoneyBooks, people: People) -> None:
    session, task = books.factory.session, task_of(books, TaskKind.DISPUTE_OPENED, "disputed")
    finance = people.finance()
    page = finance.get(f"/financien/taken/{task.id}")
    path = f"/financien/taken/{task.id}"

    empty = finance.submit(page, path, settlement="note", note="", status=422)
    iban = finance.submit(page, path, settlement="note", note="Van NL91 ABNA 0417 1643 00.", status=422)
    done = finance.submit(page, path, settlement="note", note="Bewijs gestuurd <b>vandaag</b>.")
    again = finance.submit(page, path, settlement="note", note="Nog eens.", status=409)

    assert "Schrijf op wat je hebt gedaan" in empty.text
    assert "Zet hier geen rekeningnummer neer." in iban.text
    assert "Bewijs gestuurd <b>vandaag</b>." in done.text
    assert "al afgehandeld" in again.text
    session.expire_all()
    assert session.get_one(FinanceTask, task.id).settled_note == "Bewijs gestuurd <b>vandaag</b>."
    assert len(session.scalars(select(Event).where(Event.kind == "finance_task.settled")).all()) == 1
    assert f"/financien/taken/{task.id}" not in hrefs(finance.get("/financien/taken"))
    for search in (f"#{task.id}", "geld-disputed", "15,00", ""):
        found = finance.get(f"/financien/taken?stand=gesloten&zoek={search.replace('#', '%23')}")
        assert f"/financien/taken/{task.id}" in hrefs(found), search
    assert "Geen taak gevonden." in finance.get("/financien/taken?stand=gesloten&zoek=elders").text


def hrefs(page: object) -> list[str]:
    """Where the rows of a list lead."""
    return [link.attrs["href"] for link in page.all(".fin-row__link")]  # type: ignore[attr-defined]


def test_money_that_was_paid_back_by_hand_is_booked_when_the_task_is_settled(books: MoneyBooks, people: People) -> None:
    session, task = books.factory.session, task_of(books, TaskKind.REFUND_FAILED, "owed")
    finance, path = people.finance(), f"/financien/taken/{task.id}"
    page = finance.get(path)
    note = "Overgemaakt naar de gever."

    silent = finance.submit(page, path, settlement="paid_by_hand", note=note, status=422)
    wrong = finance.submit(page, path, settlement="paid_by_hand", note=note, amount="13", status=422)
    finance.submit(page, path, settlement="paid_by_hand", note=note, amount="14,00")

    assert "Vul in hoeveel je hebt betaald." in silent.text
    assert "Controleer wat je hebt betaald." in wrong.text
    session.expire_all()
    assert books.payments["owed"].state == "refunded"
    assert check(session, jobs_have_run=True) == []


def test_somebody_elses_numbers_lead_nowhere(people: People) -> None:
    finance = people.finance()

    finance.get("/financien/taken/999999", status=404)
    finance.get("/financien/boeken/boekingen/999999", status=404)
    for period in ("2026-13", "1999", "2999-01", "maart", "2026-1", "²026"):
        finance.get(f"/financien/boeken/{period}", status=404)


@pytest.mark.parametrize(
    ("roles", "lands_at"),
    [((Role.FINANCE,), "/financien"), ((Role.COORDINATOR,), "/account"), ((), "/account")],
)
def test_finance_lands_at_its_desk_after_signing_in(
    app: Flask, factory: Factory, roles: tuple[Role, ...], lands_at: str
) -> None:
    account = factory.account(roles=roles)
    token = factory.session_of(account)
    factory.session.commit()

    with app.test_request_context("/inloggen"):
        sign_in_browser(token)

        assert landing() == lands_at


def test_finance_finds_its_desk_in_the_header_and_the_account(people: People) -> None:
    home = people.finance().get("/account")

    assert len([link for link in home.all("a") if link.attrs.get("href") == "/financien"]) == 2
