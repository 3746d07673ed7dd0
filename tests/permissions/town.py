# SPDX-License-Identifier: EUPL-1.2
"""A town in which everything exists once: people of every kind, objects of some of them, and ways to try routes."""

from __future__ import annotations

import contextvars
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from abs_platform import clock
from abs_platform.accounts.models import (
    Account,
    DeskAssignment,
    StaffRole,
)
from abs_platform.database import Base
from abs_platform.security import SEEN_AT
from abs_platform.users import Role, User
from tests.factories import SECRET_KEY, Factory

HERE, ELSEWHERE = "WK014119", "WK014118"
CSRF = "a csrf token for tests, of any length"
INVITATION = "a token of an invitation for tests"
SIGN_IN_LINK = "a token of a sign-in link for tests"
# Words that stand in one place only, so that a page that shows them tells where it got them.
DRAFT_REASON, NOTE, RECEIPT_NAME = "Geheim-concept-besluit", "Geheime-notitie", "geheime-bon.jpg"
PAYOUT_IBAN, HOLDER = "NL91ABNA0417164300", "Stichting Geheime Rekening"
GIVER_EMAIL, GIVER_NAME = "stille.gever@voorbeeld.example", "Gerda Stilstra"
POSTCODES, THEIR_POSTCODES = ("7617ZX", "7618ZY", "7619ZZ"), ("7605AX", "7605AY", "7605AZ")

ANONYMOUS = "anonymous"
RESIDENT, HELPER, OTHER, INVITED = "resident", "helper", "organiser of another", "invited"
INITIATOR, CO, TORN = "initiator", "co-organiser", "wijkregisseur who organises it"
OWN, STAND_IN, ELSEWHERE_MANAGER = "wijkregisseur", "stand-in", "wijkregisseur of another district"
COORDINATOR, FINANCE, FORMER = "coordinator", "finance", "former wijkregisseur"
AT_THE_DESK = "desk of a wijkcentrum"
PEOPLE = (
    *(ANONYMOUS, RESIDENT, HELPER, OTHER, INVITED, INITIATOR, CO, TORN),
    *(OWN, STAND_IN, ELSEWHERE_MANAGER, COORDINATOR, FINANCE, FORMER, AT_THE_DESK),
)


@dataclass
class Town:
    """People by kind, and the numbers of objects by name."""

    app: Flask
    connection: Connection
    session: Session
    factory: Factory
    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)
    before: dict[str, tuple[int, int]] = field(default_factory=dict)
    looked_at: tuple[int | None, dict[str, tuple[int, int]]] = (None, {})

    # -- people -------------------------------------------------------------------------------------------------------

    def account(self, who: str, email: str, name: str, roles: tuple[Role, ...] = (), desk: str = "") -> Account:
        """Somebody with a session."""
        made = self.factory.account(email, name=name, roles=roles, desks=(desk,) if desk else ())
        self.accounts[who] = made
        self.tokens[who] = self.factory.session_of(made, has_second_factor=bool(roles))
        return made

    def cookie(self, who: str, *, token: str | None = None, seen_at: int | None = None) -> str:
        """The cookie of somebody's browser, with the CSRF token of all forms here."""
        content_: dict[str, Any] = {"csrf_token": CSRF}
        if who != ANONYMOUS:
            moment = int(clock.now().timestamp()) if seen_at is None else seen_at
            content_ |= {"_user_id": token or self.tokens[who], "_fresh": True, SEEN_AT: moment}
        serializer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        return f"session={serializer.dumps(content_)}"

    def csrf_field(self, of_cookie: str = CSRF) -> str:
        """What forms send beside that cookie."""
        return str(URLSafeTimedSerializer(SECRET_KEY, salt="wtf-csrf-token").dumps(of_cookie))

    def user(self, who: str) -> User:
        """Somebody as permissions see this person."""
        account = self.accounts[who]
        roles = select(StaffRole.role).where(StaffRole.account_id == account.id, StaffRole.ended_at.is_(None))
        desks = select(DeskAssignment.area_id).where(DeskAssignment.account_id == account.id)
        return User(
            account_id=account.id,
            email=account.email or "",
            name=account.name,
            roles=frozenset(map(Role, self.session.scalars(roles))),
            desk_area_ids=frozenset(self.session.scalars(desks)),
            has_second_factor=True,
        )

    # -- trying -------------------------------------------------------------------------------------------------------

    def send(
        self,
        who: str,
        method: str,
        path: str,
        data: Any = None,
        *,
        cookie: str | None = None,
        with_csrf: bool = True,
        **options: Any,
    ) -> TestResponse:
        """One request of somebody; follows nothing."""
        headers = {"Cookie": cookie or self.cookie(who), **options.pop("headers", {})}
        if method == "POST" and "json" not in options and not isinstance(data, str | bytes):
            sent = dict(data or {})
            if with_csrf:
                sent["csrf_token"] = self.csrf_field()
            options["data"] = {name: _fresh(value) for name, value in sent.items()}
        elif data is not None:
            options["data"] = data
        client = self.app.test_client(use_cookies=False)
        # In a context of its own: inside the test's app context it would share its session.
        return contextvars.Context().run(client.open, path, method=method, headers=headers, **options)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever happens inside is as if it never happened."""
        before = self.rows()
        savepoint = self.connection.begin_nested()
        try:
            yield
        finally:
            if savepoint.is_active:
                savepoint.rollback()
                self.looked_at = (self.connection.scalar(text(_WRITTEN)), before)

    def path(self, endpoint: str, **values: Any) -> str:
        """The address of a route."""
        return str(self.app.url_map.bind("localhost").build(endpoint, values))

    def rows(self) -> dict[str, tuple[int, int]]:
        """How many rows every table holds, and a checksum of all that is in them.

        Looked at anew only when the server counted a row that was written since.
        """
        written = self.connection.scalar(text(_WRITTEN))
        if written != self.looked_at[0]:
            found = self.connection.execute(text(_ALL_ROWS))  # a savepoint later it is gone
            self.looked_at = (written, {name: (count, int(checksum)) for name, count, checksum in found})
        return self.looked_at[1]


def _fresh(value: Any) -> Any:
    """Files are read once: each request gets one of its own."""
    return (io.BytesIO(value[0]), *value[1:]) if isinstance(value, tuple) and isinstance(value[0], bytes) else value


_WRITTEN = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables"
_ALL_ROWS = " UNION ALL ".join(
    f"SELECT '{name}', count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM \"{name}\" t"
    for name in sorted(Base.metadata.tables)
)


def filled(values: Mapping[str, Any], ids: Mapping[str, Any]) -> dict[str, Any]:
    """Values, and names of fields, in which "{name}" stands for the number of an object."""

    def put(value: Any) -> Any:
        return _NAME.sub(lambda found: str(ids[found[1]]), value) if isinstance(value, str) else value

    return {put(name): put(value) for name, value in values.items()}


_NAME = re.compile(r"\{(\w+)\}")
