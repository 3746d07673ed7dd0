# SPDX-License-Identifier: EUPL-1.2
"""A first visit with an old phone, on slow 4G with a slow processor: largest paint, layout shift, bytes, requests."""

from __future__ import annotations

import argparse
import io
import re
import shutil
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, CDPSession, sync_playwright

from abs_platform import clock
from abs_platform.database import transaction
from abs_platform.media.keeping import kept_picture
from abs_platform.media.service import add_picture
from abs_platform.media.states import Purpose
from bench.bench_pages import Size, fill_town
from bench.harness import ACTOR, serve, settings_of, show, start_app

# Slow 4G as Lighthouse has it, in bytes a second, and a processor as in a phone of some years ago.
NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
TIMES_SLOWER = 4
PHONE = {"width": 360, "height": 740}
MOST_SECONDS, MOST_SHIFT, MOST_KILOBYTES, MOST_SCRIPT_KILOBYTES = 1.5, 0.05, 100, 60
QUIET_MILLISECONDS = 1_500
REPEATS = 3
_WATCH = """
window.seen = {paint: 0, what: "", shift: 0};
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    const picture = one.url ? new URL(one.url).pathname : "";
    const words = one.element ? one.element.textContent.trim().slice(0, 30) : "";
    Object.assign(window.seen, {paint: one.startTime, what: picture || words});
  }
}).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.seen.shift += one.value;
}).observe({type: "layout-shift", buffered: true});
"""


@dataclass
class Visit:
    """What one first visit took; bytes by kind as they went over the line, headers included."""

    seconds: float = 0.0
    what: str = ""
    shift: float = 0.0
    requests: int = 0
    sent: dict[str, int] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)

    def kilobytes(self, *, pictures: bool) -> float:
        """What was sent: the pictures, or all the rest."""
        return sum(size for kind, size in self.sent.items() if (kind == "Image") == pictures) / 1000


def main() -> None:
    """Print what a first visit to each page takes."""
    parser = argparse.ArgumentParser(prog="bin/bench visit", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS, help="how many times each page is visited")
    options = parser.parse_args()
    app = start_app()
    pages = fill_town(app, Size(500, 10_000))
    add_photos(app, list(pages.values()))
    rows, env = [], {"ABS_INSTANCE_DIR": str(settings_of(app).instance_dir)}
    with serve("wsgi:app", settings_of(app).database_url or "", env) as port, sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name, address in pages.items():
            look(browser, f"http://127.0.0.1:{port}{address}")  # the server is warm; the browser is not
            visits = [look(browser, f"http://127.0.0.1:{port}{address}") for _ in range(options.repeats)]
            rows.append(_row(name, visits))
        browser.close()
    headings = ("page", "largest paint s", "target", "which", "layout shift", "target", "requests")
    show((*headings, "kB", "target", "scripts kB", "target", "pictures kB", "elsewhere"), rows)


def add_photos(app: Flask, paths: list[str]) -> None:
    """Give every other initiative on these pages a photo of its own; the rest keeps its drawing."""
    client, store = app.test_client(), app.extensions["file_store"]
    found = {int(one) for path in paths for one in re.findall(r"/initiatieven/(\d+)-", client.get(path).text)}
    chosen = {*sorted(found)[::2], *(int(one) for path in paths for one in re.findall(r"/(\d+)-", path))}
    for number in chosen:
        photo = Image.effect_noise((320, 240), 70).resize((1600, 1200), Image.Resampling.BICUBIC)
        ImageDraw.Draw(photo).text((40, 40), str(number), fill=0)  # no two are alike
        file = io.BytesIO()
        photo.convert("RGB").save(file, "JPEG", quality=85)
        with app.app_context(), kept_picture(store, file.getvalue()) as kept, transaction() as session:
            add_picture(
                session,
                kept,
                purpose=Purpose.INITIATIVE,
                initiative_id=number,
                is_decorative=True,
                uploaded_by_id=None,
                actor=ACTOR,
                now=clock.now(),
            )


def look(browser: Browser, url: str) -> Visit:
    """Open a page as somebody who was never here, and wait until nothing comes any more."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True)  # type: ignore[arg-type]
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", NETWORK)
    line.send("Emulation.setCPUThrottlingRate", {"rate": TIMES_SLOWER})
    visit = Visit()
    _listen(line, visit, urlsplit(url).netloc)
    page.add_init_script(_WATCH)
    page.goto(url, wait_until="load")
    page.wait_for_timeout(QUIET_MILLISECONDS)
    seen = page.evaluate("window.seen")
    visit.seconds, visit.what, visit.shift = seen["paint"] / 1000, seen["what"], seen["shift"]
    context.close()
    return visit


def _listen(line: CDPSession, visit: Visit, home: str) -> None:
    """Count what is asked and what comes."""
    kinds: dict[str, str] = {}

    def asked(event: Mapping[str, Any]) -> None:
        kinds[event["requestId"]] = event.get("type", "Other")
        where = urlsplit(event["request"]["url"])
        if where.scheme in {"http", "https"}:
            visit.requests += 1
            if where.netloc != home:
                visit.elsewhere.add(where.netloc)

    def came(event: Mapping[str, Any]) -> None:
        kind = kinds.get(event["requestId"], "Other")
        visit.sent[kind] = visit.sent.get(kind, 0) + int(event["encodedDataLength"])

    line.on("Network.requestWillBeSent", asked)
    line.on("Network.loadingFinished", came)


def _row(name: str, visits: list[Visit]) -> tuple[object, ...]:
    seconds = sorted(visit.seconds for visit in visits)
    last = visits[-1]
    return (
        name,
        f"{statistics.median(seconds):.2f} ({seconds[0]:.2f}-{seconds[-1]:.2f})",
        f"< {MOST_SECONDS}",
        last.what,
        f"{max(visit.shift for visit in visits):.3f}",
        f"< {MOST_SHIFT}",
        last.requests,
        f"{last.kilobytes(pictures=False):.1f}",
        f"< {MOST_KILOBYTES}",
        f"{last.sent.get('Script', 0) / 1000:.1f}",
        f"< {MOST_SCRIPT_KILOBYTES}",
        f"{last.kilobytes(pictures=True):.1f}",
        ", ".join(sorted(set().union(*(visit.elsewhere for visit in visits)))) or "nothing",
    )


if __name__ == "__main__":
    main()
