# SPDX-License-Identifier: EUPL-1.2
"""The pages of objections: the code goes by POST and stays nowhere; the desk decides in one screen with a reason."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.initiatives.models import Organiser
from abs_platform.objections.models import Objection
from abs_platform.objections.service import reject, uphold
from abs_platform.users import Role
from abs_platform.vouchers.codes import format_payload
from tests.objections.stolen import Stolen
from tests.page import Browser, Page
from tests.people import OTHER_DESK, OWN_DESK, People

WHERE = "/voucher/waar"
EXPLAIN, SEND = f"{WHERE}/niet-ik", f"{WHERE}/bezwaar"
DESK = "/regie/bezwaren"


def look(browser: Browser, code: str, *, status: int = 200) -> Page:
    """Type a code and look."""
    return browser.submit(browser.get(WHERE), WHERE, code=code, status=status)


def objected(stolen: Stolen) -> Objection:
    """A gift that somebody objected to, for the desk."""
    stolen.give()
    stolen.object()
    return stolen.objection()


def rows(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Objection)) or 0


class TestAnybody:
    """Who holds a code, without an account."""

    def test_the_whole_way_from_looking_to_the_outcome(
        self, stolen: Stolen, session: Session, browser_client: Browser
    ) -> None:
        stolen.give()
        session.commit()

        found = look(browser_client, stolen.code.lower())
        assert "Je voucher is gegeven" in found.text
        assert stolen.initiative.title in found.text
        assert "Op de site" in found.text
        explained = browser_client.submit(found, EXPLAIN)
        assert "Niemand ziet je naam" in explained.text
        assert rows(session) == 0
        sent = browser_client.submit(explained, SEND)
        assert "We kijken ernaar" in sent.text
        assert stolen.code not in sent.html
        assert "We kijken ernaar" in look(browser_client, stolen.code).text

        stolen.decide(uphold, reason="De lijst klopt niet.")
        session.commit()
        outcome = look(browser_client, stolen.code)
        assert "Je kreeg gelijk" in outcome.text
        assert "De lijst klopt niet." in outcome.text
        assert "Je voucher is nog van jou" in outcome.text
        assert outcome.all('form[action="/voucher"] input[name="code"]')

    def test_what_was_rejected_says_why(self, stolen: Stolen, session: Session, browser_client: Browser) -> None:
        objected(stolen)
        stolen.decide(reject, reason="Een huisgenoot gaf hem.")
        session.commit()

        page = look(browser_client, stolen.code)

        assert "Een huisgenoot gaf hem." in page.text
        assert not page.all(f'form[action="{EXPLAIN}"]')

    def test_no_page_with_a_code_is_kept_and_no_cookie_holds_it(
        self, stolen: Stolen, session: Session, browser_client: Browser
    ) -> None:
        stolen.give()
        session.commit()

        page = look(browser_client, stolen.code)

        assert page.response.headers["Cache-Control"] == "no-store"
        with browser_client.client.session_transaction() as cookie:
            assert stolen.code[:4] not in str(dict(cookie))
        assert stolen.code not in browser_client.get(WHERE).html

    @pytest.mark.parametrize(
        ("typed", "told"), [("", "Vul de code"), ("K7QJ-4MXP", "klopt niet helemaal"), ("\x00", "Vul de code")]
    )
    def test_a_typing_error_comes_back_beside_the_field(self, browser_client: Browser, typed: str, told: str) -> None:
        assert told in look(browser_client, typed, status=422).one("#code-error").to_text()

    def test_a_strangers_code_gets_one_sentence_and_the_tenth_is_the_end(
        self, stolen: Stolen, session: Session, browser_client: Browser
    ) -> None:
        session.commit()
        for _ in range(10):
            assert "kennen we niet" in look(browser_client, format_payload(4_242), status=409).text

        assert "te veel verkeerde codes" in look(browser_client, stolen.code, status=429).text

    def test_objecting_without_a_gift_says_so(self, stolen: Stolen, session: Session, browser_client: Browser) -> None:
        session.commit()
        form = {"code": stolen.code, "csrf_token": browser_client.get(WHERE).field("csrf_token")}

        assert "niet gegeven" in browser_client.post(SEND, form, status=409).text
        assert "nog van jou" in browser_client.post(EXPLAIN, form).text

    def test_the_pages_around_it_lead_here(self, stolen: Stolen, session: Session, browser_client: Browser) -> None:
        gift = stolen.give()
        session.commit()

        for path in ("/voucher", f"/giften/{gift.reference}"):
            assert browser_client.get(path).all(f'a[href="{WHERE}"]'), path


class TestTheDesk:
    """The wijkregisseur of the initiative."""

    def test_it_waits_in_the_queue_and_on_its_own_page_and_is_decided_there(
        self, stolen: Stolen, people: People
    ) -> None:
        objection = objected(stolen)
        sanne = people.manager(OWN_DESK)

        assert sanne.get("/regie").all(f'a[href="{DESK}"].desk-row__link')
        waiting = sanne.get(DESK)
        assert stolen.initiative.title in waiting.text
        page = sanne.get(f"{DESK}/{objection.id}")
        assert stolen.code not in page.html
        done = sanne.submit(page, f"{DESK}/{objection.id}", decision="upheld", reason="Vier bij een lijst.")

        assert "terug bij de bewoner" in done.text
        settled = stolen.objection()
        assert (settled.state, settled.reason) == ("upheld", "Vier bij een lijst.")
        assert settled.decided_by_id is not None
        assert stolen.gift().state == "returned"
        assert not sanne.get("/regie").all(f'a[href="{DESK}"].desk-row__link')

    @pytest.mark.parametrize(
        ("form", "told"),
        [
            ({"decision": "upheld", "reason": " "}, "Schrijf op waarom"),
            ({"decision": "upheld", "reason": "x" * 501}, "korter"),
            ({"decision": "maybe", "reason": "Zo."}, "Kies wat je beslist"),
        ],
    )
    def test_without_a_reason_or_a_choice_it_comes_back_filled_in(
        self, stolen: Stolen, people: People, form: dict[str, str], told: str
    ) -> None:
        path = f"{DESK}/{objected(stolen).id}"
        sanne = people.manager(OWN_DESK)

        page = sanne.submit(sanne.get(path), path, status=422, **form)

        assert told in page.text
        assert page.one("#reason").to_text().strip() == form["reason"].strip()
        assert stolen.objection().state == "open"

    def test_after_a_colleague_decided_it_says_so(self, stolen: Stolen, session: Session, people: People) -> None:
        path = f"{DESK}/{objected(stolen).id}"
        sanne = people.manager(OWN_DESK)
        page = sanne.get(path)
        stolen.decide(reject, reason="Zo.")
        session.commit()

        again = sanne.submit(page, path, status=409, decision="upheld", reason="Toch.")

        assert "al beslist" in again.text
        assert stolen.gift().state == "confirmed"

    def test_others_look_at_most(self, stolen: Stolen, people: People) -> None:
        path = f"{DESK}/{objected(stolen).id}"
        elsewhere, coordinator = people.manager(OTHER_DESK, name="Els"), people.coordinator()

        for browser in (elsewhere, coordinator):
            assert not browser.get(path).all('button[name="decision"]')
            token = browser.get("/account").field("csrf_token")
            browser.post(path, {"decision": "upheld", "reason": "X", "csrf_token": token}, status=403)
        assert stolen.initiative.title not in elsewhere.get(DESK).text
        assert stolen.initiative.title in coordinator.get(DESK).text
        assert stolen.objection().state == "open"

    def test_a_wijkregisseur_who_organises_it_does_not_even_look(
        self, stolen: Stolen, session: Session, people: People
    ) -> None:
        path = f"{DESK}/{objected(stolen).id}"
        email = session.scalars(
            select(Organiser.email).where(Organiser.initiative_id == stolen.initiative.id).order_by(Organiser.id)
        ).first()
        roles = (Role.DISTRICT_MANAGER,)

        people.browser(people.factory.account(email, name="Cem", roles=roles, desks=(OWN_DESK,))).get(path, status=403)
