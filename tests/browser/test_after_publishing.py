# SPDX-License-Identifier: EUPL-1.2
"""After publishing, in a real browser: news, help, questions, accountability, and a page worth reading at the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from abs_platform.accountability import service as accountability
from abs_platform.accounts.models import Account
from abs_platform.donations.service import GiftDetails
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.outbox import OutgoingMail
from abs_platform.security import SEEN_AT
from abs_platform.users import Role
from tests.accountability.accounts import PDF, filled_in, who
from tests.browser.conftest import Town
from tests.browser.visitor import Visitor
from tests.engaging import asked, offered
from tests.media.pictures import photo as a_photo
from tests.people import OWN_DESK, People

pytestmark = pytest.mark.browser

_serials = count(1)
GIVER = "gever@voorbeeld.example"
NEWS = "Zaterdag planten we de eerste bomen."
QUESTION = "Mag mijn dochter van acht ook meedoen?"
STORY = "Op een koude zaterdag in maart stonden we er met **dertig** buren."


@pytest.fixture
def people(town: Town) -> Iterator[People]:
    """The verbs write mails, which know the app."""
    with town.app.app_context():
        yield People(town.app, town.factory)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture of a phone."""
    path = tmp_path / "plein.jpg"
    path.write_bytes(a_photo(1200, 900))
    return path


@pytest.fixture
def receipt(tmp_path: Path) -> Path:
    """A receipt as a file."""
    path = tmp_path / "bomen-en-palen.pdf"
    path.write_bytes(PDF)
    return path


def sign_in(town: Town, visitor: Visitor, account: Account) -> Visitor:
    """Be signed in as this person, as if just now."""
    token = town.factory.session_of(account)
    town.session.commit()
    cookie = {"_user_id": token, "_fresh": True, SEEN_AT: int(town.factory.now.timestamp()) + 3_000}
    serializer = town.app.session_interface.get_signing_serializer(town.app)  # type: ignore[attr-defined]
    visitor.context.add_cookies([{"name": "session", "value": serializer.dumps(cookie), "url": visitor.url}])
    return visitor


def manager(town: Town) -> Account:
    """The wijkregisseur of the district of these initiatives."""
    return town.factory.account(name="Sanne de Boer", roles=(Role.DISTRICT_MANAGER,), desks=(OWN_DESK,))


def collecting(town: Town, people: People) -> Initiative:
    """It needs one more voucher, asks for two people, and has a giver who wants news."""
    made = town.factory.initiative(title=f"Bomen en bankjes voor het Noorderplein {next(_serials)}", target_cents=5_250)
    people.need(made, "Twee mensen met een schep op zaterdagochtend")
    for number in range(6):
        details = (
            GiftDetails(giver_name="Gerda", message="Wat een goed plan!", giver_email=GIVER) if not number else None
        )
        assert town.factory.give(town.code(), made, details)
    town.session.commit()
    return made


def look(visitor: Visitor) -> None:
    """Whether the page is in order, magnified and in the dark too."""
    visitor.check(in_the_dark=True, magnified=True)


def test_from_the_first_news_to_a_page_worth_reading(
    town: Town, people: People, visit: Callable[..., Visitor], photo: Path, receipt: Path
) -> None:
    initiative = collecting(town, people)
    anna = sign_in(town, visit(), people.organiser_account(initiative))
    fatima = sign_in(town, visit(), town.factory.account(name="Fatima"))
    public = f"/initiatieven/{initiative.id}"

    post_news(anna, initiative, photo)
    offer_help_and_ask(fatima, initiative)
    take_help_and_answer(anna, initiative)
    fatima.goto(public)
    expect(fatima.page.locator(".abs-answer")).to_contain_text("Organisator")
    look(fatima)

    town.factory.fund(initiative)
    town.session.commit()
    thank_and_begin(anna, initiative)
    account_for_it(anna, initiative, photo, receipt)

    sanne = sign_in(town, visit(), manager(town))
    approve(sanne, initiative)

    fatima.goto(public)
    expect(fatima.page.get_by_role("heading", name="Zo is het gegaan")).to_be_visible()
    expect(fatima.page.locator(".abs-costs")).to_contain_text("Over: gaat terug naar de gemeente")
    expect(fatima.page.get_by_text("Dank je wel, allemaal.")).to_be_visible()
    assert "bomen-en-palen" not in fatima.page.content()
    look(fatima)
    anna.goto(f"/account/initiatieven/{initiative.id}")
    look(anna)


