# SPDX-License-Identifier: EUPL-1.2
"""The end of vouchers: each when its own time is over, its money back in the budget, and never twice."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.actors import Actor
from abs_platform.donations.service import return_vouchers
from abs_platform.errors import InvalidTransition, NotFound
from abs_platform.events import Event
from abs_platform.initiatives import service
from abs_platform.ledger.models import LedgerPosting, LedgerTransaction
from abs_platform.ledger.queries import check
from abs_platform.rounds.models import Round
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.queries import rounds_due_for_expiry
from abs_platform.vouchers.service import expire_round, revoke_voucher
from abs_platform.vouchers.states import VoucherState
from tests.factories import TEST_ACTOR, Factory

DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
JOB = Actor("job", "expire_vouchers")


def round_of(factory: Factory, code: str) -> Round:
    return factory.session.get_one(Round, factory.voucher(code).round_id)


def balance(session: Session, account: str) -> int:
    query = select(func.coalesce(func.sum(LedgerPosting.amount_cents), 0)).where(LedgerPosting.account == account)
    return int(session.scalar(query) or 0)


def states(factory: Factory, codes: list[str]) -> list[str]:
    return [factory.voucher(code).state for code in codes]


def test_before_the_closing_nothing_expires(session: Session, factory: Factory) -> None:
    codes = factory.codes(2)
    round_ = round_of(factory, codes[0])

    expired = expire_round(session, round_.id, actor=JOB, now=round_.closes_at - MINUTE)

    assert expired == 0
    assert states(factory, codes) == ["issued", "issued"]
    assert round_.state == "issued"


def test_what_was_not_given_expires_at_the_closing_and_its_money_returns(session: Session, factory: Factory) -> None:
    given, left, forgotten = factory.codes(3)
    round_ = round_of(factory, given)
    factory.give(given, factory.initiative())

    expired = expire_round(session, round_.id, actor=JOB, now=round_.closes_at)

    assert expired == 2
    assert states(factory, [given, left, forgotten]) == ["given", "expired", "expired"]
    assert (round_.state, round_.closed_at) == ("closed", round_.closes_at)
    assert (balance(session, "budget"), balance(session, "vouchers"), balance(session, "initiative")) == (-750, 0, 750)
    kinds = session.scalars(select(Event.kind).where(Event.actor == str(JOB)).order_by(Event.id)).all()
    assert sorted(kinds) == ["round.closed", "round.vouchers_expired", "voucher.expired", "voucher.expired"]
    assert check(session) == []


def test_a_second_run_changes_nothing(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    round_ = round_of(factory, code)
    expire_round(session, round_.id, actor=JOB, now=round_.closes_at)
    tables = (Event, LedgerTransaction)
    before = [session.scalar(select(func.count()).select_from(table)) for table in tables]

    again = expire_round(session, round_.id, actor=JOB, now=round_.closes_at + DAY)

    assert again == 0
    assert [session.scalar(select(func.count()).select_from(table)) for table in tables] == before
    assert round_.closed_at == round_.closes_at
    assert rounds_due_for_expiry(session, round_.closes_at + DAY) == []


def test_a_kept_voucher_lives_until_its_own_end(session: Session, factory: Factory) -> None:
    left, kept = factory.codes(2)
    round_ = round_of(factory, left)
    voucher = factory.voucher(kept)
    end = round_.closes_at + 365 * DAY
    voucher.state, voucher.kept_at, voucher.usable_until = "kept", factory.now, end
    session.flush()

    assert expire_round(session, round_.id, actor=JOB, now=round_.closes_at) == 1
    assert states(factory, [left, kept]) == ["expired", "kept"]
    assert round_.state == "closed"
    assert rounds_due_for_expiry(session, end - MINUTE) == []
    assert check(session) == []

    assert rounds_due_for_expiry(session, end) == [round_.id]
    assert expire_round(session, round_.id, actor=JOB, now=end) == 1
    assert states(factory, [kept]) == ["expired"]
    assert (balance(session, "budget"), balance(session, "vouchers")) == (0, 0)
    assert check(session) == []


def test_a_returned_voucher_lives_on_after_its_round(session: Session, factory: Factory) -> None:
    given, left = factory.codes(2)
    round_ = round_of(factory, given)
    initiative = factory.initiative()
    factory.give(given, initiative)
    end_of_initiative = round_.closes_at - DAY
    service.stop(session, initiative.id, reason="Gaat niet door.", actor=TEST_ACTOR, now=end_of_initiative)
    return_vouchers(session, initiative.id, actor=TEST_ACTOR, now=end_of_initiative, reason="stopped")

    assert expire_round(session, round_.id, actor=JOB, now=round_.closes_at) == 1
    assert states(factory, [given, left]) == ["issued", "expired"]

    end = end_of_initiative + 60 * DAY
    assert expire_round(session, round_.id, actor=JOB, now=end - MINUTE) == 0
    assert expire_round(session, round_.id, actor=JOB, now=end) == 1
    assert states(factory, [given]) == ["expired"]
    assert check(session) == []


def test_a_round_without_vouchers_closes_too(session: Session, factory: Factory) -> None:
    round_ = factory.round(opens=-30 * DAY, closes=-DAY)
    factory.issue(round_)

    assert rounds_due_for_expiry(session, factory.now) == [round_.id]
    assert expire_round(session, round_.id, actor=JOB, now=factory.now) == 0

    assert round_.state == "closed"


def test_the_end_of_one_round_leaves_the_other_alone(session: Session, factory: Factory) -> None:
    (old,) = factory.codes(opens=-40 * DAY, closes=-10 * DAY)
    (new,) = factory.fresh_codes(1)

    expire_round(session, round_of(factory, old).id, actor=JOB, now=factory.now)

    assert states(factory, [old, new]) == ["expired", "issued"]
    assert round_of(factory, new).state == "issued"


def test_a_revoked_voucher_books_its_money_back_and_says_why(session: Session, factory: Factory) -> None:
    lost, other = factory.codes(2)
    voucher = factory.voucher(lost)

    revoke_voucher(session, voucher.id, reason="De brief is zoek.", actor=TEST_ACTOR, now=factory.now)

    assert (voucher.state, voucher.revoked_at) == ("revoked", factory.now)
    assert (balance(session, "budget"), balance(session, "vouchers")) == (-750, 750)
    event = session.scalars(select(Event).where(Event.kind == "voucher.revoked")).one()
    assert (event.subject_id, event.reason, event.actor) == (voucher.id, "De brief is zoek.", str(TEST_ACTOR))
    assert factory.voucher(other).state == "issued"
    assert check(session) == []


@pytest.mark.parametrize("state", [state for state in VoucherState if state != VoucherState.ISSUED])
def test_only_a_voucher_that_is_still_to_give_can_be_revoked(
    session: Session, factory: Factory, state: VoucherState
) -> None:
    (code,) = factory.codes()
    voucher = factory.voucher(code)
    voucher.state = state.value
    voucher.kept_at = factory.now if state == VoucherState.KEPT else None
    voucher.revoked_at = factory.now if state == VoucherState.REVOKED else None
    session.flush()

    with pytest.raises(InvalidTransition, match="kan niet 'ingetrokken' worden"):
        revoke_voucher(session, voucher.id, reason="Zoek.", actor=TEST_ACTOR, now=factory.now)

    assert factory.voucher(code).state == state
    assert balance(session, "vouchers") == 750


def test_an_unknown_voucher_or_round_is_told(session: Session, factory: Factory) -> None:
    with pytest.raises(NotFound):
        revoke_voucher(session, 999_999, reason="Zoek.", actor=TEST_ACTOR, now=factory.now)
    with pytest.raises(NotFound):
        expire_round(session, 999_999, actor=JOB, now=factory.now)


def test_many_vouchers_expire_in_one_booking(session: Session, factory: Factory) -> None:
    codes = factory.codes(40)
    round_ = round_of(factory, codes[0])

    assert expire_round(session, round_.id, actor=JOB, now=round_.closes_at) == 40

    assert session.scalar(select(func.count()).where(LedgerTransaction.kind == "vouchers_expired")) == 1
    assert set(session.scalars(select(Voucher.state))) == {"expired"}
    assert check(session) == []
