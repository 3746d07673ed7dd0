# SPDX-License-Identifier: EUPL-1.2
"""Queries and bytes of the public pages with 60 and 500 initiatives, and requests a second beside a bare Flask page."""

from __future__ import annotations

import argparse
import http.client
import re
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin

from flask import Flask
from sqlalchemy import Engine, event, text

from abs_platform import clock
from abs_platform.database import transaction
from abs_platform.initiatives.queries import newest
from abs_platform.initiatives.states import InitiativeState
from abs_platform.ledger.queries import check
from abs_platform.vouchers.issuing import issue_vouchers
from bench.harness import (
    ACTOR,
    Ratio,
    add_gifts,
    add_households,
    add_initiatives,
    add_open_round,
    empty,
    interleave,
    rate,
    serve,
    settings_of,
    settle,
    show,
    start_app,
)

SIZES = (60, 500)
REALISED = 12
HOUSEHOLDS, GIFTS = 120_000, 100_000
MAX_QUERIES, MAX_KILOBYTES = 6, 100
CLIENTS = 8
SECONDS, REPEATS = 5.0, 2


def bare_app(size: int) -> Flask:
    """One page of so many bytes and nothing else: what Flask and the server cost by themselves."""
    app, page = Flask("bare"), "x" * size
    app.add_url_rule("/", view_func=lambda: page)
    return app


def main() -> None:
    """Print the figures for both sizes."""
    parser = argparse.ArgumentParser(prog="bin/bench pages", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each measurement lasts")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="how many times each page is measured")
    options = parser.parse_args()
    app = start_app()
    for published in SIZES:
        pages = _fill(app, published)
        visits = {name: _first_visit(app, path) for name, path in pages.items()}
        print(f"\n{published} published initiatives, {GIFTS:,} gifts")
        _show_visits(visits)
        _show_speed(app, pages, visits, options.seconds, options.repeats)


def _fill(app: Flask, published: int) -> dict[str, str]:
    """Start afresh with so many initiatives; returns the pages to measure."""
    for table in ("rounds", "households", "initiatives", "events"):
        empty(settings_of(app), table)
    with app.app_context(), transaction() as session:
        add_households(session, HOUSEHOLDS)
    settle(settings_of(app))  # else the database plans for an empty town
    with app.app_context(), transaction() as session:
        round_id = add_open_round(session, app)
        issue_vouchers(session, round_id, keys=app.extensions["code_keys"], actor=ACTOR, now=clock.now())
        ids = add_initiatives(session, published, target_cents=1_000)
        ids += add_initiatives(session, REALISED, target_cents=1_000, state=InitiativeState.REALISED.value)
        add_gifts(session, GIFTS, ids)
        # Targets that fit what was given: the realised ones have theirs, the others are on their way.
        session.execute(
            text("""
                UPDATE initiatives SET target_cents = CASE state WHEN 'realised' THEN given.cents
                                                      ELSE given.cents * (105 + id % 300) / 100 END
                FROM (SELECT initiative_id, SUM(amount_cents)::bigint AS cents FROM donations GROUP BY 1) AS given
                WHERE given.initiative_id = initiatives.id
            """)
        )
    settle(settings_of(app))
    with app.app_context(), transaction() as session:
        if breaches := check(session):
            raise RuntimeError(f"the books are wrong: {breaches[0]}")
        card = newest(session, InitiativeState.PUBLISHED, today=clock.today(), limit=1)[0]
    initiative = f"/initiatieven/{card.id}-{card.slug}"
    return {"home": "/", "initiatives": "/initiatieven", "an initiative": initiative, "voucher": "/voucher"}


@dataclass
class Visit:
    """What a first visit to a page costs, in queries and bytes."""

    queries: int = 0
    page: int = 0
    assets: int = 0
    pictures: int = 0


@dataclass
class _Assets(HTMLParser):
    """Finds what a browser fetches with a page."""

    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        is_link = tag == "link" and bool({"stylesheet", "icon"} & set((values.get("rel") or "").split()))
        address = values.get("href") if is_link else values.get("src") if tag in {"script", "img"} else None
        if address and not address.startswith("data:"):
            self.found.append(address)


def _first_visit(app: Flask, path: str) -> Visit:
    """Fetch a page and all that it asks for, each once, as the server sends it."""
    client, visit = app.test_client(), Visit()

    def count(*_statement: object) -> None:
        visit.queries += 1

    client.get(path)  # what only the first request of a process does is not the page's
    event.listen(Engine, "before_cursor_execute", count)
    answer = client.get(path, headers={"Accept-Encoding": "gzip"})
    event.remove(Engine, "before_cursor_execute", count)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answers {answer.status}")
    visit.page = len(answer.data)
    assets = _Assets()
    assets.feed(answer.text)
    wanted, seen = [urljoin(path, address) for address in assets.found], set[str]()
    while wanted:
        address = urldefrag(wanted.pop()).url
        if address in seen:
            continue
        seen.add(address)
        asset = client.get(address, headers={"Accept-Encoding": "gzip"})
        if (asset.mimetype or "").startswith("image/"):
            visit.pictures += len(asset.data)
            continue
        visit.assets += len(asset.data)
        if asset.mimetype == "text/css":
            used = re.findall(r"""url\(["']?([^"')]+)""", asset.text)
            wanted += [urljoin(address, part) for part in used if not part.startswith("data:")]
    return visit


def _show_visits(visits: dict[str, Visit]) -> None:
    headings = ("page", "queries", "target", "html kB", "css and js kB", "together", "target", "pictures kB")
    rows = [
        (
            name,
            visit.queries,
            f"<= {MAX_QUERIES}",
            f"{visit.page / 1000:.1f}",
            f"{visit.assets / 1000:.1f}",
            f"{(visit.page + visit.assets) / 1000:.1f}",
            f"< {MAX_KILOBYTES}",
            f"{visit.pictures / 1000:.1f}",
        )
        for name, visit in visits.items()
    ]
    show(headings, rows)


def _show_speed(app: Flask, pages: dict[str, str], visits: dict[str, Visit], seconds: float, repeats: int) -> None:
    rows = []
    url = settings_of(app).database_url or ""
    with ExitStack() as servers:
        ours = servers.enter_context(serve("wsgi:app", url))
        for name, path in pages.items():
            bare = servers.enter_context(serve(f"bench.bench_pages:bare_app({visits[name].page})", url))
            sides = {
                "ours": partial(_requests_a_second, ours, path, seconds=seconds),
                "bare": partial(_requests_a_second, bare, "/", seconds=seconds),
            }
            for side in sides.values():
                side(seconds=1)
            figures = interleave(sides, repeats)
            rows.append(
                (name, rate(figures["ours"]), rate(figures["bare"]), Ratio.of(figures["ours"], figures["bare"]))
            )
    show(("page", "requests/s", "bare Flask page of that size", "ratio"), rows)


def _requests_a_second(port: int, path: str, seconds: float) -> float:
    """Ask for a page from some clients at once, each on a connection that it keeps."""
    done, until = [0] * CLIENTS, time.monotonic() + seconds

    def ask(client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < until:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                return
            done[client] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not all(done):
        raise RuntimeError(f"{path} was not answered")
    return sum(done) / seconds


if __name__ == "__main__":
    main()
