# SPDX-License-Identifier: EUPL-1.2
"""Files of the site: one address in every language, a fingerprint so that browsers keep them, text compressed once."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, has_request_context, request

from abs_platform.quick_templates import QuickEnvironment

A_YEAR = 31_536_000
FINGERPRINT = 10  # characters
MOST_ADDRESSES = 10_000
LONGEST_ADDRESS = 300  # characters: a longer one holds what a visitor made up
# What holds nothing of anybody, so that it may be compressed.
FILES = {"static", "app.style", "app.manifest", "app.worker", "illustrations.show", "sharing.qr", "map.shapes"}
COMPRESSED = {"text/css", "text/javascript", "application/javascript", "image/svg+xml", "application/manifest+json"}
COMPRESSED |= {"application/json", "application/geo+json"}


class Site(Flask):
    """Flask, with fingerprints in the addresses of files, and the addresses of pages put together once."""

    jinja_environment = QuickEnvironment

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._addresses: dict[Any, str] = {}

    def url_for(self, endpoint: str, **values: Any) -> str:
        """As Flask's; a file has no language before it, and its fingerprint behind it."""
        if endpoint == "static" and not values.get("_external"):
            return self._file_address(values["filename"])
        if not has_request_context() or "_external" in values or "_scheme" in values:
            return super().url_for(endpoint, **values)
        return self._address(endpoint, values)

    def _file_address(self, name: str) -> str:
        known = None if self.debug else self._addresses.get(name)
        if known is None:
            mark = fingerprint(Path(self.static_folder or ""), name, self.debug)
            known = self._addresses[name] = f"{self.static_url_path}/{name}" + (f"?v={mark}" if mark else "")
        return known

    def _address(self, endpoint: str, values: dict[str, Any]) -> str:
        """The path of a page: it hangs on nothing but what is asked and where it is asked."""
        here = request.blueprint if endpoint.startswith(".") else None
        key = (request.script_root, request.method, here, endpoint, *values.items())
        try:
            known = self._addresses.get(key)
        except TypeError:  # a list among the values
            return super().url_for(endpoint, **values)
        if known is None:
            known = super().url_for(endpoint, **values)
            if len(known) > LONGEST_ADDRESS:
                return known
            if len(self._addresses) >= MOST_ADDRESSES:
                self._addresses.clear()
            self._addresses[key] = known
        return known


def fingerprint(folder: Path, name: str, is_changing: bool = False) -> str:
    """The first characters of the digest of a file, or "" when there is no such file.

    Read once, or whenever it changed while somebody works on it.
    """
    path = folder / name
    try:
        return _digest(path, path.stat().st_mtime_ns if is_changing else 0)
    except OSError:
        return ""


@lru_cache(maxsize=2_000)
def _digest(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:FINGERPRINT]


def finish_file(response: Response) -> Response:
    """Let browsers not even ask again for a file with its fingerprint, and send text compressed."""
    if request.endpoint not in FILES or response.status_code != HTTPStatus.OK:
        return response
    given = request.args.get("v")
    if request.endpoint == "static" and given:
        name = str((request.view_args or {}).get("filename", ""))
        if given == fingerprint(Path(current_app.static_folder or ""), name, current_app.debug):
            response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    if response.mimetype in COMPRESSED:
        response.vary.add("Accept-Encoding")
        if request.accept_encodings.quality("gzip") > 0:
            _compress(response)
    return response


def _compress(response: Response) -> None:
    response.direct_passthrough = False
    response.set_data(_zipped(response.get_data()))
    response.headers["Content-Encoding"] = "gzip"
    etag, _is_weak = response.get_etag()
    if etag:
        response.set_etag(etag, weak=True)


@lru_cache(maxsize=1_000)
def _zipped(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)
