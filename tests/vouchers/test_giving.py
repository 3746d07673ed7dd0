# SPDX-License-Identifier: EUPL-1.2
"""Giving a voucher through the pages: choose, confirm, receipt, and whatever can go wrong on the way."""

from __future__ import annotations

import datetime as dt
import logging
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.donations.models import Donation
from abs_platform.donations.service import return_to_plan_b
from abs_platform.events import Event
from abs_platform.initiatives import service
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.queries import check
from abs_platform.vouchers.models import CodeAttempt
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser, Page

PUBLIC_BUT_CLOSED = [
    InitiativeState.FUNDED, InitiativeState.IN_PROGRESS, InitiativeState.REALISED, InitiativeState.EXPIRED,
    InitiativeState.STOPPED, InitiativeState.WITHDRAWN,
]  # fmt: skip
NEVER_PUBLIC = [
    InitiativeState.DRAFT, InitiativeState.SUBMITTED, InitiativeState.CHANGES_REQUESTED, InitiativeState.REJECTED,
]  # fmt: skip


def plain(page: Page) -> str:
    return page.text.replace("\u00a0", " ")


def gifts(session: Session) -> list[Donation]:
    query = select(Donation).order_by(Donation.id).execution_options(populate_existing=True)
    return list(session.scalars(query))


def state_of(session: Session, initiative: Initiative) -> str | None:
    session.expire_all()
    return session.scalar(select(Initiative.state).where(Initiative.id == initiative.id))


def attempts(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(CodeAttempt)) or 0


def confirm_page(browser: Browser, code: str, initiative: Initiative) -> Page:
    return browser.post("/voucher", {"code": code, "initiative_id": str(initiative.id)})


def chosen(page: Page) -> list[str]:
    """The initiatives whose radio button is on."""
    return [radio.attrs["value"] for radio in page.all('input[name="initiative_id"]') if "checked" in radio.attrs]


def summary(page: Page) -> set[str]:
    """The fields that the error summary links to; each of them must be there, and say what is wrong with it."""
    links = [link.attrs["href"] for link in page.all(".abs-error-summary__link")]
    assert page.one("title").to_text().strip().startswith("Fout:")
    assert page.all(".abs-error-summary"), "no error summary"
    for link in links:
        assert page.all(f'[id="{link[1:]}"]'), f"the summary links to {link}, which is not there"
        assert page.all(f'[id="{link[1:]}-error"]'), f"no error stands at {link}"
    return {link[1:] for link in links}


