# SPDX-License-Identifier: EUPL-1.2
"""Where files are kept: a folder, or an S3-compatible store by setting. Who may read what is not decided here."""

from __future__ import annotations

import datetime as dt
import io
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import parse_qsl, urlsplit

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from flask_babel import gettext as _

from abs_platform.errors import ProviderUnavailable

if TYPE_CHECKING:
    from abs_platform.config import Settings

log = structlog.get_logger()

# The end of a key says what it is: no store can give back another type than was put in.
CONTENT_TYPES = {
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".pdf": "application/pdf",
    ".sealed": "application/octet-stream",
    ".csv": "text/csv",
}
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]*(?:/[a-z0-9][a-z0-9_-]*)*\.[a-z0-9]+(?:\.[0-9a-f]+\.part)?")
_HALF_WRITTEN = ".part"
MAX_KEY = 200
_CHUNK = 1 << 20


class NoSuchFile(LookupError):
    """There is no file with this key."""


class FileStore(Protocol):
    """Keeps files by key: "pictures/4f2c/960.webp". What is put is there, whole, once ``put`` has returned."""

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Keep a file; what had this key is replaced. Raises: ValueError for a key or type that cannot be."""

    def put_stream(self, key: str, source: IO[bytes], content_type: str) -> None:
        """Keep what is left in an open file, which may be larger than the memory. Raises: ValueError as ``put``."""

    def get(self, key: str) -> tuple[bytes, str]:
        """The file and its content type. Raises: NoSuchFile."""

    def copy_to(self, key: str, target: Path) -> None:
        """Write the file to a place on this machine, a piece at a time. Raises: NoSuchFile."""

    def delete(self, key: str) -> None:
        """Forget a file. Forgetting what is not there is no error."""

    def exists(self, key: str) -> bool:
        """Whether there is a file with this key."""

    def keys(self, prefix: str) -> Iterator[tuple[str, dt.datetime]]:
        """All keys that begin with ``prefix``, with when they were written; also what was left half-written."""


def _check(key: str, content_type: str | None = None) -> str:
    """The key, when it can be one: lower case, no way up. Raises: ValueError."""
    if len(key) > MAX_KEY or not _KEY.fullmatch(key):
        raise ValueError(f"not a key for a file: {key!r}")
    if content_type is not None and CONTENT_TYPES.get(PurePosixPath(key).suffix) != content_type:
        raise ValueError(f"{key} cannot be {content_type}")
    return key


class FolderStore:
    """Files in a folder that only the app's own account may enter."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, key: str, data: bytes, content_type: str) -> None:
        self.put_stream(key, io.BytesIO(data), content_type)

    def put_stream(self, key: str, source: IO[bytes], content_type: str) -> None:
        path = self.root / _check(key, content_type)
        self.root.parent.mkdir(parents=True, exist_ok=True)
        _make_private(path.parent)
        half = path.with_name(f"{path.name}.{secrets.token_hex(4)}{_HALF_WRITTEN}")
        try:
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                shutil.copyfileobj(source, file, _CHUNK)
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
        except BaseException:
            half.unlink(missing_ok=True)
            raise
        for folder in (path.parent, path.parent.parent):  # the name must survive a power cut as the data do
            _sync_folder(folder)

    def get(self, key: str) -> tuple[bytes, str]:
        path = self.root / _check(key)
        try:
            return path.read_bytes(), CONTENT_TYPES[path.suffix]
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError, KeyError) as error:
            raise NoSuchFile(key) from error

    def copy_to(self, key: str, target: Path) -> None:
        try:
            shutil.copyfile(self.root / _check(key), target)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NoSuchFile(key) from error

    def delete(self, key: str) -> None:
        path = self.root / _check(key)
        path.unlink(missing_ok=True)
        with suppress(OSError):  # another file is in it, or it is gone already
            path.parent.rmdir()

    def exists(self, key: str) -> bool:
        path = self.root / _check(key)
        return path.suffix in CONTENT_TYPES and path.is_file()

    def keys(self, prefix: str) -> Iterator[tuple[str, dt.datetime]]:
        for path in sorted(self.root.rglob("*")):
            key = path.relative_to(self.root).as_posix()
            if not key.startswith(prefix):
                continue
            with suppress(FileNotFoundError):  # deleted meanwhile
                if path.is_file():
                    yield key, dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)


