# SPDX-License-Identifier: EUPL-1.2
"""Two who act on one payout at the same moment, each on a connection of its own: one wins, the other is told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from abs_platform.errors import AbsError, Conflict
from abs_platform.events import Event
from abs_platform.initiatives import service as initiatives
from abs_platform.initiatives.models import Initiative
from abs_platform.payouts import approving, service
from abs_platform.payouts.models import Payout
from abs_platform.payouts.returning import book_return
from abs_platform.payouts.states import PayoutState
from tests.concurrency.racing import assert_books_are_right, at_once, committed
from tests.factories import SECRET_KEY, TEST_ACTOR, Factory
from tests.payouts.three_people import OTHER_IBAN, Paying, details

S = PayoutState


@pytest.fixture
def paying(own_app: Flask, own_factory: Factory) -> Paying:
    """Everybody, on a database that really commits."""
    return Paying(own_app, own_factory)


def race(paying: Paying, *verbs: Callable[..., Any]) -> list[Any]:
    """All at once; what each returned, or its refusal."""
    paying.factory.session.commit()
    results = at_once([committed(paying.app, verb) for verb in verbs])
    paying.factory.session.rollback()
    return results


def count(paying: Paying, kind: str) -> int:
    """How often something happened."""
    return paying.factory.session.scalars(select(func.count()).where(Event.kind == kind)).one()


def test_two_of_finance_on_one_payout_approve_it_once(paying: Paying) -> None:
    payout = paying.confirmed()
    by = [
        partial(approving.approve, payout_id=payout.id, version=1, user=paying.user(one), now=paying.factory.now)
        for one in (paying.frits, paying.fatou)
    ]

    results = race(paying, *by)

    assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]
    found = paying.fresh(payout.id)
    winner = (paying.frits, paying.fatou)[results.index(None)]
    assert (found.state, found.approved_by_id) == (S.APPROVED, winner.id)
    assert count(paying, "payout.approved") == 1


def test_asking_twice_at_once_asks_once(paying: Paying) -> None:
    initiative = paying.initiative()
    ask = partial(
        service.request,
        initiative_id=initiative.id,
        details=details(),
        user=paying.user(paying.anna(initiative)),
        secret_key=SECRET_KEY,
        now=paying.factory.now,
    )

    results = race(paying, ask, ask)

    assert [type(result) for result in results if isinstance(result, AbsError)] == [Conflict]
    assert paying.factory.session.scalars(select(func.count(Payout.id))).one() == 1


def test_approving_against_correcting_never_approves_what_was_not_looked_at(paying: Paying) -> None:
    payout, now = paying.confirmed(), paying.factory.now
    approve = partial(approving.approve, payout_id=payout.id, version=1, user=paying.user(paying.frits), now=now)
    anna = paying.user(paying.initiator(payout))
    correct = partial(
        service.correct,
        payout_id=payout.id,
        details=details(iban=OTHER_IBAN),
        version=1,
        user=anna,
        secret_key=SECRET_KEY,
        now=now,
    )

    approved, corrected = race(paying, approve, correct)

    assert corrected is True
    found = paying.fresh(payout.id)
    assert (found.state, found.approved_by_id, found.version) == (S.REQUESTED, None, 2)
    assert approved is None or isinstance(approved, Conflict)


def test_stopping_against_approving_against_the_bank_leaves_whole_books(paying: Paying) -> None:
    confirmed, exported, now = paying.confirmed(), paying.exported(), paying.factory.now
    one, other = confirmed.initiative_id, exported.initiative_id
    stopped = {"reason": "Gevaarlijk.", "actor": TEST_ACTOR, "now": now}

    def end(session: Any, number: int) -> int:
        initiatives.stop(session, number, **stopped)
        return service.refuse_living(session, number, **stopped)

    results = race(
        paying,
        partial(end, number=one),
        partial(approving.approve, payout_id=confirmed.id, version=1, user=paying.user(paying.fatou), now=now),
        partial(end, number=other),
        partial(approving.mark_paid, payout_id=exported.id, paid_on=paying.today, actor=TEST_ACTOR, now=now),
    )

    assert results[0] == 1
    assert results[1] is None or isinstance(results[1], Conflict)
    assert results[2:] == [0, None]
    assert paying.fresh(confirmed.id).state == S.REFUSED
    assert paying.fresh(exported.id).state == S.PAID
    assert paying.factory.session.get_one(Initiative, other, populate_existing=True).state == "stopped"
    assert_books_are_right(paying.factory.session)


def test_a_return_that_is_sent_twice_at_once_is_booked_once(paying: Paying) -> None:
    initiative = paying.initiative()
    paying.paid(initiative)
    book = partial(
        book_return,
        initiative_id=initiative.id,
        amount_cents=1_000,
        received_on=paying.today,
        note="",
        form_key="once",
        user=paying.user(paying.frits),
        now=paying.factory.now,
    )

    assert sorted(race(paying, book, book)) == [False, True]
    assert_books_are_right(paying.factory.session)
