# SPDX-License-Identifier: EUPL-1.2
"""What a public page costs: at most six queries for any number of initiatives, and under 100 kB on a first visit."""

from __future__ import annotations

import contextvars
import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import Connection, event, text

from abs_platform import clock
from abs_platform.initiatives.counting import count_progress
from abs_platform.initiatives.queries import almost_there, newest
from abs_platform.initiatives.states import InitiativeState as State
from abs_platform.page_memory import SHARED
from tests.factories import Factory
from tests.page import Browser, Page

MAX_QUERIES = 6
MAX_BYTES, MAX_SCRIPTS = 100_000, 60_000
# What a browser has to take in after it was unpacked: an old phone works on that.
MAX_READ = 125_000
# What the tests' savepoints add is no query of the page.
NO_QUERY = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")
PATHS = (
    "/",
    "/hoe-werkt-het",
    "/spelregels",
    "/veelgestelde-vragen",
    "/contact",
    "/initiatieven",
    "/initiatieven?zoek=bomen&wijk=windmolenbroek&status=published",
)
PATHS += ("/volgen", "/volgen?wat=gebied:windmolenbroek&wat=thema:green")
PATHS += ("/voucher", "/v", "INITIATIVE", "PRESELECTED", "FUNDED", "RECEIPT", "CONFIRM")
PATHS += (
    "/kasboek",
    "/kasboek?fase=haalt-op&soort=vouchers",
    "/kasboek/waar-bleef-het-geld",
    "/kasboek/rekeningen",
    "BOOK",
    "/wijken",
    "/wijken/windmolenbroek",
)
# The page of a district is a front page of its own: where it is, what happens, cards, a welcome, who helps, news, the
# agenda and its figures.
MORE_QUERIES = {"/wijken/windmolenbroek": 8}


@contextmanager
def counting(connection: Connection) -> Iterator[list[str]]:
    """The queries that a connection is sent."""
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(NO_QUERY):
            statements.append(statement)

    event.listen(connection.engine, "before_cursor_execute", count)
    try:
        yield statements
    finally:
        event.remove(connection.engine, "before_cursor_execute", count)