def post_news(anna: Visitor, initiative: Initiative, photo: Path) -> None:
    anna.goto(f"/account/initiatieven/{initiative.id}")
    look(anna)
    anna.press(anna.page.get_by_role("link", name="Bekijk wat er binnenkwam"))
    anna.reads("Wat er binnenkwam")
    expect(anna.page.get_by_text("Wat een goed plan!")).to_be_visible()
    look(anna)
    anna.goto(f"/account/initiatieven/{initiative.id}/berichten/nieuw")
    look(anna)
    anna.page.get_by_label("Titel").fill("De bomen zijn besteld")
    anna.page.get_by_label("Bericht", exact=True).fill(NEWS)
    anna.press(anna.button("Bewaar en ga verder"))
    anna.reads("Bericht maken")
    anna.page.get_by_label("Kies een foto").set_input_files(photo)
    anna.page.get_by_label("Wat is er op de foto te zien?").fill("Buren kiezen bomen uit bij de kweker")
    anna.press(anna.button("Voeg de foto toe"))
    expect(anna.page.get_by_role("status")).to_contain_text("De foto staat erbij.")
    look(anna)
    expect(anna.page.get_by_text("1 gever krijgt dit per mail.")).to_be_visible()
    anna.press(anna.button("Plaats het bericht"))
    anna.reads("Berichten")
    look(anna)


def offer_help_and_ask(fatima: Visitor, initiative: Initiative) -> None:
    fatima.goto(f"/initiatieven/{initiative.id}")
    expect(fatima.page.get_by_text(NEWS)).to_be_visible()
    expect(fatima.page.get_by_alt_text("Buren kiezen bomen uit bij de kweker")).to_be_attached()
    look(fatima)
    fatima.presses = 0
    fatima.press(fatima.page.get_by_role("link", name="Ik help mee"))
    fatima.reads("Ik help mee")
    look(fatima)
    fatima.press(fatima.button("Ja, ik help mee"))
    fatima.reads("Mijn hulp")
    assert fatima.presses == 2
    look(fatima)
    fatima.goto(f"/initiatieven/{initiative.id}")
    expect(fatima.page.get_by_text("1 buurtbewoner bood al hulp aan")).to_be_visible()
    fatima.press(fatima.page.get_by_role("link", name="Stel een vraag"))
    fatima.reads("Stel een vraag")
    fatima.press(fatima.button("Stel je vraag"))
    expect(fatima.page.get_by_role("alert")).to_be_visible()
    look(fatima)
    fatima.page.get_by_label("Je vraag").fill(QUESTION)
    fatima.press(fatima.button("Stel je vraag"))
    expect(fatima.page.locator(".abs-post")).to_contain_text(QUESTION)
    look(fatima)


def take_help_and_answer(anna: Visitor, initiative: Initiative) -> None:
    anna.goto(f"/account/initiatieven/{initiative.id}")
    look(anna)
    anna.press(anna.page.get_by_role("link", name="Aangeboden hulp"))
    anna.reads("Aangeboden hulp")
    look(anna)
    anna.press(anna.page.get_by_role("button", name=re.compile("Ja, graag.*Fatima")))
    expect(anna.page.get_by_role("status")).to_contain_text("Fatima doet mee")
    anna.goto(f"/account/initiatieven/{initiative.id}/vragen")
    look(anna)
    anna.press(anna.page.get_by_role("link", name="Antwoord op de vraag van Fatima"))
    anna.reads("Antwoord geven")
    look(anna)
    anna.page.get_by_label("Jullie antwoord").fill("Ja, graag! Neem wel laarzen mee.")
    anna.press(anna.button("Plaats het antwoord"))
    expect(anna.page.get_by_text("Neem wel laarzen mee.")).to_be_visible()


