# SPDX-License-Identifier: EUPL-1.2
"""An import, an issue and changes by hand at the same moment: one door never gets two rows or two vouchers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.errors import AbsError, Conflict
from abs_platform.households import changing
from abs_platform.households.changing import AddressExists
from abs_platform.households.models import Household
from abs_platform.households.queries import NewAddress
from abs_platform.households.service import hold_addresses_still
from tests.concurrency.racing import at_once, committed, meanwhile, wait_until_blocked
from tests.factories import TEST_ACTOR, Factory
from tests.households.files import home, write_bag, write_key
from tests.households.importing import NOW, run

WHO: dict[str, Any] = {"reason": "Zo is het.", "actor": TEST_ACTOR, "now": NOW}


def new_door(area_id: int) -> NewAddress:
    return NewAddress(
        street="Grotestraat",
        house_number=50,
        house_letter="",
        house_addition="",
        postcode="7607AA",
        city="Almelo",
        neighbourhood_id=area_id,
        object_type="VBO",
    )


def doors(session: Session) -> int:
    session.expire_all()
    return session.scalar(select(func.count()).where(Household.house_number == 50)) or 0


def test_two_who_add_one_address_at_once_make_one(own_app: Flask, own_session: Session, own_factory: Factory) -> None:
    door = new_door(own_factory.area_id("BU01411000"))

    def add(session: Session) -> int:
        return changing.add(session, door, is_new_postcode=True, **WHO).id

    done = at_once([committed(own_app, add)] * 2)

    assert sorted(isinstance(one, AddressExists) for one in done) == [False, True]
    assert doors(own_session) == 1


def test_an_import_and_a_hand_that_bring_the_same_door_make_one(
    own_app: Flask, own_session: Session, own_factory: Factory, tmp_path: Path
) -> None:
    files = write_bag(tmp_path, [home(50)]), write_key(tmp_path)
    door = new_door(own_factory.area_id("BU01411000"))

    def add(session: Session) -> Any:
        return changing.add(session, door, is_new_postcode=True, **WHO).id

    done = at_once([committed(own_app, add), committed(own_app, lambda session: run(session, *files))])

    assert doors(own_session) == 1
    assert all(not isinstance(one, AbsError) or isinstance(one, AddressExists) for one in done)


def test_a_hand_waits_a_moment_for_an_issue_and_then_says_so(
    own_app: Flask, own_session: Session, own_factory: Factory, monkeypatch: Any
) -> None:
    there = own_factory.households()[0].id
    own_session.commit()
    end = committed(own_app, partial(changing.end, household_id=there, **WHO))
    hold_addresses_still(own_session)

    with meanwhile(end) as waiting:
        wait_until_blocked(own_session)
        own_session.rollback()
    assert waiting.result() is None

    hold_addresses_still(own_session)
    monkeypatch.setattr(changing, "MOST_SECONDS_TO_WAIT", 0.05)
    refused = committed(own_app, partial(changing.bring_back, household_id=there, **WHO))()
    own_session.rollback()
    assert isinstance(refused, Conflict)
    assert own_session.get_one(Household, there, populate_existing=True).ended_on is not None
