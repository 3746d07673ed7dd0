# SPDX-License-Identifier: EUPL-1.2
"""Objections at the same moment: two who decide, two who object, and a gift that is being returned."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.donations.models import Donation
from abs_platform.donations.service import return_vouchers
from abs_platform.errors import AbsError, Conflict
from abs_platform.ledger.models import LedgerTransaction
from abs_platform.objections.models import Objection
from abs_platform.objections.service import object_to, reject, settle_moot, uphold
from abs_platform.vouchers.codes import read_code
from tests.concurrency.racing import assert_books_are_right, at_once, committed
from tests.factories import TEST_ACTOR, Factory
from tests.objections.stolen import HOLDER, Stolen


@pytest.fixture
def stolen(own_factory: Factory, own_session: Session) -> Stolen:
    """A given voucher, for others to see."""
    made = Stolen(own_factory, own_factory.initiative(title="Een pluktuin"))
    made.give()
    own_session.commit()
    return made


def objecting(app: Flask, stolen: Stolen) -> Callable[[], object]:
    factory = stolen.factory
    payload, options = read_code(stolen.code), {"keys": factory.keys, "rules": factory.rules, "now": factory.now}
    return committed(app, lambda session: object_to(session, payload, HOLDER, **options))  # type: ignore[arg-type]


def deciding(app: Flask, stolen: Stolen, verb: Callable[..., None], account_id: int) -> Callable[[], AbsError | None]:
    verb = partial(verb, reason="Zo.", account_id=account_id, actor=TEST_ACTOR, now=stolen.factory.now)
    objection_id = stolen.objection().id
    return committed(app, lambda session: verb(session, objection_id))


def test_two_wijkregisseurs_at_once_decide_once(own_app: Flask, own_session: Session, stolen: Stolen) -> None:
    stolen.object()
    sanne, els = stolen.factory.account(name="Sanne").id, stolen.factory.account(name="Els").id
    own_session.commit()

    answers = at_once([deciding(own_app, stolen, uphold, sanne), deciding(own_app, stolen, reject, els)])

    own_session.rollback()
    assert sorted(isinstance(answer, Conflict) for answer in answers) == [False, True]
    expected = {"upheld": "returned", "rejected": "confirmed"}[stolen.objection().state]
    assert stolen.gift().state == expected
    assert_books_are_right(own_session)


def test_two_devices_with_one_code_object_once(own_app: Flask, own_session: Session, stolen: Stolen) -> None:
    at_once([objecting(own_app, stolen)] * 2)

    own_session.rollback()
    assert own_session.scalar(select(func.count()).select_from(Objection)) == 1


def test_while_its_gift_is_returned_it_is_upheld_without_booking_anything_twice(
    own_app: Flask, own_session: Session, stolen: Stolen
) -> None:
    stolen.object()
    sanne, now = stolen.factory.account(name="Sanne").id, stolen.factory.now
    initiative_id = stolen.initiative.id
    own_session.commit()
    returning = committed(
        own_app, lambda session: return_vouchers(session, initiative_id, actor=TEST_ACTOR, now=now, reason="stopped")
    )

    at_once([deciding(own_app, stolen, uphold, sanne), returning])
    returning()  # as the job's next run: it passes over a gift that somebody else holds

    own_session.rollback()
    assert (stolen.gift().state, stolen.objection().state) == ("returned", "upheld")
    kinds = select(LedgerTransaction.kind).where(LedgerTransaction.donation_id == stolen.gift().id)
    assert sorted(own_session.scalars(kinds)) == ["voucher_given", "voucher_returned"]
    assert_books_are_right(own_session)


def test_objecting_while_its_gift_is_returned_leaves_nothing_to_decide(
    own_app: Flask, own_session: Session, stolen: Stolen
) -> None:
    initiative_id, now = stolen.initiative.id, stolen.factory.now
    returning = committed(
        own_app, lambda session: return_vouchers(session, initiative_id, actor=TEST_ACTOR, now=now, reason="stopped")
    )

    at_once([objecting(own_app, stolen), returning])
    returning()  # as the job's next run: it passes over a gift that somebody else holds
    committed(own_app, lambda session: settle_moot(session, actor=TEST_ACTOR, now=now))()

    own_session.rollback()
    assert own_session.scalar(select(Donation.state)) == "returned"
    assert set(own_session.scalars(select(Objection.state))) <= {"upheld"}
    assert_books_are_right(own_session)
