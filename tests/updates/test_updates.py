# SPDX-License-Identifier: EUPL-1.2
"""Updates: written in rest, posted once, mailed once per address, changed for an hour, taken away with a reason."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from flask import Flask
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from abs_platform.donations.models import Donation
from abs_platform.errors import AbsError, Conflict
from abs_platform.events import Event
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.mail.service import message_of
from abs_platform.media.models import Picture
from abs_platform.updates import mailing, queries, service
from abs_platform.updates.models import NewsStop, Update
from abs_platform.updates.states import EDITABLE_FOR, POSTS_PER_DAY, TELLING_STATES
from tests.engaging import posted
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.media.pictures import photo
from tests.page import Browser, Page
from tests.people import OTHER_DESK, People

GIVER = "gever@voorbeeld.example"


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


@pytest.fixture
def initiative(factory: Factory, people: People) -> Initiative:
    """It collects, and has one giver who wants news."""
    made = factory.initiative()
    people.giver(made, GIVER)
    factory.session.commit()
    return made


def home(initiative: Initiative) -> str:
    return f"/account/initiatieven/{initiative.id}"


def write(
    browser: Browser, initiative: Initiative, title: str = "De eerste boom", body: str = "Hij **staat**."
) -> Page:
    """Write an update and come to the page on which it is finished."""
    path = f"{home(initiative)}/berichten/nieuw"
    return browser.submit(browser.get(path), path, title=title, body=body)


def test_a_draft_is_seen_by_its_organisers_alone_and_mailed_to_nobody(people: People, initiative: Initiative) -> None:
    anna, bram = people.organiser(initiative), people.organiser(initiative, 1)

    page = write(anna, initiative)

    assert "De eerste boom" in bram.get(page.path).text
    assert "De eerste boom" not in people.resident().get(f"/initiatieven/{initiative.id}").text
    assert people.mails("update:") == []


def test_posting_shows_it_to_all_and_mails_every_address_once(
    people: People, initiative: Initiative, factory: Factory
) -> None:
    for email in (GIVER.upper(), "tweede@voorbeeld.example", None):
        people.giver(initiative, email)
    page = write(people.organiser(initiative), initiative)
    assert "2 gevers krijgen dit per mail" in page.text

    bram = people.organiser(initiative, 1)
    bram.submit(bram.get(page.path), f"{page.path}/plaatsen")

    shown = people.resident().get(f"/initiatieven/{initiative.id}")
    assert "De eerste boom" in shown.text
    assert shown.all(".abs-update strong")[0].to_text() == "staat"
    mails = people.mails("update:")
    assert sorted(str(mail.recipient) for mail in mails) == [GIVER, "tweede@voorbeeld.example"]
    assert factory.session.scalars(select(Update)).one().recipient_count == 2
    assert all("Hij **staat**." in str(mail.text_body) for mail in mails)


def test_an_update_cannot_be_posted_twice(
    session: Session, people: People, initiative: Initiative, factory: Factory
) -> None:
    update = posted(people, initiative)

    with pytest.raises(Conflict):
        service.post_update(session, update.id, secret_key=SECRET_KEY, actor=TEST_ACTOR, now=factory.now)

    assert len(people.mails("update:")) == 1


def test_an_address_that_no_server_would_take_stops_nobody_elses_mail(
    session: Session, people: People, initiative: Initiative, factory: Factory
) -> None:
    people.giver(initiative, "niet-goed@localhost")

    posted(people, initiative)

    assert [mail.recipient for mail in people.mails("update:")] == [GIVER]


@pytest.mark.parametrize("state", sorted(State, key=str))
def test_an_update_is_begun_only_while_there_is_somebody_to_tell(
    session: Session, factory: Factory, people: People, state: State
) -> None:
    made = factory.initiative(state, target_cents=5_250)
    author = people.organiser_account(made)

    def begin() -> None:
        service.start_update(session, made.id, "Titel", "Tekst", author_id=author.id, actor=TEST_ACTOR, now=factory.now)

    if state in TELLING_STATES:
        begin()
        assert len(queries.of_initiative(session, made.id)) == 1
    else:
        with pytest.raises(Conflict):
            begin()
        assert queries.of_initiative(session, made.id) == []


def test_what_was_posted_can_be_changed_for_an_hour_and_says_so(
    session: Session, people: People, initiative: Initiative, factory: Factory
) -> None:
    update = posted(people, initiative)
    too_late = factory.now + EDITABLE_FOR

    service.change_update(
        session, update.id, "Twee bomen", "Ze staan.", actor=TEST_ACTOR, now=too_late - dt.timedelta(seconds=1)
    )
    with pytest.raises(Conflict):
        service.change_update(session, update.id, "Drie bomen", "Ze staan.", actor=TEST_ACTOR, now=too_late)

    session.expire_all()
    session.commit()
    page = people.resident().get(f"/initiatieven/{initiative.id}")
    assert "Twee bomen" in page.text
    assert "aangepast" in page.text
    assert len(people.mails("update:")) == 1


def test_taking_it_away_needs_a_reason_that_stays_in_the_log(
    people: People, initiative: Initiative, factory: Factory
) -> None:
    update, anna = posted(people, initiative), people.organiser(initiative)
    path = f"{home(initiative)}/berichten/{update.id}/verwijderen"

    refused = anna.submit(anna.get(path), path, status=422)
    assert "Vul dit in." in refused.text
    anna.submit(anna.get(path), path, reason="Er stond een naam in.")

    assert "De eerste boom" not in people.resident().get(f"/initiatieven/{initiative.id}").text
    assert "Er stond een naam in." in anna.get(f"{home(initiative)}/berichten").text
    event = factory.session.scalars(select(Event).where(Event.kind == "initiative.update_removed")).one()
    assert event.reason == "Er stond een naam in."


def test_a_draft_goes_without_a_reason_and_is_gone(people: People, initiative: Initiative) -> None:
    anna = people.organiser(initiative)
    page = write(anna, initiative)
    path = f"{page.path}/verwijderen"

    anna.submit(anna.get(path), path)

    assert "De eerste boom" not in anna.get(f"{home(initiative)}/berichten").text
    anna.get(page.path, status=404)


def test_the_desk_hides_with_a_reason_on_one_screen_and_each_organiser_gets_one_mail(
    people: People, initiative: Initiative, factory: Factory
) -> None:
    update, manager = posted(people, initiative), people.manager()
    path, public = f"/regie/berichten/{update.id}/verbergen", f"/initiatieven/{initiative.id}/berichten"
    assert manager.get(public).all(f'a[href="{path}"]')
    assert not people.manager(OTHER_DESK).get(public).all(f'a[href="{path}"]')
    assert not people.resident("Bob").get(public).all(f'a[href="{path}"]')

    manager.submit(manager.get(path), path, reason="Dit is reclame.")

    assert "De eerste boom" not in people.resident().get(f"/initiatieven/{initiative.id}").text
    mails = people.mails("update-hidden:")
    assert len(mails) == 3
    assert all("Dit is reclame." in str(mail.text_body) for mail in mails)
    assert not manager.get(path).all("form")
    with pytest.raises(AbsError):
        service.hide_update(factory.session, update.id, reason="Nog eens", actor=TEST_ACTOR, now=factory.now)
    assert len(people.mails("update-hidden:")) == 3


def test_an_update_takes_six_pictures_and_each_says_what_is_on_it(people: People, initiative: Initiative) -> None:
    anna = people.organiser(initiative)
    page = write(anna, initiative)
    path = page.path
    for number in range(6):
        page = anna.submit(
            page, f"{path}/fotos", picture=(io.BytesIO(photo()), "x.jpg"), alt_text="" if number else "Boom"
        )  # type: ignore[arg-type]
    assert f'{path}/fotos"' not in page.html

    refused = anna.submit(page, f"{path}/plaatsen", status=422)
    assert "Beschrijf wat er op de foto te zien is" in refused.text
    pictures = people.factory.session.scalars(select(Picture).order_by(Picture.id)).all()
    for picture in pictures[1:]:
        page = anna.submit(anna.get(path), f"{path}/fotos/{picture.id}", **{f"alt-{picture.id}": "Nog een boom"})
    anna.submit(page, f"{path}/plaatsen")

    shown = people.resident().get(f"/initiatieven/{initiative.id}")
    assert [image.attrs["alt"] for image in shown.all(".abs-update img")] == ["Boom"] + ["Nog een boom"] * 5


def test_a_file_that_is_no_picture_is_refused_and_the_text_stays(people: People, initiative: Initiative) -> None:
    anna = people.organiser(initiative)
    page = write(anna, initiative, body="Een lang verhaal.")

    refused = anna.submit(page, f"{page.path}/fotos", status=422, picture=(io.BytesIO(b"%PDF-1.7"), "x.pdf"))  # type: ignore[arg-type]

    assert "PDF" in refused.text
    assert refused.one("#body").to_text().strip() == "Een lang verhaal."


def test_one_update_cannot_use_the_pictures_of_another(people: People, initiative: Initiative) -> None:
    anna = people.organiser(initiative)
    first, second = write(anna, initiative), write(anna, initiative, title="De tweede")
    anna.submit(first, f"{first.path}/fotos", picture=(io.BytesIO(photo()), "x.jpg"), alt_text="Boom")  # type: ignore[arg-type]
    picture = people.factory.session.scalars(select(Picture)).one()

    token = second.field("csrf_token")
    anna.post(f"{second.path}/fotos/{picture.id}", {"csrf_token": token, "remove": "1"}, status=404)

    people.factory.session.expire_all()
    assert picture.removed_at is None


def test_addresses_in_a_text_are_pointed_out_before_posting(people: People, initiative: Initiative) -> None:
    page = write(people.organiser(initiative), initiative, body="Bel Jan op 06-12345678.")

    assert "06-12345678" in page.one(".utrecht-alert--warning").to_text()


def test_a_fourth_update_on_one_day_is_refused(people: People, initiative: Initiative) -> None:
    anna = people.organiser(initiative)
    for number in range(POSTS_PER_DAY + 1):
        page = write(anna, initiative, title=f"Bericht {number}")
        last = number == POSTS_PER_DAY
        page = anna.submit(page, f"{page.path}/plaatsen", status=429 if last else 200)

    assert "te vaak" in page.text
    assert len(people.mails("update:")) == POSTS_PER_DAY


def test_one_click_stops_the_news_of_that_initiative_for_that_address_alone(
    app: Flask, session: Session, people: People, initiative: Initiative, factory: Factory
) -> None:
    other = factory.initiative()
    for made, email in ((initiative, GIVER), (initiative, "blijft@voorbeeld.example"), (other, GIVER)):
        people.giver(made, email)
    posted(people, initiative)
    mail = next(mail for mail in people.mails("update:") if mail.recipient == GIVER)
    address = str(mail.unsubscribe_url)
    message = message_of(mail, app.extensions["settings"])
    assert message["List-Unsubscribe"] == f"<{address}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in str(mail.text_body)
    assert address in str(mail.html_body)
    path = address.removeprefix("http://localhost")
    page = Browser(app).get(path)
    assert session.scalars(select(NewsStop)).all() == []

    # As a mail program does it: no session, no token, no page before it.
    response = app.test_client().post(path, data={"List-Unsubscribe": "One-Click"})

    assert response.status_code == 200
    assert [waits.recipient for waits in people.mails("update:")] == ["blijft@voorbeeld.example"]
    assert "Je krijgt geen nieuws meer" in Browser(app).submit(page, path).text
    stopped = set(session.scalars(select(NewsStop.donation_id)))
    own = select(Donation.id).where(Donation.initiative_id == initiative.id, Donation.giver_email == GIVER)
    assert stopped == set(session.scalars(own))
    assert [email for email, _gift in queries.news_recipients(session, initiative.id)] == ["blijft@voorbeeld.example"]
    assert [email for email, _gift in queries.news_recipients(session, other.id)] == [GIVER]


def test_a_gift_after_stopping_asks_for_news_anew(
    session: Session, people: People, initiative: Initiative, factory: Factory
) -> None:
    (_email, gift), *_rest = queries.news_recipients(session, initiative.id)
    service.stop_news(session, gift, secret_key=SECRET_KEY, now=factory.now)
    assert queries.news_recipients(session, initiative.id) == []

    again = people.giver(initiative, GIVER)

    assert queries.news_recipients(session, initiative.id) == [(GIVER, again.donation_id)]


@pytest.mark.parametrize("token", ["x", "MQ.verzonnen", "WyJ4Il0.verzonnen", "Mg"])
def test_a_made_up_link_stops_nothing(app: Flask, people: People, initiative: Initiative, token: str) -> None:
    Browser(app).get(f"/nieuws-stoppen/{token}", status=404)

    assert app.test_client().post(f"/nieuws-stoppen/{token}").status_code == 404


def test_a_link_of_another_purpose_stops_nothing() -> None:
    token = mailing.stop_token(SECRET_KEY, 5)

    assert mailing.read_stop_token(SECRET_KEY, token) == 5
    assert mailing.read_stop_token("another key, as long as a real one is", token) is None


def test_old_updates_stand_on_a_page_of_their_own(people: People, initiative: Initiative, factory: Factory) -> None:
    for number in range(12):
        posted(people, initiative, at=factory.now + dt.timedelta(minutes=number))

    page = people.resident().get(f"/initiatieven/{initiative.id}")

    assert len(page.all(".abs-update")) == 3
    assert "Lees alle 12 berichten" in page.text
    everything = people.resident().get(f"/initiatieven/{initiative.id}/berichten")
    assert len(everything.all(".abs-update")) == 10


def test_an_empty_update_is_refused_with_what_was_typed(people: People, initiative: Initiative) -> None:
    anna, path = people.organiser(initiative), f"{home(initiative)}/berichten/nieuw"

    page = anna.submit(anna.get(path), path, status=422, title="Alleen een titel")

    assert page.field("title") == "Alleen een titel"
    assert page.one('a[href="#body"]')


@pytest.mark.parametrize(
    ("who", "status"),
    [("organiser", 200), ("other organiser", 404), ("resident", 404), ("manager", 403), ("manager elsewhere", 403)],
)
def test_only_the_organisers_open_an_update(
    people: People, initiative: Initiative, factory: Factory, who: str, status: int
) -> None:
    update = posted(people, initiative)
    browser = {
        "organiser": lambda: people.organiser(initiative, 2),
        "other organiser": lambda: people.organiser(factory.initiative()),
        "resident": people.resident,
        "manager": people.manager,
        "manager elsewhere": lambda: people.manager(OTHER_DESK),
    }[who]()

    for path in (
        "berichten",
        "berichten/nieuw",
        f"berichten/{update.id}",
        f"berichten/{update.id}/verwijderen",
        "bedanken",
    ):
        browser.get(f"{home(initiative)}/{path}", status=status)


def test_an_update_is_found_under_its_own_initiative_only(
    people: People, initiative: Initiative, factory: Factory
) -> None:
    update, other = posted(people, initiative), factory.initiative()

    people.organiser(other).get(f"{home(other)}/berichten/{update.id}", status=404)


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("manager", 200),
        ("manager elsewhere", 403),
        ("coordinator", 403),
        ("finance", 403),
        ("resident", 403),
        ("organiser", 403),
    ],
)
def test_only_its_own_desk_opens_the_screen_to_hide(
    people: People, initiative: Initiative, factory: Factory, who: str, status: int
) -> None:
    update = posted(people, initiative)
    browser = {
        "organiser": lambda: people.organiser(initiative),
        "resident": people.resident,
        "manager": people.manager,
        "manager elsewhere": lambda: people.manager(OTHER_DESK),
        "coordinator": people.coordinator,
        "finance": people.finance,
    }[who]()

    browser.get(f"/regie/berichten/{update.id}/verbergen", status=status)
