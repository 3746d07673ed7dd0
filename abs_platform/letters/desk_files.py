# SPDX-License-Identifier: EUPL-1.2
"""The files of a run as the desk hands them out: opened, held against their SHA-256, named, and listed for the printer.

No row and no request: who calls this opened no transaction, for the file store may be elsewhere.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from abs_platform.errors import Conflict
from abs_platform.letters.filing import file_name, open_sealed
from abs_platform.letters.queries import FileRow, RunRow
from abs_platform.letters.states import FileKind, RunState
from abs_platform.slugs import slugify

if TYPE_CHECKING:
    from abs_platform.storage import FileStore
    from abs_platform.vouchers.codes import CodeKeys

TYPES = {FileKind.LETTERS: "application/pdf", FileKind.ADDRESSES: "text/csv; charset=utf-8"}


def stem_of(round_name: str, run: RunRow) -> str:
    """How all file names of a run begin."""
    return f"{slugify(round_name) or 'ronde'}-partij-{run.batch_id}"


def name_of(round_name: str, run: RunRow, file: FileRow) -> str:
    """What a file is called where it is saved; the printer's list has the same names."""
    return file_name(round_name, run.batch_id, file.kind, file.number)


def manifest(round_name: str, run: RunRow) -> str:
    """Every file with its counts and SHA-256, and the sum, as a file for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(("bestand", "brieven", "bytes", "postcode_van", "postcode_tot", "sha256"))
    for file in run.files:
        counts = (file.letter_count, file.byte_count, file.first_postcode, file.last_postcode, file.sha256)
        writer.writerow((name_of(round_name, run, file), *counts))
    writer.writerow(("totaal aantal brieven", run.letter_count, "", "", "", ""))
    return text.getvalue()


def all_in_one(round_name: str, run: RunRow, store: FileStore, keys: CodeKeys) -> Iterator[bytes]:
    """All files and the printer's list as one ZIP, made while it is sent: memory holds one file at a time.

    A file that is not what was made breaks the ZIP off, and its reader sees that it is not whole.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for file in run.files:
            archive.writestr(zipfile.ZipInfo(name_of(round_name, run, file)), read(store, run, file, keys))
            yield sink.taken()
        archive.writestr(zipfile.ZipInfo(f"{stem_of(round_name, run)}-controlelijst.csv"), manifest(round_name, run))
    yield sink.taken()


class _Sink:
    """What a ZIP is written to: it cannot go back, and gives away what it got."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """There is nothing behind it."""

    def taken(self) -> bytes:
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole


def missing(store: FileStore, run: RunRow) -> set[str]:
    """The keys of files that the file store does not have any more."""
    keys = [file.store_key for file in run.files if file.store_key is not None]
    return {key for key in keys if not store.exists(key)}


def check_all_there(store: FileStore, run: RunRow) -> None:
    """Whether every file can be handed out. Raises: Conflict."""
    if run.state not in {RunState.MADE, RunState.HANDED_OVER}:
        raise Conflict(_("Nog niet alle brieven zijn gemaakt.") if run.state == RunState.MAKING else _withdrawn())
    if any(file.store_key is None for file in run.files) or missing(store, run):
        raise Conflict(_("Niet alle bestanden staan hier (meer). Download wat er is."))


def _withdrawn() -> str:
    return str(_("Deze brieven zijn ingetrokken. Gebruik ze niet."))


def read(store: FileStore, run: RunRow, file: FileRow, keys: CodeKeys) -> bytes:
    """A file as it was made. Raises: Conflict when it is withdrawn, not kept, or not what was made."""
    if run.state == RunState.WITHDRAWN:
        raise Conflict(_withdrawn())
    if file.store_key is None:
        raise Conflict(_("Dit bestand staat hier niet (meer). Het is gewist, of het is met een commando gemaakt."))
    content = open_sealed(store, run.id, file, keys)
    if content is None or hashlib.sha256(content).hexdigest() != file.sha256:
        raise Conflict(_("Dit bestand is beschadigd of weg. Trek de brieven in en maak ze opnieuw."))
    return content
