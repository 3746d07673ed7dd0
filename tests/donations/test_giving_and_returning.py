# SPDX-License-Identifier: EUPL-1.2
"""The verbs of a gift: given whole, once, to what collects; and back to the household or on to plan B."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from abs_platform.clock import end_of_day
from abs_platform.donations.models import Donation
from abs_platform.donations.queries import due_back_with_plan_b, receipt, total_of
from abs_platform.donations.service import (
    REFERENCE_ALPHABET,
    Gift,
    GiftDetails,
    give_voucher,
    new_reference,
    return_to_plan_b,
    return_vouchers,
)
from abs_platform.donations.states import Channel
from abs_platform.events import Event
from abs_platform.initiatives import service
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.queries import is_collecting
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.models import LedgerPosting, LedgerTransaction
from abs_platform.ledger.queries import check
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import Voucher
from tests.factories import TEST_ACTOR, Factory

DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)


def give(factory: Factory, code: str, initiative: Initiative, at: dt.datetime | None = None, **details: object) -> Gift:
    gift = give_voucher(
        factory.session,
        factory.digest(code),
        initiative.id,
        details=GiftDetails(**details),  # type: ignore[arg-type]
        now=at or factory.now,
    )
    assert gift is not None
    return gift


def stop(factory: Factory, initiative: Initiative, at: dt.datetime | None = None) -> None:
    service.stop(factory.session, initiative.id, reason="Kan niet.", actor=TEST_ACTOR, now=at or factory.now)


def give_back(factory: Factory, initiative: Initiative, at: dt.datetime | None = None, batch: int = 500) -> int:
    return return_vouchers(
        factory.session, initiative.id, actor=TEST_ACTOR, now=at or factory.now, reason="stopped", batch=batch
    )


def on_to_plan_b(factory: Factory, gift: Gift, at: dt.datetime | None = None) -> Gift | None:
    return return_to_plan_b(
        factory.session, gift.donation_id, actor=TEST_ACTOR, now=at or factory.now, reason="stopped"
    )


def donation(factory: Factory, gift: Gift) -> Donation:
    return factory.session.get_one(Donation, gift.donation_id, populate_existing=True)


def round_of(factory: Factory, code: str) -> Round:
    return factory.session.get_one(Round, factory.voucher(code).round_id)


def test_a_gift_moves_voucher_donation_ledger_and_log_together(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    initiative = factory.initiative()

    gift = give(factory, code, initiative, giver_name="Riet", message="Succes!", channel=Channel.DESK)

    voucher = factory.voucher(code)
    assert (voucher.state, voucher.state_changed_at) == ("given", factory.now)
    stored = donation(factory, gift)
    assert (stored.state, stored.kind, stored.amount_cents, stored.voucher_id) == (
        "confirmed",
        "voucher",
        750,
        voucher.id,
    )
    assert (stored.giver_name, stored.message, stored.channel) == ("Riet", "Succes!", "desk")
    postings = session.execute(
        select(LedgerPosting.account, LedgerPosting.amount_cents)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerPosting.transaction_id)
        .where(LedgerTransaction.donation_id == gift.donation_id)
    )
    assert sorted(postings.all()) == [("initiative", 750), ("vouchers", -750)]
    event = session.scalars(select(Event).where(Event.kind == "voucher.given")).one()
    assert (event.subject_id, event.actor, event.details) == (voucher.id, "giver", None)
    assert check(session) == []


def test_a_given_voucher_cannot_be_given_again(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    first, second = factory.initiative(), factory.initiative()
    give(factory, code, first)

    assert factory.give(code, second) is None
    assert factory.give(code, first) is None

    assert (total_of(session, first.id).cents, total_of(session, second.id).cents) == (750, 0)
    assert check(session) == []


@pytest.mark.parametrize("state", [state for state in InitiativeState if state != InitiativeState.PUBLISHED])
def test_only_what_collects_takes_gifts(session: Session, factory: Factory, state: InitiativeState) -> None:
    initiative = factory.initiative(state, target_cents=5_000)
    (code,) = factory.fresh_codes(1)
    before = total_of(session, initiative.id)

    assert factory.give(code, initiative) is None

    assert factory.voucher(code).state == "issued"
    assert total_of(session, initiative.id) == before
    assert check(session) == []


def test_the_deadline_counts_whole(session: Session, factory: Factory) -> None:
    one, other = factory.codes(2)
    initiative = factory.initiative(days_left=1)
    midnight = end_of_day(initiative.deadline_on)

    give(factory, one, initiative, at=midnight - MINUTE)
    too_late = give_voucher(session, factory.digest(other), initiative.id, details=GiftDetails(), now=midnight)

    assert too_late is None
    assert not is_collecting(session, initiative.id, now=midnight)


def test_an_initiative_that_is_not_there_takes_nothing(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()

    assert give_voucher(session, factory.digest(code), 999_999, details=GiftDetails(), now=factory.now) is None
    assert factory.voucher(code).state == "issued"


@pytest.mark.parametrize(
    ("after", "usable"),
    [(-10 * DAY - MINUTE, False), (-10 * DAY, True), (20 * DAY - MINUTE, True), (20 * DAY, False)],
)
def test_a_voucher_is_usable_from_opening_until_closing(
    session: Session, factory: Factory, after: dt.timedelta, usable: bool
) -> None:
    (code,) = factory.codes()
    initiative = factory.initiative()

    gift = give_voucher(session, factory.digest(code), initiative.id, details=GiftDetails(), now=factory.now + after)

    assert (gift is not None) is usable


def test_a_key_of_a_form_makes_one_gift(session: Session, factory: Factory) -> None:
    one, other = factory.codes(2)
    initiative = factory.initiative()
    key = uuid.uuid4()
    give(factory, one, initiative, idempotency_key=key)

    with pytest.raises(IntegrityError, match="uq_donations_idempotency_key"), session.begin_nested():
        give(factory, other, initiative, idempotency_key=key)

    assert factory.voucher(other).state == "issued"
    assert total_of(session, initiative.id).givers == 1


def test_a_number_on_a_receipt_cannot_be_guessed_or_misread() -> None:
    references = {new_reference() for _ in range(2_000)}

    assert len(references) == 2_000
    assert all(re.fullmatch(f"[{REFERENCE_ALPHABET}]{{10}}", reference) for reference in references)
    assert set("01OIL").isdisjoint(REFERENCE_ALPHABET)


@pytest.mark.parametrize(
    ("returned_on", "usable_until"),
    [
        pytest.param(-15 * DAY, 60 * DAY - 15 * DAY, id="sixty days are later than the closing"),
        pytest.param(-70 * DAY, 0 * DAY, id="the closing is later than sixty days"),
        pytest.param(30 * DAY, 90 * DAY, id="after the closing"),
    ],
)
def test_what_comes_back_is_usable_until_the_closing_and_at_least_sixty_days(
    session: Session, factory: Factory, returned_on: dt.timedelta, usable_until: dt.timedelta
) -> None:
    (code,) = factory.codes(opens=-10 * DAY, closes=100 * DAY)
    initiative = factory.initiative(days_left=200)
    closes_at = round_of(factory, code).closes_at
    gift = give(factory, code, initiative)
    stop(factory, initiative, at=closes_at + returned_on)

    assert give_back(factory, initiative, at=closes_at + returned_on) == 1

    voucher = factory.voucher(code)
    assert voucher.state == "issued"
    assert voucher.usable_until == closes_at + usable_until
    assert (donation(factory, gift).state, donation(factory, gift).returned_at) == ("returned", closes_at + returned_on)
    assert total_of(session, initiative.id).cents == 0
    assert check(session) == []


def test_a_returned_voucher_is_given_again_with_the_same_code(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    failed, next_one = factory.initiative(), factory.initiative()
    give(factory, code, failed)
    stop(factory, failed)
    give_back(factory, failed)

    late = round_of(factory, code).closes_at + DAY
    give(factory, code, next_one, at=late)

    assert total_of(session, next_one.id).cents == 750
    assert session.scalars(select(Donation.state).order_by(Donation.id)).all() == ["returned", "confirmed"]
    assert check(session) == []


def test_a_kept_voucher_comes_back_kept_with_its_own_end(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    voucher, initiative = factory.voucher(code), factory.initiative()
    own_end = factory.now + 300 * DAY
    voucher.state, voucher.kept_at, voucher.usable_until = "kept", factory.now - DAY, own_end
    session.flush()
    give(factory, code, initiative)
    stop(factory, initiative)

    give_back(factory, initiative)

    assert (factory.voucher(code).state, factory.voucher(code).usable_until) == ("kept", own_end)
    assert check(session) == []


def test_gifts_come_back_in_batches_and_none_twice(session: Session, factory: Factory) -> None:
    codes = factory.codes(5)
    initiative, other = factory.initiative(), factory.initiative()
    for code in codes[:4]:
        give(factory, code, initiative)
    give(factory, codes[4], other)
    stop(factory, initiative)

    assert [give_back(factory, initiative, batch=3) for _ in range(3)] == [3, 1, 0]

    assert [factory.voucher(code).state for code in codes] == ["issued"] * 4 + ["given"]
    events = session.execute(
        select(Event.reason, func.count()).where(Event.kind == "voucher.returned").group_by(Event.reason)
    )
    assert events.all() == [("stopped", 4)]
    assert check(session) == []


def test_gifts_with_a_plan_b_are_left_for_their_own_return(session: Session, factory: Factory) -> None:
    one, other = factory.codes(2)
    initiative, plan_b = factory.initiative(), factory.initiative()
    with_plan = give(factory, one, initiative, plan_b_initiative_id=plan_b.id)
    give(factory, other, initiative)
    stop(factory, initiative)

    assert give_back(factory, initiative) == 1

    assert (factory.voucher(one).state, factory.voucher(other).state) == ("given", "issued")
    assert due_back_with_plan_b(session, initiative.id) == [with_plan.donation_id]


def test_a_voucher_goes_on_to_its_plan_b(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    failed, plan_b = factory.initiative(), factory.initiative()
    first = give(
        factory, code, failed, plan_b_initiative_id=plan_b.id, giver_name="Riet", message="Hup",
        giver_email="riet@voorbeeld.example", channel=Channel.ORGANISER,
    )  # fmt: skip
    stop(factory, failed)

    second = on_to_plan_b(factory, first)

    assert second is not None
    assert second.initiative_id == plan_b.id
    assert donation(factory, first).state == "returned"
    stored = donation(factory, second)
    assert (stored.state, stored.giver_name, stored.channel) == ("confirmed", "Riet", "organiser")
    assert (stored.message, stored.giver_email) == (None, None)  # they were for the first
    assert stored.plan_b_initiative_id is None
    assert factory.voucher(code).state == "given"
    assert (total_of(session, failed.id).cents, total_of(session, plan_b.id).cents) == (0, 750)
    assert on_to_plan_b(factory, first) is None  # a second run finds nothing to do
    assert total_of(session, plan_b.id).cents == 750
    assert check(session) == []


def test_a_plan_b_goes_on_after_the_closing_of_the_round(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    failed, plan_b = factory.initiative(days_left=60), factory.initiative(days_left=60)
    gift = give(factory, code, failed, plan_b_initiative_id=plan_b.id)
    late = round_of(factory, code).closes_at + 5 * DAY
    stop(factory, failed, at=late)

    assert on_to_plan_b(factory, gift, at=late) is not None

    assert total_of(session, plan_b.id).cents == 750
    assert check(session) == []


@pytest.mark.parametrize("ended", ["stop", "fund", "expire"])
def test_a_plan_b_that_closed_meanwhile_gives_the_voucher_back(session: Session, factory: Factory, ended: str) -> None:
    (code,) = factory.codes()
    failed = factory.initiative(days_left=60)
    plan_b = factory.initiative(days_left=5, target_cents=5_000)
    gift = give(factory, code, failed, plan_b_initiative_id=plan_b.id)
    at = factory.now
    if ended == "stop":
        stop(factory, plan_b)
    elif ended == "fund":
        factory.fund(plan_b)
    else:
        at = end_of_day(plan_b.deadline_on)
    stop(factory, failed, at=at)
    before = total_of(session, plan_b.id)

    assert on_to_plan_b(factory, gift, at=at) is None

    voucher = factory.voucher(code)
    assert (voucher.state, voucher.usable_until) == ("issued", at + 60 * DAY)
    assert donation(factory, gift).state == "returned"
    assert total_of(session, plan_b.id) == before
    assert due_back_with_plan_b(session, failed.id) == []
    assert check(session) == []


def test_a_plan_b_that_fails_too_gives_the_voucher_back(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    first, second = factory.initiative(), factory.initiative()
    gift = give(factory, code, first, plan_b_initiative_id=second.id)
    stop(factory, first)
    moved = on_to_plan_b(factory, gift)
    assert moved is not None

    stop(factory, second, at=factory.now + 3 * DAY)
    assert give_back(factory, second, at=factory.now + 3 * DAY) == 1

    assert factory.voucher(code).state == "issued"
    assert factory.voucher(code).usable_until == factory.now + 63 * DAY
    assert session.scalars(select(Donation.state)).all() == ["returned", "returned"]
    assert check(session) == []


def test_two_that_name_each_other_as_plan_b_both_fail_well(session: Session, factory: Factory) -> None:
    one, other = factory.codes(2)
    first, second = factory.initiative(), factory.initiative()
    gifts = [
        give(factory, one, first, plan_b_initiative_id=second.id),
        give(factory, other, second, plan_b_initiative_id=first.id),
    ]
    stop(factory, first)
    stop(factory, second)

    assert [on_to_plan_b(factory, gift) for gift in gifts] == [None, None]

    assert [factory.voucher(code).state for code in (one, other)] == ["issued", "issued"]
    assert check(session) == []


def test_a_plan_b_can_reach_its_target_by_it(session: Session, factory: Factory) -> None:
    codes = factory.codes(8)
    failed, plan_b = factory.initiative(), factory.initiative(target_cents=6_000)
    for code in codes[:7]:
        give(factory, code, plan_b)
    gift = give(factory, codes[7], failed, plan_b_initiative_id=plan_b.id)
    stop(factory, failed)

    moved = on_to_plan_b(factory, gift)

    assert moved is not None
    assert service.close_if_funded(session, moved.initiative_id, actor=TEST_ACTOR, now=factory.now)
    assert plan_b.state == "funded"
    assert check(session, jobs_have_run=True) == []


def test_a_kept_voucher_goes_on_to_its_plan_b_and_comes_back_kept(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    voucher = factory.voucher(code)
    voucher.state, voucher.kept_at, voucher.usable_until = "kept", factory.now, factory.now + 300 * DAY
    session.flush()
    first, second = factory.initiative(), factory.initiative()
    gift = give(factory, code, first, plan_b_initiative_id=second.id)
    stop(factory, first)
    assert on_to_plan_b(factory, gift) is not None
    stop(factory, second)

    assert give_back(factory, second) == 1

    assert factory.voucher(code).state == "kept"
    assert check(session) == []


def test_a_receipt_tells_what_was_given_and_nothing_of_the_voucher(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    initiative = factory.initiative()
    gift = give(factory, code, initiative, giver_name="Riet", giver_email="riet@voorbeeld.example")

    found = receipt(session, gift.reference)

    assert found is not None
    assert (found.initiative_id, found.amount_cents, found.giver_name) == (initiative.id, 750, "Riet")
    assert {"voucher_id", "giver_email", "idempotency_key"}.isdisjoint(found.__slots__)
    assert receipt(session, gift.reference.lower() + "x") is None


def test_the_database_refuses_a_second_living_gift_of_a_voucher(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    give(factory, code, factory.initiative())
    copied = "initiative_id, kind, amount_cents, state, channel, given_at, voucher_id"

    with pytest.raises(IntegrityError, match="uq_donations_one_confirmed_per_voucher"), session.begin_nested():
        session.execute(text(f"INSERT INTO donations (reference, {copied}) SELECT 'TWICE', {copied} FROM donations"))

    assert session.scalar(select(func.count()).select_from(Voucher).where(Voucher.state == "given")) == 1
