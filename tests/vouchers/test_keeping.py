# SPDX-License-Identifier: EUPL-1.2
"""Keeping a voucher in an account: a year longer, seen by its keeper alone, given with or without its code (rule 3)."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.accounts.leaving import delete_account
from abs_platform.accounts.models import Account
from abs_platform.database import db
from abs_platform.donations.service import GiftDetails
from abs_platform.errors import Conflict, NotFound
from abs_platform.events import Event
from abs_platform.ledger.queries import check
from abs_platform.outbox import OutgoingMail
from abs_platform.rounds.models import Round
from abs_platform.vouchers.codes import read_code
from abs_platform.vouchers.keeping import FORGOTTEN_AFTER, forget_kept, give_kept, keep
from abs_platform.vouchers.models import CodeAttempt, KeptVoucher
from abs_platform.vouchers.queries import own_vouchers
from abs_platform.vouchers.redeeming import Answer, Client
from abs_platform.vouchers.service import expire_round, revoke_voucher
from jobs import send_reminders
from tests.concurrency.racing import at_once, committed
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser, Page

DAY = dt.timedelta(days=1)
PATH = "/account/vouchers"
THE_SENTENCE = "Deze code kun je nu niet gebruiken."
A_CLIENT = Client(b"a" * 16, b"b" * 16)


def keep_code(factory: Factory, code: str, account: Account) -> Answer[dt.datetime]:
    return keep(
        factory.session,
        read_code(code),
        account.id,
        A_CLIENT,
        keys=factory.keys,
        rules=factory.rules,
        now=factory.now,
    )


def kept(factory: Factory, account: Account, **round_options: dt.timedelta) -> str:
    """A code whose voucher this account keeps."""
    (code,) = factory.codes(**round_options)
    keep_code(factory, code, account).or_raise()
    factory.session.commit()
    return code


def send(browser: Browser, code: str, status: int = 200) -> Page:
    return browser.submit(browser.get(PATH), f"{PATH}/bewaren", status=status, code=code)


@pytest.fixture
def riet(factory: Factory) -> Account:
    """Somebody with an account."""
    return factory.account("riet@voorbeeld.example", name="Riet")


@pytest.fixture
def browser(factory: Factory, riet: Account, browser_client: Browser) -> Browser:
    """The browser of Riet, signed in."""
    token = factory.session_of(riet)
    factory.session.commit()
    return browser_client.sign_in(token)


class TestKeeping:
    """What the page of one's vouchers does with a code."""

    def test_a_kept_voucher_is_usable_for_another_year_after_the_closing(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        (code,) = factory.codes()
        session.commit()

        page = send(browser, code)

        voucher = factory.voucher(code)
        round_ = session.get_one(Round, voucher.round_id)
        assert voucher.state == "kept"
        assert voucher.usable_until == round_.closes_at + 365 * DAY
        assert session.scalars(select(KeptVoucher.account_id)).all() == [riet.id]
        assert "Je voucher is bewaard." in page.text
        assert page.all(f'a[href="{PATH}/{voucher.id}/geven"]')
        assert code not in page.html
        assert check(session) == []

    def test_keeping_it_twice_is_keeping_it(self, session: Session, factory: Factory, browser: Browser) -> None:
        (code,) = factory.codes()
        session.commit()

        send(browser, code)
        page = send(browser, code)

        assert "Je voucher is bewaard." in page.text
        assert len(session.scalars(select(KeptVoucher)).all()) == 1
        assert session.scalars(select(CodeAttempt)).all() == []

    def test_the_round_is_closed_without_it_and_it_expires_on_its_own_day(
        self, session: Session, factory: Factory, riet: Account
    ) -> None:
        code = kept(factory, riet)
        voucher = factory.voucher(code)
        end = voucher.usable_until
        assert end is not None

        expire_round(session, voucher.round_id, actor=TEST_ACTOR, now=end - dt.timedelta(seconds=1))
        assert factory.voucher(code).state == "kept"
        expire_round(session, voucher.round_id, actor=TEST_ACTOR, now=end)

        assert factory.voucher(code).state == "expired"
        assert check(session) == []

    def test_no_event_says_who_kept_it(self, session: Session, factory: Factory, riet: Account) -> None:
        kept(factory, riet)

        event = session.scalars(select(Event).where(Event.kind == "voucher.kept")).one()

        assert event.actor == "giver"
        assert event.details is None

    @pytest.mark.parametrize("state", ["unknown", "given", "revoked", "kept by another", "not yet open"])
    def test_what_cannot_be_kept_is_a_wrong_code_with_the_one_answer(
        self, session: Session, factory: Factory, riet: Account, browser: Browser, state: str
    ) -> None:
        if state == "unknown":
            code = factory.keys.code(b"n" * 16)
        elif state == "not yet open":
            (code,) = factory.codes(opens=2 * DAY)
        else:
            (code,) = factory.codes()
        if state == "given":
            factory.give(code, factory.initiative())
        if state == "revoked":
            revoke_voucher(session, factory.voucher(code).id, reason="kwijt", actor=TEST_ACTOR, now=factory.now)
        if state == "kept by another":
            keep_code(factory, code, factory.account("joke@voorbeeld.example")).or_raise()
        session.commit()

        page = send(browser, code, 409)

        assert THE_SENTENCE in page.text
        assert session.scalars(select(CodeAttempt.reason)).all() == [
            {"not yet open": "not yet open", "kept by another": "kept by another"}.get(state, state)
        ]
        assert own_vouchers(session, riet.id) == []

    def test_a_typing_error_is_told_and_not_counted(self, session: Session, browser: Browser) -> None:
        page = send(browser, "K7QJ-4MXP-9T2X", 422)

        assert "Deze code klopt niet helemaal." in page.text
        assert page.field("code") == "K7QJ-4MXP-9T2X"
        assert session.scalars(select(CodeAttempt)).all() == []

    def test_what_came_back_after_the_closing_can_be_given_and_not_be_kept(
        self, session: Session, factory: Factory, riet: Account
    ) -> None:
        (code,) = factory.codes(opens=-40 * DAY, closes=-1 * DAY)
        factory.voucher(code).usable_until = factory.now + 50 * DAY
        session.flush()

        with pytest.raises(Conflict, match="bewaren kan niet meer"):
            keep_code(factory, code, riet)

        assert factory.voucher(code).state == "issued"

    def test_an_account_keeps_no_more_than_the_rules_say(
        self, session: Session, factory: Factory, riet: Account
    ) -> None:
        codes = factory.codes(factory.rules.max_kept_vouchers + 1)
        for code in codes[:-1]:
            keep_code(factory, code, riet).or_raise()

        with pytest.raises(Conflict, match="Je bewaart al 10 vouchers"):
            keep_code(factory, codes[-1], riet)

        assert factory.voucher(codes[-1]).state == "issued"
        factory.give(codes[0], factory.initiative())
        keep_code(factory, codes[-1], riet).or_raise()
        assert factory.voucher(codes[-1]).state == "kept"
        assert check(session) == []

    def test_of_two_accounts_at_once_one_keeps_it(self, own_app: Flask, own_factory: Factory) -> None:
        (code,) = own_factory.codes()
        people = [own_factory.account(f"{name}@voorbeeld.example").id for name in ("riet", "joke")]
        own_factory.session.commit()

        def work(account_id: int, client: bytes) -> object:
            return committed(
                own_app,
                lambda session: keep(
                    session,
                    read_code(code),
                    account_id,
                    Client(client * 16, client * 16),
                    keys=own_factory.keys,
                    rules=own_factory.rules,
                    now=own_factory.now,
                ),
            )()

        at_once([lambda: work(people[0], b"a"), lambda: work(people[1], b"c")])

        own_factory.session.rollback()
        assert len(own_factory.session.scalars(select(KeptVoucher)).all()) == 1
        assert own_factory.voucher(code).state == "kept"


class TestGiving:
    """A kept voucher is given from the account, or with its code as any other."""

    def test_it_is_given_without_its_code(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        code = kept(factory, riet)
        initiative = factory.initiative(title="Bomen op het plein")
        session.commit()
        voucher_id = factory.voucher(code).id

        page = browser.get(f"{PATH}/{voucher_id}/geven")
        assert "Bomen op het plein" in page.text
        page = browser.get(f"{PATH}/{voucher_id}/geven?initiative_id={initiative.id}")
        assert "Klopt het?" in page.text
        receipt = browser.submit(page, f"{PATH}/{voucher_id}/geven")

        assert factory.voucher(code).state == "given"
        assert "Bomen op het plein" in receipt.text
        mine = browser.get(PATH)
        assert "Gegeven aan Bomen op het plein." in mine.text
        assert check(session) == []

    def test_going_on_without_a_choice_is_told(
        self, browser: Browser, session: Session, factory: Factory, riet: Account
    ) -> None:
        code = kept(factory, riet)
        factory.initiative(title="Bomen op het plein")
        session.commit()

        page = browser.get(f"{PATH}/{factory.voucher(code).id}/geven?verder=ja", status=422)

        assert "Kies een initiatief." in page.one(".abs-error-summary").to_text()

    def test_the_same_form_twice_is_one_gift_and_the_same_receipt(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        code = kept(factory, riet)
        initiative = factory.initiative()
        session.commit()
        path = f"{PATH}/{factory.voucher(code).id}/geven"
        page = browser.get(f"{path}?initiatief={initiative.id}")

        first, second = browser.send(page, path), browser.send(page, path)

        assert first.status_code == second.status_code == 303
        assert first.location == second.location

    def test_the_paper_still_works(self, session: Session, factory: Factory, riet: Account) -> None:
        code = kept(factory, riet)

        assert factory.give(code, factory.initiative()) is not None

        (mine,) = own_vouchers(session, riet.id)
        assert not mine.is_living
        assert mine.reference is not None

    def test_somebody_elses_is_not_there(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        code = kept(factory, factory.account("joke@voorbeeld.example"))
        initiative = factory.initiative()
        session.commit()
        voucher_id = factory.voucher(code).id

        browser.get(f"{PATH}/{voucher_id}/geven", status=404)
        with pytest.raises(NotFound):
            give_kept(session, voucher_id, riet.id, initiative.id, details=GiftDetails(), now=factory.now)

        assert factory.voucher(code).state == "kept"

    def test_an_initiative_that_closed_meanwhile_leaves_the_voucher_with_its_keeper(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        code = kept(factory, riet)
        initiative = factory.initiative()
        session.commit()
        path = f"{PATH}/{factory.voucher(code).id}/geven"
        page = browser.get(f"{path}?initiatief={initiative.id}")
        initiative.state = "withdrawn"
        session.commit()

        answer = browser.submit(page, path, status=409)

        assert "Je voucher is nog van jou" in answer.text
        assert factory.voucher(code).state == "kept"

    def test_a_second_choice_that_cannot_be_is_told_beside_its_field(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        code = kept(factory, riet)
        initiative = factory.initiative()
        session.commit()
        path = f"{PATH}/{factory.voucher(code).id}/geven"
        page = browser.get(f"{path}?initiatief={initiative.id}")

        answer = browser.submit(page, path, status=422, plan_b_id=str(initiative.id), giver_name="Riet")

        assert "Kies een andere tweede keus" in answer.text
        assert answer.field("giver_name") == "Riet"
        assert factory.voucher(code).state == "kept"

    def test_one_whose_time_is_over_is_shown_in_grey_and_not_given(
        self, session: Session, factory: Factory, riet: Account, browser: Browser
    ) -> None:
        code = kept(factory, riet)
        voucher = factory.voucher(code)
        voucher.usable_until = factory.now - DAY
        session.commit()

        page = browser.get(PATH)

        assert page.one(".abs-account-initiative--over")
        assert "verlopen" in page.text
        browser.get(f"{PATH}/{voucher.id}/geven", status=409)


class TestReminding:
    """Two weeks and two days before the end, once each."""

    def mails(self, session: Session) -> list[str | None]:
        db.session.rollback()
        session.expire_all()
        return list(
            session.scalars(
                select(OutgoingMail.subject)
                .where(OutgoingMail.event.startswith("reminder-kept:"))
                .order_by(OutgoingMail.id)
            )
        )

    def test_its_keeper_is_reminded_twice(self, session: Session, factory: Factory, riet: Account) -> None:
        end = factory.voucher(kept(factory, riet)).usable_until
        assert end is not None

        for days, count in ((15, 0), (14, 1), (13, 1), (3, 1), (2, 2), (1, 2), (-1, 2)):
            send_reminders.run(end - days * DAY)
            assert len(self.mails(session)) == count, f"{days} days before"

        first, last = self.mails(session)
        assert first is not None
        assert first.startswith("Je voucher verloopt op ")
        assert last == "Nog twee dagen: geef je voucher"

    def test_two_that_end_on_one_day_are_one_mail(self, session: Session, factory: Factory, riet: Account) -> None:
        codes = factory.codes(2)
        for code in codes:
            keep_code(factory, code, riet).or_raise()
        session.commit()
        end = factory.voucher(codes[0]).usable_until
        assert end is not None

        send_reminders.run(end - 10 * DAY)

        (subject,) = self.mails(session)
        assert subject is not None
        assert subject.startswith("Je vouchers verlopen op ")

    def test_who_gave_it_is_not_reminded(self, session: Session, factory: Factory, riet: Account) -> None:
        code = kept(factory, riet)
        end = factory.voucher(code).usable_until
        assert end is not None
        factory.give(code, factory.initiative())
        session.commit()

        send_reminders.run(end - 10 * DAY)

        assert self.mails(session) == []


class TestForgetting:
    """The link between a person and a voucher ends with the account, and some time after the voucher's end."""

    def test_who_leaves_takes_the_link_along_and_the_paper_works_on(
        self, session: Session, factory: Factory, riet: Account
    ) -> None:
        code = kept(factory, riet)

        delete_account(session, riet.id, actor=TEST_ACTOR, now=factory.now)

        assert session.scalars(select(KeptVoucher)).all() == []
        assert factory.give(code, factory.initiative()) is not None
        assert check(session) == []

    def test_the_link_is_forgotten_long_after_the_end(self, session: Session, factory: Factory, riet: Account) -> None:
        code, living = factory.codes(2)
        for one in (code, living):
            keep_code(factory, one, riet).or_raise()
        factory.give(code, factory.initiative())

        assert forget_kept(session, factory.now + FORGOTTEN_AFTER - DAY) == 0
        assert forget_kept(session, factory.now + FORGOTTEN_AFTER + DAY) == 1

        assert session.scalars(select(KeptVoucher.voucher_id)).all() == [factory.voucher(living).id]
