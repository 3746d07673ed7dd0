# SPDX-License-Identifier: EUPL-1.2
"""Where a voucher is, objecting to its gift, and the decision: the verbs, and what the books say after each."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.donations.models import Donation
from abs_platform.donations.queries import due_back_with_plan_b
from abs_platform.donations.service import GiftDetails, return_vouchers
from abs_platform.donations.states import Channel
from abs_platform.errors import Conflict, InvalidInput, NotFound, TooManyAttempts
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.models import LedgerPosting, LedgerTransaction
from abs_platform.ledger.queries import check
from abs_platform.objections.models import Objection
from abs_platform.objections.queries import came_back, held_cents, objections_of
from abs_platform.objections.service import reject, settle_moot, uphold
from abs_platform.paper.service import batch_for, register_box
from abs_platform.payouts import approving
from abs_platform.payouts.queries import available_of, balance_of
from abs_platform.vouchers.codes import format_payload
from abs_platform.vouchers.models import CodeAttempt, Voucher
from tests.factories import TEST_ACTOR, Factory
from tests.objections.stolen import WEEK, Stolen
from tests.payouts.bank_desk import Desk

SECOND = dt.timedelta(seconds=1)
AMOUNT = 750


def borne(session: Session) -> list[tuple[str, int]]:
    """What the municipality bore, as it is booked."""
    query = (
        select(LedgerPosting.account, LedgerPosting.amount_cents)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerPosting.transaction_id)
        .where(LedgerTransaction.kind == "objection_borne")
        .order_by(LedgerPosting.amount_cents)
    )
    return [(account, cents) for account, cents in session.execute(query)]


class TestWhereIsIt:
    """Who holds the code sees where its voucher is, and never a name."""

    def test_one_that_nobody_gave_is_told_with_its_last_day(self, stolen: Stolen) -> None:
        found = stolen.found()

        assert (found.state.value, found.donation_id, found.amount_cents) == ("issued", None, AMOUNT)
        assert found.is_usable(stolen.factory.now)

    def test_one_that_was_given_tells_initiative_moment_and_channel(self, stolen: Stolen) -> None:
        stolen.give(GiftDetails(channel=Channel.DESK, giver_name="Gerda Stilstra"))

        found = stolen.found()

        assert (found.state.value, found.initiative_id) == ("given", stolen.initiative.id)
        assert (found.channel, found.given_at) == (Channel.DESK, stolen.factory.now)
        assert "Gerda" not in repr(found)

    def test_one_from_a_box_tells_the_list_and_the_box_and_not_who_entered_it(
        self, stolen: Stolen, session: Session
    ) -> None:
        by, now = stolen.factory.account(name="Anna Begin"), stolen.factory.now
        box = register_box(
            session, stolen.initiative.id, "Bakker", "Markt 1", account_id=by.id, actor=TEST_ACTOR, now=now
        )
        batch_id = batch_for(session, stolen.initiative.id, by.id, box_id=box.id, now=now)
        stolen.give(GiftDetails(channel=Channel.ORGANISER, entry_batch_id=batch_id))

        found = stolen.found()

        assert found.box_number == box.number
        assert found.batch_reference
        assert "Anna" not in repr(found)

    @pytest.mark.parametrize("state", ["kept", "expired"])
    def test_one_that_is_kept_or_expired_says_so(self, stolen: Stolen, session: Session, state: str) -> None:
        voucher = stolen.factory.voucher(stolen.code)
        session.execute(update(Voucher).where(Voucher.id == voucher.id).values(state=state, kept_at=stolen.factory.now))

        assert stolen.found().state.value == state

    def test_one_that_was_revoked_says_whether_a_newer_letter_took_its_place(
        self, stolen: Stolen, session: Session
    ) -> None:
        voucher = stolen.factory.voucher(stolen.code)
        session.execute(
            update(Voucher)
            .where(Voucher.id == voucher.id)
            .values(state="revoked", revoked_at=stolen.factory.now, household_id=voucher.household_id)
        )
        alone = stolen.found()
        stolen.factory.fresh_codes(1)  # issuing again gives its household a new voucher

        assert not alone.is_replaced
        assert stolen.found().is_replaced

    def test_a_strangers_code_is_refused_and_counted_and_ten_are_the_end(
        self, stolen: Stolen, session: Session
    ) -> None:
        for _ in range(10):
            assert stolen.look(format_payload(4_242)).found is None

        assert session.scalar(select(func.count()).select_from(CodeAttempt)) == 10
        with pytest.raises(TooManyAttempts):
            stolen.look()

    def test_looking_at_a_given_one_never_counts(self, stolen: Stolen, session: Session) -> None:
        stolen.give()
        for _ in range(12):
            assert stolen.look().found is not None

        assert session.scalar(select(func.count()).select_from(CodeAttempt)) == 0


class TestObjecting:
    """Within seven days, once, by who holds the code."""

    def test_it_holds_the_gift_which_still_counts(self, stolen: Stolen, session: Session) -> None:
        stolen.give()

        answer = stolen.object(now=stolen.factory.now + WEEK)

        assert answer.found is not None
        assert answer.found.objection == "open"
        assert stolen.gift().state == "confirmed"
        assert held_cents(session, stolen.initiative.id) == AMOUNT
        assert balance_of(session, stolen.initiative.id) == AMOUNT
        assert available_of(session, stolen.initiative.id) == 0
        assert check(session) == []

    def test_said_twice_is_said_once(self, stolen: Stolen, session: Session) -> None:
        stolen.give()
        stolen.object()

        stolen.object()

        assert session.scalar(select(func.count()).select_from(Objection)) == 1

    def test_a_second_after_seven_days_is_too_late(self, stolen: Stolen) -> None:
        stolen.give()

        with pytest.raises(Conflict, match="tot 7 dagen"):
            stolen.object(now=stolen.factory.now + WEEK + SECOND)

    def test_what_was_not_given_needs_no_objection(self, stolen: Stolen, session: Session) -> None:
        with pytest.raises(Conflict, match="niet gegeven"):
            stolen.object()

        assert session.scalar(select(func.count()).select_from(Objection)) == 0

    def test_a_strangers_code_is_counted(self, stolen: Stolen, session: Session) -> None:
        stolen.give()

        assert stolen.object(format_payload(4_242)).found is None
        assert session.scalar(select(func.count()).select_from(CodeAttempt)) == 1

    def test_after_a_decision_there_is_no_second_one(self, stolen: Stolen) -> None:
        stolen.give()
        stolen.object()
        stolen.decide(reject)

        with pytest.raises(Conflict, match="al beslist"):
            stolen.object()


class TestDeciding:
    """Upheld: the voucher lives again. Rejected: the gift stands. With a reason, once."""

    def test_upheld_it_can_be_given_again_and_the_books_are_right(self, stolen: Stolen, session: Session) -> None:
        stolen.give()
        stolen.object()

        stolen.decide(uphold)

        found = stolen.found()
        assert (found.state.value, found.donation_id) == ("issued", None)
        back = came_back(session, found.voucher_id)
        assert back is not None
        assert (back.initiative_title, back.reason) == (stolen.initiative.title, "De lijst klopt niet.")
        assert (stolen.gift().state, stolen.objection().state) == ("returned", "upheld")
        assert borne(session) == []
        assert check(session) == []
        other = stolen.factory.initiative(title="Een bankje")
        assert stolen.factory.give(stolen.code, other) is not None
        assert stolen.found().objection is None
        assert check(session) == []

    def test_rejected_the_gift_stands_and_is_paid(self, stolen: Stolen, session: Session) -> None:
        stolen.give()
        stolen.object()

        stolen.decide(reject, reason="Een huisgenoot gaf hem.")

        found = stolen.found()
        assert (found.objection, found.objection_reason) == ("rejected", "Een huisgenoot gaf hem.")
        assert available_of(session, stolen.initiative.id) == AMOUNT
        assert check(session) == []

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
    def test_without_a_reason_that_can_be_read_nothing_is_decided(self, stolen: Stolen, reason: str) -> None:
        stolen.give()
        stolen.object()

        with pytest.raises(InvalidInput):
            stolen.decide(uphold, reason=reason)

        assert stolen.objection().state == "open"

    @pytest.mark.parametrize("again", [uphold, reject])
    def test_it_is_decided_once(self, stolen: Stolen, again: object) -> None:
        stolen.give()
        stolen.object()
        stolen.decide(reject)

        with pytest.raises(Conflict):
            stolen.decide(again)

    def test_one_that_is_not_there_is_not_decided(self, session: Session, factory: Factory) -> None:
        with pytest.raises(NotFound):
            uphold(session, 999_999, reason="X", account_id=1, actor=TEST_ACTOR, now=factory.now)

    def test_paid_to_the_initiative_already_the_municipality_bears_it(self, factory: Factory, session: Session) -> None:
        initiative, desk = factory.initiative(InitiativeState.FUNDED, target_cents=5_250), Desk(factory)
        payout = desk.approved(initiative)
        desk.released(payout)
        approving.mark_paid(
            session, payout.id, paid_on=clock.local_date(factory.now), actor=TEST_ACTOR, now=factory.now
        )
        stolen = objected(factory, initiative)

        stolen.decide(uphold)

        assert borne(session) == [("fees", -AMOUNT), ("initiative", AMOUNT)]
        assert balance_of(session, initiative.id) == 0
        assert (stolen.objection().state, factory.voucher(stolen.code).state) == ("upheld", "issued")
        assert check(session) == []

    def test_what_is_promised_to_be_paid_is_borne_too(self, factory: Factory, session: Session) -> None:
        initiative = factory.initiative(InitiativeState.FUNDED, target_cents=5_250)
        payout = Desk(factory).confirmed(initiative)
        stolen = objected(factory, initiative)

        stolen.decide(uphold)

        assert borne(session) == [("fees", -AMOUNT), ("initiative", AMOUNT)]
        assert balance_of(session, initiative.id) == payout.amount_cents
        assert check(session) == []


class TestHeldMoney:
    """What is held is not asked for, not approved and not in a file; decided, it goes on."""

    def test_it_cannot_be_requested(self, factory: Factory) -> None:
        initiative = factory.initiative(InitiativeState.FUNDED, target_cents=5_250)
        stolen = objected(factory, initiative)

        with pytest.raises(InvalidInput, match="45"):
            Desk(factory).confirmed(initiative)
        stolen.decide(reject)

        assert Desk(factory).confirmed(initiative).amount_cents == 5_250

    def test_it_cannot_be_approved(self, factory: Factory) -> None:
        initiative, desk = factory.initiative(InitiativeState.FUNDED, target_cents=5_250), Desk(factory)
        payout = desk.confirmed(initiative)
        stolen = objected(factory, initiative)

        with pytest.raises(Conflict, match="bezwaar"):
            approving.approve(factory.session, payout.id, version=1, user=desk.user("Frits"), now=factory.now)
        stolen.decide(reject)

        approving.approve(factory.session, payout.id, version=1, user=desk.user("Frits"), now=factory.now)

    def test_it_cannot_go_into_a_file(self, factory: Factory) -> None:
        initiative, desk = factory.initiative(InitiativeState.FUNDED, target_cents=5_250), Desk(factory)
        payout = desk.approved(initiative)
        stolen = objected(factory, initiative)

        with pytest.raises(Conflict, match="bezwaar"):
            desk.made(payout)
        stolen.decide(reject)

        assert desk.made(payout)


class TestAnInitiativeThatFails:
    """Its gifts go back anyway; an objection to one never books anything twice, nor lets a thief choose."""

    def test_upholding_what_came_back_already_books_nothing(self, stolen: Stolen, session: Session) -> None:
        stolen.give()
        stolen.object()
        return_vouchers(session, stolen.initiative.id, actor=TEST_ACTOR, now=stolen.factory.now, reason="stopped")

        stolen.decide(uphold)

        assert borne(session) == []
        assert balance_of(session, stolen.initiative.id) == 0
        assert check(session) == []

    def test_the_job_closes_what_nobody_needs_to_decide_any_more(self, stolen: Stolen, session: Session) -> None:
        stolen.give()
        stolen.object()
        return_vouchers(session, stolen.initiative.id, actor=TEST_ACTOR, now=stolen.factory.now, reason="stopped")
        assert objections_of(session, is_open=True) == []

        assert settle_moot(session, actor=TEST_ACTOR, now=stolen.factory.now) == 1
        assert settle_moot(session, actor=TEST_ACTOR, now=stolen.factory.now) == 0

        settled = stolen.objection()
        assert (settled.state, settled.decided_by_id) == ("upheld", None)
        assert settled.reason

    def test_a_second_choice_of_who_gave_it_is_not_followed(self, stolen: Stolen, session: Session) -> None:
        plan_b = stolen.factory.initiative(title="Van de dief")
        stolen.give(GiftDetails(plan_b_initiative_id=plan_b.id))
        assert len(due_back_with_plan_b(session, stolen.initiative.id)) == 1
        stolen.object()

        assert due_back_with_plan_b(session, stolen.initiative.id) == []
        return_vouchers(session, stolen.initiative.id, actor=TEST_ACTOR, now=stolen.factory.now, reason="stopped")

        assert stolen.factory.voucher(stolen.code).state == "issued"
        assert balance_of(session, plan_b.id) == 0
        assert check(session) == []


def objected(factory: Factory, initiative: Initiative) -> Stolen:
    """The oldest gift of an initiative, objected to by who holds its code."""
    voucher_id = factory.session.scalars(
        select(Donation.voucher_id).where(Donation.initiative_id == initiative.id).order_by(Donation.id)
    ).first()
    assert voucher_id is not None
    stolen = Stolen(factory, initiative)
    stolen.code = factory.keys.code(factory.session.get_one(Voucher, voucher_id).nonce)
    assert stolen.object().found is not None
    return stolen
