# SPDX-License-Identifier: EUPL-1.2
"""What was found by attacking rounds at work, each with the test that would have told."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from abs_platform.database import db
from abs_platform.errors import Conflict
from abs_platform.ledger.queries import check
from abs_platform.letters import handing_over, press, service
from abs_platform.letters.models import LetterFile
from abs_platform.paper.models import EntryBatch
from abs_platform.paper.schemas import read_codes
from abs_platform.paper.service import refuse
from abs_platform.paper.states import EntryOutcome
from abs_platform.replacements import returning, routes_beheer
from abs_platform.replacements.models import ReturnedLetter
from abs_platform.replacements.states import ReturnReason
from abs_platform.users import Role
from abs_platform.vouchers.codes import format_payload, read_code
from jobs import book_entries, expire_vouchers, purge_personal_data
from tests.concurrency.racing import assert_books_are_right, at_once, committed
from tests.factories import TEST_ACTOR, Factory
from tests.letters.making import run_of
from tests.paper.organisers import Paper
from tests.people import People

DAY = dt.timedelta(days=1)


def test_sealed_letters_that_were_put_down_before_their_row_are_wiped_too(
    app: Flask, session: Session, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory.households(2)
    round_ = factory.round()
    factory.issue(round_)
    run = run_of(factory, round_)
    add_file = service.add_file

    def withdrawn_meanwhile(session: Session, made: LetterFile) -> None:
        handing_over.withdraw(session, run.id, reason="Verkeerde tekst.", actor=TEST_ACTOR, now=factory.now)
        add_file(session, made)

    monkeypatch.setattr(service, "add_file", withdrawn_meanwhile)
    with pytest.raises(Conflict, match="ingetrokken"):
        press.make_files(run.id, None, keys=factory.keys)
    session.rollback()
    store = app.extensions["file_store"]
    left = [key for key, _written_at in store.keys("letters/")]
    assert left
    assert session.scalars(select(LetterFile)).all() == []

    purge_personal_data.run(factory.now)
    assert [key for key, _written_at in store.keys("letters/")] == left, "its press may still be at work"
    purge_personal_data.run(factory.now + 2 * DAY)

    assert list(store.keys("letters/")) == []


def test_who_scans_returned_letters_cannot_guess_codes_without_end(
    app: Flask, session: Session, factory: Factory, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection
    monkeypatch.setattr(routes_beheer, "UNKNOWN_AN_HOUR", 2)
    codes = factory.codes(3)
    desk = factory.account(name="Bram", roles=(Role.DESK,))
    browser = People(app, factory).browser(desk)

    def scan(code: str, status: int) -> str:
        page = browser.get("/beheer/post/retour")
        return browser.submit(page, "/beheer/post/retour", status=status, code=code, why="empty").text

    scan(codes[0], 200)
    scan(codes[0], 409)  # twice is no guess
    for number in (1, 2):
        assert "Geen brief van ons" in scan(format_payload(read_code(codes[0]) ^ number), 422)
    scan(codes[1], 429)

    session.expire_all()
    assert len(session.scalars(select(ReturnedLetter)).all()) == 1
    assert factory.voucher(codes[1]).state == "issued"


def test_a_code_that_was_handed_in_before_the_closing_is_given_although_its_batch_waits_until_after_it(
    session: Session, factory: Factory
) -> None:
    codes = factory.codes(3, closes=DAY)
    initiative = factory.initiative()
    paper = Paper(factory, initiative, factory.account().id, large=2)

    assert paper.outcomes(codes) == [EntryOutcome.GIVEN, EntryOutcome.GIVEN, EntryOutcome.WAITING]
    session.commit()
    expire_vouchers.run(factory.now + 2 * DAY)
    book_entries.run(factory.now + 2 * DAY + dt.timedelta(minutes=10))
    db.session.rollback()
    session.expire_all()

    assert factory.voucher(codes[2]).state == "given"
    assert check(session) == []


def test_a_code_whose_batch_is_refused_after_the_closing_does_not_live_on(session: Session, factory: Factory) -> None:
    codes = factory.codes(3, closes=DAY)
    initiative = factory.initiative()
    paper = Paper(factory, initiative, factory.account().id, large=2)
    paper.outcomes(codes)
    (batch,) = session.scalars(select(EntryBatch.id).where(EntryBatch.state == "waiting"))
    by_id = factory.account().id
    refuse(session, batch, "Vreemd.", actor=TEST_ACTOR, by_id=by_id, now=factory.now + 2 * DAY)
    session.commit()

    expire_vouchers.run(factory.now + 4 * DAY)
    session.expire_all()

    assert factory.voucher(codes[2]).state == "expired"
    assert check(session) == []


def test_a_letter_that_is_scanned_twice_at_the_same_moment_is_booked_once(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    (code,) = own_factory.codes()
    desk = own_factory.account(name="Bram", roles=(Role.DESK,)).id
    own_session.commit()
    digest, now = own_factory.digest(code), own_factory.now

    def scan(session: Session) -> str:
        returning.scan(session, digest, ReturnReason.EMPTY, account_id=desk, actor=TEST_ACTOR, now=now)
        return "booked"

    answers = at_once([committed(own_app, scan)] * 4)

    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (answers.count("booked"), len(refused)) == (1, 3)
    assert len(own_session.scalars(select(ReturnedLetter)).all()) == 1
    assert_books_are_right(own_session)


def test_a_paste_of_beginnings_of_addresses_keeps_nobody_busy() -> None:
    """So long a text took a worker a minute."""
    found = read_codes("http://" * 20_000 + "\nhttps://buurt.example/v#AAAA-AAAA-AAAA")

    assert found[-1].text == "AAAA-AAAA-AAAA"
