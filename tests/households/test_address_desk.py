# SPDX-License-Identifier: EUPL-1.2
"""The coordinator's addresses: files are looked at before they are applied, and then exactly that or nothing."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.database import db
from abs_platform.events import Event
from abs_platform.households import routes_files, sent_files
from abs_platform.households.models import AddressImport, Household
from abs_platform.work.models import WorkOrder
from abs_platform.work.states import WorkKind
from jobs import do_work, purge_personal_data, work_addresses
from tests.factories import Factory
from tests.households.files import FULL, KEY, home, key_row, text
from tests.page import Browser, Page
from tests.people import People

INDEX, SEND = "/beheer/adressen", "/beheer/adressen/inlezen"
KEYS = text([key_row(number) for number in range(1, 60)], KEY)


@pytest.fixture
def carla(app: Flask, factory: Factory) -> Browser:
    """Who coordinates."""
    return People(app, factory).coordinator()


def bag(*numbers: int, also: tuple[dict[str, str], ...] = ()) -> str:
    return text([*(home(number) for number in numbers), *also])


def upload(
    browser: Browser, addresses: str | bytes, key: str | bytes = KEYS, *, status: int = 200, **more: Any
) -> Page:
    def file(content: str | bytes, name: str) -> tuple[BytesIO, str]:
        return BytesIO(content if isinstance(content, bytes) else content.encode()), name

    files = {"bag": file(addresses, "Adressen nov.csv"), "key": file(key, "pc6hnr.csv")}
    return browser.submit(browser.get(SEND), SEND, status=status, **files | more)  # type: ignore[arg-type]


def work() -> None:
    """Let the job process do what waits."""
    assert do_work.run(clock.now()).errors == []
    db.session.remove()


def looked(browser: Browser, addresses: str, **more: Any) -> Page:
    page = upload(browser, addresses, **more)
    work()
    return browser.get(page.path)


def take_over(browser: Browser, page: Page, *, status: int = 200, **ticks: str) -> Page:
    path = f"{page.path}/overnemen"
    return browser.submit(browser.get(path), path, status=status, **{"sure": "1"} | ticks)


def newest(session: Session) -> WorkOrder:
    session.expire_all()
    return session.scalars(select(WorkOrder).order_by(WorkOrder.id.desc()).limit(1)).one()


def streets(session: Session) -> dict[int, dt.date | None]:
    session.expire_all()
    return dict(session.execute(select(Household.house_number, Household.ended_on)).all())


def test_files_are_looked_at_and_then_taken_over_as_the_report_said(session: Session, carla: Browser) -> None:
    bad = home(4, postcode="GEEN")
    page = upload(carla, bag(1, 2, 3, also=(bad, home(5, gemeente="Hengelo"))), edition="2026-11")
    assert "wacht" in page.text.lower()
    work()
    report = carla.get(page.path)
    assert streets(session) == {}
    assert "Adressen_nov.csv, regel 5, kolom postcode: 'GEEN' is geen postcode." in report.text
    assert "andere gemeente" in report.text
    assert "1 regel is afgekeurd" in report.text

    refused = take_over(carla, report, status=422)
    assert "de afgekeurde regels doen niet mee" in refused.text
    progress = take_over(carla, report, skip_rejected="1")
    work()

    assert streets(session) == dict.fromkeys((1, 2, 3))
    done = carla.get(progress.path)
    assert "De adressen zijn overgenomen. 3 nieuw, 0 terug, 0 veranderd, 0 verdwenen." in done.text
    stored = session.scalars(select(AddressImport)).one()
    assert (stored.bag_file, stored.bag_edition, stored.rejected_count) == ("Adressen_nov.csv", "2026-11", 1)
    index = carla.get(INDEX)
    assert "editie 2026-11" in index.text
    assert "Dit is overgenomen" in carla.get(report.path).text
    take_over(carla, report, skip_rejected="1", status=409)
    assert session.scalar(select(Event.actor).where(Event.kind == "addresses.imported")).startswith("staff:")  # type: ignore[union-attr]


def test_many_gone_addresses_need_a_tick_and_a_reason_that_is_remembered(session: Session, carla: Browser) -> None:
    take_over(carla, looked(carla, bag(*range(1, 11))))
    work()
    report = looked(carla, bag(1, 2))
    assert "Er verdwijnen meer adressen dan" in report.text

    assert "er verdwijnen veel adressen" in take_over(carla, report, status=422).text
    assert "Schrijf op waarom" in take_over(carla, report, status=422, allow_gone="1").text
    take_over(carla, report, allow_gone="1", reason="Sloop van de flat.")
    work()

    assert sum(day is not None for day in streets(session).values()) == 8
    reasons = select(Event.reason).where(Event.kind == "addresses.imported").order_by(Event.id)
    assert list(session.scalars(reasons)) == [None, "Sloop van de flat."]


def test_nothing_is_taken_over_without_the_tick_of_who_looked(session: Session, carla: Browser) -> None:
    report = looked(carla, bag(1))
    path = f"{report.path}/overnemen"

    page = carla.submit(carla.get(path), path, status=422)

    assert "je hebt de aantallen bekeken" in page.text
    assert newest(session).kind == WorkKind.CHECK_ADDRESSES


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_address_that_changed_since_the_look_stops_it_all(
    session: Session, factory: Factory, carla: Browser, when: str
) -> None:
    report = looked(carla, bag(1, 2))
    if when == "after":
        take_over(carla, report)
    factory.households()
    session.commit()

    if when == "before":
        assert "kun je dit rapport niet meer overnemen" in carla.get(report.path).text
        assert "Sinds het nakijken" in take_over(carla, report, status=409).text
    else:
        work()
        assert newest(session).state == "failed"
        assert "Sinds het nakijken zijn er adressen of buurten veranderd" in (newest(session).error or "")
    assert session.scalar(select(func.count()).select_from(AddressImport)) == 0
    assert len(streets(session)) == 1


def test_a_result_that_is_not_the_reports_is_rolled_back(session: Session, carla: Browser) -> None:
    report = looked(carla, bag(1, 2))
    order = newest(session)
    order.result = order.result | {"report": order.result["report"] | {"new": 3}}  # type: ignore[operator, index]
    session.commit()

    take_over(carla, report)
    work()

    assert newest(session).state == "failed"
    assert streets(session) == {}


def test_other_bytes_than_were_looked_at_are_not_taken_over(session: Session, carla: Browser) -> None:
    report = looked(carla, bag(1, 2))
    store = current_app.extensions["file_store"]
    key = sent_files.store_key(newest(session).params["bag_sha256"])
    store.put(key, bag(1, 2, 3).encode(), "text/csv")

    take_over(carla, report)
    work()

    assert newest(session).state == "failed"
    assert streets(session) == {}


def test_who_died_half_way_left_nothing_and_who_died_after_it_does_not_do_it_twice(
    session: Session, carla: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dies(*_arguments: Any, **_options: Any) -> Any:
        raise Killed

    take_over(carla, looked(carla, bag(1, 2)))
    with monkeypatch.context() as patch:
        patch.setattr("abs_platform.households.service._remember", dies)
        with pytest.raises(Killed):
            do_work.run(clock.now())
    db.session.remove()
    assert streets(session) == {}
    with monkeypatch.context() as patch:
        patch.setattr(work_addresses, "ngettext", dies)  # after the commit, before the order is done
        with pytest.raises(Killed):
            do_work.run(clock.now())
    db.session.remove()
    assert len(streets(session)) == 2

    work()

    assert newest(session).state == "done"
    assert session.scalar(select(func.count()).select_from(AddressImport)) == 1


BAD: dict[str, tuple[str | bytes, str | bytes, str]] = {
    "empty": ("", KEYS, "Kies een bestand. Koos je er een, dan is het leeg."),
    "zip": (b"PK\x03\x04" + os.urandom(50), KEYS, "Dit is een zip- of Excelbestand. Pak het uit"),
    "not csv": ("Beste collega\n", KEYS, "Dit is geen CSV"),
    "bytes": (bag(1), b"\x00\x01;\x02\n", "Dit is geen CSV"),
    "twice": (KEYS, KEYS, "Dit is twee keer hetzelfde bestand."),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_a_file_of_addresses_is_refused_at_once(session: Session, carla: Browser, case: str) -> None:
    addresses, key, sentence = BAD[case]

    page = upload(carla, addresses, key, status=422, edition="2026-11")

    assert sentence in page.text
    assert page.field("edition") == "2026-11"
    assert session.scalar(select(func.count()).select_from(WorkOrder)) == 0
    assert list(current_app.extensions["file_store"].keys("")) == []


def test_a_file_that_is_too_large_is_refused(session: Session, carla: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_files, "MAX_KEY_BYTES", 1_000)

    assert "Dit bestand is te groot" in upload(carla, bag(1), status=422).text
    assert session.scalar(select(func.count()).select_from(WorkOrder)) == 0


def test_no_files_at_all_come_back_with_both_told(carla: Browser) -> None:
    page = carla.submit(carla.get(SEND), SEND, status=422)

    assert len(page.all(".abs-error-summary__link")) == 2


@pytest.mark.parametrize(
    ("addresses", "key", "sentence"),
    [
        (text([home(1, gemeente="Hengelo")]), KEYS, "staat geen huishouden van Almelo in"),
        (KEYS, bag(1), "verwisseld"),
        (bag(1), text([key_row(1, Buurt2025="03630000")], KEY), "er staat geen adres van Almelo"),
        (text([home(1)], FULL[:5]), KEYS, "kolommen ontbreken"),
    ],
    ids=["wrong town", "swapped", "wrong key", "columns"],
)
def test_what_the_look_finds_wrong_is_told_with_the_name_of_the_file_only(
    session: Session, carla: Browser, addresses: str, key: str, sentence: str
) -> None:
    page = upload(carla, addresses, key)
    work()

    told = carla.get(page.path).text
    assert sentence in told
    assert newest(session).state == "failed"
    assert "/tmp" not in (newest(session).error or "")  # noqa: S108
    carla.get(f"{page.path}/overnemen", status=409)


def test_the_same_files_at_once_are_looked_at_once(session: Session, carla: Browser) -> None:
    first, again = upload(carla, bag(1)), upload(carla, bag(1))

    assert first.path == again.path
    assert session.scalar(select(func.count()).select_from(WorkOrder)) == 1


def test_files_wait_seven_days_unless_they_were_applied(session: Session, carla: Browser) -> None:
    store = current_app.extensions["file_store"]

    def kept() -> int:
        return len(list(store.keys(f"{sent_files.FOLDER}/")))

    def purge(days: float) -> None:
        assert purge_personal_data.run(clock.now() + dt.timedelta(days=days)).errors == []
        db.session.remove()

    report = looked(carla, bag(1, also=(home(2, postcode="GEEN"),)))
    purge(6.9)
    assert (kept(), len(newest(session).result["rejections"])) == (2, 1)  # type: ignore[index]
    purge(7.1)
    assert (kept(), "rejections" in (newest(session).result or {})) == (0, False)
    assert "zijn gewist" in carla.get(report.path).text
    session.execute(update(WorkOrder).values(asked_at=clock.now() - dt.timedelta(days=8)))
    session.commit()
    assert "te lang geleden" in take_over(carla, report, status=409, skip_rejected="1").text

    take_over(carla, looked(carla, bag(1)))
    work()
    assert kept() == 2
    purge(0.1)
    assert kept() == 0


def test_an_address_is_found_by_postcode_or_street_and_never_tells_of_vouchers(
    session: Session, factory: Factory, carla: Browser
) -> None:
    code = factory.codes(1)[0]
    there = session.get_one(Household, factory.voucher(code).household_id or 0)
    session.commit()

    by_postcode = carla.get(f"{INDEX}/zoeken?postcode=7609+ab&house_number={there.house_number}")
    by_street = carla.get(f"{INDEX}/zoeken?street=groen&postcode=&house_number=")
    nothing = carla.get(f"{INDEX}/zoeken?postcode=9999+ZZ")
    refused = carla.get(f"{INDEX}/zoeken?street=ab", status=422)
    page = carla.get(f"{INDEX}/{there.id}")

    assert there.address_line in by_postcode.text
    assert there.address_line in by_street.text
    assert "Geen adres gevonden" in nothing.text
    assert "eerste drie letters" in refused.text
    assert code not in page.html
    assert "Groeneveld" in page.text
    before = page.text
    factory.give(code, factory.initiative())
    session.commit()
    assert carla.get(f"{INDEX}/{there.id}").text == before
    carla.get(f"{INDEX}/987654", status=404)


def test_by_hand_through_the_pages_with_who_and_why_for_the_second_look(
    session: Session, factory: Factory, carla: Browser
) -> None:
    there = factory.households()[0]
    number, area = there.house_number, str(there.neighbourhood_id)
    session.commit()
    path, new = f"{INDEX}/{there.id}", f"{INDEX}/nieuw"

    carla.submit(carla.get(f"{path}/beeindigen"), f"{path}/beeindigen", status=422)
    ended = carla.submit(carla.get(f"{path}/beeindigen"), f"{path}/beeindigen", reason="Gesloopt.")
    typed = {"street": "Groeneveldstraat", "house_number": str(number), "postcode": "7609 ab", "reason": "Nieuwbouw."}
    typed["object_type"] = "VBO"
    exists = carla.submit(carla.get(new), new, status=409, neighbourhood=area, **typed)
    back = carla.submit(carla.get(f"{path}/terughalen"), f"{path}/terughalen", reason="Toch niet.")
    wrong = carla.submit(carla.get(f"{path}/splitsen"), f"{path}/splitsen", status=422, numbers="1A, x", reason="a")
    numbers = f"{number}A, {number}B"
    split = carla.submit(carla.get(f"{path}/splitsen"), f"{path}/splitsen", numbers=numbers, reason="Verbouwd.")
    added = carla.submit(carla.get(new), new, neighbourhood=area, **typed | {"house_number": f"{number}C-2"})
    empty = carla.submit(carla.get(new), new, status=422, house_number="12 hoog", postcode="x")
    listed = carla.get(f"{INDEX}?lijst=met-de-hand")

    assert "Het adres is beëindigd." in ended.text
    assert [link.attrs["href"] for link in exists.all(f'main a[href="{path}"]')] == [path]
    assert "telt weer mee" in back.text
    assert "begint met" in wrong.text or "is geen huisnummer" in wrong.text
    assert "Er is 1 adres bij gekomen" in split.text
    assert f"{number}C-2" in added.text
    assert "nog niet bekend" in added.text
    assert "Vul de straat in" in empty.text
    for reason in ("Gesloopt.", "Toch niet.", "Verbouwd.", "Nieuwbouw."):
        assert reason in listed.text
    assert "Carla" in listed.text or "was: telt mee, werd: beëindigd" in listed.text
    assert session.scalar(select(func.count()).where(Household.added_by_hand_at.is_not(None))) == 2
    assert "Vandaag kunnen er nog 48 bij" in carla.get(new).text


def test_only_the_coordinator_comes_here(app: Flask, factory: Factory, carla: Browser) -> None:
    manager: Callable[..., Any] = People(app, factory).manager().get

    for path in (INDEX, SEND, f"{INDEX}/nieuw", f"{INDEX}/zoeken?postcode=7607AA"):
        manager(path, status=403)
