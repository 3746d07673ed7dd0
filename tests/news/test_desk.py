# SPDX-License-Identifier: EUPL-1.2
"""The desk writes news for its own districts: draft, picture, look, publish now or later, withdraw."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import PurePosixPath

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.areas.queries import list_areas
from abs_platform.areas.states import AreaLevel
from abs_platform.clock import AMSTERDAM
from abs_platform.events import Event
from abs_platform.media.models import SitePicture
from abs_platform.media.queries import keys_in_use
from abs_platform.media.service import forget_removed
from abs_platform.news.models import NewsPost
from abs_platform.news.permissions import can_post
from abs_platform.users import Role, User
from tests.factories import Factory
from tests.media.pictures import photo
from tests.news.test_news import CITY, made
from tests.page import Browser
from tests.people import OTHER_DESK, OWN_DESK, People

NEW = "/regie/nieuws/nieuw"
WORDS = {"title": "Buurtfeest op 5 mei", "summary": "Kom ook.", "body": "Er is **muziek**."}


@pytest.fixture
def people(app: Flask, factory: Factory, browser_client: Browser) -> People:
    assert browser_client
    return People(app, factory)


def write(people: People, browser: Browser, area: str = OWN_DESK, **words: str) -> int:
    """Write a draft at the desk; its number."""
    area_id = str(people.factory.area_id(area))
    browser.submit(browser.get(NEW), NEW, area_id=area_id, **(WORDS | words))
    return people.factory.session.scalars(select(NewsPost.id).order_by(NewsPost.id.desc())).first() or 0


def post_of(people: People, post_id: int) -> NewsPost:
    people.factory.session.expire_all()
    return people.factory.session.get_one(NewsPost, post_id)


def test_a_post_goes_from_draft_to_the_site_with_a_picture(people: People) -> None:
    sanne, visitor = people.manager(), Browser(people.app)
    post_id = write(people, sanne)
    path = f"/regie/nieuws/{post_id}"

    page = sanne.get(path)
    assert "muziek" in page.one(".news-preview").to_text()
    visitor.get(f"/nieuws/{post_id}", status=404)
    picture = (io.BytesIO(photo()), "feest.jpg")
    refused = sanne.submit(sanne.get(path), f"{path}/foto", status=422, picture=picture, alt_text="")  # type: ignore[arg-type]
    assert "Beschrijf wat er op de foto te zien is" in refused.text
    picture = (io.BytesIO(photo()), "feest.jpg")
    sanne.submit(sanne.get(path), f"{path}/foto", picture=picture, alt_text="Buren aan een lange tafel")  # type: ignore[arg-type]
    sanne.submit(sanne.get(path), f"{path}/plaatsen", when="now")

    shown = visitor.get(f"/nieuws/{post_id}")
    image = shown.one(".news-picture img")
    assert image.attrs["alt"] == "Buren aan een lange tafel"
    assert visitor._send("GET", image.attrs["src"]).status_code == 200
    assert "Staat op de site sinds" in sanne.get(path).text
    kinds = people.factory.session.scalars(
        select(Event.kind).where(Event.subject == "news", Event.subject_id == post_id).order_by(Event.id)
    ).all()
    assert kinds == ["news.begun", "news.picture_set", "news.published"]


def test_a_picture_that_is_replaced_or_withdrawn_can_be_fetched_no_more(people: People) -> None:
    sanne, session = people.manager(), people.factory.session
    post_id = write(people, sanne)
    path = f"/regie/nieuws/{post_id}"
    for alt in ("Een", "Twee"):
        picture = (io.BytesIO(photo()), "x.jpg")
        sanne.submit(sanne.get(path), f"{path}/foto", picture=picture, alt_text=alt)  # type: ignore[arg-type]
    first, second = session.scalars(select(SitePicture).order_by(SitePicture.id)).all()

    assert sanne._send("GET", f"/media/{first.key}/{first.widths[0]}.jpg").status_code == 404
    assert sanne._send("GET", f"/media/{second.key}/{second.widths[0]}.jpg").status_code == 200
    sanne.submit(sanne.get(path), f"{path}/plaatsen", when="now")
    sanne.submit(sanne.get(f"{path}/intrekken"), f"{path}/intrekken", reason="Er staat een kind op.")

    assert sanne._send("GET", f"/media/{second.key}/{second.widths[0]}.jpg").status_code == 404
    assert keys_in_use(session) == {first.key, second.key}
    later = people.factory.now + dt.timedelta(days=40)
    assert (forget_removed(session, later), forget_removed(session, later)) == (2, 0)
    assert keys_in_use(session) == set()
    assert PurePosixPath(path).name == str(post_id)


def test_a_moment_to_come_is_kept_in_amsterdam_time_and_can_be_taken_back(people: People) -> None:
    sanne = people.manager()
    post_id = write(people, sanne)
    path = f"/regie/nieuws/{post_id}"
    moment = (people.factory.now.astimezone(AMSTERDAM) + dt.timedelta(days=3)).replace(hour=9, minute=30, second=0)
    typed = moment.strftime("%Y-%m-%dT%H:%M")

    sanne.submit(sanne.get(path), f"{path}/plaatsen", when="later", publish_at=typed)

    kept = post_of(people, post_id)
    assert kept.publish_at is not None
    assert kept.publish_at.astimezone(AMSTERDAM).strftime("%Y-%m-%dT%H:%M") == typed
    assert "Ingepland" in sanne.get("/regie/nieuws").text
    sanne.submit(sanne.get(path), f"{path}/terug")
    assert post_of(people, post_id).state == "draft"


@pytest.mark.parametrize("typed", ["", "gisteren", "2020-01-01T10:00", "9999-12-31T23:59", "0001-01-01T00:00"])
def test_a_moment_that_cannot_be_is_refused_and_nothing_is_published(people: People, typed: str) -> None:
    sanne = people.manager()
    post_id = write(people, sanne)
    path = f"/regie/nieuws/{post_id}"

    page = sanne.submit(sanne.get(path), f"{path}/plaatsen", status=422, when="later", publish_at=typed)

    assert page.one("#publish_at-error")
    assert post_of(people, post_id).state == "draft"


def test_a_wijkregisseur_writes_for_her_own_districts_only(people: People) -> None:
    sanne, other = people.manager(), people.manager(OTHER_DESK, "Willem")
    post_id = write(people, sanne)

    for area in (OTHER_DESK, CITY):
        area_id = str(people.factory.area_id(area))
        refused = sanne.submit(sanne.get(NEW), NEW, status=422, area_id=area_id, **WORDS)
        assert refused.one("#area_id-error")
        path = f"/regie/nieuws/{post_id}"
        assert sanne.submit(sanne.get(path), path, status=422, area_id=area_id).one("#area_id-error")
    other.get(f"/regie/nieuws/{post_id}", status=403)
    assert "Buurtfeest" not in other.get("/regie/nieuws").text
    assert post_of(people, post_id).area_id == people.factory.area_id(OWN_DESK)


def test_the_coordinator_writes_for_the_city_and_every_district(people: People) -> None:
    coen = people.coordinator()

    for area in (CITY, OWN_DESK, OTHER_DESK):
        assert post_of(people, write(people, coen, area)).area_id == people.factory.area_id(area)


def test_two_who_change_a_post_at_once_do_not_undo_each_other(people: People) -> None:
    sanne, coen = people.manager(), people.coordinator()
    post_id = write(people, sanne)
    path = f"/regie/nieuws/{post_id}"
    hers = sanne.get(path)

    coen.submit(coen.get(path), path, title="Van Coen")
    page = sanne.submit(hers, path, status=409, title="Van Sanne")

    assert post_of(people, post_id).title == "Van Coen"
    assert page.field("title") == "Van Sanne"


def test_a_draft_that_is_thrown_away_needs_no_reason_and_a_published_post_does(people: People) -> None:
    sanne = people.manager()
    draft, public = write(people, sanne), made(people.factory, area=OWN_DESK)

    page = f"/regie/nieuws/{draft}/intrekken"
    sanne.submit(sanne.get(page), page)
    path = f"/regie/nieuws/{public}/intrekken"
    sanne.submit(sanne.get(path), path, status=422, reason="")
    assert post_of(people, public).state == "published"
    sanne.submit(sanne.get(path), path, reason="Het klopte niet.")

    assert (post_of(people, draft).state, post_of(people, public).state) == ("withdrawn", "withdrawn")
    assert "Het klopte niet." in sanne.get(f"/regie/nieuws/{public}").text


def test_who_may_post_where_is_a_table(session: Session) -> None:
    areas = list_areas(session)
    city = next(area for area in areas if area.level == AreaLevel.MUNICIPALITY)
    own, other = (next(area for area in areas if area.code == code) for code in (OWN_DESK, OTHER_DESK))
    street = next(area for area in areas if area.parent_id == own.id)

    def may(*roles: Role, desks: tuple[int, ...] = ()) -> list[bool]:
        user = User(account_id=1, email="a@b.example", name="A", roles=frozenset(roles), desk_area_ids=frozenset(desks))
        return [can_post(user, area) for area in (city, own, other, street)]

    assert may(Role.COORDINATOR) == [True, True, True, True]
    assert may(Role.DISTRICT_MANAGER, desks=(own.id,)) == [False, True, False, True]
    assert may(Role.DISTRICT_MANAGER, desks=(city.id,)) == [True, False, False, False]
    assert may(Role.DISTRICT_MANAGER) == may(Role.FINANCE, desks=(own.id,)) == may() == [False] * 4
