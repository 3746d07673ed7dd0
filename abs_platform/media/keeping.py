# SPDX-License-Identifier: EUPL-1.2
"""The half of a picture that is in the file store: its files are kept before a row speaks of them, and swept after."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

import structlog
from flask_babel import gettext as _

from abs_platform.errors import AbsError, InvalidInput, NotFound
from abs_platform.media.images import MAX_FILE_BYTES, Format, encode
from abs_platform.media.models import Picture
from abs_platform.media.states import JPEG, PDF, PRIVATE_FOLDER, PUBLIC_FOLDER, private_key, public_key
from abs_platform.storage import CONTENT_TYPES, FileStore, NoSuchFile

log = structlog.get_logger()

ORPHAN_AFTER = dt.timedelta(days=1)
MANY_FILES = 100


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A picture or receipt whose files are in the store, and that no row speaks of yet. A PDF has no size."""

    key: str
    content_type: str
    sha256: bytes
    width: int | None
    height: int | None
    widths: list[int]
    is_private: bool


def read_upload(file: IO[bytes]) -> bytes:
    """What somebody sent, but no more of it than is needed to refuse it for its size."""
    return file.read(MAX_FILE_BYTES + 1)


@contextmanager
def kept_picture(store: FileStore, data: bytes) -> Iterator[KeptFile]:
    """Make a picture anew and keep its files while the block puts it in its place, in a transaction of its own.

    ``with kept_picture(store, data) as kept, transaction() as session: add_picture(session, kept, ...)``

    The files are there before the row is, so a crash leaves files that no row speaks of; ``sweep`` finds them. When the
    block refuses, they go at once. Raises: InvalidInput for what is no picture of ours.
    """
    encoded = encode(data)
    key = secrets.token_hex(16)
    files = {public_key(key, width, kind): file for (width, kind), file in encoded.renditions.items()}
    kept = KeptFile(key, JPEG, encoded.sha256, encoded.width, encoded.height, encoded.widths, is_private=False)
    with _kept(store, kept, files):
        yield kept


@contextmanager
def kept_receipt(store: FileStore, data: bytes) -> Iterator[KeptFile]:
    """The same for a receipt: a picture, or a PDF as it is. It is kept apart, where no public address leads."""
    key = secrets.token_hex(16)
    if data.startswith(b"%PDF-"):
        kept = KeptFile(key, PDF, _checked_pdf(data), None, None, [], is_private=True)
    else:
        encoded = encode(data)
        width, height = encoded.width, encoded.height
        kept = KeptFile(key, JPEG, encoded.sha256, width, height, [width], is_private=True)
        data = encoded.renditions[width, "jpg"]
    with _kept(store, kept, {private_key(key, kept.content_type): data}):
        yield kept


def _checked_pdf(data: bytes) -> bytes:
    """The digest of a PDF that is not too large and not cut off. Raises: InvalidInput."""
    if len(data) > MAX_FILE_BYTES:
        raise _bad_pdf(_("Deze PDF is te groot. Kies een bestand van hoogstens 15 MB."))
    if b"%%EOF" not in data[-2048:]:
        raise _bad_pdf(_("Deze PDF is beschadigd. Maak hem opnieuw, of maak een foto van de bon."))
    return hashlib.sha256(data).digest()


@contextmanager
def _kept(store: FileStore, kept: KeptFile, files: dict[str, bytes]) -> Iterator[None]:
    try:
        for key, file in files.items():
            store.put(key, file, CONTENT_TYPES[PurePosixPath(key).suffix])
        yield
    except AbsError:  # a refusal; after any other error it is not sure whether the row is there, and sweep will know
        log.info("files of a refused picture go", key=kept.key)
        for key in files:
            store.delete(key)
        raise


def read_public(store: FileStore, key: str, width: int, extension: Format) -> tuple[bytes, str]:
    """One size of a public picture and its content type. Raises: NotFound."""
    return _read(store, public_key(key, width, extension))


def read_private(store: FileStore, picture: Picture) -> tuple[bytes, str]:
    """A receipt and its content type, for a route that has asked who may see it. Raises: NotFound."""
    return _read(store, private_key(picture.key, picture.content_type))


def _read(store: FileStore, key: str) -> tuple[bytes, str]:
    try:
        return store.get(key)
    except NoSuchFile as error:
        log.exception("a row speaks of a file that is not there", key=key)
        raise NotFound(_("Dit bestand is er niet (meer).")) from error


def sweep(store: FileStore, keys_in_use: Collection[str], now: dt.datetime) -> int:
    """Delete the files that no row speaks of, once they are a day old: what crashes left, and what was forgotten.

    Raises: RuntimeError, with nothing deleted, when that would be most of many files: then the store and the database
    are not each other's, as after restoring an old one.
    """
    files = [
        (key, written_at) for folder in (PUBLIC_FOLDER, PRIVATE_FOLDER) for key, written_at in store.keys(f"{folder}/")
    ]
    orphans = [
        key
        for key, written_at in files
        if written_at < now - ORPHAN_AFTER and PurePosixPath(key).parts[1] not in keys_in_use
    ]
    if len(orphans) > max(MANY_FILES, len(files) // 2):
        raise RuntimeError(f"{len(orphans)} of {len(files)} files are in no row: is this the store of this database?")
    for key in orphans:
        store.delete(key)
    return len(orphans)


def _bad_pdf(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={"picture": sentence})
