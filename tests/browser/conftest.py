# SPDX-License-Identifier: EUPL-1.2
"""A town that really runs: a server on a migrated database of its own, one Chromium, and a visitor for each test."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Playwright, sync_playwright
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from abs_platform.database import db
from abs_platform.donations.models import Donation
from abs_platform.donations.queries import total_of
from abs_platform.initiatives.models import Initiative
from abs_platform.initiatives.states import PUBLIC_STATES, InitiativeState, Theme
from abs_platform.ledger.queries import check
from abs_platform.money import format_euros
from abs_platform.security import public
from tests.browser.visitor import Asked, Visitor
from tests.conftest import make_app
from tests.factories import Factory

PHONE, DESK = (360, 740), (1280, 900)
CLIENT = "X-Test-Client"
CHROMIUM, SHELL = ("chromium", "chromium-browser", "google-chrome"), ("chromium-headless-shell",)
ALMELO, SCHELFHORST, WINDMOLENBROEK = "GM0141", "WK014118", "BU01411900"
# Chromium draws a window around every visitor, with search boxes that are pages themselves, and keeps a process ready:
# much work, and none of it is ours. The other names are what Playwright turns off, for this list replaces its own.
WITHOUT = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "LensOverlay"),
    *("HttpsFirstBalancedModeAutoEnable", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled"),
    "PreconnectToSearch",
)
_clients = count(1)


@dataclass(eq=False)
class Town:
    """Almelo with initiatives in every public state and an open round."""

    app: Flask
    url: str
    session: Session
    factory: Factory
    asked: list[Asked]
    in_state: dict[InitiativeState, int] = field(default_factory=dict)
    _codes: list[str] = field(default_factory=list)
    _collecting: dict[str, int] = field(default_factory=dict)

    def code(self) -> str:
        """The code of a voucher that nobody used yet, as it is printed."""
        if not self._codes:
            self._codes = self.factory.fresh_codes(40)
            self.session.commit()
        return self._codes.pop()

    def initiative(self, title: str, *, area: str = WINDMOLENBROEK) -> Initiative:
        """An initiative that collects; the one with this title if it is there."""
        if title not in self._collecting:
            made = self.factory.initiative(title=title, area=area)
            self.session.commit()
            self._collecting[title] = made.id
        return self.session.get_one(Initiative, self._collecting[title])

    def almost_funded(self, title: str) -> Initiative:
        """A new initiative of € 60 that needs one more voucher."""
        made = self.factory.initiative(title=title, target_cents=6_000)
        for _ in range(7):
            assert self.factory.give(self.code(), made)
        self.session.commit()
        return made

    def raised(self, initiative: Initiative) -> str:
        """What an initiative has now, as pages write it."""
        self.session.rollback()
        return format_euros(total_of(self.session, initiative.id).cents).replace("\u00a0", " ")

    def gifts(self, code: str) -> list[Donation]:
        """What was given with a code."""
        self.session.rollback()
        voucher = self.factory.voucher(code)
        return list(self.session.scalars(select(Donation).where(Donation.voucher_id == voucher.id)))

    def fill(self) -> None:
        """Initiatives in every public state, some with gifts, and enough of them for a second page."""
        for state, theme in zip(PUBLIC_STATES, Theme, strict=False):
            title = f"Een {state.value} plan met een lange naam voor de Ossenkoppelerhoekstraat"
            self.in_state[state] = self.factory.initiative(state, title=title, theme=theme, target_cents=5_250).id
        for number, area in enumerate((ALMELO, ALMELO, SCHELFHORST, SCHELFHORST, WINDMOLENBROEK, WINDMOLENBROEK)):
            theme = list(Theme)[number + 3]
            self.factory.initiative(title=f"Samen eten {number}", area=area, theme=theme, days_left=number)
        self.session.commit()
        self.almost_funded("Bijna een pluktuin")


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the tests say what went wrong."""


