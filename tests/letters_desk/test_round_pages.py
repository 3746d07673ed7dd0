# SPDX-License-Identifier: EUPL-1.2
"""A round's letters at the coordinator's desk: ordered, looked at, handed over in two steps, taken back."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from abs_platform.events import Event
from abs_platform.letters.filing import SEALED_TYPE
from abs_platform.letters.models import LetterRun
from abs_platform.letters.states import FileKind, RunState
from abs_platform.work.models import WorkOrder
from abs_platform.work.states import WorkState
from jobs import purge_personal_data
from tests.factories import Factory
from tests.letters_desk.runs import approved_text, issued_batch, keep_files, key_of, made_run, row_of
from tests.page import Browser
from tests.people import People

DAY = dt.timedelta(days=1)


@pytest.fixture
def coordinator(app: Flask, factory: Factory) -> Browser:
    """Who coordinates."""
    return People(app, factory).coordinator()


def orders(session: Session) -> list[WorkOrder]:
    session.expire_all()
    return list(session.scalars(select(WorkOrder)))


def test_a_press_on_the_button_begins_a_run_and_orders_its_work_once(
    session: Session, factory: Factory, coordinator: Browser
) -> None:
    batch = issued_batch(factory)
    text = approved_text(factory)
    session.commit()
    path = f"/beheer/rondes/{batch.round_id}/brieven"

    before = coordinator.get(path)
    make = f"{path}/maken/{batch.id}"
    after = coordinator.submit(before, make)
    coordinator.submit(before, make)

    assert "Maak 3 brieven" in before.text
    assert "De brieven worden gemaakt" in after.text
    (order,) = orders(session)
    run = session.scalars(select(LetterRun)).one()
    assert (run.letter_text_id, run.letter_count, run.state) == (text.id, 3, RunState.MAKING)
    assert order.params == {"run_id": run.id}


def test_without_an_approved_text_nothing_begins(session: Session, factory: Factory, coordinator: Browser) -> None:
    batch = issued_batch(factory)
    session.commit()
    path = f"/beheer/rondes/{batch.round_id}/brieven"

    told = coordinator.submit(coordinator.get(path), f"{path}/maken/{batch.id}", status=409)

    assert "Keur eerst de tekst van de brief goed" in told.text
    assert session.scalar(select(func.count()).select_from(LetterRun)) == 0


def test_a_batch_or_a_run_of_another_round_is_not_there(
    session: Session, factory: Factory, coordinator: Browser
) -> None:
    batch = issued_batch(factory)
    run = made_run(factory, batch)
    other = factory.round(name="Een andere ronde", opens=60 * DAY, closes=90 * DAY)
    session.commit()
    page = coordinator.get(f"/beheer/rondes/{batch.round_id}/brieven")
    token = {"csrf_token": page.field("csrf_token")}
    path = f"/beheer/rondes/{other.id}/brieven"

    coordinator.post(f"{path}/maken/{batch.id}", token, status=404)
    coordinator.get(f"{path}/{run.id}/overdragen", status=404)
    coordinator.post(f"{path}/{run.id}/overdragen", token | {"sure": "1", "letters": "3", "files": "3"}, status=404)
    coordinator.post(f"{path}/{run.id}/intrekken", token | {"reason": "Zomaar een reden"}, status=404)
    coordinator.post(f"{path}/{run.id}/bestand/letters/1", token, status=404)
    coordinator.get("/beheer/rondes/999999/brieven", status=404)

    assert row_of(factory, run).state == RunState.MADE


def test_handing_over_takes_a_page_with_the_counts_and_a_tick(
    app: Flask, session: Session, factory: Factory, coordinator: Browser
) -> None:
    run = made_run(factory, issued_batch(factory))
    session.commit()
    keep_files(app, factory, run)
    path = f"/beheer/rondes/{run.round_id}/brieven"
    ask = f"{path}/{run.id}/overdragen"

    page = coordinator.get(path)
    asked = coordinator.get(ask)
    refused = coordinator.submit(asked, ask, status=422)
    done = coordinator.submit(refused, ask, sure="1")

    assert "Draag over aan de drukker" in page.text
    assert "Ja, 3 brieven zijn overgedragen" in asked.text
    assert "Zet een vinkje" in refused.text
    assert "Alle brieven van deze ronde zijn overgedragen" in done.text
    assert row_of(factory, run).state == RunState.HANDED_OVER
    assert "al overgedragen" in coordinator.get(ask).text


def test_a_file_that_is_gone_stops_the_handing_over(session: Session, factory: Factory, coordinator: Browser) -> None:
    run = made_run(factory, issued_batch(factory))  # no file behind the rows
    session.commit()
    ask = f"/beheer/rondes/{run.round_id}/brieven/{run.id}/overdragen"
    page = coordinator.get(ask)
    token = {"csrf_token": coordinator.get("/beheer/brief/schrijven").field("csrf_token")}

    coordinator.post(ask, token | {"sure": "1", "letters": "3", "files": "3"}, status=409)

    assert "3 bestanden zijn niet meer te vinden" in page.text
    assert not page.all(f'form[action="{ask}"]')
    assert row_of(factory, run).state == RunState.MADE


def test_taking_back_asks_why_and_takes_the_waiting_work_back(
    session: Session, factory: Factory, coordinator: Browser
) -> None:
    batch = issued_batch(factory)
    approved_text(factory)
    session.commit()
    path = f"/beheer/rondes/{batch.round_id}/brieven"
    coordinator.submit(coordinator.get(path), f"{path}/maken/{batch.id}")
    run_id = session.scalars(select(LetterRun.id)).one()
    ask = f"{path}/{run_id}/intrekken"

    refused = coordinator.submit(coordinator.get(ask), ask, status=422)
    done = coordinator.submit(refused, ask, reason="De tekst klopt niet.")

    assert "Schrijf in een korte zin waarom" in refused.text
    assert "Maak 3 brieven" in done.text
    assert [order.state for order in orders(session)] == [WorkState.CANCELLED]
    assert (
        session.scalars(select(Event.reason).where(Event.kind == "letters.withdrawn")).one() == "De tekst klopt niet."
    )


def test_the_list_for_the_printer_names_every_file_with_its_count(
    session: Session, factory: Factory, coordinator: Browser
) -> None:
    run = made_run(factory, issued_batch(factory))
    session.commit()

    answer = coordinator.client.get(f"/beheer/rondes/{run.round_id}/brieven/{run.id}/controlelijst")

    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True)), delimiter=";"))
    stem = f"najaar-2026-partij-{run.batch_id}"
    assert [(row["bestand"], row["brieven"]) for row in rows] == [
        (f"{stem}-adressen-001.csv", "3"),
        (f"{stem}-brieven-001.pdf", "2"),
        (f"{stem}-brieven-002.pdf", "1"),
        ("totaal aantal brieven", "3"),
    ]
    assert all(len(row["sha256"]) == 64 for row in rows[:3])
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_says_how_many_letters_go_to_each_district(
    session: Session, factory: Factory, coordinator: Browser
) -> None:
    factory.households(2, "BU01411801")
    run = made_run(factory, issued_batch(factory), count=5, letters=(5,), lines=5)
    session.commit()

    page = coordinator.get(f"/beheer/rondes/{run.round_id}/brieven")

    cells = [[cell.to_text().strip() for cell in row.query("th, td")] for row in page.all("details tbody tr")]
    assert sorted(count for _name, count in cells) == ["2", "3"]


def take(coordinator: Browser, run: LetterRun, what: str) -> TestResponse:
    """Press a button of the page that hands out files."""
    path = f"/beheer/rondes/{run.round_id}/brieven"
    return coordinator.send(coordinator.get(path), f"{path}/{run.id}/{what}")


def test_a_download_is_the_file_itself_and_stands_in_the_event_log(
    app: Flask, session: Session, factory: Factory, coordinator: Browser
) -> None:
    run = made_run(factory, issued_batch(factory))
    session.commit()
    keep_files(app, factory, run)

    letters, lines = take(coordinator, run, "bestand/letters/2"), take(coordinator, run, "bestand/addresses/1")

    assert (letters.data, letters.content_type) == (b"letters 2", "application/pdf")
    assert lines.data == b"addresses 1"
    assert letters.headers["Cache-Control"] == "no-store"
    name = f"najaar-2026-partij-{run.batch_id}-brieven-002.pdf"
    assert letters.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    events = session.scalars(select(Event).where(Event.kind == "letters.file_downloaded").order_by(Event.id)).all()
    assert [(event.details or {})["file"] for event in events] == ["letters", "addresses"]
    page = coordinator.get(f"/beheer/rondes/{run.round_id}/brieven")
    assert page.text.count("gedownload ") == 2
    assert "Er is al een bestand gedownload" in coordinator.get(f"{page.path}/{run.id}/intrekken").text


def test_all_files_come_in_one_zip_with_the_printers_list(
    app: Flask, session: Session, factory: Factory, coordinator: Browser
) -> None:
    run = made_run(factory, issued_batch(factory))
    session.commit()
    keep_files(app, factory, run)

    answer = take(coordinator, run, "alles")

    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        found = {
            name.removeprefix(f"najaar-2026-partij-{run.batch_id}-"): archive.read(name) for name in archive.namelist()
        }
    assert found.pop("controlelijst.csv").count(b"\r\n") == 5
    assert found == {
        "adressen-001.csv": b"addresses 1",
        "brieven-001.pdf": b"letters 1",
        "brieven-002.pdf": b"letters 2",
    }
    assert "Alles gedownload" in coordinator.get(f"/beheer/rondes/{run.round_id}/brieven").text


@pytest.mark.parametrize("harm", ["gone", "broken"])
def test_a_file_that_is_gone_or_damaged_is_not_handed_out(
    app: Flask, session: Session, factory: Factory, coordinator: Browser, harm: str
) -> None:
    run = made_run(factory, issued_batch(factory))
    session.commit()
    keep_files(app, factory, run)
    store, key = app.extensions["file_store"], key_of(run, FileKind.LETTERS, 1)
    if harm == "gone":
        store.delete(key)
    else:
        store.put(key, store.get(key)[0][:-9], SEALED_TYPE)

    answer = take(coordinator, run, "bestand/letters/1")

    assert answer.status_code == 409
    assert "beschadigd of weg" in answer.get_data(as_text=True)
    assert session.scalar(select(func.count()).where(Event.kind == "letters.file_downloaded")) == 0


def test_what_lies_in_the_file_store_is_sealed_and_goes_after_two_weeks(
    app: Flask, session: Session, factory: Factory, coordinator: Browser
) -> None:
    run = made_run(factory, issued_batch(factory))
    session.commit()
    keep_files(app, factory, run)
    store = app.extensions["file_store"]
    keys = [key for key, _written in store.keys("letters/")]
    assert keys
    assert not any(b"letters" in store.get(key)[0] or b"addresses" in store.get(key)[0] for key in keys)
    ask = f"/beheer/rondes/{run.round_id}/brieven/{run.id}/overdragen"
    coordinator.submit(coordinator.get(ask), ask, sure="1")

    purge_personal_data.run(factory.now + 13 * DAY)
    assert len(list(store.keys("letters/"))) == 3
    purge_personal_data.run(factory.now + 15 * DAY)

    assert list(store.keys("letters/")) == []
    assert {file.store_key for file in row_of(factory, run).files} == {None}
    assert "gewist" in coordinator.get(f"/beheer/rondes/{run.round_id}/brieven").text
