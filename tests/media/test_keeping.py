# SPDX-License-Identifier: EUPL-1.2
"""Files and rows: whatever crashes, every row has its files, and files of no row go after a day; the job does that."""

from __future__ import annotations

import datetime as dt
import io
import os
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from abs_platform.database import db
from abs_platform.errors import InvalidInput, ProviderUnavailable
from abs_platform.media import keeping
from abs_platform.media.images import MAX_FILE_BYTES
from abs_platform.media.keeping import kept_picture, read_upload, sweep
from abs_platform.media.queries import keys_in_use, pictures_of, public_file
from abs_platform.media.service import add_picture, remove_picture
from abs_platform.media.states import Purpose
from abs_platform.storage import FolderStore
from jobs import purge_personal_data
from tests.factories import TEST_ACTOR, Factory
from tests.media.pictures import photo

DAY = dt.timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "media")


@pytest.fixture
def of_the_app(app: Flask, store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """The app on an empty store."""
    monkeypatch.setitem(app.extensions, "file_store", store)
    return store


def names(store: FolderStore) -> set[str]:
    return {key for key, _written_at in store.keys("")}


def add(session: Session, store: FolderStore, factory: Factory, initiative_id: int) -> str:
    with kept_picture(store, photo(300, 200)) as kept:
        picture = add_picture(
            session, kept, purpose=Purpose.INITIATIVE, initiative_id=initiative_id, uploaded_by_id=None,
            actor=TEST_ACTOR, now=factory.now,
        )  # fmt: skip
    return picture.key


def test_only_as_much_is_read_of_what_was_sent_as_is_needed_to_refuse_it() -> None:
    assert read_upload(io.BytesIO(b"foto")) == b"foto"
    assert len(read_upload(io.BytesIO(b"\x00" * (MAX_FILE_BYTES + 10_000)))) == MAX_FILE_BYTES + 1


@pytest.mark.usefixtures("app")
def test_what_is_no_picture_is_refused_before_anything_is_kept(app: Flask, store: FolderStore) -> None:
    with app.app_context(), pytest.raises(InvalidInput), kept_picture(store, b"geen foto"):
        pytest.fail("it was kept")

    assert names(store) == set()


def test_a_store_that_fails_half_way_leaves_no_files_and_no_row(
    app: Flask, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written = store.put, []

    def put(key: str, data: bytes, content_type: str) -> None:
        if written:
            raise ProviderUnavailable("weg")
        written.append(key)
        real(key, data, content_type)

    monkeypatch.setattr(store, "put", put)
    with app.app_context(), pytest.raises(ProviderUnavailable), kept_picture(store, photo(300, 200)):
        pytest.fail("it was kept")

    assert len(written) == 1
    assert names(store) == set()


def test_all_files_are_there_before_a_row_can_speak_of_them(app: Flask, store: FolderStore) -> None:
    with app.app_context(), kept_picture(store, photo(1000, 700)) as kept:
        there = {
            store.exists(f"pictures/{kept.key}/{width}.{kind}") for width in kept.widths for kind in ("webp", "jpg")
        }

    assert kept.widths == [480, 960, 1000]
    assert there == {True}


def test_keys_cannot_be_guessed(app: Flask, store: FolderStore) -> None:
    with app.app_context(), kept_picture(store, photo(300, 200)) as one, kept_picture(store, photo(300, 200)) as two:
        assert one.key != two.key
        assert len(bytes.fromhex(one.key)) == 16


# -- sweeping ---------------------------------------------------------------------------------------------------------


def test_files_of_no_row_go_once_they_are_a_day_old_and_no_others(
    session: Session, store: FolderStore, factory: Factory
) -> None:
    known = add(session, store, factory, factory.initiative().id)
    store.put("pictures/0rphan/480.webp", b"x", "image/webp")
    store.put("private/0rphan/file.pdf", b"x", "application/pdf")
    (store.root / "pictures/0rphan/480.jpg.0a1b.part").write_bytes(b"x")
    store.put("receipts/of-another/file.pdf", b"x", "application/pdf")
    now = dt.datetime.now(dt.UTC)

    assert sweep(store, keys_in_use(session), now + DAY / 2) == 0
    assert sweep(store, keys_in_use(session), now + 2 * DAY) == 3
    assert sweep(store, keys_in_use(session), now + 2 * DAY) == 0

    assert {name.split("/")[1] for name in names(store)} == {known, "of-another"}


def test_a_file_that_is_written_while_we_look_stays(store: FolderStore) -> None:
    old = dt.datetime.now(dt.UTC).timestamp() - 3 * 86_400
    store.put("pictures/0ld/480.webp", b"x", "image/webp")
    os.utime(store.root / "pictures/0ld/480.webp", (old, old))
    store.put("pictures/new/480.webp", b"x", "image/webp")

    assert sweep(store, set(), dt.datetime.now(dt.UTC)) == 1
    assert names(store) == {"pictures/new/480.webp"}


def test_the_store_of_another_database_is_not_emptied(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MANY_FILES", 10)
    for number in range(12):
        store.put(f"pictures/{number}/480.webp", b"x", "image/webp")
    later = dt.datetime.now(dt.UTC) + 2 * DAY

    with pytest.raises(RuntimeError, match="12 of 12 files"):
        sweep(store, set(), later)
    assert len(names(store)) == 12

    assert sweep(store, {str(number) for number in range(7)}, later) == 5


def test_the_job_forgets_what_was_removed_and_sweeps_its_files_once(
    session: Session, of_the_app: FolderStore, factory: Factory
) -> None:
    initiative_id = factory.initiative().id
    gone, kept = (add(session, of_the_app, factory, initiative_id) for _ in range(2))
    first = pictures_of(session, initiative_id)[0]
    remove_picture(session, first.id, initiative_id=initiative_id, actor=TEST_ACTOR, now=factory.now)
    session.commit()

    changed = []
    for days in (29, 31, 31):
        report = purge_personal_data.run(factory.now + days * DAY)
        db.session.remove()
        assert report.errors == []
        changed.append(report.changed)

    assert changed == [0, 3, 0]  # the row and two files
    assert {name.split("/")[1] for name in names(of_the_app)} == {kept}
    assert public_file(session, gone) is None


def test_the_job_says_that_the_store_is_not_ours_and_does_the_rest(
    session: Session, of_the_app: FolderStore, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MANY_FILES", 1)
    for number in range(3):
        of_the_app.put(f"pictures/{number}/480.webp", b"x", "image/webp")
    session.commit()

    report = purge_personal_data.run(factory.now + 2 * DAY)
    db.session.remove()

    assert len(report.errors) == 1
    assert "is this the store of this database?" in report.errors[0]
    assert len(names(of_the_app)) == 3
