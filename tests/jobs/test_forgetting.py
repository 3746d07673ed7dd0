# SPDX-License-Identifier: EUPL-1.2
"""What an address gave is nobody's business: a settled round forgets its households (rule 11)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.database import db
from abs_platform.errors import Conflict
from abs_platform.ledger.queries import check
from abs_platform.vouchers.models import Voucher
from abs_platform.vouchers.print_file import export
from abs_platform.vouchers.service import expire_round
from jobs import purge_personal_data
from tests.factories import TEST_ACTOR, Factory

DAY = dt.timedelta(days=1)


def known(session: Session) -> int:
    return session.scalar(select(func.count()).where(Voucher.household_id.is_not(None))) or 0


def purge(factory: Factory, at: dt.datetime) -> int:
    """Run the job as its own process would: with a session of its own; returns what it changed."""
    factory.session.commit()
    report = purge_personal_data.run(at)
    db.session.remove()
    assert report.errors == []
    return report.changed


def closed_round_of(factory: Factory) -> int:
    given, _expired = factory.codes(2)
    factory.give(given, factory.initiative())
    round_id = factory.voucher(given).round_id
    expire_round(factory.session, round_id, actor=TEST_ACTOR, now=factory.now + 21 * DAY)
    factory.session.commit()
    return round_id


def test_a_settled_round_forgets_its_households_once(session: Session, factory: Factory) -> None:
    closed_round_of(factory)
    late = factory.now + 52 * DAY

    first, second = purge(factory, late), purge(factory, late)

    assert (first, second) == (2, 0)
    assert known(session) == 0
    assert check(session) == []


def test_a_round_that_closed_a_moment_ago_still_knows_them(session: Session, factory: Factory) -> None:
    closed_round_of(factory)

    assert purge(factory, factory.now + 40 * DAY) == 0

    assert known(session) == 2


def test_a_round_with_a_voucher_that_can_still_be_given_is_not_settled(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()
    factory.voucher(code).usable_until = factory.now + 90 * DAY
    expire_round(session, factory.voucher(code).round_id, actor=TEST_ACTOR, now=factory.now + 21 * DAY)
    session.commit()

    assert purge(factory, factory.now + 60 * DAY) == 0

    assert known(session) == 1


def test_of_a_settled_round_no_print_file_can_be_made(session: Session, factory: Factory, tmp_path: Path) -> None:
    round_id = closed_round_of(factory)
    late = factory.now + 52 * DAY
    purge(factory, late)

    with pytest.raises(Conflict, match="niet meer bekend"):
        export(session, round_id, tmp_path / "x.csv", keys=factory.keys, actor=TEST_ACTOR, now=late)
