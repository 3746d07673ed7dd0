# SPDX-License-Identifier: EUPL-1.2
"""What the stand-in remembers: its objects, answers given under a key, and webhooks to send, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Any

Thing = dict[str, Any]

_TABLES = """
CREATE TABLE IF NOT EXISTS thing (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, created INTEGER NOT NULL,
    wake_at INTEGER, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS thing_by_kind ON thing (kind, created, seq);
CREATE INDEX IF NOT EXISTS thing_by_wake ON thing (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS thing_by_intent ON thing (json_extract(body, '$.payment_intent'));
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, asked TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, place REAL NOT NULL, due_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'waiting', said TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS delivery_waiting ON delivery (place) WHERE state = 'waiting';
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to the webhook."""

    id: int
    event_id: str
    tries: int
    state: str
    said: str


class Store:
    """One connection for all threads, one at a time; a failed transaction leaves nothing behind."""

    def __init__(self, path: str = ":memory:") -> None:
        self._lock = RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        if path != ":memory:":
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody else meanwhile; inside another it is a part of that one."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def execute(self, sql: str, *values: Any) -> list[Any]:
        """Run one statement and read all that it gives."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def add(self, kind: str, thing: Thing, *, created: int, wake_at: int | None = None) -> Thing:
        """Keep a new object."""
        self.execute(
            "INSERT INTO thing (id, kind, created, wake_at, body) VALUES (?, ?, ?, ?, ?)",
            *(thing["id"], kind, created, wake_at, json.dumps(thing)),
        )
        return thing

    def save(self, thing: Thing, *, wake_at: int | None = None) -> Thing:
        """Keep what changed in an object; ``wake_at`` is when it changes by itself."""
        self.execute("UPDATE thing SET body = ?, wake_at = ? WHERE id = ?", json.dumps(thing), wake_at, thing["id"])
        return thing

    def find(self, kind: str, thing_id: str) -> Thing | None:
        """One object, or None."""
        rows = self.execute("SELECT body FROM thing WHERE id = ? AND kind = ?", thing_id, kind)
        return json.loads(rows[0][0]) if rows else None

    def waking(self, now: int) -> list[tuple[str, Thing]]:
        """What changes by itself at this moment or before: kind and object, the oldest first."""
        rows = self.execute("SELECT kind, body FROM thing WHERE wake_at <= ? ORDER BY wake_at, seq", now)
        return [(kind, json.loads(body)) for kind, body in rows]

    def listed(self, kind: str, where: dict[str, str] | None = None, *, limit: int = -1) -> list[Thing]:
        """Objects of a kind, the newest first; ``where`` compares texts in them."""
        return self.page(kind, where or {}, {}, after=None, limit=limit)

    def page(
        self, kind: str, where: dict[str, str], created: dict[str, int], *, after: str | None, limit: int
    ) -> list[Thing]:
        """A page of a list as Stripe orders it. ``created`` has bounds: gt, gte, lt, lte."""
        signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
        sql, values = "SELECT body FROM thing WHERE kind = ?", [kind]
        for name, value in where.items():
            sql, values = f"{sql} AND json_extract(body, '$.{name}') = ?", [*values, value]
        for name, bound in created.items():
            sql, values = f"{sql} AND created {signs[name]} ?", [*values, bound]  # type: ignore[list-item]
        if after:
            sql += " AND (created, seq) < (SELECT created, seq FROM thing WHERE id = ?)"
            values = [*values, after]
        rows = self.execute(f"{sql} ORDER BY created DESC, seq DESC LIMIT ?", *values, limit)
        return [json.loads(body) for (body,) in rows]

    def deliveries(self, *, due_at: float | None = None, limit: int = 100) -> list[Delivery]:
        """What still waits to be delivered and is due, in the order of sending; without a moment the last ones sent."""
        columns = "SELECT id, event_id, tries, state, said FROM delivery"
        if due_at is None:
            rows = self.execute(f"{columns} ORDER BY id DESC LIMIT ?", limit)
        else:
            sql = f"{columns} WHERE state = 'waiting' AND due_at <= ? ORDER BY place LIMIT ?"
            rows = self.execute(sql, due_at, limit)
        return [Delivery(*row) for row in rows]
