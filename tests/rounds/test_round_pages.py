# SPDX-License-Identifier: EUPL-1.2
"""The coordinator's pages of rounds: the year, planning, the steps that ask for a name, and who may come here."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.events import Event
from abs_platform.ledger.queries import check
from abs_platform.letters.models import LetterText
from abs_platform.rounds.models import Round, RoundDistrict, YearBudget
from abs_platform.users import Role
from abs_platform.vouchers.models import Voucher
from abs_platform.work.models import WorkOrder
from tests.factories import Factory
from tests.page import Browser, Page
from tests.people import People
from tests.rounds.ready import make_ready

DAY = dt.timedelta(days=1)
HERE = "/beheer/rondes"


@pytest.fixture
def people(app: Flask, factory: Factory) -> People:
    """Whoever may come here, and who may not."""
    return People(app, factory)


@pytest.fixture
def desk(people: People) -> Browser:
    """The coordinator."""
    return people.coordinator()


def plan_form(factory: Factory, **changes: object) -> dict[str, object]:
    """A round that is in order."""
    today = clock.local_date(factory.now)
    form: dict[str, object] = {
        "name": "Voorjaar",
        "issue_on": (today + 5 * DAY).isoformat(),
        "opens_on": (today + 20 * DAY).isoformat(),
        "closes_on": (today + 60 * DAY).isoformat(),
        "amount": "7,50",
        "districts": ["WK014119", "WK014118"],
    }
    return form | changes


def send(desk: Browser, path: str, form: dict[str, object], *, status: int = 200) -> Page:
    """Send a form with the token that every page of this browser has, whatever page it was on."""
    token = desk.get(f"{HERE}/nieuw").field("csrf_token")
    return desk.post(path, {"csrf_token": token} | form, status=status)


def planned(factory: Factory, **more: object) -> Round:
    """A round that was planned and is issued tomorrow or later."""
    return factory.round(opens=10 * DAY, closes=40 * DAY, is_released=False, **more)  # type: ignore[arg-type]


def test_a_round_is_planned_on_the_page(session: Session, factory: Factory, desk: Browser) -> None:
    factory.households(3)
    session.commit()

    page = desk.get(f"{HERE}/nieuw")
    assert page.field("amount") == "7,50"
    shown = send(desk, f"{HERE}/nieuw", plan_form(factory))

    assert "De ronde is gepland." in shown.text
    assert "Krijgen een voucher 3" in shown.text
    round_ = session.scalars(select(Round)).one()
    assert (round_.name, round_.state, round_.amount_cents) == ("Voorjaar", "planned", 750)
    assert clock.last_day(round_.closes_at) == clock.local_date(factory.now) + 60 * DAY
    assert session.scalar(select(func.count()).select_from(RoundDistrict)) == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": ""}, ("name", "Geef de ronde een naam")),
        ({"issue_on": ""}, ("issue_on", "Kies de dag waarop")),
        ({"opens_on": "morgen"}, ("opens_on", "Kies de eerste dag")),
        ({"closes_on": "2020-01-01"}, ("closes_on", "al voorbij")),
        ({"amount": "veel"}, ("amount", "Vul een bedrag in")),
        ({"amount": "999"}, ("amount", "hoogstens")),
        ({"districts": []}, ("districts", "Kies minstens één wijk.")),
    ],
)
def test_a_plan_that_is_not_right_comes_back_filled_in(
    session: Session, factory: Factory, desk: Browser, changes: dict[str, object], told: tuple[str, str]
) -> None:
    field, sentence = told

    page = send(desk, f"{HERE}/nieuw", plan_form(factory) | changes, status=422)

    assert sentence in page.one(f'.abs-error-summary a[href="#{field}"]').to_text()
    assert page.all(f"#{field}")
    assert session.scalar(select(func.count()).select_from(Round)) == 0


def test_a_round_at_the_same_time_is_told_with_its_name(session: Session, factory: Factory, desk: Browser) -> None:
    factory.round(name="Najaar", opens=30 * DAY, closes=50 * DAY)
    session.commit()

    page = send(desk, f"{HERE}/nieuw", plan_form(factory), status=409)

    assert "al een ronde open: Najaar." in page.text
    assert page.field("name") == "Voorjaar"


def test_the_next_round_begins_like_the_last_one(session: Session, factory: Factory, desk: Browser) -> None:
    last = factory.round(districts=("WK014118",))
    session.commit()

    page = desk.get(f"{HERE}/nieuw")

    assert [one.attrs["value"] for one in page.all("input[name=districts][checked]")] == ["WK014118"]
    opens = dt.date.fromisoformat(page.field("opens_on"))
    assert opens == clock.local_date(last.opens_at) + dt.timedelta(weeks=26)
    assert opens - dt.date.fromisoformat(page.field("issue_on")) == 5 * DAY


def test_a_planned_round_is_changed_and_a_released_one_is_not(
    session: Session, factory: Factory, desk: Browser
) -> None:
    round_ = planned(factory)
    session.commit()
    path = f"{HERE}/{round_.id}/wijzigen"

    desk.get(path)
    send(desk, path, plan_form(factory, amount="10"))
    session.expire_all()
    assert (round_.name, round_.amount_cents) == ("Voorjaar", 1_000)
    event = session.scalars(select(Event).where(Event.kind == "round.changed")).one()
    assert event.details is not None
    assert event.details["changes"]["amount_cents"] == [750, 1_000]

    make_ready(factory, round_)
    session.commit()
    send(desk, f"{HERE}/{round_.id}/vrijgeven", {"typed": "voorjaar"})
    desk.get(path, status=409)
    send(desk, path, plan_form(factory, amount="5"), status=409)
    session.expire_all()
    assert round_.amount_cents == 1_000


def test_releasing_asks_for_the_name_and_a_green_list(session: Session, factory: Factory, desk: Browser) -> None:
    round_ = planned(factory, name="Najaar")
    session.commit()
    path = f"{HERE}/{round_.id}/vrijgeven"

    assert "Breng eerst in orde:" in desk.get(path).text
    refused = send(desk, path, {"typed": "Najaar"}, status=409)
    assert "Tekst van de brief" in refused.text
    make_ready(factory, round_)
    session.commit()
    send(desk, path, {"typed": "Voorjaar"}, status=422)
    session.expire_all()
    assert round_.released_at is None

    shown = send(desk, path, {"typed": " najaar "})
    assert "De ronde is vrijgegeven." in shown.text
    session.expire_all()
    assert round_.released_at is not None
    assert round_.letter_text_id == session.scalar(select(LetterText.id))
    desk.get(path, status=409)


def test_old_addresses_are_set_aside_with_a_reason(session: Session, factory: Factory, desk: Browser) -> None:
    round_ = planned(factory, name="Najaar")
    make_ready(factory, round_, addresses_days_old=100)
    session.commit()
    path = f"{HERE}/{round_.id}/vrijgeven"

    assert desk.get(path).all('input[name="despite"][value="addresses"]')
    without_reason = send(desk, path, {"typed": "Najaar", "despite": "addresses"}, status=422)
    assert "Schrijf op waarom" in without_reason.text
    send(desk, path, {"typed": "Najaar", "despite": "addresses", "reason": "Nieuw bestand komt later."})

    event = session.scalars(select(Event).where(Event.kind == "round.released")).one()
    assert (event.reason, event.details and event.details["despite"]) == ("Nieuw bestand komt later.", ["addresses"])


def test_issuing_orders_work_for_the_job_process(session: Session, factory: Factory, desk: Browser) -> None:
    factory.households(2)
    round_ = factory.round(name="Najaar")
    session.commit()
    path = f"{HERE}/{round_.id}/uitgeven"

    assert "Krijgen een voucher 2" in desk.get(path).text
    send(desk, path, {"typed": "nee"}, status=422)
    assert session.scalar(select(func.count()).select_from(WorkOrder)) == 0
    shown = send(desk, path, {"typed": "Najaar"})

    assert "De uitgifte is gestart." in shown.text
    order = session.scalars(select(WorkOrder)).one()
    assert (order.kind, order.params) == ("issue_round", {"round_id": round_.id})
    assert session.scalar(select(func.count()).select_from(Voucher)) == 0


def test_a_round_is_not_issued_before_its_day_or_its_release(session: Session, factory: Factory, desk: Browser) -> None:
    early, loose = factory.round(opens=20 * DAY, closes=40 * DAY), factory.round(is_released=False, opens=-300 * DAY)
    session.commit()

    for round_ in (early, loose):
        desk.get(f"{HERE}/{round_.id}/uitgeven", status=409)
        send(desk, f"{HERE}/{round_.id}/uitgeven", {"typed": round_.name}, status=409)

    assert session.scalar(select(func.count()).select_from(WorkOrder)) == 0


def test_a_cancelled_round_lets_its_dates_and_name_go(session: Session, factory: Factory, desk: Browser) -> None:
    round_ = planned(factory, name="Voorjaar")
    session.commit()
    path = f"{HERE}/{round_.id}/annuleren"

    desk.get(path)
    send(desk, path, {"typed": "Voorjaar"}, status=422)
    send(desk, path, {"typed": "Voorjaar", "reason": "De raad stelde het uit."})
    send(desk, f"{HERE}/nieuw", plan_form(factory))

    session.expire_all()
    assert round_.state == "cancelled"
    assert [one.state for one in session.scalars(select(Round).order_by(Round.id))] == ["cancelled", "planned"]
    assert "Geannuleerd" in desk.get(f"{HERE}/{round_.id}").text
    desk.get(path, status=409)
    desk.get(f"{HERE}/{round_.id}/proef", status=409)


def test_closing_early_says_what_ends_and_books_it_back(session: Session, factory: Factory, desk: Browser) -> None:
    codes = factory.codes(3)
    factory.give(codes[0], factory.initiative())
    round_ = session.scalars(select(Round)).one()
    session.commit()
    path = f"{HERE}/{round_.id}/sluiten"

    page = desk.get(path)
    assert "Vouchers die nu verlopen 2" in page.text
    assert "€\u00a015" in page.html
    shown = send(desk, path, {"typed": round_.name, "reason": "Het geld is op."})

    assert "2 vouchers zijn verlopen" in shown.text
    session.expire_all()
    assert round_.state == "closed"
    assert check(session) == []
    desk.get(path, status=409)


def test_more_time_is_looked_at_before_it_is_given(session: Session, factory: Factory, desk: Browser) -> None:
    factory.codes(1)
    round_ = session.scalars(select(Round)).one()
    factory.round(name="De volgende", opens=100 * DAY, closes=120 * DAY)
    session.commit()
    path, old = f"{HERE}/{round_.id}/verlengen", round_.closes_at
    later = (clock.local_date(old) + 7 * DAY).isoformat()

    desk.get(path)
    looked = send(desk, path, {"closes_on": later, "reason": "De post was laat."})
    session.expire_all()
    assert "Klopt dit?" in looked.text
    assert round_.closes_at == old
    desk.submit(looked, path)
    session.expire_all()
    assert clock.last_day(round_.closes_at).isoformat() == later

    too_long = (clock.local_date(old) + 90 * DAY).isoformat()
    assert "De volgende" in send(desk, path, {"closes_on": too_long, "reason": "Nog meer."}, status=409).text
    send(desk, path, {"closes_on": "2020-01-01", "reason": "Terug."}, status=422)


def test_the_budget_of_a_year_is_set_in_two_steps(session: Session, desk: Browser) -> None:
    path = f"{HERE}/budget/2027"

    desk.get(path)
    send(desk, path, {"amount": "veel", "reason": ""}, status=422)
    looked = send(desk, path, {"amount": "500.000", "reason": "Besluit van de raad."})
    assert "Nieuw budget" in looked.text
    assert session.get(YearBudget, 2027) is None
    desk.submit(looked, path)

    assert "€\u00a0500.000" in desk.get(f"{HERE}?jaar=2027").html
    event = session.scalars(select(Event).where(Event.kind == "budget.set")).one()
    assert (event.subject_id, event.reason) == (2027, "Besluit van de raad.")
    assert event.details == {"old_cents": None, "new_cents": 50_000_000}


def test_the_year_shows_its_rounds_and_its_budget(session: Session, factory: Factory, desk: Browser) -> None:
    factory.households(4)
    round_ = factory.round(name="Najaar")
    factory.issue(round_)
    year = round_.issue_on.year
    session.add(YearBudget(year=year, amount_cents=5_000))
    session.commit()

    page = desk.get(f"{HERE}?jaar={year}")

    assert "Uitgegeven € 30 wat verliep" in page.text.replace("\u00a0", " ")
    assert "Nog over € 20" in page.text.replace("\u00a0", " ")
    assert page.one("tbody th a").attrs["href"] == f"{HERE}/{round_.id}"
    assert desk.get(f"{HERE}?jaar=onzin").status == 200


def test_the_dry_run_stands_by_district_and_neighbourhood(session: Session, factory: Factory, desk: Browser) -> None:
    factory.households(2)
    round_ = planned(factory)
    session.commit()

    page = desk.get(f"{HERE}/{round_.id}/proef")

    assert "Er verandert niets." in page.text
    assert page.one("tfoot").to_text().split()[:2] == ["Samen", "2"]


def test_the_overview_says_what_waits_at_the_coordinator(session: Session, factory: Factory, desk: Browser) -> None:
    factory.households(1)
    factory.issue(factory.round(opens=-20 * DAY, closes=10 * DAY))
    coming = factory.round(opens=25 * DAY, closes=50 * DAY, is_released=False)
    session.commit()

    page = desk.get("/beheer")

    assert "uitgifte over 20 dagen" in page.text
    assert "Tekst van de brief" in page.text
    assert page.all(f'a[href="{HERE}/{coming.id}"]')
    assert "Brieven die nog niet zijn overgedragen" in page.text
    assert "Taken op de achtergrond draaien niet" in page.text


@pytest.mark.parametrize("path", ["", "/nieuw", "/budget/2027"])
def test_only_the_coordinator_comes_here(people: People, browser_client: Browser, path: str) -> None:
    browser_client.get(f"{HERE}{path}")
    for role in (Role.DISTRICT_MANAGER, Role.FINANCE, Role.DESK):
        people.browser(people.factory.account(name="Ander", roles=(role,))).get(f"{HERE}{path}", status=403)


def test_a_round_that_is_not_there_is_not_found(desk: Browser) -> None:
    for path in ("", "/wijzigen", "/proef", "/vrijgeven", "/uitgeven", "/annuleren", "/sluiten", "/verlengen"):
        desk.get(f"{HERE}/9999999{path}", status=404)
