# SPDX-License-Identifier: EUPL-1.2
"""The desk of a wijkcentrum: a code and a number, one sentence, and nothing of the person before."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from abs_platform import attempts
from abs_platform.accounts.models import Account
from abs_platform.attempts import Attempt
from abs_platform.donations.models import Donation
from abs_platform.events import Event
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.queries import check
from abs_platform.paper.counter import BUCKET, UNUSABLE_AN_HOUR
from abs_platform.replacements.models import ReplacementRequest
from abs_platform.users import Role
from abs_platform.vouchers.codes import format_payload
from abs_platform.vouchers.models import CodeAttempt
from tests.factories import SECRET_KEY, Factory
from tests.page import Browser, Page
from tests.people import People

BALIE, CHOICE, LETTER = "/balie", "/balie/keuze", "/balie/nieuwe-brief"
USED = "Deze code kan nu niet worden gebruikt. Er is niets gegeven."


@pytest.fixture
def initiative(factory: Factory) -> Initiative:
    """It collects."""
    return factory.initiative(title="Bomen op het plein", target_cents=100_000)


def give(desk: Browser, code: str, number: object, **more: str) -> Page:
    """Type a code and a number whose title was shown, and send."""
    return desk.submit(desk.get(BALIE), BALIE, code=code, number=str(number), seen=str(number), **more)


def said(page: Page) -> str:
    """The one sentence."""
    return " ".join(page.one("[data-counter-said]").to_text().split())


def gifts(session: Session) -> list[Donation]:
    return list(session.scalars(select(Donation).execution_options(populate_existing=True)))


class TestGiving:
    """One after the other, each with its own answer."""

    def test_a_code_is_given_to_the_number_by_the_channel_of_the_desk(
        self, desk: Browser, session: Session, factory: Factory, initiative: Initiative, bea: Account
    ) -> None:
        (code,) = factory.fresh_codes(1)
        session.commit()

        page = give(desk, code.lower().replace("-", " "), initiative.id)

        assert said(page) == f"Gegeven: € 7,50 aan Bomen op het plein (nummer {initiative.id})"
        (gift,) = gifts(session)
        assert (gift.channel, gift.initiative_id, gift.giver_name) == ("desk", initiative.id, None)
        event = session.scalars(select(Event).where(Event.kind == "voucher.given")).one()
        assert event.actor == f"staff:{bea.id}"
        assert check(session) == []

    def test_the_page_after_is_empty_and_the_sentence_is_said_once(
        self, desk: Browser, session: Session, factory: Factory, initiative: Initiative
    ) -> None:
        (code,) = factory.fresh_codes(1)
        session.commit()

        page = give(desk, code, initiative.id)

        assert (page.field("code"), page.field("number"), page.field("seen")) == ("", "", "")
        assert code not in page.html
        assert page.response.headers["Cache-Control"] == "no-store"
        with desk.client.session_transaction() as cookie:
            assert code not in str(dict(cookie))
        again = desk.get(BALIE)
        assert said(again) == ""
        assert "Bomen op het plein" not in again.text

    def test_a_heap_of_strips_keeps_its_choice_only_while_the_box_is_on(
        self, desk: Browser, session: Session, factory: Factory, initiative: Initiative
    ) -> None:
        codes = factory.fresh_codes(3)
        session.commit()

        page = give(desk, codes[0], initiative.id, stack="1")
        assert page.response.status_code == 200
        assert (page.field("number"), page.field("seen"), page.field("code")) == (str(initiative.id),) * 2 + ("",)
        fields = desk.fields(page, BALIE)
        assert fields["stack"] == "1"
        page = desk.submit(page, BALIE, code=codes[1])
        response = desk.client.post(BALIE, data={**desk.fields(page, BALIE), "code": codes[2], "stack": ""})

        assert response.location == BALIE
        assert len(gifts(session)) == 3

    def test_a_form_sent_twice_gives_once_and_says_the_same(
        self, desk: Browser, session: Session, factory: Factory, initiative: Initiative
    ) -> None:
        (code,) = factory.fresh_codes(1)
        session.commit()
        page = desk.get(BALIE)
        form = {"code": code, "number": str(initiative.id), "seen": str(initiative.id)}

        first, second = desk.submit(page, BALIE, **form), desk.submit(page, BALIE, **form)

        assert said(first) == said(second) != ""
        assert len(gifts(session)) == 1
        assert session.scalar(select(func.count()).select_from(Attempt)) == 0

    def test_an_old_form_does_not_give_another_code(
        self, desk: Browser, session: Session, factory: Factory, initiative: Initiative
    ) -> None:
        codes = factory.fresh_codes(2)
        session.commit()
        page = desk.get(BALIE)
        form = {"number": str(initiative.id), "seen": str(initiative.id)}
        desk.submit(page, BALIE, code=codes[0], **form)

        refused = desk.submit(page, BALIE, code=codes[1], **form)

        assert "Laad de pagina opnieuw" in said(refused)
        assert len(gifts(session)) == 1

    def test_the_gift_that_reaches_the_target_funds_it(self, desk: Browser, session: Session, factory: Factory) -> None:
        initiative = factory.initiative(target_cents=6_000)
        *before, last = factory.fresh_codes(8)
        for code in before:
            assert factory.give(code, initiative)
        session.commit()

        give(desk, last, initiative.id)

        session.expire_all()
        assert initiative.state == "funded"


class TestTheChoice:
    """A typing error in a number would go unnoticed: so it is read back first."""

    def test_a_number_is_read_back_as_title_and_place(
        self, desk: Browser, session: Session, initiative: Initiative
    ) -> None:
        session.commit()

        piece = desk.client.get(f"{CHOICE}?nummer={initiative.id}")

        assert "Bomen op het plein" in piece.text
        assert f'data-counter-found="{initiative.id}"' in piece.text
        assert piece.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("number", ["0", "99999999", "abc", "", "9" * 30])
    def test_a_number_of_nothing_is_never_found(self, desk: Browser, session: Session, number: str) -> None:
        session.commit()

        piece = desk.client.get(f"{CHOICE}?nummer={number}")

        assert piece.status_code == 200
        assert "data-counter-found" not in piece.text

    def test_without_scripts_a_page_asks_first(
        self, desk: Browser, session: Session, factory: Factory, initiative: Initiative
    ) -> None:
        (code,) = factory.fresh_codes(1)
        session.commit()

        asked = desk.submit(desk.get(BALIE), BALIE, code=code, number=f"nr {initiative.id}")
        assert "Bomen op het plein" in asked.text
        assert gifts(session) == []
        assert asked.response.headers["Cache-Control"] == "no-store"
        done = desk.submit(asked, BALIE)

        assert said(done).startswith("Gegeven:")
        assert len(gifts(session)) == 1


class TestRefusals:
    """Nothing is given, one sentence says so, and only codes that cannot be used count."""

    @pytest.mark.parametrize("code", ["", "K7QJ-4MXP-9T2", "!", "\x00"])
    def test_a_typing_error_is_told_and_not_counted(
        self, desk: Browser, session: Session, initiative: Initiative, code: str
    ) -> None:
        session.commit()

        page = give(desk, code, initiative.id)

        assert said(page)
        assert gifts(session) == []
        assert session.scalar(select(func.count()).select_from(Attempt)) == 0

    @pytest.mark.parametrize("number", ["", "x", "99999999"])
    def test_a_wrong_number_gives_nothing(self, desk: Browser, session: Session, factory: Factory, number: str) -> None:
        (code,) = factory.fresh_codes(1)
        session.commit()

        assert "Er is niets gegeven" in said(give(desk, code, number))
        assert gifts(session) == []

    def test_one_that_does_not_collect_any_more_is_named_and_does_not_count(
        self, desk: Browser, session: Session, factory: Factory
    ) -> None:
        over = factory.initiative(InitiativeState.STOPPED, title="Een oud plan")
        (code,) = factory.fresh_codes(1)
        session.commit()

        assert "haalt geen geld meer op" in said(give(desk, code, over.id))
        assert session.scalar(select(func.count()).select_from(Attempt)) == 0

    def test_used_strange_and_expired_codes_get_one_sentence_and_count_for_the_desk_alone(
        self, desk: Browser, session: Session, factory: Factory, initiative: Initiative
    ) -> None:
        used, expired = factory.fresh_codes(2)
        assert factory.give(used, initiative)
        voucher = factory.voucher(expired)
        session.execute(update(type(voucher)).where(type(voucher).id == voucher.id).values(state="expired"))
        session.commit()

        told = {said(give(desk, code, initiative.id)) for code in (used, expired, format_payload(4_242))}

        assert told == {USED}
        assert session.scalar(select(func.count()).select_from(Attempt)) == 3
        assert session.scalar(select(func.count()).select_from(CodeAttempt)) == 0
        assert "3 codes geweigerd" in desk.get(BALIE).text

    def test_after_sixty_unusable_codes_an_hour_this_person_waits_and_a_colleague_goes_on(
        self, desk: Browser, factory: Factory, initiative: Initiative, bea: Account, people: People
    ) -> None:
        session = factory.session
        first, second = factory.fresh_codes(2)
        key = attempts.digest(SECRET_KEY, f"account:{bea.id}")
        long_ago = factory.now - dt.timedelta(minutes=59)
        session.add_all(
            Attempt(bucket=BUCKET, key_digest=key, attempted_at=long_ago) for _ in range(UNUSABLE_AN_HOUR - 1)
        )
        session.commit()

        assert said(give(desk, format_payload(4_242), initiative.id)) == USED
        assert "te vaak" in said(give(desk, first, initiative.id))
        assert gifts(session) == []
        colleague = people.browser(factory.account(name="Bob", roles=(Role.DESK,)))
        assert said(give(colleague, second, initiative.id)).startswith("Gegeven:")

    def test_many_good_codes_count_for_nothing(
        self, desk: Browser, session: Session, factory: Factory, initiative: Initiative
    ) -> None:
        codes = factory.fresh_codes(12)
        session.commit()

        for code in codes:
            assert said(give(desk, code, initiative.id)).startswith("Gegeven:")

        assert "12 vouchers gegeven" in desk.get(BALIE).text


class TestANewLetter:
    """For a visitor without a letter: the same answer, a limit of its own."""

    def test_it_is_asked_for_by_the_channel_of_the_desk_and_nothing_stays(
        self, desk: Browser, session: Session, factory: Factory
    ) -> None:
        factory.fresh_codes(1)
        household = factory.households(1)[0]
        factory.fresh_codes(1)  # issues to that address too
        session.commit()
        address = {"postcode": household.postcode, "house_number": str(household.house_number)}

        answers = [
            desk.submit(desk.get(LETTER), LETTER, **typed)
            for typed in (address, address, {"postcode": "7699 ZZ", "house_number": "1"})
        ]

        assert len({said(page) for page in answers}) == 1
        assert all(page.field("postcode") == "" for page in answers)
        (made,) = session.scalars(select(ReplacementRequest))
        assert made.channel == "desk"

    def test_a_visitors_five_a_day_do_not_bind_the_desk(self, desk: Browser, session: Session) -> None:
        session.commit()
        for number in range(1, 8):
            page = desk.submit(desk.get(LETTER), LETTER, postcode="7699 ZZ", house_number=str(number))
            assert "binnen" in said(page)

    def test_no_address_comes_back_with_what_is_wrong(self, desk: Browser, session: Session) -> None:
        session.commit()

        page = desk.submit(desk.get(LETTER), LETTER, postcode="76", house_number="", status=422)

        assert page.all("#postcode-error, #house_number-error")


class TestWhoMay:
    """Staff of the desk, of a district, and who coordinates; after the second step."""

    @pytest.mark.parametrize(
        ("roles", "status"),
        [
            ((), 403),
            ((Role.FINANCE,), 403),
            ((Role.DESK,), 200),
            ((Role.COORDINATOR,), 200),
            ((Role.DISTRICT_MANAGER,), 200),
        ],
    )
    def test_only_they_open_it(self, people: People, factory: Factory, roles: tuple[Role, ...], status: int) -> None:
        browser = people.browser(factory.account(roles=roles), has_second_factor=bool(roles))

        for path in (BALIE, LETTER):
            browser.get(path, status=status)

    def test_the_desk_gives_a_second_step_first(self, people: People, bea: Account) -> None:
        page = people.browser(bea, has_second_factor=False).get(BALIE)

        assert page.path != BALIE

    def test_the_desk_has_no_other_rooms(self, desk: Browser) -> None:
        links = [link.to_text().strip() for link in desk.get("/account").all("header a")]

        assert "Balie" in links
        for path in ("/regie", "/beheer", "/financien", "/regie/bezwaren"):
            desk.get(path, status=403)
