# SPDX-License-Identifier: EUPL-1.2
"""The pages about paper: codes entered without JavaScript and by the queue, boxes with their labels, and the desk."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import Connection, select

from abs_platform.events import Event
from abs_platform.flyers.service import Colours
from abs_platform.paper.labels import Label, label_pdf, words_of
from abs_platform.paper.models import CollectionBox, EntryBatch
from abs_platform.paper.service import MOST_BOXES, register_box
from abs_platform.vouchers.codes import format_payload
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser, Page
from tests.paper.organisers import Paper, paper_of
from tests.people import OTHER_DESK, People

WRONG = format_payload(77)


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


@pytest.fixture
def paper(factory: Factory, people: People) -> Paper:
    made = paper_of(factory, large=100)
    made.account_id = people.organiser_account(made.initiative).id
    return made


def home(paper: Paper, what: str = "papier") -> str:
    return f"/account/initiatieven/{paper.initiative.id}/{what}"


def box_of(paper: Paper) -> CollectionBox:
    return register_box(
        paper.factory.session,
        paper.initiative.id,
        "Bakkerij Bos",
        "Markt 1",
        account_id=paper.account_id,
        actor=TEST_ACTOR,
        now=paper.factory.now,
    )


def paste(browser: Browser, paper: Paper, text: str, **fields: str) -> Page:
    token = browser.get(home(paper)).field("csrf_token")
    return browser.post(home(paper), {"csrf_token": token, "codes": text, **fields})


def test_thirty_codes_pasted_with_five_bad_ones_are_each_answered(paper: Paper, people: People) -> None:
    codes = paper.factory.fresh_codes(27)
    paper.given_online(codes[25])
    paper.given_online(codes[26])
    mistyped = [codes[0][:-1], f"{codes[1][1]}{codes[1][0]}{codes[1][2:]}" if codes[1][0] != codes[1][1] else "X"]
    anna = people.organiser(paper.initiative)

    page = paste(anna, paper, "\n".join([*codes[:25], *codes[25:], *mistyped, WRONG]))

    assert "25 gegeven" in page.text
    assert "3 kan niet worden gebruikt" in page.text
    assert "2 typfout" in page.text
    assert page.one("textarea").to_text().split() == mistyped
    assert not any(code in page.html for code in codes[:25])
    assert all(page.html.count(code) == 1 for code in (codes[25], codes[26], WRONG))
    assert page.response.headers["Cache-Control"] == "no-store"
    assert page.response.headers["Permissions-Policy"].startswith("camera=(self)")
    assert paper.gift(codes[24]) is not None


def test_neither_log_nor_events_nor_rows_hold_a_code(
    paper: Paper, people: People, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [*paper.factory.fresh_codes(2), WRONG]
    paste(people.organiser(paper.initiative), paper, "\n".join(codes))

    said, complained = capsys.readouterr()
    events = paper.factory.session.scalars(select(Event))
    written = [said, complained, str(vars(paper.batch()))]
    written += [f"{event.kind} {event.reason} {event.details}" for event in events]
    everything = "".join(written).replace("-", "")
    assert not any(code.replace("-", "") in everything for code in codes)


def test_a_mistyped_code_never_reaches_the_database(paper: Paper, people: People) -> None:
    paste(people.organiser(paper.initiative), paper, "K7QJ-4MXP")

    assert paper.factory.session.scalars(select(EntryBatch)).all() == []


def test_the_queue_gets_an_answer_to_each_text_and_may_send_it_again(paper: Paper, people: People) -> None:
    first, second = paper.factory.fresh_codes(2)
    anna = people.organiser(paper.initiative)
    token = anna.get(home(paper)).field("csrf_token")

    def send() -> tuple[list[list[str]], dict[str, object]]:
        answer = anna.client.post(
            home(paper),
            data={"csrf_token": token, "codes": [f"{first}\n{WRONG}", "typfout", second]},
            headers={"Accept": "application/json"},
        )
        told = json.loads(answer.data)
        return [[one["outcome"] for one in of] for of in told["answers"]], told

    outcomes, told = send()
    again, _told = send()

    assert outcomes == [["given", "not_usable"], ["mistyped"], ["given"]]
    assert again == [["before", "not_usable"], ["mistyped"], ["before"]]
    assert "€" in str(told["progress"])
    assert first not in json.dumps(told)


@pytest.mark.parametrize(("codes", "sentence"), [("", "Vul eerst"), ("KKKKKKKKKKKK\n" * 201, "hoogstens 200 tegelijk")])
def test_nothing_and_too_much_come_back_as_a_form(paper: Paper, people: People, codes: str, sentence: str) -> None:
    anna = people.organiser(paper.initiative)
    token = anna.get(home(paper)).field("csrf_token")

    page = anna.post(home(paper), {"csrf_token": token, "codes": codes}, status=422)

    assert sentence in page.text
    assert len(page.one("textarea").to_text().split()) == codes.count("\n")


def test_who_does_not_organise_it_finds_no_such_page(paper: Paper, people: People) -> None:
    people.resident().get(home(paper), status=404)
    people.resident().get(home(paper, "bussen"), status=404)


def test_an_organiser_registers_a_box_prints_its_label_and_enters_codes_from_it(paper: Paper, people: People) -> None:
    anna = people.organiser(paper.initiative)
    page = anna.get(home(paper, "bussen"))

    page = anna.submit(page, home(paper, "bussen"), place="Bakkerij Bos", address="Markt 1")
    box = paper.factory.session.scalars(select(CollectionBox)).one()
    pdf = anna.client.get(home(paper, f"bussen/{box.number}/label.pdf"))
    paste(anna, paper, paper.factory.fresh_codes(1)[0], box=str(box.number))

    assert f"Dit is bus {box.number}." in page.text
    assert pdf.content_type == "application/pdf"
    assert pdf.data.startswith(b"%PDF")
    assert paper.batch().box_id == box.id


def test_a_label_says_its_number_and_prints_names_of_any_kind() -> None:
    label = Label(
        number=1234,
        title="#set *Bomen* & \U0001f333 " + "lang" * 40,
        place="Café 't Böömke",
        url="http://localhost/bus/1234",
        short_url="localhost/bus/1234",
        site_name="Buurt",
        colours=Colours(),
    )

    words = words_of(label)

    assert words["heading"] == "Bus 1234"
    assert words["short_url"] == "localhost/bus/1234"
    assert label_pdf(label) == label_pdf(label)


def test_a_box_page_tells_everybody_what_it_is_for_and_lets_organisers_on(
    paper: Paper, people: People, browser_client: Browser
) -> None:
    box = box_of(paper)

    stranger = browser_client.get(f"/bus/{box.number}")
    anna = people.organiser(paper.initiative).get(f"/bus/{box.number}")

    assert paper.initiative.title in stranger.text
    assert "Geef je voucher zelf" in stranger.text
    assert "Voer codes uit deze bus in" not in stranger.text
    assert "Voer codes uit deze bus in" in anna.text
    browser_client.get("/bus/9999999", status=404)


def test_a_removed_box_takes_no_more_codes_and_says_so(paper: Paper, people: People) -> None:
    box, anna = box_of(paper), people.organiser(paper.initiative)

    page = anna.submit(anna.get(home(paper, "bussen")), home(paper, f"bussen/{box.number}/weghalen"))
    public = anna.get(f"/bus/{box.number}")

    assert "Haal ook het label eraf" in page.text
    assert "wordt niet meer geleegd" in public.text
    token = anna.get(home(paper)).field("csrf_token")
    anna.post(home(paper), {"csrf_token": token, "codes": WRONG, "box": str(box.number)}, status=404)


def test_a_box_of_another_initiative_is_not_found(paper: Paper, people: People) -> None:
    other = paper_of(paper.factory)
    other.account_id = paper.account_id
    box, anna = box_of(other), people.organiser(paper.initiative)

    anna.get(home(paper, f"bussen/{box.number}/label.pdf"), status=404)
    token = anna.get(home(paper)).field("csrf_token")
    anna.post(home(paper), {"csrf_token": token, "codes": WRONG, "box": str(box.number)}, status=404)


def test_an_initiative_has_so_many_boxes_at_most(paper: Paper, people: People) -> None:
    for _number in range(MOST_BOXES):
        box_of(paper)
    anna = people.organiser(paper.initiative)

    page = anna.submit(
        anna.get(home(paper, "bussen")), home(paper, "bussen"), status=409, place="Slager", address="Markt 2"
    )

    assert f"hoogstens {MOST_BOXES} bussen" in page.text
    assert page.field("place") == "Slager"


def waiting(paper: Paper) -> tuple[EntryBatch, list[str]]:
    """A batch of which two codes wait."""
    paper.large = 3
    codes = paper.factory.fresh_codes(5)
    paper.enter(codes)
    return paper.batch(), codes


def test_the_wijkregisseur_finds_a_large_batch_and_releases_it(paper: Paper, people: People) -> None:
    batch, codes = waiting(paper)
    paper.given_online(codes[3])
    sanne = people.manager()
    here = f"/regie/papier/{batch.id}"

    queue = sanne.get("/regie")
    listed = sanne.get("/regie/papier")
    refused = sanne.submit(sanne.get(here), here, status=422, decision="release")
    page = sanne.submit(sanne.get(here), here, decision="release", is_sure="1")

    assert queue.one(".desk-row__link").attrs["href"] == "/regie/papier"
    assert "Veel codes van papier" in queue.one(".desk-row").to_text()
    assert batch.reference in listed.text
    assert "Vink aan" in refused.text
    assert "1 voucher is gegeven. 1 kon niet meer en blijft van het huishouden." in page.text
    assert paper.gift(codes[4]) is not None
    assert paper.batch().state == "released"
    assert sanne.get("/regie").all(".desk-row__link") == []


def test_a_batch_is_refused_with_a_reason_that_its_organiser_reads(paper: Paper, people: People) -> None:
    batch, _codes = waiting(paper)
    sanne, here = people.manager(), f"/regie/papier/{batch.id}"
    token = sanne.get(here).field("csrf_token")

    sanne.post(here, {"csrf_token": token, "decision": "refuse", "reason": " "}, status=422)
    sanne.post(here, {"csrf_token": token, "decision": "refuse", "reason": "Alles op één middag."})

    assert paper.batch().state == "refused"
    assert "Alles op één middag." in people.organiser(paper.initiative).get(home(paper)).text


def test_another_desk_and_the_coordinator_look_and_do_not_decide(paper: Paper, people: People) -> None:
    batch, _codes = waiting(paper)
    here = f"/regie/papier/{batch.id}"

    for colleague in (people.manager(OTHER_DESK), people.coordinator()):
        page = colleague.get(here)
        assert "Geef de codes vrij" not in page.text
        token = colleague.get("/regie").field("csrf_token") if page.all('[name="csrf_token"]') else ""
        colleague.post(here, {"csrf_token": token, "decision": "release", "is_sure": "1"}, status=403 if token else 400)
    assert paper.batch().state == "waiting"


def test_boxes_that_stand_out_are_on_top_at_the_desk(paper: Paper, people: People) -> None:
    ordinary, odd = box_of(paper), box_of(paper)
    paper.enter(paper.factory.fresh_codes(1), box_id=ordinary.id)
    paper.enter([*paper.factory.fresh_codes(1), *(format_payload(number) for number in range(6))], box_id=odd.id)

    page = people.manager().get("/regie/bussen")

    numbers = [heading.to_text().strip() for heading in page.all("h2")]
    assert numbers[:2] == [f"Bus {odd.number}", f"Bus {ordinary.number}"]
    assert "85% van de codes kon niet worden gebruikt" in page.text
