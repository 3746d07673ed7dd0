# SPDX-License-Identifier: EUPL-1.2
"""A household never holds vouchers of two rounds of the same time, whatever happens to districts and addresses."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from abs_platform.areas.models import Area
from abs_platform.rounds.queries import running_rounds_of_ended_districts
from abs_platform.vouchers.models import Voucher
from tests.factories import Factory


def test_a_household_that_moves_to_another_district_gets_no_second_voucher_at_the_same_time(
    session: Session, factory: Factory
) -> None:
    (household,) = factory.households(1, "BU01411900")
    factory.issue(factory.round(districts=("WK014119",)))
    elsewhere = factory.round(districts=("WK014118",))
    household.neighbourhood_id = factory.area_id("BU01411800")
    session.flush()

    assert factory.issue(elsewhere) == 0

    held = session.scalar(select(func.count()).where(Voucher.household_id == household.id))
    assert held == 1


def test_a_household_gets_a_voucher_in_the_next_round(session: Session, factory: Factory) -> None:
    factory.households(1)
    factory.issue(factory.round(opens=dt.timedelta(days=-90), closes=dt.timedelta(days=-30)))

    assert factory.issue(factory.round()) == 1


def test_a_round_that_runs_in_a_district_that_is_gone_is_named(session: Session, factory: Factory) -> None:
    round_ = factory.round(districts=("WK014119",))
    assert running_rounds_of_ended_districts(session) == []

    session.scalars(select(Area).where(Area.code == "WK014119")).one().is_current = False
    session.flush()

    assert running_rounds_of_ended_districts(session) == [round_.name]


_NEW = "INSERT INTO vouchers (round_id, batch_id, household_id, nonce, code_digest)"
_BYTES = "substr(sha256('a'), 1, 16), substr(sha256('b'), 1, 16)"


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (
            f"{_NEW} SELECT round_id, batch_id + 1000, NULL, {_BYTES} FROM vouchers LIMIT 1",
            "needs a batch of its round",
        ),
        (
            f"{_NEW} SELECT round_id + 1000, batch_id, NULL, {_BYTES} FROM vouchers LIMIT 1",
            "needs a batch of its round",
        ),
        (f"{_NEW} SELECT round_id, batch_id, -1, {_BYTES} FROM vouchers LIMIT 1", "needs a household"),
        ("UPDATE vouchers SET household_id = household_id + 1", "append only"),
        ("UPDATE vouchers SET batch_id = batch_id + 1", "append only"),
        ("UPDATE voucher_batches SET round_id = round_id + 1", "append only"),
        ("UPDATE households SET id = DEFAULT", "append only"),
        ("DELETE FROM voucher_batches", "append only"),
    ],
)
def test_what_a_voucher_points_at_cannot_be_missing_or_change(
    session: Session, factory: Factory, change: str, refused: str
) -> None:
    factory.codes(2)

    with pytest.raises(DBAPIError, match=refused), session.begin_nested():
        session.execute(text(change))


def test_a_settled_voucher_may_let_go_of_its_household(session: Session, factory: Factory) -> None:
    (code,) = factory.codes()

    session.execute(text("UPDATE vouchers SET household_id = NULL"))

    assert factory.voucher(code).household_id is None
