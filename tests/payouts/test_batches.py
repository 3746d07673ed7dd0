# SPDX-License-Identifier: EUPL-1.2
"""A file for the bank: made by one of finance, released by another, handed out only then, each payout in one."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from abs_platform import clock, sealing
from abs_platform.clock import local_date
from abs_platform.database import transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, NotAllowed, NotFound
from abs_platform.events import Event
from abs_platform.finance.models import BooksCheck
from abs_platform.initiatives import service as initiatives
from abs_platform.initiatives.models import Organiser
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.queries import check
from abs_platform.payment_settings import BankAccount
from abs_platform.payouts import approving, batches
from abs_platform.payouts.models import Payout, PayoutBatch
from abs_platform.payouts.sepa import next_banking_day, read_file
from abs_platform.payouts.states import BATCH_TRANSITIONS, BatchState, PayoutState
from tests.concurrency.racing import at_once, committed
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.payouts.bank_desk import OUR_ACCOUNT, THEIR_IBAN, Desk


@pytest.fixture
def desk(factory: Factory) -> Desk:
    return Desk(factory)


@pytest.fixture
def own_desk(own_factory: Factory) -> Desk:
    return Desk(own_factory)


def break_books(session: Session, now: dt.datetime, breaches: int = 1) -> None:
    session.add(BooksCheck(checked_at=now, breach_count=breaches, breaches=None))
    session.flush()


def kinds(session: Session, batch_id: int) -> list[str]:
    query = select(Event.kind).where(Event.subject == "payout_batch", Event.subject_id == batch_id)
    return list(session.scalars(query.order_by(Event.id)))


def take(desk: Desk, batch_id: int, by: str = "Roos") -> batches.BatchFile:
    return batches.download(desk.session, batch_id, secret_key=SECRET_KEY, user=desk.user(by), now=desk.now)


def cancel(desk: Desk, batch_id: int, *, reason: str = "Verkeerde dag.", sure: bool = False, by: str = "Mia") -> None:
    batches.cancel(desk.session, batch_id, reason=reason, is_surely_not_executed=sure, user=desk.user(by), now=desk.now)


def test_a_file_is_made_released_by_another_and_then_taken_as_it_was_made(desk: Desk) -> None:
    payouts = [desk.approved(holder="Café 't Plein"), desk.approved(cents=2_000)]

    batch_id = desk.made(*payouts)
    made = desk.batch(batch_id)
    assert (made.state, made.payout_count, made.sum_cents) == (BatchState.MADE, 2, 7_250)
    assert made.execution_on == next_banking_day(local_date(desk.now))
    assert {desk.again(one).state for one in payouts} == {PayoutState.EXPORTED}
    desk.release(batch_id)
    first, second = take(desk, batch_id), take(desk, batch_id, by="Mia")

    assert first.content == second.content
    assert hashlib.sha256(first.content).hexdigest() == desk.batch(batch_id).sha256 == first.sha256
    order = read_file(first.content)
    assert (order.count, order.sum_cents, order.message_id) == (2, 7_250, made.message_id)
    assert {(one.end_to_end_id, one.iban) for one in order.transfers} == {
        (one.end_to_end_id, THEIR_IBAN) for one in payouts
    }
    assert THEIR_IBAN.encode() not in made.sealed_file
    downloads = ["payout_batch.downloaded"] * 2
    assert kinds(desk.session, batch_id) == ["payout_batch.made", "payout_batch.released", *downloads]


def test_who_made_a_file_does_not_release_it_and_the_database_refuses_it_too(desk: Desk) -> None:
    batch_id = desk.made(desk.approved())

    with pytest.raises(NotAllowed, match="collega"):
        desk.release(batch_id, by="Mia")
    sql = (
        "UPDATE payout_batches SET state = 'released', released_at = now(), released_by_id = made_by_id WHERE id = :id"
    )
    with pytest.raises(IntegrityError, match="released_by_another"), desk.session.begin_nested():
        desk.session.execute(text(sql), {"id": batch_id})

    assert desk.batch(batch_id).state == BatchState.MADE


@pytest.mark.parametrize("column", ["sealed_file = ''", "sha256 = repeat('0', 64)", "sum_cents = 1", "made_by_id = 1"])
def test_the_database_keeps_what_was_made(desk: Desk, column: str) -> None:
    batch_id = desk.made(desk.approved())

    with pytest.raises(IntegrityError, match="append only"), desk.session.begin_nested():
        desk.session.execute(text(f"UPDATE payout_batches SET {column} WHERE id = :id"), {"id": batch_id})


@pytest.mark.parametrize("by_email", [True, False])
def test_an_organiser_who_works_at_finance_has_no_hand_in_it(desk: Desk, *, by_email: bool) -> None:
    payout, cem = desk.approved(), desk.user("Cem")
    values = {"email": cem.email} if by_email else {"account_id": cem.account_id}
    co = select(Organiser).where(Organiser.initiative_id == payout.initiative_id, Organiser.role == "co_organiser")
    organiser = desk.session.scalars(co.order_by(Organiser.id)).all()[0]
    for name, value in values.items():
        setattr(organiser, name, value)
    desk.session.flush()

    with pytest.raises(NotAllowed, match="organiseert"):
        desk.made(payout, by="Cem")
    batch_id = desk.made(payout)
    with pytest.raises(NotAllowed, match="organiseert"):
        desk.release(batch_id, by="Cem")
    desk.release(batch_id)
    with pytest.raises(NotAllowed, match="organiseert"):
        take(desk, batch_id, by="Cem")
    with pytest.raises(NotAllowed, match="organiseert"):
        cancel(desk, batch_id, sure=True, by="Cem")


def test_while_the_books_are_broken_nothing_is_made_released_or_handed_out(desk: Desk) -> None:
    payout, batch_id = desk.approved(), desk.made(desk.approved())
    break_books(desk.session, desk.now)

    with pytest.raises(Conflict, match="boeken"):
        desk.made(payout)
    with pytest.raises(Conflict, match="boeken"):
        desk.release(batch_id)
    break_books(desk.session, desk.now, breaches=0)
    desk.release(batch_id)
    break_books(desk.session, desk.now)
    with pytest.raises(Conflict, match="boeken"):
        take(desk, batch_id)

    assert desk.again(payout).state == PayoutState.APPROVED


def test_only_approved_payouts_that_are_in_no_other_file_go_into_one(desk: Desk) -> None:
    payout = desk.approved()
    desk.made(payout)

    with pytest.raises(Conflict, match="veranderd"):
        desk.made(payout)
    with pytest.raises(InvalidInput):
        desk.made()
    with pytest.raises(NotFound):
        batches.make_batch(
            desk.session,
            [payout.id, 999_999],
            account=OUR_ACCOUNT,
            secret_key=SECRET_KEY,
            user=desk.user("Mia"),
            now=desk.now,
        )
    with pytest.raises(Conflict, match="niet ingesteld"):
        desk.made(desk.approved(), account=None)


def test_an_initiative_that_was_stopped_is_not_paid_also_not_after_its_file_was_made(desk: Desk) -> None:
    first, second = desk.approved(), desk.approved()
    batch_id = desk.made(second)
    for payout in (first, second):
        stopped = {"reason": "Mag niet.", "actor": TEST_ACTOR, "now": desk.now}
        initiatives.stop(desk.session, payout.initiative_id, **stopped)

    with pytest.raises(Conflict, match="wordt niet betaald"):
        desk.made(first)
    with pytest.raises(Conflict, match="wordt niet betaald"):
        desk.release(batch_id)


def test_a_payout_that_is_more_than_the_books_hold_is_not_paid(desk: Desk) -> None:
    payout, made = desk.approved(), desk.approved()
    batch_id = desk.made(made)
    desk.session.execute(text("UPDATE payouts SET amount_cents = amount_cents + 1"))

    with pytest.raises(Conflict, match="te weinig"):
        desk.made(payout)
    with pytest.raises(Conflict, match="te weinig"):
        desk.release(batch_id)


@pytest.mark.parametrize("change", ["another account number", "another name", "less money", "another key", "our iban"])
def test_a_payout_that_was_changed_behind_the_file_keeps_it_from_being_released(desk: Desk, change: str) -> None:
    payout = desk.approved()
    batch_id = desk.made(payout)
    owner, other = str(payout.initiative_id), b"NL91ABNA0417164300"
    key, account = SECRET_KEY, OUR_ACCOUNT
    if change == "another account number":
        payout.iban_sealed = sealing.seal(SECRET_KEY, "iban", owner, other)
    elif change == "another name":
        payout.holder_name = "Iemand anders"
    elif change == "less money":
        payout.amount_cents -= 1
    elif change == "another key":
        key = "some other key"
    else:
        account = BankAccount(iban="NL91ABNA0417164300", holder="Gemeente")
    desk.session.flush()

    with pytest.raises(Conflict):
        batches.release(desk.session, batch_id, account=account, secret_key=key, user=desk.user("Roos"), now=desk.now)

    assert desk.batch(batch_id).state == BatchState.MADE


def test_a_file_whose_day_has_passed_is_not_released(desk: Desk) -> None:
    batch_id = desk.made(desk.approved())
    day_after = clock.start_of_day(desk.batch(batch_id).execution_on + dt.timedelta(days=1))

    with pytest.raises(Conflict, match="voorbij"):
        desk.release(batch_id, now=day_after)
    desk.release(batch_id, now=day_after - dt.timedelta(seconds=1))

    assert desk.batch(batch_id).state == BatchState.RELEASED


def test_before_it_is_released_nobody_gets_the_file_and_after_it_was_taken_back_neither(desk: Desk) -> None:
    batch_id = desk.made(desk.approved())

    with pytest.raises(Conflict, match="niet vrijgegeven"):
        take(desk, batch_id)
    cancel(desk, batch_id)
    with pytest.raises(Conflict, match="niet vrijgegeven"):
        take(desk, batch_id)
    with pytest.raises(NotFound):
        take(desk, 999_999)


def test_a_file_is_taken_back_with_a_reason_and_its_payouts_go_into_another(desk: Desk) -> None:
    payout = desk.approved()
    batch_id = desk.made(payout)

    with pytest.raises(InvalidInput) as refusal:
        cancel(desk, batch_id, reason="  ")
    assert set(refusal.value.fields) == {"reason"}
    cancel(desk, batch_id)

    again = desk.again(payout)
    assert (again.state, again.batch_id) == (PayoutState.APPROVED, None)
    assert desk.batch(batch_id).remark == "Verkeerde dag."
    desk.released(payout)
    assert desk.again(payout).state == PayoutState.EXPORTED


def test_a_released_file_is_taken_back_only_when_the_bank_surely_does_not_execute_it(desk: Desk) -> None:
    batch_id = desk.released(desk.approved())

    with pytest.raises(InvalidInput) as refusal:
        cancel(desk, batch_id)
    assert set(refusal.value.fields) == {"is_surely_not_executed"}
    cancel(desk, batch_id, sure=True)

    assert desk.batch(batch_id).state == BatchState.CANCELLED


def test_a_file_of_which_something_was_paid_is_not_taken_back_and_it_ends_with_its_last_payout(desk: Desk) -> None:
    first, second = desk.approved(), desk.approved()
    batch_id = desk.released(first, second)
    by_hand = {"reason": "Gezien bij de bank.", "user": desk.user("Roos"), "now": desk.now}

    approving.pay_by_hand(desk.session, first.id, paid_on=local_date(desk.now), **by_hand)
    with pytest.raises(Conflict, match="al een uitbetaling"):
        cancel(desk, batch_id, sure=True)
    assert desk.batch(batch_id).state == BatchState.RELEASED
    approving.bounce_by_hand(desk.session, second.id, **by_hand)

    assert desk.batch(batch_id).state == BatchState.SETTLED
    assert kinds(desk.session, batch_id)[-1] == "payout_batch.settled"
    assert check(desk.session) == []


STEPS: dict[str, tuple[BatchState, Callable[[Desk, int], object]]] = {
    "release": (BatchState.RELEASED, lambda desk, batch_id: desk.release(batch_id)),
    "cancel": (BatchState.CANCELLED, lambda desk, batch_id: cancel(desk, batch_id, sure=True)),
}


@pytest.mark.parametrize("state", list(BatchState), ids=str)
def test_every_step_that_is_not_in_the_life_of_a_file_is_refused(desk: Desk, state: BatchState) -> None:
    payout = desk.approved()
    batch_id = desk.made(payout)
    if state in {BatchState.RELEASED, BatchState.SETTLED}:
        desk.release(batch_id)
    if state == BatchState.SETTLED:
        approving.mark_paid(
            desk.session, payout.id, paid_on=local_date(desk.now), actor=TEST_ACTOR, now=desk.now, paid_note="Gezien."
        )
    if state == BatchState.CANCELLED:
        cancel(desk, batch_id)
    assert desk.batch(batch_id).state == state
    reached = set()

    for target, verb in STEPS.values():
        savepoint = desk.session.begin_nested()
        try:
            verb(desk, batch_id)
            assert desk.batch(batch_id).state == target
            reached.add(target)
        except Conflict:
            pass
        savepoint.rollback()

    assert reached == BATCH_TRANSITIONS[state] - {BatchState.SETTLED}


def test_two_of_finance_who_make_a_file_with_the_same_payout_at_once_make_one(own_app: Flask, own_desk: Desk) -> None:
    shared, mine, yours = (own_desk.approved() for _number in range(3))
    chosen = [[shared.id, mine.id], [yours.id, shared.id]]
    users = [own_desk.user("Mia"), own_desk.user("Roos")]
    own_desk.session.commit()

    outcomes = at_once(
        [
            committed(
                own_app,
                lambda session, ids=ids, user=user: batches.make_batch(  # type: ignore[misc]
                    session, ids, account=OUR_ACCOUNT, secret_key=SECRET_KEY, user=user, now=own_desk.now
                ),
            )
            for ids, user in zip(chosen, users, strict=True)
        ]
    )

    assert sorted(isinstance(one, AbsError) for one in outcomes) == [False, True]
    session = own_desk.session
    session.expire_all()
    assert session.scalar(select(func.count()).select_from(PayoutBatch)) == 1
    batch = session.scalars(select(PayoutBatch)).one()
    held = session.scalars(select(Payout.amount_cents).where(Payout.batch_id == batch.id)).all()
    assert (len(held), sum(held)) == (batch.payout_count, batch.sum_cents)


def test_releasing_and_taking_back_at_once_ends_as_one_of_both(own_app: Flask, own_desk: Desk) -> None:
    payout = own_desk.approved()
    batch_id = own_desk.made(payout)
    roos, mia = own_desk.user("Roos"), own_desk.user("Mia")
    own_desk.session.commit()

    def release(session: Session) -> None:
        batches.release(session, batch_id, account=OUR_ACCOUNT, secret_key=SECRET_KEY, user=roos, now=own_desk.now)

    def take_back(session: Session) -> None:
        batches.cancel(session, batch_id, reason="Nee.", is_surely_not_executed=False, user=mia, now=own_desk.now)

    outcomes = at_once([committed(own_app, release), committed(own_app, take_back)])

    own_desk.session.expire_all()
    state, of_payout = own_desk.batch(batch_id).state, own_desk.again(payout).state
    assert sum(isinstance(one, AbsError) for one in outcomes) == 1
    assert (state, of_payout) in {
        (BatchState.RELEASED, PayoutState.EXPORTED),
        (BatchState.CANCELLED, PayoutState.APPROVED),
    }


def test_a_crash_while_making_or_releasing_leaves_all_as_it_was(own_app: Flask, own_desk: Desk) -> None:
    payout, made = own_desk.approved(), own_desk.approved()
    batch_id = own_desk.made(made)
    mia, roos, now = own_desk.user("Mia"), own_desk.user("Roos"), own_desk.now
    own_desk.session.commit()
    common = {"account": OUR_ACCOUNT, "secret_key": SECRET_KEY, "now": now}

    def crash_after(verb: Callable[[Session], object]) -> None:
        with own_app.app_context(), transaction() as session:
            verb(session)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash_after(lambda session: batches.make_batch(session, [payout.id], user=mia, **common))
    with pytest.raises(KeyboardInterrupt):
        crash_after(lambda session: batches.release(session, batch_id, user=roos, **common))

    own_desk.session.expire_all()
    assert own_desk.again(payout).state == PayoutState.APPROVED
    assert own_desk.batch(batch_id).state == BatchState.MADE
    assert own_desk.session.scalar(select(func.count()).select_from(PayoutBatch)) == 1
    own_desk.release(batch_id)
    own_desk.made(payout)
    assert own_desk.batch(batch_id).state == BatchState.RELEASED


def test_a_payout_of_an_initiative_that_was_realised_is_still_paid(desk: Desk) -> None:
    initiative = desk.factory.initiative(InitiativeState.REALISED, target_cents=5_250)

    desk.released(desk.approved(initiative))
