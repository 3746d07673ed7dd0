# SPDX-License-Identifier: EUPL-1.2
"""The print file: address lines and code for each voucher of a round, the same bytes every time it is made."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from abs_platform import events
from abs_platform.actors import Actor
from abs_platform.clock import AMSTERDAM, last_day
from abs_platform.database import driver_connection
from abs_platform.errors import Conflict, InvalidInput
from abs_platform.rounds.service import lock_round
from abs_platform.vouchers.codes import CodeKeys
from abs_platform.vouchers.models import PrintFile, Voucher, VoucherBatch

COLUMNS = (
    "volgnummer", "adresregel_1", "adresregel_2", "straat", "huisnummer", "huisletter", "toevoeging",
    "postcode", "woonplaats", "code", "bedrag", "geldig_vanaf", "geldig_tot",
)  # fmt: skip
CHUNK = 5_000
# Of households h and vouchers v, as the post sorts them.
POSTAL_ORDER = 'h.postcode COLLATE "C", h.house_number, h.house_letter COLLATE "C", h.house_addition COLLATE "C", v.id'

# Every voucher that was issued, whatever became of it since, so that the file can be made again. A revoked code is not
# printed, or not one that was revoked before ``living_at``. In the order of the post.
_ROWS = f"""
    SELECT v.nonce, v.code_digest, h.street, h.house_number, h.house_letter, h.house_addition, h.postcode, h.city
    FROM vouchers v LEFT JOIN households h ON h.id = v.household_id
    WHERE v.round_id = %(round_id)s AND (v.revoked_at IS NULL OR v.revoked_at > %(living_at)s::timestamptz)
      AND (%(batch_id)s::bigint IS NULL OR v.batch_id = %(batch_id)s)
    ORDER BY {POSTAL_ORDER}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class PrintReport:
    """A print file that is complete: its rows and its SHA-256, and whether the last one made was the same.

    ``same_as_before`` is None when it is the first.
    """

    path: Path
    row_count: int
    sha256: str
    same_as_before: bool | None


def export(
    session: Session,
    round_id: int,
    path: Path,
    *,
    keys: CodeKeys,
    actor: Actor,
    now: dt.datetime,
    batch_id: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> PrintReport:
    """Write the print file of a round, or of one of its batches, and remember its count and checksum.

    The file appears under its name only when it is complete, readable by its owner alone. Memory stays flat.

    Locks: the round, so that nothing is issued or revoked meanwhile.
    Raises: Conflict when the numbers differ, a code was made under another key, or the round is settled and its
    addresses are gone; InvalidInput for a place that cannot be written.
    """
    round_ = lock_round(session, round_id)
    if batch_id is not None:
        batch = session.get(VoucherBatch, batch_id)
        if batch is None or batch.round_id != round_id:
            raise InvalidInput(f"Ronde '{round_.name}' heeft geen partij {batch_id}. Kijk met: abs rounds list")
    expected = session.scalar(
        select(func.count())
        .select_from(Voucher)
        .where(Voucher.round_id == round_id, Voucher.revoked_at.is_(None))
        .where(text("true") if batch_id is None else Voucher.batch_id == batch_id)
    )
    if not expected:
        raise Conflict(f"Ronde '{round_.name}' heeft nog geen vouchers. Geef ze eerst uit met: abs vouchers issue")
    rows = read(session, round_id, batch_id)
    with complete_or_nothing(path) as file:
        count, sha256 = write(
            file, rows, keys, same_for_all(round_.amount_cents, round_.opens_at, round_.closes_at), on_progress
        )
        if count != expected:
            raise Conflict(f"Het bestand telt {count} regels, maar er zijn {expected} vouchers. Er is niets bewaard.")
    before = session.scalar(
        select(PrintFile.sha256)
        .where(PrintFile.round_id == round_id, PrintFile.batch_id.is_not_distinct_from(batch_id))
        .order_by(PrintFile.id.desc())
        .limit(1)
    )
    session.add(
        PrintFile(round_id=round_id, batch_id=batch_id, made_at=now, actor=str(actor), row_count=count, sha256=sha256)
    )
    events.record(
        session, "round.print_file_made", round_id, actor=actor, now=now, batch=batch_id, rows=count, sha256=sha256
    )
    session.flush()
    return PrintReport(path, count, sha256, None if before is None else before == sha256)


def same_for_all(amount_cents: int, opens_at: dt.datetime, closes_at: dt.datetime) -> tuple[str, str, str]:
    """What every line of a round ends with: the amount and the days."""
    return (
        f"{amount_cents // 100},{amount_cents % 100:02d}",
        opens_at.astimezone(AMSTERDAM).strftime("%d-%m-%Y"),
        last_day(closes_at).strftime("%d-%m-%Y"),
    )


def read(
    session: Session, round_id: int, batch_id: int | None, living_at: dt.datetime | None = None
) -> Iterator[tuple[Any, ...]]:
    """Nonce, digest and address of each voucher, those that were revoked since ``living_at`` too."""
    with driver_connection(session).cursor(name="print_file", binary=True) as cursor:
        cursor.itersize = CHUNK
        cursor.execute(_ROWS, {"round_id": round_id, "batch_id": batch_id, "living_at": living_at})
        yield from cursor


def write(
    file: IO[bytes],
    rows: Iterator[tuple[Any, ...]],
    keys: CodeKeys,
    constant: tuple[str, str, str],
    on_progress: Callable[[int], None] | None,
) -> tuple[int, str]:
    """Write the lines; returns how many, and the SHA-256. Raises: Conflict for a changed key or forgotten addresses."""
    digest = hashlib.sha256()
    count = 0
    lines: list[str] = []
    writer = csv.writer(_Lines(lines), delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for nonce, code_digest, street, number, letter, addition, postcode, city in rows:
        if street is None:
            raise Conflict("Deze ronde is afgerond: van haar vouchers is niet meer bekend bij welk adres ze hoorden.")
        if keys.digest(keys.payload(nonce)) != code_digest:
            raise Conflict("Deze vouchers zijn met een andere ABS_VOUCHER_KEY gemaakt. Zet die sleutel terug.")
        count += 1
        address, place = address_lines(street, (number, letter, addition), postcode, city)
        code = keys.code(nonce)
        writer.writerow((count, address, place, street, number, letter, addition, postcode, city, code, *constant))
        if count % CHUNK == 0:
            _flush(file, lines, digest)
            if on_progress is not None:
                on_progress(CHUNK)
    _flush(file, lines, digest)
    if on_progress is not None:
        on_progress(count % CHUNK)
    return count, digest.hexdigest()


def address_lines(street: str, house: tuple[int, str, str], postcode: str, city: str) -> tuple[str, str]:
    """The two lines of an address, as the post wants them (NEN 5825). ``house``: number, letter and addition."""
    number, letter, addition = house
    return (
        f"{street} {number}{letter}{'-' + addition if addition else ''}",
        f"{postcode[:4]} {postcode[4:]}  {city.upper()}",
    )


def _flush(file: IO[bytes], lines: list[str], digest: Any) -> None:
    block = "".join(lines).encode()
    lines.clear()
    file.write(block)
    digest.update(block)


class _Lines:
    """Lets the csv writer append its lines to a list."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append


@contextmanager
def complete_or_nothing(path: Path) -> Iterator[IO[bytes]]:
    """A file beside its place, moved there when the block ends well, and gone when it does not."""
    draft: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        draft = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise InvalidInput(f"{path}: hier kan niet worden geschreven ({error.strerror}).") from error
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
