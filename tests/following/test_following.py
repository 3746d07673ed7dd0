# SPDX-License-Identifier: EUPL-1.2
"""Following: asked by anybody, confirmed from the mailbox, changed and stopped by a link; nobody learns of whom."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from flask import Flask
from sqlalchemy import Connection, func, select, update
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accounts.leaving import delete_account
from abs_platform.accounts.own_data import Person, all_data, as_download
from abs_platform.following import service
from abs_platform.following.models import Follow, Follower
from abs_platform.following.queries import topics_of
from abs_platform.following.states import ASKS_PER_PAIR, UNCONFIRMED_KEPT
from abs_platform.initiatives.states import InitiativeState as State
from tests.factories import TEST_ACTOR, Factory
from tests.following.readers import DISTRICT, NEIGHBOURHOOD, READER, area, follows, link_of, mails
from tests.page import Browser, Page
from tests.people import People

STRANGER = "vreemde@voorbeeld.example"


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


def ask(browser: Browser, wat: str, email: str = READER, *, status: int = 200) -> Page:
    return browser.submit(browser.get(f"/volgen?wat={wat}"), "/volgen", email=email, status=status)


def followed(session: Session, email: str = READER) -> list[str]:
    session.expire_all()
    found = session.scalar(select(Follower.id).where(Follower.email == email))
    return [] if found is None else [one.name for one in topics_of(session, found)]


def count(session: Session, model: type[Follow] | type[Follower]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def test_who_asks_confirms_and_changes_without_an_account(
    session: Session, factory: Factory, browser_client: Browser
) -> None:
    postcode = factory.households(1)[0].postcode
    session.commit()
    page = browser_client.get("/volgen?wat=thema:green")
    sent = browser_client.submit(
        page, "/volgen", email=f" {READER.upper()} ", postcode=f"{postcode[:4]} {postcode[4:].lower()}"
    )
    assert "Kijk in je mail" in sent.text
    assert followed(session) == []

    asked = mails(session, "follow")[0]
    path = link_of(asked, "/bevestigen/")
    confirmed = browser_client.submit(browser_client.get(path), path)

    assert "Groen" in confirmed.text
    assert len(followed(session)) == 2
    change = confirmed.path
    stays = browser_client.submit(confirmed, change, gebied=area(factory, DISTRICT))
    assert "Je keuzes zijn bewaard" in stays.text
    assert len(followed(session)) == 3
    gone = browser_client.post(change, browser_client.fields(stays, change) | {"wat": [], "thema": ["play"]})
    assert "bewaard" in gone.text
    assert followed(session) == ["Spelen"]
    assert READER not in gone.text


def test_a_link_confirms_what_its_own_mail_spoke_of_and_nothing_that_another_asked(
    session: Session, factory: Factory, browser_client: Browser
) -> None:
    ask(browser_client, "thema:green")
    ask(browser_client, area(factory, DISTRICT))
    first, second = mails(session, "follow")

    path = link_of(first, "/bevestigen/")
    browser_client.submit(browser_client.get(path), path)
    browser_client.submit(browser_client.get(path), path)

    assert followed(session) == ["Groen"]
    assert "Groen" not in (second.text_body or "")


def test_the_answer_is_the_same_whether_somebody_follows_it_already_or_not(
    session: Session, factory: Factory, app: Flask
) -> None:
    follows(factory, "thema:green")

    known, unknown = (ask(Browser(app), "thema:green", email) for email in (READER, STRANGER))

    assert known.text == unknown.text
    assert known.path == unknown.path
    assert "/volgen/beheer/" in (mails(session, "follow")[0].text_body or "")
    assert "/volgen/bevestigen/" in (mails(session, "follow", STRANGER)[0].text_body or "")
    links = [
        browser.submit(browser.get("/volgen/link"), "/volgen/link", email=email)
        for browser, email in ((Browser(app), READER), (Browser(app), "niemand@voorbeeld.example"))
    ]
    assert links[0].text == links[1].text
    assert len(mails(session, "follow")) == 2
    assert mails(session, "follow", "niemand@voorbeeld.example") == []


def test_who_asks_too_often_waits(session: Session, browser_client: Browser) -> None:
    for _ in range(ASKS_PER_PAIR):
        ask(browser_client, "thema:green")

    refused = ask(browser_client, "thema:green", status=HTTPStatus.TOO_MANY_REQUESTS)

    assert "te vaak" in refused.text
    assert refused.field("email") == READER
    assert len(mails(session, "follow")) == ASKS_PER_PAIR


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": "geen adres"}, "naam@voorbeeld.nl"),
        ({"email": READER, "postcode": "76"}, "geen postcode"),
        ({"email": READER, "postcode": "9999 ZZ"}, "kennen deze postcode niet"),
        ({"email": READER, "wat": "gebied:999999"}, "Kies wat je wilt volgen"),
        ({"email": READER, "wat": ""}, "Kies wat je wilt volgen"),
    ],
)
def test_what_cannot_be_comes_back_filled_in(
    session: Session, factory: Factory, browser_client: Browser, changes: dict[str, str], sentence: str
) -> None:
    page = browser_client.get(f"/volgen?wat={area(factory, DISTRICT)}")

    refused = browser_client.submit(page, "/volgen", status=422, **changes)

    assert sentence in refused.text
    assert refused.all(".abs-error-summary")
    assert refused.field("email") == changes["email"]
    assert count(session, Follower) == 0


def test_only_what_is_public_can_be_followed(factory: Factory, browser_client: Browser) -> None:
    draft, public = factory.initiative(State.DRAFT), factory.initiative()
    factory.session.commit()

    hidden = browser_client.get(f"/volgen?wat=initiatief:{draft.id}")
    shown = browser_client.get(f"/volgen?wat=initiatief:{public.id}&wat=onzin&wat=gebied:{'9' * 30}")

    assert draft.title not in hidden.text
    assert hidden.all('[name="wat"]') == []
    assert public.title in shown.text
    assert len(shown.all('[name="wat"]')) == 1


def test_a_slug_is_that_of_a_district_first(factory: Factory, browser_client: Browser) -> None:
    page = browser_client.get("/volgen?wat=gebied:windmolenbroek")

    assert page.field("wat") == area(factory, "WK014119")


def test_one_click_of_a_mail_program_stops_and_leaves_nothing(
    session: Session, factory: Factory, app: Flask, people: People
) -> None:
    reader = follows(factory, "thema:green")
    token = service.links.stop_token(app.extensions["settings"].secret_key, reader.id)
    path = f"/volgen/stoppen/{token}"
    assert "Stoppen met de weekmail?" in Browser(app).get(path).text
    assert count(session, Follower) == 1

    answers = [app.test_client().post(path, data={"List-Unsubscribe": "One-Click"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert "Set-Cookie" not in answers[0].headers
    assert (count(session, Follower), count(session, Follow)) == (0, 0)
    assert "Je krijgt geen mails meer" in Browser(app).get(path).text
    Browser(app).get(f"{path}x", status=404)
    manage = service.links.manage_token(app.extensions["settings"].secret_key, reader.id)
    Browser(app).get(f"/volgen/beheer/{manage}", status=404)
    Browser(app).get(f"/volgen/beheer/{token}", status=404)


def test_unticking_everything_is_stopping(session: Session, factory: Factory, app: Flask) -> None:
    reader, browser = follows(factory, "thema:green"), Browser(app)
    path = f"/volgen/beheer/{service.links.manage_token(app.extensions['settings'].secret_key, reader.id)}"

    page = browser.post(path, browser.fields(browser.get(path), path) | {"thema": []})

    assert "Je krijgt geen mails meer" in page.text
    assert count(session, Follower) == 0


def test_who_is_signed_in_needs_no_mail_and_sees_the_own_choices_only(
    session: Session, factory: Factory, people: People
) -> None:
    follows(factory, "thema:play", email=STRANGER)
    fatima = factory.account(READER, name="Fatima")
    browser = people.browser(fatima)
    assert "Je volgt nog niets" in browser.get("/account/volgen").text

    page = browser.submit(browser.get("/volgen?wat=thema:green"), "/volgen")

    assert page.path == "/account/volgen"
    assert followed(session) == ["Groen"]
    assert mails(session, "follow") == []
    browser.post("/account/volgen", browser.fields(page, "/account/volgen") | {"thema": ["care"]})
    assert followed(session) == ["Zorg voor elkaar"]
    assert followed(session, STRANGER) == ["Spelen"]


def test_a_mail_comes_in_the_language_of_the_page_on_which_was_asked(
    session: Session, browser_client: Browser, app: Flask
) -> None:
    page = browser_client.get("/en/volgen?wat=thema:green")
    browser_client.submit(page, "/en/volgen", email=READER)

    mail = mails(session, "follow")[0]

    assert link_of(mail, "/bevestigen/").startswith("/en/volgen/")
    assert 'lang="en"' in (mail.html_body or "")
    assert session.scalar(select(Follower.language)) == "en"
    browser_client.get(link_of(mail, "/bevestigen/"))


def test_what_was_never_confirmed_is_forgotten_after_a_week(
    session: Session, factory: Factory, browser_client: Browser
) -> None:
    follows(factory, "thema:play", email=STRANGER)
    ask(browser_client, "thema:green")
    ask(browser_client, "thema:green", STRANGER)
    path = link_of(mails(session, "follow")[0], "/bevestigen/")
    session.execute(update(Follow).values(asked_at=Follow.asked_at - UNCONFIRMED_KEPT))
    session.execute(update(Follower).values(asked_at=Follower.asked_at - UNCONFIRMED_KEPT))
    session.commit()
    browser_client.get(path, status=404)

    forgotten = service.purge(session, clock.now())

    assert forgotten == 3
    assert service.purge(session, clock.now()) == 0
    assert session.scalars(select(Follower.email)).all() == [STRANGER]
    assert followed(session, STRANGER) == ["Spelen"]


def test_own_data_tells_what_somebody_follows_and_it_goes_with_the_account(session: Session, factory: Factory) -> None:
    account = factory.account(READER)
    follows(factory, "thema:green", area(factory, NEIGHBOURHOOD))
    follows(factory, "thema:play", email=STRANGER)

    data = as_download(all_data(session, Person(account.id, READER)))
    delete_account(session, account.id, actor=TEST_ACTOR, now=factory.now)

    assert data["De weekmail die je krijgt"][0]["Taal"] == "nl"
    assert {row.get("Thema") for row in data["Wat je volgt"]} == {"Groen", None}
    assert session.scalars(select(Follower.email)).all() == [STRANGER]
    assert count(session, Follow) == 1


def test_the_pages_of_one_person_are_in_no_cache_and_no_search_engine(factory: Factory, app: Flask) -> None:
    reader = follows(factory, "thema:green")
    token = service.links.manage_token(app.extensions["settings"].secret_key, reader.id)

    for path in ("/volgen", f"/volgen/beheer/{token}", f"/volgen/beheer/{token}/mail"):
        headers = Browser(app).get(path).response.headers
        assert (headers["Cache-Control"], headers["X-Robots-Tag"]) == ("no-store", "noindex")
