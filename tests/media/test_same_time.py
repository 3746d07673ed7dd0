# SPDX-License-Identifier: EUPL-1.2
"""Several people with the pictures of one initiative at the same moment: the limits hold and nobody gets a bug."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from abs_platform.errors import AbsError, Conflict, InvalidInput, NotFound
from abs_platform.media.keeping import kept_picture
from abs_platform.media.models import Picture
from abs_platform.media.queries import keys_in_use, pictures_of
from abs_platform.media.service import add_picture, remove_picture, reorder
from abs_platform.media.states import MAX_PICTURES, Purpose
from tests.concurrency.racing import at_once, committed
from tests.factories import TEST_ACTOR, Factory
from tests.media.pictures import photo


@pytest.fixture
def initiative_id(own_factory: Factory) -> int:
    made = own_factory.initiative().id
    own_factory.session.commit()
    return made


def adding(app: Flask, factory: Factory, initiative_id: int, data: bytes) -> Callable[[], int | AbsError]:
    """An upload as a route does it, ready to be started."""

    def work() -> int | AbsError:
        def verb(session: Session) -> int:
            return add_picture(
                session, kept, purpose=Purpose.INITIATIVE, initiative_id=initiative_id, uploaded_by_id=None,
                actor=TEST_ACTOR, now=factory.now,
            ).id  # fmt: skip

        try:
            with app.app_context(), kept_picture(app.extensions["file_store"], data) as kept:
                result = committed(app, verb)()
                if isinstance(result, AbsError):
                    raise result
                return result
        except AbsError as refusal:
            return refusal

    return work


def there(session: Session, initiative_id: int) -> list[int]:
    session.rollback()
    return [view.id for view in pictures_of(session, initiative_id)]


def test_the_last_free_place_is_taken_by_one(
    own_app: Flask, own_factory: Factory, own_session: Session, initiative_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MAX_PICTURES, Purpose.INITIATIVE, 1)

    outcomes = at_once([adding(own_app, own_factory, initiative_id, photo(300, 200)) for _ in range(4)])

    assert [type(outcome) for outcome in outcomes].count(int) == 1
    assert all(isinstance(outcome, int | Conflict | InvalidInput) for outcome in outcomes)
    assert len(there(own_session, initiative_id)) == 1
    kept = {key.split("/")[1] for key, _at in own_app.extensions["file_store"].keys("")}
    assert kept == keys_in_use(own_session)


def test_the_same_picture_sent_twice_by_a_double_click_is_there_once(
    own_app: Flask, own_factory: Factory, own_session: Session, initiative_id: int
) -> None:
    data = photo(300, 200)

    outcomes = at_once([adding(own_app, own_factory, initiative_id, data) for _ in range(3)])

    assert [type(outcome) for outcome in outcomes].count(int) == 1
    assert len(there(own_session, initiative_id)) == 1


def test_ordering_and_removing_at_once_end_in_one_order_of_what_is_left(
    own_app: Flask, own_factory: Factory, own_session: Session, initiative_id: int
) -> None:
    ids = [adding(own_app, own_factory, initiative_id, photo(300, 200))() for _ in range(5)]
    assert all(isinstance(one, int) for one in ids)
    numbers = [one for one in ids if isinstance(one, int)]
    now = own_factory.now

    def order(wanted: list[int]) -> Callable[[], object]:
        return committed(
            own_app,
            lambda session: reorder(session, wanted, initiative_id=initiative_id, actor=TEST_ACTOR, now=now),
        )

    def remove(session: Session) -> None:
        remove_picture(session, numbers[0], initiative_id=initiative_id, actor=TEST_ACTOR, now=now)

    outcomes = at_once(
        [order(numbers[::-1]), order(numbers[2:] + numbers[:2]), committed(own_app, remove), committed(own_app, remove)]
    )

    assert all(outcome is None or isinstance(outcome, Conflict | NotFound) for outcome in outcomes), outcomes
    assert sum(isinstance(outcome, NotFound) for outcome in outcomes) == 1
    assert sorted(there(own_session, initiative_id)) == sorted(numbers[1:])
    positions = select(func.count(), func.count(Picture.position.distinct())).where(Picture.removed_at.is_(None))
    count, distinct = own_session.execute(positions).one()
    assert count == distinct == 4
