# SPDX-License-Identifier: EUPL-1.2
"""Public pages are the same for all who are not signed in, so they are made once in some seconds and not once a visit.

Who sends any cookie gets a page of her own, made now: she may be signed in, or have just given. What is kept here is
sent compressed; it holds nothing secret. Caches on the way may keep it as long, and browsers ask whether it changed.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, request, session
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from abs_platform.logs import log_request, request_id_of

FRESH_SECONDS = 10
# While one visitor waits for the new page, the others still get the old one.
STALE_SECONDS = 30
MOST_PAGES = 500
LONGEST_QUERY = 300  # characters
MOST_BYTES = 400_000
# All pages together: who asks for ever new questions fills this much of each process, and no more.
MOST_BYTES_OF_ALL = 40_000_000
# The pages that set no cookie and carry no CSRF token for who is signed out.
SHARED = frozenset(
    {
        *("pages.home", "initiatives.index", "initiatives.show", "districts.index", "districts.show"),
        *("news.index", "news.show", "news.feed", "agenda.index", "agenda.show", "agenda.calendar"),
        *("site_texts.show", "reports.index", "reports.show", "reports_years.show"),
        *("cashbook.index", "cashbook.accounts", "cashbook.flow", "cashbook.of_initiative"),
        *("map.points", "machines.sitemap", "machines.sitemap_file"),
    }
)
# What an address is, and what makes a visitor one of a kind; in the words of WSGI.
_ADDRESS = ("wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")
_OF_A_VISITOR = ("HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE")
_DIFFERING = {"x-request-id", "content-length", "content-encoding"}
_JUST_KEPT = "abs.just_kept"
_KEPT_HEADERS = ("Content-Type", "Link", "X-Robots-Tag", "Content-Disposition", "Content-Security-Policy")
_CACHE_CONTROL = f"public, max-age=0, s-maxage={FRESH_SECONDS}, stale-while-revalidate={STALE_SECONDS}"


@dataclass(slots=True)
class _Kept:
    """A page as it was made, and when (monotonic seconds)."""

    body: bytes
    zipped: bytes
    etag: str
    headers: list[tuple[str, str]]
    made_at: float
    is_being_made: bool = False
    route: str = ""
    # All headers of the answer as it went out first, but for what differs from visitor to visitor.
    whole: list[tuple[str, str]] | None = None

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return len(self.body) + len(self.zipped)


class PageMemory:
    """The pages that this process made last."""

    def __init__(self) -> None:
        self._pages: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def look_up(self, key: tuple[str, ...], now: float) -> _Kept | None:
        """The page, unless this visitor is the one for whom it is made again."""
        with self._lock:
            kept = self._pages.get(key)
            if kept is None or now - kept.made_at > FRESH_SECONDS + STALE_SECONDS:
                return None
            self._pages.move_to_end(key)
            if now - kept.made_at > FRESH_SECONDS and not kept.is_being_made:
                kept.is_being_made = True
                return None
            return kept

    def glance(self, key: tuple[str, ...], now: float) -> _Kept | None:
        """The page when it is fresh and was sent before. It asks for no lock and marks nothing."""
        kept = self._pages.get(key)
        return kept if kept is not None and kept.whole is not None and now - kept.made_at <= FRESH_SECONDS else None

    def keep(self, key: tuple[str, ...], kept: _Kept) -> None:
        """Remember a page, and forget the one that was asked for longest ago when there are too many."""
        with self._lock:
            self._let_go(self._pages.pop(key, None))
            self._pages[key] = kept
            self._bytes += kept.size
            while len(self._pages) > MOST_PAGES or self._bytes > MOST_BYTES_OF_ALL:
                self._let_go(self._pages.popitem(last=False)[1])

    def _let_go(self, kept: _Kept | None) -> None:
        self._bytes -= kept.size if kept is not None else 0

    def forget_all(self) -> None:
        """Make every page anew."""
        with self._lock:
            self._pages.clear()
            self._bytes = 0


def _is_shared() -> bool:
    """Whether what is asked for now is the same for everyone who asks so."""
    return (
        request.endpoint in SHARED
        and request.method in {"GET", "HEAD"}
        and not request.cookies
        and "Authorization" not in request.headers
    )


def _key(environ: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(environ.get(name, "") for name in _ADDRESS)


def _from_memory() -> Response | None:
    """The page as it was made for somebody else, if that was just now."""
    g.page_key = None
    if not _is_shared() or len(request.query_string) > LONGEST_QUERY:
        return None
    memory: PageMemory | None = current_app.extensions.get("page_memory")
    if memory is None:
        return None
    g.page_key = _key(request.environ)
    kept = memory.look_up(g.page_key, time.monotonic())
    if kept is None:
        return None
    g.page_key = None
    return _answer(kept)


def _answer(kept: _Kept) -> Response:
    is_zipped = request.accept_encodings.quality("gzip") > 0
    answer = Response(kept.zipped if is_zipped else kept.body, headers=kept.headers)
    if is_zipped:
        answer.headers["Content-Encoding"] = "gzip"
    return _for_all(answer, kept.etag)


def _for_all(answer: Response, etag: str) -> Response:
    answer.headers["Cache-Control"] = _CACHE_CONTROL
    answer.vary.update(("Cookie", "Accept-Encoding"))
    answer.set_etag(etag, weak=True)
    answer.make_conditional(request)
    return answer


def _remember(response: Response) -> Response:
    """Keep a page that turned out to be the same for all; say to caches that they may too."""
    if (
        not _is_shared()
        or response.status_code != HTTPStatus.OK
        or response.direct_passthrough
        or "Content-Encoding" in response.headers
        or "Cache-Control" in response.headers
        or session.modified
    ):
        return response
    body = response.get_data()
    etag = hashlib.sha256(body).hexdigest()[:20]
    memory: PageMemory | None = current_app.extensions.get("page_memory")
    if memory is None or g.get("page_key") is None or len(body) > MOST_BYTES:
        return _for_all(response, etag)
    headers = [(name, response.headers[name]) for name in _KEPT_HEADERS if name in response.headers]
    kept = _Kept(body, gzip.compress(body, 5, mtime=0), etag, headers, time.monotonic(), route=str(request.url_rule))
    memory.keep(g.page_key, kept)
    request.environ[_JUST_KEPT] = kept
    return _answer(kept)


class Door:
    """Hands a fresh page to whoever comes in, before anything else is done: that costs a tenth of asking Flask."""

    def __init__(self, app: Flask) -> None:
        self._flask, self._inside = app, app.wsgi_app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve one request."""
        memory: PageMemory | None = self._flask.extensions.get("page_memory")
        if memory is None or environ["REQUEST_METHOD"] != "GET" or any(name in environ for name in _OF_A_VISITOR):
            return self._inside(environ, start_response)
        started = time.perf_counter()
        kept = memory.glance(_key(environ), time.monotonic())
        if kept is None or kept.whole is None:
            return self._inside(environ, self._watching(environ, start_response))
        is_zipped = _reads_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
        body = kept.zipped if is_zipped else kept.body
        number = request_id_of(environ.get("HTTP_X_REQUEST_ID", ""))
        own = [("X-Request-ID", number), ("Content-Length", str(len(body)))]
        start_response("200 OK", [*kept.whole, *own, *([("Content-Encoding", "gzip")] if is_zipped else [])])
        log_request("GET", kept.route, 200, started, request_id=number)
        return [body]

    @staticmethod
    def _watching(environ: dict[str, Any], start_response: Any) -> Any:
        """Remember with which headers a page that was just kept went out."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            kept: _Kept | None = environ.get(_JUST_KEPT)
            names = {name.lower() for name, _value in headers}
            if kept is not None and status.startswith("200") and "set-cookie" not in names:
                kept.whole = [(name, value) for name, value in headers if name.lower() not in _DIFFERING]
            return start_response(status, headers, *rest)

        return start


@lru_cache(maxsize=200)
def _reads_gzip(accepted: str) -> bool:
    return parse_accept_header(accepted, Accept).quality("gzip") > 0


def stand_at_the_door(app: Flask) -> None:
    """Comes before what changes the address that is asked (proxies, languages): those stand around it."""
    app.wsgi_app = Door(app)  # type: ignore[method-assign]


def init_app(app: Flask, *, is_on: bool) -> None:
    """Keep pages in memory, or only tell caches that they may."""
    if is_on:
        app.extensions["page_memory"] = PageMemory()
    app.before_request(_from_memory)
    app.after_request(_remember)
