# SPDX-License-Identifier: EUPL-1.2
"""Many who give at one moment: one voucher is one gift, and an initiative closes once, with all that came before."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from abs_platform import events
from abs_platform.actors import GIVER
from abs_platform.donations.models import Donation
from abs_platform.donations.queries import total_of
from abs_platform.donations.service import Gift, GiftDetails, give_voucher, return_to_plan_b
from abs_platform.initiatives import service
from abs_platform.initiatives.models import Initiative
from abs_platform.rounds.service import lock_round
from abs_platform.vouchers.codes import format_payload
from abs_platform.vouchers.models import CodeAttempt
from abs_platform.vouchers.queries import count_wrong_codes
from abs_platform.vouchers.redeeming import WINDOW, Client, redeem
from abs_platform.vouchers.service import expire_round, revoke_voucher
from jobs import close_initiatives
from tests.concurrency.racing import assert_books_are_right, at_once, committed, meanwhile, wait_until_blocked
from tests.factories import TEST_ACTOR, Factory
from tests.page import Browser

API = "/api/v1/voucher-donations"


def post(app: Flask, path: str, address: str, cookies: dict[str, str] | None = None, **options: Any) -> TestResponse:
    """Send something as a new visitor on this address."""
    client = app.test_client()
    for name, value in (cookies or {}).items():
        client.set_cookie(name, value)
    return client.post(path, environ_base={"REMOTE_ADDR": address}, **options)


def different_addresses(number: int) -> list[str]:
    return [f"198.51.100.{last}" for last in range(1, number + 1)]


def confirmed_gifts(session: Session) -> list[Donation]:
    session.rollback()
    return list(session.scalars(select(Donation).where(Donation.state == "confirmed").order_by(Donation.id)))


def giver(app: Flask, factory: Factory, code: str, initiative_id: int, plan_b: int | None = None) -> Callable[[], Any]:
    """Give a voucher, as the verb does it."""
    digest, now = factory.digest(code), factory.now
    details = GiftDetails(plan_b_initiative_id=plan_b)
    return committed(app, lambda session: give_voucher(session, digest, initiative_id, details=details, now=now))


def closer(app: Flask, initiative_id: int, now: dt.datetime) -> Callable[[], Any]:
    """What follows a gift, in a transaction of its own."""
    return committed(app, lambda session: service.close_if_funded(session, initiative_id, actor=GIVER, now=now))


# One voucher


def test_one_code_from_fifty_requests_at_once_is_one_gift(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    (code,) = own_factory.codes()
    first, second = own_factory.initiative().id, own_factory.initiative().id
    own_session.commit()

    answers = at_once(
        [
            partial(post, own_app, API, address, json={"code": code, "initiativeId": (first, second)[number % 2]})
            for number, address in enumerate(different_addresses(50))
        ]
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    (gift,) = confirmed_gifts(own_session)
    (made,) = (answer for answer in answers if answer.status_code == 201)
    assert made.get_json()["donationId"] == gift.reference
    assert own_factory.voucher(code).state == "given"
    assert_books_are_right(own_session)


def test_one_code_from_fifty_requests_of_one_client_is_one_gift_and_ten_wrong_codes(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    (code,) = own_factory.codes()
    initiative_id = own_factory.initiative().id
    own_session.commit()

    answers = at_once(
        [partial(post, own_app, API, "198.51.100.1", json={"code": code, "initiativeId": initiative_id})] * 50
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 10 + [429] * 39
    assert len(confirmed_gifts(own_session)) == 1
    assert_books_are_right(own_session)


def test_one_code_confirmed_on_fifty_screens_at_once_is_one_gift(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    (code,) = own_factory.codes()
    initiative_id = own_factory.initiative().id
    own_session.commit()
    browser = Browser(own_app)
    fields = browser.fields(
        browser.post("/voucher", {"code": code, "initiative_id": str(initiative_id)}), "/voucher/geven"
    )
    cookie = browser.client.get_cookie("session")
    assert cookie is not None

    def confirm(address: str) -> TestResponse:
        own_key = {"idempotency_key": str(uuid.uuid4())}
        return post(own_app, "/voucher/geven", address, {"session": cookie.value}, data=fields | own_key)

    answers = at_once([partial(confirm, address) for address in different_addresses(50)])

    (gift,) = confirmed_gifts(own_session)
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * 49
    (made,) = (answer for answer in answers if answer.status_code == 303)
    assert made.location == f"/giften/{gift.reference}"
    assert_books_are_right(own_session)


@pytest.mark.parametrize("addresses", [["198.51.100.1"] * 20, different_addresses(20)], ids=["one client", "twenty"])
def test_the_same_form_sent_twenty_times_at_once_is_one_gift_with_one_receipt(
    own_app: Flask, own_session: Session, own_factory: Factory, addresses: list[str]
) -> None:
    (code,) = own_factory.codes()
    initiative_id = own_factory.initiative().id
    own_session.commit()
    browser = Browser(own_app)
    fields = browser.fields(
        browser.post("/voucher", {"code": code, "initiative_id": str(initiative_id)}), "/voucher/geven"
    )
    cookie = browser.client.get_cookie("session")
    assert cookie is not None

    answers = at_once(
        [
            partial(post, own_app, "/voucher/geven", address, {"session": cookie.value}, data=fields)
            for address in addresses
        ]
    )

    (gift,) = confirmed_gifts(own_session)
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, f"/giften/{gift.reference}")}
    assert own_session.scalar(select(func.count()).select_from(CodeAttempt)) == 0
    assert_books_are_right(own_session)


def test_one_key_sent_at_once_with_two_codes_is_one_gift_and_one_refusal(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    codes = own_factory.codes(2)
    initiative_id = own_factory.initiative().id
    own_session.commit()
    key = str(uuid.uuid4())

    answers = at_once(
        [
            partial(
                post,
                own_app,
                API,
                address,
                json={"code": code, "initiativeId": initiative_id, "idempotencyKey": key},
            )
            for code, address in zip(codes, different_addresses(2), strict=True)
        ]
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert len(confirmed_gifts(own_session)) == 1
    assert sorted(own_factory.voucher(code).state for code in codes) == ["given", "issued"]
    assert_books_are_right(own_session)


# One initiative


def test_many_who_give_to_an_initiative_near_its_target_fund_it_once_and_nothing_lands_after(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    givers, each = 8, 6
    codes = own_factory.codes(givers * each)
    initiative = own_factory.initiative(target_cents=15_000)
    initiative_id, target = initiative.id, initiative.target_cents
    own_session.commit()
    now, raised_when_funded = own_factory.now, []

    def give_all(stack: list[str]) -> int:
        """What the route does, until it is refused: the gift, then in a transaction of its own the closing."""
        for number, code in enumerate(stack):
            if giver(own_app, own_factory, code, initiative_id)() is None:
                return number
            if closer(own_app, initiative_id, now)() is True:
                raised_when_funded.append(committed(own_app, lambda session: total_of(session, initiative_id).cents)())
        return len(stack)

    gifts = at_once([partial(give_all, codes[start::givers]) for start in range(givers)])

    assert own_session.get_one(Initiative, initiative_id, populate_existing=True).state == "funded"
    raised = sum(gift.amount_cents for gift in confirmed_gifts(own_session))
    assert raised_when_funded == [raised]
    assert raised == sum(gifts) * 750
    assert target <= raised < target + givers * 750
    assert own_session.scalar(select(func.count()).where(events.Event.kind == "initiative.funded")) == 1
    assert_books_are_right(own_session, jobs_have_run=True)


def test_givers_who_reach_the_target_at_one_moment_see_it_funded_on_their_receipt(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    codes = own_factory.codes(12)
    initiative_id = own_factory.initiative(target_cents=5_000).id
    own_session.commit()

    answers = at_once(
        [
            partial(post, own_app, API, address, json={"code": code, "initiativeId": initiative_id})
            for code, address in zip(codes, different_addresses(12), strict=True)
        ]
    )

    seen = [answer.get_json()["initiative"]["status"] for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(confirmed_gifts(own_session)) == len(seen) >= 7
    assert seen.count("published") <= 6  # six gifts came before the one that reached it
    assert all("haalt geen geld meer op" in answer.get_json()["detail"] for answer in refused)
    assert sum(own_factory.voucher(code).state == "issued" for code in codes) == len(refused)
    assert_books_are_right(own_session, jobs_have_run=True)


def test_an_ending_waits_for_the_gift_that_is_under_way(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    first, second = own_factory.codes(2)
    initiative = own_factory.initiative()
    initiative_id, now = initiative.id, own_factory.now
    own_session.commit()
    own_factory.give(first, initiative)  # not yet committed
    stop = committed(own_app, lambda s: service.stop(s, initiative_id, reason="Zo.", actor=TEST_ACTOR, now=now))

    with Session(own_session.get_bind()) as watch, meanwhile(stop) as stopped:
        wait_until_blocked(watch)
        own_session.commit()

    assert stopped.result() is None
    assert giver(own_app, own_factory, second, initiative_id)() is None
    assert len(confirmed_gifts(own_session)) == 1
    assert own_session.get_one(Initiative, initiative_id, populate_existing=True).state == "stopped"
    assert_books_are_right(own_session)


@pytest.mark.parametrize("is_funded", [True, False], ids=["funded", "stopped"])
def test_a_gift_waits_for_the_ending_that_is_under_way_and_does_not_land_after_it(
    own_app: Flask, own_session: Session, own_factory: Factory, is_funded: bool
) -> None:
    late, *codes = own_factory.codes(8)
    initiative = own_factory.initiative(target_cents=5_000)
    initiative_id, now = initiative.id, own_factory.now
    for code in codes:
        own_factory.give(code, initiative)
    own_session.commit()
    if is_funded:
        assert service.close_if_funded(own_session, initiative_id, actor=GIVER, now=now)  # not yet committed
    else:
        service.stop(own_session, initiative_id, reason="Zo.", actor=TEST_ACTOR, now=now)

    with Session(own_session.get_bind()) as watch, meanwhile(giver(own_app, own_factory, late, initiative_id)) as gift:
        wait_until_blocked(watch)
        own_session.commit()

    assert gift.result() is None
    assert own_factory.voucher(late).state == "issued"
    assert len(confirmed_gifts(own_session)) == 7
    assert_books_are_right(own_session, jobs_have_run=True)


@pytest.mark.parametrize("verb", ["stop", "withdraw", "expire_if_due"])
def test_giving_against_an_ending_leaves_no_gift_behind(
    own_app: Flask, own_session: Session, own_factory: Factory, verb: str
) -> None:
    givers = 8
    codes = own_factory.codes(givers * 4)
    initiative = own_factory.initiative(days_left=1)
    initiative_id, now, end_at = initiative.id, own_factory.now, own_factory.now
    options: dict[str, Any] = {"reason": "Het gaat niet door."}
    if verb == "expire_if_due":  # the giver's clock still says the last day when the other's says the day after
        options, end_at = {}, now + dt.timedelta(days=2)
    own_session.commit()

    def give_all(stack: list[str]) -> int:
        return sum(giver(own_app, own_factory, code, initiative_id)() is not None for code in stack)

    def end() -> int:
        move = getattr(service, verb)
        committed(own_app, lambda s: move(s, initiative_id, actor=TEST_ACTOR, now=end_at, **options))()
        return 0

    works: list[Callable[[], int]] = [partial(give_all, codes[start::givers]) for start in range(givers)]
    given = sum(at_once([*works, end]))

    ended = own_session.get_one(Initiative, initiative_id, populate_existing=True)
    assert ended.state in {"stopped", "withdrawn", "expired"}
    assert len(confirmed_gifts(own_session)) == given
    with own_app.app_context():
        report = close_initiatives.run(end_at)
    assert (report.changed, report.errors) == (given, [])
    assert confirmed_gifts(own_session) == []
    assert {own_factory.voucher(code).state for code in codes} == {"issued"}
    assert_books_are_right(own_session, jobs_have_run=True)


def test_two_who_close_the_same_initiatives_at_once_return_each_gift_once(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    codes = own_factory.codes(60)
    failed, plan_b = own_factory.initiative(target_cents=100_000), own_factory.initiative(target_cents=100_000)
    due = own_factory.initiative(target_cents=5_000)
    for number, code in enumerate(codes[:50]):
        choice = plan_b.id if number % 2 else None
        own_factory.give(code, failed, GiftDetails(plan_b_initiative_id=choice))
    for code in codes[50:57]:
        own_factory.give(code, due)
    now, failed_id, plan_b_id, due_id = own_factory.now, failed.id, plan_b.id, due.id
    service.stop(own_session, failed_id, reason="Het gaat niet door.", actor=TEST_ACTOR, now=now)
    own_session.commit()

    def close() -> list[str]:
        with own_app.app_context():
            return close_initiatives.run(now).errors

    errors = at_once([close] * 4)

    assert errors == [[]] * 4
    per_initiative: dict[int, int] = {}
    for gift in confirmed_gifts(own_session):
        per_initiative[gift.initiative_id] = per_initiative.get(gift.initiative_id, 0) + 1
    assert per_initiative == {plan_b_id: 25, due_id: 7}
    assert own_session.get_one(Initiative, due_id).state == "funded"
    assert own_session.scalar(select(func.count()).where(Donation.state == "returned")) == 50
    assert_books_are_right(own_session, jobs_have_run=True)


def test_plan_b_that_fills_up_meanwhile_takes_what_came_before_and_the_rest_comes_back_to_life(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    second_choices, givers = 20, 4
    codes = own_factory.codes(second_choices + givers * 5)
    failed, plan_b = own_factory.initiative(target_cents=100_000), own_factory.initiative(target_cents=15_000)
    for code in codes[:second_choices]:
        own_factory.give(code, failed, GiftDetails(plan_b_initiative_id=plan_b.id))
    now, failed_id, plan_b_id = own_factory.now, failed.id, plan_b.id
    service.stop(own_session, failed_id, reason="Het gaat niet door.", actor=TEST_ACTOR, now=now)
    own_session.commit()

    def give_all(stack: list[str]) -> list[str]:
        for code in stack:
            giver(own_app, own_factory, code, plan_b_id)()
            closer(own_app, plan_b_id, now)()
        return []

    def close() -> list[str]:
        with own_app.app_context():
            return close_initiatives.run(now).errors

    stacks = [codes[second_choices + start :: givers] for start in range(givers)]
    works: list[Callable[[], list[str]]] = [partial(give_all, stack) for stack in stacks]
    errors = at_once([*works, close, close])

    assert errors == [[]] * (givers + 2)
    gifts = confirmed_gifts(own_session)
    assert {gift.initiative_id for gift in gifts} == {plan_b_id}
    assert 15_000 <= len(gifts) * 750 < 15_000 + (givers + 2) * 750
    assert own_session.get_one(Initiative, plan_b_id, populate_existing=True).state == "funded"
    states = [own_factory.voucher(code).state for code in codes]
    assert (states.count("given"), states.count("issued")) == (len(gifts), len(codes) - len(gifts))
    assert_books_are_right(own_session, jobs_have_run=True)


def test_a_gift_goes_to_plan_b_once_however_many_try(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    (code,) = own_factory.codes()
    failed, plan_b = own_factory.initiative(), own_factory.initiative()
    gift = own_factory.give(code, failed, GiftDetails(plan_b_initiative_id=plan_b.id))
    assert gift is not None
    now, donation_id, plan_b_id = own_factory.now, gift.donation_id, plan_b.id
    service.stop(own_session, failed.id, reason="Het gaat niet door.", actor=TEST_ACTOR, now=now)
    own_session.commit()

    move = committed(own_app, lambda s: return_to_plan_b(s, donation_id, actor=TEST_ACTOR, now=now, reason="stopped"))
    moved = at_once([move] * 8)

    assert sum(isinstance(result, Gift) for result in moved) == 1
    (left,) = confirmed_gifts(own_session)
    assert left.initiative_id == plan_b_id
    assert_books_are_right(own_session)


# The round


def test_a_gift_does_not_wait_for_whoever_works_on_its_round(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    (code,) = own_factory.codes()
    initiative_id = own_factory.initiative().id
    own_session.commit()
    digest, now = own_factory.digest(code), own_factory.now
    lock_round(own_session, own_factory.voucher(code).round_id)

    def give(session: Session) -> Gift | None:
        session.execute(text("SET LOCAL lock_timeout = '2s'"))
        return give_voucher(session, digest, initiative_id, details=GiftDetails(), now=now)

    gift = committed(own_app, give)()

    assert isinstance(gift, Gift)
    assert_books_are_right(own_session)


@pytest.mark.parametrize("ending", ["expire", "revoke"])
def test_a_gift_and_the_end_of_its_voucher_do_not_wait_for_each_other_for_ever(
    own_app: Flask, own_session: Session, own_factory: Factory, ending: str
) -> None:
    """The gift has its voucher and waits for its second choice; the other takes the round and waits for the voucher."""
    (code,) = own_factory.codes()
    initiative_id, plan_b_id = own_factory.initiative().id, own_factory.initiative().id
    own_session.commit()
    voucher = own_factory.voucher(code)
    voucher_id, round_id, now = voucher.id, voucher.round_id, own_factory.now
    closed_at = now + dt.timedelta(days=365)
    own_session.execute(text("SELECT FROM initiatives WHERE id = :id FOR UPDATE"), {"id": plan_b_id})

    def end(session: Session) -> None:
        if ending == "expire":
            expire_round(session, round_id, actor=TEST_ACTOR, now=closed_at)
        else:
            revoke_voucher(session, voucher_id, reason="Kwijt.", actor=TEST_ACTOR, now=now)

    give = giver(own_app, own_factory, code, initiative_id, plan_b_id)
    with Session(own_session.get_bind()) as watch, meanwhile(give) as gift:
        wait_until_blocked(watch, 1)
        with meanwhile(committed(own_app, end)) as ended:
            wait_until_blocked(watch, 2)
            own_session.commit()

    assert isinstance(gift.result(), Gift)
    assert ended.result() is None or ending == "revoke"
    assert own_factory.voucher(code).state == "given"
    assert_books_are_right(own_session)


@pytest.mark.parametrize("ending", ["expire", "revoke"])
def test_a_voucher_that_ends_while_it_is_given_does_one_of_the_two(
    own_app: Flask, own_session: Session, own_factory: Factory, ending: str
) -> None:
    codes = own_factory.codes(24)
    initiative_id = own_factory.initiative(target_cents=100_000).id
    own_session.commit()
    vouchers = [own_factory.voucher(code) for code in codes]
    ids, round_id, now = [voucher.id for voucher in vouchers], vouchers[0].round_id, own_factory.now
    closes_at = own_session.scalar(text("SELECT closes_at FROM rounds WHERE id = :id"), {"id": round_id})
    own_session.commit()

    def give_all(stack: list[str]) -> list[object]:
        return [giver(own_app, own_factory, code, initiative_id)() for code in stack]

    def revoke(session: Session, voucher_id: int) -> None:
        revoke_voucher(session, voucher_id, reason="Kwijt.", actor=TEST_ACTOR, now=now)

    def revoke_all(stack: list[int]) -> list[object]:
        return [committed(own_app, partial(revoke, voucher_id=voucher_id))() for voucher_id in stack]

    def expire_all() -> list[object]:
        return [committed(own_app, lambda session: expire_round(session, round_id, actor=TEST_ACTOR, now=closes_at))()]

    works: list[Callable[[], list[object]]] = [partial(give_all, codes[start::4]) for start in range(4)]
    if ending == "expire":
        works.append(expire_all)
    else:
        works += [partial(revoke_all, ids[start::4]) for start in range(4)]
    at_once(works)

    states = [own_factory.voucher(code).state for code in codes]
    given = {gift.voucher_id for gift in confirmed_gifts(own_session)}
    assert given == {voucher_id for voucher_id, state in zip(ids, states, strict=True) if state == "given"}
    assert set(states) <= {"given", {"expire": "expired", "revoke": "revoked"}[ending]}
    assert_books_are_right(own_session)


# Wrong codes


def wrong_code(number: int) -> str:
    """A code that nobody has, without a typing error."""
    return format_payload(123_456_789 + number)


def test_thirty_wrong_codes_at_once_from_one_client_are_ten_tries(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    (code,) = own_factory.codes()
    initiative_id = own_factory.initiative().id
    own_session.commit()

    answers = at_once(
        [
            partial(
                post, own_app, API, "198.51.100.1", json={"code": wrong_code(number), "initiativeId": initiative_id}
            )
            for number in range(30)
        ]
    )
    right = post(own_app, API, "198.51.100.1", json={"code": code, "initiativeId": initiative_id})
    neighbour = post(own_app, API, "198.51.100.2", json={"code": code, "initiativeId": initiative_id})

    assert sorted(answer.status_code for answer in answers) == [409] * 10 + [429] * 20
    assert own_session.scalar(select(func.count()).select_from(CodeAttempt)) == 10
    assert (right.status_code, neighbour.status_code) == (429, 201)


def test_many_clients_who_guess_at_once_are_one_alarm(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    rules = dataclasses.replace(own_factory.rules, alarm_wrong_codes_per_hour=12)
    initiative_id, now, keys = own_factory.initiative().id, own_factory.now, own_factory.keys
    own_session.commit()

    def guess(session: Session, number: int) -> None:
        client = Client(number.to_bytes(16), (number + 1_000).to_bytes(16))
        redeem(session, number, initiative_id, client, GiftDetails(), keys=keys, rules=rules, now=now)

    at_once([committed(own_app, partial(guess, number=number)) for number in range(1, 25)])

    assert count_wrong_codes(own_session, now - WINDOW, 100) == 24
    assert own_session.scalar(select(func.count()).where(events.Event.kind == "alarm.codes_guessed")) == 1
