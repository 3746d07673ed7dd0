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
from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask, Response, current_app, g, request, session

FRESH_SECONDS = 10
# While one visitor waits for the new page, the others still get the old one.
STALE_SECONDS = 30
MOST_PAGES = 500
LONGEST_QUERY = 300  # characters
MOST_BYTES = 400_000
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


class PageMemory:
    """The pages that this process made last."""

    def __init__(self) -> None:
        self._pages: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
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

    def keep(self, key: tuple[str, ...], kept: _Kept) -> None:
        """Remember a page, and forget the one that was asked for longest ago when there are too many."""
        with self._lock:
            self._pages[key] = kept
            self._pages.move_to_end(key)
            while len(self._pages) > MOST_PAGES:
                self._pages.popitem(last=False)

    def forget_all(self) -> None:
        """Make every page anew."""
        with self._lock:
            self._pages.clear()


def _is_shared() -> bool:
    """Whether what is asked for now is the same for everyone who asks so."""
    return (
        request.endpoint in SHARED
        and request.method in {"GET", "HEAD"}
        and not request.cookies
        and "Authorization" not in request.headers
    )


def _key() -> tuple[str, ...]:
    return (request.scheme, request.host, request.script_root, request.path, request.query_string.decode("latin-1"))


def _from_memory() -> Response | None:
    """The page as it was made for somebody else, if that was just now."""
    g.page_key = None
    if not _is_shared() or len(request.query_string) > LONGEST_QUERY:
        return None
    memory: PageMemory | None = current_app.extensions.get("page_memory")
    if memory is None:
        return None
    g.page_key = _key()
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
    kept = _Kept(body, gzip.compress(body, 5, mtime=0), etag, headers, time.monotonic())
    memory.keep(g.page_key, kept)
    return _answer(kept)


def init_app(app: Flask, *, is_on: bool) -> None:
    """Keep pages in memory, or only tell caches that they may."""
    if is_on:
        app.extensions["page_memory"] = PageMemory()
    app.before_request(_from_memory)
    app.after_request(_remember)
