# SPDX-License-Identifier: EUPL-1.2
"""What the machine plays with: a few initiatives with small targets, vouchers, people, and a fresh provider each time.

It is made once; whatever an example does to it is rolled back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from flask import Flask
from sqlalchemy import Connection, NestedTransaction, event
from sqlalchemy.orm import Session

from abs_platform import clock
from abs_platform.database import db
from abs_platform.initiatives.models import Initiative
from abs_platform.users import User
from tests.conftest import take_money
from tests.factories import Factory
from tests.money.killing import Fuse, Mortal
from tests.payouts.bank_desk import Desk
from tests.stand_in import StandIn

BEGINNING = dt.datetime(2026, 11, 23, 10, 0, tzinfo=dt.UTC)
# Target in cents, and days until the deadline.
INITIATIVES = ((5_000, 40), (6_000, 3), (5_250, 12), (20_000, 60))
VOUCHERS = 12
STAFF = ("Sanne", "Frits", "Mia", "Roos")


@dataclass
class World:
    """One for each test; ``begin`` and ``end`` stand around each example."""

    app: Flask
    connection: Connection
    factory: Factory
    monkeypatch: pytest.MonkeyPatch
    initiative_ids: list[int] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    users: dict[str, User] = field(default_factory=dict)
    initiators: list[User] = field(default_factory=list)
    now: dt.datetime = BEGINNING
    fuse: Fuse = field(default_factory=Fuse)
    _savepoint: NestedTransaction | None = None

    def make(self) -> None:
        """Make what all examples share."""
        self.monkeypatch.setattr(clock, "now", lambda: self.now)
        self.factory.now = self.now
        made = [self.factory.initiative(target_cents=cents, days_left=days) for cents, days in INITIATIVES]
        self.initiative_ids = [initiative.id for initiative in made]
        self.codes = self.factory.codes(VOUCHERS)
        desk = Desk(self.factory)
        self.users = {name: desk.user(name) for name in STAFF}
        self.initiators = [desk.initiator(self._initiative(one)) for one in self.initiative_ids]
        self.factory.session.commit()
        event.listen(db.session, "before_commit", self.fuse.burn)

    def unmake(self) -> None:
        """Let go of the app."""
        event.remove(db.session, "before_commit", self.fuse.burn)

    def begin(self) -> StandIn:
        """An example begins, with a fresh account at the provider."""
        self.now = BEGINNING
        self._savepoint = self.connection.begin_nested()
        stand_in = StandIn()
        take_money(self.app, stand_in, self.monkeypatch)
        self.monkeypatch.setitem(self.app.extensions, "payments", Mortal(stand_in.provider, self.fuse))
        return stand_in

    def end(self) -> None:
        """All that it did is undone."""
        self.fuse.light(0)
        if self._savepoint is not None:
            self._savepoint.rollback()

    @contextmanager
    def process(self, address: str = "192.0.2.1") -> Iterator[None]:
        """A process of the app that serves one request, or does one job."""
        request = self.app.test_request_context("/", method="POST", environ_base={"REMOTE_ADDR": address})
        with self.app.app_context(), request:
            yield

    def read(self, ask: Callable[[Session], list[tuple[object, ...]]]) -> list[tuple[object, ...]]:
        """Look into the database, and leave it as it is."""
        with Session(self.connection, join_transaction_mode="create_savepoint") as session:
            return ask(session)

    def _initiative(self, initiative_id: int) -> Initiative:
        return self.factory.session.get_one(Initiative, initiative_id)
