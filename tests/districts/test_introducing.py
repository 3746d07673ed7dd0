# SPDX-License-Identifier: EUPL-1.2
"""How a wijkregisseur introduces herself, and the word of welcome of a district."""

from __future__ import annotations

import io

from flask import Flask
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from abs_platform.accounts.leaving import delete_account
from abs_platform.accounts.models import Account, StaffRole
from abs_platform.districts.models import DistrictIntro, StaffProfile
from abs_platform.events import Event
from abs_platform.media.models import SitePicture
from abs_platform.users import Role
from tests.factories import TEST_ACTOR, Factory
from tests.media.pictures import photo
from tests.page import Browser

WINDMOLENBROEK = "WK014119"


def manager(factory: Factory, browser: Browser) -> Account:
    account = factory.account(name="Sanne", roles=(Role.DISTRICT_MANAGER,), desks=(WINDMOLENBROEK,))
    token = factory.session_of(account)
    factory.session.commit()
    browser.sign_in(token)
    return account


def send_picture(browser: Browser, account: Account, alt_text: str, *, seed: int = 1, status: int = 200) -> None:
    path = f"/regie/profiel/{account.id}"
    token = browser.get(path).field("csrf_token")
    data = {"csrf_token": token, "alt_text": alt_text, "picture": (io.BytesIO(photo(300, 300, seed=seed)), "ik.jpg")}
    browser.post(f"{path}/foto", data, status=status)


def test_she_fills_in_her_profile_and_stands_on_the_page_of_her_district(
    factory: Factory, session: Session, app: Flask, browser_client: Browser
) -> None:
    account = manager(factory, browser_client)
    page = browser_client.get("/regie/profiel")
    action = f"/regie/profiel/{account.id}"

    browser_client.submit(
        page, action, shown_name="Sanne de Boer", phone="0546 12 34 56", about="Ik ben er.", is_public="1"
    )
    send_picture(browser_client, account, "Sanne lacht")

    profile = session.get_one(StaffProfile, account.id)
    assert (profile.shown_name, profile.phone, profile.is_public) == ("Sanne de Boer", "0546 12 34 56", True)
    shown = Browser(app).get("/wijken/windmolenbroek")
    assert "Sanne de Boer" in shown.text
    assert [one.attrs["alt"] for one in shown.all(".dis-person img")] == ["Sanne lacht"]
    assert session.scalar(select(func.count()).where(Event.kind == "staff_profile.changed")) == 1


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_kept(
    factory: Factory, session: Session, browser_client: Browser
) -> None:
    account = manager(factory, browser_client)
    page, action = browser_client.get("/regie/profiel"), f"/regie/profiel/{account.id}"

    nameless = browser_client.submit(page, action, shown_name="", phone="bel maar", email="geen adres", status=422)
    unreachable = browser_client.submit(page, action, shown_name="Sanne", is_public="1", status=422)

    assert "Vul in hoe je heet." in nameless.text
    assert "Vul een telefoonnummer in" in nameless.text
    assert nameless.field("phone") == "bel maar"
    assert "Zo kunnen bewoners je bereiken." in unreachable.text
    assert session.get(StaffProfile, account.id) is None


def test_another_picture_takes_the_place_of_the_first_and_can_be_taken_away(
    factory: Factory, session: Session, browser_client: Browser
) -> None:
    account = manager(factory, browser_client)
    path = f"/regie/profiel/{account.id}"
    browser_client.submit(browser_client.get(path), path, shown_name="Sanne", phone="0546 123456", is_public="1")
    send_picture(browser_client, account, "", status=422)
    send_picture(browser_client, account, "Sanne lacht")
    send_picture(browser_client, account, "Sanne zwaait", seed=2)

    first, second = session.scalars(select(SitePicture).order_by(SitePicture.id)).all()
    assert first.removed_at is not None
    assert second.removed_at is None
    assert session.get_one(StaffProfile, account.id).picture_id == second.id

    browser_client.submit(browser_client.get(path), f"{path}/foto/weg")
    session.expire_all()
    assert session.get_one(StaffProfile, account.id).picture_id is None
    assert session.get_one(SitePicture, second.id).removed_at is not None
    assert not browser_client.get("/wijken/windmolenbroek").all(".dis-person img")


def test_the_same_saved_twice_is_one_change(factory: Factory, session: Session, browser_client: Browser) -> None:
    account = manager(factory, browser_client)
    path = f"/regie/profiel/{account.id}"

    for _ in range(2):
        browser_client.submit(browser_client.get(path), path, shown_name="Sanne", phone="0546 123456")

    assert session.scalar(select(func.count()).where(Event.kind == "staff_profile.changed")) == 1


def test_a_word_of_welcome_is_said_changed_and_taken_away(
    factory: Factory, session: Session, app: Flask, browser_client: Browser
) -> None:
    manager(factory, browser_client)
    area_id = factory.area_id(WINDMOLENBROEK)
    path = f"/regie/wijk/{area_id}"

    browser_client.submit(browser_client.get(path), path, body="Hier wonen **fijne** mensen.")
    page = Browser(app).get("/wijken/windmolenbroek")
    assert page.one(".dis-intro strong").to_text() == "fijne"

    browser_client.submit(browser_client.get(path), path, body="")
    assert session.get(DistrictIntro, area_id) is None
    bodies = [(event.details["before"], event.details["after"]) for event in _changes(session) if event.details]
    assert bodies == [("", "Hier wonen **fijne** mensen."), ("Hier wonen **fijne** mensen.", "")]


def _changes(session: Session) -> list[Event]:
    return list(session.scalars(select(Event).where(Event.kind == "district_intro.changed").order_by(Event.id)))


def test_the_coordinator_sees_who_stands_where(factory: Factory, browser_client: Browser) -> None:
    account = manager(factory, browser_client)
    coordinator = factory.account(name="Carla", roles=(Role.COORDINATOR,))
    browser_client.sign_in(factory.session_of(coordinator))
    factory.session.commit()

    page = browser_client.get("/beheer/profielen")

    assert "nog niets ingevuld" in page.text
    assert page.all(f'a[href="/regie/profiel/{account.id}"]')


def test_with_an_account_its_profile_and_picture_go(
    factory: Factory, session: Session, browser_client: Browser, connection: Connection
) -> None:
    assert connection
    account = manager(factory, browser_client)
    path = f"/regie/profiel/{account.id}"
    browser_client.submit(browser_client.get(path), path, shown_name="Sanne", phone="0546 123456", is_public="1")
    send_picture(browser_client, account, "Sanne lacht")
    for role in session.scalars(select(StaffRole).where(StaffRole.account_id == account.id)):
        role.ended_at = factory.now
    session.flush()

    delete_account(session, account.id, actor=TEST_ACTOR, now=factory.now)

    assert session.get(StaffProfile, account.id) is None
    assert session.scalars(select(SitePicture.removed_at)).one() is not None
