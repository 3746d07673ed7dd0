# SPDX-License-Identifier: EUPL-1.2
"""The desk in a real browser: ask for changes and publish, two who decide at once, stop with returns, keyboard only."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from abs_platform.accounts.models import Account
from abs_platform.initiatives import submitting
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState
from abs_platform.outbox import OutgoingMail
from abs_platform.security import SEEN_AT
from abs_platform.users import Role
from abs_platform.vouchers.states import VoucherState
from jobs import close_initiatives
from tests.browser.conftest import DESK, Town
from tests.browser.visitor import Visitor
from tests.factories import TEST_ACTOR

pytestmark = pytest.mark.browser

_serials = count(1)
REASON = "Zet erbij wie de bomen water geeft."


def sign_in(town: Town, visitor: Visitor, account: Account) -> Visitor:
    """Be signed in as this person, as if just now."""
    token = town.factory.session_of(account)
    town.session.commit()
    cookie = {"_user_id": token, "_fresh": True, SEEN_AT: int(town.factory.now.timestamp()) + 3_000}
    serializer = town.app.session_interface.get_signing_serializer(town.app)  # type: ignore[attr-defined]
    visitor.context.add_cookies([{"name": "session", "value": serializer.dumps(cookie), "url": visitor.url}])
    return visitor


def manager(town: Town, name: str) -> Account:
    """A wijkregisseur of the district in which the initiatives of these tests are."""
    return town.factory.account(name=name, roles=(Role.DISTRICT_MANAGER,), desks=("WK014119",))


def initiator(town: Town, initiative: Initiative) -> Account:
    """The account of who began it."""
    query = select(Organiser).where(Organiser.initiative_id == initiative.id, Organiser.role == "initiator")
    organiser = town.session.scalars(query).one()
    account = town.factory.account(organiser.email, name=organiser.name)
    organiser.account_id = account.id
    return account


def waiting(town: Town) -> Initiative:
    """An initiative that waits at the desk, with a title of its own."""
    title = f"Bomen en bankjes voor de Ossenkoppelerhoekstraat {next(_serials)}"
    return town.factory.initiative(InitiativeState.SUBMITTED, title=title)


def state(town: Town, initiative: Initiative) -> str:
    """The state as the database has it."""
    town.session.rollback()
    town.session.refresh(initiative)
    return initiative.state


def open_it(visitor: Visitor, initiative: Initiative) -> None:
    """From what waits to the one screen, by the number; on a small screen the filter is folded."""
    visitor.goto("/regie")
    folded = visitor.page.locator(".desk-filter > summary")
    if folded.is_visible():
        folded.click()
    visitor.page.get_by_label("Zoek op titel, nummer of organisator").fill(f"#{initiative.id}")
    visitor.press(visitor.button("Toon"))
    expect(visitor.page.locator(".desk-row")).to_have_count(1)
    visitor.press(visitor.page.get_by_role("link", name=initiative.title))
    visitor.reads(initiative.title)


def write(visitor: Visitor, kind: str, reason: str) -> None:
    """Write a decision and look at its mail."""
    visitor.press(visitor.page.get_by_label(kind, exact=True))
    visitor.page.get_by_label("Reden", exact=True).fill(reason)
    visitor.press(visitor.button("Bekijk de mail"))
    visitor.reads("Bekijk de mail")


def test_a_wijkregisseur_asks_for_changes_and_publishes(town: Town, visit: Callable[..., Visitor]) -> None:
    initiative = waiting(town)
    anna = initiator(town, initiative)
    desk = sign_in(town, visit(), manager(town, "Sanne de Boer"))
    organiser = sign_in(town, visit(), anna)

    desk.goto("/regie")
    desk.check(in_the_dark=True, magnified=True)
    open_it(desk, initiative)
    desk.check(in_the_dark=True, magnified=True)
    desk.press(desk.button("Ik pak dit op"))
    expect(desk.page.get_by_text("Jij hebt dit opgepakt.", exact=True)).to_be_visible()
    desk.press(desk.page.get_by_label("De begroting past bij het plan"))
    desk.press(desk.button("Bewaar de checklist"))
    expect(desk.page.get_by_text("De checklist is bewaard.")).to_be_visible()
    write(desk, "Vragen om een aanpassing", REASON)
    desk.check(in_the_dark=True)
    desk.press(desk.button("Verstuur besluit"))
    desk.reads("Besluit: om een aanpassing gevraagd")
    desk.check()

    organiser.goto(f"/account/initiatieven/{initiative.id}/gesprek")
    organiser.page.get_by_label("Jouw bericht").fill("Anna geeft ze water.")
    organiser.press(organiser.button("Verstuur bericht"))
    expect(organiser.page.get_by_text("Je bericht is verstuurd.")).to_be_visible()
    assert "Wijkregisseur Sanne behandelt dit." in organiser.text
    organiser.check(in_the_dark=True, magnified=True)
    submitting.submit(town.session, initiative.id, rules=town.factory.rules, actor=TEST_ACTOR, now=town.factory.now)
    town.session.commit()

    desk.goto(f"/regie/initiatieven/{initiative.id}")
    assert "Anna geeft ze water." in desk.text
    write(desk, "Publiceren", "")
    desk.press(desk.button("Verstuur besluit"))
    desk.reads("Besluit: gepubliceerd")
    assert state(town, initiative) == InitiativeState.PUBLISHED
    organiser.goto(f"/initiatieven/{initiative.id}")
    organiser.reads(initiative.title)


def test_two_wijkregisseurs_at_once_the_second_is_told_and_keeps_her_text(
    town: Town, visit: Callable[..., Visitor]
) -> None:
    initiative = waiting(town)
    sanne = sign_in(town, visit(), manager(town, "Sanne de Boer"))
    tom = sign_in(town, visit(), manager(town, "Tom Jansen"))
    for visitor, kind in ((sanne, "Publiceren"), (tom, "Afwijzen")):
        visitor.goto(f"/regie/initiatieven/{initiative.id}")
        write(visitor, kind, f"De eigen tekst bij {kind}.")

    sanne.press(sanne.button("Verstuur besluit"))
    sanne.reads("Besluit: gepubliceerd")
    tom.press(tom.button("Verstuur besluit"))

    tom.reads(initiative.title)
    expect(tom.page.get_by_role("heading", name="Je besluit is niet verstuurd")).to_be_visible()
    assert "Sanne de Boer publiceerde het." in tom.text
    assert "De eigen tekst bij Afwijzen." in tom.text
    tom.check(in_the_dark=True)
    assert state(town, initiative) == InitiativeState.PUBLISHED


def test_stopping_gives_the_vouchers_back(town: Town, visitor: Visitor) -> None:
    initiative = town.factory.initiative(title=f"Gestopt plan {next(_serials)}")
    codes = [town.code() for _number in range(3)]
    for code in codes:
        assert town.factory.give(code, initiative)
    town.session.commit()
    sign_in(town, visitor, manager(town, "Sanne de Boer"))

    visitor.goto(f"/regie/initiatieven/{initiative.id}")
    write(visitor, "Stoppen", "De grond is verkocht.")
    assert "3 giften van samen € 22,50 gaan terug naar de gevers." in visitor.text
    visitor.press(visitor.button("Verstuur besluit"))
    expect(visitor.page.get_by_role("alert")).to_contain_text("Vink aan")
    visitor.check()
    visitor.press(visitor.page.get_by_label("Ja, ik stop dit initiatief"))
    visitor.press(visitor.button("Verstuur besluit"))
    visitor.reads("Besluit: gestopt")
    with town.app.app_context():
        close_initiatives.run(town.factory.now)

    assert state(town, initiative) == InitiativeState.STOPPED
    assert {town.factory.voucher(code).state for code in codes} == {VoucherState.ISSUED}
    told = town.session.scalars(select(OutgoingMail).where(OutgoingMail.subject.contains(initiative.title))).all()
    assert len([mail for mail in told if "gestopt" in (mail.subject or "")]) == 3


@pytest.mark.parametrize("size", [DESK], indirect=True, ids=["1280"])
def test_a_decision_by_keyboard_alone(town: Town, visitor: Visitor) -> None:
    first, second = waiting(town), waiting(town)
    town.session.flush()
    sign_in(town, visitor, manager(town, "Sanne de Boer"))
    visitor.goto(f"/regie?zoek={first.title.rsplit(' ', 1)[0].replace(' ', '+')}&status=submitted")
    keyboard = visitor.page.keyboard

    visitor.tab_to(".desk-row__link")
    keyboard.press("End")
    visitor.sees_focus()
    assert visitor.page.evaluate("document.activeElement.textContent").strip() == second.title
    keyboard.press("k")
    visitor.sees_focus()
    assert visitor.page.evaluate("document.activeElement.textContent").strip() == first.title
    keyboard.press("j")
    keyboard.press("Enter")
    visitor.reads(second.title)
    visitor.tab_to('[name="kind"]')
    keyboard.press("Space")
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    visitor.tab_to("#reason")
    keyboard.type("Dit past niet bij de spelregels.")
    visitor.tab_to('button[value="preview"]')
    keyboard.press("Enter")
    visitor.reads("Bekijk de mail")
    visitor.tab_to(".desk-send button")
    keyboard.press("Enter")
    visitor.reads("Besluit: afgewezen")

    assert state(town, second) == InitiativeState.REJECTED


def test_everything_at_the_desk_works_without_scripts(town: Town, visit: Callable[..., Visitor]) -> None:
    initiative = waiting(town)
    visitor = sign_in(town, visit(has_scripts=False), manager(town, "Sanne de Boer"))

    open_it(visitor, initiative)
    write(visitor, "Afwijzen", "Dit past niet bij de spelregels.")
    visitor.press(visitor.button("Verstuur besluit"))

    visitor.reads("Besluit: afgewezen")
    assert state(town, initiative) == InitiativeState.REJECTED
