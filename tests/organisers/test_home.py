# SPDX-License-Identifier: EUPL-1.2
"""The page from which organisers carry their initiative, what came in, and the public page in one query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from abs_platform.accountability import deciding
from abs_platform.donations.service import GiftDetails
from abs_platform.donations.states import Channel
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.organisers import queries
from abs_platform.templating import long_date
from abs_platform.working_days import answer_by
from tests.accountability.accounts import begun, sent, who
from tests.engaging import answered, asked, offered, posted
from tests.factories import SECRET_KEY, Factory
from tests.page import Browser
from tests.people import OTHER_DESK, People


@contextmanager
def counting(connection: Connection) -> Iterator[list[str]]:
    """The queries that a page asks, without what the tests' savepoints add."""
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "SAVEPOINT" not in statement:
            statements.append(statement)

    event.listen(connection.engine, "before_cursor_execute", count)
    try:
        yield statements
    finally:
        event.remove(connection.engine, "before_cursor_execute", count)


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


def home(initiative: Initiative) -> str:
    return f"/account/initiatieven/{initiative.id}"


NEXT_STEP = {
    State.DRAFT: "Maak je initiatief af",
    State.SUBMITTED: "De wijkregisseur kijkt ernaar",
    State.CHANGES_REQUESTED: "De wijkregisseur vraagt om een aanpassing",
    State.PUBLISHED: "Vertel je buren erover",
    State.FUNDED: "Het bedrag is binnen!",
    State.IN_PROGRESS: "Jullie zijn bezig",
    State.REALISED: "Het is gelukt!",
    State.REJECTED: "Dit initiatief is voorbij",
    State.EXPIRED: "Dit initiatief is voorbij",
    State.STOPPED: "Dit initiatief is voorbij",
    State.WITHDRAWN: "Dit initiatief is voorbij",
}


@pytest.mark.parametrize("state", State)
def test_the_page_says_in_each_state_what_comes_next_and_every_link_on_it_leads_somewhere(
    people: People, factory: Factory, state: State
) -> None:
    made = factory.initiative(state, target_cents=5_250)
    factory.session.commit()
    anna = people.organiser(made)

    page = anna.get(home(made))

    assert NEXT_STEP[state] in page.text
    assert state.label in page.text.lower()
    for link in page.all("main a"):
        path = link.attrs["href"]
        if path.endswith(".pdf") or not path.startswith("/"):
            continue
        anna.get(path)


def test_a_submitted_initiative_shows_the_same_promise_as_the_desk(people: People, factory: Factory) -> None:
    made = factory.initiative(State.SUBMITTED)
    made.submitted_at = factory.now
    factory.session.commit()

    page = people.organiser(made).get(home(made))

    assert f"Antwoord uiterlijk op {long_date(answer_by(factory.now, 10))}" in page.text


def test_what_was_sent_leads_to_its_page_its_preview_and_the_talk_with_the_desk(
    people: People, factory: Factory
) -> None:
    made = factory.initiative(State.SUBMITTED)
    factory.session.commit()
    anna, talk = people.organiser(made), f"/account/initiatieven/{made.id}/gesprek"

    assert anna.get(f"/initiatieven/{made.id}/bewerken").all(f'main a[href="{home(made)}"]')
    assert anna.get(f"/initiatieven/{made.id}/bewerken").all(f'main a[href="{talk}"]')
    assert anna.get(talk).all(f'main a[href="{home(made)}"]')
    assert anna.get(home(made)).all(f'main a[href="/initiatieven/{made.id}/voorbeeld"]')


def test_a_report_of_a_question_is_no_promise_to_the_organisers(people: People, factory: Factory) -> None:
    made = factory.initiative()
    question = asked(people, made)
    bob, path = people.resident("Bob"), f"/vragen/{question.id}/melden"
    bob.submit(bob.get(path), path, reason="Saai")

    text = people.organiser(made).get(home(made)).text
    assert "Antwoord uiterlijk" not in text
    assert "antwoordt uiterlijk" not in text


