# SPDX-License-Identifier: EUPL-1.2
"""Thanks, the news that a target is reached, and that a gift came back: to exactly whom it should, exactly once."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from abs_platform.database import db
from abs_platform.donations.models import Donation
from abs_platform.donations.service import GiftDetails
from abs_platform.errors import Conflict
from abs_platform.events import Event
from abs_platform.initiatives import service as initiatives
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.outbox import OutgoingMail
from abs_platform.updates import queries, service
from abs_platform.updates.models import Thanks
from jobs import close_initiatives, purge_personal_data, tell_of_funding
from jobs.runner import Job, JobReport
from tests.concurrency.racing import at_once, committed
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.people import People

DAY = dt.timedelta(days=1)


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


def run(session: Session, job: Job, now: dt.datetime) -> JobReport:
    """Run a job, which has a session of its own."""
    session.commit()
    report = job(now)
    db.session.rollback()
    session.expire_all()
    return report


def funded(factory: Factory, people: People, *emails: str) -> Initiative:
    """An initiative that has its target, with these givers among the others."""
    made = factory.initiative(target_cents=10_500)
    for email in emails:
        people.giver(made, email)
    factory.fund(made)
    factory.session.commit()
    return made


def test_thanks_show_the_exact_number_before_they_go_and_keep_it(people: People, factory: Factory) -> None:
    made = funded(factory, people, "a@voorbeeld.example", "b@voorbeeld.example", "a@voorbeeld.example")
    anna, path = people.organiser(made), f"/account/initiatieven/{made.id}/bedanken"

    preview = anna.submit(anna.get(path), path, body="Dank je **wel**!")
    assert "2 gevers krijgen dit per mail" in preview.text
    assert people.mails("thanks:") == []
    anna.submit(preview, path)

    assert {mail.recipient for mail in people.mails("thanks:")} == {"a@voorbeeld.example", "b@voorbeeld.example"}
    assert factory.session.get_one(Thanks, made.id).recipient_count == 2
    assert "2 gevers kregen een mail" in anna.get(path).text
    page = people.resident().get(f"/initiatieven/{made.id}")
    assert page.one(".abs-thanks strong").to_text() == "wel"


def test_givers_are_thanked_once_whoever_tries(people: People, factory: Factory) -> None:
    made = funded(factory, people, "a@voorbeeld.example")
    anna, bram, path = people.organiser(made), people.organiser(made, 1), f"/account/initiatieven/{made.id}/bedanken"
    first, second = (browser.submit(browser.get(path), path, body="Dank!") for browser in (anna, bram))

    anna.submit(first, path)
    late = bram.submit(second, path, status=409)

    assert "al bedankt" in late.text
    assert len(people.mails("thanks:")) == 1


@pytest.mark.parametrize("state", [State.PUBLISHED, State.EXPIRED, State.STOPPED, State.WITHDRAWN])
def test_nobody_is_thanked_before_the_money_is_there(people: People, factory: Factory, state: State) -> None:
    made = factory.initiative(state)
    author = people.organiser_account(made)

    with pytest.raises(Conflict):
        service.thank(
            factory.session,
            made.id,
            "Dank!",
            author_id=author.id,
            secret_key=SECRET_KEY,
            actor=TEST_ACTOR,
            now=factory.now,
        )

    assert people.mails("thanks:") == []


def test_two_organisers_who_thank_at_once_thank_once(own_app: Flask, own_factory: Factory) -> None:
    people = People(own_app, own_factory)
    made = funded(own_factory, people, *(f"gever{number}@voorbeeld.example" for number in range(5)))
    made_id, authors = made.id, [people.organiser_account(made, number).id for number in (0, 1)]
    own_factory.session.commit()

    def thank(session: Session, author_id: int) -> int:
        return service.thank(
            session,
            made_id,
            f"Dank van {author_id}",
            author_id=author_id,
            secret_key=SECRET_KEY,
            actor=TEST_ACTOR,
            now=own_factory.now,
        )

    results = at_once([committed(own_app, partial(thank, author_id=author_id)) for author_id in authors])

    assert sorted(isinstance(result, Conflict) for result in results) == [False, True]
    own_factory.session.rollback()
    assert len(people.mails("thanks:")) == 5
    bodies = {mail.text_body for mail in people.mails("thanks:")}
    assert sum("Dank van" in str(body) for body in bodies) == 5
    thanks = own_factory.session.scalars(select(Thanks)).one()
    assert thanks.recipient_count == 5
    assert all(thanks.body in str(body) for body in bodies)


def test_a_reached_target_is_told_to_organisers_and_givers_once(
    session: Session, people: People, factory: Factory
) -> None:
    made = funded(factory, people, "a@voorbeeld.example", "b@voorbeeld.example")

    first = run(session, tell_of_funding.run, factory.now)
    second = run(session, tell_of_funding.run, factory.now + DAY)

    assert (first.changed, first.errors) == (5, [])
    assert (second.changed, second.errors) == (0, [])
    mails = people.mails(f"funded:{made.id}")
    assert len(mails) == 5
    assert sum(mail.unsubscribe_url is not None for mail in mails) == 2
    told = session.scalars(select(Event).where(Event.kind == "initiative.funding_told")).one()
    assert told.details == {"recipients": 5}


def test_an_organiser_who_gave_too_hears_it_once(session: Session, people: People, factory: Factory) -> None:
    made = factory.initiative(target_cents=5_250)
    people.giver(made, str(people.organiser_account(made).email))
    factory.fund(made)

    report = run(session, tell_of_funding.run, factory.now)

    assert report.changed == 3


def test_what_was_funded_long_ago_is_no_news(session: Session, people: People, factory: Factory) -> None:
    funded(factory, people, "a@voorbeeld.example")

    report = run(session, tell_of_funding.run, factory.now + queries.TOLD_WITHIN)

    assert report.changed == 0
    assert people.mails("funded:") == []


def returned(session: Session) -> int:
    """How many gifts came back whose giver left an address."""
    query = select(func.count()).select_from(Donation)
    return session.scalar(query.where(Donation.state == "returned", Donation.giver_email.is_not(None))) or 0


def test_everybody_who_left_an_address_is_told_once_that_the_gift_came_back(
    session: Session, people: People, factory: Factory
) -> None:
    made, still_open = factory.initiative(), factory.initiative(title="Een pluktuin")
    for number in range(6):
        people.giver(made, f"gever{number}@voorbeeld.example" if number < 4 else None)
    details = GiftDetails(giver_email="planb@voorbeeld.example", plan_b_initiative_id=still_open.id)
    assert factory.give(factory.fresh_codes(1)[0], made, details)
    twice = GiftDetails(giver_email="gever0@voorbeeld.example")
    assert factory.give(factory.fresh_codes(1)[0], made, twice)
    initiatives.stop(session, made.id, reason="Te gevaarlijk.", actor=TEST_ACTOR, now=factory.now)

    first = run(session, close_initiatives.run, factory.now)
    second = run(session, close_initiatives.run, factory.now)
    third = run(session, close_initiatives.run, factory.now + DAY)

    assert [report.errors for report in (first, second, third)] == [[], [], []]
    mails = people.mails("gift-returned:")
    assert len(mails) == returned(session) == 6
    assert sum(mail.recipient == "gever0@voorbeeld.example" for mail in mails) == 2
    to_plan_b = next(mail for mail in mails if mail.recipient == "planb@voorbeeld.example")
    assert "Een pluktuin" in str(to_plan_b.text_body)
    assert "opnieuw geven" not in str(to_plan_b.text_body)
    others = [mail for mail in mails if mail is not to_plan_b]
    assert all("opnieuw geven met dezelfde code, tot en met" in str(mail.text_body) for mail in others)
    assert len({mail.text_body for mail in others}) == 5  # each with the number of the own receipt
    receipts = set(session.scalars(select(Donation.reference).where(Donation.state == "returned")))
    assert all(any(f"/giften/{one}" in str(mail.text_body) for one in receipts) for mail in mails)


def test_a_second_choice_that_does_not_collect_any_more_is_told_as_a_return(
    session: Session, people: People, factory: Factory
) -> None:
    made, ended = factory.initiative(), factory.initiative()
    details = GiftDetails(giver_email="gever@voorbeeld.example", plan_b_initiative_id=ended.id)
    assert factory.give(factory.fresh_codes(1)[0], made, details)
    for one in (made, ended):
        initiatives.withdraw(session, one.id, reason="Verhuisd.", actor=TEST_ACTOR, now=factory.now)

    run(session, close_initiatives.run, factory.now)

    (mail,) = people.mails("gift-returned:")
    assert "opnieuw geven" in str(mail.text_body)


def test_stopping_the_news_does_not_stop_the_word_that_a_gift_came_back(
    session: Session, people: People, factory: Factory
) -> None:
    made = factory.initiative()
    gift = people.giver(made, "gever@voorbeeld.example")
    service.stop_news(session, gift.donation_id, secret_key=SECRET_KEY, now=factory.now)
    initiatives.stop(session, made.id, reason="Te gevaarlijk.", actor=TEST_ACTOR, now=factory.now)

    run(session, close_initiatives.run, factory.now)

    assert len(people.mails("gift-returned:")) == 1


def test_a_return_without_addresses_costs_no_mail(session: Session, people: People, factory: Factory) -> None:
    made = factory.initiative()
    for _ in range(5):
        people.giver(made, None)
    initiatives.stop(session, made.id, reason="Te gevaarlijk.", actor=TEST_ACTOR, now=factory.now)

    report = run(session, close_initiatives.run, factory.now)

    assert report.changed == 5
    assert session.scalar(select(func.count()).select_from(OutgoingMail)) == 0


def test_two_jobs_at_once_tell_each_giver_once(own_app: Flask, own_factory: Factory) -> None:
    people = People(own_app, own_factory)
    made = own_factory.initiative(target_cents=400_000)
    codes = own_factory.fresh_codes(40)
    for number, code in enumerate(codes):
        email = f"gever{number}@voorbeeld.example" if number % 2 else None
        assert own_factory.give(code, made, GiftDetails(giver_email=email))
    initiatives.stop(own_factory.session, made.id, reason="Te gevaarlijk.", actor=TEST_ACTOR, now=own_factory.now)
    own_factory.session.commit()

    def work() -> JobReport:
        with own_app.app_context():
            return close_initiatives.run(own_factory.now)

    reports = at_once([work, work, work])

    own_factory.session.rollback()
    assert [report.errors for report in reports] == [[], [], []]
    assert returned(own_factory.session) == 20
    assert len(people.mails("gift-returned:")) == 20


def test_an_address_is_forgotten_when_there_is_nothing_to_tell_any_more(
    session: Session, people: People, factory: Factory
) -> None:
    stopped, open_, done = factory.initiative(), factory.initiative(), factory.initiative(target_cents=5_250)
    for made in (stopped, open_, done):
        people.giver(made, "gever@voorbeeld.example")
    initiatives.stop(session, stopped.id, reason="Te gevaarlijk.", actor=TEST_ACTOR, now=factory.now)
    run(session, close_initiatives.run, factory.now)
    factory.fund(done)
    for step in (initiatives.start, initiatives.realise):
        step(session, done.id, actor=TEST_ACTOR, now=factory.now)

    def known(days: int) -> set[int]:
        run(session, purge_personal_data.run, factory.now + days * DAY)
        return set(session.scalars(select(Donation.initiative_id).where(Donation.giver_email.is_not(None))))

    assert known(29) == {stopped.id, open_.id, done.id}
    assert known(31) == {open_.id, done.id}
    assert known(89) == {open_.id, done.id}
    assert known(91) == {open_.id}
