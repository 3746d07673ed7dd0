# SPDX-License-Identifier: EUPL-1.2
"""Address files that were sent wait in the file store under their SHA-256, until they are applied or for seven days.

They are read a piece at a time and never stand in memory. An archive is refused: who unpacks it here does not know how
large it gets.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.utils import secure_filename

from abs_platform.errors import Conflict, InvalidInput
from abs_platform.events import Event
from abs_platform.households.csv_files import other_format
from abs_platform.storage import CONTENT_TYPES, FileStore, NoSuchFile
from abs_platform.work import queries as work
from abs_platform.work.queries import WorkOrderView
from abs_platform.work.states import LIVING, WorkKind, WorkState

FOLDER = "address-files"
KEPT_FOR = dt.timedelta(days=7)
# An upload is in the store before its order is: what is younger may be on its way.
_YOUNG = dt.timedelta(hours=1)
# A municipality's addresses are 10 MB for 35,000 doors, the key of the whole country some 200 MB.
MAX_BAG_BYTES = 150_000_000
MAX_KEY_BYTES = 250_000_000
_CHUNK = 1 << 20
_NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that lies in the store: what it was called, its SHA-256, and how many lines it has."""

    name: str
    sha256: str
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The two files on this machine."""

    bag: Path
    key: Path


def store_key(sha256: str) -> str:
    """Where a file lies in the store."""
    return f"{FOLDER}/{sha256}.csv"


def measure(stream: IO[bytes], name: str, field: str, most_bytes: int) -> SentFile:
    """Read a file that was sent, a piece at a time. Raises: InvalidInput beside its field for what cannot be one."""
    digest, lines, size = hashlib.sha256(), 0, 0
    while piece := stream.read(_CHUNK):
        if not size and (sentence := _refusal(piece)):
            raise InvalidInput(sentence, fields={field: sentence})
        size += len(piece)
        if size > most_bytes:
            sentence = _("Dit bestand is te groot. Het mag hoogstens %(most)s MB zijn.", most=most_bytes // 1_000_000)
            raise InvalidInput(sentence, fields={field: sentence})
        digest.update(piece)
        lines += piece.count(b"\n")
    if not size:
        sentence = _("Kies een bestand. Koos je er een, dan is het leeg.")
        raise InvalidInput(sentence, fields={field: sentence})
    stream.seek(0)
    return SentFile(secure_filename(name)[-_NAME_LENGTH:].lstrip("._-") or f"{field}.csv", digest.hexdigest(), lines)


def _refusal(start: bytes) -> str:
    if sentence := other_format(start):
        return sentence[:1].upper() + sentence[1:]
    head = start.partition(b"\n")[0]
    if b"\0" in head or not (b";" in head or b"," in head):
        return str(_("Dit is geen CSV: de eerste regel heeft geen kolommen met puntkomma's of komma's ertussen."))
    return ""


def keep(store: FileStore, file: SentFile, stream: IO[bytes]) -> None:
    """Put a file in the store, where it lies until it is applied or old."""
    key = store_key(file.sha256)
    store.put_stream(key, stream, CONTENT_TYPES[".csv"])


def fetch(store: FileStore, params: dict[str, Any], folder: Path) -> Files:
    """Both files of an order, under the names they came with. Raises: Conflict when they are forgotten."""
    paths = {}
    for which in ("bag", "key"):
        (folder / which).mkdir()
        paths[which] = folder / which / str(params[f"{which}_name"])
        try:
            store.copy_to(store_key(str(params[f"{which}_sha256"])), paths[which])
        except NoSuchFile as error:
            raise Conflict(_("De bestanden zijn al gewist. Stuur ze nog een keer in.")) from error
    return Files(bag=paths["bag"], key=paths["key"])


def is_too_old(check: WorkOrderView, now: dt.datetime) -> bool:
    """Whether its files may be gone."""
    return now - check.asked_at >= KEPT_FOR


def forgettable(session: Session, written: Iterable[tuple[str, dt.datetime]], now: dt.datetime) -> list[str]:
    """Which files in the store nobody needs: applied, refused, or older than seven days."""
    looked = work.of_kind_since(session, WorkKind.CHECK_ADDRESSES, now - KEPT_FOR)
    applying = {
        one.params["check_id"]
        for one in work.of_kind_since(session, WorkKind.IMPORT_ADDRESSES, now - KEPT_FOR)
        if one.state in LIVING
    }
    done = select(Event.details["check"].as_integer()).where(Event.kind == "addresses.imported")
    applied = set(session.scalars(done.where(Event.happened_at >= now - KEPT_FOR)))
    needed = {
        store_key(one.params[name])
        for one in looked
        for name in ("bag_sha256", "key_sha256")
        if one.id in applying or one.state in LIVING or (one.state is WorkState.DONE and one.id not in applied)
    }
    return [key for key, at in written if key not in needed and at < now - _YOUNG]
