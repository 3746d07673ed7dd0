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

from abs_platform.households.address_files import Address, KeyRow, Rejection

ROWS_A_COPY = 10_000

_STAGING = """
    DROP TABLE IF EXISTS pg_temp.staged_addresses, pg_temp.staged_key, pg_temp.staged_rejections,
                         pg_temp.placed_addresses, pg_temp.gone_households;
    CREATE TEMP TABLE staged_addresses (
        line bigint NOT NULL, bag_object_id text NOT NULL, bag_address_id text, object_type text NOT NULL,
        street text NOT NULL, house_number bigint NOT NULL, house_letter text NOT NULL,
        house_addition text NOT NULL, postcode text NOT NULL, city text NOT NULL
    ) ON COMMIT DROP;
    CREATE TEMP TABLE staged_key (
        line bigint NOT NULL, postcode text NOT NULL, house_number bigint NOT NULL,
        neighbourhood_code text NOT NULL
    ) ON COMMIT DROP;
    CREATE TEMP TABLE staged_rejections (
        line bigint NOT NULL, column_name text NOT NULL, reason text NOT NULL, bag_object_id text
    ) ON COMMIT DROP;
"""

_KEY_CONFLICT = """
    SELECT min(line), max(line) FROM staged_key
    GROUP BY postcode, house_number HAVING count(DISTINCT neighbourhood_code) > 1
    ORDER BY 1 LIMIT 1
"""

_REJECT_SAME_OBJECT = """
    INSERT INTO staged_rejections
    SELECT line, %(column)s, format('dit object staat ook op regel %%s.', first_line), bag_object_id
    FROM staged_addresses
    JOIN (SELECT bag_object_id, min(line) AS first_line
          FROM staged_addresses GROUP BY 1 HAVING count(*) > 1) AS twice USING (bag_object_id)
    WHERE line > first_line
"""

# The street too: two streets may share a postcode, and have the same number.
_REJECT_SAME_ADDRESS = """
    INSERT INTO staged_rejections
    SELECT line, %(column)s, format('dit adres staat ook op regel %%s, met een ander object.', first_line),
           bag_object_id
    FROM staged_addresses
    JOIN (SELECT postcode, house_number, house_letter, house_addition, street, min(line) AS first_line
          FROM staged_addresses GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1) AS twice
         USING (postcode, house_number, house_letter, house_addition, street)
    WHERE line > first_line
"""

_DROP_REJECTED = "DELETE FROM staged_addresses s USING staged_rejections r WHERE r.line = s.line"

_PLACE = """
    CREATE TEMP TABLE placed_addresses ON COMMIT DROP AS
    SELECT s.*, k.neighbourhood_code, a.id AS neighbourhood_id
    FROM staged_addresses s
    LEFT JOIN (SELECT DISTINCT postcode, house_number, neighbourhood_code FROM staged_key) AS k
              USING (postcode, house_number)
    LEFT JOIN areas a ON a.code = 'BU' || k.neighbourhood_code AND a.level = 'neighbourhood' AND a.is_current
"""

_REJECT_UNPLACED = """
    WITH unplaced AS (
        DELETE FROM placed_addresses WHERE neighbourhood_id IS NULL
        RETURNING line, bag_object_id, postcode, house_number, neighbourhood_code
    )
    INSERT INTO staged_rejections
    SELECT line, %(column)s,
           CASE WHEN neighbourhood_code IS NULL
                THEN format('%%s met huisnummer %%s staat niet in de CBS-sleutel.', postcode, house_number)
                ELSE format('buurt BU%%s (volgens de CBS-sleutel) staat niet in de lijst van buurten.',
                            neighbourhood_code)
           END,
           bag_object_id
    FROM unplaced
"""

_REJECTED = """
    SELECT count(*), count(*) FILTER (WHERE bag_object_id IS NULL) FROM staged_rejections
"""
_FIRST_REJECTIONS = """
    SELECT line, column_name, reason, bag_object_id FROM staged_rejections ORDER BY line LIMIT %(limit)s
"""

# The BAG sometimes gives an address a new object. The household stays who it was: else it would get a second voucher.
_REKEY = """
    WITH newcomers AS MATERIALIZED (
        SELECT * FROM placed_addresses p
        WHERE NOT EXISTS (SELECT FROM households h WHERE h.bag_object_id = p.bag_object_id)
    ), leavers AS MATERIALIZED (
        SELECT * FROM households h
        WHERE ended_on IS NULL
          AND NOT EXISTS (SELECT FROM placed_addresses p WHERE p.bag_object_id = h.bag_object_id)
          AND NOT EXISTS (SELECT FROM staged_rejections r WHERE r.bag_object_id = h.bag_object_id)
    ), pairs AS (
        SELECT p.line, h.id FROM newcomers p JOIN leavers h USING (bag_address_id)
        UNION
        SELECT p.line, h.id
        FROM newcomers p JOIN leavers h USING (postcode, house_number, house_letter, house_addition, street)
    )
    UPDATE households h
    SET bag_object_id = p.bag_object_id, bag_address_id = coalesce(p.bag_address_id, h.bag_address_id),
        object_type = p.object_type, street = p.street, house_number = p.house_number,
        house_letter = p.house_letter, house_addition = p.house_addition, postcode = p.postcode, city = p.city,
        neighbourhood_id = p.neighbourhood_id
    FROM (SELECT DISTINCT ON (line) line, id FROM pairs ORDER BY line, id) AS pair
    JOIN newcomers p USING (line)
    WHERE h.id = pair.id
"""