class TestTheJourney:
    """From a code and an initiative to a receipt."""

    def test_a_code_and_an_initiative_give_a_receipt_with_the_new_total(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()

        choose = browser_client.get("/voucher")
        confirm = browser_client.submit(choose, "/voucher", code=code, initiative_id=str(initiative.id))
        receipt = browser_client.submit(confirm, "/voucher/geven")

        assert code in confirm.text
        assert "€ 7,50" in plain(confirm)
        assert receipt.path.startswith("/giften/")
        assert "€ 7,50" in plain(receipt)
        assert initiative.title in receipt.text
        (gift,) = gifts(session)
        assert gift.reference in receipt.text
        assert factory.voucher(code).state == "given"
        assert check(session) == []

    def test_nothing_is_given_before_the_last_button(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()

        confirm_page(browser_client, code, initiative)

        assert factory.voucher(code).state == "issued"
        assert gifts(session) == []

    def test_the_box_of_an_initiative_leads_straight_to_the_confirm_page(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()

        page = browser_client.get(f"/initiatieven/{initiative.id}")
        confirm = browser_client.submit(page, "/voucher", code=code.lower().replace("-", " "))
        browser_client.submit(confirm, "/voucher/geven")

        assert factory.voucher(code).state == "given"

    def test_the_box_of_the_home_page_keeps_the_code_and_asks_for_an_initiative(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()

        choose = browser_client.submit(browser_client.get("/"), "/voucher", code=code.replace("-", ""))
        confirm = browser_client.submit(choose, "/voucher", initiative_id=str(initiative.id))

        assert choose.field("code") == code
        assert not choose.all(".abs-error-summary")
        assert code in confirm.text
        assert attempts(session) == 0

    def test_the_way_back_keeps_code_and_choice(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        first, second = factory.initiative(), factory.initiative()
        session.commit()

        choose = browser_client.submit(confirm_page(browser_client, code, first), "/voucher")
        confirm = browser_client.submit(choose, "/voucher", initiative_id=str(second.id))
        browser_client.submit(confirm, "/voucher/geven")

        assert (choose.field("code"), chosen(choose)) == (code, [str(first.id)])
        assert [gift.initiative_id for gift in gifts(session)] == [second.id]

    def test_a_link_preselects_what_collects_and_nothing_else(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        initiative, closed = factory.initiative(), factory.initiative(InitiativeState.STOPPED)
        session.commit()

        assert chosen(browser_client.get(f"/voucher?initiatief={initiative.id}")) == [str(initiative.id)]
        for nothing in (closed.id, 999_999, 0, -1, 10**30, "", "abc", "1%00", "²"):
            assert chosen(browser_client.get(f"/voucher?initiatief={nothing}")) == []

    def test_the_qr_of_the_letter_leads_to_the_same_page(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        initiative = factory.initiative()
        session.commit()

        landing = browser_client.get("/v")

        # Each names its own address in its head and in the choice of language.
        assert landing.html.partition("<main")[2] == browser_client.get("/voucher").html.partition("<main")[2]
        assert initiative.title in landing.text

    @pytest.mark.parametrize(
        "path", ["/", "/v", "/voucher", "/initiatieven", "/hoe-werkt-het", "/initiatieven/{id}-bomen"]
    )
    def test_no_page_before_the_confirm_page_sets_a_cookie(
        self, session: Session, factory: Factory, browser_client: Browser, path: str
    ) -> None:
        initiative = factory.initiative()
        session.commit()

        page = browser_client.get(path.format(id=initiative.id))

        assert "Set-Cookie" not in page.response.headers

    def test_a_receipt_that_is_not_there_is_told(self, browser_client: Browser) -> None:
        page = browser_client.get("/giften/NIETBESTAAND", status=404)

        assert "Dit bewijs bestaat niet" in page.text


class TestOnce:
    """However often a form is sent, a voucher is one gift."""

    def test_the_same_form_twice_gives_one_gift_and_one_receipt(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()
        confirm = confirm_page(browser_client, code, initiative)

        first = browser_client.submit(confirm, "/voucher/geven")
        second = browser_client.submit(confirm, "/voucher/geven")

        assert first.path == second.path
        assert len(gifts(session)) == 1
        assert attempts(session) == 0
        assert check(session) == []

    def test_a_second_tab_gives_nothing_more(self, session: Session, factory: Factory, browser_client: Browser) -> None:
        (code,) = factory.codes()
        first, second = factory.initiative(), factory.initiative()
        session.commit()
        tabs = [confirm_page(browser_client, code, initiative) for initiative in (first, second)]

        browser_client.submit(tabs[0], "/voucher/geven")
        refused = browser_client.submit(tabs[1], "/voucher/geven", status=409)

        assert summary(refused) == {"code"}
        assert "Deze code kun je nu niet gebruiken" in refused.text
        assert [gift.initiative_id for gift in gifts(session)] == [first.id]

    def test_the_same_form_gives_nothing_once_its_voucher_came_back(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative, plan_b = factory.initiative(), factory.initiative()
        session.commit()
        confirm = confirm_page(browser_client, code, initiative)
        first = browser_client.submit(confirm, "/voucher/geven", plan_b_id=str(plan_b.id))
        for ended in (plan_b, initiative):
            service.stop(session, ended.id, reason="Kan niet.", actor=TEST_ACTOR, now=factory.now)
        (gift,) = gifts(session)
        return_to_plan_b(session, gift.id, actor=TEST_ACTOR, now=factory.now, reason="stopped")
        session.commit()

        again = browser_client.submit(confirm, "/voucher/geven", status=409, plan_b_id=str(plan_b.id))
        receipt = browser_client.get(first.path)

        assert "Begin opnieuw met je code" in again.text
        assert "Je kunt je voucher met dezelfde code opnieuw geven" in receipt.text
        assert [gift.state for gift in gifts(session)] == ["returned"]
        assert factory.voucher(code).state == "issued"

    def test_a_form_sent_again_with_another_code_is_refused(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        one, other = factory.codes(2)
        initiative = factory.initiative()
        session.commit()
        confirm = confirm_page(browser_client, one, initiative)
        browser_client.submit(confirm, "/voucher/geven")

        page = browser_client.submit(confirm, "/voucher/geven", status=409, code=other)

        assert "Laad de pagina opnieuw" in page.text
        assert factory.voucher(other).state == "issued"
        assert len(gifts(session)) == 1


class TestTheEnd:
    """The initiative that closes while its givers are at it."""

    def test_a_form_sent_after_the_initiative_closed_keeps_the_code(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative, other = factory.initiative(), factory.initiative()
        session.commit()
        confirm = confirm_page(browser_client, code, initiative)
        service.stop(session, initiative.id, reason="Kan niet.", actor=TEST_ACTOR, now=factory.now)
        session.commit()

        page = browser_client.submit(confirm, "/voucher/geven", status=409)
        again = browser_client.submit(page, "/voucher", initiative_id=str(other.id))
        browser_client.submit(again, "/voucher/geven")

        assert "Je voucher is nog van jou" in page.text
        assert summary(page) == {"initiative_id"}
        assert page.field("code") == code
        assert [gift.initiative_id for gift in gifts(session)] == [other.id]
        assert attempts(session) == 0

    def test_the_gift_that_reaches_the_target_funds_before_the_receipt(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        *others, last = factory.codes(8)
        initiative = factory.initiative(target_cents=6_000)
        for code in others:
            factory.give(code, initiative)
        session.commit()

        response = browser_client.send(confirm_page(browser_client, last, initiative), "/voucher/geven")

        assert state_of(session, initiative) == "funded"
        event = session.scalars(select(Event).where(Event.kind == "initiative.funded")).one()
        assert (event.subject_id, event.actor) == (initiative.id, "giver")
        receipt = browser_client.get(urlsplit(response.location).path)
        assert "Het bedrag is rond" in receipt.text
        assert check(session, jobs_have_run=True) == []

    def test_the_gift_that_goes_over_the_target_counts_in_full(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        *others, last = factory.codes(7)
        initiative = factory.initiative(target_cents=5_000)  # 6 x 7,50 = 45,00
        for code in others:
            factory.give(code, initiative)
        session.commit()

        receipt = browser_client.submit(confirm_page(browser_client, last, initiative), "/voucher/geven")

        assert "€ 52,50" in plain(receipt)
        assert gifts(session)[-1].amount_cents == 750
        assert state_of(session, initiative) == "funded"

    def test_the_same_form_after_its_gift_funded_the_initiative_shows_the_receipt(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        *others, last = factory.codes(8)
        initiative = factory.initiative(target_cents=6_000)
        for code in others:
            factory.give(code, initiative)
        session.commit()
        confirm = confirm_page(browser_client, last, initiative)
        first = browser_client.submit(confirm, "/voucher/geven")

        again = browser_client.submit(confirm, "/voucher/geven")

        assert again.path == first.path
        assert len(gifts(session)) == 8

    @pytest.mark.parametrize("state", [*PUBLIC_BUT_CLOSED, *NEVER_PUBLIC, None])
    def test_what_does_not_collect_cannot_be_given_to(
        self, session: Session, factory: Factory, browser_client: Browser, state: InitiativeState | None
    ) -> None:
        open_one = factory.initiative()
        closed_id = 999_999 if state is None else factory.initiative(state, target_cents=5_000).id
        (code,) = factory.fresh_codes(1)
        session.commit()
        before = len(gifts(session))

        chosen_page = browser_client.post("/voucher", {"code": code, "initiative_id": str(closed_id)}, status=422)
        confirm = confirm_page(browser_client, code, open_one)
        forced = browser_client.submit(confirm, "/voucher/geven", status=409, initiative_id=str(closed_id))

        assert "haalt geen geld meer op" in chosen_page.text
        assert summary(chosen_page) == summary(forced) == {"initiative_id"}
        assert chosen_page.field("code") == forced.field("code") == code
        assert (factory.voucher(code).state, len(gifts(session)), attempts(session)) == ("issued", before, 0)

    def test_the_last_day_counts_and_the_day_after_does_not(
        self, session: Session, factory: Factory, browser_client: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, other = factory.codes(2)
        initiative = factory.initiative(days_left=3)
        session.commit()
        midnight = clock.end_of_day(initiative.deadline_on)
        minute = dt.timedelta(minutes=1)

        monkeypatch.setattr(clock, "now", lambda: midnight - minute)
        confirms = [confirm_page(browser_client, code, initiative) for code in (one, other)]
        browser_client.submit(confirms[0], "/voucher/geven")
        monkeypatch.setattr(clock, "now", lambda: midnight)
        browser_client.submit(confirms[1], "/voucher/geven", status=409)

        assert (factory.voucher(one).state, factory.voucher(other).state) == ("given", "issued")


class TestTheFields:
    """What a giver may add, and what comes back filled in."""

    def test_name_message_and_plan_b_stand_on_the_receipt_and_on_the_page(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative, plan_b = factory.initiative(), factory.initiative(title="Een bank in het park")
        session.commit()

        receipt = browser_client.submit(
            confirm_page(browser_client, code, initiative),
            "/voucher/geven",
            giver_name=" Riet  ",
            message="Succes!\r\nVan ons allemaal",
            plan_b_id=str(plan_b.id),
        )
        page = browser_client.get(f"/initiatieven/{initiative.id}")

        (gift,) = gifts(session)
        assert (gift.giver_name, gift.plan_b_initiative_id) == ("Riet", plan_b.id)
        assert (gift.channel, gift.giver_email) == ("online", None)
        for shown in ("Riet", "Succes! Van ons allemaal", "Een bank in het park"):
            assert shown in receipt.text
        assert "Riet" in page.text
        assert "Een bank in het park" not in page.text

    def test_without_a_name_a_gift_is_anonymous(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()

        receipt = browser_client.submit(
            confirm_page(browser_client, code, initiative), "/voucher/geven", giver_name="  ", message=""
        )

        (gift,) = gifts(session)
        assert (gift.giver_name, gift.message, gift.giver_email) == (None, None, None)
        assert "Anoniem" in receipt.text
        assert "Anoniem" in browser_client.get(f"/initiatieven/{initiative.id}").text

    @pytest.mark.parametrize(("wants_news", "kept"), [("1", "riet@voorbeeld.example"), ("", None)])
    def test_an_address_is_kept_for_news_only_and_never_shown(
        self, session: Session, factory: Factory, browser_client: Browser, wants_news: str, kept: str | None
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()

        receipt = browser_client.submit(
            confirm_page(browser_client, code, initiative),
            "/voucher/geven",
            giver_email="riet@voorbeeld.example",
            wants_news=wants_news,
        )

        assert gifts(session)[0].giver_email == kept
        assert "riet@" not in receipt.html
        assert "riet@" not in browser_client.get(f"/initiatieven/{initiative.id}").html

    @pytest.mark.parametrize(
        ("sent", "wrong"),
        [
            pytest.param({"giver_name": "R" * 81}, {"giver_name"}, id="name too long"),
            pytest.param({"message": "m" * 501}, {"message"}, id="message too long"),
            pytest.param({"giver_email": "riet", "wants_news": "1"}, {"giver_email"}, id="no address"),
            pytest.param({"giver_email": "riet@" + "v" * 260 + ".nl"}, {"giver_email"}, id="address too long"),
            pytest.param({"wants_news": "1"}, {"giver_email"}, id="news to nowhere"),
            pytest.param({"plan_b_id": "abc"}, {"plan_b_id"}, id="plan B is no number"),
            pytest.param({"plan_b_id": "-1"}, {"plan_b_id"}, id="plan B below zero"),
            pytest.param({"plan_b_id": "9" * 30}, {"plan_b_id"}, id="plan B too large"),
            pytest.param({"plan_b_id": "9" * 6}, {"plan_b_id"}, id="plan B not there"),
            pytest.param({"giver_name": "R" * 81, "giver_email": "@"}, {"giver_name", "giver_email"}, id="two at once"),
            pytest.param({"idempotency_key": "abc"}, set(), id="a key that is none"),
        ],
    )
    def test_what_is_wrong_comes_back_filled_in_with_a_summary(
        self, session: Session, factory: Factory, browser_client: Browser, sent: dict[str, str], wrong: set[str]
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        factory.initiative()  # so that there is something to name as plan B
        session.commit()
        typed = {"giver_name": "Riet", "message": "Hup"} | sent
        confirm = confirm_page(browser_client, code, initiative)

        page = browser_client.submit(confirm, "/voucher/geven", status=422, **typed)

        assert summary(page) == wrong
        fields = browser_client.fields(page, "/voucher/geven")
        assert (fields["code"], fields["initiative_id"]) == (code, str(initiative.id))
        for name in ("giver_name", "giver_email", "message"):
            assert fields[name] == typed.get(name, "")
        assert gifts(session) == []
        mended = {"giver_name": "", "message": "", "giver_email": "", "wants_news": "", "plan_b_id": ""}
        browser_client.submit(page, "/voucher/geven", **mended)  # type: ignore[arg-type]
        assert len(gifts(session)) == 1

    @pytest.mark.parametrize("which", ["itself", "closed", "draft"])
    def test_a_plan_b_that_takes_no_gifts_is_refused_at_its_field(
        self, session: Session, factory: Factory, browser_client: Browser, which: str
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        factory.initiative()
        closed, draft = factory.initiative(InitiativeState.STOPPED), factory.initiative(InitiativeState.DRAFT)
        plan_b_id = {"itself": initiative.id, "closed": closed.id, "draft": draft.id}[which]
        session.commit()

        page = browser_client.submit(
            confirm_page(browser_client, code, initiative), "/voucher/geven", status=422, plan_b_id=str(plan_b_id)
        )

        assert summary(page) == {"plan_b_id"}
        assert "Kies een andere tweede keus" in page.text
        assert gifts(session) == []

    def test_an_initiative_is_not_offered_as_its_own_plan_b(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative, other = factory.initiative(), factory.initiative()
        session.commit()

        confirm = confirm_page(browser_client, code, initiative)

        offered = [option.attrs["value"] for option in confirm.all('select[name="plan_b_id"] option')]
        assert offered == ["", str(other.id)]

    def test_what_a_giver_writes_is_text_and_never_html(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        one, other = factory.codes(2)
        initiative = factory.initiative()
        session.commit()
        attack = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"
        confirm = confirm_page(browser_client, one, initiative)

        again = browser_client.submit(confirm, "/voucher/geven", status=422, giver_name=attack * 2, message=attack)
        receipt = browser_client.submit(again, "/voucher/geven", giver_name=attack, message=attack)
        page = browser_client.get(f"/initiatieven/{initiative.id}")
        echoed = browser_client.post("/voucher", {"code": attack, "initiative_id": attack}, status=422)

        assert gifts(session)[0].giver_name == gifts(session)[0].message == attack
        for shown in (again, receipt, page, echoed):
            assert "<script>alert" not in shown.html
            assert "<img src=x" not in shown.html
        assert receipt.text.count("<script>alert(1)</script>") == 2
        assert factory.voucher(other).state == "issued"

    @pytest.mark.parametrize(
        ("typed", "stored"),
        [
            pytest.param("R\x00iet\x07", "Riet", id="NUL and bell"),
            pytest.param("\u202eteiR", "teiR", id="right to left"),
            pytest.param("Jan\u00a0Jansen", "Jan Jansen", id="no-break space"),
            pytest.param("Riet \U0001f469\u200d\U0001f33e", "Riet \U0001f469\u200d\U0001f33e", id="a joined emoji"),
            pytest.param("Ščerbakova-Ÿ", "Ščerbakova-Ÿ", id="letters of others"),
            pytest.param("\x00", None, id="nothing but NUL"),
        ],
    )
    def test_odd_characters_harm_nothing(
        self, session: Session, factory: Factory, browser_client: Browser, typed: str, stored: str | None
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()

        confirm = confirm_page(browser_client, code, initiative)
        browser_client.submit(confirm, "/voucher/geven", giver_name=typed, message=typed)

        (gift,) = gifts(session)
        assert (gift.giver_name, gift.message) == (stored, stored)
        browser_client.get(f"/initiatieven/{initiative.id}")

    @pytest.mark.parametrize(
        "code",
        ["", " ", "\x00", "A\x00B", "\U0001f600" * 12, "A" * 10_000, "١٢٣٤٥٦٧٨٩٠١٢", "'; --", "%00", "\u202e123"],
    )
    def test_what_is_no_code_gets_a_page_that_helps(
        self, session: Session, factory: Factory, browser_client: Browser, code: str
    ) -> None:
        initiative = factory.initiative()
        session.commit()
        sent = {"code": code, "initiative_id": str(initiative.id)}

        page = browser_client.post("/voucher", sent, status=422)

        assert summary(page) == {"code"}
        assert chosen(page) == [str(initiative.id)]
        assert len(page.html) < 100_000
        assert attempts(session) == 0

    def test_without_code_and_choice_both_are_asked_for(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        factory.initiative()
        session.commit()

        page = browser_client.post("/voucher", {}, status=422)

        assert summary(page) == {"code", "initiative_id"}

    def test_a_form_that_is_too_large_is_refused(self, browser_client: Browser) -> None:
        page = browser_client.post("/voucher", {"code": "A" * 1_100_000}, status=413)

        assert "te groot" in page.text


class TestTheGuards:
    """Who may send a form here, and where a code may stand."""

    @pytest.mark.parametrize("token", [None, "", "abc", "of another session"])
    def test_giving_needs_the_token_of_the_page(
        self, app: Flask, session: Session, factory: Factory, browser_client: Browser, token: str | None
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()
        fields = browser_client.fields(confirm_page(browser_client, code, initiative), "/voucher/geven")
        other = confirm_page(Browser(app), code, initiative).field("csrf_token")
        del fields["csrf_token"]
        if token is not None:
            fields["csrf_token"] = other if token == "of another session" else token

        browser_client.post("/voucher/geven", fields, status=400)

        assert factory.voucher(code).state == "issued"
        assert gifts(session) == []

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 200),
            ({"Sec-Fetch-Site": "same-origin"}, 200),
            ({"Sec-Fetch-Site": "none"}, 200),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
            ({"Origin": "http://localhost"}, 200),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "https://localhost.evil.example"}, 403),
            ({"Origin": "null"}, 403),
        ],
    )
    def test_another_site_cannot_send_codes_here(
        self, session: Session, factory: Factory, browser_client: Browser, headers: dict[str, str], status: int
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()
        sent = {"code": code, "initiative_id": str(initiative.id)}

        page = browser_client.post("/voucher", sent, status=status, headers=headers)

        assert (code in page.html) is (status == 200)
        assert ("kwam van een andere site" in page.text) is (status == 403)

    def test_another_site_cannot_use_up_the_attempts_of_a_client(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        initiative = factory.initiative()
        session.commit()
        wrong = {"code": factory.keys.code(b"sixteen bytes..."), "initiative_id": str(initiative.id)}

        browser_client.post("/voucher", wrong, status=403, headers={"Sec-Fetch-Site": "cross-site"})

        assert attempts(session) == 0

    def test_another_site_cannot_press_the_last_button(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()
        fields = browser_client.fields(confirm_page(browser_client, code, initiative), "/voucher/geven")

        browser_client.post("/voucher/geven", fields, status=403, headers={"Sec-Fetch-Site": "cross-site"})

        assert factory.voucher(code).state == "issued"

    def test_wrong_codes_on_the_last_button_count_too(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()
        confirm = confirm_page(browser_client, code, initiative)

        for number in range(10):
            wrong = factory.keys.code(number.to_bytes(16))
            browser_client.submit(confirm, "/voucher/geven", status=409, code=wrong, idempotency_key="")
        page = browser_client.submit(confirm, "/voucher/geven", status=429)

        assert "Probeer het opnieuw na" in page.text
        assert int(page.response.headers["Retry-After"]) > 3_500
        assert factory.voucher(code).state == "issued"

    def test_the_code_is_in_no_address_no_log_and_no_cookie(
        self, session: Session, factory: Factory, browser_client: Browser, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        (code,) = factory.codes()
        initiative, other = factory.initiative(), factory.initiative()
        wrong = factory.keys.code(b"sixteen bytes...")
        session.commit()
        sent = {"initiative_id": str(initiative.id)}

        typo = browser_client.post("/voucher", sent | {"code": code[:-2]}, status=422)
        unknown = browser_client.post("/voucher", sent | {"code": wrong}, status=409)
        kept = browser_client.post("/voucher", {"code": code, "step": "choose"})
        confirm = browser_client.submit(kept, "/voucher", initiative_id=str(initiative.id))
        invalid = browser_client.submit(confirm, "/voucher/geven", status=422, giver_name="R" * 99)
        response = browser_client.send(invalid, "/voucher/geven", giver_name="Riet")
        receipt = browser_client.get(urlsplit(response.location).path)
        again = browser_client.post("/voucher", {"code": code, "initiative_id": str(other.id)}, status=409)

        pages = [typo, unknown, kept, confirm, invalid, receipt, again]
        secrets = {form for whole in (code, wrong) for form in (whole, whole.replace("-", ""), whole.lower())}
        logged = "\n".join(f"{record.getMessage()} {record.args} {record.__dict__}" for record in caplog.records)
        assert "wrong voucher code" in logged  # it does listen
        addresses = [response.location, *(page.path for page in pages)]
        for page in pages:
            addresses += [str(value) for name in ("href", "action", "src") for value in attributes(page, name)]
        for secret in secrets:
            assert secret not in logged
            assert not [address for address in addresses if secret in address]
            assert secret not in receipt.html
        with browser_client.client.session_transaction() as cookie:
            assert set(cookie) == {"csrf_token"}

    def test_no_cache_may_keep_a_page_that_holds_a_code(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        session.commit()
        sent = {"code": code, "initiative_id": str(initiative.id)}
        confirm = browser_client.post("/voucher", sent)

        pages = [
            confirm,
            browser_client.post("/voucher", {"code": code, "step": "choose"}),
            browser_client.post("/voucher", {"code": code}, status=422),
            browser_client.post("/voucher", {"code": code[:-1]}, status=422),
            browser_client.submit(confirm, "/voucher/geven", status=422, giver_name="R" * 99),
            browser_client.submit(confirm, "/voucher/geven"),
            browser_client.post("/voucher", sent, status=409),
        ]

        assert [page.response.headers.get("Cache-Control") for page in pages] == ["no-store"] * len(pages)

    def test_the_error_of_a_stranger_names_no_reason(
        self, session: Session, factory: Factory, browser_client: Browser
    ) -> None:
        (code,) = factory.codes()
        initiative = factory.initiative()
        factory.give(code, initiative)
        session.commit()

        page = browser_client.post("/voucher", {"code": code, "initiative_id": str(initiative.id)}, status=409)

        reasons = session.scalars(text("SELECT reason FROM code_attempts")).all()
        assert reasons == ["given"]
        assert "gegeven" not in page.one(".abs-error-summary").to_text()


def attributes(page: Page, name: str) -> list[str]:
    """The values of an attribute wherever it stands on a page."""
    return [element.attrs[name] for element in page.all(f"[{name}]")]
