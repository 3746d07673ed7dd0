# SPDX-License-Identifier: EUPL-1.2
"""The weekly mail: all that is new where somebody follows, each thing once, and nothing that nobody may read."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import Connection, select, update

from abs_platform import clock
from abs_platform.agenda import service as agenda
from abs_platform.clock import AMSTERDAM
from abs_platform.database import db
from abs_platform.donations.models import Donation
from abs_platform.following import digests, links, service
from abs_platform.following.models import Follower
from abs_platform.following.states import ALMOST_PERCENT, LATE_AFTER, SETTLING, WEEK, last_moment
from abs_platform.initiatives import service as initiatives
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.initiatives.states import Theme
from abs_platform.mail.service import message_of
from abs_platform.news import service as news
from abs_platform.updates import service as updates
from jobs import send_digests
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.following.readers import (
    DAY,
    DISTRICT,
    HOUR,
    MINUTE,
    NEIGHBOURHOOD,
    READER,
    area,
    follows,
    mails,
    this_week,
    thursday,
)
from tests.page import Browser
from tests.people import People

CITY, ELSEWHERE = "GM0141", "WK014118"


@pytest.fixture
def people(app: Flask, factory: Factory, connection: Connection) -> People:
    assert connection
    return People(app, factory)


def run(factory: Factory, now: dt.datetime | None = None) -> int:
    """Run the job, which has a session of its own; how many mails it made."""
    factory.session.commit()
    report = send_digests.run(now or thursday(factory) + MINUTE)
    db.session.rollback()
    factory.session.expire_all()
    assert report.errors == []
    return report.changed


@pytest.fixture(autouse=True)
def _it_is_monday(factory: Factory) -> None:
    """So that what the factory does now is of this week, on whatever day the tests run."""
    factory.now = thursday(factory) - 3 * DAY


def begun(
    factory: Factory,
    title: str,
    at: dt.datetime | None = None,
    *,
    code: str = NEIGHBOURHOOD,
    theme: Theme = Theme.GREEN,
) -> Initiative:
    """An initiative that began to collect this week."""
    made = factory.initiative(title=title, area=code, theme=theme)
    made.published_at = at or this_week(factory)
    factory.session.flush()
    return made


def post(factory: Factory, title: str, *, code: str = DISTRICT, at: dt.datetime | None = None) -> int:
    """News of the desk, public this week or at another moment."""
    what = news.PostInput(area_id=factory.area_id(code), title=title, summary="Kort.", body="Lang.")
    begun_at = this_week(factory) - DAY
    number = news.write(factory.session, what, author_id=None, actor=TEST_ACTOR, now=begun_at)
    news.publish(factory.session, number, at=at or this_week(factory), actor=TEST_ACTOR, now=begun_at)
    return number


def item(factory: Factory, title: str, *, code: str | None = DISTRICT, initiative: Initiative | None = None) -> int:
    """Something on the agenda for next week, public since this week."""
    starts = thursday(factory) + 3 * DAY
    what = agenda.ItemInput(title=title, place="De kern", starts_at=starts, ends_at=starts + HOUR)
    number = agenda.add(
        factory.session,
        what,
        area_id=None if initiative else factory.area_id(code or DISTRICT),
        initiative_id=initiative.id if initiative else None,
        author_id=None,
        actor=TEST_ACTOR,
        now=this_week(factory),
    )
    agenda.publish(factory.session, number, actor=TEST_ACTOR, now=this_week(factory))
    return number


def told(factory: Factory, email: str = READER) -> str:
    """The plain text of the newest weekly mail."""
    return mails(factory.session, "digest", email)[-1].text_body or ""


def test_a_mail_tells_all_kinds_by_neighbourhood_and_the_newest_first(factory: Factory, people: People) -> None:
    follows(factory, area(factory, DISTRICT))
    begun(factory, "Oudere boom", this_week(factory) - DAY)
    begun(factory, "Jongere boom")
    funded = factory.initiative(State.FUNDED, title="Wip rond", target_cents=5_000)
    organiser = people.organiser_account(funded)
    note = updates.start_update(
        factory.session, funded.id, "De wip staat", "Kom!", author_id=organiser.id, actor=TEST_ACTOR, now=factory.now
    )
    updates.post_update(
        factory.session, note.id, secret_key=SECRET_KEY, actor=TEST_ACTOR, now=this_week(factory) - 2 * DAY
    )
    post(factory, "Weg dicht", code=CITY)
    item(factory, "Soep eten")

    assert run(factory) == 1

    text = told(factory)
    order = [text.index(title) for title in ("Jongere boom", "Oudere boom", "De wip staat", "Soep eten", "Weg dicht")]
    assert order == sorted(order)
    assert "== Voor heel " in text
    assert "Van: Wip rond" in text
    assert mails(factory.session, "digest")[0].html_body
    assert "/nieuws/" in text
    assert "/agenda/" in text


def test_each_thing_is_told_once_and_a_second_run_changes_nothing(factory: Factory) -> None:
    reader = follows(factory, area(factory, DISTRICT), "thema:green")
    made = begun(factory, "Een boom")

    assert run(factory) == 1
    assert run(factory) == 0
    assert run(factory, thursday(factory) + WEEK + MINUTE) == 0

    assert told(factory).count(f"/initiatieven/{made.id}-") == 1
    assert len(mails(factory.session, "digest")) == 1
    factory.session.refresh(reader)
    assert reader.told_until == thursday(factory) + WEEK - SETTLING


def test_there_is_no_mail_when_there_is_nothing(factory: Factory) -> None:
    follows(factory, area(factory, DISTRICT), "thema:play")
    begun(factory, "Een boom elders", code=ELSEWHERE)
    post(factory, "Nieuws van elders", code=ELSEWHERE)
    item(factory, "Soep elders", code=ELSEWHERE)

    assert run(factory) == 0
    assert mails(factory.session, "digest") == []


def test_what_was_hidden_withdrawn_stopped_or_is_still_to_come_never_goes_out(factory: Factory, people: People) -> None:
    follows(factory, area(factory, CITY))
    session, now = factory.session, this_week(factory)
    stopped, calm = begun(factory, "Gestopt plan"), begun(factory, "Gewoon plan")
    organiser = people.organiser_account(calm)
    for title, made in (("Verborgen bericht", calm), ("Bericht van gestopt", stopped)):
        note = updates.start_update(
            session, made.id, title, "Hoi", author_id=organiser.id, actor=TEST_ACTOR, now=factory.now
        )
        updates.post_update(session, note.id, secret_key=SECRET_KEY, actor=TEST_ACTOR, now=now)
        if made is calm:
            updates.hide_update(session, note.id, reason="Een naam.", actor=TEST_ACTOR, now=now)
    item(factory, "Activiteit van gestopt", initiative=stopped)
    initiatives.stop(session, stopped.id, reason="Zomaar.", actor=TEST_ACTOR, now=now)
    news.withdraw(session, post(factory, "Ingetrokken nieuws"), reason="Fout.", actor=TEST_ACTOR, now=now)
    post(factory, "Later nieuws", at=thursday(factory) + DAY)
    agenda.withdraw(session, item(factory, "Ingetrokken feest"), reason="Fout.", actor=TEST_ACTOR, now=now)
    agenda.cancel(session, item(factory, "Afgelast feest"), reason="Regen.", actor=TEST_ACTOR, now=now)
    factory.initiative(State.DRAFT, title="Geheim plan")

    assert run(factory) == 1

    text = told(factory)
    assert "Gewoon plan" in text
    for title in ("estopt", "Verborgen", "Ingetrokken", "Later", "Afgelast", "Geheim"):
        assert title not in text
    assert run(factory, thursday(factory) + WEEK + MINUTE) == 1
    assert "Later nieuws" in told(factory)


@pytest.mark.parametrize(
    ("followed", "is_told"),
    [(NEIGHBOURHOOD, True), (DISTRICT, True), (CITY, True), (ELSEWHERE, False)],
)
def test_who_follows_an_area_hears_of_what_lies_in_it_and_of_what_is_for_all(
    factory: Factory, followed: str, is_told: bool
) -> None:
    follows(factory, area(factory, followed))
    begun(factory, "Plan in de buurt")
    begun(factory, "Plan voor allen", code=CITY)

    run(factory)

    assert ("Plan in de buurt" in told(factory)) == is_told
    assert "Plan voor allen" in told(factory)


def test_a_theme_and_an_initiative_are_followed_wherever_they_are(factory: Factory) -> None:
    mine = factory.initiative(title="Mijn plan", area=ELSEWHERE)
    follows(factory, "thema:play", f"initiatief:{mine.id}")
    begun(factory, "Speelplan", code=ELSEWHERE, theme=Theme.PLAY)
    begun(factory, "Groenplan", code=ELSEWHERE)
    item(factory, "Wieden", initiative=mine)
    item(factory, "Van een ander", code=ELSEWHERE)

    assert run(factory) == 1

    assert "Speelplan" in told(factory)
    assert "Wieden" in told(factory)
    assert "Groenplan" not in told(factory)
    assert "Van een ander" not in told(factory)


def test_an_initiative_is_almost_there_once(factory: Factory, people: People) -> None:
    follows(factory, area(factory, DISTRICT))
    amount = factory.rules.voucher_amount_cents
    made = factory.initiative(title="Bijna een boom", target_cents=amount * 10)
    for _ in range(ALMOST_PERCENT // 10):
        people.giver(made, None)
    factory.session.execute(update(Donation).values(given_at=this_week(factory)))

    assert run(factory) == 1
    assert "Bijna rond: Bijna een boom" in told(factory)
    assert run(factory, thursday(factory) + WEEK + MINUTE) == 0


def test_what_got_its_money_and_what_was_done_is_told(factory: Factory) -> None:
    follows(factory, area(factory, DISTRICT), since=factory.now - HOUR)
    factory.initiative(State.FUNDED, title="Wip", target_cents=5_000)
    factory.initiative(State.REALISED, title="Bank", target_cents=5_000)

    assert run(factory) == 1

    text = told(factory)
    assert "Het bedrag is binnen: Wip" in text
    assert "Gelukt: Bank" in text


def test_a_mail_that_was_missed_goes_later_and_what_came_meanwhile_waits(factory: Factory) -> None:
    follows(factory, area(factory, DISTRICT))
    begun(factory, "Op tijd")
    begun(factory, "Net te laat", thursday(factory) - MINUTE)

    assert run(factory, thursday(factory) - MINUTE) == 0
    assert run(factory, thursday(factory) + DAY) == 1

    assert "Op tijd" in told(factory)
    assert "Net te laat" not in told(factory)
    assert run(factory, thursday(factory) + WEEK) == 1
    assert "Net te laat" in told(factory)


def test_a_mail_that_missed_its_week_goes_with_the_next(factory: Factory) -> None:
    follows(factory, area(factory, DISTRICT))
    begun(factory, "Een boom")

    assert run(factory, thursday(factory) + LATE_AFTER + MINUTE) == 0
    assert run(factory, thursday(factory) + WEEK) == 1


def test_who_did_not_confirm_gets_nothing(factory: Factory) -> None:
    topics = service.queries.find_topics(factory.session, ["thema:green"])
    service.ask(
        factory.session, READER, topics, language="nl", client=b"x" * 16, secret_key=SECRET_KEY, now=factory.now
    )
    follows(factory, "thema:play", email="ander@voorbeeld.example")
    service.ask(
        factory.session,
        "ander@voorbeeld.example",
        topics,
        language="nl",
        client=b"x" * 16,
        secret_key=SECRET_KEY,
        now=factory.now,
    )
    begun(factory, "Een groene boom")

    assert run(factory) == 0


def test_a_mail_can_be_stopped_with_one_click_and_reads_in_the_language_of_its_reader(
    factory: Factory, app: Flask
) -> None:
    reader = follows(factory, area(factory, DISTRICT))
    factory.session.execute(update(Follower).values(language="en"))
    begun(factory, "Een boom")
    run(factory)

    mail = mails(factory.session, "digest")[0]

    token = links.stop_token(SECRET_KEY, reader.id)
    assert mail.unsubscribe_url == f"http://localhost/en/volgen/stoppen/{token}"
    assert mail.unsubscribe_url in (mail.text_body or "")
    assert 'lang="en"' in (mail.html_body or "")
    assert "http://localhost/en/initiatieven/" in (mail.text_body or "")
    assert message_of(mail, app.extensions["settings"])["Content-Language"] == "en"
    other = follows(factory, area(factory, DISTRICT), email="ander@voorbeeld.example")
    run(factory)
    answer = app.test_client().post(f"/en/volgen/stoppen/{token}", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert factory.session.scalars(select(Follower.email)).all() == [other.email]
    assert mails(factory.session, "digest") == []  # it waited to be sent
    assert len(mails(factory.session, "digest", other.email)) == 1


def test_many_things_of_one_area_are_cut_short_with_the_way_to_the_rest(factory: Factory) -> None:
    follows(factory, area(factory, DISTRICT))
    for number in range(digests.MOST_OF_A_PLACE + 2):
        begun(factory, f"Boom nummer {number}", this_week(factory) - number * MINUTE)

    run(factory)

    assert "En nog 2 berichten" in told(factory)
    assert "Boom nummer 0" in told(factory)
    assert f"Boom nummer {digests.MOST_OF_A_PLACE}" not in told(factory)


def test_the_page_of_choices_shows_the_mail_of_now_and_writes_nothing(factory: Factory, app: Flask) -> None:
    reader = follows(factory, area(factory, DISTRICT))
    path = f"/volgen/beheer/{links.manage_token(SECRET_KEY, reader.id)}/mail"
    assert "niets nieuws" in Browser(app).get(path).text
    begun(factory, "Een boom", clock.now() - HOUR)
    factory.session.commit()

    page = Browser(app).get(path)

    assert "Een boom" in page.text
    assert mails(factory.session, "digest") == []


@pytest.mark.parametrize(
    ("now", "moment"),
    [
        ("2026-06-04 16:00", "2026-06-04 16:00"),
        ("2026-06-04 15:59", "2026-05-28 16:00"),
        ("2026-06-03 23:00", "2026-05-28 16:00"),
        ("2026-10-29 16:00", "2026-10-29 16:00"),
        ("2026-10-28 10:00", "2026-10-22 16:00"),
    ],
)
def test_the_mail_goes_on_thursday_at_four_by_the_clock_of_the_town(now: str, moment: str) -> None:
    here, then = (dt.datetime.fromisoformat(one).replace(tzinfo=AMSTERDAM) for one in (now, moment))

    assert last_moment(here.astimezone(dt.UTC)) == then