def thank_and_begin(anna: Visitor, initiative: Initiative) -> None:
    anna.goto(f"/account/initiatieven/{initiative.id}")
    look(anna)
    anna.press(anna.page.get_by_role("link", name="Bedank de gevers").first)
    anna.reads("Bedank de gevers")
    look(anna)
    anna.page.get_by_label("Jullie dank").fill("Dank je wel, allemaal. We gaan beginnen!")
    anna.press(anna.button("Bekijk hoe het eruitziet"))
    expect(anna.button("Verstuur de dank")).to_be_visible()
    expect(anna.page.get_by_text("1 gever krijgt dit per mail.")).to_be_visible()
    look(anna)
    anna.press(anna.button("Verstuur de dank"))
    anna.press(anna.page.get_by_role("link", name="We beginnen"))
    anna.reads("Gaan jullie beginnen?")
    look(anna)
    anna.press(anna.button("We beginnen"))
    expect(anna.page.get_by_role("status")).to_contain_text("Succes!")


def account_for_it(anna: Visitor, initiative: Initiative, photo: Path, receipt: Path) -> None:
    anna.press(anna.page.get_by_role("link", name="Naar de verantwoording"))
    anna.reads("Verantwoording")
    look(anna)
    anna.press(anna.page.get_by_role("link", name="1. Het verhaal"))
    anna.reads("Het verhaal")
    anna.page.get_by_label("Hoe is het gegaan?").fill(STORY)
    look(anna)
    anna.press(anna.button("Bewaar"))
    anna.press(anna.page.get_by_role("link", name="2. Foto's"))
    anna.reads("Foto's")
    anna.page.get_by_label("Kies een foto").set_input_files(photo)
    anna.page.get_by_label("Wat is er op de foto te zien?").fill("Dertig buren bij tien jonge bomen")
    anna.press(anna.button("Voeg de foto toe"))
    expect(anna.page.get_by_role("status")).to_contain_text("De foto staat erbij.")
    look(anna)
    anna.press(anna.page.get_by_role("link", name="Terug naar de verantwoording"))
    anna.press(anna.page.get_by_role("link", name="3. Kosten en bonnen"))
    anna.reads("Kosten en bonnen")
    look(anna)
    anna.press(anna.page.get_by_role("link", name="Bomen", exact=True))
    anna.reads("Bomen")
    anna.page.get_by_label("Wat heeft het echt gekost?").fill("40,25")
    anna.page.get_by_label("Voeg een bon toe").set_input_files(receipt)
    anna.press(anna.button("Bewaar en voeg nog een bon toe"))
    expect(anna.page.get_by_role("link", name="bomen-en-palen.pdf")).to_be_visible()
    look(anna)
    anna.press(anna.button("Bewaar"))
    anna.press(anna.page.get_by_role("link", name="Koffie", exact=True))
    anna.page.get_by_label("Wat heeft het echt gekost?").fill("veel")
    anna.press(anna.button("Bewaar"))
    expect(anna.page.get_by_role("alert")).to_be_visible()
    look(anna)
    anna.page.get_by_label("Wat heeft het echt gekost?").fill("9")
    anna.page.get_by_label("Is er geen bon?").fill("Uit eigen keuken.")
    anna.press(anna.button("Bewaar"))
    anna.press(anna.page.get_by_role("link", name="Terug naar de verantwoording"))
    anna.reads("Verantwoording")
    look(anna)
    anna.press(anna.button("Verstuur de verantwoording"))
    expect(anna.page.get_by_role("status")).to_contain_text("De wijkregisseur kijkt ernaar.")
    look(anna)


def approve(sanne: Visitor, initiative: Initiative) -> None:
    sanne.goto("/regie")
    sanne.press(sanne.page.get_by_role("link", name=initiative.title))
    sanne.reads(f"Verantwoording van {initiative.title}")
    look(sanne)
    sanne.press(sanne.button("Keur de verantwoording goed"))
    expect(sanne.page.get_by_role("status")).to_contain_text("Goedgekeurd")
    look(sanne)


