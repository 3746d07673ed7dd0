# SPDX-License-Identifier: EUPL-1.2
"""Pictures in their place: added, described, ordered and removed, each as often as may be and by nobody else's id."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.errors import Conflict, InvalidInput, NotFound
from abs_platform.events import Event
from abs_platform.initiatives.queries import card, collecting
from abs_platform.media.keeping import kept_picture, kept_receipt, read_private
from abs_platform.media.models import Picture
from abs_platform.media.queries import (
    pictures_of,
    pictures_of_updates,
    pictures_without_alt,
)
from abs_platform.media.service import add_picture, forget_removed, remove_picture, reorder, set_alt
from abs_platform.media.states import MAX_PICTURES, Purpose
from abs_platform.storage import FileStore
from tests.factories import TEST_ACTOR, Factory
from tests.media.pictures import photo
from tests.test_page_cost import counting

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def receipts_of(session: Session, initiative_id: int) -> list[Picture]:
    """The receipts of an initiative that were not taken away, in the order in which they came."""
    query = select(Picture).where(
        Picture.initiative_id == initiative_id, Picture.purpose == "receipt", Picture.removed_at.is_(None)
    )
    return list(session.scalars(query.order_by(Picture.position, Picture.id)))


@dataclass
class Album:
    """Adds pictures to initiatives as a page would."""

    session: Session
    store: FileStore
    factory: Factory

    def add(self, initiative_id: int, data: bytes | None = None, **options: Any) -> Picture:
        options = {"purpose": Purpose.INITIATIVE, "uploaded_by_id": None} | options
        keep = kept_receipt if options["purpose"] == Purpose.RECEIPT else kept_picture
        with keep(self.store, data or photo(300, 200)) as kept:
            return add_picture(
                self.session, kept, initiative_id=initiative_id, actor=TEST_ACTOR, now=self.factory.now, **options
            )

    def ids(self, initiative_id: int) -> list[int]:
        return [view.id for view in pictures_of(self.session, initiative_id)]

    def events(self, initiative_id: int) -> list[str]:
        query = select(Event.kind).where(Event.subject == "initiative", Event.subject_id == initiative_id)
        kinds = self.session.scalars(query.order_by(Event.id))
        return [kind.removeprefix("initiative.") for kind in kinds if "picture" in kind]


@pytest.fixture
def album(app: Flask, session: Session, factory: Factory) -> Album:
    return Album(session, app.extensions["file_store"], factory)


@pytest.fixture
def initiative_id(factory: Factory) -> int:
    return factory.initiative().id


# -- adding -----------------------------------------------------------------------------------------------------------


def test_a_picture_is_there_with_its_files_its_sizes_and_who_sent_it(album: Album, initiative_id: int) -> None:
    account = album.factory.account()

    made = album.add(
        initiative_id, photo(1000, 700), alt_text="  Een\u202e boom\non het plein ", uploaded_by_id=account.id
    )

    (view,) = pictures_of(album.session, initiative_id)
    assert (view.id, view.alt, view.width, view.height) == (made.id, "Een boom on het plein", 1000, 700)
    assert view.src == f"/media/{made.key}/960.jpg"
    assert view.srcset_webp == ", ".join(f"/media/{made.key}/{width}.webp {width}w" for width in (480, 960, 1000))
    assert view.srcset_jpeg == view.srcset_webp.replace("webp", "jpg")
    assert view.largest == f"/media/{made.key}/1000.jpg"
    assert sorted(key for key, _at in album.store.keys(f"pictures/{made.key}/")) == sorted(
        f"pictures/{made.key}/{width}.{extension}" for width in (480, 960, 1000) for extension in ("jpg", "webp")
    )
    assert made.uploaded_by_id == account.id
    assert album.events(initiative_id) == ["picture_added"]


def test_a_small_picture_has_an_address_too(album: Album, initiative_id: int) -> None:
    made = album.add(initiative_id, photo(300, 200))

    (view,) = pictures_of(album.session, initiative_id)

    assert view.src == f"/media/{made.key}/300.jpg"


def test_pictures_stand_in_the_order_in_which_they_came(album: Album, initiative_id: int) -> None:
    ids = [album.add(initiative_id).id for _ in range(3)]

    assert album.ids(initiative_id) == ids


@pytest.mark.parametrize("purpose", list(Purpose))
def test_there_is_a_most_for_each_place(
    album: Album, initiative_id: int, purpose: Purpose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MAX_PICTURES, purpose, 2)
    options = {"purpose": purpose} | ({"update_id": 1} if purpose == Purpose.UPDATE else {})
    first = album.add(initiative_id, **options)
    album.add(initiative_id, **options)

    with pytest.raises(InvalidInput, match="hoogstens 2"):
        album.add(initiative_id, **options)

    remove_picture(album.session, first.id, initiative_id=initiative_id, actor=TEST_ACTOR, now=album.factory.now)
    album.add(initiative_id, **options)
    elsewhere = {"update_id": 2} if purpose == Purpose.UPDATE else {}
    album.add(album.factory.initiative().id, **options | elsewhere)


def test_an_initiative_has_eight_pictures_and_an_update_six() -> None:
    assert (MAX_PICTURES[Purpose.INITIATIVE], MAX_PICTURES[Purpose.UPDATE]) == (8, 6)


def test_the_same_picture_twice_in_one_place_is_refused_kindly(album: Album, initiative_id: int) -> None:
    data = photo(300, 200)
    first = album.add(initiative_id, data)

    with pytest.raises(InvalidInput, match="staat er al bij"):
        album.add(initiative_id, data)

    assert album.ids(initiative_id) == [first.id]
    for options in ({"purpose": Purpose.ACCOUNTABILITY}, {"purpose": Purpose.UPDATE, "update_id": 1}):
        album.add(initiative_id, data, **options)
    album.add(initiative_id, data, purpose=Purpose.UPDATE, update_id=2)
    album.add(album.factory.initiative().id, data)
    remove_picture(album.session, first.id, initiative_id=initiative_id, actor=TEST_ACTOR, now=album.factory.now)
    album.add(initiative_id, data)


def test_a_refused_picture_leaves_no_files(album: Album, initiative_id: int) -> None:
    data = photo(300, 200)
    album.add(initiative_id, data)
    before = sorted(album.store.keys(""))

    with pytest.raises(InvalidInput):
        album.add(initiative_id, data)

    assert sorted(album.store.keys("")) == before


def test_a_bug_after_keeping_leaves_the_files_for_the_sweep(album: Album, initiative_id: int) -> None:
    """After an error that is no refusal nobody knows whether the row is there; its files must be."""
    before = len(list(album.store.keys("")))

    with pytest.raises(ZeroDivisionError), kept_picture(album.store, photo(300, 200)):
        raise ZeroDivisionError

    assert len(list(album.store.keys(""))) == before + 2


def test_an_alt_text_that_is_too_long_is_refused(album: Album, initiative_id: int) -> None:
    with pytest.raises(InvalidInput, match="hoogstens 300"):
        album.add(initiative_id, alt_text="a" * 301)


# -- receipts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "kind"), [(photo(1000, 700, seed=5), "image/jpeg"), (PDF, "application/pdf")])
def test_a_receipt_is_a_picture_or_a_pdf_and_is_kept_apart(
    album: Album, initiative_id: int, data: bytes, kind: str
) -> None:
    made = album.add(initiative_id, data, purpose=Purpose.RECEIPT)

    (receipt,) = receipts_of(album.session, initiative_id)
    file, content_type = read_private(album.store, receipt)
    assert (receipt.id, content_type) == (made.id, kind)
    assert (file == PDF) == (kind == "application/pdf")
    assert [key.split("/")[0] for key, _at in album.store.keys("") if made.key in key] == ["private"]
    assert pictures_of(album.session, initiative_id) == []
    assert photo_on_card(album, initiative_id) is None


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (PDF[:-7], "beschadigd"),
        (PDF + b"\x00" * 15_000_000 + b"%%EOF", "te groot"),
        (b"PK\x03\x04 een Word-bestand", "Een ZIP-bestand kan niet"),
    ],
)
def test_what_is_no_receipt_is_refused(album: Album, initiative_id: int, data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        album.add(initiative_id, data, purpose=Purpose.RECEIPT)

    assert receipts_of(album.session, initiative_id) == []


def test_a_receipt_cannot_be_kept_where_everyone_looks(album: Album, initiative_id: int) -> None:
    now = album.factory.now
    for keep, purpose in ((kept_picture, Purpose.RECEIPT), (kept_receipt, Purpose.INITIATIVE)):
        with pytest.raises(ValueError, match="is kept with"), keep(album.store, photo(300, 200)) as kept:
            add_picture(
                album.session, kept, purpose=purpose, initiative_id=initiative_id, uploaded_by_id=None,
                actor=TEST_ACTOR, now=now,
            )  # fmt: skip


def test_a_receipt_whose_file_is_gone_is_not_found(album: Album, initiative_id: int) -> None:
    made = album.add(initiative_id, PDF, purpose=Purpose.RECEIPT)
    album.store.delete(f"private/{made.key}/file.pdf")

    with pytest.raises(NotFound):
        read_private(album.store, made)


# -- describing, ordering, removing -----------------------------------------------------------------------------------


def describe(album: Album, picture: Picture, initiative_id: int, alt_text: str, *, is_decorative: bool = False) -> None:
    set_alt(
        album.session, picture.id, initiative_id=initiative_id, alt_text=alt_text, is_decorative=is_decorative,
        actor=TEST_ACTOR, now=album.factory.now,
    )  # fmt: skip


def test_a_picture_without_a_description_cannot_be_published_until_it_has_one(album: Album, initiative_id: int) -> None:
    first, second, third = (album.add(initiative_id) for _ in range(3))
    album.add(initiative_id, purpose=Purpose.ACCOUNTABILITY)
    assert [view.id for view in pictures_without_alt(album.session, initiative_id)] == [first.id, second.id, third.id]

    describe(album, first, initiative_id, "Buren planten een boom.")
    describe(album, second, initiative_id, "", is_decorative=True)

    assert [view.id for view in pictures_without_alt(album.session, initiative_id)] == [third.id]
    views = pictures_of(album.session, initiative_id)
    assert [(view.alt, view.is_decorative) for view in views] == [
        ("Buren planten een boom.", False),
        ("", True),
        ("", False),
    ]
    assert album.events(initiative_id).count("picture_described") == 2


def test_who_describes_a_picture_means_that_it_is_no_decoration(album: Album, initiative_id: int) -> None:
    picture = album.add(initiative_id, alt_text="Een boom", is_decorative=True)

    assert (picture.alt_text, picture.is_decorative) == ("Een boom", False)


def test_saying_nothing_about_a_picture_is_refused(album: Album, initiative_id: int) -> None:
    picture = album.add(initiative_id, alt_text="Een boom")

    with pytest.raises(InvalidInput, match="Beschrijf") as refused:
        describe(album, picture, initiative_id, " \n ")

    assert set(refused.value.fields) == {"alt_text"}
    assert picture.alt_text == "Een boom"


def test_saying_the_same_again_writes_no_event(album: Album, initiative_id: int) -> None:
    picture = album.add(initiative_id, alt_text="Een boom")

    describe(album, picture, initiative_id, "Een  boom")

    assert album.events(initiative_id) == ["picture_added"]


def order(album: Album, ids: list[int], initiative_id: int) -> None:
    reorder(album.session, ids, initiative_id=initiative_id, actor=TEST_ACTOR, now=album.factory.now)


def test_pictures_are_put_in_another_order_and_the_first_is_on_the_card(album: Album, initiative_id: int) -> None:
    one, two, three = (album.add(initiative_id).id for _ in range(3))

    order(album, [three, one, two], initiative_id)

    assert album.ids(initiative_id) == [three, one, two]
    assert photo_on_card(album, initiative_id) == three
    order(album, [three, one, two], initiative_id)
    assert album.events(initiative_id).count("pictures_reordered") == 1


def test_an_order_of_other_pictures_than_there_are_is_refused(album: Album, initiative_id: int) -> None:
    one, two = (album.add(initiative_id).id for _ in range(2))
    other = album.add(album.factory.initiative().id).id

    for wrong in ([one], [one, two, two], [one, other], [one, two, other], []):
        with pytest.raises(Conflict, match="intussen veranderd"):
            order(album, wrong, initiative_id)

    assert album.ids(initiative_id) == [one, two]


def test_what_is_removed_is_gone_from_every_page_at_once(album: Album, initiative_id: int) -> None:
    one, two = album.add(initiative_id), album.add(initiative_id)

    remove_picture(album.session, one.id, initiative_id=initiative_id, actor=TEST_ACTOR, now=album.factory.now)

    assert album.ids(initiative_id) == [two.id]
    assert photo_on_card(album, initiative_id) == two.id
    assert album.events(initiative_id)[-1] == "picture_removed"
    with pytest.raises(NotFound):
        remove_picture(album.session, one.id, initiative_id=initiative_id, actor=TEST_ACTOR, now=album.factory.now)


def test_with_the_id_of_anothers_picture_nothing_can_be_done(album: Album, initiative_id: int) -> None:
    theirs = album.add(album.factory.initiative().id, alt_text="Van de buren")

    with pytest.raises(NotFound):
        describe(album, theirs, initiative_id, "Van mij")
    with pytest.raises(NotFound):
        remove_picture(album.session, theirs.id, initiative_id=initiative_id, actor=TEST_ACTOR, now=album.factory.now)

    album.session.expire_all()
    assert (theirs.alt_text, theirs.removed_at) == ("Van de buren", None)


def test_what_was_removed_is_forgotten_after_a_month(album: Album, initiative_id: int) -> None:
    now = album.factory.now
    old, recent, kept = (album.add(initiative_id).id for _ in range(3))
    for picture_id, days in ((old, 31), (recent, 29)):
        at = now - dt.timedelta(days=days)
        remove_picture(album.session, picture_id, initiative_id=initiative_id, actor=TEST_ACTOR, now=at)
    album.session.flush()

    assert (forget_removed(album.session, now), forget_removed(album.session, now)) == (1, 0)
    assert set(album.session.scalars(select(Picture.id).where(Picture.initiative_id == initiative_id))) == {
        recent,
        kept,
    }


# -- for lists --------------------------------------------------------------------------------------------------------


def photo_on_card(album: Album, initiative_id: int) -> int | None:
    """Which picture stands on the card of a public initiative."""
    found = card(album.session, initiative_id, today=clock.local_date(album.factory.now))
    assert found is not None
    return None if found.photo is None else found.photo.id


def test_the_pictures_of_many_cards_come_with_the_cards(album: Album, initiative_id: int) -> None:
    with_one, with_two, without = initiative_id, album.factory.initiative().id, album.factory.initiative().id
    first = album.add(with_one).id
    album.add(with_one, purpose=Purpose.ACCOUNTABILITY)
    second = album.add(with_two).id
    album.add(with_two)
    album.add(without, purpose=Purpose.UPDATE, update_id=7)
    album.session.flush()

    with counting(album.session.connection()) as statements:
        found = collecting(album.session, today=clock.local_date(album.factory.now), limit=10)

    assert len(statements) == 1
    photos = {one.id: one.photo and one.photo.id for one in found}
    assert photos == {with_one: first, with_two: second, without: None}


def test_the_pictures_of_many_updates_are_one_query(album: Album, initiative_id: int) -> None:
    of = {"purpose": Purpose.UPDATE}
    one, two, other = (album.add(initiative_id, update_id=number, **of).id for number in (1, 1, 2))
    album.session.flush()

    with counting(album.session.connection()) as statements:
        found = pictures_of_updates(album.session, [1, 2, 3])

    assert len(statements) == 1
    assert {key: [view.id for view in views] for key, views in found.items()} == {1: [one, two], 2: [other]}
    assert [view.id for view in pictures_of(album.session, initiative_id, purpose=Purpose.UPDATE, update_id=2)] == [
        other
    ]


# -- the database refuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("purpose = 'profile'", "ck_pictures_purpose_known"),
        ("purpose = 'update'", "ck_pictures_update_named"),
        ("update_id = 1", "ck_pictures_update_named"),
        ("position = 0", "ck_pictures_position_positive"),
        ("key = '../../geheim'", "ck_pictures_key_form"),
        ("alt_text = repeat('a', 301)", "ck_pictures_alt_text_length"),
        ("alt_text = 'a', is_decorative = true", "ck_pictures_no_text_when_decorative"),
        ("width = NULL", "ck_pictures_picture_or_receipt"),
        ("widths = '{}'", "ck_pictures_picture_or_receipt"),
        ("content_type = 'application/pdf', width = NULL, height = NULL", "ck_pictures_picture_or_receipt"),
        ("content_type = 'text/html'", "ck_pictures_picture_or_receipt"),
        ("position = 2", "ex_pictures_one_a_position"),
        ("initiative_id = -1", "fk_pictures_initiative_id"),
        ("uploaded_by_id = -1", "fk_pictures_uploaded_by_id"),
    ],
)
def test_the_database_refuses_a_picture_that_cannot_be(
    album: Album, initiative_id: int, change: str, constraint: str
) -> None:
    picture = album.add(initiative_id)
    album.add(initiative_id)
    album.session.flush()

    with pytest.raises(IntegrityError, match=constraint):
        album.session.execute(text(f"UPDATE pictures SET {change} WHERE id = :id"), {"id": picture.id})
