# SPDX-License-Identifier: EUPL-1.2
"""The coordinator reads who did what and why, finds it again, and never reads who gave what."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import clock, events
from abs_platform.accounts.models import Account
from abs_platform.actors import GIVER, Actor
from abs_platform.event_log.queries import Filters, all_of
from abs_platform.events import Event
from abs_platform.spreadsheets import BYTE_ORDER_MARK
from abs_platform.users import Role
from tests.factories import Factory
from tests.page import Browser, Page
from tests.people import People

PATH = "/beheer/logboek"
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.fixture
def coordinator(app: Flask, factory: Factory) -> Browser:
    """Who coordinates."""
    return People(app, factory).coordinator()


@pytest.fixture
def sanne(factory: Factory) -> Account:
    """Staff who did things."""
    return factory.account(name="Sanne", roles=(Role.DISTRICT_MANAGER,))


def happened(
    session: Session, kind: str, number: int | None, actor: Actor, now: dt.datetime = NOW, **more: object
) -> None:
    events.record(session, kind, number, actor=actor, now=now, **more)  # type: ignore[arg-type]
    session.commit()


def told(page: Page) -> list[str]:
    return [" ".join(row.to_text().split()) for row in page.all(".log-row")]


def test_it_tells_who_did_what_when_and_why_with_old_and_new(
    session: Session, coordinator: Browser, sanne: Account
) -> None:
    by = Actor("staff", str(sanne.id))
    happened(session, "rule.changed", 4, by, reason="Te krap.", name="objection_days", old=7, new=10)
    happened(session, "initiative.published", 12, by)
    happened(session, "odd_thing.was_done", None, Actor("job", "check_ledger"))

    odd, published, changed, *_rest = told(coordinator.get(PATH))

    assert "Een instelling is gewijzigd." in changed
    assert "was 7 dagen werd 10 dagen" in changed
    assert "Te krap." in changed
    assert "22 november 2026 om 13.00 uur Sanne instelling #4" in changed
    assert "Sanne publiceerde het." in published
    assert "Odd thing: was done" in odd
    assert "Het systeem (check_ledger)" in odd


def test_what_a_giver_did_with_a_voucher_is_nowhere_and_of_staff_not_what_it_was_given_to(
    session: Session, coordinator: Browser, sanne: Account
) -> None:
    riet = Actor("organiser", str(sanne.id))
    happened(session, "voucher.given", 71, GIVER, initiative=987_654_321)
    happened(session, "voucher.kept", 72, riet, initiative=987_654_321)
    by = Actor("staff", str(sanne.id))
    happened(session, "voucher.revoked", 73, by, reason="Post kwam terug.", initiative=987_654_321, round=5)
    happened(session, "initiative.help_offered", 74, riet)

    page = coordinator.get(PATH)
    file = download(coordinator, page)

    offered, revoked, *_rest = told(page)
    assert "Post kwam terug." in revoked
    assert "ronde 5" in revoked
    assert "Een bewoner" in offered
    assert "Sanne" not in offered
    assert "987654321" not in page.text + file
    assert "voucher.given" not in file
    assert "voucher.kept" not in file
    assert "voucher.revoked" in file
    for number in ("71", "72"):
        assert told(coordinator.get(f"{PATH}?onderwerp=voucher&nummer={number}")) == []


def test_the_filters_find_by_subject_person_period_and_words(
    session: Session, coordinator: Browser, sanne: Account
) -> None:
    by = Actor("staff", str(sanne.id))
    happened(session, "payout.approved", 5, by, reason="Bonnen 100% in orde.")
    happened(session, "payout.refused", 6, by, reason="Bonnen 100 euro te weinig.")
    happened(session, "round.planned", 5, Actor("command", "rounds"), NOW - dt.timedelta(days=40))

    def count(query: str) -> int:
        return len(told(coordinator.get(f"{PATH}?{query}")))

    assert count("onderwerp=payout") == 2
    assert count("onderwerp=payout&nummer=5") == 1
    assert count(f"wie={sanne.id}") == 2
    assert count("van=2026-11-22&tot=2026-11-22&onderwerp=payout") == 2
    assert count("tot=2026-11-21&van=2026-10-01&onderwerp=round") == 1
    assert count("van=2026-11-23&tot=2026-11-23&onderwerp=payout") == 0
    assert count("zoek=100%25") == 1, "a percent sign is a percent sign"
    assert count("onderwerp=payout&nummer=x&van=gisteren&wie=%00&voor=-1") == 2


def test_older_events_are_on_the_next_page_and_none_is_there_twice(session: Session, coordinator: Browser) -> None:
    before = len(list(all_of(session, Filters())))
    for number in range(60):
        events.record(session, "mail.failed", number, actor=Actor("job", "x"), now=NOW)
    session.commit()

    first = coordinator.get(f"{PATH}?onderwerp=mail")
    second = coordinator.get(first.one('a[rel="next"]').attrs["href"])

    rows = told(first) + told(second)
    assert [len(told(first)), len(told(second))] == [50, 10]
    assert len(set(rows)) == 60
    assert not second.all('a[rel="next"]')
    assert len(list(all_of(session, Filters()))) == before + 60


def test_the_file_holds_what_was_looked_for_without_formulas_and_is_itself_in_the_log(
    session: Session, coordinator: Browser, sanne: Account
) -> None:
    by = Actor("staff", str(sanne.id))
    happened(session, "payout.approved", 5, by, reason='=HYPERLINK("http://x")')
    happened(session, "round.planned", 5, by)

    file = download(coordinator, coordinator.get(f"{PATH}?onderwerp=payout"))

    rows = list(csv.DictReader(io.StringIO(file.removeprefix(BYTE_ORDER_MARK)), delimiter=";"))
    assert len(rows) == 1
    assert rows[0]["Wie"] == "Sanne"
    assert rows[0]["Reden"] == """'=HYPERLINK("http://x")"""
    assert (rows[0]["Datum"], rows[0]["Tijd"]) == ("22-11-2026", "13:00:00")
    logged = session.scalars(select(Event).where(Event.kind == "event_log.exported")).one()
    assert logged.details == {"filters": {"onderwerp": "payout"}, "rows": 1}
    assert logged.actor.startswith("staff:")


def test_only_the_coordinator_may_read_it(app: Flask, factory: Factory) -> None:
    people = People(app, factory)

    for browser in (people.manager(), people.finance(), people.resident()):
        browser.get(PATH, status=403)


def download(browser: Browser, page: Page) -> str:
    """The file of what is looked for."""
    answer = browser.send(page, f"{PATH}/bestand")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert f"logboek-{clock.today().isoformat()}.csv" in answer.headers["Content-Disposition"]
    words = answer.get_data(as_text=True)
    answer.close()
    return words
