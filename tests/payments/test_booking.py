# SPDX-License-Identifier: EUPL-1.2
"""What a checkout brought is booked once, whatever we hear of it, in whatever order, and however late."""

from __future__ import annotations

import datetime as dt
from itertools import permutations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.actors import GIVER
from abs_platform.donations.money import confirm_money_gift, fail_money_gift, return_money_gift
from abs_platform.donations.queries import latest_gifts, total_of
from abs_platform.donations.states import TRANSITIONS, DonationState
from abs_platform.errors import InvalidTransition
from abs_platform.events import Event
from abs_platform.finance.models import FinanceTask
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.service import close_if_funded, stop
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.queries import check
from abs_platform.outbox import OutgoingMail
from abs_platform.payments.booking import Booked, give_up, wait_longer
from abs_platform.payments.service import start_gift
from abs_platform.payments.states import EventOutcome, PaymentState
from tests.factories import TEST_ACTOR, Factory
from tests.payments.gifts import (
    begin,
    book,
    booked_of,
    checkout,
    donation_of,
    money_gift,
    payment_of,
)

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
SAYINGS = ["open", "waiting", "failed", "expired", "paid"]
RECEIVED = [("payment_received", "initiative", 1_000), ("payment_received", "provider", -1_000)]
LATE = [("payment_late", "owed", 1_000), ("payment_late", "provider", -1_000)]


@pytest.fixture
def initiative(factory: Factory) -> Initiative:
    return factory.initiative(target_cents=5_000)


def events_of(session: Session) -> list[str]:
    kinds = session.scalars(select(Event.kind).where(Event.subject == "payment").order_by(Event.id))
    return [kind for kind in kinds if kind != "payment.begun"]


def test_a_gift_that_is_paid_counts_from_then_on(session: Session, factory: Factory, initiative: Initiative) -> None:
    gift = money_gift(1_000, giver_name="Noor", receipt_email="noor@voorbeeld.example")
    started = begin(factory, initiative.id, gift)
    paid_at = factory.now + 5 * MINUTE

    booked = book(factory, checkout(started, charge_id="ch_1", method="ideal"), paid_at)

    payment, donation = payment_of(session, started), donation_of(session, started)
    assert booked == Booked(EventOutcome.APPLIED, payment.id, initiative.id)
    assert (payment.state, payment.paid_at, payment.refund_reason) == ("paid", paid_at, None)
    assert (payment.intent_id, payment.charge_id, payment.method) == (f"pi_of_{started.reference}", "ch_1", "ideal")
    assert (donation.state, donation.given_at) == ("confirmed", paid_at)
    assert booked_of(session, started) == RECEIVED
    assert total_of(session, initiative.id).cents == 1_000
    assert [gift.giver_name for gift in latest_gifts(session, initiative.id, 5)] == ["Noor"]
    assert session.scalars(select(OutgoingMail.recipient)).all() == ["noor@voorbeeld.example"]
    event = session.scalars(select(Event).where(Event.kind == "payment.paid")).one()
    assert (event.subject_id, event.details, event.reason) == (payment.id, None, None)
    assert check(session) == []


# What each saying makes of a payment in each state that it can be in before money goes back.
OUTCOMES = {
    ("created", "open"): "created",
    ("created", "waiting"): "created",
    ("created", "failed"): "failed",
    ("created", "expired"): "expired",
    ("created", "paid"): "paid",
    ("failed", "paid"): "paid",
    ("expired", "paid"): "paid",
}


@pytest.mark.parametrize("saying", SAYINGS)
@pytest.mark.parametrize("state", ["created", "failed", "expired", "paid"])
def test_what_is_said_moves_a_payment_by_the_table(
    session: Session, factory: Factory, initiative: Initiative, state: str, saying: str
) -> None:
    started = begin(factory, initiative.id)
    if state != "created":
        book(factory, checkout(started, state))
    before = booked_of(session, started)

    booked = book(factory, checkout(started, saying))

    payment = payment_of(session, started)
    expected = OUTCOMES.get((state, saying), state)
    assert payment.state == expected
    assert booked.outcome == (EventOutcome.APPLIED if expected != state else EventOutcome.NOTHING_NEW)
    assert (booked.confirmed_initiative_id is not None) == ((state, saying) == ("created", "paid"))
    if expected == state or expected != "paid":
        assert booked_of(session, started) == before
    else:
        assert booked_of(session, started) == (RECEIVED if state == "created" else LATE)
    assert check(session) == []


