# SPDX-License-Identifier: EUPL-1.2
"""The desk checks an accountability: approved it is a page worth reading, returned it says what is missing."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from abs_platform.accountability import deciding, queries, service
from abs_platform.accountability.models import Accountability, CostReceipt
from abs_platform.accountability.permissions import can_account, can_begin, can_review, can_see_receipts
from abs_platform.accountability.states import TRANSITIONS, AccountabilityState
from abs_platform.accounts.models import Account
from abs_platform.errors import AbsError, Conflict, InvalidTransition
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.subjects import subject_of
from abs_platform.media.queries import public_file
from abs_platform.users import Role, User
from tests.accountability.accounts import PDF, begun, fetch, filled_in, path_of, picture, send_cost, sent, who
from tests.concurrency.racing import at_once, committed
from tests.factories import SECRET_KEY, Factory
from tests.media.pictures import photo
from tests.page import Browser
from tests.people import OTHER_DESK, OWN_DESK, People


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


@pytest.fixture
def initiative(factory: Factory, people: People) -> Initiative:
    assert people
    return begun(factory)


def review(initiative: Initiative) -> str:
    return f"/regie/verantwoording/{initiative.id}"


def test_the_whole_way_from_writing_to_a_page_worth_reading(people: People, factory: Factory) -> None:
    made = factory.initiative(target_cents=5_250)
    people.giver(made, "gever@voorbeeld.example")
    factory.fund(made)
    factory.session.commit()
    anna, sanne = people.organiser(made), people.manager()
    begin = f"/account/initiatieven/{made.id}/beginnen"
    anna.submit(anna.get(begin), begin)
    anna.submit(anna.get(path_of(made, "verhaal")), path_of(made, "verhaal"), story="Er staan **tien** bomen.")
    photos = path_of(made, "fotos")
    anna.submit(anna.get(photos), photos, picture=picture(), alt_text="Tien bomen op een rij")
    send_cost(anna, made, 1, photo(), actual="40,25")
    send_cost(anna, made, 2, PDF, actual="12")
    anna.submit(anna.get(path_of(made)), path_of(made))
    assert "tien bomen" not in people.resident().get(f"/initiatieven/{made.id}").text.lower().replace(
        "we planten samen tien", ""
    )

    waiting = sanne.get("/regie")
    assert waiting.all(f'a[href="{review(made)}"]')
    page = sanne.get(review(made))
    assert "kassabon.jpg" in page.text
    assert "Er is € 0,25 over" in page.text.replace("\u00a0", " ")
    sanne.submit(page, review(made))

    factory.session.expire_all()
    assert made.state == State.REALISED
    shown = people.resident("Bob").get(f"/initiatieven/{made.id}")
    assert shown.all(".abs-story strong")[0].to_text() == "tien"
    assert shown.one(".abs-photos img").attrs["alt"] == "Tien bomen op een rij"
    table = shown.one(".abs-costs").to_text().replace("\u00a0", " ")
    assert "€ 40,25" in table
    assert "€ 0,25" in table
    assert "kassabon" not in shown.html
    mails = people.mails("realised:")
    assert len(mails) == 4
    assert {mail.recipient for mail in mails if mail.unsubscribe_url} == {"gever@voorbeeld.example"}


def test_what_is_missing_goes_back_in_one_mail_and_comes_again(
    people: People, initiative: Initiative, factory: Factory
) -> None:
    account, sanne = people.organiser_account(initiative), people.manager()
    sent(factory, initiative, account)
    page = sanne.get(review(initiative))

    token, seen = page.field("csrf_token"), page.field("seen")
    refused = sanne.post(review(initiative), {"csrf_token": token, "seen": seen, "decision": "return"}, status=422)
    assert refused.one("#remark-error")
    back = {"csrf_token": token, "seen": seen, "decision": "return", "remark": "De bon van de koffie mist."}
    sanne.post(review(initiative), back)

    mails = people.mails("accountability-returned:")
    assert len(mails) == 3
    assert all("De bon van de koffie mist." in str(mail.text_body) for mail in mails)
    anna = people.organiser(initiative)
    assert "De bon van de koffie mist." in anna.get(path_of(initiative)).text
    send_cost(anna, initiative, 2, photo(), actual="10")
    anna.submit(anna.get(path_of(initiative)), path_of(initiative))
    assert "De bon van de koffie mist." in sanne.get(review(initiative)).text
    sanne.submit(sanne.get(review(initiative)), review(initiative))
    factory.session.expire_all()
    assert initiative.state == State.REALISED


def test_nobody_approves_what_was_sent_anew_after_looking(
    people: People, initiative: Initiative, factory: Factory
) -> None:
    account = people.organiser_account(initiative)
    seen, session = sent(factory, initiative, account), factory.session
    later = who(account, factory) | {"now": factory.now + dt.timedelta(hours=1)}
    deciding.send_back(session, initiative.id, "Nog een bon.", seen=seen, **who(account, factory))
    service.save_story(session, initiative.id, "Heel anders.", version=1, **later)
    service.submit(session, initiative.id, **later)

    with pytest.raises(Conflict):
        deciding.approve(session, initiative.id, seen=seen, secret_key=SECRET_KEY, **later)

    session.expire_all()
    assert initiative.state == State.IN_PROGRESS


def test_two_of_the_desk_who_approve_at_once_approve_once(own_app: Flask, own_factory: Factory) -> None:
    people = People(own_app, own_factory)
    initiative = begun(own_factory)
    seen = sent(own_factory, initiative, people.organiser_account(initiative))
    staff = [own_factory.account() for _ in range(2)]
    own_factory.session.commit()
    by = [who(one, own_factory) | {"seen": seen, "secret_key": SECRET_KEY} for one in staff]
    works = [committed(own_app, partial(deciding.approve, initiative_id=initiative.id, **one)) for one in by]

    results = at_once(works)

    assert sorted(isinstance(result, InvalidTransition) for result in results) == [False, True]
    own_factory.session.rollback()
    assert len(people.mails("realised:")) == 3


def test_one_who_approves_while_another_returns_is_told(own_app: Flask, own_factory: Factory) -> None:
    people = People(own_app, own_factory)
    initiative = begun(own_factory)
    seen = sent(own_factory, initiative, people.organiser_account(initiative))
    initiative_id, by = initiative.id, who(own_factory.account(), own_factory)
    own_factory.session.commit()

    def approve(session: Session) -> None:
        deciding.approve(session, initiative_id, seen=seen, secret_key=SECRET_KEY, **by)

    def send_back(session: Session) -> None:
        deciding.send_back(session, initiative_id, "Nog een bon.", seen=seen, **by)

    results = at_once([committed(own_app, approve), committed(own_app, send_back)])

    assert sorted(isinstance(result, InvalidTransition) for result in results) == [False, True]
    own_factory.session.rollback()
    own_factory.session.expire_all()
    is_approved = results[0] is None
    assert initiative.state == (State.REALISED if is_approved else State.IN_PROGRESS)
    assert len(people.mails("realised:")) == 3 * is_approved
    assert len(people.mails("accountability-returned:")) == 3 * (not is_approved)


@pytest.mark.parametrize("source", AccountabilityState)
@pytest.mark.parametrize("verb", ["submit", "send_back", "approve"])
def test_every_move_that_is_not_in_the_table_is_refused(
    people: People, initiative: Initiative, factory: Factory, source: AccountabilityState, verb: str
) -> None:
    account, session = people.organiser_account(initiative), factory.session
    filled_in(factory, initiative, account)
    row = session.get_one(Accountability, initiative.id)
    row.submitted_at, row.decided_at, row.decided_by_id, row.remark = factory.now, factory.now, account.id, "Nog iets."
    row.state = source.value
    session.commit()
    seen, by = factory.now.isoformat(), who(account, factory)
    verbs = {
        "submit": partial(service.submit, session, initiative.id, **by),
        "send_back": partial(deciding.send_back, session, initiative.id, "Nog iets.", seen=seen, **by),
        "approve": partial(deciding.approve, session, initiative.id, seen=seen, secret_key=SECRET_KEY, **by),
    }
    target = {"submit": "submitted", "send_back": "returned", "approve": "approved"}[verb]

    if target in TRANSITIONS[source]:
        verbs[verb]()
        session.expire_all()
        assert session.get_one(Accountability, initiative.id).state == target
    elif verb == "submit" and source == AccountabilityState.SUBMITTED:
        assert verbs[verb]() is False
    else:
        with pytest.raises(AbsError):
            verbs[verb]()


WHO = {
    "nobody": (302, 302, 302, 302),
    "resident": (404, 404, 403, 403),
    "organiser": (200, 200, 403, 403),
    "co-organiser": (200, 200, 403, 403),
    "other organiser": (404, 404, 403, 403),
    "manager": (403, 403, 200, 200),
    "manager elsewhere": (403, 403, 403, 403),
    "manager who organises": (200, 200, 403, 200),
    "coordinator": (403, 403, 403, 403),
    "finance": (403, 403, 403, 200),
}


@pytest.mark.parametrize(("name", "statuses"), WHO.items())
def test_who_opens_the_accountability_and_its_receipts(
    people: People, initiative: Initiative, factory: Factory, name: str, statuses: tuple[int, ...]
) -> None:
    account = people.organiser_account(initiative)
    send_cost(people.browser(account), initiative, 1, PDF, actual="40")
    service.save_story(factory.session, initiative.id, "Klaar.", version=0, **who(account, factory))
    extra = service.CostInput(actual_cents=1_000, no_receipt_reason="Kwijt.")
    service.save_cost(factory.session, initiative.id, 2, extra, **who(account, factory))
    service.submit(factory.session, initiative.id, **who(account, factory))
    factory.session.commit()
    receipt = factory.session.scalars(select(CostReceipt.picture_id)).one()
    browser = Browser(people.app) if name == "nobody" else open_as(people, initiative, factory, name)
    paths = (
        path_of(initiative),
        path_of(initiative, "bonnen", receipt),
        review(initiative),
        f"{review(initiative)}/bonnen/{receipt}",
    )

    found = tuple(fetch(browser, path).status_code for path in paths)

    assert found == statuses


def open_as(people: People, initiative: Initiative, factory: Factory, name: str) -> Browser:
    if name == "manager who organises":
        organisers = select(Organiser).where(Organiser.initiative_id == initiative.id).order_by(Organiser.id)
        email = factory.session.scalars(organisers).all()[2].email
        staff = factory.account(email, name="Cem", roles=(Role.DISTRICT_MANAGER,), desks=(OWN_DESK,))
        return people.browser(staff)
    made = {
        "resident": people.resident,
        "organiser": lambda: people.organiser(initiative),
        "co-organiser": lambda: people.organiser(initiative, 1),
        "other organiser": lambda: people.organiser(begun(factory)),
        "manager": people.manager,
        "manager elsewhere": lambda: people.manager(OTHER_DESK),
        "coordinator": people.coordinator,
        "finance": people.finance,
    }
    return made[name]()


def test_a_receipt_has_no_public_address(app: Flask, people: People, initiative: Initiative, factory: Factory) -> None:
    send_cost(people.organiser(initiative), initiative, 1, photo(), actual="40")
    row = queries.receipt(factory.session, initiative.id, factory.session.scalars(select(CostReceipt.picture_id)).one())
    assert row is not None
    key = row[0].key

    assert public_file(factory.session, key) is None
    for width in (480, 640, 960):
        assert app.test_client().get(f"/media/{key}/{width}.jpg").status_code == 404


def test_a_receipt_is_found_under_its_own_initiative_only(
    people: People, initiative: Initiative, factory: Factory
) -> None:
    send_cost(people.organiser(initiative), initiative, 1, photo(), actual="40")
    receipt = factory.session.scalars(select(CostReceipt.picture_id)).one()
    other = begun(factory)

    stranger, finance = people.organiser(other), people.finance()

    assert fetch(stranger, path_of(other, "bonnen", receipt)).status_code == 404
    assert fetch(finance, f"{review(other)}/bonnen/{receipt}").status_code == 404


@pytest.mark.parametrize("name", ["manager elsewhere", "manager who organises", "coordinator", "finance", "organiser"])
def test_only_its_own_desk_decides(people: People, initiative: Initiative, factory: Factory, name: str) -> None:
    seen = sent(factory, initiative, people.organiser_account(initiative))
    browser = open_as(people, initiative, factory, name)
    token = browser.get("/account/gegevens").field("csrf_token")

    browser.post(review(initiative), {"csrf_token": token, "decision": "approve", "seen": seen}, status=403)

    factory.session.expire_all()
    assert initiative.state == State.IN_PROGRESS


def test_a_draft_is_the_organisers_own(people: People, initiative: Initiative, factory: Factory) -> None:
    filled_in(factory, initiative, people.organiser_account(initiative))

    people.manager().get(review(initiative), status=404)


def test_the_queue_names_what_waits_at_these_desks_oldest_first(people: People, factory: Factory) -> None:
    first, second = begun(factory), begun(factory)
    for made in (second, first):
        sent(factory, made, people.organiser_account(made))
    account = factory.session.get_one(Accountability, second.id)
    account.submitted_at = factory.now - dt.timedelta(days=1)
    factory.session.commit()
    here, elsewhere = factory.area_id(OWN_DESK), factory.area_id(OTHER_DESK)

    assert [one.initiative_id for one in queries.waiting(factory.session, {here})] == [second.id, first.id]
    assert queries.waiting(factory.session, {elsewhere}) == []


@pytest.mark.parametrize("state", State)
def test_the_permissions_by_role_and_state(factory: Factory, people: People, state: State) -> None:
    made = factory.initiative(state, target_cents=5_250)
    account: Account = people.organiser_account(made)
    subject = subject_of(factory.session, made.id)
    organiser = User(account_id=account.id, email=str(account.email), name="Anna")

    def staff(role: Role, desk: str) -> User:
        desks = frozenset({factory.area_id(desk)})
        return User(account_id=0, email="s@voorbeeld.example", name="S", roles=frozenset({role}), desk_area_ids=desks)

    here, elsewhere = staff(Role.DISTRICT_MANAGER, OWN_DESK), staff(Role.DISTRICT_MANAGER, OTHER_DESK)
    coordinator, finance = staff(Role.COORDINATOR, OWN_DESK), staff(Role.FINANCE, OTHER_DESK)
    is_begun = state in {State.IN_PROGRESS, State.REALISED}

    assert can_begin(organiser, subject) == (state == State.FUNDED)
    assert can_account(organiser, subject) == can_review(here, subject) == is_begun
    for other in (elsewhere, coordinator, finance, here):
        assert not can_begin(other, subject)
        assert not can_account(other, subject)
    for other in (elsewhere, coordinator, finance, organiser):
        assert not can_review(other, subject)
    assert can_see_receipts(finance, subject)
    assert can_see_receipts(here, subject) == (subject.desk_area_id is not None)
    assert not can_see_receipts(elsewhere, subject)
    assert not can_see_receipts(coordinator, subject)
