# SPDX-License-Identifier: EUPL-1.2
"""Two neighbours who are asked by mail: they say yes or no behind its link, and the link is for nobody else."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.accounts.models import VerifiedAddress
from abs_platform.errors import Conflict, InvalidInput, NotFound, TooManyAttempts
from abs_platform.events import Event
from abs_platform.initiatives import answering, inviting, proposals, service
from abs_platform.initiatives.inviting import Address
from abs_platform.initiatives.models import Organiser
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.submitting import count_addresses
from abs_platform.outbox import OutgoingMail
from tests.concurrency.racing import at_once, committed
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.initiatives.writing import Writer, ask_two_questions, begin, finish, mails_about, token_to, user_of, whole
from tests.page import Browser

EMAIL = "bram@voorbeeld.example"
YES = {"doe": "ja", "name": "Bram", "postcode": "7609 ab", "house_number": "12a", "is_name_public": "1"}


@pytest.fixture
def writer(factory: Factory) -> Writer:
    """Somebody who began, and filled in the own address."""
    ask_two_questions(factory.session)
    writer = begin(factory)
    writer.save(**whole(factory))
    writer.live_at("1")
    return writer


def asked(writer: Writer, email: str = EMAIL) -> str:
    """Ask somebody; returns the path of the link, committed for a browser."""
    writer.invite(email)
    token = writer.token_to(email)
    writer.session.commit()
    return f"/meedoen/{token}"


def organiser(writer: Writer, email: str = EMAIL) -> Organiser | None:
    query = select(Organiser).where(Organiser.initiative_id == writer.initiative_id, Organiser.email == email)
    return writer.session.scalar(query.execution_options(populate_existing=True))


def answer(browser: Browser, path: str, status: int = 200, **data: str) -> Any:
    page = browser.get(path)
    return browser.post(path, data | {"csrf_token": page.field("csrf_token")}, status=status)


# -- asking -----------------------------------------------------------------------------------------------------------


def test_whoever_is_asked_gets_one_mail_with_a_link_that_is_kept_nowhere(writer: Writer) -> None:
    one = writer.invite(EMAIL)

    mail = writer.session.scalars(select(OutgoingMail).where(OutgoingMail.recipient == EMAIL)).one()
    token = writer.token_to(EMAIL)
    assert mail.is_secret
    assert token not in mail.event
    assert (one.invitation_digest, one.confirmed_at) != (None, one.invited_at)
    assert token.encode() not in (one.invitation_digest or b"")


def test_nobody_can_be_asked_twice_and_not_oneself(writer: Writer) -> None:
    writer.invite(EMAIL)

    with pytest.raises(InvalidInput, match="staat er al bij"):
        writer.invite(EMAIL)
    with pytest.raises(InvalidInput, match="zelf"):
        writer.invite(writer.account.email or "")


def test_a_new_mail_makes_the_old_link_worthless(writer: Writer) -> None:
    one = writer.invite(EMAIL)
    old = writer.token_to(EMAIL)

    inviting.resend(
        writer.session,
        writer.initiative_id,
        one.id,
        secret_key=SECRET_KEY,
        actor=TEST_ACTOR,
        now=writer.factory.now + dt.timedelta(minutes=1),
    )

    assert len(mails_about(writer.session, "initiative.invitation:")) == 2
    with pytest.raises(NotFound):
        writer.accept(old, "2")
    assert writer.accept(writer.token_to(EMAIL), "2").organiser.confirmed_at


def test_who_is_taken_off_can_do_nothing_with_the_link(writer: Writer, browser_client: Browser) -> None:
    path = asked(writer)
    one = organiser(writer)
    assert one

    inviting.remove(writer.session, writer.initiative_id, one.id, actor=TEST_ACTOR, now=writer.factory.now)
    writer.session.commit()

    page = browser_client.get(path, status=404)
    assert "Deze link werkt niet (meer)" in page.text


def test_somebody_elses_co_organiser_cannot_be_taken_off(writer: Writer, factory: Factory) -> None:
    other = begin(factory)
    one = other.invite("cem@voorbeeld.example")

    with pytest.raises(NotFound):
        inviting.remove(writer.session, writer.initiative_id, one.id, actor=TEST_ACTOR, now=factory.now)
    initiator = inviting.organisers_of(writer.session, writer.initiative_id)[0]
    with pytest.raises(NotFound):
        inviting.remove(writer.session, writer.initiative_id, initiator.id, actor=TEST_ACTOR, now=factory.now)


def test_ten_mails_a_day_for_one_initiative_is_the_end(writer: Writer) -> None:
    for number in range(inviting.PER_INITIATIVE):
        writer.invite(f"buur{number}@voorbeeld.example")

    with pytest.raises(TooManyAttempts):
        writer.invite(EMAIL)


def test_a_hundred_co_organisers_are_not_asked(writer: Writer) -> None:
    writer.session.add_all(
        Organiser(
            initiative_id=writer.initiative_id, role="co_organiser", name=f"Buur {n}", email=f"b{n}@voorbeeld.example"
        )
        for n in range(inviting.MOST_CO_ORGANISERS)
    )
    writer.session.flush()

    with pytest.raises(Conflict, match="hoogstens 20"):
        writer.invite(EMAIL)


def test_once_it_was_sent_nobody_is_asked_or_taken_off(factory: Factory) -> None:
    ask_two_questions(factory.session)
    writer = finish(factory)
    writer.send()
    others = inviting.organisers_of(writer.session, writer.initiative_id)[1:]

    with pytest.raises(Conflict):
        writer.invite(EMAIL)
    with pytest.raises(Conflict):
        inviting.remove(writer.session, writer.initiative_id, others[0].id, actor=TEST_ACTOR, now=factory.now)


# -- the own address --------------------------------------------------------------------------------------------------


def test_a_verified_address_is_filled_in_and_loses_its_mark_when_another_is_stated(factory: Factory) -> None:
    account = factory.account(name="Anna")
    area = factory.area_id("BU01411900")
    factory.session.add(
        VerifiedAddress(
            account_id=account.id, neighbourhood_id=area, postcode="7609AB", house_number="7", verified_at=factory.now
        )
    )
    factory.session.flush()
    writer = begin(factory, account)
    own = inviting.organisers_of(factory.session, writer.initiative_id)[0]
    assert (own.postcode, own.house_number, own.address_verified_at) == ("7609AB", "7", factory.now)

    writer.live_at("8")
    stated = own.address_verified_at
    writer.live_at("7")

    assert stated is None
    assert own.address_verified_at == factory.now


# -- answering --------------------------------------------------------------------------------------------------------


def test_opening_the_link_answers_nothing(writer: Writer, browser_client: Browser) -> None:
    path = asked(writer)

    page = browser_client.get(path)

    assert "Een bankje bij de vijver" in page.text
    assert page.response.headers["Referrer-Policy"] == "no-referrer"
    assert page.response.headers["Cache-Control"] == "no-store"
    one = organiser(writer)
    assert one
    assert (one.confirmed_at, one.declined_at) == (None, None)


def test_saying_yes_counts_and_tells_the_initiator(writer: Writer, browser_client: Browser) -> None:
    path = asked(writer)

    page = answer(browser_client, path, **YES)

    one = organiser(writer)
    assert "Je doet mee!" in page.text
    assert one
    assert (one.postcode, one.house_number, one.account_id) == ("7609AB", "12a", None)
    assert one.confirmed_at
    assert count_addresses(writer.session, writer.initiative_id) == 2
    assert mails_about(writer.session, "initiative.co_organiser_confirmed") == [writer.account.email]


def test_saying_yes_twice_changes_nothing(writer: Writer, browser_client: Browser) -> None:
    path = asked(writer)
    answer(browser_client, path, **YES)
    page = browser_client.get(path)

    browser_client.post(
        path, YES | {"house_number": "99", "csrf_token": page.all('[name="csrf_token"]')[0].attrs["value"]}
    )

    one = organiser(writer)
    assert one
    assert one.house_number == "12a"
    assert len(mails_about(writer.session, "initiative.co_organiser_confirmed")) == 1


def test_a_name_may_stay_off_the_site(writer: Writer, browser_client: Browser) -> None:
    path = asked(writer)

    answer(browser_client, path, **{name: value for name, value in YES.items() if name != "is_name_public"})

    one = organiser(writer)
    assert one
    assert not one.is_name_public


def test_who_is_signed_in_with_that_address_is_known_by_the_account(
    writer: Writer, browser_client: Browser, factory: Factory
) -> None:
    account = factory.account(EMAIL)
    path = asked(writer)
    browser_client.sign_in(factory.session_of(account))
    factory.session.commit()

    answer(browser_client, path, **YES)

    one = organiser(writer)
    assert one
    assert one.account_id == account.id
    assert "Een bankje bij de vijver" in browser_client.get(f"/initiatieven/{writer.initiative_id}/bewerken").text


def test_who_is_signed_in_with_another_address_is_not(
    writer: Writer, browser_client: Browser, factory: Factory
) -> None:
    account = factory.account("iemand@anders.example")
    path = asked(writer)
    browser_client.sign_in(factory.session_of(account))
    factory.session.commit()

    answer(browser_client, path, **YES)

    one = organiser(writer)
    assert one
    assert one.account_id is None
    browser_client.get(f"/initiatieven/{writer.initiative_id}/bewerken", status=404)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"postcode": ""}, "postcode"),
        ({"postcode": "0999 AB"}, "postcode"),
        ({"postcode": "7609"}, "postcode"),
        ({"postcode": "7609 AB'; DROP TABLE"}, "postcode"),
        ({"house_number": ""}, "house_number"),
        ({"house_number": "huis"}, "house_number"),
        ({"house_number": "12 " + "x" * 30}, "house_number"),
        ({"name": " \x00 "}, "name"),
        ({"name": "x" * 81}, "name"),
    ],
    ids=str,
)
def test_an_address_that_cannot_be_read_is_asked_again_with_what_was_typed(
    writer: Writer, browser_client: Browser, changes: dict[str, str], field: str
) -> None:
    path = asked(writer)

    page = answer(browser_client, path, status=422, **YES | changes)

    assert page.one(f'.abs-error-summary a[href="#{field}"]')
    assert page.one("#house_number").attrs["value"] == (YES | changes)["house_number"]
    one = organiser(writer)
    assert one
    assert one.confirmed_at is None


def test_a_no_is_told_with_its_reason_and_can_become_a_yes(writer: Writer, browser_client: Browser) -> None:
    path = asked(writer)

    page = answer(browser_client, path, doe="nee", reason="Ik <verhuis>.")

    one = organiser(writer)
    assert "Je doet niet mee" in page.text
    assert one
    assert one.declined_at
    mail = writer.session.scalars(
        select(OutgoingMail).where(OutgoingMail.event.startswith("initiative.co_organiser_declined"))
    ).one()
    assert mail.recipient == writer.account.email
    assert "Ik <verhuis>." in (mail.text_body or "")
    answer(browser_client, path, **YES)
    one = organiser(writer)
    assert one
    assert (one.declined_at, bool(one.confirmed_at)) == (None, True)


def test_who_does_not_know_it_is_taken_off_and_never_asked_again(writer: Writer, browser_client: Browser) -> None:
    path = asked(writer)

    page = answer(browser_client, path, doe="onbekend")

    assert "Je e-mailadres is weggehaald" in page.text
    assert organiser(writer) is None
    browser_client.get(path, status=404)
    assert len(mails_about(writer.session, "initiative.co_organiser_declined")) == 1
    with pytest.raises(InvalidInput, match="geen uitnodiging"):
        writer.invite(EMAIL)
    details = [event.details for event in writer.session.scalars(select(Event).where(Event.kind.contains("reported")))]
    assert EMAIL not in str(details)


def test_a_yes_can_be_taken_back_until_it_is_sent(factory: Factory, browser_client: Browser) -> None:
    ask_two_questions(factory.session)
    writer = finish(factory)
    path = asked(writer)
    answer(browser_client, path, **YES)
    answer(browser_client, path, doe="nee")
    one = organiser(writer)
    assert one
    assert (one.confirmed_at, one.postcode) == (None, None)
    answer(browser_client, path, **YES)
    writer.send()
    writer.session.commit()

    page = browser_client.get(path)

    assert not page.all('button[value="nee"]')
    token = page.all('[name="csrf_token"]')
    assert token == [], "there is nothing left to answer"


def test_no_after_it_was_sent_is_refused(factory: Factory) -> None:
    ask_two_questions(factory.session)
    writer = finish(factory)
    writer.invite(EMAIL)
    token = writer.token_to(EMAIL)
    writer.accept(token, "9")
    writer.send()

    with pytest.raises(Conflict, match="al verstuurd"):
        answering.decline(writer.session, token, "", secret_key=SECRET_KEY, actor=TEST_ACTOR, now=factory.now)


@pytest.mark.parametrize("state", [State.REJECTED, State.WITHDRAWN])
def test_for_what_has_ended_nobody_is_needed(factory: Factory, browser_client: Browser, state: State) -> None:
    ask_two_questions(factory.session)
    writer = finish(factory)
    path = asked(writer)
    writer.send()
    verb = service.reject if state == State.REJECTED else service.withdraw
    verb(writer.session, writer.initiative_id, reason="Nee.", actor=TEST_ACTOR, now=factory.now)
    writer.session.commit()

    page = browser_client.get(path)

    assert "loopt niet meer" in page.text
    with pytest.raises(Conflict):
        writer.accept(writer.token_to(EMAIL), "9")


@pytest.mark.parametrize("token", ["x", "é", "x" * 500, "a/b", "%00"])
def test_a_link_that_somebody_made_up_leads_nowhere(browser_client: Browser, token: str) -> None:
    browser_client.get(f"/meedoen/{token}", status=404)


def test_a_link_of_long_ago_leads_nowhere(writer: Writer) -> None:
    writer.invite(EMAIL)
    late = writer.factory.now + dt.timedelta(days=inviting.VALID_DAYS, seconds=1)

    with pytest.raises(NotFound):
        answering.invitation_of(writer.session, writer.token_to(EMAIL), secret_key=SECRET_KEY, now=late)


def test_a_form_from_elsewhere_answers_nothing(writer: Writer, browser_client: Browser) -> None:
    path = asked(writer)
    page = browser_client.get(path)

    data = YES | {"csrf_token": page.field("csrf_token")}
    browser_client.post(path, data, status=403, headers={"Sec-Fetch-Site": "cross-site"})
    browser_client.post(path, YES, status=400)

    one = organiser(writer)
    assert one
    assert one.confirmed_at is None


# -- the initiator's page ---------------------------------------------------------------------------------------------


def people_page(writer: Writer) -> str:
    return f"/initiatieven/{writer.initiative_id}/bewerken/wie"


def test_two_at_one_address_count_once_and_the_page_says_so(writer: Writer, browser_client: Browser) -> None:
    writer.invite(EMAIL)
    writer.accept(writer.token_to(EMAIL), "1")

    page = writer.browser(browser_client).get(people_page(writer))

    assert "Anna en Bram wonen op hetzelfde adres" in page.text
    assert "nog 2 organisatoren nodig" in page.text
    assert "7609" not in page.one("#organisers").to_text()


def test_the_page_asks_again_and_takes_off_and_keeps_what_was_typed(writer: Writer, browser_client: Browser) -> None:
    one = writer.invite(EMAIL)
    browser, path = writer.browser(browser_client), people_page(writer)
    page = browser.get(path)

    page = browser.submit(page, path, naar=f"opnieuw-{one.id}", house_number="44", audience="Alle kinderen")
    assert "krijgt een nieuwe mail" in page.text
    assert page.one("#house_number").attrs["value"] == "44"
    assert "Alle kinderen" in page.one("#audience").to_text()

    page = browser.submit(page, path, naar=f"weg-{one.id}")
    assert "staat niet meer in je lijst" in page.text
    assert organiser(writer) is None


def test_the_page_asks_somebody(writer: Writer, browser_client: Browser) -> None:
    browser, path = writer.browser(browser_client), people_page(writer)

    page = browser.submit(
        browser.get(path), path, naar="vraag", invited_name="Bram", invited_email=" Bram@Voorbeeld.example "
    )

    assert "Bram krijgt een mail" in page.text
    assert organiser(writer)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"invited_name": "", "invited_email": EMAIL}, "invited_name"),
        ({"invited_name": "Bram", "invited_email": "bram"}, "invited_email"),
        ({"invited_name": "Bram", "invited_email": "bram@voorbeeld.example\nBcc: x@y.z"}, "invited_email"),
        ({"invited_name": "<script>", "invited_email": "a@b"}, "invited_email"),
    ],
    ids=str,
)
def test_an_invitation_that_cannot_be_sent_stays_on_the_page(
    writer: Writer, browser_client: Browser, typed: dict[str, str], field: str
) -> None:
    browser, path = writer.browser(browser_client), people_page(writer)
    page = browser.get(path)

    page = browser.submit(page, path, naar="vraag", audience="Bewaard", status=422, **typed)

    assert page.one(f'.abs-error-summary a[href="#{field}"]')
    assert mails_about(writer.session, "initiative.invitation") == []
    assert writer.proposal.content["audience"] == "Bewaard"


def test_going_on_with_an_invitation_that_was_not_sent_says_so(writer: Writer, browser_client: Browser) -> None:
    browser, path = writer.browser(browser_client), people_page(writer)

    page = browser.submit(browser.get(path), path, naar="verder", invited_name="Bram", status=422)

    assert "nog geen uitnodiging gestuurd" in page.text


def test_a_co_organiser_writes_along_but_asks_sends_and_withdraws_nothing(
    writer: Writer, browser_client: Browser, factory: Factory
) -> None:
    writer.invite(EMAIL)
    writer.accept(writer.token_to(EMAIL), "2")
    browser_client.sign_in(factory.session_of(factory.account(EMAIL)))
    factory.session.commit()
    path, base = people_page(writer), f"/initiatieven/{writer.initiative_id}"

    page = browser_client.submit(browser_client.get(path), path, naar="later", audience="Iedereen uit de straat")
    token = browser_client.get(path).field("csrf_token")

    assert writer.proposal.content["audience"] == "Iedereen uit de straat"
    for naar in ("vraag", "weg-1", "opnieuw-1"):
        browser_client.post(path, {"csrf_token": token, "naar": naar}, status=403)
    browser_client.post(f"{base}/versturen", {"csrf_token": token}, status=403)
    browser_client.get(f"{base}/intrekken", status=403)
    browser_client.post(f"{base}/intrekken", {"csrf_token": token, "reason": "X"}, status=403)
    assert page.status == 200
    assert writer.initiative.state == State.DRAFT


# -- at the same moment -----------------------------------------------------------------------------------------------


@pytest.fixture
def own_writer(own_factory: Factory) -> Writer:
    ask_two_questions(own_factory.session)
    writer = finish(own_factory)
    own_factory.session.commit()
    return writer


def test_a_yes_while_it_is_sent_counts_or_comes_after_it(own_app: Flask, own_writer: Writer) -> None:
    one = inviting.organisers_of(own_writer.session, own_writer.initiative_id)[-1]
    one.confirmed_at = None
    own_writer.session.flush()
    own_writer.session.expire_all()
    token = token_to(own_writer.session, one.email)
    number, rules, now = own_writer.initiative_id, own_writer.factory.rules, own_writer.factory.now
    address = Address(name="Cem", postcode="7609AB", house_number="3", is_name_public=True)
    own_writer.session.commit()

    def accept(session: Session) -> Any:
        return answering.accept(
            session, token, address, user=None, rules=rules, secret_key=SECRET_KEY, actor=TEST_ACTOR, now=now
        )

    def send(session: Session) -> Any:
        return proposals.send(session, number, rules=rules, account_id=None, actor=TEST_ACTOR, now=now)

    accepted, sent = at_once([committed(own_app, accept), committed(own_app, send)])

    assert not isinstance(accepted, Conflict)
    own_writer.session.expire_all()
    was_sent = own_writer.initiative.state == State.SUBMITTED
    assert was_sent != isinstance(sent, InvalidInput)
    assert count_addresses(own_writer.session, number) == 3


def test_taken_off_while_saying_yes_one_of_both_is_told(own_app: Flask, own_writer: Writer) -> None:
    one = own_writer.invite(EMAIL)
    token, number = own_writer.token_to(EMAIL), own_writer.initiative_id
    rules, now, one_id = own_writer.factory.rules, own_writer.factory.now, one.id
    address = Address(name="Bram", postcode="7609AB", house_number="9", is_name_public=True)
    own_writer.session.commit()

    def accept(session: Session) -> Any:
        return answering.accept(
            session, token, address, user=None, rules=rules, secret_key=SECRET_KEY, actor=TEST_ACTOR, now=now
        )

    def remove(session: Session) -> Any:
        return inviting.remove(session, number, one_id, actor=TEST_ACTOR, now=now)

    accepted, removed = at_once([committed(own_app, accept), committed(own_app, remove)])

    assert removed == "Bram"
    assert organiser(own_writer) is None
    assert isinstance(accepted, NotFound) or accepted.organiser.name == "Bram"


def test_the_same_person_asked_twice_at_once_is_asked_once(own_app: Flask, own_writer: Writer) -> None:
    number, now, user = own_writer.initiative_id, own_writer.factory.now, user_of(own_writer.account)
    own_writer.session.commit()

    def ask(session: Session) -> Any:
        return inviting.invite(
            session, number, name="Bram", email=EMAIL, secret_key=SECRET_KEY, actor=user.actor(), now=now
        ).id

    results = at_once([committed(own_app, ask)] * 2)

    assert [isinstance(result, InvalidInput) for result in results].count(True) == 1
    assert len(mails_about(own_writer.session, "initiative.invitation:")) == 3
