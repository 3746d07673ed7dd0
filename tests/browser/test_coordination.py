# SPDX-License-Identifier: EUPL-1.2
"""The coordinator's own rooms in a real browser: what runs, long work on its way to its end, the settings, the log."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete

from abs_platform import clock
from abs_platform.actors import Actor
from abs_platform.job_runs import JobRun, ScheduledJob
from abs_platform.users import Role
from abs_platform.work import service
from tests.browser.conftest import Town
from tests.browser.test_after_publishing import sign_in
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

RUNS, FAILS = "send_outbox", "check_ledger"


@pytest.fixture
def job_process(town: Town) -> Iterator[None]:
    """A job process that lives, with a job that did something and one that went wrong."""
    now, session = clock.now(), town.session
    hour_ago = now - dt.timedelta(hours=1)
    session.add_all(
        [
            ScheduledJob(job=RUNS, schedule="elke minuut", next_run_at=now, seen_at=now),
            ScheduledJob(job=FAILS, schedule="elke nacht om 3.10 uur", next_run_at=now, seen_at=now),
            JobRun(job=RUNS, started_at=hour_ago, ended_at=hour_ago, changed=4),
            JobRun(job=FAILS, started_at=hour_ago, ended_at=hour_ago, error="Traceback\n" + "round " * 40),
        ]
    )
    session.commit()
    yield
    session.rollback()
    session.execute(delete(ScheduledJob))
    session.execute(delete(JobRun).where(JobRun.job.in_([RUNS, FAILS])))
    session.commit()


@pytest.mark.usefixtures("job_process")
def test_the_coordinators_rooms_from_the_overview_to_the_log(town: Town, visit: Callable[..., Visitor]) -> None:
    carla = sign_in(town, visit(), town.factory.account(name="Carla", roles=(Role.COORDINATOR,)))

    carla.goto("/beheer")
    look_at_the_jobs(carla)
    follow_work_to_its_end(carla, town)
    change_a_setting(carla)
    find_it_in_the_log(carla)


def look_at_the_jobs(carla: Visitor) -> None:
    carla.press(carla.page.get_by_role("link", name="Taken", exact=True))
    carla.reads("Taken")
    carla.check(in_the_dark=True, magnified=True)
    carla.press(carla.page.get_by_role("link", name="Boeken controleren", exact=True))
    carla.reads("Boeken controleren")
    carla.press(carla.page.get_by_text("Bekijk de regels"))
    carla.check(magnified=True)


def follow_work_to_its_end(carla: Visitor, town: Town) -> None:
    page, session, now = carla.page, town.session, clock.now()
    carla.press(carla.button("Doe deze taak nu"))
    expect(page.get_by_role("status").first).to_contain_text("De taak is aangevraagd.")
    expect(carla.button("Trek dit werk in")).to_be_visible()

    order = service.begin_next(session, now=now)
    assert order is not None
    assert page.url.endswith(f"/beheer/werk/{order.id}")
    assert service.progress(session, order.id, attempt=1, done=250, total=1_000)
    session.commit()
    expect(page.locator(".work__state")).to_contain_text("250 van 1.000")
    carla.check(in_the_dark=True, magnified=True)

    result = {"sentence": "Klaar. Er is 1 ding veranderd.", "link": f"/beheer/taken/{FAILS}"}
    service.finish(session, order.id, result, attempt=1, actor=Actor("job", "do_work"), now=now)
    session.commit()
    expect(page.get_by_role("link", name="Bekijk het resultaat")).to_be_visible()
    carla.check()


def change_a_setting(carla: Visitor) -> None:
    page = carla.page
    carla.press(page.get_by_role("link", name="Instellingen", exact=True))
    carla.reads("Instellingen")
    carla.check(in_the_dark=True, magnified=True)
    carla.press(page.get_by_role("link", name="Hoelang je bezwaar kunt maken tegen een gift"))
    carla.press(carla.button("Ga verder"))
    expect(page.get_by_role("heading", name="Er is iets niet gelukt")).to_be_visible()
    carla.check()
    value = int(page.locator("#value").input_value())
    page.fill("#value", str(value + 1))
    page.fill("#reason", "Een week bleek te kort.")
    carla.press(carla.button("Ga verder"))
    carla.reads("Klopt dit?")
    carla.check()
    carla.press(carla.button("Wijzig deze instelling"))
    expect(page.get_by_text(f"Van {value} dagen naar {value + 1} dagen")).to_be_visible()
    carla.check()


def find_it_in_the_log(carla: Visitor) -> None:
    page = carla.page
    carla.press(page.get_by_role("link", name="Logboek", exact=True))
    carla.reads("Logboek")
    carla.check(in_the_dark=True, magnified=True)
    page.get_by_label("Onderwerp", exact=True).select_option("rule")
    page.fill("#zoek", "week bleek")
    carla.press(carla.button("Zoek"))
    expect(page).to_have_url(re.compile("zoek=week"))
    expect(page.get_by_text("Een week bleek te kort.").first).to_be_visible()
    with page.expect_download() as taken:
        carla.press(carla.button("Download als CSV"))
    assert "Een week bleek te kort." in taken.value.path().read_text(encoding="utf-8")