def test_the_desk_answers_hides_and_returns(town: Town, people: People, visit: Callable[..., Visitor]) -> None:
    initiative = town.factory.initiative(title=f"Een moestuin achter de flat {next(_serials)}")
    question = asked(people, initiative, QUESTION)
    rude = asked(people, initiative, "Jan van nummer 12 is een sukkel.", name="Ed")
    bob, sanne = sign_in(town, visit(), town.factory.account(name="Bob")), sign_in(town, visit(), manager(town))

    bob.goto(f"/initiatieven/{initiative.id}/vragen")
    look(bob)
    bob.press(bob.page.get_by_role("link", name="Melden wat Ed schreef"))
    bob.reads("Hoort dit er niet?")
    bob.page.get_by_label("Wat is er mis mee?").fill("Er staat een naam en een huisnummer in.")
    look(bob)
    bob.press(bob.button("Meld dit"))
    expect(bob.page.get_by_role("status")).to_contain_text("De wijkregisseur kijkt ernaar.")

    sanne.goto("/regie/vragen")
    look(sanne)
    sanne.press(sanne.page.locator(f'a[href="/regie/vragen/{rude.id}"]'))
    sanne.reads("Vraag van een bewoner")
    look(sanne)
    sanne.page.get_by_label("Waarom hoort dit er niet?").fill("Noem geen namen van buren.")
    sanne.press(sanne.button("Verberg dit"))
    expect(sanne.page.get_by_text("sukkel")).to_have_count(0)
    look(sanne)
    sanne.goto(f"/regie/vragen/{question.id}")
    sanne.page.get_by_label("Je antwoord").fill("Kinderen zijn welkom, samen met een ouder.")
    sanne.press(sanne.button("Plaats het antwoord"))
    expect(sanne.page.locator(".abs-answer--official")).to_contain_text("Wijkregisseur, namens de gemeente")
    look(sanne)


def test_news_is_stopped_with_one_click_from_the_mail(
    town: Town, people: People, visit: Callable[..., Visitor], photo: Path
) -> None:
    initiative = collecting(town, people)
    anna = sign_in(town, visit(), people.organiser_account(initiative))
    post_news(anna, initiative, photo)
    town.session.rollback()
    mail = town.session.scalars(
        select(OutgoingMail).where(OutgoingMail.event.startswith("update:")).order_by(OutgoingMail.id.desc())
    ).first()
    assert mail is not None
    giver = visit()

    giver.goto(str(mail.unsubscribe_url).removeprefix("http://localhost"))
    giver.reads("Geen nieuws meer?")
    look(giver)
    giver.press(giver.button("Stop deze berichten"))

    giver.reads("Je krijgt geen nieuws meer")
    look(giver)


def test_without_scripts_help_is_offered_and_taken_back(
    town: Town, people: People, visit: Callable[..., Visitor]
) -> None:
    initiative = collecting(town, people)
    need = people.need(town.factory.initiative(title=f"Een speelplek {next(_serials)}"), "Een aanhanger")
    offered(people, need, "Bob")
    fatima = sign_in(town, visit(has_scripts=False), town.factory.account(name="Fatima"))

    fatima.goto(f"/initiatieven/{initiative.id}")
    fatima.press(fatima.page.get_by_role("link", name="Ik help mee"))
    fatima.press(fatima.button("Ja, ik help mee"))
    fatima.reads("Mijn hulp")
    fatima.press(fatima.page.get_by_role("button", name="Trek je aanbod in"))

    expect(fatima.page.get_by_role("status")).to_contain_text("Je aanbod is ingetrokken.")


def test_the_desk_returns_an_accountability_and_every_page_of_it_is_for_everyone(
    town: Town, people: People, visit: Callable[..., Visitor]
) -> None:
    title = f"Een heel lange naam voor een bankje aan de Ossenkoppelerhoekstraat {next(_serials)}"
    initiative = town.factory.initiative(InitiativeState.IN_PROGRESS, title=title, target_cents=5_250)
    organiser = people.organiser_account(initiative)
    filled_in(town.factory, initiative, organiser)
    accountability.submit(town.session, initiative.id, **who(organiser, town.factory))
    sanne, anna = sign_in(town, visit(), manager(town)), sign_in(town, visit(), organiser)

    sanne.goto(f"/regie/verantwoording/{initiative.id}")
    sanne.page.get_by_label("Wat mist er?").fill("De bon van de koffie.")
    sanne.press(sanne.button("Stuur het terug"))
    expect(sanne.page.get_by_role("status")).to_contain_text("Teruggestuurd")
    look(sanne)
    anna.goto(f"/account/initiatieven/{initiative.id}")
    expect(anna.page.get_by_text("De bon van de koffie.")).to_be_visible()
    look(anna)
    anna.press(anna.page.get_by_role("link", name="Vul het aan"))
    anna.reads("Verantwoording")
    look(anna)
