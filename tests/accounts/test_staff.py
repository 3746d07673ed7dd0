# SPDX-License-Identifier: EUPL-1.2
"""Who works here: roles and desks, the last coordinator, and absence with a stand-in who is there herself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.accounts import absences, second_factor, staff
from abs_platform.accounts.models import Absence, Account, AccountSession, DeskAssignment, StaffRole
from abs_platform.accounts.queries import district_managers
from abs_platform.accounts.staff import Work
from abs_platform.actors import Actor
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.events import Event
from abs_platform.users import Role
from tests.accounts.mailbox import mails_to
from tests.accounts.staff_helpers import (
    DESK,
    count,
    district_manager,
    enter,
    errors_of,
    fetch,
    signed_in,
    token_of,
    user_of,
    verbs_of,
)
from tests.concurrency.racing import at_once, committed
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser

USERS = "/beheer/gebruikers"
SOUTH, NORTH, CITY = "WK014119", "WK014113", "GM0141"
MANAGER, COORDINATOR, FINANCE = Role.DISTRICT_MANAGER, Role.COORDINATOR, Role.FINANCE


def in_days(number: int) -> dt.date:
    return clock.today() + dt.timedelta(days=number)


def work(factory: Factory, *roles: Role, desks: tuple[str, ...] = ()) -> Work:
    return Work(frozenset(roles), frozenset(factory.area_id(code) for code in desks))


def add(factory: Factory, email: str, given: Work, name: str = "") -> bool:
    return staff.add_staff(factory.session, email, name=name, work=given, actor=TEST_ACTOR, now=factory.now)


def work_of(session: Session, email: str) -> tuple[set[str], set[str]]:
    """The roles, and the codes of the desks, that somebody has now."""
    session.expire_all()
    account_id = session.scalars(select(Account.id).where(Account.email == email)).one()
    roles = select(StaffRole.role).where(StaffRole.account_id == account_id, StaffRole.ended_at.is_(None))
    desks = text("SELECT code FROM areas JOIN desk_assignments d ON d.area_id = areas.id WHERE d.account_id = :id")
    return set(session.scalars(roles)), set(session.scalars(desks, {"id": account_id}))


def coordinator(factory: Factory, browser: Browser | None = None) -> Account:
    """Somebody who coordinates, signed in in this browser."""
    account = factory.account(name="Coen", roles=(COORDINATOR,))
    if browser is not None:
        enter(browser, factory, account, has_second_factor=True)
    return account


# -- adding -----------------------------------------------------------------------------------------------------------


def test_a_new_member_of_staff_gets_an_account_a_role_a_desk_an_event_and_a_mail(
    factory: Factory, session: Session
) -> None:
    assert add(factory, "rina@gemeente.example", work(factory, MANAGER, desks=(SOUTH,)), "Rina")

    assert work_of(session, "rina@gemeente.example") == ({"district_manager"}, {SOUTH})
    (mail,) = mails_to(session, "rina@gemeente.example")
    assert mail.text_body is not None
    assert "Hoi Rina," in mail.text_body
    assert "Je rol: wijkregisseur." in mail.text_body
    assert "Je werkt voor: Windmolenbroek." in mail.text_body
    assert "/inloggen" in mail.text_body
    event = session.scalars(select(Event).where(Event.kind == "account.work_changed")).one()
    assert event.actor == str(TEST_ACTOR)
    assert event.details == {
        "roles": ["district_manager"],
        "ended": [],
        "area_ids": [factory.area_id(SOUTH)],
    }


def test_adding_twice_changes_nothing_and_mails_once(factory: Factory, session: Session) -> None:
    given = work(factory, MANAGER, desks=(SOUTH,))
    assert add(factory, "rina@gemeente.example", given)

    assert not add(factory, "rina@gemeente.example", given)

    assert len(mails_to(session, "rina@gemeente.example")) == 1
    assert count(session, StaffRole) == 1


def test_adding_comes_beside_what_was_there_and_keeps_the_name_that_somebody_chose(
    factory: Factory, session: Session
) -> None:
    add(factory, "rina@gemeente.example", work(factory, MANAGER, desks=(SOUTH,)), "Rina")

    add(factory, "rina@gemeente.example", work(factory, MANAGER, COORDINATOR, desks=(CITY,)), "Iemand")

    assert work_of(session, "rina@gemeente.example") == ({"district_manager", "coordinator"}, {SOUTH, CITY})
    assert session.scalars(select(Account.name)).one() == "Rina"
    assert "Hele gemeente, Windmolenbroek" in (mails_to(session, "rina@gemeente.example")[-1].text_body or "")


def test_a_resident_who_becomes_staff_signs_in_again_within_half_a_day(factory: Factory, session: Session) -> None:
    resident = factory.account()
    factory.session_of(resident)
    assert resident.email is not None

    add(factory, resident.email, work(factory, COORDINATOR))

    ends = session.scalars(select(AccountSession.expires_at).execution_options(populate_existing=True)).one()
    assert ends == factory.now + dt.timedelta(hours=12)


PAIRS = [(MANAGER, COORDINATOR, True), (MANAGER, FINANCE, False), (COORDINATOR, FINANCE, False)]


@pytest.mark.parametrize(("one", "other", "allowed"), PAIRS + [(b, a, allowed) for a, b, allowed in PAIRS])
def test_finance_has_no_other_role(factory: Factory, one: Role, other: Role, *, allowed: bool) -> None:
    desks = {MANAGER: (SOUTH,)}
    add(factory, "rina@gemeente.example", work(factory, one, desks=desks.get(one, ())))

    def second() -> bool:
        return add(factory, "rina@gemeente.example", work(factory, other, desks=desks.get(other, ())))

    if allowed:
        assert second()
    else:
        with pytest.raises(InvalidInput, match="Wie uitbetaalt, beslist niet over initiatieven"):
            second()
        with pytest.raises(InvalidInput, match="Wie uitbetaalt"):
            add(factory, "nieuw@gemeente.example", work(factory, one, other, desks=(SOUTH,)))


@pytest.mark.parametrize("other", [MANAGER, COORDINATOR])
def test_the_database_refuses_finance_beside_another_role(factory: Factory, session: Session, other: Role) -> None:
    account = factory.account(roles=(FINANCE,))
    factory.account(roles=(other,))

    with pytest.raises(IntegrityError, match="ex_staff_roles_finance_alone"), session.begin_nested():
        session.add(StaffRole(account_id=account.id, role=other.value, granted_at=factory.now))

    session.add(StaffRole(account_id=account.id, role=other.value, granted_at=factory.now, ended_at=factory.now))
    session.flush()


def test_finance_and_another_role_given_at_one_moment_are_not_both_kept(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    account_id = own_factory.account("rina@gemeente.example").id
    own_session.commit()
    now = own_factory.now

    def giver(role: Role) -> Callable[[], Any]:
        given = Work(frozenset({role}))
        return committed(
            own_app,
            lambda database: staff.add_staff(
                database, "rina@gemeente.example", name="", work=given, actor=TEST_ACTOR, now=now
            ),
        )

    answers = at_once([giver(FINANCE), giver(COORDINATOR)])

    assert sum(isinstance(answer, InvalidInput) for answer in answers) == 1
    own_session.rollback()
    living = select(StaffRole).where(StaffRole.account_id == account_id, StaffRole.ended_at.is_(None))
    assert len(own_session.scalars(living).all()) == 1


def test_roles_and_desks_belong_together(factory: Factory) -> None:
    with pytest.raises(InvalidInput, match="voor welke wijken"):
        add(factory, "a@gemeente.example", work(factory, MANAGER))
    with pytest.raises(InvalidInput, match="Alleen een wijkregisseur werkt voor wijken"):
        add(factory, "a@gemeente.example", work(factory, COORDINATOR, desks=(SOUTH,)))
    with pytest.raises(InvalidInput, match="bestaat niet"):
        add(factory, "a@gemeente.example", work(factory, MANAGER, desks=("BU01411900",)))
    with pytest.raises(InvalidInput, match="bestaat niet"):
        add(factory, "a@gemeente.example", Work(frozenset({MANAGER}), frozenset({999_999})))


# -- ending -----------------------------------------------------------------------------------------------------------


def test_ending_takes_roles_and_desks_mails_and_leaves_the_resident(factory: Factory, session: Session) -> None:
    account = district_manager(factory)
    token = factory.session_of(account)

    staff.end_staff(session, account.id, role=None, actor=TEST_ACTOR, now=factory.now)

    user = signed_in(session, token)
    assert not user.is_staff
    assert user.desk_area_ids == frozenset()
    assert session.scalars(select(StaffRole.ended_at)).one() == factory.now
    assert "je toegang als medewerker beëindigd" in (mails_to(session, account.email or "")[-1].text_body or "")
    assert verbs_of(session, account) == ["work_changed"]


def test_one_role_can_be_ended(factory: Factory, session: Session) -> None:
    add(factory, "a@gemeente.example", work(factory, MANAGER, COORDINATOR, desks=(SOUTH,)))
    coordinator(factory)
    account_id = session.scalars(select(Account.id).where(Account.email == "a@gemeente.example")).one()

    staff.end_staff(session, account_id, role=COORDINATOR, actor=TEST_ACTOR, now=factory.now)
    assert work_of(session, "a@gemeente.example") == ({"district_manager"}, {SOUTH})

    with pytest.raises(NotFound):
        staff.end_staff(session, account_id, role=COORDINATOR, actor=TEST_ACTOR, now=factory.now)
    staff.end_staff(session, account_id, role=MANAGER, actor=TEST_ACTOR, now=factory.now)
    assert work_of(session, "a@gemeente.example") == (set(), set())
    assert count(session, StaffRole) == 3, "roles are ended, never deleted"


def test_the_last_coordinator_stays(factory: Factory, session: Session) -> None:
    last = coordinator(factory)
    add(factory, last.email or "", work(factory, MANAGER, desks=(SOUTH,)))
    former = coordinator(factory)
    staff.end_staff(session, former.id, role=None, actor=TEST_ACTOR, now=factory.now)

    for role in (None, COORDINATOR):
        with pytest.raises(Conflict, match="laatste beheerder"):
            staff.end_staff(session, last.id, role=role, actor=TEST_ACTOR, now=factory.now)
    with pytest.raises(Conflict, match="laatste beheerder"):
        staff.change_staff(
            session, last.id, work=work(factory, MANAGER, desks=(SOUTH,)), actor=TEST_ACTOR, now=factory.now
        )


def test_two_coordinators_who_end_each_other_at_one_moment_leave_one(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    ids = [coordinator(own_factory).id, coordinator(own_factory).id]
    own_session.commit()

    def ender(account_id: int) -> Callable[[], Any]:
        return committed(
            own_app,
            lambda database: staff.end_staff(database, account_id, role=None, actor=TEST_ACTOR, now=own_factory.now),
        )

    answers = at_once([ender(account_id) for account_id in ids])

    assert sum(isinstance(answer, Conflict) for answer in answers) == 1, answers
    own_session.rollback()
    living = select(StaffRole).where(StaffRole.role == "coordinator", StaffRole.ended_at.is_(None))
    assert len(own_session.scalars(living).all()) == 1


# -- the coordinator's pages ------------------------------------------------------------------------------------------


def test_the_list_shows_who_works_here_and_how(browser_client: Browser, factory: Factory) -> None:
    rina = district_manager(factory)
    factory.session_of(rina)
    factory.account("finny@gemeente.example", name="Finny", roles=(FINANCE,))
    factory.account(name="Bewoner")
    coordinator(factory, browser_client)

    page = browser_client.get(USERS)

    cards = [" ".join(one.to_text().split()) for one in page.all(".abs-staff-person")]
    assert [card.split()[0] for card in cards] == ["Coen", "Finny", "Rina"]
    assert "wijkregisseur" in cards[2]
    assert "Windmolenbroek" in cards[2]
    assert "Tweede stap ingesteld" in cards[2]
    assert "op 1 apparaat" in cards[2]
    assert "Tweede stap nog niet ingesteld" in cards[1]
    assert "Laatst ingelogd de laatste maand niet" in cards[1]
    assert "Nu ingelogd nergens" in cards[1]


def test_the_coordinator_adds_somebody_with_a_form(browser_client: Browser, factory: Factory, session: Session) -> None:
    me = coordinator(factory, browser_client)
    page = browser_client.get(f"{USERS}/nieuw")
    fields = Browser.fields(page, f"{USERS}/nieuw") | {
        "email": " Rina@Gemeente.example ",
        "name": "Rina",
        "roles": ["district_manager"],
        "desks": [str(factory.area_id(SOUTH)), str(factory.area_id(NORTH))],
    }

    after = browser_client.post(f"{USERS}/nieuw", fields)

    assert after.one("[role=status]").to_text().strip() == "We hebben een mail gestuurd naar rina@gemeente.example."
    assert work_of(session, "rina@gemeente.example") == ({"district_manager"}, {SOUTH, NORTH})
    event = session.scalars(select(Event).where(Event.kind == "account.work_changed")).one()
    assert event.actor == f"staff:{me.id}"


@pytest.mark.parametrize(
    ("changes", "name", "sentence"),
    [
        ({"email": "geen adres"}, "email", "Vul een e-mailadres in zoals naam@voorbeeld.nl."),
        ({"roles": []}, "roles", "Kies minstens één rol."),
        ({"roles": ["baas"]}, "roles", "Kies minstens één rol."),
        ({"roles": ["coordinator", "finance"]}, "roles", "Wie uitbetaalt, beslist niet over initiatieven."),
        ({"roles": ["district_manager"]}, "desks", "Kies voor welke wijken deze wijkregisseur werkt."),
        ({"roles": ["finance"], "desks": ["1"]}, "desks", "Alleen een wijkregisseur werkt voor wijken."),
    ],
)
def test_a_form_that_is_not_right_comes_back_filled_in(
    browser_client: Browser,
    factory: Factory,
    session: Session,
    *,
    changes: dict[str, Any],
    name: str,
    sentence: str,
) -> None:
    coordinator(factory, browser_client)
    page = browser_client.get(f"{USERS}/nieuw")
    typed = {"email": "rina@gemeente.example", "name": "Rina", "roles": ["coordinator"], "desks": []}
    accounts = count(session, Account)
    session.commit()

    again = browser_client.post(f"{USERS}/nieuw", Browser.fields(page, f"{USERS}/nieuw") | typed | changes, status=422)

    assert sentence in errors_of(again)
    assert again.all(f'.abs-error-summary a[href="#{name}"]')
    assert again.one(f"#{name}")
    assert again.field("name") == "Rina"
    assert count(session, Account) == accounts


def test_a_changed_role_works_at_the_next_request(browser_client: Browser, factory: Factory, session: Session) -> None:
    rina = district_manager(factory)
    boss = Browser(browser_client.client.application)
    coordinator(factory, boss)
    enter(browser_client, factory, rina, has_second_factor=True)
    assert browser_client.get(DESK)
    page = boss.get(f"{USERS}/{rina.id}")
    checked = {one.attrs["value"] for one in page.all("input[checked]")}
    assert checked == {"district_manager", str(factory.area_id(SOUTH))}

    fields = {"csrf_token": page.field("csrf_token"), "roles": ["coordinator"]}
    boss.post(f"{USERS}/{rina.id}", fields)

    browser_client.get(DESK, status=403)
    assert browser_client.get(USERS).path == USERS
    assert "Je rol is nu: beheerder." in (mails_to(session, rina.email or "")[-1].text_body or "")


def test_the_coordinator_ends_somebody(browser_client: Browser, factory: Factory, session: Session) -> None:
    rina = district_manager(factory)
    coordinator(factory, browser_client)
    page = browser_client.get(f"{USERS}/{rina.id}")

    after = browser_client.submit(page, f"{USERS}/{rina.id}/beeindigen")

    assert "Rina" not in after.text
    assert work_of(session, rina.email or "") == (set(), set())
    browser_client.get(f"{USERS}/{rina.id}", status=404)


def test_the_last_coordinator_is_told_on_the_page(browser_client: Browser, factory: Factory) -> None:
    me = coordinator(factory, browser_client)

    page = browser_client.submit(browser_client.get(f"{USERS}/{me.id}"), f"{USERS}/{me.id}/beeindigen", status=409)

    assert errors_of(page) == "Dit is de laatste beheerder. Maak eerst iemand anders beheerder."


def test_the_coordinator_resets_a_second_step(browser_client: Browser, factory: Factory, session: Session) -> None:
    rina = district_manager(factory)
    token = factory.session_of(rina)
    me = coordinator(factory, browser_client)

    browser_client.submit(browser_client.get(f"{USERS}/{rina.id}"), f"{USERS}/{rina.id}/tweede-stap-wissen")

    assert second_factor.factors_of(session, rina.id).count == 0
    assert user_of(session, token) is None
    event = session.scalars(select(Event).where(Event.kind == "account.second_factor_reset")).one()
    assert (event.actor, event.subject_id) == (f"staff:{me.id}", rina.id)
    assert mails_to(session, rina.email or "")[-1].subject == "Je tweede stap is veranderd"


PAGES = [
    ("GET", USERS),
    ("GET", f"{USERS}/nieuw"),
    ("POST", f"{USERS}/nieuw"),
    ("GET", f"{USERS}/{{id}}"),
    ("POST", f"{USERS}/{{id}}"),
    ("POST", f"{USERS}/{{id}}/beeindigen"),
    ("POST", f"{USERS}/{{id}}/tweede-stap-wissen"),
    ("GET", f"{USERS}/{{id}}/afwezigheid"),
    ("POST", f"{USERS}/{{id}}/afwezigheid"),
    ("POST", f"{USERS}/{{id}}/afwezigheid/1/verwijderen"),
]


@pytest.mark.parametrize("roles", [(), (MANAGER,), (FINANCE,)], ids=["resident", "wijkregisseur", "finance"])
@pytest.mark.parametrize(("method", "path"), PAGES)
def test_only_a_coordinator_manages_users(
    browser_client: Browser, factory: Factory, session: Session, *, method: str, path: str, roles: tuple[Role, ...]
) -> None:
    rina = district_manager(factory)
    enter(browser_client, factory, factory.account(roles=roles), has_second_factor=True)
    csrf = {"csrf_token": browser_client.get("/account").field("csrf_token")}

    answer = fetch(browser_client, path.format(id=rina.id), method, data=csrf if method == "POST" else None)

    assert answer.status_code == 403
    assert verbs_of(session, rina) == []


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_without_a_second_step_a_coordinator_manages_nobody(
    browser_client: Browser, factory: Factory, method: str, path: str
) -> None:
    rina = district_manager(factory)
    enter(browser_client, factory, coordinator(factory))
    csrf = {"csrf_token": browser_client.get("/account").field("csrf_token")}

    answer = fetch(browser_client, path.format(id=rina.id), method, data=csrf if method == "POST" else None)

    assert answer.status_code == (302 if method == "GET" else 403)


@pytest.mark.parametrize(("method", "path"), [page for page in PAGES if "{id}" in page[1]])
def test_a_resident_cannot_be_managed_as_staff(
    browser_client: Browser, factory: Factory, session: Session, method: str, path: str
) -> None:
    resident = factory.account()
    coordinator(factory, browser_client)
    csrf = {"csrf_token": browser_client.get("/account").field("csrf_token"), "roles": "coordinator"}
    days = {"starts_on": in_days(1).isoformat(), "ends_on": in_days(2).isoformat(), "stand_in_id": "1"}

    for account_id in (resident.id, 999_999_999):
        answer = fetch(
            browser_client, path.format(id=account_id), method, data=csrf | days if method == "POST" else None
        )
        assert answer.status_code in {404, 422}

    assert verbs_of(session, resident) == []
    assert work_of(session, resident.email or "") == (set(), set())


# -- absence ----------------------------------------------------------------------------------------------------------


def away(
    session: Session, who: Account, stand_in: Account, first: int, last: int, *, now: dt.datetime | None = None
) -> None:
    """Be away from so many days from now to so many."""
    absences.add_absence(
        session, who.id, stand_in.id, in_days(first), in_days(last), actor=TEST_ACTOR, now=now or clock.now()
    )


def desks_at(session: Session, token: str, moment: dt.datetime) -> frozenset[int]:
    """Whose desks somebody works at, at that moment."""
    with time_machine.travel(moment, tick=False):
        return signed_in(session, token).desk_area_ids


@pytest.fixture
def three(factory: Factory) -> tuple[Account, Account, Account]:
    """Three wijkregisseurs, each of another district."""
    anna, bert, cora = (
        factory.account(name=name, roles=(MANAGER,), desks=(desk,))
        for name, desk in (("Anna", SOUTH), ("Bert", NORTH), ("Cora", "WK014118"))
    )
    return anna, bert, cora


def test_a_stand_in_works_at_the_desks_on_those_days_and_no_others(
    factory: Factory, session: Session, three: tuple[Account, Account, Account]
) -> None:
    anna, bert, _cora = three
    with time_machine.travel(clock.end_of_day(clock.today()), tick=False):
        token = factory.session_of(bert)
        session.query(AccountSession).update({"expires_at": clock.now() + dt.timedelta(days=30)})
    away(session, anna, bert, 2, 3)
    south, north = factory.area_id(SOUTH), factory.area_id(NORTH)

    first, after = clock.start_of_day(in_days(2)), clock.end_of_day(in_days(3))

    second = dt.timedelta(seconds=1)
    assert desks_at(session, token, first - second) == {north}
    assert desks_at(session, token, first) == {south, north}
    assert desks_at(session, token, after - second) == {south, north}
    assert desks_at(session, token, after) == {north}
    assert [row[0] for row in district_managers(session, south, in_days(2))] == [bert.id]
    assert [row[0] for row in district_managers(session, south, in_days(4))] == [anna.id]


def test_the_stand_in_is_mailed_and_sees_it(
    browser_client: Browser, factory: Factory, session: Session, three: tuple[Account, Account, Account]
) -> None:
    anna, bert, _cora = three
    enter(browser_client, factory, anna, has_second_factor=True)
    page = browser_client.get(DESK)
    typed = {"starts_on": clock.today().isoformat(), "ends_on": in_days(7).isoformat(), "stand_in_id": str(bert.id)}

    after = browser_client.submit(page, DESK, **typed)

    assert "Vervanger: Bert (nu)" in after.text
    assert verbs_of(session, anna) == ["absence_added"]
    assert "Anna is afwezig van" in (mails_to(session, bert.email or "")[-1].text_body or "")
    assert mails_to(session, anna.email or "") == [], "she did it herself"
    session.commit()
    enter(browser_client, factory, bert, has_second_factor=True)
    seen = browser_client.get(DESK)
    assert "Jij vervangt Anna (nu)" in seen.text
    assert not seen.all('form[action$="/verwijderen"]'), "only who is away takes it back"


WRONG_DAYS = [
    (-1, 2, "starts_on", "Kies een eerste dag vanaf vandaag."),
    (3, 2, "ends_on", "De laatste dag ligt voor de eerste."),
    (0, 366, "ends_on", "Dit is langer dan een jaar."),
]


@pytest.mark.parametrize(("first", "last", "name", "sentence"), WRONG_DAYS)
def test_days_that_cannot_be_are_told_beside_their_field(
    browser_client: Browser,
    factory: Factory,
    three: tuple[Account, Account, Account],
    *,
    first: int,
    last: int,
    name: str,
    sentence: str,
) -> None:
    anna, bert, _cora = three
    enter(browser_client, factory, anna, has_second_factor=True)
    page = browser_client.get(DESK)
    typed = {
        "starts_on": in_days(first).isoformat(),
        "ends_on": in_days(last).isoformat(),
        "stand_in_id": str(bert.id),
    }

    again = browser_client.submit(page, DESK, status=422, **typed)

    assert sentence in errors_of(again)
    assert again.one(f"#{name}-error")
    assert again.field("starts_on") == typed["starts_on"]
    assert count(factory.session, Absence) == 0


@pytest.mark.parametrize("typed", ["", "31-12-2026", "2026-02-30", "gisteren"])
def test_what_is_no_day_is_told(
    browser_client: Browser, factory: Factory, three: tuple[Account, Account, Account], typed: str
) -> None:
    enter(browser_client, factory, three[0], has_second_factor=True)

    again = browser_client.submit(browser_client.get(DESK), DESK, status=422, starts_on=typed, ends_on=typed)

    assert errors_of(again) == "Kies de eerste dag. Kies de laatste dag."


def test_a_stand_in_is_another_wijkregisseur(
    factory: Factory, session: Session, three: tuple[Account, Account, Account]
) -> None:
    anna = three[0]
    strangers = [factory.account(), factory.account(roles=(FINANCE,)), factory.account(roles=(COORDINATOR,)), anna]

    for stand_in in strangers:
        with pytest.raises(InvalidInput, match="Kies een andere wijkregisseur"):
            away(session, anna, stand_in, 1, 2)
    with pytest.raises(NotFound):
        away(session, strangers[0], anna, 1, 2)


OVERLAPS = [(5, 10, True), (1, 5, True), (10, 12, True), (6, 8, True), (1, 20, True), (1, 4, False), (11, 12, False)]


@pytest.mark.parametrize(("first", "last", "refused"), OVERLAPS)
def test_nobody_is_away_twice_on_one_day(
    session: Session, three: tuple[Account, Account, Account], first: int, last: int, *, refused: bool
) -> None:
    anna, bert, cora = three
    away(session, anna, bert, 5, 10)

    if refused:
        with pytest.raises(InvalidInput, match="stond al een afwezigheid"):
            away(session, anna, cora, first, last)
    else:
        away(session, anna, cora, first, last)


@pytest.mark.parametrize(("first", "last", "refused"), OVERLAPS)
def test_a_stand_in_is_there_herself(
    session: Session, three: tuple[Account, Account, Account], first: int, last: int, *, refused: bool
) -> None:
    anna, bert, cora = three
    away(session, bert, cora, 5, 10)

    if refused:
        with pytest.raises(InvalidInput, match="Je vervanger is zelf afwezig"):
            away(session, anna, bert, first, last)
    else:
        away(session, anna, bert, first, last)


@pytest.mark.parametrize(("first", "last", "refused"), OVERLAPS)
def test_who_stands_in_does_not_go_away(
    session: Session, three: tuple[Account, Account, Account], first: int, last: int, *, refused: bool
) -> None:
    anna, bert, cora = three
    away(session, anna, bert, 5, 10)

    if refused:
        with pytest.raises(Conflict, match="Dan wordt Anna vervangen door deze persoon"):
            away(session, bert, cora, first, last)
    else:
        away(session, bert, cora, first, last)


def test_three_who_stand_in_for_each_other_in_a_ring_at_one_moment_make_no_chain(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    ids = [own_factory.account(roles=(MANAGER,), desks=(SOUTH,)).id for _number in range(3)]
    own_session.commit()

    def leaver(who: int, stand_in: int) -> Callable[[], Any]:
        return committed(
            own_app,
            lambda database: absences.add_absence(
                database, who, stand_in, in_days(1), in_days(5), actor=TEST_ACTOR, now=clock.now()
            ),
        )

    answers = at_once([leaver(who, stand_in) for who, stand_in in pairwise([*ids, ids[0]])])

    assert sum(isinstance(answer, InvalidInput | Conflict) for answer in answers) == 2, answers
    own_session.rollback()
    assert count(own_session, Absence) == 1


def test_the_database_refuses_two_absences_on_one_day(
    session: Session, three: tuple[Account, Account, Account]
) -> None:
    anna, bert, cora = three
    away(session, anna, bert, 1, 5)

    with pytest.raises(IntegrityError, match="ex_absences_one_at_a_time"), session.begin_nested():
        session.add(Absence(account_id=anna.id, stand_in_id=cora.id, starts_on=in_days(5), ends_on=in_days(9)))


def test_taking_an_absence_back_ends_it_mails_and_keeps_what_has_been(
    browser_client: Browser, factory: Factory, session: Session, three: tuple[Account, Account, Account]
) -> None:
    anna, bert, cora = three
    away(session, anna, bert, 10, 12)
    long_ago = clock.now() - dt.timedelta(days=4)
    away(session, anna, cora, -3, 3, now=long_ago)
    enter(browser_client, factory, anna, has_second_factor=True)
    rows = {row.stand_in_id: row.id for row in session.scalars(select(Absence))}
    session.commit()

    for stand_in in (bert, cora):
        page = browser_client.get(DESK)
        browser_client.submit(page, f"{DESK}/{rows[stand_in.id]}/verwijderen")
        assert "is er toch, of is eerder terug" in (mails_to(session, stand_in.email or "")[-1].text_body or "")
        session.commit()

    session.expire_all()
    (left,) = session.scalars(select(Absence))
    assert (left.stand_in_id, left.ends_on) == (cora.id, in_days(-1))
    assert verbs_of(session, anna)[-2:] == ["absence_removed", "absence_removed"]


def test_the_absence_of_a_colleague_is_not_ours_to_take_back(
    browser_client: Browser, factory: Factory, session: Session, three: tuple[Account, Account, Account]
) -> None:
    anna, bert, cora = three
    away(session, anna, bert, 1, 2)
    row_id = session.scalars(select(Absence.id)).one()

    for colleague in (bert, cora):
        enter(browser_client, factory, colleague, has_second_factor=True)
        csrf = {"csrf_token": browser_client.get(DESK).field("csrf_token")}
        browser_client.post(f"{DESK}/{row_id}/verwijderen", csrf, status=404)

    assert count(session, Absence) == 1


def test_the_coordinator_does_it_for_anybody(
    browser_client: Browser, factory: Factory, session: Session, three: tuple[Account, Account, Account]
) -> None:
    anna, bert, _cora = three
    me = coordinator(factory, browser_client)
    path = f"{USERS}/{anna.id}/afwezigheid"
    page = browser_client.get(path)
    assert page.one("h1").to_text().strip() == "Afwezigheid van Anna"
    assert "Coen" not in page.text

    after = browser_client.submit(
        page, path, starts_on=clock.today().isoformat(), ends_on=in_days(1).isoformat(), stand_in_id=str(bert.id)
    )

    row_id = session.scalars(select(Absence.id)).one()
    session.commit()
    assert after.path == path
    assert "Een beheerder heeft je afwezig gemeld" in (mails_to(session, anna.email or "")[-1].text_body or "")
    session.commit()
    browser_client.submit(after, f"{path}/{row_id}/verwijderen")
    assert "heeft je afwezigheid" in (mails_to(session, anna.email or "")[-1].text_body or "")
    assert count(session, Absence) == 0
    event = session.scalars(select(Event).where(Event.kind == "account.absence_removed")).one()
    assert event.actor == f"staff:{me.id}"


@pytest.mark.parametrize("roles", [(), (COORDINATOR,), (FINANCE,)], ids=["resident", "coordinator", "finance"])
@pytest.mark.parametrize(("method", "path"), [("GET", DESK), ("POST", DESK), ("POST", f"{DESK}/1/verwijderen")])
def test_only_a_wijkregisseur_is_away_at_the_desk(
    browser_client: Browser, factory: Factory, roles: tuple[Role, ...], method: str, path: str
) -> None:
    enter(browser_client, factory, factory.account(roles=roles), has_second_factor=True)
    csrf = {"csrf_token": browser_client.get("/account").field("csrf_token")}

    answer = fetch(browser_client, path, method, data=csrf if method == "POST" else None)

    assert answer.status_code == 403


def test_a_wijkregisseur_whose_role_ends_is_not_away_any_more_but_stays_while_a_colleague_counts_on_her(
    session: Session, factory: Factory, three: tuple[Account, Account, Account]
) -> None:
    anna, bert, _cora = three
    away(session, anna, bert, 1, 5)

    with pytest.raises(Conflict, match="Deze wijkregisseur vervangt Anna"):
        staff.end_staff(session, bert.id, role=None, actor=TEST_ACTOR, now=factory.now)
    staff.end_staff(session, anna.id, role=None, actor=TEST_ACTOR, now=factory.now)
    assert count(session, Absence) == 0
    staff.end_staff(session, bert.id, role=None, actor=TEST_ACTOR, now=factory.now)

    assert count(session, DeskAssignment) == 1


def test_a_stand_in_whose_role_ends_at_that_moment_is_not_kept(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    anna, bert = (own_factory.account(roles=(MANAGER,), desks=(SOUTH,)).id for _number in range(2))
    own_session.commit()
    actor, now = Actor("staff", "1"), clock.now()

    answers = at_once(
        [
            committed(
                own_app,
                lambda database: absences.add_absence(
                    database, anna, bert, in_days(1), in_days(2), actor=actor, now=now
                ),
            ),
            committed(own_app, lambda database: staff.end_staff(database, bert, role=None, actor=actor, now=now)),
        ]
    )

    assert sum(isinstance(answer, InvalidInput | Conflict) for answer in answers) == 1, answers
    own_session.rollback()
    is_manager = absences.is_district_manager(own_session, bert)
    assert (count(own_session, Absence) == 1) is is_manager


def test_the_token_of_who_manages_stays(browser_client: Browser, factory: Factory) -> None:
    me = coordinator(factory, browser_client)
    token = token_of(browser_client)

    page = browser_client.get(f"{USERS}/{me.id}")
    again = browser_client.post(f"{USERS}/{me.id}", {"csrf_token": page.field("csrf_token"), "roles": ["coordinator"]})

    assert again.one("[role=status]").to_text().strip() == "Dit stond er al zo."
    assert token_of(browser_client) == token