def _make_private(folder: Path) -> None:
    """Make a folder, and those above it that are not there, for this account only."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where an S3-compatible store keeps our files; its keys come from the environment, as all tools for it expect."""

    name: str
    endpoint: str | None = None
    region: str | None = None

    @classmethod
    def parse(cls, address: str) -> Self:
        """Read "s3://bucket?endpoint=https://...&region=...". Raises: ValueError saying what is wrong with it."""
        parts = urlsplit(address)
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        if parts.scheme != "s3" or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
            raise ValueError("write it as s3://bucket?endpoint=https://...&region=...")
        if parts.path.strip("/") or parts.fragment or set(options) - {"endpoint", "region"}:
            raise ValueError("after the bucket come only endpoint and region")
        endpoint = urlsplit(options.get("endpoint", "https://default"))
        if endpoint.scheme != "https" and endpoint.hostname not in {"localhost", "127.0.0.1"}:
            raise ValueError("its endpoint must begin with https://")
        if endpoint.scheme not in {"http", "https"} or not endpoint.hostname or endpoint.username:
            raise ValueError("its endpoint is not an address like https://s3.example.nl")
        return cls(parts.netloc, **options)


class S3Store:
    """Files in a bucket of an S3-compatible store. The bucket must be private: the app serves what is public."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket.name
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=bucket.endpoint,
            region_name=bucket.region,
            config=Config(
                connect_timeout=5,
                read_timeout=20,
                retries={"mode": "standard", "total_max_attempts": 3},
                # What every compatible store understands, not only Amazon's own.
                s3={"addressing_style": "path" if bucket.endpoint else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, key: str, data: bytes, content_type: str) -> None:
        _check(key, content_type)
        self._ask("put_object", Key=key, Body=data, ContentType=content_type)

    def put_stream(self, key: str, source: IO[bytes], content_type: str) -> None:
        _check(key, content_type)
        self._ask("put_object", Key=key, Body=source, ContentType=content_type)

    def get(self, key: str) -> tuple[bytes, str]:
        answer = self._ask("get_object", Key=_check(key))
        try:
            return answer["Body"].read(), CONTENT_TYPES[PurePosixPath(key).suffix]
        except BotoCoreError as error:
            raise _unavailable(error) from error

    def copy_to(self, key: str, target: Path) -> None:
        answer = self._ask("get_object", Key=_check(key))
        try:
            with target.open("wb") as file:
                for piece in answer["Body"].iter_chunks(_CHUNK):
                    file.write(piece)
        except BotoCoreError as error:
            raise _unavailable(error) from error

    def delete(self, key: str) -> None:
        self._ask("delete_object", Key=_check(key))

    def exists(self, key: str) -> bool:
        try:
            self._ask("head_object", Key=_check(key))
        except NoSuchFile:
            return False
        return True

    def keys(self, prefix: str) -> Iterator[tuple[str, dt.datetime]]:
        more: dict[str, str] = {}
        while True:
            answer = self._ask("list_objects_v2", Prefix=prefix, **more)
            for one in answer.get("Contents", ()):
                yield one["Key"], one["LastModified"]
            if not answer["IsTruncated"]:
                return
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _ask(self, verb: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, verb)(Bucket=self.bucket, **arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404", "NotFound"}:
                raise NoSuchFile(arguments.get("Key")) from error
            raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> ProviderUnavailable:
    log.error("the file store does not answer", exc_info=error)
    return ProviderUnavailable(_("Foto's en bestanden zijn even niet bereikbaar. Probeer het later nog een keer."))


def make_store(settings: Settings) -> FileStore:
    """The store that the settings name: a bucket, or else a folder in the instance folder."""
    if settings.media_bucket is None:
        return FolderStore(settings.instance_dir / "media")
    return S3Store(settings.media_bucket)
