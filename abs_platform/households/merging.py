# SPDX-License-Identifier: EUPL-1.2
"""The set-based half of the import: COPY into temporary tables, find what cannot be used, and merge.

Nothing here holds the addresses in memory: a million of them take as much of this process as a thousand.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, LiteralString, TypeVar

import psycopg

from abs_platform.households import merging_sql as sql
from abs_platform.households.address_files import Address, KeyRow, Rejection

ROWS_A_COPY = 10_000


@dataclass(frozen=True, slots=True)
class Rejected:
    """How many lines cannot be used, in how many of these not even the object, and the first of them."""

    count: int
    unknown_objects: int
    first: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """What the merge wrote; ``back`` are the addresses that had ended and are in the file again.

    ``stay_ended`` are in the file, but somebody ended them by hand. ``doubles`` were added by hand, and another address
    of the same postcode and number lives.
    """

    new: int
    back: int
    changed: int
    unchanged: int
    stay_ended: int
    doubles: int

    def warnings(self) -> tuple[str, ...]:
        """What somebody should look at: where the file and what was done by hand do not agree."""
        told = []
        if self.stay_ended:
            told.append(f"Met de hand beëindigd, maar wel in dit bestand: {self.stay_ended}. Ze blijven beëindigd.")
        if self.doubles:
            told.append(
                f"Met de hand toegevoegd, terwijl er nog een adres is met die postcode en dat nummer: {self.doubles}. "
                "Beëindig een van de twee."
            )
        return tuple(told)


class Staging:
    """The files in temporary tables of the caller's transaction, which are dropped when it ends."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._rekeyed = 0
        connection.execute(sql.STAGING)

    def load_key(self, rows: Iterable[KeyRow]) -> int:
        """COPY the key; returns the number of rows."""
        count = 0
        for block in _blocks(rows):
            count += len(block)
            self._copy("staged_key", [f"{r[0]}\t{r[1]}\t{r[2]}\t{r[3]}\n" for r in block])
        self._connection.execute("ANALYZE staged_key")
        return count

    def key_conflict(self) -> tuple[int, int] | None:
        """Two lines of the key that give one address two neighbourhoods."""
        return self._connection.execute(sql.KEY_CONFLICT).fetchone()

    def load_addresses(self, rows: Iterable[Address | Rejection]) -> int:
        """COPY what was read, the rejected lines apart; returns the number of lines."""
        count = 0
        for block in _blocks(rows):
            count += len(block)
            self._copy("staged_addresses", [_address_line(row) for row in block if isinstance(row, Address)])
            self._copy("staged_rejections", [_rejection_line(row) for row in block if isinstance(row, Rejection)])
        self._connection.execute("ANALYZE staged_addresses")
        return count

    def reject_duplicates(self, *, object_column: str, number_column: str) -> None:
        """Reject the second line of an object, and the second object of an address."""
        for query, column in ((sql.REJECT_SAME_OBJECT, object_column), (sql.REJECT_SAME_ADDRESS, number_column)):
            if self._connection.execute(query, {"column": column}).rowcount:
                self._connection.execute(sql.DROP_REJECTED)

    def place(self, *, postcode_column: str) -> None:
        """Give every address its neighbourhood, and reject those that have none."""
        self._connection.execute(sql.PLACE)
        self._connection.execute(sql.REJECT_UNPLACED, {"column": postcode_column})
        self._connection.execute("ANALYZE placed_addresses, staged_rejections")

    def rejected(self, limit: int) -> Rejected:
        """What was rejected so far."""
        count, unknown = self._one(sql.REJECTED)
        rows = self._connection.execute(sql.FIRST_REJECTIONS, {"limit": limit})
        return Rejected(count, unknown, tuple(Rejection._make(row) for row in rows))

    def find_gone(self) -> tuple[int, int]:
        """How many households live, and how many of them are not in the file, not even under another object."""
        self._rekeyed = self._connection.execute(sql.REKEY).rowcount
        (living,) = self._one(sql.COUNT_LIVING)
        return living, self._connection.execute(sql.FIND_GONE).rowcount

    def end_gone(self, today: dt.date) -> None:
        """End the living households that are not in the file."""
        self._connection.execute(sql.END_GONE, {"today": today})

    def merge(self) -> Merged:
        """Write what is new, back or changed, and nothing else."""
        back = self._connection.execute(sql.REVIVE).rowcount
        changed = self._connection.execute(sql.CHANGE).rowcount + self._rekeyed
        new = self._connection.execute(sql.INSERT).rowcount
        (placed,) = self._one("SELECT count(*) FROM placed_addresses")
        if new:
            self._connection.execute("ANALYZE households")
        (stay_ended,), (doubles,) = self._one(sql.COUNT_STAY_ENDED), self._one(sql.COUNT_DOUBLES)
        return Merged(new, back, changed, placed - new - back - changed, stay_ended, doubles)

    def _one(self, query: LiteralString) -> tuple[Any, ...]:
        (row,) = self._connection.execute(query).fetchall()
        values: tuple[Any, ...] = row
        return values

    def _copy(self, table: LiteralString, lines: list[str]) -> None:
        # One COPY a block: when reading fails between two of them, the transaction can still be used.
        if lines:
            with self._connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write("".join(lines))


_Row = TypeVar("_Row")


def _blocks(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    iterator = iter(rows)
    while block := list(islice(iterator, ROWS_A_COPY)):
        yield block


def _address_line(row: Address) -> str:
    address_id = r"\N" if row.address_id is None else row.address_id
    return (
        f"{row.line}\t{row.object_id}\t{address_id}\t{row.object_type}\t{_escaped(row.street)}\t{row.house_number}\t"
        f"{row.house_letter}\t{row.house_addition}\t{row.postcode}\t{_escaped(row.city)}\n"
    )


def _rejection_line(row: Rejection) -> str:
    object_id = r"\N" if row.object_id is None else row.object_id
    return f"{row.line}\t{_escaped(row.column)}\t{_escaped(row.reason)}\t{object_id}\n"


def _escaped(text: str) -> str:
    """A text as COPY wants it; line breaks cannot be in it, because a record is one line."""
    return text.replace("\\", r"\\").replace("\t", r"\t")