def _listen(app: Flask, asked: list[Asked]) -> None:
    """Write down what a log would, and let each visitor have an address of its own: wrong codes count per address."""
    inner = app.wsgi_app

    def listening(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        client = environ.get("HTTP_X_TEST_CLIENT", "")
        url = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        asked.append(Asked(client, url, environ.get("HTTP_REFERER", "")))
        return inner(environ | {"REMOTE_ADDR": client}, start_response)

    app.wsgi_app = listening  # type: ignore[method-assign]


@public
def _broken() -> str:
    raise RuntimeError("broken on purpose")


@pytest.fixture(scope="session")
def town(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A running town; its books are right at the end, whatever the tests did."""
    app = make_app(f"abs_browser_{worker}", tmp_path_factory.mktemp("browser"))
    app.add_url_rule("/kapot", view_func=_broken)
    asked: list[Asked] = []
    _listen(app, asked)
    with app.app_context():
        engine = db.engine
    session = Session(engine)
    factory = Factory(session, app.extensions["settings"].rules, app.extensions["code_keys"])
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
    town = Town(app, f"http://127.0.0.1:{server.port}", session, factory, asked)
    town.fill()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield town
    server.shutdown()
    thread.join()
    server.server_close()
    problems = check(session)
    session.close()
    engine.dispose()
    assert problems == []


class Browsers:
    """Chromium in its two kinds, each started once, when a test first asks for it; contexts in it are cheap."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._started: dict[str, Browser] = {}

    def one(self, *, keeps_pages: bool) -> Browser:
        """The headless shell draws the same for half the work, but keeps no pages for Back. Not everyone has it."""
        names = CHROMIUM if keeps_pages else (*SHELL, *CHROMIUM)
        path = next(filter(None, map(shutil.which, names)), None)
        if path is None:
            pytest.skip("there is no Chromium here: apt-get install chromium")
        if path not in self._started:
            arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            arguments.append(f"--disable-features={','.join(WITHOUT)}")
            self._started[path] = self._playwright.chromium.launch(
                executable_path=path, args=arguments, ignore_default_args=["--disable-back-forward-cache"]
            )
        return self._started[path]

    def close(self) -> None:
        """All of them."""
        for browser in self._started.values():
            browser.close()


@pytest.fixture(scope="session")
def browsers() -> Iterator[Browsers]:
    """The browsers of this worker."""
    with sync_playwright() as playwright:
        made = Browsers(playwright)
        yield made
        made.close()


@pytest.fixture
def chromium(browsers: Browsers, request: pytest.FixtureRequest) -> Browser:
    """The browser of a test: the whole Chromium for a test that is marked ``keeps_pages``."""
    return browsers.one(keeps_pages=request.node.get_closest_marker("keeps_pages") is not None)


@pytest.fixture(params=[PHONE, DESK], ids=["360", "1280"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """A phone and a desktop: each test that looks at a page does so on both."""
    width, height = request.param
    return width, height


def newcomer(town: Town, chromium: Browser, size: tuple[int, int], *, has_scripts: bool = True) -> Visitor:
    """A visitor with a browser context and a client address of its own."""
    client = f"192.0.2.{next(_clients) % 250}"
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]},
        has_touch=size == PHONE,
        is_mobile=size == PHONE,
        java_script_enabled=has_scripts,
        reduced_motion="reduce",
        locale="nl-NL",
        extra_http_headers={CLIENT: client},
    )
    context.set_default_timeout(10_000)
    return Visitor(context, town.url, client, town.asked, has_scripts=has_scripts, has_touch=size == PHONE)


@pytest.fixture
def visit(town: Town, chromium: Browser, size: tuple[int, int]) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors."""
    visitors: list[Visitor] = []

    def arrive(*, has_scripts: bool = True) -> Visitor:
        visitors.append(newcomer(town, chromium, size, has_scripts=has_scripts))
        return visitors[-1]

    yield arrive
    for visitor in visitors:
        visitor.leave()


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    """The one visitor of a test."""
    return visit()
