# SPDX-License-Identifier: EUPL-1.2
"""The demo loads whole, also just after midnight on a Monday after the holidays, and then looks like a working day."""

import datetime as dt
from collections import Counter
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.accountability.models import Accountability, CostReceipt
from abs_platform.accountability.states import AccountabilityState
from abs_platform.accounts.models import Absence, Account, DeskAssignment, VerifiedAddress
from abs_platform.clock import local_date
from abs_platform.demo.loading import bank_file, is_loaded, load
from abs_platform.demo.people import demo_organisers, demo_residents, demo_staff
from abs_platform.donations.models import Donation
from abs_platform.donations.states import DonationKind
from abs_platform.errors import Conflict
from abs_platform.finance.models import BooksCheck, FinanceTask
from abs_platform.finance.states import TaskKind
from abs_platform.help_offers.models import HelpOffer
from abs_platform.initiatives.models import Initiative, Organiser, Revision
from abs_platform.initiatives.states import InitiativeState, RevisionKind
from abs_platform.ledger.queries import check
from abs_platform.moderation.models import Decision, DecisionDraft, DeskNote
from abs_platform.moderation.queue import Filters, Queue, waiting
from abs_platform.moderation.states import DecisionKind, WaitingKind
from abs_platform.outbox import MailState, OutgoingMail
from abs_platform.payments.models import Payment, ProviderEntry
from abs_platform.payments.reconciling import held_cents
from abs_platform.payments.states import PaymentState, RefundReason
from abs_platform.payouts import paybacks
from abs_platform.payouts.models import Payout, PayoutBatch, UnspentReturn
from abs_platform.payouts.states import BatchState, PayoutState
from jobs import reconcile_payments
from tests.demo.conftest import NOW
from tests.page import Browser
from tests.stand_in import BANK_ACCOUNT, StandIn

NEVER_SENT = {InitiativeState.DRAFT.value}


@pytest.fixture
def queue(town: Flask, loaded: Session) -> Queue:
    return waiting(loaded, Filters(), now=NOW, days=town.extensions["settings"].rules.answer_working_days)


def test_every_state_of_an_initiative_is_there(loaded: Session) -> None:
    assert is_loaded(loaded)
    assert set(loaded.scalars(select(Initiative.state))) == {state.value for state in InitiativeState}


def test_everything_that_can_wait_waits_and_nothing_late_is_hidden(queue: Queue) -> None:
    assert queue.counts.kinds == {
        WaitingKind.SUBMITTED.value: 14,
        WaitingKind.CHANGE.value: 3,
        WaitingKind.MESSAGE.value: 4,
        WaitingKind.ACCOUNTABILITY.value: 2,
        WaitingKind.REPORT.value: 1,
        WaitingKind.PAYOUT.value: 2,
        WaitingKind.LARGE_BATCH.value: 1,
        WaitingKind.OBJECTION.value: 1,
    }
    assert queue.counts.late == sum(item.is_late for item in queue.page.items) == 2


def test_every_desk_has_work_and_some_of_it_was_taken_up(loaded: Session, queue: Queue) -> None:
    assert set(queue.counts.desks) == set(loaded.scalars(select(DeskAssignment.area_id)))
    assert len({item.handler for item in queue.page.items if item.handler}) >= 3
    assert any(not item.handler for item in queue.page.items)


def test_somebody_is_absent_today_and_has_a_stand_in(loaded: Session) -> None:
    absence = loaded.scalars(select(Absence)).one()

    assert absence.starts_on <= local_date(NOW) <= absence.ends_on


def test_decisions_of_every_kind_were_given_by_staff_on_their_day(loaded: Session) -> None:
    decisions = loaded.scalars(select(Decision)).all()
    deciders = set(loaded.scalars(select(DeskAssignment.account_id)))

    assert {decision.kind for decision in decisions} == {kind.value for kind in DecisionKind}
    assert {decision.decided_by_id for decision in decisions} <= deciders
    assert all(decision.decided_at < NOW for decision in decisions)
    assert loaded.scalar(select(func.count()).select_from(DecisionDraft)) == 1
    assert loaded.scalar(select(func.count()).select_from(DeskNote)) >= 5


