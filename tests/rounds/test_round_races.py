# SPDX-License-Identifier: EUPL-1.2
"""Two coordinators, or one and a resident, at the same moment: one of them is told, and nothing is done by halves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.donations.models import Donation
from abs_platform.donations.service import GiftDetails, give_voucher
from abs_platform.errors import AbsError
from abs_platform.rounds.changing import cancel_round, change_plan
from abs_platform.rounds.ending import close_early, extend_round
from abs_platform.rounds.models import Round, RoundDistrict
from abs_platform.rounds.readiness import release_when_ready
from abs_platform.rounds.service import Plan
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.vouchers.models import Voucher
from tests.concurrency.racing import assert_books_are_right, at_once, committed, meanwhile, wait_until_blocked
from tests.factories import TEST_ACTOR, Factory
from tests.rounds.ready import make_ready

DAY = dt.timedelta(days=1)
Verb = Callable[[Factory, int, Session], Any]


def release(factory: Factory, round_id: int, session: Session) -> str:
    release_when_ready(
        session,
        round_id,
        key_fingerprint=factory.keys.fingerprint,
        rules=factory.rules,
        despite=(),
        reason="",
        actor=TEST_ACTOR,
        now=factory.now,
    )
    return "release"


def edit(factory: Factory, round_id: int, session: Session) -> str:
    today = clock.local_date(factory.now)
    plan = Plan(
        name="Anders",
        issue_on=today,
        opens_at=factory.now + 3 * DAY,
        closes_at=factory.now + 30 * DAY,
        amount_cents=1_000,
        districts=("WK014119",),
    )
    change_plan(session, round_id, plan, rules=factory.rules, actor=TEST_ACTOR, now=factory.now)
    return "edit"


def cancel(factory: Factory, round_id: int, session: Session) -> str:
    cancel_round(session, round_id, reason="Uitgesteld.", actor=TEST_ACTOR, now=factory.now)
    return "cancel"


def issue(factory: Factory, round_id: int, session: Session) -> str:
    issue_vouchers(session, round_id, keys=factory.keys, actor=TEST_ACTOR, now=factory.now)
    return "issue"


@pytest.mark.parametrize("verbs", [(release, edit), (release, cancel), (edit, cancel), (release, release)])
def test_two_who_change_a_planned_round_at_once_leave_one_whole_round(
    own_app: Flask, own_session: Session, own_factory: Factory, verbs: tuple[Verb, Verb]
) -> None:
    round_ = own_factory.round(name="Najaar", opens=5 * DAY, closes=30 * DAY, is_released=False)
    make_ready(own_factory, round_)
    own_session.commit()

    done = at_once([committed(own_app, partial(verb, own_factory, round_.id)) for verb in verbs])

    own_session.expire_all()
    won = {one for one in done if isinstance(one, str)}
    if round_.state == "cancelled":
        assert own_session.scalar(select(func.count()).select_from(RoundDistrict)) == 0
        assert "cancel" in won
    else:
        assert ("release" in won) == (round_.released_at is not None)
    if verbs == (release, release):
        assert len([one for one in done if isinstance(one, AbsError)]) == 1
    assert ("edit" in won) == (round_.name == "Anders") == (round_.amount_cents == 1_000)
    assert not (round_.state == "cancelled" and "release" in won and done.index("release") > done.index("cancel"))


def test_a_round_is_issued_or_cancelled_and_never_both(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    own_factory.households(3)
    round_ = own_factory.round(name="Najaar", opens=3 * DAY, closes=30 * DAY)
    own_session.commit()

    done = at_once([committed(own_app, partial(verb, own_factory, round_.id)) for verb in (issue, cancel)])

    own_session.expire_all()
    vouchers = own_session.scalar(select(func.count()).select_from(Voucher))
    assert len([one for one in done if isinstance(one, AbsError)]) == 1
    assert (round_.state, vouchers) in {("issued", 3), ("cancelled", 0)}
    assert_books_are_right(own_session)


def test_a_gift_while_its_round_is_closed_early_is_given_or_refused_and_nobody_waits_for_ever(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    codes = own_factory.codes(6)
    initiative_id = own_factory.initiative().id
    round_id = own_session.scalars(select(Round.id)).one()
    own_session.commit()

    def give(code: str, session: Session) -> object:
        return give_voucher(
            session, own_factory.digest(code), initiative_id, details=GiftDetails(), now=own_factory.now
        )

    def close(session: Session) -> object:
        return close_early(session, round_id, reason="Op.", actor=TEST_ACTOR, now=own_factory.now + DAY)

    works = [committed(own_app, partial(give, code)) for code in codes[:3]]
    done = at_once(
        [*works, committed(own_app, close), *(committed(own_app, partial(give, code)) for code in codes[3:])]
    )

    assert not isinstance(done[3], AbsError)
    given = own_session.scalar(select(func.count()).select_from(Donation)) or 0
    states = list(own_session.scalars(select(Voucher.state)))
    assert states.count("given") == given
    assert states.count("expired") == len(codes) - given
    assert_books_are_right(own_session)


def test_a_gift_that_holds_its_voucher_is_waited_for(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    code = own_factory.codes(2)[0]
    initiative = own_factory.initiative()
    round_id = own_session.scalars(select(Round.id)).one()
    own_session.commit()

    def close(session: Session) -> object:
        return close_early(session, round_id, reason="Op.", actor=TEST_ACTOR, now=own_factory.now + DAY)

    assert own_factory.give(code, initiative) is not None  # not committed: it holds the voucher
    with meanwhile(committed(own_app, close)) as closing:
        with own_app.app_context():
            watch = Session(own_session.get_bind())
            wait_until_blocked(watch)
            watch.close()
        own_session.commit()

    assert closing.result().vouchers == 1  # type: ignore[attr-defined]
    assert sorted(own_session.scalars(select(Voucher.state))) == ["expired", "given"]
    assert_books_are_right(own_session)


def test_closing_and_extending_at_once_never_leaves_a_closed_round_with_a_later_end(
    own_app: Flask, own_session: Session, own_factory: Factory
) -> None:
    own_factory.codes(2)
    round_ = own_session.scalars(select(Round)).one()
    round_id, later = round_.id, round_.closes_at + 5 * DAY
    own_session.commit()

    def close(session: Session) -> object:
        return close_early(session, round_id, reason="Op.", actor=TEST_ACTOR, now=own_factory.now)

    def extend(session: Session) -> object:
        extend_round(session, round_id, later, reason="Meer tijd.", actor=TEST_ACTOR, now=own_factory.now)
        return None

    done = at_once([committed(own_app, close), committed(own_app, extend)])

    own_session.expire_all()
    assert not isinstance(done[0], AbsError)
    assert (round_.state, round_.closes_at) == ("closed", own_factory.now)
    assert set(own_session.scalars(select(Voucher.state))) == {"expired"}
    assert_books_are_right(own_session)
