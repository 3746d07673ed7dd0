# SPDX-License-Identifier: EUPL-1.2
"""Each life is a table: the moves of the table work, through the real verbs, and every other pair raises."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from abs_platform.donations.models import Donation
from abs_platform.donations.service import return_to_plan_b, return_vouchers
from abs_platform.donations.states import TRANSITIONS as DONATION
from abs_platform.donations.states import DonationState
from abs_platform.errors import InvalidTransition
from abs_platform.events import Event
from abs_platform.initiatives.states import TRANSITIONS as INITIATIVE
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.queries import check
from abs_platform.lives import LabelledEnum, check_move
from abs_platform.payments.states import TRANSITIONS as PAYMENT
from abs_platform.payments.states import PaymentState
from abs_platform.rounds import service as rounds
from abs_platform.rounds.models import Round
from abs_platform.rounds.states import TRANSITIONS as ROUND
from abs_platform.rounds.states import RoundState
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.service import expire_round, revoke_voucher
from abs_platform.vouchers.states import TRANSITIONS as VOUCHER
from abs_platform.vouchers.states import VoucherState
from tests.factories import TEST_ACTOR, Factory

LIVES: list[tuple[Mapping[Any, frozenset[Any]], type[LabelledEnum], str]] = [
    (
        INITIATIVE,
        InitiativeState,
        """
        draft -> submitted | withdrawn
        submitted -> changes_requested | published | rejected | withdrawn
        changes_requested -> submitted | withdrawn
        published -> funded | expired | stopped | withdrawn
        funded -> in_progress | stopped
        in_progress -> realised | stopped
        """,
    ),
    (
        VOUCHER,
        VoucherState,
        """
        issued -> given | kept | expired | revoked
        kept -> given | expired
        given -> issued | kept
        """,
    ),
    (DONATION, DonationState, "pending -> confirmed | failed\nconfirmed -> returned"),
    (ROUND, RoundState, "draft -> planned\nplanned -> issued | cancelled\nissued -> closed"),
    (
        PAYMENT,
        PaymentState,
        """
        created -> paid | failed | expired
        failed -> paid
        expired -> paid
        paid -> refund_pending | refund_failed | disputed
        refund_pending -> refunded | refund_failed | disputed
        refunded -> refund_failed
        refund_failed -> refund_pending | refunded | disputed
        disputed -> paid | charged_back
        charged_back -> refund_failed
        """,
    ),
]


def moves_of(rules: str) -> set[tuple[str, str]]:
    """The pairs that a life written out allows."""
    moves = set()
    for line in rules.strip().splitlines():
        source, _, targets = line.partition("->")
        moves |= {(source.strip(), target.strip()) for target in targets.split("|")}
    return moves


PAIRS = [
    pytest.param(
        table, source, target, (source, target) in moves_of(rules), id=f"{states.__name__}: {source} -> {target}"
    )
    for table, states, rules in LIVES
    for source, target in product(states, states)
]


@pytest.mark.parametrize(("table", "source", "target", "is_allowed"), PAIRS)
def test_a_move_is_allowed_when_its_life_says_so_and_raises_otherwise(
    table: Mapping[Any, frozenset[Any]], source: LabelledEnum, target: LabelledEnum, *, is_allowed: bool
) -> None:
    if is_allowed:
        check_move(table, source, target, "iets")
        return
    with pytest.raises(InvalidTransition, match=f"'{source.label}'.*'{target.label}'"):
        check_move(table, source, target, "iets")


@pytest.mark.parametrize(
    ("table_name", "states"),
    [
        ("initiatives", InitiativeState),
        ("vouchers", VoucherState),
        ("donations", DonationState),
        ("rounds", RoundState),
    ],
)
def test_the_database_knows_the_same_states(session: Session, table_name: str, states: type[LabelledEnum]) -> None:
    rule = session.scalar(
        text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"),
        {"name": f"ck_{table_name}_state_known"},
    )

    assert rule is not None
    assert set(rule.split("'")[1::2]) == {state.value for state in states}
    assert all(state.label for state in states)


# -- vouchers, by their verbs -----------------------------------------------------------------------------------------


def voucher_in(factory: Factory, state: VoucherState) -> tuple[str, Voucher]:
    """A voucher of an open round, brought to a state by the verbs; keeping has no verb yet."""
    (code,) = factory.codes()
    voucher = factory.voucher(code)
    if state == VoucherState.GIVEN:
        assert factory.give(code, factory.initiative()) is not None
    elif state == VoucherState.KEPT:
        factory.session.execute(
            text("UPDATE vouchers SET state = 'kept', kept_at = :now, usable_until = :end WHERE id = :id"),
            {"now": factory.now, "end": factory.now + dt.timedelta(days=385), "id": voucher.id},
        )
    elif state == VoucherState.EXPIRED:
        factory.session.execute(
            text("UPDATE vouchers SET usable_until = :now WHERE id = :id"), {"now": factory.now, "id": voucher.id}
        )
        expire_round(factory.session, voucher.round_id, actor=TEST_ACTOR, now=factory.now)
    elif state == VoucherState.REVOKED:
        revoke_voucher(factory.session, voucher.id, reason="Brief kwijt.", actor=TEST_ACTOR, now=factory.now)
    found = factory.voucher(code)
    assert found.state == state
    return code, found


def last_event(session: Session, kind: str) -> Event:
    found = session.scalar(select(Event).where(Event.kind == kind).order_by(Event.id.desc()).limit(1))
    assert found is not None, f"no event {kind}"
    return found


def everything(session: Session) -> list[Any]:
    """Every row that moving a voucher may touch."""
    session.flush()
    tables = ("vouchers", "donations", "ledger_transactions", "ledger_postings", "events")
    return [session.execute(text(f"SELECT t::text FROM {table} t ORDER BY id")).all() for table in tables]


@pytest.mark.parametrize("state", VoucherState)
def test_only_an_issued_or_kept_voucher_is_given(factory: Factory, state: VoucherState) -> None:
    code, voucher = voucher_in(factory, state)
    initiative = factory.initiative()
    before = everything(factory.session)

    gift = factory.give(code, initiative)

    if VoucherState.GIVEN in VOUCHER[state]:
        assert gift is not None
        assert factory.voucher(code).state == VoucherState.GIVEN
        assert last_event(factory.session, "voucher.given").subject_id == voucher.id
        assert last_event(factory.session, "voucher.given").actor == "giver"
    else:
        assert gift is None
        assert everything(factory.session) == before
    assert check(factory.session) == []


@pytest.mark.parametrize("state", VoucherState)
def test_only_an_issued_voucher_is_revoked(factory: Factory, state: VoucherState) -> None:
    code, voucher = voucher_in(factory, state)

    if VoucherState.REVOKED in VOUCHER[state]:
        revoke_voucher(factory.session, voucher.id, reason="Brief kwijt.", actor=TEST_ACTOR, now=factory.now)
        event = last_event(factory.session, "voucher.revoked")
        assert (event.subject_id, event.reason, event.actor) == (voucher.id, "Brief kwijt.", "staff:test")
        assert factory.voucher(code).state == VoucherState.REVOKED
    else:
        before = everything(factory.session)
        with pytest.raises(InvalidTransition):
            revoke_voucher(factory.session, voucher.id, reason="Brief kwijt.", actor=TEST_ACTOR, now=factory.now)
        assert everything(factory.session) == before
    assert check(factory.session) == []


@pytest.mark.parametrize("state", VoucherState)
def test_only_an_issued_or_kept_voucher_expires(factory: Factory, state: VoucherState) -> None:
    code, voucher = voucher_in(factory, state)
    in_two_years = factory.now + dt.timedelta(days=730)

    expired = expire_round(factory.session, voucher.round_id, actor=TEST_ACTOR, now=in_two_years)

    moves = VoucherState.EXPIRED in VOUCHER[state]
    assert expired == int(moves)
    assert factory.voucher(code).state == (VoucherState.EXPIRED if moves else state)
    if moves:
        event = last_event(factory.session, "voucher.expired")
        assert (event.subject_id, event.actor) == (voucher.id, "staff:test")
    assert check(factory.session) == []


@pytest.mark.parametrize("was", [VoucherState.ISSUED, VoucherState.KEPT])
def test_a_given_voucher_comes_back_as_what_it_was(factory: Factory, was: VoucherState) -> None:
    code, voucher = voucher_in(factory, was)
    initiative = factory.initiative()
    gift = factory.give(code, initiative)
    assert gift is not None

    returned = return_vouchers(factory.session, initiative.id, actor=TEST_ACTOR, now=factory.now, reason="stopped")

    event = last_event(factory.session, "voucher.returned")
    donation = factory.session.get_one(Donation, gift.donation_id, populate_existing=True)
    assert returned == 1
    assert factory.voucher(code).state == was
    assert (event.subject_id, event.reason, event.actor) == (voucher.id, "stopped", "staff:test")
    assert (donation.state, donation.returned_at) == (DonationState.RETURNED, factory.now)
    assert check(factory.session) == []


def test_a_gift_comes_back_once(factory: Factory) -> None:
    _code, _voucher = voucher_in(factory, VoucherState.GIVEN)
    donation = factory.session.scalars(select(Donation)).one()
    return_vouchers(factory.session, donation.initiative_id, actor=TEST_ACTOR, now=factory.now, reason="stopped")
    before = everything(factory.session)

    again = return_vouchers(
        factory.session, donation.initiative_id, actor=TEST_ACTOR, now=factory.now, reason="stopped"
    )
    moved = return_to_plan_b(factory.session, donation.id, actor=TEST_ACTOR, now=factory.now, reason="stopped")

    assert (again, moved) == (0, None)
    assert everything(factory.session) == before


# -- rounds, by their verbs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", RoundState)
@pytest.mark.parametrize("target", [RoundState.ISSUED, RoundState.CLOSED])
def test_a_round_is_issued_when_planned_and_closed_when_issued(
    factory: Factory, state: RoundState, target: RoundState
) -> None:
    round_ = factory.round()
    factory.session.execute(text("UPDATE rounds SET state = :state"), {"state": state.value})
    factory.session.refresh(round_)

    def move() -> None:
        if target == RoundState.ISSUED:
            rounds.mark_issued(factory.session, round_, key_fingerprint=b"k", actor=TEST_ACTOR, now=factory.now)
        else:
            rounds.close(factory.session, round_, actor=TEST_ACTOR, now=factory.now)
        factory.session.flush()

    if target in ROUND[state]:
        move()
        event = last_event(factory.session, f"round.{target.value}")
        assert (event.subject_id, event.actor) == (round_.id, "staff:test")
        assert factory.session.scalar(select(Round.state)) == target
    else:
        with pytest.raises(InvalidTransition, match="ronde"):
            move()
        factory.session.flush()
        assert factory.session.scalar(select(Round.state)) == state


def test_planning_a_round_is_an_event(factory: Factory) -> None:
    round_ = factory.round()
    factory.session.flush()

    event = last_event(factory.session, "round.planned")

    assert round_.state == RoundState.PLANNED
    assert (event.subject_id, event.actor) == (round_.id, "staff:test")
