# SPDX-License-Identifier: EUPL-1.2
"""Beginning to pay: how much may be given, what others are paying meanwhile, and one payment for each form."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.actors import GIVER
from abs_platform.donations.models import Donation
from abs_platform.errors import AbsError, Conflict, InitiativeNotOpen, InvalidInput, TooManyAttempts
from abs_platform.events import Event
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.payments.models import Payment
from abs_platform.payments.queries import Room, room, view
from abs_platform.payments.service import BEGUN_PER_HOUR, attach_checkout, renew, start_gift
from tests.factories import Factory
from tests.payments.gifts import begin, book, checkout, donation_of, money_gift, payment_of

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
CLIENT = b"one client, 16 b"


@pytest.fixture
def initiative(factory: Factory) -> Initiative:
    """Fifty euros are needed."""
    return factory.initiative(target_cents=5_000)


def room_of(factory: Factory, initiative: Initiative, after: dt.timedelta = dt.timedelta(0)) -> Room:
    return room(factory.session, initiative.id, factory.rules, factory.now + after)


def refusal(factory: Factory, initiative: Initiative, cents: int) -> str:
    with pytest.raises(InvalidInput) as refused:
        begin(factory, initiative.id, cents)
    assert list(refused.value.fields) == ["amount"]
    return refused.value.fields["amount"].replace("\u00a0", " ")


def test_a_gift_that_is_begun_is_pending_and_counts_nowhere(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    gift = money_gift(1_250, giver_name="Noor", message="Mooi!", receipt_email="noor@voorbeeld.example")

    started = start_gift(session, initiative.id, gift, rules=factory.rules, actor=GIVER, now=factory.now)

    donation, payment = donation_of(session, started), payment_of(session, started)
    assert (donation.kind, donation.state, donation.amount_cents) == ("money", "pending", 1_250)
    assert (donation.giver_name, donation.message, donation.giver_email) == ("Noor", "Mooi!", None)
    assert (payment.state, payment.checkout_id, payment.receipt_email) == ("created", None, "noor@voorbeeld.example")
    assert payment.reserved_until == factory.now + 31 * MINUTE
    assert room_of(factory, initiative) == Room(5_000, 1_250, 3_800)
    begun = session.scalars(select(Event).where(Event.kind == "payment.begun")).one()
    assert (begun.actor, begun.subject_id, begun.details) == ("giver", payment.id, {"amount_cents": 1_250})


@pytest.mark.parametrize("cents", [100, 101, 4_999, 5_000])
def test_from_a_euro_up_to_what_is_missing_can_be_given(factory: Factory, initiative: Initiative, cents: int) -> None:
    assert begin(factory, initiative.id, cents).amount_cents == cents


@pytest.mark.parametrize("cents", [-500, 0, 1, 99])
def test_less_than_a_euro_cannot_be_given(factory: Factory, initiative: Initiative, cents: int) -> None:
    assert refusal(factory, initiative, cents) == "Geef ten minste € 1."


def test_the_last_gift_is_rounded_up_to_a_whole_euro(factory: Factory, initiative: Initiative) -> None:
    book(factory, checkout(begin(factory, initiative.id, 3_850)))

    found = room_of(factory, initiative)

    assert found == Room(1_150, 0, 1_200)
    assert found.is_rounded
    assert refusal(factory, initiative, 1_201) == "Er is nog € 11,50 nodig. Geef hoogstens € 12."
    assert begin(factory, initiative.id, 1_200).amount_cents == 1_200


def test_when_less_than_a_euro_is_missing_a_euro_can_be_given(factory: Factory, initiative: Initiative) -> None:
    book(factory, checkout(begin(factory, initiative.id, 4_960)))

    assert room_of(factory, initiative) == Room(40, 0, 100)
    assert begin(factory, initiative.id, 100).amount_cents == 100


def test_what_others_are_paying_is_kept_for_them_for_half_an_hour(factory: Factory, initiative: Initiative) -> None:
    begin(factory, initiative.id, 4_000)

    assert refusal(factory, initiative, 1_001) == (
        "Je kunt nu hoogstens € 10 geven. De rest wordt nu door anderen betaald."
    )
    assert room_of(factory, initiative, 30 * MINUTE).reserved_cents == 4_000
    assert room_of(factory, initiative, 31 * MINUTE) == Room(5_000, 0, 5_000)


def test_the_last_part_is_not_taken_twice(factory: Factory, initiative: Initiative) -> None:
    begin(factory, initiative.id, 5_000)

    assert refusal(factory, initiative, 100) == (
        "Het laatste deel wordt nu door anderen betaald. Probeer het over een half uur opnieuw."
    )


def test_a_payment_that_never_came_to_a_checkout_keeps_nobody_waiting_for_more_than_two_minutes(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    start_gift(session, initiative.id, money_gift(5_000), rules=factory.rules, actor=GIVER, now=factory.now)

    assert room_of(factory, initiative, MINUTE).highest_cents == 0
    assert room_of(factory, initiative, 2 * MINUTE).highest_cents == 5_000


def test_one_client_cannot_keep_others_out_by_reserving_again_and_again(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    for half_hours in range(4):
        now = factory.now + half_hours * 32 * MINUTE
        begin(factory, initiative.id, 5_000, client=CLIENT, now=now)
        assert room(session, initiative.id, factory.rules, now).highest_cents == (0 if half_hours < 2 else 5_000)

    other = begin(factory, initiative.id, 5_000, client=b"a neighbour 16 b", now=factory.now + 97 * MINUTE)
    assert payment_of(session, other).is_reserving


def test_what_is_begun_without_a_reservation_can_be_paid_like_any_other(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    begin(factory, initiative.id, 100, client=CLIENT)
    begin(factory, initiative.id, 100, client=CLIENT)
    third = begin(factory, initiative.id, 100, client=CLIENT)
    assert not payment_of(session, third).is_reserving

    book(factory, checkout(third))

    assert donation_of(session, third).state == "confirmed"


def test_one_client_begins_twenty_payments_an_hour(factory: Factory) -> None:
    initiative = factory.initiative(target_cents=500_000)
    gift = money_gift(100)
    begin(factory, initiative.id, gift, client=CLIENT)
    for _number in range(BEGUN_PER_HOUR - 1):
        begin(factory, initiative.id, 100, client=CLIENT)

    with pytest.raises(TooManyAttempts):
        begin(factory, initiative.id, 100, client=CLIENT)

    begin(factory, initiative.id, gift, client=CLIENT)  # the same form is no new payment
    begin(factory, initiative.id, 100, client=CLIENT, now=factory.now + 61 * MINUTE)


@pytest.mark.parametrize("state", [state for state in InitiativeState if state != InitiativeState.PUBLISHED])
def test_what_does_not_collect_takes_no_money(session: Session, factory: Factory, state: InitiativeState) -> None:
    initiative = factory.initiative(state)

    with pytest.raises(InitiativeNotOpen, match="Er is niets betaald"):
        begin(factory, initiative.id)

    assert session.scalar(select(func.count()).select_from(Payment)) == 0


def test_after_the_last_day_nothing_can_be_begun(factory: Factory) -> None:
    initiative = factory.initiative(days_left=1)

    with pytest.raises(InitiativeNotOpen):
        begin(factory, initiative.id, now=factory.now + 2 * DAY)


def test_the_same_form_sent_twice_is_the_same_payment(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    gift = money_gift(2_000)
    first = begin(factory, initiative.id, gift)

    second = begin(factory, initiative.id, gift, now=factory.now + MINUTE)

    assert second == replace(first, is_new=False)
    assert session.scalar(select(func.count()).select_from(Donation)) == 1
    assert room_of(factory, initiative).reserved_cents == 2_000


def test_the_same_form_with_another_amount_or_for_another_initiative_is_refused(
    factory: Factory, initiative: Initiative
) -> None:
    gift = money_gift(2_000)
    begin(factory, initiative.id, gift)

    with pytest.raises(Conflict, match="al een betaling van €\u00a020 begonnen"):
        begin(factory, initiative.id, replace(gift, amount_cents=2_500))
    with pytest.raises(Conflict, match="al iets anders gegeven"):
        begin(factory, factory.initiative().id, gift)


@pytest.mark.parametrize("status", ["failed", "expired"])
def test_a_form_whose_payment_ended_is_not_used_again(factory: Factory, initiative: Initiative, status: str) -> None:
    gift = money_gift(2_000)
    book(factory, checkout(begin(factory, initiative.id, gift), status))

    with pytest.raises(Conflict, match="Er is niets betaald"):
        begin(factory, initiative.id, gift)


def test_a_form_that_was_paid_says_so(factory: Factory, initiative: Initiative) -> None:
    gift = money_gift(2_000)
    book(factory, checkout(begin(factory, initiative.id, gift)))

    assert begin(factory, initiative.id, gift).state == "paid"


def test_a_second_checkout_does_not_take_the_place_of_the_first(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    started = begin(factory, initiative.id)

    assert not attach_checkout(session, started.payment_id, "cs_test_other")

    assert payment_of(session, started).checkout_id == started.checkout_id
    with pytest.raises(AbsError, match="niet doorgegaan"):
        renew(session, started.payment_id, rules=factory.rules, now=factory.now)


def test_the_view_of_a_payment_tells_what_its_giver_may_know(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    started = begin(factory, initiative.id, money_gift(700, receipt_email="noor@voorbeeld.example"))

    found = view(session, started.reference)

    assert found is not None
    assert (found.state, found.amount_cents, found.initiative_id) == ("created", 700, initiative.id)
    assert (found.is_waiting, found.is_late, found.has_receipt_email) == (True, False, True)
    assert "noor@" not in repr(found)
    assert view(session, "ABCDEFGHJK") is None
