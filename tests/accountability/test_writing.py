# SPDX-License-Identifier: EUPL-1.2
"""Writing an accountability: saved as it goes, line by line with its receipts, and sent when nothing is missing."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from abs_platform.accountability import queries, service
from abs_platform.accountability.models import Accountability, CostLine, CostReceipt
from abs_platform.accountability.service import CostInput
from abs_platform.accountability.states import MAX_LINES
from abs_platform.errors import AbsError, Conflict, InvalidInput
from abs_platform.events import Event
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.media.models import Picture
from tests.accountability.accounts import PDF, begun, fetch, filled_in, path_of, picture, send_cost, sent, who
from tests.concurrency.racing import at_once, committed
from tests.factories import Factory
from tests.media.pictures import photo
from tests.people import People


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


@pytest.fixture
def initiative(factory: Factory, people: People) -> Initiative:
    assert people
    return begun(factory)


def found(session: Session, initiative: Initiative) -> queries.Account:
    """The accountability as the database has it."""
    session.expire_all()
    account = queries.find(session, initiative.id)
    assert account is not None
    return account


def test_the_organisers_say_that_they_begin_once_the_money_is_there(people: People, factory: Factory) -> None:
    made = factory.initiative(State.FUNDED, target_cents=5_250)
    factory.session.commit()
    anna, path = people.organiser(made, 1), f"/account/initiatieven/{made.id}/beginnen"
    page = anna.get(path)

    anna.submit(page, path)
    again = anna.submit(page, path)

    factory.session.expire_all()
    assert made.state == State.IN_PROGRESS
    assert "al begonnen" in again.text
    assert len(factory.session.scalars(select(Event).where(Event.kind == "initiative.in_progress")).all()) == 1


@pytest.mark.parametrize("state", sorted(set(State) - {State.FUNDED, State.IN_PROGRESS}, key=str))
def test_nobody_begins_without_the_money(people: People, factory: Factory, state: State) -> None:
    made = factory.initiative(state, target_cents=5_250)
    factory.session.commit()
    anna = people.organiser(made)
    token = anna.get("/account/gegevens").field("csrf_token")

    anna.post(f"/account/initiatieven/{made.id}/beginnen", {"csrf_token": token}, status=404)

    factory.session.expire_all()
    assert made.state == state


@pytest.mark.parametrize("state", sorted(set(State) - {State.IN_PROGRESS}, key=str))
def test_nobody_accounts_for_what_has_not_begun(people: People, factory: Factory, state: State) -> None:
    made = factory.initiative(state, target_cents=5_250)
    account = people.organiser_account(made)

    with pytest.raises(AbsError):
        service.save_story(factory.session, made.id, "Klaar.", version=0, **who(account, factory))


def test_each_part_is_saved_by_itself_and_any_organiser_goes_on(people: People, initiative: Initiative) -> None:
    anna, bram = people.organiser(initiative), people.organiser(initiative, 1)
    story = path_of(initiative, "verhaal")

    anna.submit(anna.get(story), story, story="Het werd **mooi**.")
    send_cost(bram, initiative, 1, photo(), actual="40,25")
    overview = anna.get(path_of(initiative))

    assert "1 van 2 ingevuld" in overview.text
    account = found(people.factory.session, initiative)
    assert (account.story, account.spent_cents, account.unspent_cents) == ("Het werd **mooi**.", 4_025, 1_225)
    assert [receipt.file_name for receipt in account.costs[0].receipts] == ["kassabon.jpg"]


def test_what_is_missing_is_named_and_nothing_is_sent(people: People, initiative: Initiative) -> None:
    anna = people.organiser(initiative)
    send_cost(anna, initiative, 1, actual="40")
    overview = anna.get(path_of(initiative))

    token = anna.get(path_of(initiative, "verhaal")).field("csrf_token")
    refused = anna.post(path_of(initiative), {"csrf_token": token}, status=422)

    for page in (overview, refused):
        assert "Vertel hoe het is gegaan." in page.text
        assert "Voeg een bon toe bij 'Bomen'" in page.text
        assert "Vul in wat 'Koffie' echt heeft gekost." in page.text
    assert not overview.all(f'form[action="{path_of(initiative)}"]')
    assert found(people.factory.session, initiative).state == "draft"


def test_a_cost_of_nothing_needs_no_receipt(people: People, initiative: Initiative) -> None:
    anna = people.organiser(initiative)
    for position in (1, 2):
        send_cost(anna, initiative, position, actual="0")

    assert set(service.problems_of(people.factory.session, initiative.id)) == {"story"}


@pytest.mark.parametrize("typed", ["veel", "-5", "1,234", "99999999"])
def test_an_amount_that_is_none_is_refused_and_what_was_typed_stays(
    people: People, initiative: Initiative, typed: str
) -> None:
    page = send_cost(people.organiser(initiative), initiative, 1, actual=typed, no_receipt_reason="Kwijt.", status=422)

    assert page.one("#actual-error")
    assert page.field("actual") == typed
    assert page.field("no_receipt_reason") == "Kwijt."


def test_a_cost_that_was_not_planned_is_added_changed_and_taken_away(people: People, initiative: Initiative) -> None:
    anna, new = people.organiser(initiative), path_of(initiative, "kosten", "nieuw")
    refused = anna.submit(anna.get(new), new, status=422, actual="5")
    assert refused.one("#description-error")

    anna.submit(anna.get(new), new, description="Schep", actual="5", no_receipt_reason="Markt")
    send_cost(anna, initiative, 3, description="Twee scheppen", actual="10", no_receipt_reason="Markt")

    extra = found(people.factory.session, initiative).costs[2]
    assert (extra.description, extra.planned_cents, extra.actual_cents) == ("Twee scheppen", None, 1_000)
    path = path_of(initiative, "kosten", 3)
    anna.submit(anna.get(path), f"{path}/verwijderen")
    assert len(found(people.factory.session, initiative).costs) == 2


def test_a_line_of_the_budget_stays(people: People, initiative: Initiative, factory: Factory) -> None:
    account = people.organiser_account(initiative)
    filled_in(factory, initiative, account)

    with pytest.raises(Conflict):
        service.remove_cost(factory.session, initiative.id, 1, **who(account, factory))

    assert len(factory.session.scalars(select(CostLine)).all()) == 2


def test_two_organisers_do_not_overwrite_each_others_story_unseen(people: People, initiative: Initiative) -> None:
    anna, bram, path = people.organiser(initiative), people.organiser(initiative, 1), path_of(initiative, "verhaal")
    first, second = anna.get(path), bram.get(path)

    anna.submit(first, path, story="Van Anna.")
    refused = bram.submit(second, path, status=409, story="Van Bram.")

    assert refused.one("#story").to_text().strip() == "Van Bram."
    assert "Van Anna." in refused.text
    bram.submit(refused, path)
    assert found(people.factory.session, initiative).story == "Van Bram."


def test_two_organisers_do_not_overwrite_each_others_amount_unseen(people: People, initiative: Initiative) -> None:
    anna, bram, path = people.organiser(initiative), people.organiser(initiative, 1), path_of(initiative, "kosten", 1)
    first, second = anna.get(path), bram.get(path)

    anna.submit(first, path, actual="40")
    bram.submit(second, path, status=409, actual="30")

    assert found(people.factory.session, initiative).costs[0].actual_cents == 4_000


def test_a_pdf_is_kept_as_it_is_and_a_photo_is_made_anew(people: People, initiative: Initiative) -> None:
    anna = people.organiser(initiative)
    send_cost(anna, initiative, 1, PDF, actual="40")
    send_cost(anna, initiative, 1, photo(), actual="40")
    pdf, image = people.factory.session.scalars(select(Picture).order_by(Picture.id))

    answers = [fetch(anna, path_of(initiative, "bonnen", receipt.id)) for receipt in (pdf, image)]

    assert answers[0].get_data() == PDF
    assert answers[0].headers["Content-Disposition"].startswith("attachment")
    assert answers[1].content_type == "image/jpeg"
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("file", [b"<script>alert(1)</script>", b"%PDF-1.7 cut off", b"GIF89a", b"MZ\x90\x00"])
def test_a_file_that_is_no_receipt_is_refused_and_nothing_is_kept(
    people: People, initiative: Initiative, file: bytes
) -> None:
    page = send_cost(people.organiser(initiative), initiative, 1, file, actual="40", status=422)

    assert page.one("#receipt-error")
    assert page.field("actual") == "40"
    assert people.factory.session.scalars(select(Picture)).all() == []


def test_a_receipt_is_taken_away_by_organisers_while_it_is_theirs(people: People, initiative: Initiative) -> None:
    anna = people.organiser(initiative)
    send_cost(anna, initiative, 1, photo(), actual="40")
    receipt_id = people.factory.session.scalars(select(CostReceipt.picture_id)).one()
    page = anna.get(path_of(initiative, "kosten", 1))

    anna.submit(page, path_of(initiative, "bonnen", receipt_id, "verwijderen"))

    assert found(people.factory.session, initiative).costs[0].receipts == []
    assert fetch(anna, path_of(initiative, "bonnen", receipt_id)).status_code == 404


def test_a_photo_without_words_stands_in_the_way_of_sending(people: People, initiative: Initiative) -> None:
    anna, path = people.organiser(initiative), path_of(initiative, "fotos")
    anna.submit(anna.get(path), path, picture=picture())
    (view,) = found(people.factory.session, initiative).pictures
    assert "pictures" in service.problems_of(people.factory.session, initiative.id)

    anna.submit(anna.get(path), f"{path}/{view.id}", **{f"alt-{view.id}": "Tien bomen op een rij"})

    assert "pictures" not in service.problems_of(people.factory.session, initiative.id)
    page = anna.get(path)
    token = page.field("csrf_token")
    anna.post(f"{path}/{view.id}", {"csrf_token": token, "remove": "1"})
    assert found(people.factory.session, initiative).pictures == []


def test_once_sent_nothing_changes_until_the_desk_has_looked(
    people: People, initiative: Initiative, factory: Factory
) -> None:
    account = people.organiser_account(initiative)
    sent(factory, initiative, account)
    session, by = factory.session, who(account, factory)

    for change in (
        partial(service.save_story, session, initiative.id, "Anders.", version=1, **by),
        partial(service.save_cost, session, initiative.id, 1, CostInput(actual_cents=1, seen_cents=4_000), **by),
        partial(service.remove_cost, session, initiative.id, 2, **by),
        partial(service.refuse_when_sent, session, initiative.id),
    ):
        with pytest.raises(Conflict):
            change()
    anna = people.organiser(initiative)
    assert "Verstuur de verantwoording" not in anna.get(path_of(initiative)).text
    assert not anna.get(path_of(initiative, "verhaal")).all("main form")
    assert not anna.get(path_of(initiative, "kosten", 1)).all("main form")
    assert not anna.get(path_of(initiative, "fotos")).all("main form")
    assert found(session, initiative).story == "Er staan **tien** bomen."


def test_an_accountability_that_two_send_at_once_is_sent_once(own_app: Flask, own_factory: Factory) -> None:
    people = People(own_app, own_factory)
    initiative = begun(own_factory)
    accounts = [people.organiser_account(initiative, number) for number in range(3)]
    filled_in(own_factory, initiative, accounts[0])
    by = [who(one, own_factory) for one in accounts]
    works = [committed(own_app, partial(service.submit, initiative_id=initiative.id, **one)) for one in by]

    results = at_once(works)

    assert sorted(map(bool, results)) == [False, False, True]
    own_factory.session.rollback()
    kinds = own_factory.session.scalars(select(Event.kind).where(Event.kind.startswith("initiative.accountability")))
    assert sorted(kinds) == ["initiative.accountability_begun", "initiative.accountability_submitted"]


def test_two_who_begin_to_write_at_once_write_one(own_app: Flask, own_factory: Factory) -> None:
    people = People(own_app, own_factory)
    initiative = begun(own_factory)
    initiative_id = initiative.id
    organisers = [who(people.organiser_account(initiative, number), own_factory) for number in range(2)]
    own_factory.session.commit()

    def write(session: Session, position: int) -> int:
        cost = CostInput(actual_cents=100 * position)
        return service.save_cost(session, initiative_id, position, cost, **organisers[position - 1])

    assert at_once([committed(own_app, partial(write, position=position)) for position in (1, 2)]) == [1, 2]

    own_factory.session.rollback()
    assert len(own_factory.session.scalars(select(Accountability)).all()) == 1
    lines = own_factory.session.scalars(select(CostLine).order_by(CostLine.position)).all()
    assert [line.actual_cents for line in lines] == [100, 200]


def test_more_lines_than_anybody_reads_are_refused(people: People, initiative: Initiative, factory: Factory) -> None:
    account = people.organiser_account(initiative)
    extra = CostInput(description="Iets", actual_cents=100)

    for _ in range(MAX_LINES - 2):
        service.save_cost(factory.session, initiative.id, None, extra, **who(account, factory))

    with pytest.raises(InvalidInput):
        service.save_cost(factory.session, initiative.id, None, extra, **who(account, factory))
