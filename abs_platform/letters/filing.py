# SPDX-License-Identifier: EUPL-1.2
"""Where the files of a run go: a folder for its owner's eyes only, or the file store, sealed under the voucher key.

A file is there whole or not at all.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from flask_babel import gettext as _

from abs_platform.errors import Conflict, InvalidInput
from abs_platform.letters.queries import FileRow
from abs_platform.letters.states import FileKind
from abs_platform.sealing import seal, unseal
from abs_platform.slugs import slugify
from abs_platform.storage import FileStore, NoSuchFile

if TYPE_CHECKING:
    from abs_platform.vouchers.codes import CodeKeys

SEALED_TYPE = "application/octet-stream"
MANIFEST = "manifest.json"
_PURPOSE = "letter file"
_DRAFT = ".draft"
_ENDS = {FileKind.LETTERS: "pdf", FileKind.ADDRESSES: "csv"}
_WORDS = {FileKind.LETTERS: "brieven", FileKind.ADDRESSES: "adressen"}


def file_name(round_name: str, batch_id: int, kind: FileKind, number: int) -> str:
    """What a file of a run is called wherever it goes."""
    return f"{slugify(round_name) or 'ronde'}-partij-{batch_id}-{_WORDS[kind]}-{number:03d}.{_ENDS[kind]}"


class Shelf(Protocol):
    """Takes the files of a run."""

    def has(self, name: str, row: FileRow) -> bool:
        """Whether a file lies here already, with the bytes that were written down."""

    def put(self, name: str, kind: FileKind, number: int, data: bytes) -> str | None:
        """Put a file here, whole; returns its key in the file store, if that is where it went."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that only its owner can read."""

    path: Path

    def has(self, name: str, row: FileRow) -> bool:
        try:
            with (self.path / name).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == row.sha256
        except FileNotFoundError:
            return False

    def put(self, name: str, kind: FileKind, number: int, data: bytes) -> str | None:  # noqa: ARG002
        draft: Path | None = None
        try:
            handle, made = tempfile.mkstemp(dir=self.path, prefix=f".{name}.", suffix=_DRAFT)  # for its owner only
            draft = Path(made)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path / name)
        except OSError as error:
            raise _not_writable(self.path / name, error) from error
        finally:
            if draft is not None:
                draft.unlink(missing_ok=True)
        return None


@contextmanager
def own_folder(path: Path) -> Iterator[Folder]:
    """A folder to write letters in, made when it is not there; nobody else makes letters there meanwhile.

    Drafts of who was killed before are taken away. Raises: InvalidInput when it cannot be written or others may read
    it; Conflict when somebody is at work in it.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise InvalidInput(
                _(
                    "Anderen kunnen in %(path)s kijken, en wie de brieven heeft, heeft de codes. Doe eerst: "
                    "chmod 700 %(path)s",
                    path=path,
                )
            )
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _not_writable(path, error) from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for draft in path.glob(f".*{_DRAFT}"):
            draft.unlink(missing_ok=True)
        yield Folder(path)
    except BlockingIOError as error:
        raise Conflict(_("In %(path)s worden al brieven gemaakt. Wacht tot dat klaar is.", path=path)) from error
    finally:
        os.close(held)


def _not_writable(path: Path, error: OSError) -> InvalidInput:
    return InvalidInput(_("%(path)s: hier kan niet worden geschreven (%(why)s).", path=path, why=error.strerror))


@dataclass(frozen=True, slots=True)
class SealedStore:
    """The file store, in which every file of a run is sealed."""

    store: FileStore
    run_id: int
    keys: CodeKeys

    def has(self, name: str, row: FileRow) -> bool:  # noqa: ARG002
        return row.store_key is not None and self.store.exists(row.store_key)

    def put(self, name: str, kind: FileKind, number: int, data: bytes) -> str | None:  # noqa: ARG002
        key = f"letters/{self.run_id}/{kind.value}-{number:04d}.sealed"
        self.store.put(key, seal(_secret(self.keys), _PURPOSE, _owner(self.run_id, kind, number), data), SEALED_TYPE)
        return key


def open_sealed(store: FileStore, run_id: int, file: FileRow, keys: CodeKeys) -> bytes | None:
    """A file of a run as it was made; None when the file store has it no more, or it was sealed under another key."""
    if file.store_key is None:
        return None
    try:
        sealed, _type = store.get(file.store_key)
    except NoSuchFile:
        return None
    return unseal(_secret(keys), _PURPOSE, _owner(run_id, file.kind, file.number), sealed)


def _secret(keys: CodeKeys) -> str:
    return keys.code_key.hex()


def _owner(run_id: int, kind: FileKind, number: int) -> str:
    return f"{run_id}/{kind.value}/{number}"
