# SPDX-License-Identifier: EUPL-1.2
"""What a public page costs: at most six queries for any number of initiatives, and under 100 kB on a first visit."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import Connection, event

from abs_platform.initiatives.states import InitiativeState as State
from tests.factories import Factory
from tests.page import Browser, Page

MAX_QUERIES = 6
MAX_BYTES = 100_000
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


def download(app: Flask, address: str) -> bytes:
    """A file as it is served."""
    with contextvars.Context().run(app.test_client().get, address) as response:
        assert response.status_code == 200
        return response.get_data()


def test_a_first_visit_weighs_less_than_a_hundred_kilobytes_without_pictures(
    app: Flask, factory: Factory, browser_client: Browser
) -> None:
    addresses = fill(factory, 60)
    weights = {}

    for path in PATHS:
        page = open_page(browser_client, path, addresses)
        linked = [link.attrs["href"] for link in page.all('link[rel="stylesheet"]')]
        linked += [script.attrs["src"] for script in page.all("script[src]")]
        assert linked
        weights[path] = len(page.html.encode()) + sum(len(download(app, address)) for address in linked)

    assert {path: weight for path, weight in weights.items() if weight >= MAX_BYTES} == {}