def test_what_was_sent_answers_the_rules_check(loaded: Session) -> None:
    sent = select(Initiative.id).where(Initiative.state.not_in(NEVER_SENT))
    answered = select(Revision.initiative_id).where(
        Revision.kind == RevisionKind.SUBMITTED.value, Revision.content["rule_answers"]["stays"].astext != ""
    )

    assert set(loaded.scalars(sent)) <= set(loaded.scalars(answered))


def test_every_organiser_has_an_account_with_the_name_and_some_addresses_are_verified(loaded: Session) -> None:
    rows = loaded.execute(
        select(Organiser.name, Account.name, Organiser.confirmed_at).outerjoin(
            Account, Account.id == Organiser.account_id
        )
    ).all()

    unconfirmed = [row for row in rows if row.confirmed_at is None]
    verified = loaded.scalar(select(func.count()).select_from(VerifiedAddress)) or 0

    assert len(unconfirmed) == 1
    assert all(row[0] == row[1] for row in rows if row.confirmed_at is not None)
    assert 10 <= verified < len(rows) / 3


def test_accountabilities_are_in_every_state_with_their_receipts(loaded: Session) -> None:
    states = Counter(loaded.scalars(select(Accountability.state)))

    assert set(states) == {state.value for state in AccountabilityState}
    assert states[AccountabilityState.APPROVED.value] == 12
    assert (loaded.scalar(select(func.count()).select_from(CostReceipt)) or 0) > 40


def test_help_waits_was_accepted_and_was_thanked_for(loaded: Session) -> None:
    assert set(loaded.scalars(select(HelpOffer.state))) == {"offered", "accepted", "thanked"}


def test_no_mail_waits_and_none_is_older_than_mails_are_kept(loaded: Session) -> None:
    states = Counter(loaded.scalars(select(OutgoingMail.state)))
    oldest = loaded.scalars(select(func.min(OutgoingMail.queued_at))).one()

    assert set(states) == {MailState.SENT.value}
    assert 40 <= states[MailState.SENT.value] < 1_000
    assert oldest > NOW - dt.timedelta(days=30)


def test_the_page_of_who_one_can_be_has_staff_an_organiser_per_state_and_residents(
    town: Flask, loaded: Session
) -> None:
    staff = demo_staff(loaded, secret_key=town.extensions["settings"].secret_key, now=NOW)
    residents = demo_residents(loaded, most=2)

    assert len(staff) == 8
    assert len(demo_organisers(loaded)) == len(InitiativeState)
    assert len(residents) == 2
    assert all(resident.questions and resident.offers for resident in residents)


# -- money ----------------------------------------------------------------------------------------------------------


def test_every_cent_is_accounted_for_and_that_was_proved(loaded: Session) -> None:
    assert check(loaded, jobs_have_run=True) == []
    assert loaded.scalars(select(BooksCheck.breach_count)).all() == [0]


def test_gifts_of_money_are_in_every_state_by_people_and_organisations(loaded: Session) -> None:
    states = Counter(loaded.scalars(select(Payment.state)))
    of_money = select(func.count()).select_from(Donation).where(Donation.kind == DonationKind.MONEY.value)

    assert set(states) == {state.value for state in PaymentState}
    assert states[PaymentState.CREATED.value] == states[PaymentState.DISPUTED.value] == 1
    assert 250 <= states[PaymentState.PAID.value] < 500
    assert {reason.value for reason in RefundReason} - {"at_provider"} <= set(
        loaded.scalars(select(Payment.refund_reason))
    )
    assert (loaded.scalar(of_money.where(Donation.is_organisation)) or 0) >= 5
    assert (loaded.scalar(of_money.where(Donation.giver_name.is_(None))) or 0) >= 50
    assert (loaded.scalar(select(func.count(Payment.voucher_donation_id))) or 0) >= 10


def test_payouts_and_their_files_stand_everywhere_on_the_road(loaded: Session) -> None:
    states = Counter(loaded.scalars(select(Payout.state)))
    in_files = set(
        loaded.execute(select(PayoutBatch.state, Payout.state).join(PayoutBatch, PayoutBatch.id == Payout.batch_id))
    )

    assert set(states) == {state.value for state in PayoutState}
    assert {(BatchState.MADE.value, "exported"), (BatchState.RELEASED.value, "exported")} <= in_files
    assert (BatchState.SETTLED.value, "bounced") in in_files
    hands = loaded.execute(select(Payout.requested_by_id, Payout.confirmed_by_id, Payout.approved_by_id)).all()
    assert all(len(set(three)) == 3 for three in hands if None not in three)


