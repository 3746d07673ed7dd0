# SPDX-License-Identifier: EUPL-1.2
"""A new letter goes to the same address, once a round; who asks is told nothing; printing it kills the old code."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.actors import GIVER
from abs_platform.donations.service import GiftDetails, give_voucher
from abs_platform.donations.states import Channel
from abs_platform.errors import Conflict, TooManyAttempts
from abs_platform.events import Event
from abs_platform.households.models import Household
from abs_platform.ledger.queries import check
from abs_platform.letters.content import default_content
from abs_platform.letters.models import LetterRun, LetterText
from abs_platform.municipality import Municipality
from abs_platform.replacements.models import ReplacementRequest
from abs_platform.replacements.queries import Address, hot_spots
from abs_platform.replacements.service import ask, close_requests, print_requests
from abs_platform.rounds.models import Round
from abs_platform.users import Role
from abs_platform.vouchers.merkle import root_of
from abs_platform.vouchers.models import Voucher, VoucherBatch
from jobs import expire_vouchers, issue_vouchers, purge_personal_data
from tests.concurrency.racing import assert_books_are_right, at_once, committed
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser, Page

DAY = dt.timedelta(days=1)
PATH = "/voucher/nieuwe-brief"
CLIENT = b"c" * 16


@pytest.fixture
def home(factory: Factory) -> Household:
    """A household with a voucher in the open round."""
    household = factory.households()[0]
    factory.issue(factory.round())
    return household


def address_of(home: Household) -> Address:
    return Address(home.postcode, home.house_number, home.house_letter, home.house_addition)


def ask_for(session: Session, factory: Factory, home: Household | Address, client: bytes = CLIENT) -> None:
    address = home if isinstance(home, Address) else address_of(home)
    ask(session, address, channel=Channel.ONLINE, client=client, most=5, actor=GIVER, now=factory.now)


def approve_a_text(session: Session, factory: Factory) -> None:
    author = factory.account("bea@gemeente.example", name="Bea", roles=(Role.COORDINATOR,))
    session.add(
        LetterText(
            version=1,
            content=default_content(Municipality.load("almelo")).dump(),
            made_at=factory.now,
            approved_at=factory.now,
            approved_by_id=author.id,
        )
    )
    session.flush()


def vouchers_of(session: Session, home: Household) -> list[Voucher]:
    query = select(Voucher).where(Voucher.household_id == home.id).order_by(Voucher.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def requests(session: Session) -> list[str]:
    return list(session.scalars(select(ReplacementRequest.state).order_by(ReplacementRequest.id)))


def send(browser: Browser, postcode: str, house_number: str, status: int = 200) -> Page:
    return browser.submit(browser.get(PATH), PATH, status=status, postcode=postcode, house_number=house_number)


class TestAsking:
    """Anyone may ask, and learns nothing."""

    def test_the_answer_is_the_same_whatever_is_true_of_the_address(
        self, session: Session, home: Household, browser_client: Browser
    ) -> None:
        session.commit()

        known = send(browser_client, home.postcode, str(home.house_number))
        again = send(browser_client, home.postcode, str(home.house_number))
        unknown = send(browser_client, "7600ZZ", "99999")

        assert "Je aanvraag is binnen" in known.text
        assert known.text == again.text == unknown.text
        assert home.street not in known.html
        assert home.postcode not in known.html
        assert known.path == unknown.path
        assert requests(session) == ["waiting"]

    @pytest.mark.usefixtures("home")
    @pytest.mark.parametrize(
        ("postcode", "number", "field"),
        [
            ("", "12", "postcode"),
            ("7607", "12", "postcode"),
            ("7607 AB", "", "house_number"),
            ("7607 AB", "twaalf", "house_number"),
            ("7607 AB", "0", "house_number"),
            ("7607 AB" * 900, "1", "postcode"),
        ],
    )
    def test_what_is_no_address_is_told_beside_its_field(
        self, session: Session, browser_client: Browser, postcode: str, number: str, field: str
    ) -> None:
        session.commit()

        page = send(browser_client, postcode, number, 422)

        assert page.one(f"#{field}-error")
        assert requests(session) == []

    def test_letters_and_additions_are_read_as_people_type_them(
        self, session: Session, home: Household, browser_client: Browser
    ) -> None:
        home.house_letter, home.house_addition = "A", "bis"
        session.commit()

        send(browser_client, f" {home.postcode[:4]} {home.postcode[4:].lower()} ", f"{home.house_number}a-BIS")

        assert requests(session) == ["waiting"]

    def test_one_client_may_ask_a_few_times_a_day_for_whatever_address(
        self, session: Session, browser_client: Browser, home: Household
    ) -> None:
        session.commit()

        for number in range(1, 6):
            send(browser_client, "7600ZZ", str(number))
        page = send(browser_client, home.postcode, str(home.house_number), 429)

        assert "Probeer het opnieuw na" in page.text
        assert requests(session) == []

    def test_a_household_asks_once_a_round(self, session: Session, factory: Factory, home: Household) -> None:
        ask_for(session, factory, home)
        ask_for(session, factory, home, b"d" * 16)

        assert requests(session) == ["waiting"]
        assert session.scalar(select(func.count()).where(Event.kind == "replacement.asked")) == 1

    @pytest.mark.parametrize("what", ["ended", "without a round", "closed"])
    def test_what_has_no_letter_of_a_round_that_runs_waits_for_nothing(
        self, session: Session, factory: Factory, what: str
    ) -> None:
        home = factory.households()[0]
        if what == "closed":
            round_ = factory.round(opens=-40 * DAY, closes=-1 * DAY)
            factory.issue(round_)
        elif what == "ended":
            factory.issue(factory.round())
            home.ended_on = factory.now.date()
        session.flush()

        ask_for(session, factory, home)

        assert requests(session) == []

    def test_many_at_once_are_one_request(self, own_app: Flask, own_factory: Factory) -> None:
        address = address_of(own_factory.households()[0])
        own_factory.issue(own_factory.round())
        own_factory.session.commit()
        works = [
            committed(own_app, lambda session, n=n: ask_for(session, own_factory, address, bytes([n]) * 16))
            for n in range(6)
        ]

        at_once(works)

        own_factory.session.rollback()
        assert requests(own_factory.session) == ["waiting"]


class TestPrinting:
    """The coordinator turns requests into vouchers; then, and not before, the old code dies."""

    def print_now(self, session: Session, factory: Factory, expected: int = 1) -> int:
        round_id = session.scalars(select(Round.id)).one()
        done = print_requests(
            session, round_id, expected=expected, keys=factory.keys, actor=TEST_ACTOR, now=factory.now
        )
        return done.printed

    def test_the_old_code_works_until_then_and_the_new_one_after(
        self, session: Session, factory: Factory, home: Household
    ) -> None:
        approve_a_text(session, factory)
        (old,) = vouchers_of(session, home)
        ask_for(session, factory, home)
        assert old.state == "issued"

        assert self.print_now(session, factory) == 1

        old, new = vouchers_of(session, home)
        assert (old.state, new.state) == ("revoked", "issued")
        assert factory.give(factory.keys.code(old.nonce), factory.initiative()) is None
        assert factory.give(factory.keys.code(new.nonce), factory.initiative()) is not None
        assert requests(session) == ["printed"]
        assert check(session) == []

    def test_the_new_vouchers_are_a_sealed_batch_with_a_run_of_letters(
        self, session: Session, factory: Factory, home: Household
    ) -> None:
        approve_a_text(session, factory)
        ask_for(session, factory, home)

        self.print_now(session, factory)

        batch = session.scalars(select(VoucherBatch).where(VoucherBatch.kind == "replacement")).one()
        digests = session.scalars(select(Voucher.code_digest).where(Voucher.batch_id == batch.id).order_by(Voucher.id))
        assert (batch.voucher_count, batch.merkle_root) == (1, root_of(digests))
        assert session.scalars(select(LetterRun.batch_id)).all() == [batch.id]

    @pytest.mark.parametrize("state", ["given", "kept", "post came back"])
    def test_who_used_it_or_gets_no_post_has_no_second_one(
        self, session: Session, factory: Factory, home: Household, state: str
    ) -> None:
        approve_a_text(session, factory)
        (voucher,) = vouchers_of(session, home)
        ask_for(session, factory, home)
        if state == "given":
            factory.give(factory.keys.code(voucher.nonce), factory.initiative())
        elif state == "kept":
            voucher.state, voucher.kept_at = "kept", factory.now
        else:
            home.mail_returned_at = factory.now
        session.flush()

        assert self.print_now(session, factory) == 0

        assert requests(session) == ["dropped"]
        assert len(vouchers_of(session, home)) == 1
        assert session.scalars(select(LetterRun.id)).all() == []
        assert check(session) == []

    def test_it_is_not_done_without_a_text_with_another_number_or_twice(
        self, session: Session, factory: Factory, home: Household
    ) -> None:
        ask_for(session, factory, home)
        with pytest.raises(Conflict, match="goedgekeurde tekst"):
            self.print_now(session, factory)
        approve_a_text(session, factory)
        with pytest.raises(Conflict, match="veranderde"):
            self.print_now(session, factory, expected=2)

        self.print_now(session, factory)

        with pytest.raises(Conflict, match="wachten geen aanvragen"):
            self.print_now(session, factory)
        assert len(vouchers_of(session, home)) == 2

    def test_issuing_again_adds_nothing_after_it(self, session: Session, factory: Factory, home: Household) -> None:
        approve_a_text(session, factory)
        ask_for(session, factory, home)
        self.print_now(session, factory)
        session.commit()

        issue_vouchers.run(factory.now)

        assert len(vouchers_of(session, home)) == 2

    def test_two_coordinators_at_once_print_it_once(self, own_app: Flask, own_factory: Factory) -> None:
        home = own_factory.households()[0]
        own_factory.issue(own_factory.round())
        approve_a_text(own_factory.session, own_factory)
        ask_for(own_factory.session, own_factory, home)
        own_factory.session.commit()
        work = committed(own_app, lambda session: self.print_now(session, own_factory))

        done = at_once([work, work])

        assert sorted(isinstance(one, Conflict) for one in done) == [False, True]
        assert_books_are_right(own_factory.session)
        assert [voucher.state for voucher in vouchers_of(own_factory.session, home)] == ["revoked", "issued"]

    def test_giving_it_at_the_same_moment_is_one_or_the_other(self, own_app: Flask, own_factory: Factory) -> None:
        home = own_factory.households()[0]
        own_factory.issue(own_factory.round())
        initiative = own_factory.initiative()
        approve_a_text(own_factory.session, own_factory)
        ask_for(own_factory.session, own_factory, home)
        own_factory.session.commit()
        (voucher,) = vouchers_of(own_factory.session, home)
        digest, initiative_id = voucher.code_digest, initiative.id
        own_factory.session.rollback()

        given, printed = at_once(
            [
                committed(
                    own_app,
                    lambda session: give_voucher(
                        session, digest, initiative_id, details=GiftDetails(), now=own_factory.now
                    ),
                ),
                committed(own_app, lambda session: self.print_now(session, own_factory)),
            ]
        )

        states = sorted(voucher.state for voucher in vouchers_of(own_factory.session, home))
        assert states == (["given"] if given else ["issued", "revoked"])
        assert printed == (0 if given else 1)
        assert_books_are_right(own_factory.session)


class TestForgetting:
    """Requests end with their round, and forget their household when it is settled."""

    def test_what_still_waits_when_the_round_ends_is_dropped(
        self, session: Session, factory: Factory, home: Household
    ) -> None:
        ask_for(session, factory, home)
        session.commit()
        assert close_requests(session, now=factory.now) == 0

        expire_vouchers.run(factory.now + 21 * DAY)
        expire_vouchers.run(factory.now + 21 * DAY)

        session.expire_all()
        assert requests(session) == ["dropped"]

    def test_a_settled_round_forgets_who_asked(self, session: Session, factory: Factory, home: Household) -> None:
        ask_for(session, factory, home)
        session.commit()
        expire_vouchers.run(factory.now + 21 * DAY)

        purge_personal_data.run(factory.now + 60 * DAY)

        session.expire_all()
        asked = session.scalars(select(ReplacementRequest)).one()
        assert (asked.household_id, asked.neighbourhood_id) == (None, home.neighbourhood_id)


def test_a_neighbourhood_where_much_goes_wrong_stands_out(session: Session, factory: Factory) -> None:
    calm, hot = factory.households(60), factory.households(10, area="BU01411901")
    round_ = factory.round()
    factory.issue(round_)
    for number, home in enumerate([*hot[:6], *calm[:2]]):
        ask_for(session, factory, home, bytes([number]) * 16)

    (spot,) = hot_spots(session, round_.id)

    assert (spot.requests, spot.letters, spot.per_thousand) == (6, 10, 600)


def test_asking_too_often_is_refused_before_anything_is_looked_up(
    session: Session, factory: Factory, home: Household
) -> None:
    for _ in range(5):
        ask_for(session, factory, home)

    with pytest.raises(TooManyAttempts):
        ask_for(session, factory, home)


def test_the_new_code_of_a_voucher_that_came_back_to_life_has_its_longer_end(
    session: Session, factory: Factory, home: Household
) -> None:
    approve_a_text(session, factory)
    (old,) = vouchers_of(session, home)
    old.usable_until = factory.now + 90 * DAY
    ask_for(session, factory, home)

    print_requests(session, old.round_id, expected=1, keys=factory.keys, actor=TEST_ACTOR, now=factory.now)

    assert [voucher.usable_until for voucher in vouchers_of(session, home)] == [factory.now + 90 * DAY] * 2
