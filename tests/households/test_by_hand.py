# SPDX-License-Identifier: EUPL-1.2
"""Addresses that are ended, brought back, split and added by hand, and what an import makes of them later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.errors import AbsError, Conflict, InvalidInput, NotFound
from abs_platform.events import Event
from abs_platform.households import changing
from abs_platform.households.changing import AddressExists
from abs_platform.households.models import Household
from abs_platform.households.queries import NewAddress
from abs_platform.vouchers.issuing import issue_vouchers
from abs_platform.vouchers.models import Voucher
from tests.factories import TEST_ACTOR, Factory
from tests.households.files import home, key_row, object_id, write_bag, write_key
from tests.households.importing import NOW, counts, ended, run

WHO: dict[str, Any] = {"reason": "Zo is het.", "actor": TEST_ACTOR, "now": NOW}
LATER = NOW + dt.timedelta(days=30)


@pytest.fixture
def town(session: Session, tmp_path: Path) -> Callable[..., dict[str, int]]:
    """Imports homes; returns what the import counted."""

    def take(*numbers: int, also: tuple[dict[str, str], ...] = (), **options: Any) -> dict[str, int]:
        bag = write_bag(tmp_path, [*(home(number) for number in numbers), *also])
        session.expire_all()
        report = run(session, bag, write_key(tmp_path), **{"max_gone_percent": 100} | options)
        session.expire_all()
        return counts(report)

    return take


def number_of(session: Session, number: int, letter: str = "") -> Household:
    query = select(Household).where(Household.house_number == number, Household.house_letter == letter)
    return session.scalars(query).one()


def address(session: Session, number: int, letter: str = "", **more: Any) -> NewAddress:
    neighbourhood = session.scalar(select(Household.neighbourhood_id).limit(1)) or 0
    made = NewAddress(
        street="Grotestraat",
        house_number=number,
        house_letter=letter,
        house_addition="",
        postcode="7607AA",
        city="Almelo",
        neighbourhood_id=neighbourhood,
        object_type="VBO",
    )
    return replace(made, **more)


def told(session: Session, household: Household) -> list[tuple[str, str | None, dict[str, Any]]]:
    rows = session.scalars(
        select(Event).where(Event.subject == "household", Event.subject_id == household.id).order_by(Event.id)
    )
    return [(row.kind, row.reason, row.details or {}) for row in rows]


def test_what_was_ended_by_hand_is_not_brought_back_by_an_import_and_not_new(
    session: Session, town: Callable[..., dict[str, int]]
) -> None:
    town(1, 2)
    one = number_of(session, 1)
    changing.end(session, one.id, **WHO)

    same, moved = town(1, 2), town(2, also=(home(1, object_id=object_id(77), nummeraanduiding="0141200000000077"),))

    one = number_of(session, 1)
    assert same == {"unchanged": 2}
    assert moved == {"changed": 1, "unchanged": 1}
    assert (one.bag_object_id, one.ended_on) == (object_id(77), dt.date(2026, 11, 23))
    assert told(session, one) == [("household.ended", "Zo is het.", {"old": "telt mee", "new": "beëindigd"})]


def test_an_import_warns_of_what_stays_ended(session: Session, town: Callable[..., Any], tmp_path: Path) -> None:
    town(1)
    changing.end(session, number_of(session, 1).id, **WHO)
    session.flush()

    report = run(session, write_bag(tmp_path, [home(1), home(2)]), write_key(tmp_path))

    assert "Met de hand beëindigd, maar wel in dit bestand: 1. Ze blijven beëindigd." in report.warnings


def test_what_was_brought_back_lives_with_the_next_import(session: Session, town: Callable[..., Any]) -> None:
    town(1, 2)
    one, two = number_of(session, 1), number_of(session, 2)
    changing.end(session, one.id, **WHO)
    town(1)  # the BAG ends 2
    changing.bring_back(session, one.id, **WHO)
    changing.bring_back(session, number_of(session, 2).id, **WHO)

    assert town(1) == {"unchanged": 1}

    assert set(ended(session).values()) == {None}
    assert (one.added_by_hand_at, number_of(session, 2).added_by_hand_at) == (None, NOW)
    assert [kind for kind, _reason, _details in told(session, two)] == ["household.brought_back"]
    with pytest.raises(Conflict):
        changing.bring_back(session, one.id, **WHO)


def test_what_was_added_gets_a_number_of_our_own_and_no_import_ends_it(
    session: Session, town: Callable[..., Any]
) -> None:
    town(1)
    first = changing.add(session, address(session, 50), **WHO)
    second = changing.add(session, address(session, 51), **WHO)

    assert town(1) == {"unchanged": 1}

    assert (first.bag_object_id, second.bag_object_id) == ("9999000000000001", "9999000000000002")
    assert (first.ended_on, first.added_by_hand_at, first.bag_address_id) == (None, NOW, None)
    assert told(session, first) == [("household.added", "Zo is het.", {"neighbourhood": "BU01411000"})]


@pytest.mark.parametrize("street", ["Grotestraat", "Grote straat"])
def test_the_bag_takes_a_hand_made_address_over_and_it_gets_no_second_voucher(
    session: Session, factory: Factory, town: Callable[..., Any], street: str
) -> None:
    town(1)
    made = changing.add(session, address(session, 50, "A"), **WHO)
    round_ = factory.round(districts=("WK014110",))
    issue_vouchers(session, round_.id, keys=factory.keys, actor=TEST_ACTOR, now=factory.now)

    bag = home(50, huisletter="A", openbareruimte=street)
    taken, again = town(1, also=(bag,)), town(1, also=(bag,))
    issue_vouchers(session, round_.id, keys=factory.keys, actor=TEST_ACTOR, now=factory.now)

    made = session.get_one(Household, made.id)
    assert (taken, again) == ({"changed": 1, "unchanged": 1}, {"unchanged": 2})
    assert (made.bag_object_id, made.bag_address_id) == (object_id(50), "0141200000000050")
    assert (made.added_by_hand_at, made.street, made.ended_on) == (None, street, None)
    assert session.scalar(select(func.count()).select_from(Voucher)) == 2


def test_one_added_with_its_number_of_the_bag_becomes_the_bags(session: Session, town: Callable[..., Any]) -> None:
    town(1)
    made = changing.add(session, address(session, 50, bag_object_id=object_id(50)), **WHO)

    assert town(1, 50) == {"changed": 1, "unchanged": 1}

    assert session.get_one(Household, made.id).added_by_hand_at is None


def test_one_that_was_added_and_ended_again_does_not_come_back_with_the_bag(
    session: Session, town: Callable[..., Any]
) -> None:
    town(1)
    made = changing.add(session, address(session, 50), **WHO)
    changing.end(session, made.id, **WHO)

    assert town(1, 50) == {"changed": 1, "unchanged": 1}

    made = session.get_one(Household, made.id)
    assert (made.bag_object_id, made.ended_on is None) == (object_id(50), False)
    assert session.scalar(select(func.count()).select_from(Household)) == 2


def test_a_split_keeps_the_household_and_the_bag_takes_all_parts_over(
    session: Session, town: Callable[..., Any]
) -> None:
    town(1, 12)
    old = number_of(session, 12)

    first, second = changing.split(session, old.id, [("A", ""), ("B", "")], **WHO)
    parts = (
        home(12, huisletter="A", object_id=object_id(80), nummeraanduiding="0141200000000080"),
        home(12, huisletter="B", object_id=object_id(81), nummeraanduiding="0141200000000081"),
    )
    later = town(1, also=parts)

    assert first.id == old.id
    assert later == {"changed": 2, "unchanged": 1}
    assert [number_of(session, 12, letter).id for letter in "AB"] == [first.id, second.id]
    assert (first.bag_object_id, second.bag_object_id) == (object_id(80), object_id(81))
    assert told(session, first) == [("household.split", "Zo is het.", {"old": "-", "new": "A, B", "made": [second.id]})]
    assert told(session, second)[0][2]["split_from"] == first.id


def test_an_object_that_moves_to_the_address_of_a_hand_made_one_is_told(
    session: Session, town: Callable[..., Any], tmp_path: Path
) -> None:
    town(1, 2)
    changing.add(session, address(session, 50), **WHO)
    moved = home(2, huisnummer="50")

    report = run(session, write_bag(tmp_path, [home(1), moved]), write_key(tmp_path))

    assert [warning for warning in report.warnings if "nog een adres is met die postcode" in warning]


REFUSED: dict[str, tuple[Callable[[Session, Household], Any], type[AbsError]]] = {
    "no reason": (lambda s, h: changing.end(s, h.id, **WHO | {"reason": "  "}), InvalidInput),
    "no such address": (lambda s, _h: changing.end(s, 987_654, **WHO), NotFound),
    "lives": (lambda s, h: changing.bring_back(s, h.id, **WHO), Conflict),
    "there already": (lambda s, _h: changing.add(s, address(s, 1), **WHO), AddressExists),
    "other street": (lambda s, _h: changing.add(s, address(s, 1, street="Grote str"), **WHO), AddressExists),
    "same object": (lambda s, _h: changing.add(s, address(s, 9, bag_object_id=object_id(1)), **WHO), AddressExists),
    "made up": (lambda s, _h: changing.add(s, address(s, 9, bag_object_id="9999000000000009"), **WHO), InvalidInput),
    "new postcode": (lambda s, _h: changing.add(s, address(s, 9, postcode="7699ZZ"), **WHO), InvalidInput),
    "no area": (lambda s, _h: changing.add(s, address(s, 9, neighbourhood_id=987_654), **WHO), NotFound),
    "one part": (lambda s, h: changing.split(s, h.id, [("A", "")], **WHO), InvalidInput),
    "part twice": (lambda s, h: changing.split(s, h.id, [("A", ""), ("A", "")], **WHO), InvalidInput),
    "many parts": (lambda s, h: changing.split(s, h.id, [("", str(n)) for n in range(21)], **WHO), InvalidInput),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_and_changes_nothing(session: Session, town: Callable[..., Any], case: str) -> None:
    town(1, 2)
    before = [str(row) for row in session.execute(select(Household.__table__))]
    verb, error = REFUSED[case]

    with pytest.raises(error):
        verb(session, number_of(session, 1))

    session.expire_all()
    assert [str(row) for row in session.execute(select(Household.__table__))] == before
    assert session.scalar(select(func.count()).where(Event.subject == "household")) == 0


def test_an_ended_address_is_refused_with_the_way_to_it(session: Session, town: Callable[..., Any]) -> None:
    town(1)
    one = number_of(session, 1)
    changing.end(session, one.id, **WHO)

    with pytest.raises(AddressExists, match="is beëindigd") as refused:
        changing.add(session, address(session, 1), **WHO)

    assert refused.value.household_id == one.id
    with pytest.raises(Conflict):
        changing.split(session, one.id, [("A", ""), ("B", "")], **WHO)
    with pytest.raises(Conflict):
        changing.end(session, one.id, **WHO)


def test_a_new_postcode_needs_a_tick(session: Session, town: Callable[..., Any]) -> None:
    town(1)

    made = changing.add(session, address(session, 9, postcode="7699ZZ"), is_new_postcode=True, **WHO)

    assert made.postcode == "7699ZZ"


def test_no_more_than_fifty_a_day_come_alive_by_hand_and_tomorrow_again(
    session: Session, town: Callable[..., Any]
) -> None:
    town(1, 2, 3)
    town(1, 2)  # the BAG ends 3
    for number in range(100, 147):
        changing.add(session, address(session, number), **WHO)
    changing.bring_back(session, number_of(session, 3).id, **WHO)

    with pytest.raises(Conflict, match="Vandaag kunnen er nog 2 bij"):
        changing.split(session, number_of(session, 1).id, [("A", ""), ("B", ""), ("C", ""), ("D", "")], **WHO)
    changing.split(session, number_of(session, 1).id, [("A", ""), ("B", ""), ("C", "")], **WHO)
    with pytest.raises(Conflict, match="hoogstens 50"):
        changing.add(session, address(session, 200), **WHO)
    two = number_of(session, 2)
    changing.end(session, two.id, **WHO)
    changing.bring_back(session, two.id, **WHO)  # what was ended by hand is nothing new

    changing.add(session, address(session, 200), **WHO | {"now": LATER})


def test_hand_made_rows_keep_out_of_the_share_that_may_go(
    session: Session, town: Callable[..., Any], tmp_path: Path
) -> None:
    town(1)
    changing.add(session, address(session, 50), **WHO)
    key = write_key(tmp_path, [key_row(number) for number in range(1, 99)])

    report = run(session, write_bag(tmp_path, [home(1)]), key, max_gone_percent=0)

    assert (report.gone, report.living) == (0, 2)
