# SPDX-License-Identifier: EUPL-1.2
"""Queries, bytes and requests a second of the public pages in a small and a large town, beside bare Flask pages."""

from __future__ import annotations

import argparse
import gzip
import http.client
import re
import statistics
import threading
import time
from collections.abc import Mapping
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
from abs_platform.page_memory import PageMemory
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
from jobs import count_figures, count_progress


@dataclass(frozen=True)
class Size:
    """How large the town is. Every gift is of another household."""

    published: int
    gifts: int


SIZES = (Size(500, 100_000), Size(10_000, 1_000_000))
REALISED = 12
MAX_QUERIES, MAX_KILOBYTES = 6, 100
MIN_PERCENT, MOST_TIMES_SLOWER = 35, 1.5
CLIENTS = 8
SECONDS, REPEATS = 5.0, 3
# Who sends any cookie gets a page that is made now.
MADE_NOW = {"Cookie": "made=now"}


def bare_app(size: int) -> Flask:
    """One page of so many bytes and nothing else: what Flask and the server cost by themselves."""
    app, page = Flask("bare"), "x" * size
    app.add_url_rule("/", view_func=lambda: page)
    return app


def bare_jinja_app(size: int) -> Flask:
    """One page of so many bytes that a template writes, some hundred bytes at a time."""
    app, piece = Flask("bare"), "x" * 100
    template = app.jinja_env.from_string("{% for piece in pieces %}<p>{{ piece }}</p>{% endfor %}")
    app.add_url_rule("/", view_func=lambda: template.render(pieces=[piece] * (size // 107)))
    return app


def main() -> None:
    """Print the figures for each size, and how much slower the large town is."""
    parser = argparse.ArgumentParser(prog="bin/bench pages", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each measurement lasts")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="how many times each page is measured")
    parser.add_argument("--small", action="store_true", help="only the small town")
    options = parser.parse_args()
    app = start_app()
    app.extensions["page_memory"] = PageMemory()  # pages are sent as visitors get them
    speeds: list[dict[str, list[float]]] = []
    for size in SIZES[:1] if options.small else SIZES:
        pages = fill_town(app, size)
        visits = {name: _first_visit(app, path) for name, path in pages.items()}
        print(f"\n{size.published:,} published initiatives, {size.gifts:,} gifts", flush=True)
        _show_visits(visits)
        speeds.append(_show_speed(app, pages, visits, options.seconds, options.repeats))
    if len(speeds) == 2:
        _show_growth(*speeds)


def fill_town(app: Flask, size: Size) -> dict[str, str]:
    """Start afresh with a town of this size; returns the pages to measure."""
    for table in ("rounds", "households", "initiatives", "events"):
        empty(settings_of(app), table)
    with app.app_context(), transaction() as session:
        add_households(session, size.gifts + 1_000)
    settle(settings_of(app))  # else the database plans for an empty town
    with app.app_context(), transaction() as session:
        round_id = add_open_round(session, app)
        issue_vouchers(session, round_id, keys=app.extensions["code_keys"], actor=ACTOR, now=clock.now())
        ids = add_initiatives(session, size.published, target_cents=1_000)
        ids += add_initiatives(session, REALISED, target_cents=1_000, state=InitiativeState.REALISED.value)
        add_gifts(session, size.gifts, ids)
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
    for job in (count_progress, count_figures):
        with app.app_context():
            job.run(clock.now())
    with app.app_context(), transaction() as session:
        if breaches := check(session):
            raise RuntimeError(f"the books are wrong: {breaches[0]}")
        card = newest(session, InitiativeState.PUBLISHED, today=clock.today(), limit=1)[0]
    settle(settings_of(app))
    initiative = f"/initiatieven/{card.id}-{card.slug}"
    district = "/wijken/schelfhorst"
    return {"home": "/", "initiatives": "/initiatieven", "an initiative": initiative, "a district": district}


@dataclass
class Visit:
    """What a first visit to a page costs, in queries and bytes."""

    queries: int = 0
    raw: int = 0
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
    client, visit = app.test_client(use_cookies=False), Visit()  # one that keeps cookies would take MADE_NOW away

    def count(*_statement: object) -> None:
        visit.queries += 1

    client.get(path)  # what only the first request of a process does is not the page's
    event.listen(Engine, "before_cursor_execute", count)
    answer = client.get(path, headers=MADE_NOW)
    event.remove(Engine, "before_cursor_execute", count)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answers {answer.status}")
    visit.raw, visit.page = len(answer.data), len(client.get(path, headers={"Accept-Encoding": "gzip"}).data)
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
            is_zipped = asset.headers.get("Content-Encoding") == "gzip"
            style = (gzip.decompress(asset.data) if is_zipped else asset.data).decode()
            used = re.findall(r"""url\(["']?([^"')]+)""", style)
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


def _show_speed(
    app: Flask, pages: dict[str, str], visits: dict[str, Visit], seconds: float, repeats: int
) -> dict[str, list[float]]:
    """Print requests a second of each page beside bare ones; returns those of pages made now as shares of bare ones."""
    rows, made_now = [], {}
    url = settings_of(app).database_url or ""
    with ExitStack() as servers:
        ours = servers.enter_context(serve("wsgi:app", url))
        for name, path in pages.items():
            size = visits[name].raw
            bare = servers.enter_context(serve(f"bench.bench_pages:bare_app({size})", url))
            jinja = servers.enter_context(serve(f"bench.bench_pages:bare_jinja_app({size})", url))
            sides = {
                "made now": partial(_requests_a_second, ours, path, seconds=seconds, headers=MADE_NOW),
                "kept": partial(_requests_a_second, ours, path, seconds=seconds),
                "bare": partial(_requests_a_second, bare, "/", seconds=seconds),
                "jinja": partial(_requests_a_second, jinja, "/", seconds=seconds),
            }
            for side in sides.values():
                side(seconds=1)
            figures = interleave(sides, repeats)
            made_now[name] = [ours / theirs for ours, theirs in zip(figures["made now"], figures["bare"], strict=True)]
            row = [name, f"{size / 1000:.0f}", *(rate(figures[side]) for side in sides)]
            row += [str(Ratio.of(figures[side], figures["bare"])) for side in ("kept", "made now")]
            rows.append((*row, str(Ratio.of(figures["made now"], figures["jinja"])), f">= {MIN_PERCENT}%"))
    headings = ("page", "kB", "made now/s", "kept/s", "bare/s", "bare Jinja/s")
    show((*headings, "kept : bare", "now : bare", "now : Jinja", "target"), rows)
    return made_now


def _show_growth(small: dict[str, list[float]], large: dict[str, list[float]]) -> None:
    """Print how much slower the large town is. Each is held against bare pages of its own time: machines vary."""
    rows = [
        (name, f"{statistics.median(small[name]) / statistics.median(large[name]):.2f}", f"<= {MOST_TIMES_SLOWER}")
        for name in small
    ]
    show(("page, made now", "times slower in the large town", "target"), rows)


def _requests_a_second(port: int, path: str, seconds: float, headers: Mapping[str, str] | None = None) -> float:
    """Ask for a page from some clients at once, each on a connection that it keeps."""
    done, until = [0] * CLIENTS, time.monotonic() + seconds

    def ask(client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.monotonic() < until:
            connection.request("GET", path, headers=dict(headers or {}))
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
