# SPDX-License-Identifier: EUPL-1.2
"""A poster and a flyer are for the organisers of an initiative that collects, and for nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.flyers import service
from abs_platform.initiatives.models import Initiative, Organiser
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.users import Role
from tests.factories import Factory
from tests.page import Browser

NAMES = ["poster", "flyer"]


def organiser_of(session: Session, factory: Factory, browser: Browser, initiative: Initiative) -> Browser:
    """The browser of its initiator."""
    email = session.scalars(
        select(Organiser.email).where(Organiser.initiative_id == initiative.id).order_by(Organiser.id)
    ).first()
    browser.sign_in(factory.session_of(factory.account(email)))
    session.commit()
    return browser


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[service.FlyerContent]:
    """What was printed."""
    seen: list[service.FlyerContent] = []
    for name in NAMES:
        made = getattr(service, name)

        def keep(content: service.FlyerContent, made: Any = made) -> bytes:
            seen.append(content)
            return bytes(made(content))

        monkeypatch.setattr(service, name, keep)
    return seen


@pytest.mark.parametrize("name", NAMES)
def test_an_organiser_gets_a_pdf_that_leads_to_the_voucher_page(
    session: Session,
    factory: Factory,
    browser_client: Browser,
    printed: list[service.FlyerContent],
    name: str,
) -> None:
    initiative = factory.initiative(State.PUBLISHED, title="Bomen op het plein")
    browser = organiser_of(session, factory, browser_client, initiative)

    response = browser._send("GET", f"/initiatieven/{initiative.id}/{name}.pdf")

    assert (response.status_code, response.content_type) == (200, "application/pdf")
    assert response.headers["Content-Disposition"] == f'inline; filename="{name}-bomen-op-het-plein.pdf"'
    assert response.headers["Cache-Control"] == "no-store"
    assert response.data.startswith(b"%PDF-")
    (content,) = printed
    assert content.voucher_url == f"http://localhost/voucher?initiatief={initiative.id}"
    assert content.short_url == f"localhost/initiatieven/{initiative.id}"
    assert content.title == "Bomen op het plein"
    assert list(content.organisers) == ["Anna", "Bram", "Cem"]
    assert content.site_name == "Almelo Buurt Samen"
    assert content.colours.sun == "#ffcf56"


def test_the_addresses_on_it_lead_to_the_initiative(
    session: Session, factory: Factory, browser_client: Browser, printed: list[service.FlyerContent]
) -> None:
    initiative = factory.initiative(State.PUBLISHED, title="Bomen op het plein")
    browser = organiser_of(session, factory, browser_client, initiative)
    browser._send("GET", f"/initiatieven/{initiative.id}/poster.pdf")
    (content,) = printed

    chosen = browser.get(content.voucher_url.removeprefix("http://localhost"))
    shown = browser.get(content.short_url.removeprefix("localhost"))

    radios = [radio for radio in chosen.all('input[name="initiative_id"]') if "checked" in radio.attrs]
    assert [radio.attrs["value"] for radio in radios] == [str(initiative.id)]
    assert shown.one("h1").to_text() == "Bomen op het plein"


def test_who_keeps_a_name_private_is_not_printed(
    session: Session, factory: Factory, browser_client: Browser, printed: list[service.FlyerContent]
) -> None:
    initiative = factory.initiative(State.PUBLISHED)
    browser = organiser_of(session, factory, browser_client, initiative)
    for organiser in session.scalars(select(Organiser).where(Organiser.initiative_id == initiative.id)):
        organiser.is_name_public = organiser.name != "Bram"
    session.commit()

    browser._send("GET", f"/initiatieven/{initiative.id}/flyer.pdf")

    assert list(printed[0].organisers) == ["Anna", "Cem"]


@pytest.mark.parametrize("state", [state for state in State if state != State.PUBLISHED])
def test_there_is_none_when_it_does_not_collect(
    session: Session, factory: Factory, browser_client: Browser, state: State
) -> None:
    initiative = factory.initiative(state)
    browser = organiser_of(session, factory, browser_client, initiative)

    page = browser.get(f"/initiatieven/{initiative.id}/poster.pdf", status=409)

    assert "zolang je initiatief geld ophaalt" in page.text


@pytest.mark.parametrize("roles", [(), (Role.COORDINATOR,), (Role.DISTRICT_MANAGER,), (Role.FINANCE,)])
@pytest.mark.parametrize("name", NAMES)
def test_nobody_else_gets_one(
    session: Session, factory: Factory, browser_client: Browser, roles: tuple[Role, ...], name: str
) -> None:
    theirs, own = factory.initiative(State.PUBLISHED), factory.initiative(State.PUBLISHED)
    organiser_of(session, factory, browser_client, own)
    if roles:
        browser_client.sign_in(factory.session_of(factory.account(roles=roles, desks=("WK014119",))))
        session.commit()

    browser_client.get(f"/initiatieven/{theirs.id}/{name}.pdf", status=404)


@pytest.mark.parametrize("number", ["0", "999999999", str(2**63), "9" * 30])
def test_what_is_not_there_is_not_found(
    session: Session, factory: Factory, browser_client: Browser, number: str
) -> None:
    browser_client.sign_in(factory.session_of(factory.account()))
    session.commit()

    browser_client.get(f"/initiatieven/{number}/poster.pdf", status=404)


def test_who_is_not_signed_in_is_asked_to_first(session: Session, factory: Factory, browser_client: Browser) -> None:
    initiative = factory.initiative(State.PUBLISHED)
    session.commit()

    page = browser_client.get(f"/initiatieven/{initiative.id}/poster.pdf")

    assert page.path.startswith("/inloggen")
