# SPDX-License-Identifier: EUPL-1.2
"""The wizard as a resident without JavaScript goes through it, and every way in which a step can be sent wrong."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Connection, select

from abs_platform import clock
from abs_platform.areas.models import Area
from abs_platform.initiatives import proposals, service
from abs_platform.initiatives.inviting import organisers_of
from abs_platform.initiatives.models import Revision
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.steps import Step
from abs_platform.media.models import Picture
from abs_platform.outbox import OutgoingMail
from abs_platform.users import Role
from tests.factories import TEST_ACTOR, Factory
from tests.initiatives.writing import (
    SLUITERSVELD,
    WINDMOLENBROEK,
    Writer,
    ask_two_questions,
    begin,
    finish,
    mails_about,
    whole,
)
from tests.page import Browser, Page
from tests.test_page_cost import counting

MAX_QUERIES = 16


@pytest.fixture(autouse=True)
def _questions(factory: Factory) -> None:
    ask_two_questions(factory.session)


@pytest.fixture
def writer(factory: Factory) -> Writer:
    """Somebody who just began."""
    return begin(factory)


@pytest.fixture
def browser(writer: Writer, browser_client: Browser) -> Browser:
    """Her browser."""
    return writer.browser(browser_client)


def at(writer: Writer, step: Step | str) -> str:
    return f"/initiatieven/{writer.initiative_id}/bewerken/{step}"


def send_step(browser: Browser, writer: Writer, step: Step, status: int = 200, **data: str) -> Page:
    """Fill a step in and press the button."""
    path = at(writer, step)
    return browser.submit(browser.get(path), path, status=status, **{"naar": "verder", **data})


def kept(writer: Writer, name: str) -> Any:
    return writer.proposal.content[name]


# -- the road ---------------------------------------------------------------------------------------------------------


def test_a_stranger_reads_what_is_needed_and_is_asked_to_sign_in(browser_client: Browser) -> None:
    page = browser_client.get("/initiatieven/nieuw")

    assert "2 anderen die meedoen" in page.text
    assert page.one("main a.abs-button-big").attrs["href"] == "/inloggen?volgende=/initiatieven/nieuw"
    assert not page.all("main form")
    browser_client.post("/initiatieven/nieuw", {"title": "X"}, status=403)


def test_the_whole_road_from_an_idea_to_the_desk(factory: Factory, browser_client: Browser) -> None:
    account = factory.account(name="Anna")
    browser_client.sign_in(factory.session_of(account))
    factory.session.commit()
    deadline = clock.today() + dt.timedelta(days=100)

    page = browser_client.submit(
        browser_client.get("/initiatieven/nieuw"), "/initiatieven/nieuw", title="Een bankje", theme="meeting"
    )
    number = int(page.path.split("/")[2])
    writer = Writer(factory, account, number)
    for step, data in {
        Step.IDEA: {"title": "Een bankje", "summary": "Om te zitten.", "theme": "meeting"},
        Step.STORY: {"story": "We zetten een bankje neer."},
        Step.PLACE: {"area_id": str(factory.area_id(WINDMOLENBROEK)), "place_description": "Bij de vijver"},
        Step.PEOPLE: {"name": "Anna", "postcode": "7609 ab", "house_number": "1", "audience": "Iedereen"},
        Step.MONEY: {"budget-1-description": "Bankje", "budget-1-amount": "490,50"},
        Step.WHEN: {"deadline_on": deadline.isoformat(), "planning": "In mei."},
        Step.HELP: {"need-1-kind": "hands", "need-1-description": "Vier mensen"},
        Step.RULES: {"rule_closed_road": "no", "rule_music": "no"},
    }.items():
        send_step(browser_client, writer, step, **data)
    writer.with_neighbours()
    factory.session.commit()
    check = at(writer, Step.CHECK)
    page = browser_client.get(check)
    assert "Alles is ingevuld" in page.text

    page = browser_client.submit(page, f"/initiatieven/{number}/versturen", is_true="1")

    assert "Je initiatief is verstuurd" in page.text
    assert "Je hoort uiterlijk" in page.text
    assert writer.initiative.state == State.SUBMITTED
    assert writer.initiative.target_cents == 49_050
    assert len(mails_about(factory.session, "initiative.submitted")) == 3


def test_each_step_says_how_far_it_is(browser: Browser, writer: Writer) -> None:
    page = browser.get(at(writer, Step.STORY))
    assert "Stap 2 van 9" in page.text
    assert "Nog 7 stappen te doen" in page.text
    assert page.one('[aria-current="step"]').to_text().split() == ["2", "Je", "plan"]

    writer.save(**whole(writer.factory))
    writer.session.commit()

    page = browser.get(at(writer, Step.STORY))
    assert "Bijna klaar: nog 1 stap." in page.text


@pytest.mark.parametrize(
    ("naar", "leads_to"),
    [
        ("verder", "bewerken/plek"),
        ("terug", "bewerken/idee"),
        ("blijf", "bewerken/verhaal"),
        ("later", "account"),
        ("", "bewerken/plek"),
        ("https://elders.example", "bewerken/plek"),
    ],
)
def test_every_button_saves_and_leads_where_it_says(browser: Browser, writer: Writer, naar: str, leads_to: str) -> None:
    page = send_step(browser, writer, Step.STORY, naar=naar, story="Ons plan")

    assert page.path.endswith(leads_to)
    assert kept(writer, "story") == "Ons plan"


@pytest.mark.parametrize("step", list(Step))
def test_a_step_costs_few_queries_and_opens_when_nothing_is_filled_in(
    browser: Browser, writer: Writer, connection: Connection, step: Step
) -> None:
    with counting(connection) as statements:
        browser.get(at(writer, step))

    assert len(statements) <= MAX_QUERIES


@pytest.mark.parametrize("step", [step for step in Step if step not in {Step.PICTURES, Step.CHECK}])
def test_an_empty_step_may_be_left(browser: Browser, writer: Writer, step: Step) -> None:
    path = at(writer, step)
    page = browser.get(path)

    empty = {"csrf_token": page.field("csrf_token"), "version": page.field("version"), "naar": "verder"}
    browser.post(path, empty)

    assert writer.initiative.state == State.DRAFT


def test_who_gave_no_address_yet_reads_how_many_others_are_needed(browser: Browser, writer: Writer) -> None:
    page = browser.get(at(writer, Step.PEOPLE))

    assert not page.field("postcode")
    assert "nog 2 organisatoren nodig" in page.text


def test_another_device_goes_on_where_the_first_one_stopped(browser: Browser, writer: Writer) -> None:
    send_step(browser, writer, Step.STORY, naar="later", story="Op de telefoon begonnen")

    other = writer.browser(Browser(browser.client.application, "192.0.2.7"))

    page = other.get(f"/initiatieven/{writer.initiative_id}/bewerken")
    assert "Je plan (klaar)" in page.text
    assert "Op de telefoon begonnen" in other.get(at(writer, Step.STORY)).one("#story").to_text()


# -- who may ----------------------------------------------------------------------------------------------------------

GETS = ["bewerken", *[f"bewerken/{step}" for step in Step], "voorbeeld", "intrekken"]
POSTS = [*[f"bewerken/{step}" for step in Step], "versturen", "intrekken", "wijziging-intrekken", "fotos", "fotos/1"]


@pytest.mark.parametrize("path", GETS)
def test_a_draft_is_there_for_nobody_else(factory: Factory, browser: Browser, path: str) -> None:
    other = begin(factory)
    factory.session.commit()

    browser.get(f"/initiatieven/{other.initiative_id}/{path}", status=404)
    browser.get(f"/initiatieven/{2**62}/{path}", status=404)


@pytest.mark.parametrize("path", POSTS)
def test_nothing_can_be_sent_to_a_draft_of_somebody_else(
    factory: Factory, browser: Browser, writer: Writer, path: str
) -> None:
    other = begin(factory)
    factory.session.commit()
    token = browser.get(at(writer, Step.IDEA)).field("csrf_token")

    browser.post(f"/initiatieven/{other.initiative_id}/{path}", {"csrf_token": token, "title": "Van mij"}, status=404)

    assert other.initiative.title == "Een bankje bij de vijver"


def test_a_stranger_is_asked_to_sign_in_and_comes_back_there(browser_client: Browser, writer: Writer) -> None:
    writer.session.commit()

    page = browser_client.get(at(writer, Step.STORY))

    assert page.one("h1").to_text() == "Inloggen"


def test_somebody_who_was_only_asked_sees_nothing_yet(writer: Writer, browser_client: Browser) -> None:
    writer.live_at()
    writer.invite("bram@voorbeeld.example")
    asked = Writer(writer.factory, writer.factory.account("bram@voorbeeld.example"), writer.initiative_id)

    asked.browser(browser_client).get(at(writer, Step.STORY), status=404)


# -- what may be typed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "data", "field"),
    [
        (Step.IDEA, {"title": "x" * 121}, "title"),
        (Step.IDEA, {"summary": "x" * 301}, "summary"),
        (Step.IDEA, {"theme": "oorlog"}, "theme"),
        (Step.STORY, {"story": "x" * 20_001}, "story"),
        (Step.PLACE, {"area_id": "999999999"}, "area_id"),
        (Step.PLACE, {"area_id": "x"}, "area_id"),
        (Step.PLACE, {"area_id": "\u0663"}, "area_id"),
        (Step.PLACE, {"area_id": "9" * 30}, "area_id"),
        (Step.PLACE, {"place_description": "x" * 201}, "place_description"),
        (Step.PLACE, {"latitude": "91", "longitude": "6"}, "latitude"),
        (Step.PLACE, {"latitude": "nan", "longitude": "6"}, "latitude"),
        (Step.PLACE, {"latitude": "52,1", "longitude": "inf"}, "longitude"),
        (Step.PLACE, {"latitude": "52,1", "longitude": ""}, "longitude"),
        (Step.PEOPLE, {"audience": "x" * 501}, "audience"),
        (Step.PEOPLE, {"name": "Anna", "postcode": "12", "house_number": "1"}, "postcode"),
        (Step.WHEN, {"deadline_on": "2027-02-30"}, "deadline_on"),
        (Step.WHEN, {"deadline_on": "30-02-2027"}, "deadline_on"),
        (Step.WHEN, {"deadline_on": "2099-01-01"}, "deadline_on"),
        (Step.WHEN, {"deadline_on": "2020-01-01"}, "deadline_on"),
        (Step.WHEN, {"deadline_on": "morgen"}, "deadline_on"),
        (Step.WHEN, {"planning": "x" * 5_001}, "planning"),
        (Step.MONEY, {"budget-1-description": "Bankje", "budget-1-amount": ""}, "budget-1-amount"),
        (Step.MONEY, {"budget-1-description": "", "budget-1-amount": "5"}, "budget-1-description"),
        (Step.MONEY, {"budget-2-description": "x" * 121, "budget-2-amount": "5"}, "budget-2-description"),
        (Step.HELP, {"need-1-kind": "goud", "need-1-description": "Alles"}, "need-1-kind"),
        (Step.HELP, {"need-1-kind": "hands", "need-1-description": "x" * 201}, "need-1-description"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_kept_stays_on_the_page_with_a_sentence(
    browser: Browser, writer: Writer, step: Step, data: dict[str, str], field: str
) -> None:
    before = writer.proposal.version

    page = send_step(browser, writer, step, status=422, **data)

    assert page.one(f'.abs-error-summary a[href="#{field}"]')
    assert page.all(f"#{field}")
    assert page.one("title").to_text().split()[0] == "Fout:"
    assert writer.proposal.version == before


@pytest.mark.parametrize("amount", ["-5", "1e9", "0,001", "0", "abc", "1.23.4", "5,", "12,345", "∞", "1000000,01"])
def test_an_amount_that_is_none_is_refused(browser: Browser, writer: Writer, amount: str) -> None:
    data = {"budget-1-description": "Bankje", "budget-1-amount": amount}

    page = send_step(browser, writer, Step.MONEY, status=422, **data)

    assert page.one("#budget-1-amount").attrs["value"] == amount
    assert kept(writer, "budget") == []


@pytest.mark.parametrize(
    ("amount", "cents"),
    [("1.234,50", 123_450), ("€ 490", 49_000), ("7.5", 750), ("0,01", 1), (" 12 ", 1_200), ("1.250", 125_000)],
)
def test_an_amount_is_read_as_people_type_it(browser: Browser, writer: Writer, amount: str, cents: int) -> None:
    send_step(browser, writer, Step.MONEY, **{"budget-1-description": "Bankje", "budget-1-amount": amount})

    assert kept(writer, "budget") == [{"description": "Bankje", "amount_cents": cents}]
    assert kept(writer, "target_cents") == cents


def test_a_thirty_first_line_is_one_too_many(browser: Browser, writer: Writer) -> None:
    lines = {
        name: text
        for number in range(1, 32)
        for name, text in ((f"budget-{number}-description", f"Regel {number}"), (f"budget-{number}-amount", "1"))
    }
    page = send_step(browser, writer, Step.MONEY, status=422, **lines)
    assert page.one('.abs-error-summary a[href="#budget"]')

    del lines["budget-31-description"], lines["budget-31-amount"]
    send_step(browser, writer, Step.MONEY, **lines)

    assert len(kept(writer, "budget")) == 30


def test_more_lines_come_without_a_script_and_empty_ones_are_passed_over(browser: Browser, writer: Writer) -> None:
    data = {
        "budget-1-description": "Hout",
        "budget-1-amount": "1",
        "budget-3-description": "Verf",
        "budget-3-amount": "2",
    }

    page = send_step(browser, writer, Step.MONEY, naar="meer", **data)

    assert [line["description"] for line in kept(writer, "budget")] == ["Hout", "Verf"]
    assert len(page.all(".abs-wizard-line")) == 4


def test_above_the_maximum_it_is_kept_and_says_whom_to_ask(browser: Browser, writer: Writer) -> None:
    send_step(browser, writer, Step.MONEY, **{"budget-1-description": "Alles", "budget-1-amount": "6000"})

    page = browser.get(at(writer, Step.MONEY))

    assert kept(writer, "target_cents") == 600_000
    assert "Vraag het aan de gemeente" in page.text


def test_an_area_that_is_no_longer_there_cannot_be_chosen(browser: Browser, writer: Writer, factory: Factory) -> None:
    number = factory.area_id(SLUITERSVELD)
    factory.session.get_one(Area, number).is_current = False
    factory.session.commit()

    page = send_step(browser, writer, Step.PLACE, status=422, area_id=str(number))

    assert page.one('.abs-error-summary a[href="#area_id"]')


def test_the_place_can_be_a_neighbourhood_a_district_or_the_whole_city(
    browser: Browser, writer: Writer, factory: Factory
) -> None:
    for code in ("BU01411900", "WK014119", "GM0141"):
        send_step(browser, writer, Step.PLACE, area_id=str(factory.area_id(code)))
        assert kept(writer, "area_id") == factory.area_id(code)

    page = browser.get(at(writer, Step.PLACE))
    assert page.one("#area_id option[selected]").to_text() == "De hele gemeente Almelo"
    assert len(page.all("#area_id option")) == 1 + 1 + 12 + 71
    assert "geolocation=(self)" in page.response.headers["Permissions-Policy"]
    assert "geolocation=()" in browser.get(at(writer, Step.IDEA)).response.headers["Permissions-Policy"]


def test_a_dutch_date_is_read_too(browser: Browser, writer: Writer) -> None:
    day = clock.today() + dt.timedelta(days=40)

    send_step(browser, writer, Step.WHEN, deadline_on=day.strftime("%d-%m-%Y"))

    assert kept(writer, "deadline_on") == day.isoformat()


def test_nothing_typed_runs_or_breaks_a_page(browser: Browser, writer: Writer) -> None:
    script = "<script>alert(1)</script>"
    send_step(browser, writer, Step.IDEA, title=f"A\x00{script}\u202e", summary=f"{script}\r\nB", theme="green")
    send_step(browser, writer, Step.STORY, story=f"{script}\n\n[klik](javascript:alert(1))\x00")
    send_step(browser, writer, Step.PEOPLE, audience=script)

    assert kept(writer, "title") == f"A{script}"
    assert kept(writer, "summary") == f"{script} B"
    for path in (at(writer, Step.STORY), f"/initiatieven/{writer.initiative_id}/voorbeeld"):
        page = browser.get(path)
        assert script in page.text
        assert not page.all('main script, a[href^="javascript"]')


def test_the_story_shows_how_it_will_look(browser: Browser, writer: Writer) -> None:
    page = send_step(browser, writer, Step.STORY, naar="blijf", story="# Kop\n\n- een\n- twee\n\n**vet**")

    shown = page.one(".abs-rich")
    assert [len(shown.query(tag)) for tag in ("h3", "li", "strong")] == [1, 2, 1]


# -- the rules check --------------------------------------------------------------------------------------------------


def test_the_answers_show_what_to_arrange_and_warn_for_a_date_that_is_too_early(
    browser: Browser, writer: Writer
) -> None:
    soon = clock.today() + dt.timedelta(days=20)
    send_step(browser, writer, Step.WHEN, deadline_on=soon.isoformat())

    page = send_step(browser, writer, Step.RULES, naar="uitkomst", rule_closed_road="yes")

    assert kept(writer, "rule_answers") == {"closed_road": "yes"}
    assert "Vraag closed_road aan" in page.text
    assert "Je streefdatum is te vroeg" in page.text
    assert "Dit wordt krap" in browser.get(at(writer, Step.WHEN)).text


@pytest.mark.parametrize("answer", ["maybe", "YES", "", "\x00"])
def test_an_answer_that_is_none_counts_as_not_given(browser: Browser, writer: Writer, answer: str) -> None:
    send_step(browser, writer, Step.RULES, rule_closed_road=answer, rule_unknown="yes", rule_music="no")

    assert kept(writer, "rule_answers") == {"music": "no"}


# -- two tabs ---------------------------------------------------------------------------------------------------------


def test_the_second_of_two_tabs_keeps_what_she_typed_and_sees_what_the_other_wrote(
    browser: Browser, writer: Writer
) -> None:
    path = at(writer, Step.STORY)
    first, second = browser.get(path), browser.get(path)
    browser.submit(first, path, naar="blijf", story="Van de eerste")

    page = browser.submit(second, path, naar="blijf", story="Van de tweede", status=409)

    assert "Dit staat er nu" in page.text
    assert "Van de eerste" in page.one(".utrecht-alert--warning").to_text()
    assert page.one("#story").to_text().strip() == "Van de tweede"
    assert kept(writer, "story") == "Van de eerste"
    browser.submit(page, path, naar="blijf", story="Toch van de tweede")
    assert kept(writer, "story") == "Toch van de tweede"


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 12, "\u0663"])
def test_a_version_that_is_none_is_the_oldest(browser: Browser, writer: Writer, version: str) -> None:
    send_step(browser, writer, Step.STORY, story="Er staat al iets")

    send_step(browser, writer, Step.STORY, status=409, story="Eroverheen", version=version)

    assert kept(writer, "story") == "Er staat al iets"


def test_a_script_saves_while_one_types(browser: Browser, writer: Writer) -> None:
    path = at(writer, Step.STORY)
    fields = browser.fields(browser.get(path), path)
    old = fields["version"]

    def save(**changes: str) -> Any:
        return browser._send("POST", path, data=fields | changes, headers={"Accept": "application/json"})

    first = save(story="Half")
    again = save(story="Heel", version=str(first.json["version"]))
    stale = save(story="Oud", version=old)
    wrong = save(story="x" * 20_001, version=str(again.json["version"]))

    assert (first.status_code, again.status_code, stale.status_code, wrong.status_code) == (200, 200, 409, 422)
    assert kept(writer, "story") == "Heel"
    assert "Iemand anders" in stale.json["message"]


# -- beginning --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"title": "", "theme": "green"}, "title"),
        ({"title": "X"}, "theme"),
        ({"title": "x" * 121, "theme": "green"}, "title"),
    ],
)
def test_without_a_title_and_a_theme_nothing_begins(browser: Browser, data: dict[str, str], field: str) -> None:
    page = browser.get("/initiatieven/nieuw")

    page = browser.post("/initiatieven/nieuw", data | {"csrf_token": page.field("csrf_token")}, status=422)

    assert page.one(f'.abs-error-summary a[href="#{field}"]')
    assert page.one("#title").attrs["value"] == data["title"]


def test_with_five_ideas_that_are_not_finished_a_sixth_is_refused_kindly(
    factory: Factory, writer: Writer, browser: Browser
) -> None:
    for _ in range(proposals.MAX_OPEN_DRAFTS - 1):
        begin(factory, writer.account)
    factory.session.commit()

    page = browser.submit(
        browser.get("/initiatieven/nieuw"), "/initiatieven/nieuw", title="X", theme="green", status=409
    )

    assert "nog niet af" in page.text


# -- checking and sending ---------------------------------------------------------------------------------------------


@pytest.fixture
def ready(factory: Factory) -> Writer:
    """Everything is there."""
    return finish(factory)


def sending(writer: Writer) -> str:
    return f"/initiatieven/{writer.initiative_id}/versturen"


def test_the_check_links_every_missing_thing_to_its_place(browser: Browser, writer: Writer) -> None:
    page = browser.get(at(writer, Step.CHECK))

    links = [link.attrs["href"] for link in page.all(".utrecht-alert--info a")]
    base = f"/initiatieven/{writer.initiative_id}/bewerken/"
    ends = ["idee#summary", "verhaal#story", "plek#area_id", "wie#postcode", "wie#organisers", "geld#budget"]
    assert links == [base + end for end in [*ends, "wanneer#deadline_on", "regels#rule_answers"]]
    for link in links:
        path, _hash, anchor = link.partition("#")
        assert browser.get(path).all(f"#{anchor}"), f"{link} leads nowhere"


def test_what_the_rules_refuse_is_not_sent_and_says_why(browser: Browser, writer: Writer) -> None:
    token = browser.get(at(writer, Step.IDEA)).field("csrf_token")

    page = browser.post(sending(writer), {"csrf_token": token, "is_true": "1", "version": "1"}, status=422)

    assert "nog niet klaar om te versturen" in page.text
    assert writer.initiative.state == State.DRAFT


def test_it_must_be_said_that_it_is_true(ready: Writer, browser_client: Browser) -> None:
    browser = ready.browser(browser_client)

    page = browser.submit(browser.get(at(ready, Step.CHECK)), sending(ready), status=422)

    assert page.one('.abs-error-summary a[href="#is_true"]')
    assert ready.initiative.state == State.DRAFT


def test_addresses_and_numbers_of_people_must_be_looked_at_first(ready: Writer, browser_client: Browser) -> None:
    ready.save(story="Bel Jan op 0546-541111 of mail jan@voorbeeld.nl.")
    browser = ready.browser(browser_client)
    page = browser.get(at(ready, Step.CHECK))
    assert "0546-541111" in page.text
    assert "jan@voorbeeld.nl" in page.text

    page = browser.submit(page, sending(ready), status=422, is_true="1")
    assert page.one('.abs-error-summary a[href="#contacts_seen"]')
    browser.submit(page, sending(ready), is_true="1", contacts_seen="1")

    assert ready.initiative.state == State.SUBMITTED


def test_pressed_twice_it_is_sent_once(ready: Writer, browser_client: Browser) -> None:
    browser = ready.browser(browser_client)
    page = browser.get(at(ready, Step.CHECK))

    browser.submit(page, sending(ready), is_true="1")
    page = browser.submit(page, sending(ready), is_true="1")

    assert "Je initiatief is verstuurd" in page.text
    assert len(mails_about(ready.session, "initiative.submitted")) == 3


def test_while_it_lies_at_the_desk_the_steps_lead_to_what_was_promised(ready: Writer, browser_client: Browser) -> None:
    ready.send()
    browser = ready.browser(browser_client)

    page = browser.get(at(ready, Step.STORY))

    assert "Je hoort uiterlijk" in page.text
    assert "Trek het initiatief in" in page.text


def test_what_is_typed_after_another_sent_it_is_not_lost_from_the_page(ready: Writer, browser_client: Browser) -> None:
    browser, path = ready.browser(browser_client), at(ready, Step.STORY)
    page = browser.get(path)
    ready.send()
    ready.session.commit()

    page = browser.submit(page, path, status=409, story="Nog één zin")

    assert page.one("#story").to_text().strip() == "Nog één zin"
    assert "niet aan te passen" in page.text


def test_the_words_of_the_wijkregisseur_stand_on_top_until_it_is_sent_again(
    ready: Writer, browser_client: Browser
) -> None:
    ready.send()
    said = "Vraag eerst de buren.\nEn <b>kijk</b> naar het geld."
    service.request_changes(ready.session, ready.initiative_id, reason=said, actor=TEST_ACTOR, now=ready.factory.now)
    browser = ready.browser(browser_client)

    for step in Step:
        assert "Vraag eerst de buren." in browser.get(at(ready, step)).text
    send_step(browser, ready, Step.STORY, story="De buren zijn het eens.")
    browser.submit(browser.get(at(ready, Step.CHECK)), sending(ready), is_true="1")

    assert ready.initiative.state == State.SUBMITTED
    numbers = select(Revision.number).where(Revision.initiative_id == ready.initiative_id)
    assert sorted(ready.session.scalars(numbers)) == [1, 2]


# -- after publishing -------------------------------------------------------------------------------------------------


@pytest.fixture
def online(ready: Writer) -> Writer:
    """It is published."""
    ready.send()
    service.publish(ready.session, ready.initiative_id, actor=TEST_ACTOR, now=ready.factory.now)
    return ready


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (Step.IDEA, "Een wijziging kijkt de wijkregisseur daarom eerst na"),
        (Step.MONEY, "Een wijziging kijkt de wijkregisseur daarom eerst na"),
        (Step.RULES, "Een wijziging kijkt de wijkregisseur daarom eerst na"),
        (Step.PLACE, "Verander je de buurt, het punt op de kaart of de streefdatum?"),
        (Step.WHEN, "Verander je de buurt, het punt op de kaart of de streefdatum?"),
        (Step.STORY, "zet je zelf meteen online"),
        (Step.HELP, "zet je zelf meteen online"),
        (Step.PEOPLE, "zet je zelf meteen online"),
        (Step.PICTURES, "is meteen voor iedereen te zien"),
    ],
)
def test_each_step_says_before_saving_who_looks_at_a_change(
    online: Writer, browser_client: Browser, step: Step, sentence: str
) -> None:
    page = online.browser(browser_client).get(at(online, step))

    assert sentence in page.text


def test_a_small_change_goes_online_and_a_large_one_to_the_desk(online: Writer, browser_client: Browser) -> None:
    browser = online.browser(browser_client)
    send_step(browser, online, Step.STORY, story="Nieuw verhaal")
    send_step(browser, online, Step.IDEA, title="Tien bankjes", summary="Om te zitten.", theme="meeting")
    page = browser.get(at(online, Step.CHECK))
    live, desk = page.one("#live-title"), page.one("#desk-title")
    assert (live.to_text(), desk.to_text()) == ("Dit komt meteen online", "Dit kijkt de wijkregisseur eerst na")

    page = browser.submit(page, sending(online), is_true="1")

    assert "Een wijziging ligt bij de wijkregisseur" in page.text
    assert (online.initiative.story, online.initiative.title) == ("Nieuw verhaal", "Een bankje bij de vijver")
    assert "Nieuw verhaal" in browser.get(f"/initiatieven/{online.initiative_id}").text
    page = browser.submit(
        browser.get(at(online, Step.CHECK)), f"/initiatieven/{online.initiative_id}/wijziging-intrekken"
    )
    assert "Alles blijft zoals het was" in page.text
    assert (online.proposal.sent_at, kept(online, "title")) == (None, "Een bankje bij de vijver")


def test_a_refused_change_shows_why_until_it_is_thrown_away(online: Writer, browser_client: Browser) -> None:
    online.save(title="Tien bankjes")
    online.send()
    proposals.refuse_change(
        online.session, online.initiative_id, reason="Eén is genoeg.", actor=TEST_ACTOR, now=online.factory.now
    )

    browser, base = online.browser(browser_client), f"/initiatieven/{online.initiative_id}"

    page = browser.get(f"{base}/bewerken")

    assert "Eén is genoeg." in page.text
    assert "Je hebt iets veranderd dat nog niet online staat" in page.text
    page = browser.submit(browser.get(at(online, Step.CHECK)), f"{base}/wijziging-intrekken")
    assert "Eén is genoeg." not in page.text
    assert kept(online, "title") == "Een bankje bij de vijver"


def test_once_the_money_is_in_there_is_no_step_for_it(factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative(State.FUNDED, target_cents=5_250)
    email = f"anna{initiative.title.rsplit(' ', 1)[1]}@voorbeeld.example"
    writer = Writer(factory, factory.account(email), initiative.id)

    page = writer.browser(browser_client).get(at(writer, Step.STORY))

    assert not page.all('a[href$="/geld"]')
    assert "Het geld" not in page.one("nav.abs-wizard__aside").to_text()


# -- withdrawing ------------------------------------------------------------------------------------------------------


def withdrawing(writer: Writer) -> str:
    return f"/initiatieven/{writer.initiative_id}/intrekken"


def test_a_draft_is_thrown_away_without_a_reason(browser: Browser, writer: Writer) -> None:
    page = browser.get(withdrawing(writer))
    assert "Dit idee weggooien?" in page.text

    page = browser.submit(page, withdrawing(writer))

    assert writer.initiative.state == State.WITHDRAWN
    assert "Je idee is weggegooid" in page.text


def test_what_was_published_is_withdrawn_with_a_reason_and_says_what_happens_to_gifts(
    online: Writer, browser_client: Browser
) -> None:
    factory = online.factory
    (code,) = factory.fresh_codes(1)
    assert factory.give(code, online.initiative)
    browser = online.browser(browser_client)
    page = browser.get(withdrawing(online))
    assert "Er is 1 gift, samen € 7,50." in page.text.replace("\u00a0", " ")

    page = browser.submit(page, withdrawing(online), status=422)
    assert page.one('.abs-error-summary a[href="#reason"]')
    browser.submit(page, withdrawing(online), reason="We verhuizen.")

    assert online.initiative.state == State.WITHDRAWN


def test_co_organisers_and_the_desk_hear_that_it_was_withdrawn_and_why(online: Writer, browser_client: Browser) -> None:
    session = online.factory.session
    desk = online.factory.account("regie@gemeente.example", roles=(Role.DISTRICT_MANAGER,), desks=("WK014119",))
    browser = online.browser(browser_client)

    browser.submit(browser.get(withdrawing(online)), withdrawing(online), reason="We verhuizen.")

    event = f"initiative.withdrawn:{online.initiative_id}"
    mails = session.scalars(select(OutgoingMail).where(OutgoingMail.event == event)).all()
    along = {one.email for one in organisers_of(session, online.initiative_id) if one.role == "co_organiser"}
    assert len(along) == 2
    assert {mail.recipient for mail in mails} == along | {desk.email}
    assert all("We verhuizen." in (mail.text_body or "") for mail in mails)


@pytest.mark.parametrize("state", [State.FUNDED, State.REALISED, State.REJECTED, State.STOPPED])
def test_what_is_past_withdrawing_is_not_withdrawn(factory: Factory, browser_client: Browser, state: State) -> None:
    initiative = factory.initiative(state, target_cents=5_250)
    account = factory.account(f"anna{initiative.title.rsplit(' ', 1)[1]}@voorbeeld.example")
    factory.session.flush()
    for one in organisers_of(factory.session, initiative.id):
        one.account_id = account.id if one.role == "initiator" else None
    writer = Writer(factory, account, initiative.id)

    writer.browser(browser_client).get(withdrawing(writer), status=409)

    assert initiative.state == state


# -- pictures ---------------------------------------------------------------------------------------------------------


def jpeg(colour: str = "green") -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (400, 300), colour).save(file, "JPEG")
    file.seek(0)
    return file


def upload(
    browser: Browser, writer: Writer, file: io.BytesIO, name: str = "plein.jpg", status: int = 200, **data: str
) -> Page:
    path = f"/initiatieven/{writer.initiative_id}/fotos"
    token = browser.get(at(writer, Step.PICTURES)).field("csrf_token")
    return browser.post(path, {"csrf_token": token, "picture": (file, name), **data}, status=status)


def pictures_of(writer: Writer) -> list[Picture]:
    query = select(Picture).where(Picture.initiative_id == writer.initiative_id, Picture.removed_at.is_(None))
    return list(writer.session.scalars(query.order_by(Picture.position).execution_options(populate_existing=True)))


def test_pictures_are_added_described_ordered_and_removed(browser: Browser, writer: Writer) -> None:
    upload(browser, writer, jpeg("green"), alt_text="Het plein")
    page = upload(browser, writer, jpeg("red"))
    first, second = pictures_of(writer)
    assert "Wat is er op foto 2 te zien?" in page.text
    base = f"/initiatieven/{writer.initiative_id}/fotos"

    browser.submit(page, f"{base}/{second.id}", doe="bewaar", **{f"alt-{second.id}": "De vijver"})
    browser.submit(page, f"{base}/{second.id}", doe="omhoog")
    assert [(one.id, one.alt_text) for one in pictures_of(writer)] == [
        (second.id, "De vijver"),
        (first.id, "Het plein"),
    ]
    assert kept(writer, "pictures") == [{"id": second.id, "alt": "De vijver"}, {"id": first.id, "alt": "Het plein"}]
    browser.submit(page, f"{base}/{first.id}", doe="weg")

    assert [one.id for one in pictures_of(writer)] == [second.id]
    assert "De vijver" in browser.get(f"/initiatieven/{writer.initiative_id}/voorbeeld").html


def test_a_file_that_is_no_picture_is_refused(browser: Browser, writer: Writer) -> None:
    page = upload(browser, writer, io.BytesIO(b"geen foto"), status=422, alt_text="Wat ik typte")

    assert page.one('.abs-error-summary a[href="#picture"]')
    assert page.one("#alt_text").attrs["value"] == "Wat ik typte"
    upload(browser, writer, io.BytesIO(b""), name="", status=422)
    assert pictures_of(writer) == []


def test_a_picture_without_a_description_holds_sending_up(ready: Writer, browser_client: Browser) -> None:
    browser = ready.browser(browser_client)
    upload(browser, ready, jpeg())

    page = browser.get(at(ready, Step.CHECK))

    assert "Beschrijf je foto's" in page.text
    assert not page.all("button.abs-button-big")


def test_pictures_of_somebody_else_cannot_be_touched(factory: Factory, browser: Browser, writer: Writer) -> None:
    upload(browser, writer, jpeg(), alt_text="Het plein")
    (picture,) = pictures_of(writer)
    other = begin(factory)
    thief = other.browser(Browser(browser.client.application, "192.0.2.9"))
    token = thief.get(at(other, Step.PICTURES)).field("csrf_token")

    for number in (writer.initiative_id, other.initiative_id):
        path = f"/initiatieven/{number}/fotos/{picture.id}"
        thief.post(path, {"csrf_token": token, "doe": "weg"}, status=404)

    assert pictures_of(writer) == [picture]


def test_a_new_picture_of_what_is_online_is_kept_as_a_revision(online: Writer, browser_client: Browser) -> None:
    upload(online.browser(browser_client), online, jpeg(), alt_text="Het plein")

    newest = proposals.latest_revisions(online.session, online.initiative_id, 1)[0]
    assert (newest.kind, newest.content["pictures"][0]["alt"]) == ("edited", "Het plein")
    assert online.proposal.sent_at is None


def test_while_it_lies_at_the_desk_no_picture_is_added(ready: Writer, browser_client: Browser) -> None:
    browser = ready.browser(browser_client)
    token = browser.get(at(ready, Step.PICTURES)).field("csrf_token")
    ready.send()
    ready.session.commit()

    path = f"/initiatieven/{ready.initiative_id}/fotos"
    browser.post(path, {"csrf_token": token, "picture": (jpeg(), "x.jpg")}, status=409)

    assert pictures_of(ready) == []
