# SPDX-License-Identifier: EUPL-1.2
"""The desk with 20 and with 2,000 initiatives that wait: queries, and the time of a page beside each other."""

from __future__ import annotations

import argparse
import time
from functools import partial

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select, text

from abs_platform import clock
from abs_platform.accounts.models import Account, DeskAssignment, StaffRole
from abs_platform.accounts.service import start_session
from abs_platform.areas.models import Area
from abs_platform.database import transaction
from abs_platform.security import SEEN_AT
from abs_platform.users import Role
from bench.harness import Ratio, add_initiatives, interleave, settings_of, settle, show, start_app

FEW, MANY = 20, 2_000
FEWER_QUERIES_THAN, MOST_PERCENT = 8, 200
PAGES, REPEATS = 20, 15
PATHS = {
    "what waits": "/regie",
    "all desks": "/regie?balie=alle",
    "filtered": "/regie?balie=alle&soort=submitted&wie=niemand&laat=1",
    "searched": "/regie?balie=alle&zoek=plein",
    "all initiatives": "/regie/initiatieven",
}


def main() -> None:
    """Print what each page costs with few and with many, and the ratio of their times."""
    parser = argparse.ArgumentParser(prog="bin/bench desk", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS, help="how many times each page is measured")
    options = parser.parse_args()
    clients = {number: _signed_in(_fill(number)) for number in (FEW, MANY)}
    rows = []
    for name, path in PATHS.items():
        queries = [_queries(client, path) for client in clients.values()]
        sides = {number: partial(_milliseconds, client, path) for number, client in clients.items()}
        for side in sides.values():
            side()
        figures = interleave(sides, options.repeats)
        fastest = [f"{min(figures[number]):.1f}" for number in clients]
        ratio = Ratio.of(figures[MANY], figures[FEW])
        rows.append((name, *queries, f"< {FEWER_QUERIES_THAN}", *fastest, ratio, f"<= {MOST_PERCENT}%"))
    show(("page", f"queries {FEW}", f"{MANY:,}", "target", f"ms {FEW}", f"{MANY:,}", "ratio", "target"), rows)


def _fill(number: int) -> Flask:
    """An app of its own in which so many initiatives wait, a fifth of them with a message of their organisers too."""
    app = start_app()
    with app.app_context(), transaction() as session:
        add_initiatives(session, number, target_cents=1_000, state="submitted")
        session.execute(
            text("""
                UPDATE initiatives SET published_at = NULL, ended_at = NULL,
                       submitted_at = now() - (initiatives.id % 40) * interval '1 day',
                       desk_area_id = CASE areas.level WHEN 'neighbourhood' THEN areas.parent_id ELSE areas.id END
                FROM areas WHERE areas.id = initiatives.area_id
            """)
        )
        account = Account(email="regie@gemeente.example", name="Sanne de Boer", created_at=clock.now())
        session.add(account)
        session.flush()
        session.add(StaffRole(account_id=account.id, role=Role.DISTRICT_MANAGER.value, granted_at=clock.now()))
        for area_id in session.scalars(select(Area.id).where(Area.level != "neighbourhood")):
            session.add(DeskAssignment(account_id=account.id, area_id=area_id))
        session.execute(
            text("""
                INSERT INTO desk_messages (initiative_id, side, author_id, text, sent_at, recipient_ids)
                SELECT id, 'organiser', :author, 'Mag het?', now() - (id % 20) * interval '1 day', '{}'
                FROM initiatives WHERE id % 5 = 0
            """),
            {"author": account.id},
        )
        session.execute(text("UPDATE initiatives SET handler_id = :handler WHERE id % 3 = 0"), {"handler": account.id})
    settle(settings_of(app))
    return app


def _signed_in(app: Flask) -> FlaskClient:
    """Somebody who works at every desk."""
    client = app.test_client()
    with app.app_context(), transaction() as session:
        token = start_session(
            session,
            session.scalars(select(Account)).one(),
            method="email",
            user_agent="bench",
            secret_key=settings_of(app).secret_key,
            has_second_factor=True,
            now=clock.now(),
        )
    with client.session_transaction() as cookie:
        cookie |= {"_user_id": token, "_fresh": True, SEEN_AT: int(clock.now().timestamp())}
    return client


def _queries(client: FlaskClient, path: str) -> int:
    found: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        found.append(statement)

    _get(client, path)
    event.listen(Engine, "before_cursor_execute", count)
    _get(client, path)
    event.remove(Engine, "before_cursor_execute", count)
    return len(found)


def _milliseconds(client: FlaskClient, path: str) -> float:
    """How long a page takes, taken over a few in a row."""
    began = time.perf_counter()
    for _page in range(PAGES):
        _get(client, path)
    return (time.perf_counter() - began) * 1000 / PAGES


def _get(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answers {answer.status}")


if __name__ == "__main__":
    main()
