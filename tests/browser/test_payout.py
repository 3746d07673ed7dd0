# SPDX-License-Identifier: EUPL-1.2
"""A payout by three people, at two widths: asked for, confirmed, returned, corrected, confirmed again and approved."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import expect

from abs_platform.accounts.models import Account
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.users import Role
from tests.browser.conftest import Town
from tests.browser.test_after_publishing import look, manager, people, sign_in
from tests.browser.visitor import Visitor
from tests.people import People

__all__ = ["people"]
pytestmark = pytest.mark.browser

IBAN, MASKED = "NL91 ABNA 0417 1643 00", "NL91 •••• •••• 4300"
_serials = count(1)


def finance(town: Town) -> Account:
    """Somebody who pays out."""
    return town.factory.account(name="Frits Vos", roles=(Role.FINANCE,))


def test_three_people_see_to_it_that_the_money_goes_where_it_should(
    town: Town, people: People, visit: Callable[..., Visitor]
) -> None:
    title = f"Bomen en bankjes voor het Noorderplein {next(_serials)}"
    initiative = town.factory.initiative(InitiativeState.FUNDED, title=title, target_cents=5_250)
    town.session.commit()
    anna = sign_in(town, visit(), people.organiser_account(initiative))
    sanne, frits = sign_in(town, visit(), manager(town)), sign_in(town, visit(), finance(town))

    ask(anna, initiative)
    confirm(sanne, title, is_first=True)
    return_it(frits, title)
    correct(anna, initiative)
    confirm(sanne, title)
    approve(frits, title)

    anna.goto(f"/account/initiatieven/{initiative.id}/uitbetaling")
    expect(anna.page.get_by_role("heading", name="De uitbetaling is goedgekeurd")).to_be_visible()
    expect(anna.page.locator('[aria-current="step"]')).to_contain_text("Goedgekeurd door financiën")
    look(anna)
    for visitor in (anna, sanne, frits):
        assert IBAN not in visitor.page.content()
        assert IBAN.replace(" ", "") not in visitor.page.content()


def ask(anna: Visitor, initiative: Initiative) -> None:
    anna.goto(f"/account/initiatieven/{initiative.id}")
    anna.press(anna.page.get_by_role("link", name="Vraag de uitbetaling aan"))
    anna.reads("Uitbetaling")
    anna.press(anna.page.get_by_role("link", name="Vraag de uitbetaling aan"))
    anna.reads("Vraag de uitbetaling aan")
    anna.page.get_by_label("Rekeningnummer (IBAN)").fill("NL91 ABNA 0417 1643 01")
    anna.page.get_by_label("Naam bij de rekening").fill("Stichting Noorderplein")
    anna.press(anna.button("Verstuur de aanvraag"))
    expect(anna.page.get_by_role("alert")).to_contain_text("Er zit een typefout in")
    expect(anna.page.get_by_role("alert")).to_contain_text("Kies van wie de rekening is.")
    look(anna)
    anna.page.get_by_label("Van wie is de rekening?").select_option("organisation")
    anna.page.get_by_label("Rekeningnummer (IBAN)").fill(IBAN)
    anna.press(anna.button("Verstuur de aanvraag"))
    expect(anna.page.get_by_role("status")).to_contain_text("De uitbetaling is aangevraagd.")
    expect(anna.page.get_by_text(MASKED)).to_be_visible()


def confirm(sanne: Visitor, title: str, *, is_first: bool = False) -> None:
    sanne.goto("/regie?soort=payout")
    sanne.press(sanne.page.get_by_role("link", name=title))
    sanne.reads(f"Uitbetaling van {title}")
    if is_first:
        expect(sanne.page.locator(".fin-warnings")).to_contain_text("dagen oud")
        sanne.press(sanne.button("Toon het hele nummer"))
        expect(sanne.page.get_by_text(IBAN)).to_be_visible()
        look(sanne)
    sanne.press(sanne.button("Bevestig de gegevens"))
    expect(sanne.page.get_by_role("status")).to_contain_text("Bevestigd.")


def return_it(frits: Visitor, title: str) -> None:
    frits.goto("/financien/uitbetalingen")
    frits.press(frits.page.get_by_role("link", name=title))
    frits.reads(f"Uitbetaling van {title}")
    frits.page.get_by_label("Wat ontbreekt er?").fill("De naam van de stichting is niet compleet.")
    frits.press(frits.button("Stuur het terug"))
    expect(frits.page.get_by_role("status")).to_contain_text("Teruggestuurd.")


def correct(anna: Visitor, initiative: Initiative) -> None:
    anna.goto(f"/account/initiatieven/{initiative.id}/uitbetaling")
    expect(anna.page.get_by_text("De naam van de stichting is niet compleet.")).to_be_visible()
    anna.press(anna.page.get_by_role("link", name="Vul het aan"))
    anna.reads("Pas de uitbetaling aan")
    anna.page.get_by_label("Naam bij de rekening").fill("Stichting Noorderplein en omgeving")
    anna.press(anna.button("Verstuur de aanvraag"))
    expect(anna.page.get_by_role("status")).to_contain_text("De wijkregisseur bekijkt het opnieuw.")


def approve(frits: Visitor, title: str) -> None:
    frits.goto("/financien/uitbetalingen")
    frits.press(frits.page.get_by_role("link", name=title))
    frits.press(frits.button("Toon het hele nummer"))
    expect(frits.page.get_by_text(IBAN)).to_be_visible()
    look(frits)
    frits.press(frits.button("Keur de uitbetaling goed"))
    expect(frits.page.get_by_role("status")).to_contain_text("Goedgekeurd.")