@pytest.mark.parametrize(
    "state", [state for state in PaymentState if state not in {"created", "failed", "expired", "paid"}]
)
def test_what_is_said_of_a_checkout_changes_nothing_once_its_money_is_on_its_way_back(
    session: Session, factory: Factory, initiative: Initiative, state: PaymentState
) -> None:
    started = begin(factory, initiative.id)
    book(factory, checkout(started))
    payment = payment_of(session, started)
    payment.state, payment.refund_reason, payment.dispute_id = state.value, "at_provider", "du_1"
    payment.returned_cents = 1_000 if state in {"refunded", "charged_back"} else 0
    payment.disputed_cents = 1_000 if state == "disputed" else 0
    session.flush()

    outcomes = {book(factory, checkout(started, saying)).outcome for saying in SAYINGS}

    assert outcomes == {EventOutcome.NOTHING_NEW}
    assert payment_of(session, started).state == state
    assert booked_of(session, started) == RECEIVED


@pytest.mark.parametrize("order", list(permutations(["waiting", "expired", "failed", "paid"])))
def test_in_whatever_order_we_hear_it_paid_is_paid_and_booked_once(
    session: Session, factory: Factory, initiative: Initiative, order: tuple[str, ...]
) -> None:
    started = begin(factory, initiative.id)

    for saying in order + order:
        book(factory, checkout(started, saying))

    first = next(saying for saying in order if saying != "waiting")
    is_late = first != "paid"
    assert payment_of(session, started).state == "paid"
    assert payment_of(session, started).refund_reason == ("late" if is_late else None)
    assert donation_of(session, started).state == ("failed" if is_late else "confirmed")
    assert booked_of(session, started) == (LATE if is_late else RECEIVED)
    assert check(session) == []


@pytest.mark.parametrize(
    "state", [InitiativeState.FUNDED, InitiativeState.STOPPED, InitiativeState.WITHDRAWN, InitiativeState.EXPIRED]
)
def test_money_that_lands_after_the_end_is_owed_to_its_giver_and_waits_to_go_back(
    session: Session, factory: Factory, initiative: Initiative, state: InitiativeState
) -> None:
    started = begin(factory, initiative.id)
    initiative.state = state.value
    session.flush()

    booked = book(factory, checkout(started), factory.now + DAY)

    payment = payment_of(session, started)
    assert (booked.outcome, booked.confirmed_initiative_id) == (EventOutcome.APPLIED, None)
    assert (payment.state, payment.refund_reason, donation_of(session, started).state) == ("paid", "late", "failed")
    assert booked_of(session, started) == LATE
    assert events_of(session) == ["payment.late"]
    assert total_of(session, initiative.id).cents == 0


def test_money_counts_on_the_last_day_and_is_late_on_the_day_after(session: Session, factory: Factory) -> None:
    initiative = factory.initiative(days_left=1)
    on_time, late = begin(factory, initiative.id), begin(factory, initiative.id)

    book(factory, checkout(on_time), factory.now + DAY)
    book(factory, checkout(late), factory.now + 2 * DAY)

    assert donation_of(session, on_time).state == "confirmed"
    assert donation_of(session, late).state == "failed"


