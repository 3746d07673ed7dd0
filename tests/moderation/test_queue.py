# SPDX-License-Identifier: EUPL-1.2
"""What waits: oldest first, late on top and in words, own desks first, and counts that say what a filter shows."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from sqlalchemy import select

from abs_platform.accountability.models import Accountability
from abs_platform.clock import AMSTERDAM
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.moderation import queue, service
from abs_platform.moderation.models import Message
from abs_platform.moderation.promises import promise_of
from abs_platform.moderation.queue import Filters
from abs_platform.moderation.states import WaitingKind
from abs_platform.questions.models import Post, Report
from tests.moderation.people import CITY, ELSEWHERE, HERE, Desk, Kind
from tests.page import Page

DAYS = 10


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


def sent(desk: Desk, when: dt.datetime, title: str, area: str = "BU01411900") -> Initiative:
    initiative = desk.factory.initiative(State.SUBMITTED, title=title, area=area)
    initiative.submitted_at = when
    desk.factory.session.flush()
    return initiative


def titles(page: Page) -> list[str]:
    return [link.to_text().strip() for link in page.all(".desk-row__link")]


def found(desk: Desk, filters: Filters | None = None) -> list[tuple[str, str]]:
    session, now = desk.factory.session, desk.factory.now
    items = queue.waiting(session, filters or Filters(), now=now, days=DAYS).page.items
    return [(item.title, item.kind or "") for item in items]


def test_the_oldest_stands_first_and_what_is_late_says_so_in_words(desk: Desk) -> None:
    now = desk.factory.now
    sent(desk, now - dt.timedelta(days=1), "Nieuw")
    sent(desk, now - dt.timedelta(days=40), "Oud")
    sent(desk, now - dt.timedelta(days=3), "Ertussen")

    page = desk.as_(desk.sanne).get("/regie")

    assert titles(page) == ["Oud", "Ertussen", "Nieuw"]
    assert page.all(".desk-row")[0].attrs["class"] == "desk-row desk-row--late"
    assert "te laat" in page.all(".desk-row")[0].to_text()
    assert "te laat" not in page.all(".desk-row")[2].to_text()
    assert "waarvan 1 te laat" in page.text


# Sent, today, the promised day, and what the page says of it.
TERMS = [
    ("2026-11-02T10:00", "2026-11-03T09:00", dt.date(2026, 11, 16), "nog 9 werkdagen"),
    ("2026-11-07T10:00", "2026-11-09T09:00", dt.date(2026, 11, 20), "nog 9 werkdagen"),  # sent on a Saturday
    ("2026-11-02T23:59", "2026-11-16T09:00", dt.date(2026, 11, 16), "vandaag"),
    ("2026-11-02T10:00", "2026-11-16T23:59", dt.date(2026, 11, 16), "vandaag"),
    ("2026-11-02T10:00", "2026-11-17T00:00", dt.date(2026, 11, 16), "1 werkdag te laat"),
    ("2026-11-06T10:00", "2026-11-22T09:00", dt.date(2026, 11, 20), "te laat"),  # a Sunday: no working day later yet
    ("2026-12-18T10:00", "2026-12-28T09:00", dt.date(2027, 1, 5), "nog 5 werkdagen"),  # Christmas on Friday, New Year
    ("2026-03-20T10:00", "2026-04-07T09:00", dt.date(2026, 4, 7), "vandaag"),  # Good Friday and Easter Monday
]


@pytest.mark.parametrize(("sent_at", "today", "due", "words"), TERMS)
def test_the_term_counts_working_days_and_both_sides_read_the_same_promise(
    desk: Desk, sent_at: str, today: str, due: dt.date, words: str
) -> None:
    initiative = sent(desk, moment(sent_at), "Bomen")
    initiator = desk.initiator(initiative)
    with time_machine.travel(moment(today), tick=False):
        desk.factory.now = dt.datetime.now(dt.UTC)
        listed = desk.as_(desk.sanne).get("/regie")
        opened = desk.as_(desk.sanne).get(f"/regie/initiatieven/{initiative.id}")
        theirs = desk.as_(initiator).get(f"/account/initiatieven/{initiative.id}/gesprek")
        is_late = queue.waiting(
            desk.factory.session, Filters(only_late=True), now=desk.factory.now, days=DAYS
        ).page.total

    long = f"{due.day} {['', 'januari', '', '', 'april'][due.month] if due.month < 5 else 'november'} {due.year}"
    assert words in listed.one(".desk-row__term").to_text()
    assert opened.one(".desk-file__term").to_text().strip() == words
    assert f"Antwoord uiterlijk op {long}" in opened.text
    assert f"uiterlijk op {long}" in theirs.text
    assert is_late == (1 if "te laat" in words else 0)


def test_what_waits_are_initiatives_changes_and_messages_without_an_answer(desk: Desk) -> None:
    session, now = desk.factory.session, desk.factory.now
    sent(desk, now - dt.timedelta(days=3), "Ingediend")
    changed = desk.initiative(State.PUBLISHED, title="Gewijzigd")
    desk.send_change(changed, title="Anders")
    asked = desk.initiative(State.PUBLISHED, title="Gevraagd")
    user = desk.user(desk.initiator(asked))
    service.write_to_desk(session, asked.id, "Mag het?", user=user, now=now - dt.timedelta(days=2))
    service.write_to_desk(session, asked.id, "Hallo?", user=user, now=now)
    desk.factory.initiative(State.CHANGES_REQUESTED)
    desk.factory.initiative(State.PUBLISHED)

    lines = found(desk)

    assert lines == [
        ("Ingediend", WaitingKind.SUBMITTED),
        ("Gevraagd", WaitingKind.MESSAGE),
        ("Gewijzigd", WaitingKind.CHANGE),
    ]


def test_an_accountability_and_a_reported_question_wait_too_and_lead_to_their_own_screens(desk: Desk) -> None:
    session, now, writer = desk.factory.session, desk.factory.now, desk.stranger.id
    busy = desk.factory.initiative(State.IN_PROGRESS, title="Verantwoord", target_cents=6_000)
    session.add(
        Accountability(initiative_id=busy.id, state="submitted", saved_at=now, saved_by_id=writer, submitted_at=now)
    )
    asked = desk.factory.initiative(State.PUBLISHED, title="Gemeld")
    post = Post(initiative_id=asked.id, voice="resident", author_id=writer, body="Vraag?", posted_at=now)
    session.add(post)
    session.flush()
    session.add(Report(post_id=post.id, reporter_id=desk.els.id, reason="Naam.", reported_at=now))
    session.flush()

    def links(page: Page) -> dict[str, str]:
        return {link.to_text().strip(): link.attrs["href"] for link in page.all(".desk-row__link")}

    review, screen = f"/regie/verantwoording/{busy.id}", f"/regie/initiatieven/{busy.id}"
    assert links(desk.as_(desk.sanne).get("/regie")) == {"Verantwoord": review, "Gemeld": "/regie/vragen"}
    assert desk.as_(desk.sanne).get(screen).all(f'a[href="{review}"]')
    # who may only look is not sent to a page that refuses
    for other, path in ((desk.carla, "/regie"), (desk.els, "/regie?balie=alle")):
        assert links(desk.as_(other).get(path)) == {"Verantwoord": screen, "Gemeld": f"/regie/initiatieven/{asked.id}"}
        assert not desk.as_(other).get(screen).all(f'a[href="{review}"]')


def test_a_message_stops_waiting_when_it_is_answered_or_needs_no_answer(desk: Desk) -> None:
    session, now = desk.factory.session, desk.factory.now
    for verb in ("answer", "handled"):
        initiative = desk.initiative(State.PUBLISHED)
        user = desk.user(desk.initiator(initiative))
        service.write_to_desk(session, initiative.id, "Mag het?", user=user, now=now)
        assert len(found(desk)) == 1

        if verb == "answer":
            service.write_to_organisers(session, initiative.id, "Ja.", user=desk.user(desk.sanne), now=now)
        else:
            service.mark_handled(session, initiative.id, user=desk.user(desk.sanne), now=now)

        assert found(desk) == []


def test_a_decision_answers_what_was_read_before_it_was_written_and_no_later_message(desk: Desk) -> None:
    session, now = desk.factory.session, desk.factory.now
    initiative = desk.submitted()
    user = desk.user(desk.initiator(initiative))
    service.write_to_desk(session, initiative.id, "In maart.", user=user, now=now - dt.timedelta(hours=2))
    desk.draft(initiative, Kind.PUBLISH)
    service.write_to_desk(session, initiative.id, "Of in april?", user=user, now=now + dt.timedelta(minutes=1))

    desk.give(initiative, desk.user(desk.sanne), now + dt.timedelta(minutes=2))

    waiting = session.scalars(select(Message.text).where(Message.side == "organiser", Message.handled_at.is_(None)))
    assert waiting.all() == ["Of in april?"]


def test_the_own_desks_are_shown_unless_another_is_chosen(desk: Desk) -> None:
    now = desk.factory.now
    sent(desk, now, "Hier")
    sent(desk, now - dt.timedelta(hours=1), "Elders", ELSEWHERE)
    sent(desk, now - dt.timedelta(hours=2), "Hele stad", CITY)
    browser = desk.as_(desk.sanne)

    assert titles(browser.get("/regie")) == ["Hier"]
    assert titles(browser.get("/regie?balie=alle")) == ["Hele stad", "Elders", "Hier"]
    assert titles(browser.get("/regie?balie=schelfhorst")) == ["Elders"]
    assert titles(desk.as_(desk.carla).get("/regie")) == ["Hele stad", "Elders", "Hier"]


def test_a_stand_in_sees_the_desk_of_who_is_absent_and_whose_it_is(desk: Desk) -> None:
    sent(desk, desk.factory.now, "Van Sanne")
    desk.away(desk.sanne, desk.els)

    page = desk.as_(desk.els).get("/regie")

    assert titles(page) == ["Van Sanne"]
    assert "waarneming voor Sanne de Boer" in page.all(".desk-row")[0].to_text()


def test_a_stand_in_decides_while_she_stands_in_and_not_after(desk: Desk) -> None:
    initiative = desk.submitted()
    desk.away(desk.sanne, desk.els)

    desk.decide(initiative, Kind.PUBLISH, "", by=desk.els)

    assert desk.state(initiative) == State.PUBLISHED
    with time_machine.travel(desk.factory.now + dt.timedelta(days=10)):
        page = desk.as_(desk.els).get("/regie?balie=alle")
        assert "waarneming" not in page.text


FILTERS = [
    ("soort=message", ["Vraag"]),
    ("soort=submitted", ["Oud", "Van mij", "Nieuw"]),
    ("wie=ik", ["Van mij"]),
    ("wie=niemand", ["Oud", "Vraag", "Nieuw"]),
    ("laat=1", ["Oud"]),
    ("status=published", ["Vraag"]),
    ("zoek=van+mij", ["Van mij"]),
    ("zoek=anna", ["Oud", "Van mij", "Vraag", "Nieuw"]),
    ("zoek=%25", []),
    ("zoek=bestaatniet", []),
    ("soort=onzin&wie=onzin&balie=onzin&status=onzin&pagina=onzin", ["Oud", "Van mij", "Vraag", "Nieuw"]),
    ("pagina=99", ["Oud", "Van mij", "Vraag", "Nieuw"]),
]


@pytest.mark.parametrize(("address", "expected"), FILTERS)
def test_a_filter_shows_what_it_says(desk: Desk, address: str, expected: list[str]) -> None:
    session, now = desk.factory.session, desk.factory.now
    sent(desk, now - dt.timedelta(days=40), "Oud")
    sent(desk, now - dt.timedelta(days=3), "Van mij").handler_id = desk.sanne.id
    sent(desk, now, "Nieuw")
    asked = desk.initiative(State.PUBLISHED, title="Vraag")
    user = desk.user(desk.initiator(asked))
    service.write_to_desk(session, asked.id, "Mag het?", user=user, now=now - dt.timedelta(days=2))

    page = desk.as_(desk.sanne).get(f"/regie?{address}")

    assert titles(page) == expected


def test_a_number_finds_its_initiative(desk: Desk) -> None:
    initiative = sent(desk, desk.factory.now, "Bomen")
    sent(desk, desk.factory.now, "Bankjes")
    browser = desk.as_(desk.sanne)

    assert titles(browser.get(f"/regie?zoek=%23{initiative.id}")) == ["Bomen"]
    assert titles(browser.get(f"/regie/initiatieven?zoek={initiative.id}")) == ["Bomen"]
    assert titles(browser.get("/regie?zoek=99999999999999999999")) == []


def test_the_counts_beside_a_filter_say_what_it_would_show(desk: Desk) -> None:
    now = desk.factory.now
    sent(desk, now - dt.timedelta(days=40), "Oud").handler_id = desk.tom.id
    sent(desk, now, "Nieuw")
    sent(desk, now - dt.timedelta(days=40), "Elders", ELSEWHERE)
    here = frozenset({desk.factory.area_id(HERE)})
    session = desk.factory.session

    counts = queue.waiting(session, Filters(desks=here, only_late=True), now=now, days=DAYS).counts

    assert counts.total == 1
    assert counts.late == 1
    assert counts.kinds == {"submitted": 1}
    assert counts.handlers == {desk.tom.id: 1}
    assert counts.desks == {desk.factory.area_id(HERE): 1, desk.factory.area_id(ELSEWHERE): 1}
    page = desk.as_(desk.sanne).get("/regie")
    assert "Mijn balies (2)" in page.text
    assert "Alleen wat te laat is (1)" in page.text


def test_fifty_stand_on_a_page_and_the_rest_on_the_next(desk: Desk) -> None:
    for number in range(52):
        sent(desk, desk.factory.now - dt.timedelta(minutes=number), f"Plan {number}")
    browser = desk.as_(desk.sanne)

    first, second = browser.get("/regie?wie=niemand"), browser.get("/regie?wie=niemand&pagina=2")

    assert len(titles(first)) == 50
    assert titles(first)[0] == "Plan 51"
    assert titles(second) == ["Plan 1", "Plan 0"]
    assert "/regie?pagina=2&wie=niemand" in first.html.replace("&amp;", "&")


def test_all_initiatives_that_were_ever_sent_are_in_the_other_list(desk: Desk) -> None:
    for state in State:
        desk.factory.initiative(state, title=f"Plan {state.value}", target_cents=6_000)
    browser = desk.as_(desk.sanne)

    page = browser.get("/regie/initiatieven")

    shown = set(titles(page))
    assert shown == {f"Plan {state.value}" for state in State} - {"Plan draft"}
    assert titles(browser.get("/regie/initiatieven?status=rejected")) == ["Plan rejected"]


def test_a_promise_is_gone_once_it_was_kept(desk: Desk) -> None:
    session, now = desk.factory.session, desk.factory.now
    initiative = desk.submitted()
    assert promise_of(session, initiative.id, now=now, days=DAYS) is not None

    desk.decide(initiative, Kind.REQUEST_CHANGES)

    assert promise_of(session, initiative.id, now=now, days=DAYS) is None
