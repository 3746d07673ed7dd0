# SPDX-License-Identifier: EUPL-1.2
"""Every store keeps the same promises, a folder as well as a bucket; and the settings say which of them it is."""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from abs_platform.config import Settings
from abs_platform.errors import ProviderUnavailable
from abs_platform.municipality import ConfigurationError
from abs_platform.storage import Bucket, FileStore, FolderStore, NoSuchFile, S3Store, make_store
from tests.conftest import make_settings

KEY = "pictures/4f2c/960.webp"
WEBP, JPEG, PDF = "image/webp", "image/jpeg", "application/pdf"
BAD_KEYS = [
    "",
    "/etc/passwd.jpg",
    "../geheim.jpg",
    "pictures/../../geheim.jpg",
    "pictures/..jpg",
    "pictures//een.jpg",
    "pictures/een.jpg/",
    "pictures\\een.jpg",
    "pictures/Een.jpg",
    "pictures/een\n.jpg",
    "pictures/een.jpg\n",
    "pictures/een.jpg\x00",
    "pictures/é.jpg",
    ".verborgen.jpg",
    "pictures/.jpg",
    "%2e%2e/geheim.jpg",
    "een",
    "a" * 300 + ".jpg",
]


@pytest.fixture(scope="module")
def object_store() -> Iterator[str]:
    """The address of a store that speaks S3, in this process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def _keys_of_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    """An empty store of each kind."""
    if request.param == "folder":
        return FolderStore(tmp_path / "media")
    request.getfixturevalue("_keys_of_a_store")
    endpoint = request.getfixturevalue("object_store")
    made = S3Store(Bucket(f"media-{abs(hash(tmp_path)):x}", endpoint, "nl-1"))
    made._client.create_bucket(Bucket=made.bucket, CreateBucketConfiguration={"LocationConstraint": "nl-1"})
    return made


# -- what every store promises ----------------------------------------------------------------------------------------


def test_what_is_put_comes_out_as_it_was(store: FileStore) -> None:
    store.put(KEY, b"\x00\xff beeld", WEBP)
    store.put("private/4f2c/bon.pdf", b"%PDF-", PDF)
    store.put("leeg.jpg", b"", JPEG)

    assert store.get(KEY) == (b"\x00\xff beeld", WEBP)
    assert store.get("private/4f2c/bon.pdf") == (b"%PDF-", PDF)
    assert store.get("leeg.jpg") == (b"", JPEG)


def test_a_large_file_goes_in_and_out_a_piece_at_a_time(store: FileStore, tmp_path: Path) -> None:
    large = os.urandom(2_500_000)

    store.put_stream("address-files/4f2c.csv", BytesIO(large), "text/csv")
    store.copy_to("address-files/4f2c.csv", tmp_path / "out.csv")

    assert (tmp_path / "out.csv").read_bytes() == large
    with pytest.raises(NoSuchFile):
        store.copy_to("address-files/0000.csv", tmp_path / "none.csv")
    with pytest.raises(ValueError, match="cannot be"):
        store.put_stream(KEY, BytesIO(b"een"), "text/csv")


def test_what_was_put_before_is_replaced(store: FileStore) -> None:
    store.put(KEY, b"een", WEBP)
    store.put(KEY, b"twee", WEBP)

    assert store.get(KEY) == (b"twee", WEBP)
    assert [key for key, _written_at in store.keys("")] == [KEY]


def test_what_is_not_there_is_not_found(store: FileStore) -> None:
    with pytest.raises(NoSuchFile):
        store.get(KEY)

    assert not store.exists(KEY)
    assert list(store.keys("")) == []


def test_what_is_deleted_is_gone_and_may_be_deleted_again(store: FileStore) -> None:
    store.put(KEY, b"een", WEBP)
    store.put("pictures/4f2c/480.webp", b"klein", WEBP)
    assert store.exists(KEY)

    store.delete(KEY)
    store.delete(KEY)

    assert not store.exists(KEY)
    assert store.exists("pictures/4f2c/480.webp")
    with pytest.raises(NoSuchFile):
        store.get(KEY)


def test_keys_are_listed_with_when_they_were_written(store: FileStore) -> None:
    begun = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=2)
    for number in range(3):
        store.put(f"pictures/{number}/480.webp", b"x", WEBP)
    store.put("private/1/bon.pdf", b"x", PDF)

    found = dict(store.keys("pictures/"))

    assert sorted(found) == [f"pictures/{number}/480.webp" for number in range(3)]
    assert all(begun <= written_at <= dt.datetime.now(dt.UTC) for written_at in found.values())
    assert len(list(store.keys(""))) == 4


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_leads_nowhere_but_into_the_store(store: FileStore, key: str) -> None:
    verbs: list[Callable[[str], object]] = [
        store.get,
        store.delete,
        store.exists,
        lambda bad: store.put(bad, b"x", JPEG),
    ]
    for verb in verbs:
        with pytest.raises(ValueError, match="not a key"):
            verb(key)

    assert list(store.keys("")) == []


@pytest.mark.parametrize(
    ("key", "kind"), [(KEY, JPEG), (KEY, "text/html"), ("een.html", "text/html"), ("een.svg", "image/svg+xml")]
)
def test_a_file_is_of_the_type_that_its_key_says_and_of_no_dangerous_one(store: FileStore, key: str, kind: str) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        store.put(key, b"<script>", kind)

    assert list(store.keys("")) == []


# -- the folder -------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "instance" / "media")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_for_its_owner_only_whatever_the_umask(folder: FolderStore) -> None:
    before = os.umask(0)
    try:
        folder.put(KEY, b"een", WEBP)
    finally:
        os.umask(before)

    assert mode(folder.root / KEY) == 0o600
    assert {mode(path) for path in (folder.root, folder.root / "pictures", folder.root / "pictures/4f2c")} == {0o700}


def test_a_disk_that_is_full_half_way_leaves_what_was_there(
    folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put(KEY, b"een", WEBP)

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        folder.put(KEY, b"twee", WEBP)

    assert folder.get(KEY) == (b"een", WEBP)
    assert [path.name for path in (folder.root / KEY).parent.iterdir()] == ["960.webp"]


def test_what_a_crash_left_half_written_is_no_file_but_is_listed_to_be_swept(folder: FolderStore) -> None:
    folder.put("pictures/4f2c/480.webp", b"klein", WEBP)
    half = folder.root / f"{KEY}.0a1b2c3d.part"
    half.write_bytes(b"ee")

    assert not folder.exists(KEY)
    assert [key for key, _written_at in folder.keys("")] == ["pictures/4f2c/480.webp", f"{KEY}.0a1b2c3d.part"]
    with pytest.raises(NoSuchFile):
        folder.get(f"{KEY}.0a1b2c3d.part")

    folder.delete(f"{KEY}.0a1b2c3d.part")

    assert not half.exists()


def test_the_folder_of_what_is_deleted_goes_with_the_last_file(folder: FolderStore) -> None:
    folder.put(KEY, b"een", WEBP)

    folder.delete(KEY)

    assert list((folder.root / "pictures").iterdir()) == []


def test_a_link_out_of_the_folder_cannot_be_made_with_a_key(folder: FolderStore, tmp_path: Path) -> None:
    folder.put(KEY, b"een", WEBP)
    (tmp_path / "geheim.jpg").write_bytes(b"geheim")

    for key in ("../../geheim.jpg", "pictures/../../../geheim.jpg"):
        with pytest.raises(ValueError, match="not a key"):
            folder.get(key)


# -- the bucket -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_keys_of_a_store")
def test_a_bucket_with_many_files_is_listed_whole(object_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = S3Store(Bucket("many-files", object_store))
    made._client.create_bucket(Bucket="many-files")
    for number in range(7):
        made._client.put_object(Bucket="many-files", Key=f"pictures/{number}/480.webp", Body=b"x")
    pages = []

    def two_at_a_time(**arguments: object) -> object:
        pages.append(arguments)
        return listed(**arguments, MaxKeys=2)

    listed = made._client.list_objects_v2
    monkeypatch.setattr(made._client, "list_objects_v2", two_at_a_time)

    assert len(list(made.keys("pictures/"))) == 7
    assert len(pages) == 4


@pytest.mark.usefixtures("_keys_of_a_store")
def test_a_bucket_keeps_the_content_type_with_the_file(object_store: str) -> None:
    made = S3Store(Bucket("types", object_store))
    made._client.create_bucket(Bucket="types")

    made.put(KEY, b"een", WEBP)

    assert made._client.head_object(Bucket="types", Key=KEY)["ContentType"] == WEBP


@pytest.mark.usefixtures("_keys_of_a_store", "app")
@pytest.mark.parametrize("endpoint", ["no bucket", "nobody listens"])
def test_a_store_that_does_not_answer_is_said_in_a_sentence(
    request: pytest.FixtureRequest, app: object, endpoint: str
) -> None:
    address = request.getfixturevalue("object_store") if endpoint == "no bucket" else "http://127.0.0.1:1"
    made = S3Store(Bucket("is-er-niet", address))

    with app.app_context():  # type: ignore[attr-defined]
        for ask in (lambda: made.get(KEY), lambda: made.put(KEY, b"x", WEBP), lambda: list(made.keys(""))):
            with pytest.raises(ProviderUnavailable, match="even niet bereikbaar"):
                ask()


# -- the setting ------------------------------------------------------------------------------------------------------


def test_without_a_setting_files_are_kept_in_the_instance_folder(tmp_path: Path) -> None:
    made = make_store(make_settings("postgresql+psycopg://x", tmp_path))

    assert isinstance(made, FolderStore)
    assert made.root == tmp_path / "media"


def test_with_a_setting_files_are_kept_in_a_bucket(tmp_path: Path) -> None:
    bucket = Bucket.parse("s3://buurt-media?endpoint=https://s3.example.nl&region=nl-1")

    made = make_store(replace(make_settings("postgresql+psycopg://x", tmp_path), media_bucket=bucket))

    assert bucket == Bucket("buurt-media", "https://s3.example.nl", "nl-1")
    assert isinstance(made, S3Store)
    assert made._client.meta.endpoint_url == "https://s3.example.nl"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("buurt-media", "write it as s3://"),
        ("s3://", "write it as s3://"),
        ("s3://Buurt_Media", "write it as s3://"),
        ("https://s3.example.nl/buurt-media", "write it as s3://"),
        ("s3://buurt-media/folder", "only endpoint and region"),
        ("s3://buurt-media?key=geheim", "only endpoint and region"),
        ("s3://buurt-media?endpoint=http://s3.example.nl", "must begin with https://"),
        ("s3://buurt-media?endpoint=s3.example.nl", "must begin with https://"),
        ("s3://buurt-media?endpoint=https://key:geheim@s3.example.nl", "is not an address"),
        ("s3://buurt-media?endpoint=https://", "is not an address"),
        ("s3://buurt-media?endpoint", "bad query field"),
    ],
)
def test_an_address_of_a_bucket_that_cannot_be_used_says_why(address: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        Bucket.parse(address)

    assert "geheim" not in str(refused.value)


def test_a_bucket_needs_its_keys_and_a_setting_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    env = {"ABS_INSTANCE_DIR": str(tmp_path), "ABS_MEDIA_URL": "s3://buurt-media?endpoint=https://s3.example.nl"}
    keys = {"AWS_ACCESS_KEY_ID": "sleutel", "AWS_SECRET_ACCESS_KEY": "geheim"}

    with pytest.raises(
        ConfigurationError, match=r"AWS_ACCESS_KEY_ID is missing(.|\n)*AWS_SECRET_ACCESS_KEY is missing"
    ):
        Settings.from_env(env)
    with pytest.raises(ConfigurationError, match="ABS_MEDIA_URL cannot be used"):
        Settings.from_env(env | keys | {"ABS_MEDIA_URL": "ftp://buurt-media"})

    assert Settings.from_env(env | keys).media_bucket == Bucket("buurt-media", "https://s3.example.nl")
    assert Settings.from_env(env | {"ABS_MEDIA_URL": ""}).media_bucket is None