def test_all_that_was_realised_is_paid_out_and_all_but_one_paid_back_what_was_left(loaded: Session) -> None:
    realised = set(loaded.scalars(select(Initiative.id).where(Initiative.state == InitiativeState.REALISED.value)))
    paid = set(loaded.scalars(select(Payout.initiative_id).where(Payout.state == PayoutState.PAID.value)))
    back = set(loaded.scalars(select(UnspentReturn.initiative_id)))
    (due,) = paybacks.due(loaded)

    assert realised < paid
    assert back == realised - {due.initiative_id}


def test_the_page_of_who_one_can_be_leads_to_somebody_who_can_ask_for_money(loaded: Session) -> None:
    label = InitiativeState.FUNDED.label
    (funded,) = [person for person in demo_organisers(loaded) if person.state == label]
    asked = select(Initiative.title).join(Payout, Payout.initiative_id == Initiative.id)

    assert funded.title not in set(loaded.scalars(asked))


def test_finance_has_a_refund_that_failed_and_a_claim_to_look_at(loaded: Session) -> None:
    open_tasks = loaded.scalars(select(FinanceTask).where(FinanceTask.settled_at.is_(None))).all()
    (failed,) = [task for task in open_tasks if task.kind == TaskKind.REFUND_FAILED]
    gift = loaded.scalars(
        select(Donation).join(Payment, Payment.donation_id == Donation.id).where(Payment.id == failed.payment_id)
    ).one()

    assert {task.kind for task in open_tasks} == {TaskKind.REFUND_FAILED.value, TaskKind.DISPUTE_OPENED.value}
    assert gift.message


def test_our_books_and_those_of_the_demo_bank_are_equal_to_begin_with(
    town: Flask, loaded: Session, demo_bank: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(town.extensions, "payments", demo_bank.provider)
    tasks = select(func.count()).select_from(FinanceTask)
    before = loaded.scalar(tasks)

    report = reconcile_payments.run(NOW)

    loaded.rollback()
    entries = loaded.scalars(select(func.sum(ProviderEntry.net_cents))).one()
    assert (report.changed, report.errors) == (0, [])
    assert loaded.scalar(tasks) == before
    assert held_cents(loaded) == demo_bank.balance_cents() == entries > 0
    assert demo_bank.deliveries() == []  # what it told while loading is not told again


def test_whoever_is_paying_right_now_can_go_on(loaded: Session, demo_bank: StandIn) -> None:
    payment = loaded.scalars(select(Payment).where(Payment.state == PaymentState.CREATED.value)).one()

    assert payment.reserved_until > NOW
    assert demo_bank.pay(payment.checkout_id or "")["payment_status"] == "paid"


def test_a_loaded_town_is_not_loaded_again(town: Flask) -> None:
    extensions = town.extensions
    before = bank_file(extensions["settings"]).stat().st_size

    with pytest.raises(Conflict, match="staan al adressen"):
        load(extensions["settings"], extensions["code_keys"], extensions["file_store"], lambda _line: None, NOW)

    assert bank_file(extensions["settings"]).stat().st_size == before


def test_the_page_of_the_demo_tells_what_to_try_with_money(
    town: Flask, monkeypatch: pytest.MonkeyPatch, demo_bank: StandIn
) -> None:
    settings = replace(town.extensions["settings"], payments=demo_bank.settings, bank_account=BANK_ACCOUNT)
    monkeypatch.setitem(town.extensions, "settings", settings)

    page = Browser(town).get("/demo")

    assert all(name in page.text for name in ("Wim Kuipers", "Ingrid Bos"))
    for path in ("/financien", "/financien/afschriften", "/demo/afschrift", "/kasboek"):
        assert page.one(f'#main a[href="{path}"]'), path


def test_the_statement_of_the_demo_pays_what_is_at_the_bank(town: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(town.extensions["settings"], bank_account=BANK_ACCOUNT)
    monkeypatch.setitem(town.extensions, "settings", settings)

    statement = town.test_client().get("/demo/afschrift")

    assert statement.text.count("UB-") == 1