_COUNT_LIVING = "SELECT count(*) FROM households WHERE ended_on IS NULL"
# A rejected line shows that its object is still there.
_FIND_GONE = """
    CREATE TEMP TABLE gone_households ON COMMIT DROP AS
    SELECT h.id FROM households h
    WHERE h.ended_on IS NULL
      AND NOT EXISTS (SELECT FROM placed_addresses p WHERE p.bag_object_id = h.bag_object_id)
      AND NOT EXISTS (SELECT FROM staged_rejections r WHERE r.bag_object_id = h.bag_object_id)
"""
_END_GONE = "UPDATE households h SET ended_on = %(today)s FROM gone_households g WHERE g.id = h.id"

# An ended address that is in the file again lives again; a row that is already right is not written.
_UPDATE = """
    UPDATE households h
    SET bag_address_id = coalesce(p.bag_address_id, h.bag_address_id), object_type = p.object_type,
        street = p.street, house_number = p.house_number, house_letter = p.house_letter,
        house_addition = p.house_addition, postcode = p.postcode, city = p.city,
        neighbourhood_id = p.neighbourhood_id, ended_on = NULL
    FROM placed_addresses p
    WHERE p.bag_object_id = h.bag_object_id
"""
_REVIVE = _UPDATE + " AND h.ended_on IS NOT NULL"
_CHANGE = (
    _UPDATE
    + """
      AND (h.bag_address_id, h.object_type, h.street, h.house_number, h.house_letter, h.house_addition,
           h.postcode, h.city, h.neighbourhood_id)
          IS DISTINCT FROM
          (coalesce(p.bag_address_id, h.bag_address_id), p.object_type, p.street, p.house_number,
           p.house_letter, p.house_addition, p.postcode, p.city, p.neighbourhood_id)
"""
)

_INSERT = """
    INSERT INTO households (bag_object_id, bag_address_id, object_type, street, house_number, house_letter,
                            house_addition, postcode, city, neighbourhood_id)
    SELECT bag_object_id, bag_address_id, object_type, street, house_number, house_letter,
           house_addition, postcode, city, neighbourhood_id
    FROM placed_addresses p
    WHERE NOT EXISTS (SELECT FROM households h WHERE h.bag_object_id = p.bag_object_id)
    ORDER BY line
"""


@dataclass(frozen=True, slots=True)
class Rejected:
    """How many lines cannot be used, in how many of these not even the object, and the first of them."""

    count: int
    unknown_objects: int
    first: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """What the merge wrote; ``back`` are the addresses that had ended and are in the file again."""

    new: int
    back: int
    changed: int
    unchanged: int


class Staging:
    """The files in temporary tables of the caller's transaction, which are dropped when it ends."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._rekeyed = 0
        connection.execute(_STAGING)

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
        return self._connection.execute(_KEY_CONFLICT).fetchone()

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
        for query, column in ((_REJECT_SAME_OBJECT, object_column), (_REJECT_SAME_ADDRESS, number_column)):
            if self._connection.execute(query, {"column": column}).rowcount:
                self._connection.execute(_DROP_REJECTED)

    def place(self, *, postcode_column: str) -> None:
        """Give every address its neighbourhood, and reject those that have none."""
        self._connection.execute(_PLACE)
        self._connection.execute(_REJECT_UNPLACED, {"column": postcode_column})
        self._connection.execute("ANALYZE placed_addresses, staged_rejections")

    def rejected(self, limit: int) -> Rejected:
        """What was rejected so far."""
        count, unknown = self._one(_REJECTED)
        rows = self._connection.execute(_FIRST_REJECTIONS, {"limit": limit})
        return Rejected(count, unknown, tuple(Rejection._make(row) for row in rows))

    def find_gone(self) -> tuple[int, int]:
        """How many households live, and how many of them are not in the file, not even under another object."""
        self._rekeyed = self._connection.execute(_REKEY).rowcount
        (living,) = self._one(_COUNT_LIVING)
        return living, self._connection.execute(_FIND_GONE).rowcount

    def end_gone(self, today: dt.date) -> None:
        """End the living households that are not in the file."""
        self._connection.execute(_END_GONE, {"today": today})

    def merge(self) -> Merged:
        """Write what is new, back or changed, and nothing else."""
        back = self._connection.execute(_REVIVE).rowcount
        changed = self._connection.execute(_CHANGE).rowcount + self._rekeyed
        new = self._connection.execute(_INSERT).rowcount
        (placed,) = self._one("SELECT count(*) FROM placed_addresses")
        if new:
            self._connection.execute("ANALYZE households")
        return Merged(new, back, changed, placed - new - back - changed)

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