def test_the_gift_that_reaches_the_target_funds_it_and_the_next_one_is_late(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    last = begin(factory, initiative.id, 5_000)
    meanwhile = begin(factory, initiative.id, 1_000, now=factory.now + 40 * MINUTE)
    book(factory, checkout(last))
    close_if_funded(session, initiative.id, actor=GIVER, now=factory.now)

    book(factory, checkout(meanwhile))

    assert initiative.state == "funded"
    assert payment_of(session, meanwhile).refund_reason == "late"
    assert total_of(session, initiative.id).cents == 5_000


@pytest.mark.parametrize("changes", [{"amount_cents": 999}, {"amount_cents": 100_000}, {"currency": "usd"}])
def test_a_wrong_amount_is_not_booked_and_finance_sees_both_sides(
    session: Session, factory: Factory, initiative: Initiative, changes: dict[str, int | str]
) -> None:
    started = begin(factory, initiative.id)

    outcomes = [book(factory, checkout(started, **changes)).outcome for _time in range(2)]

    assert outcomes == [EventOutcome.TASK, EventOutcome.NOTHING_NEW]
    assert payment_of(session, started).state == "created"
    assert donation_of(session, started).state == "pending"
    assert booked_of(session, started) == []
    (task,) = session.scalars(select(FinanceTask)).all()
    assert (task.kind, task.payment_id, task.external_id) == ("difference", started.payment_id, started.checkout_id)
    assert "€\u00a010" in task.ours
    assert ("USD" if "currency" in changes else "€") in task.theirs


def test_a_second_checkout_of_one_gift_that_is_paid_too_is_a_task(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    started = begin(factory, initiative.id)
    book(factory, checkout(started))

    unpaid = book(factory, checkout(started, "expired", id="cs_other"))
    paid = book(factory, checkout(started, id="cs_other", intent_id="pi_other"))

    assert (unpaid.outcome, paid.outcome) == (EventOutcome.NOTHING_NEW, EventOutcome.TASK)
    assert payment_of(session, started).checkout_id == started.checkout_id
    assert booked_of(session, started) == RECEIVED


def test_a_checkout_of_which_we_never_heard_back_is_recognised_by_its_reference(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    started = start_gift(session, initiative.id, money_gift(1_000), rules=factory.rules, actor=GIVER, now=factory.now)

    book(factory, checkout(started, id="cs_lost"))

    assert payment_of(session, started).checkout_id == "cs_lost"
    assert donation_of(session, started).state == "confirmed"


@pytest.mark.parametrize("reference", [None, "ABCDEFGHJK", "", "'; DROP TABLE payments"])
def test_a_checkout_that_is_not_ours_does_nothing(
    session: Session, factory: Factory, initiative: Initiative, reference: str | None
) -> None:
    started = begin(factory, initiative.id)

    booked = book(factory, checkout(started, reference=reference))

    assert booked == Booked(EventOutcome.NOT_OURS)
    assert payment_of(session, started).state == "created"


def test_what_is_told_later_of_a_payment_is_filled_in(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    started = begin(factory, initiative.id)
    book(factory, checkout(started))

    booked = book(factory, checkout(started, charge_id="ch_1", method="card"))

    payment = payment_of(session, started)
    assert (booked.outcome, payment.charge_id, payment.method) == (EventOutcome.NOTHING_NEW, "ch_1", "card")


def test_giving_up_waits_for_the_half_hour_and_never_ends_what_was_paid(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    over = factory.now + 31 * MINUTE
    waiting, paid = begin(factory, initiative.id), begin(factory, initiative.id)
    book(factory, checkout(paid))

    assert not give_up(session, waiting.payment_id, actor=TEST_ACTOR, now=factory.now)
    assert give_up(session, waiting.payment_id, actor=TEST_ACTOR, now=over)
    assert not give_up(session, waiting.payment_id, actor=TEST_ACTOR, now=over)
    assert not give_up(session, paid.payment_id, actor=TEST_ACTOR, now=over)

    assert (payment_of(session, waiting).state, donation_of(session, waiting).state) == ("expired", "failed")
    assert events_of(session) == ["payment.paid", "payment.expired"]


def test_waiting_longer_never_makes_the_wait_shorter(
    session: Session, factory: Factory, initiative: Initiative
) -> None:
    started = begin(factory, initiative.id)

    wait_longer(session, started.payment_id, until=factory.now)
    assert payment_of(session, started).reserved_until == started.reserved_until
    wait_longer(session, started.payment_id, until=factory.now + DAY)

    assert payment_of(session, started).reserved_until == factory.now + DAY


def test_a_gift_of_money_moves_by_the_table_only(session: Session, factory: Factory, initiative: Initiative) -> None:
    donation = donation_of(session, begin(factory, initiative.id))
    verbs = {
        DonationState.CONFIRMED: lambda: confirm_money_gift(session, donation.id, now=factory.now),
        DonationState.FAILED: lambda: fail_money_gift(session, donation.id),
        DonationState.RETURNED: lambda: return_money_gift(session, donation.id, now=factory.now),
    }

    for source in DonationState:
        for target, move in verbs.items():
            donation.state = source.value
            donation.returned_at = factory.now if source == DonationState.RETURNED else None
            session.flush()
            if target in TRANSITIONS[source]:
                move()
                assert donation.state == target
            else:
                with pytest.raises(InvalidTransition):
                    move()


def test_no_event_of_a_payment_names_its_giver(session: Session, factory: Factory, initiative: Initiative) -> None:
    gift = money_gift(1_000, giver_name="Noor Jansen", message="Hoi!", receipt_email="noor@voorbeeld.example")
    for status in ("paid", "failed", "expired"):
        started = begin(
            factory, initiative.id, money_gift(1_000, giver_name=gift.giver_name, receipt_email=gift.receipt_email)
        )
        book(factory, checkout(started, status))
    late = begin(factory, initiative.id, gift)
    stop(session, initiative.id, reason="Zo.", actor=TEST_ACTOR, now=factory.now)
    book(factory, checkout(late))

    told = session.scalars(select(Event).where(Event.subject == "payment")).all()

    assert events_of(session) == ["payment.paid", "payment.failed", "payment.expired", "payment.late"]
    assert not any("Noor" in f"{event.details}{event.reason}" or "@" in f"{event.details}" for event in told)
    assert session.scalar(select(func.count()).select_from(FinanceTask)) == 0
