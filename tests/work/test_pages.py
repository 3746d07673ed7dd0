# SPDX-License-Identifier: EUPL-1.2
"""The coordinator sees how far long work is, what runs when, and whether anything runs at all."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.job_runs import JobRun, ScheduledJob
from abs_platform.work import service
from abs_platform.work.models import WorkOrder
from abs_platform.work.queries import jobs as timetable
from abs_platform.work.states import WorkKind
from jobs.__main__ import write_timetable
from jobs.schedule import TIMETABLE
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser
from tests.people import People


@pytest.fixture
def coordinator(app: Flask, factory: Factory) -> Browser:
    """Who coordinates."""
    return People(app, factory).coordinator()


@pytest.fixture
def order(session: Session, factory: Factory) -> WorkOrder:
    """Work that waits."""
    asked = {"key": "a", "params": {"round_id": 1}, "account_id": factory.account(name="Coen").id, "now": factory.now}
    made = service.order(session, WorkKind.ISSUE_ROUND, **asked)
    session.commit()
    return made


def test_the_page_of_work_follows_it_to_its_end(
    session: Session, factory: Factory, coordinator: Browser, order: WorkOrder
) -> None:
    path = f"/beheer/werk/{order.id}"
    waiting = coordinator.get(path)
    service.begin_next(session, now=factory.now)
    service.progress(session, order.id, attempt=1, done=250, total=1_000)
    session.commit()
    running, part = coordinator.get(path), coordinator.client.get(f"{path}/stand").get_data(as_text=True)
    result = {"sentence": "1.000 vouchers zijn uitgegeven.", "link": "/beheer/rondes/1"}
    service.finish(session, order.id, result, attempt=1, actor=TEST_ACTOR, now=factory.now)
    session.commit()
    done = coordinator.get(path)

    assert "Wacht" in waiting.text
    assert "door Coen" in waiting.text
    assert 'http-equiv="refresh"' in waiting.html
    assert "250 van 1.000" in running.text
    assert running.one("progress").attrs["value"] == "25"
    assert running.all("[data-progress]")
    assert "250 van 1.000" in part
    assert "<html" not in part
    assert "1.000 vouchers zijn uitgegeven." in done.text
    assert done.one('a[href="/beheer/rondes/1"]')
    assert 'http-equiv="refresh"' not in done.html
    assert not done.all("[data-progress]")


def test_work_is_taken_back_while_it_waits_and_not_later(
    session: Session, factory: Factory, coordinator: Browser, order: WorkOrder
) -> None:
    path, action = f"/beheer/werk/{order.id}", f"/beheer/werk/{order.id}/intrekken"
    waiting = coordinator.get(path)
    service.begin_next(session, now=factory.now)
    session.commit()
    too_late = coordinator.submit(waiting, action)
    service.wait_again(session, actor=TEST_ACTOR, now=factory.now)
    session.commit()
    taken_back = coordinator.submit(coordinator.get(path), action)

    assert "Intrekken kan niet meer" in too_late.text
    assert not too_late.all(f'form[action="{action}"]')
    assert "Er is niets gedaan" in taken_back.text
    session.expire_all()
    assert session.get_one(WorkOrder, order.id).state == "cancelled"


def test_the_jobs_page_tells_what_runs_when_and_what_went_wrong(
    session: Session, factory: Factory, coordinator: Browser
) -> None:
    now = clock.now()
    write_timetable({"send_outbox": now + dt.timedelta(seconds=5)}, now)
    write_timetable({"send_outbox": now + dt.timedelta(seconds=9)}, now)
    session.add(ScheduledJob(job="was_here_once", schedule="nooit", seen_at=now - dt.timedelta(days=2)))
    ended = now - dt.timedelta(seconds=58)
    run = {"job": "check_ledger", "started_at": now - dt.timedelta(minutes=1), "ended_at": ended, "changed": 2}
    session.add(JobRun(**run, error="1: ValueError: a\n2: ValueError: <b>"))
    session.commit()

    page, history = coordinator.get("/beheer/taken"), coordinator.get("/beheer/taken/check_ledger")

    assert {row.job for row in timetable(session)} == set(TIMETABLE)
    assert "Het taakproces draait" in page.text
    assert "Mail versturen" in page.text
    assert "elke 5 seconden" in page.text.lower()
    assert "was_here_once" not in page.text
    assert "2 dingen lukten niet." in page.text
    assert "2 seconden" in history.text
    assert history.one("details pre").to_text().splitlines() == ["1: ValueError: a", "2: ValueError: <b>"]


def test_a_job_process_that_is_silent_for_two_minutes_is_an_alarm(session: Session, coordinator: Browser) -> None:
    never = coordinator.get("/beheer/taken")
    write_timetable({}, clock.now() - dt.timedelta(minutes=3))
    session.commit()
    silent = coordinator.get("/beheer/taken")

    for page in (never, silent):
        assert "geeft geen teken van leven" in page.one('[role="alert"]').to_text()
    assert "Het laatste was op" in silent.text


def test_a_job_is_run_now_through_an_order_but_not_the_job_that_does_orders(
    session: Session, coordinator: Browser
) -> None:
    write_timetable({}, clock.now())
    session.commit()
    page = coordinator.get("/beheer/taken/expire_vouchers")
    action = "/beheer/taken/expire_vouchers/nu"
    asked = coordinator.submit(page, action)
    coordinator.submit(page, action)

    assert "Taak: Vouchers laten verlopen" in asked.text
    orders = session.scalars(select(WorkOrder)).all()
    assert [(order.kind, order.params) for order in orders] == [("run_job", {"job": "expire_vouchers"})]
    assert not coordinator.get("/beheer/taken/do_work").all("main form")
    token = page.field("csrf_token")
    coordinator.post("/beheer/taken/do_work/nu", {"csrf_token": token}, status=404)
    coordinator.get("/beheer/taken/bestaat_niet", status=404)