def fill(factory: Factory, number: int) -> dict[str, str]:
    """A town with so many initiatives and some gifts; returns the addresses of the pages that need one."""
    for _ in range(number // 5):
        factory.initiative(State.STOPPED)
    collecting = [factory.initiative(target_cents=100_000) for _ in range(number - number // 5)]
    funded = factory.initiative(State.FUNDED, target_cents=5_000, title="Rond")
    *codes, kept = factory.fresh_codes(8)
    gifts = [factory.give(code, collecting[place % 2]) for place, code in enumerate(codes)]
    factory.session.commit()
    assert gifts[0] is not None
    first = collecting[0]
    return {
        "INITIATIVE": f"/initiatieven/{first.id}-{first.title.lower().replace(' ', '-')}",
        "PRESELECTED": f"/voucher?initiatief={first.id}",
        "FUNDED": f"/initiatieven/{funded.id}-rond",
        "BOOK": f"/initiatieven/{funded.id}-rond/kasboek",
        "RECEIPT": f"/giften/{gifts[0].reference}",
        "CODE": kept,
        "ID": str(first.id),
    }


def open_page(browser: Browser, path: str, addresses: dict[str, str]) -> Page:
    if path == "CONFIRM":
        return browser.post("/voucher", {"code": addresses["CODE"], "initiative_id": addresses["ID"]})
    return browser.get(addresses.get(path, path))


def test_a_page_asks_at_most_six_queries_whatever_the_number_of_initiatives(
    factory: Factory, browser_client: Browser, connection: Connection
) -> None:
    counts: dict[str, list[int]] = {path: [] for path in PATHS}

    for number in (5, 60):
        addresses = fill(factory, number)
        for path in PATHS:
            with counting(connection) as statements:
                open_page(browser_client, path, addresses)
            counts[path].append(len(statements))

    assert {path: found for path, found in counts.items() if max(found) > MORE_QUERIES.get(path, MAX_QUERIES)} == {}
    assert {path: found for path, found in counts.items() if found[0] != found[1]} == {}
    assert min(counts["/"]) > 0


def rows_read(connection: Connection, ask: Callable[[], object]) -> int:
    """How many rows of initiatives and of what was counted of them are read to answer."""
    asked: list[tuple[str, Any]] = []

    def keep(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        asked.append((statement, values))

    event.listen(connection.engine, "before_cursor_execute", keep)
    try:
        ask()
    finally:
        event.remove(connection.engine, "before_cursor_execute", keep)
    parts = []
    for statement, values in asked:
        (plan,) = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values).scalar_one()
        parts.append(plan["Plan"])
    total = 0
    while parts:
        part = parts.pop()
        parts += part.get("Plans", [])
        if part.get("Relation Name", "").startswith("initiative"):
            total += part["Actual Loops"] * (part["Actual Rows"] + part.get("Rows Removed by Filter", 0))
    return int(total)


def test_however_much_collects_home_reads_only_what_it_shows(factory: Factory, connection: Connection) -> None:
    one, session, today = factory.initiative(), factory.session, clock.local_date(factory.now)
    columns = "title, summary, story, theme, area_id, target_cents, deadline_on, state, created_at"
    copies = f"SELECT {columns}, published_at - n * interval '1 minute' FROM initiatives, generate_series(1, 2000) n"
    session.execute(text(f"INSERT INTO initiatives ({columns}, published_at) {copies} WHERE id = :id"), {"id": one.id})
    count_progress(session, now=factory.now)
    session.execute(text("UPDATE initiative_progress SET share = initiative_id % 500"))
    session.execute(text("ANALYZE initiatives, initiative_progress"))

    assert 0 < rows_read(connection, lambda: almost_there(session, today=today, limit=3)) < 50
    assert 0 < rows_read(connection, lambda: newest(session, State.PUBLISHED, today=today, limit=3)) < 50


@dataclass
class Weight:
    """Bytes of a first visit: as they are sent, those of scripts among them, and as the browser has to read them."""

    sent: int = 0
    scripts: int = 0
    read: int = 0


def weigh(app: Flask, path: str, page: Page) -> Weight:
    """A page with its styles and scripts. What is the same for all visitors is sent compressed, as are files."""
    endpoint, _values = (
        app.url_map.bind("localhost").match(path.partition("?")[0]) if path.startswith("/") else ("", {})
    )
    html = page.html.encode()
    weight = Weight(sent=len(gzip.compress(html, 5)) if endpoint in SHARED else len(html), read=len(html))
    linked = [link.attrs["href"] for link in page.all('link[rel="stylesheet"]')]
    scripts = [script.attrs["src"] for script in page.all("script[src]")]
    assert linked
    for address in linked + scripts:
        get, asked = app.test_client().get, {"Accept-Encoding": "gzip"}
        with contextvars.Context().run(get, address, headers=asked) as response:
            assert response.status_code == 200
            assert response.headers["Content-Encoding"] == "gzip"
            sent = response.get_data()
        weight.sent += len(sent)
        weight.scripts += len(sent) if address in scripts else 0
        weight.read += len(gzip.decompress(sent))
    return weight


def test_a_first_visit_weighs_less_than_a_hundred_kilobytes_without_pictures(
    app: Flask, factory: Factory, browser_client: Browser
) -> None:
    addresses = fill(factory, 60)

    weights = {
        path: weigh(app, addresses.get(path, path), open_page(browser_client, path, addresses)) for path in PATHS
    }

    assert {path: one for path, one in weights.items() if one.sent >= MAX_BYTES} == {}
    assert {path: one for path, one in weights.items() if one.scripts >= MAX_SCRIPTS} == {}
    assert {path: one for path, one in weights.items() if one.read >= MAX_READ} == {}