@pytest.mark.parametrize(
    ("who_", "status"),
    [("resident", 404), ("other organiser", 404), ("manager", 403), ("elsewhere", 403), ("finance", 403)],
)
def test_only_its_organisers_open_it(people: People, factory: Factory, who_: str, status: int) -> None:
    made = factory.initiative(State.FUNDED, target_cents=5_250)
    factory.session.commit()
    browser: Browser = {
        "resident": people.resident,
        "other organiser": lambda: people.organiser(factory.initiative()),
        "manager": people.manager,
        "elsewhere": lambda: people.manager(OTHER_DESK),
        "finance": people.finance,
    }[who_]()

    for path in ("", "/opbrengst", "/beginnen"):
        browser.get(home(made) + path, status=status)


def test_what_came_in_is_shown_by_week_and_channel_and_never_by_whom(people: People, factory: Factory) -> None:
    made = factory.initiative(target_cents=100_000)
    codes = factory.fresh_codes(5)
    gifts = [
        GiftDetails(giver_name="Gerda", message="Succes!", giver_email="geheim@voorbeeld.example"),
        GiftDetails(message="Anoniem gezegd"),
        GiftDetails(channel=Channel.DESK),
        GiftDetails(channel=Channel.ORGANISER),
        GiftDetails(),
    ]
    for code, details in zip(codes, gifts, strict=True):
        assert factory.give(code, made, details)
    factory.session.commit()

    page = people.organiser(made).get(f"{home(made)}/opbrengst")

    text = page.text.replace("\u00a0", " ")
    assert "€ 37,50" in text
    assert "5 gevers" in text
    channels = page.all(".abs-bars")[1].to_text().replace("\u00a0", " ")
    assert "Online" in channels
    assert "€ 22,50" in channels
    assert "3 giften" in channels
    assert "Gerda" in text
    assert "Anoniem gezegd" in text
    assert "geheim" not in page.html


def test_a_week_begins_on_monday_in_this_town(session: Session, factory: Factory) -> None:
    made = factory.initiative(target_cents=100_000)
    factory.now = factory.now.replace(hour=12)
    codes = factory.fresh_codes(2)
    sunday_late = dt.datetime(2026, 11, 22, 22, 59, tzinfo=dt.UTC)
    for code, moment in zip(codes, (sunday_late, sunday_late + dt.timedelta(minutes=1)), strict=True):
        gift = factory.give(code, made)
        assert gift is not None
        session.connection().exec_driver_sql(
            "UPDATE donations SET given_at = %s WHERE id = %s", (moment, gift.donation_id)
        )

    weeks = [share.starts_on for share in queries.income(session, made.id).weeks]

    assert weeks == [dt.date(2026, 11, 16), dt.date(2026, 11, 23)]


def test_the_public_page_shows_all_of_it_in_six_queries_and_keeps_each_to_its_own_initiative(
    app: Flask, people: People, factory: Factory, connection: Connection
) -> None:
    made, other = factory.initiative(title="Een pluktuin"), factory.initiative(title="Een bankje")
    need = people.need(made)
    for _ in range(3):
        posted(people, made)
    answered(people, asked(people, made))
    offered(people, need, "Bob")
    visitor, path = Browser(app), f"/initiatieven/{made.id}-een-pluktuin"

    with counting(connection) as statements:
        page = visitor.get(path)

    assert len(statements) <= 6
    assert len(page.all(".abs-update")) == 3
    assert len(page.all(".abs-answer")) == 1
    assert "1 buurtbewoner bood al hulp aan" in page.text
    empty = Browser(app).get(f"/initiatieven/{other.id}")
    assert not empty.all(".abs-update, .abs-post, .abs-needs__item, .abs-thanks, .abs-costs")


def test_the_page_of_what_is_realised_costs_no_more(
    app: Flask, people: People, factory: Factory, connection: Connection
) -> None:
    made = begun(factory)
    account = people.organiser_account(made)
    seen = sent(factory, made, account)
    deciding.approve(factory.session, made.id, seen=seen, secret_key=SECRET_KEY, **who(account, factory))
    factory.session.commit()
    slug = Browser(app).get(f"/initiatieven/{made.id}").path

    with counting(connection) as statements:
        page = Browser(app).get(slug)

    assert len(statements) <= 6
    assert "Zo is het gegaan" in page.text
    assert page.one(".abs-costs")
