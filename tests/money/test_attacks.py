# SPDX-License-Identifier: EUPL-1.2
"""Attacks on the money that worked once: paid twice, past the second pair of eyes, or booked on somebody else."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from abs_platform.accounts.leaving import delete_account
from abs_platform.clock import local_date
from abs_platform.demo.bank_statement import BankLine, statement_file
from abs_platform.donations.service import forget_addresses
from abs_platform.errors import Conflict, NotAllowed
from abs_platform.finance import export, settling
from abs_platform.finance.models import FinanceTask
from abs_platform.finance.states import Settlement, TaskKind
from abs_platform.initiatives import service as initiatives
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.subjects import subject_of
from abs_platform.ledger.queries import check
from abs_platform.payments.booking import give_up
from abs_platform.payments.schemas import load_gift
from abs_platform.payouts import approving, batches, queries, statements
from abs_platform.payouts.models import BankStatement, Payout
from abs_platform.payouts.queries import balance_of
from abs_platform.payouts.returning import book_return
from abs_platform.payouts.states import PayoutState
from abs_platform.payouts.warnings import warnings_of
from abs_platform.users import Role, User
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.payments.gifts import begin, deliver, donation_of, money_gift
from tests.payments.going_back import Bank
from tests.payouts.bank_desk import OUR_ACCOUNT, Desk
from tests.stand_in import StandIn

DAY = dt.date(2026, 11, 23)
BOOKED = dt.datetime(2026, 11, 23, 18, 0, tzinfo=dt.UTC)


@pytest.fixture
def desk(factory: Factory) -> Desk:
    return Desk(factory)


@pytest.fixture
def bank(paying_app: Flask, session: Session, factory: Factory, stand_in: StandIn) -> Bank:
    assert session
    return Bank(paying_app, factory, stand_in)


def line(payout: Payout, *, is_credit: bool = False, name: str = "") -> BankLine:
    """The bank paid it, or it came back."""
    return BankLine(
        end_to_end_id=payout.end_to_end_id,
        amount_cents=payout.amount_cents,
        booked_on=DAY,
        reference=f"{'RET' if is_credit else 'REF'}{payout.id}{name}",
        is_credit=is_credit,
    )


def take_in(desk: Desk, *lines: BankLine, number: str = "A1", in_one_line: str = "") -> tuple[int, int]:
    """A statement of the bank; how many lines agree with ours and how many do not."""
    content = statement_file([[one] for one in lines], iban=OUR_ACCOUNT.iban, number=number, created_at=BOOKED)
    if in_one_line:  # the bank books the whole file at once, and names only that
        start, end = content.index(b"<TxDtls>"), content.index(b"</NtryDtls>")
        content = content[:start] + f"<Btch><PmtInfId>{in_one_line}</PmtInfId></Btch>".encode() + content[end:]
    made = statements.take_in(desk.session, content, account=OUR_ACCOUNT, user=desk.user("Mia"), now=desk.now)
    desk.session.expire_all()
    found = desk.session.get_one(BankStatement, made)
    return found.matched_count, found.differing_count


def bounce(desk: Desk, payout: Payout, by: str = "Frits") -> None:
    approving.bounce_by_hand(desk.session, payout.id, reason="Teruggekomen.", user=desk.user(by), now=desk.now)


def cancel(desk: Desk, batch_id: int) -> None:
    batches.cancel(
        desk.session,
        batch_id,
        reason="Vergissing.",
        is_surely_not_executed=True,
        user=desk.user("Mia"),
        now=desk.now,
    )


def settle_tasks(desk: Desk) -> None:
    """Somebody looked at everything."""
    user = desk.user("Roos")
    for task in desk.session.scalars(select(FinanceTask).where(FinanceTask.settled_at.is_(None))).all():
        settling.settle(
            desk.session,
            task.id,
            Settlement.NOTE,
            "Nagevraagd bij de bank.",
            rules=desk.factory.rules,
            by_id=user.account_id,
            actor=user.actor(),
            now=desk.now,
        )


# -- one of finance alone, who lets a payout be paid twice ---------------------------------------------------------


def test_what_lies_in_a_file_that_was_not_released_does_not_come_back_from_the_bank(desk: Desk) -> None:
    payout = desk.approved()
    desk.made(payout)

    with pytest.raises(Conflict, match="niet vrijgegeven"):
        bounce(desk, payout)

    assert desk.again(payout).state == PayoutState.EXPORTED


def test_a_file_with_a_payout_that_ended_is_not_released(desk: Desk) -> None:
    payout = desk.approved()
    batch_id = desk.made(payout)
    approving.mark_bounced(desk.session, payout.id, reason="Zomaar.", actor=TEST_ACTOR, now=desk.now)

    with pytest.raises(Conflict, match="intussen veranderd"):
        desk.release(batch_id)


def test_that_the_bank_paid_what_was_said_to_have_come_back_is_a_task(desk: Desk) -> None:
    (payout,) = desk.at_the_bank()
    bounce(desk, payout)

    assert take_in(desk, line(payout)) == (0, 1)

    task = desk.session.scalars(select(FinanceTask).where(FinanceTask.kind == "statement")).one()
    assert (task.payout_id, task.settled_at) == (payout.id, None)
    assert "de bank heeft betaald" in task.theirs


def test_what_came_back_by_hand_and_by_the_statement_agrees(desk: Desk) -> None:
    (payout,) = desk.at_the_bank()
    bounce(desk, payout)

    assert take_in(desk, line(payout), line(payout, is_credit=True)) == (2, 0)

    assert balance_of(desk.session, payout.initiative_id) == payout.amount_cents
    assert check(desk.session) == []


def test_a_payout_that_came_back_by_one_word_is_free_again_by_the_word_of_a_colleague_only(desk: Desk) -> None:
    (payout,) = desk.at_the_bank()
    initiative = desk.session.get_one(Initiative, payout.initiative_id)
    bounce(desk, payout, by="Frits")
    (task,) = desk.session.scalars(select(FinanceTask)).all()

    def settle(name: str) -> None:
        user = desk.user(name)
        settling.settle(
            desk.session,
            task.id,
            Settlement.NOTE,
            "Gezien.",
            rules=desk.factory.rules,
            by_id=user.account_id,
            actor=user.actor(),
            now=desk.now,
        )

    assert queries.at_the_bank(desk.session, initiative.id)
    with pytest.raises(Conflict, match="Financiën kijkt er eerst naar"):
        desk.approved(initiative)
    with pytest.raises(NotAllowed, match="collega"):
        settle("Frits")
    assert task.settled_at is None

    settle("Mia")

    assert not queries.at_the_bank(desk.session, initiative.id)
    assert desk.approved(initiative)


@pytest.mark.parametrize("is_seen", [True, False])
def test_who_approves_the_next_payout_sees_that_one_came_back_by_word_of_mouth(desk: Desk, *, is_seen: bool) -> None:
    (first,) = desk.at_the_bank()
    if is_seen:
        take_in(desk, line(first), line(first, is_credit=True))
    else:
        bounce(desk, first)
        settle_tasks(desk)
    initiative = desk.session.get_one(Initiative, first.initiative_id)
    view = queries.find(desk.session, desk.approved(initiative).id)
    assert view is not None

    subject = subject_of(desk.session, initiative.id)
    said = warnings_of(desk.session, view, subject, user=desk.user("Mia"), rules=desk.factory.rules)

    assert any("met de hand op 'teruggekomen'" in sentence for sentence in said) != is_seen


def test_what_the_bank_paid_from_a_file_that_was_taken_back_is_paid_and_somebody_looks(desk: Desk) -> None:
    payout = desk.approved()
    cancel(desk, desk.released(payout))

    assert take_in(desk, line(payout)) == (1, 0)

    assert payout.state == PayoutState.PAID
    assert [task.kind for task in desk.session.scalars(select(FinanceTask))] == [TaskKind.STATEMENT]
    assert check(desk.session) == []
    with pytest.raises(Conflict):
        desk.made(payout)


def test_what_the_bank_paid_in_one_line_of_a_file_that_was_taken_back_is_in_no_other_file_until_somebody_looked(
    desk: Desk,
) -> None:
    payout = desk.approved()
    batch_id = desk.released(payout)
    cancel(desk, batch_id)
    assert take_in(desk, line(payout), in_one_line=desk.batch(batch_id).message_id) == (0, 1)

    with pytest.raises(Conflict, match="afschrift"):
        desk.made(payout)

    settle_tasks(desk)
    assert desk.made(payout)


def test_a_file_for_an_initiative_that_was_stopped_is_handed_out_no_more(desk: Desk) -> None:
    payout = desk.approved()
    batch_id = desk.released(payout)
    initiatives.stop(desk.session, payout.initiative_id, reason="Fraude.", actor=TEST_ACTOR, now=desk.now)

    with pytest.raises(Conflict, match="niet betaald"):
        batches.download(desk.session, batch_id, secret_key=SECRET_KEY, user=desk.user("Mia"), now=desk.now)


@pytest.mark.parametrize("step", ["make", "release"])
def test_who_confirmed_a_payout_at_the_desk_has_no_hand_in_its_file(desk: Desk, step: str) -> None:
    payout = desk.approved()
    sanne = desk.user("Sanne")
    desk.users["Sanne"] = User(
        account_id=sanne.account_id, email=sanne.email, name=sanne.name, roles=sanne.roles | {Role.FINANCE}
    )
    acts: dict[str, Callable[[], object]] = {
        "make": lambda: desk.made(payout, by="Sanne"),
        "release": lambda: desk.release(desk.made(payout), by="Sanne"),
    }

    with pytest.raises(NotAllowed, match="al in handen"):
        acts[step]()


# -- money that came back twice ------------------------------------------------------------------------------------


def paid_and_partly_returned(desk: Desk) -> Payout:
    (payout,) = desk.at_the_bank()
    today, frits = local_date(desk.now), desk.user("Frits")
    approving.pay_by_hand(desk.session, payout.id, paid_on=today, reason="Gezien.", user=frits, now=desk.now)
    book_return(
        desk.session,
        payout.initiative_id,
        amount_cents=2_000,
        received_on=today,
        note="",
        form_key=str(uuid.uuid4()),
        user=frits,
        now=desk.now,
    )
    return payout


def test_a_payout_of_which_a_part_was_returned_does_not_come_back_as_well(desk: Desk) -> None:
    payout = paid_and_partly_returned(desk)

    with pytest.raises(Conflict, match="stortte hier al van terug"):
        bounce(desk, payout)
    assert take_in(desk, line(payout), line(payout, is_credit=True)) == (1, 1)

    assert desk.again(payout).state == PayoutState.PAID
    assert check(desk.session) == []


# -- somebody else with a key of the same account at the provider --------------------------------------------------


def test_a_refund_of_another_payment_that_names_our_gift_leaves_that_gift_alone(bank: Bank) -> None:
    initiative: Initiative = bank.factory.initiative()
    gift = bank.give(initiative)
    copied = {"platform": "abs", "reference": gift.reference}
    about = {"id": "re_strange", "object": "refund", "status": "succeeded", "amount": 1_000, "created": 1}
    payload, signature = bank.stand_in.event(
        "refund.created", about | {"payment_intent": "pi_strange", "charge": "ch_strange", "metadata": copied}
    )

    assert deliver(bank.app, payload, signature) == 200

    bank.session.expire_all()
    assert bank.seen(gift) == ("paid", "confirmed", 0)
    assert balance_of(bank.session, initiative.id) == 1_000


# -- with cards of somebody else to the own bank account -----------------------------------------------------------


@pytest.mark.parametrize("is_won", [None, True, False])
def test_who_approves_sees_that_banks_claim_gifts_back(bank: Bank, desk: Desk, *, is_won: bool | None) -> None:
    initiative = bank.factory.initiative(target_cents=5_250)
    gift = bank.give(initiative, 1_000)
    claim = bank.stand_in.dispute(bank.intent(gift))
    bank.hear()
    bank.factory.fund(initiative)
    if is_won is not None:
        bank.stand_in.close_dispute(claim["id"], won=is_won)
        bank.hear()
    view = queries.find(bank.session, desk.approved(initiative, cents=1_000).id)
    assert view is not None

    subject = subject_of(bank.session, initiative.id)
    said = warnings_of(bank.session, view, subject, user=desk.user("Mia"), rules=bank.factory.rules)

    assert any("Banken vragen" in sentence and "10" in sentence for sentence in said) == (is_won is not True)


# -- what somebody types -------------------------------------------------------------------------------------------


def test_a_name_of_a_giver_is_one_line_so_that_no_mail_says_what_somebody_made_up(app: Flask) -> None:
    name = "Truus\r\n\r\nBel nu 0900-1234"
    typed = {"amount": "5", "idempotency_key": str(uuid.uuid4()), "organisation_name": name, "giver_name": name}

    with app.test_request_context():
        gift = load_gift(typed)

    assert gift.organisation_name == gift.giver_name == "Truus Bel nu 0900-1234"


@pytest.mark.parametrize("words", [" =1+1", "\n=1+1", "\xa0@SUM(A1)", "\uff1dHYPERLINK(1)", "|cmd", "%0A"])
def test_no_blank_and_no_wide_sign_hides_a_formula(words: str) -> None:
    assert export.guarded(words) == f"'{words}"


def test_the_address_of_who_never_paid_is_forgotten(session: Session, factory: Factory) -> None:
    started = begin(factory, factory.initiative().id, money_gift(giver_email="truus@mail.example"))
    give_up(session, started.payment_id, actor=TEST_ACTOR, now=started.reserved_until)

    forget_addresses(session, factory.now + dt.timedelta(days=29))
    session.expire_all()
    assert donation_of(session, started).giver_email == "truus@mail.example"
    forget_addresses(session, factory.now + dt.timedelta(days=31))
    session.expire_all()
    assert donation_of(session, started).giver_email is None


# -- who leaves ----------------------------------------------------------------------------------------------------


def test_with_the_account_the_name_goes_from_gifts_of_which_only_a_receipt_was_asked(
    session: Session, factory: Factory
) -> None:
    account = factory.account("noor@voorbeeld.example")
    gift = money_gift(giver_name="Noor Jansen", receipt_email="noor@voorbeeld.example")
    own = begin(factory, factory.initiative().id, gift)
    other = begin(factory, factory.initiative().id, money_gift(giver_name="Truus", receipt_email="truus@mail.example"))

    assert delete_account(session, account.id, actor=TEST_ACTOR, now=factory.now)

    session.expire_all()
    assert (donation_of(session, own).giver_name, donation_of(session, other).giver_name) == (None, "Truus")
