# SPDX-License-Identifier: EUPL-1.2
"""Offers of help: two taps, an answer, and contact details for the organisers alone as long as the offer lives."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from abs_platform.accounts.leaving import delete_account
from abs_platform.accounts.models import Account
from abs_platform.errors import AbsError, Conflict, InvalidTransition
from abs_platform.help_offers import service
from abs_platform.help_offers.models import HelpOffer
from abs_platform.help_offers.permissions import can_answer, can_offer
from abs_platform.help_offers.states import HELPING_STATES, OFFERS_PER_DAY, TRANSITIONS, OfferState
from abs_platform.initiatives.models import Initiative, InitiativeNeed
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.subjects import subject_of
from abs_platform.users import User
from tests.concurrency.racing import at_once, committed
from tests.engaging import offered
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser
from tests.people import OTHER_DESK, People

KEY = b"k" * 16


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


@pytest.fixture
def need(factory: Factory, people: People) -> InitiativeNeed:
    """An initiative that collects asks for two people with a spade."""
    made = people.need(factory.initiative())
    factory.session.commit()
    return made


def path_of(need: InitiativeNeed) -> str:
    return f"/initiatieven/{need.initiative_id}/hulp/{need.id}"


def offers_of(need: InitiativeNeed) -> str:
    return f"/account/initiatieven/{need.initiative_id}/hulp"


def answer(browser: Browser, offer: HelpOffer, need: InitiativeNeed, word: str, *, status: int = 200) -> str:
    page = browser.get(offers_of(need))
    token = page.field("csrf_token")
    path = f"{offers_of(need)}/{offer.id}"
    return browser.post(path, {"csrf_token": token, "answer": word}, status=status).text


def test_help_is_two_taps_away_and_the_page_counts_it(people: People, need: InitiativeNeed, factory: Factory) -> None:
    fatima, public = people.resident(), f"/initiatieven/{need.initiative_id}"
    first = fatima.get(public)
    assert first.one(f'a[href="{path_of(need)}"]').to_text().startswith("Ik help mee")

    confirm = fatima.get(path_of(need))
    assert "Fatima" in confirm.one(".abs-aside-note").to_text()
    assert "@voorbeeld.example" in confirm.one(".abs-aside-note").to_text()
    fatima.submit(confirm, path_of(need))

    offer = factory.session.scalars(select(HelpOffer)).one()
    assert (offer.state, offer.note) == ("offered", "")
    assert offer.contact_shared_at is not None
    page = people.resident("Bob").get(public)
    assert "1 buurtbewoner bood al hulp aan" in page.text
    assert "Fatima" not in page.text
    assert len(people.mails("help-offered:")) == 3


def test_a_stranger_signs_in_first_and_comes_back(app: Flask, people: People, need: InitiativeNeed) -> None:
    assert people
    response = app.test_client().get(path_of(need))

    assert response.status_code == 302
    assert response.location.startswith("/inloggen?volgende=")
    assert path_of(need) in response.location.replace("%2F", "/")


def test_who_has_no_name_yet_gives_one(people: People, need: InitiativeNeed, factory: Factory) -> None:
    account = factory.account()
    browser = people.browser(account)

    refused = browser.submit(browser.get(path_of(need)), path_of(need), status=422)
    assert refused.one("#name-error")
    browser.submit(refused, path_of(need), name="Noor")

    factory.session.expire_all()
    assert factory.session.get_one(Account, account.id).name == "Noor"
    assert "Noor biedt hulp aan" in str(people.mails("help-offered:")[0].text_body)


def test_the_same_help_is_offered_once_and_again_after_withdrawing(people: People, need: InitiativeNeed) -> None:
    fatima = people.resident()
    page = fatima.get(path_of(need))
    fatima.submit(page, path_of(need))

    again = fatima.submit(page, path_of(need), status=409)
    assert "al hulp aangeboden" in again.text
    mine = fatima.get("/account/hulp")
    offer = people.factory.session.scalars(select(HelpOffer)).one()
    fatima.submit(mine, f"/account/hulp/{offer.id}/intrekken")

    fatima.submit(fatima.get(path_of(need)), path_of(need))
    people.factory.session.expire_all()
    assert [one.state for one in people.factory.session.scalars(select(HelpOffer).order_by(HelpOffer.id))] == [
        "withdrawn",
        "offered",
    ]


def test_accepting_tells_the_offerer_and_shows_where_to_reach_her(people: People, need: InitiativeNeed) -> None:
    offer, anna = offered(people, need), people.organiser(_initiative(people, need))

    text = answer(anna, offer, need, "accept")

    assert "Fatima doet mee" in text
    assert "@voorbeeld.example" in anna.get(offers_of(need)).one(".abs-account-list").to_text()
    (mail,) = people.mails("help-accepted:")
    assert "willen je hulp graag gebruiken" in str(mail.text_body)
    assert "Anna" not in str(mail.text_body)


def test_thanking_is_a_kind_no_and_the_contact_details_are_gone(people: People, need: InitiativeNeed) -> None:
    offer, anna = offered(people, need), people.organiser(_initiative(people, need))
    assert "mailto:mens" in anna.get(offers_of(need)).html

    answer(anna, offer, need, "thank")

    assert "mailto:mens" not in anna.get(offers_of(need)).html
    assert len(people.mails("help-thanked:")) == 1
    assert "bood al hulp aan" not in people.resident("Bob").get(f"/initiatieven/{need.initiative_id}").text


def test_who_was_counted_on_and_withdraws_is_missed(people: People, need: InitiativeNeed) -> None:
    waiting, accepted = offered(people, need), offered(people, need, "Bob")
    session, now = people.factory.session, people.factory.now
    service.accept(session, accepted.id, actor=TEST_ACTOR, now=now, by_id=waiting.account_id)

    for offer in (waiting, accepted, accepted):
        service.withdraw(session, offer.id, actor=TEST_ACTOR, now=now)
    session.commit()

    mails = people.mails("help-withdrawn:")
    assert len(mails) == 3
    assert all("Bob" in str(mail.text_body) for mail in mails)


@pytest.mark.parametrize("source", OfferState)
@pytest.mark.parametrize("verb", ["accept", "thank", "withdraw"])
def test_every_move_that_is_not_in_the_table_is_refused(
    session: Session, people: People, need: InitiativeNeed, source: OfferState, verb: str
) -> None:
    offer, now = offered(people, need), people.factory.now
    target = {"accept": OfferState.ACCEPTED, "thank": OfferState.THANKED, "withdraw": OfferState.WITHDRAWN}[verb]
    offer.state = source.value
    if source in {OfferState.ACCEPTED, OfferState.THANKED}:
        offer.answered_at = now
    if source == OfferState.WITHDRAWN:
        offer.withdrawn_at = now
    session.commit()
    options = {} if verb == "withdraw" else {"by_id": offer.account_id}

    def move() -> None:
        getattr(service, verb)(session, offer.id, actor=TEST_ACTOR, now=now, **options)

    if target in TRANSITIONS[source] or (verb == "withdraw" and source == target):
        move()
        assert offer.state == target
    else:
        with pytest.raises(InvalidTransition):
            move()


def test_an_offer_accepted_while_it_is_withdrawn_ends_in_one_of_the_two(own_app: Flask, own_factory: Factory) -> None:
    people = People(own_app, own_factory)
    need = people.need(own_factory.initiative())
    offers = [offered(people, need, f"Buur {number}") for number in range(6)]

    for offer in offers:
        verbs = [
            lambda session, id_=offer.id, by=offer.account_id: service.accept(
                session, id_, actor=TEST_ACTOR, now=own_factory.now, by_id=by
            ),
            lambda session, id_=offer.id: service.withdraw(session, id_, actor=TEST_ACTOR, now=own_factory.now),
        ]
        results = at_once([committed(own_app, verb) for verb in verbs])
        own_factory.session.rollback()
        own_factory.session.expire_all()
        assert offer.state == "withdrawn"
        accepted_first = results[0] is None
        assert isinstance(results[0], InvalidTransition) != accepted_first
        assert len(people.mails(f"help-accepted:{offer.id}")) == int(accepted_first)
        assert len(people.mails(f"help-withdrawn:{offer.id}")) == 3 * int(accepted_first)


def test_the_same_person_who_taps_twice_at_once_offers_once(own_app: Flask, own_factory: Factory) -> None:
    people = People(own_app, own_factory)
    need = people.need(own_factory.initiative())
    initiative_id, need_id, account_id = need.initiative_id, need.id, own_factory.account(name="Fatima").id
    own_factory.session.commit()

    def offer(session: Session, key: bytes) -> HelpOffer:
        return service.offer_help(
            session,
            initiative_id,
            need_id,
            account_id=account_id,
            name="Fatima",
            note="",
            key=key,
            actor=TEST_ACTOR,
            now=own_factory.now,
        )

    keys = [bytes([number]) * 16 for number in range(4)]  # so that the limit does not make them queue
    results = at_once([committed(own_app, partial(offer, key=key)) for key in keys])

    assert sum(isinstance(result, Conflict) for result in results) == 3
    own_factory.session.rollback()
    assert len(own_factory.session.scalars(select(HelpOffer)).all()) == 1


def test_ten_offers_a_day_is_enough(people: People, factory: Factory) -> None:
    needs = [people.need(factory.initiative()) for _ in range(OFFERS_PER_DAY + 1)]
    factory.session.commit()
    fatima = people.resident()

    for need in needs[:-1]:
        fatima.submit(fatima.get(path_of(need)), path_of(need))
    refused = fatima.submit(fatima.get(path_of(needs[-1])), path_of(needs[-1]), status=429)

    assert "te vaak" in refused.text


@pytest.mark.parametrize("state", State)
def test_help_is_offered_while_there_is_something_to_help_with(people: People, factory: Factory, state: State) -> None:
    need = people.need(factory.initiative(state, target_cents=5_250))

    if state in HELPING_STATES:
        assert offered(people, need).state == "offered"
    else:
        with pytest.raises(AbsError):
            offered(people, need)


def test_a_need_that_is_not_asked_any_more_is_not_found(people: People, need: InitiativeNeed, factory: Factory) -> None:
    offered(people, need)
    path, description, initiative = path_of(need), need.description, _initiative(people, need)
    factory.session.delete(need)
    factory.session.commit()

    people.resident().get(path, status=404)
    assert description in people.organiser(initiative).get(f"/account/initiatieven/{initiative.id}/hulp").text


def test_organisers_do_not_offer_help_to_themselves(people: People, need: InitiativeNeed) -> None:
    page = people.organiser(_initiative(people, need)).get(path_of(need))

    assert not page.all(f'form[action="{path_of(need)}"]')


@pytest.mark.parametrize(
    ("who", "status"),
    [("organiser", 200), ("other organiser", 404), ("resident", 404), ("manager", 403), ("coordinator", 403)],
)
def test_only_the_organisers_see_who_offered(
    people: People, need: InitiativeNeed, factory: Factory, who: str, status: int
) -> None:
    offer = offered(people, need)
    browser = {
        "organiser": lambda: people.organiser(_initiative(people, need), 2),
        "other organiser": lambda: people.organiser(factory.initiative()),
        "resident": people.resident,
        "manager": people.manager,
        "coordinator": people.coordinator,
    }[who]()

    browser.get(offers_of(need), status=status)
    token = browser.get("/account/gegevens").field("csrf_token")
    browser.post(f"{offers_of(need)}/{offer.id}", {"csrf_token": token, "answer": "accept"}, status=status)

    factory.session.expire_all()
    assert offer.state == ("accepted" if status == 200 else "offered")


def test_an_offer_is_answered_under_its_own_initiative_only(
    people: People, need: InitiativeNeed, factory: Factory
) -> None:
    offer, other = offered(people, need), factory.initiative()
    browser = people.organiser(other)
    token = browser.get("/account/gegevens").field("csrf_token")

    path = f"/account/initiatieven/{other.id}/hulp/{offer.id}"
    browser.post(path, {"csrf_token": token, "answer": "accept"}, status=404)


@pytest.mark.parametrize("who", ["resident", "organiser", "manager"])
def test_nobody_withdraws_the_offer_of_another(people: People, need: InitiativeNeed, who: str) -> None:
    offer = offered(people, need)
    browser = {
        "resident": people.resident,
        "organiser": lambda: people.organiser(_initiative(people, need)),
        "manager": lambda: people.manager(OTHER_DESK),
    }[who]()
    token = browser.get("/account/gegevens").field("csrf_token")

    browser.post(f"/account/hulp/{offer.id}/intrekken", {"csrf_token": token}, status=404)


def test_who_deletes_the_account_withdraws_and_leaves_no_words(
    people: People, need: InitiativeNeed, session: Session
) -> None:
    offer = offered(people, need)

    delete_account(session, offer.account_id, actor=TEST_ACTOR, now=people.factory.now)
    session.commit()

    session.expire_all()
    assert (offer.state, offer.note) == ("withdrawn", "")
    page = people.organiser(_initiative(people, need)).get(offers_of(need))
    assert "Fatima" not in page.text


@pytest.mark.parametrize("state", State)
def test_the_permissions_say_what_the_verbs_do(factory: Factory, people: People, state: State) -> None:
    made = factory.initiative(state, target_cents=5_250)
    account = people.organiser_account(made)
    organiser = User(account_id=account.id, email=str(account.email), name="Anna")
    resident = User(account_id=0, email="buur@voorbeeld.example", name="Buur")
    subject = subject_of(factory.session, made.id)

    assert can_offer(resident, subject) == (state in HELPING_STATES)
    assert not can_offer(organiser, subject)
    assert can_answer(organiser, subject) == subject.is_public
    assert not can_answer(resident, subject)


def _initiative(people: People, need: InitiativeNeed) -> Initiative:
    return people.factory.session.get_one(Initiative, need.initiative_id)
