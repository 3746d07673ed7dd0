# SPDX-License-Identifier: EUPL-1.2
"""Questions: asked, answered by organisers or officially, reported once, hidden with one mail, switched off."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from abs_platform.accounts.leaving import delete_account
from abs_platform.errors import AbsError, Conflict, NotFound
from abs_platform.events import Event
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.subjects import subject_of
from abs_platform.questions import queries, service
from abs_platform.questions.models import Post, Report
from abs_platform.questions.permissions import can_answer, can_ask, can_look_after
from abs_platform.questions.states import (
    ASKING_STATES,
    PAGE_SIZE,
    QUESTIONS_PER_INITIATIVE,
    REPORTS_PER_DAY,
    SHOWN_ON_PAGE,
)
from abs_platform.users import Role, User
from tests.concurrency.racing import at_once, committed
from tests.engaging import answered, asked
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser
from tests.people import OTHER_DESK, OWN_DESK, People


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


@pytest.fixture
def initiative(factory: Factory, people: People) -> Initiative:
    assert people
    made = factory.initiative()
    factory.session.commit()
    return made


def ask_path(initiative: Initiative) -> str:
    return f"/initiatieven/{initiative.id}/vragen/stellen"


def page_of(people: People, initiative: Initiative) -> str:
    return people.resident("Bob").get(f"/initiatieven/{initiative.id}").text


def test_a_resident_asks_and_the_organisers_answer_with_their_name_on_it(
    people: People, initiative: Initiative
) -> None:
    fatima, anna = people.resident(), people.organiser(initiative)

    fatima.submit(fatima.get(ask_path(initiative)), ask_path(initiative), body="Wanneer <beginnen> jullie?")

    assert len(people.mails("question:")) == 3
    question = people.factory.session.scalars(select(Post)).one()
    path = f"/vragen/{question.id}/antwoord"
    anna.submit(anna.get(path), path, body="In maart.")
    page = people.resident("Bob").get(f"/initiatieven/{initiative.id}")
    assert "Wanneer <beginnen> jullie?" in page.text
    answer = page.one(".abs-answer").to_text()
    assert "Anna" in answer
    assert "Organisator" in answer
    (mail,) = people.mails("answer:")
    assert "De organisatoren antwoorden" in str(mail.text_body)
    assert f"/vragen#vraag-{question.id}" in str(mail.text_body)


def test_the_official_voice_is_never_taken_for_a_neighbours(people: People, initiative: Initiative) -> None:
    question, sanne = asked(people, initiative), people.manager()
    path = f"/regie/vragen/{question.id}"
    page = sanne.get(path)

    sanne.send(page, path, decision="answer", body="Daar is een vergunning voor nodig.")

    shown = people.resident("Bob").get(f"/initiatieven/{initiative.id}")
    answer = shown.one(".abs-answer--official").to_text()
    assert "Sanne" in answer
    assert "Wijkregisseur, namens de gemeente" in answer
    assert "namens de gemeente" in str(people.mails("answer:")[0].text_body)


def test_an_organiser_who_wants_no_name_there_answers_without_one(people: People, initiative: Initiative) -> None:
    question = asked(people, initiative)
    answered(people, question)
    organiser = people.factory.session.scalars(
        select(Organiser).where(Organiser.initiative_id == initiative.id, Organiser.role == "initiator")
    ).one()
    organiser.is_name_public = False
    people.factory.session.commit()

    for path in (f"/initiatieven/{initiative.id}", f"/initiatieven/{initiative.id}/vragen"):
        answer = people.resident("Bob").get(path).one(".abs-answer").to_text()
        assert "Anna" not in answer
        assert "De organisatoren" in answer


def test_only_the_display_name_stands_beside_a_question(
    people: People, initiative: Initiative, factory: Factory
) -> None:
    account = factory.account("fatima.geheim@voorbeeld.example")
    browser = people.browser(account)

    refused = browser.submit(browser.get(ask_path(initiative)), ask_path(initiative), status=422, body="Wanneer?")
    assert refused.one("#body").to_text().strip() == "Wanneer?"
    browser.submit(refused, ask_path(initiative), body="Wanneer?", name="Fatima")

    text = page_of(people, initiative)
    assert "Fatima" in text
    assert "geheim" not in text


def test_whoever_deletes_the_account_takes_the_name_along_and_leaves_the_text(
    people: People, initiative: Initiative, session: Session
) -> None:
    question = asked(people, initiative)

    delete_account(session, question.author_id, actor=TEST_ACTOR, now=people.factory.now)
    session.commit()

    text = page_of(people, initiative)
    assert "Wanneer beginnen jullie?" in text
    assert "Fatima" not in text
    assert "Een bewoner" in text


def test_a_report_reaches_the_desk_once_per_person(people: People, initiative: Initiative) -> None:
    question, bob, ed = asked(people, initiative), people.resident("Bob"), people.resident("Ed")
    path = f"/vragen/{question.id}/melden"

    for browser in (bob, bob, ed):
        browser.submit(browser.get(path), path, reason="Er staat een naam in.")

    assert len(people.factory.session.scalars(select(Report)).all()) == 2
    sanne = people.manager()
    assert "2 keer gemeld" in sanne.get("/regie/vragen").text
    assert "melding bij een vraag" in sanne.get("/regie").text.lower()
    assert "2 keer gemeld" not in people.manager(OTHER_DESK).get("/regie/vragen").text


def test_hiding_is_one_screen_with_a_reason_and_one_mail_to_the_author(people: People, initiative: Initiative) -> None:
    question = asked(people, initiative, "Jan is een sukkel.")
    answered(people, question, "Niet zo.")
    bob, sanne = people.resident("Bob"), people.manager()
    report = f"/vragen/{question.id}/melden"
    bob.submit(bob.get(report), report, reason="Schelden")
    path = f"/regie/vragen/{question.id}"
    page = sanne.get(path)
    assert "Schelden" in page.text
    token = page.field("csrf_token")

    refused = sanne.post(path, {"csrf_token": token, "decision": "hide"}, status=422)
    assert refused.one("#reason-error")
    sanne.post(path, {"csrf_token": token, "decision": "hide", "reason": "Je scheldt iemand uit."})

    assert "sukkel" not in page_of(people, initiative)
    assert "Niet zo." not in page_of(people, initiative)
    (mail,) = people.mails("post-hidden:")
    assert "Je scheldt iemand uit." in str(mail.text_body)
    assert "Er is niets gemeld." in sanne.get("/regie/vragen").text
    late = sanne.post(path, {"csrf_token": token, "decision": "hide", "reason": "Nog eens"}, status=409)
    assert "verborgen" in late.text
    assert len(people.mails("post-hidden:")) == 1
    event = people.factory.session.scalars(select(Event).where(Event.kind == "initiative.post_hidden")).one()
    assert event.reason == "Je scheldt iemand uit."


def test_what_the_desk_lets_stand_is_settled(people: People, initiative: Initiative) -> None:
    question, bob, sanne = asked(people, initiative), people.resident("Bob"), people.manager()
    report, path = f"/vragen/{question.id}/melden", f"/regie/vragen/{question.id}"
    bob.submit(bob.get(report), report, reason="Saai")

    sanne.send(sanne.get(path), path, decision="keep")

    assert "Er is niets gemeld." in sanne.get("/regie/vragen").text
    assert "Wanneer beginnen jullie?" in page_of(people, initiative)
    assert people.mails("post-hidden:") == []


def test_an_answer_is_reported_and_hidden_like_a_question(
    people: People, initiative: Initiative, session: Session
) -> None:
    answer = answered(people, asked(people, initiative), "Dat gaat je niets aan.")
    author = people.organiser_account(initiative)

    assert service.report(
        session,
        answer.id,
        "Onbeleefd",
        reporter_id=people.factory.account().id,
        key=b"r",
        actor=TEST_ACTOR,
        now=people.factory.now,
    )
    service.hide(session, answer.id, "Onbeleefd.", by_id=author.id, actor=TEST_ACTOR, now=people.factory.now)
    session.commit()

    text = page_of(people, initiative)
    assert "Wanneer beginnen jullie?" in text
    assert "gaat je niets aan" not in text
    assert people.mails("post-hidden:")[0].recipient == author.email


def test_nobody_reports_the_own_words_or_what_is_hidden(
    people: People, initiative: Initiative, session: Session
) -> None:
    question, other = asked(people, initiative), people.factory.account()
    report = partial(service.report, session, question.id, "Fout", key=b"r", actor=TEST_ACTOR, now=people.factory.now)

    with pytest.raises(Conflict):
        report(reporter_id=question.author_id)
    service.hide(session, question.id, "Weg.", by_id=other.id, actor=TEST_ACTOR, now=people.factory.now)
    with pytest.raises(Conflict):
        report(reporter_id=other.id)
    with pytest.raises(Conflict):
        answered(people, question)


def test_an_answer_is_no_question_to_answer(people: People, initiative: Initiative) -> None:
    answer = answered(people, asked(people, initiative))

    with pytest.raises(NotFound):
        answered(people, answer)
    people.organiser(initiative).get(f"/vragen/{answer.id}/antwoord", status=404)


@pytest.mark.parametrize("who", ["organiser", "manager"])
def test_organisers_and_the_desk_switch_the_questions_off_and_what_was_asked_stays(
    people: People, initiative: Initiative, who: str
) -> None:
    asked(people, initiative)
    if who == "organiser":
        browser, page = people.organiser(initiative), f"/account/initiatieven/{initiative.id}/vragen"
        action = page
    else:
        browser, page = people.manager(), f"/initiatieven/{initiative.id}/vragen"
        action = f"/regie/vragen/initiatief/{initiative.id}"

    browser.submit(browser.get(page), action)

    fatima = people.resident()
    public = fatima.get(f"/initiatieven/{initiative.id}")
    assert "Wanneer beginnen jullie?" in public.text
    assert not public.all(f'a[href="{ask_path(initiative)}"]')
    assert not fatima.get(ask_path(initiative)).all("main form")
    with pytest.raises(Conflict):
        asked(people, initiative)
    browser.submit(browser.get(page), action)
    assert people.resident("Ed").get(f"/initiatieven/{initiative.id}").all(f'a[href="{ask_path(initiative)}"]')


@pytest.mark.parametrize("state", State)
def test_questions_are_asked_while_it_goes_on(people: People, factory: Factory, state: State) -> None:
    made = factory.initiative(state, target_cents=5_250)

    if state in ASKING_STATES:
        assert asked(people, made).voice == "resident"
    else:
        with pytest.raises(AbsError):
            asked(people, made)


def test_too_many_questions_are_refused_and_the_text_stays(people: People, initiative: Initiative) -> None:
    fatima = people.resident()
    for number in range(QUESTIONS_PER_INITIATIVE + 1):
        page = fatima.get(ask_path(initiative))
        last = number == QUESTIONS_PER_INITIATIVE
        page = fatima.submit(page, ask_path(initiative), body=f"Vraag {number}?", status=429 if last else 200)

    assert page.one("#body").to_text().strip() == f"Vraag {QUESTIONS_PER_INITIATIVE}?"
    assert len(people.factory.session.scalars(select(Post)).all()) == QUESTIONS_PER_INITIATIVE


def test_too_many_reports_are_refused(people: People, factory: Factory) -> None:
    bob = people.resident("Bob")
    for number in range(REPORTS_PER_DAY + 1):
        post = asked(people, factory.initiative(), f"Vraag {number}?", name=f"Buur {number}")
        path = f"/vragen/{post.id}/melden"
        bob.submit(bob.get(path), path, reason="Saai", status=429 if number == REPORTS_PER_DAY else 200)


def test_the_page_shows_the_newest_and_the_rest_stands_on_a_page_of_its_own(
    people: People, initiative: Initiative
) -> None:
    for number in range(PAGE_SIZE + 1):
        asked(people, initiative, f"Vraag {number}?", name=f"Buur {number}")

    page = people.resident("Bob").get(f"/initiatieven/{initiative.id}")
    assert len(page.all(".abs-post")) == SHOWN_ON_PAGE
    assert f"Vraag {PAGE_SIZE}?" in page.text
    assert f"Lees alle {PAGE_SIZE + 1} vragen" in page.text
    everything = people.resident("Ed").get(f"/initiatieven/{initiative.id}/vragen")
    assert len(everything.all(".abs-post")) == PAGE_SIZE
    assert "Vraag 0?" in people.resident("Ot").get(f"/initiatieven/{initiative.id}/vragen?pagina=2").text


def test_organisers_see_what_waits_first(people: People, initiative: Initiative) -> None:
    first, second, third = (asked(people, initiative, f"Vraag {n}?", name=f"Buur {n}") for n in range(3))
    answered(people, first)

    shown = queries.unanswered_first(people.factory.session, initiative.id)

    assert [question.id for question in shown] == [second.id, third.id, first.id]
    home = people.organiser(initiative).get(f"/account/initiatieven/{initiative.id}")
    assert "2 wachten op antwoord" in home.text


def test_two_of_the_desk_who_hide_at_once_send_one_mail(own_app: Flask, own_factory: Factory) -> None:
    people = People(own_app, own_factory)
    question_id = asked(people, own_factory.initiative()).id
    staff = [own_factory.account().id for _ in range(2)]
    own_factory.session.commit()

    def hide(session: Session, by_id: int) -> None:
        service.hide(session, question_id, f"Reden {by_id}", by_id=by_id, actor=TEST_ACTOR, now=own_factory.now)

    results = at_once([committed(own_app, partial(hide, by_id=by_id)) for by_id in staff])

    assert sorted(isinstance(result, Conflict) for result in results) == [False, True]
    own_factory.session.rollback()
    assert len(people.mails("post-hidden:")) == 1


def test_a_report_that_is_sent_twice_at_once_counts_once(own_app: Flask, own_factory: Factory) -> None:
    people = People(own_app, own_factory)
    question_id, reporter_id = asked(people, own_factory.initiative()).id, own_factory.account().id
    own_factory.session.commit()

    def report(session: Session) -> bool:
        return service.report(
            session, question_id, "Fout", reporter_id=reporter_id, key=b"r", actor=TEST_ACTOR, now=own_factory.now
        )

    results = at_once([committed(own_app, report)] * 3)

    assert sorted(map(bool, results)) == [False, False, True]


WHO = {
    "resident": (404, 404, 403),
    "asker": (404, 404, 403),
    "organiser": (200, 200, 403),
    "other organiser": (404, 404, 403),
    "manager": (403, 403, 200),
    "manager elsewhere": (403, 403, 403),
    "coordinator": (403, 403, 403),
    "finance": (403, 403, 403),
}


@pytest.mark.parametrize(("who", "statuses"), WHO.items())
def test_who_may_open_which_page_of_a_question(
    people: People, initiative: Initiative, factory: Factory, who: str, statuses: tuple[int, int, int]
) -> None:
    question = asked(people, initiative)
    browser = open_as(people, initiative, factory, question, who)

    browser.get(f"/vragen/{question.id}/antwoord", status=statuses[0])
    browser.get(f"/account/initiatieven/{initiative.id}/vragen", status=statuses[1])
    browser.get(f"/regie/vragen/{question.id}", status=statuses[2])
    token = browser.get("/account/gegevens").field("csrf_token")
    browser.post(f"/account/initiatieven/{initiative.id}/vragen", {"csrf_token": token, "on": "0"}, status=statuses[1])
    if statuses[2] != 200:
        hide = {"csrf_token": token, "decision": "hide", "reason": "Weg"}
        browser.post(f"/regie/vragen/{question.id}", hide, status=statuses[2])
        browser.post(f"/regie/vragen/initiatief/{initiative.id}", {"csrf_token": token, "on": "0"}, status=statuses[2])
    factory.session.expire_all()
    assert question.hidden_at is None
    assert initiative.has_questions == (statuses[1] != 200)


def open_as(people: People, initiative: Initiative, factory: Factory, question: Post, who: str) -> Browser:
    if who == "asker":
        token = factory.session_of(
            factory.session.get_one(type(people.organiser_account(initiative)), question.author_id)
        )
        factory.session.commit()
        return Browser(people.app).sign_in(token)
    made = {
        "resident": lambda: people.resident("Bob"),
        "organiser": lambda: people.organiser(initiative),
        "other organiser": lambda: people.organiser(factory.initiative()),
        "manager": people.manager,
        "manager elsewhere": lambda: people.manager(OTHER_DESK),
        "coordinator": people.coordinator,
        "finance": people.finance,
    }
    return made[who]()


def test_a_manager_who_organises_it_speaks_as_organiser_and_hides_nothing(
    people: People, initiative: Initiative, factory: Factory
) -> None:
    question = asked(people, initiative)
    organiser = factory.session.scalars(select(Organiser).where(Organiser.initiative_id == initiative.id)).all()[2]
    account = factory.account(organiser.email, name="Cem", roles=(Role.DISTRICT_MANAGER,), desks=(OWN_DESK,))
    browser = people.browser(account)

    browser.get(f"/regie/vragen/{question.id}", status=403)
    browser.get(f"/vragen/{question.id}/antwoord")


def test_staff_without_a_second_factor_do_not_speak_for_the_municipality(
    people: People, initiative: Initiative, factory: Factory
) -> None:
    question = asked(people, initiative)
    account = factory.account(name="Sanne", roles=(Role.DISTRICT_MANAGER,), desks=(OWN_DESK,))
    browser = people.browser(account, has_second_factor=False)

    response = browser.client.get(f"/regie/vragen/{question.id}")

    assert response.status_code == 302


@pytest.mark.parametrize("state", State)
def test_the_permissions_by_role_and_state(factory: Factory, people: People, state: State) -> None:
    made = factory.initiative(state, target_cents=5_250)
    account = people.organiser_account(made)
    desk = frozenset({factory.area_id(OWN_DESK)})
    subject = subject_of(factory.session, made.id)
    organiser = User(account_id=account.id, email=str(account.email), name="Anna")
    resident = User(account_id=0, email="buur@voorbeeld.example", name="Buur")
    manager = User(
        account_id=0,
        email="s@voorbeeld.example",
        name="Sanne",
        roles=frozenset({Role.DISTRICT_MANAGER}),
        desk_area_ids=desk,
    )

    assert can_ask(resident, subject) == can_ask(manager, subject) == (state in ASKING_STATES)
    assert not can_ask(organiser, subject)
    assert can_answer(organiser, subject) == can_look_after(manager, subject) == subject.is_public
    assert not can_answer(manager, subject)
    assert not can_answer(resident, subject)
    assert not can_look_after(organiser, subject)
    assert not can_look_after(resident, subject)
